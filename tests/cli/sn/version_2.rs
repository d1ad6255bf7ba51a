//! MQTT-SN 2.0: clients beside a scripted gateway, the gateway beside a scripted client, and both together.

use super::sleep::{publish_expiring, wait_past_a_second};
use super::through::each_qos;
use crate::support::sn::{Gateway, SnPeer, address_in, client_of};
use crate::support::{EmbeddedBroker, Server, assert_first_line, assert_says, mq, on_each_broker};

const QUICK: &str = "--sn-version 2 --sn-retry-interval 50ms --sn-retry-count 1000";

/// Accepts the client `c1`, whose CONNECT has these flags and fields.
fn accept(gateway: &mut SnPeer, flags: &str, fields: &str) {
    gateway.expect(&format!("01 {flags} c001 02 003c 0000 {fields} 'c1'"));
    gateway.send("02 00 c001 00");
}

fn accept_plain(gateway: &mut SnPeer) {
    accept(gateway, "41", "");
}

/// A gateway in front of mq's broker, with MQTT 5.
fn start(options: &str) -> (EmbeddedBroker, Gateway) {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), &format!("-V 5 {options}"));
    (broker, gateway)
}

/// A connected client of the gateway.
fn connected(gateway: &Gateway) -> SnPeer {
    let mut peer = gateway.peer();
    peer.ask("01 01 0001 02 003c 0000 'c1'", "02 00 0001 00");
    peer
}

#[test]
fn pub_registers_the_topic_and_repeats_requests_without_DUP() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq(&format!("pub -i c1 -t a/b -m hello -q 1 {QUICK}")).spawn();
    gateway.expect("01 41 c001 02 003c 0000 'c1'");
    gateway.expect("01 41 c002 02 003c 0000 'c1'"); // another attempt
    let mut attempt = 3;
    gateway.send("02 00 c002 00");
    loop {
        let datagram = gateway.receive();
        if datagram[1] == 0x10 {
            break;
        }
        // CONNACK came too late.
        assert_eq!(datagram[4], attempt);
        gateway.send(&format!("02 00 c0{attempt:02x} 00"));
        attempt += 1;
    }
    let register = gateway.receive();
    assert_eq!(register[..3], [8, 0x10, 0]);
    let id = format!("{:02x}{:02x}", register[3], register[4]);
    gateway.send(&format!("11 04 {id} 0007"));
    while gateway.receive() != *b"\x0c\x03\x20\x00\x01\x00\x07hello" {}
    gateway.expect("03 20 0001 0007 'hello'");
    gateway.send("04 0001");
    while gateway.receive() != [3, 0x0e, 0] {}
    publisher.finish().succeed();
}

#[test]
fn QoS_2_takes_four_steps_and_its_session_lasts() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 -t a/b -m hello -q 2 --sn-version 2 -x 60").spawn();
    accept(&mut gateway, "49", "0000003c");
    gateway.expect("10 00 c002 'a/b'");
    gateway.send("11 05 c002 0009 1a"); // the gateway has a predefined alias
    gateway.expect("03 41 0001 0009 'hello'");
    gateway.send("05 0001");
    gateway.expect("06 0001");
    gateway.send("07 0001");
    gateway.expect("0e ..");
    publisher.finish().succeed();
}

#[test]
fn QoS_minus_1_is_PUBWOS() {
    let mut gateway = SnPeer::listen();
    gateway.mq("pub -q -1 -t a/b -m hello -r --sn-version 2").run().succeed();
    gateway.expect("12 13 0003 'a/b' 'hello'");
    gateway.mq("pub -q -1 --topic-id 258 -m hello --sn-version 2").run().succeed();
    gateway.expect("12 01 0102 'hello'");
}

#[test]
fn a_client_that_has_disconnected_publishes_with_PUBWOS() {
    let (broker, gateway) = start("");
    let subscriber = broker.subscriber("-t a/b -C 1");
    let mut peer = gateway.peer();
    peer.ask("01 01 0001 02 003c 0000 'c1'", "02 00 0001 00");
    peer.send("0e 00");
    peer.send("12 03 0003 'a/b' 'hello'");
    assert_eq!(subscriber.finish().succeed(), "hello\n");
}

