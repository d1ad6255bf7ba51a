//! Scripts written for mosquitto's tools, with their accidents: values that are not numbers, and output that they search.

use super::support::*;

/// The tool, called as scripts call it, with one more option whose value is a word of any kind.
fn with_value(name: &str, words: &str, option: &str, value: &str) -> Program {
    called_as(name, words).words(option).arg(value)
}

/// The real tool with the same words, if it is installed.
fn real(name: &str, words: &str, option: &str, value: &str) -> Option<Program> {
    Some(Program::new(broker::find(name)?).words(words).words(option).arg(value))
}

/// Values without a number, or with more than a number, and the resulting exit status.
const SLOPPY: &[(&str, &str, &str, i32)] = &[
    ("mosquitto_pub", "-q", "", 0),
    ("mosquitto_pub", "-q", "1 ", 0),
    ("mosquitto_pub", "-q", " 1\r", 0),
    ("mosquitto_pub", "-q", "foo", 0),
    ("mosquitto_pub", "-k", "60s", 0),
    ("mosquitto_pub", "-M", "5x", 0),
    ("mosquitto_pub", "--repeat", "2x", 0),
    ("mosquitto_pub", "--repeat-delay", "", 0),
    ("mosquitto_pub", "--repeat-delay", "0.01s", 0),
    ("mosquitto_pub", "--will-topic w --will-qos", "1\r", 0),
    ("mosquitto_pub", "-D publish message-expiry-interval", "60s", 0),
    ("mosquitto_pub", "-D publish payload-format-indicator", "1\r", 0),
    ("mosquitto_sub", "-C", "1\r", 0),
    ("mosquitto_sub", "-C 1 -W", "20s", 0),
    ("mosquitto_rr", "-W", "20s", 0),
    ("mosquitto_pub", "-k", "", 1),
    ("mosquitto_pub", "-k", "soon", 1),
    ("mosquitto_pub", "-M", "", 1),
    ("mosquitto_pub", "--repeat", "", 1),
    ("mosquitto_pub", "-x", "60s", 1),
    ("mosquitto_sub", "-C", "", 1),
    ("mosquitto_sub", "-W", "x", 1),
    ("mosquitto_sub", "-q", "3x", 1),
];

/// What each tool needs besides. The messages that mosquitto_sub and mosquitto_rr wait for are retained.
fn usual_words(name: &str) -> &'static str {
    match name {
        "mosquitto_pub" => "-t a -m x",
        "mosquitto_sub" => "-t kept",
        _ => "-t a -m x -e kept",
    }
}

#[test]
fn numbers_are_read_as_mosquittos_tools_read_them() {
    let broker = EmbeddedBroker::start();
    broker.mq("pub -t kept -m x -r -q 1").run().succeed();
    for (name, option, value, status) in SLOPPY {
        let words = format!("{} {}", broker.options(), usual_words(name));
        let finished = with_value(name, &words, option, value).run();
        finished.expect_status(*status);
        assert_eq!(
            finished.stderr.is_empty(),
            *status == 0,
            "{name} {option} {value:?}: {}",
            finished.stderr
        );
        if let Some(real) = real(name, &words, option, value) {
            real.run().expect_status(*status);
        }
    }
}

#[test]
fn a_port_with_a_carriage_return_is_that_port() {
    let broker = EmbeddedBroker::start();
    let (host, port) = (broker.address().ip(), broker.address().port());
    let typed = format!("{port}\r");
    for name in ["mosquitto_pub", "mq"] {
        let command = if name == "mq" { "pub" } else { "" };
        let words = format!("{command} -h {host} -t a -m x -q 1");
        assert_eq!(with_value(name, &words, "-p", &typed).run().succeed(), "", "{name}");
        let attached = [format!("-p{typed}"), format!("--port={typed}")];
        attached.into_iter().for_each(|word| {
            called_as(name, &words).arg(word).run().succeed();
        });
    }
    called_as("mosquitto_pub", &format!("-L mqtt://{host}:{port}x/a -m x")).run().succeed();
    mq(&format!("pub -h {host} -t a -m x")).env("MQ_PORT", &typed).run().succeed();
}

