//! A server with scripted behaviour, valid or not.

use super::{DEADLINE, Server, Wire};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A listener on a free port whose script runs in a thread. Its failures are the test's, see [`ScriptedPeer::finish`].
pub struct ScriptedPeer {
    address: SocketAddr,
    script: JoinHandle<()>,
}

/// Where the script gets its connections from.
pub struct Acceptor {
    listener: TcpListener,
}

impl ScriptedPeer {
    /// Listens on 127.0.0.1 and runs the script.
    pub fn start(script: impl FnOnce(&mut Acceptor) + Send + 'static) -> ScriptedPeer {
        ScriptedPeer::start_on("127.0.0.1:0".parse().unwrap(), script)
    }

    /// Listens on this address and runs the script.
    pub fn start_on(
        address: SocketAddr,
        script: impl FnOnce(&mut Acceptor) + Send + 'static,
    ) -> ScriptedPeer {
        let listener = listen(address);
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let script = thread::spawn(move || script(&mut Acceptor { listener }));
        ScriptedPeer { address, script }
    }

    /// For scripts with one connection: 3.1.1, accepted without looking at CONNECT.
    pub fn accepting(script: impl FnOnce(&mut Wire) + Send + 'static) -> ScriptedPeer {
        ScriptedPeer::start(move |peer| script(&mut peer.accept_v311()))
    }

    /// For scripts with one connection: 5.0, accepted with these properties in CONNACK, without looking at CONNECT.
    pub fn accepting_v5(
        properties: &'static str,
        script: impl FnOnce(&mut Wire) + Send + 'static,
    ) -> ScriptedPeer {
        ScriptedPeer::start(move |peer| script(&mut peer.accept_v5(properties)))
    }

    /// Waits for the end of the script, and fails when it failed.
    pub fn finish(self) {
        if let Err(failure) = self.script.join() {
            std::panic::resume_unwind(failure);
        }
    }
}

impl Server for ScriptedPeer {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Acceptor {
    /// The next connection.
    pub fn accept(&mut self) -> Wire {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Wire::new(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(1)); // there is no accept with a deadline
                }
                Err(error) => panic!("nobody connected: {error}"),
            }
        }
    }

    /// No connection waits to be accepted.
    pub fn expect_nobody(&mut self) {
        let waiting = self.listener.accept().map(|(_, address)| address);
        assert!(
            waiting.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
            "nobody connects yet: {waiting:?}"
        );
    }

    /// The next connection, with its CONNECT of 3.1.1 answered.
    pub fn accept_v311(&mut self) -> Wire {
        let mut wire = self.accept();
        wire.expect_type(0x10);
        wire.send("20 (00 00)");
        wire
    }

    /// The next connection, with its CONNECT of 5.0 answered with these properties.
    pub fn accept_v5(&mut self, properties: &str) -> Wire {
        let mut wire = self.accept();
        wire.speak_v5();
        wire.expect_type(0x10);
        wire.send(&format!("20 (00 00 ({properties}))"));
        wire
    }
}

/// A process that another test is just starting holds copies of our descriptors until its program begins, and so perhaps the
/// listener that was at this address before.
fn listen(address: SocketAddr) -> TcpListener {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(1));
            }
            result => return result.unwrap(),
        }
    }
}
