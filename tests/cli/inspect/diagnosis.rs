//! `mq inspect --diagnose`: each problem is found where it is, and nothing else is.

use super::super::support::certificates::Files;
use super::lint::sparkplug::{
    PYSPARKPLUG, SPARKPLUG_PAYLOAD, TAHUTILS, delivered, delivered_twice, lines, over_two_connections,
    published, resubscribed,
};
use super::proxy::Proxy;
use super::*;
use crate::support::capture::capture;
use unicode_width::UnicodeWidthStr;

/// The report on a capture that is written down.
fn report(script: &str, options: &str) -> Value {
    let shown = mq("inspect --diagnose --format json").words(options).stdin(capture(script)).run().succeed();
    let mut all = objects(&shown);
    assert_eq!(all.len(), 1, "{shown}");
    all.remove(0)
}

/// The problems of a report: kind, clients and count.
fn problems(report: &Value) -> Vec<String> {
    let line = |problem: &Value| {
        let clients: Vec<_> =
            problem["clients"].as_array().unwrap().iter().map(|client| client.as_str().unwrap()).collect();
        format!("{} {} {}", problem["kind"].as_str().unwrap(), clients.join("+"), problem["count"])
    };
    report["problems"].as_array().unwrap().iter().map(line).collect()
}

/// These problems are found, and no others; each has a filter that selects packets.
#[track_caller]
fn assert_problems(script: &str, expected: &[&str]) -> Value {
    let report = report(script, "");
    assert_eq!(problems(&report), expected, "{report:#}");
    for problem in report["problems"].as_array().unwrap() {
        let filter = problem["filter"].as_str().unwrap();
        let shown = mq("inspect --filter").arg(filter).stdin(capture(script)).run().succeed();
        assert_ne!(shown, "", "{filter}");
    }
    report
}

fn text(report: &Value, index: usize) -> &str {
    report["problems"][index]["text"].as_str().unwrap()
}

/// CONNECT of MQTT 3.1.1 with this client identifier and keep alive in seconds, and its acceptance.
fn connects(connection: u16, client: &str, keep_alive: u16) -> String {
    format!("{connection}: > 10 (`MQTT` 04 02 {keep_alive:04x} `{client}`)\n{connection}: < 20 (0000)\n")
}

/// The same in MQTT 5.0, with these properties in both packets.
fn connects_v5(connection: u16, client: &str, properties: [&str; 2]) -> String {
    let [of_client, of_server] = properties;
    format!(
        "{connection}: > 10 (`MQTT` 05 02 0000 ({of_client}) `{client}`)\n{connection}: < 20 (0000 ({of_server}))\n"
    )
}

const DISCONNECT: &str = "> e0 00\nclose";

/// The captures in which something went wrong, or was made to look so.
const TROUBLED: [(&str, &[&str]); 9] = [
    ("01-live-v31-session.pcap", &["repeated sess3 1"]),
    ("03-live-v5-session.pcap", &["repeated sess5 1"]),
    ("05-live-v5-topic-alias.pcap", &["closed_by_server ta2 1"]),
    ("13-live-60-connections.pcap", &["client_lost cc00+cc02+cc04 30"]),
    (
        "15a-craft-malformed-v311.pcap",
        &[
            "reconnect_loop m 50",
            "reconnect_loop x 9",
            "closed_by_server m 48",
            "closed_by_server  1",
            "refused m 1",
            "refused m 1",
            "connect_unanswered x 13",
            "client_lost m 1",
            "repeated m 1",
        ],
    ),
    ("17a-live-any-sll2.pcap", &["repeated sll2 1"]),
    ("20-live-mosquitto-bridge-0x84.pcap", &["client_lost vm.br1 1"]),
    (
        "22-craft-v5-all-types-all-properties-auth.pcap",
        &["closed_by_server auto-123 1", "subscription_denied auto-123 1"],
    ),
    ("33-craft-rst-mid-packet.pcap", &["closed_by_server rst 1"]),
];

/// A sequence of violations, which has its own tests.
const LINTED: &str = "28b-craft-lint-sequences-v5.pcap";

#[test]
fn captures_have_their_problems_and_clean_ones_have_none() {
    for name in captures() {
        let expected = TROUBLED.iter().find(|(troubled, _)| *troubled == name).map(|(_, problems)| *problems);
        if name != LINTED {
            let report = inspect(&name, "--diagnose");
            assert_eq!(problems(&report[0]), expected.unwrap_or_default(), "{name}: {:#}", report[0]);
        }
    }
}

