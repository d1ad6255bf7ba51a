//! `mq pub`, `sub` and `rr`, beside a scripted gateway.

use crate::support::sn::SnPeer;
use crate::support::{assert_first_line, assert_says};

const QUICK: &str = "--sn-retry-interval 50ms --sn-retry-count 1000";

/// Accepts the client `c1`.
fn accept(gateway: &mut SnPeer) {
    gateway.expect("04 04 01 003c 'c1'");
    gateway.send("05 00");
}

/// Answers the client's DISCONNECT.
fn release(gateway: &mut SnPeer) {
    gateway.expect("18");
    gateway.send("18");
}

#[test]
fn pub_registers_the_topic_and_repeats_each_message_until_it_is_answered() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq(&format!("pub -i c1 -t a/b -m hello -q 1 {QUICK}")).spawn();
    gateway.expect("04 04 01 003c 'c1'");
    gateway.expect("04 04 01 003c 'c1'");
    gateway.send("05 00");
    while gateway.receive() != *b"\x09\x0a\x00\x00\x00\x01a/b" {}
    gateway.expect("0a 0000 0001 'a/b'");
    gateway.send("0b 0007 0001 00");
    while gateway.receive() != *b"\x0c\x0c\x20\x00\x07\x00\x02hello" {}
    gateway.expect("0c a0 0007 0002 'hello'");
    gateway.send("0d 0007 0002 00");
    while gateway.receive() != [2, 0x18] {}
    gateway.send("18");
    publisher.finish().succeed();
}

#[test]
fn QoS_2_goes_step_by_step_and_repeats_PUBREL() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq(&format!("pub -i c1 -t ab -m hello -q 2 {QUICK}")).spawn();
    accept(&mut gateway);
    while gateway.receive() != *b"\x0c\x0c\x42ab\x00\x01hello" {}
    gateway.expect("0c c2 'ab' 0001 'hello'");
    gateway.send("0f 0001");
    while gateway.receive() != [4, 0x10, 0, 1] {}
    gateway.expect("10 0001");
    gateway.send("0e 0001");
    while gateway.receive() != [2, 0x18] {}
    gateway.send("18");
    publisher.finish().succeed();
}

#[test]
fn QoS_minus_1_is_a_lone_PUBLISH() {
    let mut gateway = SnPeer::listen();
    gateway.mq("pub -q -1 --topic-id 258 -m hello -r").run().succeed();
    gateway.expect("0c 71 0102 0000 'hello'");
    gateway.mq("pub -q -1 -t ab -m hello").run().succeed();
    gateway.expect("0c 62 'ab' 0000 'hello'");
    let error = gateway.mq("pub -q -1 -t a/b -m hello").run().fail(3);
    assert_first_line(
        &error,
        "mq pub: a/b has no predefined topic id and is not a short topic name, which QoS -1 needs",
    );
}

#[test]
fn a_message_that_no_datagram_has_room_for_does_not_count_as_sent() {
    for options in ["-q 1", "-q 2"] {
        let mut gateway = SnPeer::listen();
        let publisher = gateway.mq(&format!("pub -i c1 -t ab --random 66000 {options}")).spawn();
        accept(&mut gateway);
        let stderr = publisher.finish().fail(3);
        assert_says(&stderr, &["the message to ab has 66009 bytes, which no MQTT-SN message can have"]);
        assert!(!stderr.contains("acknowledged"), "{stderr}");
    }
}

#[test]
fn a_gateway_that_does_not_answer_DISCONNECT_is_reported() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t a/b").spawn();
    accept(&mut gateway);
    gateway.expect("12 00 0001 'a/b'");
    gateway.send("13 00 0005 0001 00");
    gateway.send("0c 00 0005 0000 'one'");
    let mut subscriber = subscriber;
    subscriber.wait_for_stdout("one");
    subscriber.signal("INT");
    gateway.expect("18");
    let finished = subscriber.finish();
    finished.expect_status(130);
    assert_eq!(finished.stderr, "mq sub: the gateway did not answer DISCONNECT within 1 s\n");
}

