//! `mq doctor`: features, limits and permissions of brokers, from their answers and their behaviour.

mod leftovers;

use super::support::certificates::*;
use super::support::proxy::{Microsocks, start_http_proxy};
use super::support::*;
use serde_json::{Value, json};

/// What it prints with `--json`.
fn examine(broker: &(impl Server + ?Sized), options: &str) -> Value {
    let output = broker.mq(&format!("doctor --json {options}")).run().succeed();
    serde_json::from_str(&output).unwrap()
}

/// The verdict of a check, or `-` where it was not made.
fn verdict<'r>(report: &'r Value, check: &str) -> &'r str {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["check"] == check);
    found.map_or("-", |found| found["verdict"].as_str().unwrap())
}

/// All verdicts in their order.
fn verdicts(report: &Value) -> Vec<[&str; 2]> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().map(|check| ["check", "verdict"].map(|key| check[key].as_str().unwrap())).collect()
}

fn outcomes(report: &Value) -> Vec<[&str; 2]> {
    let versions = report["versions"].as_array().unwrap();
    versions.iter().map(|version| ["version", "outcome"].map(|key| version[key].as_str().unwrap())).collect()
}

/// Plays a broker on a connection that was accepted: `answer` gives what to send for a packet. Whether the client said goodbye;
/// otherwise the answer was `None`, which ends the connection.
fn converse(wire: &mut Wire, mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
    loop {
        let packet = wire.packet();
        if packet.first().is_none_or(|first| *first == 0xe0) {
            return true;
        }
        match answer(&packet) {
            Some(bytes) => wire.try_send_bytes(&bytes),
            None => return false,
        }
    }
}

/// An answer with the packet identifier of SUBSCRIBE in the place of four zeros.
fn suback(packet: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut answer = bytes::hex(text);
    answer[2..4].copy_from_slice(&packet[2..4]);
    Some(answer)
}

/// The acknowledgement of a PUBLISH as it should be, or with what follows the packet identifier; nothing at QoS 0.
fn acknowledgement(packet: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
    let at = 4 + usize::from(packet[3]);
    let first = match packet[0] >> 1 & 3 {
        0 => return Some(Vec::new()),
        1 => 0x40,
        _ => 0x50,
    };
    let mut answer = vec![first, 2 + rest.len() as u8, packet[at], packet[at + 1]];
    answer.extend(rest);
    Some(answer)
}

/// The next connection: the version of CONNECT, and the answer to it.
fn answer_connect(peer: &mut peer::Acceptor, connack: &str) -> (Wire, u8) {
    let mut wire = peer.accept();
    let connect = wire.expect_type(0x10);
    let name = usize::from(connect[3]);
    wire.send(connack);
    (wire, connect[4 + name])
}

