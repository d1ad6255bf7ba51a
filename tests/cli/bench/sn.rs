//! `mq bench --sn`: clients of an MQTT-SN gateway, with sockets of their own and behind forwarders.

use super::*;
use crate::support::sn::{Fate, Gateway, LossyRelay, SnPeer, address_in, client_of, spread};
use report::json;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use tempfile::TempDir;

/// Retries that are over soon.
const QUICK_RETRIES: &str = "--sn-retry-interval 60ms --sn-retry-count 1000";

/// The counts of datagrams in a report in JSON.
fn datagrams(report: &Value, key: &str) -> u64 {
    report["mqtt_sn"][key].as_u64().unwrap_or_else(|| panic!("{key}: {}", report["mqtt_sn"]))
}

#[test]
#[cfg_attr(feature = "portable", ignore = "only Linux has room for such a burst")]
fn nothing_is_lost_at_a_gateway_at_any_qos() {
    for (qos, pace) in [(0, "--rate 400"), (0, ""), (1, ""), (2, "")] {
        for forwarders in ["", "--sn-forwarders 3"] {
            let words = format!("bench --sn --embedded -c 20 --subscribers 5 -q {qos} --messages 400");
            let report = mq(&format!("{words} {pace} {forwarders}")).run().succeed();
            assert_says(&report, &["25 of 25 clients", "MQTT-SN 1.2", "\ndatagrams", ALL_ARRIVED]);
            assert_says(&report, &["\ngateway           127.0.0.1:"]);
            assert_eq!(numbers_of(&report, "received"), [400], "{report}");
        }
    }
}

#[test]
fn publishers_of_QoS_0_wait_for_the_gateway_to_read() {
    let mut gateway = SnPeer::listen();
    let bench =
        gateway.mq("bench pub -c 1 -q 0 --inflight 2 --messages 5 -t ab --payload-template x").spawn();
    gateway.receive();
    gateway.send("05 00");
    // Two messages with a short topic, and PINGREQ; the last one is the end of the load.
    for messages in [2, 2, 1] {
        (0..messages).for_each(|_| drop(gateway.expect("0c 02 'ab' 0000 'x'")));
        gateway.expect("16");
        gateway.send("17");
    }
    gateway.expect("18");
    gateway.send("18");
    assert_says(&bench.finish().succeed(), &["pace PINGREQ after 2", "10 sent, 5 received"]);
}

#[test]
fn every_mode_runs_at_a_gateway() {
    for (mode, clients) in [
        ("conn -c 5 --hold 0.2", "5 of 5 clients"),
        ("pub -c 5 --messages 100", "5 of 5 clients"),
        ("rr -c 4 --subscribers 2 --messages 100", "6 of 6 clients"),
        ("reconnect -c 4 --duration 2 --rate 40", "8 of 8 clients"),
        ("reconnect -c 4 --duration 2 --rate 40 --keep-sessions --sn-forwarders 2", "8 of 8 clients"),
    ] {
        let report = mq(&format!("bench --sn --embedded {mode}")).run().succeed();
        assert_says(&report, &[clients, "MQTT-SN 1.2"]);
    }
}

