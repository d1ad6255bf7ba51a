//! Lists of users as spreadsheets export them: CSV with a user and a password in each row.
//!
//! Rows are read one at a time, and the length of a row is limited.

use super::Password;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};

/// The maximum row length: a name and a password of maximum length, all quotes, and some other columns.
const MAX_ROW: usize = 1 << 20;

/// The maximum total bytes of names kept to detect duplicates. Larger than any broker's file.
const MAX_NAMES: usize = 128 << 20;

/// The accepted titles of the name column, and of the password column.
const USER_TITLES: [&str; 4] = ["user", "username", "user_id", "name"];
const PASSWORD_TITLES: [&str; 2] = ["password", "pass"];

/// A row of the list: a user to add or change.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line number in the list, from 1.
    pub line: u64,
    pub name: String,
    pub password: Password,
}

/// An error in a list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// An invalid row. The following rows can still be read.
    #[error("line {line}: {problem}")]
    Row {
        /// The line number in the list, from 1.
        line: u64,
        /// The reason.
        problem: String,
    },
    /// Reading failed and cannot continue.
    #[error("{0}")]
    Unreadable(io::Error),
    /// The names exceed the maximum total size.
    #[error("line {line}: too many users: their names have more than {MAX_NAMES} bytes")]
    TooMany {
        /// The line that exceeds it.
        line: u64,
    },
}

/// Reads a list row by row.
pub(crate) struct Rows<R> {
    reader: csv::Reader<RowLimiter<R>>,
    columns: ListColumns,
    lines: HashMap<String, u64>,
    name_bytes: usize,
    /// The first row, if it is not a header.
    first: Option<csv::ByteRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ListColumns {
    name: usize,
    password: usize,
    /// The exact number of columns, for a list without a header.
    count: Option<usize>,
}

impl<R: Read> Rows<R> {
    /// Starts reading. A first row that names the columns is a header, unless `has_no_header` is set.
    ///
    /// # Errors
    /// If the first row cannot be read.
    pub(crate) fn new(input: R, has_no_header: bool) -> Result<Rows<R>, ImportError> {
        let input = RowLimiter::new(input);
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
        let columns = ListColumns { name: 0, password: 1, count: Some(2) };
        let mut rows = Rows { reader, columns, lines: HashMap::new(), name_bytes: 0, first: None };
        if !has_no_header && let Some(first) = rows.record()? {
            match columns_of(&first) {
                Some(columns) => rows.columns = columns,
                None => rows.first = Some(first),
            }
        }
        Ok(rows)
    }

    /// The number of bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }

    fn record(&mut self) -> Result<Option<csv::ByteRecord>, ImportError> {
        let mut record = csv::ByteRecord::new();
        let read = self.reader.read_byte_record(&mut record);
        self.reader.get_mut().since_row = 0;
        let is_there = read.map_err(|error| ImportError::Unreadable(into_io(error)))?;
        Ok(is_there.then_some(record))
    }

    fn row(&mut self, record: &csv::ByteRecord) -> Result<Row, ImportError> {
        let start = record.position().map_or(0, csv::Position::byte);
        let line = self.reader.get_mut().line_at(start);
        let failed = |problem: String| ImportError::Row { line, problem };
        if let Some(count) = self.columns.count.filter(|&count| count != record.len()) {
            let found = record.len();
            return Err(failed(format!("expected {count} cells (user,password) but found {found}")));
        }
        let cell =
            |place| record.get(place).ok_or_else(|| failed("the row ends before the password".to_owned()));
        let (name, password) = (cell(self.columns.name)?, cell(self.columns.password)?);
        let name = std::str::from_utf8(name).map_err(|_| failed("the name is not UTF-8".to_owned()))?;
        if password.is_empty() {
            return Err(failed(format!("the password of {name:?} is empty")));
        }
        let password = Password::new(password.to_vec()).map_err(|error| failed(error.to_string()))?;
        self.note(name, line)?;
        Ok(Row { line, name: name.to_owned(), password })
    }

