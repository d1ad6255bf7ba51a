//! What the broker keeps of a client that is away, and for how long.

use crate::support::*;

/// A client of 3.1.1 that keeps its session.
fn keeping(broker: &(impl Server + ?Sized), session_present: u8) -> Wire {
    let mut client = broker.connect();
    client.send("10 (`MQTT` 04 00 003c `me`)");
    client.expect(&format!("20 ({session_present:02x} 00)"));
    client
}

fn leave(mut client: Wire) {
    client.send("e0 ()");
    client.expect_end();
}

#[test]
fn a_client_whose_session_is_taken_over_is_told_in_its_own_version() {
    let broker = EmbeddedBroker::start();
    let mut old = keeping(&broker, 0);
    let mut new = broker.connect();
    new.speak_v5();
    new.send("10 (`MQTT` 05 00 003c (11 ffffffff) `me`)");
    new.expect_connack_v5("01 00");
    assert_eq!(old.expect_end(), b"", "MQTT 3.1.1 has no DISCONNECT of the server");
    let mut newer = keeping(&broker, 1);
    let last = new.expect_end();
    assert_eq!((last.first(), last.get(2)), (Some(&0xe0), Some(&0x8e)), "{last:02x?}");
    newer.ping();
}

#[test]
fn messages_wait_for_a_client_that_is_away() {
    on_each_broker(|broker| {
        let mut client = keeping(broker, 0);
        client.subscribe("`a` 01");
        leave(client);
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.publish_and_wait("a", "1");
        publisher.publish_and_wait("a", "2");
        let mut client = keeping(broker, 1);
        assert_eq!(client.expect_and_acknowledge().payload, b"1");
        assert_eq!(client.expect_and_acknowledge().payload, b"2");
        publisher.publish_and_wait("a", "3");
        assert_eq!(client.expect_and_acknowledge().payload, b"3");
    });
}

#[test]
fn a_clean_session_knows_nothing() {
    on_each_broker(|broker| {
        let mut client = keeping(broker, 0);
        client.subscribe("`a` 01");
        leave(client);
        leave(Wire::v311(broker, "me"));
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.publish_and_wait("a", "lost");
        let mut client = keeping(broker, 0);
        client.expect_nothing_more();
    });
}

#[test]
fn a_message_without_puback_comes_again_as_a_duplicate() {
    on_each_broker(|broker| {
        let mut client = keeping(broker, 0);
        client.subscribe("`a` 01");
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.publish_and_wait("a", "x");
        let first = client.expect_publish();
        drop(client);
        let mut client = keeping(broker, 1);
        let again = client.expect_and_acknowledge();
        assert_eq!((again.first_byte, &again.payload), (0x3a, &first.payload));
        assert_eq!(again.packet_id, first.packet_id);
        leave(client);
        keeping(broker, 1).expect_nothing_more();
    });
}

#[test]
fn qos_2_goes_on_after_a_lost_connection() {
    on_each_broker(|broker| {
        let mut client = keeping(broker, 0);
        client.subscribe("`a` 02");
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.send("34 (`a` 0001 'x')");
        publisher.expect("50 (0001)");
        publisher.send("62 (0001)");
        publisher.expect("70 (0001)");
        let [high, low] = client.expect_publish().packet_id.unwrap();
        client.send_bytes(&[0x50, 2, high, low]);
        client.expect_ack(0x62, u16::from_be_bytes([high, low]));
        drop(client);
        let mut client = keeping(broker, 1);
        client.expect_ack(0x62, u16::from_be_bytes([high, low]));
        client.send_bytes(&[0x70, 2, high, low]);
        client.expect_nothing_more();
    });
}

#[test]
fn a_publisher_can_finish_qos_2_after_a_lost_connection() {
    on_each_broker(|broker| {
        let mut subscriber = Wire::v311(broker, "subscriber");
        subscriber.subscribe("`a` 00");
        let mut client = keeping(broker, 0);
        client.send("34 (`a` 0001 'once')");
        client.expect("50 (0001)");
        drop(client);
        let mut client = keeping(broker, 1);
        client.send("3c (`a` 0001 'once')");
        client.expect("50 (0001)");
        client.send("62 (0001)");
        client.expect("70 (0001)");
        client.send("30 (`a` 'next')");
        subscriber.expect("30 (`a` 'once') 30 (`a` 'next')");
    });
}

