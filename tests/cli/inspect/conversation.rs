//! `mq inspect --conversation`: both sides of one connection, beside each other.

use super::super::support::certificates::Files;
use super::*;
use crate::support::capture::capture;
use unicode_width::UnicodeWidthStr;

/// Two connections; in the second, a subscription, a message with a long topic, missing bytes and an end by the server.
const TWO: &str = "
    1: > 10 (`MQTT` 04 02 003c `one`)
    1: < 20 (0000)
    2: > 10 (`MQTT` 04 02 003c `two`)
    2: < 20 (0000)
    2: > 82 (0001 `home/kitchen/thermometer/temperature/celsius` 01)
    2: < 90 (0001 01)
    1: > c0 00
    1: < d0 00
    2: lost > 4
    2: > c0 00
    2: < d0 00
    2: close <
    1: > e0 00
    1: close";

fn table(script: &str, options: &str) -> String {
    mq("inspect").words(options).stdin(capture(script)).env("TZ", "UTC").run().succeed()
}

#[test]
fn both_sides_have_a_column() {
    let expected = "\
22:13:20.008  -- 10.0.0.1:40001 connects to 10.0.0.2:1883
time          client → server             server → client             round trip
22:13:20.011  CONNECT MQTT 3.1.1, clien…
22:13:20.013                              CONNACK accepted              2.000 ms
22:13:20.015  SUBSCRIBE id 1, \"home/kit…
22:13:20.017                              SUBACK id 1, granted QoS 1    2.000 ms
22:13:20.024  -> 4 bytes were not captured
22:13:20.024  PINGREQ
22:13:20.026                              PINGRESP                      2.000 ms
22:13:20.029  -- closed by the server (FIN)
";
    assert_eq!(table(TWO, "--conversation 1"), expected);
}

#[test]
fn other_filters_select_rows_of_the_table() {
    let shown = table(TWO, "--conversation 1 --filter type=SUBSCRIBE,SUBACK");
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert_says(&shown, &["client → server", "SUBSCRIBE", "SUBACK"]);
    let json = "--format json --filter connection=1";
    assert_eq!(table(TWO, "--conversation 1 --format json"), table(TWO, json));
    let text = "--format text --filter connection=0";
    assert_eq!(table(TWO, "--conversation 0 --format text"), table(TWO, text));
    assert_says(&table(TWO, "--conversation 1 --stats"), &["1 connection"]);
}

#[test]
fn no_line_is_wider_than_80_columns_without_a_terminal() {
    let topic = "漢字".repeat(60);
    let script =
        format!("> 10 (`MQTT` 04 02 003c `a`)\n< 20 (0000)\n> 30 (`{topic}` 'x')\n> 3f (`a/#` 0000)\n");
    let finished = mq("inspect --conversation 0 --lint").stdin(capture(&script)).run();
    let shown = String::from_utf8(finished.stdout.clone()).unwrap();
    finished.fail(4);
    assert_says(&shown, &["error MQTT-"]);
    for line in shown.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
    for name in captures() {
        let shown = table_of(&name);
        assert!(shown.lines().all(|line| line.width() <= 80), "{name}: {shown}");
    }
}

#[test]
fn a_narrow_terminal_has_packets_below_each_other() {
    let files = Files::new(&[]);
    let path = files.path("a.pcap");
    std::fs::write(&path, capture(TWO)).unwrap();
    let line = format!("{} inspect --conversation 1 {}", mq_path(), path.display());
    for columns in [59, 40, 20] {
        let line = format!("stty rows 24 cols {columns}; {line}; echo status $?");
        let Some(running) = on_a_terminal(&line) else { return };
        let shown = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&shown, &["→ CONNECT", "← CONNACK", "status 0"]);
        let widest = shown.lines().map(|line| line.trim_end().width()).max().unwrap();
        assert!(widest <= columns.max(30), "{widest} of {columns}: {shown}");
    }
}

fn table_of(name: &str) -> String {
    mq("inspect --conversation 0").arg(corpus(name)).run().succeed()
}

#[test]
fn findings_and_missing_beginnings_are_notes() {
    let shown = table(
        "2: midway\n2: < d0 00\n2: < 30 (`a` 'b')\n2: > c0 00\n2: > e0 00\n2: close",
        "--conversation 0",
    );
    assert_says(&shown, &["; the beginning was not", "PINGREQ", "closed by the client (FIN)"]);
}

#[test]
fn a_connection_that_does_not_exist_is_named_with_those_that_do() {
    let finished = mq("inspect --conversation 99").stdin(capture(TWO)).run();
    assert_eq!(finished.stderr, "mq inspect: no connection 99: the connections are 0 to 1\n");
    assert_eq!(finished.succeed(), "");
    let finished = mq("inspect --conversation 0 --format json").stdin(capture("")).run();
    assert_says(&finished.stderr, &["no connection 0: there are no connections with MQTT"]);
    for other in ["--diagnose", "--hex c000", "--html -"] {
        assert_says(&mq(&format!("inspect --conversation 0 {other}")).run().fail(2), &["cannot be used"]);
    }
}