#[test]
fn will_user_and_password_are_in_CONNECT() {
    let mut gateway = SnPeer::listen();
    let words = "pub -i c1 -t a -n --sn-version 2 --will-topic w/t --will-payload gone --will-qos 1 --will-retain -u ann -P pw";
    let publisher = gateway.mq(words).spawn();
    gateway.expect(
        "01 47 17 c001 02 003c 0000 0003 'w/t' 0004 'gone' 0a 'MQTT-BASIC' 0009 0003 'ann' 0002 'pw' 'c1'",
    );
    gateway.send("02 00 c001 00");
    gateway.expect("10 00 c002 'a'");
    gateway.send("11 04 c002 0001");
    gateway.expect("03 00 0001");
    gateway.expect("0e 00");
    publisher.finish().succeed();
}

#[test]
fn sub_takes_aliases_from_SUBACK_and_REGISTER_and_rejects_unknown_ones() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t a/b -t c/# -q 2 -C 4 -v --sn-version 2").spawn();
    accept_plain(&mut gateway);
    gateway.expect("08 43 c002 'a/b'");
    gateway.send("09 04 c002 0005 02");
    gateway.expect("08 43 c003 'c/#'");
    gateway.send("09 01 c003 02");
    gateway.send("03 00 0005 'one'");
    gateway.ask("03 20 0001 0006 'early'", "04 0001 f0");
    gateway.ask("10 01 0002 0006 'c/d'", "11 01 0002");
    gateway.ask("03 20 0009 0006 'two'", "04 0009");
    gateway.ask("03 40 000a 0006 'three'", "05 000a");
    gateway.ask("03 c0 000a 0006 'three'", "05 000a"); // PUBREC was lost
    gateway.ask("06 000a", "07 000a");
    gateway.send("03 03 0003 'x/y' 'four'");
    gateway.expect("0e 00");
    assert_eq!(subscriber.finish().succeed(), "a/b one\nc/d two\nc/d three\nx/y four\n");
}

#[test]
fn messages_that_overtake_CONNACK_wait_for_their_repetition() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -c -x 60 -q 2 -t a/b -C 1 -v --sn-version 2").spawn();
    gateway.expect("01 48 c001 02 003c 0000 0000003c 'c1'");
    // Those of the kept session.
    gateway.send("03 c0 0001 0005 'early'");
    gateway.send("06 0002");
    gateway.send("02 01 c001 00");
    gateway.expect("08 43 c002 'a/b'");
    gateway.send("09 04 c002 0005 02");
    gateway.ask("03 c0 0001 0005 'early'", "05 0001");
    gateway.expect("0e 00");
    assert_eq!(subscriber.finish().succeed(), "a/b early\n");
}

#[test]
fn reason_codes_are_reported() {
    let mut gateway = SnPeer::listen();
    let refused = gateway.mq("pub -i c1 -t a -n --sn-version 2").spawn();
    gateway.expect("01 41 c001 02 003c 0000 'c1'");
    gateway.send("02 00 c001 87");
    assert_first_line(
        &refused.finish().fail(5),
        "mq pub: the gateway refused the connection: not authorized (0x87)",
    );

    let rejected = gateway.mq("pub -i c1 -t a -m x -q 1 --sn-version 2").spawn();
    accept_plain(&mut gateway);
    gateway.expect("10 00 c002 'a'");
    gateway.send("11 04 c002 0001");
    gateway.expect("03 20 0001 0001 'x'");
    gateway.send("04 0001 99");
    gateway.expect("0e ..");
    assert_says(&rejected.finish().fail(3), &["payload format invalid"]);

    let ended = gateway.mq("sub -i c1 -t a --sn-version 2 --retries 0").spawn();
    accept_plain(&mut gateway);
    gateway.expect("08 03 c002 'a'");
    gateway.send("0e 04 8b 'bye'");
    assert_first_line(
        &ended.finish().fail(7),
        "mq sub: the gateway ended the connection: server shutting down (0x8b) (\"bye\")",
    );
}