#[test]
fn an_orderly_session_has_no_problem() {
    let script = format!(
        "{}> 82 (0001 `t` 01)\n< 90 (0001 01)\n> 32 (`t` 0002 'a')\n< 40 (0002)\n< 30 (`t` 'a')\n> c0 00\n< d0 00\n{DISCONNECT}",
        connects(1, "a", 60)
    );
    let report = assert_problems(&script, &[]);
    assert_eq!(report["endings"]["client_disconnect"], 1);
    assert_eq!(report["by_client"][0]["client_id"], "a");
    let shown = mq("inspect --diagnose").stdin(capture(&script)).env("TZ", "UTC").run().succeed();
    assert_says(
        &shown,
        &["1 client, 1 connection, 10 packets", "no problems found", "the client disconnected"],
    );
}

#[test]
fn clients_with_one_identifier_take_it_over_from_each_other() {
    let mut script = connects(1, "sensor", 60);
    for number in 2..6 {
        script += &format!(
            "wait 2\n{number}: > 10 (`MQTT` 04 02 003c `sensor`)\n{}: fin <\n{number}: < 20 (0000)\n",
            number - 1
        );
    }
    let report = assert_problems(&script, &["take_over_loop sensor 4"]);
    assert_says(text(&report, 0), &["4 times, about every 2.00", "all connections from 10.0.0.1"]);
    let once = format!(
        "{}2: > 10 (`MQTT` 04 02 003c `sensor`)\nreset <\n2: < 20 (0000)\n2: > e0 00\n2: close",
        connects(1, "sensor", 60)
    );
    assert_problems(&once, &["take_over sensor 1"]);
    let of_v5 = format!(
        "{}2: > 10 (`MQTT` 05 02 0000 () `s`)\n< e0 (8e)\nclose <\n2: < 20 (0000 ())\n2: > e0 00\n2: close",
        connects_v5(1, "s", ["", ""])
    );
    assert_problems(&of_v5, &["take_over s 1"]);
}

#[test]
fn a_client_that_connects_again_and_again_is_named() {
    let mut script = String::new();
    for number in 1..6 {
        script += &connects(number, "loop", 60);
        script += &format!("{number}: > 30 (`t` 'a')\n{number}: close <\nwait 5\n");
    }
    let report = assert_problems(&script, &["reconnect_loop loop 4", "closed_by_server loop 5"]);
    assert_says(
        text(&report, 0),
        &["4 times, about every 5.0", "mostly the server closed without DISCONNECT (FIN)"],
    );
    assert_says(text(&report, 1), &["the server closed (FIN)", "5 times, right after PUBLISH"]);
    let orderly: String = (1..6)
        .map(|number| format!("{}{number}: > e0 00\n{number}: close\nwait 5\n", connects(number, "cron", 60)))
        .collect();
    assert_problems(&orderly, &[]);
}

#[test]
fn the_side_that_closed_is_named() {
    let opened = connects(1, "a", 60);
    let v5 = connects_v5(1, "a", ["", ""]);
    for (script, expected, sentence) in [
        (format!("{opened}close <"), "closed_by_server a 1", "the server closed (FIN) the connection"),
        (format!("{opened}reset <"), "closed_by_server a 1", "the server reset (RST) the connection"),
        (
            format!("{opened}close"),
            "client_lost a 1",
            "the client closed the connection without DISCONNECT (FIN)",
        ),
        (format!("{opened}reset"), "client_lost a 1", "the client reset the connection"),
        (format!("{opened}fin\nreset <"), "client_lost a 1", "the client closed the connection"),
        (format!("{v5}< e0 (8b)\nclose <"), "closed_by_server a 1", "server shutting down (0x8b)"),
        (
            format!("{opened}fin <\nwait 6\n2: > 10 (`MQTT` 04 02 003c `b`)\n2: < 20 (0000)"),
            "half_open a 1",
            "the server closed (FIN), but the client had not closed 6",
        ),
        (
            "> 10 (`MQTT` 04 02 003c `a`)\nclose <".to_owned(),
            "connect_unanswered a 1",
            "without an answer to CONNECT",
        ),
    ] {
        let report = assert_problems(&script, &[expected]);
        assert_says(text(&report, 0), &[sentence]);
    }
}

#[test]
fn silence_beyond_the_keep_alive_is_measured() {
    let opened = connects(1, "quiet", 10);
    let closed = format!("{opened}wait 15.5\nclose <");
    let report = assert_problems(&closed, &["keep_alive_timeout quiet 1"]);
    assert_says(text(&report, 0), &["after a silence of 15.50", "keep alive is 10 s"]);
    assert_eq!(report["problems"][0]["keep_alive"], 10);
    let late = format!("{opened}wait 12\n> c0 00\n< d0 00\n{DISCONNECT}");
    let report = assert_problems(&late, &["keep_alive_exceeded quiet 1"]);
    assert_says(text(&report, 0), &["silent for up to 12.0", "keep alive is 10 s"]);
    let kept = format!("{opened}wait 10\n> c0 00\n< d0 00\nwait 9\n> c0 00\n< d0 00\n{DISCONNECT}");
    assert_problems(&kept, &[]);
    let open = format!("{opened}wait 40\n2: > 10 (`MQTT` 04 02 003c `b`)\n2: < 20 (0000)");
    assert_problems(&open, &["keep_alive_exceeded quiet 1"]);
}

