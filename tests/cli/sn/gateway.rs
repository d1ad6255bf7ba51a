//! The gateway, beside a scripted client.

use crate::support::bytes::hex;
use crate::support::sn::{Gateway, SnPeer, framed};
use crate::support::{Broker, EmbeddedBroker, ScriptedPeer, Server};
use std::net::TcpListener;

fn start(options: &str) -> (EmbeddedBroker, Gateway) {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), options);
    (broker, gateway)
}

const QUICK: &str = "--retry-interval 50ms --retry-count 1000";

#[test]
fn CONNECT_is_answered_and_repeated() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    // CONNACK was lost: no other message has come since.
    peer.ask("04 04 01 003c 'c1'", "05 00");
    peer.ask("16", "17");
    peer.ask("18", "18");
    // DISCONNECT was lost.
    peer.ask("18", "18");
}

#[test]
fn the_will_is_asked_for_until_it_comes() {
    let (broker, gateway) = start(QUICK);
    let mut watcher = broker.subscriber("-t w/t -F %q:%r:%p -C 1");
    let mut peer = gateway.peer();
    peer.ask("04 0c 01 0001 'c1'", "06");
    peer.expect("06");
    peer.expect("06");
    peer.ask("07 30 'w/t'", "08");
    while peer.receive() != [2, 8] {} // late WILLTOPICREQ
    peer.send("09 'gone'");
    while peer.receive() != [3, 5, 0] {}
    assert_eq!(watcher.wait_for_stdout(""), "0:0:gone");
}

#[test]
fn changes_of_the_will_are_published() {
    let (broker, gateway) = start("");
    let mut watcher = broker.subscriber("-t w/# -v -C 1");
    let mut peer = gateway.peer();
    peer.ask("04 0c 01 0001 'c1'", "06");
    peer.ask("07 00 'w/old'", "08");
    peer.ask("09 'old'", "05 00");
    peer.ask("1a 00 'w/new'", "1b 00");
    peer.ask("1c 'new'", "1d 00");
    peer.expect("18");
    assert_eq!(watcher.wait_for_stdout(""), "w/new new");
}

#[test]
fn a_deleted_will_is_not_published() {
    let (broker, gateway) = start("");
    let mut watcher = broker.subscriber("-t w/# -v");
    let mut peer = gateway.peer();
    peer.ask("04 0c 01 0001 'c1'", "06");
    peer.ask("07 00 'w/old'", "08");
    peer.ask("09 'old'", "05 00");
    peer.ask("1a", "1b 00");
    peer.expect("18");
    broker.mq("pub -t w/end -m 1").run().succeed();
    assert_eq!(watcher.wait_for_stdout(""), "w/end 1");
}

#[test]
fn topics_are_registered_by_the_client() {
    let (broker, gateway) = start("--max-topics 2");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("0a 0000 0001 'home/door'", "0b 0001 0001 00");
    peer.ask("0a 0000 0002 'home/door'", "0b 0001 0002 00");
    peer.ask("0a 0000 0003 'home/lamp'", "0b 0002 0003 00");
    peer.ask("0a 0000 0004 'home/more'", "0b 0000 0004 01"); // congestion: no room
    peer.ask("0a 0000 0005 'home/#'", "0b 0000 0005 03"); // a wildcard cannot be published to
    let subscriber = broker.subscriber("-t home/# -v -C 1");
    peer.ask("0c 20 0002 0006 'on'", "0d 0002 0006 00");
    assert_eq!(subscriber.finish().succeed(), "home/lamp on\n");
}

