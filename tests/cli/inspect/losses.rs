//! Incomplete captures: missing bytes are shown as a gap, and attributed to neither side.

use super::*;

/// What the linter and the dissector say of a capture that lacks something; nothing of it is an error.
fn linted(name: &str) -> Vec<Value> {
    let all =
        objects(&mq("inspect --lint=info --format json").arg(corpus("losses").join(name)).run().succeed());
    for finding in all.iter().flat_map(|object| object["findings"].as_array().cloned().unwrap_or_default()) {
        assert_eq!(finding["severity"], "info", "{name}: {finding}");
    }
    all
}

fn count(objects: &[Value], kind: &str) -> usize {
    objects.iter().filter(|object| object["type"] == kind).count()
}

#[test]
fn a_gap_inside_properties_or_filters_is_shown_as_a_gap() {
    let all = packets(linted("segments-missing.pcap"));
    let published = all.iter().find(|packet| packet["type"] == "PUBLISH").unwrap();
    assert_eq!(published["topic"], "a");
    assert_eq!(published["undecoded"], "&\u{0}\u{4}abcd\u{0}", "what is there, and no zeros for the rest");
    assert_eq!(published["findings"][0]["detail"], "20 bytes were not captured");
    assert_eq!(published["findings"].as_array().unwrap().len(), 1);
    let asked = all.iter().rfind(|packet| packet["type"] == "SUBSCRIBE").unwrap();
    assert_eq!(asked["subscriptions"].as_array().unwrap().len(), 2, "those that were captured");
    assert_eq!((&asked["length"], &asked["captured"]), (&168.into(), &60.into()));
    // The place is not lost.
    assert_eq!((count(&all, "PINGREQ"), count(&all, "PINGRESP")), (1, 1));
}

#[test]
fn a_snap_length_is_nobodys_fault() {
    let all = linted("snap-length-128.pcap");
    let missing: Vec<Value> =
        packets(all).iter().filter(|packet| !packet["findings"].is_null()).cloned().collect();
    assert!(missing.len() > 10);
    let statements = missing.iter().flat_map(|packet| packet["findings"].as_array().unwrap());
    assert!(statements.into_iter().all(|finding| finding["statement"] == "mq/capture"));
}

#[test]
fn zeros_do_not_stand_for_bytes_that_were_not_captured() {
    let file = corpus("losses").join("segments-missing.pcap");
    let shown = mq("inspect --format hex").arg(file).run().succeed();
    assert_says(&shown, &["26 00 04 61 62 63 64 00 -- -- -- --"]);
}

#[test]
fn a_capture_may_start_with_more_than_is_searched_at_once() {
    assert_eq!(count(&linted("starts-with-32k-at-once.pcap"), "PUBLISH"), 1903);
    let found = packets(linted("starts-with-a-long-packet.pcap"));
    let lengths: Vec<_> = found.iter().map(|packet| packet["payload_length"].as_u64().unwrap()).collect();
    assert_eq!(lengths, [20_000, 3, 3]);
}

#[test]
fn ranges_end_where_the_captured_bytes_do() {
    let cut = inspect("33-craft-rst-mid-packet.pcap", "--ranges");
    let cut = cut.iter().find(|object| object.get("captured").is_some()).unwrap();
    let ends: Vec<_> =
        cut["fields"].as_array().unwrap().iter().map(|field| field["bytes"][1].as_u64()).collect();
    assert_eq!(ends.into_iter().max().flatten(), Some(200));
}