#[test]
fn an_expiry_of_zero_ends_the_session_with_the_connection() {
    on_each_broker(|broker| {
        for properties in ["", "11 00000000"] {
            let mut client = Wire::v5(broker, "me", properties);
            client.subscribe("`a` 01");
            leave(client);
            let mut client = broker.connect();
            client.speak_v5();
            client.send("10 (`MQTT` 05 00 003c () `me`)");
            client.expect_connack_v5("00 00");
        }
    });
}

#[test]
fn a_session_lives_as_long_as_was_asked_for() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "me", "11 0000ffff");
        client.subscribe("`a` 01");
        leave(client);
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.publish_and_wait("a", "x");
        let mut client = broker.connect();
        client.speak_v5();
        client.send("10 (`MQTT` 05 00 003c () `me`)");
        client.expect_connack_v5("01 00");
        assert_eq!(client.expect_and_acknowledge().payload, b"x");
    });
}

#[test]
fn disconnect_can_change_the_expiry() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "me", "11 0000ffff");
        client.send("e0 (00 (11 00000000))");
        client.expect_end();
        let mut client = broker.connect();
        client.send("10 (`MQTT` 05 00 003c () `me`)");
        client.expect_connack_v5("00 00");
    });
}

#[test]
fn a_session_is_forgotten_when_its_time_is_up() {
    let broker = EmbeddedBroker::start();
    let mut observer = Wire::v311(&broker, "observer");
    observer.subscribe("`gone` 00");
    let mut client = broker.connect();
    // The will would wait longer than the session lives, so that it comes at the session's end.
    client.send("10 (`MQTT` 05 06 003c (11 00000001) `me` (18 0000ffff) `gone` `bye`)");
    client.expect_connack_v5("00 00");
    drop(client);
    observer.expect("30 (`gone` 'bye')");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 00 003c () `me`)");
    client.expect_connack_v5("00 00");
}

#[test]
fn a_second_connection_takes_the_session_over() {
    let broker = EmbeddedBroker::start();
    let mut first = Wire::v5(&broker, "me", "11 0000ffff");
    first.subscribe("`a` 00");
    let mut second = broker.connect();
    second.speak_v5();
    second.send("10 (`MQTT` 05 00 003c () `me`)");
    second.expect_connack_v5("01 00");
    let farewell = first.expect_end();
    assert_eq!((farewell[0], farewell[2]), (0xe0, 0x8e), "{farewell:02x?}");
    second.send("30 (`a` () 'x')");
    second.expect("30 (`a` () 'x')");
}

#[test]
fn a_client_of_3_1_1_that_is_taken_over_is_only_closed() {
    on_each_broker(|broker| {
        let mut first = Wire::v311(broker, "me");
        let mut second = Wire::v311(broker, "me");
        assert_eq!(first.expect_end(), b"");
        second.expect_nothing_more();
    });
}

#[test]
fn an_expired_message_is_not_delivered_later() {
    on_each_broker(|broker| {
        let mut client = keeping(broker, 0);
        client.subscribe("`a` 01");
        leave(client);
        let mut publisher = Wire::v5(broker, "publisher", "");
        publisher.send("32 (`a` 0001 (02 00000001) 'short')");
        publisher.expect_ack(0x40, 1);
        publisher.publish_and_wait("a", "long");
        wait_for_a_will_delay_of_two_seconds(broker);
        let mut client = keeping(broker, 1);
        assert_eq!(client.expect_and_acknowledge().payload, b"long");
    });
}

/// Time passes; the broker's own clock says when it is over.
fn wait_for_a_will_delay_of_two_seconds(broker: &(impl Server + ?Sized)) {
    let mut observer = Wire::v311(broker, "observer");
    observer.subscribe("`clock` 00");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 06 003c (11 0000ffff) `clock` (18 00000002) `clock` `ring`)");
    client.expect_connack_v5("00 00");
    drop(client);
    observer.expect("30 (`clock` 'ring')");
}
