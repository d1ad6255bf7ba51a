//! Captures of conversations that are written down: raw IP with TCP, handshakes and all, as pcap.
//!
//! | line | meaning |
//! |---|---|
//! | `> 10 (...)` | the client sends these bytes, written as in [`super::bytes`] |
//! | `< 20 (...)` | the server does |
//! | `2: > ...` | in connection 2; without a number, in connection 1 |
//! | `2: midway` | connection 2 goes on from before the capture: no handshake |
//! | `lost > 4` | the client sends four bytes that are not captured |
//! | `wait 2.5` | this many seconds pass; without it, a millisecond from one to the next |
//! | `close` | both sides send FIN, the client first; `close <` the server first |
//! | `fin` | the client sends FIN; `fin <` the server |
//! | `2: refused` | the server answers the SYN of connection 2 with RST |
//! | `reset` | the client sends RST; `reset <` the server |

use super::bytes::hex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// The port of the first client; the others follow.
pub const FIRST_PORT: u16 = 40_000;

/// The time at which captures begin, in microseconds since 1970.
pub const START: u64 = 1_700_000_000_000_000;

/// The bytes of a capture with this conversation.
pub fn capture(script: &str) -> Vec<u8> {
    let mut capture = Capture::new();
    script.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| capture.line(line));
    capture.bytes
}

/// The header of a capture file: microseconds, version 2.4, a snap length of 256 KiB, raw IP.
pub fn file_header() -> Vec<u8> {
    let header: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x0004_0000, 101];
    header.iter().flat_map(|word| word.to_le_bytes()).collect()
}

struct Capture {
    bytes: Vec<u8>,
    /// In microseconds.
    time: u64,
    connections: HashMap<u16, Connection>,
}

#[derive(Clone, Copy)]
struct Connection {
    /// The next sequence number of each side, the client's first.
    sequence: [u32; 2],
}

impl Capture {
    fn new() -> Capture {
        Capture { bytes: file_header(), time: START, connections: HashMap::new() }
    }

    fn line(&mut self, line: &str) {
        if let Some(seconds) = line.strip_prefix("wait ") {
            self.time += (seconds.parse::<f64>().unwrap() * 1e6) as u64;
            return;
        }
        let (number, line) = match line.split_once(": ") {
            Some((number, rest)) if number.parse::<u16>().is_ok() => (number.parse().unwrap(), rest),
            _ => (1, line),
        };
        if let Entry::Vacant(place) = self.connections.entry(number) {
            place.insert(Connection { sequence: [1000, 5000] });
            match line {
                "midway" => return,
                "refused" => {
                    self.segment(number, 0, SYN, &[]);
                    return self.segment(number, 1, RST | ACK, &[]);
                }
                _ => {}
            }
            self.open(number);
        }
        match line.split_at(line.find(' ').unwrap_or(line.len())) {
            (">", bytes) => self.data(number, 0, &hex(bytes)),
            ("<", bytes) => self.data(number, 1, &hex(bytes)),
            ("lost", rest) => self.lose(number, rest.trim()),
            ("close", who) => {
                let first = side(who);
                self.segment(number, first, FIN | ACK, &[]);
                self.segment(number, 1 - first, FIN | ACK, &[]);
                self.segment(number, first, ACK, &[]);
            }
            ("fin", who) => self.segment(number, side(who), FIN | ACK, &[]),
            ("reset", who) => self.segment(number, side(who), RST | ACK, &[]),
            _ => panic!("what is {line:?}?"),
        }
    }

    fn open(&mut self, number: u16) {
        self.segment(number, 0, SYN, &[]);
        self.segment(number, 1, SYN | ACK, &[]);
        self.segment(number, 0, ACK, &[]);
    }

    /// In segments that fit a packet, of which the other side acknowledges each.
    fn data(&mut self, number: u16, side: usize, bytes: &[u8]) {
        for part in bytes.chunks(60_000) {
            self.segment(number, side, ACK, part);
            self.segment(number, 1 - side, ACK, &[]);
        }
    }

    fn lose(&mut self, number: u16, what: &str) {
        let (arrow, count) = what.split_once(' ').unwrap();
        let side = usize::from(arrow == "<");
        let connection = self.connections.get_mut(&number).unwrap();
        connection.sequence[side] += count.parse::<u32>().unwrap();
        // It arrived: only the capture lacks it.
        self.segment(number, 1 - side, ACK, &[]);
    }

    fn segment(&mut self, number: u16, side: usize, flags: u8, payload: &[u8]) {
        self.time += 1000;
        let connection = self.connections.get_mut(&number).unwrap();
        let [ours, theirs] = [connection.sequence[side], connection.sequence[1 - side]];
        let counts = u32::from(flags & (SYN | FIN) != 0);
        connection.sequence[side] = ours.wrapping_add(payload.len() as u32 + counts);
        let client = FIRST_PORT + number - 1;
        let ports = if side == 0 { [client, 1883] } else { [1883, client] };
        let acknowledged = if flags & ACK == 0 { 0 } else { theirs };
        let packet = packet(side, ports, [ours, acknowledged], flags, payload);
        let header = [self.time / 1_000_000, self.time % 1_000_000, packet.len() as u64, packet.len() as u64];
        self.bytes.extend(header.iter().flat_map(|word| (*word as u32).to_le_bytes()));
        self.bytes.extend(packet);
    }
}

/// The side that a line names: the server, or else the client.
fn side(who: &str) -> usize {
    usize::from(who.trim() == "<")
}

/// An IPv4 packet; the checksums are left out, as network cards fill them in.
fn packet(side: usize, ports: [u16; 2], numbers: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let hosts = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let length = (40 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(hosts[side]);
    packet.extend(hosts[1 - side]);
    packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    packet.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}
