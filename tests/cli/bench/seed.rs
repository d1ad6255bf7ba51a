//! `--seed`: the same seed makes the same topics, payloads and sizes.

use crate::support::*;
use std::sync::mpsc;

/// The topics and payloads of the messages that one publisher sends.
fn messages_of(options: &str, template: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let (sender, messages) = mpsc::channel();
    let peer = ScriptedPeer::start(move |peer| {
        let mut wire = peer.accept_v311();
        for _ in 0..20 {
            let message = wire.expect_and_acknowledge();
            sender.send((message.topic, message.payload)).unwrap();
        }
        wire.expect_type(0xe0);
    });
    let words = format!("bench pub -c 1 -i me --messages 20 --inflight 1 {options}");
    let template = template.iter().flat_map(|text| ["--payload-template", text]);
    template.fold(peer.mq(&words), Program::arg).run().succeed();
    peer.finish();
    messages.iter().collect()
}

const TOPIC: &str = "-t {rand:0..1000}/{uuid}/{rand:0.0..1.0}";
const PAYLOAD: &str = r#"{"id":"{uuid}","n":{rand:0..1000000},"t":{rand:18.00..25.50},"s":"{choice:a|b|c}"}"#;

#[test]
fn the_same_seed_makes_the_same_topics_and_payloads() {
    let with_seed = |seed: u32| messages_of(&format!("--seed {seed} {TOPIC}"), Some(PAYLOAD));
    let first = with_seed(7);
    assert_eq!(first, with_seed(7));
    let other = with_seed(8);
    assert!(first.iter().zip(&other).all(|(one, two)| one.0 != two.0 && one.1 != two.1), "{other:?}");
    let mut topics: Vec<_> = first.iter().map(|(topic, _)| topic).collect();
    topics.sort();
    topics.dedup();
    assert_eq!(topics.len(), 20, "each message has a topic of its own");
}

#[test]
fn without_a_seed_each_run_has_its_own() {
    let run = || messages_of(TOPIC, Some(PAYLOAD));
    assert_ne!(run(), run());
}

#[test]
fn the_same_seed_makes_the_same_sizes() {
    let sizes = |seed: u32| {
        let messages = messages_of(&format!("--seed {seed} -s 24..2000 -t a"), None);
        messages.into_iter().map(|(_, payload)| payload.len()).collect::<Vec<_>>()
    };
    let first = sizes(7);
    assert_eq!(first, sizes(7));
    assert_ne!(first, sizes(8));
    assert!(first.iter().all(|size| (24..=2000).contains(size)), "{first:?}");
}

#[test]
fn publishers_differ_and_threads_do_not_matter() {
    let run = |threads: u32| {
        let broker = EmbeddedBroker::start();
        let witness = broker.subscriber("-t t/# -v -C 40");
        let words = format!(
            "bench pub -c 4 -i dev-{{i}} --messages 40 --seed 5 --threads {threads} -t t/{{i}}/{{seq}}/{{uuid}} --payload-template"
        );
        broker.mq(&words).arg("{rand:0..1000000}").run().succeed();
        let mut lines: Vec<_> = witness.finish().succeed().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let lines = run(1);
    assert_eq!(lines, run(3));
    let mut payloads: Vec<_> =
        lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, text)| text).collect();
    payloads.sort_unstable();
    payloads.dedup();
    assert!(payloads.len() > 35, "{lines:?}");
}

#[test]
fn modes_without_random_choices_have_no_seed() {
    for mode in ["conn", "sub -t a"] {
        let error = mq(&format!("bench {mode} --seed 5 --embedded")).run().fail(2);
        let name = mode.split(' ').next().unwrap();
        assert_says(&error, &[&format!("--seed cannot be used with {name}")]);
    }
}
