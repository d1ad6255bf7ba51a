//! Cuts a `.proto` source into tokens.

use std::fmt;
use std::ops::RangeInclusive;

const INVALID_ESCAPE: &str = "the string has an invalid escape";

/// A token of a source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Integer(u64),
    /// A number that is not an integer; its value does not matter here.
    Float,
    Text(String),
    Symbol(char),
    End,
}

impl Token {
    /// The token in errors.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Word(word) => format!("'{word}'"),
            Token::Integer(number) => format!("'{number}'"),
            Token::Float => "a number".to_owned(),
            Token::Text(_) => "a string".to_owned(),
            Token::Symbol(symbol) => format!("'{symbol}'"),
            Token::End => "the end of the file".to_owned(),
        }
    }
}

/// A place in a source. Columns are counted in bytes, and both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A problem at a place.
pub(super) type Failure = (Place, String);

/// The source after the token that was read last.
pub(super) struct Tokens<'t> {
    text: &'t str,
    rest: &'t str,
    line: usize,
    /// The position of the line's start in bytes.
    line_start: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(text: &'t str) -> Tokens<'t> {
        Tokens { text, rest: text, line: 1, line_start: 0 }
    }

    /// Reads the next token, with its place.
    ///
    /// # Errors
    /// The place and the problem.
    pub(super) fn next(&mut self) -> Result<(Token, Place), Failure> {
        let before = self.position();
        let skipped = self.skip_blanks();
        self.count_lines(before);
        let at = self.place();
        skipped.map_err(|problem| (at, problem))?;
        let Some(first) = self.rest.chars().next() else { return Ok((Token::End, at)) };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => Token::Word(self.take_while(is_of_word).to_owned()),
            '0'..='9' => self.number().ok_or_else(|| (at, "invalid number".to_owned()))?,
            '"' | '\'' => {
                self.take(1);
                Token::Text(self.string(first).map_err(|problem| (at, problem))?)
            }
            symbol if symbol.is_ascii_punctuation() => {
                self.take(1);
                Token::Symbol(symbol)
            }
            other => return Err((at, format!("unexpected character {other:?}"))),
        };
        Ok((token, at))
    }

    fn position(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn place(&self) -> Place {
        Place { line: self.line, column: self.position() - self.line_start + 1 }
    }

    /// Counts the lines since this position. Only blanks and comments have line ends.
    fn count_lines(&mut self, from: usize) {
        let skipped = self.text.get(from..self.position()).unwrap_or_default();
        self.line += skipped.matches('\n').count();
        if let Some(last) = skipped.rfind('\n') {
            self.line_start = from + last + 1;
        }
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, belongs: fn(char) -> bool) -> &'t str {
        let length = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Skips white space and comments.
    fn skip_blanks(&mut self) -> Result<(), String> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("//") {
                self.take_while(|character| character != '\n');
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/");
                let end = end.ok_or_else(|| "the comment has no end".to_owned())?;
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn number(&mut self) -> Option<Token> {
        let mut text = self.take_while(|character| is_of_word(character) || character == '.');
        // The sign of an exponent.
        let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
        if text.ends_with(['e', 'E']) && !is_hexadecimal && self.rest.starts_with(['+', '-']) {
            self.take(1);
            let digits = self.take_while(|character| character.is_ascii_digit());
            return (!digits.is_empty()).then_some(Token::Float);
        }
        let radix = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => {
                text = digits;
                16
            }
            None if text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) => 8,
            None => 10,
        };
        match u64::from_str_radix(text, radix) {
            Ok(number) => Some(Token::Integer(number)),
            Err(_) => text.trim_end_matches(['f', 'F']).parse::<f64>().ok().map(|_| Token::Float),
        }
    }

    /// The rest of a string, after its quotation mark. Of strings, only paths and names matter, which are text, so other
    /// bytes are replaced.
    fn string(&mut self, quote: char) -> Result<String, String> {
        let mut bytes = Vec::new();
        loop {
            match self.rest.chars().next() {
                Some('\n') | None => return Err("the string has no end".to_owned()),
                Some(character) if character == quote => {
                    self.take(1);
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                Some('\\') => {
                    self.take(1);
                    self.escape(&mut bytes)?;
                }
                Some(character) => bytes.extend_from_slice(self.take(character.len_utf8()).as_bytes()),
            }
        }
    }

    /// Reads an escape after its backslash.
    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let Some(kind) = self.rest.chars().next() else { return Ok(()) };
        let byte = match kind {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            '\\' | '\'' | '"' | '?' => kind as u8,
            // The first digit is the kind itself.
            '0'..='7' => return self.code(1..=3, 8).map(|code| bytes.push(code as u8)),
            'x' | 'X' => {
                self.take(1);
                return self.code(1..=2, 16).map(|code| bytes.push(code as u8));
            }
            'u' | 'U' => {
                self.take(1);
                let length = if kind == 'u' { 4 } else { 8 };
                let code = self.code(length..=length, 16)?;
                let character = char::from_u32(code).ok_or(INVALID_ESCAPE)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(INVALID_ESCAPE.to_owned()),
        };
        self.take(1);
        bytes.push(byte);
        Ok(())
    }

    /// The number of an escape, with this range of digits.
    fn code(&mut self, digits: RangeInclusive<usize>, radix: u32) -> Result<u32, String> {
        let found = self.rest.chars().take_while(|character| character.is_digit(radix));
        let length = found.take(*digits.end()).count();
        if !digits.contains(&length) {
            return Err(INVALID_ESCAPE.to_owned());
        }
        u32::from_str_radix(self.take(length), radix).map_err(|_| INVALID_ESCAPE.to_owned())
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
