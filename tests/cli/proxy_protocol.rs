//! The header of the PROXY protocol: sent by clients, and recognised by the inspector.

use super::support::capture::capture;
use super::support::certificates::*;
use super::support::peer::Acceptor;
use super::support::process::Finished;
use super::support::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Reads the line of version 1; gives its protocol and the two addresses.
fn read_line(stream: &mut TcpStream) -> (String, SocketAddr, SocketAddr) {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
        assert!(line.len() <= 107, "{line:?}");
    }
    let line = String::from_utf8(line).unwrap();
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let ["PROXY", protocol, from, to, from_port, to_port] = words[..] else { panic!("{line}") };
    let address = |ip: &str, port: &str| SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap());
    (protocol.to_owned(), address(from, from_port), address(to, to_port))
}

/// Reads a header of version 2 with addresses of IPv4.
fn read_binary(stream: &mut TcpStream) -> (SocketAddr, SocketAddr) {
    let mut header = [0; 28];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(&header[..16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
    let address = |ip: usize, port: usize| {
        let octets = <[u8; 4]>::try_from(&header[ip..ip + 4]).unwrap();
        SocketAddr::from((octets, u16::from_be_bytes([header[port], header[port + 1]])))
    };
    (address(16, 24), address(20, 26))
}

/// Takes the header off a connection, and checks that it tells the addresses of the socket.
fn take_header(version: &str, stream: &mut TcpStream) {
    let (from, to) = match version {
        "v1" => {
            let (protocol, from, to) = read_line(stream);
            assert_eq!(protocol, "TCP4");
            (from, to)
        }
        _ => read_binary(stream),
    };
    assert_eq!((from, to), (stream.peer_addr().unwrap(), stream.local_addr().unwrap()));
}

fn accept_behind(version: &'static str, peer: &mut Acceptor) -> Wire {
    let mut stream = peer.accept().into_stream();
    take_header(version, &mut stream);
    Wire::new(stream)
}

#[test]
fn clients_send_a_header_in_front_of_connect() {
    for version in ["v1", "v2"] {
        for command in ["pub -t a -m x -q 1", "sub -t a -C 1", "rr -V 311 -t a -e b -m x -W 5"] {
            let peer = ScriptedPeer::start(move |peer| {
                let mut client = accept_behind(version, peer);
                client.expect_type(0x10);
                client.send("20 (00 05)");
            });
            let stderr = peer.mq(&format!("{command} --proxy-protocol {version}")).run().stderr;
            assert_says(&stderr, &["not authorized"]);
            peer.finish();
        }
    }
    assert_says(&mq("pub -t a -m x --proxy-protocol v3").run().fail(2), &["--proxy-protocol", "v1 or v2"]);
}

#[test]
fn the_load_generator_and_the_doctor_send_one() {
    for command in ["bench conn -c 1", "doctor"] {
        let peer = ScriptedPeer::start(|peer| {
            let mut client = accept_behind("v2", peer);
            client.expect_type(0x10);
            client.send("20 (00 05)");
        });
        let finished = peer.mq(&format!("{command} -V 311 --proxy-protocol v2")).run();
        assert_says(
            &format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout)),
            &["not authorized"],
        );
    }
}

#[test]
fn the_header_comes_before_tls() {
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let peer = ScriptedPeer::start(|peer| {
        let mut stream = peer.accept().into_stream();
        take_header("v2", &mut stream);
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).unwrap();
        assert_eq!(hello[..2], [0x16, 3], "a handshake follows");
    });
    let options = files.words("--cafile {}/ca.pem --proxy-protocol v2");
    peer.mq(&format!("pub -t a -m x {options}")).run();
    peer.finish();
}

#[test]
fn the_doctor_names_the_header_if_every_connection_is_closed() {
    let peer = ScriptedPeer::start(|peer| {
        peer.accept().expect_type(0x10);
    });
    let finished = peer.mq("doctor -V 311").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["before CONNACK", "--proxy-protocol v2"]);
}

