//! Whether a server sends a message of QoS 2 again that it has released, which MQTT forbids.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// What a server sent on all connections of a session.
#[derive(Debug, Clone, Default)]
pub struct Releases(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// The identifiers of messages that were released, until they belong to new messages.
    released: HashSet<[u8; 2]>,
    /// The payloads of released messages that were sent again.
    repeated: Vec<String>,
}

/// One connection of the session.
#[derive(Debug)]
pub struct ReleasesWatch {
    releases: Releases,
    /// The start of a packet of which bytes are missing.
    rest: Vec<u8>,
    is_v5: bool,
}

impl Releases {
    /// The payloads of the messages that were sent as PUBLISH after PUBREL (MQTT 5.0, 4.3.3, MQTT-4.3.3-6), one for each time.
    pub fn repeated(&self) -> Vec<String> {
        self.0.lock().unwrap().repeated.clone()
    }

    pub fn watch(&self) -> ReleasesWatch {
        ReleasesWatch { releases: self.clone(), rest: Vec::new(), is_v5: false }
    }
}

impl ReleasesWatch {
    /// Takes the next bytes of the server.
    pub fn pass(&mut self, bytes: &[u8]) {
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend(bytes);
        let mut packets = &rest[..];
        while let Some((first, body, after)) = split_packet(packets) {
            self.note(first, body);
            packets = after;
        }
        self.rest = packets.to_vec();
    }

    fn note(&mut self, first: u8, body: &[u8]) {
        let mut seen = self.releases.0.lock().unwrap();
        match first >> 4 {
            // CONNACK has properties in MQTT 5, at least their length.
            2 => self.is_v5 = body.len() > 2,
            3 if first & 0b110 == 0b100 => {
                let (packet_id, payload) = split_publish(body, self.is_v5);
                let is_released = seen.released.remove(&packet_id);
                if is_released && first & 0b1000 != 0 {
                    seen.repeated.push(String::from_utf8_lossy(payload).into_owned());
                }
            }
            6 => {
                seen.released.insert([body[0], body[1]]);
            }
            _ => {}
        }
    }
}

/// The first byte of a packet, its bytes after the length, and what follows. `None` if bytes are missing.
fn split_packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = split_number(rest)?;
    let (body, after) = rest.split_at_checked(length)?;
    Some((*first, body, after))
}

/// The packet identifier and the payload of a PUBLISH.
fn split_publish(body: &[u8], is_v5: bool) -> ([u8; 2], &[u8]) {
    let end_of_topic = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
    let (packet_id, rest) = body[end_of_topic..].split_at(2);
    let (properties, rest) = if is_v5 { split_number(rest).unwrap() } else { (0, rest) };
    ([packet_id[0], packet_id[1]], &rest[properties..])
}

/// A variable byte integer, and what follows.
fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let value = bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some((value, &bytes[end + 1..]))
}

#[test]
fn a_released_message_that_comes_again_is_noted() {
    let publish = |first, payload| [&[first, 9][..], b"\0\x03m/x\0\x07", &[0], payload].concat();
    let (new, again) = (publish(0x34, b"1"), publish(0x3c, b"1"));
    let (connack, release) = (&[0x20, 3, 0, 0, 0][..], &[0x62, 2, 0, 7][..]);
    for pieces in [1, 3, 100] {
        let releases = Releases::default();
        let pass = |packets: &[&[u8]]| {
            let mut watch = releases.watch();
            packets.concat().chunks(pieces).for_each(|piece| watch.pass(piece));
        };
        pass(&[connack, &new]);
        pass(&[connack, &again, release]);
        pass(&[connack, release]);
        assert!(releases.repeated().is_empty(), "a repetition before PUBREL is right");
        pass(&[connack, &again]);
        assert_eq!(releases.repeated(), ["1"]);
        pass(&[connack, release, &publish(0x34, b"2"), &publish(0x3c, b"2")]);
        assert_eq!(releases.repeated(), ["1"], "the identifier belongs to a new message");
    }
}
