//! `mq broker --cert`: TLS with and without WebSocket, client certificates, and hostile handshakes.

use crate::support::certificates::*;
use crate::support::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A broker with TLS, and the files of its certificate: `ca.pem`, `cert.pem`, `key.pem`.
struct TlsBroker {
    files: Files,
    running: Running,
}

fn certificate_files() -> (Files, Certificate) {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = [("ca.pem", ca.pem()), ("cert.pem", server.pem()), ("key.pem", server.key_pem())];
    (Files::new(&files), ca)
}

impl TlsBroker {
    fn start(options: &str) -> TlsBroker {
        TlsBroker::start_with(certificate_files().0, options)
    }

    fn start_with(files: Files, options: &str) -> TlsBroker {
        let words = files.words(&format!("broker --cert {{}}/cert.pem --key {{}}/key.pem {options}"));
        TlsBroker { running: mq(&words).spawn(), files }
    }

    /// The address in the line for this port: `(TLS)` or `(WebSocket over TLS)`.
    fn address(&mut self, port: &str) -> SocketAddr {
        let line = self.running.wait_for_stdout(port);
        line.split(' ').nth(2).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    }

    fn tls(&mut self) -> TlsAddress {
        TlsAddress { address: self.address("(TLS)"), ca: self.files.words("{}/ca.pem") }
    }
}

/// A TLS port, and the authority of its certificate.
struct TlsAddress {
    address: SocketAddr,
    ca: String,
}

impl TlsAddress {
    fn mq(&self, words: &str) -> Program {
        let (port, ca) = (self.address.port(), &self.ca);
        mq(&format!("{words} -h localhost -p {port} --cafile {ca}"))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }
}

/// Reads until the end, which may be a reset.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn clients_of_all_versions_speak_tls() {
    let mut broker = TlsBroker::start("--tls-port 0");
    let tls = broker.tls();
    for version in ["31", "311", "5"] {
        for tls_version in ["tlsv1.2", "tlsv1.3"] {
            let options = format!("-V {version} --tls-version {tls_version}");
            tls.mq(&format!("pub -t a -m {tls_version} -q 2 -r {options}")).run().succeed();
            assert_eq!(
                tls.mq(&format!("sub -t a -C 1 {options}")).run().succeed(),
                format!("{tls_version}\n")
            );
        }
    }
    let Some(program) = broker::find("mosquitto_pub") else { return };
    let words = format!("-h localhost -p {} --cafile {} -t b -m x -q 1 -r", tls.address.port(), tls.ca);
    Program::new(program).words(&words).run().succeed();
    assert_eq!(tls.mq("sub -t b -C 1").run().succeed(), "x\n");
}

#[test]
fn large_messages_pass_in_both_directions() {
    let mut broker = TlsBroker::start("--tls-port 0 --wss-port 0");
    let large = "x".repeat(3_000_000);
    let tls = broker.tls();
    let wss =
        format!("-L wss://localhost:{} --cafile {}", broker.address("(WebSocket over TLS)").port(), tls.ca);
    tls.mq("pub -t a -s -q 1 -r").stdin(large.clone()).run().succeed();
    assert_eq!(mq(&format!("sub {wss} -t a -C 1")).run().succeed(), format!("{large}\n"));
    mq(&format!("pub {wss} -t b -s -q 1 -r")).stdin(large.clone()).run().succeed();
    assert_eq!(tls.mq("sub -t b -C 1").run().succeed(), format!("{large}\n"));
}

#[test]
fn a_web_socket_over_tls_is_a_port_of_its_own() {
    let mut broker = TlsBroker::start("--wss-port 0 -p 0");
    let plain = broker.running.wait_for_stdout("listening");
    let wss = broker.address("(WebSocket over TLS)").port();
    let ca = broker.files.words("{}/ca.pem");
    mq(&format!("pub -L wss://localhost:{wss} -t a -m x -q 1 -r --cafile {ca}")).run().succeed();
    let port = plain.trim_end().rsplit(':').next().unwrap().to_owned();
    assert_eq!(mq(&format!("sub -h 127.0.0.1 -p {port} -t a -C 1")).run().succeed(), "x\n");
}

