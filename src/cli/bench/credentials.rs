//! `--credentials FILE.csv`: a row for each client, with the names of the columns in the first line.

use crate::bench::identity::Row;
use crate::cli::Error;
use crate::input_file;
use crate::protocol::Version;
use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const OPTION: &str = "--credentials";

/// Enough for the rows of several million clients.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The positions of the columns.
struct Columns {
    client_id: Option<usize>,
    username: Option<usize>,
    password: Option<usize>,
    count: usize,
}

/// Reads a file.
///
/// # Errors
/// If it cannot be read, or a line is invalid.
pub(super) fn read(path: &Path) -> Result<Arc<[Row]>, Error> {
    let unusable = |problem: String| Error::content(OPTION, path, problem);
    let file = std::fs::File::open(path).map_err(|error| Error::unreadable(OPTION, path, &error))?;
    let failed = |error: csv::Error| match error.is_io_error() {
        true => Error::unreadable(OPTION, path, &error.into()),
        false => unusable(describe(&error)),
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::Headers)
        .from_reader(input_file::limited(file, MAX_BYTES));
    let columns = reader.headers().map_err(failed).map(Columns::find)?;
    let columns = columns.map_err(unusable)?;
    let mut rows = Vec::new();
    let mut lines = HashMap::new();
    for record in reader.byte_records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = columns.row(&record).map_err(|problem| unusable(format!("line {line}: {problem}")))?;
        if let Some(id) = &row.client_id
            && let Some(first) = lines.insert(id.clone(), line)
        {
            let text = format!("lines {first} and {line} have the same client identifier {id:?}");
            return Err(unusable(text));
        }
        rows.push(row);
    }
    Ok(rows.into())
}

/// Refuses a file with fewer rows than clients.
///
/// # Errors
/// Names both numbers.
pub(super) fn check_count(path: &Path, rows: usize, clients: u32) -> Result<(), Error> {
    if rows >= clients as usize {
        return Ok(());
    }
    let problem =
        format!("rows for {rows} of {clients} clients, subscribers included; add a row for each client");
    Err(Error::content(OPTION, path, problem))
}

/// Refuses passwords without user names.
///
/// # Errors
/// If a row has a password without a user name, and the version does not allow that.
pub(super) fn check_names(path: &Path, rows: &[Row], version: Version) -> Result<(), Error> {
    if rows.iter().all(|row| row.password.is_none() || row.username.is_some()) {
        return Ok(());
    }
    let problem = format!("it has passwords without user names, which {version} does not allow; add -u NAME");
    Err(Error::content(OPTION, path, problem))
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Columns, String> {
        let mut columns = Columns { client_id: None, username: None, password: None, count: header.len() };
        for (index, name) in header.iter().enumerate() {
            let simple: String =
                name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            let column = match simple.as_str() {
                "clientid" | "id" | "client" => &mut columns.client_id,
                "username" | "user" => &mut columns.username,
                "password" | "pw" => &mut columns.password,
                _ => return Err(format!("its first line has the unknown column {name:?}; {KNOWN}")),
            };
            if column.replace(index).is_some() {
                return Err(format!("its first line has the duplicate column {name:?}"));
            }
        }
        match columns {
            Columns { client_id: None, username: None, password: None, .. } => {
                Err(format!("its first line has no columns; {KNOWN}"))
            }
            columns => Ok(columns),
        }
    }

    fn row(&self, record: &ByteRecord) -> Result<Row, String> {
        if record.len() != self.count {
            return Err(format!(
                "expected as many columns as in the first line ({}) but found {}",
                self.count,
                record.len()
            ));
        }
        let bytes = |column: Option<usize>| column.and_then(|index| record.get(index)).map(<[u8]>::to_vec);
        let text = |column: Option<usize>, name: &str| {
            let text = bytes(column).map(String::from_utf8).transpose();
            text.map_err(|_| format!("the {name} is not valid UTF-8"))
        };
        let client_id = text(self.client_id, "client identifier")?;
        if client_id.as_deref() == Some("") {
            return Err("the client identifier is empty".to_owned());
        }
        Ok(Row { client_id, username: text(self.username, "user name")?, password: bytes(self.password) })
    }
}

const KNOWN: &str = "use client_id, username and password";

/// The message of the CSV reader without its own prefix.
fn describe(error: &csv::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("CSV error: ").unwrap_or(&text).to_owned()
}