#[test]
fn a_broker_that_allows_everything_is_told_to() {
    on_each_broker(|broker| {
        let report = examine(broker, "");
        assert_eq!(outcomes(&report), [["5.0", "accepted"], ["3.1.1", "accepted"], ["3.1", "accepted"]]);
        for [check, verdict] in verdicts(&report) {
            assert_eq!(verdict, "yes", "{check}: {report}");
        }
        assert_eq!(report["checks"].as_array().unwrap().len(), 12);
        assert_eq!(report["checked_with"], "5.0");
        assert_eq!(report["peer"], broker.address().to_string());
        assert_eq!(report["transport"], json!(["tcp"]));
        assert_eq!(report["tls"], Value::Null);
        assert!(report["broker_version"].as_str().unwrap().contains("version"), "{report}");
        assert_eq!(report["round_trip_ns"]["count"], 10);
        assert!(report["second_acknowledgement_ns"].is_u64(), "{report}");
        assert!(report["acknowledgement_delayed_by_tcp"].is_boolean(), "{report}");
        assert!(report["connect_ns"]["connack"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report["limits"]["maximum_qos"], serde_json::json!({"value": 2, "said": false}));
        assert_eq!(report["limits"]["assigned_client_identifier"]["said"], true);
        assert_eq!(report["complete"], true);
    });
}

#[test]
fn a_version_can_be_chosen() {
    on_each_broker(|broker| {
        let report = examine(broker, "-V 311");
        assert_eq!(outcomes(&report), [["3.1.1", "accepted"]]);
        assert_eq!(report["checked_with"], "3.1.1");
        assert_eq!(report["limits"], Value::Null);
        assert_eq!(verdict(&report, "publish_qos_2"), "yes");
        assert_eq!(verdict(&report, "topic_alias"), "-");
    });
}

#[test]
fn people_read_a_page() {
    on_each_broker(|broker| {
        let page = broker.mq("doctor").run().succeed();
        let headings: Vec<&str> =
            page.lines().filter(|line| !line.starts_with("  ") && !line.is_empty()).collect();
        assert_eq!(headings, ["broker", "versions", "limits, by CONNACK", "checks, in MQTT 5.0", "times"]);
        let value_of = |name: &str| {
            let columns = page.lines().filter_map(|line| line.split_at_checked(38));
            let found = columns.into_iter().find(|(column, _)| column.trim() == name);
            found.unwrap_or_else(|| panic!("{name} is missing in {page}")).1.to_owned()
        };
        assert_eq!(value_of("publish at QoS 2"), "yes      acknowledged, came back at QoS 2");
        assert_eq!(value_of("retained message"), "yes      kept for later subscribers");
        assert_eq!(value_of("MQTT 3.1.1"), "accepted");
        assert_eq!(value_of("transport"), "tcp");
        assert!(value_of("round trip (PINGREQ)").ends_with("of 10"), "{page}");
    });
}

#[test]
fn a_rejected_operation_is_a_finding() {
    let Some(broker) = Mosquitto::start_with_files(
        "acl_file {directory}/acl\nmax_queued_messages 100\n",
        &[("acl", "topic read mq-doctor/#\ntopic readwrite open/#\n")],
    ) else {
        return;
    };
    let report = examine(&broker, "--check-timeout 1");
    assert_eq!(verdict(&report, "subscribe_qos_1"), "yes");
    assert_eq!(verdict(&report, "publish_qos_0"), "no");
    assert_eq!(verdict(&report, "publish_qos_1"), "denied");
    assert_eq!(verdict(&report, "publish_qos_2"), "denied");
    assert_eq!(verdict(&report, "retained"), "denied");
    assert_eq!(verdict(&report, "wildcard"), "unknown");
    assert_eq!(report["broker_version"], Value::Null);
    let report = examine(&broker, "--check-timeout 1 -t open/door");
    assert_eq!(verdict(&report, "publish_qos_2"), "yes");
    assert_eq!(verdict(&report, "shared_subscription"), "yes");
}

#[test]
fn a_broker_that_denies_everything_is_asked_everything() {
    let peer = ScriptedPeer::start(|peer| {
        let (mut wire, level) = answer_connect(peer, "20 (00 00 ())");
        assert_eq!(level, 5);
        converse(&mut wire, |packet| match packet[0] >> 4 {
            8 => suback(packet, "90 (0000 (1f `not yours`) 87)"),
            3 => acknowledgement(packet, &[0x87]),
            _ => Some(vec![0xd0, 0]),
        });
        for _ in 0..2 {
            answer_connect(peer, "20 (00 05)");
        }
    });
    let report = examine(&peer, "--check-timeout 1");
    peer.finish();
    assert_eq!(outcomes(&report), [["5.0", "accepted"], ["3.1.1", "refused"], ["3.1", "refused"]]);
    assert_eq!(
        verdicts(&report),
        [
            ["subscribe_qos_0", "denied"],
            ["publish_qos_0", "unknown"],
            ["subscribe_qos_1", "denied"],
            ["publish_qos_1", "denied"],
            ["subscribe_qos_2", "denied"],
            ["publish_qos_2", "denied"],
            ["retained", "denied"],
            ["retained_wildcard", "unknown"],
            ["wildcard", "denied"],
            ["shared_subscription", "denied"],
            ["subscription_identifier", "denied"],
            ["topic_alias", "no"],
        ]
    );
    assert_says(&report.to_string(), &["SUBACK: not authorized (0x87): not yours"]);
}

#[test]
fn after_a_closed_connection_the_checks_continue_on_another() {
    let peer = ScriptedPeer::start(|peer| {
        for number in 1..=7 {
            let mut wire = peer.accept_v311();
            // Before MQTT 5 some brokers have no other way to say no.
            let said_goodbye = converse(&mut wire, |packet| match packet[0] >> 4 {
                8 => None,
                3 => acknowledgement(packet, &[]),
                6 => Some(vec![0x70, 2, packet[2], packet[3]]),
                _ => Some(vec![0xd0, 0]),
            });
            assert!(!said_goodbye, "connection {number}");
        }
    });
    let report = examine(&peer, "-V 311");
    peer.finish();
    assert_eq!(verdict(&report, "subscribe_qos_2"), "no");
    assert_eq!(verdict(&report, "publish_qos_2"), "unknown");
    assert_eq!(verdict(&report, "retained"), "no");
    assert_eq!(verdict(&report, "shared_subscription"), "no");
    assert_says(
        &report.to_string(),
        &[
            "the broker closed the connection without giving a reason: not supported, or not allowed for this user",
        ],
    );
    assert_eq!(report["round_trip_ns"]["count"], 10);
}

/// A PUBLISH of QoS 0 to a subscriber; `first` is its first byte, `topic` has its length in front.
fn message(first: u8, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[first, (topic.len() + payload.len()) as u8], topic, payload].concat()
}

