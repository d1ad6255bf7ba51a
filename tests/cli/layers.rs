//! One way on top of another, end to end: TLS and WebSocket, straight and through proxies, with mosquitto behind them.

use super::support::certificates::*;
use super::support::proxy::{Microsocks, start_http_proxy};
use super::support::*;
use std::net::{Ipv4Addr, SocketAddr};

/// mosquitto with TLS on two ports.
struct SecureMosquitto {
    broker: Mosquitto,
    /// The port for WebSockets.
    web_socket: SocketAddr,
    files: Files,
}

impl SecureMosquitto {
    /// With these lines for each of the ports. `None`, and a word about it, when mosquitto is not installed.
    fn start(configuration: &str) -> Option<SecureMosquitto> {
        let ca = authority("Test CA");
        let (server, ann) = (ca.issue(server_params()), ca.issue(for_clients(named("ann", &[]))));
        let files = [("ca.pem", ca.pem()), ("server.pem", server.pem()), ("server.key", server.key_pem())];
        let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
        let tls = format!(
            "cafile {{directory}}/ca.pem\ncertfile {{directory}}/server.pem\n\
             keyfile {{directory}}/server.key\n{configuration}"
        );
        let lines = format!("{tls}\nlistener {{port}} 127.0.0.1\nprotocol websockets\n{tls}");
        let broker = Mosquitto::start_with_files(&lines, &files)?;
        let web_socket = (Ipv4Addr::LOCALHOST, broker.further_port(0)).into();
        let files = [("ca.pem", ca.pem()), ("ann.pem", ann.pem()), ("ann.key", ann.key_pem())];
        Some(SecureMosquitto { broker, web_socket, files: Files::new(&files) })
    }

    /// URLs to both ports, each with a topic.
    fn urls(&self) -> [String; 2] {
        [format!("mqtts://{}/home/a", self.broker.address()), format!("wss://{}/home/a", self.web_socket)]
    }

    /// A message goes to the broker and comes back by the way that these options describe.
    #[track_caller]
    fn assert_messages_pass(&self, options: &str) {
        let options = self.files.words(&format!("--cafile {{}}/ca.pem {options}"));
        mq(&format!("pub -r -q 1 -s {options}")).stdin(options.as_str()).run().succeed();
        assert_eq!(mq(&format!("sub -q 1 -C 1 -v {options}")).run().succeed(), format!("home/a {options}\n"));
    }
}

#[test]
fn urls_choose_tls_with_and_without_web_socket() {
    let Some(broker) = SecureMosquitto::start("") else { return };
    for url in broker.urls() {
        broker.assert_messages_pass(&format!("-L {url}"));
        let stderr = mq(&format!("pub -m x -L {url} --tls-use-os-certs")).run().fail(1);
        assert_says(&stderr, &["127.0.0.1 is not trusted", "Test CA"]);
    }
    let (host, port) = (broker.web_socket.ip(), broker.web_socket.port());
    let options = broker.files.words(&format!("--cafile {{}}/ca.pem --ws -h {host} -p {port}"));
    mq(&format!("pub -t a -m x -q 2 {options}")).run().succeed();
}

#[test]
fn tls_and_web_socket_go_through_proxies() {
    let Some(broker) = SecureMosquitto::start("") else { return };
    let Some(socks) = Microsocks::start("") else { return };
    let http = start_http_proxy();
    for url in broker.urls() {
        for proxy in [format!("socks5h://{}", socks.address), format!("http://{http}")] {
            broker.assert_messages_pass(&format!("-L {url} --proxy {proxy}"));
        }
    }
}

#[test]
fn a_web_socket_goes_through_an_http_proxy() {
    let mut broker = mq("broker -p 0 --ws-port 0").spawn();
    let line = broker.wait_for_stdout("(WebSocket)");
    let address = line.split(' ').nth(2).unwrap();
    let place = format!("-L ws://{address}/a --proxy http://{}", start_http_proxy());
    mq(&format!("pub -m x -r -q 2 {place}")).run().succeed();
    assert_eq!(mq(&format!("sub -C 1 {place}")).run().succeed(), "x\n");
}

#[test]
fn client_certificates_are_shown_beneath_a_web_socket() {
    let Some(broker) = SecureMosquitto::start("require_certificate true") else { return };
    for url in broker.urls() {
        broker.assert_messages_pass(&format!("-L {url} --cert {{}}/ann.pem --key {{}}/ann.key"));
        let without = broker.files.words(&format!("pub -m x -q 1 --cafile {{}}/ca.pem -L {url}"));
        assert_says(&mq(&without).run().fail(1), &["certificate", "--cert"]);
    }
}
