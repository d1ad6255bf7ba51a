//! Words for the state and the counts of bridges, shared by the log, the panel and the service manager.

use crate::bench::report::duration;
use crate::bridge::{Counts, DirectionSnapshot, SideSnapshot, SideState, Snapshot};
use std::time::Duration;

/// Whether a bridge has rules for each direction, out and in.
pub(super) type Uses = [bool; 2];

/// The state of a connection, as a word.
pub(super) fn state(side: &SideSnapshot) -> &'static str {
    match side.state {
        SideState::Connecting => "connecting",
        SideState::Connected => "connected",
        SideState::Waiting => "waiting",
        SideState::Ended => "ended",
    }
}

/// The states of both connections.
pub(super) fn states(snapshot: &Snapshot) -> String {
    match (state(&snapshot.local), state(&snapshot.remote)) {
        (local, remote) if local == remote => format!("both {local}"),
        (local, remote) => format!("local {local}, remote {remote}"),
    }
}

/// The number of messages that were not forwarded, of all reasons.
pub(super) fn dropped(counts: &Counts) -> u64 {
    let Counts { dropped, too_large, rejected, expired, looped, .. } = *counts;
    dropped + too_large + rejected + expired + looped
}

/// The messages forwarded per second, out and in, since there were that many.
pub(super) fn rates(snapshot: &Snapshot, [out, incoming]: [u64; 2], time: Duration) -> [f64; 2] {
    let seconds = time.as_secs_f64();
    [(&snapshot.out, out), (&snapshot.incoming, incoming)].map(|(direction, earlier)| {
        let count = direction.counts.forwarded.saturating_sub(earlier);
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    })
}

/// The directions that have rules, with their words and rates.
pub(super) fn directions(
    snapshot: &Snapshot,
    [uses_out, uses_in]: Uses,
    [rate_out, rate_in]: [f64; 2],
) -> impl Iterator<Item = (&'static str, &DirectionSnapshot, f64)> {
    let all = [(uses_out, ("out", &snapshot.out, rate_out)), (uses_in, ("in", &snapshot.incoming, rate_in))];
    all.into_iter().filter(|(is_used, _)| *is_used).map(|(_, direction)| direction)
}

/// The counts of a direction, with the messages forwarded per second.
pub(super) fn direction(snapshot: &DirectionSnapshot, rate: Option<f64>) -> String {
    let DirectionSnapshot { counts, in_flight, queued, .. } = snapshot;
    let rate = rate.map(|rate| format!(" ({rate:.0}/s)"));
    let mut text = format!(
        "forwarded {}{}, in flight {in_flight}, queued {queued}, dropped {}",
        counts.forwarded,
        rate.unwrap_or_default(),
        dropped(counts)
    );
    if counts.maybe_doubled > 0 {
        text.push_str(&format!(", maybe doubled {}", counts.maybe_doubled));
    }
    if let (Some(p50), Some(p99)) = (snapshot.delay_p50, snapshot.delay_p99) {
        text.push_str(&format!(", delay p50 {}, p99 {}", shown(p50), shown(p99)));
    }
    text
}

fn shown(time: Duration) -> String {
    duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
