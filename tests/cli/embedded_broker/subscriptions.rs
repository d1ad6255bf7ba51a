//! Topic filters and subscription options.

use crate::support::wire::properties;
use crate::support::*;

#[test]
fn wildcards_match_as_specified() {
    on_each_broker(|broker| {
        for (filter, matching, other) in [
            ("a/b", "a/b", "a/b/c"),
            ("a/+", "a/b", "a/b/c"),
            ("a/+", "a/", "a"),
            ("+/b", "/b", "b"),
            ("a/#", "a", "b"),
            ("a/#", "a/b/c", "aa"),
            ("a/+/c", "a/b/c", "a/b/b"),
            ("+/+", "/finance", "/a/b"),
            ("#", "a/b/c", "$x/a"),
            ("+/a", "x/a", "$x/a"),
            ("$x/#", "$x/a", "x/a"),
        ] {
            let mut client = Wire::v311(broker, "client");
            client.subscribe(&format!("`{filter}` 00"));
            client.send(&format!("30 (`{other}` 'no') 30 (`{matching}` '{filter}')"));
            client.expect(&format!("30 (`{matching}` '{filter}')"));
            client.send("e0 ()");
            client.expect_end();
        }
    });
}

#[test]
fn subscribing_again_replaces_the_options() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.subscribe("`a` 01");
        client.subscribe("`a` 00");
        client.send("32 (`a` 0001 'x') c0 ()");
        let mut packets = [client.packet(), client.packet(), client.packet()];
        packets.sort();
        assert_eq!(packets, [bytes::hex("30 (`a` 'x')"), bytes::hex("40 (0001)"), bytes::hex("d0 ()")]);
    });
}

#[test]
fn nothing_comes_after_unsubscribing() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.subscribe("`a/+` 00 `b` 00");
        client.send("a2 (0002 `a/+` `never/there`)");
        client.expect("b0 (0002)");
        client.send("30 (`a/x` 'no') 30 (`b` 'yes')");
        client.expect("30 (`b` 'yes')");
        let mut client = Wire::v5(broker, "other", "");
        client.subscribe("`a` 00");
        client.send("a2 (0002 () `a` `b`)");
        client.expect("b0 (0002 () 00 11)"); // success, no subscription existed
    });
}

#[test]
fn a_shared_subscription_gives_each_message_to_one_of_the_group() {
    on_each_broker(|broker| {
        let mut members = [Wire::v5(broker, "one", ""), Wire::v5(broker, "two", "")];
        let mut outsider = Wire::v5(broker, "outsider", "");
        for member in &mut members {
            member.subscribe("`$share/group/jobs/#` 00");
        }
        outsider.subscribe("`jobs/#` 00");
        let mut publisher = Wire::v311(broker, "publisher");
        for number in 0..10 {
            publisher.send(&format!("30 (`jobs/a` '{number}')"));
        }
        let mut payloads = Vec::new();
        for member in &mut members {
            for _ in 0..5 {
                payloads.push(member.expect_publish().payload[0]);
            }
            member.expect_nothing_more();
        }
        payloads.sort_unstable();
        assert_eq!(payloads, b"0123456789");
        for number in b"0123456789" {
            assert_eq!(outsider.expect_publish().payload, [*number]);
        }
    });
}

#[test]
fn a_queue_is_a_shared_subscription_without_a_group() {
    let broker = EmbeddedBroker::start();
    let mut members = [Wire::v311(&broker, "one"), Wire::v5(&broker, "two", "")];
    for member in &mut members {
        member.subscribe("`$queue/jobs` 00");
    }
    let mut publisher = Wire::v311(&broker, "publisher");
    publisher.send("30 (`jobs` '0') 30 (`jobs` '1')");
    let mut payloads = members.each_mut().map(|member| member.expect_publish().payload[0]);
    payloads.sort_unstable();
    assert_eq!(&payloads, b"01");
}

#[test]
fn a_group_goes_on_when_a_member_leaves() {
    on_each_broker(|broker| {
        let mut leaving = Wire::v5(broker, "leaving", "");
        let mut staying = Wire::v5(broker, "staying", "");
        leaving.subscribe("`$share/group/a` 00");
        staying.subscribe("`$share/group/a` 00");
        leaving.send("e0 ()");
        leaving.expect_end();
        let mut publisher = Wire::v311(broker, "publisher");
        publisher.send("30 (`a` '1') 30 (`a` '2') 30 (`a` '3')");
        staying.expect("30 (`a` () '1') 30 (`a` () '2') 30 (`a` () '3')");
    });
}

#[test]
fn no_local_keeps_own_messages_away() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        let mut other = Wire::v5(broker, "other", "");
        client.subscribe("`a` 04");
        client.publish_and_wait("a", "own");
        other.publish_and_wait("a", "foreign");
        client.expect("30 (`a` () 'foreign')");
    });
}

#[test]
fn retain_as_published_lets_the_flag_stay() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        client.subscribe("`kept` 08 `plain` 00");
        let mut publisher = Wire::v5(broker, "publisher", "");
        publisher.send("31 (`plain` () 'x') 31 (`kept` () 'x') 30 (`kept` () 'y')");
        client.expect("30 (`plain` () 'x') 31 (`kept` () 'x') 30 (`kept` () 'y')");
    });
}

