//! Captures of TLS, with key logs. One session in the clear, and the same through every version and cipher.

use super::*;
use std::collections::BTreeMap;
use std::path::Path;

/// What mosquitto answered to one client, recorded once for each of these.
const WAYS: [&str; 14] = [
    "tls12-aes128",
    "tls12-aes256",
    "tls12-cbc",
    "tls12-chacha20",
    "tls12-rsa",
    "tls12-renegotiated",
    "tls12-resumed",
    "tls13-aes128",
    "tls13-aes256",
    "tls13-chacha20",
    "tls13-early",
    "tls13-hello-retry",
    "tls13-key-update",
    "tls13-resumed",
];

fn tls(name: &str) -> PathBuf {
    corpus("tls").join(name)
}

/// What is found in a capture with a key log.
fn decrypted(capture: impl AsRef<Path>, keys: impl AsRef<Path>) -> Vec<Value> {
    let program = mq("inspect --format json --tls-keylog").arg(keys.as_ref()).arg(capture.as_ref());
    objects(&program.run().succeed())
}

fn with_its_keys(name: &str) -> Vec<Value> {
    decrypted(tls(&format!("{name}.pcap")), tls(&format!("{name}.keys")))
}

/// Packets without what differs from one capture to another.
fn timeless(objects: Vec<Value>, connection: u64) -> Vec<Value> {
    let mut packets = packets(objects);
    packets.retain(|packet| packet["connection"] == connection);
    for packet in &mut packets {
        let packet = packet.as_object_mut().unwrap();
        for key in ["time", "frame", "connection", "round_trip_ns", "since_publish_ns"] {
            packet.remove(key);
        }
    }
    packets
}

fn in_the_clear() -> Vec<Value> {
    let packets = timeless(objects(&mq("inspect --format json").arg(tls("plain.pcap")).run().succeed()), 0);
    assert_eq!(packets.len(), 11);
    packets
}

/// Why the only connection was not read.
fn reason(objects: &[Value]) -> &str {
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert_eq!(objects[0]["event"], "foreign");
    objects[0]["text"].as_str().unwrap()
}

/// The frames of a pcap file, with its header in front; all as they are in the file.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(tls(name)).unwrap();
    let (header, mut rest) = bytes.split_at(24);
    let mut frames = vec![header.to_vec()];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (frame, others) = rest.split_at(16 + length);
        frames.push(frame.to_vec());
        rest = others;
    }
    frames
}

/// A line of a key log whose secret is another.
fn with_another_end(line: &str) -> String {
    let (start, last) = line.split_at(line.len() - 1);
    start.to_owned() + if last == "0" { "1" } else { "0" }
}

#[test]
fn every_version_and_cipher_gives_the_packets_that_were_sent_in_the_clear() {
    let expected = in_the_clear();
    for name in WAYS {
        let objects = with_its_keys(name);
        assert_eq!((&objects[0]["event"], &objects[0]["tls"]), (&"opened".into(), &true.into()), "{name}");
        // The server accepted the early data of the first connection, and rejected those of the second one.
        let connections = if name.ends_with("resumed") || name.ends_with("early") { 2 } else { 1 };
        for connection in 0..connections {
            assert_eq!(timeless(objects.clone(), connection), expected, "{name}");
        }
    }
}

/// OpenSSL's suites of TLS 1.2 and 1.3. CBC is there twice: with encrypt-then-MAC, and once for each cipher and MAC without.
#[test]
fn every_suite_gives_the_packets_that_were_sent_in_the_clear() {
    let expected = in_the_clear();
    let objects = decrypted(tls("suites.pcap.gz"), tls("suites.keys"));
    let mut unsupported: Vec<&str> = Vec::new();
    let mut decrypted = 0;
    let mut by_connection: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for object in &objects {
        match object["event"].as_str() {
            Some("foreign") => unsupported.push(object["text"].as_str().unwrap()),
            _ => {
                by_connection.entry(object["connection"].as_u64().unwrap()).or_default().push(object.clone());
            }
        }
    }
    for (connection, objects) in by_connection {
        assert_eq!(timeless(objects, connection), expected, "{connection}");
        decrypted += 1;
    }
    assert_eq!((decrypted, unsupported), (151, vec!["unsupported cipher suite: TLS_RSA_WITH_NULL_MD5"]));
}

