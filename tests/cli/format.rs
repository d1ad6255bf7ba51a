//! `mq sub -F`, `--output`, `--pretty` and `--watch`: the output for a message, compared with mosquitto_sub where that can
//! run, and rejected formats.

use super::support::*;

/// Formats that mosquitto_sub 2.0.11 and later print alike. Left out: %x and %X with a width or a precision, which 2.1
/// changed; %f, %d and separators, which it brought; %E over 2147483647, which it prints as a negative number; `-` without a width before p, x or X,
/// which there doubles the payload's width; and time.
const FORMATS: &[&str] = &[
    "plain text, é漢",
    "%t|%1t|%20t|%-20t|%020t|%.3t|%9.3t|%-9.3t|%.0t|%.t|%3.99t",
    "%p|%1p|%20p|%-20p|%020p|%-020p|%.3p|%9.3p|%04p",
    "%l|%1l|%6l|%-6l|%06l|%-06l|%.3l",
    "%m|%6m|%-6m|%06m",
    "%q%r|%5q|%-5q|%05q|%5r|%.9r",
    "%x|%X|%0x|%0X",
    "%%|%5%|%05%|%-5%|%.5%",
    "%A|%6A|%-6A|%06A|%-06A",
    "%C|%1C|%20C|%-20C|%020C|%.3C|%9.3C|%-9.3C",
    "%D|%20D|%-20D|%.1D",
    "%E|%9E|%-9E|%09E|%-09E|%.1E",
    "%F|%4F|%-4F|%04F",
    "%P|%30P|%.1P",
    "%R|%1R|%20R|%-20R|%020R|%.3R|%9.3R",
    "%S|%6S|%-6S|%06S",
    "%.0I|%30.0I|%-30.0I|%.2I",
    "\\\\|\\0|\\a|\\e|\\r|\\t|\\v|\\n",
    "@@|@%|@n|@t|@!|@E|@f|@i|@J|@K|@L|@o|@O|@q|@Q|@v|@é|@+|@-|@_|@0|@1|@^|@#|@:",
    "@Y @C @y @G @B @b @h @F @D @x @z @Z",
];

/// Formats of the time, which passes: their digits are compared as if they were all the same.
const TIME_FORMATS: &[&str] =
    &["@c|@X|@r|@T|@R|@H|@I|@j|@m|@M|@S|@u|@V|@U|@W|@w|@g|@s|@N|@p|@P", "%I|%30I|%-30I", "%U"];

/// Subscribes both programs, and returns the output of each for the messages of `publish`, one line for each format.
fn printed_by_both(
    formats: &[&str],
    options: &str,
    messages: usize,
    publish: impl Fn(&Mosquitto),
) -> Option<[Vec<u8>; 2]> {
    let broker = Mosquitto::start()?;
    broker.mq("pub -t f/ready -m ready -r -q 1").run().succeed();
    // A line feed that is part of no format ends each.
    let format = formats.iter().map(|format| format!("{format}\n")).collect::<String>();
    let options = format!("-V mqttv5 -t f/# -C {} {options} -F", messages + 1);
    let programs = [broker.mosquitto_sub(&options)?, broker.mq(&format!("sub {options}"))];
    let mut running = programs.map(|program| program.arg(&format).spawn());
    for program in &mut running {
        program.wait_for_stdout("");
    }
    publish(&broker);
    Some(running.map(|program| {
        let finished = program.finish();
        finished.expect_status(0);
        finished.stdout
    }))
}

fn publish_with_and_without_properties(broker: &Mosquitto) {
    let all =
        "-D publish content-type text/plain -D publish response-topic re/ply -D publish correlation-data c-d
        -D publish message-expiry-interval 1000 -D publish payload-format-indicator 1
        -D publish user-property k v1 -D publish user-property é v2 -D publish user-property k v3";
    broker.mq("pub -V 5 -t f/long/dör -m message -q 1").words(all).run().succeed();
    broker.mq("pub -t f/a -m m -q 0").run().succeed();
    broker.mq("pub -t f/empty -n -q 2").run().succeed();
    broker.mq("pub -t f/binary -s -q 1").stdin(bytes::hex("00 ff 'x' c3 28 7f")).run().succeed();
}

#[track_caller]
fn assert_same_lines(lines: &[Vec<u8>; 2]) {
    let [theirs, ours] = lines.each_ref().map(|bytes| bytes.escape_ascii().to_string().replace("\\n", "\n"));
    for (theirs, ours) in theirs.lines().zip(ours.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours, theirs);
}

