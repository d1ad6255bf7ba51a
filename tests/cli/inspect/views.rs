//! How packets are shown.

use super::super::support::certificates::Files;
use super::*;

/// What it prints of a capture.
fn shown(options: &str, name: &str) -> String {
    mq("inspect").words(options).arg(corpus(name)).env("TZ", "UTC").run().succeed()
}

#[test]
fn a_line_has_the_essentials() {
    let shown = shown("", "24-craft-capture-gap.pcap");
    let lines: Vec<&str> = shown.lines().take(4).collect();
    assert_eq!(
        lines,
        [
            "22:13:20.001000   0    -- 10.0.0.1:40000 connects to 10.0.0.2:1883",
            "22:13:20.004000   0 -> CONNECT     MQTT 3.1.1, client id \"gap\", clean start, keep alive 60 s",
            "22:13:20.006000   0 <- CONNACK     accepted, after 2.000 ms",
            "22:13:20.007999   0 -> PUBLISH     \"g/before\" QoS 0, 2 bytes \"ok\"",
        ]
    );
}

#[test]
fn text_has_every_field_with_its_bytes() {
    let shown = shown("--format text --filter topic=g/before", "24-craft-capture-gap.pcap");
    assert_eq!(
        shown,
        "22:13:20.007999   0 -> PUBLISH     14 bytes at 17\n\
         \u{20}             0..2  fixed header\n\
         \u{20}       0 bits 7-4    packet type: 3 PUBLISH\n\
         \u{20}          0 bit 3    dup: no\n\
         \u{20}       0 bits 2-1    QoS: 0\n\
         \u{20}          0 bit 0    retain: no\n\
         \u{20}                1    remaining length: 12\n\
         \u{20}            2..12  topic: \"g/before\"\n\
         \u{20}           12..14  payload: \"ok\"\n\n"
    );
}

#[test]
fn hex_has_every_byte_beside_its_field() {
    let shown = shown("--format hex --filter topic=g/before", "24-craft-capture-gap.pcap");
    assert_eq!(
        shown,
        "22:13:20.007999   0 -> PUBLISH     14 bytes at 17\n\
         \u{20}   0000  30                                               packet type: 3 PUBLISH, dup: no, QoS: 0, retain: no\n\
         \u{20}   0001  0c                                               remaining length: 12\n\
         \u{20}   0002  00 08 67 2f 62 65 66 6f 72 65                    topic: \"g/before\"\n\
         \u{20}   000c  6f 6b                                            payload: \"ok\"\n\n"
    );
}

#[test]
fn every_byte_of_every_packet_belongs_to_one_leaf() {
    for name in captures() {
        for packet in packets(inspect(&name, "--ranges")) {
            let fields = packet["fields"].as_array().unwrap();
            let number = |value: &Value| value.as_u64().unwrap();
            let depth_of = |index: usize| fields.get(index).map_or(0, |field| number(&field["depth"]));
            let mut at = 0;
            let mut bits = 0;
            for (index, field) in fields.iter().enumerate() {
                if depth_of(index + 1) > number(&field["depth"]) {
                    continue;
                }
                let (start, end) = (number(&field["bytes"][0]), number(&field["bytes"][1]));
                if let Some(pair) = field.get("bits") {
                    assert_eq!((start, 8 - bits), (at, number(&pair[0]) + 1), "{name}: {field}");
                    bits = 8 - number(&pair[1]);
                    (at, bits) = if bits == 8 { (end, 0) } else { (at, bits) };
                } else if start != end {
                    assert_eq!((start, bits), (at, 0), "{name}: {field} in {packet}");
                    at = end;
                }
            }
            let end = packet.get("captured").unwrap_or(&packet["length"]);
            assert_eq!(at, number(end), "{name}: {packet}");
        }
    }
}

#[test]
fn secrets_are_shown_only_when_asked_for() {
    for format in ["line", "text", "hex", "json"] {
        let options = format!("--format {format} --filter type=CONNECT");
        let name = "01-live-v31-session.pcap";
        let hidden = shown(&options, name);
        assert!(!hidden.contains("secret") && !hidden.contains("73 65 63"), "{hidden}");
        let open = shown(&format!("{options} --show-secrets"), name);
        assert_ne!(open, hidden, "{format}");
    }
}

#[test]
fn terminals_do_not_obey_topics_and_payloads() {
    for format in ["line", "text", "hex", "json"] {
        let shown = shown(&format!("--format {format}"), "29-craft-payload-formats.pcap");
        let is_harmless = |character: char| !character.is_control() || character == '\n';
        assert!(shown.chars().all(is_harmless), "{format}: {}", shown.escape_debug());
    }
}

