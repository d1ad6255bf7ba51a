//! What cannot work gets the right status and a sentence that names the option or the packet.

use super::support::*;

/// A port without a listener: a mistake on the command line must be reported before connecting.
const NOWHERE: &str = "-h 127.0.0.1 -p 9";

/// The status is 2, stdout is empty, and stderr names these things.
#[track_caller]
fn assert_usage_error(program: Program, parts: &[&str]) {
    let finished = program.run();
    assert_eq!(finished.stdout, b"", "errors belong on stderr");
    assert_says(&finished.fail(2), parts);
}

/// As [`assert_usage_error`] for each of these, behind the same words; all that fail are shown.
#[track_caller]
fn assert_usage_errors(words: &str, cases: &[(&str, &[&str])]) {
    let failed = cases.iter().filter(|(options, parts)| {
        std::panic::catch_unwind(|| assert_usage_error(mq(&format!("{words} {options}")), parts)).is_err()
    });
    assert_eq!(failed.map(|(options, _)| options).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn option_values_are_checked_before_connecting() {
    let cases: &[(&str, &[&str])] = &[
        ("-q 3", &["-q", "3"]),
        ("-q foo", &["-q", "foo"]),
        ("-q -1", &["-q", "-1"]),
        ("--qos 3", &["--qos", "3"]),
        ("-p 65536", &["-p", "65536"]),
        ("-p -1", &["-p", "-1"]),
        ("-p 1883abc", &["-p", "1883abc", "whole number"]),
        ("--keepalive x", &["--keepalive", "x"]),
        ("-k 4", &["-k", "4"]),
        ("-k 0", &["-k", "0"]),
        ("-k 65536", &["-k", "65536", "from 5 to 65535"]),
        ("-M 0", &["-M", "0"]),
        ("-V 4", &["-V", "4"]),
        ("-V mqttv4", &["-V", "mqttv4"]),
        ("-x soon", &["-x", "soon"]),
        ("-x 4294967296", &["-x", "4294967296"]),
        ("-A nowhere", &["-A", "nowhere"]),
        ("--will-qos 3 --will-topic a", &["--will-qos", "3"]),
        ("--will-topic a/#", &["--will-topic", "#"]),
        ("--will-payload x", &["--will-payload", "--will-topic"]),
        ("--will-retain", &["--will-retain", "--will-topic"]),
        ("-i a -I b", &["-i", "-I"]),
        ("-c", &["-c", "-i"]),
        ("-c -I prefix", &["-c", "-i"]),
        ("-x -1", &["-x", "-i"]),
        ("-P secret", &["-P", "-u"]),
        ("-V 311 -x 10", &["-x", "MQTT 5"]),
        ("-V 311 -D publish content-type x", &["-D", "MQTT 5"]),
        ("-D publish", &["-D", "NAME"]),
        ("-D publish colour red", &["-D", "colour"]),
        ("-D connect content-type x", &["content-type", "connect"]),
        ("-D publish subscription-identifier 1", &["subscription-identifier", "publish"]),
        ("-D suback reason-string x", &["-D", "suback"]),
        ("-D publish payload-format-indicator 2", &["-D", "payload-format-indicator"]),
        ("-D publish topic-alias 0", &["-D", "topic-alias"]),
        ("-D publish topic-alias 65536", &["-D", "topic-alias"]),
        ("-D connect receive-maximum 0", &["-D", "receive-maximum"]),
        ("-D publish message-expiry-interval soon", &["message-expiry-interval", "soon"]),
        ("-D publish topic-alias 1 -D publish topic-alias 2", &["-D", "topic-alias"]),
        ("-x 5 -D connect session-expiry-interval 6", &["-x", "session-expiry-interval"]),
        ("--no-such-option", &["--no-such-option", "pub"]),
        ("word", &["word", "pub"]),
    ];
    assert_usage_errors(&format!("pub {NOWHERE} -t a -m x"), cases);
}

#[test]
fn publishing_needs_one_topic_and_one_kind_of_message() {
    let cases: &[(&str, &[&str])] = &[
        ("-t a", &["-m", "-l"]),
        ("-m x", &["-t"]),
        ("-t a -m x -n", &["-m", "-n"]),
        ("-t a -l -s", &["-l", "-s"]),
        ("-t a -m", &["-m", "value"]),
        ("-t a -m x --repeat 0", &["--repeat", "0"]),
        ("-t a -m x --repeat-delay -1", &["--repeat-delay", "-1"]),
        ("-t a -m x --repeat-delay nan", &["--repeat-delay", "nan"]),
        ("-t a/# -m x", &["-t", "a/#"]),
        ("-t a/+/b -m x", &["-t", "a/+/b"]),
    ];
    assert_usage_errors(&format!("pub {NOWHERE}"), cases);
    assert_usage_error(mq(&format!("pub {NOWHERE} -m x -t")).arg(""), &["-t"]);
}

#[test]
fn subscribing_needs_a_filter_that_can_match() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["-t"]),
        ("-t a/#/b", &["-t", "a/#/b"]),
        ("-t a+", &["-t", "a+"]),
        ("-t a#", &["-t", "a#"]),
        ("-t a -T b/#/c", &["-T", "b/#/c"]),
        ("-t a -U c#", &["-U", "c#"]),
        ("-t $share/group", &["-t", "$share/group"]),
        ("-t $share//a", &["-t", "$share//a"]),
        ("-t $share/g+/a", &["-t", "$share/g+/a"]),
        ("-t a -C 0", &["-C", "0"]),
        ("-t a -C -1", &["-C", "-1"]),
        ("-t a -W 0", &["-W", "0"]),
        ("-t a -W later", &["-W", "later"]),
        ("-t a -q 3", &["-q", "3"]),
        ("-t a -R --retained-only", &["-R", "--retained-only"]),
        ("-t a -V 5 --retain-handling sometimes", &["--retain-handling", "sometimes"]),
        ("-t a -V 311 --retain-as-published", &["--retain-as-published", "MQTT 5"]),
    ];
    assert_usage_errors(&format!("sub {NOWHERE}"), cases);
}

