//! A thread and its clients. Threads share only orders and coarse gauges; the measurements are returned at the end.
//!
//! Clients are tasks of a runtime that stays on this thread, so that they share state without locks. They are woken
//! by their sockets, all together by [`Shared::beat`] for new orders and for keep alive, and each at the times that
//! it asks the [`TimerQueue`] for. A client has no timer of its own.

use super::client;
use super::cpu_usage::Usage;
use super::error::Error;
use super::gauges::Gauges;
use super::payload::Composer;
use super::plan::{ClientSlot, Group, Plan, Volume};
use super::record::{Errors, Received, Record, Stage};
use super::role::Tallies;
use super::target::Route;
use super::timer_queue::TimerQueue;
use crate::client::Method;
use crate::processor::thread_time;
use crate::protocol::Qos;
use crate::transport::PreciseTimer;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::thread::{JoinHandle, available_parallelism};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

/// The maximum number of clients of all threads that wait for CONNACK: about the length of mosquitto's accept queue.
const CONNECTING_AT_ONCE: usize = 96;

/// The time limit for all clients together to disconnect: the broker may have stopped reading.
pub(super) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of keep alive checks per interval.
pub(super) const BEATS_PER_KEEP_ALIVE: u32 = 4;

/// The phase of all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Connect and subscribe.
    #[default]
    Connect,
    /// Publish.
    Measure,
    /// Send nothing new, and wait for messages in flight.
    Drain,
    /// Disconnect.
    Close,
}

/// Orders from the run's leader to all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) phase: Phase,
    /// When the load begins, in nanoseconds since the run's start. Set with [`Phase::Measure`].
    pub(super) load_began: Option<u64>,
    /// The number of times that all clients should have dropped their connections.
    pub(super) drops: u32,
    /// Whether all clients have reconnected after that.
    pub(super) is_back: bool,
    /// The maximum QoS of all messages, if the broker grants no more. Set with [`Phase::Measure`].
    pub(super) highest_qos: Option<u8>,
}

/// The assignment that a worker starts with.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) thread: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) route: Route,
    /// The start of the run, which all times count from.
    pub(super) start: Instant,
    pub(super) gauges: Arc<Gauges>,
    pub(super) orders: watch::Receiver<Orders>,
}

/// The state that the clients of a thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) plan: Arc<Plan>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) record: RefCell<Record>,
    /// The acknowledgements and the messages in the current batch of a client.
    pub(super) settled: Tallies,
    pub(super) arrived: Tallies,
    /// The payload buffers of each group.
    pub(super) composers: Vec<RefCell<Composer>>,
    /// The messages received by members of shared subscriptions, by group.
    pub(super) pools: RefCell<BTreeMap<usize, Rc<Pool>>>,
    pub(super) route: Route,
    start: Instant,
    orders: Cell<Orders>,
    timer_queue: Option<TimerQueue>,
    beat: Cell<u32>,
    wakers: RefCell<Vec<Waker>>,
    /// Clients that are connected.
    alive: Cell<usize>,
    /// A permit for each client that may wait for CONNACK.
    connecting: Semaphore,
    /// When the next client may begin to connect.
    next_connect: Cell<tokio::time::Instant>,
    /// Signals that a client has ended.
    moved: Notify,
    /// The processor usage since the load began.
    usage: Cell<Option<Usage>>,
}

/// The messages that the members of a shared subscription received together.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) received: RefCell<Vec<Received>>,
    /// Whether a member left early, so that its missed messages are unknown.
    pub(super) is_broken: Cell<bool>,
}

/// Starts a worker. It ends after [`Phase::Close`].
///
/// # Errors
/// If the thread or its event loop cannot be created.
pub(super) fn spawn(assignment: Assignment) -> Result<JoinHandle<Record>, Error> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let work = move || {
        let runtime = match runtime_for(&assignment.plan) {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(error));
                return Record::default();
            }
        };
        let record = runtime.block_on(async {
            match Shared::new(&assignment) {
                Ok(shared) => {
                    let _ = ready.send(Ok(()));
                    work(Rc::new(shared), assignment).await
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                    Record::default()
                }
            }
        });
        // Does not wait for proofs that are still being computed.
        runtime.shutdown_background();
        record
    };
    let handle = std::thread::Builder::new().name("bench".to_owned()).spawn(work).map_err(Error::Thread)?;
    match is_ready.recv() {
        Ok(Ok(())) => Ok(handle),
        Ok(Err(error)) => Err(Error::Thread(error)),
        Err(_) => Err(Error::Thread(io::Error::other("it ended immediately"))),
    }
}

/// A runtime that stays on this thread. Password proofs are computed on other threads: at most one per processor, and
/// with low priority, so that they do not add to the latencies measured for the broker.
fn runtime_for(plan: &Plan) -> io::Result<LocalRuntime> {
    let mut builder = Builder::new_current_thread();
    let method = plan.broker.authentication.as_ref().map(|authentication| &authentication.method);
    if let Some(Method::Scram(_)) = method {
        let processors = available_parallelism().map_or(1, usize::from);
        builder.max_blocking_threads(processors.div_ceil(plan.threads)).on_thread_start(stand_back);
    }
    builder.enable_all().build_local(LocalOptions::default())
}

