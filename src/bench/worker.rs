//! A thread and its clients. Threads share only control data and coarse gauges; the measurements are returned at the
//! end.

use super::client;
use super::client_slot::ClientSlot;
use super::context::{Context, Control, DISCONNECT_TIMEOUT, Phase, nanoseconds, tick_interval};
use super::error::Error;
use super::gauges::Gauges;
use super::plan::Plan;
use super::record::Record;
use super::target::Target;
use crate::client::Method;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread::{JoinHandle, available_parallelism};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The assignment that a worker starts with.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) thread: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) target: Target,
    /// The start of the run, which all times count from.
    pub(super) start: Instant,
    pub(super) gauges: Arc<Gauges>,
    pub(super) control: watch::Receiver<Control>,
}

/// Starts a worker. It ends after [`Phase::Close`].
///
/// # Errors
/// If the thread or its event loop cannot be created.
pub(super) fn spawn(assignment: Assignment) -> Result<JoinHandle<Record>, Error> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let Assignment { thread, plan, target, start, gauges, control } = assignment;
    let work = move || {
        let runtime = match runtime_for(&plan) {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(error));
                return Record::default();
            }
        };
        let record = runtime.block_on(async {
            match Context::new(plan, target, gauges, start) {
                Ok(context) => {
                    let _ = ready.send(Ok(()));
                    work(Rc::new(context), thread, control).await
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

/// A runtime that stays on this thread. Password proofs are computed on other threads: at most one per CPU, and
/// with low priority, so that they do not add to the latencies measured for the broker.
fn runtime_for(plan: &Plan) -> io::Result<LocalRuntime> {
    let mut builder = Builder::new_current_thread();
    let method = plan.broker.authentication.as_ref().map(|authentication| &authentication.method);
    if let Some(Method::Scram(_)) = method {
        let cpus = available_parallelism().map_or(1, usize::from);
        builder.max_blocking_threads(cpus.div_ceil(plan.threads)).on_thread_start(lower_priority);
    }
    builder.enable_all().build_local(LocalOptions::default())
}

/// Lowers the priority of this thread. Only Linux can do so for a single thread; elsewhere the measurement is just
/// less exact.
fn lower_priority() {
    #[cfg(all(target_os = "linux", not(feature = "portable")))]
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
            Ok(of_thread) => record.merge(of_thread),
            Err(_) => is_whole = false,
        }
    }
    if is_whole { Ok(record) } else { Err(Error::FailedThread) }
}

async fn work(context: Rc<Context>, thread: usize, mut control: watch::Receiver<Control>) -> Record {
    let slots = context.plan.slots_of_thread(thread);
    let (late, first) = slots.into_iter().partition(|slot| context.plan.group(*slot).is_late());
    let Context { control: current, timers, measurements, admission, .. } = &*context;
    let mut launching = pin!(launch(&context, first));
    let mut launching_late = pin!(launch_late(&context, late));
    let (mut is_launching, mut is_launching_late) = (true, true);
    let mut tick = interval(tick_interval(context.plan.shortest_keep_alive()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while current.phase() < Phase::Close {
        tokio::select! {
            biased;
            changed = control.changed() => {
                // Without a leader, there is nothing more to do.
                let gone = Control { phase: Phase::Close, ..current.current() };
                apply(&context, if changed.is_ok() { *control.borrow_and_update() } else { gone });
            }
            () = timers.due() => timers.wake_due().iter().for_each(|lag| measurements.note_lag(*lag)),
            () = &mut launching, if is_launching => is_launching = false,
            () = &mut launching_late, if is_launching_late => is_launching_late = false,
            due = tick.tick() => {
                measurements.note_lag(nanoseconds(due.into_std().elapsed()));
                timers.tick();
            }
            _ = second.tick() => measurements.show_recent(&context.plan, timers.now()),
        }
    }
    // Clients that do not disconnect in time are dropped with the runtime.
    let _ = timeout(DISCONNECT_TIMEOUT, admission.all_left()).await;
    let datagrams = context.plan.broker.is_gateway().then(|| context.gateway_clients.datagrams());
    Record { datagrams, ..measurements.take_record(&context.plan) }
}

/// Starts the clients, limited by the number that may wait for CONNACK and by the connect rate.
async fn launch(context: &Rc<Context>, slots: Vec<ClientSlot>) {
    for slot in slots {
        context.admission.admit().await;
        if context.control.phase() > Phase::Connect {
            return;
        }
        tokio::task::spawn_local(client::run(context.clone(), slot));
    }
}

/// Starts the clients of groups that start during the load, each group at its time.
async fn launch_late(context: &Rc<Context>, mut slots: Vec<ClientSlot>) {
    let start = |slot: &ClientSlot| context.plan.group(*slot).bounds.start;
    slots.sort_by_key(start);
    load_begins(context).await;
    for slots in slots.chunk_by(|first, second| start(first) == start(second)) {
        let begin = slots.first().map(start).map(nanoseconds).unwrap_or_default();
        context.timers.reach(context.control.load_began().saturating_add(begin)).await;
        context.admission.restart();
        for &slot in slots {
            context.admission.admit().await;
            if context.control.phase() > Phase::Measure {
                return;
            }
            context.measurements.note_late_start(slot);
            tokio::task::spawn_local(client::run(context.clone(), slot));
        }
    }
}

/// Waits for the time at which the load begins. New control data wakes the task of the worker.
async fn load_begins(context: &Context) {
    let is_known = || context.control.current().load_began.is_some();
    poll_fn(|_| if is_known() { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Takes over new control data, and wakes all clients.
fn apply(context: &Context, control: Control) {
    match control.phase {
        Phase::Connect => {}
        Phase::Measure => context.measurements.begin_load(),
        Phase::Drain | Phase::Hold | Phase::Close => context.measurements.end_load(),
    }
    if control.drops != context.control.replace(control).drops {
        context.admission.restart();
    }
    context.timers.tick();
}