#[cfg(unix)]
#[test]
fn topics_must_be_utf_8_without_control_characters() {
    use std::os::unix::ffi::OsStrExt;
    let latin_1 = std::ffi::OsStr::from_bytes(b"caf\xe9");
    assert_usage_error(mq(&format!("pub {NOWHERE} -m x -t")).arg(latin_1), &["UTF-8"]);
    assert_usage_error(mq(&format!("sub {NOWHERE} -t")).arg(latin_1), &["UTF-8"]);
    for character in ["\u{1}", "\u{7f}", "\u{9f}", "\u{fdd0}", "\u{ffff}"] {
        assert_usage_error(mq(&format!("pub {NOWHERE} -m x -t")).arg(format!("a{character}")), &["-t"]);
    }
}

/// What strict brokers close the connection for.
const REFUSED_CHARACTERS: [&str; 5] = ["\u{1}", "\u{7f}", "\u{9f}", "\u{fdd0}", "\u{ffff}"];

#[test]
fn identifiers_names_and_properties_have_no_control_characters() {
    for character in REFUSED_CHARACTERS {
        let text = format!("a{character}b");
        let code = format!("U+{:04X}", u32::from(character.chars().next().unwrap()));
        for option in ["-i", "-I", "-u"] {
            let program = mq(&format!("pub {NOWHERE} -t a -m x {option}")).arg(&text);
            assert_usage_error(program, &[option, &code, "--allow-control-characters"]);
        }
        for packet_and_property in [
            "publish content-type",
            "publish response-topic",
            "publish user-property k",
            "connect user-property k",
            "will content-type",
            "will user-property k",
            "subscribe user-property k",
        ] {
            let program = mq(&format!("sub {NOWHERE} -t a -D {packet_and_property}")).arg(&text);
            assert_usage_error(program, &["-D", &code]);
        }
        let program = mq(&format!("sub {NOWHERE} -t a -D publish user-property")).arg(&text).arg("v");
        assert_usage_error(program, &["-D user-property", &code]);
        assert_usage_error(mq("sub -L").arg("mqtt://a%01b@localhost:9/t"), &["-L", "U+0001"]);
        assert_usage_error(mq(&format!("bench conn {NOWHERE} -c 1 -i")).arg(&text), &["-i", &code]);
        assert_usage_error(mq(&format!("doctor {NOWHERE} -u")).arg(&text), &["-u", &code]);
    }
    assert_usage_error(
        mq("sub --allow-control-characters -L").arg("mqtt://a%00b@localhost:9/t"),
        &["-L", "null character"],
    );
}

#[test]
fn control_characters_are_sent_when_they_are_allowed() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect("10 (`MQTT` 05 82 003c () 0002 6901 0002 7502)");
        client.send("20 (00 00 ())");
        client.expect("30 (`t` (03 0002 6303 26 0001 6b 0002 7604) 'x')");
        client.expect("e0 ()");
    });
    let program =
        peer.mq("pub --allow-control-characters -t t -m x -i").arg("i\u{1}").arg("-u").arg("u\u{2}");
    let program = program.words("-D publish content-type").arg("c\u{3}").words("-D publish user-property k");
    program.arg("v\u{4}").run().succeed();
    peer.finish();
}

