//! The progress of a run on standard error: a panel on a terminal, a line every 10 seconds elsewhere.
//!
//! - [`status`] follows a run and keeps its last minute, as plain data.
//! - [`panel`] renders it as lines for any width, `commands::terminal` draws those.

mod panel;
mod status;

use crate::bench::View;
use crate::bench::report::{Charset, duration, rate};
use crate::cli::bench::ProgressKind;
use crate::commands::terminal::{self, Size, Terminal};
use crate::commands::{Messages, status_line};
use crate::signals::{self, ENDING, Several};
use rustix::process::Signal;
use status::{History, Status};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The period of frames, of looks at the size of the terminal, and of lines.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);
const SIZE_INTERVAL: Duration = Duration::from_millis(50);
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The display of a run.
pub(super) struct Progress {
    display: Display,
    history: History,
    start: Instant,
}

enum Display {
    None,
    Lines { messages: Messages, next: Duration },
    Panel(Panel),
}

struct Panel {
    terminal: Arc<Mutex<Terminal>>,
    charset: Charset,
    size: Size,
    looked_at: Duration,
    drawn_at: Option<Duration>,
}

impl Progress {
    /// The display of this kind. Without a terminal that moves its cursor, lines replace the panel.
    pub(super) fn new(kind: ProgressKind, messages: Messages) -> Progress {
        let lines = || Display::Lines { messages, next: LINE_INTERVAL };
        let display = match kind {
            _ if messages.quiet => Display::None,
            ProgressKind::Never => Display::None,
            ProgressKind::Lines => lines(),
            ProgressKind::Panel => {
                Terminal::find().map_or_else(lines, |terminal| Display::Panel(Panel::new(terminal)))
            }
        };
        Progress { display, history: History::default(), start: Instant::now() }
    }

    /// Displays a look at the run.
    pub(super) fn show(&mut self, view: &View<'_>) {
        let now = self.start.elapsed();
        self.history.observe(now, view);
        match &mut self.display {
            Display::None => {}
            Display::Lines { messages, next } if now >= *next => {
                messages.say(&line(&self.history.status(now, view)));
                *next = now + LINE_INTERVAL;
            }
            Display::Lines { .. } => {}
            Display::Panel(panel) => {
                if panel.is_due(now) {
                    panel.draw(&self.history.status(now, view));
                }
            }
        }
    }

    /// The time since the start of the run.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The phase and the position in it, in words.
    pub(super) fn state(&self, view: &View<'_>) -> String {
        let (phase, extent) = self.history.position(self.now(), view);
        format!("{phase}, {}", panel::extent(&extent))
    }

    /// Lets Ctrl-Z leave the terminal to the shell, and signals that end the process leave it as it was, if there is a panel.
    pub(super) fn prepare_for_stops(kind: ProgressKind) -> std::io::Result<()> {
        if kind != ProgressKind::Panel || Terminal::find().is_none() {
            return Ok(());
        }
        let mut stops = signals::catch(Signal::TSTP)?;
        tokio::spawn(async move {
            while stops.recv().await.is_some() {
                terminal::stop_process();
            }
        });
        // The run handles the others itself.
        let others = ENDING.into_iter().filter(|number| ![Signal::INT, Signal::TERM].contains(number));
        tokio::spawn(terminal::end_at(Several::catch(others)?));
        Ok(())
    }

    /// Removes the display at the end of the run.
    pub(super) fn end(self) {
        if let Display::Panel(_) = self.display {
            status_line::end();
        }
    }
}

impl Panel {
    fn new(terminal: Terminal) -> Panel {
        let terminal = Arc::new(Mutex::new(terminal));
        status_line::begin_panel(terminal.clone());
        let (charset, size) = (Charset::of_environment(), Terminal::size());
        Panel { terminal, charset, size, looked_at: Duration::ZERO, drawn_at: None }
    }

    /// Whether it is time for a frame: regularly, and as soon as the size has changed.
    fn is_due(&mut self, now: Duration) -> bool {
        let mut has_changed = false;
        if now.saturating_sub(self.looked_at) >= SIZE_INTERVAL {
            self.looked_at = now;
            let size = Terminal::size();
            has_changed = std::mem::replace(&mut self.size, size) != size;
        }
        let is_due = has_changed
            || self.drawn_at.is_none_or(|drawn_at| now.saturating_sub(drawn_at) >= FRAME_INTERVAL);
        if is_due {
            self.drawn_at = Some(now);
        }
        is_due
    }

    fn draw(&self, status: &Status) {
        // The last column stays empty: after a character there, terminals differ in the place of the cursor.
        let lines = panel::lines(status, self.size.columns.saturating_sub(1), self.charset);
        status_line::draw(&self.terminal, |terminal| terminal.draw(&lines, self.size));
    }
}

/// The state of a run in one line, with the rates since the last one.
fn line(status: &Status) -> String {
    let seconds = usize::try_from(LINE_INTERVAL.as_secs()).unwrap_or(usize::MAX);
    let rates = [
        (status.mean(seconds, |second| second.sent), "sent"),
        (status.mean(seconds, |second| second.acknowledged), "acknowledged"),
        (status.mean(seconds, |second| second.received), "received"),
    ];
    let later = if status.later > 0 { format!(", {} later", status.later) } else { String::new() };
    let mut parts = vec![format!("{} of {} connected{later}", status.connected, status.clients)];
    parts.extend(
        rates
            .into_iter()
            .filter(|(rate, _)| *rate > 0.0)
            .map(|(value, word)| format!("{word} {}/s", rate(value))),
    );
    let last = status.seconds.last().copied().unwrap_or_default();
    let latencies = [("p50", last.p50), ("p99", last.p99)];
    parts
        .extend(latencies.into_iter().filter_map(|(name, time)| Some(format!("{name} {}", duration(time?)))));
    parts.extend(status.failures.iter().cloned());
    format!("{}, {}: {}", status.phase, panel::extent(&status.extent), parts.join(", "))
}

#[cfg(test)]
mod tests;