#[test]
fn a_wrong_key_log_gives_no_packet_of_any_suite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let keys = std::fs::read_to_string(tls("suites.keys")).unwrap();
    let wrong: String = keys.lines().map(|line| with_another_end(line) + "\n").collect();
    std::fs::write(&path, wrong).unwrap();
    let objects = decrypted(tls("suites.pcap.gz"), &path);
    let mismatch =
        objects.iter().filter(|object| object["text"] == "the secret in the key log does not match").count();
    assert_eq!((objects.len(), mismatch), (152, 151));
}

#[test]
fn web_socket_in_tls_is_read() {
    let objects = with_its_keys("wss");
    assert_eq!((&objects[0]["tls"], &objects[0]["websocket"]), (&true.into(), &true.into()));
    assert_eq!(timeless(objects, 0), in_the_clear());
}

#[test]
fn a_message_in_several_records_is_read() {
    let objects = packets(with_its_keys("tls13-large"));
    let lengths: Vec<_> = objects.iter().filter_map(|packet| packet["payload_length"].as_u64()).collect();
    assert_eq!(lengths, [20_012, 20_012, 7]);
}

#[test]
fn a_key_log_inside_the_capture_is_used() {
    let shown = mq("inspect --format json").arg(tls("secrets-inside.pcapng")).run().succeed();
    assert_eq!(timeless(objects(&shown), 0), in_the_clear());
}

#[test]
fn a_key_log_behind_the_packets_is_used_on_a_file() {
    let bytes = std::fs::read(tls("secrets-inside.pcapng")).unwrap();
    let (mut blocks, mut secrets) = (Vec::new(), Vec::new());
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (block, others) = rest.split_at(length);
        if block[..4] == [10, 0, 0, 0] { &mut secrets } else { &mut blocks }.extend_from_slice(block);
        rest = others;
    }
    assert!(!secrets.is_empty());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("behind.pcapng");
    let behind = [blocks, secrets].concat();
    std::fs::write(&path, &behind).unwrap();
    let shown = mq("inspect --format json").arg(&path).run().succeed();
    assert_eq!(timeless(objects(&shown), 0), in_the_clear());

    let mut gzip = std::process::Command::new("gzip");
    if gzip.arg("-k").arg(&path).status().is_ok_and(|status| status.success()) {
        let shown =
            mq("inspect --format json").arg(directory.path().join("behind.pcapng.gz")).run().succeed();
        assert_eq!(timeless(objects(&shown), 0), in_the_clear());
    }
    // Cut off anywhere, it is read as far as it goes.
    std::fs::write(&path, &behind[..behind.len() - 30]).unwrap();
    assert_says(&mq("inspect").arg(&path).run().stderr, &["truncated capture"]);
}

#[test]
fn undecrypted_connections_have_a_reason() {
    let foreign = decrypted(tls("tls13-aes128.pcap"), tls("tls13-aes256.keys"));
    assert_eq!(reason(&foreign), "the key log has no secret for this connection");
    let without = mq("inspect").arg(tls("tls13-aes128.pcap")).run().succeed();
    assert!(without.ends_with(": TLS, for localhost; --tls-keylog FILE decrypts it\n"), "{without}");
}

#[test]
fn wrong_secrets_give_no_packets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    for name in WAYS {
        let keys = std::fs::read_to_string(tls(&format!("{name}.keys"))).unwrap();
        let wrong: String = keys.lines().map(|line| with_another_end(line) + "\n").collect();
        std::fs::write(&path, wrong).unwrap();
        let objects = decrypted(tls(&format!("{name}.pcap")), &path);
        assert!(packets(objects.clone()).is_empty(), "{name}");
        assert_eq!(objects[0]["text"], "the secret in the key log does not match", "{name}");
    }
}

