//! Recognises the late copy of a QoS 2 message: the network delivers it after PUBREL has ended the exchange, when message ids alone
//! cannot tell it from a new message.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// The last exchange of QoS 2 with a peer.
///
/// A copy has the same message id and content, and comes soon. A peer that uses one message id for all its messages is exempt;
/// and a new message that is taken for a copy is only delayed, since its sender repeats it after the retry interval.
#[derive(Debug, Default)]
pub(super) struct LateCopies {
    open: Option<(u16, u64)>,
    last: Option<(u16, u64, Instant)>,
    /// The message id of the exchange before the last one.
    previous: Option<u16>,
}

impl LateCopies {
    /// An exchange has begun.
    pub(super) fn begin(&mut self, message_id: u16, topic: u16, payload: &[u8]) {
        self.open = Some((message_id, hash(topic, payload)));
    }

    /// PUBREL has ended the exchange.
    pub(super) fn end(&mut self, message_id: u16, now: Instant) {
        if let Some((_, hash)) = self.open.take_if(|(open, _)| *open == message_id) {
            self.previous = self.last.map(|(id, ..)| id);
            self.last = Some((message_id, hash, now));
        }
    }

    /// Whether a message is a copy of the last one.
    pub(super) fn contains(
        &self,
        message_id: u16,
        topic: u16,
        payload: &[u8],
        retry_interval: Duration,
        now: Instant,
    ) -> bool {
        let has_one_id = self.previous == Some(message_id);
        self.last.is_some_and(|(last, last_hash, ended)| {
            last == message_id
                && !has_one_id
                && now < ended + retry_interval / 2
                && last_hash == hash(topic, payload)
        })
    }
}

fn hash(topic: u16, payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (topic, payload).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_soon_after_the_exchange_is_recognised() {
        let start = Instant::now();
        let interval = Duration::from_secs(10);
        let mut copies = LateCopies::default();
        for id in [1, 2] {
            copies.begin(id, 7, b"on");
            copies.end(id, start);
        }
        let contains = |id, topic, payload: &[u8], seconds| {
            copies.contains(id, topic, payload, interval, start + Duration::from_secs(seconds))
        };
        assert!(contains(2, 7, b"on", 4));
        assert!(!contains(2, 7, b"on", 5)); // repeated by its sender
        assert!(!contains(2, 7, b"off", 0));
        assert!(!contains(2, 8, b"on", 0));
        assert!(!contains(3, 7, b"on", 0));
    }

    #[test]
    fn a_client_with_one_message_id_is_exempt() {
        let start = Instant::now();
        let mut copies = LateCopies::default();
        for _ in 0..2 {
            copies.begin(1, 7, b"on");
            copies.end(1, start);
        }
        assert!(!copies.contains(1, 7, b"on", Duration::from_secs(10), start));
    }
}
