//! The last words of clients that are gone.

use crate::support::*;

/// A subscriber of all wills.
fn observer(broker: &(impl Server + ?Sized)) -> Wire {
    let mut observer = Wire::v311(broker, "observer");
    observer.subscribe("`will/#` 02");
    observer
}

/// A client of 5.0 with a will on `will/ID`.
fn with_will(broker: &(impl Server + ?Sized), id: &str, properties: &str, will_properties: &str) -> Wire {
    let mut client = broker.connect();
    client.speak_v5();
    client
        .send(&format!("10 (`MQTT` 05 06 003c ({properties}) `{id}` ({will_properties}) `will/{id}` `bye`)"));
    client.expect_connack_v5("00 00");
    client
}

#[test]
fn a_will_is_published_when_the_connection_breaks() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        let mut client = broker.connect();
        client.send("10 (`MQTT` 04 2e 003c `me` `will/me` `bye`)  # retained, QoS 1");
        client.expect("20 (00 00)");
        drop(client);
        let will = observer.expect_and_acknowledge();
        assert_eq!((will.first_byte, will.payload), (0x32, b"bye".to_vec()));
        let mut late = Wire::v311(broker, "late");
        late.subscribe("`will/me` 00");
        late.expect("31 (`will/me` 'bye')");
    });
}

#[test]
fn a_will_is_dropped_at_a_regular_end() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        let mut polite = with_will(broker, "polite", "", "");
        polite.send("e0 ()");
        polite.expect_end();
        drop(with_will(broker, "rude", "", ""));
        observer.expect("30 (`will/rude` 'bye')");
    });
}

#[test]
fn a_client_can_ask_for_its_will_at_a_regular_end() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        let mut client = with_will(broker, "me", "", "");
        client.send("e0 (04)");
        observer.expect("30 (`will/me` 'bye')");
    });
}

#[test]
fn a_will_is_published_after_bad_bytes() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        let mut client = with_will(broker, "me", "", "");
        client.send("36 (`a` 0001 () 'both bits of QoS')");
        observer.expect("30 (`will/me` 'bye')");
    });
}

#[test]
fn a_will_carries_its_properties() {
    on_each_broker(|broker| {
        let mut observer = Wire::v5(broker, "observer", "");
        observer.subscribe("`will/#` 00");
        drop(with_will(broker, "me", "", "03 `text/plain`"));
        observer.expect("30 (`will/me` (03 `text/plain`) 'bye')");
    });
}

#[test]
fn a_will_can_be_delayed() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        drop(with_will(broker, "slow", "11 0000ffff", "18 00000001"));
        drop(with_will(broker, "fast", "11 0000ffff", ""));
        observer.expect("30 (`will/fast` 'bye') 30 (`will/slow` 'bye')");
    });
}

#[test]
fn a_delayed_will_is_dropped_when_the_client_comes_back() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        drop(with_will(broker, "back", "11 0000ffff", "18 00000001"));
        let mut back = broker.connect();
        back.speak_v5();
        back.send("10 (`MQTT` 05 00 003c (11 0000ffff) `back`)");
        back.expect_connack_v5("01 00");
        drop(with_will(broker, "gone", "11 0000ffff", "18 00000002"));
        observer.expect("30 (`will/gone` 'bye')");
    });
}

#[test]
fn a_delayed_will_is_published_when_the_session_starts_anew() {
    let broker = EmbeddedBroker::start();
    let mut observer = observer(&broker);
    drop(with_will(&broker, "me", "11 0000ffff", "18 0000ffff"));
    let _again = Wire::v5(&broker, "me", "");
    observer.expect("30 (`will/me` 'bye')");
}

#[test]
fn a_delay_ends_with_the_session() {
    let broker = EmbeddedBroker::start();
    let mut observer = observer(&broker);
    drop(with_will(&broker, "me", "11 00000000", "18 0000ffff"));
    observer.expect("30 (`will/me` 'bye')");
}

#[test]
fn a_client_that_is_taken_over_leaves_its_will() {
    on_each_broker(|broker| {
        let mut observer = observer(broker);
        let _first = with_will(broker, "me", "", "");
        let _second = Wire::v5(broker, "me", "");
        observer.expect("30 (`will/me` 'bye')");
    });
}

#[test]
fn a_will_below_SYS_is_not_published() {
    on_each_broker(|broker| {
        let mut watcher = Wire::v311(broker, "watcher");
        watcher.subscribe("`$SYS/broker/forged` 00 `end` 00");
        for (topic, end) in [("$SYS/broker/forged", "e0 (04)"), ("end", "e0 (04)")] {
            let mut client = broker.connect();
            client.speak_v5();
            // Retained.
            client.send(&format!("10 (`MQTT` 05 26 003c () `me` () `{topic}` `bye`)"));
            client.expect_connack_v5("00 00");
            client.send(end);
            client.expect_end();
        }
        watcher.expect("30 (`end` 'bye')");
        let mut late = Wire::v311(broker, "late");
        late.subscribe("`$SYS/broker/forged` 00");
        late.expect_quiet();
    });
}

#[test]
fn clients_publish_the_states_of_bridges_and_nothing_else_below_SYS() {
    on_each_broker(|broker| {
        let mut watcher = Wire::v311(broker, "watcher");
        watcher.subscribe("`$SYS/broker/connection/#` 00");
        let mut bridge = broker.connect();
        bridge.speak_v5();
        bridge.send("10 (`MQTT` 05 26 003c () `b1` () `$SYS/broker/connection/b1/state` `0`)");
        bridge.expect_connack_v5("00 00");
        // mosquitto may close the connection behind this (findings/denied-publish.sh).
        let mut other = Wire::v5(broker, "other", "");
        other.send("32 (`$SYS/broker/connection/b1` 0001 () 'no')");
        assert_eq!(other.expect_type(0x40)[2..5], [0, 1, 0x87]);
        bridge.send("33 (`$SYS/broker/connection/b1/state` 0001 () '1')");
        bridge.expect_ack(0x40, 1);
        watcher.expect("30 (`$SYS/broker/connection/b1/state` '1')");
        drop(bridge);
        watcher.expect("30 (`$SYS/broker/connection/b1/state` '0')");
        let mut late = Wire::v311(broker, "late");
        late.subscribe("`$SYS/broker/connection/+/state` 00");
        late.expect("31 (`$SYS/broker/connection/b1/state` '0')");
    });
}
