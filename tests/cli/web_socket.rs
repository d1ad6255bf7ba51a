//! MQTT over WebSocket, against both brokers and against servers that speak the handshake by hand.

use super::support::*;
use std::net::{Ipv4Addr, SocketAddr};
use tungstenite::handshake::derive_accept_key;

/// `mq broker` with a port for WebSockets.
struct WebSocketBroker {
    _running: Running,
    address: SocketAddr,
    plain: SocketAddr,
}

impl WebSocketBroker {
    fn start() -> WebSocketBroker {
        let mut running = mq("broker -p 0 --ws-port 0").spawn();
        let plain = running.wait_for_stdout("listening on");
        let plain = plain.rsplit(' ').next().unwrap().parse().unwrap();
        let line = running.wait_for_stdout("(WebSocket)");
        let address = line.split(' ').nth(2).unwrap().parse().unwrap();
        WebSocketBroker { _running: running, address, plain }
    }
}

impl Server for WebSocketBroker {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// mosquitto with a port for WebSockets, and that port.
fn mosquitto() -> Option<(Mosquitto, SocketAddr)> {
    let mosquitto = Mosquitto::start_with("listener {port} 127.0.0.1\nprotocol websockets")?;
    let address = (Ipv4Addr::LOCALHOST, mosquitto.further_port(0)).into();
    Some((mosquitto, address))
}

/// What both brokers must do, at this address.
fn assert_messages_go_both_ways(address: SocketAddr, size: usize) {
    let place = format!("-h {} -p {} --ws", address.ip(), address.port());
    let payload = "0123456789abcdef".repeat(size / 16);
    let mut subscriber = mq(&format!("sub -d -q 2 -t a/# -C 3 {place}")).spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    mq(&format!("pub -t a/small -q 2 -m one {place}")).run().succeed();
    mq(&format!("pub -t a/large -q 2 -s {place}")).stdin(payload.clone()).run().succeed();
    mq(&format!("pub -L ws://{address}/a/url -q 1 -m three")).run().succeed();
    let finished = subscriber.finish();
    finished.expect_status(0);
    assert!(finished.stdout == format!("one\n{payload}\nthree\n").as_bytes(), "all messages arrive whole");
}

#[test]
fn messages_go_both_ways_through_the_embedded_broker() {
    assert_messages_go_both_ways(WebSocketBroker::start().address(), 3 << 20);
}

#[test]
fn messages_go_both_ways_through_mosquitto() {
    let Some((mosquitto, address)) = mosquitto() else { return };
    // It sends what exceeds its kernel's buffer in parts of 4 KiB, ten in a second.
    assert_messages_go_both_ways(address, 80_000);
    let payload = "0123456789abcdef".repeat(200_000);
    let subscriber = mosquitto.subscriber("-t large -q 2 -C 1");
    mq("pub -t large -q 2 --ws -s")
        .words(&format!("-h {} -p {}", address.ip(), address.port()))
        .stdin(payload.clone())
        .run()
        .succeed();
    assert!(subscriber.finish().succeed() == payload + "\n", "it arrives whole");
}

#[test]
fn a_flood_of_lines_arrives_in_order() {
    let broker = WebSocketBroker::start();
    let lines: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let mut subscriber = broker.mq("sub --ws -d -t a -q 1 -C 20000").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    broker.mq("pub --ws -t a -q 1 -l").stdin(lines.clone()).run().succeed();
    assert!(subscriber.finish().succeed() == lines);
}

#[test]
fn clients_with_and_without_web_socket_meet() {
    let broker = WebSocketBroker::start();
    let plain = format!("-h {} -p {}", broker.plain.ip(), broker.plain.port());
    mq(&format!("pub -t a -m plain -r {plain}")).run().succeed();
    assert_eq!(broker.mq("sub --ws -t a -C 1").run().succeed(), "plain\n");
}

/// Reads a request, and answers it with these lines after the status. Gives the request.
fn answer(client: &mut Wire, status: &str, lines: &[&str]) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(client.expect_byte()));
    }
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let accept = derive_accept_key(key.as_bytes());
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for line in lines {
        text += &format!("{}\r\n", line.replace("{accept}", &accept));
    }
    client.send_bytes(format!("{text}\r\n").as_bytes());
    request
}

const UPGRADE: [&str; 4] = [
    "upgrade: WebSocket",
    "connection: keep-alive, upgrade",
    "sec-websocket-accept: {accept}",
    "sec-websocket-protocol: mqtt",
];

