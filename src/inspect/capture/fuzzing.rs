//! Entry points for fuzzing: each layer with arbitrary bytes, and the invariants that must hold for all of them.
//!
//! The targets in `fuzz/` are one line each, so that `fuzz/mutate.rs` can do the same work without a nightly compiler.

use super::conversation::{ConversationEvent, Conversations, Ports};
use super::decrypt::{KeyLog, Label, Secrets, TlsDecryptor};
use super::network::Segment;
use super::reader::{Frame, ReadError, Reader};
use super::reassembly::{self, Close, Reassembly, Side, Start};
use super::{Capture, Moment};
use crate::inspect::Direction;
use crate::message::decode_hex;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

/// Reads a capture at once and in small pieces; both results must be equal.
pub fn reader(bytes: &[u8]) {
    let mut whole = Vec::new();
    let result = read_frames(bytes, |frame| whole.push((frame.at, frame.link_type, frame.bytes.to_vec())));
    let mut pieces = whole.iter();
    let again = read_frames(Dribble { rest: bytes, seed: bytes.len() }, |frame| {
        let expected = pieces.next().expect("no more frames than before");
        assert_eq!((expected.0, expected.1, expected.2.as_slice()), (frame.at, frame.link_type, frame.bytes));
    });
    assert!(pieces.next().is_none(), "fewer frames than before");
    assert_eq!(result, again);
}

/// Takes a capture through all layers.
pub fn capture(bytes: &[u8]) {
    let mut audit = Audit::default();
    let mut layers = Capture::default();
    let _ = read_frames(bytes, |frame| layers.frame(frame, &mut |event| audit.conversation(&event)));
    layers.finish(&mut |event| audit.conversation(&event));
    audit.finish();
}

/// Takes a capture with TLS through all layers. A key log precedes it, up to a null byte; the capture may have others.
pub fn tls(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
    let (log, capture) = bytes.split_at(end);
    let secrets = SharedKeyLog::default();
    secrets.0.borrow_mut().add(log);
    let decryptor = TlsDecryptor::new(Box::new(secrets.clone()));
    let mut layers = Capture::new(Ports::default(), Some(Box::new(decryptor)));
    let mut audit = Audit::default();
    let mut reader = Reader::new(capture.strip_prefix(&[0]).unwrap_or(capture));
    while let Ok(Some(frame)) = reader.next_frame() {
        layers.frame(&frame, &mut |event| audit.conversation(&event));
        secrets.0.borrow_mut().add(&reader.take_secrets());
    }
    layers.finish(&mut |event| audit.conversation(&event));
    audit.finish();
}

/// Reads a key log at once and line by line; both results must be equal.
pub fn key_logs(bytes: &[u8]) {
    let (mut whole, mut pieces) = (KeyLog::default(), KeyLog::default());
    let count = whole.add(bytes);
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    assert_eq!(lines.map(|line| pieces.add(line)).sum::<usize>(), count);
    assert_eq!(whole.is_empty(), count == 0);
    for line in bytes.split(|byte| *byte == b'\n') {
        let random =
            line.split(u8::is_ascii_whitespace).nth(1).and_then(|word| std::str::from_utf8(word).ok());
        let random = random.and_then(|word| <[u8; 32]>::try_from(decode_hex(word).ok()?).ok());
        for label in [Label::Master, Label::ClientTraffic, Label::ServerHandshake] {
            let [of_whole, of_pieces] =
                [&whole, &pieces].map(|log| random.as_ref().and_then(|random| log.secret(label, random)));
            assert!(of_whole.as_ref().is_none_or(|secret| matches!(secret.len(), 32 | 48)));
            assert_eq!(of_whole, of_pieces);
        }
    }
}

/// Secrets that arrive with a capture.
#[derive(Clone, Default)]
struct SharedKeyLog(Rc<RefCell<KeyLog>>);

