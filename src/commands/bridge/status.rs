//! The state and the counts of bridges: a panel on a terminal, a line from time to time elsewhere, and JSON objects.

use super::describe::{self, Uses};
use super::events;
use super::json_lines::JsonLines;
use super::panel::{self, Shown};
use super::panel_thread::PanelThread;
use crate::bridge::{Counts, DirectionSnapshot, Monitor, SideSnapshot, Snapshot};
use crate::commands::Messages;
use crate::commands::log::Log;
use crate::commands::terminal::Terminal;
use crate::escape::shortened;
use crate::json::{Writer, member};
use std::time::Duration;

/// The time for a rate on the panel.
const RATE_TIME: Duration = Duration::from_secs(1);

/// Shows the state of bridges.
pub(super) struct Status {
    log: Log,
    json: Option<JsonLines>,
    panel: Option<PanelThread>,
    interval: Duration,
    next: Duration,
    uses: Vec<Uses>,
    /// Since the last line, and on the panel.
    of_lines: Rates,
    of_panel: Rates,
}

/// The messages that each bridge has forwarded out and in, at a time.
#[derive(Debug, Default)]
struct Rates {
    earlier: Vec<[u64; 2]>,
    at: Duration,
    /// Per second, until then.
    rates: Vec<[f64; 2]>,
}

impl Rates {
    /// Computes the rates since the last call.
    fn update(&mut self, now: Duration, snapshots: &[Snapshot]) {
        let time = now.saturating_sub(self.at);
        let earlier = self.earlier.iter().copied().chain(std::iter::repeat([0; 2]));
        self.rates =
            snapshots.iter().zip(earlier).map(|(one, earlier)| describe::rates(one, earlier, time)).collect();
        self.earlier = snapshots.iter().map(forwarded).collect();
        self.at = now;
    }

    fn of(&self, index: usize) -> [f64; 2] {
        self.rates.get(index).copied().unwrap_or_default()
    }
}

impl Status {
    pub(super) fn new(
        interval: Duration,
        uses: Vec<Uses>,
        messages: Messages,
        (log, json): (Log, Option<JsonLines>),
    ) -> Status {
        let is_panel = !messages.quiet && !interval.is_zero();
        let panel = is_panel.then(PanelThread::start).flatten();
        let (of_lines, of_panel) = (Rates::default(), Rates::default());
        Status { log, json, panel, interval, next: interval, uses, of_lines, of_panel }
    }

    /// Whether there is something to show at this time since the start.
    pub(super) fn wants(&self, now: Duration) -> bool {
        self.panel.is_some() || self.is_due(now)
    }

    fn is_due(&self, now: Duration) -> bool {
        !self.interval.is_zero() && now >= self.next
    }

    /// Shows the state at this time since the start.
    pub(super) fn show(&mut self, now: Duration, snapshots: &[Snapshot]) {
        if let Some(panel) = &self.panel {
            if now.saturating_sub(self.of_panel.at) >= RATE_TIME {
                self.of_panel.update(now, snapshots);
            }
            let bridges = snapshots.iter().zip(&self.uses).enumerate();
            let bridges = bridges.map(|(index, (snapshot, uses))| {
                let rates = self.of_panel.of(index);
                Shown { snapshot, uses: *uses, rates }
            });
            let bridges: Vec<Shown<'_>> = bridges.collect();
            let size = Terminal::size();
            panel.draw(panel::lines(&bridges, size), size);
        }
        if !self.is_due(now) {
            return;
        }
        self.next = now + self.interval;
        self.of_lines.update(now, snapshots);
        for (index, (snapshot, uses)) in snapshots.iter().zip(&self.uses).enumerate() {
            if self.panel.is_none() {
                self.log.say(&line(snapshot, *uses, self.of_lines.of(index)));
            }
            if let Some(json) = &self.json {
                json.print(&object(snapshot, "status"));
            }
        }
    }
}

/// Logs the counts at the end.
pub(super) fn say_totals(monitor: &Monitor, uses: &[Uses], log: &Log, json: Option<&JsonLines>) {
    for (snapshot, uses) in monitor.snapshots().iter().zip(uses) {
        log.say(&format!("{}: {}", shortened(&snapshot.name), totals(snapshot, *uses)));
        if let Some(json) = json {
            json.print(&object(snapshot, "end"));
        }
    }
}

fn forwarded(snapshot: &Snapshot) -> [u64; 2] {
    [snapshot.out.counts.forwarded, snapshot.incoming.counts.forwarded]
}

/// The state of a bridge in a line.
fn line(snapshot: &Snapshot, uses: Uses, rates: [f64; 2]) -> String {
    let mut parts = vec![format!("{}: {}", shortened(&snapshot.name), describe::states(snapshot))];
    for (word, direction, rate) in describe::directions(snapshot, uses, rates) {
        parts.push(format!("{word}: {}", describe::direction(direction, Some(rate))));
    }
    parts.join("; ")
}

/// The counts of a bridge that has ended.
fn totals(snapshot: &Snapshot, uses: Uses) -> String {
    let directions = describe::directions(snapshot, uses, [0.0; 2]);
    let parts =
        directions.map(|(word, direction, _)| format!("{word}: {}", describe::direction(direction, None)));
    format!("ended; {}", parts.collect::<Vec<_>>().join("; "))
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