/// The topic with its length, and the payload, of a PUBLISH in MQTT 3.1.1.
fn topic_and_payload(publish: &[u8]) -> (&[u8], &[u8]) {
    let (topic, rest) = publish[2..].split_at(2 + usize::from(publish[3]));
    (topic, if publish[0] & 0x06 == 0 { rest } else { &rest[2..] })
}

/// A broker of MQTT 3.1.1 that renames topics and keeps one retained message, for the filters in question.
fn relaying_peer(rename: fn(u8) -> u8, gets_retained: fn(&[u8]) -> bool) -> ScriptedPeer {
    ScriptedPeer::accepting(move |client| {
        let mut kept = None;
        converse(client, |packet| match packet[0] >> 4 {
            8 => {
                let kept = kept.clone().filter(|_| gets_retained(packet)).unwrap_or_default();
                suback(packet, "90 (0000 00)").map(|ack| [ack, kept].concat())
            }
            3 => {
                let (topic, payload) = topic_and_payload(packet);
                let topic: Vec<u8> = topic.iter().copied().map(rename).collect();
                let is_retained = packet[0] & 1 == 1;
                if is_retained {
                    kept = (!payload.is_empty()).then(|| message(0x31, &topic, payload));
                }
                let relayed = if is_retained { Vec::new() } else { message(0x30, &topic, payload) };
                acknowledgement(packet, &[]).map(|ack| [ack, relayed].concat())
            }
            6 => Some(vec![0x70, 2, packet[2], packet[3]]),
            _ => Some(vec![0xd0, 0]),
        });
    })
}

fn names_the_retained_level(subscribe: &[u8]) -> bool {
    subscribe.windows(9).any(|part| part == b"/retained")
}

#[test]
fn messages_are_recognised_under_another_topic() {
    // RabbitMQ 3.10 delivers the dots of a topic as slashes.
    let rename = |byte| if byte == b'.' { b'/' } else { byte };
    let peer = relaying_peer(rename, names_the_retained_level);
    let report = examine(&peer, "-V 311 -t plant.7");
    peer.finish();
    for check in
        ["publish_qos_0", "publish_qos_2", "retained", "retained_wildcard", "wildcard", "shared_subscription"]
    {
        assert_eq!(verdict(&report, check), "yes", "{check}: {report}");
    }
}

#[test]
fn retained_messages_that_a_wildcard_does_not_get_are_found() {
    let gets_retained =
        |subscribe: &[u8]| names_the_retained_level(subscribe) && !subscribe.ends_with(b"+\0");
    let peer = relaying_peer(|byte| byte, gets_retained);
    let report = examine(&peer, "-V 311 --check-timeout 1");
    peer.finish();
    assert_eq!(verdict(&report, "retained"), "yes");
    assert_eq!(verdict(&report, "retained_wildcard"), "no");
    assert_eq!(verdict(&report, "wildcard"), "yes");
}

#[test]
fn a_missing_client_identifier_is_the_brokers_violation() {
    let peer = ScriptedPeer::start(|peer| {
        let (mut wire, _) = answer_connect(peer, "20 (00 00 ())");
        converse(&mut wire, |_| Some(Vec::new()));
        let (mut wire, _) = answer_connect(peer, "20 (00 00 ())");
        converse(&mut wire, |_| Some(Vec::new()));
    });
    let line_of = |page: &str| {
        page.lines().find(|line| line.contains("client identifier")).unwrap_or_default().trim().to_owned()
    };
    let page = peer.mq("doctor -V 5 --check-timeout 0.2").run().succeed();
    assert_eq!(
        line_of(&page),
        "client identifier                   none (CONNECT asked for one, so the broker violates MQTT-3.2.2-16)"
    );
    assert!(!page.contains("$SYS/broker/version"), "it was not asked for: {page}");
    let page = peer.mq("doctor -V 5 -i me --check-timeout 0.2").run().succeed();
    peer.finish();
    assert_eq!(line_of(&page), "client identifier                   as in CONNECT (default, not in CONNACK)");
}

