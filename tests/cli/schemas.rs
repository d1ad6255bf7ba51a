//! Payloads in protocol buffers with a schema, in all commands.

use super::support::*;
use serde_json::Value;
use std::path::PathBuf;

/// A file of tests/schemas/.
fn schema(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name)
}

/// A payload that Google's library made, and its JSON.
fn payload(schema: &str, wanted: &str) -> (String, Value) {
    let file = std::fs::read_to_string(self::schema("payloads.txt")).unwrap();
    let lines = file.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let mut found = lines.filter(|parts| parts[0] == schema && parts[1] == wanted);
    let parts = found.next().unwrap();
    (parts[2].to_owned(), serde_json::from_str(parts[3]).unwrap())
}

fn path_of(name: &str) -> String {
    schema(name).display().to_string()
}

fn network() -> String {
    format!("--schema {} --type network.v1.Uplink", path_of("network.proto"))
}

fn mesh() -> String {
    format!("--schema {} --type mesh.Envelope", path_of("mesh.proto"))
}

/// The packet of a PUBLISH to the topic `t`, in hexadecimal.
fn publish(payload: &str) -> String {
    let length = 3 + payload.len() / 2;
    let length = if length < 128 {
        format!("{length:02x}")
    } else {
        format!("{:02x}{:02x}", length % 128 + 128, length / 128)
    };
    format!("30{length}000174{payload}")
}

fn inspect(words: &str, payload: &str) -> String {
    mq(&format!("inspect {words} --hex {}", publish(payload))).run().succeed()
}

#[test]
fn a_typed_message_type_decodes_what_arrives() {
    let (hex, json) = payload("network.proto", "network.v1.Uplink");
    for name in ["network.proto", "network.desc"] {
        let broker = EmbeddedBroker::start();
        let words = format!("--schema {} --type network.v1.Uplink", path_of(name));
        let subscriber = broker.subscriber(&format!("-t # -v -C 1 {words}"));
        broker.mq("pub -t gw/up --input hex -m").arg(&hex).run().succeed();
        let line = subscriber.finish().succeed();
        let value = line.strip_prefix("gw/up ").unwrap();
        let found: Value = serde_json::from_str(value).unwrap();
        assert_eq!(found["rxInfo"][0]["uplinkId"], "18446744073709551615");
        assert_eq!(found["rxInfo"][0]["receivedAt"], json["rxInfo"][0]["receivedAt"]);
        assert_eq!(found["object"]["list"][1], "two");
    }
}