#[test]
fn the_request_has_path_host_and_headers() {
    for (options, path, host) in [
        ("--ws -t a", "/mqtt", None),
        ("--ws -t a --ws-path x/y?z", "/x/y?z", None),
        ("--ws -t a --ws-header Host:example.org", "/mqtt", Some("example.org")),
        ("-L ws://{address}/chat%20room/#1?q -t a", "/chat%20room/%231?q", None),
        ("-L ws://{address}/a", "/mqtt", None),
        ("-L ws://{address} -t a", "/mqtt", None),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            let request = answer(&mut client, "404 Not Found", &[]);
            assert!(request.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{request}");
            let host = host.map_or(client.local_address().to_string(), str::to_owned);
            let request = request.to_lowercase();
            for line in [
                format!("host: {host}"),
                "x-token: a b".to_owned(),
                "sec-websocket-protocol: mqtt".to_owned(),
            ] {
                assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} is missing in {request}");
            }
        });
        let options = options.replace("{address}", &peer.address().to_string());
        let program = peer.mq("pub -m x").words(&options).arg("--ws-header").arg("X-Token: a b");
        assert_says(&program.run().fail(1), &["404 Not Found", "--ws-path"]);
        peer.finish();
    }
}

#[test]
fn packets_need_not_fit_frames_and_pings_are_answered() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        answer(&mut client, "101 Switching Protocols", &UPGRADE);
        let connect = client.expect_frame(0x82);
        assert_eq!(connect[0], 0x10);
        client.send("82 01 20  89 02 'hi'  02 02 02 00  00 00  80 01 00");
        assert_eq!(client.expect_frame(0x8a), b"hi");
        assert_eq!(client.expect_frame(0x82)[0], 0x82);
        // SUBACK and a message in two frames that are cut anywhere, and a close.
        client.send("82 07 90 03 00 01 00 30 05  82 05 00 01 'a' 'hi'  88 02 03e8");
        assert_eq!(client.expect_frame(0x88), [0x03, 0xe8]);
    });
    let finished = peer.mq("sub --ws -t a -C 1").run();
    assert_eq!(finished.succeed(), "hi\n");
    drop(peer);
}

#[test]
fn servers_that_do_not_speak_it_are_reported() {
    let without = |name: &'static str| -> Vec<&'static str> {
        UPGRADE.into_iter().filter(|line| !line.starts_with(name)).collect()
    };
    for (status, lines, parts) in [
        ("401 Unauthorized", vec![], vec!["401 Unauthorized", "/mqtt", "--ws-header"]),
        ("426 Upgrade Required", vec![], vec!["426 Upgrade Required", "-p"]),
        ("200 OK", UPGRADE.to_vec(), vec!["200 OK"]),
        ("101 Go", without("upgrade"), vec!["another protocol"]),
        ("101 Go", without("sec-websocket-protocol"), vec!["subprotocol mqtt"]),
        (
            "101 Go",
            [&without("sec-websocket-protocol")[..], &["sec-websocket-protocol: chat"]].concat(),
            vec!["subprotocol"],
        ),
        (
            "101 Go",
            [&without("sec-websocket-accept")[..], &["sec-websocket-accept: x"]].concat(),
            vec!["Accept"],
        ),
        (
            "101 Go",
            [&UPGRADE[..], &["sec-websocket-extensions: permessage-deflate"]].concat(),
            vec!["extension"],
        ),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            answer(&mut peer.accept(), status, &lines);
        });
        assert_says(&peer.mq("pub --ws -t a -m x").run().fail(1), &parts);
        peer.finish();
    }
}

#[test]
fn a_plain_broker_is_distinguished_from_one_with_web_socket() {
    let broker = EmbeddedBroker::start();
    assert_says(&broker.mq("pub --ws -t a -m x").run().fail(1), &["no WebSocket", "closed", "-p PORT"]);
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.send("20 (00 00)");
        client.expect_end();
    });
    assert_says(&peer.mq("pub --ws -t a -m x").run().fail(1), &["the answer is not HTTP", "\\x02"]);
    peer.finish();
    let broker = WebSocketBroker::start();
    assert_says(&broker.mq("pub -t a -m x").run().fail(7), &["closed"]);
}

#[test]
fn frames_that_break_the_rules_end_the_connection() {
    for (frame, part) in [
        ("81 02 'hi'", "text frame"),
        ("80 01 20", "out of order"),
        ("82 81 00000000 20", "masked"),
        ("c2 01 20", "reserved"),
        ("88 05 03f0 'bad'", "1008: bad"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            answer(&mut client, "101 Switching Protocols", &UPGRADE);
            client.expect_frame(0x82);
            client.send(frame);
            client.expect_frame(0x88);
        });
        assert_says(&peer.mq("pub --ws -t a -m x").run().fail(7), &[part]);
        peer.finish();
    }
}

#[test]
fn an_invalid_close_frame_is_answered_with_its_fault() {
    for (frame, code, part) in [
        ("88 01 03", 1002_u16, "half a status code"),
        ("88 02 0000", 1002, "the status code 0,"),
        ("88 02 03ee", 1002, "the status code 1006,"),
        ("88 02 1388", 1002, "the status code 5000,"),
        ("88 04 03e8 c328", 1007, "a reason that is not UTF-8"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            answer(&mut client, "101 Switching Protocols", &UPGRADE);
            client.expect_frame(0x82);
            client.send(frame);
            assert_eq!(client.expect_frame(0x88), code.to_be_bytes());
        });
        let stderr = peer.mq("pub --ws -t a -m x").run().fail(7);
        assert_says(&stderr, &["the broker sent a WebSocket close frame with ", part]);
        peer.finish();
    }
}

