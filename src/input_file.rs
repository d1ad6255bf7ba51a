//! Files that options name, read as a whole: never more than a limit, which the error states, and text without a byte order mark,
//! which editors on Windows put in front of it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The limit for certificates, keys, tables and settings; a bundle of all public authorities has a quarter of a MiB.
pub(crate) const LIMIT: u64 = 16 * 1024 * 1024;

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The content of a file, byte for byte.
///
/// # Errors
/// If it cannot be read, or has more than `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len().min(most);
    // With room for all, so that no copy of a secret stays behind where it grew.
    let mut content = Zeroizing::new(Vec::with_capacity(size as usize + 1));
    limited(file, most).read_to_end(&mut content)?;
    Ok(content)
}

/// The content of a text file, without a byte order mark.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = read(path, most)?;
    remove_mark(&mut text);
    Ok(text)
}

/// As [`read_text`], for files that have to be UTF-8.
///
/// # Errors
/// As [`read`], and the first line that is not UTF-8.
pub(crate) fn read_utf8(path: &Path, most: u64) -> io::Result<Zeroizing<String>> {
    let text = read_text(path, most)?;
    let problem = |error: std::str::Utf8Error| {
        let valid = text.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        io::Error::new(ErrorKind::InvalidData, format!("line {line} is not valid UTF-8"))
    };
    std::str::from_utf8(&text).map(|text| Zeroizing::new(text.to_owned())).map_err(problem)
}

/// Removes a byte order mark in front of a text.
pub(crate) fn remove_mark(text: &mut Vec<u8>) {
    if text.starts_with(MARK) {
        text.drain(..MARK.len());
    }
}

/// A text without a byte order mark in front.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Fails where an input has more than `most` bytes.
pub(crate) fn limited(input: impl Read, most: u64) -> impl Read {
    Limited { input: input.take(most.saturating_add(1)), most }
}

struct Limited<R> {
    input: io::Take<R>,
    most: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if self.input.limit() == 0 && count > 0 {
            let text = format!("it is larger than {} bytes, the limit for this file", self.most);
            return Err(io::Error::new(ErrorKind::FileTooLarge, text));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_the_limit_is_read_and_no_more() {
        let read = |most| {
            let mut content = Vec::new();
            limited(&b"12345"[..], most).read_to_end(&mut content).map(|_| content)
        };
        assert_eq!(read(5).unwrap(), b"12345");
        assert_eq!(read(4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert!(super::read(Path::new("/dev/zero"), 1000).unwrap_err().to_string().contains("1000 bytes"));
    }

    #[test]
    fn a_mark_is_removed_in_front_alone() {
        assert_eq!(without_mark("\u{feff}a\u{feff}".as_bytes()), "a\u{feff}".as_bytes());
        assert_eq!(without_mark(b"\xef\xbba"), b"\xef\xbba");
    }
}
