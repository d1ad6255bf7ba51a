//! `mq inspect --html`: a page with a ladder of the packets, their findings and the diagnosis.

use super::*;
use crate::support::capture::capture;
use roxmltree::{Document, ParsingOptions};
use std::fs;
use tempfile::TempDir;

/// The page of a capture that is written down.
fn page(script: &str, options: &str) -> String {
    mq("inspect --html -").words(options).stdin(capture(script)).env("TZ", "UTC").run().succeed()
}

fn parse(html: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(html, options).unwrap_or_else(|error| panic!("{error}: {html}"))
}

/// The data of the script.
fn data(html: &str) -> Value {
    let page = parse(html);
    let script = page.descendants().find(|node| node.attribute("id") == Some("data")).unwrap();
    serde_json::from_str(script.text().unwrap()).unwrap()
}

/// The rows of the ladder: time in milliseconds, client, direction, type, text and round trip.
fn ladder(data: &Value) -> Vec<String> {
    let rows = &data["rows"];
    let number = |column: &str, row: usize| rows[column][row].as_u64();
    let count = rows["type"].as_array().unwrap().len();
    let line = |row: usize| {
        let connection = &data["connections"][number("connection", row).unwrap() as usize];
        let client = &data["clients"][connection["client"].as_u64().unwrap() as usize];
        let arrow = ["->", "<-", "--"][number("direction", row).unwrap() as usize];
        let time = number("time_us", row).unwrap() / 1000;
        let name = data["types"][number("type", row).unwrap() as usize].as_str().unwrap();
        let round_trip = number("round_trip_ns", row).map(|time| format!(" [{} ms]", time / 1_000_000));
        let (client, text) = (client["name"].as_str().unwrap(), rows["text"][row].as_str().unwrap());
        format!("{time} {client} {arrow} {name} {text}{}", round_trip.unwrap_or_default())
    };
    (0..count).map(line).collect()
}

const CLEAN: &str = "
    1: > 10 (`MQTT` 04 02 003c `pump`)
    1: < 20 (0000)
    1: > 32 (`plant/pump` 0007 'on')
    1: < 40 (0007)
    2: midway
    2: > c0 00
    2: < d0 00
    1: lost > 4
    1: > e0 00
    1: close";

#[test]
fn arrows_are_the_packets_of_the_capture() {
    let data = data(&page(CLEAN, ""));
    assert_eq!(
        ladder(&data),
        [
            "0 pump -- open 10.0.0.1:40000 connects to 10.0.0.2:1883",
            "3 pump -> CONNECT MQTT 3.1.1, client id \"pump\", clean start, keep alive 60 s",
            "5 pump <- CONNACK accepted [2 ms]",
            "7 pump -> PUBLISH \"plant/pump\" QoS 1, id 7, 2 bytes \"on\"",
            "9 pump <- PUBACK id 7 [2 ms]",
            "11 10.0.0.1:40001 -- open 10.0.0.1:40001 connects to 10.0.0.2:1883; the beginning was not captured",
            "11 10.0.0.1:40001 -> PINGREQ ",
            "13 10.0.0.1:40001 <- PINGRESP  [2 ms]",
            "16 pump -> gap 4 bytes were not captured",
            "16 pump -> DISCONNECT ",
            "18 pump -> close closed by the client (FIN)",
            "20 10.0.0.1:40001 -- end the capture ends",
        ]
    );
    assert_eq!(data["servers"], serde_json::json!(["10.0.0.2:1883"]));
    assert_eq!(data["connections"][1]["opened_us"], Value::Null, "the beginning was not captured");
    assert_eq!((&data["findings"], &data["problems"]), (&Value::Array(vec![]), &Value::Array(vec![])));
}