#[test]
fn with_a_certificate_only_tls_is_offered_unless_a_port_asks_for_more() {
    let mut broker = TlsBroker::start("--tls-port 0");
    let line = broker.running.wait_for_stdout("listening");
    assert_says(&line, &["(TLS)"]);
    broker.running.signal("TERM");
    let stdout = String::from_utf8(broker.running.finish().stdout).unwrap();
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    let stderr = TlsBroker::start("--tls-port 0 --sn-port 0").running.finish();
    assert_says(&stderr.fail(2), &["--sn-port needs -p PORT or --unix PATH"]);
}

#[test]
fn client_certificates_are_demanded_and_checked() {
    let (files, ca) = certificate_files();
    let other = authority("Other CA");
    let client = |ca: &Certificate, name: &str| ca.issue(for_clients(named(name, &[])));
    let (good, bad) = (client(&ca, "good"), client(&other, "bad"));
    for (name, certificate) in [("good", &good), ("bad", &bad)] {
        std::fs::write(files.path(&format!("{name}.pem")), certificate.pem() + &certificate.key_pem())
            .unwrap();
    }
    let ca_file = files.words("{}/ca.pem");
    let mut broker = TlsBroker::start_with(files, &format!("--tls-port 0 --cafile {ca_file} -v"));
    let tls = broker.tls();
    for version in ["tlsv1.2", "tlsv1.3"] {
        let own = |name: &str| broker.files.words(&format!("--cert {{}}/{name}.pem --key {{}}/{name}.pem"));
        let publish = format!("pub -t a -m x --tls-version {version}");
        tls.mq(&format!("{publish} {}", own("good"))).run().succeed();
        assert_ne!(tls.mq(&format!("{publish} {}", own("bad"))).run().status, 0);
        assert_ne!(tls.mq(&publish).run().status, 0);
    }
}

#[test]
fn the_log_says_why_a_client_was_refused() {
    let (files, ca) = certificate_files();
    let other = authority("Other CA");
    for (name, certificate) in [
        ("bad", other.issue(for_clients(named("bad", &[])))),
        ("old", ca.issue(between((2001, 2002), for_clients(named("old", &[]))))),
        ("server", ca.issue(for_servers(named("server", &[])))),
        ("authority", ca.issue(authority_params("authority"))),
    ] {
        std::fs::write(files.path(&format!("{name}.pem")), certificate.pem() + &certificate.key_pem())
            .unwrap();
    }
    std::fs::write(files.path("other.pem"), other.pem()).unwrap();
    let ca_file = files.words("{}/ca.pem");
    let mut broker = TlsBroker::start_with(files, &format!("--tls-port 0 -p 0 --cafile {ca_file} -v"));
    let line = broker.running.wait_for_stdout("listening");
    let plain = line.trim_end().rsplit(':').next().unwrap();
    let tls = broker.tls();
    let own = |name: &str| broker.files.words(&format!("--cert {{}}/{name}.pem --key {{}}/{name}.pem"));
    for (options, reason) in [
        (String::new(), "the client presented no certificate, which is required here"),
        (own("bad"), "the certificate of the client has an unknown issuer"),
        (own("old"), "the certificate of the client has expired"),
        (
            own("server"),
            "the certificate of the client is not meant for clients: its extended key usage has serverAuth, and not \
             clientAuth",
        ),
        (
            own("authority"),
            "the certificate of the client is that of an authority (CA:TRUE); expected one of a client: CA:FALSE, \
             and an extended key usage, if there is one, with clientAuth",
        ),
    ] {
        assert_ne!(tls.mq(&format!("pub -t a -m x {options}")).run().status, 0);
        broker.running.wait_for_stderr(reason);
    }
    let ca = broker.files.words("{}/other.pem");
    TlsAddress { ca, address: tls.address }.mq("pub -t a -m x").run().fail(1);
    broker.running.wait_for_stderr("the client rejected our certificate: it does not know the issuer");
    assert_ne!(mq(&format!("pub -h 127.0.0.1 -p {} -t a -m x", tls.address.port())).run().status, 0);
    broker.running.wait_for_stderr("the client speaks MQTT without TLS, and this port is for TLS");
    assert_ne!(mq(&format!("pub -h localhost -p {plain} --cafile {ca_file} -t a -m x")).run().status, 0);
    broker.running.wait_for_stderr("the client speaks TLS, and this port is without TLS");
    let mut stream = tls.connect();
    // ClientHello of TLS 1.0, with one cipher suite and one signature algorithm.
    let hello = format!(
        "16 0301 0037 01 000033 0301 {} 00 0002 002f 01 00 0008 000d 0004 0002 0403",
        "00".repeat(32)
    );
    stream.write_all(&bytes::hex(&hello)).unwrap();
    read_to_end(&mut stream);
    broker.running.wait_for_stderr("the client offers neither TLS 1.2 nor TLS 1.3");
}

