//! Packets that are typed.

use super::*;

/// What it prints of packets in hexadecimal.
fn hex(options: &str, packets: &str) -> String {
    mq("inspect").words(options).arg("--hex").arg(packets).run().succeed()
}

#[test]
fn packets_in_hexadecimal_are_shown() {
    let connect = "10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62";
    assert_eq!(
        hex("", &format!("{connect} 20 02 00 05")),
        "                  0 -> CONNECT     MQTT 3.1.1, client id \"ab\", clean start, keep alive 60 s\n\
         \u{20}                 0 <- CONNACK     refused: not authorized\n"
    );
}

#[test]
fn codes_are_named_by_packet_and_version() {
    let connect = "10 10 00 04 4d 51 54 54 05 02 00 3c 00 00 03 61 62 63";
    for (version, packet, shown) in [
        ("311", "20 02 00 01", "CONNACK     refused: unacceptable protocol version"),
        ("311", "90 03 00 01 80", "SUBACK      id 1, failure (0x80)"),
        ("5", "90 05 00 01 00 00 02", "SUBACK      id 1, granted QoS 0, granted QoS 2"),
        ("5", "b0 04 00 01 00 00", "UNSUBACK    id 1, success"),
        ("5", "b0 04 00 01 00 01", "UNSUBACK    id 1, unknown code 0x01"),
        ("5", "40 03 00 01 02", "PUBACK      id 1, unknown code 0x02"),
        ("5", "40 03 00 01 10", "PUBACK      id 1, no matching subscribers"),
        ("5", "62 03 00 01 10", "PUBREL      id 1, unknown code 0x10"),
        ("5", "e0 01 00", "DISCONNECT  normal disconnection"),
        ("5", "e0 01 01", "DISCONNECT  unknown code 0x01"),
        ("5", "f0 01 8c", "AUTH        unknown code 0x8c"),
        ("5", "20 03 00 01 00", "CONNACK     unknown code 0x01"),
    ] {
        let printed = hex(&format!("-V {version}"), packet);
        assert!(printed.lines().next().is_some_and(|line| line.ends_with(shown)), "{packet}: {printed}");
    }
    // So MQTT 3.1.1 demands of a server that does not know MQTT 5.
    let refused = hex("--format json", &format!("{connect} 20 02 00 01"));
    let refused = &objects(&refused)[1];
    assert_eq!(
        (&refused["return_code"], &refused["reason"]),
        (&1.into(), &"unacceptable protocol version".into())
    );
    assert_eq!(refused["findings"][0]["severity"], "info");
    assert_eq!(refused["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_user_property_that_is_not_utf_8_stays_a_pair() {
    let shown = hex("-V 5 --format json", "30 0f 00 01 74 0b 26 00 02 ff fe 00 04 76 61 6c 75");
    let published = &objects(&shown)[0];
    assert_eq!(
        published["properties"]["user_properties"],
        serde_json::json!([["0xfffe", "valu"]]),
        "{shown}"
    );
}

#[test]
fn hexadecimal_may_be_written_in_many_ways() {
    let expected = hex("", "c0 00 d0 00");
    for written in ["c000d000", "C0:00:D0:00", "0xc0,0x00,0xd0,0x00", r"\xc0\x00\xd0\x00", "c0 0 d0 0"] {
        assert_eq!(hex("", written), expected, "{written}");
    }
}

#[test]
fn each_line_of_standard_input_is_a_packet() {
    let shown = mq("inspect --hex -").stdin("c000\n30 05 00 01 61\nd000\n").run().succeed();
    let types: Vec<&str> = shown.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(types[..2], ["PINGREQ", "PUBLISH"]);
    assert!(shown.contains("the packet ends after 5 of 7 bytes"), "{shown}");
    assert!(shown.ends_with("<- PINGRESP\n"), "{shown}");
}

#[test]
fn base64_is_read_as_well() {
    let shown = mq("inspect --base64 wADQAA==").run().succeed();
    assert!(shown.contains("PINGREQ") && shown.contains("PINGRESP"), "{shown}");
}

#[test]
fn bytes_that_are_not_a_packet_are_reported() {
    for (options, problem) in [
        ("--hex 301", "'301' is not hexadecimal: it has an odd number"),
        ("--hex xy", "'xy' is not hexadecimal"),
        ("--base64 =", "is not Base64"),
        ("--hex c000 --direction up", "c2s"),
        ("--hex c000 -V 6", "expected 31, 311 or 5"),
    ] {
        assert_says(&mq("inspect").words(options).run().fail(2), &[problem]);
    }
}

#[test]
fn no_bytes_are_no_packet() {
    for (option, typed, example) in [
        ("--hex", "", "--hex 'c0 00'"),
        ("--hex", "  \t ", "--hex 'c0 00'"),
        ("--hex", "0x", "--hex 'c0 00'"),
        ("--base64", "", "--base64 wAA="),
        ("--base64", " \n", "--base64 wAA="),
    ] {
        let finished = mq("inspect").arg(option).arg(typed).run();
        assert_eq!(finished.stdout, b"");
        assert_says(&finished.fail(2), &[option, "has no bytes", example]);
    }
    assert_eq!(mq("inspect --hex -").stdin("\n\nc2s:\n").run().succeed(), "", "blank lines are passed over");
}

#[test]
fn a_length_that_never_comes_takes_no_memory() {
    let shown = hex("", "30 ff ff ff 7f 00 01 61 62");
    assert!(shown.contains("the packet ends after 9 of 268435460 bytes"), "{shown}");
}
