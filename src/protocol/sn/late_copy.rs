//! Recognises the late copy of a QoS 2 message: the network delivers it after PUBREL has ended the exchange, when message ids alone
//! cannot distinguish it from a new message.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// The exchanges that are remembered. A copy may arrive when several later messages are settled.
const REMEMBERED: usize = 16;

/// The last exchanges of QoS 2 with a peer.
///
/// A copy has the same message id and content, and comes soon. A message id that the peer has used twice among these exchanges is
/// exempt; and a new message that is taken for a copy is only delayed, since its sender repeats it after the retry interval.
#[derive(Debug, Default)]
pub(super) struct LateCopies {
    exchanges: VecDeque<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    message_id: u16,
    hash: u64,
    ended: Option<Instant>,
}

impl LateCopies {
    /// An exchange has begun.
    pub(super) fn begin(&mut self, message_id: u16, topic: u16, payload: &[u8]) {
        // A repeated message, or an exchange that was given up.
        self.exchanges.retain(|exchange| exchange.message_id != message_id || exchange.ended.is_some());
        if self.exchanges.len() >= REMEMBERED {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange { message_id, hash: hash(topic, payload), ended: None });
    }

    /// PUBREL has ended the exchange.
    pub(super) fn end(&mut self, message_id: u16, now: Instant) {
        let is_open =
            |exchange: &&mut Exchange| exchange.message_id == message_id && exchange.ended.is_none();
        if let Some(exchange) = self.exchanges.iter_mut().find(is_open) {
            exchange.ended = Some(now);
        }
    }

    /// Whether a message is a copy of an earlier one.
    pub(super) fn contains(
        &self,
        message_id: u16,
        topic: u16,
        payload: &[u8],
        retry_interval: Duration,
        now: Instant,
    ) -> bool {
        let mut ended = self.exchanges.iter().filter_map(|exchange| {
            exchange.ended.filter(|_| exchange.message_id == message_id).map(|at| (at, exchange.hash))
        });
        let Some((at, last_hash)) = ended.next() else { return false };
        let is_reused = ended.next().is_some();
        !is_reused && now < at + retry_interval / 2 && last_hash == hash(topic, payload)
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
        assert!(contains(1, 7, b"on", 4)); // a later message was settled
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
