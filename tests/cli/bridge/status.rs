//! What is seen of a bridge from outside: log, metrics, JSON, status topics.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The response to a request.
fn get(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(format!("{request} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn the_status_topic_is_retained_on_both_brokers() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--name b1 --notification-topic up", &["a/# out 1"]).spawn();
    wait_until_connected(&mut bridge);
    bridge.kill();
    for broker in [&local, &remote] {
        // The will.
        let mut subscriber = broker.subscriber("-t up -F %p");
        subscriber.wait_for_stdout("0");
    }
}

#[test]
fn a_broker_without_retained_messages_gets_the_status_without_retain() {
    let (local, remote) =
        (EmbeddedBroker::start(), EmbeddedBroker::start_with("--limit retained-messages=0"));
    let mut subscriber = remote.subscriber("-t up -F %p/%r");
    let mut bridge = between(&local, &remote, "--name b1 --notification-topic up", &["a/# out 1"]).spawn();
    wait_until_connected(&mut bridge);
    subscriber.wait_for_stdout("1/0");
    bridge.kill();
    subscriber.wait_for_stdout("0/0");
}

#[test]
fn the_status_topic_is_that_of_mosquitto_unless_it_is_named() {
    let (local, remote) = brokers();
    has_the_status_topic_of_mosquitto(&local, &remote);
    let (Some(local), Some(remote)) = (Mosquitto::start(), Mosquitto::start()) else { return };
    has_the_status_topic_of_mosquitto(&local, &remote);
}

#[test]
fn notifications_can_be_local_or_off() {
    let (local, remote) = brokers();
    for (place, on_local, on_remote) in [("local", true, false), ("none", false, false)] {
        let options = format!("--name b1 --notification-topic up/{place} --notifications {place}");
        let mut bridge = between(&local, &remote, &options, &["a/# out 1"]).spawn();
        wait_until_connected(&mut bridge);
        local.mq("pub -t a/last -m 1 -q 1 -r").run().succeed();
        remote.subscriber("-t a/last -C 1").finish().succeed();
        for (broker, is_there) in [(&local, on_local), (&remote, on_remote)] {
            broker.mq("pub -t up/z -m 1 -r -q 1").run().succeed();
            let mut subscriber = broker.subscriber("-t up/# -F %t -v");
            subscriber.wait_for_stdout("up/z");
            let text = String::from_utf8(subscriber.stdout_so_far()).unwrap();
            assert_eq!(text.contains(&format!("up/{place}")), is_there, "{text}");
        }
    }
}

/// The next message that is not a state of the bridge.
fn next_message(wire: &mut Wire) -> wire::Message {
    loop {
        let message = wire.expect_publish();
        if message.topic != "up" {
            return message;
        }
    }
}

#[test]
fn a_rejected_status_is_reported_once() {
    let local = EmbeddedBroker::start();
    let remote = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept_v5("");
        let state = wire.expect_publish();
        assert_eq!(state.topic, "up");
        let [high, low] = state.packet_id.expect("the first state has QoS 1");
        wire.send_bytes(&[0x40, 3, high, low, 0x87]);
        // The messages of the bridge go on.
        let message = next_message(&mut wire);
        wire.send_bytes(&[&[0x40, 2][..], &message.packet_id.unwrap()].concat());
        wire.finish_sending();
        wire.expect_end();
        // The answer is known, so the next state needs none.
        let state = peer.accept_v5("").expect_publish();
        assert_eq!((state.topic.as_str(), state.packet_id), ("up", None));
    });
    let options = "--name b1 --notification-topic up --notifications both";
    let mut bridge = between(&local, &remote, options, &["a/# out 1"]).spawn();
    bridge.wait_for_stderr("the remote broker rejected the state of the bridge on up: not authorized (0x87)");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    remote.finish();
    bridge.signal("TERM");
    let finished = bridge.finish();
    assert_eq!(finished.stderr.matches("rejected").count(), 1, "{}", finished.stderr);
}

/// The bits of CONNECT that describe the will.
fn will_flags(connect: &[u8]) -> u8 {
    let name = connect.windows(6).position(|part| part == b"\0\x04MQTT").expect("the name of the protocol");
    connect[name + 7] & 0x3c
}

#[test]
fn a_bridge_gives_in_about_the_will_of_its_state() {
    let local = EmbeddedBroker::start();
    let remote = ScriptedPeer::start(|peer| {
        // A will of QoS 1 with RETAIN; without RETAIN; of QoS 0; none.
        for (flags, reason) in [(0x2c, 0x9a), (0x0c, 0x9b), (0x04, 0x90)] {
            let mut wire = peer.accept();
            assert_eq!(will_flags(&wire.expect_type(0x10)), flags);
            wire.send_bytes(&[0x20, 3, 0, reason, 0]);
        }
        let mut wire = peer.accept();
        wire.speak_v5();
        assert_eq!(will_flags(&wire.expect_type(0x10)), 0);
        wire.send_bytes(&[0x20, 3, 0, 0, 0]);
        let message = wire.expect_publish();
        assert_eq!((message.topic.as_str(), message.payload.as_slice()), ("a/1", &b"x"[..]));
        wire.send_bytes(&[&[0x40, 2][..], &message.packet_id.unwrap()].concat());
    });
    let options = "--name b1 --notification-topic up";
    let mut bridge = between(&local, &remote, options, &["a/# out 1"]).spawn();
    wait_until_connected(&mut bridge);
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    remote.finish();
    bridge.signal("TERM");
    let stderr = bridge.finish().stderr;
    assert_says(
        &stderr,
        &["the remote broker rejected the state of the bridge on up: topic name invalid (0x90)"],
    );
}

