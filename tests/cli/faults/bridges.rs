//! A bridge whose both ends are at one broker. The faults without TLS are in the matrix of the bridge.

use super::*;

/// The topic is `from/ID` at the source, and `ID` at the target.
pub(super) fn over_tls(case: &Case<'_>) {
    let (id, mut witness) = (case.id(), case.witness(2));
    let direct = case.broker.address();
    // The first run subscribes, so that no message comes too early for the second.
    let first = start(case, &format!("mqtt://{direct}"), &format!("mqtt://{direct}"));
    first.signal("TERM");
    first.finish().succeed();
    // mosquitto repeats messages that it has released if two connections break one after the other.
    let (from, to) = (case.proxy_of(1, messages() * 20), case.proxy_for_stream());
    let bridge = start(case, &format!("mqtts://{}", from.address()), &format!("mqtts://{}", to.address()));
    case.broker.mq(&format!("pub -l -q 2 -t from/{id}")).stdin(lines()).run().succeed();
    witness.wait_for_stdout(&(messages() - 1).to_string());
    assert!(from.has_run_out_of_faults(), "the fault has happened at the source");
    assert_complete(&case.witnessed(witness), 2, case.name);
    bridge.signal("TERM");
    bridge.finish().succeed();
}

/// `mq bridge` that has connected to both addresses.
fn start(case: &Case<'_>, from: &str, to: &str) -> Running {
    let id = case.id();
    let words = format!("bridge --from {from} --to {to} --name {id} --notifications none --ack-timeout 1s");
    let mut program = mq(&words).arg(format!("{id} out 2 from/ \"\""));
    for side in ["FROM", "TO"] {
        program = program.env(&format!("MQ_{side}_KEEPALIVE"), "5");
        program = program.env(&format!("MQ_{side}_CONNECT_TIMEOUT"), "3");
        if let Some(listener) = case.tls.filter(|_| from.starts_with("mqtts")) {
            program = program.env(&format!("MQ_{side}_CAFILE"), listener.authority());
        }
    }
    let mut bridge = program.spawn();
    bridge.wait_for_stderr("connected to the ");
    bridge.wait_for_stderr("connected to the ");
    bridge
}
