//! Through everything that the connection options offer, for many clients: layers, proxies, identities, local addresses.

use super::*;
use crate::support::certificates::*;
use crate::support::proxy::{Microsocks, start_http_proxy};
use std::collections::BTreeSet;

/// mosquitto with a listener for TLS, one for WebSocket in TLS, and its authority in ca.pem.
struct SecureMosquitto {
    _mosquitto: Mosquitto,
    files: Files,
    tls: u16,
    web_socket: u16,
}

impl SecureMosquitto {
    fn start() -> Option<SecureMosquitto> {
        let ca = authority("Test CA");
        let server = ca.issue(server_params());
        let client = ca.issue(for_clients(named("client", &[])));
        let files = Files::new(&[
            ("ca.pem", ca.pem()),
            ("cert.pem", server.pem()),
            ("key.pem", server.key_pem()),
            ("client.pem", client.pem()),
            ("client.key", client.key_pem()),
        ]);
        let keys = files.words("certfile {}/cert.pem\nkeyfile {}/key.pem\ncafile {}/ca.pem");
        let lines = format!(
            "listener {{port}} 127.0.0.1\n{keys}\nlistener {{port}} 127.0.0.1\nprotocol websockets\n{keys}"
        );
        let mosquitto = Mosquitto::start_with(&lines)?;
        let [tls, web_socket] = [0, 1].map(|number| mosquitto.further_port(number));
        Some(SecureMosquitto { _mosquitto: mosquitto, files, tls, web_socket })
    }

    /// A bench through TLS to this port.
    fn bench(&self, port: u16, options: &str) -> Program {
        let ca = self.files.words("--cafile {}/ca.pem");
        mq(&format!("bench -h localhost -p {port} {ca} -c 20 --subscribers 2 --messages 400 {options}"))
    }
}

#[test]
fn tls_is_a_step_of_its_own() {
    let Some(broker) = SecureMosquitto::start() else { return };
    for options in ["", "--tls-version tlsv1.3 -V 5", "--tls-resume -q 2", "--processes 2"] {
        let report = broker.bench(broker.tls, options).run().succeed();
        assert_says(&report, &["22 of 22 clients", "TLS handshake", ALL_ARRIVED]);
    }
    let own = broker.files.words("--cert {}/client.pem --key {}/client.key");
    broker.bench(broker.tls, &own).run().succeed();
    let report = broker.bench(broker.web_socket, "--ws").run().succeed();
    assert_says(&report, &["22 of 22 clients", "TLS handshake", "WebSocket", ALL_ARRIVED]);
}

#[test]
fn the_report_has_the_negotiated_algorithms_of_tls() {
    let Some(broker) = SecureMosquitto::start() else { return };
    let tls = |port: u16, options: &str| {
        let report =
            report::json(broker.bench(port, &format!("{options} --output json")).run().succeed().as_bytes());
        report["tls"].clone()
    };
    let usual = ("TLS 1.3", "TLS_AES_256_GCM_SHA384", "x25519", "ecdsa_secp256r1_sha256");
    for (options, expected) in [
        ("", usual),
        ("--tls-groups P-384 --processes 2", ("TLS 1.3", usual.1, "secp384r1", usual.3)),
        ("--tls-groups secp256r1:x25519", ("TLS 1.3", usual.1, "secp256r1", usual.3)),
        ("--ciphers TLS_AES_128_GCM_SHA256", ("TLS 1.3", "TLS_AES_128_GCM_SHA256", usual.2, usual.3)),
        ("--tls-signatures ed25519,ECDSA+SHA256", usual),
        ("--insecure --tls-signatures ECDSA+SHA256", usual),
    ] {
        let (version, suite, group, signature) = expected;
        let expected = serde_json::json!([
            { "version": version, "suite": suite, "group": group, "signature": signature, "count": 22 }
        ]);
        assert_eq!(tls(broker.tls, options), expected, "{options}");
    }
    assert_eq!(tls(broker.web_socket, "--ws --tls-groups x25519")[0]["count"], 22);
    let report = broker.bench(broker.tls, "--tls-groups secp256r1").run().succeed();
    let lines = "TLS               22 connections with TLS 1.3, TLS_AES_256_GCM_SHA384,\n                  secp256r1, ecdsa_secp256r1_sha256\n";
    assert_says(&report, &[lines]);
    let metric = "mq_bench_tls_connections_total{version=\"TLS 1.3\",suite=\"TLS_AES_256_GCM_SHA384\",group=\"x25519\",signature=\"ecdsa_secp256r1_sha256\"} 22\n";
    assert_says(&broker.bench(broker.tls, "--output prometheus").run().succeed(), &[metric]);
    let words = "- TLS: 22 connections with TLS 1.3, ";
    assert_says(&broker.bench(broker.tls, "--output markdown").run().succeed(), &[words]);
}