#[test]
fn values_out_of_range_are_reported_as_typed() {
    for (option, value, parts) in [
        ("-k", "", &["-k", "''", "empty"][..]),
        ("-k", "4s", &["-k", "'4s'"]),
        ("-M", "many", &["-M", "'many'"]),
        ("-q", "7x", &["-q", "'7x'"]),
    ] {
        let stderr = with_value("mosquitto_pub", "-h 127.0.0.1 -p 9 -t a -m x", option, value).run().fail(1);
        assert_says(&stderr, parts);
    }
}

#[test]
fn under_its_own_name_only_blanks_around_a_number_are_passed_over() {
    let broker = EmbeddedBroker::start();
    let words = format!("pub {} -t a -m x", broker.options());
    for (option, value) in [("-q", "1 "), ("-q", "\t1\r\n"), ("-k", "60\r"), ("--repeat-delay", " 0 ")] {
        assert_eq!(with_value("mq", &words, option, value).run().succeed(), "", "{option} {value:?}");
    }
    for (option, value, parts) in [
        ("-q", "", &["-q", "''", "empty"][..]),
        ("-q", "1x", &["-q", "'1x'", "'x' is not a digit"]),
        ("-k", "60x", &["-k", "'60x'", "expected whole seconds from 5 to 65535"]),
        ("-k", "6\u{a0}0", &["-k", "expected whole seconds from 5 to 65535"]),
        ("-p", "1883;", &["-p", "';' is not a digit"]),
        ("--repeat-delay", "1,5", &["--repeat-delay", "'1,5'", "expected a duration"]),
        ("-D publish topic-alias", "1x", &["-D", "topic-alias", "'1x'", "'x' is not a digit"]),
    ] {
        assert_says(&with_value("mq", &words, option, value).run().fail(2), parts);
    }
}

#[test]
fn numbers_in_option_files_are_read_the_same_way() {
    let broker = EmbeddedBroker::start();
    let port = broker.address().port();
    let text = format!(
        "-h 127.0.0.1\r\n-p {port}\r\n-q 1 \r\n-k 60x\n--repeat-delay none\n-D publish message-expiry-interval 5s\n"
    );
    let files = certificates::Files::new(&[("options", text)]);
    let words = files.words("-t a -m x -o {}/options");
    assert_eq!(called_as("mosquitto_pub", &words).run().succeed(), "");
    assert_says(
        &mq(&format!("pub {words}")).run().fail(2),
        &["line 4", "-k", "'60x'", "expected whole seconds"],
    );
}

/// The lines of `-d`, with the identifiers that brokers make up left out, in the order of the alphabet: mosquitto acknowledges a
/// message before it is printed.
fn lines(stdout: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stdout);
    let without_id = |line: &str| match line.split_once(' ') {
        Some(("Client", rest)) if rest.starts_with("auto-") => {
            format!("Client auto {}", rest.split_once(' ').map_or("", |(_, rest)| rest))
        }
        _ => line.to_owned(),
    };
    let mut lines: Vec<String> = text.lines().map(without_id).collect();
    lines.sort();
    lines
}

#[test]
fn packets_are_reported_in_mosquittos_words() {
    let Some(broker) = Mosquitto::start() else { return };
    broker.mq("pub -t kept -m x -r -q 2").run().succeed();
    let cases = [
        "mosquitto_pub -d -t a/b -m hello",
        "mosquitto_pub -d -t a/b -m hello -q 1 -r --repeat 2",
        "mosquitto_pub -d -t a/b -m hello -q 2 -i me",
        "mosquitto_pub -d -t a/b -m hello -q 1 -V 5",
        "mosquitto_pub -d -t a/b -n -q 2 -V 5",
        "mosquitto_pub -d -t a/b -n --repeat 3 --quiet",
        "mosquitto_sub -d -t kept -t none/# -C 1",
        "mosquitto_sub -d -t kept -C 1 -q 1",
        "mosquitto_sub -d -t kept -C 1 -q 1 -i me",
        "mosquitto_sub -d -t kept -C 1 -q 1 -V 5 --retain-as-published",
        "mosquitto_sub -d -t kept -C 1 --quiet",
        "mosquitto_sub -d -t none -W 1",
        "mosquitto_sub -d -t none -E -i me",
        "mosquitto_sub -d -t none -U one -U two -W 1 -V 5",
    ];
    for line in cases {
        let (name, words) = line.split_once(' ').unwrap();
        let Some(program) = broker::find(name) else { return };
        let real = Program::new(program).words(&broker.options()).words(words).run();
        let ours = broker.called_as(line).run();
        assert_eq!(lines(&ours.stdout), lines(&real.stdout), "{line}");
        ours.expect_status(real.status);
        assert_eq!(ours.stderr, real.stderr, "{line}");
    }
}