#[test]
fn a_sleeping_subscriber_wakes_up_and_at_WAKEUP() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t a/b -C 2 --sleep 3600 --sn-version 2").spawn();
    accept_plain(&mut gateway);
    gateway.expect("08 03 c002 'a/b'");
    gateway.send("09 04 c002 0005");
    gateway.expect("13 01 c003 00000e10");
    gateway.send("14 01 c003 00000001"); // a second
    gateway.expect("0c c004");
    gateway.send("03 00 0005 'one'");
    gateway.send("0d c004 00");
    gateway.ask("15", "0c c005");
    gateway.send("03 00 0005 'two'");
    gateway.expect("0e 00");
    assert_eq!(subscriber.finish().succeed(), "one\ntwo\n");
}

#[test]
fn options_that_2_0_cannot_express_are_rejected() {
    for (words, option) in [("-V 31", "-V"), ("-D connect receive-maximum 5", "-D"), ("--ws", "--ws")] {
        let error = mq("pub").words("-t a -n --sn --sn-version 2").words(words).run().fail(2);
        let line = format!(
            "mq pub: {option} cannot be used with an MQTT-SN gateway; MQTT-SN 2.0 has no message or layer for it"
        );
        assert_first_line(&error, &line);
    }
    let error = mq("pub").words("-t a -n --sn-version 2").run().fail(2);
    assert_says(&error, &["--sn-version 2.0 needs an MQTT-SN gateway"]);
}

#[test]
fn the_gateway_tells_the_versions_apart_by_peer() {
    let (_broker, mut gateway) = start("-v");
    let (mut old, mut new) = (gateway.peer(), connected(&gateway));
    old.ask("04 04 01 003c 'old'", "05 00");
    gateway.running.wait_for_stderr("with MQTT-SN 2.0");
    gateway.running.wait_for_stderr("\"old\" connected");
    // The same bytes are PINGREQ of 2.0, and PUBLISH of 1.2 without a payload.
    new.ask("0c 0005", "0d 0005");
    old.ask("0a 0000 0001 'a'", "0b 0001 0001 00");
    new.ask("10 00 0006 'a'", "11 04 0006 0001");
    // The peer changes its version.
    new.ask("04 04 01 003c 'c1'", "05 00");
    new.ask("16", "17");
}

#[test]
fn one_version_can_be_fixed() {
    let (_broker, gateway) = start("--sn-version 2");
    let mut peer = gateway.peer();
    peer.send("04 04 01 003c 'old'");
    peer.ask("17", "18 01");
    let mut peer = connected(&gateway);
    peer.ask("0c 0005", "0d 0005");
    let (_broker, gateway) = start("--sn-version 1.2");
    let mut peer = gateway.peer();
    peer.send("01 01 0001 02 003c 0000 'c1'");
    peer.ask("04 04 01 003c 'old'", "05 00");
}

#[test]
fn a_gateway_answers_bad_requests_with_reason_codes() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("0c 0007", "0e 05 0007 f4"); // no virtual connection
    peer.ask("01 01 0001 03 003c 0000 'c1'", "02 00 0001 84");
    peer.ask("01 01 0002 02 0000 0000 'c1'", "02 00 0002 82");
    peer.ask("ff 10 00 0000000000000000 00000000 0c0001 0000000000000000000000000000000000000000000000000000000000000000", "0e 04 f2");
    let mut peer = connected(&gateway);
    peer.ask("03 20 0002 0009 'x'", "04 0002 f0");
    peer.ask("03 21 0003 0009 'x'", "04 0003 f0");
    peer.ask("03 23 0004 0003 'a/#' 'x'", "04 0004 90");
    peer.ask("08 03 0005 'a/#/b'", "09 01 0005 8f");
    peer.ask("0a 00 0006 0009", "0b 0006 f0");
    // Malformed packets are ignored, since anybody can send them.
    peer.send("03 60 0007 0001");
    peer.send_datagram(&[9, 0x0c, 0, 1]);
    peer.ask("0c 0008", "0d 0008");
}

