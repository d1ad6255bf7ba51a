//! Untrusted text in output for people: no escape sequence, C1 control or direction mark reaches a terminal, whatever its
//! source, and no text forges a line of the program.

use super::support::*;
use tempfile::TempDir;

/// Clears the screen twice, turns the direction, and forges a line.
const NASTY: &str = "\u{1b}[2J\u{9b}2J\u{202e}\nmq: all is well";

/// An MQTT string with that, for the pattern language, which has no escapes.
fn nasty_string() -> String {
    let bytes: Vec<String> = NASTY.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{:04x} {}", NASTY.len(), bytes.join(" "))
}

/// CONNACK of MQTT 5 that refuses for that reason.
fn refusal() -> String {
    format!("20 (00 87 (1f {}))", nasty_string())
}

/// Refuses so many connections.
fn refusing(count: usize) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        for _ in 0..count {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.send(&refusal());
            client.expect_end();
        }
    })
}

#[track_caller]
fn assert_harmless(text: &str) {
    for character in text.chars().filter(|character| !"\n\t".contains(*character)) {
        let is_harmless = !character.is_control() && character != '\u{202e}';
        assert!(is_harmless, "{character:?} reaches the terminal: {text:?}");
    }
    assert!(!text.lines().any(|line| line == "mq: all is well"), "a forged line: {text}");
    assert!(text.contains("all is well"), "{text}");
}

#[test]
fn text_from_brokers_is_escaped_in_errors() {
    for command in ["pub -t a -m x -V 5", "sub -t a -V 5", "rr -t a -m x -e b -V 5"] {
        let peer = refusing(1);
        let stderr = peer.mq(command).run().fail(5);
        assert_harmless(&stderr);
        assert_says(&stderr, &["\\u{1b}[2J\\u{9b}2J\\u{202e}\\n"]);
        peer.finish();
    }
}

#[test]
fn text_from_brokers_is_escaped_in_every_report_of_bench() {
    for output in ["text", "json", "markdown", "prometheus"] {
        let peer = refusing(1);
        let finished = peer.mq(&format!("bench conn -c 1 -V 5 --output {output}")).run();
        assert_harmless(&String::from_utf8(finished.stdout).unwrap());
        peer.finish();
    }
}

#[test]
fn names_of_files_and_hosts_are_escaped() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(NASTY.replace('\n', ""));
    for option in ["-m x --cafile", "-m x --password-file", "-f", "-m x -o"] {
        let stderr = mq("pub -h 127.0.0.1 -p 9 -u u -t a").words(option).arg(&path).run().stderr;
        assert_harmless(&stderr);
    }
    let stderr = mq("passwd -D").arg(&path).words("ann").run().fail(1);
    assert_harmless(&stderr);
    assert_harmless(&mq("inspect").arg(&path).run().stderr);
    let stderr = mq("pub -t a -m x -h").arg(NASTY).run().stderr;
    assert_harmless(&stderr);
    assert_harmless(&mq("pub -t a -m x -p").arg(NASTY).run().fail(2));
}

#[test]
fn inspected_packets_and_their_json_are_escaped() {
    let packet = bytes::hex(&format!("30 (`{NASTY}` 'x')"));
    let digits: String = packet.iter().map(|byte| format!("{byte:02x}")).collect();
    for format in ["line", "text", "json"] {
        let stdout = mq(&format!("inspect --hex {digits} --format {format}")).run().stdout;
        assert_harmless(&String::from_utf8(stdout).unwrap());
    }
}

#[test]
fn messages_as_json_are_escaped_and_read_back() {
    let broker = EmbeddedBroker::start();
    for format in ["--json", "-F %j"] {
        let mut subscriber = broker.subscriber(&format!("-t a -C 1 {format}"));
        broker.mq("pub -t a -s").stdin(NASTY).run().succeed();
        let line = subscriber.wait_for_stdout("all is well");
        assert_harmless(&line);
        assert!(line.contains("\\u001b[2J\\u009b2J\\u202e\\nmq"), "{line}");
        subscriber.finish().succeed();
    }
    let mut subscriber = broker.subscriber("-t b -C 1 -N");
    let line = format!("{{\"topic\":\"b\",\"payload\":{:?}}}\n", "x").replace("\"x\"", "\"\\u009b\\u202e\"");
    broker.mq("pub --ndjson").stdin(line).run().succeed();
    subscriber.wait_for_part_of_stdout("\u{9b}\u{202e}");
    subscriber.finish().succeed();
}

#[test]
fn users_in_tables_are_escaped() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pw");
    let user = NASTY.replace(['\n', ':'], "");
    std::fs::write(&path, format!("{user}:hash\n")).unwrap();
    for command in ["list", "check"] {
        let stdout = mq(&format!("passwd {command}")).arg(&path).run().stdout;
        assert_harmless(&String::from_utf8(stdout).unwrap());
    }
}

#[test]
fn a_value_of_any_length_leaves_room_for_its_message() {
    let long = "x".repeat(70_000);
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("config.toml");
    let plain = "[profile.b]\nport = 1\n".to_owned();
    for (words, option, text) in [
        ("inspect --hex 00 --filter", long.clone(), &plain),
        ("inspect --hex 00 --filter", format!("topic={long}"), &plain),
        ("pub -t a -m x -D", long.clone(), &plain),
        ("pub -t a -m x -D publish message-expiry-interval", long.clone(), &plain),
        ("pub -t a -m x --tls-groups", long.clone(), &plain),
        ("pub -t a -m x --tls-signatures", long.clone(), &plain),
        ("pub -t a -m x --option-file", long.clone(), &plain),
        ("pub -t a -m x --profile", long.clone(), &plain),
        ("pub -t a -m", "x".to_owned(), &format!("default-profile = '{long}'\n")),
        ("pub -t a -m", "x".to_owned(), &format!("[defaults]\n{long} = 1\n")),
        ("sub -t a --select", format!("[[{long}"), &plain),
        ("bench", long.clone(), &plain),
        ("bench conn", long.clone(), &plain),
        ("bench --fail-if", long.clone(), &plain),
        ("bench --until", long.clone(), &plain),
        ("bench --repeat-of", long.clone(), &plain),
    ] {
        std::fs::write(&config, text).unwrap();
        let finished = mq(words).arg(&option).env("MQ_CONFIG", &config).run();
        assert!(matches!(finished.status, 1 | 2), "{words}: {}", finished.status);
        let (said, end) = (finished.stderr.len(), finished.stderr.lines().last().unwrap_or_default());
        assert!(said < 2000, "{words}: {said} bytes");
        assert!(!end.contains("xxx...hint"), "{words}: {end}");
        assert_says(&finished.stderr, &["xxx..."]);
    }
}