#[test]
fn unknown_topic_ids_are_rejected_at_each_QoS() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("0c 00 0007 0000 'x'", "0d 0007 0000 02");
    peer.ask("0c 20 0007 0001 'x'", "0d 0007 0001 02");
    peer.ask("0c 40 0007 0002 'x'", "0d 0007 0002 02");
    peer.ask("0c 21 0007 0003 'x'", "0d 0007 0003 02"); // a predefined one
    peer.ask("0c 22 '+/' 0004 'x'", "0d '+/' 0004 02"); // a short one with a wildcard
    peer.ask("0c 20 ffff 0005 'x'", "0d ffff 0005 02");
    peer.ask("12 01 0006 0007", "13 00 0007 0006 02");
    peer.ask("12 00 0007 'a/#/b'", "13 00 0000 0007 02");
    peer.ask("0a 0000 0008 'a' 01", "0b 0000 0008 03"); // brokers close for a control character
    peer.ask("12 00 0009 'a' 01", "13 00 0000 0009 02");
    peer.expect_nothing(); // the connection is still there
    gateway.peer().ask("04 04 01 003c 'c' 01", "05 03");
}

#[test]
fn QoS_2_of_the_client_survives_lost_answers() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("0a 0000 0001 'a/b'", "0b 0001 0001 00");
    let subscriber = broker.subscriber("-t a/b -C 2");
    peer.ask("0c 40 0001 0005 'one'", "0f 0005");
    peer.ask("0c c0 0001 0005 'one'", "0f 0005"); // PUBREC was lost
    peer.ask("10 0005", "0e 0005");
    peer.ask("10 0005", "0e 0005"); // PUBCOMP was lost
    peer.ask("0c 20 0001 0006 'two'", "0d 0001 0006 00");
    assert_eq!(subscriber.finish().succeed(), "one\ntwo\n");
}

#[test]
fn subscriptions_have_topic_ids_except_shared_ones_and_those_with_wildcards() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 40 0001 'a/#'", "13 40 0000 0001 00");
    peer.ask("12 20 0002 'b/c'", "13 20 0001 0002 00");
    peer.ask("12 02 0003 'xy'", "13 00 'xy' 0003 00");
    peer.ask("14 00 0004 'a/#'", "15 0004");
    peer.ask("14 02 0005 'xy'", "15 0005");
    peer.ask("12 00 0006 '$share/g/a/b'", "13 00 0000 0006 00");
    peer.ask("12 00 0007 '$queue/a/b'", "13 00 0000 0007 00");
}

#[test]
fn an_unknown_topic_is_registered_before_its_message_and_repeated_until_REGACK() {
    let (broker, gateway) = start(QUICK);
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 20 0001 'a/#'", "13 20 0000 0001 00");
    broker.mq("pub -t a/b -m hello -q 1").run().succeed();
    let register = peer.expect("0a 0001 .... 'a/b'");
    assert_eq!(peer.receive(), register);
    assert_eq!(peer.receive(), register);
    peer.send("0b 0001 0001 00");
    let mut publish = peer.receive();
    while publish == register {
        publish = peer.receive();
    }
    assert_eq!(publish[..5], [12, 0x0c, 0x20, 0, 1]);
    // Repetitions have DUP.
    publish[2] = 0xa0;
    assert_eq!(peer.receive(), publish);
    assert_eq!(peer.receive(), publish);
    peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[0]].concat());
    // The next message on the topic has the id.
    broker.mq("pub -t a/b -m again").run().succeed();
    let mut next = peer.receive();
    while next == publish {
        next = peer.receive();
    }
    assert_eq!(next, framed(b"\x0c\x00\x00\x01\x00\x00again".to_vec()));
}

#[test]
fn a_topic_that_the_client_rejects_is_dropped_and_counted() {
    let (broker, mut gateway) = start("-v");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 20 0001 'a/#'", "13 20 0000 0001 00");
    broker.mq("pub -t a/b -m no -q 1").run().succeed();
    peer.expect("0a 0001 0001 'a/b'");
    peer.send("0b 0001 0001 02");
    broker.mq("pub -t a/c -m yes").run().succeed();
    peer.expect("0a 0002 0002 'a/c'");
    peer.ask("0b 0002 0002 00", "0c 00 0002 0000 'yes'");
    peer.ask("18", "18");
    gateway.running.wait_for_stderr("dropped 1 message for \"c1\"");
}