#[test]
fn the_datagrams_are_counted_in_every_form() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str| directory.path().join(name).display().to_string();
    let (page, metrics) = (file("page.html"), file("metrics"));
    let words = "bench --sn --embedded -c 3 --messages 30 --output json";
    let report = mq(&format!("{words} --html {page} --prometheus {metrics}")).run().succeed();
    let report = json(report.as_bytes());
    // CONNECT, REGISTER and ten PUBLISH of each publisher, and CONNECT, SUBSCRIBE, REGACK and ten PUBACK of each subscriber.
    assert!(datagrams(&report, "sent") >= 3 * (12 + 12), "{}", report["mqtt_sn"]);
    assert!(datagrams(&report, "received") >= 3 * (12 + 12), "{}", report["mqtt_sn"]);
    for key in ["unanswered", "congestion", "malformed"] {
        assert_eq!(datagrams(&report, key), 0, "{key}");
    }
    assert_eq!(report["plan"]["mqtt_version"], "MQTT-SN 1.2");
    assert!(report["latency"]["tcp_connect"].is_null() && report["latency"]["connack"].is_object());
    let page = fs::read_to_string(page).unwrap();
    assert_says(&page, &["MQTT-SN 1.2", "sent again by clients"]);
    assert_says(
        &fs::read_to_string(metrics).unwrap(),
        &["\nmq_bench_datagrams_sent_total ", "\nmq_bench_retries_total "],
    );
    let report_file = file("run.json");
    fs::write(&report_file, report.to_string()).unwrap();
    let merged = mq(&format!("bench merge {report_file} --output json")).run().succeed();
    assert_eq!(json(merged.as_bytes())["mqtt_sn"], report["mqtt_sn"]);
}

/// A fifth of the datagrams is lost in each direction.
fn lossy(is_to_gateway: bool, number: usize) -> Fate {
    if spread(is_to_gateway, number) < 20 { Fate::Lose } else { Fate::Pass }
}

/// A run of clients behind a forwarder, whose datagrams go through a bad network.
fn through_a_bad_network(options: &str) -> Value {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "--retry-interval 60ms --retry-count 1000");
    let relay = LossyRelay::start(gateway.address, lossy);
    let words =
        format!("bench -c 5 --subscribers 2 --sn-forwarders 1 {QUICK_RETRIES} --output json {options}");
    json(client_of(relay.address, &words).run().succeed().as_bytes())
}

#[test]
fn nothing_is_lost_at_QoS_1_if_a_fifth_of_the_datagrams_is() {
    let report = through_a_bad_network("-q 1 --messages 200");
    assert_eq!(report["deliveries"]["lost"], 0);
    assert_eq!(report["messages"]["acknowledged"]["count"], 200);
    assert!(datagrams(&report, "retries") > 20, "{}", report["mqtt_sn"]);
    assert!(datagrams(&report, "retries_of_gateway") > 0, "{}", report["mqtt_sn"]);
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_if_a_fifth_of_the_datagrams_is_lost() {
    let report = through_a_bad_network("-q 2 --messages 200");
    assert_eq!((&report["deliveries"]["lost"], &report["deliveries"]["duplicates"]), (&0.into(), &0.into()));
    assert_eq!(report["messages"]["received"]["count"], 200);
    assert!(datagrams(&report, "retries") > 20, "{}", report["mqtt_sn"]);
}

#[test]
fn lost_datagrams_are_lost_messages_at_QoS_0() {
    let report = through_a_bad_network("-q 0 --messages 300 --rate 1k");
    let lost = report["deliveries"]["lost"].as_u64().unwrap();
    assert!((30..250).contains(&lost), "{lost} of 300");
    assert_eq!(report["messages"]["received"]["count"].as_u64().unwrap(), 300 - lost);
    assert_eq!(report["verdict"], "caution");
}

#[test]
fn a_client_repeats_its_messages_from_a_socket_of_its_own() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let relay = LossyRelay::start(gateway.address, lossy);
    let words = format!("bench pub -c 1 -q 2 --messages 40 {QUICK_RETRIES} --fail-if retries>0");
    let finished = client_of(relay.address, &words).run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(numbers_of(&report, "acknowledged"), [40], "{report}");
    assert_says(&finished.fail(4), &["--fail-if retries>0: it was "]);
}

