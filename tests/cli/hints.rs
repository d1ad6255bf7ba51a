//! What is said beside an error, where brokers themselves say nothing or little. Each peer behaves as a broker that was seen to.

use super::support::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// Closes the connection after CONNECT without a byte.
fn closing() -> ScriptedPeer {
    ScriptedPeer::start(|peer| drop(peer.accept().expect_type(0x10)))
}

/// Answers CONNECT with this, and closes.
fn refusing(connack: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send(connack);
    })
}

fn refusing_and_run(connack: &'static str, words: &str) -> process::Finished {
    let peer = refusing(connack);
    let finished = peer.mq(words).run();
    peer.finish();
    finished
}

#[track_caller]
fn assert_hint(peer: ScriptedPeer, words: &str, status: i32, parts: &[&str]) -> String {
    let finished = peer.mq(words).run();
    peer.finish();
    let stderr = finished.fail(status);
    assert_says(&stderr, parts);
    stderr
}

#[test]
fn a_broker_that_closes_at_an_unknown_version_is_met_with_another() {
    for words in ["rr -t a -m x -e b", "pub -V 5 -t a -m x", "sub -V 5 -t a"] {
        assert_hint(closing(), words, 7, &["hint: ", "MQTT 5", "-V 311", "--tls-use-os-certs"]);
        assert_hint(refusing("20 (00 01)"), words, 5, &["hint: try -V 311"]);
    }
    assert_hint(closing(), "pub -V 31 -t a -m x", 7, &["MQTT 3.1", "-V 311"]);
    assert_hint(refusing("20 (00 01)"), "pub -t a -m x", 5, &["hint: try -V 5"]);
}

#[test]
fn a_port_for_tls_is_thought_of() {
    let stderr = assert_hint(closing(), "pub -t a -m x", 7, &["TLS", "--tls-use-os-certs", "--cafile"]);
    assert!(!stderr.contains("-V"), "{stderr}");
}

#[test]
fn a_load_generator_does_not_ask_whether_a_broker_runs_that_closes() {
    let peer = ScriptedPeer::start(|peer| drop(peer.accept().expect_type(0x10)));
    let finished = peer.mq("bench conn -c 1 -V 5").run();
    peer.finish();
    finished.expect_status(1);
    assert_says(&finished.stderr, &["hint: ", "-V 311"]);
    assert!(!finished.stderr.contains("is the broker running"), "{}", finished.stderr);
}

#[test]
fn worker_processes_report_the_kind_of_a_failure() {
    let peer = ScriptedPeer::start(|peer| (0..2).for_each(|_| drop(peer.accept().expect_type(0x10))));
    let finished = peer.mq("bench conn -c 2 -V 5 --processes 2").run();
    peer.finish();
    finished.expect_status(1);
    assert_says(&finished.stderr, &["2 of 2 clients could not connect", "-V 311"]);
}

#[test]
fn a_host_that_is_more_than_a_host_is_told_how_to_write() {
    for (host, parts) in [
        ("ws://127.0.0.1:8000", &["-L ws://127.0.0.1:8000/TOPIC"][..]),
        ("mqtt://test.invalid/", &["-L mqtt://test.invalid/TOPIC"]),
        ("127.0.0.1:1883", &["-h 127.0.0.1 -p 1883"]),
        ("[::1]", &["-h ::1", "without brackets"]),
        ("[::1]:1884", &["-h ::1 -p 1884"]),
    ] {
        for words in ["pub -t a -m x", "sub -t a"] {
            assert_says(&mq(words).words("-h").arg(host).run().fail(1), parts);
        }
    }
}

#[test]
fn qos_2_on_a_broker_without_it_is_reported() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x34);
        client.send("40 (0001)");
        client.expect_end();
    });
    assert_hint(peer, "pub -t a -m x -q 2", 7, &["PUBACK", "hint: ", "-q 1"]);
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 01)");
        client.expect_type(0xe0);
    });
    let finished = peer.mq("sub -t a -q 2 -E").run();
    peer.finish();
    assert_says(&finished.stderr, &["QoS 1 at most", "RabbitMQ"]);
    let peer = ScriptedPeer::accepting(|client| drop(client.expect_type(0x34)));
    assert_hint(peer, "pub -t a -m x -q 2", 7, &["NATS", "-q 1"]);
}

