//! `--watch-broker`: the broker's own counters, and its CPU time and memory, beside the measurements of a run.
//!
//! The watch runs on a thread of its own, with a connection of its own, and does not count as a client of the run. A failure of it is a
//! problem in the report; it never delays or fails the run.
//!
//! - [`metric`] lists the metrics, [`names`] their names by broker.
//! - `sys_client` subscribes the `$SYS` topics; `prometheus` parses a page; `process` reads `/proc`.
//! - [`samples`] holds the result.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod metric;
mod names;
mod process;
mod prometheus;
mod samples;
mod sys_client;
mod version;

use super::plan::Plan;
use crate::client;
use crate::transport::http_get::{self, HttpUrl};
use crate::transport::{Address, Endpoint, tcp};
use jiff::Timestamp;
pub(crate) use metric::{Kind, Metric, Unit};
use prometheus::PageDefect;
pub(crate) use samples::{BrokerSide, Course, Sample};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use sys_client::SysClient;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
pub(crate) use version::VersionQuery;

/// Interval between readings of a page and of `/proc`.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum size of a page, and the maximum time for it.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum time that the end of a run waits for the watch to disconnect.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// Readings between two searches for the processes of a broker that ended.
const READINGS_PER_SEARCH: u32 = 5;

/// The length of a line of a page in a message.
const SHOWN_OF_LINE: usize = 40;

/// The source of the broker's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WatchSource {
    /// The `$SYS` topics of the broker.
    Sys,
    /// A page in Prometheus' format.
    Page(HttpUrl),
}

/// A watch in progress. It ends when this is dropped.
pub(crate) struct BrokerWatch {
    view: BrokerView,
    stop: watch::Sender<bool>,
    end: oneshot::Receiver<()>,
}

/// Reads a watch in progress.
#[derive(Debug, Clone)]
pub(crate) struct BrokerView {
    recorder: Recorder,
    started_at: Timestamp,
}

impl BrokerView {
    /// The values until now, with the times of a run that began at `run_start`.
    pub(crate) fn side(&self, run_start: Timestamp) -> BrokerSide {
        let mut side = self.recorder.change(|side| side.clone());
        let lead = Duration::try_from(run_start.duration_since(self.started_at)).unwrap_or_default();
        side.advance(u64::try_from(lead.as_nanos()).unwrap_or(u64::MAX));
        side
    }
}

/// The record of a watch in progress.
#[derive(Debug, Clone)]
struct Recorder {
    start: Instant,
    side: Arc<Mutex<BrokerSide>>,
}

impl Recorder {
    fn new(source: &WatchSource) -> Recorder {
        let source = match source {
            WatchSource::Sys => "$SYS".to_owned(),
            WatchSource::Page(url) => url.to_string(),
        };
        let side = BrokerSide { source, ..BrokerSide::default() };
        Recorder { start: Instant::now(), side: Arc::new(Mutex::new(side)) }
    }

    fn change<T>(&self, change: impl FnOnce(&mut BrokerSide) -> T) -> T {
        change(&mut self.side.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, metric: Metric, value: f64) {
        let at = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.change(|side| side.note(at, metric, value));
    }

    fn problem(&self, text: String) {
        self.change(|side| side.note_problem(text));
    }
}

impl BrokerWatch {
    /// Starts to watch the broker of a plan.
    pub(crate) fn start(source: &WatchSource, plan: &Plan) -> BrokerWatch {
        let recorder = Recorder::new(source);
        let (stop, stopped) = watch::channel(false);
        let (ended, end) = oneshot::channel();
        let watcher = Watcher {
            source: source.clone(),
            options: sys_client::options(plan),
            has_process: plan.broker.more_endpoints.is_empty(),
            recorder: recorder.clone(),
            stopped,
        };
        let run = move || {
            watcher.run();
            // The receiver may have stopped waiting.
            let _ = ended.send(());
        };
        if let Err(error) = std::thread::Builder::new().name("broker-watch".to_owned()).spawn(run) {
            recorder.problem(format!("cannot start a thread: {error}"));
        }
        BrokerWatch { view: BrokerView { recorder, started_at: Timestamp::now() }, stop, end }
    }

    /// The watch for a display.
    pub(crate) fn view(&self) -> BrokerView {
        self.view.clone()
    }

