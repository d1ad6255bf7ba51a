//! Protocol detection, the choice of the client, and WebSocket frames.

use super::super::reassembly::{self, Close, Side, Start};
use super::{
    Chunk, ConversationEvent, Conversations, Decryptor, Direction, FrameFault, OtherProtocol, Plain, Session,
    Undecryptable,
};
use crate::inspect::capture::{Moment, fuzzing};
use crate::protocol::{Beginning, ProxyFault, ProxyHeader};
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// An event in short form, with the client's port if the event has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Opened { client: u16, is_web_socket: bool, is_encrypted: bool },
    Bytes(Direction, u64, u64, Vec<u8>),
    Gap(Direction, u64, u64),
    Conflict(Direction, u64, u64),
    Lag(Direction),
    ProxyHeader(Result<ProxyHeader, ProxyFault>),
    BadFrame(Direction, u64, FrameFault),
    Undecryptable(Direction, Undecryptable),
    OtherProtocol(u16, OtherProtocol),
    Fin(Direction),
    Closed(Close<Direction>),
}

use Direction::{ClientToServer, ServerToClient};
use Seen::{BadFrame, Bytes, Closed, Conflict, Gap, Lag, Opened};

const CONNECT: &[u8] = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03abc";
const CONNACK: &[u8] = b"\x20\x02\x00\x00";
const PUBLISH: &[u8] = b"\x30\x06\x00\x03a/bx";
const REQUEST: &[u8] =
    b"GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nSec-WebSocket-Protocol: other, mqtt\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
const HANDSHAKE: Start = Start::Handshake { initiator: Side::A };

/// One connection between port 40000, which is A's, and another.
struct SideBytes {
    conversations: Conversations,
    seen: Vec<Seen>,
    /// The offset of each side's next byte.
    offsets: [u64; 2],
}

impl SideBytes {
    fn new(port: u16, start: Start) -> SideBytes {
        SideBytes::with(Conversations::default(), port, start)
    }

    fn with(conversations: Conversations, port: u16, start: Start) -> SideBytes {
        let [a, b] = [40_000, port].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let mut line = SideBytes { conversations, seen: Vec::new(), offsets: [0; 2] };
        line.emit_unwrapped(&reassembly::TcpEvent::Opened {
            connection: 0,
            at: Moment::default(),
            a,
            b,
            start,
        });
        line
    }

    fn emit_unwrapped(&mut self, event: &reassembly::TcpEvent<'_>) {
        let seen = &mut self.seen;
        self.conversations.event(event, &mut |event| seen.push(short(event)));
    }

    fn send(&mut self, side: Side, bytes: &[u8]) -> &mut SideBytes {
        let offset = self.advance(side, bytes.len() as u64);
        self.emit_unwrapped(&reassembly::TcpEvent::Data {
            connection: 0,
            at: Moment::default(),
            side,
            offset,
            bytes,
        });
        self
    }

    fn a(&mut self, bytes: &[u8]) -> &mut SideBytes {
        self.send(Side::A, bytes)
    }

    fn b(&mut self, bytes: &[u8]) -> &mut SideBytes {
        self.send(Side::B, bytes)
    }

    fn gap(&mut self, side: Side, length: u64) -> &mut SideBytes {
        let offset = self.advance(side, length);
        self.emit_unwrapped(&reassembly::TcpEvent::Gap {
            connection: 0,
            at: Moment::default(),
            side,
            offset,
            length,
        });
        self
    }

    /// The side's offset before these bytes.
    fn advance(&mut self, side: Side, length: u64) -> u64 {
        let offset = self.offsets[side as usize];
        self.offsets[side as usize] += length;
        offset
    }

    fn close(&mut self, by: Close) -> Vec<Seen> {
        self.emit_unwrapped(&reassembly::TcpEvent::Closed { connection: 0, at: Moment::default(), by });
        self.take()
    }

    fn take(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }
}

