//! Connection and session settings of groups in scenario files: keep alive, clean start, session expiry, will, reconnection.

use super::scenario_file::file;
use super::*;

/// The flags of a CONNECT packet, and its keep alive in seconds.
fn flags_and_keep_alive(connect: &[u8]) -> (u8, u16) {
    // Two bytes of header, the protocol name, and its level come first.
    let [flags, first, second] = connect[9..12].try_into().unwrap();
    (flags, u16::from_be_bytes([first, second]))
}

#[test]
fn groups_connect_with_their_own_settings() {
    let content = r#"
duration = 0.2
[[group]]
name = "devices"
scenario = "conn"
clients = 1
keep_alive = 7
clean_start = false
will_topic = "plant/{i}/state"
will_payload = "offline"
will_qos = 1
will_retain = true
[[group]]
name = "others"
scenario = "conn"
clients = 1
will_topic = "room/{i}/state"
"#;
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut wires = Vec::new();
        let wills: [&[u8]; 2] = [b"\x00\x0dplant/0/state\x00\x07offline", b"\x00\x0croom/0/state\x00\x00"];
        for (expected, will) in [(0x2c, 7), (0x06, 60)].into_iter().zip(wills) {
            let mut wire = peer.accept();
            let connect = wire.expect_type(0x10);
            assert_eq!(flags_and_keep_alive(&connect), expected, "{connect:02x?}");
            assert!(connect.ends_with(will), "{connect:02x?}");
            wire.send("20 (00 00)");
            wires.push(wire);
        }
        wires.iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let report = peer.mq(&format!("bench scenario {} --threads 1", file.path().display())).run().succeed();
    let settings = "- devices         1 idle client; connections, clean start no, keep alive 7 s, will 7 bytes at QoS 1\n";
    assert_says(
        &report,
        &[settings, "- others          1 idle client; connections, will 0 bytes at QoS 0\n"],
    );
    peer.finish();
}

#[test]
fn the_will_of_a_group_is_published_when_its_clients_are_gone() {
    let content = r#"
duration = "10m"
[[group]]
name = "a"
scenario = "conn"
clients = 2
will_topic = "state/{i}"
will_payload = "offline"
[[group]]
name = "b"
scenario = "pub"
clients = 1
rate = 20
topic = "alive"
"#;
    on_each_broker(|broker| {
        let file = file(content);
        let (witness, alive) = (broker.subscriber("-t state/+ -v -C 2"), broker.subscriber("-t alive -C 1"));
        let bench = broker.mq(&format!("bench scenario {}", file.path().display())).spawn();
        alive.finish().expect_status(0);
        bench.signal("KILL");
        let wills = witness.finish().succeed();
        let mut wills: Vec<_> = wills.lines().collect();
        wills.sort_unstable();
        assert_eq!(wills, ["state/0 offline", "state/1 offline"]);
    });
}

#[test]
fn a_session_with_an_expiry_outlives_the_run_of_a_named_client() {
    on_each_broker(|broker| {
        let archive = |clean_start: bool, expiry: &str| {
            let content = format!(
                "duration = 0.5\n[[group]]\nname = \"archive\"\nscenario = \"sub\"\nclients = 1\ntopic = \"plant/#\"\n\
                 clean_start = {clean_start}\nsession_expiry = {expiry}\n"
            );
            let file = file(&content);
            let words =
                format!("bench scenario {} -V 5 -i archive-{{i}} --output json", file.path().display());
            let report: serde_json::Value = serde_json::from_str(&broker.mq(&words).run().succeed()).unwrap();
            report["messages"]["received"]["count"].as_u64().unwrap()
        };
        let publish = || broker.mq("pub -t plant/1 -q 1 -m x").run().succeed();
        assert_eq!(archive(true, "3600"), 0);
        publish();
        assert_eq!(archive(false, "3600"), 1, "the broker kept the message for the session");
        publish();
        assert_eq!(archive(true, "3600"), 0, "a clean start discards the session");
        archive(true, "0");
        publish();
        assert_eq!(
            archive(false, "3600"),
            0,
            "without an expiry interval the session ends with the connection"
        );
    });
}