#[test]
fn subscriptions_have_aliases_except_shared_ones_and_those_with_wildcards() {
    let (_broker, gateway) = start("");
    let mut peer = connected(&gateway);
    peer.ask("08 03 0002 'a/b'", "09 04 0002 0001");
    peer.ask("08 03 0003 'a/#'", "09 01 0003");
    peer.ask("08 03 0004 '$share/g/a/b'", "09 01 0004");
    peer.ask("08 03 0005 '$queue/a/b'", "09 01 0005");
}

#[test]
fn a_client_without_an_identifier_gets_one() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    let connack = peer.ask(
        "01 01 0001 02 003c 0000",
        "02 00 0001 00 'mq-sn-' .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. ..",
    );
    peer.ask("0c 0005", "0d 0005");
    let mut other = gateway.peer();
    let id = std::str::from_utf8(&connack[6..]).unwrap();
    other.ask(&format!("01 00 0001 02 003c 0000 '{id}'"), "02 00 0001 00");
    peer.expect("0e 04 8e"); // taken over
}

#[test]
fn the_will_is_published_unless_the_client_disconnects() {
    let (broker, gateway) = start("");
    let mut watcher = broker.subscriber("-t w/# -q 1 -F %t:%q:%p -C 2");
    let connect = |id: &str, keep_alive: &str| {
        let mut peer = gateway.peer();
        let fields = format!("02 {keep_alive} 0000 0003 'w/t' 0002 '{id}'");
        peer.ask(&format!("01 03 07 0001 {fields} '{id}'"), "02 00 0001 00");
        peer
    };
    let leaving = connect("c1", "003c");
    leaving.send("0e 00");
    let with_will = connect("c2", "003c");
    with_will.send("0e 04 04");
    watcher.wait_for_stdout("w/t:1:c2");
    let mut silent = connect("c3", "0001");
    silent.expect("0e 04 8d");
    watcher.wait_for_stdout("w/t:1:c3");
}

#[test]
fn a_session_lasts_as_long_as_its_expiry_says() {
    on_each_broker(|broker| {
        let gateway = Gateway::start(broker.address(), "-V 5");
        let mut peer = gateway.peer();
        peer.ask("01 09 0001 02 003c 0000 00000e10 'c1'", "02 00 0001 00");
        peer.ask("08 23 0002 'kept/topic'", "09 04 0002 0001 01");
        peer.send("0e 00");
        // Another client shows that the gateway has handled it.
        broker.mq("pub -t kept/topic -m one -q 1").run().succeed();
        let mut peer = gateway.peer();
        peer.ask("01 08 0003 02 003c 0000 00000e10 'c1'", "02 01 0003 00");
        let register = peer.expect("10 01 .. .. 0001 'kept/topic'");
        peer.ask(&format!("11 01 {:02x}{:02x}", register[3], register[4]), "03 20 .. .. 0001 'one'");
        peer.send("0e 02 00000000"); // the session ends now
        gateway.peer().ask("01 00 0005 02 003c 0000 'c1'", "02 00 0005 00");
    });
}

#[test]
fn sleep_keeps_messages_and_PINGREQ_fetches_as_many_as_asked() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("01 11 0001 02 003c 0000 01 'sleeper'", "02 00 0001 00");
    peer.ask("08 03 0002 'a/b'", "09 04 0002 0001");
    peer.ask("13 01 0003 0000003c", "14 00 0003");
    let mut witness = gateway.mq("sub -d -t a/b -C 2").spawn();
    witness.wait_for_stderr("<- SUBACK");
    for number in 1..=2 {
        broker.mq(&format!("pub -t a/b -m {number}")).run().succeed();
    }
    witness.finish().succeed();
    peer.ask("0c 0004", "03 00 0001 '1'");
    peer.expect("0d 0004 01");
    peer.ask("0c 0005", "03 00 0001 '2'");
    peer.expect("0d 0005 00");
    peer.ask("01 00 0006 02 003c 0000 'sleeper'", "02 00 0006 00"); // active again
}

