//! Connections that break, brokers and bridges that end: what arrives at the other broker.
//!
//! `benches/bridge-faults.sh` does the same with 50,000 messages, beside mosquitto's own bridge.

use super::super::support::fault_proxy::FaultProxy;
use super::super::support::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The messages of a run.
const MESSAGES: usize = 3000;

/// The maximum of messages that a broker sends to the bridge without an acknowledgement.
const WINDOW: usize = 15;

/// What happens when some of the messages have arrived.
#[derive(Debug, Clone, Copy)]
enum Fault {
    CutSource,
    CutTarget,
    StallTarget,
    RefuseTarget,
    RestartSource,
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
    collector: Running,
    words: String,
    qos: u8,
}

impl Setup {
    /// `None`, and a word about it, if mosquitto is not installed.
    fn start(qos: u8, version: &str) -> Option<Setup> {
        let persistent = "persistence true\npersistence_location {directory}/";
        let (source, target) = (Mosquitto::start_with(persistent)?, Mosquitto::start_with(persistent)?);
        let (to_source, to_target) =
            (FaultProxy::start(source.address()), FaultProxy::start(target.address()));
        let words = format!(
            "--from mqtt://{}?version={version} --to mqtt://{}?version={version} --name b --ack-timeout 1s",
            to_source.address(),
            to_target.address()
        );
        let collector = target.subscriber(&format!("-t m/# -q {qos} -i collector -c -V 5 -F %p"));
        let bridge = spawn_bridge(&words, qos);
        let mut setup = Setup { source, target, to_source, to_target, bridge, collector, words, qos };
        setup.wait_for_bridge();
        Some(setup)
    }

    fn wait_for_bridge(&mut self) {
        self.bridge.wait_for_stderr("connected");
        self.bridge.wait_for_stderr("connected");
    }

    fn publish(&self, messages: usize) {
        let lines: String = (0..messages).map(|number| format!("{number}\n")).collect();
        let options = format!("pub -l -t m/x -q {} -i publisher -V 5", self.qos);
        self.source.mq(&options).stdin(lines).run().succeed();
    }

    fn cause(&mut self, fault: Fault) {
        match fault {
            Fault::CutSource => self.to_source.cut(),
            Fault::CutTarget => self.to_target.cut(),
            Fault::StallTarget => {
                self.to_target.stall();
                self.bridge.wait_for_stderr("did not acknowledge");
                self.to_target.pass();
            }
            Fault::RefuseTarget => {
                self.to_target.refuse();
                self.bridge.wait_for_stderr("remote broker: ");
                self.to_target.pass();
            }
            Fault::RestartSource => {
                self.source.stop();
                self.source.restart();
            }
            Fault::RestartTarget => {
                self.target.stop();
                self.target.restart();
            }
            Fault::KillBridge => {
                self.bridge.kill();
                self.bridge = spawn_bridge(&self.words, self.qos);
            }
            Fault::KillBridgeWhileTargetStalls => {
                self.to_target.stall();
                self.bridge.kill();
                self.bridge = spawn_bridge(&self.words, self.qos);
                self.to_target.pass();
            }
        }
    }

    /// How often each message has arrived.
    fn counts(&self) -> BTreeMap<usize, usize> {
        let output = String::from_utf8(self.collector.stdout_so_far()).unwrap();
        let mut counts = BTreeMap::new();
        let complete = output.rsplit_once('\n').map_or("", |(lines, _)| lines);
        for number in complete.lines().filter_map(|line| line.parse().ok()) {
            *counts.entry(number).or_default() += 1;
        }
        counts
    }

    fn wait_for_messages(&mut self, count: usize) -> BTreeMap<usize, usize> {
        let deadline = Instant::now() + 4 * DEADLINE;
        loop {
            let counts = self.counts();
            if counts.len() >= count {
                return counts;
            }
            assert!(Instant::now() < deadline, "{} of {count} messages arrived", counts.len());
            std::thread::sleep(Duration::from_millis(5)); // the output has no other condition to wait for
        }
    }

    /// Publishes until a message arrives after all faults, and gives all that arrived before.
    fn run(mut self, fault: Fault) -> BTreeMap<usize, usize> {
        self.publish(MESSAGES);
        let mut last = BTreeMap::new();
        for part in 1..=3 {
            last = self.wait_for_messages(MESSAGES * part / 5);
            self.cause(fault);
        }
        drop(last);
        self.wait_for_messages(MESSAGES)
    }
}

fn spawn_bridge(words: &str, qos: u8) -> Running {
    mq("bridge").words(words).arg(format!("m/# out {qos}")).spawn()
}

/// All messages arrive exactly once.
#[track_caller]
fn assert_exactly_once(fault: Fault, version: &str) {
    let Some(setup) = Setup::start(2, version) else { return };
    let counts = setup.run(fault);
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubled.is_empty(), "{fault:?} over {version}: {doubled:?}");
}

/// All messages arrive, and few of them twice.
#[track_caller]
fn assert_at_least_once(fault: Fault, version: &str) {
    let Some(setup) = Setup::start(1, version) else { return };
    let counts = setup.run(fault);
    let doubled: usize = counts.values().map(|count| count - 1).sum();
    // Three faults; a window for each connection that one of them breaks.
    assert!(doubled <= 3 * 2 * 20.max(WINDOW), "{fault:?} over {version}: {doubled} doubled");
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
                assert_exactly_once(Fault::$fault, "3.1.1");
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
    after_restarts_of_the_source: RestartSource;
    after_restarts_of_the_target: RestartTarget;
    after_kills_of_the_bridge: KillBridge;
    after_kills_of_the_bridge_while_the_target_stalls: KillBridgeWhileTargetStalls;
}

#[test]
fn qos_0_waits_while_the_target_is_away_and_is_never_doubled() {
    let Some(mut setup) = Setup::start(0, "5") else { return };
    setup.to_target.refuse();
    setup.bridge.wait_for_stderr("remote broker: ");
    setup.publish(MESSAGES);
    setup.to_target.pass();
    let counts = setup.wait_for_messages(MESSAGES);
    assert!(counts.values().all(|count| *count == 1));
}