#[test]
fn clients_are_back_after_a_restart_of_the_broker() {
    let content = r#"
duration = "10m"
[[group]]
name = "devices"
scenario = "pub"
clients = 3
rate = 50
keep_alive = 5
reconnect = "20ms"
abort_if = "sent>150"
"#;
    on_each_broker(|broker| {
        let (file, metrics) = (file(content), free_address());
        let words = format!("bench scenario {} --metrics {metrics}", file.path().display());
        let bench = broker.mq(&words).spawn();
        wait_for_listener(metrics);
        wait_for_step(metrics, "measure");
        broker.kill();
        broker.restart();
        let finished = bench.finish();
        let report = String::from_utf8_lossy(&finished.stdout);
        assert_says(&report, &["3 lost connections made again", "sent>150: it was"]);
        finished.expect_status(4);
    });
}

#[test]
fn a_lost_connection_is_made_again() {
    let content = "[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\nmessages = 3\nin_flight = 1\nreconnect = \"10ms\"\n";
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept_v311();
        wire.expect_and_acknowledge();
        wire.expect_publish();
        drop(wire);
        // An attempt that fails is followed by another one.
        drop(peer.accept());
        let mut wire = peer.accept_v311();
        wire.expect_and_acknowledge();
        wire.expect_type(0xe0);
    });
    let words = format!("bench scenario {} --threads 1 --json -", file.path().display());
    let report: serde_json::Value = serde_json::from_str(&peer.mq(&words).run().succeed()).unwrap();
    let clients = &report["clients"];
    assert_eq!(
        (&clients["connected"]["count"], &clients["reconnected"], &clients["lost"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert_eq!(report["messages"]["unacknowledged"], 1, "the broker did not acknowledge one of them");
    peer.finish();
}

#[test]
fn without_reconnect_the_client_leaves_the_run() {
    for reconnect in ["", "reconnect = \"never\"\n"] {
        let content =
            format!("[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\nmessages = 3\n{reconnect}");
        let file = file(&content);
        let peer = ScriptedPeer::start(|peer| drop(peer.accept_v311()));
        let finished = peer.mq(&format!("bench scenario {} --threads 1", file.path().display())).run();
        assert_says(&finished.fail(7), &["1 of 1 clients lost the connection"]);
        peer.finish();
    }
}

#[test]
fn a_client_that_is_away_at_the_end_is_lost() {
    let content =
        "duration = 1\n[[group]]\nname = \"a\"\nscenario = \"conn\"\nclients = 1\nreconnect = \"1h\"\n";
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| drop(peer.accept_v311()));
    let finished = peer.mq(&format!("bench scenario {} --threads 1", file.path().display())).run();
    assert_says(&finished.fail(7), &["1 of 1 clients lost the connection"]);
    peer.finish();
}

#[test]
fn a_subscriber_resumes_its_session_and_ends_it_with_the_run() {
    let content = "duration = 0.5\n[[group]]\nname = \"a\"\nscenario = \"sub\"\nclients = 1\ntopic = \"x/#\"\nsession_expiry = \"1h\"\nreconnect = 0.01\n";
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        wire.speak_v5();
        let connect = wire.expect_type(0x10);
        assert_eq!(flags_and_keep_alive(&connect).0, 0x02, "the first session is new: {connect:02x?}");
        assert!(connect.windows(5).any(|bytes| bytes == [0x11, 0, 0, 0x0e, 0x10]), "{connect:02x?}");
        wire.send("20 (00 00 ())");
        let subscribe = wire.expect_type(0x82);
        wire.send(&format!("90 ({:02x} {:02x} () 01)", subscribe[2], subscribe[3]));
        drop(wire);
        let mut wire = peer.accept();
        wire.speak_v5();
        let connect = wire.expect_type(0x10);
        assert_eq!(flags_and_keep_alive(&connect).0, 0, "it resumes its session: {connect:02x?}");
        wire.send("20 (01 00 ())");
        let disconnect = wire.expect_type(0xe0);
        assert!(disconnect.ends_with(&[0x11, 0, 0, 0, 0]), "{disconnect:02x?}");
    });
    let report = peer.mq(&format!("bench scenario {} --threads 1", file.path().display())).run().succeed();
    assert_says(&report, &["reconnects        1 lost connection made again", "session expiry 3600 s"]);
    peer.finish();
}

