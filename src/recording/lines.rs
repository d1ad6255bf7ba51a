//! Recordings of lines: appended to in whole lines, repaired if the last one was cut off, and rotated by size or age.

use super::{RecordingError, Rotation, begins_as_database};
use crate::json::Writer;
use crate::message;
use crate::protocol::Publish;
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions, copy, remove_file, rename};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes read to decide whether a file is a recording. A longer first line is accepted.
const FIRST_LINE: u64 = 1024 * 1024;

/// The first bytes of every recorded message.
const BEGINNING: &[u8] = b"{\"time\":\"";

/// The block size in bytes of the backward search for the last line.
const BLOCK: u64 = 64 * 1024;

/// A recording that is written.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    file: File,
    /// Bytes written so far; only for regular files.
    length: u64,
    rotation: Option<Rotation>,
    begun: Instant,
    /// Whole lines that are not written yet.
    buffer: Vec<u8>,
}

impl LineFile {
    pub(super) fn open(
        path: &Path,
        rotation: Option<Rotation>,
    ) -> Result<(LineFile, Option<String>), RecordingError> {
        let failed = |source| RecordingError::Write { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| RecordingError::Locked { path: path.to_owned() })?;
        check_beginning(path, &mut file)?;
        let note = mend(&mut file).map_err(failed)?;
        let note = note.then(|| format!("{}: the last message was cut off, and is left out", path.display()));
        let length = file.metadata().map_err(failed)?.len();
        let path = path.to_owned();
        Ok((LineFile { path, file, length, rotation, begun: Instant::now(), buffer: Vec::new() }, note))
    }

    pub(super) fn add(&mut self, publish: &Publish<'_>, arrived: Timestamp) -> Result<(), RecordingError> {
        let before = self.buffer.len();
        message::write(publish, arrived, &mut Writer::new(&mut self.buffer, false));
        self.buffer.push(b'\n');
        if self.is_due(before as u64) {
            let line = self.buffer.split_off(before);
            self.flush()?;
            self.begin_anew()?;
            self.buffer = line;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), RecordingError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        match self.file.write_all(&self.buffer) {
            Ok(()) => {
                self.length += self.buffer.len() as u64;
                self.buffer.clear();
                Ok(())
            }
            Err(source) => {
                // Half a line would look like a message that was cut off.
                let _ = self.file.set_len(self.length);
                Err(RecordingError::Write { path: self.path.clone(), source })
            }
        }
    }

    /// Whether the message after the first `buffered` bytes of the buffer belongs into a new file.
    fn is_due(&self, buffered: u64) -> bool {
        if self.length + buffered == 0 {
            return false;
        }
        match self.rotation {
            None => false,
            Some(Rotation::Size(most)) => self.length + self.buffer.len() as u64 > most,
            Some(Rotation::Age(age)) => self.begun.elapsed() >= age,
        }
    }

