//! Common parts of the tests: programs, brokers, and peers with scripted bytes.

pub mod broker;
pub mod bytes;
pub mod capture;
pub mod certificates;
pub mod datagrams;
pub mod fault_proxy;
pub mod packet_ends;
pub mod peer;
pub mod process;
pub mod proxy;
pub mod releases;
pub mod screen;
pub mod sn;
pub mod terminal;
pub mod tls_peer;
pub mod wire;

pub use broker::{Broker, EmbeddedBroker, Mosquitto, on_each_broker};
pub use peer::ScriptedPeer;
pub use process::{
    Program, Running, assert_first_line, assert_says, called_as, kill, listening_address, mq, mq_path,
    on_a_terminal,
};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
pub use terminal::Terminal;
pub use tls_peer::TlsPeer;
pub use wire::Wire;

/// The deadline of every wait. `MQ_TEST_SECONDS`, set while the tests are built, changes it for long runs.
pub const DEADLINE: Duration = Duration::from_secs(match option_env!("MQ_TEST_SECONDS") {
    Some(seconds) => match u64::from_str_radix(seconds, 10) {
        Ok(seconds) => seconds,
        Err(_) => panic!("MQ_TEST_SECONDS is a number"),
    },
    None => 30,
});

/// Waits until a program that does not say so listens here.
pub fn wait_for_listener(address: SocketAddr) {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "nobody listens at {address}");
        std::thread::sleep(Duration::from_millis(1)); // there is nothing else to wait for
    }
}

/// A connection from another address of this machine. Linux has all those that begin with 127.
#[cfg(target_os = "linux")]
pub fn connect_from(last: u8, address: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Something with an address that clients can be sent to.
pub trait Server: Sync {
    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// `mq` with these words, of which the first is the subcommand, and with this server's address.
    fn mq(&self, words: &str) -> Program {
        let (subcommand, options) = words.split_once(' ').unwrap_or((words, ""));
        mq(subcommand).words(&self.options()).words(options)
    }

    /// `mq` called as one of mosquitto's tools, which is the first word, with this server's address.
    fn called_as(&self, words: &str) -> Program {
        let (name, options) = words.split_once(' ').unwrap_or((words, ""));
        called_as(name, &self.options()).words(options)
    }

    /// `mq sub` with these options, after it has received SUBACK.
    fn subscriber(&self, options: &str) -> Running {
        let mut running = self.mq(&format!("sub -d {options}")).spawn();
        running.wait_for_stderr("<- SUBACK");
        running
    }

    /// `mosquitto_pub` with these options. `None` when it is not installed.
    fn mosquitto_pub(&self, options: &str) -> Option<Program> {
        Some(Program::new(broker::find("mosquitto_pub")?).words(&self.options()).words(options))
    }

    /// `mosquitto_sub` with these options. `None` when it is not installed.
    fn mosquitto_sub(&self, options: &str) -> Option<Program> {
        Some(Program::new(broker::find("mosquitto_sub")?).words(&self.options()).words(options))
    }

    /// A bare connection.
    fn connect(&self) -> Wire {
        Wire::new(TcpStream::connect(self.address()).unwrap())
    }

    /// The options that lead to this server.
    fn options(&self) -> String {
        format!("-h {} -p {}", self.address().ip(), self.address().port())
    }
}

/// A number in the environment, for longer runs.
pub fn number_of_environment(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
