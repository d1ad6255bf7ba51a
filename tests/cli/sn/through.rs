//! Our clients through our gateway, in front of each broker.

use crate::support::sn::{Gateway, address_in};
use crate::support::{Broker, EmbeddedBroker, Server, mq, on_each_broker};

fn through(broker: &dyn Broker) -> Gateway {
    Gateway::start(broker.address(), "--retry-interval 300ms --retry-count 100")
}

/// Messages of each QoS go from clients with these options, and from an MQTT client, to a client with them.
pub(super) fn each_qos(broker: &dyn Broker, gateway: &Gateway, options: &str) {
    for qos in ["0", "1", "2"] {
        let words = format!("sub -d -t home/# -t ab -q {qos} -C 4 -F %q:%t:%p {options}");
        let mut subscriber = gateway.mq(&words).spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        for message in ["-t home/door -m open", "-t home/a/long/topic -n", "-t ab -m short"] {
            gateway.mq(&format!("pub {message} -q {qos} {options}")).run().succeed();
        }
        broker.mq(&format!("pub -t home/mqtt -m hello -q {qos}")).run().succeed();
        let expected = format!(
            "{qos}:home/door:open\n{qos}:home/a/long/topic:\n{qos}:ab:short\n{qos}:home/mqtt:hello\n"
        );
        assert_eq!(subscriber.finish().succeed(), expected);
    }
}

#[test]
fn messages_of_each_QoS_go_through_in_both_directions() {
    on_each_broker(|broker| each_qos(broker, &through(broker), ""));
}

#[test]
fn lines_are_published_in_order_and_the_mqtt_side_sees_them() {
    on_each_broker(|broker| {
        let gateway = through(broker);
        let subscriber = broker.subscriber("-t lines -q 2 -C 200");
        let lines: String = (0..200).map(|number| format!("line {number}\n")).collect();
        gateway.mq("pub -t lines -l -q 2").stdin(lines.clone()).run().succeed();
        assert_eq!(subscriber.finish().succeed(), lines);
    });
}

#[test]
fn large_messages_use_the_long_length() {
    on_each_broker(|broker| {
        let gateway = through(broker);
        for size in [247, 248, 249, 250, 251, 252, 20_000] {
            let mut subscriber = gateway.mq("sub -d -t large/topic -C 1 -q 1 -F %l").spawn();
            subscriber.wait_for_stderr("<- SUBACK");
            gateway.mq(&format!("pub -t large/topic -q 1 --random {size}")).run().succeed();
            assert_eq!(subscriber.finish().succeed(), format!("{size}\n"));
        }
    });
}

#[test]
fn a_request_gets_its_answer() {
    on_each_broker(|broker| {
        let gateway = through(broker);
        let mut responder = gateway.mq("sub -d -t ask/me -C 1").spawn();
        responder.wait_for_stderr("<- SUBACK");
        let mut request = gateway.mq("rr -d -t ask/me -e the/answer -m question -q 1").spawn();
        request.wait_for_stderr("-> PUBLISH");
        assert_eq!(responder.finish().succeed(), "question\n");
        broker.mq("pub -t the/answer -m 42").run().succeed();
        assert_eq!(request.finish().succeed(), "42\n");
    });
}

#[test]
fn retained_messages_and_kept_sessions_work() {
    on_each_broker(|broker| {
        let gateway = through(broker);
        gateway.mq("pub -t state/door -m shut -r -q 1").run().succeed();
        let printed = gateway.mq("sub -t state/+ -C 1 -F %r:%p").run().succeed();
        assert_eq!(printed, "1:shut\n");
        gateway.mq("sub -t kept/# -i keeper -c -q 1 -E").run().succeed();
        broker.mq("pub -t kept/one -m 1 -q 1").run().succeed();
        broker.mq("pub -t kept/two -m 2 -q 1").run().succeed();
        let printed = gateway.mq("sub -t kept/# -i keeper -c -q 1 -C 2").run().succeed();
        assert_eq!(printed, "1\n2\n");
    });
}

#[test]
fn the_will_is_published_when_a_client_is_lost_and_not_after_DISCONNECT() {
    on_each_broker(|broker| {
        let gateway = through(broker);
        let mut watcher = broker.subscriber("-t wills/# -v");
        let will = "--will-topic wills/gone --will-payload lost --will-qos 1";
        gateway.mq(&format!("pub -t wills/alive -m 1 {will}")).run().succeed();
        watcher.wait_for_stdout("wills/alive 1");
        let mut client = gateway.mq(&format!("sub -d -t x/y -k 5 {will}")).spawn();
        client.wait_for_stderr("<- SUBACK");
        client.kill();
        assert_eq!(watcher.wait_for_stdout(""), "wills/gone lost");
    });
}

#[test]
fn a_URL_names_gateway_and_topic() {
    let broker = EmbeddedBroker::start();
    let gateway = Gateway::start(broker.address(), "");
    let url = format!("mqtt-sn://{}/a/b", gateway.address);
    let mut subscriber = mq("sub").words("-d -C 1 -v -L").arg(&url).spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    mq("pub").words("-m hello -L").arg(&url).run().succeed();
    assert_eq!(subscriber.finish().succeed(), "a/b hello\n");
}

#[test]
fn QoS_minus_1_needs_no_connection() {
    on_each_broker(|broker| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("topics");
        std::fs::write(&file, "# ours\n7 home/predefined\n").unwrap();
        let gateway = Gateway::start(broker.address(), &format!("--predefined {}", file.display()));
        let subscriber = broker.subscriber("-t home/# -t ab -C 3 -v");
        gateway.mq("pub -q -1 --topic-id 7 -m one").run().succeed();
        gateway.mq("pub -q -1 -t ab -m two").run().succeed();
        gateway.mq("pub -q 1 --topic-id 7 -m three").run().succeed();
        let printed = subscriber.finish().succeed();
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["ab two", "home/predefined one", "home/predefined three"]);
        let mut subscriber = gateway.mq("sub -d --topic-id 7 -C 1 -v").spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        broker.mq("pub -t home/predefined -m four").run().succeed();
        assert_eq!(subscriber.finish().succeed(), "7 four\n");
    });
}

#[test]
fn the_broker_has_a_gateway_of_its_own() {
    let mut broker = mq("broker").words("-p 0 --sn-port 0 -v").spawn();
    broker.wait_for_stdout("listening on");
    let gateway = address_in(&broker.wait_for_stdout("(MQTT-SN)"));
    let place = format!("--sn -h {} -p {}", gateway.ip(), gateway.port());
    let mut subscriber = mq("sub").words(&format!("-d -t a/# -C 1 {place}")).spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    mq("pub").words(&format!("-t a/b -m hello {place}")).run().succeed();
    assert_eq!(subscriber.finish().succeed(), "hello\n");
    broker.wait_for_stderr("with MQTT-SN 1.2");
    broker.signal("TERM");
    broker.finish().expect_status(143);
}

#[test]
fn connections_to_the_broker_use_the_options_of_all_clients() {
    let broker = EmbeddedBroker::start_with("-p 0 --ws-port 0");
    let gateway = Gateway::start(broker.address(), "-V 5 -k 5");
    let subscriber = broker.subscriber("-t a/b -C 1");
    gateway.mq("pub -t a/b -m 5 -q 2").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "5\n");
}