#[test]
fn the_will_is_given_when_the_gateway_asks_for_it() {
    let mut gateway = SnPeer::listen();
    let words = "pub -i c1 -t ab -n --will-topic w/t --will-payload gone --will-qos 1 --will-retain";
    let publisher = gateway.mq(words).spawn();
    gateway.expect("04 0c 01 003c 'c1'");
    gateway.send("06");
    gateway.expect("07 30 'w/t'");
    gateway.send("06"); // WILLTOPIC was lost
    gateway.expect("07 30 'w/t'");
    gateway.send("08");
    gateway.expect("09 'gone'");
    gateway.send("05 00");
    gateway.expect("0c 02 'ab' 0000");
    release(&mut gateway);
    publisher.finish().succeed();
}

#[test]
fn sub_takes_topics_from_SUBACK_and_REGISTER_and_rejects_unknown_ids() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t a/b -t c/# -q 2 -C 4 -v").spawn();
    accept(&mut gateway);
    gateway.expect("12 40 0001 'a/b'");
    gateway.send("13 40 0005 0001 00");
    gateway.expect("12 40 0002 'c/#'");
    gateway.send("13 40 0000 0002 00");
    gateway.send("0c 00 0005 0000 'one'");
    gateway.ask("0c 00 0006 0000 'early'", "0d 0006 0000 02");
    gateway.ask("0a 0006 0001 'c/d'", "0b 0006 0001 00");
    gateway.ask("0c 20 0006 0009 'two'", "0d 0006 0009 00");
    gateway.ask("0c 40 0006 000a 'three'", "0f 000a");
    gateway.ask("0c c0 0006 000a 'three'", "0f 000a"); // PUBREC was lost
    gateway.ask("10 000a", "0e 000a");
    gateway.send("0c 02 'xy' 0000 'four'");
    release(&mut gateway);
    assert_eq!(subscriber.finish().succeed(), "a/b one\nc/d two\nc/d three\nxy four\n");
}

#[test]
fn messages_that_overtake_CONNACK_wait_for_their_repetition() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -c -q 1 -t a/b -C 1 -v").spawn();
    gateway.expect("04 00 01 003c 'c1'");
    // Those of the kept session.
    gateway.send("0a 0001 0001 'a/b'");
    gateway.send("0c 20 0001 0002 'early'");
    gateway.send("05 00");
    gateway.expect("12 20 0001 'a/b'");
    gateway.send("13 20 0001 0001 00");
    gateway.ask("0a 0001 0001 'a/b'", "0b 0001 0001 00");
    gateway.ask("0c a0 0001 0002 'early'", "0d 0001 0002 00");
    release(&mut gateway);
    assert_eq!(subscriber.finish().succeed(), "a/b early\n");
}

#[test]
fn a_rejected_subscription_is_reported() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t a/b").spawn();
    accept(&mut gateway);
    gateway.expect("12 00 0001 'a/b'");
    gateway.send("13 00 0000 0001 03");
    release(&mut gateway);
    assert_first_line(
        &subscriber.finish().fail(3),
        "mq sub: the gateway rejected the subscription to a/b: not supported (0x03)",
    );
}

#[test]
fn sub_takes_several_predefined_ids_and_names_the_return_code_of_a_rejected_one() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 --topic-id 7 --topic-id 8 --topic-id 9 -v -C 2").spawn();
    accept(&mut gateway);
    gateway.expect("12 01 0001 0007");
    gateway.send("13 00 0007 0001 00");
    gateway.expect("12 01 0002 0008");
    gateway.send("13 00 0008 0002 02");
    gateway.expect("12 01 0003 0009");
    gateway.send("13 00 0009 0003 00");
    gateway.send("0c 01 0009 0000 'nine'");
    gateway.send("0c 01 0007 0000 'seven'");
    release(&mut gateway);
    let finished = subscriber.finish();
    finished.expect_status(3);
    assert_eq!(finished.stdout, b"9 nine\n7 seven\n");
    assert_first_line(
        &finished.stderr,
        "mq sub: the gateway rejected the subscription to 8: invalid topic id (0x02)",
    );
}

