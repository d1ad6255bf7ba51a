//! `mq gateway --aggregate`: one connection to the broker for all clients.

use super::faults;
use super::sleep::{publish_expiring, wait_past_a_second};
use super::through::each_qos;
use crate::support::sn::{Gateway, SnPeer};
use crate::support::{
    Broker, EmbeddedBroker, ScriptedPeer, Server, Wire, assert_first_line, mq, on_each_broker,
};

/// A gateway with its connection to the broker.
pub(super) fn through(broker: &(impl Broker + ?Sized), options: &str) -> Gateway {
    let mut gateway = Gateway::start(broker.address(), &format!("--aggregate {options}"));
    gateway.running.wait_for_stderr("connected to the broker");
    gateway
}

fn client(gateway: &Gateway, name: &str) -> SnPeer {
    let mut peer = gateway.peer();
    peer.connect(name);
    peer
}

/// Subscribes to `a/b`, which has topic id 1 then.
fn subscriber(gateway: &Gateway, name: &str, qos: &str) -> SnPeer {
    let mut peer = client(gateway, name);
    peer.ask(&format!("12 {qos} 0001 'a/b'"), &format!("13 {qos} 0001 0001 00"));
    peer
}

/// A message of QoS 1 to topic id 1, which is acknowledged.
fn take(peer: &mut SnPeer, payload: &str) {
    let publish = peer.expect(&format!("0c 20 0001 .... '{payload}'"));
    peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[0]].concat());
}

#[test]
fn clients_with_the_same_filter_get_each_message_once_at_their_QoS() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut first = subscriber(&gateway, "first", "00");
        let mut second = subscriber(&gateway, "second", "20");
        broker.mq("pub -t a/b -m one -q 1").run().succeed();
        broker.mq("pub -t a/b -m two -q 2").run().succeed();
        first.expect("0c 00 0001 0000 'one'");
        first.expect("0c 00 0001 0000 'two'");
        take(&mut second, "one");
        take(&mut second, "two");
        first.expect_nothing();
        second.expect_nothing();
    });
}

#[test]
fn overlapping_filters_double_nothing() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut wide = client(&gateway, "wide");
        wide.ask("12 20 0001 'a/#'", "13 20 0000 0001 00");
        let mut narrow = subscriber(&gateway, "narrow", "20");
        wide.ask("0a 0000 0002 'a/b'", "0b 0001 0002 00");
        for number in ["1", "2"] {
            broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
            take(&mut wide, number);
            take(&mut narrow, number);
        }
        wide.expect_nothing();
        narrow.expect_nothing();
    });
}

#[test]
fn a_retained_message_goes_only_to_the_client_that_subscribes() {
    on_each_broker(|broker| {
        broker.mq("pub -t a/b -m kept -r -q 1").run().succeed();
        let gateway = through(broker, "");
        let mut first = subscriber(&gateway, "first", "00");
        first.expect("0c 10 0001 0000 'kept'");
        let mut second = subscriber(&gateway, "second", "00");
        second.expect("0c 10 0001 0000 'kept'");
        // Another subscription to the same filter sends it again, as MQTT does.
        second.ask("12 00 0002 'a/b'", "13 00 0001 0002 00");
        second.expect("0c 10 0001 0000 'kept'");
        first.expect_nothing();
        broker.mq("pub -t a/b -m live").run().succeed();
        first.expect("0c 00 0001 0000 'live'");
        second.expect("0c 00 0001 0000 'live'");
    });
}

#[test]
fn a_client_that_leaves_takes_nothing_from_the_others() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut first = subscriber(&gateway, "first", "00");
        let mut second = subscriber(&gateway, "second", "00");
        let mut third = subscriber(&gateway, "third", "00");
        first.ask("18", "18");
        second.ask("14 00 0002 'a/b'", "15 0002");
        broker.mq("pub -t a/b -m still").run().succeed();
        third.expect("0c 00 0001 0000 'still'");
        second.expect_nothing();
    });
}

#[test]
fn a_client_takes_over_with_a_clean_session_and_with_a_kept_one() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut old = subscriber(&gateway, "sensor", "00");
        let mut witness = subscriber(&gateway, "witness", "00");
        let mut new = client(&gateway, "sensor");
        old.expect("18");
        broker.mq("pub -t a/b -m one").run().succeed();
        witness.expect("0c 00 0001 0000 'one'");
        new.expect_nothing();
        new.ask("04 00 01 003c 'sensor'", "05 00");
        new.ask("12 00 0001 'a/b'", "13 00 0001 0001 00");
        let mut newest = gateway.peer();
        newest.ask("04 00 01 003c 'sensor'", "05 00");
        new.expect("18");
        broker.mq("pub -t a/b -m two").run().succeed();
        newest.expect("0a 0001 0001 'a/b'");
        newest.ask("0b 0001 0001 00", "0c 00 0001 0000 'two'");
    });
}

