//! Signals that stop a bridge, and the service manager, which is told about it.

use super::*;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use tempfile::TempDir;

/// A service manager.
struct Manager {
    directory: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn start() -> Manager {
        let directory = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Manager { directory, socket }
    }

    /// The value of NOTIFY_SOCKET.
    fn path(&self) -> PathBuf {
        self.directory.path().join("notify")
    }

    #[track_caller]
    fn wait_for(&self, wanted: &str) {
        let mut buffer = [0; 1000];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {wanted}: {error}"));
            if buffer[..length] == *wanted.as_bytes() {
                return;
            }
        }
    }
}

/// A broker that receives a message, and acknowledges it when it is told to. DISCONNECT follows then, else the end.
struct SlowBroker {
    peer: ScriptedPeer,
    received: Receiver<()>,
    acknowledge: Sender<()>,
}

impl SlowBroker {
    fn start() -> SlowBroker {
        let (is_received, received) = channel();
        let (acknowledge, is_wanted) = channel();
        let peer = ScriptedPeer::accepting_v5("", move |wire| {
            let message = wire.expect_publish();
            is_received.send(()).unwrap();
            if is_wanted.recv().is_ok() {
                let [high, low] = message.packet_id.unwrap();
                wire.send_bytes(&[0x40, 2, high, low]);
                wire.expect_type(0xe0);
            }
            wire.expect_end();
        });
        SlowBroker { peer, received, acknowledge }
    }

    #[track_caller]
    fn wait_for_message(&self) {
        self.received.recv_timeout(DEADLINE).expect("the message arrives");
    }

    fn acknowledge(self) {
        self.acknowledge.send(()).unwrap();
        self.peer.finish();
    }

    fn finish_without_acknowledgement(self) {
        drop(self.acknowledge);
        self.peer.finish();
    }
}

/// The options of a bridge that waits long for acknowledgements.
const PATIENT: &str = "--name b1 --notifications none --drain-timeout 60s --ack-timeout 60s";

/// A bridge with a message that the broker has not acknowledged.
fn with_message_in_flight(local: &EmbeddedBroker, remote: &SlowBroker, manager: &Manager) -> Running {
    local.mq("pub -t a/1 -m x -q 1 -r").run().succeed();
    let bridge = between(local, &remote.peer, PATIENT, &["a/# out 1"]).env("NOTIFY_SOCKET", manager.path());
    let bridge = bridge.spawn();
    remote.wait_for_message();
    bridge
}

#[test]
fn a_signal_ends_the_bridge_in_order() {
    for signal in ["TERM", "INT", "HUP"] {
        let (local, remote) = brokers();
        let mut bridge = between(&local, &remote, "--name b1", &["a/# out 1"]).spawn();
        wait_until_connected(&mut bridge);
        let subscriber = remote.subscriber("-t a/# -C 1");
        local.mq("pub -t a/1 -m x -q 1").run().succeed();
        subscriber.finish().succeed();
        bridge.signal(signal);
        let finished = bridge.finish();
        finished.expect_status(0);
        assert_says(&finished.stderr, &["b1: ended; out: forwarded 1, in flight 0, queued 0, dropped 0"]);
    }
}

#[test]
fn the_service_manager_gets_states() {
    let (local, remote) = brokers();
    let manager = Manager::start();
    let bridge =
        between(&local, &remote, "--name b1", &["a/# out 1"]).env("NOTIFY_SOCKET", manager.path()).spawn();
    manager.wait_for("READY=1");
    manager.wait_for("STATUS=b1: both connected");
    bridge.signal("TERM");
    manager.wait_for("STOPPING=1");
    bridge.finish().expect_status(0);
}

#[test]
fn a_second_signal_ends_the_drain_at_once() {
    let (local, remote, manager) = (EmbeddedBroker::start(), SlowBroker::start(), Manager::start());
    let mut bridge = with_message_in_flight(&local, &remote, &manager);
    bridge.signal("TERM");
    manager.wait_for("STOPPING=1");
    bridge.signal_until_end("TERM");
    let stderr = bridge.finish().fail(143);
    assert_says(&stderr, &["second signal: ended without waiting for acknowledgements"]);
    remote.finish_without_acknowledgement();
}

#[test]
fn signals_that_arrive_together_are_one_wish_to_stop() {
    let (local, remote, manager) = (EmbeddedBroker::start(), SlowBroker::start(), Manager::start());
    let bridge = with_message_in_flight(&local, &remote, &manager);
    // As `timeout -s INT` and the end of a session send them.
    let line = format!("for signal in INT TERM HUP INT; do kill -$signal {}; done", bridge.id());
    Program::new("sh").arg("-c").arg(line).run().succeed();
    manager.wait_for("STOPPING=1");
    remote.acknowledge();
    let finished = bridge.finish();
    finished.expect_status(0);
    assert_says(&finished.stderr, &["b1: ended; out: forwarded 1, in flight 0"]);
}

#[test]
fn a_bridge_whose_output_is_gone_drains_after_a_hang_up() {
    let (local, remote, manager) = (EmbeddedBroker::start(), SlowBroker::start(), Manager::start());
    local.mq("pub -t a/1 -m x -q 1 -r").run().succeed();
    let bridge = between(&local, &remote.peer, PATIENT, &["a/# out 1"]).words("--json --interval 20ms");
    let mut bridge = bridge.env("NOTIFY_SOCKET", manager.path()).holding_stdout().spawn();
    remote.wait_for_message();
    bridge.close_stdout();
    bridge.wait_for_stderr("cannot write to standard output: Broken pipe");
    bridge.signal("HUP");
    manager.wait_for("STOPPING=1");
    remote.acknowledge();
    bridge.finish().expect_status(0);
}

#[test]
fn a_bridge_whose_terminal_is_closed_drains() {
    let (local, remote, manager) = (EmbeddedBroker::start(), SlowBroker::start(), Manager::start());
    local.mq("pub -t a/1 -m x -q 1 -r").run().succeed();
    let (from, to) = (local.address(), remote.peer.address());
    let words = format!("bridge --from mqtt://{from} --to mqtt://{to} {PATIENT} \"a/# out 1\"");
    let variables = format!("TERM=xterm NOTIFY_SOCKET={}", manager.path().display());
    let Some(mut terminal) = Terminal::start_with(&variables, &words, 80, 24) else { return };
    terminal.wait_for("b1  both connected");
    remote.wait_for_message();
    terminal.close();
    manager.wait_for("STOPPING=1");
    remote.acknowledge();
}

#[test]
fn nohup_keeps_the_bridge_running_after_a_hang_up() {
    let (local, remote) = brokers();
    let line = format!(
        "trap '' HUP; exec {} bridge --from mqtt://{} --to mqtt://{} --name b1 'a/# out 1'",
        mq_path(),
        local.address(),
        remote.address()
    );
    let mut bridge = Program::new("sh").arg("-c").arg(line).spawn();
    wait_until_connected(&mut bridge);
    bridge.signal("HUP");
    let subscriber = remote.subscriber("-t a/# -C 1");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    subscriber.finish().succeed();
    bridge.signal("TERM");
    let finished = bridge.finish();
    finished.expect_status(0);
    assert_says(&finished.stderr, &["forwarded 1"]);
}
