//! `mq inspect --listen`: a proxy that changes nothing, and shows what passes.

use super::super::support::certificates::*;
use super::*;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How much goes each way where bytes are compared.
const MUCH: usize = 10 << 20;

/// How long nothing moves for a connection to count as stuck. Too short can only hide a fault, never invent one.
const QUIET: Duration = Duration::from_millis(200);

/// A proxy that listens.
pub(super) struct Proxy {
    pub(super) running: Running,
    address: SocketAddr,
}

impl Proxy {
    /// In front of this place, with these options.
    pub(super) fn start(to: &str, options: &str) -> Proxy {
        Proxy::spawn(mq("inspect --listen 0").words(&format!("--to {to} {options}")))
    }

    fn spawn(program: Program) -> Proxy {
        let mut running = program.spawn();
        let line = running.wait_for_stderr("");
        let address = listening_address(&line);
        Proxy { running, address }
    }

    /// Ends it by a signal, and returns its output.
    pub(super) fn stop(self) -> String {
        self.running.signal("INT");
        let finished = self.running.finish();
        finished.expect_status(130);
        String::from_utf8(finished.stdout).unwrap()
    }
}

impl Server for Proxy {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Both ends of a connection through a proxy, whose target is a bare listener.
fn ends(start: impl FnOnce(SocketAddr) -> Proxy) -> (Proxy, TcpStream, TcpStream) {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = start(target.local_addr().unwrap());
    let client = TcpStream::connect(proxy.address).unwrap();
    let (server, _) = target.accept().unwrap();
    for end in [&client, &server] {
        end.set_read_timeout(Some(DEADLINE)).unwrap();
        end.set_write_timeout(Some(DEADLINE)).unwrap();
    }
    (proxy, client, server)
}

fn plain(target: SocketAddr) -> Proxy {
    Proxy::start(&target.to_string(), "--stats")
}

fn garbage(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(MUCH).collect()
}

/// PUBLISH packets of all sizes.
fn packets_of_all_sizes(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = Vec::new();
    while bytes.len() < MUCH {
        let size = 1 << random.usize(0..17);
        let payload: String = std::iter::repeat_with(|| random.alphanumeric()).take(size).collect();
        bytes.extend(bytes::hex(&format!("30 (`a/{}` '{payload}')", random.u16(..))));
    }
    bytes
}

/// Sends these bytes both ways at once, and expects them at the other end.
#[track_caller]
fn assert_both_ways(client: &TcpStream, server: &TcpStream, up: Vec<u8>, down: Vec<u8>) {
    let sender = |stream: &TcpStream, bytes: Vec<u8>| {
        let mut stream = stream.try_clone().unwrap();
        thread::spawn(move || stream.write_all(&bytes).unwrap())
    };
    let receiver = |stream: &TcpStream, expected: Vec<u8>| {
        let mut stream = stream.try_clone().unwrap();
        thread::spawn(move || {
            let mut received = vec![0; expected.len()];
            stream.read_exact(&mut received).unwrap();
            received == expected
        })
    };
    let threads = [receiver(server, up.clone()), receiver(client, down.clone())];
    let senders = [sender(client, up), sender(server, down)];
    senders.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [true, true], "all bytes arrive unchanged");
}

#[test]
fn packets_pass_unchanged() {
    let (proxy, client, server) = ends(plain);
    assert_both_ways(&client, &server, packets_of_all_sizes(1), packets_of_all_sizes(2));
    assert_says(&proxy.stop(), &["PUBLISH"]);
}

#[test]
fn garbage_passes_unchanged() {
    let (_proxy, client, server) = ends(plain);
    assert_both_ways(&client, &server, garbage(3), garbage(4));
}

#[test]
fn bytes_pass_unchanged_through_tls_and_web_socket_on_either_side() {
    let certificate = server_certificate();
    for scheme in ["mqtts", "ws", "wss"] {
        let mut second = None;
        let (_proxy, client, server) = ends(|target| {
            let behind =
                Proxy::spawn(listening(&certificate, scheme).words(&format!("--to {target} --stats")));
            let to = format!("{scheme}://localhost:{}", behind.address.port());
            second = Some(behind);
            let trust = if scheme == "ws" { String::new() } else { certificate.words("--cafile {}/ca.pem") };
            Proxy::start(&to, &format!("--stats {trust}"))
        });
        assert_both_ways(&client, &server, garbage(5), packets_of_all_sizes(6));
    }
}

