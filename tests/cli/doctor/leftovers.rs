//! What `mq doctor` leaves on a broker: nothing, or a warning that is true.

use super::*;
use std::sync::mpsc;

#[test]
fn nothing_is_left_behind() {
    on_each_broker(|broker| {
        examine(broker, "-t plant/doctor");
        broker.mq("pub -t plant/doctor/kept -m x -r -q 1").run().succeed();
        let kept = broker.mq("sub -t # --retained-only -v").run().succeed();
        assert_eq!(kept, "plant/doctor/kept x\n");
    });
}

#[test]
fn a_signal_leaves_no_retained_message() {
    let (tell, told) = mpsc::channel();
    let peer = ScriptedPeer::accepting(move |client| {
        let mut kept = 0;
        let said_goodbye = converse(client, |packet| match packet[0] {
            0x82 => suback(packet, "90 (0000 80)"),
            0x33 => {
                kept += 1;
                // The first is not acknowledged, so that the client waits.
                if kept == 1 {
                    tell.send(()).unwrap();
                    return Some(Vec::new());
                }
                assert_eq!(packet.len(), 4 + usize::from(packet[3]) + 2, "no payload: {packet:02x?}");
                acknowledgement(packet, &[])
            }
            0x62 => Some(vec![0x70, 2, packet[2], packet[3]]),
            0xc0 => Some(vec![0xd0, 0]),
            _ => acknowledgement(packet, &[]),
        });
        assert!(said_goodbye && kept == 2, "{kept} retained messages");
    });
    let running = peer.mq("doctor -V 311 --check-timeout 60").spawn();
    told.recv_timeout(DEADLINE).unwrap();
    running.signal("INT");
    let finished = running.finish();
    peer.finish();
    finished.expect_status(130);
    assert!(!finished.stderr.contains("retained"), "{}", finished.stderr);
}

#[test]
fn possible_leftovers_are_reported() {
    let peer = ScriptedPeer::accepting(|client| {
        converse(client, |packet| match packet[0] {
            0x82 => suback(packet, "90 (0000 00)"),
            0x33 if packet.len() > 6 + usize::from(packet[3]) => acknowledgement(packet, &[]),
            0x33 => Some(Vec::new()),
            0x62 => Some(vec![0x70, 2, packet[2], packet[3]]),
            0xc0 => Some(vec![0xd0, 0]),
            _ => acknowledgement(packet, &[]),
        });
    });
    let finished = peer.mq("doctor -V 311 --check-timeout 0.2").run();
    peer.finish();
    assert_says(&finished.stderr, &["a retained message may be left on mq-doctor/", "deletes it"]);
    finished.succeed();
}

/// A broker of 3.1.1 that hands messages back, and ends the connection at each one that is to be retained. `answer` is its answer to
/// a subscription to the topic of those.
fn closing_at_retained(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut connections = 0;
        let mut said_goodbye = false;
        while !said_goodbye {
            connections += 1;
            said_goodbye = converse(&mut peer.accept_v311(), |packet| match packet[0] {
                0x82 if packet.ends_with(b"/retained/level\0") => Some(answer(packet)),
                0x82 => suback(packet, "90 (0000 00)"),
                0x62 => Some(vec![0x70, 2, packet[2], packet[3]]),
                0xc0 => Some(vec![0xd0, 0]),
                0x31 | 0x33 => None,
                _ => acknowledgement(packet, &[]).map(|ack| [ack, handed_back(packet)].concat()),
            });
        }
        assert_eq!(connections, 3, "the message, its deletion, and a look at what is there");
    })
}

/// A message as a subscription of QoS 0 gets it.
fn handed_back(publish: &[u8]) -> Vec<u8> {
    let (topic, payload) = topic_and_payload(publish);
    message(0x30, topic, payload)
}

/// What it says when the broker answers a subscription to the retained message so.
fn said_of_leftovers(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> String {
    let peer = closing_at_retained(answer);
    let finished = peer.mq("doctor -V 311 --check-timeout 0.2").run();
    peer.finish();
    let stderr = finished.stderr.clone();
    finished.succeed();
    stderr
}

#[test]
fn a_message_that_was_not_kept_is_not_warned_of() {
    assert_eq!(said_of_leftovers(|packet| suback(packet, "90 (0000 00)").unwrap()), "");

    let Some(broker) = Mosquitto::start_with("retain_available false") else { return };
    let finished = broker.mq("doctor --json").run();
    assert_eq!(finished.stderr, "");
    let report: Value = serde_json::from_str(&finished.succeed()).unwrap();
    assert_eq!(verdict(&report, "retained"), "no");
    let finished = broker.mq("doctor --json -V 311 --check-timeout 1").run();
    assert_eq!(finished.stderr, "");
    let report: Value = serde_json::from_str(&finished.succeed()).unwrap();
    assert_eq!(verdict(&report, "retained"), "no");
}

#[test]
fn a_message_that_was_kept_is_reported() {
    let stderr = said_of_leftovers(|packet| {
        let topic = &packet[4..packet.len() - 1];
        let random = String::from_utf8_lossy(topic).split('/').nth(1).unwrap().to_owned();
        let payload = format!("mq doctor {random} retained/level");
        [suback(packet, "90 (0000 00)").unwrap(), message(0x31, topic, payload.as_bytes())].concat()
    });
    assert_says(&stderr, &["a retained message is left on mq-doctor/", "deletes it"]);
}

#[test]
fn unreadable_topics_count_as_possible_leftovers() {
    let stderr = said_of_leftovers(|packet| suback(packet, "90 (0000 80)").unwrap());
    assert_says(&stderr, &["a retained message may be left on mq-doctor/"]);
}

#[test]
fn a_message_that_was_never_sent_is_not_warned_of() {
    let peer = ScriptedPeer::accepting(|client| assert!(converse(client, |_| Some(Vec::new()))));
    let finished = peer.mq("doctor -V 311 --check-timeout 0.2").run();
    peer.finish();
    assert_eq!(finished.stderr, "");
    finished.succeed();
}
