//! What MQTT 3.1 allows and later versions forbid, as mosquitto takes it too.

use crate::support::*;

/// A client of 3.1, accepted by the server.
fn v31(server: &(impl Server + ?Sized), client_id: &str) -> Wire {
    let mut wire = server.connect();
    wire.send(&format!("10 (`MQIsdp` 03 02 003c `{client_id}`)"));
    wire.expect("20 (00 00)");
    wire
}

#[test]
fn packets_that_are_sent_again_carry_dup() {
    on_each_broker(|broker| {
        let mut client = v31(broker, "client");
        client.send("8a (0001 `a` 01)");
        client.expect("90 (0001 01)");
        client.send("34 (`b` 0002 'x')");
        client.expect("50 (0002)");
        client.send("6a (0002)");
        client.expect("70 (0002)");
        client.send("aa (0003 `a`)");
        client.expect("b0 (0003)");
    });
}

#[test]
fn the_reserved_bits_of_connect_are_not_looked_at() {
    on_each_broker(|broker| {
        for text in ["1f (`MQIsdp` 03 02 003c `me`)", "10 (`MQIsdp` 03 03 003c `me`)"] {
            let mut client = broker.connect();
            client.send(text);
            client.expect("20 (00 00)");
            client.ping();
        }
    });
}

#[test]
fn later_versions_are_held_to_the_reserved_bits() {
    let broker = EmbeddedBroker::start();
    for text in ["8a (0001 `a` 01)", "6a (0002)", "aa (0003 `a`)"] {
        let mut client = Wire::v311(&broker, "client");
        client.send(text);
        assert_eq!(client.expect_end(), b"", "{text}");
        let mut client = Wire::v5(&broker, "client", "");
        client.send(&text.replacen('(', "(0001 () ", 1));
        assert_eq!(client.expect_end()[..3], [0xe0, 1, 0x81], "{text}");
    }
    let mut client = broker.connect();
    client.send("1f (`MQTT` 04 02 003c `me`)");
    assert_eq!(client.expect_end(), b"");
}

#[test]
fn a_client_takes_dup_on_pubrel() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 02) 34 (`a` 0007 'x')");
        client.expect("50 (0007)");
        client.send("6a (0007)");
        client.expect("70 (0007)");
        client.send("30 (`a` 'y')");
        client.expect_end();
    });
    assert_eq!(peer.mq("sub -V 31 -t a -q 2 -C 2").run().succeed(), "x\ny\n");
    peer.finish();
}
