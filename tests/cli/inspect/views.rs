//! How packets are shown.

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
