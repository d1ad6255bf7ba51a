//! `--keep-connected`: the connections stay up after the work is done.

use super::report::{free_address, json};
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
