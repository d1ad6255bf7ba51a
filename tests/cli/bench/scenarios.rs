//! The first word of `mq bench`: who does what.

use super::*;

#[test]
fn clients_that_only_connect_are_held() {
    let report = mq("bench conn --embedded -c 30 --hold 0.3").run().succeed();
    assert_says(&report, &["30 of 30 clients"]);
    assert_eq!(numbers_of(&report, "sent"), [0; 0], "{report}");
}

#[test]
fn publishers_can_be_alone() {
    let report = mq("bench pub --embedded -c 5 --messages 300").run().succeed();
    assert_says(&report, &["5 of 5 clients"]);
    assert_eq!(numbers_of(&report, "acknowledged"), [300], "{report}");
}

#[test]
fn subscribers_count_messages_of_other_publishers() {
    on_each_broker(|broker| {
        let publisher = broker.mq("bench pub -c 2 -t others/{i} --rate 200 --duration 60").spawn();
        let report = broker.mq("bench sub -c 3 -t others/# --messages 90").run().succeed();
        publisher.signal("INT");
        publisher.finish().expect_status(130);
        assert_says(&report, &["3 of 3 clients"]);
        assert!(numbers_of(&report, "received")[0] >= 90, "{report}");
    });
}

#[test]
fn losses_at_subscribers_by_topic_filter_are_unknown() {
    let file = scenario_file::file(
        r#"
duration = 0.3
warm_up = 0
[[group]]
name = "meters"
scenario = "pub"
clients = 2
rate = 100
topic = "meters/{i}"
[[group]]
name = "dashboards"
scenario = "sub"
clients = 1
topic = "meters/#"
"#,
    );
    let report = mq("bench scenario --embedded").arg(file.path()).run().succeed();
    let text = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason = "the subscribers receive by topic filter, so the messages due to them are unknown";
    assert_says(&text, &[reason, "not measured: the messages due to a topic filter are unknown"]);
    assert!(!text.contains("no subscribers stayed") && !text.contains("there were no subscribers"), "{text}");
}

#[test]
fn subscribers_to_whom_nobody_speaks_end_in_time() {
    let report = mq("bench sub --embedded -c 3 -t silence --duration 0.2").run().succeed();
    assert_says(&report, &["3 of 3 clients"]);
}

#[test]
fn a_topology_sets_the_receivers_of_each_message() {
    for (options, clients, deliveries) in [
        ("-c 6 --topology pairs", 12, 60),
        ("-c 6 --topology fan-in", 7, 60),
        ("-c 6 --topology fan-out", 7, 360),
        ("-c 6 --topology mesh", 12, 360),
        ("-c 6 --topology fan-out --publishers 2 --subscribers 3", 5, 180),
    ] {
        let report = mq(&format!("bench --embedded --messages 60 {options}")).run().succeed();
        assert_says(&report, &[ALL_ARRIVED, &format!("{clients} of {clients} clients")]);
        assert_eq!(numbers_of(&report, "received"), [deliveries], "{options}: {report}");
    }
}

#[test]
fn every_request_is_answered_in_every_version() {
    on_each_broker(|broker| {
        for options in ["-V 311 -q 0", "-V 311 -q 1", "-V 5 -q 2", "-V 5 -q 1 --rate 1k"] {
            let words = format!("bench rr -c 8 --subscribers 3 --messages 400 {options}");
            let report = broker.mq(&words).run().succeed();
            assert_says(&report, &["11 of 11 clients", ALL_ARRIVED, "round trip"]);
            assert_eq!(numbers_of(&report, "received"), [400], "{report}");
        }
    });
}

#[test]
fn all_clients_come_back_after_they_were_dropped() {
    on_each_broker(|broker| {
        for qos in 0..=1 {
            let words = format!("bench reconnect -c 10 --subscribers 3 --rate 500 --duration 1 -q {qos}");
            let report = broker.mq(&words).run().succeed();
            assert_says(&report, &["13 of 13 clients", "resubscribed"]);
            assert!(!report.contains("lost the connection"), "they were dropped by us: {report}");
        }
    });
}

#[test]
fn a_kept_session_misses_nothing() {
    on_each_broker(|broker| {
        for version in ["31", "311", "5"] {
            let words = "bench reconnect -c 10 --subscribers 3 --rate 500 --duration 1 --keep-sessions";
            let report = broker.mq(&format!("{words} -q 1 -V {version}")).run().succeed();
            assert_says(&report, &["13 of 13 clients", "delivery"]);
            assert!(!has_loss(&report), "{report}");
        }
    });
}

#[test]
fn a_shared_subscription_is_accounted_for_as_one() {
    on_each_broker(|broker| {
        for options in ["-V 5 -q 1", "-V 5 -q 0 --threads 1"] {
            let words = format!("bench -c 10 --subscribers 4 --share workers --messages 1000 {options}");
            let report = broker.mq(&words).run().succeed();
            assert_says(&report, &["14 of 14 clients", "1000"]);
            assert_eq!(numbers_of(&report, "received"), [1000], "{report}");
            assert!(!has_loss(&report), "{report}");
        }
    });
}

#[test]
fn the_timeline_shows_the_drops_and_the_second_connects() {
    let words = "bench reconnect --embedded -c 6 --subscribers 2 --rate 100 --duration 1 -q 0";
    let report: serde_json::Value =
        serde_json::from_str(&mq(&format!("{words} --output json")).run().succeed()).unwrap();
    let sum = |key: &str| -> u64 {
        let slots = report["timeline"]["slots"].as_array().unwrap();
        slots.iter().filter_map(|slot| slot[key].as_u64()).sum()
    };
    assert_eq!((sum("connected"), sum("lost")), (16, 8));
    assert_eq!(report["clients"]["lost"], 0, "they were dropped by us");
    let csv = mq(&format!("{words} --csv -")).run().succeed();
    let columns: Vec<Vec<u64>> = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap_or_default()).collect())
        .collect();
    let of_column = |column: usize| columns.iter().map(|line| line[column]).sum::<u64>();
    assert_eq!((of_column(2), of_column(4)), (16, 8), "{csv}");
}

/// The duration and the warm-up that a run announces; it ends because nobody listens.
fn announced(words: &str) -> String {
    let free = free_address();
    let stderr = mq(&format!("bench {words} -h 127.0.0.1 -p {} -c 1", free.port())).run().fail(1);
    let line = stderr.lines().next().unwrap_or_default();
    line.rsplit_once(", for ").map_or_else(|| "messages".to_owned(), |(_, times)| times.to_owned())
}

#[test]
fn a_run_without_a_volume_warms_up_and_measures_ten_seconds() {
    for words in [
        "",
        "pub",
        "sub -t a",
        "rr",
        "reconnect",
        "--rate 5k",
        "--ramp 10..20",
        "pub -q 0",
        "--topology mesh",
    ] {
        assert_eq!(announced(words), "10 s after 2 s of warm-up", "{words}");
    }
    assert_eq!(announced("conn"), "10 s");
}

#[test]
fn a_volume_has_no_warm_up_unless_one_is_set() {
    for words in ["--messages 50", "pub --messages 50", "rr --messages 50 --rate 5"] {
        assert_eq!(announced(words), "messages", "{words}");
    }
    assert_eq!(announced("--duration 5"), "5 s");
    assert_eq!(announced("--warm-up 0"), "10 s");
    assert_eq!(announced("--warm-up 1 --duration 5"), "5 s after 1 s of warm-up");
    assert_eq!(announced("conn --hold 3"), "3 s");
}