#[test]
fn the_status_takes_no_place_of_the_receive_maximum() {
    let local = EmbeddedBroker::start();
    for maximum in [1, 2] {
        let remote = ScriptedPeer::start(move |peer| {
            let mut wire = peer.accept_v5(&format!("21 {maximum:04x}"));
            // It is not acknowledged.
            assert_eq!(wire.expect_publish().packet_id.is_some(), maximum == 2);
            let first = next_message(&mut wire);
            assert_eq!(first.payload, b"1");
            wire.expect_quiet();
            wire.send_bytes(&[&[0x40, 2][..], &first.packet_id.unwrap()].concat());
            assert_eq!(wire.expect_publish().payload, b"2");
        });
        let options = format!("--name b{maximum} --notification-topic up");
        let mut bridge = between(&local, &remote, &options, &["a/# out 1"]).spawn();
        wait_until_connected(&mut bridge);
        local.mq("pub -t a/1 -l -q 1").stdin("1\n2\n").run().succeed();
        remote.finish();
    }
}

#[test]
fn metrics_are_served_while_the_bridge_runs() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--name b1 --metrics 127.0.0.1:0", &["a/# out 1"]).spawn();
    let line = bridge.wait_for_stderr("metrics at http://");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches("/metrics").to_owned();
    wait_until_connected(&mut bridge);
    let subscriber = remote.subscriber("-t a/# -C 1");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    subscriber.finish().succeed();
    let wanted = "mq_bridge_forwarded_total{bridge=\"b1\",direction=\"out\"} 1\n";
    let mut page = get(&address, "GET /metrics");
    let start = std::time::Instant::now();
    while !page.contains(wanted) && start.elapsed() < DEADLINE {
        page = get(&address, "GET /metrics");
    }
    assert_says(
        &page,
        &[
            "HTTP/1.1 200 OK",
            wanted,
            "mq_bridge_connected{bridge=\"b1\",side=\"remote\"} 1\n",
            "mq_bridge_dropped_total{bridge=\"b1\",direction=\"out\",reason=\"queue_full\"} 0\n",
            "# TYPE mq_bridge_in_flight gauge\n",
        ],
    );
    assert_says(&get(&address, "GET /"), &["404 Not Found", "use /metrics"]);
    assert_says(&get(&address, "POST /metrics"), &["405 Method Not Allowed"]);
}

#[test]
fn silent_connections_keep_nobody_from_the_metrics() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--metrics 127.0.0.1:0", &["a/# out 1"]).spawn();
    let line = bridge.wait_for_stderr("metrics at http://");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches("/metrics").to_owned();
    // Several times as many as the server has places for, each of which it would end only after seconds.
    let silent: Vec<_> = (0..120).map(|_| TcpStream::connect(&address).unwrap()).collect();
    assert_says(&get(&address, "GET /metrics"), &["HTTP/1.1 200 OK", "mq_bridge_connected"]);
    drop(silent);
}

#[test]
fn a_taken_address_for_metrics_is_reported() {
    let (local, remote) = brokers();
    let options = format!("--metrics {}", local.address());
    for quiet in ["", " --quiet"] {
        let stderr = between(&local, &remote, &format!("{options}{quiet}"), &["a out"]).run().fail(1);
        assert_says(&stderr, &["cannot listen on", "for --metrics"]);
    }
}

#[test]
fn json_has_events_and_totals() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--name b1 --json", &["a/# out 1"]).spawn();
    for _ in ["local", "remote"] {
        // In any order.
        bridge.wait_for_stdout("\"bridge\":\"b1\",\"event\":\"connected\",\"side\":\"");
    }
    bridge.signal("TERM");
    let text = bridge.finish().succeed();
    let end = text.lines().last().unwrap();
    assert_says(end, &["\"event\":\"end\"", "\"out\":{\"received\":0,\"forwarded\":0"]);
}

#[test]
fn counts_are_logged_regularly() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--name b1 --interval 200ms", &["a/# both 1"]).spawn();
    bridge.wait_for_stderr(
        "b1: both connected; out: forwarded 0 (0/s), in flight 0, queued 0, dropped 0; in: ",
    );
}

