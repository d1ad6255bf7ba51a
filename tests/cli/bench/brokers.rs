//! Several brokers in one run: the clients are spread evenly, and the report tells the brokers apart.

use super::report::json;
use crate::support::*;
use serde_json::Value;

/// The addresses of two brokers as `-h` takes them.
fn list(brokers: [&dyn Server; 2]) -> String {
    brokers.map(|broker| broker.address().to_string()).join(",")
}

/// A value of each broker in a report.
fn of_brokers(report: &Value, key: &str) -> Vec<u64> {
    let brokers = report["brokers"].as_array().unwrap_or_else(|| panic!("no brokers in {report}"));
    brokers
        .iter()
        .map(|broker| broker[key].as_u64().unwrap_or_else(|| panic!("no {key} in {broker}")))
        .collect()
}

#[test]
fn clients_are_spread_evenly() {
    let (first, second) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let hosts = list([&first, &second]);
    let words = format!("bench conn -h {hosts} -c 11 --hold 0.1 --processes 2 --output json");
    let report = json(mq(&words).run().succeed().as_bytes());
    assert_eq!((of_brokers(&report, "clients"), of_brokers(&report, "connected")), (vec![6, 5], vec![6, 5]));
    assert_eq!(report["plan"]["broker"], hosts.replace(',', ", "));
    assert_eq!(report["plan"]["load"]["brokers"], "2");
    let words = format!("bench pub -h {hosts} -c 6 --messages 600 --output json");
    let report = json(mq(&words).run().succeed().as_bytes());
    for key in ["sent", "acknowledged"] {
        assert_eq!(of_brokers(&report, key), [300, 300], "{report}");
    }
    let latency = &report["brokers"][1]["latency"]["acknowledged"];
    assert_eq!(latency["count"], 300, "{latency}");
}

#[test]
fn a_port_is_that_of_p_unless_the_broker_has_its_own() {
    let broker = EmbeddedBroker::start();
    let port = broker.address().port();
    for words in [format!("-h 127.0.0.1:{port}"), format!("-h 127.0.0.1:{port} -p 1")] {
        mq(&format!("bench {words} -c 2 --messages 10")).run().succeed();
    }
    let second = EmbeddedBroker::start();
    let words = format!("bench conn -h 127.0.0.1,{} -p {port} -c 2 --hold 0.1", second.address());
    assert_says(&mq(&words).run().succeed(), &["by broker", &broker.address().to_string()]);
}

#[test]
fn messages_cross_the_brokers_of_a_cluster() {
    let Some(second) = Mosquitto::start() else { return };
    let bridge = format!("connection other\naddress {}\ntopic # both 1", second.address());
    let Some(first) = Mosquitto::start_with(&bridge) else { return };
    // The bridge passes on the retained message as soon as it works.
    second.mq("pub -t ready -m yes -r -q 1").run().succeed();
    first.mq("sub -t ready -C 1").run().succeed();
    let words = format!("bench -h {} -c 4 --messages 400 --json -", list([&first, &second]));
    let report = json(mq(&words).run().succeed().as_bytes());
    assert_eq!(report["deliveries"]["lost"], 0, "{report}");
    for broker in 0..2 {
        let deliveries = report["brokers"][broker]["deliveries"].as_array().unwrap();
        let owed: Vec<_> = deliveries.iter().map(|pair| pair["owed"].as_u64()).collect();
        assert_eq!(owed, [Some(100); 2], "publishers of each broker reach subscribers of both: {report}");
    }
    assert_eq!(of_brokers(&report, "received"), [200, 200]);
}

#[test]
fn brokers_that_share_nothing_are_found_out() {
    let (first, second) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let (one, two) = (first.address().to_string(), second.address().to_string());
    let finished = mq(&format!("bench -h {one},{two} -q 0 -c 4 --messages 400")).run();
    let report = String::from_utf8(finished.stdout.clone()).unwrap();
    let text = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(
        &text,
        &[
            "by broker clients connected sent acknowledged received lost",
            &format!("none of the deliveries (100) arrived from publishers at {one} at subscribers of {two}"),
            "only if they are a cluster or have bridges",
            "latency by broker",
        ],
    );
}