#[test]
fn topics_that_a_broker_closes_at_are_reported() {
    for topic in ["a.b", "a b"] {
        let peer = ScriptedPeer::accepting(|client| drop(client.expect_type(0x32)));
        let finished = peer.mq("pub -m x -q 1 -t").arg(topic).run();
        peer.finish();
        assert_says(&finished.fail(7), &["NATS", "'.'", topic]);
        let peer = ScriptedPeer::accepting(|client| {
            client.expect_type(0x82);
            client.send("90 (0001 80)");
            client.expect_type(0xe0);
        });
        let finished = peer.mq("sub -t").arg(topic).run();
        peer.finish();
        assert_says(&finished.fail(3), &["rejected", "NATS"]);
    }
    let peer = ScriptedPeer::accepting(|client| drop(client.expect_type(0x32)));
    let stderr = assert_hint(peer, "pub -t a -m x -q 1", 7, &["closed"]);
    assert!(!stderr.contains("NATS"), "{stderr}");
}

#[test]
fn a_large_message_that_ends_the_connection_is_reported() {
    let files = certificates::Files::new(&[("large", "x".repeat(2_000_001))]);
    let words = files.words("pub -t a -q 1 -f {}/large");
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_byte();
    });
    assert_hint(peer, &words, 7, &["2000001 bytes", "mosquitto 2.1", "max_packet_size"]);
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_byte();
    });
    let finished = peer.mq(&format!("{words} -V 5")).run();
    peer.finish();
    assert!(!finished.stderr.contains("max_packet_size"), "{}", finished.stderr);
}

#[test]
fn names_of_users_that_a_broker_wants_are_reported() {
    for connack in ["20 (00 04)", "20 (00 05)", "20 (00 03)"] {
        assert_hint(
            refusing(connack),
            "pub -t a -m x -u ann -P x",
            5,
            &["hint: ", "ejabberd", "USER@DOMAIN"],
        );
    }
}

#[test]
fn a_refused_will_is_thought_of() {
    let will = "the will to \"w/1\", which --will-topic sets";
    for (connack, words, parts) in [
        ("20 (00 05)", "", &["hint: -u USER and -P PASSWORD", "; or the broker does not allow "][..]),
        ("20 (00 90 ())", " -V 5", &["hint: the broker may not allow "]),
        ("20 (00 83 ())", " -V 5", &["hint: the broker may not allow "]),
        // They name parts that this will does not have.
        ("20 (00 9a ())", " -V 5", &["hint: the broker may not allow "]),
        ("20 (00 9b ())", " -V 5", &["hint: the broker may not allow "]),
    ] {
        let command = format!("pub -t a -m x --will-topic w/1{words}");
        let stderr = assert_hint(refusing(connack), &command, 5, parts);
        assert_says(&stderr, &[will]);
        let stderr = assert_hint(refusing(connack), &format!("pub -t a -m x{words}"), 5, &[]);
        assert!(!stderr.contains("will"), "{stderr}");
    }
    let stderr = assert_hint(refusing("20 (00 04)"), "pub -t a -m x --will-topic w/1", 5, &["hint: -u"]);
    assert!(!stderr.contains("will"), "wrong credentials are the only reason: {stderr}");
    let bench = "bench conn -c 1 --will-topic w/1";
    let finished = refusing_and_run("20 (00 05)", bench);
    assert_says(&finished.stderr, &["hint: the broker may not allow ", will]);
    let finished = refusing_and_run("20 (00 05)", "bench conn -c 1");
    assert!(!finished.stderr.contains("hint"), "{}", finished.stderr);
}

#[test]
fn the_option_of_the_refused_part_of_a_will_is_named() {
    let will = "the will to \"w/1\", which ";
    for (connack, option, part, sets) in [
        (
            "20 (00 9a ())",
            "--will-retain",
            "the broker does not support the RETAIN flag of ",
            "--will-retain sets",
        ),
        ("20 (00 9b ())", "--will-qos 2", "the broker does not support QoS 2 of ", "--will-qos sets"),
        (
            "20 (00 99 ())",
            "--will-payload x",
            "the broker does not accept the payload of ",
            "--will-payload sets; ",
        ),
    ] {
        for command in ["pub -t a -m x", "bench conn -c 1"] {
            let finished = refusing_and_run(connack, &format!("{command} -V 5 --will-topic w/1 {option}"));
            assert_says(&finished.stderr, &[&format!("hint: {part}{will}{sets}")]);
        }
    }
}

/// A broker of MQTT 5 that answers clients with a will (for 0x9a, one with RETAIN) with this reason, or not at all, and closes the
/// connection. It serves others.
fn broker_without_wills(reason: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = Wire::new(stream.unwrap());
            std::thread::spawn(move || while answers_without_will(&mut client, reason) {});
        }
    });
    address
}

