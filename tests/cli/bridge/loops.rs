//! Bridges whose messages could come back: each message arrives a bounded number of times.

use super::*;

/// Publishes a message on `a`, then one on `z`, and returns the payloads that a subscriber at `watched` has got when the last one
/// has arrived.
fn arrivals(source: &impl Server, watched: &impl Server, bridges: &mut [Running]) -> Vec<String> {
    let mut subscriber = watched.subscriber("-t # -q 1 -F %t:%p");
    source.mq("pub -t a -m 1 -q 1").run().succeed();
    source.mq("pub -t z -m end -q 1").run().succeed();
    subscriber.wait_for_stdout("z:end");
    for bridge in bridges {
        bridge.signal("TERM");
        bridge.wait_for_end();
    }
    // A copy that was on its way has arrived before this one.
    watched.mq("pub -t last -m 1 -q 1").run().succeed();
    subscriber.wait_for_stdout("last:1");
    let text = String::from_utf8(subscriber.stdout_so_far()).unwrap();
    text.lines().filter(|line| *line == "a:1").map(str::to_owned).collect()
}

fn assert_arrives_once_on_both(local: &impl Server, remote: &impl Server, bridge: impl Fn() -> Running) {
    for (source, watched) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut bridge = bridge();
        wait_until_connected(&mut bridge);
        let bridges = &mut [bridge];
        let count = match (source, watched) {
            (0, 0) => arrivals(local, local, bridges),
            (0, _) => arrivals(local, remote, bridges),
            (_, 0) => arrivals(remote, local, bridges),
            _ => arrivals(remote, remote, bridges),
        };
        assert_eq!(count.len(), 1, "from {source} to {watched}: {count:?}");
    }
}

#[test]
fn both_directions_do_not_echo_with_MQTT_5() {
    let (local, remote) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    assert_arrives_once_on_both(&local, &remote, || between(&local, &remote, "", &["# both 1"]).spawn());
}

#[test]
fn both_directions_do_not_echo_between_mosquitto_brokers() {
    let (Some(local), Some(remote)) = (Mosquitto::start(), Mosquitto::start()) else { return };
    let lines = |version: &str| {
        file(&format!(
            "connection c\nlocal_address {}\naddress {}\ntopic # both 1\nbridge_protocol_version {version}\n",
            local.address(),
            remote.address()
        ))
    };
    for version in ["mqttv311", "mqttv50"] {
        let files = lines(version);
        assert_arrives_once_on_both(&local, &remote, || with_file(&files, "").spawn());
    }
}

#[test]
fn a_broker_without_the_protocol_level_of_bridges_is_refused_if_rules_loop() {
    let local = EmbeddedBroker::start();
    let remote = ScriptedPeer::start(|acceptor| {
        // The broker refuses the level 0x84, then accepts 3.1.1.
        let mut wire = acceptor.accept();
        wire.expect_type(0x10);
        wire.send("20 02 00 01");
        drop(wire);
    });
    let files = file(&format!(
        "connection c\nlocal_address {}\naddress {}\ntopic # both 1\n",
        local.address(),
        remote.address()
    ));
    let stderr = with_file(&files, "").run().fail(2);
    assert_says(&stderr, &["c: the remote broker rejects the protocol level of bridges"]);
    remote.finish();
}

#[test]
fn two_bridges_with_hop_marks_forward_a_bounded_number_of_copies() {
    let (local, remote) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let mut bridges = ["one", "two"].map(|name| {
        let mut bridge =
            between(&local, &remote, &format!("--hop-mark --name {name}"), &["# both 1"]).spawn();
        wait_until_connected(&mut bridge);
        bridge
    });
    let copies = arrivals(&local, &remote, &mut bridges).len();
    // Each bridge forwards the message once, and what the other one brought back once more.
    assert!((2..=4).contains(&copies), "{copies}");
}

#[test]
fn three_brokers_in_a_ring_with_hop_marks_forward_a_bounded_number_of_copies() {
    let brokers = [EmbeddedBroker::start(), EmbeddedBroker::start(), EmbeddedBroker::start()];
    let [a, b, c] = &brokers;
    let mut bridges = [("ab", a, b), ("bc", b, c), ("ca", c, a)].map(|(name, from, to)| {
        let mut bridge = between(from, to, &format!("--hop-mark --name {name}"), &["# out 1"]).spawn();
        wait_until_connected(&mut bridge);
        bridge
    });
    let copies = arrivals(a, a, &mut bridges).len();
    assert_eq!(copies, 2, "the message itself, and once around");
}
