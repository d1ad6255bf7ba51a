//! `mq gateway --aggregate` with clients of MQTT-SN 2.0.

use super::aggregate::through;
use super::faults;
use super::through::each_qos;
use crate::support::sn::{Gateway, SnPeer};
use crate::support::{Broker, EmbeddedBroker, Server, on_each_broker};

/// A client that begins anew, with a session that ends with the connection.
fn client(gateway: &Gateway, name: &str) -> SnPeer {
    let mut peer = gateway.peer();
    peer.ask(&format!("01 01 0001 02 003c 0000 '{name}'"), "02 00 0001 00");
    peer
}

/// A client that begins anew, with a session that lasts for an hour.
fn keeper(gateway: &Gateway, name: &str) -> SnPeer {
    let mut peer = gateway.peer();
    peer.ask(&format!("01 09 0001 02 003c 0000 00000e10 '{name}'"), "02 00 0001 00");
    peer
}

/// Connects again, to a session that lasts for an hour from now on. It was kept if `present` is 1.
fn come_back(gateway: &Gateway, name: &str, present: u8) -> SnPeer {
    let mut peer = gateway.peer();
    peer.ask(&format!("01 08 0009 02 003c 0000 00000e10 '{name}'"), &format!("02 0{present} 0009 00"));
    peer
}

/// Subscribes to `a/b` at this QoS, which has alias 1 then.
fn subscribe(peer: &mut SnPeer, qos: u8) {
    let reason = if qos == 0 { String::new() } else { format!("0{qos}") };
    peer.ask(
        &format!("08 {qos_bits:02x} 0002 'a/b'", qos_bits = qos << 5 | 3),
        &format!("09 04 0002 0001 {reason}"),
    );
}

/// Takes a message of QoS 1 with alias 1.
fn take(peer: &mut SnPeer, payload: &str) {
    let publish = peer.expect(&format!("03 20 .... 0001 '{payload}'"));
    peer.send_datagram(&[&[4, 0x04][..], &publish[3..5]].concat());
}

/// Accepts the REGISTER of `a/b` with alias 1.
fn take_register(peer: &mut SnPeer) {
    let register = peer.expect("10 01 .... 0001 'a/b'");
    peer.send_datagram(&[&[5, 0x11, 1][..], &register[3..5]].concat());
}

/// Nothing was received before the answer to PINGREQ.
fn expect_nothing(peer: &mut SnPeer) {
    peer.ask("0c 00ff", "0d 00ff");
}

#[test]
fn messages_of_each_QoS_go_through_in_both_directions() {
    on_each_broker(|broker| {
        let gateway = through(broker, "--retry-interval 300ms --retry-count 100");
        each_qos(broker, &gateway, "--sn-version 2");
    });
}

#[test]
fn PUBWOS_uses_the_same_connection() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let subscriber = broker.subscriber("-t home/door -C 1");
        gateway.mq("pub -q -1 -t home/door -m hello --sn-version 2").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "hello\n");
    });
}

#[test]
fn clients_of_both_versions_share_a_filter() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut old = gateway.peer();
        old.connect("old");
        old.ask("12 00 0001 'a/b'", "13 00 0001 0001 00");
        let mut new = client(&gateway, "new");
        subscribe(&mut new, 1);
        broker.mq("pub -t a/b -m one -q 1").run().succeed();
        old.expect("0c 00 0001 0000 'one'");
        take(&mut new, "one");
        new.ask("0a 03 0003 'a/b'", "0b 0003");
        new.ask("0a 03 0004 'a/b'", "0b 0004 11"); // no subscription existed
        broker.mq("pub -t a/b -m two -q 1").run().succeed();
        old.expect("0c 00 0001 0000 'two'");
        expect_nothing(&mut new);
    });
}

#[test]
fn a_session_has_its_subscriptions_and_messages_until_it_is_ended() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut peer = keeper(&gateway, "keeper");
        subscribe(&mut peer, 1);
        peer.send("0e 00");
        let mut witness = client(&gateway, "witness");
        subscribe(&mut witness, 1);
        let mut publish = |payload: &str| {
            broker.mq(&format!("pub -t a/b -m {payload} -q 1")).run().succeed();
            take(&mut witness, payload);
        };
        publish("one");
        let mut peer = come_back(&gateway, "keeper", 1);
        take_register(&mut peer);
        take(&mut peer, "one");
        // DISCONNECT ends the session.
        peer.send("0e 02 00000000");
        publish("two");
        let mut peer = come_back(&gateway, "keeper", 0);
        expect_nothing(&mut peer);
    });
}

#[test]
fn a_session_without_expiry_is_resumed_once() {
    let broker = EmbeddedBroker::start();
    let gateway = through(&broker, "");
    let mut peer = keeper(&gateway, "keeper");
    subscribe(&mut peer, 1);
    peer.send("0e 00");
    let mut peer = gateway.peer();
    peer.ask("01 00 0003 02 003c 0000 'keeper'", "02 01 0003 00");
    broker.mq("pub -t a/b -m one -q 1").run().succeed();
    take_register(&mut peer);
    take(&mut peer, "one");
    peer.send("0e 00");
    come_back(&gateway, "keeper", 0);
}