#[test]
fn a_group_of_subscribers_is_new_in_each_run() {
    let groups = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..2 {
        let seen = groups.clone();
        let peer = ScriptedPeer::accepting(move |client| {
            converse(client, |packet| match packet[0] >> 4 {
                8 => {
                    let filter = String::from_utf8_lossy(&packet[6..packet.len() - 1]).into_owned();
                    if let Some(shared) = filter.strip_prefix("$share/") {
                        seen.lock().unwrap().push(shared.split('/').next().unwrap().to_owned());
                    }
                    suback(packet, "90 (0000 00)")
                }
                3 => acknowledgement(packet, &[]),
                6 => Some(vec![0x70, 2, packet[2], packet[3]]),
                _ => Some(vec![0xd0, 0]),
            });
        });
        examine(&peer, "-V 311 --check-timeout 0.2");
        peer.finish();
    }
    let groups = groups.lock().unwrap();
    assert_eq!(groups.len(), 2);
    assert_ne!(groups[0], groups[1]);
    assert!(groups[0].starts_with("mq-doctor-"), "{groups:?}");
}

#[test]
fn refused_versions_are_reported_with_the_reason() {
    let peer = ScriptedPeer::start(|peer| {
        assert_eq!(answer_connect(peer, "20 (00 01)").1, 5);
        let (mut wire, level) = answer_connect(peer, "20 (00 00)");
        assert_eq!(level, 4);
        assert!(converse(&mut wire, |_| Some(Vec::new())));
        assert_eq!(answer_connect(peer, "20 (00 01)").1, 3);
    });
    let report = examine(&peer, "--check-timeout 0.2");
    peer.finish();
    assert_eq!(outcomes(&report), [["5.0", "refused"], ["3.1.1", "accepted"], ["3.1", "refused"]]);
    for number in [0, 2] {
        let version = &report["versions"][number];
        assert_eq!((&version["reason_code"], &version["return_code"]), (&json!(0x84), &json!(1)));
        assert_eq!(version["why"], "unacceptable protocol version (return code 1)");
    }
    assert_eq!(report["checked_with"], "3.1.1");
}

#[test]
fn a_broker_that_says_nothing_more_is_given_up() {
    let silent = || ScriptedPeer::accepting(|client| assert!(converse(client, |_| Some(Vec::new()))));
    let peer = silent();
    let report = examine(&peer, "-V 311 --check-timeout 0.2");
    peer.finish();
    assert!(verdicts(&report).iter().all(|[_, verdict]| *verdict == "unknown"), "{report}");
    assert_says(&report["checks"][0]["why"].to_string(), &["no SUBACK came within 0.2 s"]);
    assert_says(&report["checks"][1]["why"].to_string(), &["not tried"]);
    assert_eq!(report["round_trip_ns"], Value::Null);

    let peer = silent();
    let finished = peer.mq("doctor -V 311 --check-timeout 60 -W 1 --json").run();
    peer.finish();
    let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(outcomes(&report), [["3.1.1", "accepted"]]);
    assert_eq!(report["complete"], false);
    assert_says(&finished.fail(27), &["timed out after 1 s"]);
}

#[test]
fn a_broker_that_refuses_every_version_is_status_5() {
    let peer = ScriptedPeer::start(|peer| {
        answer_connect(peer, "20 (00 84 ())");
        answer_connect(peer, "20 (00 04)");
        answer_connect(peer, "20 (00 01)");
    });
    let finished = peer.mq("doctor -u ann -P wrong").run();
    peer.finish();
    let page = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(
        &page,
        &[
            "MQTT 5.0",
            "refused: unsupported protocol version (0x84)",
            "refused: bad user name or password (return code 4)",
            "refused: unacceptable protocol version (return code 1)",
        ],
    );
    assert_says(&finished.fail(5), &["bad user name or password (return code 4)", "hint: -u USER"]);
}

