//! QoS 2 over connections that break: delivery exactly once, and the message if the result is unknown.

use super::support::*;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// CONNECT's property for a session that is kept while the run lasts, and DISCONNECT's that removes it.
const KEPT: &str = "11 00000e10";
const REMOVED: &str = "e0 (00 (11 00000000))";

#[test]
fn a_run_of_mqtt_5_keeps_its_session_and_removes_it() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect(&format!("10 (`MQTT` 05 02 003c ({KEPT}) `me`)"));
        client.send("20 (00 00 ())");
        client.expect("34 (`a` 0001 () 'one') 34 (`a` 0002 () 'two')");
        client.send("50 (0001)");
        client.expect("62 (0001)");
        drop(client);
        let mut client = peer.accept();
        client.expect(&format!("10 (`MQTT` 05 00 003c ({KEPT}) `me`)"));
        client.send("20 (01 00 ())");
        client.expect("62 (0001) 3c (`a` 0002 () 'two')");
        client.send("70 (0001 92) 50 (0002)");
        client.expect("62 (0002)");
        client.send("70 (0002)");
        client.expect(REMOVED);
    });
    let finished = peer.mq("pub -V 5 -i me -t a -l -q 2").stdin("one\ntwo\n").run();
    peer.finish();
    finished.succeed();
}

#[test]
fn the_session_of_a_run_goes_by_the_identifier_that_the_broker_chose() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect(&format!("10 (`MQTT` 05 02 003c ({KEPT}) 0000)"));
        client.send("20 (00 00 (12 `chosen`))");
        client.expect_type(0x34);
        drop(client);
        let mut client = peer.accept();
        client.expect(&format!("10 (`MQTT` 05 00 003c ({KEPT}) `chosen`)"));
        client.send("20 (01 00 ())");
        client.expect("3c (`a` 0001 () 'one')");
        client.send("50 (0001)");
        client.expect("62 (0001)");
        client.send("70 (0001)");
        client.expect(REMOVED);
    });
    peer.mq("pub -V 5 -t a -l -q 2").stdin("one\n").run().succeed();
    peer.finish();
}

#[test]
fn a_session_that_the_user_asked_for_stays_as_asked() {
    for (options, connect, properties) in [
        ("-c -i me", "00", "11 ffffffff"),
        ("-x 7 -i me", "02", "11 00000007"),
        ("-i me -D connect session-expiry-interval 8", "02", "11 00000008"),
    ] {
        let expected = format!("10 (`MQTT` 05 {connect} 003c ({properties}) `me`)");
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect(&expected);
            client.send("20 (00 00 ())");
            client.expect("e0 ()");
        });
        peer.mq(&format!("pub -V 5 -t a -l -q 2 {options}")).stdin("").run().succeed();
        peer.finish();
    }
}

#[test]
fn a_single_message_that_is_not_sent_again_needs_no_session() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 05 02 003c () `me`)");
        client.send("20 (00 00 ())");
        client.expect("34 (`a` 0001 () 'x')");
        client.send("50 (0001)");
        client.expect("62 (0001)");
    });
    let stderr = peer.mq("pub -V 5 -i me -t a -m x -q 2").run().fail(7);
    peer.finish();
    assert_says(&stderr, &["1 message was sent and not acknowledged", "closed the connection"]);
}

/// Takes PUBLISH as far as PUBREL, and then has a new session.
fn peer_that_forgets(version: &str) -> ScriptedPeer {
    let is_v5 = version == "5";
    ScriptedPeer::start(move |peer| {
        let mut client = if is_v5 { peer.accept_v5("") } else { peer.accept_v311() };
        client.expect_type(0x34);
        client.expect_type(0x34);
        client.send("50 (0001)");
        client.expect("62 (0001)");
        drop(client);
        let mut client = if is_v5 { peer.accept_v5("") } else { peer.accept_v311() };
        let again = client.expect_publish();
        assert_eq!((again.first_byte, again.payload), (0x34, b"two".to_vec()));
        client.send("50 (0002)");
        client.expect("62 (0002)");
        client.send("70 (0002)");
        client.expect_type(0xe0);
    })
}

#[test]
fn messages_that_may_be_lost_or_doubled_are_counted_and_named() {
    for (version, advice) in [
        ("5", "the broker did not keep the session"),
        ("311", "-c -i ID keeps it"),
        ("31", "-c -i ID keeps it"),
    ] {
        let peer = peer_that_forgets(version);
        let finished = peer.mq(&format!("pub -V {version} -t lines -l -q 2")).stdin("one\ntwo\n").run();
        peer.finish();
        let lost = "1 message of QoS 2 may be lost, to lines";
        let doubled = "1 message of QoS 2 may be delivered twice, to lines";
        assert_says(&finished.fail(7), &[lost, doubled, advice]);
    }
}

