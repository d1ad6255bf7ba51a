//! Called as mosquitto's tools, the program behaves as scripts written for those expect.

use super::support::*;

/// A broker that answers CONNECT with this, and then waits for the end of the connection.
fn answering(connack: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send(connack);
        client.expect_end();
    })
}

/// A broker that reads this number of packets after CONNECT, and sends these answers.
fn accepting_then(connack: &'static str, answers: &'static [(u8, &'static str)]) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send(connack);
        for (first_byte, answer) in answers {
            client.expect_type(*first_byte);
            client.send(answer);
        }
    })
}

#[track_caller]
fn assert_status(peer: ScriptedPeer, words: &str, status: i32) -> String {
    let finished = peer.called_as(words).run();
    peer.finish();
    finished.expect_status(status);
    finished.stderr
}

#[test]
fn a_refusal_of_mqtt_3_is_the_return_code() {
    for (connack, code) in
        [("20 (00 01)", 1), ("20 (00 02)", 2), ("20 (00 03)", 3), ("20 (00 04)", 4), ("20 (00 05)", 5)]
    {
        for words in ["mosquitto_pub -t a -m x", "mosquitto_sub -t a", "mosquitto_sub -V 31 -t a"] {
            let stderr = assert_status(answering(connack), words, code);
            assert_says(&stderr, &["mosquitto_", "refused"]);
        }
    }
}

#[test]
fn a_refusal_of_mqtt_5_is_the_reason_code() {
    for (connack, code) in [("20 (00 80 ())", 128), ("20 (00 87 ())", 135), ("20 (00 9f ())", 159)] {
        for words in ["mosquitto_pub -V 5 -t a -m x", "mosquitto_sub -V mqttv5 -t a"] {
            assert_status(answering(connack), words, code);
        }
    }
}

#[test]
fn a_refusal_in_the_form_of_mqtt_3_is_no_answer_to_mqtt_5() {
    assert_status(answering("20 (00 01)"), "mosquitto_pub -V 5 -t a -m x", 21);
}

#[test]
fn no_connection_is_1() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for words in ["-t a -m x -q 1 -h 127.0.0.1", "-t a -m x -h nobody.invalid"] {
        let stderr = called_as("mosquitto_pub", words).words(&format!("-p {}", free.port())).run().fail(1);
        assert_says(&stderr, &["mosquitto_pub: "]);
    }
}

#[test]
fn a_lost_connection_is_7() {
    let closing = ScriptedPeer::start(|peer| {
        peer.accept().expect_type(0x10);
    });
    assert_status(closing, "mosquitto_pub -t a -m x", 7);
    let closing = ScriptedPeer::accepting(|client| drop(client.expect_type(0x30)));
    assert_status(closing, "mosquitto_pub -t a -m x -q 1", 7);
}

#[test]
fn a_connection_that_the_broker_ends_is_4() {
    let peer = accepting_then("20 (00 00 ())", &[(0x30, "e0 (8b 00)")]);
    let stderr = assert_status(peer, "mosquitto_pub -V 5 -t a -m x -q 1", 4);
    assert_says(&stderr, &["shutting down"]);
}

#[test]
fn rejected_requests_are_reported_with_status_0() {
    let peer = accepting_then("20 (00 00 ())", &[(0x30, "40 (0001 87 00)")]);
    let stderr = assert_status(peer, "mosquitto_pub -V 5 -t a -m x -q 1", 0);
    assert_says(&stderr, &["mosquitto_pub: ", "rejected"]);
    let peer = accepting_then("20 (00 00)", &[(0x80, "90 (0001 80)")]);
    assert_says(&assert_status(peer, "mosquitto_sub -t a", 0), &["mosquitto_sub: ", "rejected"]);
}

#[test]
fn unsendable_messages_have_the_status_of_the_library() {
    let peer = accepting_then("20 (00 00 (24 01))", &[(0xe0, "")]);
    assert_status(peer, "mosquitto_pub -V 5 -t a -m x -q 2", 24);
    let peer = accepting_then("20 (00 00 (27 00000010))", &[(0xe0, "")]);
    assert_status(peer, "mosquitto_pub -V 5 -t a -m a-long-message", 25);
}

#[test]
fn retain_is_left_out_where_the_broker_keeps_nothing() {
    let peer = ScriptedPeer::accepting_v5("25 00", |client| client.expect("30 (`a` () 'x') e0 ()"));
    let stderr = assert_status(peer, "mosquitto_pub -V 5 -t a -m x -r", 0);
    assert_says(&stderr, &["mosquitto_pub: ", "-r"]);
}

#[test]
fn time_that_is_up_is_27_or_255_before_the_broker_answered() {
    let silent = || {
        ScriptedPeer::start(|peer| {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.expect_end();
        })
    };
    assert_says(&assert_status(silent(), "mosquitto_sub -t a -W 1", 255), &["Timed out"]);
    let subscribed = ScriptedPeer::accepting(|client| {
        client.expect_type(0x80);
        client.send("90 (0001 00)");
        client.expect("e0 ()");
    });
    assert_status(subscribed, "mosquitto_sub -t a -W 1", 27);
}

