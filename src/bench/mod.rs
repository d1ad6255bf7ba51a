//! The load generator: many clients, exact accounts of what arrived, latencies from a monotonic clock.
//!
//! - [`plan`] says who takes part and what is sent, [`topics`] where, [`payload`] what and [`schedule`] when; [`limits`] asks the
//!   operating system whether that can be.
//! - Workers (threads) own the clients, each with its role. Each keeps its own [`record`]; the records are merged at the end.
//! - [`report`] holds the result and tells it in many forms; [`judge`] sets it against what was demanded.
//! - [`run`] leads them through the phases: connect and subscribe, measure, drain, close. No wait is without an end.

mod agenda;
pub mod check;
mod client;
mod connect;
mod gauges;
pub mod identity;
mod introduction;
pub mod judge;
pub mod limits;
pub mod payload;
pub mod plan;
pub mod processes;
pub mod record;
pub mod report;
mod role;
mod route;
pub mod schedule;
pub mod shard;
mod stamp;
pub mod template;
pub mod timeline;
pub mod topics;
pub mod trace;
mod usage;
mod worker;

use crate::error::Error;
use gauges::Gauges;
pub use gauges::Totals;
use jiff::Timestamp;
use plan::{Plan, Scenario, Volume};
use processes::{Moment, Process, Program};
use record::Record;
use report::Circumstances;
pub use report::Report;
use route::Route;
pub use stamp::Stamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use worker::{Assignment, Orders, Phase};

/// How often the gauges are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// How often the latencies of the last second are.
const RECENT_INTERVAL: Duration = Duration::from_millis(500);

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
    Wait,
    WarmUp,
    Measure,
    Reconnect,
    CatchUp,
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
    /// The latency that 99 percent of the last full second's messages did not exceed, in nanoseconds.
    pub recent_p99: Option<u64>,
}

/// At QoS 0 nobody says that a message will not come. So long nothing may arrive, and three times the longest time that one
/// took, before those that are missing are lost.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_TIMES: u32 = 3;

/// How long it takes for each client to hear that the load begins, on one processor. Planned sends begin after that; the first
/// ones would be late otherwise.
const LEAD_PER_CLIENT: Duration = Duration::from_micros(5);