/// A proxy of TLS, and its clients that reconnect: the number of full handshakes and of resumed sessions.
fn handshakes(version: &str, options: &str) -> (u64, u64) {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files =
        Files::new(&[("ca.pem", ca.pem()), ("cert.pem", server.pem()), ("key.pem", server.key_pem())]);
    let broker = EmbeddedBroker::start();
    let words = files.words("--listen-cert {}/cert.pem --listen-key {}/key.pem");
    let to = broker.address();
    let mut proxy = mq(&format!("inspect --listen mqtts://127.0.0.1:0 {words} --to {to}")).spawn();
    let line = proxy.wait_for_stderr("listening on");
    let place = line.split(',').next().and_then(|place| place.rsplit(':').next());
    let port: u16 = place.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {line}"));
    let ca = files.words("--cafile {}/ca.pem");
    let program = mq(&format!(
        "bench reconnect -h localhost -p {port} {ca} -c 40 --subscribers 10 --rate 40 --duration 1 --warm-up 0 --tls-version {version} --output json {options}"
    ));
    let report = report::json(program.run().succeed().as_bytes());
    let count = |is_resumed: bool| {
        let rows = report["tls"].as_array().unwrap().iter();
        rows.filter(|row| row["signature"].is_null() == is_resumed)
            .map(|row| row["count"].as_u64().unwrap())
            .sum()
    };
    proxy.kill();
    (count(false), count(true))
}

#[test]
fn every_client_resumes_its_own_tls_session() {
    for version in ["tlsv1.2", "tlsv1.3"] {
        assert_eq!(handshakes(version, "--tls-resume"), (50, 50), "{version}");
        assert_eq!(handshakes(version, "--tls-resume --processes 2"), (50, 50), "{version}");
        assert_eq!(handshakes(version, ""), (100, 0), "{version}");
    }
    let Some(broker) = SecureMosquitto::start() else { return };
    for (port, options) in [(broker.tls, ""), (broker.web_socket, "--ws")] {
        let ca = broker.files.words("--cafile {}/ca.pem");
        let words =
            format!("bench reconnect -h localhost -p {port} {ca} -c 40 --subscribers 10 --duration 1");
        let words = format!("{words} --warm-up 0 --tls-resume --output json {options}");
        let report = report::json(mq(&words).run().succeed().as_bytes());
        let resumed = report["tls"].as_array().unwrap().iter().find(|row| row["signature"].is_null());
        assert_eq!(resumed.map(|row| &row["count"]), Some(&50.into()), "{report}");
    }
}

#[test]
fn a_broker_without_the_chosen_signature_refuses_the_handshake() {
    let Some(broker) = SecureMosquitto::start() else { return };
    // The broker's key is of the curve P-256.
    let finished = broker.bench(broker.tls, "--tls-signatures rsa_pss_rsae_sha256").run();
    let report = String::from_utf8_lossy(&finished.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&report, &["supports none of the offered cipher suites, key exchanges, signatures"]);
    finished.fail(1);
}

#[test]
fn the_algorithms_of_tls_are_repeated() {
    let Some(broker) = SecureMosquitto::start() else { return };
    let file = broker.files.path("run.json");
    let options = format!("--tls-groups secp384r1 --tls-signatures ECDSA+SHA256 --json {}", file.display());
    broker.bench(broker.tls, &options).run().succeed();
    let report = mq(&format!("bench --repeat-of {} --output json", file.display())).run().succeed();
    let report = report::json(report.as_bytes());
    assert_eq!(report["tls"][0]["group"], "secp384r1");
    let options = report["command"]["options"].to_string();
    assert_says(&options, &["[\"--tls-groups\",\"secp384r1\"]", "[\"--tls-signatures\",\"ECDSA+SHA256\"]"]);
}

#[test]
fn spread_sources_carry_tls_and_web_socket() {
    let Some(broker) = SecureMosquitto::start() else { return };
    let finished = broker.bench(broker.web_socket, "--ws -A 127.0.0.2-127.0.0.5").run();
    assert_says(&finished.succeed(), &["22 of 22 clients", ALL_ARRIVED]);
}

#[test]
fn an_untrusted_broker_is_reported_once_with_the_number_of_clients() {
    let Some(broker) = SecureMosquitto::start() else { return };
    let other = Files::new(&[("ca.pem", authority("Other CA").pem())]);
    let ca = other.words("--cafile {}/ca.pem");
    let finished = broker.bench(broker.tls, &ca).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["22 x", "not trusted"]);
    finished.fail(1);
}

