//! Captures of UDP datagrams that are written down: raw IP with UDP, as pcap.
//!
//! | line | meaning |
//! |---|---|
//! | `> 02 06` | the client sends this datagram to the gateway, written as in [`super::bytes`] |
//! | `< 03 05 00` | the gateway sends it to the client |
//! | `2: > ...` | client 2; each has its own port, and 1 is meant if none is named |
//! | `port 5000` | the gateway's port from now on; 10000 before |
//! | `wait 2.5` | this many seconds pass; without it, a millisecond from one to the next |
//! | `fragments > ...` | the client sends it in IP fragments of 16 bytes |
//! | `lost 4 > ...` | the capture lacks the last four bytes |

use super::bytes::hex;
use super::capture::{FIRST_PORT, START, file_header};

/// The size of a UDP header.
const UDP: usize = 8;

/// The bytes of a capture with these datagrams.
pub fn datagrams(script: &str) -> Vec<u8> {
    let mut capture = Capture::new();
    script.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| capture.line(line));
    capture.bytes
}

struct Capture {
    bytes: Vec<u8>,
    /// In microseconds.
    time: u64,
    port: u16,
    identification: u16,
}

impl Capture {
    fn new() -> Capture {
        Capture { bytes: file_header(), time: START, port: 10_000, identification: 0 }
    }

    fn line(&mut self, line: &str) {
        if let Some(seconds) = line.strip_prefix("wait ") {
            self.time += (seconds.parse::<f64>().unwrap() * 1e6) as u64;
            return;
        }
        if let Some(port) = line.strip_prefix("port ") {
            self.port = port.parse().unwrap();
            return;
        }
        if let Some(rest) = line.strip_prefix("fragments ") {
            return self.fragments(rest);
        }
        let (missing, line) = match line.strip_prefix("lost ").and_then(|rest| rest.split_once(' ')) {
            Some((count, rest)) => (count.parse().unwrap(), rest),
            None => (0, line),
        };
        let (side, client, payload) = datagram(line);
        let packet = self.packet(side, client, 0, &self.udp(side, client, &payload));
        self.frame(&packet, missing);
    }

    /// Several packets, the last one with the rest.
    fn fragments(&mut self, line: &str) {
        let (side, client, payload) = datagram(line);
        let whole = self.udp(side, client, &payload);
        let count = whole.chunks(16).count();
        for (index, part) in whole.chunks(16).enumerate() {
            let more = if index + 1 < count { 0x2000 } else { 0 };
            let packet = self.packet(side, client, more | (index as u16 * 2), part);
            self.frame(&packet, 0);
        }
        self.identification += 1;
    }

    fn udp(&self, side: usize, client: u16, payload: &[u8]) -> Vec<u8> {
        let ports = [FIRST_PORT + client - 1, self.port];
        let length = (UDP + payload.len()) as u16;
        let words = [ports[side], ports[1 - side], length, 0];
        [words.iter().flat_map(|word| word.to_be_bytes()).collect(), payload.to_vec()].concat()
    }

    /// An IPv4 packet; the checksums are left out, as network cards fill them in.
    fn packet(&self, side: usize, client: u16, fragment: u16, body: &[u8]) -> Vec<u8> {
        let hosts = [[10, 0, 0, client as u8], [10, 0, 1, 1]];
        let mut packet = vec![0x45, 0];
        packet.extend(((20 + body.len()) as u16).to_be_bytes());
        packet.extend(self.identification.to_be_bytes());
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, 17, 0, 0]);
        packet.extend(hosts[side]);
        packet.extend(hosts[1 - side]);
        packet.extend(body);
        packet
    }

    fn frame(&mut self, packet: &[u8], missing: usize) {
        self.time += 1000;
        let captured = packet.len() - missing;
        let header = [self.time / 1_000_000, self.time % 1_000_000, captured as u64, packet.len() as u64];
        self.bytes.extend(header.iter().flat_map(|word| (*word as u32).to_le_bytes()));
        self.bytes.extend(&packet[..captured]);
    }
}

/// The side, the client and the bytes of a line.
fn datagram(line: &str) -> (usize, u16, Vec<u8>) {
    let (client, line) = match line.split_once(": ") {
        Some((number, rest)) if number.parse::<u16>().is_ok() => (number.parse().unwrap(), rest),
        _ => (1, line),
    };
    let (arrow, bytes) = line.split_at(1);
    (usize::from(arrow == "<"), client, hex(bytes))
}
