//! "did you mean": similar words are suggested for commands, options, values and keys of all kinds, unlike words never.

use super::support::*;

/// A command line with a misspelled word, and the suggestion.
const SUGGESTED: &[(&str, &str)] = &[
    ("pubb", "'pub'"),
    ("pbu", "'pub'"),
    ("publish", "'pub'"),
    ("subscribe", "'sub'"),
    ("insepct", "'inspect'"),
    ("config shwo", "'show'"),
    ("pub --topci a -n", "'--topic'"),
    ("pub --keep-alive 5 -t a -n", "'--keepalive'"),
    ("sub --tiemout 5 -t a", "'--timeout'"),
    ("pub --client-id a -t a -n", "'--id'"),
    ("pub --mqttVersion 5 -t a -n", "'--protocol-version'"),
    ("pub --password x -t a -n", "'--pw'"),
    ("pub --protocol mqtts -t a -n", "'--url'"),
    ("sub --secure -t a", "'--tls-use-os-certs'"),
    ("doctor --tls", "'--tls-use-os-certs'"),
    ("bench pub --interval_of_msg 10", "'--rate'"),
    ("bench conn --count 5", "'--clients'"),
    ("bench --warmup 5", "'--warm-up'"),
    ("bench pubsb", "'pubsub'"),
    ("bench --topology fanin", "'fan-in'"),
    ("bench --arrivals possion --rate 1", "'poisson'"),
    ("bench --fail-if troughput<5", "'throughput'"),
    ("bench --fail-if conack.p99>5ms", "'connack.p99'"),
    ("inspect --lint=wran --hex c000", "'warn'"),
    ("inspect --format jsno --hex c000", "'json'"),
    ("inspect --payload cobr --hex c000", "'cbor'"),
    ("inspect --filter tpye=PUBLISH --hex c000", "'type'"),
    ("inspect --filter type=PUBLSH --hex c000", "'PUBLISH'"),
    ("pub -t a -n --preset azure-iothubs", "'azure-iothub'"),
    ("pub -t a -n -D publish content-typ x", "'content-type'"),
    ("pub -t a -n -D publsh content-type x", "'publish'"),
    ("pub -t a -m x --input hexx", "'hex'"),
    ("sub -t a --decode cobr", "'cbor'"),
    ("passwd --format emqx-jsn users ann", "'emqx-json'"),
    ("passwd lst", "'list'"),
    ("passwd verfy users ann", "'verify'"),
    ("passwd imprt users list.csv x", "'import'"),
    ("man bnech", "'bench'"),
    ("completions fsh", "'fish'"),
];

/// The same with words that are similar to none.
const UNLIKE: &[&str] = &[
    "zzz",
    "zz",
    "config zzz",
    "pub --zzz -t a -n",
    "bench zzz",
    "bench --topology zzz",
    "bench --arrivals zzz --rate 1",
    "bench --fail-if zzz<5",
    "inspect --lint=zzz --hex c000",
    "inspect --format zzz --hex c000",
    "inspect --filter zzz=1 --hex c000",
    "inspect --filter type=zzz --hex c000",
    "pub -t a -n --preset zzz",
    "pub -t a -n -D publish zzz x",
    "pub -t a -n -D zzz content-type x",
    "pub -t a -m x --input zzz",
    "sub -t a --decode zzz",
    "passwd --format zzz users ann",
    "man zzz",
    "completions zzz",
];

#[test]
fn misspelled_words_have_a_suggestion() {
    for (words, suggestion) in SUGGESTED {
        let stderr = mq(words).run().fail(2);
        assert!(stderr.contains(&format!("; did you mean {suggestion}?")), "mq {words}: {stderr}");
        assert_eq!(stderr.matches("did you mean").count(), 1, "mq {words}: {stderr}");
    }
}

#[test]
fn unlike_words_have_no_suggestion() {
    for words in UNLIKE {
        let stderr = mq(words).run().fail(2);
        assert!(!stderr.contains("did you mean") && stderr.contains("zz"), "mq {words}: {stderr}");
    }
}

#[test]
fn keys_in_files_have_suggestions_by_the_same_rule() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.toml");
    let scenario = directory.path().join("load.toml");
    for (key, suggestion) in [("prot", Some("port")), ("caflie", Some("cafile")), ("zzz", None)] {
        std::fs::write(&config, format!("[defaults]\n{key} = 1\n")).unwrap();
        let stderr = mq("pub -t a -n").env("MQ_CONFIG", &config).run().fail(2);
        assert_suggests(&stderr, key, suggestion);
    }
    for (key, suggestion) in [("duraton", Some("duration")), ("zzz", None)] {
        std::fs::write(&scenario, format!("{key} = 1\n")).unwrap();
        assert_suggests(&mq("bench scenario").arg(&scenario).run().fail(2), key, suggestion);
    }
    let peer = EmbeddedBroker::start();
    for (key, suggestion) in [("topci", Some("topic")), ("zzz", None)] {
        let finished = peer.mq("pub --ndjson").stdin(format!("{{\"{key}\":\"a\"}}\n")).run();
        assert_suggests(&finished.stderr, key, suggestion);
    }
}

#[track_caller]
fn assert_suggests(stderr: &str, key: &str, suggestion: Option<&str>) {
    let expected = suggestion.map(|word| format!("; did you mean '{word}'?"));
    assert!(stderr.contains(key), "{stderr}");
    assert_eq!(stderr.contains("did you mean"), expected.is_some(), "{stderr}");
    assert!(expected.is_none_or(|expected| stderr.contains(&expected)), "{stderr}");
}
