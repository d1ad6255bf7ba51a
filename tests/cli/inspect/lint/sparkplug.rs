//! Sparkplug: lives of nodes in the payloads of three encoders, and each violation by itself.

use super::support::{assert_found, findings, found};
use crate::support::capture::capture;
use crate::support::{assert_says, mq};

pub const PYSPARKPLUG: &str = include_str!("../../../sparkplug/pysparkplug.txt");
pub const TAHUTILS: &str = include_str!("../../../sparkplug/tahutils.txt");
const TAHUTILS_ALIASES: &str = include_str!("../../../sparkplug/tahutils-aliases.txt");
pub const SPARKPLUG_PAYLOAD: &str = include_str!("../../../sparkplug/sparkplug-payload.txt");

const TIMESTAMP: &str = "0880d095ffbc31";

/// A message type and a payload in hexadecimal.
pub type Line<'l> = (&'l str, &'l str);

pub fn lines(life: &str) -> Vec<Line<'_>> {
    life.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
}

fn topic(kind: &str) -> String {
    format!("spBv1.0/g/{kind}/n{}", if kind.starts_with('D') { "/d" } else { "" })
}

/// CONNECT with a will of QoS 1, which is a death, and CONNACK.
fn connect(will: &str) -> String {
    let length = will.len() / 2;
    format!(
        "> 10 (`MQTT` 04 0e 003c `c` `spBv1.0/g/NDEATH/n` {length:04x} {will})\n< 20 (0000)\n\
         > 82 (0001 `spBv1.0/g/NCMD/n` 01)\n< 90 (0001 01)"
    )
}