impl Secrets for SharedKeyLog {
    fn secret(&mut self, label: Label, client_random: &[u8; 32]) -> Option<Vec<u8>> {
        self.0.borrow().secret(label, client_random)
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// Takes segments made from the bytes: five for each header, then the payload.
pub fn segments(bytes: &[u8]) {
    let (mut audit, mut reassembly, mut conversations) =
        (Audit::default(), Reassembly::default(), Conversations::default());
    let mut rest = bytes;
    let mut at = Moment::default();
    while let Some((header, after)) = rest.split_first_chunk::<5>() {
        at.frame += 1;
        let (payload, after) = after.split_at((header[4] as usize).min(after.len()));
        let segment = made_segment(*header, payload);
        reassembly.segment(at, &segment, &mut |event| {
            audit.connection(&event);
            conversations.event(&event, &mut |event| audit.conversation(&event));
        });
        rest = after;
    }
    reassembly.finish(at, &mut |event| {
        audit.connection(&event);
        conversations.event(&event, &mut |event| audit.conversation(&event));
    });
    audit.finish();
}

/// Takes bytes of both directions as WebSocket frames, with gaps between.
pub fn web_socket(bytes: &[u8]) {
    let request = b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let answer = b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let (mut audit, mut conversations) = (Audit::default(), Conversations::default());
    let mut tell = |event: reassembly::TcpEvent<'_>| {
        conversations.event(&event, &mut |event| audit.conversation(&event));
    };
    let at = Moment::default();
    let data = |side, offset, bytes| reassembly::TcpEvent::Data { connection: 0, at, side, offset, bytes };
    let [a, b] = ends(0);
    let start = Start::Handshake { initiator: Side::A };
    tell(reassembly::TcpEvent::Opened { connection: 0, at, a, b, start });
    tell(data(Side::A, 0, request));
    tell(data(Side::B, 0, answer));
    let (mut of_a, mut of_b) = (request.len() as u64, answer.len() as u64);
    let mut rest = bytes;
    while let Some(([what, length], after)) = rest.split_first_chunk::<2>() {
        let side = if what & 1 == 0 { Side::A } else { Side::B };
        let (part, after) = after.split_at((*length as usize).min(after.len()));
        let offset = if side == Side::A { &mut of_a } else { &mut of_b };
        if what & 0x0e == 0x0e && *length > 0 {
            let length = u64::from(*length);
            tell(reassembly::TcpEvent::Gap { connection: 0, at, side, offset: *offset, length });
            *offset += length;
        }
        if !part.is_empty() {
            tell(data(side, *offset, part));
            *offset += part.len() as u64;
        }
        rest = after;
    }
    tell(reassembly::TcpEvent::Closed { connection: 0, at, by: Close::EndOfCapture });
    audit.finish();
}

/// Reads all frames, and returns how reading ended.
fn read_frames(source: impl Read, mut each: impl FnMut(&Frame<'_>)) -> String {
    let mut reader = Reader::new(source);
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => each(&frame),
            Ok(None) => return format!("{:?}", reader.truncation()),
            // The detected file type depends on the number of bytes available.
            Err(ReadError::NotACapture { .. }) => return "no capture".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

/// Returns a few bytes at a time.
struct Dribble<'a> {
    rest: &'a [u8],
    seed: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let count = (1 + self.seed % 61).min(room.len()).min(self.rest.len());
        let (given, rest) = self.rest.split_at(count);
        room.iter_mut().zip(given).for_each(|(to, from)| *to = *from);
        self.rest = rest;
        Ok(count)
    }
}

/// A segment of one of two connections, with numbers near each other and near the wrap-around.
fn made_segment(header: [u8; 5], payload: &[u8]) -> Segment<'_> {
    let [flags, sequence, acknowledgment, missing, _] = header;
    let mut ends = ends((flags >> 1 & 1).into());
    if flags & 1 == 1 {
        ends.swap(0, 1);
    }
    let [source, destination] = ends;
    let base = 0_u32.wrapping_sub(500);
    Segment {
        source,
        destination,
        sequence: base.wrapping_add(u32::from(sequence) * 7),
        acknowledgment: (flags & 4 != 0).then_some(base.wrapping_add(u32::from(acknowledgment) * 7)),
        is_syn: flags & 0x38 == 0x38,
        is_fin: flags & 0x78 == 0x40,
        is_reset: flags & 0xf8 == 0x80,
        bytes: payload,
        missing: usize::from(missing).saturating_sub(250),
    }
}

