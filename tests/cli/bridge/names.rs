//! Names, rules and variables that are mistakes, or very long.

use super::*;

/// Fails without printing the long text, and says this.
#[track_caller]
fn assert_refused(program: Program, status: i32, part: &str) {
    let stderr = program.run().fail(status);
    assert_says(&stderr, &[part]);
    assert!(stderr.len() < 1000, "{} bytes", stderr.len());
}

fn of_options() -> Program {
    mq("bridge --from 127.0.0.1:1 --to 127.0.0.1:2")
}

#[test]
fn a_name_that_is_too_long_for_mqtt_is_refused() {
    let long = "x".repeat(70_000);
    assert_refused(
        of_options().arg("a").arg("--name").arg(&long),
        2,
        "--name: the client identifier has 70006 bytes; MQTT allows at most 65535",
    );
    let shorter = "x".repeat(65_529);
    assert_refused(
        of_options().arg("a").arg("--name").arg(&shorter),
        2,
        "the status topic with the client identifier has 65558 bytes; MQTT allows at most 65535",
    );
    for (key, line, place) in [
        ("connection", format!("connection {long}\naddress 127.0.0.1\ntopic a\n"), "line 1, column 1"),
        (
            "remote_clientid",
            format!("connection c\naddress 127.0.0.1\ntopic a\nclientid {long}\n"),
            "line 4, column 10",
        ),
        (
            "local_clientid",
            format!("connection c\naddress 127.0.0.1\ntopic a\nlocal_clientid {long}\n"),
            "line 4, column 16",
        ),
    ] {
        let files = file(&line);
        assert_refused(with_file(&files, ""), 2, &format!("{place}: {key}: the client identifier has 7"));
    }
}

#[test]
fn a_connection_whose_name_cannot_be_in_a_topic_is_refused_with_its_line() {
    let lines = "address 127.0.0.1\ntopic a\n";
    let files = file(&format!("connection one\n{lines}connection site+1\n{lines}"));
    let part = "line 4, column 1: the status topic has the client identifier '";
    assert_refused(with_file(&files, ""), 2, part);
}

#[test]
fn long_words_of_other_errors_are_shown_in_part() {
    let long = "x".repeat(70_000);
    for program in [
        mq("bridge --to 127.0.0.1:1 a --from").arg(&long),
        mq("sub -t a -h").arg(&long),
        mq("pub -t a -m x -q").arg(&long),
        mq("pub").arg(format!("--{long}")),
        mq("pub -m x -L").arg(format!("mqtt://{long}/a")),
    ] {
        let finished = program.run();
        assert!(finished.status != 0 && finished.stderr.len() < 1000, "{} bytes", finished.stderr.len());
    }
}

#[test]
fn mistakes_in_long_texts_are_shown_in_part() {
    let long = "x".repeat(70_000);
    for (rule, part) in [
        (format!("a {long}"), "unknown direction 'xxx"),
        (format!("a out {long}"), "invalid QoS 'xxx"),
        (long.clone(), "xxx...'"),
        (format!("a out 0 {long}"), "local prefix 'xxx"),
    ] {
        assert_refused(of_options().arg(rule), 2, part);
    }
    for (lines, part) in [
        (format!("connection {long}\n"), "connection 'xxx"),
        (format!("connection {long}\nconnection {long}\n"), "duplicate connection 'xxx"),
        (format!("connection c\n{long} 1\n"), "unknown key 'xxx"),
        (format!("port {long}\n"), "port: invalid port 'xxx"),
    ] {
        let files = file(&lines);
        assert_refused(with_file(&files, ""), 2, part);
    }
}

#[test]
fn a_long_name_leaves_room_for_the_message() {
    let (local, remote) = brokers();
    let name = "x".repeat(2_000);
    let options = format!("--name {name} --notifications none");
    let mut bridge = between(&local, &remote, &options, &["a/# out 1"]).spawn();
    wait_until_connected(&mut bridge);
    bridge.signal("TERM");
    let finished = bridge.finish();
    finished.expect_status(0);
    assert_says(&finished.stderr, &["xxx...: ended; out: forwarded 0"]);
}

#[test]
fn a_rule_that_looks_like_a_port_is_valid_with_a_hint() {
    let (local, remote) = brokers();
    let mut bridge = between(&local, &remote, "--notifications none", &["21802", "a/# out 1"]).spawn();
    bridge.wait_for_stderr(
        "rule '21802' forwards the topic 21802; the port of a broker needs a colon: HOST:21802",
    );
    wait_until_connected(&mut bridge);
    let subscriber = remote.subscriber("-t 21802 -C 1");
    local.mq("pub -t 21802 -m x").run().succeed();
    subscriber.finish().succeed();
    let finished = between(&local, &remote, "--check", &["1/2", "3 out", "0", "99999"]).run();
    assert!(!finished.stderr.contains("colon"), "{}", finished.stderr);
}

#[test]
fn an_address_that_is_only_a_port_is_refused() {
    let lines = "connection c\ntopic a\naddress ";
    for (address, place) in
        [("21802", "21802"), ("127.0.0.1 21802", "21802"), ("127.0.0.1\nlocal_address 1884", "1884")]
    {
        let files = file(&format!("{lines}{address}\n"));
        let part = format!("invalid address '{place}', which looks like a port: expected HOST:PORT");
        assert_refused(with_file(&files, ""), 2, &part);
    }
}

#[test]
fn variables_without_effect_are_reported() {
    let (local, remote) = brokers();
    let bridge = between(&local, &remote, "--name b1 --check", &["a/# out 1"]);
    let bridge = bridge.env("MQ_TO_PASWORD", "xyzzy").env("MQ_FROM_USER", "ann").env("MQ_TO_KAFKA", "1");
    let finished = bridge.env("MQ_TO_KEEPALIVE", "20").env("MQ_FROM_USERNAM", "").run();
    finished.expect_status(0);
    assert_eq!(
        finished.stderr,
        "mq bridge: ignored the variable MQ_FROM_USER; did you mean 'MQ_FROM_USERNAME'?\n\
         mq bridge: ignored the variable MQ_TO_PASWORD; did you mean 'MQ_TO_PASSWORD'?\n"
    );
    let bridge = between(&local, &remote, "--name b1 --check", &["a/# out 1"]);
    let bridge = bridge.env("MQ_TO_HOST", "127.0.0.9").env("MQ_TO_PORT", "9").env("MQ_FROM_WS", "1");
    let finished = bridge.env("MQ_FROM_URL", "mqtt://127.0.0.9").run();
    finished.expect_status(0);
    assert_eq!(
        finished.stderr,
        "mq bridge: the variable MQ_FROM_URL has no effect: --from overrides it\n\
         mq bridge: the variable MQ_FROM_WS has no effect: --from overrides it\n\
         mq bridge: the variable MQ_TO_HOST has no effect: --to overrides it\n\
         mq bridge: the variable MQ_TO_PORT has no effect: --to overrides it\n"
    );
    let files = file(&format!(
        "connection c\naddress {}\nlocal_address {}\ntopic a/# out 1\n",
        remote.address(),
        local.address()
    ));
    let of_file = with_file(&files, "--check").env("MQ_TO_PASSWORD", "xyzzy").env("MQ_FROM_ID", "b");
    assert_eq!(
        of_file.run().stderr,
        "mq bridge: the variable MQ_FROM_ID has no effect without --from\n\
         mq bridge: the variable MQ_TO_PASSWORD has no effect without --to\n"
    );
}
