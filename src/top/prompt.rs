//! A line of text that is typed at the bottom of the screen.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest text, in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// The text and the place of the cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    text: String,
    cursor: usize,
}

/// The effect of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// The text changed, or the cursor moved.
    Edited,
    Accepted,
    Cancelled,
    Ignored,
}

impl Prompt {
    /// A prompt with a text that can be edited.
    pub(super) fn new(text: &str) -> Prompt {
        Prompt { text: text.to_owned(), cursor: text.len() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text before and after the cursor.
    pub(super) fn split(&self) -> (&str, &str) {
        self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""))
    }

    /// Inserts a text; control characters are left out.
    pub(super) fn insert(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_control()) {
            if self.text.len() + character.len_utf8() > MAX_LENGTH {
                return;
            }
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Typed {
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Typed::Accepted,
            KeyCode::Esc => return Typed::Cancelled,
            KeyCode::Char('u') if with_control => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            KeyCode::Char('a') if with_control => self.cursor = 0,
            KeyCode::Char('e') if with_control => self.cursor = self.text.len(),
            KeyCode::Char('w') if with_control => self.erase_word(),
            KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                return Typed::Ignored;
            }
            KeyCode::Char(character) => self.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if self.text.is_empty() => return Typed::Cancelled,
            KeyCode::Backspace => {
                let end = self.cursor;
                self.left();
                self.text.drain(self.cursor..end);
            }
            KeyCode::Delete => {
                let start = self.cursor;
                self.right();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Left => self.left(),
            KeyCode::Right => self.right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return Typed::Ignored,
        }
        Typed::Edited
    }

    fn left(&mut self) {
        let last = self.split().0.chars().next_back();
        self.cursor -= last.map_or(0, char::len_utf8);
    }

    fn right(&mut self) {
        let next = self.split().1.chars().next();
        self.cursor += next.map_or(0, char::len_utf8);
    }

    fn erase_word(&mut self) {
        let before = self.split().0.trim_end_matches([' ', '/']);
        let start = before.rfind([' ', '/']).map_or(0, |place| place + 1);
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[KeyCode]) -> Prompt {
        let mut prompt = Prompt::default();
        for code in keys {
            prompt.key(KeyEvent::new(*code, KeyModifiers::NONE));
        }
        prompt
    }

    #[test]
    fn a_text_is_edited_at_the_cursor() {
        let [a, e] = ['a', 'é'].map(KeyCode::Char);
        assert_eq!(typed(&[a, e, KeyCode::Left, a]).split(), ("aa", "é"));
        assert_eq!(typed(&[a, e, KeyCode::Backspace]).split(), ("a", ""));
        assert_eq!(
            typed(&[a, e, KeyCode::Home, KeyCode::Delete, KeyCode::Delete, KeyCode::Delete]).text(),
            ""
        );
        let mut prompt = Prompt::new("home/kitchen");
        prompt.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(prompt.text(), "home/");
        prompt.insert("a\n\u{1b}b");
        assert_eq!(prompt.text(), "home/ab");
    }
}