#[test]
fn text_from_brokers_cannot_control_a_terminal() {
    let peer = ScriptedPeer::start(|peer| {
        answer_connect(peer, "20 (00 87 (1f 0003 1b5b48))");
    });
    let finished = peer.mq("doctor -V 5").run();
    peer.finish();
    assert!(!finished.stdout.contains(&0x1b), "{}", finished.stdout.escape_ascii());
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["not authorized (0x87): \\u{1b}[H"]);
}

#[test]
fn an_unreachable_broker_is_reported_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let finished = mq(&format!("doctor -h 127.0.0.1 -p {}", free.port())).run();
    assert_eq!(finished.stdout, b"");
    let stderr = finished.fail(1);
    assert_eq!(stderr.matches("cannot connect to").count(), 1, "{stderr}");

    let (ca, other) = (authority("Test CA"), authority("Other CA"));
    let files = Files::new(&[("ca.pem", other.pem())]);
    let server = TlsPeer::start(&[&ca.issue(server_params())]);
    let finished = server.mq(&files.words("doctor -h localhost --cafile {}/ca.pem")).run();
    server.finish();
    assert_eq!(finished.stdout, b"");
    assert_says(&finished.fail(1), &["localhost is not trusted", "hint: --cafile"]);
}

#[test]
fn certificates_are_reported_with_their_dates() {
    let ca = authority("Test CA");
    let end = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .saturating_add(jiff::Span::new().days(10));
    let mut params = between((2020, 2090), server_params());
    params.not_after = rcgen::date_time_ymd(end.year().into(), end.month() as u8, end.day() as u8);
    let server = ca.issue(params);
    let files =
        [("ca.pem", ca.pem()), ("server.pem", server.pem() + &ca.pem()), ("server.key", server.key_pem())];
    let named: Vec<(&str, &str)> = files.iter().map(|(name, content)| (*name, content.as_str())).collect();
    let configuration = "certfile {directory}/server.pem\nkeyfile {directory}/server.key";
    let Some(broker) = Mosquitto::start_with_files(configuration, &named) else { return };
    let options = format!("-h localhost --cafile {}", broker.path("ca.pem").display());
    let report = examine(&broker, &options);
    assert_eq!(outcomes(&report), [["5.0", "accepted"], ["3.1.1", "accepted"], ["3.1", "accepted"]]);
    assert_eq!(report["transport"], serde_json::json!(["tcp", "tls"]));
    let tls = &report["tls"];
    assert_eq!(tls["version"], "TLS 1.3");
    assert_eq!(tls["verified"], true);
    assert_says(tls["cipher_suite"].as_str().unwrap(), &["TLS_AES_"]);
    assert_eq!(
        (&tls["key_exchange"], &tls["signature"]),
        (&"x25519".into(), &"ecdsa_secp256r1_sha256".into())
    );
    let certificate = &tls["certificates"][0];
    assert_eq!(certificate["subject"], "CN=localhost");
    assert_eq!(certificate["issuer"], "CN=Test CA");
    assert_eq!(certificate["names"], serde_json::json!(["localhost", "127.0.0.1", "::1"]));
    assert_eq!(certificate["not_before"], "2020-01-01T00:00:00Z");
    assert_eq!(certificate["not_after"], format!("{end}T00:00:00Z"));
    assert_eq!(certificate["days_left"], 9);
    assert_eq!(tls["certificates"][1]["subject"], "CN=Test CA");
    assert_eq!(report["warnings"], serde_json::json!(["the certificate of CN=localhost ends in 9 days"]));
    assert!(report["connect_ns"]["tls"].as_u64().unwrap() > 0, "{report}");

    let page = broker.mq(&format!("doctor {options} --insecure")).run().succeed();
    assert_says(&page, &["cipher suite", "9 days left", "warnings", "not checked (--insecure)"]);
}

#[test]
fn it_goes_through_web_sockets_and_unix_sockets() {
    let mut running = mq("broker -p 0 --ws-port 0").spawn();
    let line = running.wait_for_stdout("WebSocket");
    let address = line.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).unwrap();
    let output = mq("doctor --json -L").arg(format!("ws://{address}/mqtt")).run().succeed();
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["transport"], serde_json::json!(["tcp", "websocket"]));
    assert_eq!(verdict(&report, "retained"), "yes");

    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("mq.sock");
    let mut broker = mq("broker --unix").arg(&path).spawn();
    broker.wait_for_stdout("listening");
    let output = mq("doctor --json --unix").arg(&path).run().succeed();
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["transport"], serde_json::json!(["unix"]));
    assert_eq!(report["peer"], Value::Null);
    assert_eq!(verdict(&report, "publish_qos_1"), "yes");
}

