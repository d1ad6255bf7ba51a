//! Brokers that do what they should not: the run ends by itself, and says what happened.

use super::*;

#[test]
fn a_broker_that_refuses_some_is_reported_with_the_reason() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept_v311();
        let mut refused = peer.accept();
        refused.expect_type(0x10);
        refused.send("20 (00 03)");
        wire.expect_type(0xe0);
    });
    let finished = peer.mq("bench conn -c 2 --hold 0.2").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["1 of 2 clients", "1 x the broker refused the connection"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn a_broker_that_acknowledges_nothing_is_given_up() {
    let peer = ScriptedPeer::accepting(|wire| drop(wire.expect_end()));
    let finished = peer.mq("bench pub -c 1 --messages 50 --timeout 0.5").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["stopped reading or acknowledging messages", "20 never acknowledged"]);
    assert_says(&finished.fail(1), &["the broker stopped answering"]);
    peer.finish();
}

#[test]
fn a_broker_that_answers_no_subscribe_is_given_up() {
    let peer = ScriptedPeer::accepting(|wire| drop(wire.expect_end()));
    let finished = peer.mq("bench sub -c 1 -t a --timeout 0.5").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["did not answer every SUBSCRIBE"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn a_broker_that_drops_half_of_its_clients_is_reported_in_numbers() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wires: Vec<_> = (0..4).map(|_| peer.accept_v311()).collect();
        wires.truncate(2);
        wires.iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let finished = peer.mq("bench conn -c 4 --hold 1").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["4 of 4 clients", "2 clients lost the connection"]);
    assert_says(&finished.fail(7), &["2 of 4 clients lost the connection: the broker closed the connection"]);
    peer.finish();
}

#[test]
fn garbage_is_no_answer() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        wire.expect_type(0x10);
        wire.send("00 ff ff ff ff ff ff");
        wire.expect_end();
    });
    let finished = peer.mq("bench conn -c 1 --hold 0.2").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["0 of 1 clients", "connecting        1 x"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn garbage_in_the_middle_ends_that_client() {
    let peer = ScriptedPeer::accepting(|wire| {
        wire.expect_and_acknowledge();
        wire.send("00 00");
        wire.expect_end();
    });
    let finished = peer.mq("bench pub -c 1 --messages 50 --timeout 5").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["running           1 x"]);
    finished.fail(7);
    peer.finish();
}

#[test]
fn messages_lost_at_qos_0_are_not_waited_for() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 00)", subscribe[2], subscribe[3]));
        (0..10).for_each(|_| drop(publisher.expect_publish()));
        publisher.expect("c0 00");
        publisher.send("d0 00");
        subscriber.expect_type(0xe0);
    });
    let finished = peer.mq("bench -c 1 --threads 1 -q 0 --messages 10 --timeout 600").run();
    let report = finished.succeed();
    assert_says(&report, &["10 lost", "QoS 0 allows losses"]);
    peer.finish();
}

#[test]
fn messages_in_flight_at_an_interruption_are_not_called_lost() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        (0..3).for_each(|_| drop(publisher.expect_and_acknowledge()));
        subscriber.expect_type(0xe0);
    });
    let metrics = free_address();
    let words = format!("bench -c 1 --threads 1 --messages 3 --timeout 600 --metrics {metrics}");
    let mut bench = peer.mq(&words).spawn();
    bench.wait_for_stderr("1 client publishes");
    wait_for_step(metrics, "drain");
    bench.signal("INT");
    let finished = bench.finish();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["3 missing when the wait for them was interrupted, of 3"]);
    finished.expect_status(130);
    peer.finish();
}

#[test]
fn a_broker_that_dies_ends_every_scenario() {
    for scenario in ["rr --duration 60", "pubsub --rate 500 --duration 60", "reconnect --duration 60"] {
        let mut broker = EmbeddedBroker::start();
        let witness = broker.subscriber("-t # -N -C 5");
        let bench = broker.mq(&format!("bench {scenario} -c 5 --timeout 2")).spawn();
        witness.finish().expect_status(0);
        broker.kill();
        let finished = bench.finish();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert!(!report.contains(ALL_ARRIVED), "{scenario}: {report}");
        finished.fail(7);
    }
}