#[test]
fn a_sleeping_client_gets_no_message_that_has_expired() {
    let broker = EmbeddedBroker::start();
    let mut gateway = through(&broker, "--max-queued 2 -v");
    let mut sleeper = subscriber(&gateway, "sleeper", "20");
    sleeper.ask("18 003c", "18");
    publish_expiring(&broker, "-t a/b -m old -q 1", 1);
    publish_expiring(&broker, "-t a/b -m new -q 1", 60);
    wait_past_a_second(&broker);
    // It is not in the way of further ones, either.
    publish_expiring(&broker, "-t a/b -m newer -q 1", 60);
    sleeper.send("16 'sleeper'");
    take(&mut sleeper, "new");
    take(&mut sleeper, "newer");
    sleeper.expect("17");
    sleeper.ask("18", "18");
    gateway.running.wait_for_stderr("1 message for \"sleeper\" expired in its queue");
}

#[test]
fn a_sleeping_client_stops_no_other_and_gets_its_messages_up_to_the_limit() {
    on_each_broker(|broker| {
        let mut gateway = through(broker, "--max-queued 2 -v");
        let mut sleeper = subscriber(&gateway, "sleeper", "20");
        let mut other = subscriber(&gateway, "other", "20");
        sleeper.ask("18 003c", "18");
        for number in ["1", "2", "3", "4", "5"] {
            broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
            take(&mut other, number);
        }
        sleeper.send("16 'sleeper'");
        take(&mut sleeper, "1");
        take(&mut sleeper, "2");
        sleeper.expect("17");
        sleeper.ask("16 'sleeper'", "17");
        sleeper.ask("18", "18");
        gateway.running.wait_for_stderr("dropped 3 messages for \"sleeper\"");
    });
}

#[test]
fn a_client_that_does_not_answer_stops_no_other() {
    let broker = EmbeddedBroker::start();
    let gateway = through(&broker, "--max-queued 2");
    let mut silent = subscriber(&gateway, "silent", "40");
    let mut other = subscriber(&gateway, "other", "20");
    for number in 10..60 {
        broker.mq(&format!("pub -t a/b -m {number} -q 2")).run().succeed();
        take(&mut other, &number.to_string());
    }
    silent.expect("0c 40 0001 .... '10'");
}

#[test]
fn a_kept_session_has_its_subscriptions_and_messages() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut peer = gateway.peer();
        peer.ask("04 00 01 003c 'keeper'", "05 00");
        peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
        peer.ask("18", "18");
        let mut witness = subscriber(&gateway, "witness", "20");
        for number in ["1", "2"] {
            broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
            take(&mut witness, number);
        }
        peer.ask("04 00 01 003c 'keeper'", "05 00");
        peer.expect("0a 0001 0001 'a/b'");
        peer.send("0b 0001 0001 00");
        take(&mut peer, "1");
        // It crashes before PUBACK.
        let publish = peer.expect("0c 20 0001 .... '2'");
        let id = format!("{:02x}{:02x}", publish[5], publish[6]);
        peer.ask("04 00 01 003c 'keeper'", "05 00");
        peer.expect("0a 0001 0002 'a/b'");
        peer.ask("0b 0001 0002 00", &format!("0c a0 0001 {id} '2'"));
        peer.send(&format!("0d 0001 {id} 00"));
        peer.ask("18", "18");
        // A clean session ends it.
        peer.connect("keeper");
        broker.mq("pub -t a/b -m 3 -q 1").run().succeed();
        take(&mut witness, "3");
        peer.expect_nothing();
    });
}

#[test]
fn the_gateway_publishes_the_will_of_a_lost_client_only() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut watcher = broker.subscriber("-t w/# -v -q 1 -F %t:%q:%p");
        let mut leaving = gateway.peer();
        leaving.ask("04 0c 01 003c 'leaving'", "06");
        leaving.ask("07 20 'w/left'", "08");
        leaving.ask("09 'left'", "05 00");
        leaving.ask("18", "18");
        let mut lost = gateway.peer();
        lost.ask("04 0c 01 0001 'lost'", "06");
        lost.ask("07 20 'w/lost'", "08");
        lost.ask("09 'gone'", "05 00");
        lost.expect("18");
        assert_eq!(watcher.wait_for_stdout("w/"), "w/lost:1:gone");
        // A changed one is published as well.
        lost.ask("04 0c 01 0001 'lost'", "06");
        lost.ask("07 20 'w/lost'", "08");
        lost.ask("09 'gone'", "05 00");
        lost.ask("1c 'changed'", "1d 00");
        lost.expect("18");
        assert_eq!(watcher.wait_for_stdout("changed"), "w/lost:1:changed");
    });
}

