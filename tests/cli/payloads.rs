//! What `mq pub` makes payloads of, and what `mq sub` reads them as.

use super::support::*;

#[test]
fn placeholders_are_filled_in_for_each_message() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t dev/# -v -C 3");
        broker
            .mq("pub -t dev/{rand:5..6}/{i} --template --repeat 3 -q 1 -m")
            .arg(r#"{"n":{i},"o":{}}"#)
            .run()
            .succeed();
        let expected = "dev/5/0 {\"n\":0,\"o\":{}}\ndev/5/1 {\"n\":1,\"o\":{}}\ndev/5/2 {\"n\":2,\"o\":{}}\n";
        assert_eq!(subscriber.finish().succeed(), expected);
    });
}

#[test]
fn without_the_option_braces_are_braces() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t # -v -C 1");
    broker.mq("pub -t a/{i} -m {uuid}").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "a/{i} {uuid}\n");
}

#[test]
fn a_resent_message_is_the_same_message() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v311();
        let first = client.expect_type(0x32);
        drop(client);
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (01 00)");
        let again = client.expect_type(0x3a);
        assert_eq!(first[1..], again[1..], "the payload is not made anew");
        client.send("40 (0001)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("pub -i me -c -t a -q 1 -m {uuid} --template --retries 3").run();
    peer.finish();
    finished.succeed();
}

#[test]
fn a_request_can_be_made_from_a_template() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t ask/# -v -C 1");
    broker.mq("rr -t ask/{rand:3..4} -e re -m n{i} --template -W 1").run().expect_status(27);
    assert_eq!(subscriber.finish().succeed(), "ask/3 n0\n");
}

#[test]
fn a_template_that_makes_no_sense_is_refused_before_connecting() {
    for (words, parts) in [
        ("-t a -m {nope}", &["-m: unknown placeholder {nope}", "{uuid}"][..]),
        ("-t a/{x} -m y", &["-t: unknown placeholder {x}"]),
        ("-t a -m {rand:5..1}", &["invalid range {rand:5..1}"]),
        ("-t a -m {i", &["placeholder {i is not closed"]),
        ("-t a -l", &["--template cannot be used with -l"]),
        ("--ndjson", &["--template cannot be used with --ndjson"]),
    ] {
        let stderr = mq(&format!("pub -h 127.0.0.1 -p 1 {words} --template")).run().fail(2);
        assert_says(&stderr, parts);
    }
    let stderr = mq("pub -h 127.0.0.1 -p 1 -t a -s --template").stdin([0xff]).run().fail(2);
    assert_says(&stderr, &["standard input", "UTF-8"]);
}

#[test]
fn hex_and_base64_are_bytes() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t a -C 6 --output hex");
        broker.mq("pub -t a -q 1 --input hex -m").arg("DE ad\nbeef").run().succeed();
        broker.mq("pub -t a -q 1 --input base64 -m 3q2+7w==").run().succeed();
        broker.mq("pub -t a -q 1 --input base64 -s").stdin("3q2+\n7w\n").run().succeed();
        broker.mq("pub -t a -q 1 --input hex -l").stdin("00\n\nff00").run().succeed();
        let expected = "deadbeef\ndeadbeef\ndeadbeef\n00\n\nff00\n";
        assert_eq!(subscriber.finish().succeed(), expected);
    });
}

#[test]
fn payloads_printed_as_hex_can_be_sent_again() {
    let broker = EmbeddedBroker::start();
    let payload: Vec<u8> = (0..=255).collect();
    for form in ["hex", "base64"] {
        let subscriber = broker.subscriber(&format!("-t a -C 1 --output {form}"));
        broker.mq("pub -t a -s").stdin(payload.clone()).run().succeed();
        let printed = subscriber.finish().succeed();
        let subscriber = broker.subscriber("-t b -C 1 --output raw");
        broker.mq(&format!("pub -t b -l --input {form}")).stdin(printed).run().succeed();
        let finished = subscriber.finish();
        finished.expect_status(0);
        assert_eq!(finished.stdout, payload);
    }
}

