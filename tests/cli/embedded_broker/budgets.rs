//! The memory that one client, and all of them, can make the broker hold: what exceeds it is refused, told and counted.

use super::wait_until;
use crate::support::wire::properties;
use crate::support::*;

/// What the broker has on this topic.
fn value(broker: &EmbeddedBroker, topic: &str) -> u64 {
    let mut wire = Wire::v311(broker, "reader");
    wire.send(&format!("82 (0001 `{topic}` 00)"));
    wire.expect_type(0x90);
    String::from_utf8(wire.expect_publish().payload).unwrap().parse().unwrap()
}

fn exceeded(broker: &EmbeddedBroker) -> u64 {
    value(broker, "$SYS/broker/quota/exceeded")
}

/// SUBSCRIBE with these filters at QoS 0.
fn subscribe(wire: &mut Wire, is_v5: bool, filters: impl Iterator<Item = String>) -> Vec<u8> {
    let mut body = vec![0, 1];
    body.extend(is_v5.then_some(0));
    for filter in filters {
        body.extend(u16::try_from(filter.len()).unwrap().to_be_bytes());
        body.extend(filter.bytes());
        body.push(0);
    }
    wire.send_bytes(&packet(0x82, &body));
    let suback = wire.expect_type(0x90);
    let header = suback.iter().skip(1).position(|byte| byte & 0x80 == 0).unwrap() + 2;
    suback[header + 2 + usize::from(is_v5)..].to_vec()
}

fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first_byte];
    let mut length = body.len();
    loop {
        let more = if length > 127 { 0x80 } else { 0 };
        packet.push((length % 128) as u8 | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

#[test]
fn subscriptions_beyond_the_budget_of_a_client_are_refused_and_counted() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --client-memory 512K");
    let filters = || (0..2000).map(|number| format!("some/filter/{number}"));
    let mut new = Wire::v5(&broker, "new", "");
    let codes = subscribe(&mut new, true, filters());
    assert_eq!(codes.len(), 2000);
    let granted = codes.iter().take_while(|code| **code == 0).count();
    assert!(granted > 100 && codes[granted..].iter().all(|code| *code == 0x97), "{granted} granted");
    let mut old = Wire::v311(&broker, "old");
    let codes = subscribe(&mut old, false, filters());
    assert!(codes.contains(&0) && codes.ends_with(&[0x80]));
    // Messages still arrive.
    old.send("30 (`some/filter/0` 'x')");
    old.expect("30 (`some/filter/0` 'x')");
    assert!(exceeded(&broker) > 1000);
    let line = broker.process().wait_for_stderr("\"new\" exceeded");
    assert!(line.ends_with("exceeded a limit: --client-memory 512KiB"), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn deep_filters_do_not_fill_the_memory() {
    let mut broker = EmbeddedBroker::start();
    let mut client = Wire::v311(&broker, "client");
    for round in 0..10 {
        let filters = (0..500).map(|number| format!("{round}-{number}/{}", ["x"; 199].join("/")));
        subscribe(&mut client, false, filters);
    }
    let peak = broker.process().peak_memory();
    assert!(peak < 100 << 20, "{peak} bytes");
    assert!(exceeded(&broker) > 0);
}

#[test]
fn a_request_over_a_mebibyte_is_refused() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "client", "");
    client.send("82 80 80 80 01");
    assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x97]);
}

#[test]
fn every_overlapping_subscription_is_named_in_a_message() {
    let broker = EmbeddedBroker::start();
    let mut client = Wire::v5(&broker, "client", "");
    for number in 0..1024_u32 {
        let levels: Vec<&str> = (0..10).map(|bit| if number >> bit & 1 == 0 { "a" } else { "+" }).collect();
        let [low, high] = [(number + 200) as u8 | 0x80, ((number + 200) >> 7) as u8];
        client.send(&format!("82 (0001 (0b {low:02x} {high:02x}) `{}` 00)", levels.join("/")));
        client.expect_type(0x90);
    }
    client.send(&format!("30 (`{}` () 'x')", ["a"; 10].join("/")));
    let ids = properties(&client.expect_publish().properties);
    assert_eq!(ids.len(), 1024);
    assert!(ids.iter().all(|(id, _)| *id == 0x0b));
}

