//! The log of `mq broker` on standard error: refused connections, faults of clients, and a reader that does not read.

use crate::support::*;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[test]
fn a_malformed_connect_gets_the_reason_in_mqtt_5() {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v");
    for (text, reason_code, fault) in [
        ("10 (`MQTT` 05 03 003c () `me`)", 0x81, "reserved connect flag"),
        ("11 (`MQTT` 05 02 003c () `me`)", 0x81, "reserved flags"),
        ("10 (`MQTT` 05 1e 003c () `me` () `a` `b`)", 0x81, "will QoS 3"),
        ("10 (`MQTT` 05 02 003c ())", 0x81, "client identifier"),
        ("10 (`MQTT` 05 02 003c () 0003 61 ff 62)", 0x81, "UTF-8"),
        ("10 (`MQTT` 05 02 003c (7f 00) `me`)", 0x81, "unknown property"),
        ("10 (`MQTT` 05 02 003c (21 0000) `me`)", 0x82, "receive-maximum 0"),
        ("10 (`MQTT` 05 02 003c (21 0001 21 0001) `me`)", 0x82, "duplicate property"),
        ("10 (`MQTT` 05 02 003c (16 `x`) `me`)", 0x82, "without an authentication method"),
        ("10 (`MQTT` 05 06 003c () `me` () `a/#` `b`)", 0x90, "will topic"),
        ("10 (`MQTT` 05 02 003c () `me` 00)", 0x81, "1 trailing byte"),
        ("10 ff ff ff 7f `MQTT` 05 02 003c", 0x95, "268435460 bytes"),
    ] {
        let mut client = broker.connect();
        client.try_send_bytes(&bytes::hex(text));
        let expected = format!("20 03 00 {reason_code:02x} 00");
        assert_eq!(client.expect_end(), bytes::hex(&expected), "for {text}");
        assert_says(&broker.process().wait_for_stderr(fault), &["refused a connection from 127.0.0.1:"]);
    }
    // 3.1.1 has no answer for that.
    let mut client = broker.connect();
    client.send("10 (`MQTT` 04 03 003c `me`)");
    assert_eq!(client.expect_end(), b"");
}

#[test]
fn the_fault_of_a_client_is_reported_with_v() {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v");
    let mut client = Wire::v311(&broker, "careless");
    client.send("36 (`a` 0001 'x')");
    client.expect_end();
    assert_says(&broker.process().wait_for_stderr("\"careless\" disconnected"), &["invalid QoS 3"]);
}

#[test]
fn a_subscription_identifier_from_a_client_is_reported_with_v() {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v");
    let mut client = Wire::v5(&broker, "careless", "");
    client.send("30 (`a` (0b 01) 'x')");
    assert_eq!(client.expect_end(), bytes::hex("e0 01 82"));
    let fault = "PUBLISH from a client with a subscription identifier";
    assert_says(&broker.process().wait_for_stderr("\"careless\" disconnected"), &[fault]);
}

#[test]
fn refused_connections_are_summed_up() {
    let broker = EmbeddedBroker::start();
    for _ in 0..20 {
        let mut client = broker.connect();
        client.send("c0 00");
        client.expect_end();
    }
    let process = broker.into_process();
    process.signal("TERM");
    let finished = process.finish();
    let stderr = &finished.stderr;
    assert_eq!(stderr.matches("refused a connection").count(), 1, "{stderr}");
    assert_says(stderr, &["refused 19 more connections", "not CONNECT"]);
}

/// A pipe that is not read; it holds 64 KiB.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let mut broker = Command::new(mq_path())
        .args(["broker", "-p", "0", "-v"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(broker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let server = At(line.trim().rsplit(' ').next().unwrap().parse().unwrap());
    for number in 0..2000 {
        Wire::v311(&server, &format!("{number}-{}", "x".repeat(100)));
    }
    Wire::v311(&server, "witness").ping();
    let mut stderr = BufReader::new(broker.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("left out") {
        assert_ne!(stderr.read_line(&mut text).unwrap(), 0, "{text}");
    }
    assert_says(&text, &["lines of this log: standard error was not read in time"]);
    broker.kill().unwrap();
    let _ = stderr.read_to_string(&mut text);
    broker.wait().unwrap();
}

struct At(std::net::SocketAddr);

impl Server for At {
    fn address(&self) -> std::net::SocketAddr {
        self.0
    }
}

#[test]
fn clients_without_WebSocket_on_its_port_are_named() {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v --ws-port 0");
    let line = broker.process().wait_for_stdout("(WebSocket)");
    let address = line.split(' ').nth(2).unwrap();
    for (text, problem) in [
        ("16 03 01 00 05", "the client speaks TLS, and this port is for WebSocket without TLS"),
        ("10 (`MQTT` 04 02 003c `me`)", "the client speaks MQTT without WebSocket"),
    ] {
        let mut client = Wire::new(TcpStream::connect(address).unwrap());
        client.send(text);
        broker.process().wait_for_stderr(problem);
    }
}

#[test]
fn a_client_is_named_that_sends_bad_frames_of_WebSocket() {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v --ws-port 0");
    let line = broker.process().wait_for_stdout("(WebSocket)");
    let mut client = Wire::new(TcpStream::connect(line.split(' ').nth(2).unwrap()).unwrap());
    client.send_bytes(
        b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Sec-WebSocket-Protocol: mqtt\r\n\r\n",
    );
    // Not masked, as frames of servers.
    client.send("82 02 c0 00");
    broker.process().wait_for_stderr("the client sent a WebSocket frame that is not masked");
}
