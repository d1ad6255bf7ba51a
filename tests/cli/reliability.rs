//! What is asked for happens, or is told: lost connections, brokers that die, acknowledgements that are late, signals,
//! closed pipes.

use super::support::*;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

#[test]
fn twenty_thousand_lines_arrive_complete_and_in_order() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t lines -q 1 -C 20000");
        let lines: String = (1..=20_000).map(|number| format!("line {number}\n")).collect();
        broker.mq("pub -t lines -l -q 1").stdin(lines.as_bytes()).run().succeed();
        assert!(subscriber.finish().succeed() == lines, "the same lines come out");
    });
}

#[test]
fn lines_of_qos_2_arrive_exactly_once() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t lines -q 2 -C 1000");
        let lines: String = (1..=1000).map(|number| format!("{number}\n")).collect();
        broker.mq("pub -t lines -l -q 2").stdin(lines.as_bytes()).run().succeed();
        assert!(subscriber.finish().succeed() == lines, "the same lines come out");
    });
}

#[test]
fn lines_of_qos_0_all_go_out() {
    let peer = ScriptedPeer::accepting(|client| {
        for number in 0..20_000 {
            assert_eq!(client.expect_publish().payload, number.to_string().as_bytes());
        }
        client.expect("e0 ()");
    });
    let lines: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    peer.mq("pub -t a -l").stdin(lines).run().succeed();
    peer.finish();
}

#[test]
fn disconnect_waits_for_the_last_acknowledgement() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("32 (`a` 0001 '1') 32 (`a` 0002 '2') 32 (`a` 0003 '3')");
        client.send("40 (0003) 40 (0001)");
        client.expect_quiet();
        client.send("40 (0002)");
        client.expect("e0 ()");
    });
    peer.mq("pub -t a -l -q 1").stdin("1\n2\n3\n").run().succeed();
    peer.finish();
}

#[test]
fn without_a_session_lines_are_sent_again_as_new() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect("32 (`a` 0001 'one') 32 (`a` 0002 'two')");
        client.send("40 (0001)");
        drop(client);
        let mut client = peer.accept_v311();
        let again = client.expect_and_acknowledge();
        assert_eq!((again.first_byte, again.payload), (0x32, b"two".to_vec()));
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -t a -l -q 1").stdin("one\ntwo\n").run();
    peer.finish();
    assert_says(&finished.stderr, &["mq pub:", "connection", "again"]);
    finished.succeed();
}

#[test]
fn a_broker_that_closes_at_each_message_is_not_tried_for_ever() {
    let peer = ScriptedPeer::start(|peer| {
        for _ in 0..2 {
            peer.accept_v311().expect_type(0x30);
        }
    });
    let finished = peer.mq("pub -t forbidden -l -q 1 --retries 1").stdin("line\n").run();
    assert!(finished.fail(7).contains("closed the connection"));
    peer.finish();
}

#[test]
fn with_a_session_lines_are_sent_again_as_duplicates() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 00 003c `me`)");
        client.send("20 (00 00)");
        client.expect("32 (`a` 0001 'one') 32 (`a` 0002 'two')");
        client.send("40 (0001)");
        drop(client);
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 04 00 003c `me`)");
        client.send("20 (01 00)");
        client.expect("3a (`a` 0002 'two')");
        client.send("40 (0002)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -i me -c -t a -l -q 1").stdin("one\ntwo\n").run();
    peer.finish();
    finished.succeed();
}

#[test]
fn qos_2_goes_on_where_it_was() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect("34 (`a` 0001 'one') 34 (`a` 0002 'two')");
        client.send("50 (0001)");
        client.expect("62 (0001)");
        drop(client);
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (01 00)");
        let mut again = [client.packet(), client.packet()];
        again.sort();
        assert_eq!(again, [bytes::hex("3c (`a` 0002 'two')"), bytes::hex("62 (0001)")]);
        client.send("50 (0002)");
        client.expect("62 (0002)");
        client.send("70 (0001) 70 (0002)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -i me -c -t a -l -q 2").stdin("one\ntwo\n").run();
    peer.finish();
    finished.succeed();
}

#[test]
fn an_identifier_from_the_broker_is_used_again() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("12 `auto-7`");
        client.expect_type(0x82);
        drop(client);
        peer.accept().expect("10 (`MQTT` 05 02 003c () `auto-7`)");
    });
    let subscriber = peer.mq("sub -V 5 -t a").spawn();
    peer.finish();
    drop(subscriber);
}

