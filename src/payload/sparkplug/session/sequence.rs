//! Sequence numbers: they increase by one with each message of a node, from 0 to 255 and then from 0 again.

use super::Anomaly;

/// A number that is at most this far ahead is taken for a gap, others for a step back.
const MAX_GAP: u8 = 127;

/// The latest number of a node, and the numbers that were skipped.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sequence {
    latest: Option<u8>,
    /// A bit for each number that is missing.
    missing: [u64; 4],
}

impl Sequence {
    /// Starts again with the number of a birth.
    pub(super) fn start(&mut self, seq: Option<u64>) {
        *self = Sequence { latest: seq.and_then(|seq| u8::try_from(seq).ok()), missing: [0; 4] };
    }

    /// Continues with a message's number. The first number is always valid.
    pub(super) fn next(&mut self, seq: Option<u64>) -> Option<Anomaly> {
        let Some(received) = seq.and_then(|seq| u8::try_from(seq).ok()) else {
            self.start(None);
            return None;
        };
        let Some(latest) = self.latest else {
            self.start(seq);
            return None;
        };
        let expected = latest.wrapping_add(1);
        let skipped = received.wrapping_sub(expected);
        if received == latest {
            return Some(Anomaly::SeqRepeated(received));
        }
        if self.is_missing(received) {
            self.mark(received, false);
            return Some(Anomaly::SeqLate { received, latest });
        }
        if skipped > MAX_GAP {
            self.start(seq);
            return Some(Anomaly::SeqBack { expected, received });
        }
        (0..skipped).for_each(|step| self.mark(expected.wrapping_add(step), true));
        self.latest = Some(received);
        self.forget_old(received);
        (skipped > 0).then_some(Anomaly::SeqGap { expected, received, skipped })
    }

    /// Forgets the missing numbers that will be used again soon.
    fn forget_old(&mut self, latest: u8) {
        if self.missing != [0; 4] {
            (1..=MAX_GAP).for_each(|step| self.mark(latest.wrapping_add(step), false));
        }
    }

    fn is_missing(&self, number: u8) -> bool {
        let word = self.missing.get(usize::from(number / 64)).copied().unwrap_or_default();
        word & (1 << (number % 64)) != 0
    }

    fn mark(&mut self, number: u8, is_missing: bool) {
        if let Some(word) = self.missing.get_mut(usize::from(number / 64)) {
            let bit = 1 << (number % 64);
            *word = if is_missing { *word | bit } else { *word & !bit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(numbers: &[u64]) -> Vec<Anomaly> {
        let mut sequence = Sequence::default();
        numbers.iter().filter_map(|seq| sequence.next(Some(*seq))).collect()
    }

    #[test]
    fn numbers_wrap_after_255() {
        assert_eq!(run(&(0..1000).map(|seq| seq % 256).collect::<Vec<_>>()), []);
    }

    #[test]
    fn a_gap_and_what_fills_it_are_told_apart_from_a_repetition() {
        let gap = Anomaly::SeqGap { expected: 5, received: 7, skipped: 2 };
        let late = |received, latest| Anomaly::SeqLate { received, latest };
        assert_eq!(run(&[4, 7, 8, 6, 9, 5, 10]), [gap, late(6, 8), late(5, 9)]);
        assert_eq!(run(&[4, 5, 5, 6]), [Anomaly::SeqRepeated(5)]);
        assert_eq!(run(&[254, 1, 2]), [Anomaly::SeqGap { expected: 255, received: 1, skipped: 2 }]);
        assert_eq!(run(&[100, 0, 1, 2]), [Anomaly::SeqBack { expected: 101, received: 0 }]);
    }

    #[test]
    fn a_missing_number_is_forgotten_before_it_is_used_again() {
        let mut numbers = vec![0, 2];
        numbers.extend((3..600).map(|seq| seq % 256));
        assert_eq!(run(&numbers).len(), 1);
    }
}