fn server_certificate() -> Files {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    Files::new(&[("ca.pem", ca.pem()), ("cert.pem", server.pem()), ("key.pem", server.key_pem())])
}

fn listening(certificate: &Files, scheme: &str) -> Program {
    let shown = if scheme == "ws" {
        String::new()
    } else {
        certificate.words("--listen-cert {}/cert.pem --listen-key {}/key.pem")
    };
    mq("inspect").words(&format!("--listen {scheme}://127.0.0.1:0 {shown}"))
}

#[test]
fn clients_come_by_tls_and_web_socket() {
    let certificate = server_certificate();
    let broker = EmbeddedBroker::start();
    for (scheme, how) in [("mqtts", "over TLS"), ("ws", "over WebSocket"), ("wss", "over secure WebSocket")] {
        let program = listening(&certificate, scheme).words(&format!("--to {}", broker.address()));
        let proxy = Proxy::spawn(program);
        let url = format!("{scheme}://localhost:{}/a/b", proxy.address.port());
        let trust = if scheme == "ws" { String::new() } else { certificate.words("--cafile {}/ca.pem") };
        mq(&format!("pub -L {url} -m {scheme} -q 2 {trust}")).run().succeed();
        let shown = proxy.stop();
        assert_says(&shown, &[how, "CONNECT ", "\"a/b\" QoS 2", "PUBCOMP", "DISCONNECT"]);
    }
}

#[test]
fn the_end_of_one_direction_leaves_the_other_open() {
    let certificate = server_certificate();
    for is_secure in [false, true] {
        let mut second = None;
        let (_proxy, mut client, mut server) = ends(|target| {
            if !is_secure {
                return plain(target);
            }
            let behind = Proxy::spawn(listening(&certificate, "mqtts").words(&format!("--to {target}")));
            let to = format!("mqtts://localhost:{}", behind.address.port());
            second = Some(behind);
            Proxy::start(&to, &certificate.words("--cafile {}/ca.pem"))
        });
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).unwrap();
        server.write_all(b"answer").unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!((question.as_str(), answer.as_str()), ("question", "answer"), "TLS: {is_secure}");
    }
}

#[test]
fn a_reset_is_passed_on() {
    let (mut proxy, mut client, server) = ends(|target| Proxy::start(&target.to_string(), ""));
    client.write_all(b"x").unwrap();
    server.peek(&mut [0]).unwrap();
    drop(server); // with a byte that was not read, which resets the connection
    let failure = client.read(&mut [0]).unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::ConnectionReset);
    proxy.running.wait_for_stdout("reset");
}