#[test]
fn a_single_message_is_not_tried_twice() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("32 (`a` 0001 'x')");
    });
    assert_says(&peer.mq("pub -t a -m x -q 1").run().fail(7), &["mq pub:", "connection"]);
    peer.finish();
}

#[test]
fn a_subscriber_comes_back_and_says_so() {
    let peer = ScriptedPeer::start(|peer| {
        for payload in ["one", "two"] {
            let mut client = peer.accept();
            client.expect("10 (`MQTT` 04 02 003c `me`)");
            client.send("20 (00 00)");
            let subscribe = client.expect_type(0x82);
            assert_eq!(subscribe[4..], bytes::hex("`a` 01"));
            client.send_bytes(&[0x90, 3, subscribe[2], subscribe[3], 1]);
            client.send(&format!("32 (`a` 0001 '{payload}')"));
            client.expect("40 (0001)");
        }
    });
    let mut subscriber = peer.mq("sub -i me -t a -q 1").spawn();
    subscriber.wait_for_stdout("one");
    assert_says(&subscriber.wait_for_stderr("mq sub:"), &["closed", "again"]);
    subscriber.wait_for_stdout("two");
    peer.finish();
}

#[test]
fn a_broker_that_does_not_answer_while_it_is_connected_to_again_is_tried_once_more() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect_type(0x82);
        drop(client);
        let mut silent = peer.accept();
        silent.expect_type(0x10);
        silent.expect_end();
        let mut client = peer.accept_v311();
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 'x')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -t a -C 1 --connect-timeout 0.3").run();
    peer.finish();
    assert_says(&finished.stderr, &["timed out after 0.3 s", "again"]);
    assert_eq!(finished.succeed(), "x\n");
}

#[test]
fn subscribers_and_publishers_outlive_the_broker() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-t a -q 1");
        let mut publisher = broker.mq("pub -d -t a -l -q 1").open_stdin().spawn();
        publisher.write("one\n");
        subscriber.wait_for_stdout("one");
        publisher.wait_for_stderr("<- PUBACK");
        broker.kill();
        publisher.wait_for_stderr("again");
        publisher.write("two\nthree\n");
        broker.restart();
        subscriber.wait_for_stderr("<- SUBACK");
        publisher.wait_for_stderr("<- PUBACK");
        publisher.wait_for_stderr("<- PUBACK");
        broker.mq("pub -t a -m four -q 1").run().succeed();
        subscriber.wait_for_stdout("four");
        publisher.finish().succeed();
    });
}

#[test]
fn a_broker_that_asks_to_go_away_is_obeyed() {
    for (reason, words) in
        [("8e", "session taken over"), ("98", "administrative action"), ("87", "not authorized")]
    {
        let peer = ScriptedPeer::accepting_v5("", move |client| {
            client.expect_type(0x82);
            client.send(&format!("e0 ({reason})"));
        });
        assert_says(&peer.mq("sub -V 5 -t a").run().fail(7), &[words]);
        peer.finish();
    }
}

#[test]
fn a_broker_that_shuts_down_is_waited_for() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("");
        client.expect_type(0x82);
        client.send("e0 (8b (1f `maintenance`))");
        peer.accept_v5("").expect_type(0x82);
    });
    let mut subscriber = peer.mq("sub -V 5 -t a").spawn();
    assert_says(&subscriber.wait_for_stderr("mq sub:"), &["server shutting down", "maintenance", "again"]);
    peer.finish();
}

#[test]
fn why_the_broker_ended_the_connection_is_reported() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x32);
        client.send("e0 (97 (1f `too much`))");
    });
    let stderr = peer.mq("pub -V 5 -t a -m x -q 1").run().fail(7);
    assert_says(&stderr, &["quota exceeded", "too much"]);
    peer.finish();
}

#[test]
fn a_rejected_message_is_reported_with_status_3() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("32 (`home/a` 0001 () 'x')");
        client.send("40 (0001 87 (1f `ask ann`))");
        client.expect("e0 ()");
    });
    let stderr = peer.mq("pub -V 5 -t home/a -m x -q 1").run().fail(3);
    assert_says(&stderr, &["home/a", "not authorized", "ask ann"]);
    peer.finish();
}

#[test]
fn a_rejected_message_of_qos_2_makes_room_for_the_next() {
    let peer = ScriptedPeer::accepting_v5("21 0001", |client| {
        let denied = client.expect_publish();
        assert_eq!(denied.payload, b"1");
        client.send("50 (0001 97)");
        let next = client.expect_publish();
        assert_eq!(next.payload, b"2");
        let [high, low] = next.packet_id.unwrap();
        client.send_bytes(&[0x50, 2, high, low]);
        client.expect_type(0x62);
        client.send_bytes(&[0x70, 2, high, low]);
        client.expect_type(0xe0);
    });
    let stderr = peer.mq("pub -V 5 -t a -l -q 2").stdin("1\n2\n").run().fail(3);
    assert_says(&stderr, &["quota exceeded"]);
    peer.finish();
}