#[test]
fn invalid_hex_or_base64_is_reported_with_its_place() {
    for (words, parts) in [
        ("-m xy --input hex", &["-m: it contains characters other than hexadecimal digits"][..]),
        ("-m abc --input hex", &["odd number"]),
        ("-m !! --input base64", &["-m: it is not Base64"]),
        ("-m x --input octal", &["--input", "raw, hex, base64 or json"]),
        ("-n --input hex", &["--input"]),
        ("--random 5 --input hex", &["--input"]),
    ] {
        assert_says(&mq(&format!("pub -h 127.0.0.1 -p 1 -t a {words}")).run().fail(2), parts);
    }
    let broker = EmbeddedBroker::start();
    let stderr = broker.mq("pub -t a -l --input hex").stdin("00\nxx\n").run().fail(1);
    assert_says(&stderr, &["line 2", "hexadecimal"]);
}

#[test]
fn random_payloads_have_the_size_that_was_asked_for() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t a -C 20 -F %l:%x");
    broker.mq("pub -t a --random 16..32 --repeat 20 -q 1").run().succeed();
    let printed = subscriber.finish().succeed();
    let mut payloads: Vec<&str> = printed.lines().map(|line| line.split_once(':').unwrap().1).collect();
    let sizes = printed.lines().map(|line| line.split_once(':').unwrap().0.parse::<usize>().unwrap());
    assert!(sizes.clone().all(|size| (16..=32).contains(&size)), "{printed}");
    payloads.sort_unstable();
    payloads.dedup();
    assert_eq!(payloads.len(), 20, "each is another");
    let stderr = mq("pub -t a --random 9..5").run().fail(2);
    assert_first_line(
        &stderr,
        "mq pub: invalid value '9..5' for --random: expected the smaller size first: 5..9",
    );
}

/// Publishes these bytes to the topic, and gives what a subscriber with these options prints and notes.
fn shown(topic: &str, payload: impl Into<Vec<u8>>, options: &str) -> (String, String) {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber(&format!("-t {topic} -C 1 {options}"));
    broker.mq(&format!("pub -t {topic} -s")).stdin(payload).run().succeed();
    let finished = subscriber.finish();
    (finished.stderr.clone(), finished.succeed())
}

#[test]
fn payloads_are_printed_decoded() {
    let cbor = b"\xa2\x61a\x01\x61b\x82\x02\x63two";
    let msgpack = b"\x82\xa1a\x01\xa1b\x92\x02\xa3two";
    let json = "{\"a\":1,\"b\":[2,\"two\"]}\n";
    assert_eq!(shown("a", cbor, "--decode cbor").1, json);
    assert_eq!(shown("a", msgpack, "--decode msgpack").1, json);
    assert_eq!(shown("a", "{\"a\": 1, \"b\":[2,\"two\"] }", "--decode json").1, json);
    assert_eq!(shown("a", "plain", "--decode auto").1, "plain\n");
    assert_eq!(shown("a", cbor, "-v --decode cbor").1, format!("a {json}"));
    assert_eq!(shown("a", cbor, "--decode cbor -F <%p>").1, format!("<{}>\n", json.trim()));
    let pretty = shown("a", cbor, "--decode cbor --pretty").1;
    assert!(pretty.lines().count() > 3, "{pretty}");
}

#[test]
fn undecodable_payloads_are_printed_unchanged_and_reported() {
    let (stderr, stdout) = shown("a", "plain", "--decode json");
    assert_eq!(stdout, "plain\n");
    assert_says(&stderr, &["the payload of a is not json", "printed unchanged"]);
}

#[test]
fn fields_are_printed_without_quotes() {
    let json = r#"{"a":{"b":[1.10,"two\twords"]},"c/d":null,"e":true}"#;
    assert_eq!(shown("a", json, "--select a.b[0] --select e").1, "1.10\ttrue\n");
    assert_eq!(shown("a", json, "-v --select a.b[1]").1, "a two\twords\n");
    assert_eq!(
        shown("a", json, "--select a --select nope --select /c~1d").1,
        "{\"b\":[1.10,\"two\\twords\"]}\tnull\tnull\n"
    );
    let (stderr, stdout) = shown("a", "plain", "--select a");
    assert_eq!(stdout, "");
    assert_says(&stderr, &["the payload of a", "it is not printed"]);
    assert_says(&mq("sub -t a --select a[x]").run().fail(2), &["--select", "[x]"]);
}

#[test]
fn sparkplug_is_read_below_its_own_topics_only() {
    // A timestamp, and a sequence number.
    let payload = b"\x08\x80\x80\x04\x18\x07";
    let (_, stdout) = shown("spBv1.0/group/NDATA/node", payload, "--decode sparkplug");
    assert_says(&stdout, &["\"seq\":7"]);
    let (stderr, stdout) = shown("other", "{\"x\":1}", "--decode sparkplug");
    assert_eq!(stdout, "{\"x\":1}\n");
    assert!(!stderr.contains("the payload"), "{stderr}");
}

