//! The load generator: many clients, exact accounts of deliveries, latencies from a monotonic clock.
//!
//! - [`plan`] defines the clients and the load, [`topics`] the topics, [`payload`] the payloads, [`schedule`] the
//!   send times and [`rate_profile`] the rates over time; [`limits`] checks whether the operating system allows it.
//! - Workers (threads) own the clients, each with its role. Each keeps its own [`record`]; the records are merged at
//!   the end.
//! - [`report`] holds the result and renders it in several formats; [`thresholds`] checks it against requirements,
//!   [`comparison`] against other reports.
//! - [`run`] leads the workers through the phases: connect and subscribe, measure, drain, close. Every wait has a
//!   limit.

mod broker_limits;
pub(crate) mod broker_watch;
pub(crate) mod check;
mod client;
mod client_slot;
pub(crate) mod comparison;
mod connect;
mod connection_tracking;
mod context;
mod cpu_usage;
mod ending;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gateway_clients;
mod gauges;
mod generator;
mod handshake;
pub(crate) mod identity;
mod kernel_file;
mod late_subscriptions;
pub(crate) mod limits;
pub(crate) mod payload;
mod payload_header;
pub(crate) mod plan;
pub(crate) mod processes;
mod random;
pub(crate) mod rate;
pub(crate) mod rate_course;
pub(crate) mod rate_profile;
pub(crate) mod record;
pub(crate) mod report;
mod role;
mod run_id;
pub(crate) mod schedule;
pub(crate) mod shard;
mod target;
pub(crate) mod template;
pub(crate) mod think_time;
pub(crate) mod thresholds;
pub(crate) mod timeline;
pub(crate) mod topic_list;
pub(crate) mod topics;
pub(crate) mod trace;
mod udp_drops;
mod worker;

use connection_tracking::{ConnectionTracking, TrackedConnections};
use context::{Control, Phase};
pub(crate) use ending::{Ending, Step};
pub(crate) use error::Error;
use gauges::Gauges;
pub(crate) use gauges::{Recent, Totals};
use jiff::Timestamp;
use late_subscriptions::LateSubscriptions;
pub(crate) use payload_header::PayloadHeader;
use plan::{Hold, Plan, Scenario, Volume};
use processes::{Moment, Process, Program};
use record::Record;
use report::Circumstances;
pub(crate) use report::Report;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use target::Target;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use udp_drops::UdpDrops;
use worker::Assignment;

/// Interval between readings of the gauges.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Interval between readings while the publishers of a group wait for its subscriptions.
const SHORT_LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Interval between readings of the figures of the last second.
const RECENT_INTERVAL: Duration = Duration::from_millis(500);

/// A snapshot of a run in progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// The current step.
    pub step: Step,
    /// Time since the step began.
    pub elapsed: Duration,
    /// The totals so far.
    pub totals: &'a Totals,
    /// The figures of the last second.
    pub recent: &'a Recent,
}

/// A QoS 0 message can get lost without notice. Missing messages count as lost after this time without an arrival,
/// and after three times the longest delivery time.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_TIMES: u32 = 3;

/// Time for a client to learn that the load begins, on one CPU. Planned sends begin after that, since the first
/// ones would be late otherwise.
const LEAD_PER_CLIENT: Duration = Duration::from_micros(5);

