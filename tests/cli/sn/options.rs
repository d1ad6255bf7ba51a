//! Options that have no meaning with an MQTT-SN gateway, or only with one.

use crate::support::sn::{SnPeer, address_in};
use crate::support::{EmbeddedBroker, Server, assert_first_line, mq};

#[test]
fn options_that_MQTT_SN_cannot_express_are_rejected_by_name() {
    for (words, option) in [
        ("-u ann", "-u"),
        ("-L mqtt-sn://ann@localhost/a", "USER:PASSWORD@ in the URL"),
        ("-V 5", "-V"),
        ("-D connect receive-maximum 5", "-D"),
        ("-x 60", "-x"),
        ("--unix ./socket", "--unix"),
        ("-S", "-S"),
        ("--proxy socks5://localhost", "--proxy"),
        ("--proxy-protocol v1", "--proxy-protocol"),
        ("--ws", "--ws"),
        ("--tls-use-os-certs", "TLS"),
    ] {
        for command in ["pub -t a -n", "sub -t a", "rr -t a -n -e b"] {
            let (name, options) = command.split_once(' ').unwrap();
            let error = mq(name).words(options).words("--sn").words(words).run().fail(2);
            let line = format!(
                "mq {name}: {option} cannot be used with an MQTT-SN gateway; MQTT-SN 1.2 has no message or layer for it"
            );
            assert_first_line(&error, &line);
        }
    }
}

#[test]
fn options_of_MQTT_SN_need_a_gateway() {
    for (words, option) in [
        ("pub -t ab -n -q -1", "-q -1"),
        ("pub --topic-id 5 -n", "--topic-id"),
        ("sub --topic-id 5", "--topic-id"),
        ("sub -t a --sleep 5", "--sleep"),
    ] {
        let (name, options) = words.split_once(' ').unwrap();
        let error = mq(name).words(options).run().fail(2);
        let line = format!("mq {name}: {option} needs an MQTT-SN gateway: --sn, or -L mqtt-sn://HOST/TOPIC");
        assert_first_line(&error, &line);
    }
}

#[test]
fn a_URL_of_another_scheme_is_rejected_for_a_gateway() {
    for url in ["mqtts://localhost/a", "ws://localhost/a", "unix:///a"] {
        let error = mq("pub").words(&format!("--sn -L {url} -t a -n")).run().fail(2);
        let line = format!("mq pub: -L {url}: the URL of an MQTT-SN gateway is mqtt-sn://HOST:PORT/TOPIC");
        assert_first_line(&error, &line);
    }
}

#[test]
fn other_commands_are_not_clients_of_a_gateway() {
    for words in ["doctor", "gateway"] {
        let (name, options) = words.split_once(' ').unwrap_or((words, ""));
        let error = mq(name).words(options).words("-L mqtt-sn://localhost").run().fail(2);
        assert_first_line(
            &error,
            &format!(
                "mq {name}: -L mqtt-sn://localhost: only pub, sub, rr and bench are clients of an MQTT-SN gateway"
            ),
        );
    }
}

#[test]
fn options_of_each_client_are_rejected_for_a_gateway() {
    for (words, option) in [("-i me", "-i"), ("-c", "-c"), ("--will-topic a", "--will-topic")] {
        let error = mq("gateway").words(words).run().fail(2);
        let line = format!(
            "mq gateway: {option} cannot be used with a gateway; its clients have their own identifiers, sessions and wills"
        );
        assert_first_line(&error, &line);
    }
}

#[test]
fn a_broker_with_passwords_needs_anonymous_clients_for_a_gateway() {
    let error = mq("broker").words("-p 0 --sn-port 0 --password-file /nonexistent").run().fail(2);
    assert_first_line(
        &error,
        "mq broker: --sn-port needs --allow-anonymous, since clients of MQTT-SN 1.2 have no user names; or --sn-version 2",
    );
}

#[test]
fn a_message_has_one_topic_id() {
    for words in ["pub -n", "rr -n -e the/answer"] {
        let (name, options) = words.split_once(' ').unwrap();
        let error = mq(name).words(options).words("--sn --topic-id 7 --topic-id 8").run().fail(2);
        let line = "--topic-id can be repeated only for sub; a message has one topic";
        assert_first_line(&error, &format!("mq {name}: {line}"));
    }
}

#[test]
fn profiles_apply_to_the_connections_of_a_gateway_but_not_their_identifiers() {
    let broker = EmbeddedBroker::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mq/config.toml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let port = broker.address().port();
    let profile = format!(
        "[profile.plant]\nurl = \"mqtt://127.0.0.1:{port}/topic\"\nid = \"me\"\nwill-topic = \"w\"\n"
    );
    std::fs::write(&file, profile).unwrap();
    let mut running =
        mq("gateway").words("--listen 0 --profile plant").env("XDG_CONFIG_HOME", directory.path()).spawn();
    let mut peer = SnPeer::to(address_in(&running.wait_for_stdout("(MQTT-SN)")));
    peer.connect("c1");
}

#[test]
fn a_mistake_in_the_file_of_topics_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("topics");
    std::fs::write(&file, "1 a/b\n2 a/#\n").unwrap();
    let error = mq("gateway").words(&format!("--predefined {}", file.display())).run().fail(2);
    let line = format!(
        "mq gateway: {}, line 2: invalid topic \"a/#\": a topic to publish to must not contain the wildcards + or #",
        file.display()
    );
    assert_first_line(&error, &line);
}
