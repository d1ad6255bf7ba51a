//! Brokers that answer byte for byte, where the order of the packets decides what the bridge may do.

use super::super::between;
use crate::support::wire::Message;
use crate::support::*;

/// A broker of MQTT 5 completes a message of QoS 2.
fn complete(wire: &mut Wire, message: &Message) {
    let [high, low] = message.packet_id.expect("a message of QoS 2");
    wire.send_bytes(&[0x50, 2, high, low]);
    wire.expect_ack(0x62, u16::from_be_bytes([high, low]));
    wire.send_bytes(&[0x70, 2, high, low]);
}

#[test]
fn a_message_beyond_the_quota_of_the_target_is_sent_again_and_old_identifiers_are_released() {
    let source = EmbeddedBroker::start();
    source.mq("pub -t m/a -m a -q 2 -r").run().succeed();
    source.mq("pub -t m/b -m b -q 2 -r").run().succeed();
    let (is_done, done) = std::sync::mpsc::channel();
    let target = ScriptedPeer::accepting_v5("", move |wire| {
        let (first, second) = (wire.expect_publish(), wire.expect_publish());
        complete(wire, &first);
        let [high, low] = second.packet_id.unwrap();
        wire.send_bytes(&[0x50, 3, high, low, 0x97]);
        // A broker that was restored from an older state counts what is complete here against its quota.
        let completed = u16::from_be_bytes(first.packet_id.unwrap());
        wire.expect_ack(0x62, completed);
        wire.send(&format!("70 ({completed:04x} 92)"));
        let again = wire.expect_publish();
        assert_eq!((again.first_byte & 0x0e, &again.payload), (0x04, &second.payload));
        complete(wire, &again);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
    done.recv_timeout(DEADLINE).expect("the messages arrive");
    bridge.signal("TERM");
    let finished = bridge.finish();
    finished.expect_status(0);
    assert_says(
        &finished.stderr,
        &["the remote broker refuses messages for now: quota exceeded (0x97)", "forwarded 2"],
    );
    target.finish();
}

#[test]
fn old_subscriptions_are_ended_in_a_session_that_exists_and_not_in_a_new_one() {
    let source = EmbeddedBroker::start();
    for is_resumed in [true, false] {
        let (is_done, done) = std::sync::mpsc::channel();
        let target = ScriptedPeer::start(move |peer| {
            // With a session, UNSUBSCRIBE is the first packet.
            let mut wire = if is_resumed { accept_with_session(peer) } else { peer.accept_v5("") };
            is_done.send(()).unwrap();
            let rest = wire.expect_end();
            assert_eq!(rest.first(), Some(&0xe0), "DISCONNECT is all: {rest:02x?}");
        });
        let mut bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
        done.recv_timeout(DEADLINE).expect("the bridge connects");
        bridge.wait_for_stderr("connected to the remote broker");
        bridge.signal("TERM");
        bridge.finish().expect_status(0);
        target.finish();
    }
}

#[test]
fn a_broker_that_does_not_answer_subscribe_is_connected_again() {
    let source = EmbeddedBroker::start();
    let target = ScriptedPeer::accepting_v5("", |wire| {
        wire.expect_type(0x82);
        // SUBACK does not follow.
        wire.expect_end();
    });
    let mut bridge =
        between(&source, &target, "--ack-timeout 1s --notifications none", &["m/# in 1"]).spawn();
    bridge.wait_for_stderr("the remote broker did not acknowledge within 1 s");
    target.finish();
}

/// Accepts a client whose session the broker has kept.
fn accept_with_session(acceptor: &mut peer::Acceptor) -> Wire {
    let mut wire = acceptor.accept();
    wire.speak_v5();
    wire.expect_type(0x10);
    wire.send("20 (01 00 ())");
    wire.expect_type(0xa2);
    wire.send("b0 (ffff () 00)");
    wire
}

#[test]
fn a_bridge_that_was_restarted_releases_all_old_identifiers_after_a_second_refusal() {
    let source = EmbeddedBroker::start();
    source.mq("pub -t m/a -m a -q 2 -r").run().succeed();
    let (is_done, done) = std::sync::mpsc::channel();
    let target = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_with_session(acceptor);
        for _ in 0..2 {
            let message = wire.expect_publish();
            let [high, low] = message.packet_id.unwrap();
            wire.send_bytes(&[0x50, 3, high, low, 0x97]);
        }
        // This run knows no identifiers, so all of an earlier run are released, but those in use.
        for packet_id in 2..=u16::MAX {
            wire.expect_ack(0x62, packet_id);
        }
        let message = wire.expect_publish();
        complete(&mut wire, &message);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
    done.recv_timeout(DEADLINE).expect("the message arrives");
    bridge.signal("TERM");
    bridge.finish().expect_status(0);
    target.finish();
}

#[test]
fn a_message_that_the_target_forgot_before_its_release_is_sent_again() {
    let (is_done, done) = std::sync::mpsc::channel();
    let (is_cut, cut) = std::sync::mpsc::channel();
    let source = ScriptedPeer::accepting_v5("", move |wire| {
        wire.expect_type(0x82);
        wire.send("90 (ffff () 02)");
        wire.send("34 (`m/a` 0007 () 'x')");
        wire.expect_ack(0x50, 7);
        // PUBREL follows when the target has lost its connection.
        cut.recv_timeout(DEADLINE).unwrap();
        wire.send("62 (0007)");
        wire.expect_ack(0x70, 7);
        wire.expect_end();
    });
    let target = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_with_session(acceptor);
        let first = wire.expect_publish();
        wire.send("50 (0007)");
        drop(wire);
        // The broker was restored from an older state.
        let mut wire = acceptor.accept();
        wire.speak_v5();
        wire.expect_type(0x10);
        wire.send("20 (01 00 ())");
        wire.expect_ack(0x62, 7);
        wire.send("70 (0007 92)");
        let again = wire.expect_publish();
        assert_eq!((again.first_byte & 0x0e, &again.payload), (0x04, &first.payload));
        complete(&mut wire, &again);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let mut bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
    bridge.wait_for_stderr("connecting again");
    is_cut.send(()).unwrap();
    done.recv_timeout(DEADLINE).expect("the message arrives again");
    bridge.wait_for_stderr("the remote broker has forgotten messages that it had received");
    bridge.signal("TERM");
    bridge.finish().expect_status(0);
    source.finish();
    target.finish();
}

#[test]
fn a_bridge_that_was_restarted_releases_no_identifiers_that_the_source_still_repeats() {
    let (refused, is_refused) = std::sync::mpsc::channel();
    let source = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_again(acceptor);
        wire.expect_type(0x82);
        wire.send("90 (ffff () 02)");
        wire.send("3c (`m/a` 0007 () 'a')");
        // The bridge asks for the end of the repetitions, of which some are still on their way.
        wire.expect_type(0xc0);
        is_refused.recv_timeout(DEADLINE).unwrap();
        wire.send("3c (`m/a` 0008 () 'b') d0 ()");
        for packet_id in [8, 7] {
            wire.expect_ack(0x50, packet_id);
            wire.send_bytes(&[0x62, 2, 0, packet_id as u8]);
            wire.expect_ack(0x70, packet_id);
        }
        wire.expect_end();
    });
    let (is_done, done) = std::sync::mpsc::channel();
    let target = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_with_session(acceptor);
        for _ in 0..2 {
            wire.expect_publish();
            wire.send("50 (0007 97)");
        }
        let first = wire.expect_publish();
        refused.send(()).unwrap();
        let second = wire.expect_publish();
        wire.send("50 (0007 97)");
        for packet_id in (1..=u16::MAX).filter(|packet_id| ![7, 8].contains(packet_id)) {
            wire.expect_ack(0x62, packet_id);
        }
        // The pause after the refusal may be over by now, so the first message comes again before or after PUBREL of the second.
        let [high, low] = second.packet_id.unwrap();
        wire.send_bytes(&[0x50, 2, high, low]);
        let mut packets = [wire.packet(), wire.packet()];
        packets.sort();
        assert_eq!(packets, [bytes::hex("34 (`m/a` 0007 () 'a')"), vec![0x62, 2, high, low]]);
        wire.send_bytes(&[0x70, 2, high, low]);
        complete(&mut wire, &first);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
    done.recv_timeout(DEADLINE).expect("both messages arrive");
    bridge.signal("TERM");
    bridge.finish().succeed();
    source.finish();
    target.finish();
}