#[test]
fn the_embedded_broker_is_reached_through_web_socket() {
    let report = mq("bench --embedded --ws -c 20 --messages 400").run().succeed();
    assert_says(&report, &["40 of 40 clients", "WebSocket", ALL_ARRIVED]);
}

#[test]
fn unix_sockets_need_no_ports() {
    let Some(broker) = Mosquitto::start_with("listener 0 {directory}/socket") else { return };
    let socket = broker.path("socket");
    for way in [format!("--unix {}", socket.display()), format!("-L unix://{}", socket.display())] {
        let report = mq(&format!("bench {way} -c 20 --messages 400")).run().succeed();
        assert_says(&report, &["40 of 40 clients", "socket", ALL_ARRIVED]);
    }
}

#[test]
fn proxies_lead_to_the_broker() {
    let broker = EmbeddedBroker::start();
    let mut proxies = vec![format!("http://{}", start_http_proxy())];
    let socks = Microsocks::start("");
    proxies.extend(socks.iter().map(|proxy| format!("socks5h://{}", proxy.address)));
    for proxy in proxies {
        let report = broker.mq(&format!("bench -c 10 --messages 200 --proxy {proxy}")).run().succeed();
        assert_says(&report, &["20 of 20 clients", "through", ALL_ARRIVED]);
    }
}

/// What `mq broker -v` says of those that connect while a bench runs: identifiers and addresses.
fn arrivals(options: &str, clients: usize) -> Vec<(String, String)> {
    let mut broker = EmbeddedBroker::start_with("-p 0 -v");
    broker.mq(&format!("bench --messages 50 {options}")).run().succeed();
    let one = |_| {
        let line = broker.process().wait_for_stderr(" connected from ");
        let (before, after) = line.split_once(" connected from ").unwrap();
        let id = before.split('"').nth(1).unwrap().to_owned();
        (id, after.split(':').next().unwrap().to_owned())
    };
    (0..clients).map(one).collect()
}

#[test]
fn identifiers_are_made_by_template() {
    let ids: BTreeSet<String> =
        arrivals("-c 3 --subscribers 1 -i dev-{i}", 4).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["dev-0", "dev-1", "dev-2", "dev-3"].map(str::to_owned).into());
    let ids = arrivals("-c 2 -I test --subscribers 0", 2);
    assert!(ids.iter().all(|(id, _)| id.starts_with("test-")), "{ids:?}");
}

#[test]
fn clients_share_the_addresses_that_were_typed() {
    let addresses: Vec<_> = arrivals("-c 4 --subscribers 2 -A 127.0.0.3,127.0.0.7-127.0.0.8", 6);
    for address in ["127.0.0.3", "127.0.0.7", "127.0.0.8"] {
        assert_eq!(
            addresses.iter().filter(|(_, from)| from == address).count(),
            2,
            "{address}: {addresses:?}"
        );
    }
}

/// mosquitto with three users, `user0` to `user2`, whose passwords are `pw0` to `pw2`.
fn with_users() -> Option<Mosquitto> {
    let passwords = Files::new(&[("passwords", (0..3).map(|i| format!("user{i}:pw{i}\n")).collect())]);
    let file = passwords.path("passwords");
    Program::new(broker::find("mosquitto_passwd")?).arg("-U").arg(&file).run().succeed();
    let hashed = std::fs::read_to_string(&file).unwrap();
    let lines = "allow_anonymous false\npassword_file {directory}/passwords";
    Mosquitto::start_with_files(lines, &[("passwords", &hashed)])
}

#[test]
fn credentials_are_made_by_template_or_come_from_a_file() {
    let Some(broker) = with_users() else { return };
    let files = Files::new(&[
        ("all.csv", "username,client_id,password\nuser0,a,pw0\nuser1,\"b,c\",pw1\nuser2,d,pw2\n".to_owned()),
        ("users.csv", "User Name\nuser0\nuser1\nuser2\n".to_owned()),
        ("passwords.csv", "password\npw0\npw1\npw2\n".to_owned()),
    ]);
    let load = "bench -c 2 --subscribers 1 --messages 100";
    for who in ["-u user{i} -P pw{i}", "--credentials {}/all.csv", "--credentials {}/users.csv -P pw{i}"] {
        let report = broker.mq(&format!("{load} {}", files.words(who))).run().succeed();
        assert_says(&report, &["3 of 3 clients", ALL_ARRIVED]);
    }
    let passwords = format!("{load} {}", files.words("--credentials {}/passwords.csv"));
    broker.mq(&format!("{passwords} -u user{{i}}")).run().succeed();
    assert_says(&broker.mq(&passwords).run().fail(2), &["passwords.csv", "-u"]);
    broker.mq(&format!("{load} -u user{{i}} -P pw0")).run().fail(1);
    broker.mq(load).run().fail(5);
}