#[test]
fn a_forwarder_encapsulates_the_messages_of_its_clients() {
    let mut gateway = SnPeer::listen();
    let bench = gateway.mq("bench conn -c 1 --sn-forwarders 1 -i client{i} --hold 0.1").spawn();
    // The length ends with the node id of four bytes.
    let connect = gateway.receive();
    assert_eq!(connect[..3], [7, 0xfe, 0]);
    assert_eq!(connect[7..], [&[13, 4, 4, 1, 0, 60][..], b"client0"].concat());
    let encapsulated = |message: &[u8]| [&connect[..7], message].concat();
    gateway.send_datagram(&encapsulated(&[3, 5, 0]));
    assert_eq!(gateway.receive(), encapsulated(&[2, 0x18]));
    gateway.send_datagram(&encapsulated(&[2, 0x18]));
    assert_says(&bench.finish().succeed(), &["1 of 1 clients", "2 sent, 2 received"]);
}

#[test]
fn messages_of_QoS_minus_1_need_no_connection() {
    let report = mq("bench --sn --embedded -q -1 -c 5 --rate 200 --messages 100").run().succeed();
    assert_says(&report, &["at QoS -1", "without a connection", "topic mq", "5 of them need no connection"]);
    assert_says(&report, &["5 publishers, 1 subscriber", "all 100 messages arrived"]);
    let words =
        "bench --sn --embedded -q -1 -c 4 --subscribers 2 -t a{i} --sn-forwarders 2 --rate 200 --messages 80";
    let report = json(mq(&format!("{words} --output json")).run().succeed().as_bytes());
    assert_eq!((&report["plan"]["qos"], &report["groups"][0]["qos"]), (&(-1).into(), &(-1).into()));
    assert_eq!(report["deliveries"]["owed"], 160);
    assert_eq!(report["deliveries"]["lost"], 0);
}

#[test]
fn messages_of_QoS_minus_1_have_a_predefined_topic_id() {
    let mut gateway = SnPeer::listen();
    let bench = gateway.mq("bench pub -c 1 -q -1 --topic-id 7 --messages 2 --payload-template x").spawn();
    for _ in 0..2 {
        gateway.expect("0c 61 0007 0000 'x'");
    }
    let report = bench.finish().succeed();
    assert_says(&report, &["topic id 7", "2 sent, 0 received", "1 of them need no connection"]);
}

#[test]
fn a_predefined_topic_id_replaces_the_topic() {
    let directory = TempDir::new().unwrap();
    let topics = directory.path().join("topics");
    fs::write(&topics, "7 sensors/all\n").unwrap();
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), &format!("--predefined {}", topics.display()));
    let report = gateway.mq("bench -c 4 --subscribers 2 --topic-id 7 --messages 40").run().succeed();
    assert_says(&report, &["topic id 7", "all 80 messages arrived"]);
}

#[test]
fn groups_of_a_file_use_what_MQTT_SN_has() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mix.toml");
    let group = |lines: &str| format!("[[group]]\n{lines}\n");
    let sensors = group(
        "name = 'sensors'\nscenario = 'pubsub'\nclients = 3\nqos = -1\ntopic = 'a{i}'\nrate = 30\nmessages = 30",
    );
    let valves = group(
        "name = 'valves'\nscenario = 'pubsub'\nclients = 2\nqos = 2\nmessages = 20\nwill_topic = 'gone'",
    );
    fs::write(&file, sensors + &valves).unwrap();
    let report = mq("bench scenario --sn --embedded").arg(&file).run().succeed();
    assert_says(&report, &["8 of 8 clients", "at QoS -1", "all 50 messages arrived"]);
    let wrong = [
        ("qos = 1\nin_flight = 5", "in_flight 5: an MQTT-SN client may have only one unacknowledged message"),
        ("qos = -1\ntopic = 'a/{i}'", "topic a/{i}: QoS -1 needs topics of two bytes"),
        ("session_expiry = '1m'", "session_expiry cannot be used with an MQTT-SN gateway"),
        ("qos = 3", "expected 0, 1, 2 or -1"),
    ];
    for (line, problem) in wrong {
        fs::write(&file, group(&format!("name = 'x'\nscenario = 'pubsub'\n{line}"))).unwrap();
        assert_says(&mq("bench scenario --sn").arg(&file).run().fail(2), &[problem]);
    }
    fs::write(&file, group("name = 'x'\nscenario = 'pub'\nqos = -1")).unwrap();
    assert_says(
        &mq("bench scenario").arg(&file).run().fail(2),
        &["mix.toml, line 4, column 1", "qos -1 needs an MQTT-SN gateway"],
    );
}

