//! Whatever bytes come, the connection that they came on ends, and nothing else does.

use crate::support::*;

/// Sends the bytes on a new connection, which is to be closed, and sees that the others live.
#[track_caller]
fn assert_closed(broker: &(impl Server + ?Sized), witness: &mut Wire, bytes: &[u8]) {
    let mut bad = broker.connect();
    bad.try_send_bytes(bytes);
    bad.expect_end();
    witness.ping();
}

#[test]
fn a_connection_that_does_not_begin_with_connect_is_closed() {
    on_each_broker(|broker| {
        let mut witness = Wire::v311(broker, "witness");
        for text in [
            "c0 ()",
            "30 (`a` 'x')",
            "82 (0001 `a` 00)",
            "20 (00 00)",
            "e0 ()",
            "f0 (18 ())",
            "00 ()",
            "10 ff ff ff ff ff",
            "10 (`HTTP` 04 02 003c `me`)",
            "10 (`MQTT` 04 03 003c `me`)          # the reserved flag",
            "10 (`MQTT` 04 02 003c)               # no identifier",
            "10 (`MQTT` 04 0e 003c `me` `a`)      # a will without payload",
            "10 (`MQTT` 04 1e 003c `me` `a` `b`)  # a will of QoS 3",
            "10 (`MQTT` 04 82 003c `me`)          # no user name",
            "10 (`MQTT` 04 02 003c 0003 61 ff 62) # not UTF-8",
            "10 (`MQTT` 05 02 003c (ff 00) `me`)  # an unknown property",
            "10 (`MQTT` 05 02 003c (21 0000) `me`)",
            "10 (`MQTT` 05 02 003c (21 0001 21 0001) `me`)",
            "10 (`MQTT` 05 02 003c (03 `x`) `me`)",
        ] {
            assert_closed(broker, &mut witness, &bytes::hex(text));
        }
    });
}

#[test]
fn bad_packets_after_connect_end_the_connection() {
    let broker = EmbeddedBroker::start();
    let mut witness = Wire::v311(&broker, "witness");
    for text in [
        "10 (`MQTT` 04 02 003c `me`)    # a second CONNECT",
        "20 (00 00)                     # what only servers send",
        "90 (0001 00)",
        "d0 ()",
        "36 (`a` 0001 'x')              # QoS 3",
        "30 (`a/#` 'x')                 # wildcards in a topic",
        "30 (`a/+` 'x')",
        "30 (``)",
        "30 (00)                        # half a length",
        "30 (0009 'a')                  # a length that is not there",
        "32 (`a`)                       # no packet identifier",
        "32 (`a` 0000 'x')",
        "30 (0002 c3 28)                # not UTF-8",
        "30 (0003 'a' 00 'b')           # NUL",
        "80 (0001 `a` 00)               # wrong flags",
        "82 (0001)                      # nothing to subscribe to",
        "82 (0001 `a`)                  # no options",
        "82 (0001 `a` 03)               # QoS 3",
        "82 (0000 `a` 00)",
        "a0 (0001 `a`)",
        "a2 (0001)",
        "60 (0001)                      # wrong flags",
        "40 (00)",
        "c1 ()",
        "30 ff ff ff ff 01",
    ] {
        let connect = bytes::hex("10 (`MQTT` 04 02 003c `bad`)");
        assert_closed(&broker, &mut witness, &[connect, bytes::hex(text)].concat());
    }
}

#[test]
fn faults_are_reported_in_mqtt_5() {
    let broker = EmbeddedBroker::start();
    for (text, reason_code) in [
        ("36 (`a` 0001 () 'x')", 0x81),
        ("30 (`a/#` () 'x')", 0x90),
        ("10 (`MQTT` 05 02 003c () `me`)", 0x82),
        ("82 (0001 () `a` 03)", 0x82),
        ("82 (0001 () `a` c0)", 0x81),
        ("82 (0001 () `a` 30)", 0x82),
        ("30 (`` () 'x')", 0x82),
        ("30 (`a` (0b 01) 'x')", 0x82),
        ("30 (`a` (01 01 01 01) 'x')", 0x82),
        ("82 (0001 () `$share/g/a` 04)", 0x82),
    ] {
        let mut client = Wire::v5(&broker, "me", "");
        client.send(text);
        let farewell = client.expect_end();
        assert_eq!(
            farewell.get(2).map(|code| format!("{code:02x}")),
            Some(format!("{reason_code:02x}")),
            "for {text}"
        );
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let broker = EmbeddedBroker::start();
    let mut witness = Wire::v311(&broker, "witness");
    let mut state = 0x2545_f491_u32;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    for round in 0..300 {
        let mut bytes =
            if round % 2 == 0 { bytes::hex("10 (`MQTT` 05 02 003c () `bad`)") } else { Vec::new() };
        bytes.extend((0..200).map(|_| random()));
        let mut bad = broker.connect();
        bad.try_send_bytes(&bytes);
        bad.finish_sending();
        bad.expect_end();
    }
    witness.ping();
}

#[test]
fn every_cut_of_a_packet_does_no_harm() {
    let broker = EmbeddedBroker::start();
    let mut witness = Wire::v311(&broker, "witness");
    let packets = bytes::hex(
        "10 (`MQTT` 05 c6 003c (11 0000ffff 26 `a` `b`) `cut` (18 00000000 03 `t`) `w/#` `bye` `u` `p`)",
    );
    for length in 0..packets.len() {
        let mut cut = broker.connect();
        cut.try_send_bytes(&packets[..length]);
        cut.finish_sending();
        cut.expect_end();
    }
    witness.ping();
}

#[test]
fn a_browser_is_sent_away() {
    on_each_broker(|broker| {
        let mut witness = Wire::v311(broker, "witness");
        assert_closed(broker, &mut witness, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    });
}

#[test]
fn a_tls_client_is_sent_away() {
    let broker = EmbeddedBroker::start();
    let mut witness = Wire::v311(&broker, "witness");
    let hello = bytes::hex("16 03 01 00 2f 01 00 00 2b 03 03");
    assert_closed(&broker, &mut witness, &hello);
}

/// A length of 256 MB that never comes must not be allocated.
#[cfg(target_os = "linux")]
#[test]
fn a_promised_size_takes_no_memory() {
    let mut broker = EmbeddedBroker::start();
    let mut clients: Vec<Wire> = (0..20).map(|n| Wire::v311(&broker, &format!("c{n}"))).collect();
    for client in &mut clients {
        client.send("30 ff ff ff 7f 0001 61");
    }
    Wire::v311(&broker, "witness").ping();
    let peak = broker.process().peak_memory();
    assert!(peak < 50 << 20, "{peak} bytes");
}