#[test]
fn a_client_that_has_forgotten_an_id_gets_the_topic_again() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    broker.mq("pub -t a/b -m hello -q 1").run().succeed();
    let publish = peer.expect("0c 20 0001 .... 'hello'");
    peer.send_datagram(&[&[7, 0x0d, 0, 1][..], &publish[5..7], &[2]].concat());
    peer.expect("0a 0001 0001 'a/b'");
    peer.ask("0b 0001 0001 00", "0c a0 0001 .... 'hello'");
}

#[test]
fn QoS_2_to_the_client_is_repeated_at_each_step() {
    let (broker, gateway) = start(QUICK);
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 40 0001 'a/b'", "13 40 0001 0001 00");
    broker.mq("pub -t a/b -m hello -q 2").run().succeed();
    let publish = peer.expect("0c 40 0001 .... 'hello'");
    let id = format!("{:02x}{:02x}", publish[5], publish[6]);
    peer.expect(&format!("0c c0 0001 {id} 'hello'"));
    peer.send(&format!("0f {id}"));
    let release = framed(vec![0x10, publish[5], publish[6]]);
    while peer.receive() != release {}
    assert_eq!(peer.receive(), release);
    peer.send(&format!("0e {id}"));
    peer.send("16");
    while peer.receive() != [2, 0x17] {} // late PUBREL
    peer.expect_nothing();
}

#[test]
fn a_client_that_does_not_answer_is_lost() {
    let (broker, mut gateway) = start("-v --retry-interval 20ms --retry-count 2");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    broker.mq("pub -t a/b -m hello -q 1").run().succeed();
    peer.expect("0c 20 0001 .... 'hello'");
    peer.expect("0c a0 0001 .... 'hello'");
    peer.expect("0c a0 0001 .... 'hello'");
    peer.expect("18");
    gateway.running.wait_for_stderr("\"c1\" was lost: it did not answer");
    peer.ask("16", "18");
}

#[test]
fn silence_beyond_the_keep_alive_ends_a_client() {
    let (_broker, mut gateway) = start("-v");
    let mut peer = gateway.peer();
    peer.ask("04 04 01 0001 'c1'", "05 00");
    peer.expect("18");
    gateway.running.wait_for_stderr("\"c1\" was lost: nothing arrived");
    peer.ask("0c 20 0001 0001 'x'", "18");
}

#[test]
fn the_same_identifier_takes_over_and_similar_ones_do_not() {
    let (_broker, gateway) = start("");
    let (mut first, mut second, mut third) = (gateway.peer(), gateway.peer(), gateway.peer());
    first.connect("sensor");
    second.connect("sensor1");
    first.expect_nothing();
    third.connect("sensor");
    first.expect("18");
    second.expect_nothing();
    third.expect_nothing();
    first.ask("16", "18");
}

#[test]
fn another_identifier_at_the_same_address_replaces_the_client_without_DISCONNECT() {
    for options in ["", "--aggregate"] {
        let (broker, mut gateway) = start(options);
        if !options.is_empty() {
            gateway.running.wait_for_stderr("connected to the broker");
        }
        let watcher = broker.subscriber("-t w/# -v -C 1");
        let mut peer = gateway.peer();
        peer.ask("04 0c 01 003c 'before'", "06");
        peer.ask("07 00 'w/before'", "08");
        peer.ask("09 'gone'", "05 00");
        // A device restarts with a random identifier.
        peer.connect("after");
        assert_eq!(watcher.finish().succeed(), "w/before gone\n");
        // It restarts again, with version 2.0.
        peer.ask("01 01 0001 02 003c 0000 'after'", "02 00 0001 00");
    }
}

