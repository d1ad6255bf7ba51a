//! Connections with TLS that break, in the handshake or after it: every command, and a bridge.

use super::certificates::*;
use super::*;

/// The bytes of a handshake with TLS 1.3 and a small certificate, in both directions.
pub(super) const HANDSHAKE: usize = 1500;

/// A broker's listener with TLS.
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    /// The certificate of the authority.
    trusted: Files,
}

impl Listener {
    fn new(port: u16, authority: String) -> Listener {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Listener { address, trusted: Files::new(&[("ca.pem", authority)]) }
    }

    /// The options of a client.
    pub(super) fn options(&self) -> String {
        self.trusted.words("--cafile {}/ca.pem")
    }

    /// The authority's file.
    pub(super) fn authority(&self) -> std::path::PathBuf {
        self.trusted.path("ca.pem")
    }
}

/// The certificate of an authority, and those files of a broker.
fn certificates() -> (String, [(&'static str, String); 2]) {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    (ca.pem(), [("server.pem", server.pem()), ("server.key", server.key_pem())])
}

/// Runs all commands and a bridge behind a network with this fault, with TLS.
fn run_all_with_tls(fault: Fault) {
    let commands = [&COMMANDS[..], &[("bridge", bridges::over_tls)]].concat();
    let (authority, files) = certificates();
    let of_broker = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let lines = "listener {port} 127.0.0.1\ncertfile {directory}/server.pem\nkeyfile {directory}/server.key";
    if let Some(broker) = Mosquitto::start_with_files(lines, &of_broker) {
        let listener = Listener::new(broker.further_port(0), authority.clone());
        run_commands(&commands, fault, &broker, Some(&listener));
    }
    let files = Files::new(&files);
    let words = "-p 0 --tls-port 0 --cert {}/server.pem --key {}/server.key";
    let mut broker = EmbeddedBroker::start_with(&files.words(words));
    let line = broker.process().wait_for_stdout("(TLS)");
    let address = line.split(' ').nth(2).and_then(|word| word.parse::<SocketAddr>().ok());
    let listener = Listener::new(address.unwrap_or_else(|| panic!("{line}")).port(), authority);
    run_commands(&commands, fault, &broker, Some(&listener));
}

#[test]
fn a_connection_with_tls_that_is_cut() {
    run_all_with_tls(Fault::Cut);
}

#[test]
fn a_connection_with_tls_that_is_reset() {
    run_all_with_tls(Fault::Reset);
}

#[test]
fn a_connection_with_tls_that_stalls() {
    run_all_with_tls(Fault::Stall);
}

#[test]
fn a_connection_with_tls_that_is_half_open() {
    run_all_with_tls(Fault::HalfOpen);
}
