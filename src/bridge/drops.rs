//! Reports of dropped messages: the first at once, later ones as a sum.

use super::event::{DropReason, EventKind, Reporter};
use super::rule::Direction;
use std::mem::discriminant;
use std::time::{Duration, Instant};

/// The interval of the reports of one reason.
const INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Pending {
    reason: DropReason,
    topic: String,
    count: u64,
    reported: Option<Instant>,
}

/// The drops of one direction that were not reported yet.
#[derive(Debug, Default)]
pub(super) struct Drops(Vec<Pending>);

impl Drops {
    pub(super) fn note(&mut self, reason: DropReason, topic: &str) {
        match self.0.iter_mut().find(|known| discriminant(&known.reason) == discriminant(&reason)) {
            Some(known) => {
                known.count += 1;
                // The topic is only copied for a report.
                if known.count == 1 {
                    (known.reason, known.topic) = (reason, topic.to_owned());
                }
            }
            None => self.0.push(Pending { reason, topic: topic.to_owned(), count: 1, reported: None }),
        }
    }

    /// Reports the drops that are due; at the end of the bridge, all of them.
    pub(super) fn report(&mut self, direction: Direction, now: Instant, is_end: bool, reporter: &Reporter) {
        for drops in self.0.iter_mut().filter(|drops| drops.count > 0) {
            let is_due = drops.reported.is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
            if is_due || is_end {
                let (reason, topic, count) = (drops.reason, std::mem::take(&mut drops.topic), drops.count);
                reporter.report(EventKind::Dropped { direction, reason, topic, count });
                (drops.count, drops.reported) = (0, Some(now));
            }
        }
    }
}
