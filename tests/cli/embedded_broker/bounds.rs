//! The fixed limits of the broker: each one is reached with `--limit`, which sets it to a small value.

use crate::support::wire::properties;
use crate::support::*;

fn broker_with(limits: &str) -> EmbeddedBroker {
    let limits: String = limits.split(' ').map(|limit| format!(" --limit {limit}")).collect();
    EmbeddedBroker::start_with(&format!("-p 0{limits}"))
}

#[test]
fn subscriptions_over_the_maximum_are_refused() {
    let mut broker = broker_with("subscriptions=2");
    for (is_v5, refusal) in [(true, 0x97), (false, 0x80)] {
        let (mut client, properties) = match is_v5 {
            true => (Wire::v5(&broker, "me", ""), "()"),
            false => (Wire::v311(&broker, "me"), ""),
        };
        client.send(&format!("82 (0001 {properties} `a` 00 `b` 00 `c` 00 `a` 01)"));
        let codes = client.expect_type(0x90);
        assert_eq!(codes[codes.len() - 4..], [0, 0, refusal, 1]);
    }
    broker.process().wait_for_stderr("\"me\" exceeded a limit: --limit subscriptions=2");
}

#[test]
fn a_client_that_exceeds_a_limit_again_and_again_is_reported_once_in_some_seconds() {
    let mut broker = broker_with("subscriptions=1");
    let exceed = |client: &mut Wire| {
        client.send("82 (0001 () `a` 00 `b` 00)");
        client.expect_type(0x90);
    };
    let mut again = Wire::v5(&broker, "again", "");
    for other in ["one", "two", "three"] {
        exceed(&mut again);
        exceed(&mut Wire::v5(&broker, other, ""));
        // With the next report.
        broker.process().wait_for_stderr(&format!("\"{other}\" exceeded a limit"));
    }
    let process = broker.into_process();
    process.signal("TERM");
    // At the start and at the end.
    assert_eq!(process.finish().stderr.matches("\"again\" exceeded a limit").count(), 2);
}

#[test]
fn a_filter_has_at_most_201_levels() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "me", "");
    for (slashes, code) in [(200, 0), (201, 0x8f)] {
        client.send(&format!("82 (0001 () `{}` 00)", "/".repeat(slashes)));
        assert_eq!(client.expect_type(0x90).last(), Some(&code), "{slashes}");
    }
}

#[test]
fn no_more_messages_than_the_maximum_are_in_flight() {
    let broker = broker_with("in-flight=2");
    let mut subscriber = Wire::v311(&broker, "subscriber");
    let mut publisher = Wire::v311(&broker, "publisher");
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
}

#[test]
fn messages_over_the_maximum_queue_are_dropped_and_counted() {
    let mut broker = broker_with("queued-messages=5");
    let mut away = Wire::v5(&broker, "away", "11 ffffffff");
    away.subscribe("`a` 01");
    drop(away);
    let mut publisher = Wire::v311(&broker, "publisher");
    for number in 0..8 {
        publisher.publish_and_wait("a", &number.to_string());
    }
    // A report may come between two of them.
    let mut dropped = 0;
    while dropped < 3 {
        let line = broker.process().wait_for_stderr("dropped ");
        assert_says(&line, &["--limit queued-messages=5"]);
        let count = line.split("dropped ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        dropped += count.parse::<usize>().unwrap();
    }
    assert_eq!(dropped, 3);
    let mut back = broker.connect();
    back.speak_v5();
    back.send("10 (`MQTT` 05 00 003c (11 ffffffff) `away`)");
    back.expect_connack_v5("01 00");
    let payloads: Vec<_> = (0..5).map(|_| back.expect_and_acknowledge().payload).collect();
    assert_eq!(payloads, [b"0", b"1", b"2", b"3", b"4"]);
    back.expect_quiet();
}

#[test]
fn a_client_that_exceeds_the_receive_maximum_is_disconnected() {
    let mut broker = broker_with("receive-maximum=2");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c () `me`)");
    let connack = properties(&client.expect_connack_v5("00 00"));
    assert!(connack.contains(&(0x21, vec![0, 2])), "{connack:02x?}");
    client.send("34 (`a` 0001 () 'x') 34 (`a` 0002 () 'x') 34 (`a` 0003 () 'x')");
    client.expect_ack(0x50, 1);
    client.expect_ack(0x50, 2);
    assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x93]);
    broker.process().wait_for_stderr("exceeded a limit: --limit receive-maximum=2");
    // A client of MQTT 3.1.1 cannot learn of the limit.
    let mut old = Wire::v311(&broker, "old");
    old.send("34 (`a` 0001 'x') 34 (`a` 0002 'x') 34 (`a` 0003 'x')");
    (1..=3).for_each(|id| old.expect_ack(0x50, id));
}