#[test]
fn packets_are_told_on_standard_output_where_they_belong() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x80);
        client.send("90 (0001 01) 32 (`a` 0007 'one') 30 (`a` 'two')");
        client.expect("40 (0007)");
        client.expect("e0 ()");
    });
    let finished = peer.called_as("mosquitto_sub -d -t a -q 1 -C 2").run();
    peer.finish();
    let expected = "\
Client (null) sending CONNECT
Client (null) received CONNACK (0)
Client (null) sending SUBSCRIBE (Mid: 1, Topic: a, QoS: 1, Options: 0x00)
Client (null) received SUBACK
Subscribed (mid: 1): 1
Client (null) received PUBLISH (d0, q1, r0, m7, 'a', ... (3 bytes))
one
Client (null) received PUBLISH (d0, q0, r0, m0, 'a', ... (3 bytes))
two
Client (null) sending PUBACK (m7, rc0)
Client (null) sending DISCONNECT
";
    assert_eq!(String::from_utf8_lossy(&finished.stdout), expected);
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_new_connection_is_reported_as_well() {
    let peer = ScriptedPeer::start(|peer| {
        let mut first = peer.accept();
        first.speak_v5();
        first.expect_type(0x10);
        first.send("20 (00 00 (12 `given`))");
        first.expect_type(0x82);
        first.send("90 (0001 () 00) e0 (8b 00)");
        first.expect_end();
        let mut second = peer.accept();
        second.speak_v5();
        second.expect_type(0x10);
        second.send("20 (00 00 ())");
        let subscribe = second.expect_type(0x82);
        second.send_bytes(&[0x90, 4, subscribe[2], subscribe[3], 0, 0x87]);
        second.expect_type(0xe0);
    });
    let finished = peer.called_as("mosquitto_sub -d -V 5 -t a").run();
    peer.finish();
    let text = String::from_utf8_lossy(&finished.stdout);
    assert_says(
        &text,
        &[
            "Client (null) sending CONNECT\nClient given received CONNACK (0)\n",
            "Client given received DISCONNECT (139)\nClient given sending CONNECT\nClient given received CONNACK (0)\n",
            "Subscribed (mid: 2): 135\n",
        ],
    );
}

#[test]
fn received_text_is_escaped_in_packet_reports() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x80);
        client.send("90 (0001 00) 30 (0004 61 c29b 62 'one')");
        client.expect_type(0xe0);
    });
    let finished = peer.called_as("mosquitto_sub -d -t a -C 1").run();
    peer.finish();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["'a\\u{9b}b'"]);
}

#[test]
fn an_answer_to_a_request_is_reported() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect_type(0x30);
        client.send("30 (`re` () 'answer')");
        client.expect_type(0xe0);
    });
    let finished = peer.called_as("mosquitto_rr -d -t ask -e re -m x").run();
    peer.finish();
    let text = String::from_utf8_lossy(&finished.stdout);
    assert_says(&text, &["sending PUBLISH (d0, q0, r0, m2, 'ask', ... (1 bytes))\n", "(6 bytes))\nanswer\n"]);
    assert!(!text.contains("Subscribed"), "{text}");
}

