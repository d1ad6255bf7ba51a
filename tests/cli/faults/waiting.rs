//! Commands that wait, for a network that is silent or a broker that refuses them: they use no processor, and neither memory nor descriptors
//! add up.

use super::*;
use crate::support::process::{cpu_seconds, descriptors, own_memory};
use std::time::Duration;

/// How long commands are watched: 3 % of a processor are 15 of the hundredths that Linux counts.
const WATCHED: Duration = Duration::from_secs(5);
const MAX_CPU: f64 = 0.03;

/// More memory than an allocator or a counter takes meanwhile, in bytes.
const MAX_GROWTH: u64 = 1 << 20;

/// Commands that wait for ever, each with a sign that it does.
const WAITING: [(&str, &str); 7] = [
    ("sub -t a -q 1", "<- SUBACK"),
    ("sub -c -i kept -t a -q 2", "<- SUBACK"),
    ("sub -t a --exec true", "<- SUBACK"),
    ("pub -t a -l -q 1", "<- CONNACK"),
    ("pub -t b -V 5 -l -q 2", "<- CONNACK"),
    ("pub --ndjson -q 1", "<- CONNACK"),
    ("rr -V 311 -t nobody -e answer -n", "<- SUBACK"),
];

/// Commands without a sign on standard error, with the number of their connections.
const SILENT: [(&str, usize); 2] =
    [("bench sub -c 3 -t a --duration 600", 3), ("bench conn -c 3 --hold 600", 3)];

/// The commands that wait, each with its process.
struct Waiting {
    processes: Vec<(&'static str, u32)>,
    running: Vec<Running>,
    terminal: Option<Terminal>,
}

impl Waiting {
    /// Starts all commands, and silences the network.
    fn start(broker: &dyn Broker) -> Waiting {
        let proxy = FaultProxy::start(broker.address());
        let mut waiting = Waiting { processes: Vec::new(), running: Vec::new(), terminal: None };
        let mut connections = 0;
        for (words, sign) in WAITING {
            let (subcommand, options) = words.split_once(' ').unwrap();
            let mut running = proxy.mq(&format!("{subcommand} -d {options}")).open_stdin().spawn();
            if !words.starts_with("pub") {
                running.wait_for_stderr(sign);
            }
            waiting.add(words, running);
            connections += 1;
        }
        for (words, count) in SILENT {
            let (command, options) = words.split_at(words.find(" -").unwrap());
            waiting.add(words, mq(&format!("{command} {}{options}", proxy.options())).spawn());
            connections += count;
        }
        let mut inspect = mq(&format!("inspect --listen 0 --to {}", proxy.address())).spawn();
        let address = listening_address(&inspect.wait_for_stderr("listening on"));
        let client = format!("sub -h {} -p {} -d -t a", address.ip(), address.port());
        let mut client = mq(&client).spawn();
        client.wait_for_stderr("<- SUBACK");
        waiting.add("inspect --listen", inspect);
        waiting.add("sub through inspect", client);
        waiting.add_bridge(&proxy);
        waiting.terminal = Terminal::start(&format!("top {} -t a", proxy.options()), 80, 24);
        waiting.terminal.iter_mut().for_each(|terminal| terminal.wait_for("connected"));
        waiting.processes.extend(waiting.terminal.iter().map(|terminal| ("top", terminal.process())));
        connections += 3 + usize::from(waiting.terminal.is_some());
        proxy.wait_for_connections(connections);
        proxy.stall();
        for (number, (words, sign)) in
            WAITING.iter().enumerate().filter(|(_, (words, _))| words.starts_with("pub"))
        {
            let running = &mut waiting.running[number];
            let is_object = words.contains("--ndjson");
            running.write(if is_object {
                "{\"topic\":\"a\",\"payload\":\"x\"}\n"
            } else {
                "not acknowledged\n"
            });
            running.wait_for_stderr(sign);
            running.wait_for_stderr("-> PUBLISH");
        }
        // It waits for CONNACK.
        waiting.add("doctor", mq(&format!("doctor {} --connect-timeout 600", proxy.options())).spawn());
        proxy.wait_for_connections(connections + 1);
        waiting
    }

    fn add(&mut self, name: &'static str, running: Running) {
        self.processes.push((name, running.id()));
        self.running.push(running);
    }

    /// A bridge with both ends at the silent network.
    fn add_bridge(&mut self, proxy: &FaultProxy) {
        let words = format!("bridge --from mqtt://{0} --to mqtt://{0} --name w", proxy.address());
        let mut bridge = mq(&words).arg("a out 1 \"\" b/").spawn();
        for _ in 0..2 {
            bridge.wait_for_stderr("connected to the ");
        }
        self.add("bridge", bridge);
    }

    /// The usage of each command.
    fn usage(&self) -> Vec<Usage> {
        self.processes.iter().map(|(_, process)| Usage::of(*process)).collect()
    }
}

/// The resources of a process until now.
struct Usage {
    cpu_seconds: f64,
    descriptors: usize,
    memory: u64,
}

impl Usage {
    fn of(process: u32) -> Usage {
        Usage {
            cpu_seconds: cpu_seconds(process),
            descriptors: descriptors(process),
            memory: own_memory(process),
        }
    }
}

#[test]
fn a_silent_network_costs_no_processor_no_memory_and_no_descriptors() {
    on_each_broker(|broker| {
        let waiting = Waiting::start(broker);
        let before = waiting.usage();
        thread::sleep(WATCHED); // the time that is measured
        for ((before, after), (name, _)) in before.into_iter().zip(waiting.usage()).zip(&waiting.processes) {
            let part = (after.cpu_seconds - before.cpu_seconds) / WATCHED.as_secs_f64();
            assert!(part < MAX_CPU, "{name}: {part:.3} of a processor");
            assert_eq!(after.descriptors, before.descriptors, "descriptors of {name}");
            let grown = after.memory.saturating_sub(before.memory);
            assert!(grown < MAX_GROWTH, "{name}: {grown} bytes more");
        }
    });
}

#[test]
fn attempts_to_connect_leave_no_descriptors() {
    let broker = EmbeddedBroker::start();
    let proxy = FaultProxy::start(broker.address());
    let mut subscriber = proxy.subscriber("-t a");
    let connected = subscriber.descriptors();
    proxy.refuse();
    let cpu = subscriber.cpu_seconds();
    for _ in 0..4 {
        subscriber.wait_for_stderr("connecting again");
        assert!(subscriber.descriptors() <= connected, "{} descriptors", subscriber.descriptors());
    }
    assert!(subscriber.cpu_seconds() - cpu < 0.5, "four attempts take no processor");
    proxy.pass();
    subscriber.wait_for_stderr("<- SUBACK");
    subscriber.wait_for_descriptors(connected);
}