/// Sends until nothing is taken any more; gives how much was.
fn fill(stream: &mut TcpStream, most: usize) -> usize {
    stream.set_nonblocking(true).unwrap();
    let chunk = [0; 64 * 1024];
    let (mut sent, mut last) = (0, Instant::now());
    while last.elapsed() < QUIET && sent < most {
        match stream.write(&chunk) {
            Ok(count) => (sent, last) = (sent + count, Instant::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    sent
}

#[test]
fn a_slow_reader_slows_the_sender() {
    let most = 256 << 20;
    let (proxy, mut client, mut server) = ends(plain);
    let sent = fill(&mut client, most);
    assert!(sent < most, "the proxy took {sent} bytes that nobody read");
    #[cfg(target_os = "linux")]
    assert!(proxy.running.peak_memory() < 64 << 20, "{} bytes", proxy.running.peak_memory());
    client.shutdown(Shutdown::Write).unwrap();
    let received = std::io::copy(&mut server, &mut std::io::sink()).unwrap();
    assert_eq!(received, sent as u64);
}

#[test]
fn a_target_that_is_down_closes_the_connection_and_is_reported() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut proxy = Proxy::start(&free.to_string(), "");
    proxy.connect().expect_end();
    let line = proxy.running.wait_for_stderr("closed the connection");
    assert_says(
        &line,
        &[&format!("cannot connect to {free}"), "refused", "closed the connection from 127.0.0.1:"],
    );
    // And it goes on.
    let broker = TcpListener::bind(free).unwrap();
    let _client = TcpStream::connect(proxy.address).unwrap();
    broker.accept().unwrap();
}

/// The report of a proxy whose target is here, after three clients.
fn diagnosis_in_front_of(target: &str, options: &str) -> Value {
    let mut proxy = Proxy::start(target, &format!("--diagnose --format json {options}"));
    for _ in 0..3 {
        proxy.connect().expect_end();
        proxy.running.wait_for_stderr("closed the connection");
    }
    objects(&proxy.stop()).remove(0)
}

#[test]
fn a_target_that_refuses_connections_is_a_problem_of_the_diagnosis() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = diagnosis_in_front_of(&free.to_string(), "");
    let problem = &report["problems"][0];
    assert_eq!((&problem["kind"], &problem["count"]), (&"tcp_refused".into(), &3.into()), "{report:#}");
    assert_says(problem["text"].as_str().unwrap(), &[&format!("{free} refused the TCP connection")]);
    assert_eq!(report["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn a_target_without_tls_is_a_problem_of_the_diagnosis() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = target.local_addr().unwrap();
    // It closes every connection.
    thread::spawn(move || target.incoming().for_each(drop));
    let report = diagnosis_in_front_of(&format!("mqtts://{address}"), "");
    let problem = &report["problems"][0];
    assert_eq!(problem["kind"], "server_unreachable", "{report:#}");
    assert_says(problem["text"].as_str().unwrap(), &["the proxy could not connect to the server"]);
    assert_eq!(problem.get("filter"), None, "there are no packets");
}

#[test]
fn a_proxy_in_front_of_itself_is_reported() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut proxy = Proxy::spawn(mq(&format!("inspect --listen {free} --to {free}")));
    proxy.connect().expect_end();
    proxy.running.wait_for_stderr("--to leads back to --listen");
}

#[test]
fn the_traffic_is_shown_packet_by_packet() {
    on_each_broker(|broker| {
        let proxy = Proxy::start(&broker.address().to_string(), "--format json");
        proxy.mq("pub -t a/b -m hello -q 1 -V 5").run().succeed();
        let all = objects(&proxy.stop());
        assert_eq!(all[0]["event"], "opened", "{all:?}");
        assert_eq!(all[0]["server"], broker.address().to_string());
        let types: Vec<&str> =
            all.iter().filter_map(|object| object.get("type").and_then(Value::as_str)).collect();
        assert_eq!(types, ["CONNECT", "CONNACK", "PUBLISH", "PUBACK", "DISCONNECT"]);
        assert_eq!(all.last().unwrap()["event"], "closed");
    });
}

#[test]
fn filters_and_statistics_work_as_on_captures() {
    let broker = EmbeddedBroker::start();
    let filtered = Proxy::start(&broker.address().to_string(), "--filter type=PUBLISH");
    filtered.mq("pub -t a -m one -q 1").run().succeed();
    let shown = filtered.stop();
    assert_eq!(shown.lines().count(), 1, "{shown}");
    let counted = Proxy::start(&broker.address().to_string(), "--stats --format json");
    counted.mq("pub -t a -m one -q 1").run().succeed();
    assert_says(&counted.stop(), &["PUBLISH"]);
}

#[test]
fn hundreds_of_connections_pass_at_once() {
    let broker = EmbeddedBroker::start();
    let proxy = Proxy::start(&broker.address().to_string(), "--filter type=PINGREQ");
    let mut clients: Vec<Wire> =
        (0..200).map(|number| Wire::v311(&proxy, &format!("client-{number}"))).collect();
    for client in &mut clients {
        client.ping();
    }
    let shown = proxy.stop();
    assert_eq!(shown.lines().count(), 200, "{shown}");
    for mut client in clients {
        client.expect_end();
    }
}

#[test]
fn a_signal_ends_it_with_all_that_it_has_seen() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let broker = EmbeddedBroker::start();
        let proxy = Proxy::start(&broker.address().to_string(), "");
        let mut client = Wire::v311(&proxy, "client");
        proxy.running.signal(signal);
        client.expect_end();
        let finished = proxy.running.finish();
        finished.expect_status(status);
        assert_says(&String::from_utf8(finished.stdout).unwrap(), &["CONNECT ", "CONNACK"]);
    }
}