#[test]
fn the_embedded_broker_answers_a_close_frame_with_its_code_or_its_fault() {
    let broker = WebSocketBroker::start();
    for (payload, code) in
        [(&b"\x03\xe8bye"[..], 1000_u16), (b"\x03\xe8\xc3(", 1007), (b"\x03\xee", 1002), (b"\x03", 1002)]
    {
        let mut client = broker.connect();
        client.send_bytes(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
              Sec-WebSocket-Protocol: mqtt\r\n\r\n",
        );
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(client.expect_byte()));
        }
        // Masked with zeros.
        client.send_bytes(&[&[0x88, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat());
        assert_eq!(client.expect_end(), [&[0x88, 2][..], &code.to_be_bytes()].concat());
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let peer = ScriptedPeer::start(|peer| drop(peer.accept().expect_end()));
    let stderr = peer.mq("pub --ws -t a -m x --connect-timeout 0.1").run().fail(1);
    assert_says(&stderr, &["no connection to", "0.1 s"]);
    peer.finish();
}

#[test]
fn the_embedded_broker_refuses_other_requests() {
    let broker = WebSocketBroker::start();
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for lines in ["", upgrade, &format!("{upgrade}Sec-WebSocket-Protocol: chat\r\n")] {
        let mut client = broker.connect();
        client.send_bytes(format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n").as_bytes());
        let answer = client.expect_end();
        assert!(answer.starts_with(b"HTTP/1.1 426 "), "{}", answer.escape_ascii());
    }
    let mut client = broker.connect();
    client.send("10 (`MQTT` 04 02 003c `client`)");
    client.expect_end();
    broker.mq("pub --ws -t a -m x").run().succeed();
}

#[test]
fn the_old_name_of_the_subprotocol_is_taken() {
    let broker = WebSocketBroker::start();
    for (offered, chosen) in
        [("mqttv3.1", "mqttv3.1"), ("mqttv3.1, mqtt", "mqtt"), ("chat,mqttv3.1", "mqttv3.1")]
    {
        let mut client = broker.connect();
        client.send_bytes(
            format!(
                "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: {offered}\r\n\r\n"
            )
            .as_bytes(),
        );
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") {
            answer.push(char::from(client.expect_byte()));
        }
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        let line = format!("sec-websocket-protocol: {chosen}\r\n");
        assert!(answer.to_lowercase().contains(&line), "{answer}");
    }
}

/// A server that accepts only this subprotocol. Returns the client's offers, and whether it continued.
fn server_for(name: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        let chosen = format!("sec-websocket-protocol: {name}");
        let request = answer(&mut client, "101 Switching", &[&UPGRADE[..3], &[&chosen]].concat());
        let offers = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
        assert!(offers.is_some_and(|offers| offers.split(", ").any(|offer| offer == name)), "{request}");
        client.expect_byte();
    })
}

#[test]
fn the_old_name_is_offered_with_version_31() {
    for (name, words) in [("mqttv3.1", "-V 31"), ("mqtt", "-V 31"), ("mqtt", "-V 311"), ("mqtt", "-V 5")] {
        let peer = server_for(name);
        peer.mq(&format!("pub --ws {words} -t a -m x")).run();
        peer.finish();
    }
}

#[test]
fn clients_of_version_31_reach_the_embedded_broker() {
    let broker = WebSocketBroker::start();
    broker.mq("pub --ws -V 31 -t a -m x -r -q 1").run().succeed();
    assert_eq!(broker.mq("sub --ws -V 31 -t a -C 1").run().succeed(), "x\n");
}

/// A client that offers the old name alone, through the proxy, to a server that knows no other.
#[test]
fn the_proxy_passes_the_old_name_on() {
    let peer = server_for("mqttv3.1");
    let mut proxy = mq(&format!("inspect --listen ws://127.0.0.1:0 --to ws://{}", peer.address())).spawn();
    let line = proxy.wait_for_stderr("listening on");
    let address = listening_address(&line);
    let mut client = Wire::new(std::net::TcpStream::connect(address).unwrap());
    client.send_bytes(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Sec-WebSocket-Protocol: mqttv3.1\r\n\r\n",
    );
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(client.expect_byte()));
    }
    assert_says(&head.to_lowercase(), &["101", "sec-websocket-protocol: mqttv3.1"]);
    // A frame of one masked byte: the server reads it.
    client.send_bytes(&[0x82, 0x81, 0, 0, 0, 0, 0x10]);
    peer.finish();
}

#[test]
fn a_trace_names_web_socket_and_shows_the_packets_inside() {
    let broker = WebSocketBroker::start();
    let finished = broker.mq("pub --ws -d -t a -n").run();
    assert_says(&finished.stderr, &["over WebSocket", "-> PUBLISH     \"a\" QoS 0, 0 bytes"]);
    finished.succeed();
}
