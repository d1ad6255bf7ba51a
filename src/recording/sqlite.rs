//! Recordings in SQLite: one table of messages, found by topic and time.

use super::RecordingError;
use crate::json::Writer;
use crate::message::{self, Message};
use crate::protocol::{Publish, Qos, TopicName};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another program may keep the database locked.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The application id of our databases: "mqrc".
const APPLICATION: i64 = 0x6d71_7263;

const SCHEMA_VERSION: i64 = 1;

/// `docs/recordings.md` describes it for users.
const SCHEMA: &str = "
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        ts_ns INTEGER NOT NULL,
        topic TEXT NOT NULL,
        qos INTEGER NOT NULL,
        retain INTEGER NOT NULL,
        dup INTEGER NOT NULL,
        payload BLOB NOT NULL,
        properties TEXT
    );
    CREATE INDEX messages_by_topic_and_time ON messages (topic, ts_ns);
    CREATE INDEX messages_by_time ON messages (ts_ns);
";

const INSERT: &str = "INSERT INTO messages (ts_ns, topic, qos, retain, dup, payload, properties)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Reading in pages keeps the read lock short, so that a recorder can write in between.
const PAGE: &str = "SELECT id, ts_ns, topic, qos, retain, payload, properties FROM messages
    WHERE id > ?1 ORDER BY id LIMIT 500";

/// A database open for appending. The messages since the last flush are one transaction.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Connection,
    is_in_transaction: bool,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Database, RecordingError> {
        let failed_here = |source| failed(path, source);
        let connection = Connection::open(path).map_err(failed_here)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed_here)?;
        check_kind(path, &connection, true)?;
        // In this mode, readers and the recorder do not wait for each other.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed_here)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed_here)?;
        Ok(Database { path: path.to_owned(), connection, is_in_transaction: false })
    }

    pub(super) fn add(&mut self, publish: &Publish<'_>, arrived: Timestamp) -> Result<(), RecordingError> {
        let failed_here = |source| failed(&self.path, source);
        if !self.is_in_transaction {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed_here)?;
            self.is_in_transaction = true;
        }
        let mut insert = self.connection.prepare_cached(INSERT).map_err(failed_here)?;
        let time = i64::try_from(arrived.as_nanosecond()).unwrap_or(i64::MAX);
        let row = params![
            time,
            publish.topic,
            publish.qos as u8,
            publish.retain,
            publish.dup,
            publish.payload,
            properties(publish)
        ];
        insert.execute(row).map(drop).map_err(failed_here)
    }

    pub(super) fn flush(&mut self) -> Result<(), RecordingError> {
        if self.is_in_transaction {
            self.connection.execute_batch("COMMIT").map_err(|source| failed(&self.path, source))?;
            self.is_in_transaction = false;
        }
        Ok(())
    }
}

/// The properties as JSON, as in recordings of lines.
fn properties(publish: &Publish<'_>) -> Option<String> {
    if publish.properties.is_empty() {
        return None;
    }
    let mut text = Vec::new();
    message::write_properties(publish.properties, &mut Writer::new(&mut text, false));
    String::from_utf8(text).ok()
}

/// A database that messages are read from, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Messages {
    path: PathBuf,
    connection: Connection,
    last: i64,
    page: std::vec::IntoIter<Message>,
    count: u64,
}

impl Messages {
    /// Opens a recording.
    ///
    /// # Errors
    /// If the file is not a recording or cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Messages, RecordingError> {
        let failed_here = |source| failed(path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // The newest messages may be in the write-ahead log, which only a writer can merge into the database.
        let connection = Connection::open_with_flags(path, flags)
            .or_else(|_| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .map_err(failed_here)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed_here)?;
        check_kind(path, &connection, false)?;
        let count: i64 = connection
            .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
            .map_err(failed_here)?;
        let (last, page) = (i64::MIN, Vec::new().into_iter());
        Ok(Messages { path: path.to_owned(), connection, last, page, count: count.unsigned_abs() })
    }

    /// The number of messages when it was opened.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// When the last message arrived.
    pub(super) fn last_time(&self) -> Result<Option<Timestamp>, RecordingError> {
        let latest = "SELECT max(ts_ns) FROM messages";
        let latest = self.connection.query_row(latest, [], |row| row.get::<_, Option<i64>>(0));
        let latest = latest.map_err(|source| failed(&self.path, source))?;
        Ok(latest.and_then(|nanoseconds| Timestamp::from_nanosecond(nanoseconds.into()).ok()))
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// If the database cannot be read, or a row is not a message.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, RecordingError> {
        if let Some(message) = self.page.next() {
            return Ok(Some(message));
        }
        self.page = self.read_page()?.into_iter();
        Ok(self.page.next())
    }

    fn read_page(&mut self) -> Result<Vec<Message>, RecordingError> {
        let failed_here = |source| failed(&self.path, source);
        let mut select = self.connection.prepare_cached(PAGE).map_err(failed_here)?;
        let mut rows = select.query([self.last]).map_err(failed_here)?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(failed_here)? {
            self.last = row.get(0).map_err(failed_here)?;
            let problem = |problem| RecordingError::Foreign {
                path: self.path.clone(),
                problem: format!("message {}: {problem}", self.last),
            };
            page.push(read(row).map_err(failed_here)?.map_err(problem)?);
        }
        Ok(page)
    }
}

/// Converts a row to a message; the inner error says why it is invalid.
fn read(row: &Row<'_>) -> rusqlite::Result<Result<Message, String>> {
    let (time, topic, qos): (i64, String, u8) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (retain, payload): (bool, Vec<u8>) = (row.get(4)?, row.get(5)?);
    let properties: Option<String> = row.get(6)?;
    let parse = || {
        let properties = properties.map(|text| message::read_properties_of(&text)).transpose();
        let (properties, left_out) = properties.map_err(|error| error.to_string())?.unwrap_or_default();
        Ok(Message {
            topic: Some(TopicName::parse(&topic).map_err(|error| error.to_string())?),
            payload,
            is_json: false,
            qos: Some(Qos::from_u8(qos).ok_or_else(|| format!("invalid QoS {qos}"))?),
            retain: Some(retain),
            time: Timestamp::from_nanosecond(time.into()).ok(),
            properties,
            left_out,
        })
    };
    Ok(parse())
}

/// Refuses databases of other programs; creates the schema in an empty one if `is_made`.
fn check_kind(path: &Path, connection: &Connection, is_made: bool) -> Result<(), RecordingError> {
    let failed_here = |source| failed(path, source);
    let number = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let tables = "SELECT count(*) FROM sqlite_master";
    let is_empty = connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(failed_here)? == 0;
    let foreign =
        |problem: &str| RecordingError::Foreign { path: path.to_owned(), problem: problem.to_owned() };
    if is_empty && is_made {
        let begin = format!(
            "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT"
        );
        return connection.execute_batch(&begin).map_err(failed_here);
    }
    if number("application_id").map_err(failed_here)? != APPLICATION {
        return Err(foreign("it is a database of another program"));
    }
    match number("user_version").map_err(failed_here)? {
        SCHEMA_VERSION => Ok(()),
        _ => Err(foreign("a newer mq wrote it")),
    }
}

fn failed(path: &Path, source: rusqlite::Error) -> RecordingError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RecordingError::Busy { path },
        Some(ErrorCode::NotADatabase) => {
            RecordingError::Foreign { path, problem: "not a SQLite database".to_owned() }
        }
        _ => RecordingError::Database { path, source },
    }
}
