//! `mq inspect`: captured packets, decoded.

mod conversation;
mod corpus;
mod diagnosis;
mod interrupted;
mod lint;
mod live;
mod losses;
mod oracle;
mod payloads;
mod picture;
mod proxy;
mod sn;
mod statistics;
mod tls;
mod tunnels;
mod typed;
mod undecryptable;
mod views;

use super::support::*;
use serde_json::Value;
use std::path::PathBuf;

/// A file of the corpus.
fn corpus(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

/// The names of all captures.
fn captures() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(corpus(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".pcap") || name.ends_with(".pcapng"))
        .collect();
    names.sort();
    assert!(names.len() > 20, "the corpus is there");
    names
}

/// The JSON objects on the lines of a text.
fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// What `mq inspect --format json` says of a capture, with these further options.
fn inspect(name: &str, options: &str) -> Vec<Value> {
    objects(&mq("inspect --format json").words(options).arg(corpus(name)).run().succeed())
}

/// Those that stand for packets.
fn packets(objects: Vec<Value>) -> Vec<Value> {
    objects.into_iter().filter(|object| object["event"] == "packet").collect()
}