#[test]
fn the_maximum_of_topic_aliases_is_announced() {
    let broker = broker_with("topic-aliases=1");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c () `me`)");
    let connack = properties(&client.expect_connack_v5("00 00"));
    assert!(connack.contains(&(0x22, vec![0, 1])), "{connack:02x?}");
    client.send("30 (`a` (23 0001) 'x') 30 (`a` (23 0002) 'x')");
    assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x94]);
}

#[test]
fn a_session_over_the_maximum_is_refused() {
    let mut broker = broker_with("sessions=1");
    let first = Wire::v311(&broker, "first");
    for (text, answer) in [("04 02 003c", "20 (00 03)"), ("05 02 003c ()", "20 (00 97 ())")] {
        let mut second = broker.connect();
        second.send(&format!("10 (`MQTT` {text} `second`)"));
        second.expect(answer);
        second.expect_end();
    }
    assert_says(&broker.process().wait_for_stderr("refused"), &["(0x97) (--limit sessions=1)"]);
    drop(first);
    // The same session again is not one more.
    let _again = Wire::v311(&broker, "first");
    let _and_again = Wire::v311(&broker, "first");
}

#[test]
fn retained_messages_over_the_maximum_are_delivered_but_not_stored() {
    for limit in ["retained-messages=2", "retained-bytes=500"] {
        let mut broker = broker_with(limit);
        let mut client = Wire::v311(&broker, "me");
        client.subscribe("`#` 00");
        for topic in ["a", "b", "c", "d", "e"] {
            client.send(&format!("31 (`{topic}` 'x')"));
            client.expect(&format!("30 (`{topic}` 'x')"));
        }
        let line = broker.process().wait_for_stderr("the store is full");
        assert_says(&line, &[&format!("--limit {limit}")]);
        let mut late = Wire::v311(&broker, "late");
        late.subscribe("`#` 00");
        let mut topics = vec![late.expect_publish().topic];
        if limit == "retained-messages=2" {
            topics.push(late.expect_publish().topic);
        }
        late.send("c0 ()");
        let mut kept = topics.len();
        while late.packet()[0] != 0xd0 {
            kept += 1;
        }
        assert!(kept < 5 && topics[0] == "a", "{kept} {topics:?}");
        // A stored message makes room when it is removed.
        client.send("31 (`a` ) 31 (`f` 'x')");
        client.expect("30 (`a` ) 30 (`f` 'x')");
        let mut latest = Wire::v311(&broker, "latest");
        latest.subscribe("`f` 00");
        latest.expect("31 (`f` 'x')");
    }
}

#[test]
fn a_publish_over_the_largest_packet_ends_the_connection() {
    let broker = broker_with("packet-size=1KiB");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c () `me`)");
    let connack = properties(&client.expect_connack_v5("00 00"));
    assert!(connack.contains(&(0x27, vec![0, 0, 4, 0])), "{connack:02x?}");
    client.send(&format!("32 (`a` 0001 () '{}')", "x".repeat(900)));
    client.expect_type(0x40);
    client.send(&format!("32 (`a` 0001 () '{}')", "x".repeat(1100)));
    assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x95]);
}

#[test]
fn a_connection_without_connect_is_closed_after_the_time_for_it() {
    let mut broker = broker_with("connect-time=100ms");
    broker.connect().expect_end();
    broker.process().wait_for_stderr("no CONNECT in time (--limit connect-time=100ms)");
}

#[test]
fn publishers_wait_for_a_subscriber_no_longer_than_the_stall_time() {
    let mut broker = broker_with("queued-messages=40 stall-time=200ms");
    let mut slow = Wire::v311(&broker, "slow");
    slow.subscribe("`a` 01");
    let mut publisher = Wire::v311(&broker, "publisher");
    // The subscriber acknowledges nothing: 1,024 messages are in flight, then the queue fills.
    for _ in 0..1200 {
        publisher.publish_and_wait("a", "x");
    }
    broker.process().wait_for_stderr("messages for \"slow\"");
}

#[test]
fn values_of_limits_are_checked() {
    for (option, parts) in [
        ("sessions", ["--limit", "NAME=VALUE"]),
        ("session=1", ["--limit", "did you mean 'sessions'?"]),
        ("sessions=0", ["--limit", "from 1 to 4294967295 for sessions"]),
        ("packet-size=1", ["--limit", "a size"]),
        ("stall-time=2h", ["--limit", "a time"]),
    ] {
        assert_says(&mq(&format!("broker -p 0 --limit {option}")).run().fail(2), &parts);
    }
}
