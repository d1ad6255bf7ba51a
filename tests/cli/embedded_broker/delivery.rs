//! Connections and messages of every version and QoS.

use crate::support::wire::properties;
use crate::support::*;

#[test]
fn three_versions_share_one_port() {
    on_each_broker(|broker| {
        let mut old = broker.connect();
        old.send("10 (`MQIsdp` 03 02 003c `old`)");
        old.expect("20 (00 00)");
        let mut middle = Wire::v311(broker, "middle");
        let mut new = Wire::v5(broker, "new", "");
        for client in [&mut old, &mut middle, &mut new] {
            client.subscribe("`a` 00");
        }
        middle.send("30 (`a` 'x')");
        old.expect("30 (`a` 'x')");
        middle.expect("30 (`a` 'x')");
        new.expect("30 (`a` () 'x')");
        old.send("30 (`a` 'y')");
        new.expect("30 (`a` () 'y')");
        middle.expect("30 (`a` 'y')");
        new.send("30 (`a` () 'z')");
        old.expect("30 (`a` 'y') 30 (`a` 'z')");
    });
}

#[test]
fn a_message_arrives_at_the_lower_of_two_qos() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.send("82 (0001 `q0` 00 `q1` 01 `q2` 02)");
        subscriber.expect("90 (0001 00 01 02)");
        for (topic, first_byte) in [("q0", 0x30), ("q1", 0x32), ("q2", 0x32)] {
            publisher.publish_and_wait(topic, "x");
            let message = subscriber.expect_publish();
            assert_eq!((message.topic.as_str(), message.first_byte), (topic, first_byte));
            if let Some([high, low]) = message.packet_id {
                subscriber.send_bytes(&[0x40, 2, high, low]);
            }
        }
    });
}

#[test]
fn qos_2_goes_through_all_four_packets_on_both_sides() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 02");
        publisher.send("34 (`a` 0007 'x')");
        publisher.expect("50 (0007)");
        publisher.send("62 (0007)");
        publisher.expect("70 (0007)");
        let message = subscriber.expect_publish();
        assert_eq!((message.first_byte, message.payload), (0x34, b"x".to_vec()));
        let [high, low] = message.packet_id.unwrap();
        let packet_id = u16::from_be_bytes([high, low]);
        subscriber.send_bytes(&[0x50, 2, high, low]);
        subscriber.expect_ack(0x62, packet_id);
        subscriber.send_bytes(&[0x70, 2, high, low]);
        subscriber.expect_nothing_more();
    });
}

#[test]
fn a_message_of_qos_2_that_is_sent_twice_arrives_once() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 00");
        publisher.send("34 (`a` 0008 'once')");
        publisher.expect("50 (0008)");
        publisher.send("3c (`a` 0008 'once')");
        publisher.expect("50 (0008)");
        publisher.send("62 (0008)");
        publisher.expect("70 (0008)");
        publisher.send("30 (`a` 'next')");
        subscriber.expect("30 (`a` 'once') 30 (`a` 'next')");
    });
}

#[test]
fn a_release_of_nothing_is_answered() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.send("62 (0009)");
        client.expect("70 (0009)");
    });
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "client", "");
    client.send("62 (0009)");
    client.expect("70 (0009 92)"); // packet identifier not found
}

#[test]
fn messages_of_one_publisher_stay_in_order() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 01");
        let packets: String = (1..=100).map(|number| format!("32 (`a` {number:04x} '{number}')")).collect();
        publisher.send(&packets);
        for number in 1..=100 {
            assert_eq!(subscriber.expect_and_acknowledge().payload, number.to_string().as_bytes());
            publisher.expect_ack(0x40, number);
        }
    });
}

#[test]
fn an_empty_identifier_is_replaced() {
    on_each_broker(|broker| {
        let mut client = broker.connect();
        client.send("10 (`MQTT` 04 02 003c ``)");
        client.expect("20 (00 00)");
        let mut client = broker.connect();
        client.send("10 (`MQTT` 05 02 003c () ``)");
        let connack = properties(&client.expect_connack_v5("00 00"));
        let (_, assigned) =
            connack.iter().find(|(id, _)| *id == 0x12).expect("an assigned client identifier");
        assert!(assigned.len() > 2, "it is not empty");
    });
}