#[test]
fn a_gateway_that_is_not_there_is_an_error_with_a_hint() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for options in ["", "--sn-forwarders 2"] {
        let finished = client_of(closed, &format!("bench -c 3 --messages 10 {options}")).run();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(&report, &["0 of 6 clients", "6 x no MQTT-SN gateway listens at the port"]);
        assert_says(
            &finished.fail(1),
            &["6 of 6 clients could not connect", "does an MQTT-SN gateway listen there?"],
        );
    }
}

#[test]
fn a_silent_gateway_is_given_up_after_the_retries() {
    let gateway = SnPeer::listen();
    let words = "bench conn -c 2 --hold 0.1 --sn-retry-interval 50ms --sn-retry-count 2";
    let finished = gateway.mq(&format!("{words} --output json")).run();
    let report = json(&finished.stdout);
    assert_eq!((datagrams(&report, "retries"), datagrams(&report, "unanswered")), (4, 2));
    assert_eq!(datagrams(&report, "received"), 0);
    let error = report["errors"][0]["text"].as_str().unwrap();
    assert_eq!(error, "the gateway did not answer CONNECT, sent 3 times in 0.15 s");
    assert_says(&finished.fail(1), &["does an MQTT-SN gateway listen there?"]);
}

#[test]
fn a_full_gateway_is_congestion() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "--max-clients 2");
    let finished = gateway.mq("bench conn -c 5 --hold 0.2 --output json").run();
    let report = json(&finished.stdout);
    assert_eq!(report["clients"]["connected"]["count"], 2);
    assert_eq!((&report["clients"]["refused"], datagrams(&report, "congestion")), (&3.into(), 3));
    assert_says(&finished.fail(1), &["3 of 5 clients could not connect"]);
}

#[test]
fn a_gateway_without_its_broker_refuses_all_clients() {
    let gateway = Gateway::start(free_address(), "");
    let finished = gateway.mq("bench conn -c 3 --hold 0.2").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["0 of 3 clients", "\ncongestion        3 congestion answers of the gateway"]);
    assert_says(&finished.fail(5), &["the gateway has no connection to its broker"]);
}

#[test]
fn a_gateway_that_ends_in_the_middle_is_reported() {
    for options in ["", "--sn-forwarders 1"] {
        let broker = EmbeddedBroker::start();
        let mut gateway = Gateway::start(broker.address(), "-v");
        let words = format!(
            "bench pub -c 3 --rate 300 --duration 60 --progress lines --sn-retry-interval 100ms {options}"
        );
        let bench = gateway.mq(&words).spawn();
        for _ in 0..3 {
            gateway.running.wait_for_stderr("connected");
        }
        gateway.running.kill();
        let finished = bench.finish();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(&report, &["3 of 3 clients", "all clients lost their connections"]);
        finished.fail(7);
    }
}

#[test]
fn datagrams_that_a_full_buffer_of_the_gateway_drops_are_told() {
    // It reads nothing.
    let gateway = UdpSocket::bind("127.0.0.1:0").unwrap();
    let words = "bench pub -c 1 -q -1 -s 1000 --messages 20000 --output json";
    let report = json(client_of(gateway.local_addr().unwrap(), words).run().succeed().as_bytes());
    assert_eq!((&report["messages"]["sent"]["count"], datagrams(&report, "sent")), (&20_000.into(), 20_000));
    if cfg!(target_os = "linux") {
        assert!(datagrams(&report, "dropped_by_gateway") > 1000, "{}", report["mqtt_sn"]);
    }
}

