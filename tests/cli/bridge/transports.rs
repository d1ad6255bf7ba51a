//! Every way to a broker, on either side of a bridge: messages of QoS 0, 1 and 2 arrive in both directions.

use super::*;
use crate::support::certificates::{authority, named, server_params};
use crate::support::proxy::{Microsocks, start_http_proxy};

/// A broker, and the way of the bridge to it.
struct Way<'a> {
    broker: &'a dyn Server,
    url: String,
    /// Keys of profiles in the form of variables, with their values.
    variables: Vec<(&'static str, String)>,
    /// The highest QoS that arrives.
    maximum_qos: u8,
}

impl<'a> Way<'a> {
    fn new(broker: &'a dyn Server, url: String, variables: &[(&'static str, &str)]) -> Way<'a> {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Way { broker, url, variables, maximum_qos: 2 }
    }

    /// Bridges with the way on either side, and a plain broker on the other.
    fn assert_carries(&self) {
        let plain = EmbeddedBroker::start();
        let to_plain = Way::new(&plain, format!("mqtt://{}", plain.address()), &[]);
        assert_carries_between(self, &to_plain);
        assert_carries_between(&to_plain, self);
    }
}

#[track_caller]
fn assert_carries_between(local: &Way<'_>, remote: &Way<'_>) {
    let mut program = mq("bridge --name b --notifications both --notification-topic state");
    for (option, side, way) in [("--from", "FROM", local), ("--to", "TO", remote)] {
        program = program.arg(option).arg(&way.url);
        for (name, value) in &way.variables {
            program = program.env(&format!("MQ_{side}_{name}"), value);
        }
    }
    let bridge = program.arg("up/# out 2").arg("down/# in 2").spawn();
    for broker in [local.broker, remote.broker] {
        // The state follows SUBSCRIBE.
        broker.subscriber("-t state -F %p").wait_for_stdout("1");
    }
    assert_arrive(local, remote, "up");
    assert_arrive(remote, local, "down");
    bridge.signal("TERM");
    bridge.finish().expect_status(0);
}

#[track_caller]
fn assert_arrive(source: &Way<'_>, target: &Way<'_>, topic: &str) {
    let subscriber = target.broker.subscriber(&format!("-t {topic}/# -q 2 -C 3 -F %p:%q"));
    for qos in 0..3 {
        source.broker.mq(&format!("pub -t {topic}/x -m {qos} -q {qos}")).run().succeed();
    }
    let text = subscriber.finish().succeed();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let maximum = source.maximum_qos.min(target.maximum_qos);
    let expected: Vec<String> = (0..3).map(|qos: u8| format!("{qos}:{}", qos.min(maximum))).collect();
    assert_eq!(lines, expected, "{topic} from {} to {}", source.url, target.url);
}

/// mosquitto with a second listener, which has certificates and these lines, the port of that listener, and the files of a client.
fn mosquitto_with_tls(lines: &str) -> Option<(Mosquitto, u16, Files)> {
    let ca = authority("Test CA");
    let (server, client) = (ca.issue(server_params()), ca.issue(named("bridge", &[])));
    let listener = format!(
        "listener {{port}} 127.0.0.1\ncafile {{directory}}/ca.pem\ncertfile {{directory}}/server.pem\n\
         keyfile {{directory}}/server.key\n{lines}"
    );
    let files = [("ca.pem", &*ca.pem()), ("server.pem", &*server.pem()), ("server.key", &*server.key_pem())];
    let broker = Mosquitto::start_with_files(&listener, &files)?;
    let port = broker.further_port(0);
    let of_client = [("ca.pem", ca.pem()), ("client.pem", client.pem()), ("client.key", client.key_pem())];
    Some((broker, port, Files::new(&of_client)))
}

#[test]
fn tls() {
    let Some((broker, port, files)) = mosquitto_with_tls("") else { return };
    let variables = [("CAFILE", &*files.words("{}/ca.pem"))];
    Way::new(&broker, format!("mqtts://localhost:{port}"), &variables).assert_carries();
}

#[test]
fn tls_with_a_client_certificate() {
    let Some((broker, port, files)) = mosquitto_with_tls("require_certificate true") else { return };
    let [ca, cert, key] = ["{}/ca.pem", "{}/client.pem", "{}/client.key"].map(|path| files.words(path));
    let variables = [("CAFILE", &*ca), ("CERT", &*cert), ("KEY", &*key)];
    Way::new(&broker, format!("mqtts://localhost:{port}"), &variables).assert_carries();
}