#[test]
fn every_packet_of_every_capture_has_an_arrow_and_nothing_is_invented() {
    for name in captures() {
        let html = mq("inspect --html -").arg(corpus(&name)).run().succeed();
        let data = data(&html);
        let rows = &data["rows"];
        let types: Vec<&str> =
            data["types"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let number = |column: &str, row: usize| rows[column][row].as_u64().unwrap() as usize;
        let count = rows["type"].as_array().unwrap().len();
        let drawn =
            (0..count).filter(|row| types[number("type", *row)].starts_with(char::is_uppercase)).map(|row| {
                let connection = data["connections"][number("connection", row)]["number"].as_u64();
                let direction = ["c2s", "s2c"][number("direction", row)];
                (
                    number("frame", row),
                    connection,
                    types[number("type", row)].to_owned(),
                    direction.to_owned(),
                )
            });
        let drawn: Vec<_> = drawn.collect();
        let text = |packet: &Value, key: &str| packet[key].as_str().unwrap().to_owned();
        let packets = packets(inspect(&name, "")).into_iter().map(|packet| {
            let frame = packet["frame"].as_u64().unwrap() as usize;
            (frame, packet["connection"].as_u64(), text(&packet, "type"), text(&packet, "direction"))
        });
        assert_eq!(drawn, packets.collect::<Vec<_>>(), "{name}");
        parse(&html);
    }
}

/// A refused client, a denied subscription, a take-over and an unanswered message.
const TROUBLE: &str = "
    1: > 10 (`MQTT` 04 02 003c `eve`)
    1: < 20 (0005)
    1: close <
    2: > 10 (`MQTT` 04 02 003c `pump`)
    2: < 20 (0000)
    2: > 82 (0001 `secret/#` 01)
    2: < 90 (0001 80)
    2: > 32 (`t` 0007 'on')
    wait 8
    3: > 10 (`MQTT` 04 02 003c `pump`)
    2: fin <
    3: < 20 (0000)
    2: fin
    3: > e0 00
    3: close";

#[test]
fn problems_are_linked_with_their_rows() {
    let html = page(TROUBLE, "");
    let data = data(&html);
    let rows = ladder(&data);
    let marked: Vec<(String, Vec<&str>)> = data["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            let indexes = problem["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap());
            let shown = indexes.map(|row| rows[row as usize].split_once(' ').unwrap().1).collect();
            (problem["kind"].as_str().unwrap().to_owned(), shown)
        })
        .collect();
    let expected = [
        ("refused", "eve <- CONNACK refused: not authorized [2 ms]"),
        ("subscription_denied", "pump <- SUBACK id 1, failure (0x80) [2 ms]"),
        ("take_over", "pump <- close closed by the server (FIN)"),
        ("unanswered", "pump -> PUBLISH \"t\" QoS 1, id 7, 2 bytes \"on\""),
    ];
    assert_eq!(marked, expected.map(|(kind, row)| (kind.to_owned(), vec![row])));
    let page = parse(&html);
    let links: Vec<_> = page.descendants().filter_map(|node| node.attribute("href")).collect();
    assert_eq!(links.len(), 5, "one of them of a finding");
    for link in links {
        let target = link.strip_prefix('#').unwrap();
        assert!(page.descendants().any(|node| node.attribute("id") == Some(target)), "{link}");
    }
    assert_says(
        &html,
        &["<b>error</b> &quot;eve&quot;: the server refused CONNECT", "client=eve type=CONNECT,CONNACK"],
    );
}

#[test]
fn a_refused_tcp_connection_is_drawn_and_marked() {
    let data = data(&page("2: refused", ""));
    assert_eq!(
        ladder(&data),
        ["0 10.0.0.1:40001 <- close 10.0.0.1:40001 to 10.0.0.2:1883: refused by the server (RST)"]
    );
    assert_eq!(data["problems"][0]["kind"], "tcp_refused");
    assert_eq!(data["problems"][0]["rows"], serde_json::json!([0]));
}

#[test]
fn findings_of_the_linter_are_marked() {
    let script = "> 10 (`MQTT` 04 02 003c `a`)\n< 20 (0000)\n> 36 (`t` 0001)\n";
    let found = data(&page(script, ""));
    assert_eq!(found["findings"][0]["statement"], "MQTT-3.3.1-4");
    assert_eq!(found["findings"][0]["row"], 3);
    let finished = mq("inspect --html - --lint").stdin(capture(script)).run();
    assert_says(&finished.fail(4), &["1 error"]);
}

/// What could leave a text, an attribute, a script or a comment, or reorder letters.
const HOSTILE: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\" onmouseover=\"alert(1)",
    "&lt;b&gt;",
    "\u{202e}reversed\u{2066}",
    "\u{ffff}\u{fffe}\u{2028}\u{1b}[2J",
    "漢字 👩‍👩‍👧",
];