#[test]
fn forwarders_need_few_open_files() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let limited = |options: &str| {
        let script = format!(
            "ulimit -n 100; exec \"$0\" bench conn --sn -h {} -p {} -c 300 --hold 0.1 --processes 1 {options}",
            gateway.address.ip(),
            gateway.address.port()
        );
        Program::new("sh").arg("-c").arg(script).arg(mq_path()).run()
    };
    assert_says(&limited("").fail(2), &["300 clients need", "open files, but the limit is 100"]);
    assert_says(&limited("--sn-forwarders 4").succeed(), &["300 of 300 clients", "forwarders 4"]);
}

#[test]
fn worker_processes_share_the_forwarders() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    for options in ["--sn-forwarders 3", ""] {
        let words =
            format!("bench -c 12 --subscribers 4 --messages 120 --processes 2 --output json {options}");
        let report = json(gateway.mq(&words).run().succeed().as_bytes());
        assert_eq!(report["messages"]["received"]["count"], 120);
        assert!(datagrams(&report, "sent") > 240, "{}", report["mqtt_sn"]);
    }
}

#[test]
fn a_gateway_is_searched_once_for_all_clients() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let report = gateway.mq("bench conn -c 3 --hold 0.1 --discover").run().succeed();
    assert_says(&report, &["3 of 3 clients", &gateway.address.to_string()]);
}

#[test]
fn a_url_names_the_gateway() {
    let mut broker = mq("broker -p 0 --sn-port 0").spawn();
    let address = address_in(&broker.wait_for_stdout("(MQTT-SN)"));
    let report = mq(&format!("bench -L mqtt-sn://{address} -c 3 --messages 30")).run().succeed();
    assert_says(&report, &["MQTT-SN 1.2", ALL_ARRIVED]);
}

#[test]
fn several_gateways_share_the_clients() {
    let broker = EmbeddedBroker::start();
    let gateways = [(); 2].map(|()| Gateway::start(broker.address(), ""));
    let [first, second] = gateways.each_ref().map(|gateway| gateway.address);
    let words = format!("bench --sn -h {first},{second} -c 6 --subscribers 4 --messages 120");
    for forwarders in ["", "--sn-forwarders 2"] {
        let report = mq(&format!("{words} {forwarders}")).run().succeed();
        assert_says(&report, &["10 of 10 clients", &first.to_string(), &second.to_string(), ALL_ARRIVED]);
    }
}

#[test]
fn the_limits_of_this_machine_are_those_of_datagrams() {
    let report = mq("bench --sn -c 1000 --sn-forwarders 4 --check").run().succeed();
    let parts = ["with MQTT-SN through 4", "receive buffer", "from one local address", "The run fits."];
    assert_says(&report, &parts);
}

#[test]
fn a_rejected_message_is_counted_and_its_client_stays() {
    let mut gateway = SnPeer::listen();
    let bench = gateway.mq("bench pub -c 1 -t ab --messages 2 --payload-template x").spawn();
    gateway.receive();
    gateway.send("05 00");
    for (number, code) in [(1, 3), (2, 0)] {
        gateway.expect(&format!("0c 22 'ab' 000{number} 'x'"));
        gateway.send(&format!("0d 'ab' 000{number} 0{code}"));
    }
    gateway.expect("18");
    gateway.send("18");
    let finished = bench.finish();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["1 message rejected by the gateway", "1 rejected by the gateway"]);
    assert_eq!(numbers_of(&report, "acknowledged"), [1], "{report}");
    assert_says(&finished.fail(3), &["1 message was rejected"]);
}

#[test]
fn an_unknown_topic_id_is_a_rejection_at_each_QoS() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    for (qos, options) in [("0", ""), ("0", "--rate 100"), ("0", "--sn-forwarders 1"), ("1", ""), ("2", "")] {
        let words = format!("bench pub -c 2 -q {qos} --topic-id 7 --messages 30 {options}");
        let finished = gateway.mq(&words).run();
        let report = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(
            &report,
            &["30 messages rejected by the gateway", "\npublishing        30 rejected by the gateway"],
        );
        assert_says(&report, &["30 x the gateway rejected a message: invalid topic id (0x02)"]);
        assert_says(&finished.fail(3), &["30 messages were rejected"]);
    }
}

