//! Whether a source has repeated, on a new connection, all messages that it has in flight.

/// The pings of a connection, one of them with a question.
///
/// A source repeats PUBLISH and PUBREL when it has accepted a connection. That nothing arrives for some time shows nothing: the network
/// may have stalled. But packets arrive in order, so what did not come before the answer to a later PINGREQ does not come at all.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    /// PINGREQ packets without an answer so far.
    open_pings: u32,
    question: Question,
}

#[derive(Debug, Default)]
enum Question {
    #[default]
    NotAsked,
    /// The answer comes with this PINGRESP, counted from 1.
    Asked {
        answers: u32,
    },
    Answered,
}

impl Repetition {
    /// Counts a PINGREQ.
    pub(super) fn ping_sent(&mut self) {
        self.open_pings = self.open_pings.saturating_add(1);
    }

    /// Lets the next PINGREQ be the question. Returns whether it is to be sent: once for a connection.
    pub(super) fn ask(&mut self) -> bool {
        let is_first = matches!(self.question, Question::NotAsked);
        if is_first {
            self.question = Question::Asked { answers: self.open_pings.saturating_add(1) };
        }
        is_first
    }

    /// Counts a PINGRESP. Returns whether it answers the question.
    pub(super) fn ping_answered(&mut self) -> bool {
        self.open_pings = self.open_pings.saturating_sub(1);
        let Question::Asked { answers } = &mut self.question else { return false };
        *answers -= 1;
        let is_answered = *answers == 0;
        if is_answered {
            self.question = Question::Answered;
        }
        is_answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_question_counts() {
        let mut repetition = Repetition::default();
        assert!(!repetition.ping_answered());
        repetition.ping_sent();
        assert!(repetition.ask());
        repetition.ping_sent();
        assert!(!repetition.ping_answered(), "the answer to the ping before");
        assert!(!repetition.ask());
        assert!(repetition.ping_answered());
        assert!(!repetition.ask());
        assert!(!repetition.ping_answered());
    }
}