#[test]
fn messages_of_each_QoS_go_through_in_both_directions() {
    on_each_broker(|broker| {
        let gateway = through(broker, "--retry-interval 300ms --retry-count 100");
        each_qos(broker, &gateway, "");
    });
}

#[test]
fn QoS_minus_1_uses_the_same_connection() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let subscriber = broker.subscriber("-t ab -C 1");
        gateway.mq("pub -q -1 -t ab -m hello").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "hello\n");
    });
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_on_a_bad_network() {
    on_each_broker(|broker| {
        for plan in [faults::lossy, faults::chaotic] {
            let gateway = through(broker, "--retry-interval 60ms --retry-count 1000");
            faults::exchange_through(&gateway, "", "2", plan);
        }
    });
}

#[test]
fn clients_outlast_the_broker_and_need_not_subscribe_again() {
    let mut broker = EmbeddedBroker::start();
    let mut gateway = through(&broker, "");
    let mut first = subscriber(&gateway, "first", "00");
    broker.kill();
    gateway.running.wait_for_stderr("no connection to the broker");
    first.ask("0c 20 0001 0002 'x'", "0d 0001 0002 01");
    first.ask("12 00 0003 'c/d'", "13 00 0002 0003 01");
    gateway.peer().ask("04 04 01 003c 'late'", "05 01");
    first.expect_nothing();
    broker.restart();
    gateway.running.wait_for_stderr("connected to the broker");
    let mut second = subscriber(&gateway, "second", "00");
    broker.mq("pub -t a/b -m again").run().succeed();
    first.expect("0c 00 0001 0000 'again'");
    second.expect("0c 00 0001 0000 'again'");
}

/// Accepts the gateway's connection.
fn accept(wire: &mut Wire, flags: &str) {
    wire.speak_v5();
    wire.expect_type(0x10);
    wire.send(&format!("20 ({flags} 00 00)"));
}

#[test]
fn the_broker_gets_a_filter_once_and_UNSUBSCRIBE_when_the_last_client_leaves() {
    let broker = ScriptedPeer::accepting_v5("", |wire| {
        // The subscription identifier is 1, then 2.
        wire.expect("82 (0001 (0b 01) `a/b` 00)");
        wire.send("90 (0001 00 00)");
        wire.expect("82 (0002 (0b 02) `a/b` 01)");
        wire.send("30 (`a/b` (0b 02) 'early')");
        wire.send("90 (0002 00 01)");
        wire.send("30 (`a/b` (0b 02) 'both')");
        wire.expect("a2 (0003 00 `a/b`)");
        wire.send("b0 (0003 00 00)");
        wire.expect("e0 (00 (11 00000000))");
    });
    let mut gateway = Gateway::start(broker.address(), "--aggregate");
    gateway.running.wait_for_stderr("connected to the broker");
    let mut first = subscriber(&gateway, "first", "00");
    let mut second = client(&gateway, "second");
    second.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    for peer in [&mut first, &mut second] {
        peer.expect("0c 00 0001 0000 'early'");
        peer.expect("0c 00 0001 0000 'both'");
    }
    first.ask("14 00 0002 'a/b'", "15 0002");
    second.ask("18", "18");
    // The DISCONNECT of the gateway ends its session.
    gateway.running.signal("TERM");
    gateway.running.finish().expect_status(143);
    broker.finish();
}

#[test]
fn the_broker_keeps_the_session_of_the_connection_for_an_hour() {
    let broker = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        wire.speak_v5();
        wire.expect("10 (`MQTT` 05 02 003c (11 00000e10) `plant-7`)");
        wire.send("20 (00 00 00)");
        drop(wire);
        let mut wire = peer.accept();
        wire.speak_v5();
        wire.expect("10 (`MQTT` 05 00 003c (11 00000e10) `plant-7`)");
    });
    let gateway = Gateway::start(broker.address(), "--aggregate -i plant-7");
    broker.finish();
    drop(gateway);
}

