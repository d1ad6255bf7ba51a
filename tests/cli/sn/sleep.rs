//! Sleeping clients: their messages are kept, within limits, and come when they wake up.

use crate::support::sn::{Gateway, SnPeer};
use crate::support::{EmbeddedBroker, Server, Wire, on_each_broker};

/// A client that subscribes at this QoS, and sleeps for a minute.
fn sleeper(gateway: &Gateway, qos: &str) -> SnPeer {
    let mut peer = gateway.peer();
    peer.connect("sleeper");
    peer.ask(&format!("12 {qos} 0001 'a/b'"), &format!("13 {qos} 0001 0001 00"));
    peer.ask("18 003c", "18");
    peer
}

/// Publishes a message that expires after this time.
pub(super) fn publish_expiring(broker: &EmbeddedBroker, options: &str, seconds: u32) {
    broker.mq(&format!("pub {options} -D publish message-expiry-interval {seconds}")).run().succeed();
}

/// Waits until a message has expired whose interval was a second: the broker removes a retained message that lasts longer.
pub(super) fn wait_past_a_second(broker: &EmbeddedBroker) {
    publish_expiring(broker, "-t clock -m x -r -q 1", 2);
    let is_there = || {
        let mut reader = Wire::v311(broker, "reader");
        reader.subscribe("`$SYS/broker/retained messages/count` 00");
        reader.expect_publish().payload != b"0"
    };
    while is_there() {}
}

/// The next message for the client, which asks again as long as the broker has not sent it.
fn next_message(peer: &mut SnPeer) -> Vec<u8> {
    loop {
        peer.send("16 'sleeper'");
        match peer.receive() {
            datagram if datagram == [2, 0x17] => {}
            publish => return publish,
        }
    }
}

#[test]
fn expired_messages_are_not_delivered_and_make_room() {
    let broker = EmbeddedBroker::start();
    let mut gateway = Gateway::start(broker.address(), "-V 5 --max-queued 3 -v");
    let mut peer = sleeper(&gateway, "20");
    // One of QoS 0, and as many others as the broker sends without an acknowledgement.
    for options in ["-m zero", "-m one -q 1", "-m two -q 1", "-m three -q 1"] {
        publish_expiring(&broker, &format!("-t a/b {options}"), 1);
    }
    wait_past_a_second(&broker);
    publish_expiring(&broker, "-t a/b -m new -q 1", 60);
    let publish = next_message(&mut peer);
    assert_eq!(publish[7..], *b"new");
    peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[0]].concat());
    peer.expect("17");
    peer.ask("18", "18");
    gateway.running.wait_for_stderr("4 messages for \"sleeper\" expired in its queue");
}

#[test]
fn expired_messages_of_QoS_0_make_room_for_others() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "-V 5 --max-queued 1");
    let mut peer = sleeper(&gateway, "00");
    publish_expiring(&broker, "-t a/b -m old", 1);
    wait_past_a_second(&broker);
    publish_expiring(&broker, "-t a/b -m new", 60);
    assert_eq!(next_message(&mut peer), b"\x0a\x0c\x00\x00\x01\x00\x00new");
}

#[test]
fn a_message_that_was_sent_does_not_expire() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "-V 5");
    let mut peer = gateway.peer();
    peer.connect("sleeper");
    peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    publish_expiring(&broker, "-t a/b -m begun -q 1", 1);
    peer.expect("0c 20 0001 .... 'begun'");
    peer.ask("18 003c", "18");
    wait_past_a_second(&broker);
    peer.ask("16 'sleeper'", "0c a0 0001 .... 'begun'");
}

#[test]
fn messages_are_kept_for_a_sleeping_client_up_to_the_limit() {
    let broker = EmbeddedBroker::start();
    let mut gateway = Gateway::start(broker.address(), "--max-queued 2 -v");
    let mut peer = sleeper(&gateway, "00");
    gateway.running.wait_for_stderr("\"sleeper\" sleeps for 60 s");
    // The one that the gateway has passed on shows that the others are there.
    let mut witness = gateway.mq("sub -d -t a/b -C 5").spawn();
    witness.wait_for_stderr("<- SUBACK");
    for number in 1..=5 {
        broker.mq(&format!("pub -t a/b -m {number}")).run().succeed();
    }
    witness.finish().succeed();
    peer.ask("16 'sleeper'", "0c 00 0001 0000 '1'");
    peer.expect("0c 00 0001 0000 '2'");
    peer.expect("17");
    peer.ask("16 'sleeper'", "17");
    peer.ask("18", "18");
    gateway.running.wait_for_stderr("dropped 3 messages for \"sleeper\"");
}

#[test]
fn messages_of_QoS_1_take_no_room_of_those_of_QoS_0() {
    for options in ["", "--aggregate -V 5"] {
        let broker = EmbeddedBroker::start();
        let mut gateway = Gateway::start(broker.address(), &format!("--max-queued 2 -v {options}"));
        if !options.is_empty() {
            gateway.running.wait_for_stderr("connected to the broker, for all clients");
        }
        let mut peer = sleeper(&gateway, "20");
        let mut witness = gateway.mq("sub -d -t a/b -C 4").spawn();
        witness.wait_for_stderr("<- SUBACK");
        for (number, qos) in [(1, 1), (2, 0), (3, 0), (4, 0)] {
            broker.mq(&format!("pub -t a/b -m {number} -q {qos}")).run().succeed();
        }
        witness.finish().succeed();
        let publish = peer.ask("16 'sleeper'", "0c 20 0001 .... '1'");
        peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[0]].concat());
        peer.expect("0c 00 0001 0000 '2'");
        peer.expect("0c 00 0001 0000 '3'");
        peer.expect("17");
        peer.ask("18", "18");
        gateway.running.wait_for_stderr("dropped 1 message for \"sleeper\"");
    }
}

