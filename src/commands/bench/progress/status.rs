//! The state of a run in progress, as plain data for the panel and the lines.

use crate::bench::plan::{Hold, Plan, Scenario, Volume};
use crate::bench::report::{Limit, SelfMeasurements};
use crate::bench::{Recent, Step, Totals, View};
use crate::protocol::Qos;
use crate::words::counted;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// The number of seconds in the history.
pub(super) const MAX_SECONDS: usize = 60;

/// The maximum number of error texts in a status.
const MAX_ERRORS: usize = 3;

/// A second of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Second {
    /// Events per second.
    pub(super) connected: f64,
    pub(super) sent: f64,
    pub(super) acknowledged: f64,
    pub(super) received: f64,
    /// Latencies in nanoseconds; `None` without samples.
    pub(super) p50: Option<u64>,
    pub(super) p99: Option<u64>,
}

/// The position in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Time { elapsed: Duration, whole: Duration },
    Count { elapsed: Duration, done: u64, whole: u64, left: Option<Duration> },
}

/// The late sends of a load with planned times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) sent: u64,
    pub(super) late: u64,
    pub(super) by_us: u64,
}

/// The state of a run at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Status {
    pub(super) phase: &'static str,
    /// Whether clients connect for the first time.
    pub(super) is_connecting: bool,
    /// Whether messages are sent, long enough for a limit to show.
    pub(super) is_loaded: bool,
    pub(super) extent: Extent,
    pub(super) connected: u64,
    /// Clients that should be connected by now, and those of groups that start later.
    pub(super) clients: u64,
    pub(super) later: u64,
    /// The number of the last second, counted from the start of the run.
    pub(super) last_second: u64,
    /// The last seconds; the newest is the last one.
    pub(super) seconds: Vec<Second>,
    /// Counts of failures, each with its noun.
    pub(super) failures: Vec<String>,
    /// The most frequent errors.
    pub(super) errors: Vec<(u64, String)>,
    /// `None` without planned send times.
    pub(super) late: Option<Late>,
    pub(super) limit: Limit,
}

/// Follows a run and keeps its last minute.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The time of the last full second, and the totals at that time.
    since: Duration,
    totals: Totals,
    second: u64,
    seconds: VecDeque<Second>,
    /// The start of the load, and of its measurement with the totals at that time.
    load_began: Option<Duration>,
    measured_from: Option<(Duration, Totals)>,
}

impl History {
    /// Takes a look at the run, at a time since its start.
    pub(super) fn observe(&mut self, now: Duration, view: &View<'_>) {
        if matches!(view.step, Step::WarmUp | Step::Measure) {
            self.load_began.get_or_insert(now);
        }
        if view.step == Step::Measure {
            self.measured_from.get_or_insert((now, *view.totals));
        }
        let elapsed = now.saturating_sub(self.since);
        if elapsed < Duration::from_secs(1) {
            return;
        }
        if self.seconds.len() == MAX_SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back(second(&self.totals, view.totals, elapsed, view.recent));
        (self.since, self.totals, self.second) = (now, *view.totals, self.second + 1);
    }

    /// The phase and the position in it, at a time since the start of the run.
    pub(super) fn position(&self, now: Duration, view: &View<'_>) -> (&'static str, Extent) {
        (phase(view.plan, view.step), self.extent(now, view))
    }

    /// The state at a time since the start of the run.
    pub(super) fn status(&self, now: Duration, view: &View<'_>) -> Status {
        let View { plan, totals, recent, .. } = *view;
        let measured = self.measured_from.map_or(0, |(_, before)| totals.sent.saturating_sub(before.sent));
        let late = Late { sent: measured, late: recent.late, by_us: recent.late_by_us };
        Status {
            phase: phase(plan, view.step),
            is_connecting: view.step == Step::Connect,
            is_loaded: plan.publishers() > 0 && self.load_began.is_some(),
            extent: self.extent(now, view),
            connected: totals.connected.saturating_sub(totals.gone()),
            clients: self.clients_due(now, plan),
            later: u64::from(plan.clients()).saturating_sub(self.clients_due(now, plan)),
            last_second: self.second,
            seconds: self.seconds.iter().copied().collect(),
            failures: failures(totals),
            errors: errors(recent),
            late: plan.has_open_loop().then_some(late),
            limit: self.limit(now, view, measured),
        }
    }

    fn clients_due(&self, now: Duration, plan: &Plan) -> u64 {
        plan.clients_due(self.load_began.map(|began| now.saturating_sub(began))).into()
    }

    fn limit(&self, now: Duration, view: &View<'_>, measured: u64) -> Limit {
        let (Step::WarmUp | Step::Measure | Step::CatchUp, Some(began)) = (view.step, self.load_began) else {
            return Limit::None;
        };
        let View { plan, totals, recent, .. } = *view;
        let time = now.saturating_sub(began);
        let measurements = SelfMeasurements::of_run(plan, time, measured, totals.sent, recent);
        measurements.limit(waits_for_broker(plan))
    }

