//! Connections that break, brokers and bridges that end: what arrives at the other broker.
//!
//! With `MQ_BRIDGE_MESSAGES=50000` there are more messages and faults.

use super::super::support::fault_proxy::FaultProxy;
use super::super::support::wire::Message;
use super::super::support::*;
use super::{between, wait_until_connected};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The messages that are published at a time.
const CHUNK: usize = 200;

/// The faults of a long run; a run of few messages has one before every fifth chunk.
const MAX_FAULTS: usize = 20;

/// The number of messages in a run.
fn messages() -> usize {
    std::env::var("MQ_BRIDGE_MESSAGES")
        .map_or(3000, |text| text.parse().expect("MQ_BRIDGE_MESSAGES is a number"))
}

/// The chunks from one fault to the next.
fn chunks_per_fault() -> usize {
    (messages() / CHUNK / MAX_FAULTS).max(5)
}

/// The options of the client that receives the messages at last. Its session is kept.
const COLLECTOR: &str = "-t m/# -i collector -c -V 5 -F %p";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    CutSource,
    CutTarget,
    StallTarget,
    RefuseTarget,
    RestartTarget,
    KillBridge,
    KillBridgeWhileTargetStalls,
}

/// Two brokers with a proxy in front of each, and a bridge between the proxies.
struct Setup {
    source: Mosquitto,
    target: Mosquitto,
    to_source: FaultProxy,
    to_target: FaultProxy,
    bridge: Running,
    words: String,
    version: &'static str,
    qos: u8,
}

impl Setup {
    /// `None`, and a word about it, if mosquitto is not installed.
    fn start(qos: u8, version: &'static str) -> Option<Setup> {
        let persistent = "persistence true\npersistence_location {directory}/";
        let (source, target) = (Mosquitto::start_with(persistent)?, Mosquitto::start_with(persistent)?);
        let (to_source, to_target) =
            (FaultProxy::start(source.address()), FaultProxy::start(target.address()));
        let words = format!(
            "--from mqtt://{} --to mqtt://{} --name b --ack-timeout 1s",
            to_source.address(),
            to_target.address()
        );
        target.mq(&format!("sub -E -q {qos} {COLLECTOR}")).run().succeed();
        let start_bridge = || {
            let mut bridge = spawn_bridge(&words, version, qos);
            wait_until_connected(&mut bridge);
            bridge
        };
        // The first run subscribes, so that no message comes too early for the second.
        let first = start_bridge();
        first.signal("TERM");
        first.finish().succeed();
        let bridge = start_bridge();
        Some(Setup { source, target, to_source, to_target, bridge, words, version, qos })
    }

    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::CutSource => self.to_source.cut(),
            Fault::CutTarget => self.to_target.cut(),
            Fault::StallTarget | Fault::KillBridgeWhileTargetStalls => self.to_target.stall(),
            Fault::RefuseTarget => self.to_target.refuse(),
            Fault::RestartTarget => restart(&mut self.target),
            Fault::KillBridge => self.restart_bridge(),
        }
    }

    /// Ends a fault after the next messages.
    fn end(&mut self, fault: Fault) {
        match fault {
            Fault::StallTarget | Fault::RefuseTarget => {
                let is_stalled = fault == Fault::StallTarget;
                self.bridge.wait_for_stderr(if is_stalled {
                    "did not acknowledge"
                } else {
                    "remote broker: "
                });
                self.to_target.pass();
                self.bridge.wait_for_stderr("connected to the remote broker");
            }
            Fault::KillBridgeWhileTargetStalls => {
                self.restart_bridge();
                self.to_target.pass();
            }
            Fault::CutSource | Fault::CutTarget | Fault::RestartTarget | Fault::KillBridge => {}
        }
    }

    fn restart_bridge(&mut self) {
        self.bridge.kill();
        self.bridge = spawn_bridge(&self.words, self.version, self.qos);
    }

    /// Publishes with a fault now and then. Returns how often each message has arrived.
    fn run(mut self, fault: Fault) -> BTreeMap<usize, usize> {
        let mut publisher =
            self.source.mq(&format!("pub -l -t m/x -q {} -V 5", self.qos)).open_stdin().spawn();
        for chunk in 0..messages() / CHUNK {
            let is_faulty = chunk % chunks_per_fault() == chunks_per_fault() - 1;
            if is_faulty {
                self.begin(fault);
            }
            publisher.write(
                (chunk * CHUNK..(chunk + 1) * CHUNK).map(|number| format!("{number}\n")).collect::<String>(),
            );
            if is_faulty {
                self.end(fault);
            }
        }
        publisher.finish().succeed();
        self.collect()
    }

    /// Waits for all messages, and counts them.
    fn collect(self) -> BTreeMap<usize, usize> {
        let mut collector = self.target.mq(&format!("sub -q {} {COLLECTOR}", self.qos)).spawn();
        let deadline = Instant::now() + DEADLINE;
        while counts(&collector).len() < messages() {
            if Instant::now() > deadline {
                self.bridge.signal("TERM");
                let (arrived, bridge) = (counts(&collector).len(), self.bridge.finish().stderr);
                panic!("{arrived} messages arrived\n{bridge}");
            }
            std::thread::sleep(Duration::from_millis(5)); // the output has no other condition to wait for
        }
        self.bridge.signal("TERM");
        self.bridge.finish().succeed();
        self.target.mq(&format!("pub -t m/x -m end -q {}", self.qos)).run().succeed();
        collector.wait_for_stdout("end");
        counts(&collector)
    }
}

