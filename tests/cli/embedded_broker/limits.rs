//! Limits that clients set, and those that keep the broker healthy.

use crate::support::wire::properties;
use crate::support::*;

#[test]
fn no_more_than_the_receive_maximum_is_in_flight() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v5(broker, "subscriber", "21 0002");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 01");
        for payload in ["1", "2", "3"] {
            publisher.publish_and_wait("a", payload);
        }
        let first = subscriber.expect_publish();
        assert_eq!(subscriber.expect_publish().payload, b"2");
        subscriber.expect_quiet();
        let [high, low] = first.packet_id.unwrap();
        subscriber.send_bytes(&[0x40, 2, high, low]);
        assert_eq!(subscriber.expect_publish().payload, b"3");
    });
}

#[test]
fn packets_over_the_maximum_size_of_the_client_are_left_out() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v5(broker, "subscriber", "27 00000014");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 00");
        publisher.send("30 (`a` '0123456789abcdef') 30 (`a` 'small')");
        subscriber.expect("30 (`a` () 'small')");
    });
}

#[test]
fn aliases_of_a_publisher_are_understood() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v5(broker, "publisher", "");
        subscriber.subscribe("`#` 00");
        publisher.send(
            "30 (`a` (23 0001) '1') 30 (`` (23 0001) '2') 30 (`b` (23 0001) '3') 30 (`` (23 0001) '4')",
        );
        subscriber.expect("30 (`a` '1') 30 (`a` '2') 30 (`b` '3') 30 (`b` '4')");
    });
}

#[test]
fn aliases_do_not_outlive_the_connection() {
    on_each_broker(|broker| {
        let mut publisher = Wire::v5(broker, "publisher", "11 0000ffff");
        publisher.send("30 (`a` (23 0001) 'x')");
        drop(publisher);
        let mut publisher = broker.connect();
        publisher.send("10 (`MQTT` 05 00 003c () `publisher`)");
        publisher.expect_type(0x20);
        publisher.send("30 (`` (23 0001) 'x')");
        let farewell = publisher.expect_end();
        assert!(farewell.is_empty() || farewell[0] == 0xe0, "{farewell:02x?}");
    });
}

#[test]
fn aliases_over_the_maximum_end_the_connection() {
    let broker = EmbeddedBroker::start();
    for alias in ["0000", "ffff"] {
        let mut publisher = broker.connect();
        publisher.send("10 (`MQTT` 05 02 003c () `publisher`)");
        let connack = properties(&publisher.expect_connack_v5("00 00"));
        let maximum = connack.iter().find(|(id, _)| *id == 0x22).map(|(_, value)| value.clone());
        assert_ne!(maximum, Some(vec![0xff, 0xff]), "the test needs an alias over the maximum");
        publisher.send(&format!("30 (`a` (23 {alias}) 'x')"));
        let farewell = publisher.expect_end();
        assert!(farewell[0] == 0xe0 && farewell[2] >= 0x80, "{farewell:02x?}");
    }
}

#[test]
fn aliases_are_used_only_where_the_client_allows_them() {
    let broker = EmbeddedBroker::start();
    let mut subscriber = Wire::v5(&broker, "subscriber", "22 0001");
    let mut publisher = Wire::v311(&broker, "publisher");
    subscriber.subscribe("`#` 00");
    publisher.send("30 (`a` '1') 30 (`b` '2') 30 (`a` '3') 30 (`b` '4')");
    let mut alias = String::new();
    for topic in ["a", "b", "a", "b"] {
        let message = subscriber.expect_publish();
        match &properties(&message.properties)[..] {
            [] => assert_eq!(message.topic, topic),
            [(0x23, number)] if *number == [0, 1] => {
                if !message.topic.is_empty() {
                    alias = message.topic;
                }
                assert_eq!(alias, topic);
            }
            other => panic!("an alias over the maximum: {other:02x?}"),
        }
    }
}

#[test]
fn a_silent_client_is_closed_after_its_keep_alive() {
    on_each_broker(|broker| {
        let mut observer = Wire::v311(broker, "observer");
        observer.subscribe("`gone` 00");
        let mut silent = broker.connect();
        silent.send("10 (`MQTT` 05 06 0001 () `silent` () `gone` `bye`)");
        silent.expect_connack_v5("00 00");
        let farewell = silent.expect_end();
        assert!(farewell.is_empty() || farewell[..3] == [0xe0, farewell[1], 0x8d], "{farewell:02x?}");
        observer.expect("30 (`gone` 'bye')");
    });
}

#[test]
fn a_client_that_pings_is_not_closed() {
    let broker = EmbeddedBroker::start();
    let mut silent = broker.connect();
    let mut pinging = broker.connect();
    silent.send("10 (`MQTT` 04 02 0002 `silent`)");
    pinging.send("10 (`MQTT` 04 02 0001 `pinging`)");
    pinging.expect("20 (00 00)");
    silent.expect("20 (00 00)");
    let is_over = std::thread::spawn(move || silent.expect_end());
    while !is_over.is_finished() {
        pinging.ping();
        pinging.expect_quiet(); // paces the loop
    }
    pinging.ping();
}

#[test]
fn a_keep_alive_of_zero_means_no_limit() {
    let broker = EmbeddedBroker::start();
    let mut patient = broker.connect();
    let mut silent = broker.connect();
    patient.send("10 (`MQTT` 04 02 0000 `patient`)");
    patient.expect("20 (00 00)");
    silent.send("10 (`MQTT` 04 02 0001 `silent`)");
    silent.expect("20 (00 00)");
    silent.expect_end();
    patient.ping();
}

#[test]
fn a_connection_without_connect_is_closed() {
    let broker = EmbeddedBroker::start();
    broker.connect().expect_end();
}

/// 200 MB for somebody who does not read.
#[cfg(target_os = "linux")] // where the memory can be read off
#[test]
fn a_slow_subscriber_does_not_fill_the_memory() {
    let mut broker = EmbeddedBroker::start();
    let mut slow = [Wire::v311(&broker, "slow0"), Wire::v5(&broker, "slow1", "")];
    slow[0].subscribe("`flood` 00");
    slow[1].subscribe("`flood` 01");
    let mut publisher = Wire::v311(&broker, "publisher");
    let packet = bytes::hex(&format!("32 (`flood` 0001 '{}')", "x".repeat(100_000)));
    for _ in 0..2000 {
        publisher.send_bytes(&packet);
        publisher.expect_ack(0x40, 1);
    }
    let mut other = Wire::v311(&broker, "other");
    other.subscribe("`a` 00");
    other.send("30 (`a` 'still there')");
    other.expect("30 (`a` 'still there')");
    let peak = broker.process().peak_memory();
    assert!(peak < 100 << 20, "{peak} bytes");
    assert_says(&broker.process().wait_for_stderr("slow"), &["dropped"]);
}

/// A client that is away for ever, with a session that is kept.
#[cfg(target_os = "linux")]
#[test]
fn a_session_without_a_client_does_not_fill_the_memory() {
    let mut broker = EmbeddedBroker::start();
    let mut away = Wire::v5(&broker, "away", "11 ffffffff");
    away.subscribe("`flood` 01");
    drop(away);
    let mut publisher = Wire::v311(&broker, "publisher");
    let packet = bytes::hex(&format!("32 (`flood` 0001 '{}')", "x".repeat(100_000)));
    for _ in 0..2000 {
        publisher.send_bytes(&packet);
        publisher.expect_ack(0x40, 1);
    }
    let peak = broker.process().peak_memory();
    assert!(peak < 100 << 20, "{peak} bytes");
}