#[test]
fn QoS_1_messages_beyond_the_limit_stay_at_the_broker() {
    on_each_broker(|broker| {
        let gateway = Gateway::start(broker.address(), "--max-queued 2");
        let mut peer = sleeper(&gateway, "20");
        let lines: String = (10..40).map(|number| format!("{number}\n")).collect();
        broker.mq("pub -t a/b -l -q 1").stdin(lines).run().succeed();
        peer.send("16 'sleeper'");
        for number in 10..40 {
            let mut publish = peer.receive();
            while publish == [2, 0x17] {
                // The broker had not sent the next message yet.
                peer.send("16 'sleeper'");
                publish = peer.receive();
            }
            assert_eq!(publish[7..], *number.to_string().as_bytes());
            peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[0]].concat());
        }
        peer.expect("17");
    });
}

#[test]
fn QoS_2_messages_beyond_the_limit_stay_at_the_broker() {
    on_each_broker(|broker| {
        let gateway = Gateway::start(broker.address(), "--max-queued 2");
        let mut peer = sleeper(&gateway, "40");
        let lines: String = (10..40).map(|number| format!("{number}\n")).collect();
        broker.mq("pub -t a/b -l -q 2").stdin(lines).run().succeed();
        peer.send("16 'sleeper'");
        for number in 10..40 {
            let mut publish = peer.receive();
            while publish == [2, 0x17] {
                // The broker had not sent the next message yet.
                peer.send("16 'sleeper'");
                publish = peer.receive();
            }
            assert_eq!(publish[7..], *number.to_string().as_bytes());
            let id = &publish[5..7];
            peer.send_datagram(&[&[4, 0x0f], id].concat());
            while peer.receive() != [&[4, 0x10], id].concat() {}
            peer.send_datagram(&[&[4, 0x0e], id].concat());
        }
        peer.expect("17");
    });
}

#[test]
fn an_exchange_that_sleep_interrupts_continues_with_DUP() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let mut peer = gateway.peer();
    peer.connect("sleeper");
    peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    broker.mq("pub -t a/b -m one -q 1").run().succeed();
    peer.expect("0c 20 0001 .... 'one'");
    peer.ask("18 003c", "18");
    peer.ask("16 'sleeper'", "0c a0 0001 .... 'one'");
}

#[test]
fn CONNECT_ends_the_sleep_and_the_messages_follow() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let mut peer = gateway.peer();
    peer.ask("04 00 01 003c 'sleeper'", "05 00");
    peer.ask("12 00 0001 'a/b'", "13 00 0001 0001 00");
    peer.ask("18 003c", "18");
    let mut witness = gateway.mq("sub -d -t a/b -C 1").spawn();
    witness.wait_for_stderr("<- SUBACK");
    broker.mq("pub -t a/b -m kept").run().succeed();
    witness.finish().succeed();
    peer.ask("04 00 01 003c 'sleeper'", "05 00");
    peer.expect("0c 00 0001 0000 'kept'");
    peer.expect_nothing();
}

#[test]
fn a_sleeping_client_may_wake_up_at_another_address() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    sleeper(&gateway, "00");
    let mut elsewhere = gateway.peer();
    elsewhere.ask("16 'sleep'", "18"); // not this one
    elsewhere.ask("16 'sleeper'", "17");
}

#[test]
fn a_client_that_oversleeps_is_lost() {
    let broker = EmbeddedBroker::start();
    let mut gateway = Gateway::start(broker.address(), "-v");
    let mut peer = gateway.peer();
    peer.connect("sleeper");
    peer.ask("18 0001", "18");
    gateway.running.wait_for_stderr("\"sleeper\" was lost: nothing arrived");
    peer.expect("18");
    peer.ask("16 'sleeper'", "18");
}

#[test]
fn sub_sleeps_and_prints_what_was_kept() {
    on_each_broker(|broker| {
        let mut gateway = Gateway::start(broker.address(), "-v");
        let subscriber = gateway.mq("sub -t a/b -q 1 --sleep 1 -i dozer -C 3").spawn();
        gateway.running.wait_for_stderr("\"dozer\" sleeps for 1 s");
        for number in 1..=3 {
            broker.mq(&format!("pub -t a/b -m {number} -q 1")).run().succeed();
        }
        assert_eq!(subscriber.finish().succeed(), "1\n2\n3\n");
    });
}

#[test]
fn sub_wakes_up_with_PINGREQ_and_sleeps_again() {
    let mut gateway = SnPeer::listen();
    let mut subscriber = gateway.mq("sub -t a/b --sleep 1 -i dozer").spawn();
    gateway.expect("04 04 01 003c 'dozer'");
    gateway.send("05 00");
    gateway.expect("12 00 0001 'a/b'");
    gateway.send("13 00 0001 0001 00");
    gateway.expect("18 0001");
    gateway.send("18");
    gateway.expect("16 'dozer'");
    gateway.send("0c 00 0001 0000 'kept'");
    gateway.send("17");
    subscriber.wait_for_stdout("kept");
    gateway.expect("16 'dozer'");
    gateway.send("17");
    subscriber.signal("TERM");
    gateway.expect("18");
    gateway.send("18");
    subscriber.finish().expect_status(143);
}