    fn extent(&self, now: Duration, view: &View<'_>) -> Extent {
        let View { plan, step, elapsed, totals, .. } = *view;
        let count = |done: u64, whole: u64, per_second: f64| {
            let left = Some(whole.saturating_sub(done)).filter(|left| *left > 0 && per_second > 0.0);
            let left = left.and_then(|left| Duration::try_from_secs_f64(left as f64 / per_second).ok());
            Extent::Count { elapsed, done, whole, left }
        };
        let last = self.seconds.back().copied().unwrap_or_default();
        match (step, plan.volume) {
            (Step::Connect, _) => count(totals.settled(), self.clients_due(now, plan), last.connected),
            (Step::Subscribe, _) => count(totals.subscribed, plan.first_subscriptions().into(), 0.0),
            (Step::Wait, _) => Extent::Time { elapsed, whole: waiting_time(plan, elapsed) },
            (Step::WarmUp, _) => Extent::Time { elapsed, whole: plan.warm_up },
            (Step::Reconnect, _) => count(totals.reconnected, totals.connected, 0.0),
            (Step::CatchUp, _) => count(totals.finished, totals.publishers, 0.0),
            (Step::Measure, Volume::Messages(messages)) if plan.publishers() == 0 => {
                count(totals.received, messages, last.received)
            }
            (Step::Measure, Volume::Messages(messages)) => {
                let measured = self.measured_from.map_or(0, |(_, before)| before.sent);
                count(totals.sent.saturating_sub(measured), messages, last.sent)
            }
            (Step::Measure, Volume::Duration(whole)) => {
                // A measurement with a gap has this step twice.
                let began = self.measured_from.map_or(now, |(began, _)| began);
                Extent::Time { elapsed: now.saturating_sub(began), whole }
            }
            (Step::Hold, _) => match plan.hold {
                Some(Hold::For(whole)) => Extent::Time { elapsed, whole },
                Some(Hold::UntilInterrupted) | None => {
                    count(totals.connected.saturating_sub(totals.gone()), totals.connected, 0.0)
                }
            },
            (Step::Drain, _) => count(totals.arrived(), totals.due(), last.received),
        }
    }
}

impl Status {
    /// The mean of a rate over the last seconds, up to this number.
    pub(super) fn mean(&self, seconds: usize, rate: impl Fn(&Second) -> f64) -> f64 {
        let last: Vec<f64> = self.seconds.iter().rev().take(seconds).map(rate).collect();
        last.iter().sum::<f64>() / last.len().max(1) as f64
    }
}

fn second(before: &Totals, now: &Totals, elapsed: Duration, recent: &Recent) -> Second {
    let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / elapsed.as_secs_f64();
    Second {
        connected: rate(now.connected, before.connected),
        sent: rate(now.sent, before.sent),
        acknowledged: rate(now.acknowledged, before.acknowledged),
        received: rate(now.received, before.received),
        p50: recent.latency.at_percentile(50.0),
        p99: recent.p99(),
    }
}

fn phase(plan: &Plan, step: Step) -> &'static str {
    match step {
        Step::Connect => "connecting",
        Step::Subscribe => "subscribing",
        Step::Wait => "waiting",
        Step::WarmUp => "warm-up",
        Step::Measure if plan.scenario == Scenario::Connect => "hold",
        Step::Measure => "measuring",
        Step::Reconnect => "reconnecting",
        Step::CatchUp => "catching up",
        Step::Hold => "keeping connected",
        Step::Drain => "draining",
    }
}

/// The length of the whole wait for the start time.
fn waiting_time(plan: &Plan, elapsed: Duration) -> Duration {
    let left = plan.start_at.and_then(|time| time.duration_since(SystemTime::now()).ok());
    elapsed + left.unwrap_or_default()
}

/// Whether publishers without planned times wait for acknowledgements.
fn waits_for_broker(plan: &Plan) -> bool {
    let waits = |group: &crate::bench::plan::Group| {
        group.publishers > 0 && group.open_loop.is_none() && group.sending_qos() != Qos::AtMostOnce
    };
    plan.groups.iter().any(waits)
}

fn failures(totals: &Totals) -> Vec<String> {
    let counts = [
        (totals.failed, "client", "could not connect"),
        (totals.lost, "connection", "lost"),
        (totals.rejected, "message", "rejected"),
        (totals.abandoned + totals.abandoned_early, "client", "without a worker process"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    counts.map(|(count, noun, failure)| format!("{} {failure}", counted(count, noun))).collect()
}

/// The most frequent errors of all stages.
fn errors(recent: &Recent) -> Vec<(u64, String)> {
    let mut errors: Vec<_> =
        recent.errors.by_count().into_iter().map(|(_, text, count)| (count, text.to_owned())).collect();
    errors.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    errors.truncate(MAX_ERRORS);
    errors
}
