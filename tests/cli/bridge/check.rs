//! `--check`: limits, problems and notes.

use super::*;

#[test]
fn check_prints_limits_and_finds_no_problem() {
    let (local, remote) = brokers();
    let text = between(&local, &remote, "--name b1 --check", &["a/# both 2"]).run().succeed();
    assert_says(
        &text,
        &[
            &format!("local broker: 127.0.0.1 port {}", local.address().port()),
            "highest QoS",
            "subscription to a/# at QoS 2: granted QoS 2",
            "no problems found",
        ],
    );
}

#[test]
fn check_finds_what_will_not_work() {
    let local = EmbeddedBroker::start();
    let remote = ScriptedPeer::accepting_v5("24 01 25 00 27 00000400", |wire| {
        wire.expect_end();
    });
    let finished = between(&local, &remote, "--name b1 --check", &["a/# out 2"]).run();
    finished.expect_status(3);
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &[
            "problem: rule 'a/# out 2': the remote broker supports QoS 1 only, to which messages are lowered",
            "problem: the remote broker does not retain messages, so RETAIN is cleared",
            "note: the remote broker accepts packets of up to 1024 bytes; larger messages are dropped",
        ],
    );
    remote.finish();
}

#[test]
fn check_reports_a_broker_that_cannot_be_reached() {
    let local = EmbeddedBroker::start();
    let remote = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words = format!("bridge --from mqtt://{} --to mqtt://{remote} --check --json", local.address());
    let finished = mq(&words).arg("a out").run();
    finished.expect_status(3);
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["the remote broker cannot be used", "Connection refused"],
    );
}

#[test]
fn check_says_whether_a_broker_knows_bridges() {
    let (Some(local), Some(remote)) = (Mosquitto::start(), Mosquitto::start()) else { return };
    let lines = format!(
        "connection c\nlocal_address {}\naddress {}\ntopic # both 1\n",
        local.address(),
        remote.address()
    );
    let text = with_file(&file(&lines), "--check").run().succeed();
    assert_says(
        &text,
        &["MQTT 3.1.1 has no fields", "protocol level of bridges: accepted", "no problems found"],
    );
}

#[test]
fn check_notes_retained_messages_that_only_the_target_has() {
    let (local, remote) = brokers();
    let rules = &["a/# out 1 \"\" up/"];
    let check = || between(&local, &remote, "--name b1 --check", rules).run().succeed();
    local.mq("pub -t a/1 -m x -q 1 -r").run().succeed();
    remote.mq("pub -t up/a/1 -m x -q 1 -r").run().succeed();
    remote.mq("pub -t other -m x -q 1 -r").run().succeed();
    assert!(!check().contains("note:"));
    remote.mq("pub -t up/a/2 -m x -q 1 -r").run().succeed();
    let note = "out: the remote broker has a retained message that the local one does not have: up/a/2\n";
    assert_says(&check(), &["no problems found", &format!("note: {note}")]);
    remote.mq("pub -t up/a/3 -m x -q 1 -r").run().succeed();
    assert_says(
        &check(),
        &[
            "note: out: the remote broker has 2 retained messages that the local one does not have, such as up/a/2",
        ],
    );
    let json = between(&local, &remote, "--name b1 --check --json", rules).run().succeed();
    assert_says(&json, &["\"problems\":[],\"notes\":[\"out: the remote broker has 2 retained messages"]);
}

#[test]
fn check_finds_that_both_addresses_lead_to_the_same_broker() {
    on_each_broker(|broker| {
        // Another name for the same broker.
        let proxy = fault_proxy::FaultProxy::start(broker.address());
        let words = |rule| {
            let (from, to) = (broker.address(), proxy.address());
            mq(&format!("bridge --from mqtt://{from} --to mqtt://{to} --name b1 --check")).arg(rule).run()
        };
        let finished = words("# both 1");
        finished.expect_status(3);
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(
            &text,
            &["problem: both addresses lead to the same broker, and the rules would form a loop"],
        );
        words("a/# out 1 \"\" b/").succeed();
    });
    let (local, remote) = brokers();
    between(&local, &remote, "--name b1 --check", &["# both 1"]).run().succeed();
}

#[test]
fn a_limit_for_packets_is_no_problem() {
    let (Some(local), remote) = (Mosquitto::start(), EmbeddedBroker::start()) else { return };
    let text = between(&local, &remote, "--name b1 --check", &["a/# out 1"]).run().succeed();
    assert_says(
        &text,
        &["no problems found", "note: the remote broker accepts packets of up to 67108864 bytes; larger"],
    );
}

/// A broker that ends a client of its own accord after this number of answers to PINGREQ, whenever one of the clients connects that
/// find out whether there are two brokers.
fn closing_after(pings: usize, clients: usize) -> ScriptedPeer {
    ScriptedPeer::start(move |acceptor| {
        let mut wire = acceptor.accept_v5("");
        let subscribe = wire.expect_type(0x82);
        wire.send(&format!("90 ({:02x}{:02x} () 01)", subscribe[2], subscribe[3]));
        wire.expect_end();
        acceptor.accept_v5("").expect_end(); // of the client with the will
        for _ in 0..clients {
            let mut wire = acceptor.accept_v5("");
            for _ in 0..pings {
                wire.expect_type(0xc0);
                wire.send("d0 00");
            }
        }
    })
}

#[test]
fn a_connection_that_ends_by_itself_does_not_make_two_brokers_one() {
    for (pings, clients) in [(0, 1), (1, 2)] {
        let (local, remote) = (closing_after(pings, clients), EmbeddedBroker::start());
        let text = between(&local, &remote, "--name b1 --check", &["# both 1"]).run().succeed();
        assert!(!text.contains("the same broker"), "{text}");
        local.finish();
    }
}

#[test]
fn checks_at_the_same_time_do_not_make_two_brokers_one() {
    let (local, remote) = brokers();
    let checks: Vec<Running> =
        (0..8).map(|_| between(&local, &remote, "--name b1 --check", &["# both 1"]).spawn()).collect();
    for check in checks {
        let text = String::from_utf8_lossy(&check.finish().stdout).into_owned();
        // The clients that ask for limits have one identifier, so that nothing of them stays at the broker.
        assert!(!text.contains("the same broker"), "{text}");
    }
}
