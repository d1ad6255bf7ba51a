//! Parses a format.

use super::field::{Spec, TemplateField};
use super::{Template, TemplatePart};
use crate::output::timestamp::TimeFormat;

/// Wider than any line; a typing error must not fill the memory.
const MAX_WIDTH: usize = 65_535;

/// An error in a format, with its position: the byte, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("'{specifier}' at byte {position} is incomplete; write %% for %")]
    Incomplete { specifier: String, position: usize },
    #[error(
        "unknown '{specifier}' at byte {position}; the letters are t p l q r m x X f d j J I U and, for MQTT 5, A C D E F P R S"
    )]
    Unknown { specifier: String, position: usize },
    #[error("'@' at byte {position} is incomplete; write @@ for @")]
    IncompleteTime { position: usize },
    #[error("'\\' at byte {position} is incomplete; write \\\\ for \\")]
    IncompleteEscape { position: usize },
    #[error(
        "unknown escape '{escape}' at byte {position}; the escapes are \\\\ \\0 \\a \\e \\n \\r \\t and \\v"
    )]
    UnknownEscape { escape: String, position: usize },
    #[error("the number in '{specifier}' at byte {position} is over {MAX_WIDTH}")]
    TooWide { specifier: String, position: usize },
}

impl Template {
    /// Parses a format.
    ///
    /// # Errors
    /// The first error in it, with its position.
    pub(crate) fn parse(format: &[u8]) -> Result<Template, TemplateError> {
        let mut parser = Parser { format, position: 0, start: 0, parts: Vec::new() };
        while let Some(byte) = parser.next() {
            parser.start = parser.position - 1;
            match byte {
                b'%' => parser.field()?,
                b'@' => parser.time()?,
                b'\\' => parser.escape()?,
                _ => parser.literal(byte),
            }
        }
        Ok(Template { parts: parser.parts })
    }
}

struct Parser<'f> {
    format: &'f [u8],
    position: usize,
    /// The start of the current specifier.
    start: usize,
    parts: Vec<TemplatePart>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    fn take_if(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.position += usize::from(is_there);
        is_there
    }

    fn literal(&mut self, byte: u8) {
        match self.parts.last_mut() {
            Some(TemplatePart::Literal(bytes)) => bytes.push(byte),
            _ => self.parts.push(TemplatePart::Literal(vec![byte])),
        }
    }

    fn field(&mut self) -> Result<(), TemplateError> {
        let is_left = self.take_if(b'-');
        // A 0 after the - is part of the width, and still sets the padding for absent fields, as in mosquitto_sub.
        let pad = if self.peek() == Some(b'0') { b'0' } else { b' ' };
        let width = self.number()?.unwrap_or(0);
        let precision = if self.take_if(b'.') { Some(self.number()?.unwrap_or(0)) } else { None };
        let separator = self.separator();
        let Some(letter) = self.next() else {
            return Err(TemplateError::Incomplete { specifier: self.specifier(), position: self.start + 1 });
        };
        if letter == b'%' {
            self.literal(b'%');
            return Ok(());
        }
        let Some(field) = TemplateField::from_letter(letter) else {
            return Err(TemplateError::Unknown { specifier: self.specifier(), position: self.start + 1 });
        };
        let spec = Spec { is_left, pad, width, precision, separator: separator.unwrap_or(b' ') };
        self.parts.push(TemplatePart::TemplateField(field, spec));
        Ok(())
    }

    /// The number at this position; `None` without digits.
    fn number(&mut self) -> Result<Option<usize>, TemplateError> {
        let mut number = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.position += 1;
            let value = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
            if value > MAX_WIDTH {
                return Err(TemplateError::TooWide { specifier: self.specifier(), position: self.start + 1 });
            }
            number = Some(value);
        }
        Ok(number)
    }

    /// Punctuation or a space before the letter; a % would be the letter.
    fn separator(&mut self) -> Option<u8> {
        let separator =
            self.peek().filter(|byte| (byte.is_ascii_punctuation() || *byte == b' ') && *byte != b'%')?;
        self.position += 1;
        Some(separator)
    }

    fn time(&mut self) -> Result<(), TemplateError> {
        let Some(letter) = self.next() else {
            return Err(TemplateError::IncompleteTime { position: self.start + 1 });
        };
        if letter == b'@' {
            self.literal(b'@');
        } else if let Some(format) = TimeFormat::from_letter(letter) {
            self.parts.push(TemplatePart::Time(format));
        } else {
            // strftime copies unknown conversions.
            self.literal(b'%');
            self.literal(letter);
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), TemplateError> {
        let Some(letter) = self.next() else {
            return Err(TemplateError::IncompleteEscape { position: self.start + 1 });
        };
        let byte = match letter {
            b'\\' => b'\\',
            b'0' => 0,
            b'a' => 0x07,
            b'e' => 0x1b,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            _ => {
                let escape = self.specifier();
                return Err(TemplateError::UnknownEscape { escape, position: self.start + 1 });
            }
        };
        self.literal(byte);
        Ok(())
    }

    /// The current specifier as far as it was read, up to the end of a multi-byte character.
    fn specifier(&self) -> String {
        let is_inside = |&position: &usize| self.format.get(position).is_some_and(|byte| byte & 0xc0 == 0x80);
        let end = (self.position..).find(|position| !is_inside(position)).unwrap_or(self.position);
        String::from_utf8_lossy(self.format.get(self.start..end).unwrap_or_default()).into_owned()
    }
}
