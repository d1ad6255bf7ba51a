//! Levels, exit status, and the table of rules.

use super::support::v5;
use crate::support::capture::capture;
use crate::support::{assert_says, mq};

/// An error, a warning and an info.
fn mixed() -> Vec<u8> {
    capture(&v5("> 30 (`a\u{1}` ())\n> 38 (`a` ())\n> c0 ()"))
}

#[test]
fn levels_select_the_findings_shown_and_all_are_counted() {
    for (level, shown, hidden) in [
        ("error", &["MQTT-3.3.1-2"][..], &["mq/v5/1.5.4", "MQTT-3.12.4-1"][..]),
        ("warn", &["MQTT-3.3.1-2", "mq/v5/1.5.4"], &["MQTT-3.12.4-1"]),
        ("info", &["MQTT-3.3.1-2", "mq/v5/1.5.4", "MQTT-3.12.4-1"], &[]),
    ] {
        let finished = mq(&format!("inspect --lint={level}")).stdin(mixed()).run();
        finished.expect_status(4);
        let stdout = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(&stdout, shown);
        assert!(!hidden.iter().any(|statement| stdout.contains(statement)), "{stdout}");
        assert_says(&finished.stderr, &["1 error, 1 warning and 1 info in 1 of 1 connection"]);
    }
}

#[test]
fn a_finding_shows_the_place_the_statement_and_the_remedy() {
    let finished = mq("inspect --lint").stdin(mixed()).run();
    let expected = "      error byte 0: DUP is set, but QoS is 0\n            MQTT-3.3.1-2: DUP must be 0 for QoS 0; \
                    messages with QoS 0 are never retransmitted\n";
    assert_says(&String::from_utf8_lossy(&finished.stdout), &[expected]);
}

#[test]
fn without_lint_nothing_is_judged() {
    let finished = mq("inspect").stdin(mixed()).run();
    assert_eq!(finished.stderr, "");
    assert!(!finished.succeed().contains("MQTT-"));
}

#[test]
fn a_level_stands_behind_an_equals_sign() {
    assert_says(
        &mq("inspect --lint=bad x").run().fail(2),
        &["invalid value 'bad' for --lint: expected error, warn or info"],
    );
    let finished = mq("inspect --lint error").run();
    assert_says(&finished.fail(1), &["error"]);
}

#[test]
fn only_errors_change_the_exit_status() {
    let warned = capture(&v5("> 30 (`a\u{1}` ())"));
    mq("inspect --lint").stdin(warned).run().succeed();
    // The dissector's count as well.
    mq("inspect --lint --hex c100").run().fail(4);
}

#[test]
fn typed_lines_name_their_sender() {
    let lines = "c2s: 100d00044d5154540402003c000161\ns2c: 20020000\ns2c: 300400017478\n c2s:300400017479\n";
    let out = mq("inspect --lint --hex -").stdin(lines).run();
    let shown = String::from_utf8_lossy(&out.stdout).into_owned();
    let arrows: Vec<&str> = shown
        .lines()
        .filter_map(|line| ["->", "<-"].into_iter().find(|arrow| line.contains(arrow)))
        .collect();
    assert_eq!(arrows, ["->", "<-", "<-", "->"], "{shown}");
    assert_says(&mq("inspect --hex -").stdin("c2c: c000\n").run().fail(1), &["line 1", "c2c"]);
}

#[test]
fn a_packet_that_is_typed_alone_lacks_nothing() {
    for packet in ["30050001740078", "40020001", "d000", "90030001 00", "62020001"] {
        mq("inspect --lint=info --hex").arg(packet).run().succeed();
    }
}

#[test]
fn a_rule_can_be_looked_up() {
    let text = mq("inspect --explain mqtt-3.3.1-2").run().succeed();
    assert_says(
        &text,
        &["MQTT-3.3.1-2 (MQTT 3.1.1)", "MQTT-3.3.1-2 (MQTT 5.0)", "error", "DUP must be 0 for QoS 0"],
    );
    let bare = mq("inspect --explain 3.1.2-24").run().succeed();
    assert_says(
        &bare,
        &["MQTT-3.1.2-24 (MQTT 3.1.1)", "MQTT-3.1.2-24 (MQTT 5.0)", "Maximum Packet Size", "one and a half"],
    );
    assert_says(&mq("inspect --explain MQTT-9.9.9-9").run().fail(2), &["MQTT-9.9.9-9", "--rules"]);
}

#[test]
fn all_rules_are_printed_as_lines_or_json() {
    let text = mq("inspect --rules").run().succeed();
    let json = mq("inspect --rules --format json").run().succeed();
    assert_eq!(text.lines().count(), 3 * json.lines().count());
    for line in json.lines() {
        let rule: serde_json::Value = serde_json::from_str(line).unwrap();
        let versions = ["mqtt_3_1_1", "mqtt_5_0", "sparkplug_3_0", "mqtt_sn_1_2", "mqtt_sn_2_0"];
        assert!(versions.iter().any(|version| rule[version].is_string()), "{line}");
        for key in ["severity", "scope", "sender", "rule", "hint"] {
            assert!(rule[key].as_str().is_some_and(|text| !text.is_empty()), "{key} in {line}");
        }
    }
}
