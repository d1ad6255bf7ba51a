//! SRV records, from a name server of the test's own. It needs port 53 of a loopback address and a `/etc/resolv.conf` of its
//! own, which only root may have; skipped elsewhere.

use super::support::*;
use std::io::Write;
use std::net::UdpSocket;
use std::process::Command;
use std::thread;
use tempfile::TempDir;

/// A name server, and a file that leads to it.
struct NameServer {
    resolv_conf: TempDir,
    script: thread::JoinHandle<()>,
}

impl NameServer {
    /// Answers one question, which must be for the SRV records of this name, with these answers in hexadecimal. `None`, and a
    /// word about it, where it is not allowed.
    fn start(address: &str, name: &'static str, code: u8, answers: Vec<String>) -> Option<NameServer> {
        let is_allowed =
            Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
        let socket = UdpSocket::bind((address, 53)).ok().filter(|_| is_allowed);
        let Some(socket) = socket else {
            let test = thread::current().name().unwrap_or_default().to_owned();
            let _ = writeln!(std::io::stderr(), "skipped: {test}, which only root may run");
            return None;
        };
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let resolv_conf = TempDir::new().unwrap();
        std::fs::write(resolv_conf.path().join("resolv.conf"), format!("nameserver {address}\n")).unwrap();
        let script = thread::spawn(move || {
            let mut question = [0; 512];
            let (size, client) = socket.recv_from(&mut question).expect("a question");
            let asked = [encoded(name), bytes::hex("0021 0001")].concat();
            assert!(
                question[12..size].to_ascii_lowercase().starts_with(&asked),
                "{}",
                question[..size].escape_ascii()
            );
            let header = format!("81{:02x} 0001 {:04x} 0000 0000", 0x80 | code, answers.len());
            let answers: Vec<u8> = answers.iter().flat_map(|answer| bytes::hex(answer)).collect();
            let answer = [&question[..2], &bytes::hex(&header), &asked, &answers].concat();
            socket.send_to(&answer, client).unwrap();
        });
        Some(NameServer { resolv_conf, script })
    }

    fn mq(&self, words: &str) -> Program {
        let program = mq_path();
        let file = self.resolv_conf.path().join("resolv.conf");
        let script = format!("mount --bind {} /etc/resolv.conf && exec {program} {words}", file.display());
        Program::new("unshare").words("-m sh -c").arg(script)
    }
}

/// A name as it is in a packet.
fn encoded(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
}

/// A record of the name that was asked for.
fn record(priority: u16, port: u16, target: &str) -> String {
    let target: String = encoded(target).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("c00c 0021 0001 0000003c {:04x} {priority:04x} 0000 {port:04x} {target}", 6 + target.len() / 2)
}

#[test]
fn the_servers_of_a_name_are_tried_in_their_order() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let peer = ScriptedPeer::start(|peer| drop(peer.accept_v311().expect_publish()));
    let answers = vec![record(20, peer.address().port(), "127.0.0.1"), record(10, free.port(), "127.0.0.1")];
    let server = NameServer::start("127.53.1.1", "_mqtt._tcp.example.test", 0, answers);
    let Some(server) = server else {
        mq("pub -t a -m x").words(&peer.options()).run().succeed();
        return;
    };
    server.mq("pub -S -h example.test -p 9 -t a -m x").run().succeed();
    server.script.join().unwrap();
    peer.finish();
}

#[test]
fn a_name_without_servers_is_reported() {
    for (address, code, answers, parts) in [
        ("127.53.1.2", 3, vec![], ["_mqtt._tcp.example.test", "does not exist"]),
        ("127.53.1.3", 0, vec![], ["no SRV record for _mqtt._tcp.example.test", "-S"]),
        ("127.53.1.4", 0, vec![record(0, 0, "")], ["_mqtt._tcp.example.test", "no such server"]),
    ] {
        let Some(server) = NameServer::start(address, "_mqtt._tcp.example.test", code, answers) else {
            return;
        };
        assert_says(&server.mq("pub -S -h example.test -t a -m x").run().fail(1), &parts);
        server.script.join().unwrap();
    }
}

#[test]
fn with_tls_other_records_are_asked_for() {
    let server = NameServer::start("127.53.1.5", "_secure-mqtt._tcp.example.test", 3, vec![]);
    let Some(server) = server else { return };
    let stderr = server.mq("pub -S -h example.test -t a -m x --insecure").run().fail(1);
    assert_says(&stderr, &["_secure-mqtt._tcp.example.test"]);
    server.script.join().unwrap();
}

#[test]
fn a_certificate_has_to_be_for_the_name_that_was_typed() {
    use certificates::*;
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    for (address, name, status) in [("127.53.1.8", "example.test", 0), ("127.53.1.9", "127.0.0.1", 1)] {
        let peer = TlsPeer::start(&[&ca.issue(named(name, &[name]))]);
        let answers = vec![record(0, peer.address().port(), "127.0.0.1")];
        let server = NameServer::start(address, "_secure-mqtt._tcp.example.test", 0, answers);
        let Some(server) = server else {
            mq("pub -t a -m x --insecure").words(&peer.options()).run().succeed();
            return;
        };
        let line = files.words("pub -S -h example.test -t a -m x --cafile {}/ca.pem");
        let finished = server.mq(&line).run();
        finished.expect_status(status);
        assert!(status == 0 || finished.stderr.contains("not for example.test"), "{}", finished.stderr);
        server.script.join().unwrap();
        peer.finish();
    }
}

#[test]
fn a_name_server_that_does_not_answer_is_given_up() {
    let Some(server) = NameServer::start("127.53.1.6", "_mqtt._tcp.example.test", 0, vec![]) else { return };
    let file = server.resolv_conf.path().join("resolv.conf");
    std::fs::write(file, "nameserver 127.53.1.7\n").unwrap();
    let stderr = server.mq("pub -S -h example.test -t a -m x --connect-timeout 2").run().fail(1);
    assert_says(&stderr, &["_mqtt._tcp.example.test"]);
    // The script is left waiting; it ends with the process.
}