/// How often each message has arrived.
fn counts(collector: &Running) -> BTreeMap<usize, usize> {
    let output = String::from_utf8(collector.stdout_so_far()).unwrap();
    let mut counts = BTreeMap::new();
    let complete = output.rsplit_once('\n').map_or("", |(lines, _)| lines);
    for number in complete.lines().filter_map(|line| line.parse().ok()) {
        *counts.entry(number).or_default() += 1;
    }
    counts
}

/// Restarts a broker with the data that it saved, and waits until it serves clients: mosquitto ignores signals before that.
fn restart(broker: &mut Mosquitto) {
    broker.stop();
    broker.restart();
    Wire::v311(broker, "probe");
}

fn spawn_bridge(words: &str, version: &str, qos: u8) -> Running {
    let program = mq("bridge").words(words).arg(format!("m/# out {qos}"));
    program.env("MQ_FROM_PROTOCOL_VERSION", version).env("MQ_TO_PROTOCOL_VERSION", version).spawn()
}

/// All messages arrive exactly once.
#[track_caller]
fn assert_exactly_once(fault: Fault, version: &'static str) {
    let Some(setup) = Setup::start(2, version) else { return };
    let counts = setup.run(fault);
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubled.is_empty(), "{fault:?} over {version}: {doubled:?}");
}

/// All messages arrive, and few of them twice: those that were in flight at a fault. Those are at most mosquitto's receive maximum while the
/// brokers keep up; mosquitto 2.0.11 exceeds it in a session that was resumed, so a long run, with its backlog, tells the number only.
#[track_caller]
#[allow(clippy::print_stdout)] // the result of a long run
fn assert_at_least_once(fault: Fault, version: &'static str) {
    let Some(setup) = Setup::start(1, version) else { return };
    let counts = setup.run(fault);
    let doubled: usize = counts.values().map(|count| count - 1).sum();
    let faults = messages() / CHUNK / chunks_per_fault();
    println!("{fault:?} over {version}: {doubled} doubled after {faults} faults");
    assert!(doubled <= faults * 20 || faults > 3, "{fault:?} over {version}: {doubled} doubled");
}

macro_rules! matrix {
    ($($name:ident: $fault:ident;)+) => {
        mod qos_2_arrives_exactly_once {
            use super::*;
            $(#[test]
            fn $name() {
                assert_exactly_once(Fault::$fault, "5");
            })+
        }

        mod qos_2_of_mqtt_3_1_1_arrives_exactly_once {
            use super::*;
            $(#[test]
            fn $name() {
                assert_exactly_once(Fault::$fault, "311");
            })+
        }

        mod qos_1_arrives {
            use super::*;
            $(#[test]
            fn $name() {
                assert_at_least_once(Fault::$fault, "5");
            })+
        }
    };
}

matrix! {
    after_cuts_at_the_source: CutSource;
    after_cuts_at_the_target: CutTarget;
    after_the_target_stalled: StallTarget;
    after_the_target_refused: RefuseTarget;
    after_restarts_of_the_target: RestartTarget;
    after_kills_of_the_bridge: KillBridge;
    after_kills_of_the_bridge_while_the_target_stalls: KillBridgeWhileTargetStalls;
}

#[test]
fn qos_0_waits_while_the_target_is_away_and_is_never_doubled() {
    let Some(mut setup) = Setup::start(0, "5") else { return };
    // Its session would not queue messages of QoS 0.
    let mut collector = setup.target.subscriber("-t m/# -F %p");
    setup.begin(Fault::RefuseTarget);
    setup.bridge.wait_for_stderr("remote broker: ");
    let lines: String = (0..messages()).map(|number| format!("{number}\n")).collect();
    setup.source.mq("pub -l -t m/x").stdin(lines + "end\n").run().succeed();
    setup.to_target.pass();
    collector.wait_for_stdout("end");
    let counts = counts(&collector);
    assert_eq!(counts.len(), messages());
    assert!(counts.values().all(|count| *count == 1));
}

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
        wire.expect_type(0xa2);
        wire.send("b0 (ffff () 00)");
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
        complete(&mut wire, &second);
        assert_eq!(wire.expect_publish().packet_id, first.packet_id);
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
