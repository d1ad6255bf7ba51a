//! `mq inspect -h`: a client of its own, packet by packet.

use super::*;

#[test]
fn every_packet_is_shown_both_ways() {
    on_each_broker(|broker| {
        let mut client = broker.mq("inspect -t a/# -q 1 -C 1 -V 5 --format json").spawn();
        client.wait_for_stdout("SUBACK");
        broker.mq("pub -t a/b -m hello -q 1").run().succeed();
        let finished = client.finish();
        finished.expect_status(0);
        let all = objects(&String::from_utf8(finished.stdout).unwrap());
        let packets = packets(all.clone());
        let said: Vec<[&str; 2]> = packets
            .iter()
            .map(|packet| ["direction", "type"].map(|key| packet[key].as_str().unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                ["c2s", "CONNECT"],
                ["s2c", "CONNACK"],
                ["c2s", "SUBSCRIBE"],
                ["s2c", "SUBACK"],
                ["s2c", "PUBLISH"],
                ["c2s", "PUBACK"],
                ["c2s", "DISCONNECT"],
            ]
        );
        assert_eq!(all[0]["server"], broker.address().to_string());
        assert_eq!(all.last().unwrap()["event"], "closed");
    });
}

#[test]
fn the_brokers_limits_are_reported_in_words() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        // Maximum QoS 1, no retained messages, keep alive 30 s.
        client.send("20 (00 00 (24 01 25 00 13 001e))");
        client.expect("e0 00");
    });
    let finished = peer.mq("inspect -V 5").run();
    peer.finish();
    finished.expect_status(0);
    let value_of = |what: &str| {
        let line = finished.stderr.lines().find(|line| line.contains(what));
        line.unwrap_or_else(|| panic!("{what}: {}", finished.stderr)).trim_start()[what.len()..]
            .trim()
            .to_owned()
    };
    assert_eq!(value_of("highest QoS"), "1");
    assert_eq!(value_of("retained messages"), "no");
    assert_eq!(value_of("keep alive in seconds"), "30");
    assert_eq!(value_of("shared subscriptions"), "yes (default, not in CONNACK)");
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["CONNECT ", "CONNACK", "DISCONNECT"]);
}

#[test]
fn a_broker_of_mqtt_3_has_no_words_for_limits() {
    let broker = EmbeddedBroker::start();
    let finished = broker.mq("inspect").run();
    assert_says(&finished.stderr, &["MQTT 3.1.1 has no fields", "-V 5"]);
    finished.expect_status(0);
}

#[test]
fn invalid_packets_of_the_broker_are_shown_before_it_ends() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x80);
        client.send("90 (0001 00) 36 (`a` 0001)"); // PUBLISH with QoS 3
        client.expect_end();
    });
    let finished = peer.mq("inspect -t a").run();
    peer.finish();
    finished.expect_status(7);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["SUBACK", "PUBLISH", "error", "QoS"]);
}

#[test]
fn a_refusal_is_shown_and_reported() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (00 05)");
        client.expect_end();
    });
    let finished = peer.mq("inspect -t a").run();
    peer.finish();
    finished.expect_status(5);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["CONNACK", "not authorized"]);
}

#[test]
fn passwords_are_hidden_unless_they_are_asked_for() {
    let broker = EmbeddedBroker::start();
    let hidden = broker.mq("inspect -u ann -P secret").run().succeed();
    assert!(hidden.contains("ann") && !hidden.contains("secret"), "{hidden}");
    let open = broker.mq("inspect -u ann -P secret --show-secrets").run().succeed();
    assert!(open.contains("secret"), "{open}");
}

#[test]
fn a_client_s_packets_can_be_written_as_a_capture() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("out.pcapng");
    let broker = EmbeddedBroker::start();
    let shown = broker.mq("inspect -V 5 --format json --write").arg(&file).run().succeed();
    let read = mq("inspect --format json").arg(&file).run().succeed();
    let types =
        |text: &str| packets(objects(text)).iter().map(|packet| packet["type"].clone()).collect::<Vec<_>>();
    assert_eq!(types(&shown), ["CONNECT", "CONNACK", "DISCONNECT"]);
    assert_eq!(types(&read), types(&shown));
}

#[test]
fn time_and_signals_end_it() {
    let broker = EmbeddedBroker::start();
    assert_says(&broker.mq("inspect -t a -W 1").run().fail(27), &["timed out after 1 s"]);
    let mut client = broker.mq("inspect -t a").spawn();
    client.wait_for_stdout("SUBACK");
    client.signal("INT");
    let finished = client.finish();
    finished.expect_status(130);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["DISCONNECT"]);
}

#[test]
fn output_that_nobody_takes_holds_the_broker_back_and_loses_nothing() {
    let broker = EmbeddedBroker::start();
    // Its output is not read, so the test cannot see when it has subscribed; its session exists already.
    broker.mq("sub -t a -q 1 -i watcher -c -E").run().succeed();
    let options = "-i watcher -c -t a -q 1 -C 40000 --filter type=PUBLISH";
    let mut client = broker.mq(&format!("inspect {options}")).holding_stdout().spawn();
    client.wait_for_stderr("no fields");
    let line = "0123456789".repeat(100) + "\n";
    let mut publisher = broker.mq("pub -t a -q 1 -l").stdin(line.repeat(40_000)).spawn();
    client.read_stdout();
    let finished = client.finish();
    finished.expect_status(0);
    assert!(!finished.stderr.contains("not shown"), "{}", finished.stderr);
    assert_eq!(String::from_utf8_lossy(&finished.stdout).lines().count(), 40_000);
    publisher.wait_for_end();
}

#[test]
fn it_goes_with_no_capture_and_no_proxy() {
    for (options, parts) in [
        ("-h localhost --hex 00", "--hex"),
        ("-h localhost capture.pcap", "capture.pcap"),
        ("-C 1", "missing -t"),
        ("-W 1 capture.pcap", "-W needs a client"),
        ("-t a -P x", "without -u"),
    ] {
        assert_says(&mq("inspect").words(options).run().fail(2), &[parts]);
    }
}
