//! Whether a source has repeated, on a new connection, all messages that it has in flight.

/// The pings of a connection, some of them with a question.
///
/// A source repeats PUBLISH and PUBREL when it has accepted a connection. That nothing arrives for some time shows nothing: the network
/// may have stalled. But packets arrive in order, so what did not come before the answer to a later PINGREQ does not come at all.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    /// PINGREQ packets without an answer so far.
    open_pings: u32,
    question: Option<Question>,
}

#[derive(Debug)]
struct Question {
    /// The answer comes with this PINGRESP, counted from 1.
    answers: u32,
    is_late: bool,
}

/// A source has repeated all that it will.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether it was asked late: a source that repeats only some time after CONNACK was done as well.
    pub(super) is_late: bool,
}

impl Repetition {
    /// Counts a PINGREQ.
    pub(super) fn ping_sent(&mut self) {
        self.open_pings = self.open_pings.saturating_add(1);
    }

    /// Lets the next PINGREQ be a question. Returns whether it is to be sent: not while another question is open.
    pub(super) fn ask(&mut self, is_late: bool) -> bool {
        let is_new = self.question.is_none();
        if is_new {
            self.question = Some(Question { answers: self.open_pings.saturating_add(1), is_late });
        }
        is_new
    }

    /// Counts a PINGRESP. Returns the answer, if it is one to a question.
    pub(super) fn ping_answered(&mut self) -> Option<Answer> {
        self.open_pings = self.open_pings.saturating_sub(1);
        let question = self.question.as_mut()?;
        question.answers -= 1;
        if question.answers > 0 {
            return None;
        }
        self.question.take().map(|Question { is_late, .. }| Answer { is_late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_question_counts() {
        let mut repetition = Repetition::default();
        assert_eq!(repetition.ping_answered(), None, "nothing was asked");
        repetition.ping_sent();
        assert!(repetition.ask(false));
        repetition.ping_sent();
        assert_eq!(repetition.ping_answered(), None, "the answer to the ping before");
        assert!(!repetition.ask(true), "a question is open");
        assert_eq!(repetition.ping_answered(), Some(Answer { is_late: false }));
        assert_eq!(repetition.ping_answered(), None);
        assert!(repetition.ask(true));
        repetition.ping_sent();
        assert_eq!(repetition.ping_answered(), Some(Answer { is_late: true }));
    }
}