#[test]
fn the_uncertain_messages_of_a_recording_and_of_a_repetition_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("recording.ndjson");
    let lines = "{\"topic\":\"lines\",\"payload\":\"one\",\"qos\":2}\n{\"topic\":\"lines\",\"payload\":\"two\",\"qos\":2}\n";
    std::fs::write(&file, lines).unwrap();
    let replay = |peer: &ScriptedPeer| peer.mq("pub -V 311 --speed max --replay").arg(&file).run();
    let ndjson = |peer: &ScriptedPeer| peer.mq("pub -V 311 --ndjson").stdin(lines).run();
    for run in [&replay as &dyn Fn(&ScriptedPeer) -> process::Finished, &ndjson] {
        let peer = peer_that_forgets("311");
        let finished = run(&peer);
        peer.finish();
        assert_says(&finished.fail(7), &["may be lost, to lines", "may be delivered twice, to lines"]);
    }
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        client.expect_type(0x34);
        client.send("50 (0001)");
        client.expect("62 (0001)");
        drop(client);
        peer.accept_v311().expect("e0 ()");
    });
    let finished = peer.mq("pub -t one -m x -q 2 --retries 2").run();
    peer.finish();
    assert_says(&finished.fail(7), &["1 message of QoS 2 may be lost, to one"]);
}

#[test]
fn a_kept_session_of_mqtt_3_1_goes_on_without_the_flag_that_it_is_there() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQIsdp` 03 00 003c `me`)");
        client.send("20 (00 00)");
        client.expect("34 (`a` 0001 'one') 34 (`a` 0002 'two')");
        client.send("50 (0001)");
        client.expect("62 (0001)");
        drop(client);
        let mut client = peer.accept_v311();
        client.expect("62 (0001) 3c (`a` 0002 'two')");
        client.send("70 (0001) 50 (0002)");
        client.expect("62 (0002)");
        client.send("70 (0002)");
        client.expect("e0 ()");
    });
    peer.mq("pub -V 31 -c -i me -t a -l -q 2").stdin("one\ntwo\n").run().succeed();
    peer.finish();
}

#[test]
fn an_unknown_identifier_is_an_error_outside_recovery() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x34);
        client.send("50 (0001)");
        client.expect("62 (0001)");
        client.send("70 (0001 92)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -V 5 -t a -m x -q 2").run();
    peer.finish();
    assert_says(&finished.fail(3), &["packet identifier not found"]);
}

/// Forwards to a server, and cuts each connection after some bytes of either direction.
fn start_cutting_proxy(server: SocketAddr, cuts: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let left = Arc::new(AtomicUsize::new(cuts));
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
            let is_cut = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            // Every connection gets further than its CONNECT and CONNACK, and is cut at another place.
            let budget = if is_cut.is_ok() { 300 + number * 7919 % 40_000 } else { usize::MAX };
            let budget = Arc::new(AtomicUsize::new(budget));
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&budget));
            thread::spawn(move || copy_until_cut(back.0, back.1, &back.2));
            thread::spawn(move || copy_until_cut(client, server, &budget));
        }
    });
    address
}

fn copy_until_cut(mut from: TcpStream, mut to: TcpStream, budget: &AtomicUsize) {
    let mut bytes = [0; 1000];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let left = budget.load(Ordering::Relaxed);
        let passed = count.min(left);
        budget.store(left - passed, Ordering::Relaxed);
        if to.write_all(&bytes[..passed]).is_err() || passed < count {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both); // it may be closed already
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn thousands_of_messages_arrive_exactly_once_over_connections_that_break() {
    const COUNT: usize = 5000;
    on_each_broker(|broker| {
        let subscriber = broker.subscriber(&format!("-t lines -q 2 -C {COUNT}"));
        let mut witness = broker.subscriber("-t lines/end -q 1 -C 1");
        let proxy = start_cutting_proxy(broker.address(), 10);
        let lines: String = (1..=COUNT).map(|number| format!("{number}\n")).collect();
        let command = format!("pub -V 5 -h {} -p {} -t lines -l -q 2 --retries 50", proxy.ip(), proxy.port());
        let finished = mq(&command).stdin(lines.as_bytes()).run();
        assert_says(&finished.stderr, &["connecting again"]);
        assert!(!finished.stderr.contains("may be"), "{}", finished.stderr);
        finished.succeed();
        broker.mq("pub -t lines/end -m x -q 1").run().succeed();
        witness.wait_for_end();
        let received = subscriber.finish().succeed();
        assert!(received == lines, "each line once and in order");
    });
}