#[test]
fn a_session_ends_after_its_expiry() {
    let broker = EmbeddedBroker::start();
    let gateway = through(&broker, "");
    let mut peer = gateway.peer();
    peer.ask("01 09 0001 02 003c 0000 00000001 'c1'", "02 00 0001 00");
    subscribe(&mut peer, 1);
    peer.send("0e 00");
    // This client is lost 1.5 s after its last packet.
    let mut clock = gateway.peer();
    clock.ask("01 01 0001 02 0001 0000 'clock'", "02 00 0001 00");
    clock.expect("0e 04 8d");
    come_back(&gateway, "c1", 0);
}

#[test]
fn another_address_takes_over_with_the_session() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut old = keeper(&gateway, "sensor");
        subscribe(&mut old, 1);
        let mut new = come_back(&gateway, "sensor", 1);
        old.expect("0e 04 8e");
        broker.mq("pub -t a/b -m one -q 1").run().succeed();
        take_register(&mut new);
        take(&mut new, "one");
        // A clean start ends the session.
        let mut newest = client(&gateway, "sensor");
        new.expect("0e 04 8e");
        subscribe(&mut newest, 0);
        broker.mq("pub -t a/b -m two -q 1").run().succeed();
        newest.expect("03 00 0001 'two'");
        expect_nothing(&mut newest);
    });
}

#[test]
fn the_gateway_publishes_the_will_of_a_lost_client_only() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut watcher = broker.subscriber("-t w/# -q 1 -F %t:%q:%p -C 2");
        let connect = |id: &str, keep_alive: &str| {
            let mut peer = gateway.peer();
            let fields = format!("02 {keep_alive} 0000 0003 'w/t' 0002 '{id}'");
            peer.ask(&format!("01 03 07 0001 {fields} '{id}'"), "02 00 0001 00");
            peer
        };
        connect("c1", "003c").send("0e 00");
        connect("c2", "003c").send("0e 04 04"); // disconnect with will
        watcher.wait_for_stdout("w/t:1:c2");
        connect("c3", "0001").expect("0e 04 8d");
        watcher.wait_for_stdout("w/t:1:c3");
    });
}

#[test]
fn a_sleeping_client_gets_as_many_messages_as_it_asks_for() {
    on_each_broker(|broker| {
        let gateway = through(broker, "");
        let mut peer = gateway.peer();
        peer.ask("01 11 0001 02 003c 0000 01 'sleeper'", "02 00 0001 00");
        subscribe(&mut peer, 1);
        peer.ask("13 01 0003 0000003c", "14 00 0003");
        let mut witness = client(&gateway, "witness");
        subscribe(&mut witness, 1);
        for number in ["1", "2"] {
            broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
            take(&mut witness, number);
        }
        peer.send("0c 0004");
        take(&mut peer, "1");
        peer.expect("0d 0004 ff"); // more wait, their number is unknown
        peer.send("0c 0005");
        take(&mut peer, "2");
        peer.expect("0d 0005 00");
    });
}

#[test]
fn a_sleeping_client_gets_all_messages_if_it_sets_no_number() {
    let broker = EmbeddedBroker::start();
    let mut gateway = through(&broker, "--max-queued 2 -v");
    let mut sleeper = client(&gateway, "sleeper");
    subscribe(&mut sleeper, 1);
    sleeper.ask("13 01 0003 0000003c", "14 00 0003");
    let mut witness = client(&gateway, "witness");
    subscribe(&mut witness, 1);
    for number in ["1", "2", "3", "4"] {
        broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
        take(&mut witness, number);
    }
    sleeper.send("0c 0004");
    take(&mut sleeper, "1");
    take(&mut sleeper, "2");
    sleeper.expect("0d 0004 00");
    sleeper.send("0e 00");
    gateway.running.wait_for_stderr("dropped 2 messages for \"sleeper\"");
}

#[test]
fn clients_outlast_the_broker() {
    let mut broker = EmbeddedBroker::start();
    let mut gateway = through(&broker, "");
    let mut peer = client(&gateway, "c1");
    subscribe(&mut peer, 0);
    broker.kill();
    gateway.running.wait_for_stderr("no connection to the broker");
    peer.ask("03 20 0003 0001 'x'", "04 0003 f1");
    peer.ask("03 40 0004 0001 'x'", "05 0004 f1");
    gateway.peer().ask("01 01 0001 02 003c 0000 'late'", "02 00 0001 f1");
    broker.restart();
    gateway.running.wait_for_stderr("connected to the broker");
    // Its SUBACK comes after that of the first subscription.
    subscribe(&mut client(&gateway, "second"), 0);
    broker.mq("pub -t a/b -m again").run().succeed();
    peer.expect("03 00 0001 'again'");
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_on_a_bad_network() {
    on_each_broker(|broker| {
        for plan in [faults::lossy, faults::chaotic] {
            let gateway = through(broker, "--retry-interval 60ms --retry-count 1000");
            faults::exchange_through(&gateway, faults::VERSION_2, "2", plan);
        }
    });
}