#[test]
fn refusals_and_denials_have_their_reasons() {
    let refused: String = (1..3)
        .map(|number| {
            format!("{number}: > 10 (`MQTT` 04 02 003c `a`)\n{number}: < 20 (0005)\n{number}: close <\n")
        })
        .collect();
    let report = assert_problems(&refused, &["refused a 2"]);
    assert_says(text(&report, 0), &["the server refused CONNECT: not authorized (5), 2 times"]);
    let denied = format!(
        "{}> 82 (0001 () `secret/#` 01 `open` 00)\n< 90 (0001 () 87 00)\n> 32 (`secret/a` 0002 () 'x')\n< 40 (0002 87)\n> e0 00\nclose",
        connects_v5(1, "a", ["", ""])
    );
    let report = assert_problems(&denied, &["subscription_denied a 1", "publish_denied a 1"]);
    assert_says(text(&report, 0), &["\"secret/#\": not authorized (0x87), once"]);
    assert_says(text(&report, 1), &["messages to \"secret/a\": not authorized (0x87), once"]);
    assert_eq!(report["problems"][1]["topics"][0], "secret/a");
}

#[test]
fn missing_repeated_and_slow_answers_are_found() {
    let opened = connects(1, "a", 60);
    let unanswered = format!("{opened}> 32 (`t/1` 0001 'x')\n> c0 00\nwait 8\n< d0 00\n{DISCONNECT}");
    let report = assert_problems(&unanswered, &["unanswered a 1", "slow_answer a 1"]);
    assert_says(text(&report, 0), &["the server did not answer PUBLISH for \"t/1\" within 8."]);
    assert_says(text(&report, 1), &["PINGRESP of the server took up to 8."]);
    let repeated = format!(
        "{opened}> 34 (`t` 0001 'x')\n> 3c (`t` 0001 'x')\n< 50 (0001)\n> 62 (0001)\n> 62 (0001)\n< 70 (0001)\n{DISCONNECT}"
    );
    assert_problems(&repeated, &["repeated a 1", "repeated a 1"]);
}

#[test]
fn a_slow_subscriber_fills_its_receive_maximum() {
    let mut script = connects_v5(1, "slow", ["21 0002", ""]);
    script += "> 82 (0001 () `t` 01)\n< 90 (0001 () 01)\n< 32 (`t` 0001 () 'a')\n< 32 (`t` 0002 () 'b')\nwait 3\n> 40 (0001)\n> 40 (0002)\n> e0 00\nclose";
    let report = assert_problems(&script, &["in_flight_full slow 1", "slow_answer slow 2"]);
    assert_says(
        text(&report, 0),
        &["as many messages as the client allows from the server were in flight, for up to 3."],
    );
    assert_says(text(&report, 1), &["PUBACK of the client took up to 3."]);
}

#[test]
fn a_message_that_no_subscriber_received_is_found_only_if_the_subscription_was_seen() {
    let publisher = format!("{}2: > 30 (`a/b` 'x')\nwait 3\n", connects(2, "pub", 60));
    let subscriber = connects(1, "sub", 60);
    let end = "2: > e0 00\n2: close\n> e0 00\nclose";
    let lost = format!("{subscriber}> 82 (0001 `a/#` 00)\n< 90 (0001 00)\n{publisher}{end}");
    let report = assert_problems(&lost, &["not_delivered sub 1"]);
    assert_eq!(report["problems"][0]["filter"], "type=PUBLISH topic=a/b");
    for (subscription, delivery) in [
        ("> 82 (0001 `a/#` 00)\n< 90 (0001 00)\n", "< 30 (`a/b` 'x')\n"),
        ("> 82 (0001 `other/#` 00)\n< 90 (0001 00)\n", ""),
        ("> 82 (0001 `$share/g/a/#` 00)\n< 90 (0001 00)\n", ""),
        ("> 82 (0001 `a/#` 00)\n< 90 (0001 00)\n> a2 (0002 `a/#`)\n< b0 (0002)\n", ""),
        ("> 82 (0001 `a/#` 00)\n< 90 (0001 00)\nlost < 9\n", ""),
        ("", ""),
    ] {
        assert_problems(&format!("{subscriber}{subscription}{publisher}{delivery}{end}"), &[]);
    }
}

