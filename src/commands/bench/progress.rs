//! The progress of a run on a terminal: a bar for the step, and below it the rates of the last second. If standard error is not a
//! terminal, it displays nothing.

use crate::bench::plan::{Plan, Volume};
use crate::bench::report::{duration, rate};
use crate::bench::{Step, Totals, View};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime};

/// The period of the rates.
const WINDOW: Duration = Duration::from_secs(1);

/// The updating lines on standard error.
pub(super) struct Panel {
    lines: MultiProgress,
    bar: ProgressBar,
    rates: ProgressBar,
    troubles: ProgressBar,
    window: RefCell<Window>,
}

/// The totals at the start of the current window.
struct Window {
    since: Instant,
    totals: Totals,
}

impl Panel {
    pub(super) fn new(is_hidden: bool) -> Panel {
        let target = if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let lines = MultiProgress::with_draw_target(target);
        let add = |template: &str| {
            let style = ProgressStyle::with_template(template);
            let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            lines.add(bar)
        };
        let bar = add("{prefix:<9} {bar:16} {wide_msg}");
        let (rates, troubles) = (add("{wide_msg}"), add("{wide_msg}"));
        let window = RefCell::new(Window { since: Instant::now(), totals: Totals::default() });
        Panel { lines, bar, rates, troubles, window }
    }

    pub(super) fn show(&self, view: &View<'_>) {
        if self.lines.is_hidden() {
            return;
        }
        let (name, position, length) = extent(view);
        self.bar.set_prefix(name);
        self.bar.set_length(length);
        self.bar.set_position(position);
        self.bar.set_message(words(view));
        self.troubles.set_message(troubles(view.totals));
        let mut window = self.window.borrow_mut();
        let elapsed = window.since.elapsed();
        if elapsed >= WINDOW {
            self.rates.set_message(rates(view, &window.totals, elapsed));
            *window = Window { since: Instant::now(), totals: *view.totals };
        }
    }

    pub(super) fn clear(&self) {
        for line in [&self.bar, &self.rates, &self.troubles] {
            line.finish_and_clear();
        }
    }
}

/// The name of a step, its position and its length.
fn extent(view: &View<'_>) -> (&'static str, u64, u64) {
    let View { plan, step, elapsed, totals, .. } = *view;
    match step {
        Step::Connect => ("connect", totals.connected + totals.failed, plan.clients().into()),
        Step::Subscribe => ("subscribe", totals.subscribed, plan.subscriptions().into()),
        Step::Wait => ("wait", milliseconds(elapsed), milliseconds(waiting_time(plan, elapsed))),
        Step::WarmUp => ("warm up", milliseconds(elapsed), milliseconds(plan.warm_up)),
        Step::Reconnect => ("reconnect", totals.reconnected, totals.connected),
        Step::CatchUp => ("catch up", totals.finished, totals.publishers),
        Step::Measure => match plan.volume {
            Volume::Messages(messages) => ("measure", totals.sent, messages),
            Volume::Duration(duration) => ("measure", milliseconds(elapsed), milliseconds(duration)),
        },
        Step::Drain => ("drain", totals.received, totals.owed.saturating_sub(totals.excused)),
    }
}

/// The length of the whole wait for the start time.
fn waiting_time(plan: &Plan, elapsed: Duration) -> Duration {
    let left = plan.start_at.and_then(|time| time.duration_since(SystemTime::now()).ok());
    elapsed + left.unwrap_or_default()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn words(view: &View<'_>) -> String {
    let totals = view.totals;
    match view.step {
        Step::Connect => format!("{} of {} clients", totals.connected, view.plan.clients()),
        Step::Subscribe => format!("{} of {} subscriptions", totals.subscribed, view.plan.subscriptions()),
        Step::Reconnect => format!("{} of {} clients reconnected", totals.reconnected, totals.connected),
        Step::Wait => {
            format!("{} clients wait for the start", totals.connected.saturating_sub(totals.lost))
        }
        Step::WarmUp | Step::Measure | Step::CatchUp | Step::Drain => {
            format!(
                "{} sent, {} acknowledged, {} received",
                totals.sent, totals.acknowledged, totals.received
            )
        }
    }
}

/// The rates per second since these totals, and the latency of messages.
fn rates(view: &View<'_>, before: &Totals, elapsed: Duration) -> String {
    let now = view.totals;
    let pairs = [
        (now.connected, before.connected, "connected"),
        (now.sent, before.sent, "sent"),
        (now.acknowledged, before.acknowledged, "acknowledged"),
        (now.received, before.received, "received"),
    ];
    let changes = pairs.into_iter().filter(|(now, before, _)| now > before);
    let words = changes
        .map(|(now, before, word)| format!("{} {word}", rate((now - before) as f64 / elapsed.as_secs_f64())));
    let mut words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() {
        return "no activity in the last second".to_owned();
    }
    words += " per second";
    match view.recent_p99 {
        Some(p99) => format!("{words}; latency p99 {}", duration(p99)),
        None => words,
    }
}

/// The counts of failures so far.
fn troubles(totals: &Totals) -> String {
    let counts = [
        (totals.failed, "clients could not connect"),
        (totals.lost, "connections lost"),
        (totals.rejected, "messages rejected"),
    ];
    let words = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.collect::<Vec<_>>().join(", ")
}
