//! The progress of a replay, on a terminal. It is a single line on a terminal of any width: with several lines, output in
//! between would be taken for a part of it and be cleared.

use crate::commands::{Messages, status_line};
use indicatif::{FormattedDuration, ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::time::Instant;

/// The format if the duration is unknown.
const ABOUT: &str = "{wide_bar} {percent:>3}%  {elapsed_precise} of about {duration_precise}";

/// The format if the duration is known.
const EXACT: &str = "{wide_bar} {percent:>3}%  {elapsed_precise} of {msg}";

/// The clock's refresh interval during a pause.
const TICK: Duration = Duration::from_millis(250);

/// The progress line, if there is a terminal and output is not suppressed.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Whether the line shows the time and not the amount sent.
    is_by_time: bool,
}

impl Progress {
    /// For a replay of this number of bytes or messages.
    pub(super) fn new(volume: u64, messages: Messages) -> Progress {
        let bar = ProgressBar::new(volume).with_style(style(ABOUT));
        let is_shown = !messages.quiet && !bar.is_hidden();
        if is_shown {
            status_line::begin(&bar);
        }
        Progress { bar: is_shown.then_some(bar), is_by_time: false }
    }

    /// Whether it is visible.
    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Starts at the first message. With a known duration, the line shows the time: a replay at the recorded pace takes as long as
    /// the recording, regardless of the messages' sizes.
    pub(super) fn begin(&mut self, duration: Option<Duration>) {
        let Some(bar) = &self.bar else { return };
        bar.reset_elapsed();
        if let Some(duration) = duration.filter(|duration| *duration >= TICK) {
            self.is_by_time = true;
            bar.set_length(milliseconds(duration));
            bar.set_style(style(EXACT));
            bar.set_message(FormattedDuration(duration).to_string());
        }
    }

    /// A message of this size was sent, which was due `after` the first one.
    pub(super) fn sent(&self, size: u64, after: Duration) {
        match &self.bar {
            Some(bar) if self.is_by_time => bar.set_position(milliseconds(after)),
            Some(bar) => bar.inc(size),
            None => {}
        }
    }

    /// No message is due yet, `after` the first message.
    pub(super) fn wait(&self, after: Duration) {
        match &self.bar {
            Some(bar) if self.is_by_time => bar.set_position(milliseconds(after)),
            Some(bar) => bar.tick(),
            None => {}
        }
    }

    /// The time of the next refresh while no message is due before `due`.
    pub(super) fn next_look(&self, due: Instant) -> Instant {
        if self.is_shown() { due.min(Instant::now() + TICK) } else { due }
    }

    /// Removes the line after the last message.
    pub(super) fn finish(&self) {
        if self.is_shown() {
            status_line::end();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}