#[test]
fn a_bridge_that_was_restarted_leaves_a_late_answer_to_the_source() {
    let (answered, is_answered) = std::sync::mpsc::channel();
    let source = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_again(acceptor);
        wire.expect_type(0x82);
        wire.send("90 (ffff () 02)");
        is_answered.recv_timeout(DEADLINE).unwrap();
        wire.send("3c (`m/a` 0007 () 'a')");
        wire.expect_ack(0x50, 7);
        wire.send("62 (0007)");
        wire.expect_ack(0x70, 7);
        wire.expect_end();
    });
    let (is_done, done) = std::sync::mpsc::channel();
    let target = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_with_session(acceptor);
        // It took the message from an earlier run, and had no place for it until now.
        wire.send("50 (0007)");
        // PUBREL would complete it, so that the repetition of the source were a new message.
        wire.expect_quiet();
        answered.send(()).unwrap();
        let message = wire.expect_publish();
        complete(&mut wire, &message);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let bridge = between(&source, &target, "--name b --notifications none", &["m/# out 2"]).spawn();
    done.recv_timeout(DEADLINE).expect("the message arrives");
    bridge.signal("TERM");
    bridge.finish().succeed();
    source.finish();
    target.finish();
}

/// Accepts the bridge and its subscription, sends a message of QoS 2, and closes the connection between PUBREC and PUBREL.
fn send_half_a_message(acceptor: &mut peer::Acceptor) {
    let mut wire = acceptor.accept();
    wire.speak_v5();
    wire.expect_type(0x10);
    wire.send("20 (00 00 ())");
    wire.expect_type(0x82);
    wire.send("90 (ffff () 02)");
    wire.send("34 (`m/a` 0007 () 'once')");
    wire.expect_ack(0x50, 7);
}

