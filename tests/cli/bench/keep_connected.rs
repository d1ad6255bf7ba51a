//! `--keep-connected`: the connections stay up after the work is done.

use super::report::{free_address, json};
use super::scenario_file::file;
use super::wait_for_step;
use crate::support::*;

#[test]
fn connections_stay_up_until_ctrl_c_which_is_a_success() {
    for mode in ["pub", "pubsub", "conn", "rr"] {
        let broker = EmbeddedBroker::start();
        let metrics = free_address();
        let volume = if mode == "conn" { "--hold 0.1" } else { "--messages 10" };
        let words = format!("bench {mode} -c 2 {volume} --keep-connected --metrics {metrics} --output json");
        let bench = broker.mq(&words).spawn();
        wait_for_listener(metrics);
        wait_for_step(metrics, "hold");
        bench.signal("INT");
        let report = json(bench.finish().succeed().as_bytes());
        assert_eq!(
            (&report["ending"], &report["clients"]["lost"]),
            (&"complete".into(), &0.into()),
            "{mode}"
        );
        let phases = report["phases"].as_array().unwrap();
        assert_eq!(phases.last().unwrap()["name"], "hold", "{mode}");
    }
}

#[test]
fn a_time_ends_it() {
    let words = "bench pub --embedded -c 2 --messages 10 --keep-connected=0.2 --output json";
    let report = json(mq(words).run().succeed().as_bytes());
    assert_eq!(report["phases"].as_array().unwrap().last().unwrap()["name"], "hold");
    assert_eq!(report["plan"]["load"]["connections kept"], "for 0.2 s");
    let measured = report["messages"]["sent"]["count"].as_u64();
    assert_eq!(measured, Some(10));
}

#[test]
fn a_connection_that_is_lost_meanwhile_is_a_failure() {
    let mut broker = EmbeddedBroker::start();
    let metrics = free_address();
    let words = format!("bench pub -c 2 --messages 10 --keep-connected --metrics {metrics}");
    let bench = broker.mq(&words).spawn();
    wait_for_listener(metrics);
    wait_for_step(metrics, "hold");
    broker.kill();
    let finished = bench.finish();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["all clients lost their connections"]);
    assert_says(&finished.fail(7), &["mq bench:"]);
}

#[test]
fn messages_that_arrived_before_are_judged_even_if_the_broker_dies_meanwhile() {
    let mut broker = EmbeddedBroker::start();
    let metrics = free_address();
    let words = format!("bench pubsub -c 2 --messages 10 --keep-connected --metrics {metrics}");
    let bench = broker.mq(&words).spawn();
    wait_for_listener(metrics);
    wait_for_step(metrics, "hold");
    broker.kill();
    let finished = bench.finish();
    let report = String::from_utf8_lossy(&finished.stdout);
    assert_says(
        &report,
        &["all clients lost their connections", "all 10 messages arrived, once and in order"],
    );
    finished.expect_status(7);
}

#[test]
fn a_scenario_keeps_its_clients_connected() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 2\nmessages = 10\n";
    for (key, options, kept, words) in [
        ("keep_connected = 0.2\n", "", "for 0.2 s", "and the connections stay up for 0.2 s\n"),
        (
            "keep_connected = \"forever\"\n",
            "--keep-connected=0.1",
            "for 0.1 s",
            "and the connections stay up for 0.1 s\n",
        ),
    ] {
        let file = file(&format!("{key}{group}"));
        let words_of_run = format!("bench scenario --embedded --output json {options}");
        let finished = mq(&words_of_run).arg(file.path()).run();
        assert_says(&finished.stderr, &[words]);
        let report = json(finished.succeed().as_bytes());
        assert_eq!(report["phases"].as_array().unwrap().last().unwrap()["name"], "hold");
        assert_eq!(report["plan"]["load"]["connections kept"], kept);
    }
    let file = file(&format!("keep_connected = \"1s\"\n{group}"));
    let error = mq("bench scenario --embedded --repeat 2").arg(file.path()).run().fail(2);
    assert_says(&error, &["keep_connected in the file is for one run; leave --repeat out"]);
}

#[test]
fn a_repeat_of_the_run_keeps_them_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let words = "bench pub --embedded -c 2 --messages 10 --keep-connected=0.2 --json";
    mq(words).arg(file.path()).run().succeed();
    let again = mq("bench --output json --repeat-of").arg(file.path()).run();
    assert_says(&again.stderr, &["and the connections stay up for 0.2 s\n"]);
    let report = json(again.succeed().as_bytes());
    assert_eq!(report["plan"]["load"]["connections kept"], "for 0.2 s");
}

#[test]
fn it_goes_with_a_single_run() {
    for (options, part) in [
        ("pub --keep-connected --repeat 2", "--repeat"),
        ("pub --keep-connected --search rate", "--keep-connected"),
        ("pub --keep-connected=soon", "--keep-connected"),
        ("reconnect --keep-connected", "--keep-connected cannot be used with reconnect"),
    ] {
        assert_says(&mq(&format!("bench {options} --embedded")).run().fail(2), &["mq bench:", part]);
    }
}
