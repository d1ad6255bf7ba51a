//! Keeps the log short: in an interval, a client is named once, and few clients are.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The time until a client is named again.
const INTERVAL: Duration = Duration::from_secs(10);

/// The most clients that are named in that time.
const MAX_CLIENTS: usize = 20;

/// The clients that were named recently, each until it may be named again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    recent: HashMap<Rc<str>, Instant>,
}

impl Pace {
    /// Forgets the clients that may be named again.
    pub(super) fn advance(&mut self, now: Instant) {
        self.recent.retain(|_, until| *until > now);
    }

    /// Whether the client may be named now.
    pub(super) fn admits(&mut self, client_id: &Rc<str>, now: Instant) -> bool {
        let may_be_named = self.recent.len() < MAX_CLIENTS && !self.recent.contains_key(client_id);
        if may_be_named {
            self.recent.insert(Rc::clone(client_id), now + INTERVAL);
        }
        may_be_named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_once_in_an_interval_and_few_are() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let admits = |pace: &mut Pace, number: usize, now| pace.admits(&number.to_string().into(), now);
        assert_eq!([0, 0, 1].map(|number| admits(&mut pace, number, now)), [true, false, true]);
        let named = (2..100).filter(|number| admits(&mut pace, *number, now)).count();
        assert_eq!(named, MAX_CLIENTS - 2);
        pace.advance(now + INTERVAL);
        assert!(admits(&mut pace, 0, now + INTERVAL));
    }
}