#[test]
fn a_publish_without_subscribers_is_a_success() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x32);
        client.send("40 (0001 10)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -V 5 -t a -m x -q 1").run();
    assert_eq!(finished.stderr, "");
    finished.succeed();
    peer.finish();
}

#[test]
fn mosquitto_rejects_topics_outside_its_access_list() {
    let files = [("acl", "topic readwrite open/#\n")];
    let Some(broker) = Mosquitto::start_with_files("acl_file {directory}/acl", &files) else { return };
    broker.mq("pub -V 5 -t open/a -m x -q 1").run().succeed();
    for qos in [1, 2] {
        let stderr = broker.mq(&format!("pub -V 5 -t closed/a -m x -q {qos}")).run().fail(3);
        assert_says(&stderr, &["closed/a", "not authorized"]);
    }
}

#[test]
fn the_keep_alive_of_the_server_counts() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("13 0001");
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect("c0 ()");
        client.send("d0 ()");
        client.expect("c0 ()"); // and no answer
        client.expect_end();
        peer.accept_v5("");
    });
    let mut subscriber = peer.mq("sub -V 5 -t a -k 600").spawn();
    assert_says(&subscriber.wait_for_stderr("mq sub:"), &["keep alive", "again"]);
    peer.finish();
}

#[test]
fn a_flood_does_not_keep_the_client_from_its_keep_alive() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("13 0001");
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        assert_eq!(client.flood_until_a_packet_comes("30 (`a` () 'x')"), [0xc0, 0]);
        client.send("d0 ()");
    });
    let _subscriber = peer.mq("sub -V 5 -t a").spawn();
    peer.finish();
}

#[test]
fn packets_may_come_byte_by_byte() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        let send_slowly = |client: &mut Wire, text: &str| {
            for byte in bytes::hex(text) {
                client.send_bytes(&[byte]);
                std::thread::yield_now();
            }
        };
        send_slowly(&mut client, "20 (00 00)");
        client.expect_type(0x82);
        send_slowly(&mut client, "90 (0001 01) 32 (`a` 0001 'one') 32 (`a` 0002 'two')");
        client.expect("40 (0001) 40 (0002) e0 ()");
    });
    assert_eq!(peer.mq("sub -t a -q 1 -C 2").run().succeed(), "one\ntwo\n");
    peer.finish();
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    on_each_broker(|broker| {
        let subscriber = broker.mq("sub -t a").closing_stdout_after(1).spawn();
        let publisher = broker.mq("pub -t a -m x --repeat 1000000 --repeat-delay 0.01").spawn();
        let finished = subscriber.finish();
        drop(publisher);
        assert_eq!(finished.stderr, "");
        finished.expect_status(0);
    });
}

#[test]
fn signals_end_a_subscriber_after_a_regular_disconnect() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let peer = ScriptedPeer::accepting(|client| {
            client.expect_type(0x82);
            client.send("90 (0001 00)");
            client.expect("e0 ()");
        });
        let subscriber = peer.subscriber("-t a");
        subscriber.signal(signal);
        subscriber.finish().expect_status(status);
        peer.finish();
    }
}

#[test]
fn signals_end_a_publisher_after_a_regular_disconnect() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let peer = ScriptedPeer::accepting(|client| {
            client.expect("30 (`a` 'one') e0 ()");
        });
        let mut publisher = peer.mq("pub -d -t a -l").open_stdin().spawn();
        publisher.write("one\n");
        publisher.wait_for_stderr("-> PUBLISH");
        publisher.signal(signal);
        publisher.wait_for_stderr("-> DISCONNECT");
        publisher.finish().expect_status(status);
        peer.finish();
    }
}

#[test]
fn an_interrupted_publisher_reports_unacknowledged_messages() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x32);
        client.expect_end();
    });
    let mut publisher = peer.mq("pub -d -t a -m x -q 1").spawn();
    publisher.wait_for_stderr("-> PUBLISH");
    publisher.signal("INT");
    assert_says(&publisher.finish().fail(130), &["1 message", "not acknowledged"]);
    peer.finish();
}

#[test]
fn signals_work_before_the_broker_answers() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.expect_end();
    });
    let mut subscriber = peer.mq("sub -d -t a").spawn();
    subscriber.wait_for_stderr("-> CONNECT");
    subscriber.signal("INT");
    subscriber.finish().expect_status(130);
    peer.finish();
}