#[test]
fn filters_choose_packets() {
    let name = "14-live-midconnection-v5.pcap";
    for (filter, count) in [
        ("type=PUBLISH", 6),
        ("type=publish,puback", 7),
        ("type=PUBLISH qos=1", 2),
        ("type=PUBLISH !qos=1", 4),
        ("topic=mid/+", 7),
        ("topic=mid/b", 2),
        ("id=3", 2),
        ("connection=1", 0),
        ("finding", 0),
    ] {
        let found =
            objects(&mq("inspect --format json --filter").arg(filter).arg(corpus(name)).run().succeed());
        assert_eq!(found.len(), count, "{filter}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let done = mq("inspect").arg(corpus("13-live-60-connections.pcap")).closing_stdout_after(1).run();
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
}

#[test]
fn a_file_that_is_not_a_capture_is_reported() {
    for (bytes, problem) in
        [(&b""[..], "empty"), (b"hello world, this is text\n", "text"), (b"{\"a\":1}", "JSON")]
    {
        assert_says(&mq("inspect").stdin(bytes).run().fail(1), &[problem]);
    }
    assert_says(&mq("inspect /nonexistent/file").run().fail(1), &["/nonexistent/file"]);
}

/// Two clients, of which one connects twice; the server closes its first connection and resets the second.
const TWO_CLIENTS: &str = "
    > 10 (`MQTT` 04 02 003c `a`)
    < 20 (0000)
    2: > 10 (`MQTT` 04 02 003c `b`)
    2: < 20 (0000)
    > 32 (`t` 0001 'first')
    wait 1
    < 40 (0001)
    close <
    2: > 30 (`t` 'other')
    3: > 10 (`MQTT` 04 02 003c `a`)
    3: < 20 (0000)
    3: > 30 (`t` 'second')
    3: reset <
    2: fin";

fn lines(options: &str, script: &str) -> Vec<String> {
    let shown = mq("inspect").words(options).stdin(capture::capture(script)).env("TZ", "UTC").run().succeed();
    shown.lines().map(|line| line.get(16..).unwrap_or(line).to_owned()).collect()
}

#[test]
fn a_closed_line_names_the_side_that_closed() {
    let all = lines("", TWO_CLIENTS);
    let closed: Vec<_> = all.iter().filter(|line| line.contains("FIN") || line.contains("RST")).collect();
    let expected = [
        "  0    -- closed by the server (FIN)",
        "  2    -- reset by the server (RST)",
        "  1    -- closed by the client (FIN), then the capture ends",
    ];
    assert_eq!(closed, expected);
    let both = lines("", "> 10 (`MQTT` 04 02 003c `a`)\nfin\nreset <");
    assert_eq!(both.last().unwrap(), "  0    -- closed by the client (FIN), then reset by the server (RST)");
}

#[test]
fn json_has_the_direction_of_fin() {
    let all = objects(&mq("inspect --format json").stdin(capture::capture(TWO_CLIENTS)).run().succeed());
    let closed: Vec<_> = all
        .iter()
        .filter(|object| object["event"] == "closed")
        .map(|object| {
            [&object["by"], &object["direction"], &object["first_fin"]].map(|it| it.as_str().unwrap_or("-"))
        })
        .collect();
    assert_eq!(closed, [["fin", "s2c", "s2c"], ["reset", "s2c", "-"], ["end_of_capture", "-", "c2s"]]);
}

#[test]
fn a_written_capture_keeps_the_side_that_closed() {
    let files = Files::new(&[]);
    let copy = files.path("copy.pcapng");
    mq("inspect --write").arg(&copy).stdin(capture::capture(TWO_CLIENTS)).run().succeed();
    let of_copy = mq("inspect --format json").arg(&copy).run().succeed();
    let ends = |text: &str| -> Vec<String> {
        let closed = objects(text).into_iter().filter(|object| object["event"] == "closed");
        closed
            .map(|object| format!("{} {} {}", object["by"], object["direction"], object["first_fin"]))
            .collect()
    };
    let original = mq("inspect --format json").stdin(capture::capture(TWO_CLIENTS)).run().succeed();
    assert_eq!(ends(&of_copy), ends(&original));
}

#[test]
fn follow_shows_all_connections_of_a_client() {
    let expected = [
        "  0    -- 10.0.0.1:40000 connects to 10.0.0.2:1883",
        "  0 -> CONNECT     MQTT 3.1.1, client id \"a\", clean start, keep alive 60 s",
        "  0 <- CONNACK     accepted, after 2.000 ms",
        "  0 -> PUBLISH     \"t\" QoS 1, id 1, 5 bytes \"first\"",
        "  0 <- PUBACK      id 1, after 1.002 s",
        "  0    -- closed by the server (FIN)",
        "  2    -- 10.0.0.1:40002 connects to 10.0.0.2:1883",
        "  2 -> CONNECT     MQTT 3.1.1, client id \"a\", clean start, keep alive 60 s",
        "  2 <- CONNACK     accepted, after 2.000 ms",
        "  2 -> PUBLISH     \"t\" QoS 0, 6 bytes \"second\"",
        "  2    -- reset by the server (RST)",
    ];
    assert_eq!(lines("--follow a", TWO_CLIENTS), expected);
    assert_eq!(lines("--follow a --follow b", TWO_CLIENTS), lines("", TWO_CLIENTS));
    assert_eq!(lines("--follow * --filter type=PUBACK", TWO_CLIENTS), expected[4..5]);
    assert_eq!(lines("--follow nobody", TWO_CLIENTS), [""; 0]);
}

#[test]
fn since_and_until_bound_the_time() {
    let name = "24-craft-capture-gap.pcap";
    let all = inspect(name, "");
    let times = |options: &str| -> Vec<String> {
        inspect(name, options).iter().map(|object| object["time"].as_str().unwrap().to_owned()).collect()
    };
    let first = "2023-11-14T22:13:20.00";
    for (options, count) in [
        ("--since +5ms", all.len() - 2),
        ("--until +5ms", 3),
        (&format!("--until {first}4Z"), 2),
        (&format!("--since {first}4Z --until {first}6Z"), 2),
        ("--since 1700000000.004 --until 1700000000.006", 2),
        ("--filter time<=+5ms", 3),
        ("--since +1h", 0),
    ] {
        assert_eq!(times(options).len(), count, "{options}: {:?} of {all:?}", times(options));
    }
    let local =
        mq("inspect --since 22:13:20.004 --until 22:13:20.006").env("TZ", "UTC").arg(corpus(name)).run();
    assert_eq!(local.succeed().lines().count(), 2);
}