fn short(event: ConversationEvent<'_>) -> Seen {
    match event {
        ConversationEvent::Datagram { .. } => unreachable!("these are TCP connections"),
        ConversationEvent::Opened { client, transport, .. } => Opened {
            client: client.port(),
            is_web_socket: transport.is_web_socket,
            is_encrypted: transport.is_encrypted,
        },
        ConversationEvent::Bytes { direction, offset, stream_offset, bytes, .. } => {
            Bytes(direction, offset, stream_offset, bytes.to_vec())
        }
        ConversationEvent::Gap { direction, offset, length, .. } => Gap(direction, offset, length),
        ConversationEvent::Conflict { direction, stream_offset, length, .. } => {
            Conflict(direction, stream_offset, length)
        }
        ConversationEvent::ProxyHeader { header, .. } => Seen::ProxyHeader(header),
        ConversationEvent::BadFrame { direction, stream_offset, fault, .. } => {
            BadFrame(direction, stream_offset, fault)
        }
        ConversationEvent::Lag { direction, .. } => Lag(direction),
        ConversationEvent::Undecryptable { direction, reason, .. } => Seen::Undecryptable(direction, reason),
        ConversationEvent::OtherProtocol { client, protocol, .. } => {
            Seen::OtherProtocol(client.port(), protocol)
        }
        ConversationEvent::Fin { direction, .. } => Seen::Fin(direction),
        ConversationEvent::Closed { by, .. } => Closed(by),
    }
}

fn opened(client: u16) -> Seen {
    Opened { client, is_web_socket: false, is_encrypted: false }
}

fn bytes(direction: Direction, offset: u64, bytes: &[u8]) -> Seen {
    Bytes(direction, offset, offset, bytes.to_vec())
}