#[test]
fn a_proxy_is_distinguished_from_the_broker() {
    let broker = EmbeddedBroker::start();
    let port = broker.address().port();
    let through = |proxy: &str| {
        let words = format!("doctor -V 311 -h localhost -p {port} --proxy {proxy}");
        let report: Value = serde_json::from_str(&mq(&format!("{words} --json")).run().succeed()).unwrap();
        assert_eq!(report["address"], format!("localhost port {port}"));
        assert_eq!(report["proxy"], proxy);
        assert_eq!(report["peer"], Value::Null);
        (report, mq(&words).run().succeed())
    };
    let address = start_http_proxy();
    let (report, page) = through(&format!("http://{address}"));
    assert_eq!(report["proxy_peer"], address.to_string());
    assert_eq!(report["asked_of_proxy"], format!("localhost:{port}"));
    assert_says(&page, &[&format!("  through the proxy                   http://{address}\n")]);
    assert_says(&page, &[&format!("    at                                {address}\n")]);
    assert_says(&page, &[&format!("    asked for                         localhost:{port}\n")]);

    let Some(proxy) = Microsocks::start("") else { return };
    let (report, _) = through(&format!("socks5h://{}", proxy.address));
    assert_eq!(report["proxy_peer"], proxy.address.to_string());
    assert_eq!(report["asked_of_proxy"], format!("localhost:{port}"));
    let (report, _) = through(&format!("socks5://{}", proxy.address));
    assert_eq!(report["asked_of_proxy"], broker.address().to_string(), "the name was looked up here");
}

#[test]
fn connections_count_up_in_a_trace() {
    on_each_broker(|broker| {
        let finished = broker.mq("doctor -d").run();
        let connects = finished.stderr.lines().filter(|line| line.contains("-> CONNECT "));
        let numbers: Vec<&str> =
            connects.map(|line| line.split_whitespace().nth(1).unwrap_or_default()).collect();
        assert_eq!(numbers, ["1", "2", "3"], "{}", finished.stderr);
        let versions: Vec<bool> = ["MQTT 5.0", "MQTT 3.1.1", "MQTT 3.1,"]
            .iter()
            .map(|version| finished.stderr.contains(version))
            .collect();
        assert_eq!(versions, [true; 3], "{}", finished.stderr);
        finished.succeed();
    });
}

#[test]
fn only_mqtt_5_has_properties_and_passwords_alone() {
    let broker = EmbeddedBroker::start();
    let report = examine(&broker, "-D connect user-property a b");
    assert_eq!(outcomes(&report), [["5.0", "accepted"], ["3.1.1", "accepted"], ["3.1", "accepted"]]);
    let report = examine(&broker, "-P secret");
    assert_eq!(outcomes(&report), [["5.0", "accepted"], ["3.1.1", "not_tried"], ["3.1", "not_tried"]]);
    assert_says(report["versions"][1]["why"].as_str().unwrap(), &["-P without -u"]);
}

#[test]
fn options_that_cannot_work_are_reported_before_connecting() {
    for (options, parts) in [
        ("-c", &["-c", "session"][..]),
        ("-x 5", &["-x", "session"]),
        ("--will-topic a", &["--will-topic"]),
        ("-D publish content-type a", &["-D", "connect and disconnect"]),
        ("-D connect session-expiry-interval 5", &["session-expiry-interval"]),
        ("-t a/#", &["-t", "#"]),
        ("-V 311 -P secret", &["-P without -u"]),
        ("-V 311 -D connect user-property a b", &["-D needs MQTT 5"]),
        ("--check-timeout 0", &["--check-timeout", "0"]),
        ("-W 0", &["-W", "0"]),
        ("extra", &["extra"]),
    ] {
        let finished = mq(&format!("doctor -h 127.0.0.1 -p 9 {options}")).run();
        assert_says(&finished.fail(2), parts);
    }
    let long = mq("doctor -h 127.0.0.1 -p 9 -t").arg("a/".repeat(199)).run();
    assert_says(&long.fail(2), &["-t", "200 slashes"]);
}
