//! Properties, RETAIN and limits of forwarded messages.

use super::{between, wait_until_connected};
use crate::support::*;

/// A bridge from one broker to another.
fn bridge(source: &impl Server, target: &impl Server, options: &str, rules: &[&str]) -> Running {
    let mut bridge = between(source, target, &format!("--name b {options}"), rules).spawn();
    wait_until_connected(&mut bridge);
    bridge
}

/// `%A %C %D %E %F %P %R` and the rest of a message, as `mq sub` prints them.
const FORMAT: &str = "%t|%q|%r|%A|%C|%D|%F|%P|%R|%p";

#[test]
fn all_properties_of_a_message_are_carried() {
    let (source, target) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let _bridge = bridge(&source, &target, "", &["a/# out 1"]);
    let mut subscriber = target.subscriber(&format!("-V 5 -t a/# -q 1 -C 1 -F {FORMAT}"));
    let properties = "-D publish content-type text/x -D publish response-topic r/1 -D publish correlation-data c1 \
                      -D publish payload-format-indicator 1 -D publish user-property k v -D publish user-property k w";
    source.mq(&format!("pub -V 5 -t a/b -m hello -q 1 {properties}")).run().succeed();
    let line = subscriber.wait_for_stdout("a/b");
    assert_eq!(line, "a/b|1|0||text/x|c1|1|k:v k:w|r/1|hello");
}

#[test]
fn the_expiry_is_lowered_by_the_time_in_the_bridge() {
    let (source, target) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let _bridge = bridge(&source, &target, "--rate 0.5", &["a/# out 1"]);
    let mut subscriber = target.subscriber("-V 5 -t a/# -q 1 -C 3 -F %p:%E");
    for number in 0..3 {
        source
            .mq(&format!("pub -V 5 -t a/b -m {number} -q 1 -D publish message-expiry-interval 100"))
            .run()
            .succeed();
    }
    let line = subscriber.wait_for_stdout("2:");
    let expiry: u32 = line.trim_start_matches("2:").parse().unwrap();
    assert!(expiry < 100, "{line}");
}

#[test]
fn retain_is_kept_cleared_or_set() {
    for (mode, retain, published, is_kept) in [
        ("keep", "-r", "1", true),
        ("keep", "", "2", false),
        ("clear", "-r", "3", false),
        ("set", "", "4", true),
    ] {
        for version in ["5", "311"] {
            let (source, target) = (EmbeddedBroker::start(), EmbeddedBroker::start());
            let program = between(&source, &target, &format!("--name b --retain {mode}"), &["a/# out 1"]);
            let program = program.env("MQ_FROM_PROTOCOL_VERSION", version);
            let mut bridge = program.env("MQ_TO_PROTOCOL_VERSION", version).spawn();
            wait_until_connected(&mut bridge);
            let mut subscriber = target.subscriber("-t a/# -q 1");
            source.mq(&format!("pub -t a/b -m {published} -q 1 {retain}")).run().succeed();
            subscriber.wait_for_stdout(published);
            let mut retained = Wire::v311(&target, "retained");
            retained.subscribe("`a/#` 00");
            if is_kept {
                assert_eq!(retained.expect_publish().payload, published.as_bytes());
            }
            retained.expect_nothing_more();
        }
    }
}

#[test]
fn a_message_above_the_limit_of_the_target_is_dropped_by_name_and_the_rest_goes_on() {
    let source = EmbeddedBroker::start();
    let Some(target) = Mosquitto::start_with("max_packet_size 1000") else { return };
    let mut bridge = bridge(&source, &target, "", &["a/# out 1"]);
    let mut subscriber = target.subscriber("-t a/# -q 1 -F %p");
    source.mq("pub -t a/large -s -q 1").stdin("x".repeat(2000)).run().succeed();
    source.mq("pub -t a/small -m next -q 1").run().succeed();
    subscriber.wait_for_stdout("next");
    let line = bridge.wait_for_stderr("dropped");
    assert_says(&line, &["a/large", "1000"]);
}
