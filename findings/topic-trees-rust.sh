#!/usr/bin/env bash
# The topic matchers of the crates mqtt_topic_tree 0.1.3, for brokers, and mqttbytes 0.6.0, beside mqtt-topic-engine 0.2.1 and mqtt-protocol 0.12.0, which are right.
#
# Expected (MQTT 5.0): # and +/a do not match $SYS/a, but $SYS/# and $SYS/+ do (4.7.2), as $a matches $a (4.7.3). a/# matches a (4.7.1.2). UNSUBSCRIBE deletes
#           the subscription with the same filter and no other one (3.10.4), also in a shared subscription (4.8.2). A SUBSCRIBE with the filter of a subscription
#           replaces it (3.8.4, [MQTT-3.8.4-3]).
# Seen:     in mqtt_topic_tree # and +/a match $SYS/a, and a/# does not match a. Removing the subscription to a/# removes the one to a and leaves a/#. A client that
#           subscribes again in a group is in the group twice, and once after it left. In mqttbytes no filter matches a topic that begins with $, not even the same.
# So:       a client of a broker on mqtt_topic_tree gets what it unsubscribed from, and loses what it did not; messages of a group are sent to a client that left.
#           With mqttbytes, a subscriber to $SYS/# gets nothing.
# 1 is a match, for # $SYS/a, +/a $SYS/a, $SYS/# $SYS/a, $SYS/+ $SYS/a, $a $a, a/# a, a/# a/b, +/b /b, a/+ a/ and a/+/c a//c.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "topics"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
mqtt-protocol = "=0.12.0"
mqtt-topic-engine = "=0.2.1"
mqtt_topic_tree = "=0.1.3"
mqttbytes = "=0.6.0"
TOML
cat >src/main.rs <<'RUST'
use mqtt_topic_tree::{QoS, TopicFilter, TopicName, TopicTree};

fn tree(filter: &str, topic: &str) -> bool {
    let mut tree = TopicTree::default();
    tree.add_subscription(TopicFilter::try_from(filter.to_string()).unwrap(), 1, QoS::Level0);
    !tree.get_subscriptions(&TopicName::try_from(topic.to_string()).unwrap()).is_empty()
}

fn engine(filter: &str, topic: &str) -> bool {
    use mqtt_topic_engine::{CacheStrategy, TopicPatternPath};
    TopicPatternPath::new_from_string(filter, CacheStrategy::NoCache).unwrap().try_match_str(topic).is_ok()
}

fn protocol(filter: &str, topic: &str) -> bool {
    mqtt::TopicFilter::new(filter).unwrap().get_matcher().is_match(mqtt::TopicNameRef::new(topic).unwrap())
}

fn mqttbytes(filter: &str, topic: &str) -> bool {
    mqttbytes::matches(topic, filter)
}

fn main() {
    let cases = [
        ("#", "$SYS/a"), ("+/a", "$SYS/a"), ("$SYS/#", "$SYS/a"), ("$SYS/+", "$SYS/a"), ("$a", "$a"), ("a/#", "a"),
        ("a/#", "a/b"), ("+/b", "/b"), ("a/+", "a/"), ("a/+/c", "a//c"),
    ];
    let matchers: [(&str, fn(&str, &str) -> bool); 4] =
        [("mqtt_topic_tree", tree), ("mqttbytes", mqttbytes), ("mqtt-topic-engine", engine), ("mqtt-protocol", protocol)];
    for (name, matches) in matchers {
        let results: String = cases.iter().map(|(filter, topic)| if matches(filter, topic) { '1' } else { '0' }).collect();
        println!("{name} {results}");
    }

    // A client subscribes to a/# and to a, and ends the first subscription.
    let filter = |text: &str| TopicFilter::try_from(text.to_string()).unwrap();
    let mut tree = TopicTree::default();
    tree.add_subscription(filter("a/#"), 1, QoS::Level0);
    tree.add_subscription(filter("a"), 1, QoS::Level0);
    tree.remove_subscription(filter("a/#"), 1);
    for topic in ["a", "a/b"] {
        let subscribers = tree.get_subscriptions(&TopicName::try_from(topic.to_string()).unwrap());
        println!("subscribers of {topic} after UNSUBSCRIBE of a/#: {}", subscribers.len());
    }

    // A client subscribes to the same filter again, with another QoS, as part of a group of two.
    let mut tree = TopicTree::default();
    tree.add_subscription(filter("$share/g/a"), 1, QoS::Level0);
    tree.add_subscription(filter("$share/g/a"), 2, QoS::Level0);
    tree.add_subscription(filter("$share/g/a"), 1, QoS::Level1);
    tree.remove_subscription(filter("$share/g/a"), 1);
    let topic = TopicName::try_from("a".to_string()).unwrap();
    let left = (0..200).any(|_| tree.get_subscriptions(&topic).iter().any(|subscriber| subscriber.client_id == 1));
    println!("client 1 still gets messages of the group after UNSUBSCRIBE: {left}");
}
RUST
cargo run --quiet 2>cargo.log | tee seen || { cat cargo.log; exit 1; }

cat >expected <<'TEXT'
mqtt_topic_tree 1111101111
mqttbytes 0000011111
mqtt-topic-engine 0011111111
mqtt-protocol 0011111111
subscribers of a after UNSUBSCRIBE of a/#: 0
subscribers of a/b after UNSUBSCRIBE of a/#: 1
client 1 still gets messages of the group after UNSUBSCRIBE: true
TEXT
diff expected seen || { echo "a matcher behaves differently now"; exit 1; }
echo "as described"