/// Lowers the priority of this thread. Only Linux can do so for a single thread; elsewhere the measurement is just
/// less exact.
fn stand_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}

/// Collects the records of all threads, once they have ended.
///
/// # Errors
/// If a thread failed.
pub(super) fn gather(threads: Vec<JoinHandle<Record>>) -> Result<Record, Error> {
    let mut record = Record::default();
    let mut is_whole = true;
    for thread in threads {
        match thread.join() {
            Ok(part) => record.merge(part),
            Err(_) => is_whole = false,
        }
    }
    if is_whole { Ok(record) } else { Err(Error::FailedThread) }
}

async fn work(shared: Rc<Shared>, assignment: Assignment) -> Record {
    let mut orders = assignment.orders;
    let mut launching = pin!(launch(shared.clone(), shared.plan.slots_of_thread(assignment.thread)));
    let mut is_launching = true;
    let mut beat = interval(shared.beat_interval());
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shared.phase() < Phase::Close {
        tokio::select! {
            biased;
            order = orders.changed() => {
                // Without a leader, there is nothing more to do.
                let gone = Orders { phase: Phase::Close, ..shared.orders() };
                shared.follow(if order.is_ok() { *orders.borrow_and_update() } else { gone });
            }
            () = shared.somebody_is_due() => shared.call_those_due(),
            () = &mut launching, if is_launching => is_launching = false,
            due = beat.tick() => {
                shared.note_lag(due.into_std());
                shared.beat();
            }
            _ = second.tick() => shared.show_recent(),
        }
    }
    // Clients that do not disconnect in time are dropped with the runtime.
    let _ = timeout(DISCONNECT_TIMEOUT, shared.all_ended()).await;
    shared.hand_in()
}

/// Starts the clients, limited by the number that may wait for CONNACK and by the connect rate.
async fn launch(shared: Rc<Shared>, parts: Vec<ClientSlot>) {
    for part in parts {
        shared.may_connect().await;
        if shared.phase() > Phase::Connect {
            return;
        }
        tokio::task::spawn_local(client::run(shared.clone(), part));
    }
}

impl Shared {
    /// # Errors
    /// If the operating system has no more timers.
    fn new(assignment: &Assignment) -> io::Result<Shared> {
        let Assignment { plan, route, start, gauges, .. } = assignment;
        let timer_queue =
            plan.has_open_loop().then(|| PreciseTimer::new().map(TimerQueue::new)).transpose()?;
        let composer = |group: &Group| RefCell::new(Composer::new(&group.payload, group.header_size()));
        Ok(Shared {
            plan: plan.clone(),
            gauges: gauges.clone(),
            record: RefCell::default(),
            settled: Tallies::default(),
            arrived: Tallies::default(),
            composers: plan.groups.iter().map(composer).collect(),
            pools: RefCell::default(),
            route: route.clone(),
            start: *start,
            orders: Cell::default(),
            timer_queue,
            beat: Cell::default(),
            wakers: RefCell::default(),
            alive: Cell::default(),
            connecting: Semaphore::new(CONNECTING_AT_ONCE.div_ceil(plan.threads)),
            next_connect: Cell::new(tokio::time::Instant::now()),
            moved: Notify::new(),
            usage: Cell::default(),
        })
    }

    pub(super) fn phase(&self) -> Phase {
        self.orders.get().phase
    }

    pub(super) fn orders(&self) -> Orders {
        self.orders.get()
    }

    fn follow(&self, orders: Orders) {
        if orders.phase == Phase::Measure && self.usage.get().is_none() {
            self.usage.set(Some(Usage::begin()));
        }
        if orders.phase > Phase::Measure {
            self.note_usage();
        }
        if orders.drops != self.orders.replace(orders).drops {
            // The rate starts anew for reconnecting clients.
            self.next_connect.set(tokio::time::Instant::now());
        }
        self.beat();
    }

    /// Records the thread's share of a processor during the load.
    fn note_usage(&self) {
        if let Some(usage) = self.usage.take() {
            self.record.borrow_mut().busiest_thread = usage.part();
        }
    }

    fn note_lag(&self, due: Instant) {
        let lag = nanoseconds(Instant::now().saturating_duration_since(due));
        self.record.borrow_mut().lag.record(lag);
    }

    /// The QoS of a group's messages: the requested one, or the maximum that the broker grants.
    pub(super) fn qos(&self, group: &Group) -> Qos {
        self.orders
            .get()
            .highest_qos
            .and_then(Qos::from_u8)
            .map_or(group.qos, |highest| group.qos.min(highest))
    }

    /// When the load began; `u64::MAX` before it does.
    pub(super) fn load_began(&self) -> u64 {
        self.orders.get().load_began.unwrap_or(u64::MAX)
    }

    /// Messages sent, or planned to be sent, from this time on are measured. Without a warm-up all are, including
    /// messages of others that arrive before the load begins.
    pub(super) fn measured_from(&self) -> u64 {
        if self.plan.warm_up.is_zero() { 0 } else { self.warmed_up_at() }
    }

