//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::{LineFile, last_time};
use crate::message;
use crate::protocol::{Properties, Publish, Qos};
use jiff::Timestamp;
use std::fs;
use std::path::PathBuf;

thread_local! {
    /// A file of this thread alone.
    static PATH: PathBuf = {
        let name = format!("mq-fuzzing-{}-{:?}.ndjson", std::process::id(), std::thread::current().id());
        std::env::temp_dir().join(name)
    };
}

/// Opens a recording, adds a message and reads it: nothing but a message that was cut off is taken away.
pub fn recordings(bytes: &[u8]) {
    PATH.with(|path| {
        fs::write(path, bytes).expect("a temporary file");
        drop(last_time(path));
        if let Ok((mut file, _)) = LineFile::open(path, None) {
            let publish = Publish {
                dup: false,
                qos: Qos::AtLeastOnce,
                retain: false,
                topic: "added",
                packet_id: None,
                properties: Properties::EMPTY,
                payload: bytes,
            };
            file.add(&publish, Timestamp::UNIX_EPOCH).and_then(|()| file.flush()).expect("it is written");
            check(bytes, &fs::read(path).expect("it was written"), last_time(path).expect("it can be read"));
        }
        fs::remove_file(path).expect("it is there");
    });
}

fn check(before: &[u8], after: &[u8], last: Option<Timestamp>) {
    let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    assert_eq!(after.get(..whole), before.get(..whole), "whole lines stay");
    let lines = after.strip_suffix(b"\n").expect("the last line is whole");
    let line = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let added = message::read(line).expect("the added message");
    assert_eq!(added.payload, before);
    // The message is longer than the part that is searched.
    assert!(last == Some(Timestamp::UNIX_EPOCH) || before.len() > 10_000);
}