#[test]
fn a_broker_that_is_down_is_named() {
    let broker = EmbeddedBroker::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words = format!("bench pub -h {},{free} -c 4 --messages 100 --output json", broker.address());
    let finished = mq(&words).run();
    let report = json(&finished.stdout);
    assert_eq!(of_brokers(&report, "connected"), [2, 0]);
    assert_eq!(of_brokers(&report, "sent"), [50, 0]);
    let error = report["errors"][0]["text"].as_str().unwrap();
    assert!(error.contains(&format!("cannot connect to {free}")), "{error}");
    assert_eq!((&report["errors"][0]["count"], report["errors"][1].is_null()), (&2.into(), true));
    assert_says(&finished.fail(1), &["mq bench:"]);
}

#[test]
fn errors_without_an_address_get_that_of_their_broker() {
    let open = EmbeddedBroker::start();
    let Some(closed) = Mosquitto::start_with("allow_anonymous false") else { return };
    let words = format!("bench conn -h {} -c 4 --hold 0.1 --output json", list([&open, &closed]));
    let report = json(&mq(&words).run().stdout);
    let error = report["errors"][0]["text"].as_str().unwrap();
    assert!(error.starts_with(&format!("{}: ", closed.address())), "{error}");
}

#[test]
fn each_form_of_the_report_has_a_row_for_each_broker() {
    let (first, second) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let run = |form: &str| {
        let words = format!("bench pub -h {} -c 4 --messages 100 --{form} -", list([&first, &second]));
        mq(&words).run().succeed()
    };
    let (one, two) = (first.address(), second.address());
    let sent = |address| format!("mq_bench_broker_sent_total{{broker=\"{address}\"}} 50\n");
    let page = run("prometheus");
    assert_says(&page, &[&sent(one), &sent(two), "broker_latency_seconds{broker="]);
    assert_says(&run("markdown"), &["| broker | clients |", &format!("| {one} | 2 | 2 | 50 | 50 | - | - |")]);
    assert_says(&run("html"), &["<caption>Brokers</caption>", &two.to_string()]);
}

#[test]
fn reports_of_two_machines_merge_by_broker() {
    let (first, second) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let directory = tempfile::TempDir::new().unwrap();
    let mut merge = mq("bench merge --output json");
    for shard in ["1/2", "2/2"] {
        let file = directory.path().join(shard.replace('/', "-"));
        let words = format!("bench pub -h {} -c 6 --messages 60 --shard {shard}", list([&first, &second]));
        mq(&words).arg("--json").arg(&file).run().succeed();
        merge = merge.arg(file);
    }
    let report = json(merge.run().succeed().as_bytes());
    assert_eq!((of_brokers(&report, "clients"), of_brokers(&report, "sent")), (vec![3, 3], vec![30, 30]));
}

#[test]
fn lists_and_options_that_make_no_sense_are_refused() {
    for (options, part) in [
        ("-h a,,b", "-h a,,b: expected HOST or HOST:PORT"),
        ("-h a:0,b", "a port from 1 to 65535"),
        ("-h a:70000", "a port from 1 to 65535"),
        ("-h [::1,b", "expected HOST or HOST:PORT"),
        ("-h a:1883,b,a", "-h: duplicate broker a port 1883"),
        ("-h a,b --embedded", "--embedded"),
        ("-h a,b --watch-broker", "--watch-broker reads the $SYS topics of one broker"),
        ("-L mqtt://a,b", "-L names one broker"),
        ("-h a,b -L mqtt://c", "-h names several brokers, but -L names one"),
        ("-h a,b --unix /c", "--unix cannot be used with -h;"),
        ("-S -h a:1,b", "-S: the SRV records contain the port"),
        ("-h a,b --preset aws", "--preset"),
    ] {
        assert_says(&mq(&format!("bench conn -c 2 {options}")).run().fail(2), &["mq bench:", part]);
    }
    let many: Vec<_> = (0..65).map(|number| format!("a{number}")).collect();
    let words = format!("bench conn -c 2 -h {}", many.join(","));
    assert_says(&mq(&words).run().fail(2), &["65 brokers exceed the maximum of 64"]);
}
