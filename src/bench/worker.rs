//! A thread and the clients that live on it. Nothing is shared between threads but orders and coarse gauges; what was
//! measured is given back at the end.
//!
//! Clients are tasks of a runtime that stays on this thread, so that they share state without locks. They are woken by
//! their sockets, and all together by [`Shared::beat`]: when the phase changes, and now and then for keep alive. No client has
//! a timer of its own.

use super::client;
use super::gauges::Gauges;
use super::limits::Sources;
use super::plan::{Part, Plan};
use super::record::{Errors, Record, Stage};
use crate::error::Error;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

/// How many clients of all threads are on their way to CONNACK at a time: about what mosquitto lets wait in its queue.
const CONNECTING_AT_ONCE: usize = 96;

/// How long all farewells together may take: the broker may not be reading any more.
pub(super) const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// Keep alive is looked at so many times in its interval.
pub(super) const BEATS_PER_KEEP_ALIVE: u32 = 4;

/// What all clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Phase {
    /// Connect and subscribe.
    #[default]
    Connect,
    /// Publish.
    Measure,
    /// Wait for what is on its way.
    Drain,
    /// Disconnect.
    Close,
}

/// What a worker is started with.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) thread: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) route: Route,
    /// The start of the run, which all times count from.
    pub(super) start: Instant,
    pub(super) gauges: Arc<Gauges>,
    pub(super) orders: watch::Receiver<Phase>,
}

/// From where to where the connections go.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) target: SocketAddr,
    pub(super) sources: Sources,
}

/// What the clients of a thread have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) plan: Arc<Plan>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) record: RefCell<Record>,
    /// The payload of all messages, stamped anew for each.
    pub(super) payload: RefCell<Vec<u8>>,
    pub(super) route: Route,
    start: Instant,
    phase: Cell<Phase>,
    beat: Cell<u32>,
    wakers: RefCell<Vec<Waker>>,
    /// Clients that are connected.
    alive: Cell<usize>,
    /// Clients that are on their way to CONNACK.
    connecting: Cell<usize>,
    /// A client has connected, failed, or ended.
    moved: Notify,
}

/// Starts a worker. It ends after [`Phase::Close`].
///
/// # Errors
/// When there is no thread or no event loop to be had.
pub(super) fn spawn(assignment: Assignment) -> Result<JoinHandle<Record>, Error> {
    let failed = |source| Error::System { action: "start a thread".to_owned(), source };
    let (ready, is_ready) = std::sync::mpsc::channel();
    let work = move || {
        let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(error));
                return Record::default();
            }
        };
        let _ = ready.send(Ok(()));
        runtime.block_on(work(assignment))
    };
    let handle = std::thread::Builder::new().name("bench".to_owned()).spawn(work).map_err(failed)?;
    match is_ready.recv() {
        Ok(Ok(())) => Ok(handle),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(failed(io::Error::other("it ended at once"))),
    }
}

async fn work(assignment: Assignment) -> Record {
    let Assignment { thread, plan, route, start, gauges, mut orders } = assignment;
    let parts: Vec<Part> = plan.parts_of_thread(thread).collect();
    let shared = Rc::new(Shared::new(plan, route, start, gauges));
    let mut launching = pin!(launch(shared.clone(), parts));
    let mut is_launching = true;
    let mut beat = interval(shared.beat_interval());
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shared.phase() < Phase::Close {
        tokio::select! {
            biased;
            order = orders.changed() => {
                // Without anyone to give orders, there is nobody to work for.
                let phase = if order.is_ok() { *orders.borrow_and_update() } else { Phase::Close };
                shared.phase.set(phase);
                shared.beat();
            }
            () = &mut launching, if is_launching => is_launching = false,
            _ = beat.tick() => shared.beat(),
        }
    }
    // Those that do not make it in time are dropped with the runtime.
    let _ = timeout(FAREWELL_TIMEOUT, shared.all_ended()).await;
    shared.record.take()
}

/// Starts the clients, no more at a time than may be connecting, and no faster than the rate.
async fn launch(shared: Rc<Shared>, parts: Vec<Part>) {
    let threads = shared.plan.threads;
    let at_once = CONNECTING_AT_ONCE.div_ceil(threads);
    let begin = tokio::time::Instant::now();
    for (started, part) in (0u32..).zip(parts) {
        if let Some(rate) = shared.plan.connect_rate {
            let seconds = f64::from(started) * threads as f64 / f64::from(rate);
            sleep_until(begin + Duration::from_secs_f64(seconds)).await;
        }
        while shared.connecting.get() >= at_once {
            shared.moved.notified().await;
        }
        if shared.phase() > Phase::Connect {
            return;
        }
        shared.connecting.set(shared.connecting.get() + 1);
        tokio::task::spawn_local(client::run(shared.clone(), part));
    }
}

impl Shared {
    fn new(plan: Arc<Plan>, route: Route, start: Instant, gauges: Arc<Gauges>) -> Shared {
        let payload = RefCell::new(vec![b'.'; plan.payload_size]);
        Shared {
            plan,
            gauges,
            record: RefCell::default(),
            payload,
            route,
            start,
            phase: Cell::default(),
            beat: Cell::default(),
            wakers: RefCell::default(),
            alive: Cell::default(),
            connecting: Cell::default(),
            moved: Notify::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// A time as nanoseconds since the run's start.
    pub(super) fn nanoseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Counts the beats. A client that sees a new one looks at what phase it is, and at its keep alive.
    pub(super) fn beats(&self) -> u32 {
        self.beat.get()
    }

    /// Lets a client be woken by beats.
    pub(super) fn join_in(&self, waker: &Waker) {
        self.wakers.borrow_mut().push(waker.clone());
    }

    fn beat(&self) {
        self.beat.set(self.beat.get().wrapping_add(1));
        self.wakers.borrow().iter().for_each(Waker::wake_by_ref);
    }

    fn beat_interval(&self) -> Duration {
        match self.plan.broker.keep_alive {
            0 => Duration::from_secs(60),
            seconds => Duration::from_secs(seconds.into()) / BEATS_PER_KEEP_ALIVE,
        }
    }

    /// A client has connected, or will not.
    pub(super) fn connecting_ended(&self) {
        self.connecting.set(self.connecting.get() - 1);
        self.moved.notify_waiters();
    }

    /// A client is connected, and is to be waited for at the end.
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

    pub(super) fn count_error(&self, stage: Stage, error: &Error) {
        let errors: &mut Errors = &mut self.record.borrow_mut().errors;
        errors.add(stage, error.to_string(), 1);
    }
}