#[test]
fn expired_messages_are_not_among_those_that_PINGREQ_fetches() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("01 11 0001 02 003c 0000 01 'sleeper'", "02 00 0001 00");
    peer.ask("08 03 0002 'a/b'", "09 04 0002 0001");
    peer.ask("13 01 0003 0000003c", "14 00 0003");
    publish_expiring(&broker, "-t a/b -m old", 1);
    wait_past_a_second(&broker);
    publish_expiring(&broker, "-t a/b -m new", 60);
    let mut answers = (4..).map(|id| {
        peer.send(&format!("0c {id:04x}"));
        (id, peer.receive())
    });
    // PINGRESP comes first as long as the broker has not sent the message.
    let (id, publish) = answers.find(|(_, answer)| answer[1] != 0x0d).unwrap();
    assert_eq!(publish, b"\x08\x03\x00\x00\x01new");
    peer.expect(&format!("0d {id:04x} 00"));
}

#[test]
fn forwarders_and_moving_clients_keep_their_connections() {
    let (broker, gateway) = start("");
    let mut watcher = broker.subscriber("-t m/# -v -C 3");
    let mut forwarder = gateway.peer();
    let connect = "01 01 0001 02 003c 0000 'c1'";
    forwarder.ask(&format!("fc 02 0709 0c {connect}"), "fc 02 0709 06 02 00 0001 00");
    forwarder.ask("fc 02 0709 08 10 00 0002 'm/f'", "fc 02 0709 07 11 04 0002 0001");
    forwarder.ask("fc 02 0709 08 03 20 0003 0001 'x'", "fc 02 0709 04 04 0003");
    watcher.wait_for_stdout("m/f x");
    let mut moving = gateway.peer();
    moving.ask("01 21 0001 02 003c 0000 'moving'", "02 00 0001 00");
    let mut moved = gateway.peer();
    moved.ask("fe 0006 'moving' 0b 03 23 0002 0003 'm/m' 'y'", "04 0002");
    watcher.wait_for_stdout("m/m y");
    moved.send("12 03 0003 'm/w' 'z'");
    watcher.wait_for_stdout("m/w z");
}

#[test]
fn messages_of_each_QoS_go_through_in_both_directions() {
    on_each_broker(|broker| {
        let gateway = Gateway::start(broker.address(), "-V 5 --retry-interval 300ms --retry-count 100");
        each_qos(broker, &gateway, "--sn-version 2");
    });
}

#[test]
fn clients_of_both_versions_meet_at_the_gateway_of_the_broker() {
    let mut broker = mq("broker").words("-p 0 --sn-port 0").spawn();
    let gateway = address_in(&broker.wait_for_stdout("(MQTT-SN)"));
    let mut subscriber = client_of(gateway, "sub -d -t home/# -v -C 3 --sn-version 2").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    client_of(gateway, "pub -t home/one -m 1.2 -q 1").run().succeed();
    client_of(gateway, "pub -t home/two -m 2.0 -q 1 --sn-version 2").run().succeed();
    client_of(gateway, "pub -t home/three -m without -q -1 --sn-version 2").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "home/one 1.2\nhome/two 2.0\nhome/three without\n");
}

#[test]
fn a_request_gets_its_answer() {
    let (_broker, gateway) = start("");
    let mut responder = gateway.mq("sub -d -t ask/me -C 1 --sn-version 2").spawn();
    responder.wait_for_stderr("<- SUBACK");
    let mut request = gateway.mq("rr -d -t ask/me -e the/answer -m question -q 1 --sn-version 2").spawn();
    request.wait_for_stderr("<- PUBACK");
    assert_eq!(responder.finish().succeed(), "question\n");
    gateway.mq("pub -t the/answer -m fine --sn-version 2").run().succeed();
    assert_eq!(request.finish().succeed(), "fine\n");
}