#[test]
fn topics_have_at_most_65535_bytes() {
    assert_usage_error(mq(&format!("pub {NOWHERE} -m x -t")).arg("a".repeat(65536)), &["-t", "65535"]);
}

#[test]
fn there_must_be_a_command() {
    assert_usage_error(mq(""), &["Usage", "pub", "sub"]);
    assert_usage_error(mq("publish"), &["publish", "pub"]);
}

#[test]
fn help_is_no_error() {
    for words in ["--help", "help", "pub --help", "sub --help", "help sub"] {
        assert_says(&mq(words).run().succeed(), &["Usage: mq"]);
    }
    assert_says(&mq("--version").run().succeed(), &["mq ", env!("CARGO_PKG_VERSION")]);
}

#[test]
fn a_missing_file_is_named() {
    let stderr = mq(&format!("pub {NOWHERE} -t a -f /nonexistent/file")).run().fail(1);
    assert_says(&stderr, &["mq pub:", "/nonexistent/file", "No such file"]);
    let stderr = mq(&format!("pub {NOWHERE} -t a -f /")).run().fail(1);
    assert_says(&stderr, &["/", "directory"]);
}

#[test]
fn an_empty_stdin_deletes_nothing() {
    assert_says(&mq(&format!("pub {NOWHERE} -t a -s -r")).run().fail(1), &["standard input", "-n"]);
}

#[test]
fn a_broker_that_is_not_there_is_reported() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for command in ["pub -t a -m x", "pub -t a -l -q 1", "sub -t a"] {
        let stderr = mq(&format!("{command} -h 127.0.0.1 -p {}", free.port())).run().fail(1);
        assert_says(&stderr, &[&free.to_string(), "refused", "-p"]);
    }
}

#[test]
fn a_name_that_nobody_knows_is_reported() {
    assert_says(&mq("pub -h nobody.invalid -t a -m x").run().fail(1), &["nobody.invalid"]);
}

#[test]
fn a_local_address_that_is_not_ours_is_reported() {
    let peer = ScriptedPeer::start(|_| {});
    assert_says(&peer.mq("pub -A 192.0.2.1 -t a -m x").run().fail(1), &["192.0.2.1"]);
    peer.finish();
}

#[test]
fn a_broker_that_closes_at_once_is_reported() {
    for command in ["pub -t a -m x -q 1", "sub -t a"] {
        let peer = ScriptedPeer::start(|peer| {
            peer.accept().expect_type(0x10);
        });
        assert_says(&peer.mq(command).run().fail(7), &["the broker closed the connection"]);
        peer.finish();
    }
}

#[test]
fn a_broker_that_says_nothing_is_given_up() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.expect_end();
    });
    let stderr = peer.mq("pub -t a -m x --connect-timeout 0.1").run().fail(27);
    assert_says(&stderr, &["Timed out"]);
    peer.finish();
}

#[test]
fn another_protocol_is_recognised() {
    for (answer, name) in [
        ("'HTTP/1.1 400 Bad Request' 0d0a 0d0a", "HTTP"),
        ("15 03 03 00 02 02 0a", "TLS"),
        ("'SSH-2.0-OpenSSH_9.6' 0d0a", "SSH"),
        ("'220 mail.example ESMTP' 0d0a", "mq pub: "),
        ("00 00 00 00 00 00 00 00", "mq pub: "),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.send(answer);
            client.expect_end();
        });
        let finished = peer.mq("pub -t a -m x").run();
        peer.finish();
        assert!(
            matches!(finished.status, 1 | 7),
            "status {} for {name}: {}",
            finished.status,
            finished.stderr
        );
        assert_says(&finished.stderr, &[name]);
    }
}

#[test]
fn refusals_of_mqtt_3_are_reported_in_words() {
    for (code, words) in [
        (1, "unacceptable protocol version"),
        (2, "identifier rejected"),
        (3, "server unavailable"),
        (4, "bad user name or password"),
        (5, "not authorized"),
    ] {
        // A broker without MQTT 5 answers a CONNECT of MQTT 5 with them as well.
        for version in ["31", "311", "5"] {
            let words = format!("refused the connection: {words} (return code {code})\n");
            assert_refused(&format!("sub -t a -V {version}"), &format!("20 (00 {code:02x})"), &words);
        }
    }
}