#[test]
fn web_socket() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --ws-port 0");
    let line = broker.process().wait_for_stdout("(WebSocket)");
    let address = line.split(' ').nth(2).unwrap();
    Way::new(&broker, format!("ws://{address}/mqtt"), &[]).assert_carries();
}

#[test]
fn web_socket_over_tls() {
    let Some((broker, port, files)) = mosquitto_with_tls("protocol websockets") else { return };
    let variables = [("CAFILE", &*files.words("{}/ca.pem"))];
    Way::new(&broker, format!("wss://localhost:{port}/mqtt"), &variables).assert_carries();
}

#[cfg(feature = "psk")]
#[test]
fn pre_shared_key() {
    let lines = "listener {port} 127.0.0.1\npsk_hint hint\npsk_file {directory}/keys";
    let Some(broker) = Mosquitto::start_with_files(lines, &[("keys", "ann:c0ffee00\n")]) else { return };
    let port = broker.further_port(0);
    let variables = [("PSK", "c0ffee00"), ("PSK_IDENTITY", "ann")];
    Way::new(&broker, format!("mqtts://127.0.0.1:{port}"), &variables).assert_carries();
}

#[test]
fn scram() {
    let files = Files::new(&[]);
    let keys = files.words("{}/keys");
    mq(&format!("passwd scram -c -I 4096 {keys} ann")).stdin("secret\n").run().succeed();
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --scram-file {keys} --allow-anonymous"));
    let variables = [("AUTH_METHOD", "SCRAM-SHA-256"), ("USERNAME", "ann"), ("PASSWORD", "secret")];
    Way::new(&broker, format!("mqtt://{}", broker.address()), &variables).assert_carries();
}

#[test]
fn unix_socket() {
    let files = Files::new(&[]);
    let path = files.words("{}/mq.sock");
    let broker = EmbeddedBroker::start_with(&format!("-p 0 --unix {path}"));
    Way::new(&broker, format!("unix://{path}"), &[]).assert_carries();
}

#[test]
fn proxies() {
    let broker = EmbeddedBroker::start();
    let url = || format!("mqtt://{}", broker.address());
    let http = format!("http://{}", start_http_proxy());
    Way::new(&broker, url(), &[("PROXY", &*http)]).assert_carries();
    let Some(socks) = Microsocks::start("") else { return };
    let socks = format!("socks5://{}", socks.address);
    Way::new(&broker, url(), &[("PROXY", &*socks)]).assert_carries();
}

#[test]
fn a_preset_whose_service_has_no_qos_2() {
    let Some((broker, port, files)) = mosquitto_with_tls("require_certificate true") else { return };
    let [ca, cert, key] = ["{}/ca.pem", "{}/client.pem", "{}/client.key"].map(|path| files.words(path));
    let variables = [("PRESET", "aws"), ("CAFILE", &*ca), ("CERT", &*cert), ("KEY", &*key)];
    let way = Way::new(&broker, format!("mqtts://localhost:{port}"), &variables);
    Way { maximum_qos: 1, ..way }.assert_carries();
}

#[test]
fn versions() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let embedded = EmbeddedBroker::start();
    for [local, remote] in [["311", "5"], ["5", "311"], ["311", "311"], ["31", "5"]] {
        let way = |broker, version| {
            let server: &dyn Server = broker;
            Way::new(server, format!("mqtt://{}", server.address()), &[("PROTOCOL_VERSION", version)])
        };
        assert_carries_between(&way(&mosquitto, local), &way(&embedded, remote));
    }
}

#[test]
fn the_keys_of_a_file_for_tls() {
    let Some((broker, port, files)) = mosquitto_with_tls("require_certificate true") else { return };
    let local = EmbeddedBroker::start();
    let lines = files.words(&format!(
        "connection c\naddress localhost:{port}\nlocal_address {}\ntopic up/# out 2\nnotification_topic state\n\
         bridge_cafile {{}}/ca.pem\nbridge_certfile {{}}/client.pem\nbridge_keyfile {{}}/client.key\n\
         bridge_tls_version tlsv1.2\nbridge_protocol_version mqttv50\n",
        local.address()
    ));
    let lines = file(&lines);
    let _bridge = with_file(&lines, "").spawn();
    local.subscriber("-t state -F %p").wait_for_stdout("1");
    let plain = |broker| Way::new(broker, String::new(), &[]);
    assert_arrive(&plain(&local), &plain(&broker), "up");
}