#[test]
fn a_file_of_authorities_without_one_is_rejected() {
    let (files, ca) = certificate_files();
    std::fs::write(files.path("leaf.pem"), ca.issue(for_clients(named("x", &[]))).pem()).unwrap();
    let leaf = files.words("{}/leaf.pem");
    let stderr =
        TlsBroker::start_with(files, &format!("--tls-port 0 --cafile {leaf}")).running.finish().fail(1);
    assert_says(&stderr, &["--cafile", "leaf.pem", "no certificate of an authority"]);
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_named() {
    let (files, ca) = certificate_files();
    let other = ca.issue(server_params());
    for (name, content) in [
        ("other.key", other.key_pem()),
        ("empty.pem", String::new()),
        ("locked.key", other.encrypted_key_pem("xyzzy")),
        ("wrong.txt", "no\n".to_owned()),
    ] {
        std::fs::write(files.path(name), content).unwrap();
    }
    let Some(setsid) = broker::find("setsid") else { return };
    for (options, status, parts) in [
        ("--cert {}/none.pem --key {}/key.pem", 1, ["--cert", "none.pem: cannot be read"]),
        ("--cert {}/empty.pem --key {}/key.pem", 1, ["--cert", "the file is empty"]),
        ("--cert {}/key.pem --key {}/key.pem", 1, ["--cert", "private key but not a certificate"]),
        ("--cert {}/cert.pem --key {}/cert.pem", 1, ["--key", "certificate but not a private key"]),
        (
            "--cert {}/cert.pem --key {}/other.key",
            1,
            ["--key", "does not match the certificate CN=localhost"],
        ),
        ("--cert {}/cert.pem --key {}/locked.key", 1, ["--key", "the key is encrypted"]),
        (
            "--cert {}/cert.pem --key {}/locked.key --key-password-file {}/wrong.txt",
            1,
            ["--key", "password of the key is wrong"],
        ),
        ("--cert {}/cert.pem --key {}/key.pem --cafile {}/wrong.txt", 1, ["--cafile", "no certificate"]),
        ("--cert {}/cert.pem", 2, ["missing", "--key FILE"]),
        ("--tls-port 0", 2, ["missing", "--cert FILE"]),
        ("--cafile {}/ca.pem", 2, ["missing", "--cert FILE"]),
    ] {
        let words = files.words(&format!("broker -p 0 {options}"));
        let program = Program::new(&setsid).words("-w").arg(mq_path()).words(&words);
        assert_says(&program.run().fail(status), &parts);
    }
}

#[test]
fn an_encrypted_key_is_opened_like_that_of_a_client() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = || {
        Files::new(&[
            ("ca.pem", ca.pem()),
            ("cert.pem", server.pem()),
            ("key.pem", server.encrypted_key_pem("xyzzy")),
            ("password", "xyzzy\n".to_owned()),
        ])
    };
    let of_file = files();
    let password = of_file.words("--tls-port 0 --key-password-file {}/password");
    let mut broker = TlsBroker::start_with(of_file, &password);
    broker.tls().mq("pub -t a -m x").run().succeed();
    let of_variable = files();
    let words = of_variable.words("broker --cert {}/cert.pem --key {}/key.pem --tls-port 0");
    let running = mq(&words).env("MQ_KEY_PASSWORD", "xyzzy").spawn();
    let mut broker = TlsBroker { files: of_variable, running };
    broker.tls().mq("pub -t a -m x").run().succeed();
    let of_terminal = files();
    let words = of_terminal.words("broker --cert {}/cert.pem --key {}/key.pem --tls-port 0 -v");
    let Some(mut running) = on_a_terminal(&format!("{} {words}", mq_path())) else { return };
    running.wait_for_part_of_stdout("password of ");
    running.write("xyzzy\r");
    let line = running.wait_for_stdout("(TLS)");
    assert!(!line.contains("xyzzy"), "{line}");
    // The end of the terminal would only reload its files.
    running.write("\x03");
    running.finish();
}