#[test]
fn pub_reports_an_unknown_predefined_id_at_QoS_0() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 --topic-id 7 -m hello").spawn();
    accept(&mut gateway);
    gateway.expect("0c 01 0007 0000 'hello'");
    gateway.expect("16");
    gateway.send("0d 0007 0000 02");
    gateway.send("17");
    assert_first_line(
        &publisher.finish().fail(3),
        "mq pub: the gateway rejected the message to 7: invalid topic id (0x02)",
    );
}

#[test]
fn pub_asks_for_a_known_predefined_id_only_once() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 --topic-id 7 -l").stdin("1\n2\n").spawn();
    accept(&mut gateway);
    gateway.expect("0c 01 0007 0000 '1'");
    gateway.expect("16");
    gateway.send("17");
    gateway.expect("0c 01 0007 0000 '2'");
    release(&mut gateway);
    publisher.finish().succeed();
}

#[test]
fn a_rejected_message_is_reported_with_its_status() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 -t ab -m hello -q 1").spawn();
    accept(&mut gateway);
    gateway.expect("0c 22 'ab' 0001 'hello'");
    gateway.send("0d 'ab' 0001 03");
    release(&mut gateway);
    assert_first_line(
        &publisher.finish().fail(3),
        "mq pub: the gateway rejected message 1 to ab: not supported (0x03)",
    );
}

#[test]
fn congestion_means_a_pause_and_a_forgotten_id_is_registered_again() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq(&format!("pub -i c1 -t a/b -m hello -q 1 {QUICK}")).spawn();
    accept(&mut gateway);
    // CONNECT may come again before its answer arrives.
    while gateway.receive() != *b"\x09\x0a\x00\x00\x00\x01a/b" {}
    gateway.send("0b 0000 0001 01");
    while gateway.receive() != *b"\x09\x0a\x00\x00\x00\x01a/b" {}
    gateway.send("0b 0001 0001 00");
    while gateway.receive() != *b"\x0c\x0c\x20\x00\x01\x00\x02hello" {}
    gateway.send("0d 0001 0002 02");
    while gateway.receive()[1] != 0x0a {}
    gateway.send("0b 0002 0003 00");
    while gateway.receive() != *b"\x0c\x0c\x20\x00\x02\x00\x04hello" {}
    gateway.send("0d 0002 0004 00");
    while gateway.receive() != [2, 0x18] {}
    gateway.send("18");
    publisher.finish().succeed();
}

#[test]
fn a_refused_connection_has_the_return_code() {
    for (code, text) in [("01", "congestion"), ("03", "not supported")] {
        let mut gateway = SnPeer::listen();
        let publisher = gateway.mq("pub -i c1 -t ab -m hello").spawn();
        gateway.expect("04 04 01 003c 'c1'");
        gateway.send(&format!("05 {code}"));
        let error = publisher.finish().fail(5);
        assert_first_line(&error, &format!("mq pub: the gateway refused the connection: {text} (0x{code})"));
    }
}

#[test]
fn a_gateway_that_does_not_answer_is_reported() {
    let gateway = SnPeer::listen();
    let error = gateway.mq("pub -t ab -m hello --sn-retry-interval 20ms --sn-retry-count 2").run().fail(7);
    assert_first_line(&error, "mq pub: the gateway did not answer CONNECT, sent 3 times in 0.06 s");
    assert_says(&error, &["hint: does an MQTT-SN gateway listen there?"]);
}

#[test]
fn a_gateway_that_ends_the_connection_is_reported() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 -t ab -m hello -q 1").spawn();
    accept(&mut gateway);
    gateway.expect("0c 22 'ab' 0001 'hello'");
    gateway.send("18");
    assert_says(&publisher.finish().fail(7), &["mq pub: the gateway ended the connection"]);
}