#[test]
fn signals_work_while_waiting_to_connect_again() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
    });
    let mut subscriber = peer.mq("sub -t a").spawn();
    subscriber.wait_for_stderr("again");
    subscriber.signal("TERM");
    subscriber.finish().expect_status(143);
    peer.finish();
}

#[test]
fn a_will_is_published_when_a_client_dies() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t gone -v -C 1");
        let mut dying = broker.subscriber("-t a --will-topic gone --will-payload bye --will-qos 1");
        dying.kill();
        assert_eq!(subscriber.finish().succeed(), "gone bye\n");
    });
}

#[cfg(target_os = "linux")] // where the memory can be read off
#[test]
fn a_slow_broker_does_not_fill_the_memory() {
    for qos in [0, 1] {
        let (say, hear) = std::sync::mpsc::channel();
        let peer = ScriptedPeer::accepting(move |client| {
            for number in 0..20_000 {
                let message = client.expect_publish();
                if let Some([high, low]) = message.packet_id {
                    client.send_bytes(&[0x40, 2, high, low]);
                }
                if number == 10_000 {
                    hear.recv().unwrap();
                }
            }
            client.expect("e0 ()");
        });
        let line = "x".repeat(3000) + "\n";
        let mut publisher = peer.mq(&format!("pub -d -t a -l -q {qos}")).stdin(line.repeat(20_000)).spawn();
        for _ in 0..10_000 {
            publisher.wait_for_stderr("-> PUBLISH");
        }
        let peak = publisher.peak_memory();
        say.send(()).unwrap();
        publisher.finish().succeed();
        peer.finish();
        assert!(peak < 16 << 20, "{peak} bytes for a QoS of {qos}");
    }
}

#[test]
fn lines_of_qos_0_that_may_be_lost_are_reported() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect("30 (`a` 'one') 30 (`a` 'two')");
        drop(client);
        peer.accept_v311().expect("30 (`a` 'three') e0 ()");
    });
    let mut publisher = peer.mq("pub -t a -l").open_stdin().spawn();
    publisher.write("one\ntwo\n");
    publisher.wait_for_stderr("connecting again");
    publisher.wait_for_stderr("up to 2 lines that were sent at QoS 0 may be lost");
    publisher.write("three\n");
    let finished = publisher.finish();
    peer.finish();
    assert_eq!(finished.stderr.matches("may be lost").count(), 1, "{}", finished.stderr);
    finished.succeed();
}

#[test]
fn lines_of_qos_0_that_may_be_lost_are_reported_at_the_end() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'one')"));
    let mut publisher = peer.mq("pub -t a -l --retries 0").open_stdin().spawn();
    publisher.write("one\n");
    publisher.wait_for_stderr("the line that was sent at QoS 0 may be lost");
    peer.finish();
    publisher.finish().fail(7);
}

/// Plays a broker on a unix socket, whose buffer is of a fixed size, and reads what `mq pub` sends only when it is told to.
/// Gives the number of messages that came, which have 1000 bytes each.
fn late_reader(directory: &Path, lines: usize) -> (Running, impl FnOnce() -> usize) {
    let socket = directory.join(lines.to_string());
    let listener = UnixListener::bind(&socket).unwrap();
    let line = "x".repeat(1000) + "\n";
    let mut publisher = mq("pub -d -t a -l --unix").arg(&socket).stdin(line.repeat(lines)).spawn();
    publisher.wait_for_stderr("-> CONNECT");
    let (mut client, _) = listener.accept().unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.read_exact(&mut [0; 14]).unwrap();
    client.write_all(&bytes::hex("20 (00 00)")).unwrap();
    let read = move || {
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        received.len() / bytes::hex(&format!("30 (`a` '{}')", "x".repeat(1000))).len()
    };
    (publisher, read)
}

#[test]
fn a_broker_that_reads_late_gets_all_of_qos_0() {
    let directory = tempfile::tempdir().unwrap();
    // Of these, some fill the buffer of the socket, and leave less to be sent than is gathered for one write.
    let sizes = [75, 100, 125, 150, 175, 200, 225, 250, 275, 300];
    let readers = sizes.map(|lines| (lines, late_reader(directory.path(), lines)));
    // By the time that a farewell to a silent broker takes, the others would have given up.
    let (waiting, read) = late_reader(directory.path(), 1);
    waiting.finish().expect_status(0);
    assert_eq!(read(), 1);
    for (lines, (publisher, read)) in readers {
        assert_eq!(read(), lines);
        publisher.finish().expect_status(0);
    }
}