#[test]
fn output_that_nobody_takes_does_not_stop_the_traffic() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = target.local_addr().unwrap();
    let mut proxy = Proxy::spawn(mq(&format!("inspect --listen 0 --to {to}")).holding_stdout());
    let mut client = TcpStream::connect(proxy.address).unwrap();
    let (mut server, _) = target.accept().unwrap();
    let bytes = bytes::hex("30 (`a/b` 'some payload')").repeat(2 << 20);
    let size = bytes.len() as u64;
    let sender = thread::spawn(move || {
        client.write_all(&bytes).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    });
    assert_eq!(std::io::copy(&mut server, &mut std::io::sink()).unwrap(), size);
    sender.join().unwrap();
    #[cfg(target_os = "linux")]
    assert!(proxy.running.peak_memory() < 128 << 20, "{} bytes", proxy.running.peak_memory());
    proxy.running.signal("INT");
    proxy.running.wait_for_stderr("were forwarded but not shown");
    proxy.running.wait_for_end();
}

#[test]
fn output_that_is_closed_ends_it_quietly() {
    let broker = EmbeddedBroker::start();
    let proxy =
        Proxy::spawn(mq(&format!("inspect --listen 0 --to {}", broker.address())).closing_stdout_after(1));
    // There has to be something to show after it was closed.
    let mut publisher = proxy.mq("pub -t a -m x --repeat 100000000").spawn();
    let finished = proxy.running.finish();
    publisher.kill();
    assert_eq!((finished.status, finished.stderr.lines().count()), (0, 1), "{}", finished.stderr);
}

#[test]
fn invalid_options_are_refused_before_it_listens() {
    let files = server_certificate();
    for (options, parts) in [
        ("--listen 0", "--to"),
        ("--to localhost", "--listen"),
        ("--listen nowhere --to localhost", "ADDR:PORT"),
        (
            "--listen http://127.0.0.1:80 --to localhost",
            "expected one of the schemes mqtt, mqtts, ws, wss and udp",
        ),
        ("--listen mqtts://0 --to localhost", "--listen-cert"),
        ("--listen 0 --to localhost --listen-cert {}/cert.pem --listen-key {}/key.pem", "needs TLS"),
        ("--listen 0 --to mqtt://ann:secret@localhost", "leave USER:PASSWORD@ out"),
        ("--listen 0 --to mqtt://localhost/a/b", "leave the path out"),
        ("--listen 0 --to localhost:x", "port"),
        ("--listen 0 --to localhost -u ann", "--username cannot be used with --listen"),
        ("--listen 0 --to localhost -h localhost", "cannot be used with"),
        ("--listen 0 --to localhost -t a", "cannot be used with"),
        ("/nonexistent --cafile x", "--cafile needs a client"),
    ] {
        let stderr = mq("inspect").words(&files.words(options)).run().fail(2);
        assert_says(&stderr, &[parts]);
        assert!(!stderr.contains("secret") && !stderr.contains("listening on"), "{stderr}");
    }
    let options = "--listen mqtts://0 --to localhost --listen-cert {}/cert.pem --listen-key {}/cert.pem";
    assert_says(
        &mq("inspect").words(&files.words(options)).run().fail(1),
        &["--listen-key", "not a private key"],
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = format!("inspect --to localhost --listen {}", taken.local_addr().unwrap());
    assert_says(&mq(&options).run().fail(1), &["cannot listen on 127.0.0.1:", "in use"]);
}

/// What tshark says of a capture, a line for each packet of MQTT; `None`, and a word about it, where it is not installed.
fn tshark(capture: &Path, port: u16) -> Option<String> {
    let program = Program::new(broker::find("tshark")?).arg("-r").arg(capture);
    let fields = "-Y mqtt -T fields -E occurrence=a -e mqtt.msgtype -e tcp.analysis.flags -e _ws.malformed";
    let port = format!("tcp.port=={port},mqtt");
    Some(program.words(fields).arg("-d").arg(port).run().succeed())
}

#[test]
fn the_traffic_can_be_written_as_a_capture() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("out.pcapng");
    let certificate = server_certificate();
    let broker = EmbeddedBroker::start();
    let program = listening(&certificate, "wss").words(&format!("--format json --to {}", broker.address()));
    let proxy = Proxy::spawn(program.arg("--write").arg(&file));
    let url = format!("wss://localhost:{}/a/b", proxy.address.port());
    let trust = certificate.words("--cafile {}/ca.pem");
    let payload = "0123456789".repeat(20_000);
    mq(&format!("pub -L {url} -s -q 2 -V 5 {trust}")).stdin(payload).run().succeed();
    let shown = objects(&proxy.stop());
    let read = objects(&mq("inspect --format json").arg(&file).run().succeed());
    let of_packets = |objects: &[Value]| {
        let keys = ["type", "direction", "length", "time"];
        let packets = objects.iter().filter(|object| object["event"] == "packet");
        packets.map(|packet| keys.map(|key| packet[key].clone())).collect::<Vec<_>>()
    };
    assert_eq!(of_packets(&shown).len(), 7, "{shown:?}");
    assert_eq!(of_packets(&read), of_packets(&shown));
    assert_eq!(read[0]["client"], shown[0]["client"]);
    assert_eq!(read[0]["server"], broker.address().to_string());
    if let Some(lines) = tshark(&file, broker.address().port()) {
        let types: Vec<&str> = lines.lines().map(str::trim).collect();
        assert_eq!(types, ["1", "2", "3", "5", "6", "7", "14"], "nothing malformed, nothing missing");
    }
}

