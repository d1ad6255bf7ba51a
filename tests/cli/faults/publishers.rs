//! Commands that publish: all that they were given arrives, or they say so.

use super::*;

/// A message is about this long with its acknowledgement, and so are CONNECT and CONNACK.
const SINGLE: usize = 150;

pub(super) fn single_of_qos_1(case: &Case<'_>) {
    let received = single(case, 1);
    assert!(received.iter().all(|line| line == "0"), "{received:?}");
    assert!(!received.is_empty() || case.fault == Fault::Garbage);
}

pub(super) fn single_of_qos_2(case: &Case<'_>) {
    let received = single(case, 2);
    assert!(received == ["0"] || (received.is_empty() && case.fault == Fault::Garbage), "{received:?}");
}

fn single(case: &Case<'_>, qos: u8) -> Vec<String> {
    let (witness, proxy) = (case.witness(qos), case.proxy(SINGLE));
    let words = format!("pub -V 5 -t {} -m 0 -q {qos} --retries 20", case.id());
    let finished = case.mq(proxy.address(), &words).run();
    if case.fault != Fault::Garbage || finished.status == 0 {
        finished.succeed();
    } else {
        assert_ended_by_garbage(&finished);
    }
    case.witnessed(witness)
}

/// Status 0 only if the message has arrived; else the reason, and never a second attempt.
pub(super) fn single_without_retries(case: &Case<'_>) {
    let (witness, proxy) = (case.witness(1), case.proxy(SINGLE));
    let finished = case.mq(proxy.address(), &format!("pub -V 5 -t {} -m 0 -q 1", case.id())).run();
    let received = case.witnessed(witness);
    assert!(received.len() <= 1, "{received:?}");
    match finished.status {
        0 => assert_eq!(received, ["0"]),
        _ if case.fault.is_harmless() => finished.expect_status(0),
        1 | 7 | 27 => {
            assert!(finished.stderr.starts_with("mq pub:"), "{}", finished.stderr);
            assert!(!finished.stderr.contains("again"), "{}", finished.stderr);
        }
        _ => finished.expect_status(7),
    }
}

pub(super) fn lines_of_qos_1(case: &Case<'_>) {
    stream(case, 1, &|program, id| program.words(&format!("-l -q 1 -t {id}")).stdin(lines()));
}

pub(super) fn lines_of_qos_2(case: &Case<'_>) {
    stream(case, 2, &|program, id| program.words(&format!("-l -q 2 -t {id}")).stdin(lines()));
}

/// The messages of a stream as `mq pub --ndjson` and `--replay` read them.
fn stream_of_objects(topic: &str, qos: u8) -> String {
    let object = |number| {
        format!(
            "{{\"time\":\"2026-01-31T12:00:00Z\",\"topic\":\"{topic}\",\"payload\":\"{number}\",\"qos\":{qos}}}\n"
        )
    };
    (0..messages()).map(object).collect()
}

pub(super) fn objects_of_qos_1(case: &Case<'_>) {
    objects(case, 1);
}

pub(super) fn objects_of_qos_2(case: &Case<'_>) {
    objects(case, 2);
}

fn objects(case: &Case<'_>, qos: u8) {
    stream(case, qos, &|program, id| program.words("--ndjson").stdin(stream_of_objects(id, qos)));
}

pub(super) fn recording_of_qos_1(case: &Case<'_>) {
    recording(case, 1);
}

pub(super) fn recording_of_qos_2(case: &Case<'_>) {
    recording(case, 2);
}

fn recording(case: &Case<'_>, qos: u8) {
    let file = case.directory.path().join("recording.ndjson");
    std::fs::write(&file, stream_of_objects(&case.id(), qos)).unwrap();
    stream(case, qos, &|program, _| program.words("--speed max --replay").arg(&file));
}

/// Publishes all lines through the faulty network, to be received once (QoS 2) or at least once.
fn stream(case: &Case<'_>, qos: u8, with: &dyn Fn(Program, &str) -> Program) {
    let (witness, proxy) = (case.witness(qos), case.proxy_for_stream());
    let program = case.mq(proxy.address(), "pub -V 5 --retries 50");
    let finished = with(program, &case.id()).run();
    check_stream(case, witness, qos, finished);
}

/// All lines have arrived, or with garbage those at the beginning.
fn check_stream(case: &Case<'_>, witness: Running, qos: u8, finished: process::Finished) {
    let received = case.witnessed(witness);
    if case.fault == Fault::Garbage && finished.status != 0 {
        assert_ended_by_garbage(&finished);
        return assert_begun(&received, qos, case.name);
    }
    finished.succeed();
    assert_complete(&received, qos, case.name);
}

/// A proxy of ours between the client and the faulty network. It outlives all connections, and keeps no descriptor of them.
pub(super) fn through_inspect(case: &Case<'_>) {
    let (witness, inspect) = (case.witness(2), Inspect::before(case.proxy_for_stream()));
    let words = format!("pub -V 5 --retries 50 -l -q 2 -t {}", case.id());
    let finished = case.mq(inspect.address, &words).stdin(lines()).run();
    check_stream(case, witness, 2, finished);
    inspect.end_without_connections();
}
