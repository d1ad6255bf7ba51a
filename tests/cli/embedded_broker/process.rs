//! `mq broker` as a program.

use crate::support::*;

#[test]
fn the_first_line_is_the_address() {
    let mut broker = mq("broker -p 0").spawn();
    let line = broker.wait_for_stdout("");
    let port = line.strip_prefix("listening on 127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
    assert!(port.parse::<u16>().is_ok_and(|port| port != 0), "{line}");
}

#[cfg(target_os = "linux")] // all of 127.0.0.0/8 is this machine
#[test]
fn the_address_can_be_chosen() {
    let broker = EmbeddedBroker::start_with("--port 0 --bind 127.0.0.9");
    assert_eq!(broker.address().ip().to_string(), "127.0.0.9");
    Wire::v311(&broker, "me").ping();
}

#[test]
fn a_port_that_is_taken_is_reported() {
    let broker = EmbeddedBroker::start();
    let address = broker.address();
    let stderr = mq(&format!("broker -p {}", address.port())).run().fail(1);
    assert_says(&stderr, &["mq broker:", &address.to_string(), "in use"]);
}

#[test]
fn options_are_checked() {
    for (options, part) in
        [("-p 65536", "-p"), ("-p x", "-p"), ("--bind nowhere", "--bind"), ("word", "word")]
    {
        assert_says(&mq(&format!("broker {options}")).run().fail(2), &["mq broker:", part]);
    }
}

#[test]
fn signals_end_it_and_its_clients_are_reported() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let broker = EmbeddedBroker::start();
        let mut old = Wire::v311(&broker, "old");
        let mut new = Wire::v5(&broker, "new", "");
        let process = broker.into_process();
        process.signal(signal);
        assert_eq!(old.expect_end(), b"");
        let farewell = new.expect_end();
        assert!(farewell.is_empty() || (farewell[0], farewell[2]) == (0xe0, 0x8b), "{farewell:02x?}");
        process.finish().expect_status(status);
    }
}

#[test]
fn a_port_can_be_used_again_at_once() {
    let mut broker = EmbeddedBroker::start();
    let _client = Wire::v311(&broker, "me");
    broker.kill();
    broker.restart();
    Wire::v311(&broker, "me").ping();
}

#[cfg(target_os = "linux")]
#[test]
fn clients_that_come_and_go_leave_no_memory_and_no_descriptors() {
    let mut broker = EmbeddedBroker::start();
    let alone = broker.process().descriptors();
    let mut number = 0;
    let mut round = |broker: &mut EmbeddedBroker| {
        for _ in 0..600 {
            number += 1;
            let mut client = broker.connect();
            // With a will, and a topic of its own.
            client.send(&format!("10 (`MQTT` 04 06 003c `client{number}` `will/{number}` `bye`)"));
            client.expect("20 (00 00)");
            client.subscribe(&format!("`to/{number}/#` 01"));
            client.publish_and_wait(&format!("to/{number}/x"), "x");
            if number % 2 == 0 {
                client.send("e0 ()");
                client.expect_end();
            }
        }
        broker.process().wait_for_descriptors(alone);
        broker.process().own_memory()
    };
    round(&mut broker);
    let before = round(&mut broker);
    let after = [0; 4].map(|_| round(&mut broker))[3];
    // A session that is left behind takes over 2 KiB, 2,400 of them 5 MB.
    assert!(after < before + (2 << 20), "{before} bytes at first, and {after} later");
}

#[test]
fn it_outlives_a_closed_stdout() {
    let mut process = mq("broker -p 0").closing_stdout_after(1).spawn();
    let line = process.wait_for_stdout("listening");
    let port = line.rsplit(':').next().unwrap();
    mq(&format!("pub -h 127.0.0.1 -p {port} -t a -m x -q 1")).run().succeed();
}

#[test]
fn it_can_be_made_to_end_with_its_standard_input() {
    let mut process = mq("broker -p 0 --stop-with-stdin").open_stdin().spawn();
    process.wait_for_stdout("listening");
    process.close_stdin();
    process.finish().expect_status(0);
}

#[test]
fn a_killed_front_process_is_replaced() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --front-processes 1");
    let process = front_process(&mut broker);
    let mut lost = Wire::v311(&broker, "a");
    kill("KILL", &process);
    assert!(lost.expect_end().is_empty());
    let end = broker.process().wait_for_stderr("was killed by signal 9");
    let expected = format!(
        "front process {process} was killed by signal 9: 1 client lost; another one starts in 100 ms"
    );
    assert!(end.ends_with(&expected), "{end}");
    // It waits in the backlog until the next process accepts it.
    Wire::v311(&broker, "b").ping();
    assert_ne!(front_process(&mut broker), process);
}

#[test]
fn a_stopped_front_process_is_reported_until_it_continues() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --front-processes 1");
    let process = front_process(&mut broker);
    let mut client = Wire::v311(&broker, "a");
    client.ping();
    kill("STOP", &process);
    let silence = broker.process().wait_for_stderr("has not responded");
    assert_says(&silence, &[&format!("mq broker: front process {process} has not responded for ")]);
    let remedy = format!(": 1 client waiting; it is stopped, and `kill -CONT {process}` continues it");
    assert!(silence.ends_with(&remedy), "{silence}");
    kill("CONT", &process);
    let response = broker.process().wait_for_stderr("responds again");
    assert_says(&response, &[&format!("mq broker: front process {process} responds again, after ")]);
    client.ping();
}

#[test]
fn a_stopped_front_process_does_not_outlive_its_broker() {
    let mut broker = EmbeddedBroker::start_with("-p 0 --front-processes 1");
    let process = front_process(&mut broker);
    kill("STOP", &process);
    broker.process().signal("TERM");
    broker.process().wait_for_end();
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists(), "it is still there");
}

#[test]
fn a_hang_up_stops_a_broker_without_files_in_order() {
    let mut broker = EmbeddedBroker::start();
    let mut subscriber = broker.mq("sub -V 5 -t a -d").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    broker.process().signal("HUP");
    subscriber.wait_for_stderr("server shutting down");
    broker.process().wait_for_end();
}

/// The process identifier of the next front process in the log.
fn front_process(broker: &mut EmbeddedBroker) -> String {
    let line = broker.process().wait_for_stderr("accepts clients");
    line.split("front process ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}