#[test]
fn json_is_published_as_the_bytes_that_other_encoders_make() {
    on_each_broker(|broker| {
        let (hex, json) = payload("mesh.proto", "mesh.Envelope");
        let subscriber = broker.subscriber("-t m/# -C 6 --output hex");
        let json = json.to_string();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("message.json");
        std::fs::write(&file, &json).unwrap();
        broker.mq(&format!("pub -t m/1 -q 1 {} -m", mesh())).arg(&json).run().succeed();
        broker.mq(&format!("pub -t m/2 -q 1 {} -f", mesh())).arg(file).run().succeed();
        broker.mq(&format!("pub -t m/3 -q 1 {} -s", mesh())).stdin(json.clone()).run().succeed();
        broker.mq(&format!("pub -t m/4 -q 1 {} -l", mesh())).stdin(format!("{json}\n")).run().succeed();
        let line = format!("{{\"topic\":\"m/5\",\"payload\":{json}}}\n");
        broker.mq(&format!("pub --ndjson -q 1 {}", mesh())).stdin(line).run().succeed();
        let template = json.replace("\"LongFast\"", "\"Long{rand:7..8}\"").replace("Long7", "");
        broker.mq(&format!("pub -t m/6 -q 1 --template {} -m", mesh())).arg(&template).run().succeed();
        let found = subscriber.finish().succeed();
        let of_template = hex.replace(&hex_of("LongFast"), &hex_of("Long7"));
        let lines: Vec<&str> = found.lines().collect();
        assert_eq!(lines[..5], [hex.as_str(); 5]);
        assert_eq!(lines[5].len(), of_template.len());
        assert!(lines[5].contains(&hex_of("Long7")), "{}", lines[5]);
    });
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn decoded_messages_can_be_published_again() {
    let broker = EmbeddedBroker::start();
    let (hex, _) = payload("network.proto", "network.v1.Uplink");
    let decoded = broker.subscriber(&format!("-t a -C 1 {}", network()));
    broker.mq("pub -t a --input hex -m").arg(&hex).run().succeed();
    let json = decoded.finish().succeed();
    let again = broker.subscriber("-t b -C 1 --output hex");
    broker.mq(&format!("pub -t b -l {}", network())).stdin(json).run().succeed();
    assert_eq!(again.finish().succeed().trim_end(), hex);
}

#[test]
fn fields_are_selected_and_json_has_the_decoded_value() {
    let broker = EmbeddedBroker::start();
    let (hex, _) = payload("mesh.proto", "mesh.Envelope");
    let select = "--select gatewayId --select packet.decoded.route[3]";
    let fields = broker.subscriber(&format!("-t a -C 1 {} {select}", mesh()));
    let json = broker.subscriber(&format!("-t a -C 1 --json {}", mesh()));
    let pretty = broker.subscriber(&format!("-t a -C 1 --json --pretty --decode protobuf {}", mesh()));
    let wire = broker.subscriber("-t a -C 1 --json --decode wire");
    broker.mq("pub -t a --input hex -m").arg(&hex).run().succeed();
    assert_eq!(fields.finish().succeed(), "!abcdef01\t70000\n");
    let line = json.finish().succeed();
    let object: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["payload_encoding"], "base64");
    assert_eq!(object["payload_format"], "protobuf");
    assert_eq!(object["payload_type"], "mesh.Envelope");
    assert_eq!(object["payload_decoded"]["packet"]["hopLimit"], -3);
    assert!(pretty.finish().succeed().contains("\n\t\t\"channelId\":\t\"LongFast\",\n"));
    let object: Value = serde_json::from_str(&wire.finish().succeed()).unwrap();
    assert_eq!(object["payload_decoded"][1]["value"], "LongFast");
    assert_eq!(object.get("payload_type"), None);
    // The added keys are no obstacle to publishing the message again.
    let again = broker.subscriber("-t a -C 1 --output hex");
    broker.mq("pub --ndjson").stdin(line).run().succeed();
    assert_eq!(again.finish().succeed().trim_end(), hex);
}