#[test]
fn oversize_packets_retained_storms_and_growing_payloads_are_found() {
    let oversize = format!(
        "{}> 30 (`t` () '{}')\n> e0 00\nclose",
        connects_v5(1, "a", ["", "27 00000040"]),
        "x".repeat(80)
    );
    let report = assert_problems(&oversize, &["oversize a 1"]);
    assert_says(text(&report, 0), &["PUBLISH of up to 86 bytes; the receiver's limit is 64"]);
    let storm: String = (0..1200).map(|number| format!("< 31 (`r/{number}` 'x')\n")).collect();
    let storm = format!("{}> 82 (0001 `#` 00)\n< 90 (0001 00)\n{storm}{DISCONNECT}", connects(1, "a", 60));
    assert_says(text(&assert_problems(&storm, &["retained_storm a 1"]), 0), &["1200 retained messages"]);
    let growing: String =
        (1..15).map(|times| format!("> 30 (`log` '{}')\n", "x".repeat(times * 300))).collect();
    let growing = format!("{}{growing}{DISCONNECT}", connects(1, "a", 60));
    assert_says(
        text(&assert_problems(&growing, &["growing_payload  14"]), 0),
        &["\"log\" grows, up to 4200 bytes"],
    );
}

#[test]
fn problems_of_many_clients_are_one() {
    let script: String = (1..11)
        .map(|number| format!("{}{number}: reset <\n", connects(number, &format!("c{number}"), 60)))
        .collect();
    let report = report(&script, "");
    assert_eq!(problems(&report), ["closed_by_server c1+c2+c3 10"]);
    assert_eq!(report["problems"][0]["client_count"], 10);
}

#[test]
fn follow_since_and_until_select_problems() {
    let script = format!("{}reset <\nwait 10\n{}2: close <", connects(1, "a", 60), connects(2, "b", 60));
    assert_eq!(problems(&report(&script, "")), ["closed_by_server a 1", "closed_by_server b 1"]);
    for (options, client) in [("--follow a", "a"), ("--since +5s", "b"), ("--until +5s", "a")] {
        assert_eq!(
            problems(&report(&script, options)),
            [format!("closed_by_server {client} 1")],
            "{options}"
        );
    }
}

#[test]
fn the_text_has_the_place_and_the_filter() {
    let script = format!(
        "{}> 82 (0001 () `a b` 01)\n< 90 (0001 () 87)\n> e0 00\nclose",
        connects_v5(1, "it's", ["", ""])
    );
    let shown = mq("inspect --diagnose").stdin(capture(&script)).env("TZ", "UTC").run().succeed();
    let start: Vec<_> = shown.lines().take(5).collect();
    let expected = [
        "1 client, 1 connection, 5 packets in 14.000 ms, 22:13:20.001 to 22:13:20.015",
        "",
        "error  \"it's\": the server denied the subscription to \"a b\": not authorized (0x87), once",
        "       22:13:20.010, frame 10",
        "       --filter 'client=\"it'\\''s\" type=SUBSCRIBE,SUBACK'",
    ];
    assert_eq!(start, expected, "{shown}");
}

#[test]
fn a_terminal_wraps_sentences_and_a_pipe_has_one_line_for_each() {
    let files = Files::new(&[]);
    let path = files.path("a.pcap");
    let topics: String = (0..6)
        .map(|number| {
            format!("1: > 82 (000{number} `a/very/long/topic/{number}` 00)\n1: < 90 (000{number} 80)\n")
        })
        .collect();
    std::fs::write(&path, capture(&format!("{}{topics}", connects(1, "a", 60)))).unwrap();
    let piped = mq("inspect --diagnose").arg(&path).run().succeed();
    let sentence = |shown: &str| shown.lines().filter(|line| line.contains("denied")).count();
    assert_eq!(sentence(&piped), 1, "{piped}");
    assert!(piped.lines().any(|line| line.width() > 80), "{piped}");
    let line = format!("stty rows 24 cols 50; {} inspect --diagnose {}", mq_path(), path.display());
    let Some(running) = on_a_terminal(&line) else { return };
    let shown = String::from_utf8(running.finish().stdout).unwrap();
    for line in shown.lines().filter(|line| !line.contains("--filter")) {
        assert!(line.trim_end().width() <= 50, "{line:?}");
    }
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(joined(&shown), joined(&piped), "the same words");
}

#[test]
fn the_proxy_reports_again_and_again() {
    let broker = EmbeddedBroker::start();
    let mut proxy = Proxy::start(&broker.address().to_string(), "--diagnose=100ms --format json");
    proxy.mq("pub -t t -m hi -i one").run().succeed();
    proxy.running.wait_for_stdout("\"client_disconnect\":1");
    let all = objects(&proxy.stop());
    assert!(!all.is_empty());
    assert_eq!(problems(all.last().unwrap()), [""; 0], "{all:?}");
}

/// What a proxy reports on a conversation, and the report on its recording.
fn live_and_recorded(to: &str, talk: impl FnOnce(&Proxy)) -> [Vec<String>; 2] {
    let files = Files::new(&[]);
    let copy = files.path("copy.pcapng");
    let proxy = Proxy::start(to, &format!("--diagnose --format json --write {}", copy.display()));
    talk(&proxy);
    let live = objects(&proxy.stop()).remove(0);
    let recorded = objects(&mq("inspect --diagnose --format json").arg(&copy).run().succeed()).remove(0);
    [problems(&live), problems(&recorded)]
}