    /// Stops the watch, and returns its record with the times of a run that began at `run_start`.
    pub(crate) async fn finish(self, run_start: Timestamp) -> BrokerSide {
        // The thread may have ended.
        let _ = self.stop.send(true);
        let _ = timeout(END_TIMEOUT, self.end).await;
        self.view.side(run_start)
    }
}

/// The thread of a watch.
struct Watcher {
    source: WatchSource,
    options: client::Options,
    /// Whether the broker's processes are known: a page may be that of any of several brokers.
    has_process: bool,
    recorder: Recorder,
    stopped: watch::Receiver<bool>,
}

impl Watcher {
    fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return self.recorder.problem(format!("cannot start an event loop: {error}")),
        };
        runtime.block_on(async {
            let process = async {
                if self.has_process {
                    self.read_process().await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = self.read_source() => {}
                () = process => {}
            }
        });
        // A name that is being resolved must not delay the end.
        runtime.shutdown_background();
    }

    /// Reads the source until the watch is stopped.
    async fn read_source(&self) {
        match &self.source {
            WatchSource::Sys => self.read_topics().await,
            WatchSource::Page(url) => tokio::select! {
                () = self.read_pages(url) => {}
                () = stop(self.stopped.clone()) => {}
            },
        }
    }

    async fn read_topics(&self) {
        let mut client = SysClient::new(self.recorder.clone());
        let result = client::run(&self.options, &mut client, stop(self.stopped.clone())).await;
        if let Err(error) = result {
            self.recorder.problem(error.to_string());
            stop(self.stopped.clone()).await;
        } else if client.is_subscribed && !self.recorder.change(|side| side.has_values_of_broker()) {
            let seconds = self.recorder.start.elapsed().as_secs_f64();
            self.recorder.problem(format!(
                "the broker published no known topic under $SYS/broker/ or $SYS/brokers/ within {seconds:.1} s"
            ));
        }
    }

    async fn read_pages(&self, url: &HttpUrl) {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            match timeout(PAGE_TIMEOUT, http_get::get(url, MAX_PAGE_BYTES)).await {
                Ok(Ok(page)) => self.note_page(&String::from_utf8_lossy(&page)),
                Ok(Err(error)) => self.recorder.problem(error.to_string()),
                Err(_) => {
                    let seconds = PAGE_TIMEOUT.as_secs();
                    self.recorder.problem(format!("the server sent no complete answer within {seconds} s"));
                }
            }
        }
    }

    fn note_page(&self, page: &str) {
        match prometheus::metrics(page) {
            Ok(metrics) => metrics.into_iter().for_each(|(metric, value)| self.recorder.note(metric, value)),
            Err(defect) => self.recorder.problem(match defect {
                PageDefect::Line(line) => {
                    let line: String = line.chars().take(SHOWN_OF_LINE).collect();
                    format!("the page is not in Prometheus' text format; it contains {line:?}")
                }
                PageDefect::Empty => "the page has no samples".to_owned(),
                PageDefect::Unknown => "the page has no metric of a known broker".to_owned(),
            }),
        }
    }

    /// Reads the CPU time and the memory of the broker's processes as long as they can be found.
    async fn read_process(&self) {
        let found = match own_address(&self.options.endpoint).await {
            Some(address) => process::listening_at(address).map(|found| (address, found)),
            None => {
                let text = "CPU time and memory: the broker's address is not a TCP address of this machine";
                return self.recorder.problem(text.to_owned());
            }
        };
        let (address, mut processes) = match found {
            Ok(found) => found,
            Err(error) => return self.recorder.problem(format!("CPU time and memory: {error}")),
        };
        let mut ticks = ticks();
        let mut readings = 0_u32;
        self.recorder.change(|side| side.processes.clone_from(&processes));
        loop {
            ticks.tick().await;
            match process::usage(&processes) {
                Some(usage) => {
                    self.recorder.note(Metric::CpuTime, usage.cpu.as_secs_f64());
                    self.recorder.note(Metric::ResidentMemory, usage.memory as f64);
                }
                None if readings.is_multiple_of(READINGS_PER_SEARCH) => {
                    processes = process::listening_at(address).unwrap_or_default();
                    if !processes.is_empty() {
                        self.recorder.change(|side| side.processes.clone_from(&processes));
                    }
                }
                None => {}
            }
            readings = readings.wrapping_add(1);
        }
    }
}

/// Waits until the watch is stopped or dropped.
async fn stop(mut stopped: watch::Receiver<bool>) {
    // An error means that it was dropped.
    let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(READ_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The broker's address, if it is one of this machine.
async fn own_address(endpoint: &Endpoint) -> Option<SocketAddr> {
    match &endpoint.address {
        Address::Tcp { host, port } if endpoint.proxy.is_none() => {
            let addresses = tcp::resolve(host, *port).await.ok()?;
            addresses.into_iter().find(|address| tcp::is_own_address(address.ip()))
        }
        Address::Tcp { .. } | Address::Service(_) | Address::Unix(_) | Address::Gateway { .. } => None,
    }
}