#[test]
fn responses_are_decoded_and_requests_encoded() {
    let broker = EmbeddedBroker::start();
    let (hex, _) = payload("mesh.proto", "mesh.Envelope");
    let types = format!("--schema {} --type #=mesh.Envelope --type ask=mesh.Position", path_of("mesh.proto"));
    let asked = broker.subscriber("-t ask -C 1 --output hex");
    let requester = broker.mq(&format!("rr -V 311 -t ask -e answer {types} -m")).arg(r#"{"time":5}"#).spawn();
    assert_eq!(asked.finish().succeed(), "2505000000\n");
    broker.mq("pub -t answer --input hex -m").arg(hex).run().succeed();
    assert!(requester.finish().succeed().contains("\"channelId\":\"LongFast\""));
}

#[test]
fn inspect_shows_typed_payloads_in_all_views() {
    let (hex, json) = payload("mesh.proto", "mesh.Position");
    let types = format!("--schema {} --type t=mesh.Position", path_of("mesh.proto"));
    let compact = json.to_string();
    let line = inspect(&types, &hex);
    assert_says(&line, &[&format!("protobuf mesh.Position {compact}")]);
    let shown = inspect(&format!("{types} --format text"), &hex);
    assert_says(&shown, &["as protobuf mesh.Position:\n", "  \"altitude\": 0,\n"]);
    let shown = inspect(&format!("{types} --format json"), &hex);
    let object: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(object["payload_format"], "protobuf");
    assert_eq!(object["payload_type"], "mesh.Position");
    assert_eq!(object["payload_decoded"], json);
    // Another topic, or no schema, or the wire view on request.
    let other = format!("--schema {} --type other=mesh.Position", path_of("mesh.proto"));
    assert!(!inspect(&other, &hex).contains("mesh.Position"));
    let wire = inspect("--payload wire --format json", &hex);
    let object: Value = serde_json::from_str(&wire).unwrap();
    assert_eq!(object["payload_decoded"][0]["type"], "I32");
}

#[test]
fn a_payload_of_another_type_is_shown_by_number_with_the_reason() {
    let types = format!("--schema {} --type mesh.Position", path_of("mesh.proto"));
    // altitude as a string
    let shown = inspect(&types, "1a0161");
    let problem = "not mesh.Position: field altitude: expected wire type VARINT but found LEN at byte 2";
    assert_says(
        &shown,
        &[&format!("protobuf ({problem}) [{{\"field\":3,\"type\":\"LEN\",\"value\":\"a\"}}]")],
    );
    let object: Value = serde_json::from_str(&inspect(&format!("{types} --format json"), "1a0161")).unwrap();
    assert_eq!(object["payload_problem"], problem);
    assert_eq!(object["payload_decoded"][0]["field"], 3);
    // Text, JSON and nonsense
    assert_says(&inspect(&types, "7b2261223a317d"), &["json (not mesh.Position: ", "{\"a\":1}"]);
    assert_says(&inspect(&types, "ffff"), &["not mesh.Position: "]);
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber(&format!("-t a -C 2 {types}"));
    broker.mq("pub -t a --input hex -l").stdin("1a0161\nff\n").run().succeed();
    let finished = subscriber.finish();
    finished.expect_status(0);
    assert_eq!(finished.stdout, b"[{\"field\":3,\"type\":\"LEN\",\"value\":\"a\"}]\n\xff\n");
    assert_says(
        &finished.stderr,
        &[&format!("the payload of a is {problem}; it is read as protobuf"), "it is printed unchanged"],
    );
}

#[test]
fn missing_required_fields_are_noted_and_unknown_ones_shown() {
    let types = format!("--schema {} --type legacy.Reading", path_of("legacy.proto"));
    let shown = inspect(&types, "1204464f4f21d03e07");
    assert_says(
        &shown,
        &[
            "protobuf legacy.Reading (without the required field id) {\"unit\":\"FOO!\",",
            "\"@unknown\":[{\"field\":1002,\"type\":\"VARINT\",\"value\":7}]}",
        ],
    );
}

#[test]
fn compressed_messages_are_read_by_their_magic_number_or_content_type() {
    let types = format!("--schema {} --type mesh.Position", path_of("mesh.proto"));
    // Made by gzip 1.12, zstd 1.5.4 and lz4 1.9.4.
    for (format, hex) in [
        ("gzip", "1f8b0800000000000003536565606000005ba7ddf805000000"),
        ("zstd", "28b52ffd04582900002505000000bf6ee76c"),
        ("lz4", "04224d186440a70500008025050000000000000016d69921"),
    ] {
        let shown = inspect(&types, hex);
        assert_says(&shown, &[&format!("{format}+protobuf mesh.Position {{\"time\":5}}")]);
    }
    // Text in gzip is not a message.
    let hex = "1f8b08000000000000034b040043beb7e801000000";
    assert_says(&inspect(&types, hex), &["gzip (not mesh.Position: ", "\"a\""]);
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber(&format!("-V 5 -t a -C 1 {types}"));
    let content_type = "-V 5 -D publish content-type application/x-deflate";
    broker.mq(&format!("pub -t a {content_type} --input hex -m 53656560600000")).run().succeed();
    assert_eq!(subscriber.finish().succeed(), "{\"time\":5}\n");
}

#[test]
fn the_configuration_file_maps_topics_to_types() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    std::fs::create_dir(directory.path().join("radio")).unwrap();
    for name in ["network.proto", "radio/modulation.proto", "mesh.proto"] {
        std::fs::copy(schema(name), directory.path().join(name)).unwrap();
    }
    std::fs::write(
        &config,
        r##"
        [payloads]
        schema = ["network.proto", "mesh.proto"]
        "msh/#" = "mesh.Envelope"
        "+/pos" = "mesh.Position"
        [profile.other.payloads]
        "+/pos" = "network.v1.RxInfo"
        "##,
    )
    .unwrap();
    let broker = EmbeddedBroker::start();
    let plain = broker.subscriber("-t x/pos -C 1 --output hex");
    let configured = |words: &str| {
        let mut running =
            broker.mq(&format!("sub -d -t x/pos -C 1 {words}")).env("MQ_CONFIG", &config).spawn();
        running.wait_for_stderr("<- SUBACK");
        running
    };
    let silent = configured("");
    let decoded = configured("--decode auto");
    let profile = configured("--decode auto --profile other");
    let published =
        broker.mq("pub -t x/pos --input json -m").arg(r#"{"time":5}"#).env("MQ_CONFIG", &config).run();
    published.succeed();
    assert_eq!(plain.finish().succeed(), "2505000000\n");
    assert_eq!(silent.finish().stdout, b"\x25\x05\0\0\0\n");
    assert_eq!(decoded.finish().succeed(), "{\"time\":5}\n");
    assert_eq!(profile.finish().succeed(), "[{\"field\":4,\"type\":\"I32\",\"value\":5}]\n");
    // Captures use the table, too.
    let packet = "300c0005782f706f732505000000";
    let shown = mq(&format!("inspect --hex {packet}")).env("MQ_CONFIG", &config).run().succeed();
    assert_says(&shown, &["protobuf mesh.Position {\"time\":5}"]);
    // A typed type comes before those of the file.
    let typed =
        mq(&format!("inspect --hex {packet} --type mesh.Packet")).env("MQ_CONFIG", &config).run().succeed();
    assert_says(&typed, &["not mesh.Packet: field decoded: expected wire type LEN but found I32 at byte 0"]);
    let checked = mq("config check").env("MQ_CONFIG", &config).run().succeed();
    assert_says(&checked, &["no mistakes"]);
    let listed = mq("config show --profile other").env("MQ_CONFIG", &config).run().succeed();
    assert_says(&listed, &["payloads", "msh/#=mesh.Envelope", "+/pos=network.v1.RxInfo"]);
}

#[test]
fn mistakes_in_the_table_of_types_have_a_place() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    let check = |text: &str, parts: &[&str]| {
        std::fs::write(&config, text).unwrap();
        let finished = mq("config check").env("MQ_CONFIG", &config).run();
        assert_says(&finished.fail(2), parts);
    };
    check("[payloads]\n\"a/#/b\" = \"x.Y\"", &["line 2, column 1", "a/#/b"]);
    check("[payloads]\n\"a\" = \"x-Y\"", &["line 2, column 1", "pkg.Message"]);
    check("[payloads]\na = 5", &["line 2, column 5", "expected FILTER = \"pkg.Message\""]);
    check("payloads = 5", &["line 1, column 1", "expected a table"]);
    check("[payloads]\nschema = \"\"", &["line 2, column 10: schema: expected the path of a file"]);
    std::fs::copy(schema("mesh.proto"), directory.path().join("mesh.proto")).unwrap();
    check("[payloads]\na = \"x.Y\"", &["line 2, column 1: types need schema = \"FILE\""]);
    check("[payloads]\nschema = \"mesh.proto\"", &["line 2, column 1: schema needs types"]);
    let unreadable = ["line 2, column 1: schema: cannot read ", "nofile.proto: No such file"];
    check("[payloads]\nschema = [\"mesh.proto\", \"nofile.proto\"]\na = \"mesh.Packet\"", &unreadable);
    let unknown = "unknown message type 'mesh.Pocket': the schema has ";
    check(
        "[payloads]\nschema = \"mesh.proto\"\na = \"mesh.Packet\"\nb = \"mesh.Pocket\"",
        &[&format!("line 4, column 1: {unknown}")],
    );
    check(
        "[payloads]\nschema = \"mesh.proto\"\n[profile.plant.payloads]\nb = \"mesh.Pocket\"",
        &[&format!("line 4, column 1: {unknown}")],
    );
    std::fs::write(
        &config,
        "[payloads]\nschema = \"mesh.proto\"\n[profile.plant.payloads]\nb = \"mesh.Packet\"",
    )
    .unwrap();
    mq("config check").env("MQ_CONFIG", &config).run().succeed();
    std::fs::write(&config, "[payloads]\n\"a/#/b\" = \"x.Y\"").unwrap();
    let message = mq("inspect --hex c000").env("MQ_CONFIG", &config).run().fail(2);
    assert_says(&message, &["config.toml, line 2, column 1: invalid entry \"a/#/b\" = \"x.Y\": "]);
    std::fs::write(&config, "[payloads]\na = \"x.Y\"").unwrap();
    let finished = mq("inspect --hex c000").env("MQ_CONFIG", &config).run();
    assert_says(&finished.fail(2), &["[payloads] in ", "config.toml needs schema = \"FILE\""]);
}