/// What a subscriber with these options prints of messages on these topics, in hexadecimal, and its notes.
fn printed(messages: &[(&str, &str)], options: &str) -> (String, String) {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber(&format!("-t # -t $sparkplug/# -C {} {options}", messages.len()));
    for (topic, payload) in messages {
        broker.mq(&format!("pub -q 1 -t {topic} --input hex -m")).arg(payload).run().succeed();
    }
    let finished = subscriber.finish();
    (finished.stderr.clone(), finished.succeed())
}

/// pysparkplug 0.6.1: Temp of type Int8 with the alias 7, and a change of it.
const BIRTH: &str = "0880d095ffbc31120d0a0454656d701007200150d7011800";
const DATA: &str = "0881d095ffbc31 1205 1007 50d701 1801";

#[test]
fn sparkplug_data_has_the_names_of_its_birth() {
    let select = "--select metrics[0].name --select metrics[0].value";
    for (birth, data, options) in [
        ("spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/DDATA/n/d", "--decode auto"),
        ("$sparkplug/certificates/spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "--decode auto"),
        ("site/spBv1.0/g/NBIRTH/n", "site/spBv1.0/g/NDATA/n", "--decode sparkplug"),
    ] {
        let (_, stdout) = printed(&[(birth, BIRTH), (data, DATA)], &format!("{options} {select}"));
        assert_eq!(stdout, "Temp\t-41\nTemp\t-41\n", "{birth}");
    }
    let (_, stdout) = printed(&[("spBv1.0/g/NDATA/n", DATA)], &format!("--decode auto {select}"));
    assert_eq!(stdout, "null\tnull\n", "without a birth");
}

#[test]
fn what_does_not_fit_a_sparkplug_session_is_noted() {
    let (birth, data, device) = ("spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/DDATA/n/d");
    let death = "spBv1.0/g/NDEATH/n";
    let with_bd_seq = "0880d095ffbc31 1209 0a056264536571 5805 120d0a0454656d701007200150d701 1800";
    let messages = [
        (data, DATA),                         // a late subscriber
        (birth, with_bd_seq),                 // Temp with the alias 7, bdSeq 5
        (data, DATA),                         // seq 1
        (data, "0801 1205 1007 50d701 1804"), // seq 4
        (data, "0801 1205 1007 50d701 1803"), // seq 3, late
        (data, "0801 1205 1009 50d701 1805"), // an unknown alias
        (device, "0801 1806"),                // no DBIRTH
        (death, "1209 0a056264536571 5807"),  // another bdSeq
        (death, "1209 0a056264536571 5805"),  // its death
        (data, "0801 1807"),                  // data of the dead
    ];
    let (stderr, stdout) = printed(&messages, "--decode auto --select notes");
    let expected = [
        r#"["the birth was not seen, so metrics have no names; rebirth wanted"]"#,
        "null",
        "null",
        r#"["seq 2 expected, 4 received: 2 messages missing; rebirth wanted"]"#,
        r#"["seq 3 received after 4"]"#,
        r#"["alias 9 not in the birth; rebirth wanted"]"#,
        r#"["DDATA without a DBIRTH after the node's NBIRTH; rebirth wanted"]"#,
        r#"["NDEATH has bdSeq 7, but the NBIRTH has 5"]"#,
        "null",
        r#"["NDATA after the node's NDEATH, without another NBIRTH; rebirth wanted"]"#,
    ];
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    assert!(!stderr.contains("payload"), "{stderr}");
    let (_, stdout) = printed(&messages[1..4], "--decode sparkplug");
    let last = r#""value":-41}],"notes":["seq 2 expected, 4 received: 2 messages missing; rebirth wanted"]}"#;
    assert!(stdout.trim_end().ends_with(last), "{stdout}");
}

#[test]
fn sessions_are_not_judged_if_only_some_messages_are_printed() {
    let messages = [("spBv1.0/g/NBIRTH/n", BIRTH), ("spBv1.0/g/NDATA/n", "0801 1205 1007 50d701 1804")];
    let broker = EmbeddedBroker::start();
    for options in ["-t spBv1.0/+/NBIRTH/# -t spBv1.0/+/NDATA/#", "-t # -T other/#", "-t $share/s/spBv1.0/#"]
    {
        let subscriber = broker.subscriber(&format!("{options} -C 2 --decode auto --select notes"));
        for (topic, payload) in messages {
            broker.mq(&format!("pub -q 1 -t {topic} --input hex -m")).arg(payload).run().succeed();
        }
        assert_eq!(subscriber.finish().succeed(), "null\nnull\n", "{options}");
    }
}

#[test]
fn copies_and_births_depend_on_the_subscriptions() {
    let broker = EmbeddedBroker::start();
    let (birth, data) = (("spBv1.0/g/NBIRTH/n", BIRTH), ("spBv1.0/g/NDATA/n", DATA));
    let again = "[\"seq 1 received again\"]\n";
    let unseen = "[\"the birth was not seen, so metrics have no names; rebirth wanted\"]\n";
    for (options, messages, expected) in [
        ("-t spBv1.0/#", &[birth, data, data][..], again),
        ("-t spBv1.0/# -t spBv1.0/h/#", &[birth, data, data], again),
        ("-t spBv1.0/# -t spBv1.0/g/#", &[birth, data, data], "null\n"),
        ("-t spBv1.0/g/#", &[data], unseen),
        ("-t spBv1.0/g/NDATA/#", &[data], "null\n"),
        ("-t spBv1.0/g/NDATA/# -t spBv1.0/g/NBIRTH/#", &[data], unseen),
    ] {
        let count = messages.len();
        let subscriber = broker.subscriber(&format!("{options} -C {count} --decode auto --select notes"));
        for (topic, payload) in messages {
            broker.mq(&format!("pub -q 1 -t {topic} --input hex -m")).arg(payload).run().succeed();
        }
        let expected = "null\n".repeat(count - 1) + expected;
        assert_eq!(subscriber.finish().succeed(), expected, "{options}");
    }
}

#[test]
fn json_below_sparkplugs_topics_is_printed_with_a_note() {
    let (stderr, stdout) = printed(&[("spBv1.0/g/NBIRTH/n", "7b2278223a317d")], "--decode auto");
    assert_eq!(stdout, "{\"x\":1}\n");
    assert_says(&stderr, &["the payload of spBv1.0/g/NBIRTH/n is not sparkplug", "it is read as json"]);
}

#[test]
fn compressed_payloads_are_decompressed_up_to_a_limit() {
    // zstd 1.5.4: [1,2]; and 2 MiB of zeros.
    let (_, stdout) = printed(&[("t", "28b52ffd04582900005b312c325deff31654")], "--decode auto");
    assert_eq!(stdout, "[1,2]\n");
    let bomb = "28b52ffd04585400001000000100fbff39c002020010000200100002001000020010000200100002001000020010000200100002001000020010000200100002001000020010000200100003001000db238ef8";
    let (stderr, _) = printed(&[("t", bomb)], "--decode zstd -F %l");
    assert_says(&stderr, &["the payload of t is zstd: more than 1 MiB when decompressed"]);
}

#[test]
fn json_objects_have_the_decoded_payload_beside_it() {
    for (payload, keys) in [
        ("a16161 01", r#""payload":"oWFhAQ==","payload_format":"cbor","payload_decoded":{"a":1}}"#),
        ("7b2261223a317d", r#""payload":"{\"a\":1}","payload_format":"json","payload_decoded":{"a":1}}"#),
        ("6869", r#""payload":"hi"}"#),
    ] {
        let (stderr, stdout) = printed(&[("t", &payload.replace(' ', ""))], "--json --decode auto");
        assert!(stdout.trim_end().ends_with(keys), "{stdout}");
        assert!(!stderr.contains("payload"), "{stderr}");
    }
    let (_, stdout) = printed(&[("t", "a1")], "--json --decode cbor");
    assert_says(
        &stdout,
        &["\"payload_format\":\"cbor\",\"payload_problem\":\"it ends too early at byte 1\"}"],
    );
}

#[test]
fn ways_to_print_that_exclude_each_other_are_refused() {
    for words in
        ["--json --verbose", "--output hex --decode cbor", "--json --select a", "--pretty --select a"]
    {
        assert_says(&mq(&format!("sub -t a {words}")).run().fail(2), &["cannot be used with"]);
    }
    assert_says(&mq("sub -t a --decode xml").run().fail(2), &["--decode", "cbor"]);
}