#[test]
fn clients_behind_a_forwarder_are_told_apart() {
    let (_broker, gateway) = start("");
    let mut forwarder = gateway.peer();
    let inner = |node: u8, message: &[u8]| [&[4, 0xfe, 1, node][..], &framed(message.to_vec())].concat();
    for node in [1, 2] {
        forwarder.send_datagram(&inner(node, &[&[4, 4, 1, 0, 60, b'n'][..], &[b'0' + node]].concat()));
        assert_eq!(forwarder.receive(), [4, 0xfe, 0, node, 3, 5, 0]);
    }
    forwarder.send_datagram(&inner(1, b"\x0a\x00\x00\x00\x01a/b"));
    assert_eq!(forwarder.receive(), [4, 0xfe, 0, 1, 7, 0x0b, 0, 1, 0, 1, 0]);
    forwarder.send_datagram(&inner(2, b"\x0c\x20\x00\x01\x00\x01x"));
    assert_eq!(forwarder.receive(), [4, 0xfe, 0, 2, 7, 0x0d, 0, 1, 0, 1, 2]);
    // The forwarder itself is another client.
    forwarder.connect("forwarder");
}

#[test]
fn a_search_is_answered_at_the_address_of_the_client() {
    let (_broker, gateway) = start("--gateway-id 9");
    gateway.peer().ask("01 00", "02 09");
}

#[test]
fn ADVERTISE_is_sent_at_each_interval() {
    let mut listener = SnPeer::listen();
    let options = format!("--advertise {} --advertise-interval 1s", listener.address());
    let (_broker, _gateway) = start(&options);
    listener.expect("00 01 0001");
    listener.expect("00 01 0001");
}

#[test]
fn a_broker_that_is_away_means_congestion() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut gateway = Gateway::start(closed, "");
    let mut peer = gateway.peer();
    peer.ask("04 04 01 003c 'c1'", "05 01");
    gateway.running.wait_for_stderr("refused \"c1\" from");
}

#[test]
fn clients_are_disconnected_when_the_broker_goes_away_and_come_back() {
    let (mut broker, mut gateway) = start("-v");
    let mut peer = gateway.peer();
    peer.connect("c1");
    broker.kill();
    peer.expect("18");
    gateway.running.wait_for_stderr("\"c1\" lost its connection to the broker");
    peer.ask("04 04 01 003c 'c1'", "05 01");
    broker.restart();
    peer.connect("c1");
}

#[test]
fn strangers_are_told_to_connect_but_their_DISCONNECT_is_not_answered() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("0c 20 0001 0001 'x'", "18");
    peer.ask("12 00 0001 'a/b'", "18");
    peer.ask("16", "18");
    peer.send("18");
    peer.connect("c1");
}