#[test]
fn a_subscriber_that_is_stopped_lets_the_will_be_published() {
    for signal in ["INT", "TERM"] {
        let peer = ScriptedPeer::accepting_v5("", |client| {
            client.expect_type(0x80);
            client.send("90 (0001 () 00)");
            client.expect("e0 (04)");
        });
        let mut running = peer.called_as("mosquitto_sub -V 5 -d -t a").spawn();
        running.wait_for_stdout("Subscribed (mid: 1): 0");
        running.signal(signal);
        running.finish().expect_status(0);
        peer.finish();
    }
}

#[test]
fn a_subscriber_that_is_stopped_before_the_broker_answered_has_255() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        sender.send(()).unwrap();
        client.expect_end();
    });
    let running = peer.called_as("mosquitto_sub -t a").spawn();
    receiver.recv_timeout(DEADLINE).unwrap();
    running.signal("INT");
    running.finish().expect_status(255);
    peer.finish();
}

#[test]
fn a_publisher_dies_by_the_signal() {
    // Not by SIGINT, which a shell ignores for the jobs that it starts in the background, and so for these tests.
    let (sender, receiver) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::accepting(move |client| {
        client.expect_type(0x30);
        sender.send(()).unwrap();
        client.expect_end();
    });
    let running = peer.called_as("mosquitto_pub -t a -m x -q 1").spawn();
    receiver.recv_timeout(DEADLINE).unwrap();
    running.signal("TERM");
    running.finish().expect_status(-15);
    peer.finish();
}

#[test]
fn help_and_version_end_with_1_as_soon_as_they_are_reached() {
    for name in ["mosquitto_pub", "mosquitto_sub", "/usr/bin/mosquitto_pub", "mosquitto_sub.exe"] {
        let help = called_as(name, "--help -q 3").run();
        help.expect_status(1);
        let tool = name.trim_start_matches("/usr/bin/").trim_end_matches(".exe");
        let text = String::from_utf8(help.stdout).unwrap();
        assert_says(&text, &[&format!("Usage: {tool} "), "--version", "Exit status"]);
        assert!(!text.contains("2 usage"), "{text}");
        let version = called_as(name, "--version --bogus").run();
        version.expect_status(1);
        let text = String::from_utf8(version.stdout).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_says(&text, &[tool, env!("CARGO_PKG_VERSION")]);
    }
    for words in ["-q 3 --help", "--bogus --version", "word --help"] {
        let finished = called_as("mosquitto_pub", words).run();
        assert_eq!(finished.stdout, b"", "{words}");
        finished.fail(1);
    }
}

#[test]
fn a_tool_whose_place_cannot_be_taken_is_reported() {
    let stderr = called_as("mosquitto_ctrl", "dynsec help").run().fail(1);
    assert_says(&stderr, &["mosquitto_ctrl", "mosquitto_pub"]);
}

#[test]
fn an_empty_environment_is_enough() {
    let broker = EmbeddedBroker::start();
    let finished = broker.called_as("mosquitto_pub -t a -m x -q 1").without_env().run();
    assert_eq!(finished.succeed(), "");
}

#[test]
fn quiet_is_about_running_only() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words = format!("--quiet -t a -m x -h 127.0.0.1 -p {}", free.port());
    let finished = called_as("mosquitto_pub", &words).run();
    finished.expect_status(1);
    assert_eq!(finished.stderr, "");
    for (words, line) in [
        ("--quiet -t a", "mosquitto_pub: missing one of -m, -f, -s, --random, -n, -l, --ndjson, --replay"),
        (
            "--quiet -t a -n -P x",
            "mosquitto_pub: -P without -u, which MQTT 3.1.1 does not allow; add -u NAME",
        ),
    ] {
        assert_first_line(&called_as("mosquitto_pub", words).run().fail(1), line);
    }
}

/// What is wrong for mosquitto's tools, too.
const WRONG_FOR_BOTH: &[&str] = &[
    "-k 4",
    "-k 0",
    "-k 65536",
    "-M 0",
    "-M -1",
    "-p -1",
    "-p 65536",
    "-q 3",
    "-q -1",
    "-q",
    "-h",
    "-V 4",
    "-x soon",
    "-x 4294967296",
    "--will-qos 3",
    "--will-topic a/#",
    "--will-payload x",
    "--will-retain",
    "-i a -I b",
    "-c",
    "-c -I prefix",
    "-V 5 -x -1",
    "-P secret",
    "-D publish",
    "-D publish colour red",
    "-D connect content-type x",
    "-D suback reason-string x",
    "-D publish payload-format-indicator 2",
    "-L foo://host/a",
    "-L mqtt://host",
    "-L mqtt://host/",
    "--proxy ftp://host",
    "--proxy socks5h://host:port",
    "--cert a",
    "--key a",
    "--keyform pem",
    "--tls-engine-kpass-sha1 00",
    "--psk 00",
    "--psk 00 --psk-identity me --cafile a",
    "-V 5 -c",
    "-V 5 -c -I prefix",
    "--no-such-option",
    "word",
];

