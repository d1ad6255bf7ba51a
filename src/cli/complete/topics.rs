//! Topics for completions, from recordings: those of --replay, or else the newest in the current directory.

use crate::escape;
use rustix::fs::OFlags;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The extensions of recordings.
const EXTENSIONS: [&str; 2] = ["ndjson", "jsonl"];

/// The part of a recording that is read, at its end: a user waits for it.
const MAX_SIZE: u64 = 1024 * 1024;

const MAX_TOPICS: usize = 300;

/// The number of files in the directory that are looked at.
const MAX_FILES: usize = 2000;

/// The topic of a message.
#[derive(Deserialize)]
struct Message {
    topic: String,
}

/// The topics of these recordings, or of the newest one here.
pub(super) fn known(recordings: &[PathBuf]) -> BTreeSet<String> {
    let newest = if recordings.is_empty() { newest(Path::new(".")) } else { None };
    let mut topics = BTreeSet::new();
    for path in recordings.iter().chain(&newest) {
        read(path, &mut topics);
    }
    topics
}

fn newest(directory: &Path) -> Option<PathBuf> {
    let is_recording = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
    };
    let entries = fs::read_dir(directory).ok()?.take(MAX_FILES).filter_map(Result::ok);
    let files = entries.filter(|entry| is_recording(&entry.path())).filter_map(|entry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path()))
    });
    files.max().map(|(_, path)| path)
}

/// Adds the topics at the end of a recording. Lines of other files are ignored.
fn read(path: &Path, topics: &mut BTreeSet<String>) {
    let Some((file, is_whole)) = open(path) else { return };
    let mut lines = BufReader::new(file.take(MAX_SIZE)).split(b'\n').map_while(Result::ok);
    if !is_whole {
        // The first line is a part of one.
        lines.next();
    }
    for line in lines {
        let Ok(message) = serde_json::from_slice::<Message>(&line) else { continue };
        // A topic of a stranger must be one line, without escapes: the shell inserts it as it is.
        if topics.len() < MAX_TOPICS && escape::cells(&message.topic) == message.topic {
            topics.insert(message.topic);
        }
    }
}

/// Opens a file at the last part that is read. A pipe or a device could block.
fn open(path: &Path) -> Option<(File, bool)> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let mut file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path).ok()?;
    let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let start = metadata.len().saturating_sub(MAX_SIZE);
    file.seek(SeekFrom::Start(start)).ok()?;
    Some((file, start == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_come_from_the_named_or_newest_recording() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("home.ndjson");
        let lines = "{\"topic\":\"b\",\"qos\":0}\nno json\n{\"topic\":\"a\"}\n{\"topic\":\"x\\ny\"}\n{\"topic\":\"\\u001b[31m\"}\n";
        fs::write(&path, lines).unwrap();
        fs::write(directory.path().join("other.txt"), "{\"topic\":\"no\"}\n").unwrap();
        assert_eq!(newest(directory.path()), Some(path.clone()));
        let topics: Vec<String> = known(&[path]).into_iter().collect();
        assert_eq!(topics, ["a", "b"]);
        assert_eq!(known(&[directory.path().to_owned(), "/dev/tty".into()]), BTreeSet::new());
    }

    #[test]
    fn only_the_end_of_a_long_recording_is_read() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("long.ndjson");
        let filler = format!("{{\"topic\":\"old\",\"payload\":\"{}\"}}\n", "x".repeat(2 * 1024 * 1024));
        fs::write(&path, filler + "{\"topic\":\"new\"}\n").unwrap();
        let topics: Vec<String> = known(&[path]).into_iter().collect();
        assert_eq!(topics, ["new"]);
    }
}