#[test]
fn a_time_limit_has_mosquittos_words() {
    let silent = || ScriptedPeer::accepting(|client| drop(client.expect_end()));
    let peer = silent();
    let finished = peer.called_as("mosquitto_sub -t a -W 1").run();
    peer.finish();
    assert_eq!(finished.fail(27), "Timed out\n");
    let peer = silent();
    let finished = peer.called_as("mosquitto_sub -t a -W 1 --quiet").run();
    peer.finish();
    assert_eq!(finished.stderr, "");
    let peer = silent();
    assert_says(&peer.mq("sub -t a -W 1").run().fail(27), &["mq sub: timed out after 1 s"]);
    peer.finish();
}

#[test]
fn the_version_is_mosquittos_and_stands_where_scripts_look_for_it() {
    for name in ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"] {
        let version = called_as(name, "--version").run();
        let text = String::from_utf8(version.stdout).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[..3], [name, "version", "2.1.2"], "{text}");
        assert_says(&text, &[concat!("mq ", env!("CARGO_PKG_VERSION"))]);
        let help = String::from_utf8(called_as(name, "--help").run().stdout).unwrap();
        assert!(help.starts_with(name), "{help}");
    }
}

/// What a client of these words says in CONNECT: the level.
fn level(words: &str) -> u8 {
    let (say, hear) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        let connect = client.expect_type(0x10);
        // Behind the protocol's name, which has its length in front.
        let level = connect[4 + usize::from(connect[3])];
        say.send(level).unwrap();
        let is_v5 = level == 5;
        client.send(if is_v5 { "20 (00 87 ())" } else { "20 (00 05)" });
        client.expect_end();
    });
    let finished = peer.called_as(words).run();
    peer.finish();
    assert_says(&finished.stderr, &["refused"]);
    hear.recv().unwrap()
}

#[test]
fn options_of_mqtt_5_are_taken_beside_mqtt_3() {
    for words in
        ["-V 311 --retain-as-published", "-V 311 --retain-handling never", "-V 31 --retain-handling new"]
    {
        assert!(level(&format!("mosquitto_sub -t a {words}")) < 5, "{words}");
        assert!(level(&format!("mosquitto_rr -t a -e b -m x {words}")) < 5, "{words}");
    }
    for words in ["-x 10 -V 311", "-V 311 -x 10", "-V 311 -D subscribe user-property a b"] {
        assert_eq!(level(&format!("mosquitto_sub -t a {words}")), 5, "{words}");
    }
    assert_eq!(level("mosquitto_pub -t a -m x -V 311 -D publish content-type x"), 5);
    for words in
        ["--retain-as-published", "--retain-handling never", "-x 10", "-D subscribe user-property a b"]
    {
        assert_says(&mq(&format!("sub -h 127.0.0.1 -p 9 -t a -V 311 {words}")).run().fail(2), &["MQTT 5"]);
    }
}

#[test]
fn options_without_effect_change_nothing_in_subscribe() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `a` 00)");
        client.send("90 (0001 00)");
        client.expect_type(0xe0);
    });
    peer.called_as("mosquitto_sub -V 311 -t a -E --retain-as-published --retain-handling never")
        .run()
        .succeed();
    peer.finish();
}

#[test]
fn lists_of_ciphers_for_openssl_are_taken_with_a_note() {
    for (name, command) in [("mosquitto_pub", ""), ("mq", "pub")] {
        let words = "-h 127.0.0.1 -p 9 -t a -m x --insecure --ciphers DEFAULT@SECLEVEL=1";
        let stderr = called_as(name, command).words(words).run().fail(1);
        assert_says(&stderr, &["--ciphers", "@SECLEVEL=1", "cannot connect"]);
    }
}

#[test]
fn deleting_retained_messages_is_silent() {
    let broker = EmbeddedBroker::start();
    for words in ["mosquitto_sub", "mq sub --quiet", "mq sub"] {
        broker.mq("pub -t old/a -m x -r -q 1").run().succeed();
        let (name, options) = words.split_once(' ').unwrap_or((words, ""));
        let line = format!("{options} {} -t old/# --remove-retained -C 1", broker.options());
        let finished = called_as(name, &line).run();
        finished.expect_status(0);
        assert_eq!(finished.stderr.is_empty(), words != "mq sub", "{words}: {}", finished.stderr);
    }
}