#[test]
fn lines_that_do_not_fit_their_type_stop_the_publishing_with_their_place() {
    let broker = EmbeddedBroker::start();
    let types = format!("--schema {} --type mesh.Position", path_of("mesh.proto"));
    let subscriber = broker.subscriber("-t a -C 1 --output hex");
    let lines = "{\"time\":5}\n{\"altitude\":\"high\"}\n";
    let stderr = broker.mq(&format!("pub -t a -q 1 -l {types}")).stdin(lines).run().fail(1);
    let problem =
        "line 2: not mesh.Position: altitude: expected an integer (int32) but found the string \"high\"";
    assert_says(&stderr, &[problem]);
    assert_eq!(subscriber.finish().succeed(), "2505000000\n");
    let line = "{\"topic\":\"a\",\"payload\":{\"tme\":5}}\n";
    let stderr = broker.mq(&format!("pub --ndjson {types}")).stdin(line).run().fail(1);
    assert_says(&stderr, &["line 1: not mesh.Position: unknown field \"tme\"", "did you mean 'time'?"]);
}

#[test]
fn captures_use_the_message_types_of_the_profile() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    std::fs::copy(schema("mesh.proto"), directory.path().join("mesh.proto")).unwrap();
    let text = "
        [payloads]
        schema = \"mesh.proto\"
        \"other\" = \"mesh.Packet\"
        [profile.plant]
        host = \"broker.example\"
        [profile.plant.payloads]
        \"t\" = \"mesh.Position\"
        [profile.home]
        host = \"broker.home\"
    ";
    std::fs::write(&config, text).unwrap();
    let packet = publish("2505000000");
    let mq = |words: &str| mq(words).env("MQ_CONFIG", &config);
    let decoded = ["protobuf mesh.Position {\"time\":5}"];
    let inspect = format!("inspect --hex {packet}");
    assert!(!mq(&inspect).run().succeed().contains("mesh.Position"));
    assert_says(&mq(&inspect).env("MQ_PROFILE", "plant").run().succeed(), &decoded);
    assert_says(&mq(&format!("{inspect} --profile plant")).run().succeed(), &decoded);
    let message = mq(&format!("{inspect} --profile home")).run().fail(2);
    assert_says(&message, &["--profile is for a live client; for captured packets it needs message types"]);
    let message = mq(&format!("{inspect} --profile plan")).run().fail(2);
    assert_says(&message, &["unknown profile \"plan\"", "did you mean 'plant'?"]);
    std::fs::write(&config, format!("default-profile = \"plant\"\n{text}")).unwrap();
    assert_says(&mq(&inspect).run().succeed(), &decoded);
}

