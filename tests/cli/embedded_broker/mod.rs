//! `mq broker`, tested by clients that send scripted bytes. Where MQTT leaves no choice, the same test runs
//! against mosquitto: it shows that the test is right.

mod access_rules;
mod bad_bytes;
mod bounds;
mod budgets;
mod delivery;
mod guessing;
mod limits;
mod log;
mod process;
mod retained;
mod sessions;
mod subscriptions;
mod tls;
mod unix_socket;
mod users;
mod version_31;
mod wills;

use crate::support::DEADLINE;
use std::time::Instant;

/// Repeats an observation, which takes a packet in each direction, until it is this one.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
    }
}
