//! The state and the counts of bridges: a panel on a terminal, a line from time to time elsewhere, and JSON objects.

use super::describe;
use super::events;
use super::json_lines::JsonLines;
use crate::bridge::{Counts, DirectionSnapshot, Monitor, SideSnapshot, Snapshot};
use crate::columns;
use crate::commands::log::Log;
use crate::commands::{Messages, status_line};
use crate::escape;
use crate::json::{Writer, member};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::termios::tcgetwinsize;
use std::time::Duration;

/// The columns and rows of a terminal that does not say so.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Whether a bridge has rules for each direction, out and in.
pub(super) type Uses = [bool; 2];

/// Shows the state of bridges.
pub(super) struct Status {
    log: Log,
    json: Option<JsonLines>,
    panel: Option<ProgressBar>,
    interval: Duration,
    next: Duration,
    /// The messages forwarded out and in by each bridge, at the last line.
    earlier: Vec<[u64; 2]>,
    uses: Vec<Uses>,
    shown_at: Duration,
}

impl Status {
    pub(super) fn new(
        interval: Duration,
        uses: Vec<Uses>,
        messages: Messages,
        (log, json): (Log, Option<JsonLines>),
    ) -> Status {
        let bar = ProgressBar::new_spinner();
        let is_panel = !messages.quiet && !bar.is_hidden() && !interval.is_zero();
        if is_panel {
            let style = ProgressStyle::with_template("{msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            status_line::begin(&bar);
        }
        let panel = is_panel.then_some(bar);
        Status {
            log,
            json,
            panel,
            interval,
            next: interval,
            earlier: Vec::new(),
            uses,
            shown_at: Duration::ZERO,
        }
    }

    /// Shows the state at this time since the start.
    pub(super) fn show(&mut self, now: Duration, snapshots: &[Snapshot]) {
        if let Some(panel) = &self.panel {
            let lines = snapshots.iter().zip(&self.uses);
            let lines: Vec<String> =
                lines.flat_map(|(snapshot, uses)| panel_lines(snapshot, *uses)).collect();
            panel.set_message(fitted(&lines));
        }
        if self.interval.is_zero() || now < self.next {
            return;
        }
        self.next = now + self.interval;
        let time = now - self.shown_at;
        for (index, (snapshot, uses)) in snapshots.iter().zip(&self.uses).enumerate() {
            let earlier = self.earlier.get(index).copied().unwrap_or_default();
            if self.panel.is_none() {
                self.log.say(&line(snapshot, *uses, Some((earlier, time))));
            }
            if let Some(json) = &self.json {
                json.print(&object(snapshot, "status"));
            }
        }
        self.earlier = snapshots.iter().map(forwarded).collect();
        self.shown_at = now;
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        if self.panel.is_some() {
            status_line::end();
        }
    }
}

/// Logs the counts at the end.
pub(super) fn say_totals(monitor: &Monitor, uses: &[Uses], log: &Log, json: Option<&JsonLines>) {
    for (snapshot, uses) in monitor.snapshots().iter().zip(uses) {
        log.say(&format!("{}: {}", snapshot.name, totals(snapshot, *uses)));
        if let Some(json) = json {
            json.print(&object(snapshot, "end"));
        }
    }
}

fn forwarded(snapshot: &Snapshot) -> [u64; 2] {
    [snapshot.out.counts.forwarded, snapshot.incoming.counts.forwarded]
}

/// The directions that have rules, with their words.
fn directions(
    snapshot: &Snapshot,
    [uses_out, uses_in]: Uses,
) -> Vec<(usize, &'static str, &DirectionSnapshot)> {
    let all = [(uses_out, (0, "out", &snapshot.out)), (uses_in, (1, "in", &snapshot.incoming))];
    all.into_iter().filter(|(is_used, _)| *is_used).map(|(_, direction)| direction).collect()
}

/// The state of a bridge in a line.
fn line(snapshot: &Snapshot, uses: Uses, earlier: Option<([u64; 2], Duration)>) -> String {
    let mut parts = vec![format!("{}: {}", snapshot.name, describe::states(snapshot))];
    for (index, word, direction) in directions(snapshot, uses) {
        let earlier = earlier.and_then(|(forwarded, time)| Some((*forwarded.get(index)?, time)));
        parts.push(format!("{word}: {}", describe::direction(direction, earlier)));
    }
    parts.join("; ")
}

/// The counts of a bridge that has ended.
fn totals(snapshot: &Snapshot, uses: Uses) -> String {
    let directions = directions(snapshot, uses).into_iter();
    let parts =
        directions.map(|(_, word, direction)| format!("{word}: {}", describe::direction(direction, None)));
    format!("ended; {}", parts.collect::<Vec<_>>().join("; "))
}

fn panel_lines(snapshot: &Snapshot, uses: Uses) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", escape::line(&snapshot.name), describe::states(snapshot))];
    for (_, word, direction) in directions(snapshot, uses) {
        lines.push(format!("  {word:3}  {}", describe::direction(direction, None)));
    }
    for (side, of) in [("local", &snapshot.local), ("remote", &snapshot.remote)] {
        if let Some(error) = of.last_error.as_ref().filter(|_| describe::state(of) != "connected") {
            lines.push(format!("  {side}: {}", escape::line(error)));
        }
    }
    lines
}

