//! The load generator: many clients, exact accounts of what arrived, latencies from a monotonic clock.
//!
//! - [`plan`] says who takes part and what is sent; [`limits`] asks the operating system whether that can be.
//! - Workers (threads) own the clients. Each keeps its own [`record`]; the records are merged at the end.
//! - [`report`] makes text of the result.
//! - [`run`] leads them through the phases: connect and subscribe, measure, drain, close. No wait is without an end.

mod client;
mod connect;
mod gauges;
pub mod limits;
pub mod plan;
pub mod record;
pub mod report;
mod stamp;
mod worker;

use crate::error::Error;
use crate::transport::{self, Endpoint, tcp};
use gauges::Gauges;
pub use gauges::Totals;
use plan::{Plan, Volume};
use record::Record;
pub use report::Report;
pub use stamp::Stamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use worker::{Assignment, Phase, Route};

/// How often the gauges are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All that was planned was done, as far as there were clients to do it.
    Complete,
    /// It was interrupted.
    Interrupted,
    /// No client could take part.
    NotConnected,
    /// All clients lost their connections.
    AllLost,
    /// Nothing moved for so long that the rest was given up.
    Stalled(Step),
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Step {
    Connect,
    Subscribe,
    Measure,
    Drain,
}

/// What can be seen of a run that is going on.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What is planned.
    pub plan: &'a Plan,
    /// What it is doing.
    pub step: Step,
    /// How long it has been doing that.
    pub elapsed: Duration,
    /// What was done so far.
    pub totals: &'a Totals,
}

