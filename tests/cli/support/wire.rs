//! One end of a TCP connection with scripted bytes, sent and expected.

use super::bytes::{Pattern, hex};
use super::{DEADLINE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long nothing must come for a connection to count as quiet. Too short can only hide a fault, never invent one.
const QUIET: Duration = Duration::from_millis(50);

/// A connection, to the side under test.
pub struct Wire {
    stream: TcpStream,
    is_v5: bool,
}

/// PUBLISH in parts, for tests that look at many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first byte: DUP, QoS and RETAIN are in it.
    pub first_byte: u8,
    /// The topic.
    pub topic: String,
    /// The two bytes of the packet identifier; none at QoS 0.
    pub packet_id: Option<[u8; 2]>,
    /// The properties' bytes, without their length; none before 5.0.
    pub properties: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Wire {
    /// Takes over a stream.
    pub fn new(stream: TcpStream) -> Wire {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let _ = stream.set_nodelay(true); // the other side may have reset the connection
        Wire { stream, is_v5: false }
    }

    /// The stream alone.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// From here on, packets in both directions are those of 5.0.
    pub fn speak_v5(&mut self) {
        self.is_v5 = true;
    }

    /// A client of 3.1.1 with a clean session, accepted by the server.
    pub fn v311(server: &(impl Server + ?Sized), client_id: &str) -> Wire {
        let mut wire = server.connect();
        wire.send(&format!("10 (`MQTT` 04 02 003c `{client_id}`)"));
        wire.expect("20 (00 00)");
        wire
    }

    /// A client of 5.0 with a clean start, accepted by the server. The properties of CONNECT are as in [`hex`].
    pub fn v5(server: &(impl Server + ?Sized), client_id: &str, properties: &str) -> Wire {
        let mut wire = server.connect();
        wire.speak_v5();
        wire.send(&format!("10 (`MQTT` 05 02 003c ({properties}) `{client_id}`)"));
        wire.expect_connack_v5("00 00");
        wire
    }

    /// The other end's address.
    pub fn peer_address(&self) -> SocketAddr {
        self.stream.peer_addr().unwrap()
    }

    /// Our address.
    pub fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Sends the bytes that the text describes.
    pub fn send(&mut self, text: &str) {
        self.send_bytes(&hex(text));
    }

    /// Sends these bytes.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the other side reads");
    }

    /// Sends these bytes where it may happen that the other side has closed already.
    pub fn try_send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends the same thing over and over until a packet comes, which is given back.
    pub fn flood_until_a_packet_comes(&mut self, text: &str) -> Vec<u8> {
        let bytes = hex(text).repeat(1000);
        let mut sending = self.stream.try_clone().unwrap();
        let has_come = AtomicBool::new(false);
        let deadline = Instant::now() + DEADLINE;
        let is_wanted = || !has_come.load(Ordering::Relaxed) && Instant::now() < deadline;
        thread::scope(|scope| {
            scope.spawn(|| while is_wanted() && sending.write_all(&bytes).is_ok() {});
            let packet = self.packet();
            has_come.store(true, Ordering::Relaxed);
            packet
        })
    }

    /// Reads exactly the bytes that the text describes. Fails at the first byte that differs.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let pattern = Pattern::parse(text);
        let mut received = Vec::new();
        while received.len() < pattern.len() {
            let problem = match self.read_some(pattern.len() - received.len()) {
                Ok(some) if some.is_empty() => "the connection was closed",
                Ok(some) => {
                    received.extend(some);
                    if pattern.begins_with(&received) {
                        continue;
                    }
                    received.extend(self.read_available());
                    "other bytes came"
                }
                Err(_) => "nothing more came",
            };
            panic!("{problem}, expecting {text}\n{}", pattern.diff(&received));
        }
    }

    /// Reads one whole packet, whose first byte must have this type in its upper half.
    #[track_caller]
    pub fn expect_type(&mut self, first_byte: u8) -> Vec<u8> {
        let packet = self.packet();
        assert!(
            packet.first().is_some_and(|first| first >> 4 == first_byte >> 4),
            "expected a packet of type {first_byte:02x}, received {packet:02x?} {}",
            packet.escape_ascii()
        );
        packet
    }

    /// Reads PUBLISH.
    #[track_caller]
    pub fn expect_publish(&mut self) -> Message {
        let packet = self.expect_type(0x30);
        let mut rest = &packet[1..];
        take_variable_byte_integer(&mut rest);
        let length = u16::from_be_bytes([take(&mut rest, 1)[0], take(&mut rest, 1)[0]]);
        let topic = String::from_utf8(take(&mut rest, length.into()).to_vec()).unwrap();
        let has_packet_id = packet[0] & 0x06 != 0;
        let packet_id = has_packet_id.then(|| [take(&mut rest, 1)[0], take(&mut rest, 1)[0]]);
        let length = if self.is_v5 { take_variable_byte_integer(&mut rest) } else { 0 };
        let properties = take(&mut rest, length).to_vec();
        Message { first_byte: packet[0], topic, packet_id, properties, payload: rest.to_vec() }
    }

    /// Reads PUBLISH of QoS 1 and answers with PUBACK.
    #[track_caller]
    pub fn expect_and_acknowledge(&mut self) -> Message {
        let message = self.expect_publish();
        let [high, low] = message.packet_id.expect("a message of QoS 1");
        self.send_bytes(&[0x40, 2, high, low]);
        message
    }

    /// SUBSCRIBE to these filters with their options, and SUBACK that grants them all.
    #[track_caller]
    pub fn subscribe(&mut self, filters_and_options: &str) {
        let properties = if self.is_v5 { "()" } else { "" };
        self.send(&format!("82 (0001 {properties} {filters_and_options})"));
        let suback = self.expect_type(0x90);
        let reason_codes = &suback[if self.is_v5 { 5 } else { 4 }..];
        assert!(reason_codes.iter().all(|code| *code <= 2), "not everything is granted: {suback:02x?}");
    }

    /// PUBLISH at QoS 1 without properties, and PUBACK that does not deny it.
    #[track_caller]
    pub fn publish_and_wait(&mut self, topic: &str, payload: &str) {
        let properties = if self.is_v5 { "()" } else { "" };
        self.send(&format!("32 (`{topic}` 0001 {properties} '{payload}')"));
        self.expect_ack(0x40, 1);
    }

    /// Reads PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte, for this packet identifier. It must not deny.
    #[track_caller]
    pub fn expect_ack(&mut self, first_byte: u8, packet_id: u16) {
        let packet = self.expect_type(first_byte);
        let is_denied = packet.get(4).is_some_and(|reason_code| *reason_code >= 0x80);
        assert!(
            packet[2..4] == packet_id.to_be_bytes() && !is_denied,
            "acknowledged and not denied: {packet:02x?}"
        );
    }

    /// Reads CONNACK of 5.0 with any properties. Gives them, without their length.
    #[track_caller]
    pub fn expect_connack_v5(&mut self, flags_and_reason: &str) -> Vec<u8> {
        let packet = self.expect_type(0x20);
        assert_eq!(packet[2..4], hex(flags_and_reason), "flags and reason code of CONNACK {packet:02x?}");
        packet[5..].to_vec()
    }

    /// Reads one whole packet; empty when the connection ends instead.
    #[track_caller]
    pub fn packet(&mut self) -> Vec<u8> {
        let Some(first) = self.byte() else { return Vec::new() };
        let mut packet = vec![first];
        let mut remaining_length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte().expect("a packet that is not cut in its fixed header");
            packet.push(byte);
            remaining_length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; remaining_length];
        self.stream.read_exact(&mut body).expect("a packet that is not cut");
        packet.extend(body);
        packet
    }

    /// Reads one byte.
    #[track_caller]
    pub fn expect_byte(&mut self) -> u8 {
        self.byte().expect("the connection stays open")
    }

    /// Reads a short WebSocket frame of a client with this first byte. Gives its payload, unmasked.
    #[track_caller]
    pub fn expect_frame(&mut self, first_byte: u8) -> Vec<u8> {
        let mut next = || self.expect_byte();
        assert_eq!(next(), first_byte, "the first byte of a frame");
        let length = next();
        assert!((0x80..0x80 + 126).contains(&length), "masked and short: {length:02x}");
        let mask = [next(), next(), next(), next()];
        (0..length - 0x80).map(|at| next() ^ mask[usize::from(at) % 4]).collect()
    }

    /// Waits until the other side closes; it may send packets before that, which are given.
    #[track_caller]
    pub fn expect_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        loop {
            match self.read_some(4096) {
                Ok(some) if some.is_empty() => return rest,
                Ok(some) => rest.extend(some),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return rest,
                Err(error) => panic!("the connection is still open ({error}) after {rest:02x?}"),
            }
        }
    }

    /// Nothing comes for a moment.
    #[track_caller]
    pub fn expect_quiet(&mut self) {
        self.stream.set_read_timeout(Some(QUIET)).unwrap();
        let outcome = self.read_some(4096);
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        if let Ok(some) = outcome {
            panic!("expected nothing, received {some:02x?} {}", some.escape_ascii());
        }
    }

    /// PINGREQ, and PINGRESP as the very next packet.
    #[track_caller]
    pub fn ping(&mut self) {
        self.send("c0 00");
        self.expect("d0 00");
    }

    /// Asserts that nothing more arrives: PINGRESP is the next packet, and nothing follows it.
    #[track_caller]
    pub fn expect_nothing_more(&mut self) {
        self.ping();
        self.expect_quiet();
    }

    /// Closes our direction only.
    pub fn finish_sending(&mut self) {
        match self.stream.shutdown(Shutdown::Write) {
            // The other side closed its connection with some of our bytes unread.
            Err(error) if error.kind() == ErrorKind::NotConnected => {}
            outcome => outcome.unwrap(),
        }
    }

    fn byte(&mut self) -> Option<u8> {
        match self.read_some(1) {
            Ok(bytes) => bytes.first().copied(),
            // The other side closed its connection with some of our bytes unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no packet before the deadline: {error}"),
        }
    }

    fn read_some(&mut self, at_most: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; at_most];
        loop {
            match self.stream.read(&mut bytes) {
                // A read with a deadline ends early when the whole process is paused and goes on.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => {
                    bytes.truncate(outcome?);
                    return Ok(bytes);
                }
            }
        }
    }

    fn read_available(&mut self) -> Vec<u8> {
        self.stream.set_nonblocking(true).unwrap();
        let rest = self.read_some(256).unwrap_or_default();
        self.stream.set_nonblocking(false).unwrap();
        rest
    }
}

/// The values of properties by their identifiers, each as it is on the wire.
pub fn properties(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some((&id, rest)) = bytes.split_first() {
        let string = |at: usize| 2 + usize::from(u16::from_be_bytes([rest[at], rest[at + 1]]));
        let size = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => 1,
            0x13 | 0x21..=0x23 => 2,
            0x02 | 0x11 | 0x18 | 0x27 => 4,
            0x0b => 1 + rest.iter().take_while(|byte| **byte & 0x80 != 0).count(),
            0x26 => string(0) + string(string(0)),
            _ => string(0),
        };
        all.push((id, rest[..size].to_vec()));
        bytes = &rest[size..];
    }
    all
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

fn take_variable_byte_integer(rest: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let byte = take(rest, 1)[0];
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

#[test]
fn a_connection_that_the_other_side_reset_is_finished_in_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wire = Wire::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let (other_side, _) = listener.accept().unwrap();
    wire.send_bytes(b"unread");
    other_side.peek(&mut [0]).unwrap();
    drop(other_side);
    wire.expect_end();
    wire.finish_sending();
    wire.expect_end();
}