/// Bytes of a script, which are written without a length.
fn ascii(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn shown(script: &str, options: &str) -> Finished {
    mq(&format!("inspect {options}")).stdin(capture(script)).run()
}

const CONVERSATION: &str = "> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n> 30 (`t` 'x')\n> e0 ()\nclose";

#[test]
fn a_header_is_skipped_and_the_client_behind_it_shown() {
    let line = ascii("PROXY TCP4 203.0.113.7 198.51.100.1 51234 8883\r\n");
    let binary = "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 000c cb007107 c6336401 c822 22b3";
    for (header, version) in [(line.as_str(), "v1"), (binary, "v2")] {
        let script = format!("> {header}\n{CONVERSATION}");
        let output = shown(&script, "--lint=info").succeed();
        assert_says(
            &output,
            &[
                "203.0.113.7:51234 connects to 10.0.0.2:1883\n",
                &format!(
                    "PROXY protocol {version}, sent by 10.0.0.1:40000: 203.0.113.7:51234 connected to 198.51.100.1:8883"
                ),
                "CONNECT     MQTT 3.1.1, client id \"c\"",
                "PUBLISH     \"t\" QoS 0, 1 byte \"x\"",
            ],
        );
        assert!(!output.contains("error") && !output.contains("skipped"), "{output}");
        let json = shown(&script, "--format json").succeed();
        assert_says(
            &json,
            &[&format!(
                "\"proxy\":\"10.0.0.1:40000\",\"version\":\"{version}\",\"client\":\"203.0.113.7:51234\",\"server\":\"198.51.100.1:8883\""
            )],
        );
    }
}

#[test]
fn a_header_may_come_in_pieces_and_with_the_connect() {
    let line = ascii("PROXY UNKNOWN\r\n");
    let (first, rest) = line.split_at(3 * 7);
    let connect = "10 (`MQTT` 04 02 003c `c`)";
    for script in [format!("> {first}\n> {rest}\n> {connect}"), format!("> {line} {connect}")] {
        let output = shown(&format!("{script}\n< 20 (0000)\n> e0 ()\nclose"), "--lint=info").succeed();
        assert_says(
            &output,
            &["10.0.0.1:40000 connects to", "PROXY protocol v1", "without a client address", "CONNECT "],
        );
    }
}

#[test]
fn an_invalid_header_is_a_finding() {
    let script = format!("> {}\n{CONVERSATION}", ascii("PROXY TCP4 203.0.113.7 nowhere 1 2\r\n"));
    let finished = shown(&script, "--lint");
    finished.expect_status(4);
    let output = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(
        &output,
        &["invalid header: an address or a port is missing or invalid", "mq/proxy-protocol", "CONNECT "],
    );
    let endless = format!("> {}\nclose", ascii(&format!("PROXY {}", "x".repeat(200))));
    let finished = shown(&endless, "--lint");
    finished.expect_status(4);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["invalid header: no line end"]);
}

/// A proxy that listens, and its address.
fn inspecting(to: SocketAddr, options: &str) -> (Running, SocketAddr) {
    let mut running = mq("inspect --listen 0").words(&format!("--to {to} {options}")).spawn();
    let line = running.wait_for_stderr("");
    let address = listening_address(&line);
    (running, address)
}

#[test]
fn a_proxy_shows_the_client_behind_the_header_and_forwards_it() {
    let header = "PROXY TCP4 203.0.113.7 198.51.100.1 51234 8883\r\n";
    let peer = ScriptedPeer::start(move |peer| {
        let mut stream = peer.accept().into_stream();
        let mut forwarded = vec![0; header.len()];
        stream.read_exact(&mut forwarded).unwrap();
        assert_eq!(forwarded, header.as_bytes());
        let mut client = Wire::new(stream);
        client.expect_type(0x10);
        client.send("20 (00 00)");
        client.expect("e0 ()");
    });
    let (proxy, address) = inspecting(peer.address(), "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(header.as_bytes()).unwrap();
    let mut client = Wire::new(stream);
    client.send("10 (`MQTT` 04 02 003c `c`)");
    client.expect("20 (00 00)");
    client.send("e0 ()");
    client.expect_end();
    peer.finish();
    proxy.signal("INT");
    let output = String::from_utf8(proxy.finish().stdout).unwrap();
    assert_says(
        &output,
        &["203.0.113.7:51234 connects to", "PROXY protocol v1, sent by 127.0.0.1:", "CONNECT     MQTT 3.1.1"],
    );
}
