//! Brokers that do what they should not: the run ends by itself, and says what happened.

use super::*;

#[test]
fn a_broker_that_refuses_some_is_told_with_the_reason() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept_v311();
        let mut refused = peer.accept();
        refused.expect_type(0x10);
        refused.send("20 (00 03)");
        wire.expect_type(0xe0);
    });
    let finished = peer.mq("bench conn -c 2 --hold 0.2").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["1 of 2 clients", "1 x the broker refused the connection"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn a_broker_that_acknowledges_nothing_is_given_up() {
    let peer = ScriptedPeer::accepting(|wire| drop(wire.expect_end()));
    let finished = peer.mq("bench pub -c 1 --messages 50 --timeout 0.5").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["took and acknowledged no more messages", "20 never acknowledged"]);
    assert_says(&finished.fail(1), &["the broker stopped answering"]);
    peer.finish();
}

#[test]
fn a_broker_that_answers_no_subscribe_is_given_up() {
    let peer = ScriptedPeer::accepting(|wire| drop(wire.expect_end()));
    let finished = peer.mq("bench sub -c 1 -t a --timeout 0.5").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["did not answer every SUBSCRIBE"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn a_broker_that_drops_half_of_its_clients_is_told_in_numbers() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wires: Vec<_> = (0..4).map(|_| peer.accept_v311()).collect();
        wires.truncate(2);
        wires.iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let finished = peer.mq("bench conn -c 4 --hold 1").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["4 of 4 clients", "2 clients lost the connection"]);
    assert_says(&finished.fail(7), &["2 of 4 clients lost the connection"]);
    peer.finish();
}

#[test]
fn garbage_is_no_answer() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        wire.expect_type(0x10);
        wire.send("00 ff ff ff ff ff ff");
        wire.expect_end();
    });
    let finished = peer.mq("bench conn -c 1 --hold 0.2").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["0 of 1 clients", "connecting        1 x"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn garbage_in_the_middle_ends_that_client() {
    let peer = ScriptedPeer::accepting(|wire| {
        wire.expect_and_acknowledge();
        wire.send("00 00");
        wire.expect_end();
    });
    let finished = peer.mq("bench pub -c 1 --messages 50 --timeout 5").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["running           1 x"]);
    finished.fail(7);
    peer.finish();
}

#[test]
fn what_is_lost_at_qos_0_is_not_waited_for() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 00)", subscribe[2], subscribe[3]));
        (0..10).for_each(|_| drop(publisher.expect_publish()));
        publisher.expect("c0 00");
        publisher.send("d0 00");
        subscriber.expect_type(0xe0);
    });
    let finished = peer.mq("bench -c 1 --threads 1 -q 0 --messages 10 --timeout 600").run();
    let report = finished.succeed();
    assert_says(&report, &["10 lost", "QoS 0 promises nothing"]);
    peer.finish();
}

#[test]
fn what_an_interruption_leaves_on_its_way_is_not_called_lost() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        (0..3).for_each(|_| drop(publisher.expect_and_acknowledge()));
        subscriber.expect_type(0xe0);
    });
    let metrics = free_address();
    let words = format!("bench -c 1 --threads 1 --messages 3 --timeout 600 --metrics {metrics}");
    let mut bench = peer.mq(&words).spawn();
    bench.wait_for_stderr("1 client publishes");
    wait_for_step(metrics, "drain");
    bench.signal("INT");
    let finished = bench.finish();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["3 missing when the wait for them was interrupted, of 3"]);
    finished.expect_status(130);
    peer.finish();
}

#[test]
fn a_broker_that_dies_ends_every_scenario() {
    for scenario in ["rr --duration 60", "pubsub --rate 500 --duration 60", "reconnect --duration 60"] {
        let mut broker = EmbeddedBroker::start();
        let witness = broker.subscriber("-t # -N -C 5");
        let bench = broker.mq(&format!("bench {scenario} -c 5 --timeout 2")).spawn();
        witness.finish().expect_status(0);
        broker.kill();
        let finished = bench.finish();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert!(!report.contains(ALL_ARRIVED), "{scenario}: {report}");
        finished.fail(7);
    }
}