#[test]
fn a_rejected_subscription_has_the_return_code() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let finished = gateway.mq("bench sub -c 2 --topic-id 7 --duration 60").run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["2 x the gateway rejected a subscription: invalid topic id (0x02)"]);
    finished.fail(3);
}

#[test]
fn some_rejected_messages_of_QoS_0_are_counted_beside_the_others() {
    let mut gateway = SnPeer::listen();
    let bench =
        gateway.mq("bench pub -c 1 -q 0 --inflight 2 -t ab --messages 4 --payload-template x").spawn();
    gateway.receive();
    gateway.send("05 00");
    for rejected in [true, false] {
        (0..2).for_each(|_| drop(gateway.expect("0c 02 'ab' 0000 'x'")));
        gateway.expect("16");
        if rejected {
            gateway.send("0d 'ab' 0000 03");
        }
        gateway.send("17");
    }
    gateway.expect("18");
    gateway.send("18");
    let finished = bench.finish();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&report, &["1 message rejected by the gateway"]);
    finished.fail(3);
}

#[test]
fn a_message_in_congestion_is_sent_again() {
    let mut gateway = SnPeer::listen();
    let words =
        "bench pub -c 1 -t ab --messages 1 --payload-template x --sn-retry-interval 50ms --output json";
    let bench = gateway.mq(words).spawn();
    gateway.receive();
    gateway.send("05 00");
    gateway.expect("0c 22 'ab' 0001 'x'");
    gateway.send("0d 'ab' 0001 01");
    gateway.expect("0c a2 'ab' 0001 'x'");
    gateway.send("0d 'ab' 0001 00");
    gateway.expect("18");
    gateway.send("18");
    let report = json(bench.finish().succeed().as_bytes());
    assert_eq!((datagrams(&report, "congestion"), datagrams(&report, "retries")), (1, 1));
    assert_eq!(report["messages"]["acknowledged"]["count"], 1);
}

#[test]
fn invalid_datagrams_are_ignored_and_counted() {
    let mut gateway = SnPeer::listen();
    let bench = gateway.mq("bench conn -c 1 --hold 60 --output json").spawn();
    gateway.receive();
    for datagram in [&[][..], &[3, 5], &[9, 5, 0], &[3, 0x11, 0], &[0; 600]] {
        gateway.send_datagram(datagram);
    }
    gateway.send("05 00");
    gateway.send("18");
    let finished = bench.finish();
    let report = json(&finished.stdout);
    assert_eq!((datagrams(&report, "malformed"), datagrams(&report, "received")), (5, 7));
    assert_eq!(report["errors"][0]["text"], "the gateway ended the connection");
    finished.expect_status(7);
}

#[test]
#[cfg(target_os = "linux")]
fn of_several_addresses_the_one_with_a_gateway_is_used() {
    let mut broker = mq("broker -p 0 --sn-port 0 --bind 127.0.0.3").spawn();
    let address = address_in(&broker.wait_for_stdout("(MQTT-SN)"));
    let directory = TempDir::new().unwrap();
    let hosts = directory.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 gateways\n127.0.0.2 gateways\n127.0.0.3 gateways\n").unwrap();
    let script =
        "mount --bind \"$1\" /etc/hosts && exec \"$0\" bench conn --sn -h gateways -p \"$2\" -c 3 --hold 0.1";
    let program = Program::new("unshare").words("-rm sh -c").arg(script).arg(mq_path());
    let finished = program.arg(&hosts).arg(address.port().to_string()).run();
    if finished.stderr.contains("unshare") || finished.stderr.contains("mount") {
        return drop(writeln!(
            std::io::stderr(),
            "skipped: a name with several addresses: {}",
            finished.stderr
        ));
    }
    assert_says(&finished.succeed(), &["3 of 3 clients", &address.to_string()]);
}