#[test]
fn a_take_over_at_a_real_broker_is_seen_live_and_in_the_recording() {
    on_each_broker(|broker| {
        let found = live_and_recorded(&broker.address().to_string(), |proxy| {
            let mut first = Wire::v311(proxy, "twin");
            let mut second = Wire::v311(proxy, "twin");
            first.expect_end();
            drop(first);
            second.ping();
            second.send("e0 00");
            second.expect_end();
        });
        assert_eq!(found, [["take_over twin 1"], ["take_over twin 1"]]);
    });
}

#[test]
fn a_reset_by_the_broker_is_seen_live_and_in_the_recording() {
    let peer = ScriptedPeer::start(|peer| {
        let wire = peer.accept_v311();
        // A close with unread bytes is a reset.
        wire.into_stream().peek(&mut [0]).unwrap();
    });
    let found = live_and_recorded(&peer.address().to_string(), |proxy| {
        let mut client = Wire::v311(proxy, "victim");
        client.send("30 (`t` 'x')");
        client.expect_end();
    });
    peer.finish();
    assert_eq!(found, [["closed_by_server victim 1"], ["closed_by_server victim 1"]]);
}

#[test]
fn the_side_that_owes_an_answer_is_accused() {
    let opened = connects(1, "q", 60);
    let later = "wait 20\n> c0 00\n< d0 00\n> e0 00";
    for (exchange, sentence) in [
        ("> 34 (`a` 0001 'x')\n< 50 (0001)", "the client did not answer PUBREC for \"a\" within 20.0"),
        ("< 34 (`a` 0001 'x')\n> 50 (0001)", "the server did not answer PUBREC for \"a\" within 20.0"),
        (
            "> 34 (`a` 0001 'x')\n< 50 (0001)\n> 62 (0001)",
            "the server did not answer PUBREL for \"a\" within 20.0",
        ),
        // What comes after DISCONNECT is no wait.
        ("> 32 (`a` 0001 'x')\nwait 8\n> e0 00", "the server did not answer PUBLISH for \"a\" within 8.0"),
    ] {
        let report = assert_problems(&format!("{opened}{exchange}\n{later}\nclose"), &["unanswered q 1"]);
        assert_says(text(&report, 0), &[sentence]);
    }
}

#[test]
fn an_answer_to_a_repeated_packet_is_measured_from_the_first() {
    let opened = connects(1, "q", 60);
    for (exchange, sentence) in [
        (
            "> 32 (`a` 0001 'x')\nwait 5\n> 3a (`a` 0001 'x')\n< 40 (0001)",
            "PUBACK of the server took up to 5.0",
        ),
        (
            "> 34 (`a` 0001 'x')\n< 50 (0001)\n> 62 (0001)\nwait 5\n> 62 (0001)\n< 70 (0001)",
            "PUBCOMP of the server took up to 5.0",
        ),
    ] {
        let script = format!("{opened}{exchange}\n{DISCONNECT}");
        let report = assert_problems(&script, &["slow_answer q 1", "repeated q 1"]);
        assert_says(text(&report, 0), &[sentence]);
    }
}

#[test]
fn several_unanswered_messages_are_in_order_of_time() {
    let messages: String = (1..9).map(|id| format!("> 32 (`a` {id:04x} 'x')\nwait 1\n")).collect();
    let script = format!("{}{messages}wait 9\n{DISCONNECT}", connects(1, "q", 60));
    let report = assert_problems(&script, &["unanswered q 8"]);
    let problem = &report["problems"][0];
    assert!(problem["first_frame"].as_u64() < problem["last_frame"].as_u64(), "{report:#}");
    assert_eq!([&problem["first_frame"], &problem["last_frame"]], [8, 22], "{report:#}");
}

#[test]
fn two_connections_at_once_are_not_a_take_over() {
    let mut script = String::new();
    for number in 1..6 {
        script += &connects(number, "same", 60);
        script += "wait 1\n";
    }
    for number in 1..6 {
        script += &format!("{number}: > 32 (`t` 0001 'x')\n{number}: < 40 (0001)\n");
    }
    // Without an end, and with an orderly one.
    assert_problems(&script, &[]);
    let ends: String = (1..6).map(|number| format!("{number}: > e0 00\n{number}: close\n")).collect();
    assert_problems(&format!("{script}{ends}"), &[]);
    // The server closes a connection that it served in the meantime.
    assert_problems(&format!("{script}1: close <"), &["closed_by_server same 1"]);
}