#[test]
fn a_broken_table_of_types_stops_only_what_decodes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    std::fs::write(&config, "[payloads]\nschema = \"nofile.proto\"\nt = \"x.Y\"").unwrap();
    let mq = |words: &str| mq(words).env("MQ_CONFIG", &config);
    let packet = publish("2505000000");
    for words in ["--payload hex", "--payload wire", "--payload cbor", "--stats"] {
        mq(&format!("inspect {words} --hex {packet}")).run().succeed();
    }
    let message = mq(&format!("inspect --hex {packet}")).run().fail(1);
    let tables = format!("mq inspect: schema of [payloads] in {}: cannot read ", config.display());
    assert_says(&message, &[&tables, "nofile.proto: No such file"]);
    std::fs::write(&config, "[profile.a.payloads]\nschema = \"config.toml\"\nt = \"x.Y\"").unwrap();
    let message = mq(&format!("inspect --profile a --hex {packet}")).run().fail(1);
    assert_says(&message, &["schema of [profile.a.payloads] in ", "config.toml: line 1, column 1: "]);
    std::fs::copy(schema("mesh.proto"), directory.path().join("mesh.proto")).unwrap();
    std::fs::write(&config, "[payloads]\nschema = \"mesh.proto\"\nt = \"x.Y\"").unwrap();
    let message = mq(&format!("inspect --hex {packet}")).run().fail(2);
    assert_says(&message, &["[payloads] in ", "config.toml: unknown message type 'x.Y'"]);
    assert!(!mq("complete").stdin("mq\0inspect\0--\0").run().succeed().contains("configured-"));
}

