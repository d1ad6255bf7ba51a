//! `-d`: the packets of all connections on standard error, in the form of `mq inspect`.

use super::support::*;

/// The packets of a trace: connection, direction, type, and what matters, as words.
fn packets(trace: &str) -> Vec<Vec<&str>> {
    let lines = trace.lines().filter(|line| line.contains(" -> ") || line.contains(" <- "));
    lines.map(|line| line.split_whitespace().skip(1).collect()).collect()
}

#[test]
fn packets_are_shown_on_stderr_without_secrets() {
    on_each_broker(|broker| {
        let finished = broker.mq("pub -d -i me -t home/a -m x -q 1 -u ann -P secret").run();
        let trace = packets(&finished.stderr);
        let kinds: Vec<String> = trace.iter().map(|words| words[..3].join(" ")).collect();
        assert_eq!(kinds, ["1 -> CONNECT", "1 <- CONNACK", "1 -> PUBLISH", "1 <- PUBACK", "1 -> DISCONNECT"]);
        assert_says(&finished.stderr, &["\"home/a\" QoS 1, id 1, 1 byte \"x\"", "ann", "1    -- closed"]);
        assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
        assert_eq!(finished.succeed(), "");
    });
}

#[test]
fn each_connection_has_a_number() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect_type(0x82);
        drop(client);
        let mut client = peer.accept_v311();
        client.expect_type(0x82);
        client.send("90 (0001 00) 90 (0002 00) 30 (`a` 'x')");
        client.expect_type(0xe0);
    });
    let finished = peer.mq("sub -d -t a -C 1").run();
    peer.finish();
    let connections: Vec<&str> = packets(&finished.stderr).iter().map(|words| words[0]).collect();
    assert_eq!(connections, ["1", "1", "1", "2", "2", "2", "2", "2", "2", "2"], "{}", finished.stderr);
    assert_eq!(finished.succeed(), "x\n");
}

#[test]
fn the_fault_of_a_packet_is_shown() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("36 (`a` 0001 'x')");
        client.expect_end();
    });
    let stderr = peer.mq("sub -d -t a").run().fail(7);
    peer.finish();
    assert_says(&stderr, &["<- PUBLISH", "error", "MQTT-3.3.1-4"]);
}

#[test]
fn a_unix_socket_has_no_addresses_to_show() {
    let directory = tempfile::TempDir::new().unwrap();
    let socket = directory.path().join("mq");
    let mut broker = mq("broker --unix").arg(&socket).spawn();
    broker.wait_for_stdout("listening");
    let at = |words: &str| mq(words).arg("--unix").arg(&socket);
    let finished = at("rr -d -t a -m x -e a -D publish correlation-data 1").run();
    let trace = packets(&finished.stderr);
    assert_eq!(trace[0][..3], ["1", "->", "CONNECT"]);
    assert!(!finished.stderr.contains("connects to"), "{}", finished.stderr);
    assert_eq!(finished.succeed(), "x\n");
}

#[test]
fn a_run_shows_the_first_client_of_each_kind() {
    let broker = EmbeddedBroker::start();
    for processes in ["", "--processes 2"] {
        let finished = broker.mq(&format!("bench -d -c 3 --subscribers 3 --messages 30 {processes}")).run();
        let trace = packets(&finished.stderr);
        let of = |number: &str, kind: &str| {
            trace.iter().filter(|words| words[0] == number && words[2] == kind).count()
        };
        assert_eq!(trace.iter().filter(|words| words[2] == "CONNECT").count(), 2, "{}", finished.stderr);
        assert_eq!([of("0", "PUBLISH"), of("0", "PUBACK"), of("3", "SUBSCRIBE")], [10, 10, 1]);
        assert_eq!([of("3", "PUBLISH"), of("3", "PUBACK")], [10, 10]);
        assert_says(&finished.succeed(), &["all 30 messages arrived"]);
    }
}