#[test]
fn malformed_datagrams_are_logged_and_ignored() {
    let (_broker, mut gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    for datagram in
        [&b""[..], b"\x00", b"\x01", b"\x02\x03", b"\x05\x04", b"\x03\xfe\x00", b"\x02\x0c", b"\xff\x0c"]
    {
        peer.send_datagram(datagram);
    }
    peer.send_datagram(b"\x04\xfe\x00\x01\x04\xfe\x00\x01\x02\x16"); // nested
    peer.expect_nothing();
    gateway.running.wait_for_stderr("ignored a datagram from 127.0.0.1:");
    peer.ask("04 04 02 003c 'c1'", "05 03"); // another protocol id
}

#[test]
fn a_hang_up_disconnects_the_clients_as_SIGTERM_does() {
    for (signal, status) in [("HUP", 129), ("TERM", 143)] {
        let (_broker, gateway) = start("");
        let mut peer = gateway.peer();
        peer.connect("c1");
        gateway.running.signal(signal);
        peer.expect("18");
        gateway.running.finish().expect_status(status);
    }
}

#[test]
fn the_number_of_clients_is_limited() {
    let (_broker, mut gateway) = start("--max-clients 1");
    let (mut first, mut second) = (gateway.peer(), gateway.peer());
    first.connect("c1");
    second.ask("04 04 01 003c 'c2'", "05 01");
    gateway.running.wait_for_stderr("the gateway has its maximum of clients");
    first.ask("18", "18");
    // A disconnected client makes room.
    second.connect("c2");
}

#[test]
fn a_flood_of_CONNECT_from_many_addresses_fills_neither_gateway_nor_log() {
    let (_broker, gateway) = start("--max-clients 10");
    let mut served = gateway.peer();
    served.connect("served");
    // Open until the end: another client at the same address would take the place of the first.
    let mut accepted = Vec::new();
    for number in 0..500 {
        let mut peer = gateway.peer();
        let connect = ["04 04 01 003c", "01 01 0001 02 003c 0000"][number % 2];
        peer.send(&format!("{connect} 'flood{number}'"));
        let answer = peer.receive();
        if answer != [3, 5, 1] && answer != [6, 2, 0, 0, 1, 0xf1] {
            accepted.push(peer);
        }
    }
    assert_eq!(accepted.len(), 9);
    served.ask("0c 22 'ab' 0001 'x'", "0d 'ab' 0001 00");
    gateway.running.signal("TERM");
    let finished = gateway.running.finish();
    finished.expect_status(143);
    assert!(finished.stderr.lines().count() < 20, "{}", finished.stderr);
}

/// A message of a node behind a forwarder.
fn of_node(node: u8, message: &str) -> Vec<u8> {
    [&[4, 0xfe, 1, node][..], &framed(hex(message))].concat()
}

#[test]
fn an_address_with_most_clients_gives_up_its_longest_silent_one_for_another_address() {
    let (broker, mut gateway) = start("--max-clients 4");
    let mut watcher = broker.subscriber("-t w/# -v");
    let mut forwarder = gateway.peer();
    forwarder.send_datagram(&of_node(1, "04 0c 01 ffff 'node1'"));
    assert_eq!(forwarder.receive(), of_node_answer(1, &[2, 6]));
    forwarder.send_datagram(&of_node(1, "07 00 'w/node1'"));
    assert_eq!(forwarder.receive(), of_node_answer(1, &[2, 8]));
    forwarder.send_datagram(&of_node(1, "09 'gone'"));
    assert_eq!(forwarder.receive(), of_node_answer(1, &[3, 5, 0]));
    for node in 2..=4 {
        forwarder.send_datagram(&of_node(node, &format!("04 04 01 ffff 'node{node}'")));
        assert_eq!(forwarder.receive(), of_node_answer(node, &[3, 5, 0]));
    }
    // The same address gets no fifth one, from another port either.
    gateway.peer().ask("04 04 01 003c 'fifth'", "05 01");
    let mut other = SnPeer::at("127.0.0.2", gateway.address);
    other.connect("other");
    assert_eq!(forwarder.receive(), of_node_answer(1, &[2, 0x18]));
    assert_eq!(watcher.wait_for_stdout("w/"), "w/node1 gone");
    gateway.running.wait_for_stderr(
        "\"node1\" was silent for the longest time of 4 clients at 127.0.0.1 and made room for a client at another address",
    );
    // With half of the clients, an address keeps those that are not silent.
    let (mut second, mut third) =
        (SnPeer::at("127.0.0.3", gateway.address), SnPeer::at("127.0.0.4", gateway.address));
    forwarder.send_datagram(&of_node(2, "16"));
    assert_eq!(forwarder.receive(), of_node_answer(2, &[2, 0x17]));
    second.connect("second");
    assert_eq!(forwarder.receive(), of_node_answer(3, &[2, 0x18]));
    third.ask("04 04 01 003c 'third'", "05 01");
    forwarder.send_datagram(&of_node(2, "16"));
    assert_eq!(forwarder.receive(), of_node_answer(2, &[2, 0x17]));
    other.ask("16", "17");
}

fn of_node_answer(node: u8, message: &[u8]) -> Vec<u8> {
    [&[4, 0xfe, 0, node][..], message].concat()
}

#[test]
fn a_silent_client_without_keep_alive_makes_room() {
    let (broker, mut gateway) = start("--max-clients 2 --retry-interval 50ms --retry-count 20 -v");
    let mut watcher = broker.subscriber("-t w/# -v");
    let (mut alive, mut silent, mut new) = (gateway.peer(), gateway.peer(), gateway.peer());
    alive.connect("alive");
    silent.ask("04 0c 01 0000 'silent'", "06");
    silent.ask("07 00 'w/silent'", "08");
    while silent.receive() != [2, 8] {} // repeated questions
    silent.send("09 'gone'");
    while silent.receive() != [3, 5, 0] {}
    let mut answer = Vec::new();
    while answer != [3, 5, 0] {
        alive.ask("16", "17");
        new.send("04 04 01 003c 'new'");
        answer = new.receive();
    }
    assert_eq!(watcher.wait_for_stdout("w/"), "w/silent gone");
    gateway.running.wait_for_stderr("\"silent\" was silent for the longest time and made room");
    silent.ask("16", "18");
    alive.ask("16", "17");
    gateway.peer().ask("04 04 01 003c 'third'", "05 01");
}

#[test]
fn a_client_that_has_disconnected_publishes_at_QoS_minus_1() {
    for options in ["", "--aggregate"] {
        let (broker, mut gateway) = start(options);
        if !options.is_empty() {
            gateway.running.wait_for_stderr("connected to the broker, for all clients");
        }
        let subscriber = broker.subscriber("-t ab -C 1");
        let mut peer = gateway.peer();
        peer.connect("c1");
        peer.ask("18", "18");
        peer.send("0c 62 'ab' 0000 'hello'");
        assert_eq!(subscriber.finish().succeed(), "hello\n");
        // No DISCONNECT has come.
        peer.connect("c1");
    }
}

#[test]
fn a_message_of_QoS_minus_1_that_the_broker_does_not_take_is_dropped_and_counted() {
    let broker = ScriptedPeer::accepting_v5("27 00000014", |wire| {
        wire.expect("30 (`ab` 00 'fits')");
        wire.expect("30 (`ab` 00 'again')");
    });
    let mut gateway = Gateway::start(broker.address(), "-V 5");
    let peer = gateway.peer();
    peer.send("0c 62 'ab' 0000 'fits'");
    peer.send("0c 62 'ab' 0000 'this one does not fit'");
    peer.send("0c 62 'ab' 0000 'again'");
    gateway.running.wait_for_stderr("dropped 1 message of QoS -1");
    broker.finish();
}

#[test]
fn the_limit_of_bytes_holds_while_an_exchange_waits_for_PUBREL() {
    let broker = ScriptedPeer::accepting(|wire| {
        wire.expect("82 (0001 `a/b` 02)");
        wire.send("90 (0001 02)");
        wire.send("34 (`a/b` 0001 'first')");
        wire.expect("50 (0001)");
        // PUBREL would end the exchange, but it does not come.
        wire.send(&"32 (`a/b` 0002 '0123456789012345678901234567890123456789')".repeat(20));
        wire.expect_end();
    });
    let mut gateway = Gateway::start(broker.address(), "-v --max-queued-bytes 400");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 40 0001 'a/b'", "13 40 0001 0001 00");
    peer.expect("0c 40 0001 0001 'first'");
    peer.send("0f 0001");
    peer.expect("18");
    gateway.running.wait_for_stderr("\"c1\" was disconnected: the broker's messages exceed its queue");
    broker.finish();
}

#[test]
fn messages_that_exceed_the_datagram_size_are_dropped() {
    let (broker, mut gateway) = start("--max-datagram 64 -v");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 40 0001 'a/b'", "13 40 0001 0001 00");
    broker.mq(&format!("pub -t a/b -q 2 -m {}", "x".repeat(60))).run().succeed();
    broker.mq("pub -t a/b -m small").run().succeed();
    peer.expect("0c 00 0001 0000 'small'");
    peer.ask("18", "18");
    gateway.running.wait_for_stderr("dropped 1 message for \"c1\"");
}

#[test]
fn a_late_copy_of_CONNECT_keeps_the_session() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.connect("c1");
    peer.ask("12 00 0001 'a/b'", "13 00 0001 0001 00");
    peer.send("04 04 01 003c 'c1'");
    peer.ask("16", "17");
    broker.mq("pub -t a/b -m hello").run().succeed();
    peer.expect("0c 00 0001 0000 'hello'");
}

