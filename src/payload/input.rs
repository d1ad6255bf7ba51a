//! A reader over bytes that reports the position of errors.

use super::Problem;

/// The unread bytes of a payload.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input::within(bytes, 0)
    }

    /// A part of a payload, which starts at `at`.
    pub(super) fn within(bytes: &'a [u8], at: usize) -> Input<'a> {
        Input { bytes, at }
    }

    /// The position of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Problem> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(|| self.end())?;
        (self.bytes, self.at) = (rest, self.at + N);
        Ok(*taken)
    }

    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Problem> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(|| self.end())?;
        (self.bytes, self.at) = (rest, self.at + count);
        Ok(taken)
    }

    /// A big-endian number of `size` bytes.
    pub(super) fn number(&mut self, size: u64) -> Result<u64, Problem> {
        Ok(self.take(size)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn text(&mut self, count: u64) -> Result<&'a str, Problem> {
        let at = self.at;
        let bytes = self.take(count)?;
        let bad = |error: std::str::Utf8Error| Problem { reason: "not UTF-8", at: at + error.valid_up_to() };
        std::str::from_utf8(bytes).map_err(bad)
    }

    /// Returns an error if bytes are left.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        if self.is_empty() { Ok(()) } else { Err(self.problem("more than one value")) }
    }

    pub(super) fn problem(&self, reason: &'static str) -> Problem {
        Problem { reason, at: self.at }
    }

    fn end(&self) -> Problem {
        Problem { reason: "it ends too early", at: self.at + self.bytes.len() }
    }
}