#[test]
fn a_signal_reloads_the_certificate_and_a_broken_one_changes_nothing() {
    let mut broker = TlsBroker::start("--tls-port 0");
    let tls = broker.tls();
    tls.mq("pub -t a -m x").run().succeed();
    std::fs::write(broker.files.path("cert.pem"), "broken").unwrap();
    broker.running.signal("HUP");
    assert_says(&broker.running.wait_for_stderr("--cert"), &["cert.pem", "no certificate"]);
    assert_says(
        &broker.running.wait_for_stderr("unchanged"),
        &["the certificate is unchanged: CN=localhost"],
    );
    tls.mq("pub -t a -m x").run().succeed();
    let new = authority("New CA");
    let server = new.issue(server_params());
    std::fs::write(broker.files.path("new.pem"), new.pem()).unwrap();
    std::fs::write(broker.files.path("cert.pem"), server.pem()).unwrap();
    std::fs::write(broker.files.path("key.pem"), server.key_pem()).unwrap();
    let mut connected = tls.mq("sub -t a -d").spawn();
    connected.wait_for_stderr("SUBACK");
    broker.running.signal("HUP");
    assert_says(&broker.running.wait_for_stderr("again"), &["cert.pem again: CN=localhost", "New CA"]);
    tls.mq("pub -t a -m x").run().fail(1);
    let tls = TlsAddress { ca: broker.files.words("{}/new.pem"), ..tls };
    tls.mq("pub -t a -m later").run().succeed();
    connected.wait_for_stdout("later");
}

#[test]
fn a_client_without_tls_gets_an_end_and_is_logged() {
    let mut broker = TlsBroker::start("--tls-port 0");
    let tls = broker.tls();
    for bytes in
        [&b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 5000]]
    {
        let mut stream = tls.connect();
        stream.write_all(bytes).unwrap();
        read_to_end(&mut stream);
    }
    assert_says(&broker.running.wait_for_stderr("refused"), &["TLS"]);
    tls.mq("pub -t a -m x").run().succeed();
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let mut broker = TlsBroker::start("--tls-port 0 --limit connect-time=300ms");
    let tls = broker.tls();
    read_to_end(&mut tls.connect());
    // The start of a ClientHello.
    let mut stream = tls.connect();
    stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
    read_to_end(&mut stream);
    let line = broker.running.wait_for_stderr("refused");
    assert_says(&line, &["no complete TLS handshake in time (--limit connect-time=300ms)"]);
}

/// With this little memory, 16 handshakes may be unfinished.
#[test]
fn silent_connections_do_not_keep_others_out() {
    let mut broker = TlsBroker::start("--tls-port 0 --memory 1MiB -v");
    let tls = broker.tls();
    let _silent: Vec<TcpStream> = (0..100).map(|_| tls.connect()).collect();
    let mut begun: Vec<TcpStream> = (0..17).map(|_| tls.connect()).collect();
    for stream in &mut begun {
        stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
    }
    assert_says(&broker.running.wait_for_stderr("refused"), &["too many unfinished TLS handshakes"]);
    tls.mq("pub -t a -m x").run().succeed();
}