#[test]
fn a_lower_granted_qos_is_measured_and_reported() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        assert_eq!(subscribe.last(), Some(&2), "QoS 2 is asked for");
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        for _ in 0..5 {
            let publish = publisher.expect_type(0x32);
            let at = 4 + usize::from(publish[3]);
            publisher.send(&format!("40 ({:02x} {:02x})", publish[at], publish[at + 1]));
            subscriber.send_bytes(&publish);
        }
        subscriber.expect_type(0x40);
        subscriber.expect_end();
    });
    let finished = peer.mq("bench -c 1 --threads 1 -q 2 --messages 5 --timeout 30").run();
    let words = "granted QoS 1 instead of QoS 2";
    assert_says(&finished.stderr, &[words, "measured at QoS 1"]);
    let report = finished.succeed();
    assert_says(&report, &[words, "PUBLISH to PUBACK", "all 5 messages arrived"]);
    assert!(!has_loss(&report), "{report}");
    peer.finish();
}

#[test]
fn a_broker_that_grants_no_qos_2_is_measured_in_every_form() {
    let Some(broker) = Mosquitto::start_with("max_qos 1") else { return };
    let finished = broker.mq("bench -V 5 -c 4 -q 2 --messages 80 --processes 2 --output json").run();
    let report: serde_json::Value = serde_json::from_str(&finished.succeed()).unwrap();
    assert_eq!(report["groups"][0]["qos"], 2);
    assert_eq!(report["groups"][0]["granted_qos"], 1);
    assert_eq!(report["messages"]["acknowledged"]["count"], 80);
    assert_eq!(report["deliveries"]["lost"], 0);
    let finished = broker.mq("bench pub -V 5 -c 4 -q 2 --messages 80").run();
    assert_says(&finished.succeed(), &["granted QoS 1 instead of QoS 2", "PUBLISH to PUBACK"]);
}

#[test]
fn rejected_subscriptions_are_no_lost_connections() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 80)", subscribe[2], subscribe[3]));
        subscriber.expect_end();
    });
    let finished = peer.mq("bench sub -c 1 -t a --timeout 30").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["rejected a subscription", "no client could continue"]);
    assert!(!has_loss(&report), "{report}");
    assert_says(&finished.fail(3), &["1 subscription was rejected"]);
    peer.finish();
}

#[test]
fn a_broker_that_does_not_share_is_told_so() {
    let peer = ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        (0..5).for_each(|_| drop(publisher.expect_and_acknowledge()));
        subscriber.expect_type(0xe0);
    });
    let words = "bench -c 1 --threads 1 --share workers --messages 5 --timeout 0.5";
    let finished = peer.mq(words).run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["$share/workers was granted", "5 lost, of 5"]);
    let stderr = finished.fail(1);
    assert_says(&stderr, &["seems not to share subscriptions"]);
    assert!(!stderr.contains("guarantee of QoS 1"), "{stderr}");
    peer.finish();
}

#[test]
fn a_slow_handshake_of_qos_2_is_movement() {
    let peer = ScriptedPeer::accepting(|wire| {
        let publishes: Vec<_> = (0..8).map(|_| wire.expect_publish()).collect();
        // Each PUBREC comes well within the timeout after the one before, but the first PUBCOMP only after 1.2 s.
        for publish in &publishes {
            let id = packet_id(publish);
            std::thread::sleep(std::time::Duration::from_millis(150)); // the slowness
            wire.send(&format!("50 ({id})"));
            wire.expect_type(0x60);
        }
        publishes.iter().for_each(|publish| wire.send(&format!("70 ({})", packet_id(publish))));
        wire.expect_type(0xe0);
    });
    let finished = peer.mq("bench pub -c 1 -q 2 --messages 8 --timeout 1").run();
    assert_eq!(numbers_of(&finished.succeed(), "acknowledged"), [8]);
    peer.finish();
}

/// The packet identifier, in hexadecimal.
fn packet_id(publish: &wire::Message) -> String {
    let [high, low] = publish.packet_id.expect("a message of QoS 2");
    format!("{high:02x} {low:02x}")
}

