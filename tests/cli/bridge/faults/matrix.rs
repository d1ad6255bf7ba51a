//! Rows of faults: each runs at QoS 2 over both versions and at QoS 1, between brokers of the same kind and of different kinds.
//!
//! With `MQ_BRIDGE_MESSAGES=50000` there are more messages and faults; `MQ_FAULT_SEED` chooses other places for those of the network.

use super::super::wait_until_connected;
use crate::support::fault_proxy::{self, FaultProxy, Plan};
use crate::support::releases::Releases;
use crate::support::*;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// The messages that are published at a time.
const CHUNK: usize = 200;

/// The faults of a long run; a run of few messages has one before every fifth chunk.
const MAX_FAULTS: usize = 20;

/// The connections that the network breaks at a fault. The bridge notices a silent one after seconds.
const CONNECTIONS: usize = 2;

/// Such a connection breaks after up to this many bytes. A chunk has more for all of them, also if only acknowledgements count.
const MOST_BYTES: usize = 300;

/// The options of the client that receives the messages at last. Its session is kept.
const COLLECTOR: &str = "-t m/# -i collector -c -V 5 -F %p";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    CutSource,
    CutTarget,
    StallTarget,
    RefuseTarget,
    RestartSource,
    RestartTarget,
    KillBridge,
    KillBridgeWhileTargetStalls,
    /// The next connections to the source have this fault, each at a place of its own, also before CONNACK.
    AtSource(fault_proxy::Fault),
    AtTarget(fault_proxy::Fault),
}

/// The broker at an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It saves its sessions when it is stopped.
    Mosquitto,
    Embedded,
}

impl Kind {
    /// `None`, and a word about it, if it is not installed.
    fn start(self) -> Option<Box<dyn Broker>> {
        Some(match self {
            Kind::Mosquitto => {
                Box::new(Mosquitto::start_with("persistence true\npersistence_location {directory}/")?)
            }
            Kind::Embedded => Box::new(EmbeddedBroker::start()),
        })
    }
}

/// The brokers at both ends: the source and the target.
type Ends = (Kind, Kind);

/// A run of one fault.
#[derive(Debug, Clone, Copy)]
struct Run {
    fault: Fault,
    ends: Ends,
    qos: u8,
    version: &'static str,
    messages: usize,
}

impl Run {
    /// The chunks from one fault to the next.
    fn chunks_per_fault(self) -> usize {
        (self.messages / CHUNK / MAX_FAULTS).max(5)
    }

    fn faults(self) -> usize {
        self.messages / CHUNK / self.chunks_per_fault()
    }

    /// A broker that has sent this many bytes on a connection has sent or acknowledged new messages, not only those in flight again:
    /// the source sends at least 14 bytes for each of the next chunk at QoS 2, 10 at QoS 1, the target 8 and 4.
    fn bytes_of_progress(self, is_of_source: bool) -> usize {
        match (is_of_source, self.qos) {
            (true, _) => 1000,
            (false, 2) => 800,
            (false, _) => 200,
        }
    }

    fn is_faulty(self, chunk: usize) -> bool {
        chunk % self.chunks_per_fault() == self.chunks_per_fault() - 1
    }

    /// All messages arrive: at QoS 2 exactly once, at QoS 1 few of them twice.
    #[track_caller]
    fn check(self) {
        let Some(setup) = Setup::start(self) else { return };
        let releases = setup.releases.clone();
        let (counts, log) = setup.run();
        if self.qos == 2 {
            self.assert_once(&counts, &releases.repeated(), &log);
        } else {
            self.assert_few_doubled(&counts);
        }
    }

    /// `repeated`: what the source sent again although it had released it, for a receiver a new message. mosquitto does that if two
    /// connections break one after the other.
    #[track_caller]
    #[allow(clippy::print_stdout)] // the result of a long run
    fn assert_once(self, counts: &BTreeMap<usize, usize>, repeated: &[String], log: &str) {
        let of_source =
            |number: usize| repeated.iter().filter(|payload| **payload == number.to_string()).count();
        let is_doubled = |&(number, count): &(&usize, &usize)| *count > 1 + of_source(*number);
        let doubled: Vec<_> = counts.iter().filter(is_doubled).collect();
        assert!(doubled.is_empty(), "{self:?}: {doubled:?}\n{log}");
        if !repeated.is_empty() {
            println!("{self:?}: the source repeated {} messages that it had released", repeated.len());
            assert!(self.ends.0 == Kind::Mosquitto, "{self:?}: {repeated:?}");
        }
    }