    /// Rejects a duplicate name, since it is unclear which password is meant.
    fn note(&mut self, name: &str, line: u64) -> Result<(), ImportError> {
        if let Some(first) = self.lines.get(name) {
            let problem = format!("duplicate user {name:?}, first on line {first}");
            return Err(ImportError::Row { line, problem });
        }
        self.name_bytes += name.len();
        if self.name_bytes > MAX_NAMES {
            return Err(ImportError::TooMany { line });
        }
        self.lines.insert(name.to_owned(), line);
        Ok(())
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.first.take() {
            Some(first) => first,
            None => match self.record() {
                Ok(record) => record?,
                Err(error) => return Some(Err(error)),
            },
        };
        Some(self.row(&record))
    }
}

/// The columns, if the row is a header.
fn columns_of(record: &csv::ByteRecord) -> Option<ListColumns> {
    let is = |cell: &[u8], titles: &[&str]| {
        titles.iter().any(|title| cell.trim_ascii().eq_ignore_ascii_case(title.as_bytes()))
    };
    let name = record.iter().position(|cell| is(cell, &USER_TITLES))?;
    let password = record.iter().position(|cell| is(cell, &PASSWORD_TITLES))?;
    Some(ListColumns { name, password, count: None })
}

fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

/// A reader that limits the row length and counts lines. The CSV reader's own line numbers are one too low after blank lines
/// and after CRLF.
struct RowLimiter<R> {
    input: R,
    /// Bytes read since the last complete row.
    since_row: usize,
    position: u64,
    /// The position of the last byte that is not part of a line end.
    last_content: Option<u64>,
    /// The line ends not counted yet, each with the position of the last content before it.
    ends: VecDeque<(u64, Option<u64>)>,
    counted: u64,
}

impl<R> RowLimiter<R> {
    fn new(input: R) -> RowLimiter<R> {
        let ends = VecDeque::new();
        RowLimiter { input, since_row: 0, position: 0, last_content: None, ends, counted: 0 }
    }

    /// The number of the first line with content at or after this position. Positions must not decrease.
    fn line_at(&mut self, start: u64) -> u64 {
        let is_before = |&(end, content): &(u64, Option<u64>)| {
            end < start || content.is_none_or(|content| content < start)
        };
        while self.ends.front().is_some_and(is_before) {
            self.ends.pop_front();
            self.counted += 1;
        }
        self.counted + 1
    }

    fn note(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => self.ends.push_back((self.position, self.last_content)),
                b'\r' => {}
                _ => self.last_content = Some(self.position),
            }
            self.position += 1;
        }
        self.since_row += bytes.len();
    }
}

impl<R: Read> Read for RowLimiter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > MAX_ROW {
            let text = format!("a row has more than {MAX_ROW} bytes; check for an unclosed quote");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let count = self.input.read(buffer)?;
        self.note(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line, name and password of each row, or its error.
    fn rows(text: &[u8], has_no_header: bool) -> Vec<String> {
        let show = |row: Result<Row, ImportError>| match row {
            Ok(row) => {
                format!("{} {} {}", row.line, row.name, String::from_utf8_lossy(row.password.as_bytes()))
            }
            Err(error) => error.to_string(),
        };
        Rows::new(text, has_no_header).unwrap().map(show).collect()
    }

    #[test]
    fn rows_are_read_with_and_without_a_header() {
        assert_eq!(
            rows(b"ann,secret\r\nbob,\"a \"\"b\"\",\nc\"\n\ncarol,x", false),
            ["1 ann secret", "2 bob a \"b\",\nc", "5 carol x",]
        );
        assert_eq!(rows(b"\xef\xbb\xbfUserName , Password\nann,secret\n", false), ["2 ann secret"]);
        assert_eq!(rows(b"id,password,room,user\n1,secret,9,ann\n", false), ["2 ann secret"]);
        assert_eq!(rows(b"user,password\n", true), ["1 user password"]);
        assert!(rows(b"", false).is_empty());
    }

    #[test]
    fn faulty_rows_are_reported_with_their_line() {
        for (text, problem) in [
            (&b"ann\n"[..], "line 1: expected 2 cells (user,password) but found 1"),
            (b"ann,a,b\n", "line 1: expected 2 cells (user,password) but found 3"),
            (b"user,password\nann\n", "line 2: the row ends"),
            (b"ann,\n", "line 1: the password of \"ann\" is empty"),
            (b"\xff,x\n", "line 1: the name is not UTF-8"),
            (b"ann,x\nbob,x\nann,y\n", "line 3: duplicate user \"ann\", first on line 1"),
        ] {
            let rows = rows(text, false);
            assert!(rows.last().is_some_and(|last| last.starts_with(problem)), "{rows:?}");
        }
        let long = [b"ann,".to_vec(), vec![b'x'; 65_536]].concat();
        assert!(rows(&long, false)[0].contains("65536 bytes"));
    }

    #[test]
    fn a_row_that_never_ends_is_given_up() {
        let endless = b"ann,\"".chain(io::repeat(b'x'));
        let mut rows = Rows::new(endless, true).unwrap();
        let error = rows.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("quote"), "{error}");
    }
}