/// The bytes that a client begins with.
fn client_hello() -> Vec<u8> {
    let roots = rustls::RootCertStore::empty();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut client = rustls::ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// With a key of RSA, each handshake takes milliseconds. It ends with a byte that is not TLS, so that the log has the order.
#[cfg(target_os = "linux")] // all of 127.0.0.0/8 is this machine
#[test]
fn the_handshakes_of_one_address_leave_others_their_turns() {
    let Some(openssl) = broker::find("openssl") else { return };
    let (files, ca) = certificate_files();
    let key = Program::new(openssl).words("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096").run();
    let key = key.succeed();
    std::fs::write(files.path("cert.pem"), ca.issue_for(&key, &server_params())).unwrap();
    std::fs::write(files.path("key.pem"), key).unwrap();
    let mut broker = TlsBroker::start_with(files, "--tls-port 0 -v");
    let tls = broker.tls();
    let bytes = [client_hello(), vec![0; 8]].concat();
    broker.running.signal("STOP");
    let many = 300;
    let mut streams: Vec<TcpStream> = (0..many).map(|_| tls.connect()).collect();
    streams.push(connect_from(2, tls.address));
    streams.iter_mut().for_each(|stream| stream.write_all(&bytes).unwrap());
    broker.running.signal("CONT");
    streams.iter_mut().for_each(|stream| drop(read_to_end(stream)));
    broker.running.signal("TERM");
    let stderr = broker.running.finish().stderr;
    let mut order = stderr.lines().filter(|line| line.contains("refused a connection from"));
    let turn = order.position(|line| line.contains("from 127.0.0.2:")).unwrap();
    assert!(turn < many / 2, "the other address had turn {turn} of {many}");
    assert!(order.count() > many / 4, "{stderr}");
}

#[test]
fn a_long_handshake_is_ended() {
    let mut broker = TlsBroker::start("--tls-port 0 -v");
    let tls = broker.tls();
    let mut stream = tls.connect();
    // A ClientHello of 65,000 bytes, in records of 16,000.
    stream.write_all(&[0x16, 3, 1, 0x3e, 0x80, 1, 0, 0xfd, 0xe8]).unwrap();
    let _ = stream.write_all(&[0; 15_996]);
    let _ = stream.write_all(&[0x16, 3, 1, 0x3e, 0x80]);
    let _ = stream.write_all(&[0; 16_000]);
    read_to_end(&mut stream);
    assert_says(
        &broker.running.wait_for_stderr("refused"),
        &["the TLS handshake of the client exceeds 24576 bytes"],
    );
}

#[test]
fn a_certificate_that_has_expired_is_reported_at_the_start() {
    let (files, ca) = certificate_files();
    let old = ca.issue(between((2001, 2002), server_params()));
    std::fs::write(files.path("cert.pem"), old.pem()).unwrap();
    std::fs::write(files.path("key.pem"), old.key_pem()).unwrap();
    let mut broker = TlsBroker::start_with(files, "--tls-port 0");
    let line = broker.running.wait_for_stderr("warning");
    assert_says(&line, &["cert.pem: CN=localhost expired on 2002-01-01 00:00 UTC; clients reject it"]);
    broker.running.wait_for_stdout("listening");
}

#[test]
fn a_certificate_that_expires_while_the_broker_runs_is_reported_once() {
    let (files, ca) = certificate_files();
    let short = ca.issue(expiring_in(4, server_params()));
    std::fs::write(files.path("cert.pem"), short.pem()).unwrap();
    std::fs::write(files.path("key.pem"), short.key_pem()).unwrap();
    let mut broker = TlsBroker::start_with(files, "--tls-port 0");
    broker.running.wait_for_stdout("listening");
    let line = broker.running.wait_for_stderr("expired on");
    assert_says(&line, &["warning: ", "cert.pem: CN=localhost expired on 20", "UTC; clients reject it"]);
    broker.running.signal("TERM");
    let stderr = broker.running.finish().stderr;
    assert_eq!(stderr.matches("expired on").count(), 1, "{stderr}");
}

#[test]
fn front_processes_serve_a_tls_port() {
    let mut broker = TlsBroker::start("--tls-port 0 --front-processes 1");
    let tls = broker.tls();
    tls.mq("pub -t a -m x -q 1 -r").run().succeed();
    assert_eq!(tls.mq("sub -t a -C 1").run().succeed(), "x\n");
}

#[test]
fn ctrl_c_at_the_prompt_for_the_password_of_the_key_is_an_interruption() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[("cert.pem", server.pem()), ("key.pem", server.encrypted_key_pem("xyzzy"))]);
    let words = files.words("broker --cert {}/cert.pem --key {}/key.pem --tls-port 0");
    let line = format!("{} {words}; echo status $?; stty -a", mq_path());
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("password of ");
    running.write("\x03");
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 130", " echo "]);
}

#[test]
fn a_signal_at_that_prompt_ends_the_broker_and_leaves_the_terminal_as_it_was() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[("cert.pem", server.pem()), ("key.pem", server.encrypted_key_pem("xyzzy"))]);
    let words = files.words("broker --cert {}/cert.pem --key {}/key.pem --tls-port 0");
    let program = mq_path();
    let line = format!("sh -c 'echo pid $$; exec {program} {words}'; echo status $?; stty -a");
    let Some(mut running) = on_a_terminal(&line) else { return };
    let pid = running.wait_for_stdout("pid ").trim_start_matches("pid ").trim().to_owned();
    running.wait_for_part_of_stdout("password of ");
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status();
    assert!(kill.unwrap().success());
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 143", " echo "]);
}
