//! Captures with an independent decode: the same packets, from the file and from a pipe that gives a byte at a time.

use super::*;

/// What the decoder does not have right: it never looks for packets again.
const STARTS_INSIDE_A_PACKET: &str = "36-craft-starts-inside-packet.pcap";

/// The packets that the decoder found, in the order of connection, direction and offset.
fn expected(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus(&format!("{name}.oracle.jsonl"))).unwrap();
    let mut packets: Vec<Value> =
        objects(&text).into_iter().filter(|object| object.get("type").is_some()).collect();
    packets.sort_by_key(|packet| place(packet["conn"].as_u64(), &packet["dir"], packet["off"].as_u64()));
    packets
}

fn place(connection: Option<u64>, direction: &Value, offset: Option<u64>) -> (u64, String, u64) {
    (connection.unwrap(), direction.to_string(), offset.unwrap())
}

/// Our packets in the same order; the decoder does not count cut packets.
fn whole(objects: Vec<Value>) -> Vec<Value> {
    let mut packets = packets(objects);
    packets.retain(|packet| packet.get("captured").is_none());
    packets.sort_by_key(|packet| {
        place(packet["connection"].as_u64(), &packet["direction"], packet["offset"].as_u64())
    });
    packets
}

#[test]
fn the_packets_are_those_that_another_decoder_found() {
    for name in captures().iter().filter(|name| *name != STARTS_INSIDE_A_PACKET) {
        let ours = whole(inspect(name, "--show-secrets"));
        let expected = expected(name);
        // A length of five bytes is no packet to the decoder.
        let ours: Vec<&Value> =
            ours.iter().filter(|packet| packet.get("remaining_length").is_some()).collect();
        let listed = |all: &[Value]| {
            all.iter().map(|one| format!("{} {}\n", one["off"], one["type"])).collect::<String>()
        };
        assert_eq!(ours.len(), expected.len(), "{name}: {}", listed(&expected));
        for (ours, theirs) in ours.iter().zip(&expected) {
            compare(name, ours, theirs);
        }
    }
}

fn compare(name: &str, ours: &Value, theirs: &Value) {
    let translated = oracle::packet(ours);
    let is_malformed = ["malformed", "trailing"].iter().any(|key| theirs.get(*key).is_some())
        || ours.get("undecoded").is_some();
    for (key, value) in theirs.as_object().unwrap() {
        let is_frame = ["conn", "dir", "off", "type", "flags", "rl", "hdr", "frame"].contains(&key.as_str());
        // Of an invalid packet, each decoder has read the valid part.
        if key == "ver" || key == "malformed" || key == "trailing" || (is_malformed && !is_frame) {
            continue;
        }
        let found = translated.get(key).unwrap_or(&Value::Null);
        let is_same = match key.as_str() {
            "t" => found.as_f64().unwrap_or_default() - value.as_f64().unwrap_or_default() < 2e-6,
            "props" | "will_props" => *found == oracle::sorted(value),
            _ => found == value,
        };
        assert!(is_same, "{name}: {key} is {found}, not {value}\n{ours}\n{theirs}");
    }
}

#[test]
fn a_pipe_that_gives_single_bytes_shows_the_same() {
    for name in captures() {
        let whole = mq("inspect --format json").arg(corpus(&name)).run();
        let bytes = std::fs::read(corpus(&name)).unwrap();
        let mut running = mq("inspect --format json").open_stdin().spawn();
        for byte in bytes {
            running.write([byte]);
        }
        let piped = running.finish();
        assert_eq!(piped.status, 0, "{name}: {}", piped.stderr);
        assert!(piped.stdout == whole.stdout, "{name}: the same lines");
    }
}