#[test]
fn a_client_has_limits_of_subscriptions_and_of_bytes() {
    let broker = EmbeddedBroker::start();
    let mut gateway = through(&broker, "--max-topics 2 --max-queued-bytes 100 --max-datagram 64 -v");
    let mut peer = subscriber(&gateway, "c1", "00");
    peer.ask("12 00 0002 'a/#'", "13 00 0000 0002 00");
    peer.ask("12 00 0003 'b/#'", "13 00 0000 0003 01");
    peer.ask("12 00 0004 'a/#'", "13 00 0000 0004 00");
    peer.ask("18 003c", "18");
    let mut witness = client(&gateway, "witness");
    witness.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    broker.mq(&format!("pub -t a/b -q 1 -m {}", "x".repeat(100))).run().succeed();
    for number in ["1", "2", "3"] {
        broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
        take(&mut witness, number);
    }
    peer.ask("16 'c1'", "0c 00 0001 0000 '1'");
    peer.expect("0c 00 0001 0000 '2'");
    peer.expect("17");
    peer.ask("18", "18");
    gateway.running.wait_for_stderr("dropped 2 messages for \"c1\"");
}

#[test]
fn members_of_a_shared_subscription_take_turns() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut members: Vec<SnPeer> = ["one", "two"].iter().map(|name| client(&gateway, name)).collect();
        for peer in &mut members {
            peer.ask("12 00 0001 '$share/g/a/b'", "13 00 0000 0001 00");
            peer.ask("0a 0000 0002 'a/b'", "0b 0001 0002 00");
        }
        for number in ["1", "2", "3", "4"] {
            broker.mq(&format!("pub -t a/b -m {number}")).run().succeed();
        }
        let [one, two] = &mut members[..] else { panic!("two members") };
        for (first, second) in [("1", "2"), ("3", "4")] {
            one.expect(&format!("0c 00 0001 0000 '{first}'"));
            two.expect(&format!("0c 00 0001 0000 '{second}'"));
        }
        one.expect_nothing();
        two.expect_nothing();
    });
}

#[test]
fn an_unanswered_message_is_sent_again_on_the_next_connection() {
    let broker = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        accept(&mut wire, "00");
        wire.expect("34 (`ab` 0001 00 'two')");
        wire.expect("82 (0002 (0b 01) `a/b` 01)");
        drop(wire);
        let mut wire = peer.accept();
        // The session is still there.
        accept(&mut wire, "01");
        wire.expect("3c (`ab` 0001 00 'two')");
        wire.expect("82 (0003 (0b 02) `a/b` 01)");
        wire.send("50 (0001)");
        wire.expect("62 (0001)");
        wire.send("70 (0001)");
        wire.send("90 (0003 00 01)");
        wire.expect("a2 (0004 00 `a/b`)");
        wire.expect_type(0xe0);
    });
    let mut gateway = Gateway::start(broker.address(), "--aggregate");
    gateway.running.wait_for_stderr("connected to the broker");
    let mut peer = client(&gateway, "c1");
    peer.send("0c 42 'ab' 0007 'two'");
    peer.send("12 20 0008 'a/b'");
    peer.expect("0f 0007");
    peer.expect("13 20 0001 0008 00");
    peer.ask("10 0007", "0e 0007");
    gateway.running.signal("TERM");
    gateway.running.finish().expect_status(143);
    broker.finish();
}

#[test]
fn a_rejection_of_the_broker_reaches_the_client() {
    let broker = ScriptedPeer::accepting_v5("", |wire| {
        wire.expect("82 (0001 (0b 01) `a/b` 00)");
        wire.send("90 (0001 00 87)");
        wire.expect("32 (`ab` 0002 00 'x')");
        wire.send("40 (0002 87 00)");
        wire.expect_type(0xe0);
    });
    let mut gateway = Gateway::start(broker.address(), "--aggregate");
    gateway.running.wait_for_stderr("connected to the broker");
    let mut peer = client(&gateway, "c1");
    peer.ask("12 00 0001 'a/b'", "13 00 0001 0001 03");
    peer.ask("0c 22 'ab' 0002 'x'", "0d 'ab' 0002 03");
    gateway.running.signal("TERM");
    gateway.running.finish().expect_status(143);
    broker.finish();
}

#[test]
fn a_broker_without_subscription_identifiers_is_named() {
    let broker = ScriptedPeer::accepting_v5("29 00", |wire| {
        wire.expect_type(0xe0);
    });
    let mut gateway = Gateway::start(broker.address(), "--aggregate");
    gateway.running.wait_for_stderr("the broker does not support subscription identifiers");
    broker.finish();
}

#[test]
fn one_connection_needs_MQTT_5() {
    let error = mq("gateway").words("--aggregate -V 3.1.1").run().fail(2);
    assert_first_line(
        &error,
        "mq gateway: --aggregate needs MQTT 5, whose subscription identifiers tell overlapping subscriptions apart",
    );
}