#[test]
fn the_reasons_of_a_server_that_disconnects_are_judged() {
    let v5 = "> 10 (`MQTT` 05 02 000a () `a`)\n< 20 (0000 ())\n";
    let report = assert_problems(&format!("{v5}wait 15\n< e0 (8d)\nclose <"), &["keep_alive_timeout a 1"]);
    assert_says(text(&report, 0), &["after a silence of 15.0", "keep alive is 10 s"]);
    assert_problems(&format!("{v5}< e0 (00)\nclose <"), &[]);
    let reset = format!("{}wait 0.5\nreset <", connects(1, "a", 60));
    let report = assert_problems(&reset, &["closed_by_server a 1"]);
    assert!(!text(&report, 0).contains("right after"), "{report:#}");
}

#[test]
fn filters_hold_only_what_they_can_read() {
    let denied = |client: &str, topic: &str| {
        format!(
            "> 10 (`MQTT` 05 02 0000 () {client})\n< 20 (0000 ())\n> 32 ({topic} 0002 () 'x')\n< 40 (0002 87)\n> e0 00\nclose"
        )
    };
    for (client, topic) in [("`a`", "`b\u{1b}c`"), ("`a\u{1b}c`", "`t`"), ("`*`", "`t`")] {
        let report = report(&denied(client, topic), "");
        assert_eq!(report["problems"][0]["kind"], "publish_denied", "{report:#}");
        let filter = report["problems"][0]["filter"].as_str().unwrap();
        let script = denied(client, topic);
        let shown = mq("inspect --filter").arg(filter).stdin(capture(&script)).run().succeed();
        assert!(shown.contains("PUBACK") || shown.contains("PUBLISH"), "{filter}: {shown}");
    }
    let empty = format!("{}> 32 (`` 0001 'x')\nwait 8\n{DISCONNECT}", connects(1, "a", 60));
    let report = assert_problems(&empty, &["unanswered a 1"]);
    assert_eq!(report["problems"][0]["filter"], "client=a type=PUBLISH");
}

#[test]
fn a_selection_is_stated_and_counts_its_connections() {
    let script = format!("{}reset <\nwait 10\n{}2: close <", connects(1, "a", 60), connects(2, "b", 60));
    let shown = |options: &str| {
        let program = mq("inspect --diagnose").words(options).env("TZ", "UTC");
        program.stdin(capture(&script)).run().succeed()
    };
    assert_says(&shown("--follow a"), &["selected: \"a\" (1 client, 1 connection)", "1  the server reset"]);
    assert!(!shown("--follow a").contains("1  the server closed"));
    assert_says(&shown("--since +5s"), &["selected: problems since 22:13:25.001"]);
    let selection = report(&script, "--follow a --since +5s")["selection"].clone();
    assert_eq!(selection["follow"], serde_json::json!(["a"]));
    assert_eq!((&selection["clients"], &selection["connections"]), (&1.into(), &1.into()));
    assert_eq!(selection["since"], "2023-11-14T22:13:25.001000000Z");
    assert_eq!(report(&script, "")["selection"], Value::Null);
    assert_says(&shown("--follow none"), &["no problems found in the selection"]);
    assert!(!shown("").contains("selected"));
}

#[test]
fn without_mqtt_the_report_says_why() {
    let shown = |script: &str| mq("inspect --diagnose").stdin(capture(script)).run().succeed();
    let silent = shown("> \nreset <");
    assert_says(&silent, &["no MQTT packets were decoded", "1 connection without data"]);
    assert!(!silent.contains("refused"), "{silent}");
    let http = shown("> 'GET / HTTP/1.1' 0d0a 0d0a\n< 'HTTP/1.1 403 No' 0d0a 0d0a\nclose");
    assert_says(&http, &["no MQTT packets were decoded", "1 connection with HTTP"]);
    assert!(!http.contains("no problems found"), "{http}");
}

#[test]
fn refused_tcp_connections_are_a_problem_of_the_server() {
    let script = (1..=5).map(|number| format!("{number}: refused\nwait 1\n")).collect::<String>();
    let report = assert_problems(&script, &["tcp_refused  5"]);
    assert_eq!(
        text(&report, 0),
        "10.0.0.2:1883 refused the TCP connection (RST): no listener, or a firewall, 5 times"
    );
    assert_eq!(report["problems"][0]["has_more_connections"], true);
    assert_eq!(report["foreign_connections"], 5);
    let shown = mq("inspect --diagnose").stdin(capture(&script)).run().succeed();
    assert_says(&shown, &["--filter 'connection=0,1,2,3' (the first connections)"]);
    let lines = mq("inspect").stdin(capture("refused")).run().succeed();
    assert_says(&lines, &["refused by the server (RST)"]);
}