#[test]
fn messages_that_a_kept_session_misses_are_lost() {
    let peer = ScriptedPeer::start(|peer| {
        for has_session in [0, 1] {
            // The clients may connect in either order.
            let mut wires = [peer.accept(), peer.accept()];
            let connects = wires.each_mut().map(Wire::packet);
            if !connects[0].windows(2).any(|bytes| bytes == b"-s") {
                wires.reverse();
            }
            let [mut one, mut other] = wires;
            one.send(&format!("20 ({has_session:02x} 00)"));
            other.send("20 (00 00)");
            if has_session == 0 {
                let subscribe = one.packet();
                one.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
            }
            // Until the connection ends, or a DISCONNECT says so.
            loop {
                let packet = other.packet();
                if packet.first() != Some(&0x32) {
                    break;
                }
                let at = 4 + usize::from(packet[3]);
                other.send(&format!("40 ({:02x} {:02x})", packet[at], packet[at + 1]));
            }
        }
    });
    let words = "bench reconnect -c 1 --threads 1 --rate 40 --duration 1 --keep-sessions --timeout 1";
    let finished = peer.mq(words).run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(!report.contains("not counted below"), "{report}");
    assert_says(&finished.fail(1), &["violated the guarantee of QoS 1"]);
    peer.finish();
}

#[test]
fn messages_without_matching_subscribers_are_successes_counted_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    for (qos, file) in [(1, "one.json"), (2, "two.json")] {
        let peer = ScriptedPeer::accepting_v5("", move |wire| {
            for number in 0..3 {
                let id = packet_id(&wire.expect_publish());
                let reason = if number < 2 { "10" } else { "00" };
                if qos == 1 {
                    wire.send(&format!("40 ({id} {reason})"));
                } else {
                    wire.send(&format!("50 ({id} {reason})"));
                    wire.expect_type(0x60);
                    wire.send(&format!("70 ({id})"));
                }
            }
            wire.expect_type(0xe0);
        });
        let words =
            format!("bench pub -V 5 -c 1 -q {qos} --inflight 1 --messages 3 --fail-if unmatched>2 --json");
        let report = peer.mq(&words).arg(path(file)).run().succeed();
        assert_eq!(numbers_of(&report, "acknowledged"), [3], "{report}");
        assert_says(&report, &["2 messages acknowledged with \"no matching subscribers\" (0x10)"]);
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path(file)).unwrap()).unwrap();
        assert_eq!((&json["messages"]["unmatched"], &json["messages"]["denied"]), (&2.into(), &0.into()));
        peer.finish();
    }
}

#[test]
fn messages_without_matching_subscribers_are_counted_by_group_and_over_time() {
    let Some(broker) = Mosquitto::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let group = |name: &str, scenario: &str| {
        format!("[[group]]\nname = \"{name}\"\nscenario = \"{scenario}\"\nclients = 1\nmessages = 20\n")
    };
    let scenario = group("alone", "pub") + "fail_if = \"unmatched>20\"\n" + &group("heard", "pubsub");
    std::fs::write(path("run.toml"), scenario).unwrap();
    let words = format!("bench scenario -V 5 {} --json {} --csv", path("run.toml"), path("run.json"));
    let report = broker.mq(&words).arg(path("run.csv")).run().succeed();
    let text = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&text, &["20 messages acknowledged with \"no matching subscribers\" (0x10): 20 in alone"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path("run.json")).unwrap()).unwrap();
    let of_group = |group: usize| &json["groups"][group]["measured"]["unmatched"];
    assert_eq!((of_group(0), of_group(1)), (&20.into(), &0.into()));
    let slots = json["timeline"]["slots"].as_array().unwrap();
    assert_eq!(slots.iter().filter_map(|slot| slot["unmatched"].as_u64()).sum::<u64>(), 20);
    let csv = std::fs::read_to_string(path("run.csv")).unwrap();
    let last = |line: &str| line.rsplit(',').next().unwrap().to_owned();
    let mut lines = csv.lines().map(last);
    assert_eq!(lines.next().unwrap(), "unmatched", "{csv}");
    assert_eq!(lines.map(|count| count.parse::<u64>().unwrap()).sum::<u64>(), 20, "{csv}");
    let compared = mq(&format!("bench compare {0} {0} --output json", path("run.json"))).run().succeed();
    assert_says(&compared, &["unmatched"]);
}
