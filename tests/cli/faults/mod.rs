//! Every command behind a network with every fault, with mosquitto and with `mq broker`.
//!
//! Each test has one fault, and runs the commands of [`COMMANDS`] beside each other, each through a proxy of its own whose first
//! connections have the fault, at a place that the seed chooses. `tests/nightly.sh` runs the same with more messages and other seeds.

mod bridges;
mod kills;
mod publishers;
mod reports;
mod subscribers;
mod tls;
#[cfg(target_os = "linux")]
mod waiting;

use super::support::fault_proxy::{Fault, FaultProxy, Plan};
use super::support::*;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use tempfile::TempDir;

/// A command of the matrix: it runs behind the faulty network, and asserts what the documentation says.
type Command = fn(&Case<'_>);

const COMMANDS: [(&str, Command); 27] = [
    ("pub -q 1", publishers::single_of_qos_1),
    ("pub -q 2", publishers::single_of_qos_2),
    ("pub without retries", publishers::single_without_retries),
    ("pub -l -q 1", publishers::lines_of_qos_1),
    ("pub -l -q 2", publishers::lines_of_qos_2),
    ("pub --ndjson -q 1", publishers::objects_of_qos_1),
    ("pub --ndjson -q 2", publishers::objects_of_qos_2),
    ("pub --replay -q 1", publishers::recording_of_qos_1),
    ("pub --replay -q 2", publishers::recording_of_qos_2),
    ("pub -l through inspect --listen", publishers::through_inspect),
    ("sub", subscribers::plain),
    ("sub -c -q 1", subscribers::kept_of_qos_1),
    ("sub -c -q 2", subscribers::kept_of_qos_2),
    ("sub -c -q 1 through inspect --listen", subscribers::through_inspect_of_qos_1),
    ("sub -c -q 2 through inspect --listen", subscribers::through_inspect_of_qos_2),
    ("sub --record", subscribers::recorder),
    ("sub --exec", subscribers::commands),
    ("rr", reports::request),
    ("bench pub", reports::bench_pub),
    ("bench pubsub", reports::bench_pubsub),
    ("bench rr", reports::bench_rr),
    ("bench reconnect", reports::bench_reconnect),
    ("bench conn", reports::bench_conn),
    ("bench sub", reports::bench_sub),
    ("bench scenario", reports::bench_scenario),
    ("doctor", reports::doctor),
    ("top", reports::top),
];

/// The messages of a stream.
fn messages() -> usize {
    number_of_environment("MQ_FAULT_MESSAGES", 100)
}

/// The seed of all random places.
fn seed() -> u64 {
    number_of_environment("MQ_FAULT_SEED", 1) as u64
}

/// A command's broker, and the network in front of it.
struct Case<'b> {
    broker: &'b dyn Broker,
    fault: Fault,
    name: &'static str,
    number: usize,
    directory: TempDir,
    /// The network leads to this listener of the broker, in place of the one without TLS.
    tls: Option<&'b tls::Listener>,
}

impl Case<'_> {
    /// A name of this command alone, for topics and clients.
    fn id(&self) -> String {
        format!("case{}", self.number)
    }

    fn seed(&self) -> u64 {
        seed().wrapping_mul(1000).wrapping_add(self.number as u64 * 10)
    }

    /// The number of connections with the fault. One that is silent is found out by the keep alive only, after seconds.
    fn connections(&self) -> usize {
        number_of_environment("MQ_FAULT_CONNECTIONS", if self.fault.is_silent() { 1 } else { 2 })
    }

    /// A proxy whose first connections have the fault, after up to so many bytes.
    fn proxy(&self, most_bytes: usize) -> FaultProxy {
        self.proxy_of(self.connections(), most_bytes)
    }

    fn proxy_of(&self, connections: usize, most_bytes: usize) -> FaultProxy {
        let most_bytes = most_bytes + self.tls.map_or(0, |_| tls::HANDSHAKE);
        let plan = Plan { fault: self.fault, connections, most_bytes, seed: self.seed() };
        FaultProxy::planned(self.tls.map_or(self.broker.address(), |listener| listener.address), plan)
    }

    /// A proxy for a stream of all messages, with the fault anywhere in it.
    fn proxy_for_stream(&self) -> FaultProxy {
        self.proxy(messages() * 20)
    }

    /// `mq` through a proxy, with options by which a silent connection is noticed soon.
    fn mq(&self, address: SocketAddr, words: &str) -> Program {
        let (subcommand, options) = words.split_once(' ').unwrap_or((words, ""));
        mq(&format!("{subcommand} {options} {} --connect-timeout 5", self.options(address)))
    }

    /// The options that lead to this address.
    fn options(&self, address: SocketAddr) -> String {
        let of_tls = self.tls.map_or(String::new(), tls::Listener::options);
        format!("-h {} -p {} -k 5 {of_tls}", address.ip(), address.port())
    }

    /// Prints all messages below the command's topic, with a session of its own and without faults.
    fn witness(&self, qos: u8) -> Running {
        let id = self.id();
        self.broker.subscriber(&format!("-V 5 -c -i witness-{id} -t {id} -q {qos}"))
    }

    /// What the witness has printed when all messages until now have arrived.
    fn witnessed(&self, mut witness: Running) -> Vec<String> {
        self.broker.mq(&format!("pub -t {} -m end -q 2", self.id())).run().succeed();
        witness.wait_for_stdout("end");
        let output = String::from_utf8(witness.stdout_so_far()).unwrap();
        output.lines().take_while(|line| *line != "end").map(str::to_owned).collect()
    }
}