#[test]
fn a_reason_code_without_properties_is_not_a_return_code() {
    assert_refused("sub -t a -V 5", "20 (00 87)", "refused the connection: not authorized (0x87)\n");
}

#[test]
fn return_codes_that_mqtt_3_does_not_define_are_shown_as_received() {
    for code in [6_u8, 0x7f, 0x80, 0x87, 0xff] {
        for version in ["31", "311"] {
            let peer = ScriptedPeer::start(move |peer| {
                let mut client = peer.accept();
                client.expect_type(0x10);
                client.send(&format!("20 (00 {code:02x})"));
                client.expect_end();
            });
            let finished = peer.mq(&format!("sub -t a -V {version}")).run();
            peer.finish();
            let words =
                format!("the broker sent a bad packet: malformed CONNACK: invalid return code {code} at");
            assert_says(&finished.stderr, &[&words]);
        }
    }
}

#[test]
fn refusals_of_mqtt_5_are_reported_in_words() {
    for (code, words) in [
        (0x80, "unspecified error"),
        (0x81, "malformed packet"),
        (0x82, "protocol error"),
        (0x83, "implementation specific error"),
        (0x84, "unsupported protocol version"),
        (0x85, "client identifier not valid"),
        (0x86, "bad user name or password"),
        (0x87, "not authorized"),
        (0x88, "server unavailable"),
        (0x89, "server busy"),
        (0x8a, "banned"),
        (0x8c, "bad authentication method"),
        (0x90, "topic name invalid"),
        (0x95, "packet too large"),
        (0x97, "quota exceeded"),
        (0x99, "payload format invalid"),
        (0x9a, "retain not supported"),
        (0x9b, "QoS not supported"),
        (0x9c, "use another server"),
        (0x9d, "server moved"),
        (0x9f, "connection rate exceeded"),
    ] {
        assert_refused("pub -t a -m x -V 5", &format!("20 (00 {code:02x} ())"), words);
    }
}

#[test]
fn the_broker_s_text_for_a_refusal_is_shown() {
    assert_refused("sub -t a -V 5", "20 (00 87 (1f `ask ann first`))", "ask ann first");
    assert_refused("sub -t a -V 5", "20 (00 9d (1c `new.example:1883`))", "new.example:1883");
}

#[test]
fn a_broker_of_mqtt_3_that_is_asked_for_5_is_understood() {
    assert_refused("pub -t a -m x -V 5", "20 (00 01)", "unacceptable protocol version (return code 1)");
}

#[test]
fn a_client_of_mqtt_5_is_not_accepted_in_the_form_of_3() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (00 00)");
        assert_ne!(client.expect_end().first(), Some(&0x30), "nothing is published");
    });
    let stderr = peer.mq("pub -V 5 -t a -m x").run().fail(7);
    assert_says(&stderr, &["CONNACK"]);
    peer.finish();
}

#[track_caller]
fn assert_refused(command: &str, connack: &str, words: &str) {
    let connack = connack.to_owned();
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send(&connack);
        client.expect_end();
    });
    assert_says(&peer.mq(command).run().fail(5), &["refused", words]);
    peer.finish();
}

#[test]
fn a_wrong_password_is_refused() {
    let Some(broker) = mosquitto_with_passwords() else { return };
    broker.mq("pub -u ann -P secret -t a -m x").run().succeed();
    for version in ["311", "5"] {
        let line = format!("pub -V {version} -u ann -P wrong -t a -m x");
        assert_says(&broker.mq(&line).run().fail(5), &["refused", "not authorized", "-u", "-P"]);
        assert_says(&broker.mq(&format!("sub -V {version} -t a")).run().fail(5), &["not authorized"]);
    }
}

/// It knows `ann`, whose password is `secret`.
fn mosquitto_with_passwords() -> Option<Mosquitto> {
    let line = "ann:$7$101$c2Q11FkD1hl2m0m+$V/vAwHmNR42m7PfgYQTWl8mQ0f1pmG4eJwZ99HE1zFSaSL+td0DeDDQKDk/QJyJkC+Wv4Y4Ty0Y+1ZaH92MUoQ==\n";
    Mosquitto::start_with_files(
        "allow_anonymous false\npassword_file {directory}/passwords",
        &[("passwords", line)],
    )
}

#[test]
fn a_message_that_is_too_large_is_reported_and_not_sent() {
    let peer = ScriptedPeer::accepting_v5("27 00000020", |client| {
        client.expect("e0 ()");
    });
    let stderr = peer.mq("pub -V 5 -t home/a -q 1 -m 0123456789012345678901234567890123456789").run().fail(3);
    assert_says(&stderr, &["home/a", "32"]);
    peer.finish();
}