    fn warmed_up_at(&self) -> u64 {
        self.load_began().saturating_add(nanoseconds(self.plan.warm_up))
    }

    /// Messages that are planned for this time or later are not sent.
    pub(super) fn load_end(&self) -> u64 {
        match self.plan.volume {
            Volume::Duration(duration) => self.warmed_up_at().saturating_add(nanoseconds(duration)),
            Volume::Messages(_) => u64::MAX,
        }
    }

    /// A time as nanoseconds since the run's start.
    pub(super) fn nanoseconds(&self, time: Instant) -> u64 {
        nanoseconds(time.saturating_duration_since(self.start))
    }

    pub(super) fn now(&self) -> u64 {
        self.nanoseconds(Instant::now())
    }

    /// The number of beats so far. A client that sees a new one checks the phase and its keep alive.
    pub(super) fn beats(&self) -> u32 {
        self.beat.get()
    }

    /// Registers a client to be woken by beats. Returns the number to wake it individually.
    pub(super) fn join_in(&self, waker: &Waker) -> usize {
        let wakers = &mut *self.wakers.borrow_mut();
        wakers.push(waker.clone());
        wakers.len() - 1
    }

    /// Schedules a wake-up of a client.
    pub(super) fn wake_at(&self, client: usize, time: u64) {
        if let Some(timer_queue) = &self.timer_queue {
            timer_queue.enter(client, time, self.now());
        }
    }

    /// The time up to which all clients have been woken.
    pub(super) fn called_until(&self) -> u64 {
        self.timer_queue.as_ref().map_or(0, TimerQueue::called_until)
    }

    async fn somebody_is_due(&self) {
        match &self.timer_queue {
            Some(timer_queue) => timer_queue.wait().await,
            None => pending().await,
        }
    }

    fn call_those_due(&self) {
        let Some(timer_queue) = &self.timer_queue else {
            return;
        };
        let now = self.now();
        let wakers = self.wakers.borrow();
        let wake = |client: usize| wakers.get(client).into_iter().for_each(Waker::wake_by_ref);
        if let Some(asked) = timer_queue.call(now, wake) {
            self.record.borrow_mut().lag.record(now - asked);
        }
    }

    fn beat(&self) {
        self.beat.set(self.beat.get().wrapping_add(1));
        self.wakers.borrow().iter().for_each(Waker::wake_by_ref);
    }

    /// Publishes the latencies of the last full second for the progress display.
    fn show_recent(&self) {
        let latency = self.record.borrow().timeline.latency_before(self.nanoseconds(Instant::now()));
        *self.gauges.recent.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    fn beat_interval(&self) -> Duration {
        match self.plan.broker.keep_alive {
            0 => Duration::from_secs(60),
            seconds => Duration::from_secs(seconds.into()) / BEATS_PER_KEEP_ALIVE,
        }
    }

    /// Waits until one more client may connect. [`Shared::connecting_ended`] has to follow.
    pub(super) async fn may_connect(&self) {
        if let Some(rate) = self.plan.connect_rate {
            let at = self.next_connect.get();
            let pause = self.plan.threads as f64 / f64::from(rate);
            self.next_connect.set(at + Duration::from_secs_f64(pause));
            sleep_until(at).await;
        }
        if let Ok(place) = self.connecting.acquire().await {
            place.forget();
        }
    }

    /// Releases the permit of a client that has connected, or failed to.
    pub(super) fn connecting_ended(&self) {
        self.connecting.add_permits(1);
    }

    /// Counts a connected client, to wait for it at the end.
    pub(super) fn client_began(&self) {
        self.alive.set(self.alive.get() + 1);
    }

    pub(super) fn client_ended(&self) {
        self.alive.set(self.alive.get() - 1);
        self.moved.notify_waiters();
    }

    async fn all_ended(&self) {
        while self.alive.get() > 0 {
            self.moved.notified().await;
        }
    }

    /// The record, including the thread's processor time.
    fn hand_in(&self) -> Record {
        let mut record = self.record.take();
        for (&group, pool) in &*self.pools.borrow() {
            let group = self.plan.groups.get(group).filter(|_| !pool.is_broken.get());
            if let Some(group) = group {
                record.received.insert(group.first_subscriber, pool.received.take());
            }
        }
        record.cpu += thread_time();
        record
    }

    pub(super) fn note_connected(&self) {
        let now = self.nanoseconds(Instant::now());
        let record = &mut *self.record.borrow_mut();
        record.connected += 1;
        record.timeline.at(now).connected += 1;
    }

    pub(super) fn note_lost(&self) {
        let now = self.nanoseconds(Instant::now());
        let record = &mut *self.record.borrow_mut();
        record.connections_lost += 1;
        record.timeline.at(now).lost += 1;
    }

    pub(super) fn count_error(&self, stage: Stage, error: &impl std::fmt::Display) {
        let errors: &mut Errors = &mut self.record.borrow_mut().errors;
        errors.add(stage, error.to_string(), 1);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