#[test]
fn hostile_names_stay_texts() {
    let mut script = String::new();
    for (number, name) in HOSTILE.iter().enumerate() {
        let text: Vec<String> = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{:04x} {}", name.len(), text.join(" "));
        let connection = number + 1;
        script += &format!("{connection}: > 10 (`MQTT` 04 c2 003c {text} {text} `top-secret`)\n");
        script += &format!("{connection}: < 20 (0005)\n{connection}: > 30 ({text} {})\n", &text[5..]);
    }
    let html = page(&script, "");
    let page = parse(&html);
    let count = |name: &str| page.descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!((count("script"), count("style"), count("img")), (2, 1, 0));
    let attributes = page.descendants().flat_map(|node| node.attributes());
    assert!(attributes.into_iter().all(|attribute| !attribute.name().starts_with("on")));
    assert!(!html.contains("top-secret") && html.contains("(hidden)"));
    assert!(
        !html.chars().any(|it| (it.is_control() && it != '\n') || "\u{202e}\u{2066}\u{2028}".contains(it))
    );
    let names: Vec<_> =
        data(&html)["clients"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert!(
        names.contains(&Value::from(HOSTILE[0]))
            && names.contains(&Value::from("\\u{202e}reversed\\u{2066}"))
    );
    assert_says(
        &mq("inspect --html - --show-secrets").stdin(capture(&script)).run().succeed(),
        &["top-secret"],
    );
}

#[test]
fn the_page_needs_nothing_else() {
    let html = page(TROUBLE, "");
    let page = parse(&html);
    for part in ["://", "@import", "fetch(", "XMLHttpRequest", "innerHTML", "eval("] {
        assert!(!html.contains(part), "{part}");
    }
    let loading = ["link", "img", "iframe", "object", "embed", "form", "base", "image", "use"];
    assert!(!page.descendants().any(|node| loading.contains(&node.tag_name().name())));
    assert_says(&html, &["default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"]);
}

/// A client that publishes this many messages of QoS 1.
fn busy(messages: usize) -> String {
    let mut script = "> 10 (`MQTT` 04 02 003c `busy`)\n< 20 (0000)\n".to_owned();
    for message in 1..=messages {
        let id = message % 60_000 + 1;
        script += &format!(
            "> 32 (`plant/line-7/machine-3/vibration` {id:04x} '{{\"x\":0.25,\"y\":0.75,\"seq\":{message}}}')\n< 40 ({id:04x})\n"
        );
    }
    script
}

#[test]
fn ten_thousand_packets_are_less_than_five_megabytes() {
    let html = page(&busy(5_000), "");
    assert_eq!(data(&html)["rows"]["type"].as_array().unwrap().len(), 10_004);
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    assert!(!html.contains("It leaves out"));
}

#[test]
fn a_page_says_which_packets_it_leaves_out_and_has_those_around_problems() {
    let refused = "2: > 10 (`MQTT` 04 02 003c `eve`)\n2: < 20 (0005)\n2: close <\n";
    let script = format!("{}{refused}{}", busy(10_500), "> c0 00\n< d0 00\n".repeat(50));
    let finished = mq("inspect --html -").stdin(capture(&script)).env("TZ", "UTC").run();
    assert_says(&finished.stderr, &["the page has 15037 packets and leaves out 6067;", "--since"]);
    let html = finished.succeed();
    assert_says(&html, &["The picture has 15037 packets", "It leaves out 6067 from 22:13:50.", "--since"]);
    let data = data(&html);
    let rows = ladder(&data);
    let texts: Vec<_> = rows.iter().map(|row| row.split_once(' ').unwrap().1).collect();
    let gap = texts.iter().position(|row| row.contains("-- omission")).unwrap();
    assert_eq!((gap, texts[gap]), (15_000, "busy -- omission 5976 packets are left out"));
    let problem = data["problems"][0]["rows"][0].as_u64().unwrap() as usize;
    assert_eq!(texts[problem], "eve <- CONNACK refused: not authorized [2 ms]");
    assert_eq!(rows.len(), problem + 11, "ten rows follow");
    let topic = "<".repeat(60_000);
    let script =
        format!("> 10 (`MQTT` 04 02 003c `a`)\n< 20 (0000)\n{}", format!("> 30 (`{topic}`)\n").repeat(300));
    let html = page(&script, "");
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
}

#[test]
fn options_select_the_packets_of_the_picture() {
    let select = |options: &str| ladder(&data(&page(TROUBLE, options))).len();
    assert_eq!(select("--filter type=CONNECT"), 3);
    assert_eq!(select("--follow eve"), 4);
    assert_eq!(select("--since +5s --filter type=CONNECT"), 1);
    let html = page(TROUBLE, "--filter type=PINGREQ");
    assert_says(&html, &["In the picture: only packets that --filter selects", "not in the picture"]);
    assert_eq!(data(&html)["problems"][0]["rows"], serde_json::json!([]));
}

#[test]
fn the_page_of_no_packets_says_so() {
    let html = page("", "");
    assert_says(&html, &["No problems found", "0 clients"]);
    assert_eq!(data(&html)["clients"], serde_json::json!([]));
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("page.html");
    fs::write(&path, "earlier").unwrap();
    let shown = mq("inspect --html").arg(&path).stdin(capture(CLEAN)).run().succeed();
    assert_eq!(shown, "", "the page replaces the lines");
    assert!(fs::read_to_string(&path).unwrap().ends_with("</html>\n"));
    let stderr = mq("inspect --html").arg(&path).stdin("no capture").run().fail(1);
    assert_says(&stderr, &["not a capture"]);
    assert!(fs::read_to_string(&path).unwrap().ends_with("</html>\n"), "an earlier page stays");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no file under another name");
    let report = mq("inspect --diagnose --html").arg(&path).stdin(capture(TROUBLE)).run().succeed();
    assert_says(&report, &["the server refused CONNECT"]);
    assert_says(&fs::read_to_string(&path).unwrap(), &["the server refused CONNECT"]);
}

#[cfg(unix)]
#[test]
fn a_page_is_written_through_a_link_and_keeps_the_mode_of_its_file() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = TempDir::new().unwrap();
    let (file, link) = (directory.path().join("page.html"), directory.path().join("link"));
    let page = |path: &std::path::Path| mq("inspect --html").arg(path).stdin(capture(CLEAN)).run().succeed();
    let is_page = || fs::read_to_string(&file).unwrap().ends_with("</html>\n");
    symlink("page.html", &link).unwrap();
    page(&link);
    assert!(link.is_symlink() && is_page(), "a link to a file that does not exist yet");
    fs::write(&file, "earlier").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    for path in [&link, &file] {
        page(path);
        assert!(link.is_symlink() && is_page());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The other name of a file shows the same page.
    let other = directory.path().join("other");
    fs::write(&file, "earlier").unwrap();
    fs::hard_link(&file, &other).unwrap();
    page(&other);
    assert!(is_page());
}

#[test]
fn names_from_right_to_left_do_not_reorder_the_text() {
    let html = page("1: > 10 (`MQTT` 04 02 003c `אבג`)\n1: < 20 (0005)\n1: close <", "");
    assert_says(&html, &["<bdi>&quot;אבג&quot;</bdi>: the server refused CONNECT"]);
}

#[test]
fn a_damaged_capture_has_a_page_up_to_the_damage() {
    let mut damaged = capture(TROUBLE);
    damaged.extend([0xff; 16]);
    let finished = mq("inspect --html -").stdin(damaged).run();
    let html = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(&html, &["the server refused CONNECT"]);
    finished.fail(1);
}

#[test]
fn a_path_that_cannot_be_written_is_reported_first() {
    for (path, text) in [("/nonexistent/a", "cannot write /nonexistent/a"), ("/", "cannot write /")] {
        assert_says(&mq("inspect --html").arg(path).arg("/none.pcap").run().fail(1), &[text]);
    }
    let finished = mq("inspect --html /dev/full").stdin(capture(CLEAN)).run();
    assert_says(&finished.fail(1), &["cannot write /dev/full", "No space left"]);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.pcap");
    fs::write(&path, capture(CLEAN)).unwrap();
    assert_says(&mq("inspect --html").arg(&path).arg(&path).run().fail(2), &["this is the capture itself"]);
    for other in ["--diagnose", "--stats"] {
        let stderr = mq(&format!("inspect --html - {other}")).stdin(capture(CLEAN)).run().fail(2);
        assert_says(&stderr, &["both write to standard output"]);
    }
}

#[test]
fn live_traffic_has_a_page_at_its_end() {
    let broker = EmbeddedBroker::start();
    let finished = mq("inspect --html - -t a -W 1").words(&broker.options()).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["live traffic of a client", "SUBSCRIBE"]);
}