/// Carries out a plan. Each message from `interrupts` ends a step early: the first one measuring, a second one draining.
/// `program` starts worker processes, where the plan has some.
///
/// # Errors
/// When the run cannot begin. What goes wrong later is in the report.
pub async fn run(
    plan: Plan,
    program: &Program,
    interrupts: mpsc::Receiver<()>,
    observe: impl FnMut(View<'_>),
) -> Result<Report, Error> {
    let target = route::find(&plan).await?;
    let offset = fastrand::u32(..u32::from(u16::MAX));
    let route = Route::to(&plan, target, offset)?;
    let place = route.place();
    let mut run = Run::new(plan, interrupts, observe);
    if run.plan.processes > 1 {
        run.start_processes(program, target, offset).await?;
    } else {
        run.start_threads(&route)?;
    }
    let ending = run.lead().await;
    let (start, started_at) = (run.start, run.started_at);
    let (plan, phases, is_drain_cut) = (run.plan.clone(), std::mem::take(&mut run.phases), run.is_drain_cut);
    let mut record = run.finish().await?;
    record.gap_lost = record.account(&plan).gap_lost;
    let circumstances =
        Circumstances { broker: place, started_at, ending, elapsed: start.elapsed(), phases, is_drain_cut };
    Ok(Report::new(&plan, circumstances, record))
}

/// A run that is going on.
struct Run<O> {
    plan: Arc<Plan>,
    start: Instant,
    started_at: Timestamp,
    /// When each step began, in nanoseconds since the start.
    phases: Vec<(Step, u64)>,
    gauges: Vec<Arc<Gauges>>,
    threads: Vec<JoinHandle<Record>>,
    processes: Vec<Process>,
    /// What it is doing.
    step: Step,
    is_drain_cut: bool,
    orders: watch::Sender<Orders>,
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
    fn new(plan: Plan, interrupts: mpsc::Receiver<()>, observe: O) -> Run<O> {
        let (orders, _) = watch::channel(Orders::default());
        Run {
            plan: Arc::new(plan),
            start: Instant::now(),
            started_at: Timestamp::now(),
            phases: Vec::new(),
            gauges: Vec::new(),
            threads: Vec::new(),
            processes: Vec::new(),
            step: Step::Connect,
            is_drain_cut: false,
            orders,
            interrupts,
            observe,
        }
    }

    /// Has all workers in this process.
    fn start_threads(&mut self, route: &Route) -> Result<(), Error> {
        limits::allow_open_files(&self.plan, 0)?;
        for thread in 0..self.plan.threads {
            let gauges = Arc::new(Gauges::default());
            self.gauges.push(gauges.clone());
            self.threads.push(worker::spawn(Assignment {
                thread,
                plan: self.plan.clone(),
                route: route.clone(),
                start: self.start,
                gauges,
                orders: self.orders.subscribe(),
            })?);
        }
        Ok(())
    }

    /// Has all workers in processes of their own.
    async fn start_processes(
        &mut self,
        program: &Program,
        target: Option<SocketAddr>,
        offset: u32,
    ) -> Result<(), Error> {
        let assignment = processes::Assignment {
            searched_rate: program.searched_rate,
            ..processes::Assignment::of(&self.plan, Moment::of(self.start), target, offset)
        };
        for (process, gauges) in processes::start(program, &self.plan, &assignment).await? {
            self.processes.push(process);
            self.gauges.push(gauges);
        }
        Ok(())
    }

    /// Tells all workers what is wanted now.
    fn order(&mut self, change: impl FnOnce(&mut Orders)) {
        self.orders.send_modify(change);
        let orders = *self.orders.borrow();
        self.processes.iter_mut().for_each(|process| process.order(orders));
    }

    /// Leads the workers through the phases up to the last.
    async fn lead(&mut self) -> Ending {
        match self.prepare().await {
            Ok(()) => {}
            Err(ending) => return ending,
        }
        if let Err(ending) = self.wait_for_start().await {
            return ending;
        }
        let highest_qos = self.totals().lowest_granted();
        Arc::make_mut(&mut self.plan).limit_qos(highest_qos);
        let load_began = Some(self.nanoseconds().saturating_add(lead(&self.plan)));
        self.order(|orders| {
            (orders.phase, orders.load_began) = (Phase::Measure, load_began);
            orders.highest_qos = highest_qos.map(|qos| qos as u8);
        });
        let measured = self.load().await;
        self.order(|orders| orders.phase = Phase::Drain);
        let drained = match measured {
            Wait::Stalled => return Ending::Stalled(self.step),
            Wait::Done | Wait::Interrupted => self.drain().await,
        };
        self.is_drain_cut = drained == Wait::Interrupted;
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
        if totals.connected == 0 || (totals.publishers == 0 && self.plan.publishers() > 0) {
            return Err(Ending::NotConnected);
        }
        let subscribers = u64::from(self.plan.subscriptions());
        let is_done = |totals: &Totals| totals.subscribed + totals.without_subscription >= subscribers;
        proceed(self.until(Step::Subscribe, is_done).await, Step::Subscribe)?;
        let totals = self.totals();
        if totals.lost == totals.connected { Err(Ending::AllLost) } else { Ok(()) }
    }

    /// Waits with all clients connected until the time that several machines begin at.
    async fn wait_for_start(&mut self) -> Result<(), Ending> {
        let Some(wait) = self.plan.start_at.and_then(|time| time.duration_since(SystemTime::now()).ok())
        else {
            return Ok(());
        };
        proceed(self.for_a_time(Step::Wait, wait).await, Step::Wait)?;
        let totals = self.totals();
        if is_over(&totals) { Err(Ending::AllLost) } else { Ok(()) }
    }

    /// Leads the clients through everything that they send.
    async fn load(&mut self) -> Wait {
        let warm_up = self.plan.warm_up;
        let warmed_up = match warm_up {
            Duration::ZERO => Wait::Done,
            _ => self.for_a_time(Step::WarmUp, warm_up).await,
        };
        let measured = match (warmed_up, self.plan.scenario) {
            (Wait::Done, Scenario::Reconnect) => self.measure_with_a_gap().await,
            (Wait::Done, _) => self.measure(self.plan.volume).await,
            (wait, _) => wait,
        };
        match measured {
            Wait::Done if self.plan.has_open_loop() => self.catch_up().await,
            wait => wait,
        }
    }

    async fn measure(&mut self, volume: Volume) -> Wait {
        match volume {
            Volume::Messages(messages) if self.plan.publishers() == 0 => {
                self.until(Step::Measure, |totals| is_over(totals) || totals.received >= messages).await
            }
            Volume::Messages(_) => {
                self.until(Step::Measure, |totals| is_over(totals) || totals.finished >= totals.publishers)
                    .await
            }
            Volume::Duration(duration) => self.for_a_time(Step::Measure, duration).await,
        }
    }

    /// Drops all clients in the middle of the measurement, and lets them come back.
    async fn measure_with_a_gap(&mut self) -> Wait {
        let Volume::Duration(duration) = self.plan.volume else {
            return self.measure(self.plan.volume).await;
        };
        let begin = Instant::now();
        match self.measure(Volume::Duration(duration / 2)).await {
            Wait::Done => {}
            wait => return wait,
        }
        let clients = self.totals().connected - self.totals().lost;
        let lost = self.totals().lost;
        self.order(|orders| orders.drops += 1);
        let is_back = |totals: &Totals| totals.back + totals.lost - lost >= clients;
        match self.until(Step::Reconnect, is_back).await {
            Wait::Done => {}
            wait => return wait,
        }
        self.order(|orders| orders.is_back = true);
        self.measure(Volume::Duration(duration.saturating_sub(begin.elapsed()))).await
    }

    /// Lets publishers send what was due before the end and had to wait, for as long as nothing is given up otherwise.
    async fn catch_up(&mut self) -> Wait {
        let patience = self.plan.patience;
        let is_done = |totals: &Totals| is_over(totals) || totals.finished >= totals.publishers;
        tokio::select! {
            wait = self.until(Step::CatchUp, is_done) => wait,
            () = tokio::time::sleep(patience) => Wait::Done,
        }
    }

    /// Waits for a time, unless there is nobody left to do anything.
    async fn for_a_time(&mut self, step: Step, time: Duration) -> Wait {
        tokio::select! {
            wait = self.until(step, is_over) => wait,
            () = tokio::time::sleep(time) => Wait::Done,
        }
    }

    /// Waits until everything that was sent is acknowledged and has arrived.
    async fn drain(&mut self) -> Wait {
        let is_done = |totals: &Totals| {
            let owed = totals.owed.saturating_sub(totals.excused);
            is_over(totals) || totals.finished >= totals.publishers && totals.received >= owed
        };
        self.until(Step::Drain, is_done).await
    }

    /// Waits until something is done, as long as anything moves.
    async fn until(&mut self, step: Step, is_done: impl Fn(&Totals) -> bool) -> Wait {
        self.step = step;
        let begin = Instant::now();
        let since_start = self.nanoseconds();
        self.phases.push((step, since_start));
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut seen, mut moved_at) = (None, begin);
        let (mut recent_p99, mut recent_at) = (None, begin);
        loop {
            tokio::select! {
                Some(()) = self.interrupts.recv() => return Wait::Interrupted,
                _ = look.tick() => {}
            }
            let totals = self.totals();
            if recent_at.elapsed() >= RECENT_INTERVAL {
                (recent_p99, recent_at) = (self.recent_p99(), Instant::now());
            }
            let elapsed = begin.elapsed();
            (self.observe)(View { plan: &self.plan, step, elapsed, totals: &totals, recent_p99 });
            if is_done(&totals) {
                return Wait::Done;
            }
            let now = progress(step, &totals);
            if seen != Some(now) {
                (seen, moved_at) = (Some(now), Instant::now());
            } else if moved_at.elapsed() >= self.patience(step, &totals) {
                return Wait::Stalled;
            }
        }
    }

    /// How long nothing may move.
    fn patience(&self, step: Step, totals: &Totals) -> Duration {
        let plan = &self.plan;
        match step {
            // Nobody gives up connecting before a single client does, or may begin to.
            Step::Connect | Step::Reconnect => {
                let pause = plan.connect_rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
                plan.patience.max(plan.broker.endpoint.timeout + 2 * LOOK_INTERVAL) + pause
            }
            Step::Subscribe | Step::CatchUp => plan.patience,
            Step::Wait => Duration::MAX,
            Step::WarmUp | Step::Measure => match plan.volume {
                // Who only listens, or stays, cannot know when others have something to say.
                Volume::Duration(_) if plan.publishers() == 0 => Duration::MAX,
                _ => plan.patience.saturating_add(plan.longest_pause()),
            },
            Step::Drain => self.patience_of_drain(totals),
        }
    }

    /// Where messages may get lost and all publishers know that the broker has theirs, what takes three times as long as
    /// anything before will not come. Where a loss would break a promise, the whole patience goes before that is said.
    fn patience_of_drain(&self, totals: &Totals) -> Duration {
        let may_lose = self.plan.may_lose() && totals.finished >= totals.publishers;
        let longest = LONGEST_TIMES * Duration::from_nanos(totals.slowest);
        if may_lose { longest.max(SHORTEST_WAIT).min(self.plan.patience) } else { self.plan.patience }
    }

    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.gauges.iter().for_each(|gauges| totals.add(gauges));
        totals
    }

    /// The p99 of the last full second of all workers.
    fn recent_p99(&self) -> Option<u64> {
        gauges::recent(&self.gauges).at_percentile(99.0)
    }

    /// Lets all clients disconnect, and gathers what was measured.
    async fn finish(mut self) -> Result<Record, Error> {
        self.order(|orders| orders.phase = Phase::Close);
        let mut record = worker::gather(self.threads)?;
        let mut is_interrupted = false;
        let finishing = processes::finish(self.processes, || {
            is_interrupted |= self.interrupts.try_recv().is_ok();
            is_interrupted
        });
        record.merge(finishing.await);
        Ok(record)
    }
}

/// What must not stand still. A client that fails to connect is no progress: with a broker that answers nobody, thousands
/// would time out one after another.
fn progress(step: Step, totals: &Totals) -> Totals {
    match step {
        Step::Connect => Totals { connected: totals.connected, ..Totals::default() },
        Step::Reconnect => Totals { back: totals.back, ..Totals::default() },
        Step::Subscribe | Step::Wait | Step::WarmUp | Step::Measure | Step::CatchUp | Step::Drain => *totals,
    }
}

/// Whether there is nobody left who could do anything.
fn is_over(totals: &Totals) -> bool {
    totals.lost >= totals.connected
}

/// In how many nanoseconds the load begins.
fn lead(plan: &Plan) -> u64 {
    let time = if plan.has_open_loop() { LEAD_PER_CLIENT * plan.clients() } else { Duration::ZERO };
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn proceed(wait: Wait, step: Step) -> Result<(), Ending> {
    match wait {
        Wait::Done => Ok(()),
        Wait::Interrupted => Err(Ending::Interrupted),
        Wait::Stalled => Err(Ending::Stalled(step)),
    }
}