/// Carries out a plan. Each message from `interrupts` ends a step early: the first one measuring, a second one draining.
///
/// # Errors
/// When the run cannot begin. What goes wrong later is in the report.
pub async fn run(
    plan: Plan,
    interrupts: mpsc::Receiver<()>,
    observe: impl FnMut(View<'_>),
) -> Result<Report, Error> {
    limits::allow_open_files(plan.clients(), plan.threads)?;
    let target = find_broker(&plan).await?;
    let sources = limits::sources(plan.clients(), target, plan.broker.bind)?;
    let mut run = Run::start(plan, &Route { target, sources }, interrupts, observe)?;
    let ending = run.lead().await;
    let started = run.start;
    let plan = run.plan.clone();
    let record = run.finish()?;
    Ok(Report::new(&plan, target, ending, started.elapsed(), record))
}

/// The address that all clients use. Where a name has several, it is the first that answers.
async fn find_broker(plan: &Plan) -> Result<SocketAddr, Error> {
    let broker = &plan.broker;
    let endpoint = Endpoint::tcp(&broker.host, broker.port, broker.bind, broker.connect_timeout);
    let addresses = tcp::resolve(&broker.host, broker.port).await?;
    match addresses.as_slice() {
        [address] => Ok(*address),
        _ => {
            let stream = transport::connect(&endpoint).await?;
            let unknown = || Error::Lost(std::io::ErrorKind::NotConnected.into());
            stream.peer_address().ok_or_else(unknown)
        }
    }
}

/// A run that is going on.
struct Run<O> {
    plan: Arc<Plan>,
    start: Instant,
    gauges: Vec<Arc<Gauges>>,
    threads: Vec<JoinHandle<Record>>,
    orders: watch::Sender<Phase>,
    interrupts: mpsc::Receiver<()>,
    observe: O,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Done,
    Interrupted,
    Stalled,
}

impl<O: FnMut(View<'_>)> Run<O> {
    fn start(plan: Plan, route: &Route, interrupts: mpsc::Receiver<()>, observe: O) -> Result<Run<O>, Error> {
        let plan = Arc::new(plan);
        let start = Instant::now();
        let (orders, _) = watch::channel(Phase::Connect);
        let mut run =
            Run { plan, start, gauges: Vec::new(), threads: Vec::new(), orders, interrupts, observe };
        for thread in 0..run.plan.threads {
            let gauges = Arc::new(Gauges::default());
            run.gauges.push(gauges.clone());
            run.threads.push(worker::spawn(Assignment {
                thread,
                plan: run.plan.clone(),
                route: route.clone(),
                start,
                gauges,
                orders: run.orders.subscribe(),
            })?);
        }
        Ok(run)
    }

    /// Leads the workers through the phases up to the last.
    async fn lead(&mut self) -> Ending {
        match self.prepare().await {
            Ok(()) => {}
            Err(ending) => return ending,
        }
        self.orders.send_replace(Phase::Measure);
        let measured = self.measure().await;
        self.orders.send_replace(Phase::Drain);
        let drained = match measured {
            Wait::Stalled => return Ending::Stalled(Step::Measure),
            Wait::Done | Wait::Interrupted => self.drain().await,
        };
        let totals = self.totals();
        match (measured, drained) {
            _ if totals.lost == totals.connected => Ending::AllLost,
            (Wait::Interrupted, _) | (_, Wait::Interrupted) => Ending::Interrupted,
            // What did not arrive is counted as lost; what was not acknowledged is the broker's silence.
            (_, Wait::Stalled) if totals.finished < totals.publishers => Ending::Stalled(Step::Drain),
            (_, Wait::Stalled | Wait::Done) => Ending::Complete,
        }
    }

    /// Waits until every client is connected and subscribed, or will not be.
    async fn prepare(&mut self) -> Result<(), Ending> {
        let clients = u64::from(self.plan.clients());
        let connecting = self.until(Step::Connect, |totals| totals.connected + totals.failed >= clients);
        proceed(connecting.await, Step::Connect)?;
        let totals = self.totals();
        if totals.publishers == 0 {
            return Err(Ending::NotConnected);
        }
        let subscribers = u64::from(self.plan.subscribers);
        let is_done = |totals: &Totals| totals.subscribed + totals.without_subscription >= subscribers;
        proceed(self.until(Step::Subscribe, is_done).await, Step::Subscribe)?;
        let totals = self.totals();
        if totals.lost == totals.connected { Err(Ending::AllLost) } else { Ok(()) }
    }

    async fn measure(&mut self) -> Wait {
        let is_done =
            |totals: &Totals| totals.finished >= totals.publishers || totals.lost >= totals.connected;
        match self.plan.volume {
            Volume::Messages(_) => self.until(Step::Measure, is_done).await,
            Volume::Duration(duration) => {
                let time_is_up = tokio::time::sleep(duration);
                tokio::select! {
                    wait = self.until(Step::Measure, is_done) => wait,
                    () = time_is_up => Wait::Done,
                }
            }
        }
    }

    /// Waits until everything that was sent is acknowledged and has arrived.
    async fn drain(&mut self) -> Wait {
        let fan_out = u64::from(self.plan.topics.fan_out());
        let is_done = |totals: &Totals| {
            let owed = totals.sent.saturating_sub(totals.denied) * fan_out;
            let is_finished = totals.finished >= totals.publishers && totals.received >= owed;
            is_finished || totals.lost >= totals.connected
        };
        self.until(Step::Drain, is_done).await
    }

    /// Waits until something is done, as long as anything moves.
    async fn until(&mut self, step: Step, is_done: impl Fn(&Totals) -> bool) -> Wait {
        let begin = Instant::now();
        let patience = self.patience(step);
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut seen, mut moved_at) = (None, begin);
        loop {
            tokio::select! {
                Some(()) = self.interrupts.recv() => return Wait::Interrupted,
                _ = look.tick() => {}
            }
            let totals = self.totals();
            (self.observe)(View { plan: &self.plan, step, elapsed: begin.elapsed(), totals: &totals });
            if is_done(&totals) {
                return Wait::Done;
            }
            let now = progress(step, &totals);
            if seen != Some(now) {
                (seen, moved_at) = (Some(now), Instant::now());
            } else if moved_at.elapsed() >= patience {
                return Wait::Stalled;
            }
        }
    }

    /// Nobody gives up connecting before a single client does, or may begin to.
    fn patience(&self, step: Step) -> Duration {
        let plan = &self.plan;
        match step {
            Step::Connect => {
                let pause = plan.connect_rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
                plan.patience.max(plan.broker.connect_timeout + 2 * LOOK_INTERVAL) + pause
            }
            Step::Subscribe | Step::Measure | Step::Drain => plan.patience,
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.gauges.iter().for_each(|gauges| totals.add(gauges));
        totals
    }

    /// Lets all clients disconnect, and gathers what was measured.
    fn finish(self) -> Result<Record, Error> {
        self.orders.send_replace(Phase::Close);
        let mut record = Record::default();
        let mut is_whole = true;
        for thread in self.threads {
            match thread.join() {
                Ok(part) => record.merge(part),
                Err(_) => is_whole = false,
            }
        }
        if is_whole {
            return Ok(record);
        }
        let source = std::io::Error::other("a thread failed");
        Err(Error::System { action: "finish the run".to_owned(), source })
    }
}

/// What must not stand still. A client that fails to connect is no progress: with a broker that answers nobody, thousands
/// would time out one after another.
fn progress(step: Step, totals: &Totals) -> Totals {
    match step {
        Step::Connect => Totals { connected: totals.connected, ..Totals::default() },
        Step::Subscribe | Step::Measure | Step::Drain => *totals,
    }
}

fn proceed(wait: Wait, step: Step) -> Result<(), Ending> {
    match wait {
        Wait::Done => Ok(()),
        Wait::Interrupted => Err(Ending::Interrupted),
        Wait::Stalled => Err(Ending::Stalled(step)),
    }
}