/// `mq inspect --listen`, which forwards connections.
struct Inspect {
    running: Running,
    address: SocketAddr,
    server: FaultProxy,
    /// Without connections.
    descriptors: usize,
}

impl Inspect {
    fn before(server: FaultProxy) -> Inspect {
        let mut running = mq(&format!("inspect --listen 0 --to {} --stats", server.address())).spawn();
        let address = listening_address(&running.wait_for_stderr("listening on"));
        let descriptors = running.descriptors();
        Inspect { running, address, server, descriptors }
    }

    /// It has closed the connections that are over, and ends at a signal.
    fn end_without_connections(self) {
        // The network may have gone silent behind the last packets. Then the server's side is still open.
        self.server.end_silent_connection();
        self.running.wait_for_descriptors(self.descriptors);
        self.running.signal("INT");
        self.running.finish().expect_status(130);
    }
}

/// A broker that sends bytes that are no packet is not tried again: the program ends, and says so.
#[track_caller]
fn assert_ended_by_garbage(finished: &process::Finished) {
    finished.expect_status(7);
    assert!(finished.stderr.contains("the broker sent a bad packet"), "{}", finished.stderr);
}

/// The first lines of a stream have arrived in order; at QoS 2 none came twice.
#[track_caller]
fn assert_begun(received: &[String], qos: u8, what: &str) {
    let distinct: HashSet<&String> = received.iter().collect();
    assert_complete_of(distinct.len(), received, qos, what);
}

/// The lines of a stream: their numbers.
fn lines() -> String {
    (0..messages()).map(|number| format!("{number}\n")).collect()
}

/// All lines of a stream have arrived in order; at QoS 2 none came twice.
#[track_caller]
fn assert_complete(received: &[String], qos: u8, what: &str) {
    assert_complete_of(messages(), received, qos, what);
}

#[track_caller]
fn assert_complete_of(count: usize, received: &[String], qos: u8, what: &str) {
    let mut seen = HashSet::new();
    let first: Vec<&String> = received.iter().filter(|line| seen.insert(*line)).collect();
    let is_complete = first.iter().map(|line| line.as_str()).eq((0..count).map(|line| line.to_string()));
    assert!(is_complete, "{what}: {} of {count} lines: {:?}", first.len(), first.iter().take(200));
    assert!(qos < 2 || first.len() == received.len(), "{what}: {} lines", received.len());
}

/// The payloads of a recording.
fn recorded(file: &Path) -> Vec<String> {
    let payload = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        object["payload"].as_str().unwrap().to_owned()
    };
    std::fs::read_to_string(file).unwrap().lines().map(payload).collect()
}

/// Runs all commands, or that of `MQ_FAULT_COMMAND`, behind a network with this fault.
fn run_all(fault: Fault) {
    on_each_broker(|broker| run_commands(&COMMANDS, fault, broker, None));
}

fn run_commands(
    commands: &[(&'static str, Command)],
    fault: Fault,
    broker: &dyn Broker,
    tls: Option<&tls::Listener>,
) {
    let only = std::env::var("MQ_FAULT_COMMAND").ok();
    let is_known = only.as_deref().is_none_or(|only| commands.iter().any(|(name, _)| *name == only));
    let names: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    assert!(is_known, "MQ_FAULT_COMMAND is none of {names:?}");
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (number, &(name, command)) in commands.iter().enumerate() {
            if only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let failures = &failures;
            scope.spawn(move || {
                let case = Case { broker, fault, name, number, directory: TempDir::new().unwrap(), tls };
                if catch_unwind(AssertUnwindSafe(|| command(&case))).is_err() {
                    failures.lock().unwrap().push(name);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{fault:?}, MQ_FAULT_SEED={}: {failures:?}", seed());
}

#[test]
fn a_connection_that_is_cut() {
    run_all(Fault::Cut);
}

#[test]
fn a_connection_that_is_reset() {
    run_all(Fault::Reset);
}

#[test]
fn a_connection_that_stalls() {
    run_all(Fault::Stall);
}

#[test]
fn a_connection_that_is_half_open() {
    run_all(Fault::HalfOpen);
}

#[test]
fn garbage_between_packets() {
    run_all(Fault::Garbage);
}

#[test]
fn connections_that_are_closed_at_once() {
    run_all(Fault::Refuse);
}

#[test]
fn bytes_that_come_one_by_one() {
    run_all(Fault::SingleBytes);
}

#[test]
fn a_slow_reader() {
    run_all(Fault::SlowReader);
}

#[test]
fn answers_that_are_late() {
    run_all(Fault::LateAnswers);
}