/// The lines that fit on the terminal, each cut to its width: a longer one would not be erased as a whole.
fn fitted(lines: &[String]) -> String {
    let size = tcgetwinsize(std::io::stderr()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    let (columns, rows) = size.map_or(USUAL_SIZE, |size| (size.ws_col.into(), size.ws_row.into()));
    let lines = lines.iter().take(rows.saturating_sub(1));
    lines.map(|line| columns::cut(line, columns.saturating_sub(1), "~")).collect::<Vec<_>>().join("\n")
}

/// The state of a bridge as a JSON object, on a line.
fn object(snapshot: &Snapshot, event: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out, false);
    events::open(&snapshot.name, event, &mut json);
    for (name, side) in [("local", &snapshot.local), ("remote", &snapshot.remote)] {
        json.key(name);
        side_object(side, &mut json);
    }
    for (name, direction) in [("out", &snapshot.out), ("in", &snapshot.incoming)] {
        json.key(name);
        direction_object(direction, &mut json);
    }
    json.close_object();
    out.push(b'\n');
    out
}

fn side_object(side: &SideSnapshot, json: &mut Writer<'_>) {
    json.open_object();
    member::text("state", describe::state(side), json);
    member::number("connections", side.connections, json);
    if let Some(error) = &side.last_error {
        member::text("last_error", error, json);
    }
    json.close_object();
}

fn direction_object(direction: &DirectionSnapshot, json: &mut Writer<'_>) {
    json.open_object();
    for (name, count) in counts(&direction.counts) {
        member::number(name, count, json);
    }
    member::number("in_flight", direction.in_flight, json);
    member::number("queued", direction.queued, json);
    member::number("queued_bytes", direction.queued_bytes, json);
    for (name, delay) in [("delay_p50", direction.delay_p50), ("delay_p99", direction.delay_p99)] {
        if let Some(delay) = delay {
            member::number(name, delay.as_secs_f64(), json);
        }
    }
    json.close_object();
}

/// The counts, with their keys.
pub(super) fn counts(counts: &Counts) -> [(&'static str, u64); 12] {
    [
        ("received", counts.received),
        ("forwarded", counts.forwarded),
        ("redelivered", counts.redelivered),
        ("dropped", counts.dropped),
        ("too_large", counts.too_large),
        ("rejected", counts.rejected),
        ("expired", counts.expired),
        ("looped", counts.looped),
        ("unmatched", counts.unmatched),
        ("maybe_doubled", counts.maybe_doubled),
        ("downgraded", counts.downgraded),
        ("sessions_lost", counts.sessions_lost),
    ]
}