/// A generator whose numbers are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn text(&mut self) -> String {
        let letters = ['a', 'é', '漢', '😀', '"', '\\', '\u{1}', '\u{9b}'];
        (0..=self.below(5)).map(|_| letters[self.below(8) as usize]).collect()
    }

    fn any_value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => (self.below(2) == 0).into(),
            2 => (self.below(100_000) as f64 / 64.0).into(),
            3 => self.text().into(),
            4 => (0..self.below(4)).map(|_| self.any_value(depth - 1)).collect(),
            _ => {
                Value::Object((0..self.below(4)).map(|_| (self.text(), self.any_value(depth - 1))).collect())
            }
        }
    }

    /// A command with some fields, none of which has its default value.
    fn command(&mut self) -> Value {
        let mut object = serde_json::Map::new();
        let number = self.below(1 << 31);
        let fields: [(&str, Value); 11] = [
            ("sequence", (number + 1).into()),
            (
                "correlation",
                (0..=self.below(3)).map(|_| Value::from(self.below(1 << 30).to_string())).collect(),
            ),
            ("states", serde_json::json!(["CRC_OK", "CRC_UNKNOWN", 9])),
            ("content", serde_json::json!({"@type": "x/network.v1.radio.Lora", "bandwidth": number + 1})),
            ("mask", "device,rxInfo.gatewayId".into()),
            ("isUrgent", true.into()),
            ("due", format!("-{}", number + 1).into()),
            ("notes", (0..=self.below(3)).map(|_| Value::from(self.text())).collect()),
            ("extras", (0..=self.below(3)).map(|_| self.any_value(3)).collect()),
            ("offset", (number + 1).to_string().into()),
            ("retries", (-(self.below(1000) as i64) - 1).into()),
        ];
        for (name, value) in fields {
            if self.below(3) > 0 {
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    }
}

/// The value with all numbers as floats.
fn normal(value: Value) -> Value {
    match value {
        Value::Number(number) => format!("{:e}", number.to_string().parse::<f64>().unwrap()).into(),
        Value::Array(list) => list.into_iter().map(normal).collect(),
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, normal(value))).collect(),
        other => other,
    }
}