#[test]
fn a_message_that_is_too_large_for_mosquitto_is_reported() {
    let Some(broker) = Mosquitto::start_with("max_packet_size 200") else { return };
    let stderr = broker.mq("pub -V 5 -t home/a -q 1 -s").stdin("x".repeat(300)).run().fail(3);
    assert_says(&stderr, &["home/a", "200"]);
    broker.mq("pub -V 5 -t home/a -q 1 -s").stdin("x".repeat(100)).run().succeed();
}

#[test]
fn lines_before_one_that_is_too_large_are_delivered() {
    let peer = ScriptedPeer::accepting_v5("27 00000020", |client| {
        assert_eq!(client.expect_and_acknowledge().payload, b"one");
        client.expect("e0 ()");
    });
    let lines = "one\n0123456789012345678901234567890123456789\n";
    peer.mq("pub -V 5 -t a -l -q 1").stdin(lines).run().fail(3);
    peer.finish();
}

#[test]
fn a_qos_over_the_maximum_of_the_broker_is_reported_and_not_sent() {
    let peer = ScriptedPeer::accepting_v5("24 01", |client| {
        client.expect("e0 ()");
    });
    let stderr = peer.mq("pub -V 5 -t home/a -m x -q 2").run().fail(3);
    assert_says(&stderr, &["home/a", "QoS 2", "1"]);
    peer.finish();
}

#[test]
fn a_qos_over_the_maximum_of_mosquitto_is_reported() {
    let Some(broker) = Mosquitto::start_with("max_qos 0") else { return };
    assert_says(&broker.mq("pub -V 5 -t a -m x -q 1").run().fail(3), &["QoS 1", "0"]);
    broker.mq("pub -V 5 -t a -m x -q 0").run().succeed();
}

#[test]
fn a_broker_that_retains_nothing_is_reported() {
    let peer = ScriptedPeer::accepting_v5("25 00", |client| client.expect("e0 ()"));
    let stderr = peer.mq("pub -V 5 -t home/a -m x -r").run().fail(3);
    assert_says(&stderr, &["home/a", "retain"]);
    peer.finish();
}

#[test]
fn a_topic_alias_over_the_maximum_of_the_broker_is_reported() {
    let peer = ScriptedPeer::accepting_v5("22 0002", |client| client.expect("e0 ()"));
    let stderr = peer.mq("pub -t a -m x -D publish topic-alias 3").run().fail(3);
    assert_says(&stderr, &["alias", "3", "2"]);
    peer.finish();
}

#[test]
fn a_subscription_that_the_broker_does_not_offer_is_reported_and_not_asked_for() {
    for (property, options, part) in [
        ("28 00", "-t a/#", "wildcard subscriptions, as in a/#"),
        ("2a 00", "-t $share/g/a", "shared subscriptions, as in $share/g/a"),
        ("29 00", "-t a -D subscribe subscription-identifier 1", "subscription identifiers"),
        ("27 00000010", "-t a/long/topic", "maximum packet size of 16 bytes"),
    ] {
        let peer = ScriptedPeer::accepting_v5(property, |client| client.expect("e0 ()"));
        assert_says(&peer.mq(&format!("sub -V 5 {options}")).run().fail(3), &["mq sub:", part]);
        peer.finish();
    }
}

#[test]
fn a_session_that_is_present_after_a_clean_start_is_refused() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (01 00)");
        assert_eq!(client.expect_end(), b"");
    });
    assert_says(&peer.mq("sub -t a").run().fail(7), &["session present", "clean start"]);
    peer.finish();
}

#[test]
fn packets_that_cannot_be_are_reported_by_name() {
    for (packet, name) in [
        ("37 (`a` 0001 'x')", "PUBLISH"),
        ("30 ff ff ff ff 01", "length"),
        ("90 (0001 05)", "SUBACK"),
        ("82 (0001 `a` 00)", "SUBSCRIBE"),
        ("00 ()", "packet type 0"),
        ("20 (00 00)", "CONNACK"),
    ] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept_v311();
            client.expect_type(0x82);
            client.send(packet);
        });
        let finished = peer.mq("sub -t a").run();
        peer.finish();
        assert!(
            finished.stderr.contains(name),
            "{name} is missing in the answer to {packet}: {}",
            finished.stderr
        );
        finished.expect_status(7);
    }
}