/// The life on the node's own connections.
pub fn published(life: &[Line<'_>]) -> String {
    let mut connection = 0;
    let mut script = String::new();
    for (kind, payload) in life {
        let packets = match *kind {
            "WILL" => {
                connection += 1;
                connect(payload)
            }
            "DISCONNECT" => "> e0 ()\nclose".to_owned(),
            "NCMD" => format!("< 30 (`{}` {payload})", topic(kind)),
            kind => format!("> 30 (`{}` {payload})", topic(kind)),
        };
        for packet in packets.lines() {
            script += &format!("{connection}: {packet}\n");
        }
    }
    script
}

/// The life as the broker delivers it to a subscriber.
pub fn delivered(life: &[Line<'_>]) -> String {
    let mut script =
        "> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n> 82 (0001 `spBv1.0/#` 00)\n< 90 (0001 00)\n".to_owned();
    for (kind, payload) in life {
        if !matches!(*kind, "WILL" | "DISCONNECT") {
            script += &format!("< 30 (`{}` {payload})\n", topic(kind));
        }
    }
    script
}

#[test]
fn valid_lives_of_three_encoders_have_no_findings() {
    for life in [PYSPARKPLUG, TAHUTILS, SPARKPLUG_PAYLOAD] {
        assert_found(&published(&lines(life)), &[]);
        assert_found(&delivered(&lines(life)), &[]);
    }
}

#[test]
fn tahutils_does_not_keep_aliases_unique() {
    let all = findings(&published(&lines(TAHUTILS_ALIASES)));
    let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
    let rebirth = "warn tck-id-operational-behavior-data-commands-rebirth-name-aliases at PUBLISH: Node Control/Rebirth has the alias 3";
    let taken = "error tck-id-payloads-alias-uniqueness at PUBLISH: alias 0 of \"Flow\" is also the alias of another metric";
    let beside = "warn tck-id-payloads-alias-data-cmd-requirement at PUBLISH: with name and alias: ";
    let (temp, flow) = (format!("{beside}\"Temp\""), format!("{beside}\"Flow\""));
    let expected = [
        rebirth, taken, &temp, &flow, // NBIRTH, DBIRTH, NDATA, DDATA
        taken, // DBIRTH after DDEATH
        rebirth, taken, &temp, // the rebirth
        rebirth, taken, &flow, // the second connection
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_removed_message_is_a_gap() {
    let life = lines(PYSPARKPLUG);
    for (removed, rest) in [
        (3, "seq 2 expected, 3 received: 1 message missing"),
        (5, "seq 4 expected, 5 received: 1 message missing"),
    ] {
        let mut short = life.clone();
        short.remove(removed);
        for (script, severity) in [(published(&short), "error"), (delivered(&short), "warn")] {
            let all = findings(&script);
            let [finding] = &all[..] else { panic!("{all:?}") };
            assert_eq!(
                finding.to_string(),
                format!("{severity} tck-id-payloads-sequence-num-incrementing at PUBLISH: {rest}")
            );
        }
    }
}

#[test]
fn what_was_not_captured_is_nobodys_fault() {
    // The capture begins in the middle of the connection.
    for from in 1..8 {
        let life = lines(PYSPARKPLUG);
        assert_found(&format!("midway\n{}", published(&life[from..7]).replace("0: ", "1: ")), &[]);
        assert_found(&delivered(&life[from..]), &[]);
    }
    // Each message of the node's connection is lost.
    let life = lines(PYSPARKPLUG);
    for lost in 1..12 {
        let script = published(&life);
        let (kind, payload) = life[lost];
        let length = 4 + topic(kind).len() + payload.len() / 2;
        let sent = published(&[life[lost]]).replacen("0: ", "1: ", 1);
        let script = script.replacen(&sent, &format!("1: lost > {length}\n"), 1);
        let all = findings(&script);
        assert!(kind == "NCMD" || script.contains("lost"), "{script}");
        assert!(kind == "NCMD" || all.is_empty(), "{kind}: {all:?}");
    }
    // A subscription to a part of the messages.
    let data: Vec<_> = lines(PYSPARKPLUG).into_iter().filter(|(kind, _)| *kind == "DDATA").collect();
    let partial = delivered(&data).replace("spBv1.0/#", "spBv1.0/+/DDATA/#");
    assert_found(&partial, &[]);
    // The node's own packets are judged, so the deliveries are not judged again.
    let mut gap = lines(PYSPARKPLUG);
    gap.remove(3);
    let both = format!(
        "{}{}",
        published(&gap),
        delivered(&gap).lines().map(|line| format!("3: {line}\n")).collect::<String>()
    );
    assert_eq!(found(&both), ["error tck-id-payloads-sequence-num-incrementing at PUBLISH"]);
}

/// A valid NBIRTH with bdSeq 0, Temp (Int8, alias 7) and the metric for rebirths.
fn birth() -> &'static str {
    lines(PYSPARKPLUG)[1].1
}

fn will() -> &'static str {
    lines(PYSPARKPLUG)[0].1
}

/// What is found in a node's connection after a valid birth.
#[track_caller]
fn assert_found_after_birth(packets: &str, expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|it| it.split_once(' ').map(|(severity, id)| format!("{severity} tck-id-{id}")).unwrap())
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_found(
        &format!("{}\n> 30 (`spBv1.0/g/NBIRTH/n` {})\n{packets}", connect(will()), birth()),
        &expected,
    );
}

#[test]
fn topics_have_their_levels() {
    let data = format!("{TIMESTAMP} 1801");
    for (topic, expected) in [
        (
            "spBv1.0/g/DDATA/n",
            "error topic-structure-namespace-device-id-associated-message-types at PUBLISH",
        ),
        (
            "spBv1.0/g/NDATA/n/d",
            "error topic-structure-namespace-device-id-non-associated-message-types at PUBLISH",
        ),
        ("spBv1.0/g/XDATA/n", "warn topic-structure at PUBLISH"),
    ] {
        let packets = format!("> 30 (`{topic}` {data})");
        let rest = if topic.contains("DDATA") { &["error payloads-ddata-order at PUBLISH"][..] } else { &[] };
        assert_found_after_birth(&packets, &[&[expected], rest].concat());
    }
    let slash = format!("> 30 (`spBv1.0/g/DBIRTH/n/d/e` {data})");
    assert_found_after_birth(&slash, &["error topic-structure-namespace-valid-device-id at PUBLISH"]);
}

#[test]
fn messages_have_qos_0_and_are_not_retained() {
    let data = format!("{TIMESTAMP} 1801");
    for packet in ["32 (`spBv1.0/g/NDATA/n` 0001", "31 (`spBv1.0/g/NDATA/n`"] {
        let answer = if packet.starts_with("32") { "\n< 40 (0001)" } else { "" };
        assert_found_after_birth(
            &format!("> {packet} {data}){answer}"),
            &["error topics-ndata-mqtt at PUBLISH"],
        );
    }
    assert_found_after_birth(
        &format!("> 31 (`spBv1.0/g/DBIRTH/n/d` {data})"),
        &["error topics-dbirth-mqtt at PUBLISH"],
    );
    // A retained message is deleted.
    assert_found_after_birth("> 31 (`spBv1.0/g/NBIRTH/n`)", &[]);
}

#[test]
fn each_requirement_on_a_payload_is_checked() {
    for (kind, payload, expected) in [
        ("NDATA", TIMESTAMP, &["error payloads-sequence-num-always-included at PUBLISH"][..]),
        ("NDATA", "1801", &["warn payloads-ndata-timestamp at PUBLISH"]),
        ("NDATA", "0801 18 8002", &["error payloads-sequence-num-incrementing at PUBLISH"]),
        ("NDATA", "0801 1801 1204 1807 5001", &["error payloads-name-requirement at PUBLISH"]),
        ("NDATA", "0801 1801 1204 1007 5001", &["warn payloads-name-birth-data-requirement at PUBLISH"]),
        (
            "NDATA",
            "0801 1801 1206 1808 1007 5001 1206 1807 1007 5001",
            &["warn operational-behavior-data-publish-nbirth-order at PUBLISH"],
        ),
        ("NDATA", "0801 1801 1206 1808 1007 5001 1208 1807 1007 2801 5001", &[]),
        (
            "NDATA",
            "0801 1801 1206 1808 1009 5001",
            &["error operational-behavior-data-publish-nbirth at PUBLISH"],
        ),
        ("DBIRTH", "0801 1801 1207 0a0161 1801 5001", &["error payloads-metric-datatype-req at PUBLISH"]),
        (
            "DBIRTH",
            "0801 1801 1209 0a0161 1801 2063 5001",
            &["error payloads-metric-datatype-value at PUBLISH"],
        ),
        (
            "DBIRTH",
            "0801 1801 1207 0a0161 1801 2001",
            &["warn operational-behavior-data-publish-dbirth-values at PUBLISH"],
        ),
        (
            "DBIRTH",
            "0801 1801 120b 0a0161 1007 1801 2001 5001",
            &["error payloads-alias-uniqueness at PUBLISH"],
        ),
        (
            "DBIRTH",
            "0801 1801 120f 0a0161 1801 2013 9201 05 2203 746162",
            &["error topics-nbirth-templates at PUBLISH"],
        ),
        ("NCMD", "0801 1801", &["error payloads-ncmd-seq at PUBLISH"]),
        ("DCMD", "1801", &["error payloads-dcmd-seq at PUBLISH", "warn payloads-dcmd-timestamp at PUBLISH"]),
        (
            "NDEATH",
            "0801 1801",
            &["error payloads-ndeath-seq at PUBLISH", "error payloads-ndeath-bdseq at PUBLISH"],
        ),
        ("NDEATH", "1209 0a056264536571 5801", &["error payloads-ndeath-bdseq at PUBLISH"]),
    ] {
        let packets = format!("> 30 (`{}` {payload})", topic(kind));
        assert_found_after_birth(&packets, expected);
    }
    assert_found(
        &format!("{}\n> 30 (`spBv1.0/g/NBIRTH/n` {TIMESTAMP} 1803)", connect(will())),
        &[
            "warn tck-id-topics-nbirth-seq-num at PUBLISH",
            "error tck-id-payloads-nbirth-bdseq at PUBLISH",
            "warn tck-id-payloads-nbirth-rebirth-req at PUBLISH",
        ],
    );
    let json = format!("{}\n> 30 (`spBv1.0/g/NDATA/n` '{{\"x\":1}}')", connect(will()));
    assert_found(&json, &["error mq/sparkplug/6 at PUBLISH"]);
}

#[test]
fn data_comes_between_birth_and_death() {
    let data = format!("> 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 1801)");
    assert_found(&format!("{}\n{data}", connect(will())), &["error tck-id-payloads-ndata-order at PUBLISH"]);
    let device = format!("> 30 (`spBv1.0/g/DBIRTH/n/d` {TIMESTAMP} 1800)");
    assert_found(
        &format!("{}\n{device}", connect(will())),
        &["error tck-id-payloads-dbirth-order at PUBLISH"],
    );
    let death = format!("> 30 (`spBv1.0/g/NDEATH/n` {})", will());
    assert_found_after_birth(&format!("{death}\n{data}"), &["error payloads-ndata-order at PUBLISH"]);
}

#[test]
fn the_will_of_a_node_is_its_death() {
    let birth = format!("> 30 (`spBv1.0/g/NBIRTH/n` {})", birth());
    for (connect, expected) in [
        (connect(will()), &[][..]),
        (
            connect(will()).replace("04 0e", "04 06"),
            &["error tck-id-payloads-ndeath-will-message-qos at CONNECT"],
        ),
        (
            connect(will()).replace("04 0e", "04 2e"),
            &["error tck-id-payloads-ndeath-will-message-retain at CONNECT"],
        ),
        (
            connect(will()).replace("04 0e", "04 0c"),
            &["error tck-id-principles-persistence-clean-session-311 at CONNECT"],
        ),
        (
            connect(&format!("{} 1800", will()).replace(' ', "")),
            &["error tck-id-payloads-ndeath-seq at CONNECT"],
        ),
        (connect(lines(PYSPARKPLUG)[13].1), &["error tck-id-payloads-nbirth-bdseq-repeat at PUBLISH"]),
        (
            "> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)".to_owned(),
            &["warn tck-id-payloads-ndeath-will-message at PUBLISH"],
        ),
    ] {
        assert_found(&format!("{connect}\n{birth}"), expected);
    }
    let length = will().len() / 2;
    let v5 = format!(
        "> 10 (`MQTT` 05 0e 003c (11 0000003c) `c` () `spBv1.0/g/NDEATH/n` {length:04x} {})\n< 20 (0000 ())",
        will()
    );
    assert_found(&v5, &["error tck-id-principles-persistence-clean-session-50 at CONNECT"]);
}

#[test]
fn every_connect_counts_on() {
    let twice = format!(
        "{}\nreset\n{}",
        connect(will()),
        connect(will()).lines().map(|line| format!("2: {line}\n")).collect::<String>()
    );
    assert_found(&twice, &["2: warn tck-id-topics-nbirth-bdseq-increment at CONNECT"]);
}

#[test]
fn a_node_announces_that_it_disconnects() {
    let expected = "error payloads-ndeath-will-message-publisher-disconnect-mqtt311 at DISCONNECT";
    assert_found_after_birth("> e0 ()\nclose", &[expected]);
    let length = will().len() / 2;
    let v5 = |end: &str| {
        format!(
            "> 10 (`MQTT` 05 0e 003c () `c` () `spBv1.0/g/NDEATH/n` {length:04x} {})\n< 20 (0000 ())\n\
             > 30 (`spBv1.0/g/NBIRTH/n` () {})\n> e0 ({end})\nclose",
            will(),
            birth()
        )
    };
    assert_found(&v5("04"), &[]);
    let expected = "error tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50 at DISCONNECT";
    assert_found(&v5(""), &[expected]);
}

#[test]
fn a_node_subscribes_to_its_commands() {
    let birth = format!("> 30 (`spBv1.0/g/NBIRTH/n` {})", birth());
    let data = format!("> 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 1801)");
    let subscribe = "> 82 (0001 `spBv1.0/g/NCMD/n` 01)\n< 90 (0001 01)";
    assert!(connect(will()).contains(subscribe));
    for (subscription, expected) in [
        ("> 82 (0001 `spBv1.0/g/+/n/#` 01)\n< 90 (0001 01)", &[][..]),
        ("> 82 (0001 `a` 01 `spBv1.0/g/NCMD/n` 01)\n< 90 (0001 0101)", &[]),
        (&subscribe.replace("01)", "00)"), &["warn tck-id-message-flow-edge-node-ncmd-subscribe at PUBLISH"]),
        ("", &["warn tck-id-message-flow-edge-node-ncmd-subscribe at PUBLISH"]),
    ] {
        let connect = connect(will()).replace(subscribe, subscription);
        assert_found(&format!("{connect}\n{birth}\n{data}"), expected);
    }
}

#[test]
fn a_rebirth_is_expected_within_thirty_seconds() {
    let request = format!("< 30 (`spBv1.0/g/NCMD/n` {})", lines(PYSPARKPLUG)[7].1);
    let data = |seq| format!("> 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 18{seq:02x})");
    let late = format!("{request}\n{}\nwait 31\n{}\n{}", data(1), data(2), data(3));
    assert_found_after_birth(&late, &["warn operational-behavior-data-commands-rebirth-action-2 at PUBLISH"]);
}

#[test]
fn two_publishers_of_one_node_are_found() {
    let first = format!("{}\n> 30 (`spBv1.0/g/NBIRTH/n` {})\n", connect(will()), birth());
    let second =
        published(&[("WILL", lines(PYSPARKPLUG)[13].1), lines(PYSPARKPLUG)[14]]).replace("1: ", "2: ");
    let data = format!("> 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 1801)");
    let expected = "warn tck-id-topic-structure-namespace-unique-edge-node-descriptor at PUBLISH";
    assert_found(&format!("{first}{second}{data}"), &[expected]);
}

/// A node with a birth on one connection, and its data on two: no number is missing.
pub fn over_two_connections() -> String {
    let mut script = format!("{}\n> 30 (`spBv1.0/g/NBIRTH/n` {})\n", connect(will()), birth());
    script = script.lines().map(|line| format!("1: {line}\n")).collect();
    script += "2: > 10 (`MQTT` 04 02 003c `b`)\n2: < 20 (0000)\n";
    for (connection, seq) in [(1, 1), (2, 2), (1, 3), (2, 5), (1, 4), (1, 6), (1, 7)] {
        script += &format!("{connection}: > 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 18{seq:02x})\n");
    }
    script
}

/// What the broker delivers to a subscriber: a birth, `between`, and data with these numbers.
fn delivered_data(between: &str, numbers: &[u8]) -> String {
    let mut script = delivered(&lines(PYSPARKPLUG)[1..2]) + between;
    for seq in numbers {
        script += &format!("< 30 (`spBv1.0/g/NDATA/n` {TIMESTAMP} 18{seq:02x})\n");
    }
    script
}

/// A subscriber that was without subscription for some messages.
pub fn resubscribed() -> String {
    let between = "> a2 (0002 `spBv1.0/#`)\n< b0 (0002)\n> 82 (0003 `spBv1.0/#` 00)\n< 90 (0003 00)\n";
    delivered_data(between, &[7, 8])
}

/// A subscriber with two subscriptions, for each of which the broker delivers a copy.
pub fn delivered_twice() -> String {
    delivered_data("> 82 (0002 `spBv1.0/g/#` 00)\n< 90 (0002 00)\n", &[1, 1, 2, 2, 3, 3])
}

#[test]
fn what_came_another_way_is_not_missing() {
    let publishers = "1: warn tck-id-topic-structure-namespace-unique-edge-node-descriptor at PUBLISH";
    let all = found(&over_two_connections());
    assert!(!all.is_empty() && !all.iter().any(|it| it.contains("sequence-num")), "{all:?}");
    assert_eq!(all.iter().filter(|it| publishers.ends_with(it.as_str())).count(), 1, "{all:?}");
    assert_found(&resubscribed(), &[]);
    assert_found(&delivered_twice(), &[]);
    let gap = "warn tck-id-payloads-sequence-num-incrementing at PUBLISH";
    let other = "> 82 (0002 `spBv1.0/h/#` 00)\n< 90 (0002 00)\n> a2 (0003 `spBv1.0/h/+`)\n< b0 (0003)\n";
    assert_found(&delivered_data(other, &[1, 1]), &[gap]);
    assert_found(&delivered_data(other, &[1, 3]), &[gap]);
    // Only a part of the messages of this node.
    let partial =
        delivered_data("", &[1, 3]).replace("`spBv1.0/#` 00", "`spBv1.0/h/#` 00 `spBv1.0/g/+/n` 00");
    assert_found(&partial.replace("< 90 (0001 00)", "< 90 (0001 0000)"), &[]);
}

#[test]
fn hosts_publish_their_state() {
    let online = "'{\"online\":true,\"timestamp\":5}'";
    let connect = |flags: &str, will: &str| {
        let length = will.len();
        format!("> 10 (`MQTT` 04 {flags} 003c `c` `spBv1.0/STATE/h` {length:04x} '{will}')\n< 20 (0000)")
    };
    let will = r#"{"online":false,"timestamp":5}"#;
    let publish =
        |first: &str, payload: &str| format!("> {first} (`spBv1.0/STATE/h` 0001 {payload})\n< 40 (0001)");
    let valid = format!("{}\n{}", connect("2e", will), publish("33", online));
    assert_found(&valid, &[]);
    let offline = publish("33", "'{\"online\":false,\"timestamp\":7}'");
    assert_found(&format!("{valid}\n{offline}\n> e0 ()\nclose"), &[]);
    let expected = "error tck-id-operational-behavior-host-application-termination at DISCONNECT";
    assert_found(&format!("{valid}\n> e0 ()\nclose"), &[expected]);
    for (script, expected) in [
        (
            format!("{}\n{}", connect("2e", will), publish("32", online)),
            "error tck-id-host-topic-phid-birth-retain at PUBLISH",
        ),
        (
            format!("{}\n> 31 (`spBv1.0/STATE/h` {online})", connect("2e", will)),
            "error tck-id-host-topic-phid-birth-qos at PUBLISH",
        ),
        (
            format!("{}\n{}", connect("2e", will), publish("33", "'ONLINE'")),
            "error tck-id-host-topic-phid-birth-payload at PUBLISH",
        ),
        (
            format!("{}\n{}", connect("2e", will), publish("33", "'{\"online\":false}'")),
            "error tck-id-host-topic-phid-birth-payload at PUBLISH",
        ),
        (
            format!("{}\n{}", connect("2e", will), publish("33", "'{\"online\":true,\"timestamp\":6}'")),
            "error tck-id-host-topic-phid-birth-payload-timestamp at PUBLISH",
        ),
        (connect("26", will), "error tck-id-payloads-state-will-message-qos at CONNECT"),
        (connect("0e", will), "error tck-id-payloads-state-will-message-retain at CONNECT"),
        (connect("2c", will), "error tck-id-message-flow-phid-sparkplug-clean-session-311 at CONNECT"),
        (connect("2e", "OFFLINE"), "error tck-id-payloads-state-will-message-payload at CONNECT"),
        (
            format!("> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n{}", publish("33", online)),
            "warn tck-id-payloads-state-will-message at PUBLISH",
        ),
        (
            "> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n> 31 (`STATE/h` 'ONLINE')".to_owned(),
            "info tck-id-host-topic-phid-birth-topic at PUBLISH",
        ),
        (
            "> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n> 31 (`spBv1.0/g/STATE/h` 'ONLINE')".to_owned(),
            "warn tck-id-host-topic-phid-birth-topic at PUBLISH",
        ),
    ] {
        assert_found(&script, &[expected]);
    }
}

#[test]
fn a_requirement_can_be_looked_up() {
    for id in ["tck-id-payloads-nbirth-seq", "payloads-nbirth-seq", "[TCK-ID-payloads-nbirth-seq]"] {
        let text = mq("inspect --explain").arg(id).run().succeed();
        assert_says(&text, &["tck-id-payloads-nbirth-seq (Sparkplug 3.0)  error, packet, by client"]);
    }
    let json = mq("inspect --format json --explain payloads-ndata-order").run().succeed();
    assert_says(&json, &[r#""mqtt_5_0":null,"sparkplug_3_0":"tck-id-payloads-ndata-order""#]);
}

#[test]
fn the_text_shows_the_requirement() {
    let mut gap = lines(PYSPARKPLUG);
    gap.remove(3);
    let shown = mq("inspect --lint").stdin(capture(&published(&gap))).run();
    shown.expect_status(4);
    let expected = "seq 2 expected, 3 received: 1 message missing\n            tck-id-payloads-sequence-num-incrementing: ";
    assert_says(&String::from_utf8_lossy(&shown.stdout), &[expected]);
}