#[test]
fn failed_tls_handshakes_are_a_problem_of_the_server() {
    let hello = format!("> 16 0303 00 ( 01 00 00 ( 0303 {} 00 0002 1301 01 00 00 ( ) ) )", "aa".repeat(32));
    let failed = |number: usize, alert: &str| {
        let lines = std::iter::once(hello.as_str()).chain(alert.lines()).chain(["close"]);
        lines.map(|line| format!("{number}: {line}\n")).collect::<String>() + "wait 1\n"
    };
    let rejected = "> 15 0303 0002 022d";
    let encrypted = "< 17 0303 0004 00000000\n> 17 0303 0004 00000000";
    let script = [failed(1, rejected), failed(2, rejected), failed(3, encrypted)].concat();
    let report = assert_problems(&script, &["tls_failed  2"]);
    assert_eq!(
        text(&report, 0),
        "TLS to 10.0.0.2:1883 failed: the client sent the alert CertificateExpired, 2 times"
    );
    assert_eq!(report["problems"][0]["severity"], "error");
    assert_eq!(report["problems"][0]["filter"], "connection=0,1");
    assert_eq!(report["foreign_connections"], 3);
    let shown = mq("inspect --diagnose").stdin(capture(&script)).run().succeed();
    assert_says(
        &shown,
        &[
            "1 connection with TLS that was not decrypted; a key log decrypts it",
            "2 connections whose TLS handshake failed",
        ],
    );
    let lines = mq("inspect --filter connection=0").stdin(capture(&script)).run().succeed();
    assert_says(&lines, &["the handshake failed: the client sent CertificateExpired"]);
}

#[test]
fn connections_with_missing_bytes_are_counted() {
    let script = format!("{}lost > 4\n> c0 00\n{DISCONNECT}", connects(1, "a", 60));
    let shown = mq("inspect --diagnose").stdin(capture(&script)).run().succeed();
    assert_says(&shown, &["1 connection with bytes that were not captured, late or unreadable"]);
    assert_eq!(report(&script, "")["incomplete_connections"], 1);
}

#[test]
fn a_long_topic_is_cut_and_left_out_of_the_filter() {
    let topic = "t".repeat(3000);
    let script = format!("{}> 32 (`{topic}` 0001 'x')\nwait 8\n{DISCONNECT}", connects(1, "a", 60));
    let report = assert_problems(&script, &["unanswered a 1"]);
    assert!(text(&report, 0).len() < 400, "{report:#}");
    assert_eq!(report["problems"][0]["filter"], "client=a type=PUBLISH");
}

#[test]
fn the_reason_strings_of_the_server_are_quoted() {
    let refused = "> 10 (`MQTT` 05 02 0000 () `a`)\n< 20 (00 87 (1f `over quota`))\nclose <";
    let report = assert_problems(refused, &["refused a 1"]);
    assert_says(text(&report, 0), &["(0x87), \"over quota\", once"]);
    let script = format!("{}< e0 (89 (1f `maintenance`))\nclose <", connects_v5(1, "a", ["", ""]));
    let report = assert_problems(&script, &["closed_by_server a 1"]);
    assert_says(text(&report, 0), &["(0x89), \"maintenance\", once"]);
}

#[test]
fn denied_unsubscriptions_are_found() {
    let script = format!(
        "{}> a2 (0001 () `secret/#` `open`)\n< b0 (0001 () 87 11)\n{DISCONNECT}",
        connects_v5(1, "a", ["", ""])
    );
    let report = assert_problems(&script, &["unsubscription_denied a 1"]);
    assert_says(text(&report, 0), &["denied UNSUBSCRIBE from \"secret/#\": Not authorized (0x87), once"]);
}

#[test]
fn ends_after_the_same_silence_show_it() {
    let lasting = |seconds: [u32; 3]| {
        let connection = |(number, seconds): (u16, u32)| {
            let client = format!("c{number}");
            format!(
                "{}{number}: > c0 00\n{number}: < d0 00\nwait {seconds}\n{number}: reset <\n",
                connects(number, &client, 0)
            )
        };
        (1..).zip(seconds).map(connection).collect::<String>()
    };
    let report = assert_problems(
        &lasting([60, 60, 60]),
        &["closed_by_server c1 1", "closed_by_server c2 1", "closed_by_server c3 1"],
    );
    assert!(!text(&report, 0).contains("always"));
    let one = lasting([60, 60, 60]).replace("`c2`", "`c1`").replace("`c3`", "`c1`");
    let report = report_of_kind(&one, "closed_by_server");
    assert_says(report["text"].as_str().unwrap(), &["3 times, always after 60.0", "s without a packet"]);
    assert!(report["silence_ns"].as_u64().unwrap() > 60_000_000_000);
    let irregular = lasting([60, 10, 35]).replace("`c2`", "`c1`").replace("`c3`", "`c1`");
    let report = report_of_kind(&irregular, "closed_by_server");
    assert!(!report["text"].as_str().unwrap().contains("always"), "{report}");
}

/// The first problem of this kind.
fn report_of_kind(script: &str, kind: &str) -> Value {
    let report = report(script, "");
    let problems = report["problems"].as_array().unwrap();
    problems.iter().find(|problem| problem["kind"] == kind).unwrap_or_else(|| panic!("{report:#}")).clone()
}

