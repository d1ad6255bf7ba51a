//! Commands that subscribe: they come back, and with a kept session they miss nothing.

use super::*;
use std::time::{Duration, Instant};

/// Messages that are published before the last of them has arrived; fewer than a broker keeps for a client, and than mosquitto 2.0.11 loses
/// its way with at QoS 2 (docs/bridge.md).
const PART: usize = 20_000;

/// A command is a process, so there are not as many as messages.
const MAX_COMMANDS: usize = 300;

/// After faults that nobody counts, messages that are published from now on arrive.
pub(super) fn plain(case: &Case<'_>) {
    let (id, proxy) = (case.id(), case.proxy(100));
    let mut subscriber = case.mq(proxy.address(), &format!("sub -d -t {id} -q 1 --retries 50")).spawn();
    let mut publisher = case.broker.mq(&format!("pub -t {id} -l")).open_stdin().spawn();
    let deadline = Instant::now() + DEADLINE;
    if case.fault == Fault::Garbage {
        if subscriber.try_wait_for_stderr("<- SUBACK").is_some() {
            publisher.write("one\n".repeat(100));
        }
        return assert_ended_by_garbage(&subscriber.finish());
    }
    while !(proxy.has_run_out_of_faults() || case.fault.is_harmless()) {
        assert!(Instant::now() < deadline, "{}: it does not come back", case.name);
        publisher.write("early\n");
        thread::sleep(Duration::from_millis(20)); // so that something passes until the fault
    }
    while !contains(&subscriber, "late") {
        assert!(Instant::now() < deadline, "{}: nothing comes", case.name);
        publisher.write("late\n");
        thread::sleep(Duration::from_millis(20)); // there is no answer at QoS 0
    }
    subscriber.signal("INT");
    subscriber.wait_for_end();
    subscriber.finish().expect_status(130);
}

fn contains(running: &Running, word: &str) -> bool {
    running.stdout_so_far().windows(word.len()).any(|part| part == word.as_bytes())
}

pub(super) fn kept_of_qos_1(case: &Case<'_>) {
    let output = kept(case, case.proxy_for_stream().address(), 1, messages(), &|program| program);
    assert_complete(&output, 1, case.name);
}

pub(super) fn kept_of_qos_2(case: &Case<'_>) {
    let output = kept(case, case.proxy_for_stream().address(), 2, messages(), &|program| program);
    assert_complete(&output, 2, case.name);
}

pub(super) fn through_inspect_of_qos_1(case: &Case<'_>) {
    through_inspect(case, 1);
}

pub(super) fn through_inspect_of_qos_2(case: &Case<'_>) {
    through_inspect(case, 2);
}

/// A proxy of ours between the client and the faulty network. It outlives all connections, and keeps no descriptor of them.
fn through_inspect(case: &Case<'_>, qos: u8) {
    let inspect = Inspect::before(case.proxy_for_stream());
    let output = kept(case, inspect.address, qos, messages(), &|program| program);
    assert_complete(&output, qos, case.name);
    inspect.end_without_connections();
}

pub(super) fn recorder(case: &Case<'_>) {
    let file = case.directory.path().join("recording.ndjson");
    let address = case.proxy_for_stream().address();
    kept(case, address, 2, messages(), &|program| program.words("-F %p --record").arg(&file));
    let received: Vec<String> = recorded(&file).into_iter().filter(|payload| payload != "part").collect();
    assert_complete(&received, if case.fault == Fault::Garbage { 1 } else { 2 }, case.name);
}

pub(super) fn commands(case: &Case<'_>) {
    let count = messages().min(MAX_COMMANDS);
    let address = case.proxy(count * 20).address();
    let with = |program: Program| program.arg("--exec").arg("read -r line; echo \"$line\"");
    let output = kept(case, address, 2, count, &with);
    assert_complete_of(count, &output, 2, case.name);
}

/// What a subscriber with a kept session prints of a stream that is published meanwhile. Its network is at this address.
fn kept(
    case: &Case<'_>,
    address: SocketAddr,
    qos: u8,
    count: usize,
    with: &dyn Fn(Program) -> Program,
) -> Vec<String> {
    let id = case.id();
    let session = format!("sub -c -i {id} -t {id} -q {qos}");
    case.broker.mq(&format!("{session} -E")).run().succeed();
    let start = || with(case.mq(address, &format!("{session} --retries 50")));
    let numbers: Vec<usize> = (0..count).collect();
    let parts =
        numbers.chunks(PART).map(|part| part.iter().map(|number| format!("{number}\n")).collect::<String>());
    if case.fault == Fault::Garbage {
        return kept_despite_garbage(case, &format!("pub -t {id} -l -q {qos}"), parts, &start);
    }
    let mut publisher = case.broker.mq(&format!("pub -t {id} -l -q {qos}")).open_stdin().spawn();
    let mut subscriber = start().spawn();
    for part in parts {
        publisher.write(part);
        publisher.write("part\n");
        subscriber.wait_for_stdout("part");
    }
    publisher.finish().succeed();
    subscriber.signal("INT");
    let finished = subscriber.finish();
    finished.expect_status(130);
    printed(&finished)
}

fn printed(finished: &process::Finished) -> Vec<String> {
    let output = String::from_utf8_lossy(&finished.stdout);
    output.lines().filter(|line| *line != "part").map(str::to_owned).collect()
}

/// Garbage ends the program. The session is kept, and the next run gets the rest; only what was printed and not yet settled comes again.
fn kept_despite_garbage(
    case: &Case<'_>,
    publish: &str,
    parts: impl Iterator<Item = String>,
    start: &dyn Fn() -> Program,
) -> Vec<String> {
    let (mut seen, mut received) = (HashSet::new(), Vec::new());
    let mut ended = 0;
    for part in parts {
        let last = part.lines().last().unwrap().to_owned();
        case.broker.mq(publish).stdin(part).run().succeed();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let finished = start().words("--idle-timeout 2").run();
            received.extend(printed(&finished).into_iter().filter(|line| seen.insert(line.clone())));
            if finished.status != 27 {
                assert_ended_by_garbage(&finished);
                ended += 1;
                assert!(ended <= case.connections(), "{}: it ends without a fault, too", case.name);
            } else if seen.contains(&last) {
                // This run has settled all that came, the lines before garbage as well.
                break;
            }
            assert!(Instant::now() < deadline, "{}: {} lines, and no more come", case.name, received.len());
        }
    }
    received
}