    /// Those that were in flight at a fault are doubled. They are at most mosquitto's receive maximum while the brokers keep up;
    /// mosquitto 2.0.11 as the source exceeds it in a session that was resumed, so a long run, with its backlog, and one to
    /// `mq broker`, which takes more messages at once, tell the number only.
    #[track_caller]
    #[allow(clippy::print_stdout)] // the result of a long run
    fn assert_few_doubled(self, counts: &BTreeMap<usize, usize>) {
        let doubled: usize = counts.values().map(|count| count - 1).sum();
        // The network breaks the first connection, and further ones.
        let breaks = self.faults() * (1 + CONNECTIONS);
        println!("{self:?}: {doubled} doubled after {} faults", self.faults());
        let is_limited = self.ends != FROM_MOSQUITTO && self.faults() <= 3;
        assert!(doubled <= breaks * 20 || !is_limited, "{self:?}: {doubled} doubled");
    }
}

/// Two brokers with a proxy in front of each, and a bridge between the proxies.
struct Setup {
    run: Run,
    source: Box<dyn Broker>,
    target: Box<dyn Broker>,
    to_source: FaultProxy,
    to_target: FaultProxy,
    releases: Releases,
    bridge: Running,
    words: String,
}

impl Setup {
    /// `None`, and a word about it, if mosquitto is not installed.
    fn start(run: Run) -> Option<Setup> {
        let (source, target) = (run.ends.0.start()?, run.ends.1.start()?);
        let releases = Releases::default();
        let to_source = FaultProxy::watching(source.address(), &releases);
        let to_target = FaultProxy::start(target.address());
        let words = format!(
            "--from mqtt://{} --to mqtt://{} --name b --ack-timeout 1s",
            to_source.address(),
            to_target.address()
        );
        target.mq(&format!("sub -E -q {} {COLLECTOR}", run.qos)).run().succeed();
        let start_bridge = || {
            let mut bridge = spawn_bridge(&words, run);
            wait_until_connected(&mut bridge);
            bridge
        };
        // The first run subscribes, so that no message comes too early for the second.
        let first = start_bridge();
        first.signal("TERM");
        first.finish().succeed();
        let bridge = start_bridge();
        Some(Setup { run, source, target, to_source, to_target, releases, bridge, words })
    }

    fn begin(&mut self, number_of_fault: usize) {
        match self.run.fault {
            Fault::CutSource => self.to_source.cut(),
            Fault::CutTarget => self.to_target.cut(),
            Fault::StallTarget | Fault::KillBridgeWhileTargetStalls => self.to_target.stall(),
            Fault::RefuseTarget => self.to_target.refuse(),
            Fault::RestartSource => restart(&mut *self.source),
            Fault::RestartTarget => restart(&mut *self.target),
            Fault::KillBridge => self.restart_bridge(),
            Fault::AtSource(fault) => break_next(&self.to_source, fault, number_of_fault),
            Fault::AtTarget(fault) => break_next(&self.to_target, fault, number_of_fault),
        }
    }