/// Accepts the bridge with its session.
fn accept_again(acceptor: &mut peer::Acceptor) -> Wire {
    let mut wire = acceptor.accept();
    wire.speak_v5();
    wire.expect_type(0x10);
    wire.send("20 (01 00 ())");
    wire
}

#[test]
fn a_source_that_is_silent_on_a_new_connection_has_forgotten_nothing() {
    let target = EmbeddedBroker::start();
    let subscriber = target.subscriber("-t m/# -q 2 -C 2");
    let source = ScriptedPeer::start(|acceptor| {
        send_half_a_message(acceptor);
        // The bridge asks after its time limit, and gets no answer.
        let mut wire = accept_again(acceptor);
        wire.expect_type(0xc0);
        drop(wire);
        let mut wire = accept_again(acceptor);
        wire.send("3c (`m/a` 0007 () 'once')");
        wire.expect_ack(0x50, 7);
        wire.send("62 (0007)");
        wire.expect_ack(0x70, 7);
        wire.send("34 (`m/a` 0008 () 'end')");
        wire.expect_ack(0x50, 8);
        wire.send("62 (0008)");
        wire.expect_ack(0x70, 8);
        wire.expect_end();
    });
    let options = "--name b --notifications none --ack-timeout 1s";
    let bridge = between(&source, &target, options, &["m/# out 2"]).spawn();
    assert_eq!(subscriber.finish().succeed(), "once\nend\n");
    bridge.signal("TERM");
    bridge.finish().succeed();
    source.finish();
}

#[test]
fn a_source_that_answers_but_repeats_nothing_has_forgotten_the_message() {
    let source = ScriptedPeer::start(|acceptor| {
        send_half_a_message(acceptor);
        let mut wire = accept_again(acceptor);
        wire.expect_type(0xc0);
        wire.send("d0 ()");
        wire.expect_end();
    });
    let (is_done, done) = std::sync::mpsc::channel();
    let target = ScriptedPeer::start(move |acceptor| {
        let mut wire = accept_with_session(acceptor);
        let message = wire.expect_publish();
        // PUBREL follows without the source.
        complete(&mut wire, &message);
        is_done.send(()).unwrap();
        wire.expect_end();
    });
    let options = "--name b --notifications none --ack-timeout 1s";
    let bridge = between(&source, &target, options, &["m/# out 2"]).spawn();
    done.recv_timeout(DEADLINE).expect("the message is completed");
    bridge.signal("TERM");
    bridge.finish().succeed();
    source.finish();
    target.finish();
}