#[test]
fn packets_are_found_again_behind_the_rest_of_one() {
    let all = inspect(STARTS_INSIDE_A_PACKET, "");
    let skipped: Vec<&Value> = all.iter().filter(|object| object["event"] == "skipped").collect();
    assert_eq!(skipped.len(), 1);
    assert_eq!((skipped[0]["offset"].as_u64(), skipped[0]["length"].as_u64()), (Some(0), Some(265)));
    let found: Vec<Value> = packets(all).iter().map(|packet| packet["type"].clone()).collect();
    assert_eq!(found, ["PUBLISH", "PUBACK", "PINGREQ", "PINGRESP"]);
}

#[test]
fn bytes_that_were_not_captured_are_reported_and_the_packet_goes_on() {
    let all = inspect("24-craft-capture-gap.pcap", "");
    let gaps: Vec<(u64, u64)> = all
        .iter()
        .filter(|object| object["event"] == "gap")
        .map(|gap| (gap["offset"].as_u64().unwrap(), gap["length"].as_u64().unwrap()))
        .collect();
    assert_eq!(gaps, [(1031, 1000), (18, 9)]);
    let lost = all.iter().find(|object| object["topic"] == "g/lost").unwrap();
    assert_eq!(lost["payload_length"], 2500);
    assert_eq!(lost["findings"][0]["severity"], "info");
    assert_eq!(lost["findings"][0]["bytes"], serde_json::json!([1000, 2000]));
}

#[test]
fn the_first_of_two_different_retransmissions_counts() {
    let all = inspect("25-craft-conflicting-overlap.pcap", "");
    let published = all.iter().find(|object| object["type"] == "PUBLISH").unwrap();
    assert_eq!(published["payload"], "ORIGINAL");
    let conflicts: Vec<&Value> = all.iter().filter(|object| object["event"] == "conflict").collect();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0]["length"], 8);
}

#[test]
fn a_packet_that_a_reset_cut_off_is_reported() {
    let all = inspect("33-craft-rst-mid-packet.pcap", "");
    let cut = all.iter().find(|object| object.get("captured").is_some()).unwrap();
    assert_eq!((cut["captured"].as_u64(), cut["length"].as_u64()), (Some(200), Some(508)));
    assert_eq!(packets(all.clone()).len(), 3);
    assert_eq!(all.last().unwrap()["by"], "reset");
}

#[test]
fn the_version_of_a_connection_that_was_open_before_is_found_out() {
    let name = "14-live-midconnection-v5.pcap";
    let found = packets(inspect(name, ""));
    assert!(found.iter().all(|packet| packet["version"] == "5.0" && packet["version_inferred"] == true));
    let told = packets(inspect(name, "-V 5"));
    assert!(told.iter().all(|packet| packet["version"] == "5.0" && packet.get("version_inferred").is_none()));
    let alias = found.iter().find(|packet| packet["payload"] == "via alias").unwrap();
    assert!(alias.get("resolved_topic").is_none(), "nobody saw what it stands for");
}

#[test]
fn round_trips_are_right_to_the_microsecond() {
    let found = packets(inspect("34-craft-rtt-ground-truth.pcap", ""));
    let mut trips: Vec<(String, u64)> = found
        .iter()
        .filter_map(|packet| Some((packet["type"].as_str()?.to_owned(), packet["round_trip_ns"].as_u64()?)))
        .map(|(kind, nanoseconds)| (kind, (nanoseconds + 500) / 1000))
        .collect();
    trips.sort();
    let expected = [
        ("CONNACK", 20_000),
        ("PINGRESP", 3_000),
        ("PUBACK", 10_000),
        ("PUBACK", 45_000),
        ("PUBACK", 50_000),
        ("PUBCOMP", 13_000),
        ("PUBREC", 11_000),
        ("PUBREL", 2_000),
        ("SUBACK", 7_000),
        ("UNSUBACK", 4_000),
    ];
    assert_eq!(trips, expected.map(|(kind, microseconds)| (kind.to_owned(), microseconds)));
    let whole = found.iter().find_map(|packet| packet["since_publish_ns"].as_u64()).unwrap();
    assert_eq!((whole + 500) / 1000, 26_000);
}
