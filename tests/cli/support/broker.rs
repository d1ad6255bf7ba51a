//! The brokers that tests run against: the embedded one always, mosquitto where it is installed.

use super::{Program, Running, Server, mq};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

/// Runs a test against both brokers at the same time.
pub fn on_each_broker(test: impl Fn(&mut dyn Broker) + Sync) {
    let mosquitto = Mosquitto::start();
    let test = &test;
    thread::scope(|scope| {
        // Under the test's name, which its messages then carry.
        let name = || thread::Builder::new().name(thread::current().name().unwrap_or_default().to_owned());
        let on_embedded = name().spawn_scoped(scope, || test(&mut EmbeddedBroker::start())).unwrap();
        let on_mosquitto =
            mosquitto.map(|mut broker| name().spawn_scoped(scope, move || test(&mut broker)).unwrap());
        let has_failed_on_embedded = on_embedded.join().is_err();
        let has_failed_on_mosquitto = on_mosquitto.is_some_and(|on_mosquitto| on_mosquitto.join().is_err());
        assert!(
            !has_failed_on_embedded,
            "it failed on mq broker (and on mosquitto: {has_failed_on_mosquitto})"
        );
        assert!(!has_failed_on_mosquitto, "it failed on mosquitto only");
    });
}

/// A broker that a test can kill and restart.
pub trait Broker: Server {
    /// Ends it without a word to its clients.
    fn kill(&mut self);

    /// Sends it a signal, as in `STOP`.
    fn signal(&self, name: &str);

    /// Stops it with a signal that it handles, so that it saves its persistent data.
    fn stop(&mut self);

    /// Starts it again on the same port, after [`Broker::kill`] or [`Broker::stop`], with the state that it has saved.
    fn restart(&mut self);
}

/// `mq broker` on a free port.
pub struct EmbeddedBroker {
    running: Running,
    address: SocketAddr,
}

impl EmbeddedBroker {
    /// Starts it on a port that is free.
    pub fn start() -> EmbeddedBroker {
        EmbeddedBroker::start_with("-p 0")
    }

    /// Starts it with these arguments.
    pub fn start_with(words: &str) -> EmbeddedBroker {
        let mut running = mq("broker").words(words).spawn();
        let line = running.wait_for_stdout("");
        let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in the first line of mq broker: {line}"));
        EmbeddedBroker { running, address }
    }

    /// The process.
    pub fn process(&mut self) -> &mut Running {
        &mut self.running
    }

    /// The process alone, when the address is not needed any more.
    pub fn into_process(self) -> Running {
        self.running
    }
}

impl Server for EmbeddedBroker {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Broker for EmbeddedBroker {
    fn kill(&mut self) {
        self.running.kill();
    }

    fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    fn stop(&mut self) {
        self.running.signal("TERM");
        self.running.wait_for_end();
    }

    fn restart(&mut self) {
        *self = EmbeddedBroker::start_with(&format!("-p {}", self.address.port()));
    }
}

/// mosquitto with a configuration of its own.
pub struct Mosquitto {
    running: Running,
    address: SocketAddr,
    directory: TempDir,
    configuration: String,
    /// The ports in place of `{port}`.
    further_ports: Vec<u16>,
}

impl Mosquitto {
    /// Starts it for anonymous clients, without limits. `None`, with a note on standard error, if mosquitto is not installed.
    pub fn start() -> Option<Mosquitto> {
        Mosquitto::start_with("")
    }

    /// Starts it with these lines in its configuration; `{directory}` is replaced by its directory, and each `{port}` by a free port.
    pub fn start_with(configuration: &str) -> Option<Mosquitto> {
        Mosquitto::start_with_files(configuration, &[])
    }

    /// Starts it with these lines in its configuration, and with files in its directory.
    pub fn start_with_files(configuration: &str, files: &[(&str, &str)]) -> Option<Mosquitto> {
        let program = find("mosquitto")?;
        let directory = TempDir::new().unwrap();
        for (name, content) in files {
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        for _ in 0..20 {
            // Other ones for each attempt: another program can have taken them meanwhile.
            let (configuration, further_ports) = with_ports(configuration);
            if let Some((running, address)) = start_once(&program, directory.path(), &configuration, 0) {
                return Some(Mosquitto { running, address, directory, configuration, further_ports });
            }
        }
        panic!("mosquitto does not start")
    }

    /// The port in place of a `{port}` in its configuration, counted from 0.
    pub fn further_port(&self, number: usize) -> u16 {
        self.further_ports[number]
    }

    /// The path of a file in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Server for Mosquitto {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Broker for Mosquitto {
    fn kill(&mut self) {
        self.running.kill();
    }

    fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    fn stop(&mut self) {
        self.running.signal("TERM");
        self.running.wait_for_end();
    }

    fn restart(&mut self) {
        let program = find("mosquitto").expect("it ran before");
        let port = self.address.port();
        let again = start_once(&program, self.directory.path(), &self.configuration, port);
        (self.running, self.address) = again.expect("the port is still free");
    }
}

/// A program that a test needs, one of mosquitto's or of the system. `None`, and a word about it, when it is not installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = directories.map(|directory| directory.join(program)).find(|file| file.is_file());
    if found.is_none() {
        let is_required = std::env::var_os("MQ_REQUIRE_MOSQUITTO").is_some_and(|value| value == "1");
        assert!(!is_required, "{program} is not installed, and MQ_REQUIRE_MOSQUITTO=1 asks for it");
        // Not with eprintln, which the test harness keeps to itself when a test passes.
        let test = thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(std::io::stderr(), "skipped: {test} with {program}, which is not installed");
    }
    found
}

/// Replaces each `{port}` by a free port.
fn with_ports(configuration: &str) -> (String, Vec<u16>) {
    let mut parts = configuration.split("{port}");
    let mut lines = parts.next().unwrap_or_default().to_owned();
    // Held until all are chosen, or two could be the same.
    let free: Vec<_> = parts.map(|part| (TcpListener::bind("127.0.0.1:0").unwrap(), part)).collect();
    let ports = free.iter().map(|(listener, part)| {
        let port = listener.local_addr().unwrap().port();
        lines.push_str(&format!("{port}{part}"));
        port
    });
    let ports = ports.collect();
    (lines, ports)
}

/// `None` when the port was taken in the meantime. A port of 0 picks a free one.
fn start_once(
    program: &Path,
    directory: &Path,
    configuration: &str,
    port: u16,
) -> Option<(Running, SocketAddr)> {
    let address = TcpListener::bind(("127.0.0.1", port)).ok()?.local_addr().unwrap();
    // Started by root, mosquitto would switch to a user without access to the directory.
    let lines = format!(
        "user root\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n\
         listener {} {}\n{configuration}\n",
        address.port(),
        address.ip()
    );
    let file = directory.join("mosquitto.conf");
    std::fs::write(&file, lines.replace("{directory}", &directory.display().to_string())).unwrap();
    let mut running = Program::new(program).arg("-c").arg(file).spawn();
    running.try_wait_for_stderr(" running")?;
    Some((running, address))
}