/// What is wrong for mosquitto_pub, behind `-t a -m x`.
const WRONG_FOR_PUB: &[&str] = &[
    "-m again",
    "-n",
    "-s",
    "-l",
    "-f /dev/null",
    "-C 1",
    "-T a",
    "-R",
    "--repeat 0",
    "--repeat-delay -1",
    "-t a/#",
    "-t a+",
];

/// What is wrong for mosquitto_sub, behind `-t a`.
const WRONG_FOR_SUB: &[&str] = &[
    "-C 0",
    "-W 0",
    "-m x",
    "-r",
    "--repeat 1",
    "-t a/#/b",
    "-T b/#/c",
    "-U c#",
    "-R --retained-only",
    "-t a+",
    "--retain-handling sometimes",
    "--random-filter 0",
    "--random-filter 101",
    "-F %",
    "-F %z",
    "-F \\q",
    "-F \\",
];

#[test]
fn mistakes_have_status_1_and_the_report_of_the_real_tools() {
    for (name, words, own) in
        [("mosquitto_pub", "-t a -m x", WRONG_FOR_PUB), ("mosquitto_sub", "-t a", WRONG_FOR_SUB)]
    {
        let real = broker::find(name);
        for options in WRONG_FOR_BOTH.iter().chain(own) {
            // If the options are valid after all, the connection is refused.
            let line = format!("-h 127.0.0.1 -p 9 {words} {options}");
            let finished = called_as(name, &line).run();
            assert_eq!(finished.stdout, b"", "{line}");
            let stderr = finished.fail(1);
            assert!(!stderr.contains("cannot connect"), "{name} {line} should be refused: {stderr}");
            if let Some(real) = &real {
                Program::new(real).words(&line).run().expect_status(1);
            }
        }
    }
}

#[test]
fn both_have_the_same_status_for_the_same_end() {
    let (Some(real_pub), Some(real_sub)) = (broker::find("mosquitto_pub"), broker::find("mosquitto_sub"))
    else {
        return;
    };
    type Case = (&'static str, fn() -> ScriptedPeer);
    let cases: &[Case] = &[
        ("mosquitto_pub -t a -m x", || answering("20 (00 05)")),
        ("mosquitto_pub -V 5 -t a -m x", || answering("20 (00 87 ())")),
        ("mosquitto_sub -t a", || answering("20 (00 04)")),
        ("mosquitto_sub -V 5 -t a", || answering("20 (00 8a ())")),
        ("mosquitto_pub -V 5 -t a -m x -q 1", || {
            accepting_then("20 (00 00 ())", &[(0x30, "40 (0001 87 00)"), (0xe0, "")])
        }),
        ("mosquitto_pub -V 5 -t a -m x -q 1", || accepting_then("20 (00 00 ())", &[(0x30, "e0 (8b 00)")])),
        ("mosquitto_sub -t a", || accepting_then("20 (00 00)", &[(0x80, "90 (0001 80)"), (0xe0, "")])),
        ("mosquitto_sub -t a -C 1", || {
            accepting_then("20 (00 00)", &[(0x80, "90 (0001 00) 30 (`a` 'x')"), (0xe0, "")])
        }),
    ];
    for (words, peer) in cases {
        let (name, options) = words.split_once(' ').unwrap();
        let theirs = peer();
        let program = if name == "mosquitto_pub" { &real_pub } else { &real_sub };
        let real = Program::new(program).words(&theirs.options()).words(options).run();
        theirs.finish();
        let ours = peer();
        let finished = ours.called_as(words).run();
        ours.finish();
        finished.expect_status(real.status);
        assert_eq!(finished.stdout, real.stdout, "{words}");
    }
}

#[test]
fn requests_have_the_statuses_of_mosquitto_rr() {
    let words = "mosquitto_rr -t a -e b -m x";
    assert_status(answering("20 (00 87 ())"), words, 135);
    assert_status(answering("20 (00 05)"), "mosquitto_rr -V 311 -t a -e b -m x", 5);
    let closing = ScriptedPeer::accepting_v5("", |client| drop(client.expect_type(0x80)));
    assert_status(closing, words, 7);
    let denying = accepting_then("20 (00 00 ())", &[(0x80, "90 (0001 () 87)")]);
    assert_says(&assert_status(denying, words, 0), &["mosquitto_rr: ", "rejected"]);
    for options in ["-l", "-r", "-C 1", "-E", "-T a", "-U a", "-q 3", "-W 0", "-n"] {
        called_as("mosquitto_rr", &format!("-h 127.0.0.1 -p 9 -t a -e b -m x {options}")).run().fail(1);
    }
}
