//! Notes about received messages that break the specification: they are still printed and acknowledged.

use super::Messages;
use crate::protocol::{Defect, PropertyId, Publish};

/// The maximum of notes per run; a faulty publisher rarely sends only one such message.
const MAX_NOTES: u32 = 100;

/// The maximum of a topic's characters in a note.
const SHOWN: usize = 100;

/// Prints the notes of a run.
#[derive(Debug)]
pub(super) struct DefectNotes {
    messages: Messages,
    left: u32,
}

impl DefectNotes {
    pub(super) fn new(messages: Messages) -> DefectNotes {
        DefectNotes { messages, left: MAX_NOTES }
    }

    /// Reports the defects of a message.
    pub(super) fn note(&mut self, publish: &Publish<'_>, defects: &[Defect]) {
        for defect in defects {
            self.say(publish.topic, &defect.to_string());
        }
        let is_text = publish.properties.number(PropertyId::PayloadFormatIndicator) == Some(1);
        if is_text && std::str::from_utf8(publish.payload).is_err() {
            self.say(publish.topic, "payload-format-indicator 1 with a payload that is not UTF-8");
        }
    }

    fn say(&mut self, topic: &str, problem: &str) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let topic: String = topic.chars().take(SHOWN).collect();
        let last = if left == 0 { "; further notes of this kind are left out" } else { "" };
        self.messages
            .say(&format!("a message on {} breaks the specification: {problem}{last}", topic.escape_debug()));
    }
}