#[test]
fn a_capture_can_be_written_as_plain_mqtt() {
    for name in ["12-live-websocket.pcap", "13-live-60-connections.pcap", "24-craft-capture-gap.pcap"] {
        let directory = tempfile::TempDir::new().unwrap();
        let file = directory.path().join("out.pcapng");
        let shown =
            objects(&mq("inspect --format json").arg(corpus(name)).arg("--write").arg(&file).run().succeed());
        let read = objects(&mq("inspect --format json").arg(&file).run().succeed());
        let of_packets = |objects: &[Value]| {
            let keys = ["type", "direction", "length", "time"];
            let packets =
                objects.iter().filter(|object| object["event"] == "packet" || object["event"] == "gap");
            packets.map(|packet| keys.map(|key| packet[key].clone())).collect::<Vec<_>>()
        };
        assert_eq!(of_packets(&read), of_packets(&shown), "{name}");
    }
    let name = corpus("24-craft-capture-gap.pcap");
    let own = mq("inspect").arg(&name).arg("--write").arg(&name).run();
    assert_says(&own.fail(2), &["the capture itself"]);
    assert!(std::fs::metadata(&name).unwrap().len() > 0, "nothing was written to it");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_the_writing_and_not_the_forwarding() {
    let broker = EmbeddedBroker::start();
    let proxy = Proxy::start(&broker.address().to_string(), "--write /dev/full");
    for _ in 0..2 {
        proxy.mq("pub -t a -m x -q 1").run().succeed();
    }
    proxy.running.signal("INT");
    let finished = proxy.running.finish();
    let shown = String::from_utf8(finished.stdout.clone()).unwrap();
    assert_eq!(shown.matches("PUBACK").count(), 2, "{shown}");
    assert_eq!(finished.stderr.matches("cannot write /dev/full").count(), 1, "{}", finished.stderr);
    finished.expect_status(1);
}

#[test]
fn a_client_that_refuses_the_certificate_is_reported_in_plain_words() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[
        ("other.pem", authority("Other CA").pem()),
        ("server.pem", server.pem()),
        ("server.key", server.key_pem()),
    ]);
    let broker = EmbeddedBroker::start();
    let options = "--listen mqtts://127.0.0.1:0 --listen-cert {}/server.pem --listen-key {}/server.key";
    let line = format!("inspect {options} --to {}", broker.address());
    let mut proxy = Proxy::spawn(mq(&files.words(&line)));
    proxy.mq(&files.words("pub -t a -m x --cafile {}/other.pem")).run().fail(1);
    proxy.running.wait_for_stderr(
        "the client rejected our certificate: it does not know the issuer (TLS alert unknown ca)",
    );
}