    /// Ends a fault after the next messages.
    fn end(&mut self) {
        match self.run.fault {
            Fault::StallTarget | Fault::RefuseTarget => {
                let is_stalled = self.run.fault == Fault::StallTarget;
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
            Fault::AtSource(_) | Fault::AtTarget(_) => {
                let is_at_source = matches!(self.run.fault, Fault::AtSource(_));
                let proxy = if is_at_source { &self.to_source } else { &self.to_target };
                if !proxy.outlasts_faults(self.run.bytes_of_progress(is_at_source)) {
                    self.fail("there are faults left");
                }
            }
            Fault::CutSource
            | Fault::CutTarget
            | Fault::RestartSource
            | Fault::RestartTarget
            | Fault::KillBridge => {}
        }
    }

    fn restart_bridge(&mut self) {
        self.bridge.kill();
        self.bridge = spawn_bridge(&self.words, self.run);
    }

    /// Publishes with a fault now and then. Returns how often each message has arrived, and the log of the bridge.
    fn run(mut self) -> (BTreeMap<usize, usize>, String) {
        let run = self.run;
        // Its session is kept, for a source that restarts.
        let words = format!("pub -i writer -c -l -t m/x -q {} --retries 50", run.qos);
        let mut publisher = self.source.mq(&words).open_stdin().spawn();
        for chunk in 0..run.messages / CHUNK {
            if run.is_faulty(chunk) {
                self.begin(chunk);
            }
            publisher.write(
                (chunk * CHUNK..(chunk + 1) * CHUNK).map(|number| format!("{number}\n")).collect::<String>(),
            );
            if run.is_faulty(chunk) {
                self.end();
            }
        }
        publisher.finish().succeed();
        self.collect()
    }

    /// With what the bridge said.
    fn fail(&mut self, problem: &str) -> ! {
        self.bridge.signal("TERM");
        self.bridge.wait_for_end();
        panic!("{:?}: {problem}\n{}", self.run, self.bridge.stderr_so_far());
    }

    /// Waits for all messages, and counts them.
    fn collect(mut self) -> (BTreeMap<usize, usize>, String) {
        let mut collector = self.target.mq(&format!("sub -q {} {COLLECTOR}", self.run.qos)).spawn();
        // As long as messages arrive, a machine with much work may take its time.
        let (mut arrived, mut deadline) = (0, Instant::now() + DEADLINE);
        while arrived < self.run.messages {
            let count = counts(&collector).len();
            if count > arrived {
                (arrived, deadline) = (count, Instant::now() + DEADLINE);
            }
            if Instant::now() > deadline {
                self.fail(&format!("{arrived} messages arrived"));
            }
            thread::sleep(Duration::from_millis(20)); // the output has no other condition to wait for
        }
        self.bridge.signal("TERM");
        let bridge = self.bridge.finish();
        bridge.expect_status(0);
        self.target.mq(&format!("pub -t m/x -m end -q {}", self.run.qos)).run().succeed();
        collector.wait_for_stdout("end");
        (counts(&collector), bridge.stderr)
    }
}

/// The next connections have a fault, and the present one ends.
fn break_next(proxy: &FaultProxy, fault: fault_proxy::Fault, number_of_fault: usize) {
    let seed = (number_of_environment("MQ_FAULT_SEED", 1) as u64)
        .wrapping_mul(1000)
        .wrapping_add(number_of_fault as u64);
    // One that is only slow lasts until the next fault.
    let connections = if fault.is_silent() || fault.is_harmless() { 1 } else { CONNECTIONS };
    proxy.plan(Plan { fault, connections, most_bytes: MOST_BYTES, seed });
    proxy.cut();
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
fn restart(broker: &mut dyn Broker) {
    broker.stop();
    broker.restart();
    Wire::v311(&*broker, "probe");
}

/// A silent network is noticed after the keep alive, of which mq takes no shorter one, or while it connects.
fn spawn_bridge(words: &str, run: Run) -> Running {
    let mut program = mq("bridge").words(words).arg(format!("m/# out {}", run.qos));
    for side in ["FROM", "TO"] {
        program = program.env(&format!("MQ_{side}_PROTOCOL_VERSION"), run.version);
        program = program.env(&format!("MQ_{side}_KEEPALIVE"), "5");
        program = program.env(&format!("MQ_{side}_CONNECT_TIMEOUT"), "3");
    }
    program.spawn()
}

macro_rules! matrix {
    ($($name:ident: $fault:ident;)+) => {
        mod qos_2_arrives_exactly_once {
            use super::*;
            $(#[test]
            fn $name() {
                between_two_mosquittos(Fault::$fault, 2, "5");
            })+
        }

        mod qos_2_of_mqtt_3_1_1_arrives_exactly_once {
            use super::*;
            $(#[test]
            fn $name() {
                between_two_mosquittos(Fault::$fault, 2, "311");
            })+
        }

        mod qos_1_arrives {
            use super::*;
            $(#[test]
            fn $name() {
                between_two_mosquittos(Fault::$fault, 1, "5");
            })+
        }
    };
}

#[track_caller]
fn between_two_mosquittos(fault: Fault, qos: u8, version: &'static str) {
    let messages = number_of_environment("MQ_BRIDGE_MESSAGES", 3000);
    Run { fault, ends: (Kind::Mosquitto, Kind::Mosquitto), qos, version, messages }.check();
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

/// Runs these beside each other, since most of the time they wait: at each QoS and version, with one fault if there are few messages.
#[track_caller]
fn run_all(faults: &[Fault], ends: &[Ends]) {
    let messages = number_of_environment("MQ_BRIDGE_MESSAGES", 1000);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (fault, ends) in faults.iter().flat_map(|fault| ends.iter().map(move |ends| (*fault, *ends))) {
            for (qos, version) in [(2, "5"), (2, "311"), (1, "5")] {
                let (failed, run) = (&failed, Run { fault, ends, qos, version, messages });
                scope.spawn(move || {
                    if catch_unwind(AssertUnwindSafe(|| run.check())).is_err() {
                        failed.lock().unwrap().push(run);
                    }
                });
            }
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "MQ_FAULT_SEED={}: {failed:?}", number_of_environment("MQ_FAULT_SEED", 1));
}

const FROM_MOSQUITTO: Ends = (Kind::Mosquitto, Kind::Embedded);
const TO_MOSQUITTO: Ends = (Kind::Embedded, Kind::Mosquitto);

#[track_caller]
fn run_at_either_side(fault: fault_proxy::Fault) {
    let ends = [(Kind::Mosquitto, Kind::Mosquitto), (Kind::Embedded, Kind::Embedded)];
    run_all(&[Fault::AtSource(fault), Fault::AtTarget(fault)], &ends);
}

#[test]
fn nothing_is_lost_after_resets_at_either_side() {
    run_at_either_side(fault_proxy::Fault::Reset);
}

#[test]
fn nothing_is_lost_after_garbage_of_either_side() {
    run_at_either_side(fault_proxy::Fault::Garbage);
}

#[test]
fn nothing_is_lost_after_half_open_connections_at_either_side() {
    run_at_either_side(fault_proxy::Fault::HalfOpen);
}

#[test]
fn nothing_is_lost_after_stalls_at_either_side() {
    run_at_either_side(fault_proxy::Fault::Stall);
}

#[test]
fn nothing_is_lost_while_either_side_sends_single_bytes() {
    run_at_either_side(fault_proxy::Fault::SingleBytes);
}

#[test]
fn nothing_is_lost_while_either_side_reads_slowly() {
    run_at_either_side(fault_proxy::Fault::SlowReader);
}

#[test]
fn nothing_is_lost_while_either_side_answers_late() {
    run_at_either_side(fault_proxy::Fault::LateAnswers);
}

/// A restart of `mq broker` is not among them: it saves nothing.
#[test]
fn nothing_is_lost_between_two_brokers_of_mq() {
    let faults = [
        Fault::CutSource,
        Fault::CutTarget,
        Fault::RefuseTarget,
        Fault::KillBridge,
        Fault::KillBridgeWhileTargetStalls,
    ];
    run_all(&faults, &[(Kind::Embedded, Kind::Embedded)]);
}

/// The faults between brokers of two kinds. The source or the target restarts in addition, if it is mosquitto.
const BETWEEN_TWO_KINDS: [Fault; 5] = [
    Fault::CutSource,
    Fault::CutTarget,
    Fault::KillBridgeWhileTargetStalls,
    Fault::AtSource(fault_proxy::Fault::Reset),
    Fault::AtTarget(fault_proxy::Fault::Reset),
];

#[test]
fn nothing_is_lost_from_mosquitto_to_mq_broker() {
    run_all(&[&BETWEEN_TWO_KINDS[..], &[Fault::RestartSource]].concat(), &[FROM_MOSQUITTO]);
}

#[test]
fn nothing_is_lost_from_mq_broker_to_mosquitto() {
    run_all(&[&BETWEEN_TWO_KINDS[..], &[Fault::RestartTarget]].concat(), &[TO_MOSQUITTO]);
}

#[test]
fn qos_0_waits_while_the_target_is_away_and_is_never_doubled() {
    let messages = number_of_environment("MQ_BRIDGE_MESSAGES", 3000);
    let ends = (Kind::Mosquitto, Kind::Mosquitto);
    let run = Run { fault: Fault::RefuseTarget, ends, qos: 0, version: "5", messages };
    let Some(mut setup) = Setup::start(run) else { return };
    // Its session would not queue messages of QoS 0.
    let mut collector = setup.target.subscriber("-t m/# -F %p");
    setup.begin(0);
    setup.bridge.wait_for_stderr("remote broker: ");
    let lines: String = (0..messages).map(|number| format!("{number}\n")).collect();
    setup.source.mq("pub -l -t m/x").stdin(lines + "end\n").run().succeed();
    setup.to_target.pass();
    collector.wait_for_stdout("end");
    let counts = counts(&collector);
    assert_eq!(counts.len(), messages);
    assert!(counts.values().all(|count| *count == 1));
}