/// The frames after which the handshake and CONNECT are over, one of which is missing at a time.
fn without_frame(name: &str, number: usize, path: &Path) -> Vec<Value> {
    let mut frames = frames(&format!("{name}.pcap"));
    frames.remove(number);
    std::fs::write(path, frames.concat()).unwrap();
    decrypted(path, tls(&format!("{name}.keys")))
}

#[test]
fn only_the_packet_in_a_missing_frame_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gap.pcap");
    for name in ["tls12-aes128", "tls12-chacha20", "tls12-cbc", "tls13-aes128"] {
        let whole = with_its_keys(name);
        let publish = whole.iter().position(|object| object["type"] == "PUBLISH").unwrap();
        let lost = &whole[publish];
        let objects = without_frame(name, lost["frame"].as_u64().unwrap() as usize, &path);
        let gap = objects.iter().find(|object| object["event"] == "gap").unwrap();
        // Padding hides the length of what CBC encrypts.
        let length = if name.ends_with("cbc") { &0.into() } else { &lost["length"] };
        assert_eq!((&gap["direction"], &gap["length"]), (&"c2s".into(), length), "{name}");
        let mut expected = in_the_clear();
        expected.retain(|packet| packet["offset"] != lost["offset"] || packet["direction"] != "c2s");
        let found = timeless(objects, 0);
        let kinds = |packets: &[Value]| -> Vec<Value> {
            packets.iter().map(|packet| packet["type"].clone()).collect()
        };
        assert_eq!(kinds(&found), kinds(&expected), "{name}");
        if !name.ends_with("cbc") {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn early_data_without_its_secret_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let keys = std::fs::read_to_string(tls("tls13-early.keys")).unwrap();
    let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with("CLIENT_EARLY")).collect();
    std::fs::write(&path, keys.join("\n") + "\n").unwrap();
    let objects = decrypted(tls("tls13-early.pcap"), &path);
    let why: Vec<_> = objects.iter().filter(|object| object["event"] == "undecryptable").collect();
    assert_eq!(why.len(), 1, "{objects:?}");
    assert_eq!(why[0]["text"], "the key log has no secret for early data (0-RTT)");
    assert_eq!(timeless(objects, 1), in_the_clear());
}

#[test]
fn a_key_log_may_be_written_after_the_capture_began() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let keys = std::fs::read_to_string(tls("tls13-aes128.keys")).unwrap();
    let frames = frames("tls13-aes128.pcap");
    std::fs::write(&path, "# nothing yet\nCLIENT_RANDOM 00").unwrap();
    assert_says(
        &mq("inspect --tls-keylog").arg(&path).stdin("").run().fail(1),
        &["--tls-keylog", "CLIENT_RANDOM"],
    );

    std::fs::write(&path, "").unwrap();
    let mut inspect = mq("inspect --tls-keylog").arg(&path).open_stdin().spawn();
    inspect.write(frames[..12].concat());
    std::fs::write(&path, keys).unwrap();
    inspect.write(frames[12..].concat());
    inspect.close_stdin();
    let shown = inspect.finish().succeed();
    assert!(shown.contains("CONNECT     MQTT 5.0, client id \"inspected\""), "{shown}");
    assert!(shown.contains("DISCONNECT"), "{shown}");
}

#[test]
fn a_file_that_is_not_a_key_log_is_reported() {
    let capture = tls("plain.pcap");
    let missing = mq("inspect --tls-keylog /nonexistent/keys").arg(&capture).run().fail(1);
    assert_says(&missing, &["/nonexistent/keys", "No such file"]);
    let other = mq("inspect --tls-keylog").arg(&capture).arg(&capture).run().fail(1);
    assert_says(&other, &["--tls-keylog", "plain.pcap: not a key log"]);
    mq("inspect --tls-keylog x --hex c000").run().fail(2);
}