#[test]
fn formats_print_the_same_as_mosquitto_sub() {
    for options in ["-q 2", "-q 1 -N", "-q 2 -v -D subscribe subscription-identifier 77"] {
        let Some(lines) = printed_by_both(FORMATS, options, 4, publish_with_and_without_properties) else {
            return;
        };
        assert_same_lines(&lines);
    }
}

#[test]
fn times_look_as_in_mosquitto_sub() {
    let Some(lines) = printed_by_both(TIME_FORMATS, "", 1, |broker| {
        broker.mq("pub -t f/a -m x").run().succeed();
    }) else {
        return;
    };
    let without_digits = |bytes: Vec<u8>| -> Vec<u8> {
        bytes.iter().map(|byte| if byte.is_ascii_digit() { b'9' } else { *byte }).collect()
    };
    assert_same_lines(&lines.map(without_digits));
}

/// Leaves the time out, and writes RETAIN as mosquitto 2.1 does.
fn without_time(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("JSON is UTF-8");
    let mut rest = text.as_str();
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once("\"tst\":") {
        kept += before;
        rest = after.split_once(',').expect("the topic follows").1;
    }
    kept += rest;
    let retain = |text: String, number: &str, word: &str| {
        text.replace(&format!("\"retain\":{number}"), &format!("\"retain\":{word}"))
            .replace(&format!("\"retain\":\t{number}"), &format!("\"retain\":\t{word}"))
    };
    retain(retain(kept, "0", "false"), "1", "true")
}

#[test]
fn json_equals_that_of_mosquitto_sub() {
    // Left out: user properties, whose form 2.1 changed; payloads that are not UTF-8, contain NUL, or have numbers that a double
    // changes, which it prints wrong; and empty objects in --pretty, which depend on its version of cJSON.
    let payloads: &[&str] = &[
        "text \"quoted\" \\ \u{1}\t\u{7f}é漢/",
        "{\"a\":[1,-2.5,{\"b\":[]}],\"s\":\"a\\/b\\u00e9\\n\",\"t\":true,\"n\":null,\"d\":1,\"d\":2}",
        " [ [ ] , [ 1 ] , \"x\" ] ",
        "\"just a string\"",
        "",
    ];
    for options in ["", "--pretty", "-q 1"] {
        for formats in [&["%j"], &["%J"]] {
            let publish = |broker: &Mosquitto| {
                for payload in payloads {
                    let is_json = serde_json::from_str::<serde_json::Value>(payload).is_ok();
                    let payload = if is_json || formats == &["%j"] { payload } else { "null" };
                    let properties =
                        "-D publish content-type x -D publish correlation-data c -D publish response-topic r";
                    broker.mq(&format!("pub -V 5 -t f/j -q 1 {properties} -m")).arg(payload).run().succeed();
                    broker.mq("pub -V 5 -t f/j -q 1 -m").arg(payload).run().succeed();
                }
            };
            let lines = printed_by_both(formats, options, payloads.len() * 2, publish);
            let Some([theirs, ours]) = lines else { return };
            // The message that says that both are ready is no JSON.
            let [theirs, ours] = [theirs, ours].map(|bytes| without_time(&bytes));
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn each_field_prints_its_part_of_a_message() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 01)");
        client.send("33 (`home/a` 1234 (03 `text/x` 02 00000e10 09 0002 ff00 26 `k` `v` 0b 07) 'message')");
    });
    let format = "%t %p %l %q %r %m %.2:x %C %E %P %S [%A] %D\\n";
    let finished = peer.mq("sub -V 5 -t home/# -q 1 -C 1 -N -F").arg(format).run();
    peer.finish();
    finished.expect_status(0);
    assert_eq!(
        finished.stdout,
        b"home/a message 7 1 1 4660 6d:65:73:73:61:67:65 text/x 3600 k:v 7 [] \xff\0\n"
    );
}

#[test]
fn a_format_overrides_v_and_prints_empty_messages() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 'x') 30 (`a`)");
    });
    assert_eq!(peer.mq("sub -t a -C 2 -v -F").arg("<%p>").run().succeed(), "<x>\n<>\n");
    peer.finish();
}

#[test]
fn local_time_obeys_TZ() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 'x')");
    });
    let program = Program::new("env").words("TZ=XYZ-3:30").arg(mq_path()).words("sub -t a -C 1");
    assert_eq!(program.words(&peer.options()).words("-F @z@Z").run().succeed(), "+0330XYZ\n");
    peer.finish();
}