#[test]
fn an_empty_identifier_cannot_keep_a_session_in_3_1_1() {
    on_each_broker(|broker| {
        let mut client = broker.connect();
        client.send("10 (`MQTT` 04 00 003c ``)");
        client.expect("20 (00 02)");
        client.expect_end();
    });
}

#[test]
fn an_unknown_version_is_refused() {
    on_each_broker(|broker| {
        let mut client = broker.connect();
        client.send("10 (`MQTT` 09 02 003c `me`)");
        let connack = client.expect_type(0x20);
        assert!(matches!(connack[3], 0x01 | 0x84), "the code of 3.1.1 or of 5.0: {connack:02x?}");
        client.expect_end();
    });
}

#[test]
fn pings_are_answered() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "me");
        client.send("c0 () c0 ()");
        client.expect("d0 () d0 ()");
    });
}

#[test]
fn a_regular_end_closes_the_connection() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "me", "");
        client.send("e0 ()");
        assert_eq!(client.expect_end(), b"");
    });
}

#[test]
fn properties_of_a_message_reach_the_subscriber() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v5(broker, "subscriber", "");
        let mut publisher = Wire::v5(broker, "publisher", "");
        subscriber.subscribe("`a` 00");
        let text = "01 01  03 `text/plain`  08 `re/ply`  09 `id`  26 `k` `v`  26 `k` `w`";
        publisher.send(&format!("30 (`a` ({text}) 'x')"));
        let mut received = properties(&subscriber.expect_publish().properties);
        received.sort_by_key(|(id, _)| *id); // the order matters among user properties only
        assert_eq!(received, properties(&bytes::hex(text)));
    });
}

#[test]
fn a_large_message_arrives_whole() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        let mut publisher = Wire::v311(broker, "publisher");
        subscriber.subscribe("`a` 00");
        let payload = "0123456789".repeat(300_000);
        publisher.send(&format!("30 (`a` '{payload}')"));
        assert!(subscriber.expect_publish().payload == payload.as_bytes(), "all three megabytes");
    });
}

#[test]
fn a_packet_may_come_in_any_pieces() {
    on_each_broker(|broker| {
        let mut client = broker.connect();
        for byte in bytes::hex("10 (`MQTT` 04 02 003c `me`) 82 (0001 `a` 00) 30 (`a` 'x')") {
            client.send_bytes(&[byte]);
        }
        client.expect("20 (00 00) 90 (0001 00) 30 (`a` 'x')");
        client.send("30 (`a` '1') 30 (`a` '2') 30 (`a` '3')");
        client.expect("30 (`a` '1') 30 (`a` '2') 30 (`a` '3')");
    });
}

#[test]
fn a_hundred_clients_hear_each_other() {
    on_each_broker(|broker| {
        let mut clients: Vec<Wire> = (0..100).map(|n| Wire::v311(broker, &format!("c{n}"))).collect();
        for client in &mut clients {
            client.subscribe("`all` 00");
        }
        for client in &mut clients {
            client.send("30 (`all` 'x')");
        }
        for client in &mut clients {
            for _ in 0..100 {
                client.expect("30 (`all` 'x')");
            }
        }
    });
}

#[test]
fn a_message_that_fits_only_without_a_topic_alias_is_delivered() {
    let broker = EmbeddedBroker::start();
    // Topic alias maximum 5, maximum packet size 40.
    let mut subscriber = Wire::v5(&broker, "subscriber", "22 0005 27 00000028");
    subscriber.subscribe("`topic` 00");
    let mut publisher = Wire::v5(&broker, "publisher", "");
    for length in [30, 31, 28] {
        publisher.publish_and_wait("topic", &"x".repeat(length));
    }
    let received = [0; 2].map(|_| subscriber.expect_publish().payload.len());
    assert_eq!(received, [30, 28]);
}