#[test]
fn the_filter_of_many_connections_selects_all_of_them() {
    let mut script = String::new();
    for number in 1..8 {
        script += &format!("{}{number}: reset\nwait 400\n", connects(number, "a", 60));
    }
    let report = report_of_kind(&script, "client_lost");
    assert_eq!((&report["count"], &report["filter"]), (&7.into(), &"client=a".into()));
    assert_eq!(report["has_more_connections"], true);
}

#[test]
fn a_long_name_is_cut_with_a_mark() {
    let script = format!("{}{DISCONNECT}", connects(1, &"n".repeat(60), 60));
    let shown = mq("inspect --diagnose").stdin(capture(&script)).run().succeed();
    assert_says(&shown, &[&format!("\"{}...   ", "n".repeat(20))]);
}

#[test]
fn a_damaged_capture_has_a_report_up_to_the_damage() {
    let mut bytes = capture(&format!("{}reset <", connects(1, "a", 60)));
    bytes.extend([0xff; 64]);
    let finished = mq("inspect --diagnose").stdin(bytes).run();
    finished.expect_status(1);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["the server reset (RST) the connection"]);
}

#[test]
fn live_connections_without_mqtt_are_not_judged() {
    let peer = ScriptedPeer::start(|peer| {
        for _ in 0..3 {
            drop(peer.accept());
        }
    });
    let found = live_and_recorded(&peer.address().to_string(), |proxy| {
        for bytes in [
            &b""[..],
            b"GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nUser-Agent: a probe of ours\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ] {
            let mut wire = Wire::new(std::net::TcpStream::connect(proxy.address()).unwrap());
            wire.try_send_bytes(bytes);
            wire.expect_end();
        }
    });
    peer.finish();
    assert_eq!(found, [[""; 0], [""; 0]]);
}

#[test]
fn an_interval_of_zero_is_rejected_for_its_value() {
    let shown = mq("inspect --diagnose=0s").run().fail(2);
    assert_says(&shown, &["'0s' for --diagnose: expected a duration greater than 0"]);
    assert!(!shown.contains("digit"), "{shown}");
}

#[test]
fn valid_sparkplug_lives_have_no_problems() {
    for life in [PYSPARKPLUG, TAHUTILS, SPARKPLUG_PAYLOAD] {
        assert_problems(&published(&lines(life)), &[]);
        assert_problems(&delivered(&lines(life)), &[]);
    }
}

#[test]
fn problems_of_sparkplug_nodes_are_found() {
    let life = lines(PYSPARKPLUG);
    let mut gap = life.clone();
    gap.remove(3);
    let report = assert_problems(&published(&gap), &["sparkplug_sequence c 1"]);
    let expected =
        r#"sequence numbers of the Sparkplug node "spBv1.0/g/+/n/#" have gaps, once, up to 1 missing"#;
    assert_eq!(text(&report, 0), expected);
    assert_eq!(report["problems"][0]["missing"], 1, "{report:#}");
    // Nobody knows whether the node or the broker lost the message.
    assert_problems(&delivered(&gap), &["sparkplug_sequence  1"]);
    let mut unborn = life.clone();
    unborn.remove(1);
    assert_problems(&published(&unborn), &["sparkplug_birth c 5"]);
    let mut of_another = life.clone();
    of_another[11].1 = life[13].1;
    let report = assert_problems(&published(&of_another), &["sparkplug_death c 1"]);
    let expected =
        r#"a birth and a death of the Sparkplug node "spBv1.0/g/+/n/#" have different bdSeq, once"#;
    assert_eq!(text(&report, 0), expected);
    of_another[0].1 = life[13].1;
    of_another[13].1 = life[0].1;
    of_another[11].1 = life[11].1;
    assert_problems(&published(&of_another), &["sparkplug_death c 3"]);
}

#[test]
fn lost_packets_of_sparkplug_nodes_are_nobodys_fault() {
    let script = published(&lines(PYSPARKPLUG));
    let data = script.lines().find(|line| line.contains("/NDATA/")).unwrap();
    let lost = script.replacen(data, "1: lost > 39", 1);
    assert_problems(&lost, &[]);
}

#[test]
fn messages_that_came_another_way_are_not_missing() {
    assert_problems(&over_two_connections(), &["sparkplug_publishers c 1"]);
    assert_problems(&resubscribed(), &[]);
    assert_problems(&delivered_twice(), &[]);
}

#[test]
fn filters_of_sparkplug_nodes_have_their_wildcards() {
    let mut gap = lines(PYSPARKPLUG);
    gap.remove(3);
    for group in ["\u{1b}[31m", "a(b)", "\u{202e}", "g+", "g#", "g h"] {
        let script = published(&gap).replace("spBv1.0/g/", &format!("spBv1.0/{group}/"));
        assert_problems(&script, &["sparkplug_sequence c 1"]);
    }
}
