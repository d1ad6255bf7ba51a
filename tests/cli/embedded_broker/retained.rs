//! Messages that the broker keeps.

use crate::support::wire::properties;
use crate::support::*;

#[test]
fn a_retained_message_is_sent_to_new_subscribers_with_its_flag() {
    on_each_broker(|broker| {
        let mut publisher = Wire::v311(broker, "publisher");
        let mut early = Wire::v311(broker, "early");
        early.subscribe("`a` 00");
        publisher.send("31 (`a` 'old') 31 (`a` 'kept') c0 ()");
        publisher.expect("d0 ()");
        early.expect("30 (`a` 'old') 30 (`a` 'kept')");
        let mut late = Wire::v311(broker, "late");
        late.subscribe("`+` 00");
        late.expect("31 (`a` 'kept')");
        late.expect_nothing_more();
    });
}

#[test]
fn an_empty_retained_message_deletes() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.subscribe("`a` 00");
        client.send("31 (`a` 'kept') 31 (`b` 'other') 31 (`a`)");
        client.expect("30 (`a` 'kept') 30 (`a`)");
        let mut late = Wire::v311(broker, "late");
        late.subscribe("`+` 00");
        late.expect("31 (`b` 'other')");
        late.expect_nothing_more();
    });
}

#[test]
fn retained_messages_match_wildcards() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.send("31 (`a/b` '1') 31 (`a/c/d` '2') 31 (`a` '3') 31 (`b` '4') 31 (`$x/a` '5') c0 ()");
        client.expect("d0 ()");
        for (filter, expected) in
            [("a/#", "123"), ("+", "34"), ("#", "1234"), ("a/+", "1"), ("$x/#", "5"), ("c/#", "")]
        {
            let mut late = Wire::v311(broker, "late");
            late.subscribe(&format!("`{filter}` 00"));
            let mut payloads: Vec<u8> = expected.bytes().map(|_| late.expect_publish().payload[0]).collect();
            payloads.sort_unstable(); // they come in any order
            assert_eq!(payloads, expected.as_bytes(), "{filter}");
            late.expect_nothing_more();
        }
    });
}

#[test]
fn a_retained_message_comes_at_the_lower_qos() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.send("33 (`a` 0001 'x')");
        client.expect_ack(0x40, 1);
        client.subscribe("`a` 02");
        let message = client.expect_and_acknowledge();
        assert_eq!((message.first_byte, message.payload), (0x33, b"x".to_vec()));
    });
}

#[test]
fn a_retained_message_keeps_its_properties() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        client.send("31 (`a` (03 `text/plain`  26 `k` `v`) 'x')");
        client.subscribe("`a` 00");
        let mut received = properties(&client.expect_publish().properties);
        received.sort_by_key(|(id, _)| *id);
        assert_eq!(received, properties(&bytes::hex("03 `text/plain`  26 `k` `v`")));
    });
}

#[test]
fn shared_subscriptions_get_no_retained_messages() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "client", "");
    client.send("31 (`a` () 'kept')");
    client.subscribe("`$share/group/a` 00");
    client.expect_nothing_more();
}

#[test]
fn a_retained_message_expires() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        client.send("31 (`a` (02 00000001) 'short') 31 (`b` (02 0000ffff) 'long')");
        client.subscribe("`b` 00");
        let left = properties(&client.expect_publish().properties);
        assert!(matches!(left[..], [(2, ref seconds)] if seconds[..2] == [0, 0]), "{left:?}");
        let is_kept = |client: &mut Wire| {
            client.subscribe("`a` 00");
            client.send("c0 ()");
            let is_kept = client.packet()[0] == 0x31;
            if is_kept {
                client.expect("d0 ()");
            }
            is_kept
        };
        let deadline = std::time::Instant::now() + DEADLINE;
        while is_kept(&mut client) {
            assert!(std::time::Instant::now() < deadline, "it never expires");
            client.expect_quiet(); // paces the loop
        }
    });
}

#[test]
fn a_broker_that_retains_nothing_says_so_and_refuses_retained_messages() {
    let with = |limit: &str| EmbeddedBroker::start_with(&format!("-p 0 --limit {limit}=0"));
    let mosquitto = Mosquitto::start_with("retain_available false");
    let [by_count, by_size] = ["retained-messages", "retained-bytes"].map(with);
    let brokers: [Option<&dyn Server>; 3] =
        [Some(&by_count), Some(&by_size), mosquitto.as_ref().map(|broker| broker as &dyn Server)];
    for broker in brokers.into_iter().flatten() {
        let mut client = broker.connect();
        client.speak_v5();
        client.send("10 (`MQTT` 05 02 003c () `c1`)");
        let connack = client.expect_connack_v5("00 00");
        assert!(properties(&connack).contains(&(0x25, vec![0])), "{connack:02x?}");
        client.send("31 (`a` () 'x')");
        assert_eq!(client.expect_type(0xe0)[2], 0x9a);
        client.expect_end();
        // A retained will is refused as well.
        let mut client = broker.connect();
        client.speak_v5();
        client.send("10 (`MQTT` 05 26 003c () `c2` () `will` `x`)");
        client.expect_connack_v5("00 9a");
    }
    let doctor = by_count.mq("doctor -V 5").run();
    assert_says(
        &String::from_utf8_lossy(&doctor.stdout),
        &["no       CONNACK: the broker does not retain messages"],
    );
    // Before MQTT 5 a client cannot learn of it.
    let mut client = Wire::v311(&by_count, "old");
    client.send("31 (`a` 'x')");
    client.ping();
}
