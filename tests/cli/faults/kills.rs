//! Programs that are killed in the middle, as by a failure of their machine, and started again.

use super::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Mosquitto writes its sessions to the disk after each change.
const PERSISTENT: &str = "persistence true\npersistence_location {directory}/\n\
                          autosave_on_changes true\nautosave_interval 1";

/// The kills of a run.
const KILLS: usize = 3;

/// How often each line has come.
fn counts(lines: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

/// A message that was printed and not yet acknowledged comes again: once for each kill.
#[track_caller]
fn assert_doubled_by_kills_only(received: &BTreeMap<String, usize>) {
    let missing: Vec<String> =
        lines().lines().filter(|line| !received.contains_key(*line)).map(str::to_owned).collect();
    assert!(missing.is_empty(), "MQ_FAULT_SEED={}: missing {missing:?}", seed());
    let doubled = received.iter().find(|(_, count)| **count > KILLS + 1);
    assert_eq!(doubled, None, "MQ_FAULT_SEED={}", seed());
}

#[test]
fn a_killed_subscriber_with_a_kept_session_misses_nothing() {
    on_each_broker(|broker| {
        for qos in [1, 2] {
            let session = format!("sub -d -c -i reader{qos} -t lines{qos} -q {qos}");
            broker.mq(&format!("{session} -E")).run().succeed();
            let mut publisher = broker.mq(&format!("pub -d -t lines{qos} -l -q {qos}")).open_stdin().spawn();
            let lines = lines();
            let mut received = Vec::new();
            let parts: Vec<&[u8]> = lines.as_bytes().chunks(lines.len().div_ceil(KILLS)).collect();
            for part in parts {
                let mut subscriber = broker.mq(&session).spawn();
                subscriber.wait_for_stderr("<- SUBACK");
                publisher.write(part);
                subscriber.wait_for_stdout("");
                subscriber.kill();
                // With all that is still in its pipe.
                received.extend(whole_lines(&subscriber.finish().stdout));
            }
            publisher.finish().succeed();
            broker.mq(&format!("pub -t lines{qos} -m end -q {qos}")).run().succeed();
            let mut subscriber = broker.mq(&session).spawn();
            subscriber.wait_for_stdout("end");
            received.extend(whole_lines(&subscriber.stdout_so_far()));
            received.retain(|line| line != "end");
            assert_doubled_by_kills_only(&counts(received));
        }
    });
}

/// The lines of a program's output, without one that was cut off.
fn whole_lines(output: &[u8]) -> Vec<String> {
    let output = std::str::from_utf8(output).unwrap();
    output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
}

#[test]
fn a_killed_recorder_continues_its_recording() {
    on_each_broker(|broker| {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("recording.ndjson");
        let session = "sub -d -c -i recorder -t lines -q 1";
        let recorder = || {
            let mut running = broker.mq(session).arg("--record").arg(&file).spawn();
            running.wait_for_stderr("<- SUBACK");
            running
        };
        broker.mq(&format!("{session} -E")).run().succeed();
        let mut publisher = broker.mq("pub -t lines -l -q 1").open_stdin().spawn();
        let lines = lines();
        for part in lines.as_bytes().chunks(lines.len().div_ceil(KILLS)) {
            let mut running = recorder();
            publisher.write(part);
            running.wait_for_stderr("<- PUBLISH");
            running.kill();
        }
        publisher.finish().succeed();
        let mut running = recorder();
        broker.mq("pub -t lines -m end -q 1").run().succeed();
        wait_for_text(&file, "\"end\"");
        running.signal("INT");
        running.wait_for_end();
        let recorded = recorded(&file).into_iter().filter(|payload| payload != "end");
        assert_doubled_by_kills_only(&counts(recorded));
    });
}

/// A killed publisher does not know which of its messages arrived. None comes twice, and none before an earlier one that was lost.
#[test]
fn a_killed_publisher_of_QoS_2_doubles_nothing_and_leaves_no_gap() {
    on_each_broker(|broker| {
        let mut subscriber = broker.subscriber("-t lines -q 2");
        for round in 0..KILLS {
            let mut publisher = broker.mq("pub -d -i writer -t lines -l -q 2").open_stdin().spawn();
            publisher.write(lines().lines().map(|line| format!("{round} {line}\n")).collect::<String>());
            publisher.wait_for_stderr("<- PUBREC");
            publisher.kill();
        }
        broker.mq("pub -t lines -m end -q 2").run().succeed();
        subscriber.wait_for_stdout("end");
        let received = whole_lines(&subscriber.stdout_so_far());
        for round in 0..KILLS {
            let round = format!("{round} ");
            let of_round = received.iter().filter_map(|line| line.strip_prefix(&round));
            let sent = lines();
            let differing = of_round.zip(sent.lines()).find(|(received, sent)| received != sent);
            assert_eq!(differing, None, "MQ_FAULT_SEED={}: {received:?}", seed());
        }
        assert!(received.len() <= KILLS * messages() + 1);
    });
}

fn wait_for_text(file: &Path, part: &str) {
    let deadline = std::time::Instant::now() + DEADLINE;
    while !std::fs::read_to_string(file).unwrap().contains(part) {
        assert!(std::time::Instant::now() < deadline, "no {part} in {}", file.display());
        thread::sleep(std::time::Duration::from_millis(2)); // nothing says that a file has changed
    }
}

/// The bytes between two clients and the broker go through a proxy of ours, which dies with all connections.
#[test]
fn a_killed_proxy_loses_and_doubles_nothing_at_QoS_2() {
    on_each_broker(|broker| {
        let proxy = |port: u16| {
            let mut running =
                mq(&format!("inspect --listen {port} --to {} --stats", broker.address())).spawn();
            let line = running.wait_for_stderr("listening on");
            let address = listening_address(&line);
            (running, address)
        };
        let (mut running, address) = proxy(0);
        let place = format!("-h {} -p {}", address.ip(), address.port());
        let mut subscriber =
            mq(&format!("sub -d {place} -c -i reader -t lines -q 2 -C {}", messages())).spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        let words = format!("pub -V 5 {place} -t lines -l -q 2 --retries 50");
        let mut publisher = mq(&words).open_stdin().spawn();
        let lines = lines();
        for part in lines.as_bytes().chunks(lines.len().div_ceil(KILLS)) {
            publisher.write(part);
            subscriber.wait_for_stdout("");
            running.kill();
            running = proxy(address.port()).0;
        }
        publisher.finish().succeed();
        let received: Vec<String> = subscriber.finish().succeed().lines().map(str::to_owned).collect();
        assert_complete(&received, 2, "through a proxy that was killed");
    });
}

/// A broker that is killed may lose what it has acknowledged and not saved, and forgets sessions, so messages in flight may be lost
/// or doubled: mq goes on, and says so.
#[test]
fn clients_of_a_killed_broker_go_on() {
    let Some(mut mosquitto) = Mosquitto::start_with(PERSISTENT) else { return };
    let mut embedded = EmbeddedBroker::start();
    for broker in [&mut mosquitto as &mut dyn Broker, &mut embedded] {
        let mut subscriber = broker.subscriber("-t lines -q 1");
        let mut publisher = broker.mq("pub -d -t lines -l -q 1 --retries 50").open_stdin().spawn();
        for round in 0..KILLS {
            publisher.write(lines());
            publisher.wait_for_stderr("<- PUBACK");
            broker.kill();
            publisher.wait_for_stderr("again");
            broker.restart();
            subscriber.wait_for_stderr("<- SUBACK");
            publisher.wait_for_stderr("<- CONNACK");
            publisher.write(format!("after kill {round}\n"));
            subscriber.wait_for_stdout(&format!("after kill {round}"));
        }
        publisher.finish().succeed();
        subscriber.signal("INT");
        subscriber.wait_for_end();
        // Whatever was acknowledged before the last kill is a whole line.
        let known: HashSet<String> = lines().lines().map(str::to_owned).collect();
        let others: Vec<String> = whole_lines(&subscriber.stdout_so_far())
            .into_iter()
            .filter(|line| !known.contains(line) && !line.starts_with("after kill"))
            .collect();
        assert_eq!(others, Vec::<String>::new());
    }
}