#[test]
fn payloads_that_are_no_json_are_reported_and_the_others_printed() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`home/a` '{') 30 (`b` '[1.10]') 30 (`c` 'abcd') 30 (`d` 'abcde')");
    });
    let finished = peer.mq("sub -t # -C 4 -F").arg("%J|%f").run();
    peer.finish();
    assert_says(&finished.stderr, &["%J", "home/a", "%j", "non-float data", "5 bytes"]);
    let stdout = finished.succeed();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines[0], "|");
    assert!(lines[1].ends_with("\"payload\":[1.10]}|"), "{stdout}");
    assert!(lines[2].ends_with("|16777999408082104352768.000000") || cfg!(target_endian = "big"), "{stdout}");
    assert_eq!(lines[3], "|");
}

#[test]
fn payloads_can_be_printed_in_hex_in_base64_and_raw() {
    for (options, printed) in [
        ("--output hex", "00ff0a\n\n"),
        ("--output base64", "AP8K\n\n"),
        ("--output hex -v", "a 00ff0a\nb \n"),
        ("--output base64 -N", "AP8K"),
    ] {
        let peer = ScriptedPeer::accepting(|client| {
            client.expect_type(0x82);
            client.send("90 (0001 00) 30 (`a` 00 ff 0a) 30 (`b`)");
        });
        assert_eq!(peer.mq(&format!("sub -t # -C 2 {options}")).run().succeed(), printed, "{options}");
        peer.finish();
    }
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 00 ff) 30 (`b`) 30 (`a` 0a)");
    });
    let finished = peer.mq("sub -t # -C 3 --output raw").run();
    peer.finish();
    assert_eq!(finished.stdout, b"\0\xff\n");
}

#[test]
fn watching_shows_a_line_for_each_topic() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` '1') 30 (`b` 1b '[2J' 0a '2') 30 (`a` '3')");
    });
    let finished = peer.mq("sub -t # -C 3 -v -w").run();
    peer.finish();
    assert_eq!(
        finished.succeed(),
        "\x1b[2J\x1b[1;1HBroker: 127.0.0.1\n\
         \x1b[2;1Hwaiting for #\x1b[23;1H\n\
         \x1b[2;1H\x1b[Ka 1\x1b[23;1H\n\
         \x1b[3;1H\x1b[Kb \\u{1b}[2J\\n2\x1b[23;1H\n\
         \x1b[2;1H\x1b[Ka 3\x1b[23;1H\n"
    );
}

#[test]
fn watching_shows_the_awaited_topics_before_the_first_message() {
    let (say, hear) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::accepting(move |client| {
        client.expect_type(0x82);
        hear.recv().unwrap();
        client.send("90 (0001 00 00) 30 (`a` '1')");
    });
    let mut subscriber = peer.mq("sub -t a -t b/# -C 1 -w").spawn();
    subscriber.wait_for_stdout("Broker: 127.0.0.1");
    subscriber.wait_for_stdout("waiting for a, b/#");
    say.send(()).unwrap();
    subscriber.finish().succeed();
    peer.finish();
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` '1')");
    });
    let stdout = peer.called_as("mosquitto_sub -t a -C 1 -w").run().succeed();
    assert_eq!(stdout, "\x1b[2J\x1b[1;1HBroker: 127.0.0.1\n\x1b[2;1H\x1b[K1\x1b[23;1H\n");
    peer.finish();
}

#[test]
fn mistakes_in_a_format_are_reported_with_their_place() {
    for (format, parts) in [
        ("%", &["-F", "'%'", "byte 1"][..]),
        ("%t %Z", &["-F", "'%Z'", "byte 4"]),
        ("%99999999999p", &["-F", "65535"]),
        ("@", &["-F", "'@'", "byte 1"]),
        ("a\\q", &["-F", "'\\q'", "byte 2"]),
    ] {
        let finished = mq("sub -h 127.0.0.1 -p 9 -t a -F").arg(format).run();
        assert_eq!(finished.stdout, b"");
        assert_says(&finished.fail(2), parts);
    }
}

#[test]
fn layouts_that_exclude_each_other_are_refused() {
    for (options, parts) in [
        ("-F %t --json", &["-F", "--json"]),
        ("-F %t --output hex", &["-F", "--output"]),
        ("--json --output hex", &["--json", "--output"]),
        ("--json -v", &["--json", "-v"]),
        ("--json -w", &["--json", "-w"]),
        ("--pretty -w", &["--pretty", "-w"]),
        ("--output octal", &["--output", "octal"]),
    ] {
        assert_says(&mq(&format!("sub -h 127.0.0.1 -p 9 -t a {options}")).run().fail(2), parts);
    }
}
