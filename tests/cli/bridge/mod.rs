//! `mq bridge`: rules, sections of mosquitto.conf, loops, and what is seen from outside.

mod check;
mod conf;
mod dry_run;
mod faults;
mod loops;
mod names;
mod panel;
mod properties;
mod signals;
mod status;
mod transports;

use crate::support::certificates::Files;
use crate::support::*;

fn brokers() -> (EmbeddedBroker, EmbeddedBroker) {
    (EmbeddedBroker::start(), EmbeddedBroker::start())
}

/// `mq bridge` between two brokers with these options; each rule is one argument.
fn between(local: &impl Server, remote: &impl Server, options: &str, rules: &[&str]) -> Program {
    let (local, remote) = (local.address(), remote.address());
    let program = mq(&format!("bridge --from mqtt://{local} --to mqtt://{remote} {options}"));
    rules.iter().fold(program, Program::arg)
}

/// A file with a bridge to a broker, and more lines.
fn file(lines: &str) -> Files {
    Files::new(&[("bridge.conf", lines.to_owned())])
}

/// `mq bridge` with this file.
fn with_file(files: &Files, options: &str) -> Program {
    mq("bridge --config").arg(files.path("bridge.conf")).words(options)
}

/// Waits until both brokers accepted the bridge.
fn wait_until_connected(bridge: &mut Running) {
    // In any order.
    bridge.wait_for_stderr("connected to the ");
    bridge.wait_for_stderr("connected to the ");
}