#[test]
fn sub_connects_again_after_the_gateway_has_ended_the_connection() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t ab -C 1").spawn();
    accept(&mut gateway);
    gateway.expect("12 02 0001 'ab'");
    gateway.send("13 02 'ab' 0001 00");
    gateway.send("18");
    accept(&mut gateway);
    gateway.expect("12 02 0001 'ab'");
    gateway.send("13 02 'ab' 0001 00");
    gateway.send("0c 02 'ab' 0000 'x'");
    release(&mut gateway);
    assert_eq!(subscriber.finish().succeed(), "x\n");
}

#[test]
fn a_gateway_is_discovered() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 -t ab -m hello --discover").spawn();
    gateway.expect("01 00");
    gateway.expect("01 00");
    gateway.send("02 05 '1234'"); // from another client
    gateway.send("02 05");
    while gateway.receive() == [3, 1, 0] {}
    gateway.send("05 00");
    gateway.expect("0c 02 'ab' 0000 'hello'");
    release(&mut gateway);
    publisher.finish().succeed();
}

#[test]
fn a_search_without_an_answer_is_reported_before_it_ends() {
    let gateway = SnPeer::listen();
    let mut publisher = gateway.mq("pub -t ab -m hello --discover").spawn();
    let line = publisher.wait_for_stderr("SEARCHGW");
    let port = gateway.address().port();
    let text = "has answered SEARCHGW yet; the search ends after 30 s";
    assert_eq!(line, format!("mq pub: no gateway at 127.0.0.1 UDP port {port} {text}"));
    publisher.signal("TERM");
    publisher.finish().expect_status(143);
}

#[test]
fn malformed_datagrams_of_the_gateway_are_ignored() {
    let mut gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -i c1 -t ab -m hello -q 1").spawn();
    gateway.expect("04 04 01 003c 'c1'");
    for datagram in [&b"\x00"[..], b"\x05\x05", b"\x02\x03", b"\x03\xfe\x00", b"\x02\x0c"] {
        gateway.send_datagram(datagram);
    }
    gateway.send("05 00");
    gateway.send("05 00");
    gateway.expect("0c 22 'ab' 0001 'hello'");
    gateway.send("0d 'ab' 0007 00"); // of another message
    gateway.send("0d 'ab' 0001 00");
    release(&mut gateway);
    publisher.finish().succeed();
}

#[test]
fn keep_alive_is_a_PINGREQ_without_an_identifier() {
    let mut gateway = SnPeer::listen();
    let subscriber = gateway.mq("sub -i c1 -t ab -k 5 -C 1").spawn();
    gateway.expect("04 04 01 0005 'c1'");
    gateway.send("05 00");
    gateway.expect("12 02 0001 'ab'");
    gateway.send("13 02 'ab' 0001 00");
    gateway.expect("16");
    gateway.send("17");
    gateway.expect("16");
    gateway.send("17");
    gateway.send("0c 02 'ab' 0000 'x'");
    release(&mut gateway);
    subscriber.finish().succeed();
}

#[test]
fn pub_notices_at_once_that_no_gateway_listens() {
    let gateway = SnPeer::listen();
    let publisher = gateway.mq("pub -t a/b -m hello --sn-retry-count 0");
    drop(gateway);
    // Without an answer, the status would be that of a timeout.
    let error = publisher.run().fail(1);
    assert_first_line(&error, "mq pub: no MQTT-SN gateway listens at the port (connection refused)");
}

#[test]
fn a_topic_id_that_the_gateway_forgot_is_registered_again_at_QoS_0() {
    let mut gateway = SnPeer::listen();
    let mut publisher = gateway.mq("pub -i c1 -t a/b -l").open_stdin().spawn();
    accept(&mut gateway);
    publisher.write("1\n");
    gateway.expect("0a 0000 0001 'a/b'");
    gateway.send("0b 0007 0001 00");
    gateway.expect("0c 00 0007 0000 '1'");
    gateway.send("0d 0007 0000 02");
    // PINGREQ of the gateway: its answer shows that PUBACK was handled.
    gateway.send("16");
    gateway.expect("17");
    publisher.write("2\n");
    gateway.expect("0a 0000 0002 'a/b'");
    gateway.send("0b 0008 0002 00");
    gateway.expect("0c 00 0008 0000 '2'");
}