#[test]
fn retain_handling_says_when_kept_messages_are_sent() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        client.send("31 (`a` () 'kept')");
        client.subscribe("`a` 20");
        client.expect_nothing_more(); // never
        client.subscribe("`a` 10");
        client.expect_nothing_more(); // only for new subscriptions
        client.subscribe("`a` 00");
        client.expect("31 (`a` () 'kept')"); // always
        client.send("a2 (0002 () `a`)");
        client.expect("b0 (0002 () 00)");
        client.subscribe("`a` 10");
        client.expect("31 (`a` () 'kept')"); // it is new again
    });
}

#[test]
fn subscription_identifiers_come_with_the_messages() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        client.send("82 (0001 (0b 07) `a/b` 00)");
        client.expect("90 (0001 () 00)");
        client.send("82 (0002 (0b c801) `x/#` 00)");
        client.expect("90 (0002 () 00)");
        client.send("30 (`a/b` () '1') 30 (`x/y` () '2')");
        client.expect("30 (`a/b` (0b 07) '1') 30 (`x/y` (0b c801) '2')");
    });
}

#[test]
fn overlapping_subscriptions_tell_all_their_identifiers() {
    on_each_broker(|broker| {
        let mut client = Wire::v5(broker, "client", "");
        for (number, filter) in ["a/b", "a/+", "#"].iter().enumerate() {
            client.send(&format!("82 (0001 (0b {:02x}) `{filter}` 00)", number + 1));
            client.expect("90 (0001 () 00)");
        }
        client.send("30 (`a/b` () 'x')");
        // One copy with all identifiers, or a copy for each [MQTT-3.3.4-3].
        let mut identifiers = Vec::new();
        while identifiers.len() < 3 {
            let message = client.expect_publish();
            identifiers.extend(properties(&message.properties).into_iter().map(|(_, value)| value[0]));
        }
        identifiers.sort_unstable();
        assert_eq!(identifiers, [1, 2, 3]);
    });
}

#[test]
fn filters_that_cannot_be_are_not_granted() {
    let broker = EmbeddedBroker::start();
    for filter in ["a#", "a/#/b", "a+/b", "+a", "$share/group", "$share//a", "$share/g+/a"] {
        let mut client = Wire::v5(&broker, "client", "");
        client.send(&format!("82 (0001 () `{filter}` 00)"));
        // A reason code in SUBACK or DISCONNECT; both are allowed.
        let answer = client.packet();
        let reason_code = answer[if answer[0] == 0x90 { 5 } else { 2 }];
        assert!(reason_code >= 0x80, "{filter} is answered with {answer:02x?}");
    }
}

#[test]
fn messages_of_a_member_whose_session_ends_go_to_another_one() {
    let broker = EmbeddedBroker::start();
    // Receive maximum 1.
    let mut leaving = Wire::v5(&broker, "leaving", "21 0001");
    leaving.subscribe("`$share/g/a/+` 01");
    let mut publisher = Wire::v5(&broker, "publisher", "");
    for payload in ["not acknowledged", "not sent", "not sent either"] {
        publisher.publish_and_wait("a/b", payload);
    }
    assert_eq!(leaving.expect_publish().payload, b"not acknowledged");
    let mut staying = Wire::v5(&broker, "staying", "");
    staying.subscribe("`$share/g/a/+` 01");
    drop(leaving);
    for payload in ["not acknowledged", "not sent", "not sent either"] {
        let message = staying.expect_and_acknowledge();
        assert_eq!((message.first_byte, message.payload), (0x32, payload.as_bytes().to_vec()));
    }
}

#[test]
fn a_message_of_QoS_2_that_one_member_received_goes_to_no_other_one() {
    let broker = EmbeddedBroker::start();
    let mut leaving = Wire::v5(&broker, "leaving", "21 0001");
    leaving.subscribe("`$share/g/a` 02");
    let mut publisher = Wire::v5(&broker, "publisher", "");
    for (packet_id, payload) in [(1, "received"), (2, "not sent")] {
        publisher.send(&format!("34 (`a` {packet_id:04x} () '{payload}')"));
        publisher.expect_ack(0x50, packet_id);
    }
    assert_eq!(leaving.expect_publish().payload, b"received");
    let mut staying = Wire::v5(&broker, "staying", "");
    staying.subscribe("`$share/g/a` 02");
    drop(leaving);
    assert_eq!(staying.expect_publish().payload, b"not sent");
}

#[test]
fn the_broker_tells_about_itself() {
    on_each_broker(|broker| {
        let mut client = Wire::v311(broker, "client");
        client.subscribe("`$SYS/broker/version` 00");
        let version = client.expect_publish();
        assert_eq!((version.topic.as_str(), version.first_byte), ("$SYS/broker/version", 0x31));
        assert!(!version.payload.is_empty());
        for topic in ["clients/connected", "messages/received", "messages/sent"] {
            client.subscribe(&format!("`$SYS/broker/{topic}` 00"));
            let payload = String::from_utf8(client.expect_publish().payload).unwrap();
            assert!(payload.parse::<u64>().is_ok(), "{topic} is {payload}");
        }
    });
}

#[test]
fn connected_clients_are_counted() {
    let broker = EmbeddedBroker::start();
    let _others = [Wire::v311(&broker, "one"), Wire::v5(&broker, "two", "")];
    let mut client = Wire::v311(&broker, "client");
    client.subscribe("`$SYS/broker/clients/connected` 00");
    while client.expect_publish().payload != b"3" {}
}