#[test]
fn a_second_bridge_with_the_same_identifier_ends_the_first_one() {
    let (local, remote) = brokers();
    let mut first = between(&local, &remote, "--name b1", &["a/# out 1"]).spawn();
    wait_until_connected(&mut first);
    let mut second = between(&local, &remote, "--name b1", &["a/# out 1"]).spawn();
    wait_until_connected(&mut second);
    let stderr = first.finish().fail(5);
    assert_says(
        &stderr,
        &["took over the session", "hint: does the same bridge run twice? --name sets another identifier"],
    );
    assert_eq!(stderr.matches("took over").count(), 1, "{stderr}");
}

#[test]
fn the_hint_about_a_second_bridge_names_what_sets_the_identifier() {
    let (local, remote) = brokers();
    let of_variables = || {
        let program = between(&local, &remote, "--notifications none", &["a/# out 1"]);
        program.env("MQ_TO_ID", "b1").env("MQ_FROM_ID", "b2")
    };
    let files = file(&format!(
        "connection c\naddress {}\nlocal_address {}\ntopic a/# out 1\nremote_clientid b3\nnotifications false\n",
        remote.address(),
        local.address()
    ));
    let of_file = || with_file(&files, "");
    for (program, hint) in [
        (
            &of_variables as &dyn Fn() -> Program,
            ["id in the profile, or MQ_TO_ID,", "id in the profile, or MQ_FROM_ID,"],
        ),
        (&of_file, ["remote_clientid", "local_clientid"]),
    ] {
        let mut first = program().spawn();
        wait_until_connected(&mut first);
        let mut second = program().spawn();
        wait_until_connected(&mut second);
        let stderr = first.finish().fail(5);
        let hint = hint.map(|key| format!("does the same bridge run twice? {key} sets another identifier"));
        assert!(hint.iter().any(|hint| stderr.contains(hint)), "{stderr}");
    }
}

#[test]
fn messages_of_QoS_0_have_no_delay() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--name b1 --json", &["a/# out 0"]).spawn();
    for _ in 0..2 {
        bridge.wait_for_stdout("\"event\":\"connected\"");
    }
    let subscriber = remote.subscriber("-t a/# -C 1");
    local.mq("pub -t a/1 -m x").run().succeed();
    subscriber.finish().succeed();
    bridge.signal("TERM");
    let finished = bridge.finish();
    assert_says(&finished.stderr, &["out: forwarded 1"]);
    let text = finished.succeed();
    assert!(!text.contains("delay"), "{text}");
}

#[test]
fn the_failures_of_several_bridges_are_printed_once_each() {
    let brokers = [EmbeddedBroker::start(), EmbeddedBroker::start(), EmbeddedBroker::start()];
    let [local, one, two] = brokers.each_ref().map(Server::address);
    let section =
        |name, to| format!("connection {name}\nlocal_address {local}\naddress {to}\ntopic {name}/# out 1\n");
    let files = file(&(section("one", one) + &section("two", two)));
    let mut first = with_file(&files, "").spawn();
    wait_until_connected(&mut first);
    wait_until_connected(&mut first);
    let mut second = with_file(&files, "").spawn();
    wait_until_connected(&mut second);
    let stderr = first.finish().fail(5);
    for name in ["one", "two"] {
        let count = stderr.lines().filter(|line| line.contains(name) && line.contains("took over")).count();
        assert_eq!(count, 1, "{name}: {stderr}");
    }
}

#[test]
fn a_full_disk_for_json_is_reported_once_and_loses_no_message() {
    let (local, remote) = brokers();
    let words = format!(
        "exec {} bridge --from mqtt://{} --to mqtt://{} --name b1 --json --interval 100ms 'a/# out 1' > /dev/full",
        mq_path(),
        local.address(),
        remote.address()
    );
    let mut bridge = Program::new("/bin/sh").arg("-c").arg(words).spawn();
    wait_until_connected(&mut bridge);
    let subscriber = remote.subscriber("-t a/# -q 1 -C 20");
    let lines: String = (0..20).map(|number| format!("{number}\n")).collect();
    local.mq("pub -l -t a/1 -q 1").stdin(lines).run().succeed();
    subscriber.finish().succeed();
    bridge.wait_for_stderr("b1: both connected");
    bridge.signal("TERM");
    let finished = bridge.finish();
    finished.expect_status(0);
    let text =
        "cannot write to standard output: No space left on device (os error 28); JSON lines are left out";
    assert_eq!(finished.stderr.matches(text).count(), 1, "{}", finished.stderr);
    assert_says(&finished.stderr, &["forwarded 20"]);
}

fn has_the_status_topic_of_mosquitto<S: Server>(local: &S, remote: &S) {
    let bridge = between(local, remote, "--name b1", &["a/# out 1"]).spawn();
    for broker in [local, remote] {
        let mut subscriber = broker.subscriber("-t $SYS/broker/connection/b1/state -F %p");
        subscriber.wait_for_stdout("1");
    }
    bridge.signal("TERM");
    bridge.finish().expect_status(0);
    for broker in [local, remote] {
        let mut subscriber = broker.subscriber("-t $SYS/broker/connection/b1/state -F %r:%p");
        assert_eq!(subscriber.wait_for_stdout(""), "1:0");
    }
}