#[test]
fn a_password_of_the_leader_reaches_its_processes() {
    let Some(broker) = with_users() else { return };
    let program =
        broker.mq("bench -c 5 --messages 100 --processes 2 -u user1 --password-file -").stdin("pw1\n");
    assert_says(&program.run().succeed(), &["10 of 10 clients", ALL_ARRIVED]);
    let files = Files::new(&[("password", "pw2\n".to_owned())]);
    std::fs::set_permissions(files.path("password"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let words = files.words("bench -c 5 --messages 100 --processes 2 -u user2 --password-file {}/password");
    broker.mq(&words).run().succeed();
}

#[test]
fn a_file_of_credentials_is_checked_before_anything_connects() {
    let files = Files::new(&[
        ("short.csv", "client_id\na\nb\n".to_owned()),
        ("twice.csv", "client_id\na\nb\na\n".to_owned()),
        ("empty.csv", "client_id,username\n,x\n".to_owned()),
        ("column.csv", "client_id,colour\na,red\n".to_owned()),
        ("uneven.csv", "client_id,username\na\n".to_owned()),
        ("nothing.csv", String::new()),
    ]);
    for (name, parts) in [
        ("short.csv", ["rows for 2 of 10 clients", "short.csv"]),
        ("twice.csv", ["lines 2 and 4", "\"a\""]),
        ("empty.csv", ["line 2", "identifier is empty"]),
        ("column.csv", ["\"colour\"", "client_id, username and password"]),
        ("uneven.csv", ["line 2", "but found 1"]),
        ("nothing.csv", ["has no columns", "nothing.csv"]),
        ("missing.csv", ["cannot be read", "missing.csv"]),
    ] {
        let words = format!("bench -p 9 -c 5 --credentials {}", files.path(name).display());
        let stderr = mq(&words).run().fail(if name == "missing.csv" { 1 } else { 2 });
        assert_says(&stderr, &[&format!("mq bench: --credentials {}: ", files.path(name).display())]);
        assert_says(&stderr, &parts);
    }
}

#[test]
fn wills_and_properties_go_with_every_client() {
    on_each_broker(|broker| {
        let witness = broker.subscriber("-V 5 -t gone/# -C 3 -F %t");
        let words = "bench pub -V 5 -c 3 -i dev-{i} --duration 60 --will-topic gone/{client} -D connect user-property a b \
                     -D publish content-type text/plain -t load/{i}";
        let types = broker.subscriber("-V 5 -t load/# -C 1 -F %C");
        let mut bench = broker.mq(words).spawn();
        assert_eq!(types.finish().succeed(), "text/plain\n");
        bench.kill();
        let mut topics: Vec<_> = witness.finish().succeed().lines().map(str::to_owned).collect();
        topics.sort();
        assert_eq!(topics, ["gone/dev-0", "gone/dev-1", "gone/dev-2"]);
    });
}

#[test]
fn conflicting_options_are_reported() {
    for (options, part) in [
        ("-i same", "{i}"),
        ("-i dev-{x}", "{x}"),
        ("-u user{x}", "{x}"),
        ("-x 60", "-i"),
        ("--disable-clean-session", "-i"),
        ("--tls-resume", "--cafile"),
        ("--embedded --cafile /etc/hostname", "--cafile"),
        ("--embedded --insecure", "does not support TLS"),
        ("--embedded --unix /tmp/a", "--embedded"),
        ("-L mqtt://localhost/topic", "-t"),
        ("-A 127.0.0.9-127.0.0.2", "-A"),
        ("-D connect user-property a b -V 311", "-D"),
        ("--will-qos 1", "--will-topic"),
        ("--shard 0/3", "--shard"),
        ("--shard 1/200", "100 publishers cannot be shared by 200 shards"),
        ("--shard 1/2 -t fan/{i}", "{run}"),
        ("--shard 1/2 --connect-rate 1", "--connect-rate"),
        ("--start-at yesterday", "--start-at"),
        ("--start-at 1000", "ago"),
        ("--processes 0", "--processes"),
    ] {
        let finished = mq(&format!("bench -c 100 --messages 100 {options}")).run();
        assert!(matches!(finished.status, 1 | 2), "{options}: {}", finished.stderr);
        assert_says(&finished.stderr, &["mq bench:", part]);
    }
}