    /// Renames the file to one with the time, and begins a new one under its own name.
    fn begin_anew(&mut self) -> Result<(), RecordingError> {
        let path = self.path.clone();
        let failed = |source| RecordingError::Write { path: path.clone(), source };
        let old = free_name(&self.path, Timestamp::now()).map_err(failed)?;
        match rename(&self.path, &old) {
            Ok(()) => {}
            // A file that is a mount of its own, as in a container, keeps its name.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices) =>
            {
                return self.move_content(&old).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        }
        let (file, _) = LineFile::open(&self.path, self.rotation)?;
        *self = file;
        Ok(())
    }

    /// Copies the file's messages to another one, and removes them from this one once the copy is on the disk.
    fn move_content(&mut self, other: &Path) -> io::Result<()> {
        let copied = copy(&self.path, other).and_then(|_| File::open(other)?.sync_all());
        if let Err(error) = copied {
            let _ = remove_file(other);
            return Err(error);
        }
        self.file.set_len(0)?;
        (self.length, self.begun) = (0, Instant::now());
        Ok(())
    }
}

/// `day.ndjson` as `day-20260131T235959Z.ndjson`, with a number appended if that name is taken.
fn free_name(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    let stem = path.file_stem().unwrap_or_default().to_os_string();
    for number in 1.. {
        let mut name = stem.clone();
        name.push(if number == 1 { format!("-{time}") } else { format!("-{time}-{number}") });
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        let candidate = path.with_file_name(name);
        if !candidate.try_exists()? {
            return Ok(candidate);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Refuses a file that does not begin with a message.
pub(super) fn check_beginning(path: &Path, file: &mut File) -> Result<(), RecordingError> {
    let failed = |source| RecordingError::Read { path: path.to_owned(), source };
    if !file.metadata().map_err(failed)?.is_file() {
        return Ok(());
    }
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.take(FIRST_LINE).read_to_end(&mut start).map_err(failed)?;
    first_line_problem(&start)
        .map_or(Ok(()), |problem| Err(RecordingError::Foreign { path: path.to_owned(), problem }))
}

/// The problem of the first whole line, if the start of the file has one.
fn first_line_problem(start: &[u8]) -> Option<String> {
    if begins_as_database(start) {
        return Some("it is a database; its name has to end in .sqlite".to_owned());
    }
    let first = start.split_inclusive(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    match (first.strip_suffix(b"\n"), message::read_recorded(first)) {
        (_, Ok(_)) => None,
        (Some(_), Err(error)) => Some(format!("its first line, {error}")),
        // The first message may be cut off, but it is one.
        (None, Err(_)) if first.starts_with(BEGINNING) || BEGINNING.starts_with(first) => None,
        (None, Err(error)) => Some(error.to_string()),
    }
}

/// Completes a last line that only lacks its end; removes one that was cut off, and then returns true.
fn mend(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let start = last_line_start(file, length)?;
    if start == length {
        return Ok(false);
    }
    let mut line = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.read_to_end(&mut line)?;
    if message::is_whole(&line) {
        file.write_all(b"\n")?;
        return Ok(false);
    }
    file.set_len(start)?;
    Ok(true)
}

/// The time of the last whole message, if it is near the end of the file.
pub(super) fn last_time(file: &mut File) -> io::Result<Option<Timestamp>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut block = Vec::new();
    file.seek(SeekFrom::Start(metadata.len().saturating_sub(BLOCK)))?;
    file.take(BLOCK).read_to_end(&mut block)?;
    let mut lines = block.rsplit(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    Ok(lines.find_map(|line| message::read_recorded(line).ok()).and_then(|last| last.time))
}

/// The offset of an unfinished last line; the file's length if the last line is complete.
fn last_line_start(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        if let Some(place) = memchr::memrchr(b'\n', &block) {
            return Ok(start + place as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Properties, Qos};
    use std::time::Duration;

    fn publish(payload: &[u8]) -> Publish<'_> {
        Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic: "a",
            packet_id: None,
            properties: Properties::EMPTY,
            payload,
        }
    }

    fn record(path: &Path, rotation: Option<Rotation>, payloads: &[&str]) -> Option<String> {
        let (mut file, note) = LineFile::open(path, rotation).unwrap();
        for payload in payloads {
            file.add(&publish(payload.as_bytes()), Timestamp::UNIX_EPOCH).unwrap();
        }
        file.flush().unwrap();
        note
    }

    fn payloads(path: &Path) -> Vec<String> {
        let text = std::fs::read(path).unwrap();
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let read = |line: &[u8]| message::read(line.strip_suffix(b"\n").expect("a line's end")).unwrap();
        lines.map(|line| String::from_utf8(read(line).payload).unwrap()).collect()
    }

    #[test]
    fn a_recording_that_is_cut_off_anywhere_goes_on_with_whole_messages() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("day.ndjson");
        record(&path, None, &["one", "two"]);
        let whole = std::fs::read(&path).unwrap();
        let first = memchr::memchr(b'\n', &whole).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let note = record(&path, None, &["three"]);
            let kept = payloads(&path);
            let expected = match length {
                _ if length + 1 >= whole.len() => vec!["one", "two", "three"],
                _ if length >= first => vec!["one", "three"],
                _ => vec!["three"],
            };
            assert_eq!(kept, expected, "cut off at {length}");
            let is_cut = ![0, first, first + 1, whole.len() - 1, whole.len()].contains(&length);
            assert_eq!(note.is_some(), is_cut, "cut off at {length}");
        }
    }

    #[test]
    fn a_long_recording_goes_on_in_a_new_file() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("day.ndjson");
        record(&path, Some(Rotation::Size(300)), &["one", "two", "three", "four", "five"]);
        let mut all: Vec<PathBuf> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(all.len(), 3, "two messages fit into 300 bytes: {all:?}");
        all.sort();
        let of_all: usize = all.iter().map(|path| payloads(path).len()).sum();
        assert_eq!(of_all, 5);
        assert_eq!(payloads(&path), ["five"]);
        record(&path, Some(Rotation::Age(Duration::ZERO)), &["six", "seven"]);
        assert_eq!(payloads(&path), ["seven"]);
    }

    #[test]
    fn other_files_stay_as_they_are() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("other");
        for content in ["hello", "hello\nworld\n", "{\"a\":1}\n", "SQLite format 3\0"] {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(LineFile::open(&path, None), Err(RecordingError::Foreign { .. })), "{content}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn two_recorders_do_not_share_a_file() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("day.ndjson");
        let _first = LineFile::open(&path, None).unwrap();
        assert!(matches!(LineFile::open(&path, None), Err(RecordingError::Locked { .. })));
    }
}