#[test]
fn messages_that_a_subscriber_missed_in_several_absences_are_no_loss_of_the_broker() {
    let content = "[[group]]\nname = \"a\"\nscenario = \"pubsub\"\nclients = 1\nmessages = 6\nin_flight = 1\nreconnect = 0.01\n";
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        grant(&mut subscriber);
        // One message arrives, one is lost while the subscriber is away, twice.
        for _ in 0..2 {
            let packet = publisher.expect_type(0x32);
            subscriber.send_bytes(&packet);
            subscriber.expect_type(0x40);
            drop(subscriber);
            subscriber = peer.accept_v311();
            grant(&mut subscriber);
            acknowledge(&mut publisher, &packet);
            drop(publisher.expect_and_acknowledge());
        }
        for _ in 0..2 {
            let packet = publisher.expect_type(0x32);
            subscriber.send_bytes(&packet);
            subscriber.expect_type(0x40);
            acknowledge(&mut publisher, &packet);
        }
        [subscriber, publisher].iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let words = format!("bench scenario {} --threads 1 --timeout 1", file.path().display());
    let report = peer.mq(&words).run().succeed();
    assert_says(
        &report,
        &["reconnects        2 lost connections made again", "2 messages lost while a subscriber was away"],
    );
    peer.finish();
}

/// Grants a subscription at QoS 1.
fn grant(wire: &mut Wire) {
    let subscribe = wire.expect_type(0x82);
    wire.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
}

/// Acknowledges a PUBLISH at QoS 1.
fn acknowledge(wire: &mut Wire, publish: &[u8]) {
    let topic = usize::from(u16::from_be_bytes([publish[2], publish[3]]));
    wire.send(&format!("40 ({:02x} {:02x})", publish[4 + topic], publish[5 + topic]));
}

#[test]
fn mistakes_in_session_settings_have_their_place() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"conn\"\n";
    for (keys, options, parts) in [
        (
            "keep_alive = 2",
            "",
            ["line 4, column 14", "invalid value 2 for keep_alive: expected whole seconds from 5 to 65535"],
        ),
        ("clean_start = 1", "", ["line 4, column 15", "clean_start"]),
        ("session_expiry = \"soon\"", "", ["line 4, column 18", "session_expiry"]),
        ("will_topic = \"a/#\"", "", ["line 4, column 14", "invalid value \"a/#\" for will_topic: "]),
        (
            "will_topic = \"a/{x}\"",
            "",
            ["line 4, column 1", "group \"a\": will_topic: unknown placeholder {x}"],
        ),
        ("will_payload = \"x\"", "", ["line 4, column 1", "group \"a\": will_payload needs a will_topic"]),
        ("will_topic = \"a\"\nwill_qos = 3", "", ["line 5, column 12", "expected 0, 1 or 2"]),
        (
            "reconnect = \"often\"",
            "",
            ["line 4, column 13", "invalid value \"often\" for reconnect: expected \"never\" or a delay"],
        ),
        ("reconnect = 0", "", ["line 4, column 13", "reconnect"]),
        ("session_expiry = 5", "-V 311", ["group \"a\": session_expiry needs MQTT 5", "use -V 5"]),
    ] {
        let file = file(&format!("{group}{keys}\n"));
        let finished = mq(&format!("bench scenario --validate {options}")).arg(file.path()).run();
        assert_says(&finished.fail(2), &["mq bench:", parts[0], parts[1]]);
    }
}