#[test]
fn what_is_published_as_json_arrives_as_the_same_json() {
    let broker = EmbeddedBroker::start();
    let types = format!("--schema {} --type network.v1.Command", path_of("network.desc"));
    let mut random = Random(7);
    let sent: Vec<Value> =
        (0..300).map(|_| random.command()).filter(|value| value != &serde_json::json!({})).collect();
    let lines: String = sent.iter().map(|value| format!("{value}\n")).collect();
    let subscriber = broker.subscriber(&format!("-t a -q 1 -C {} {types}", sent.len()));
    broker.mq(&format!("pub -t a -q 1 -l {types}")).stdin(lines).run().succeed();
    let printed = subscriber.finish().succeed();
    let received: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(received.len(), sent.len());
    for (received, sent) in received.into_iter().zip(sent) {
        assert_eq!(normal(received), normal(sent));
    }
}

/// The arguments for a schema of one file, in a directory that the caller keeps.
fn schema_of(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("a.proto");
    std::fs::write(&path, text).unwrap();
    let words = format!("--schema {} --type T", path.display());
    (directory, words)
}

#[test]
fn strings_of_proto2_that_are_not_utf_8_are_escaped_with_a_note() {
    let payload = "0a0461ff5c62";
    for head in ["syntax = \"proto2\";", "edition = \"2023\"; option features.utf8_validation = NONE;"] {
        let field = if head.contains("proto2") { "optional string name = 1;" } else { "string name = 1;" };
        let (_directory, words) = schema_of(&format!("{head} message T {{ {field} }}"));
        let shown = inspect(&words, payload);
        assert_says(
            &shown,
            &[r#"{"name":"a\\xff\\\\b"}"#, "name is not UTF-8, its bytes are shown as \\xNN"],
        );
        // UTF-8 stays as it is.
        assert_says(&inspect(&words, "0a0361c3bc"), &[r#"{"name":"aü"}"#]);
    }
    let (_directory, words) = schema_of("syntax = \"proto3\"; message T { string name = 1; }");
    assert_says(&inspect(&words, payload), &["not T: field name: not UTF-8"]);
}

#[test]
fn json_with_duplicate_keys_or_other_numbers_is_not_published() {
    let broker = EmbeddedBroker::start();
    let (_directory, words) = schema_of(
        "syntax = \"proto3\"; message T { int32 a = 1; double d = 2; T t = 3; map<int32, int32> m = 4; repeated T l = 5; }",
    );
    let cases = [
        (r#"{"a":1,"a":2}"#, "duplicate key \"a\""),
        (r#"{"t":{"l":[{},{"t":{"a":1,"d":1,"a":1}}]}}"#, "t.l[1].t: duplicate key \"a\""),
        (r#"{"m":{"1":1,"1":2}}"#, "m: duplicate key \"1\""),
        (r#"{"m":{"1":1,"01":2}}"#, "m.01: expected an integer"),
        (r#"{"a":"+1"}"#, "a: expected an integer"),
        (r#"{"a":"007"}"#, "a: expected an integer"),
        (r#"{"d":".5"}"#, "d: expected a number"),
        (r#"{"d":"1."}"#, "d: expected a number"),
    ];
    for (json, problem) in cases {
        let stderr = broker.mq(&format!("pub -t t {words} --input json -m")).arg(json).run().fail(2);
        assert_says(&stderr, &[problem]);
    }
    broker
        .mq(&format!("pub -t t {words} --input json -m"))
        .arg(r#"{"a":"1e2","d":"-0.5E+1"}"#)
        .run()
        .succeed();
}