/// A frame with the given mask.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        length @ 0..126 => frame.push(masked | length as u8),
        length @ 126..65_536 => {
            frame.push(masked | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(masked | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let mask = mask.inspect(|mask| frame.extend(mask)).unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);

fn web_socket() -> SideBytes {
    let mut line = SideBytes::new(7777, HANDSHAKE);
    line.a(REQUEST).b(RESPONSE);
    assert_eq!(line.take(), [Opened { client: 40_000, is_web_socket: true, is_encrypted: false }]);
    line
}

/// The concatenated bytes of a direction.
fn joined(seen: &[Seen], direction: Direction) -> Vec<u8> {
    let parts = seen.iter().filter_map(|seen| match seen {
        Bytes(from, _, _, bytes) if *from == direction => Some(bytes.clone()),
        _ => None,
    });
    parts.collect::<Vec<_>>().concat()
}

#[test]
fn a_connect_is_mqtt_on_any_port() {
    for port in [1883, 80, 443, 9999] {
        let mut line = SideBytes::new(port, HANDSHAKE);
        line.a(CONNECT).b(CONNACK).a(PUBLISH);
        let expected = [
            opened(40_000),
            bytes(ClientToServer, 0, CONNECT),
            bytes(ServerToClient, 0, CONNACK),
            bytes(ClientToServer, 17, PUBLISH),
            Closed(Close::Reset(ServerToClient)),
        ];
        assert_eq!(line.close(Close::Reset(Side::B)), expected);
    }
}

#[test]
fn a_connect_is_known_however_it_is_cut() {
    for name in [&b"\x00\x04MQTT\x04"[..], b"\x00\x06MQIsdp\x03"] {
        let mut packet = vec![0x10, 0x80 | 20, 0x01];
        packet.extend(name);
        for size in 1..packet.len() {
            let mut line = SideBytes::new(9999, HANDSHAKE);
            line.a(&packet[..size]).a(&packet[size..]);
            assert_eq!(joined(&line.take(), ClientToServer), packet, "{size}");
        }
    }
}

#[test]
fn invalid_bytes_on_a_port_of_mqtt_are_mqtt() {
    for wrong in [&b"\x10\x0f\x00\x04MQTX\x04\x02"[..], b"\0\0\0", b"\x16\x03\x09\0\0\0", b"GETTY"] {
        let mut line = SideBytes::new(1883, HANDSHAKE);
        line.a(wrong);
        assert_eq!(line.close(Close::Fin)[..2], [opened(40_000), bytes(ClientToServer, 0, wrong)]);
        let mut line = SideBytes::new(9999, HANDSHAKE);
        line.a(wrong);
        assert_eq!(line.close(Close::Fin), [Seen::OtherProtocol(40_000, OtherProtocol::Unknown)]);
    }
}

#[test]
fn without_a_handshake_the_client_is_found_by_its_packets() {
    let pingreq = b"\xc0\x00";
    for (side, packet, client) in [
        (Side::A, &b"\x30\x06\x00\x03a/bx"[..], 40_000),
        (Side::B, pingreq, 1883),
        (Side::A, pingreq, 40_000),
        (Side::A, b"\xd0\x00", 1883),
        (Side::B, b"\x90\x03\x00\x01\x00", 40_000),
        (Side::A, b"\x30\x06\x00\x03a/bx\x82\x06\x00\x01\x00\x01#\x00", 40_000),
    ] {
        let mut line = SideBytes::new(1883, Start::Midway);
        line.send(side, packet);
        assert_eq!(line.take()[0], opened(client), "{packet:02x?}");
    }
    let mut line = SideBytes::new(50_000, Start::Midway);
    line.a(PUBLISH).b(b"\x40\x02\x00\x01");
    assert_eq!(line.take()[0], opened(50_000), "the lower port is the server's");
}

#[test]
fn midway_on_other_ports_both_sides_have_to_look_like_mqtt() {
    let mut line = SideBytes::new(9999, Start::Midway);
    line.a(PUBLISH);
    assert_eq!(line.take(), []);
    line.b(b"\xd0\x00");
    assert_eq!(
        line.take(),
        [opened(40_000), bytes(ClientToServer, 0, PUBLISH), bytes(ServerToClient, 0, b"\xd0\0")]
    );

    let mut line = SideBytes::new(9999, Start::Midway);
    line.a(PUBLISH).b(b"SSH-2.0-x\r\n");
    assert_eq!(line.take(), [Seen::OtherProtocol(40_000, OtherProtocol::Unknown)]);

    let mut line = SideBytes::new(9999, Start::Midway);
    line.a(PUBLISH).a(PUBLISH).a(PUBLISH);
    assert_eq!(line.close(Close::EndOfCapture)[0], opened(40_000), "three packets of one side");
    let mut line = SideBytes::new(9999, Start::Midway);
    line.a(PUBLISH);
    assert_eq!(line.close(Close::EndOfCapture), [Seen::OtherProtocol(40_000, OtherProtocol::Unknown)]);
}

#[test]
fn a_server_that_speaks_first_is_not_mqtt_unless_it_accepts() {
    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.b(b"220 mail ready\r\n");
    assert_eq!(line.take(), [Seen::OtherProtocol(40_000, OtherProtocol::Unknown)]);
    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.b(CONNACK);
    assert_eq!(line.take(), [opened(40_000), bytes(ServerToClient, 0, CONNACK)]);
}

#[test]
fn a_lost_beginning_is_reported_as_a_gap() {
    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.b(CONNACK);
    line.gap(Side::A, 17).a(PUBLISH);
    let expected = [
        opened(40_000),
        bytes(ServerToClient, 0, CONNACK),
        Gap(ClientToServer, 0, 17),
        bytes(ClientToServer, 17, PUBLISH),
    ];
    assert_eq!(line.take(), expected);
}

#[test]
fn conflicts_are_told_even_if_they_come_before_all_is_clear() {
    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.a(&CONNECT[..3]);
    let (at, side) = (Moment::default(), Side::A);
    line.emit_unwrapped(&reassembly::TcpEvent::Conflict { connection: 0, at, side, offset: 1, length: 2 });
    line.a(&CONNECT[3..]);
    line.emit_unwrapped(&reassembly::TcpEvent::Conflict { connection: 0, at, side, offset: 5, length: 1 });
    let seen = line.take();
    assert_eq!((&seen[2], &seen[4]), (&Conflict(ClientToServer, 1, 2), &Conflict(ClientToServer, 5, 1)));
}

#[test]
fn nothing_said_is_reported_once() {
    let mut line = SideBytes::new(1883, HANDSHAKE);
    assert_eq!(line.close(Close::Reset(Side::B)), [Seen::OtherProtocol(40_000, OtherProtocol::Silent)]);
    line.a(CONNECT);
    assert_eq!(line.take(), []);
}

fn client_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = "broker.example".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

fn tls(server_name: Option<&str>) -> Seen {
    tls_that(server_name, None)
}

fn tls_that(server_name: Option<&str>, reason: Option<Undecryptable>) -> Seen {
    Seen::OtherProtocol(40_000, OtherProtocol::Tls { server_name: server_name.map(str::to_owned), reason })
}

#[test]
fn tls_is_reported_with_the_name_of_the_server() {
    let hello = client_hello();
    for port in [8883, 1883, 9999] {
        for size in [1, 2, 5, 60, hello.len() - 1, hello.len()] {
            let mut line = SideBytes::new(port, HANDSHAKE);
            line.a(&hello[..size]);
            if size < hello.len() {
                assert_eq!(line.take(), [], "{size}");
                line.a(&hello[size..]);
            }
            line.b(b"\x16\x03\x03\x00\x7a\x02\x00");
            assert_eq!(line.take(), [tls(Some("broker.example"))]);
            assert_eq!(line.close(Close::Fin), []);
        }
    }
    let mut line = SideBytes::new(8883, HANDSHAKE);
    line.a(&hello[..100]);
    assert_eq!(line.close(Close::Fin), [tls(None)]);
    let mut line = SideBytes::new(9999, Start::Midway);
    line.a(b"\x17\x03\x03\x00\x20................................");
    assert_eq!(
        line.take(),
        [Seen::OtherProtocol(40_000, OtherProtocol::Tls { server_name: None, reason: None })]
    );
}

/// Reads "TLS" that is the hello, and then bytes with the highest bit turned; `!` cannot be read.
struct Toy {
    hello: usize,
}

impl Decryptor for Toy {
    fn session(&mut self, _connection: u32, hello: &[u8]) -> Result<Box<dyn Session>, Undecryptable> {
        Ok(Box::new(Toy { hello: hello.len() }))
    }
}

impl Session for Toy {
    fn receive(
        &mut self,
        direction: Direction,
        _at: Moment,
        chunk: Chunk<'_>,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        let Chunk::Bytes(bytes) = chunk else { return Err(Undecryptable::Gap) };
        let skipped = if direction == ClientToServer { self.hello.min(bytes.len()) } else { 0 };
        self.hello -= skipped;
        let clear: Vec<u8> = bytes[skipped..].iter().map(|byte| byte ^ 0x80).collect();
        if !clear.is_empty() && bytes != b"?" {
            plain(direction, Plain::Bytes(&clear));
        }
        match bytes {
            b"!" => return Err(Undecryptable::Malformed),
            b"?" => plain(direction, Plain::Unreadable(Undecryptable::Renegotiation)),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, _plain: &mut dyn FnMut(Direction, Plain<'_>)) {}
}

fn decrypted() -> SideBytes {
    let conversations = Conversations::new(Some(Box::new(Toy { hello: 0 })));
    SideBytes::with(conversations, 8883, HANDSHAKE)
}

fn toy(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x80).collect()
}

#[test]
fn a_decryptor_gets_all_bytes_and_gives_plain_ones() {
    let hello = client_hello();
    let length = hello.len() as u64;
    let mut line = decrypted();
    line.a(&hello).a(&toy(CONNECT)).b(&toy(CONNACK));
    let expected = [
        Opened { client: 40_000, is_web_socket: false, is_encrypted: true },
        Bytes(ClientToServer, 0, length, CONNECT.to_vec()),
        Bytes(ServerToClient, 0, 0, CONNACK.to_vec()),
        Closed(Close::Fin),
    ];
    assert_eq!(line.close(Close::Fin), expected);

    let mut line = decrypted();
    line.a(&hello).a(&toy(REQUEST)).b(&toy(RESPONSE)).b(&toy(&frame(0x82, None, CONNACK)));
    let expected = [
        Opened { client: 40_000, is_web_socket: true, is_encrypted: true },
        Bytes(ServerToClient, 0, 2 + RESPONSE.len() as u64, CONNACK.to_vec()),
    ];
    let seen = line.take();
    assert_eq!((&seen[0], joined(&seen, ServerToClient)), (&expected[0], CONNACK.to_vec()));
}

#[test]
fn undecryptable_connections_are_tls() {
    let hello = client_hello();
    for end in [Close::Fin, Close::EndOfCapture] {
        let mut line = decrypted();
        line.a(&hello);
        let silent = tls_that(Some("broker.example"), Some(Undecryptable::Silent));
        assert_eq!(line.close(end), [silent], "nothing came");
    }
    let mut line = decrypted();
    line.a(&hello).gap(Side::A, 5).a(&toy(CONNECT));
    assert_eq!(line.close(Close::Fin), [tls_that(Some("broker.example"), Some(Undecryptable::Gap))]);
    let mut line = decrypted();
    line.a(&hello).a(&toy(CONNECT)).b(b"!");
    let seen = line.close(Close::Fin);
    let of = |direction| Seen::Undecryptable(direction, Undecryptable::Malformed);
    let end = [of(ClientToServer), of(ServerToClient), Closed(Close::Fin)];
    assert!(seen.ends_with(&end), "it was open already: {seen:?}");
}

#[test]
fn a_direction_that_cannot_be_decrypted_is_reported_and_the_other_goes_on() {
    let mut line = decrypted();
    line.a(&client_hello()).a(&toy(CONNECT));
    line.take();
    line.a(b"?").b(&toy(CONNACK));
    let seen = line.take();
    assert_eq!(seen.first(), Some(&Seen::Undecryptable(ClientToServer, Undecryptable::Renegotiation)));
    assert_eq!(joined(&seen, ServerToClient), CONNACK);
}

const HEADER: &[u8] = b"PROXY TCP4 203.0.113.7 198.51.100.1 51234 8883\r\n";

fn header() -> Seen {
    let Beginning::Header(header, length) = ProxyHeader::parse(HEADER) else { panic!() };
    assert_eq!(length, HEADER.len());
    Seen::ProxyHeader(Ok(header))
}

#[test]
fn a_proxys_header_is_left_out_however_it_is_cut() {
    let all = [HEADER, CONNECT].concat();
    for start in [HANDSHAKE, Start::Midway] {
        for size in [1, 6, 40, HEADER.len() - 1, HEADER.len(), HEADER.len() + 1] {
            let mut line = SideBytes::new(9999, start);
            let (first, rest) = all.split_at(size);
            line.a(first).a(rest);
            let seen = line.take();
            assert_eq!(seen[..2], [opened(51_234), header()], "{size}");
            let Bytes(ClientToServer, 0, stream_offset, _) = seen[2] else { panic!("{seen:?}") };
            assert_eq!(stream_offset, HEADER.len() as u64);
            assert_eq!(joined(&seen, ClientToServer), CONNECT);
        }
    }
}

#[test]
fn behind_a_proxys_header_everything_is_recognised() {
    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.a(HEADER).a(&client_hello());
    let seen = line.take();
    assert!(matches!(seen[..], [Seen::OtherProtocol(51_234, OtherProtocol::Tls { .. })]), "{seen:?}");

    let mut line = decrypted();
    line.a(HEADER).a(&client_hello()).a(&toy(CONNECT));
    let seen = line.take();
    assert!(
        matches!(seen[..2], [Opened { client: 51_234, is_encrypted: true, .. }, Seen::ProxyHeader(_)]),
        "{seen:?}"
    );
    assert_eq!(joined(&seen, ClientToServer), CONNECT);

    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.a(HEADER).a(REQUEST).b(RESPONSE);
    assert!(matches!(line.take()[0], Opened { client: 51_234, is_web_socket: true, .. }));

    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.a(HEADER);
    assert_eq!(line.close(Close::Fin), [Seen::OtherProtocol(51_234, OtherProtocol::Silent)]);

    let mut line = SideBytes::new(9999, HANDSHAKE);
    line.b(HEADER);
    assert_eq!(line.take(), [Seen::OtherProtocol(40_000, OtherProtocol::Unknown)], "servers send none");
}

fn http(request: Option<&str>, response: Option<&str>) -> Seen {
    let (request, response) = (request.map(str::to_owned), response.map(str::to_owned));
    Seen::OtherProtocol(40_000, OtherProtocol::Http { request, response })
}

#[test]
fn http_that_opens_no_web_socket_for_mqtt_is_reported_with_its_lines() {
    let mut line = SideBytes::new(1883, HANDSHAKE);
    line.a(b"GET /index.html HTTP/1.1\r\n").a(b"Host: h\r\n\r\n");
    assert_eq!(line.take(), [http(Some("GET /index.html HTTP/1.1"), None)]);

    let mut line = SideBytes::new(9001, HANDSHAKE);
    line.a(REQUEST).b(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(line.take(), [http(Some("GET /mqtt HTTP/1.1"), Some("HTTP/1.1 404 Not Found"))]);

    let mut line = SideBytes::new(9001, HANDSHAKE);
    line.a(b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    line.b(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    assert_eq!(line.take(), [], "decided by the first frame");
    line.a(b"\x81\x85\0\0\0\0hello");
    assert_eq!(line.take(), [http(Some("GET /chat HTTP/1.1"), Some("HTTP/1.1 101 Switching Protocols"))]);

    let mut line = SideBytes::new(80, Start::Midway);
    line.b(b"HTTP/1.1 200 OK\r\n");
    assert_eq!(line.close(Close::Fin), [http(None, Some("HTTP/1.1 200 OK"))]);
}

#[test]
fn a_head_without_end_is_not_kept_without_end() {
    let mut line = SideBytes::new(9001, HANDSHAKE);
    line.a(b"GET / HTTP/1.1\r\n");
    for _ in 0..1000 {
        line.a(b"X-Padding: ........................................................................\r\n");
    }
    assert_eq!(line.take(), [http(Some("GET / HTTP/1.1"), None)]);
}

#[test]
fn frames_are_taken_off_however_they_are_cut() {
    let long = vec![0x30; 70_000];
    let from_client = [
        frame(0x82, MASK, CONNECT),
        frame(0x02, MASK, &PUBLISH[..3]),
        frame(0x89, MASK, b"ping"),
        frame(0x80, MASK, &PUBLISH[3..]),
        frame(0x82, MASK, &long[..300]),
        frame(0x82, MASK, &long),
        frame(0x82, MASK, b""),
        frame(0x88, MASK, b"\x03\xe8"),
    ]
    .concat();
    let expected = [CONNECT, PUBLISH, &long[..300], &long].concat();
    for size in [1, 2, 3, 7, 100, 9999, from_client.len()] {
        let mut line = web_socket();
        for part in from_client.chunks(size) {
            line.a(part);
        }
        line.b(&frame(0x82, None, CONNACK));
        let seen = line.take();
        assert_eq!(joined(&seen, ClientToServer), expected, "{size}");
        assert_eq!(joined(&seen, ServerToClient), CONNACK);
        assert!(!seen.iter().any(|seen| matches!(seen, BadFrame(..))), "{size}");
    }
}

#[test]
fn offsets_in_frames_count_payloads_and_the_streams_own_bytes() {
    let mut line = web_socket();
    line.a(&[frame(0x82, MASK, CONNECT), frame(0x82, MASK, PUBLISH)].concat());
    let head = REQUEST.len() as u64;
    let expected = [
        Bytes(ClientToServer, 0, head + 6, CONNECT.to_vec()),
        Bytes(ClientToServer, 17, head + 6 + 17 + 6, PUBLISH.to_vec()),
    ];
    assert_eq!(line.take(), expected);
}

#[test]
fn frames_may_follow_the_heads_at_once() {
    let mut line = SideBytes::new(9001, HANDSHAKE);
    line.a(&[REQUEST, &frame(0x82, MASK, CONNECT)].concat());
    line.b(&[RESPONSE, &frame(0x82, None, CONNACK)].concat());
    let seen = line.take();
    assert_eq!(
        (joined(&seen, ClientToServer), joined(&seen, ServerToClient)),
        (CONNECT.into(), CONNACK.into())
    );
}

#[test]
fn faulty_frames_are_reported_and_their_payload_kept() {
    for (side, frame, fault, is_data) in [
        (Side::A, frame(0x81, MASK, PUBLISH), FrameFault::Text, true),
        (Side::A, frame(0x82, None, PUBLISH), FrameFault::Unmasked, true),
        (Side::B, frame(0x82, MASK, PUBLISH), FrameFault::Masked, true),
        (Side::A, frame(0x80, MASK, PUBLISH), FrameFault::Order, true),
        (Side::A, frame(0x83, MASK, PUBLISH), FrameFault::Opcode(3), false),
        (Side::A, frame(0x8f, MASK, PUBLISH), FrameFault::Opcode(15), false),
        (Side::A, frame(0x89, MASK, &[0; 126]), FrameFault::Control, false),
        (Side::A, frame(0x09, MASK, b""), FrameFault::Control, false),
    ] {
        let mut line = web_socket();
        let next = super::tests::frame(0x82, if side == Side::A { MASK } else { None }, CONNECT);
        line.send(side, &frame).send(side, &next);
        let seen = line.take();
        let (direction, head) = match side {
            Side::A => (ClientToServer, REQUEST.len()),
            Side::B => (ServerToClient, RESPONSE.len()),
        };
        assert_eq!(seen[0], BadFrame(direction, head as u64, fault));
        let expected = if is_data { [PUBLISH, CONNECT].concat() } else { CONNECT.to_vec() };
        assert_eq!(joined(&seen, direction), expected, "{fault}");
    }
}

#[test]
fn a_message_that_begins_inside_another_is_out_of_order() {
    let mut line = web_socket();
    line.a(&frame(0x02, MASK, b"a")).a(&frame(0x82, MASK, b"b"));
    assert!(line.take().iter().any(|seen| matches!(seen, BadFrame(_, _, FrameFault::Order))));
}

#[test]
fn after_frames_that_cannot_be_read_a_direction_is_silent() {
    let too_long = [&[0x82, 0xff][..], &[0xff; 12]].concat();
    for (frame, fault) in
        [(frame(0xc2, MASK, PUBLISH), FrameFault::ReservedBits), (too_long, FrameFault::Length)]
    {
        let mut line = web_socket();
        line.a(&frame).a(&super::tests::frame(0x82, MASK, CONNECT));
        line.b(&super::tests::frame(0x82, None, CONNACK));
        let head = REQUEST.len() as u64;
        let seen = line.take();
        assert_eq!(seen[0], BadFrame(ClientToServer, head, fault));
        assert_eq!(joined(&seen, ClientToServer), b"");
        assert_eq!(joined(&seen, ServerToClient), CONNACK);
    }
}

#[test]
fn missing_bytes_inside_a_payload_are_a_gap_and_elsewhere_the_end() {
    let whole = [frame(0x82, MASK, b"0123456789"), frame(0x82, MASK, b"abc")].concat();
    let head = REQUEST.len() as u64;
    let mut line = web_socket();
    line.a(&whole[..8]).gap(Side::A, 5).a(&whole[13..]);
    let expected = [
        Bytes(ClientToServer, 0, head + 6, b"01".to_vec()),
        Gap(ClientToServer, 2, 5),
        Bytes(ClientToServer, 7, head + 13, b"789".to_vec()),
        Bytes(ClientToServer, 10, head + 22, b"abc".to_vec()),
    ];
    assert_eq!(line.take(), expected);

    let mut line = web_socket();
    line.a(&whole[..8]).gap(Side::A, 8).a(&whole[16..]);
    let seen = line.take();
    assert_eq!((&seen[1], joined(&seen, ClientToServer)), (&Gap(ClientToServer, 2, 8), b"01abc".to_vec()));

    for (there, missing) in [(8, 9), (16, 1), (17, 1), (0, 3)] {
        let mut line = web_socket();
        if there > 0 {
            line.a(&whole[..there]);
        }
        line.gap(Side::A, missing as u64).a(&whole[there + missing..]);
        let last = BadFrame(ClientToServer, head + there as u64, FrameFault::LostTrack);
        assert_eq!(line.take().last(), Some(&last), "{there}");
    }
}

proptest! {
    #[test]
    fn any_frames_give_bytes_in_order(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        fuzzing::web_socket(&bytes);
    }

    #[test]
    fn any_first_bytes_are_something(
        port in prop_oneof![Just(1883_u16), Just(8883), Just(9001), Just(9999)],
        is_midway: bool,
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 1..40)), 0..20),
    ) {
        let start = if is_midway { Start::Midway } else { HANDSHAKE };
        let mut line = SideBytes::new(port, start);
        for (is_a, part) in &parts {
            line.send(if *is_a { Side::A } else { Side::B }, part);
        }
        let seen = line.close(Close::Fin);
        let is_told = matches!(seen.last(), Some(Closed(_) | Seen::OtherProtocol(..)));
        prop_assert!(is_told, "{seen:?}");
    }
}