fn ends(number: u16) -> [SocketAddr; 2] {
    let end = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    [end(40_000 + number), end(1883)]
}

/// Checks that events arrive in a valid order.
#[derive(Debug, Default)]
struct Audit {
    connections: HashMap<u32, ()>,
    next_connection: u32,
    /// The next offsets of both directions.
    conversations: HashMap<u32, [u64; 2]>,
    over: HashMap<u32, ()>,
}

impl Audit {
    fn connection(&mut self, event: &reassembly::TcpEvent<'_>) {
        use reassembly::TcpEvent as Tcp;
        match event {
            Tcp::Opened { connection, .. } => {
                assert_eq!(*connection, self.next_connection);
                self.next_connection += 1;
                self.connections.insert(*connection, ());
            }
            Tcp::Data { connection, bytes, .. } => {
                assert!(!bytes.is_empty() && self.connections.contains_key(connection));
            }
            Tcp::Gap { connection, .. } => assert!(self.connections.contains_key(connection)),
            Tcp::Conflict { connection, length, .. } => {
                assert!(*length > 0 && self.connections.contains_key(connection));
            }
            Tcp::Lag { connection, .. } | Tcp::Fin { connection, .. } => {
                assert!(self.connections.contains_key(connection));
            }
            Tcp::Closed { connection, .. } => assert!(self.connections.remove(connection).is_some()),
        }
    }

    fn conversation(&mut self, event: &ConversationEvent<'_>) {
        match event {
            ConversationEvent::Opened { connection, .. } => {
                assert!(self.conversations.insert(*connection, [0, 0]).is_none());
                assert!(!self.over.contains_key(connection));
            }
            ConversationEvent::Bytes { connection, direction, offset, bytes, .. } => {
                assert!(!bytes.is_empty());
                self.advance(*connection, *direction, *offset, bytes.len() as u64);
            }
            ConversationEvent::Gap { connection, direction, offset, length, .. } => {
                self.advance(*connection, *direction, *offset, *length);
            }
            ConversationEvent::Datagram { connection, .. } => {
                self.conversations.entry(*connection).or_default();
            }
            ConversationEvent::Conflict { connection, .. }
            | ConversationEvent::ProxyHeader { connection, .. }
            | ConversationEvent::BadFrame { connection, .. }
            | ConversationEvent::Lag { connection, .. }
            | ConversationEvent::Fin { connection, .. }
            | ConversationEvent::Undecryptable { connection, .. } => {
                assert!(self.conversations.contains_key(connection));
            }
            ConversationEvent::OtherProtocol { connection, .. } => {
                assert!(self.over.insert(*connection, ()).is_none());
            }
            ConversationEvent::Closed { connection, .. } => {
                assert!(self.conversations.remove(connection).is_some());
                assert!(self.over.insert(*connection, ()).is_none());
            }
        }
    }

    fn advance(&mut self, connection: u32, direction: Direction, offset: u64, length: u64) {
        let [to_server, to_client] = self.conversations.get_mut(&connection).expect("it was opened");
        let next = match direction {
            Direction::ClientToServer => to_server,
            Direction::ServerToClient => to_client,
        };
        assert_eq!(*next, offset);
        *next += length;
    }

    fn finish(&self) {
        assert!(self.connections.is_empty() && self.conversations.is_empty());
    }
}