/// Each of a hundred subscriptions asks for all retained messages; they wait in the store, not in the queue.
#[cfg(target_os = "linux")]
#[test]
fn retained_messages_for_many_subscriptions_do_not_fill_the_memory() {
    let mut broker = EmbeddedBroker::start();
    let mut publisher = Wire::v311(&broker, "publisher");
    for number in 0..2000 {
        publisher.send(&format!("31 (`r/{number}` '{}')", "x".repeat(50)));
    }
    publisher.ping();
    let before = broker.process().peak_memory();
    let mut client = Wire::v311(&broker, "client");
    subscribe(&mut client, false, (0..100).map(|_| "r/#".to_owned()));
    for _ in 0..100 {
        for _ in 0..2000 {
            client.expect_publish();
        }
    }
    client.expect_nothing_more();
    let peak = broker.process().peak_memory();
    assert!(peak < before + (8 << 20), "{before} and {peak} bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn a_subscriber_that_acknowledges_nothing_does_not_fill_the_memory() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --client-memory 4M");
    let mut subscriber = Wire::v5(&broker, "subscriber", "21 ffff");
    subscriber.subscribe("`flood` 01");
    let mut publisher = Wire::v311(&broker, "publisher");
    let message = bytes::hex(&format!("32 (`flood` 0001 '{}')", "x".repeat(60_000)));
    let reader = std::thread::spawn(move || while !subscriber.packet().is_empty() {});
    for _ in 0..1000 {
        publisher.send_bytes(&message);
        publisher.expect_ack(0x40, 1);
    }
    let peak = broker.process().peak_memory();
    assert!(peak < 50 << 20, "{peak} bytes");
    assert!(value(&broker, "$SYS/broker/publish/messages/dropped") > 800);
    assert_says(&broker.process().wait_for_stderr("subscriber"), &["dropped"]);
    broker.kill();
    reader.join().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn packets_that_are_not_whole_share_the_memory_of_the_broker() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --memory 16M --client-memory 2M");
    let mut clients: Vec<Wire> = (0..30).map(|number| Wire::v5(&broker, &format!("c{number}"), "")).collect();
    let mut ends = Vec::new();
    for client in &mut clients {
        client.try_send_bytes(&[bytes::hex("30 c0 84 3d 0001 61"), vec![b'x'; 900_000]].concat());
    }
    let mut small = Wire::v5(&broker, "small", "");
    small.publish_and_wait("a", "still there");
    let refused = exceeded(&broker);
    assert!(refused > 10, "{refused}");
    for client in &mut clients {
        client.finish_sending();
        ends.push(client.expect_end());
    }
    let told = ends.iter().filter(|end| end.get(..3) == Some(&[0xe0, 1, 0x97])).count();
    assert!(told > 0, "{ends:02x?}");
    let peak = broker.process().peak_memory();
    assert!(peak < 60 << 20, "{peak} bytes");
}

#[test]
fn the_largest_packet_is_the_memory_of_a_client() {
    let broker = EmbeddedBroker::start_with("-p 0 --client-memory 1M");
    let mut client = broker.connect();
    client.send("10 (`MQTT` 05 02 003c () `client`)");
    let connack = properties(&client.expect_connack_v5("00 00"));
    assert!(connack.contains(&(0x27, vec![0, 0x10, 0, 0])), "{connack:02x?}");
    client.send("30 ff ff ff 7f");
    assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x95]);
}

/// 16 MiB for all, and a sixteenth of that before CONNECT is complete.
#[cfg(target_os = "linux")]
#[test]
fn strangers_share_a_small_part_of_the_memory() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --memory 16M");
    let part = |version: u8| {
        let start = format!("10 c0 84 3d `MQTT` {version:02x} 02 003c");
        [bytes::hex(&start), vec![0x26; 100_000]].concat()
    };
    let mut strangers: Vec<Wire> = (0..40).map(|_| broker.connect()).collect();
    for (number, stranger) in strangers.iter_mut().enumerate() {
        stranger.try_send_bytes(&part(if number % 2 == 0 { 5 } else { 4 }));
    }
    Wire::v5(&broker, "newcomer", "").ping();
    assert!(exceeded(&broker) > 20);
    let mut answers = Vec::new();
    for stranger in &mut strangers {
        stranger.finish_sending();
        answers.push(stranger.expect_end());
    }
    assert!(answers.iter().any(|answer| *answer == bytes::hex("20 03 00 97 00")), "{answers:02x?}");
    assert!(answers.iter().any(|answer| *answer == bytes::hex("20 02 00 03")), "{answers:02x?}");
    let peak = broker.process().peak_memory();
    assert!(peak < 40 << 20, "{peak} bytes");
}

#[test]
fn wills_of_kept_sessions_count() {
    let broker = EmbeddedBroker::start_with("-p 0 --memory 4M");
    let payload = "x".repeat(60_000);
    let mut answers = Vec::new();
    for number in 0..60 {
        let mut client = broker.connect();
        client.send(&format!(
            "10 (`MQTT` 05 06 003c (11 ffffffff) `c{number}` (18 ffffffff) `will` `{payload}`)"
        ));
        answers.push(client.packet()[3]);
        client.try_send_bytes(&bytes::hex("e0 01 04"));
    }
    assert!(answers.starts_with(&[0; 10]) && answers.contains(&0x97), "{answers:02x?}");
    Wire::v5(&broker, "small", "").ping();
}

#[test]
fn sizes_of_memory_are_checked() {
    for words in ["--memory 1", "--memory x", "--client-memory 1T", "--client-memory -1M"] {
        assert_says(&mq(&format!("broker -p 0 {words}")).run().fail(2), &["mq broker:", "64K"]);
    }
}

#[test]
fn expired_messages_leave_the_queue_of_a_client_that_is_away() {
    let broker = EmbeddedBroker::start_with("-p 0 --limit queued-messages=2");
    let mut away = Wire::v5(&broker, "away", "11 00000064");
    away.subscribe("`a` 01");
    away.send("e0 ()");
    away.expect_end();
    let mut publisher = Wire::v5(&broker, "publisher", "");
    let memory = || value(&broker, "$SYS/broker/memory/used");
    let before = memory();
    let large = "x".repeat(100_000);
    for packet_id in [1, 2] {
        // Message expiry interval 1.
        publisher.send(&format!("32 (`a` {packet_id:04x} (02 00000001) '{large}')"));
        publisher.expect_ack(0x40, packet_id);
    }
    assert!(memory() > before + 100_000);
    wait_until("the messages are deleted", || memory() < before + 100_000);
    for payload in ["one", "two"] {
        publisher.publish_and_wait("a", payload);
    }
    let mut back = broker.connect();
    back.speak_v5();
    back.send("10 (`MQTT` 05 00 003c () `away`)");
    back.expect_connack_v5("01 00");
    for payload in ["one", "two"] {
        assert_eq!(back.expect_and_acknowledge().payload, payload.as_bytes());
    }
}
