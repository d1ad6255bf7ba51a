//! The run in progress for the HTTP server: totals for `--metrics`, and the page of `--serve`.

use crate::bench::broker_watch::BrokerView;
use crate::bench::report::{Part, RunningReport, prometheus};
use crate::bench::{Report, Step, Totals, View};
use crate::client::cpu_time;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The maximum number of browsers that follow a run.
const MAX_WATCHERS: usize = 8;

/// The time between two reports: longer if rendering would come close to one hundredth of a CPU, with the rest of the server.
const PERIOD: Duration = Duration::from_secs(1);
const LONGEST_PERIOD: Duration = Duration::from_secs(10);

/// The time for browsers to take the last report.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// A report for browsers.
#[derive(Debug, Clone)]
pub(super) struct Edition {
    pub(super) part: Arc<Part>,
    /// Whether no other follows.
    pub(super) is_last: bool,
}

/// The state that the leader of a run writes and the server reads.
#[derive(Debug, Clone)]
pub(super) struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    totals: Mutex<(Option<Step>, Totals)>,
    /// The run, if there is a page, with its state in words.
    running: Option<Mutex<Option<(RunningReport, String)>>>,
    /// The broker's own counters.
    broker: Mutex<Option<BrokerView>>,
    edition: watch::Sender<Edition>,
    watchers: Mutex<usize>,
    watcher_left: Condvar,
}

impl Live {
    /// Collects a run: for a page, or for totals alone.
    pub(super) fn new(has_page: bool) -> Live {
        let waiting = Edition { part: Arc::new(Part::waiting()), is_last: false };
        Live(Arc::new(Shared {
            totals: Mutex::default(),
            running: has_page.then(Mutex::default),
            broker: Mutex::default(),
            edition: watch::Sender::new(waiting),
            watchers: Mutex::default(),
            watcher_left: Condvar::new(),
        }))
    }

    /// Whether there is a page.
    pub(super) fn has_page(&self) -> bool {
        self.0.running.is_some()
    }

    /// Begins the first run, or the next one of a search, with the watch of its broker.
    pub(super) fn begin_run(&self, broker: Option<BrokerView>) {
        *lock(&self.0.broker) = broker;
        self.0.running.iter().for_each(|running| *lock(running) = None);
    }

    /// Stores the current totals. `now` is the time since the start of the run.
    pub(super) fn note(&self, now: Duration, view: &View<'_>, state: impl FnOnce() -> String) {
        *lock(&self.0.totals) = (Some(view.step), *view.totals);
        if let Some(running) = &self.0.running {
            let mut running = lock(running);
            let (report, words) =
                running.get_or_insert_with(|| (RunningReport::new(view.plan), String::new()));
            report.observe(now, view);
            *words = state();
        }
    }

    /// The totals as metrics.
    pub(super) fn metrics(&self) -> String {
        let (step, totals) = *lock(&self.0.totals);
        prometheus::live(step, &totals)
    }

    /// The report of the moment, unless the last one is known.
    pub(super) fn current(&self) -> Edition {
        let known = self.0.edition.borrow().clone();
        let running = self.0.running.as_ref().filter(|_| !known.is_last);
        let report = running.and_then(|running| {
            let running = lock(running);
            running.as_ref().map(|(report, state)| report.snapshot(state))
        });
        match report {
            Some(mut snapshot) => {
                let broker = lock(&self.0.broker).clone();
                snapshot.report.broker_side = broker.map(|broker| broker.side(snapshot.report.started_at));
                Edition { part: Arc::new(snapshot.to_part()), is_last: false }
            }
            None => known,
        }
    }

    /// Sends the report of the moment to all browsers, if there are any.
    pub(super) fn publish(&self) {
        if *lock(&self.0.watchers) > 0 {
            let edition = self.current();
            self.0.edition.send_if_modified(|known| {
                let is_newer = !known.is_last;
                if is_newer {
                    *known = edition;
                }
                is_newer
            });
        }
    }

    /// Adds a browser; `None` if there are too many.
    pub(super) fn watch(&self) -> Option<Watcher> {
        let mut watchers = lock(&self.0.watchers);
        (*watchers < MAX_WATCHERS).then(|| {
            *watchers += 1;
            Watcher { live: self.clone(), editions: self.0.edition.subscribe() }
        })
    }

    /// Sends the last report, and waits a moment for the browsers to take it.
    pub(super) fn finish(&self, report: &Report) {
        if self.has_page() {
            self.0.edition.send_replace(Edition { part: Arc::new(report.to_part()), is_last: true });
            let watchers = lock(&self.0.watchers);
            let wait = self
                .0
                .watcher_left
                .wait_timeout_while(watchers, LAST_REPORT_TIMEOUT, |watchers| *watchers > 0);
            drop(wait);
        }
    }
}

/// A browser that follows the run.
#[derive(Debug)]
pub(super) struct Watcher {
    live: Live,
    pub(super) editions: watch::Receiver<Edition>,
}

impl Watcher {
    pub(super) fn live(&self) -> &Live {
        &self.live
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        *lock(&self.live.0.watchers) -= 1;
        self.live.0.watcher_left.notify_all();
    }
}

/// Publishes reports as long as the program runs.
pub(super) async fn publish_regularly(live: Live) {
    loop {
        let before = cpu_time::of_thread();
        live.publish();
        let used = cpu_time::of_thread().saturating_sub(before);
        tokio::time::sleep((150 * used).clamp(PERIOD, LONGEST_PERIOD)).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