/// Answers the next packet. Returns whether another may follow.
fn answers_without_will(client: &mut Wire, reason: &str) -> bool {
    let packet = client.packet();
    match packet.first().map(|first| first >> 4) {
        Some(1) => {
            let name = packet.windows(4).position(|bytes| bytes == b"MQTT").unwrap();
            let flags = packet[name + 5];
            let has_will = flags & 4 != 0;
            let is_refused = if reason == "9a" { flags & 0x20 != 0 } else { has_will };
            let reason = if is_refused { reason } else { "00" };
            if !reason.is_empty() {
                client.send(&format!("20 (00 {reason} ())"));
            }
            !has_will
        }
        Some(8) => {
            client.send(&format!("90 ({:02x}{:02x} () 01)", packet[2], packet[3]));
            true
        }
        Some(12) => {
            client.send("d0 ()");
            true
        }
        Some(14) | None => false,
        _ => true,
    }
}

#[test]
fn the_check_of_a_bridge_tries_its_will() {
    let broker = EmbeddedBroker::start();
    for (reason, status, parts) in [
        ("87", 3, &["problem: the remote broker refuses the will", "(0x87); set another notification topic"]),
        ("83", 3, &["problem: the remote broker refuses the will", "turn notifications off"]),
        ("90", 0, &["note: the remote broker refuses the will", "(0x90); the bridge connects without it"]),
        (
            "9a",
            0,
            &["note: the remote broker refuses the will", "(0x9a); the bridge sends it without RETAIN"],
        ),
        ("9b", 3, &["problem: the remote broker refuses the will", "(0x9b); set another notification topic"]),
        ("", 3, &["problem: the remote broker did not accept the will", "turn notifications off"]),
        ("00", 0, &["remote broker", "no problems found"]),
    ] {
        let (from, to) = (broker.address(), broker_without_wills(reason));
        let words = format!("bridge --from mqtt://{from} --to mqtt://{to} --name w --check");
        let finished = mq(&words).arg("a/# out 1").run();
        finished.expect_status(status);
        assert_says(&String::from_utf8_lossy(&finished.stdout), parts);
        let finished = mq(&words).words("--notifications local").arg("a/# out 1").run();
        assert_says(&finished.succeed(), &["no problems found"]);
    }
}

#[test]
fn a_bridge_that_ends_because_of_its_will_says_so() {
    let broker = EmbeddedBroker::start();
    // 0x9b comes again for the will of QoS 0.
    for reason in ["87", "83", "9b"] {
        let (from, to) = (broker.address(), broker_without_wills(reason));
        let words = format!("bridge --from mqtt://{from} --to mqtt://{to} --name w");
        let finished = mq(&words).arg("a/# out 1").run();
        finished.expect_status(5);
        assert_says(
            &finished.stderr,
            &["hint: ", "does the broker allow the will, which is the state of the bridge?"],
        );
    }
    let (from, peer) = (broker.address(), refusing("20 (00 87 ())"));
    let to = peer.address();
    let words = format!("bridge --from mqtt://{from} --to mqtt://{to} --name w --notifications none");
    let finished = mq(&words).arg("a/# out 1").run();
    finished.expect_status(5);
    assert!(!finished.stderr.contains("will"), "{}", finished.stderr);
}

#[test]
fn the_path_of_a_web_socket_is_reported() {
    let peer = ScriptedPeer::start(|peer| {
        let mut stream = peer.accept().into_stream();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    assert_hint(peer, "pub --ws -t a -m x", 1, &["404", "--ws-path", "/ws"]);
}

#[test]
fn a_share_that_delivers_nothing_is_reported() {
    let granting = || {
        ScriptedPeer::accepting(|client| {
            client.expect_type(0x82);
            client.send("90 (0001 00)");
            client.expect_type(0xe0);
        })
    };
    assert_hint(granting(), "sub -t $share/g/a -W 1", 27, &["$share/g/a", "RabbitMQ", "Timed out"]);
    let stderr = assert_hint(granting(), "sub -t a -W 1", 27, &["Timed out"]);
    assert!(!stderr.contains("RabbitMQ"), "{stderr}");
}

#[test]
fn an_unsuback_that_never_comes_is_reported() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0xa2);
        client.expect_type(0xe0);
    });
    assert_hint(peer, "sub -c -i me -U a -E -W 1", 27, &["has not answered an UNSUBSCRIBE", "Timed out"]);
}
