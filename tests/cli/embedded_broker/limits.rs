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
fn connack_fits_the_maximum_size_of_the_client() {
    let broker = EmbeddedBroker::start();
    let connect = |maximum: u32, client_id: &str| {
        let mut client = broker.connect();
        client.send(&format!("10 (`MQTT` 05 02 003c (27 {maximum:08x}) `{client_id}`)"));
        client
    };
    // The limits of the broker are left out first; the identifier that it assigned is not.
    connect(5, "me").expect("20 (00 00 ())");
    let connack = connect(32, "").packet();
    let [(0x12, identifier)] = &properties(&connack[5..])[..] else { panic!("{connack:02x?}") };
    assert!(identifier.ends_with(&connack[connack.len() - 16..]));
    assert!(connect(100, "").packet().len() > 32);
    assert_eq!(connect(20, "").expect_end(), bytes::hex("20 03 00 95 00"));
    assert_eq!(connect(4, "me").expect_end(), b"");
    Wire::v5(&broker, "me", "").ping();
}

#[test]
fn a_client_that_was_not_told_of_the_limits_is_not_held_to_them() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "me", "27 00000006");
    for number in 1..=1100 {
        client.send(&format!("34 (`a` {number:04x} () 'x')"));
        client.expect_ack(0x50, number);
    }
    client.ping();
}

#[test]
fn answers_over_the_maximum_size_of_the_client_end_the_connection() {
    let broker = EmbeddedBroker::start();
    for (filters, is_answered) in [(5, true), (6, false), (1000, false)] {
        let mut client = Wire::v5(&broker, "me", "27 0000000a");
        client.send(&format!("82 (0001 () {})", "`a` 00".repeat(filters)));
        if is_answered {
            client.expect_type(0x90);
        } else {
            assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x95]);
        }
    }
    // The reason code of a success is left out.
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c (27 00000005) `me`)");
    client.expect("20 (00 00 ())");
    client.send("32 (`nobody` 0001 () 'x')");
    client.expect("40 (0001 10)");
}

#[test]
fn an_unknown_alias_is_a_protocol_error_and_an_impossible_one_is_invalid() {
    let broker = EmbeddedBroker::start();
    for (text, reason_code) in
        [("`` (23 0001)", 0x82), ("`a` (23 0000)", 0x94), ("`` (23 0000)", 0x94), ("`a` (23 ffff)", 0x94)]
    {
        let mut client = Wire::v5(&broker, "me", "");
        client.send(&format!("30 ({text} 'x')"));
        assert_eq!(client.expect_end()[..3], [0xe0, 1, reason_code], "{text}");
    }
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

/// 200 MB for a client that does not read.
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