/// Carries out a plan. Each message from `interrupts` ends a step early: the first one the measurement, the second
/// one the drain. `program` starts worker processes, if the plan has any.
///
/// # Errors
/// If the run cannot begin. Later errors are in the report.
pub(crate) async fn run(
    plan: Plan,
    program: &Program,
    interrupts: mpsc::Receiver<()>,
    observe: impl FnMut(View<'_>),
) -> Result<Report, Error> {
    let addresses = target::find(&plan).await?;
    let offset = fastrand::u32(..u32::from(u16::MAX));
    let target = Target::to(&plan, &addresses, offset)?;
    let brokers = target.describe();
    let gateways =
        if plan.broker.is_gateway() { addresses.iter().copied().flatten().collect() } else { vec![] };
    let drops = (!gateways.is_empty()).then(|| UdpDrops::read(gateways));
    let mut run = Run::new(plan, interrupts, observe);
    if run.plan.processes > 1 {
        run.start_processes(program, addresses, offset).await?;
    } else {
        run.start_threads(&target)?;
    }
    let ending = run.lead().await;
    let (start, started_at) = (run.start, run.started_at);
    let (plan, phases, is_drain_cut) = (run.plan.clone(), std::mem::take(&mut run.phases), run.is_drain_cut);
    // As long as the sockets are open.
    let dropped = drops.map(UdpDrops::since);
    let tracked = ConnectionTracking::of_kernel().read().filter(TrackedConnections::is_full);
    let mut record = run.finish().await?;
    if let Some(tracked) = tracked {
        record.errors.explain_timeouts(&tracked.to_string());
    }
    if let (Some(dropped), Some(datagrams)) = (dropped, &mut record.datagrams) {
        datagrams.merge(&dropped);
    }
    record.gap_lost = record.account(&plan).gap_lost;
    let circumstances =
        Circumstances { brokers, started_at, ending, elapsed: start.elapsed(), phases, is_drain_cut };
    Ok(Report::new(&plan, circumstances, record))
}

/// A run in progress.
struct Run<O> {
    plan: Arc<Plan>,
    start: Instant,
    started_at: Timestamp,
    /// When each step began, in nanoseconds since the start.
    phases: Vec<(Step, u64)>,
    /// When the load began, in nanoseconds since the start.
    load_began: Option<u64>,
    late_subscriptions: LateSubscriptions,
    gauges: Vec<Arc<Gauges>>,
    threads: Vec<JoinHandle<Record>>,
    processes: Vec<Process>,
    /// The current step.
    step: Step,
    /// The figures of the last second, and the time of the last look at them.
    recent: Recent,
    recent_at: Instant,
    is_drain_cut: bool,
    control: watch::Sender<Control>,
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
        let (control, _) = watch::channel(Control::default());
        Run {
            late_subscriptions: LateSubscriptions::of(&plan),
            plan: Arc::new(plan),
            start: Instant::now(),
            started_at: Timestamp::now(),
            phases: Vec::new(),
            load_began: None,
            gauges: Vec::new(),
            threads: Vec::new(),
            processes: Vec::new(),
            step: Step::Connect,
            recent: Recent::default(),
            recent_at: Instant::now(),
            is_drain_cut: false,
            control,
            interrupts,
            observe,
        }
    }

    /// Starts all workers as threads of this process.
    fn start_threads(&mut self, target: &Target) -> Result<(), Error> {
        limits::allow_open_files(&self.plan, 0)?;
        for thread in 0..self.plan.threads {
            let gauges = Arc::new(Gauges::default());
            self.gauges.push(gauges.clone());
            self.threads.push(worker::spawn(Assignment {
                thread,
                plan: self.plan.clone(),
                target: target.clone(),
                start: self.start,
                gauges,
                control: self.control.subscribe(),
            })?);
        }
        Ok(())
    }

    /// Starts all workers in processes of their own.
    async fn start_processes(
        &mut self,
        program: &Program,
        addresses: Vec<Option<SocketAddr>>,
        offset: u32,
    ) -> Result<(), Error> {
        let assignment = processes::Assignment {
            searched_rate: program.searched_rate,
            ..processes::Assignment::of(&self.plan, Moment::of(self.start), addresses, offset)
        };
        for (process, gauges) in processes::start(program, &self.plan, &assignment).await? {
            self.processes.push(process);
            self.gauges.push(gauges);
        }
        Ok(())
    }

    /// Sends changed control data to all workers.
    fn send_control(&mut self, change: impl FnOnce(&mut Control)) {
        self.control.send_modify(change);
        let control = *self.control.borrow();
        self.processes.iter_mut().for_each(|process| process.send_control(control));
    }

    /// Leads the workers through all phases but the last.
    async fn lead(&mut self) -> Ending {
        match self.prepare().await {
            Ok(()) => {}
            Err(ending) => return ending,
        }
        if let Err(ending) = self.wait_for_start().await {
            return ending;
        }
        self.begin_load();
        let measured = self.load().await;
        self.send_control(|control| control.phase = Phase::Drain);
        let drained = match measured {
            Wait::Stalled => return Ending::Stalled(self.step),
            Wait::Done | Wait::Interrupted => self.drain().await,
        };
        self.is_drain_cut = drained == Wait::Interrupted;
        if (measured, drained) == (Wait::Done, Wait::Done) {
            self.hold().await;
        }
        let totals = self.totals();
        match (measured, drained) {
            (Wait::Done | Wait::Stalled, _) if totals.connected == 0 => Ending::NotConnected,
            _ if totals.connected > 0 && is_over(&totals) => Ending::AllLost,
            (Wait::Interrupted, _) | (_, Wait::Interrupted) => Ending::Interrupted,
            // Missing deliveries count as lost; missing acknowledgements mean that the broker stalled.
            (_, Wait::Stalled) if totals.finished < totals.publishers => Ending::Stalled(Step::Drain),
            (_, Wait::Stalled | Wait::Done) => Ending::Complete,
        }
    }

    /// Lets the clients send.
    fn begin_load(&mut self) {
        let load_began = self.nanoseconds().saturating_add(lead(&self.plan));
        self.load_began = Some(load_began);
        let highest_qos = self.totals().lowest_granted();
        Arc::make_mut(&mut self.plan).limit_qos(highest_qos, false);
        self.send_control(|control| {
            (control.phase, control.load_began) = (Phase::Measure, Some(load_began));
            control.highest_qos = highest_qos.map(|qos| qos as u8);
        });
        self.release_late_groups();
    }

    /// Lets the publishers of groups that start during the load send, up to the first group that waits for subscriptions.
    fn release_late_groups(&mut self) {
        let ready_before = self.late_subscriptions.ready_before();
        let highest_qos = self.totals().lowest_granted();
        Arc::make_mut(&mut self.plan).limit_qos(highest_qos, true);
        self.send_control(|control| {
            control.highest_late_qos = highest_qos.map(|qos| qos as u8);
            control.ready_before = u64::try_from(ready_before.as_nanos()).unwrap_or(u64::MAX);
        });
    }

    /// Lets the publishers of a late group send, once the subscriptions that are due were granted.
    fn follow_late_groups(&mut self, totals: &Totals) {
        let Some(now) = self.load_time() else { return };
        let settled = totals.subscribed + totals.without_subscription;
        if self.late_subscriptions.settle(now, settled, self.plan.timeout) {
            self.release_late_groups();
        }
    }

    /// Whether a late group waits for its subscriptions.
    fn is_late_group_waiting(&self) -> bool {
        self.load_time().is_some_and(|now| self.late_subscriptions.is_waiting(now))
    }

    /// The time since the load began.
    fn load_time(&self) -> Option<Duration> {
        self.load_began.map(|began| Duration::from_nanos(self.nanoseconds().saturating_sub(began)))
    }

    /// Whether no client is left to do anything, and none is to come.
    fn is_over(&self) -> impl Fn(&Totals) -> bool + use<O> {
        let clients = u64::from(self.plan.clients());
        move |totals| is_over(totals) && totals.settled() >= clients
    }

    /// Waits until every client has connected and subscribed, or has failed to, except those of groups that start later.
    async fn prepare(&mut self) -> Result<(), Ending> {
        let first = self.plan.first_clients();
        let clients = u64::from(first.clients());
        let connecting = self.until(Step::Connect, |totals| totals.settled() >= clients);
        proceed(connecting.await, Step::Connect)?;
        let totals = self.totals();
        if (totals.connected == 0 && clients > 0) || (totals.publishers == 0 && first.publishers > 0) {
            return Err(Ending::NotConnected);
        }
        let subscribers = u64::from(self.plan.first_subscriptions());
        let is_done = |totals: &Totals| totals.subscribed + totals.without_subscription >= subscribers;
        proceed(self.until(Step::Subscribe, is_done).await, Step::Subscribe)?;
        if self.is_over()(&self.totals()) { Err(Ending::AllLost) } else { Ok(()) }
    }

    /// Waits, with all clients connected, for the start time that several machines share.
    async fn wait_for_start(&mut self) -> Result<(), Ending> {
        let Some(wait) = self.plan.start_at.and_then(|time| time.duration_since(SystemTime::now()).ok())
        else {
            return Ok(());
        };
        proceed(self.for_a_time(Step::Wait, wait).await, Step::Wait)?;
        if self.is_over()(&self.totals()) { Err(Ending::AllLost) } else { Ok(()) }
    }

    /// Leads the clients through the load.
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

    /// Drops all clients in the middle of the measurement, and lets them reconnect.
    async fn measure_with_a_gap(&mut self) -> Wait {
        let Volume::Duration(duration) = self.plan.volume else {
            return self.measure(self.plan.volume).await;
        };
        let begin = Instant::now();
        match self.measure(Volume::Duration(duration / 2)).await {
            Wait::Done => {}
            wait => return wait,
        }
        let totals = self.totals();
        let (clients, gone) = (totals.connected.saturating_sub(totals.gone()), totals.gone());
        self.send_control(|control| control.drops += 1);
        let is_reconnected =
            |totals: &Totals| totals.reconnected + totals.gone().saturating_sub(gone) >= clients;
        match self.until(Step::Reconnect, is_reconnected).await {
            Wait::Done => {}
            wait => return wait,
        }
        self.send_control(|control| control.is_reconnected = true);
        self.measure(Volume::Duration(duration.saturating_sub(begin.elapsed()))).await
    }

    /// Lets publishers send delayed messages that were due before the end, until the usual timeout.
    async fn catch_up(&mut self) -> Wait {
        let timeout = self.plan.timeout;
        let is_done = |totals: &Totals| is_over(totals) || totals.finished >= totals.publishers;
        tokio::select! {
            wait = self.until(Step::CatchUp, is_done) => wait,
            () = tokio::time::sleep(timeout) => Wait::Done,
        }
    }

    /// Waits for a time, or until no client is left.
    async fn for_a_time(&mut self, step: Step, time: Duration) -> Wait {
        let is_over = self.is_over();
        tokio::select! {
            wait = self.until(step, is_over) => wait,
            () = tokio::time::sleep(time) => Wait::Done,
        }
    }

    /// Waits until all messages are acknowledged and delivered.
    async fn drain(&mut self) -> Wait {
        let is_done = |totals: &Totals| {
            is_over(totals) || totals.finished >= totals.publishers && totals.outstanding() == 0
        };
        self.until(Step::Drain, is_done).await
    }

    /// Keeps the clients connected after their work, if the plan says so. An interruption is the usual end.
    async fn hold(&mut self) {
        let Some(hold) = self.plan.hold else { return };
        self.send_control(|control| control.phase = Phase::Hold);
        match hold {
            Hold::UntilInterrupted => self.until(Step::Hold, is_over).await,
            Hold::For(time) => self.for_a_time(Step::Hold, time).await,
        };
    }

    /// Waits until `is_done`, or until nothing has made progress for too long.
    async fn until(&mut self, step: Step, is_done: impl Fn(&Totals) -> bool) -> Wait {
        self.step = step;
        let begin = Instant::now();
        let since_start = self.nanoseconds();
        self.phases.push((step, since_start));
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut seen, mut moved_at) = (None, begin);
        loop {
            tokio::select! {
                Some(()) = self.interrupts.recv() => return Wait::Interrupted,
                _ = look.tick() => {}
                () = tokio::time::sleep(SHORT_LOOK_INTERVAL), if self.is_late_group_waiting() => {}
            }
            self.processes.iter_mut().for_each(Process::look);
            let totals = self.totals();
            self.follow_late_groups(&totals);
            if self.recent_at.elapsed() >= RECENT_INTERVAL {
                (self.recent, self.recent_at) = (gauges::recent(&self.gauges), Instant::now());
            }
            let (elapsed, recent) = (begin.elapsed(), &self.recent);
            (self.observe)(View { plan: &self.plan, step, elapsed, totals: &totals, recent });
            if is_done(&totals) {
                return Wait::Done;
            }
            let now = progress(step, &totals);
            if seen != Some(now) {
                (seen, moved_at) = (Some(now), Instant::now());
            } else if moved_at.elapsed() >= self.timeout(step, &totals) {
                return Wait::Stalled;
            }
        }
    }

    /// The timeout without progress.
    fn timeout(&self, step: Step, totals: &Totals) -> Duration {
        let plan = &self.plan;
        match step {
            // Longer than the connect timeout of a single client, and than the pause before the next one starts.
            Step::Connect | Step::Reconnect => {
                let pause = plan.connect_rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
                plan.timeout.max(plan.broker.endpoint.timeout + 2 * LOOK_INTERVAL) + pause
            }
            Step::Subscribe | Step::CatchUp => plan.timeout,
            Step::Wait | Step::Hold => Duration::MAX,
            Step::WarmUp | Step::Measure => match plan.volume {
                // Subscribers and idle clients alone cannot know when other publishers will send.
                Volume::Duration(_) if plan.publishers() == 0 => Duration::MAX,
                // The groups may end before the measurement.
                Volume::Duration(_) if totals.finished >= totals.publishers => Duration::MAX,
                _ => plan.timeout.saturating_add(plan.longest_pause()),
            },
            Step::Drain => self.drain_timeout(totals),
        }
    }

    /// If messages may get lost and the broker has acknowledged all publishers, a message that takes three times as
    /// long as any before counts as lost. If a loss would violate the QoS, the run waits for the whole timeout.
    fn drain_timeout(&self, totals: &Totals) -> Duration {
        let may_lose = self.plan.may_lose() && totals.finished >= totals.publishers;
        let longest = LONGEST_TIMES * Duration::from_nanos(totals.slowest);
        if may_lose { longest.max(SHORTEST_WAIT).min(self.plan.timeout) } else { self.plan.timeout }
    }

    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.gauges.iter().for_each(|gauges| totals.add(gauges));
        totals
    }

    /// Disconnects all clients, and collects the records.
    async fn finish(mut self) -> Result<Record, Error> {
        self.send_control(|control| control.phase = Phase::Close);
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

/// The totals that have to change for progress. A client that fails to connect does not count: if the broker never
/// answers, thousands of clients would time out one after another.
fn progress(step: Step, totals: &Totals) -> Totals {
    match step {
        Step::Connect => Totals { connected: totals.connected, ..Totals::default() },
        Step::Reconnect => Totals { reconnected: totals.reconnected, ..Totals::default() },
        Step::Subscribe
        | Step::Wait
        | Step::WarmUp
        | Step::Measure
        | Step::CatchUp
        | Step::Drain
        | Step::Hold => *totals,
    }
}

/// Whether no client is left to do anything.
fn is_over(totals: &Totals) -> bool {
    totals.gone() >= totals.connected
}

/// Nanoseconds until the load begins.
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