#[test]
fn a_late_copy_of_a_QoS_2_message_behind_others_is_ignored() {
    let (broker, gateway) = start("");
    let watcher = broker.subscriber("-t ab -q 2 -C 4");
    let mut peer = gateway.peer();
    peer.connect("c1");
    let mut exchange = |id: u16| {
        peer.ask(&format!("0c 42 'ab' {id:04x} '{id}'"), &format!("0f {id:04x}"));
        peer.ask(&format!("10 {id:04x}"), &format!("0e {id:04x}"));
        peer.send("0c 42 'ab' 0001 '1'");
    };
    (1..=4).for_each(&mut exchange);
    assert_eq!(watcher.finish().succeed(), "1\n2\n3\n4\n");
}

#[test]
fn each_request_of_a_lost_client_is_answered_with_DISCONNECT() {
    let (_broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("04 04 01 0001 'c1'", "05 00");
    peer.expect("18");
    for _ in 0..10 {
        peer.ask("0c 02 'ab' 0000 'hello'", "18");
    }
}

#[test]
fn a_client_has_few_connections_to_a_broker_that_does_not_answer() {
    let broker = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = Gateway::start(broker.local_addr().unwrap(), "");
    let mut peer = gateway.peer();
    // Each CONNECT ends the earlier connection. The broker's answers are missing, but not those of the gateway.
    for _ in 0..1000 {
        peer.send("04 04 01 003c 'c1'");
        peer.send("04 00 01 003c 'c1'");
    }
    while peer.receive() != [3, 5, 1] {}
}

#[test]
fn a_client_that_forgot_the_topic_ids_of_its_session_gets_every_message() {
    for qos in [0, 1, 2] {
        let (broker, gateway) = start("");
        let mut peer = gateway.peer();
        peer.ask("04 00 01 003c 'c1'", "05 00");
        peer.ask("12 40 0001 'a/b'", "13 40 0001 0001 00");
        peer.ask("18", "18");
        peer.ask("04 00 01 003c 'c1'", "05 00");
        broker.mq(&format!("pub -t a/b -m hello -q {qos}")).run().succeed();
        peer.expect("0a 0001 0001 'a/b'");
    }
}

#[test]
fn a_repeated_message_of_the_broker_is_not_dropped_if_the_client_forgot_its_topic_id() {
    let (broker, gateway) = start("");
    let mut peer = gateway.peer();
    peer.ask("04 00 01 003c 'c1'", "05 00");
    peer.ask("12 20 0001 'a/b'", "13 20 0001 0001 00");
    broker.mq("pub -t a/b -m hello -q 1").run().succeed();
    let id = peer.receive()[5..7].to_vec();
    let id = u16::from_be_bytes([id[0], id[1]]);
    // The client crashes before PUBACK, and the broker sends the message again with DUP.
    peer.ask("04 00 01 003c 'c1'", "05 00");
    peer.expect("0a 0001 0001 'a/b'");
    peer.ask("0b 0001 0001 00", &format!("0c a0 0001 {id:04x} 'hello'"));
    peer.ask(&format!("0d 0001 {id:04x} 02"), "0a 0001 0002 'a/b'");
    peer.ask("0b 0001 0002 00", &format!("0c a0 0001 {id:04x} 'hello'"));
}
