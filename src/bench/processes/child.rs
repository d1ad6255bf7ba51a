//! A worker process: receives control data, and sends progress and its record.
//!
//! The leader waits for a worker process as long as it makes progress. A separate thread reports progress while the
//! others are busy for a long time: with the plan of a million clients, or the record of a long run.

use super::super::error::Error;
use super::wire::{self, Assignment, FromWorker, ToWorker};
use crate::bench::context::{Control, Phase};
use crate::bench::gauges::{self, Gauges, Recent, Totals};
use crate::bench::limits;
use crate::bench::plan::Plan;
use crate::bench::record::Record;
use crate::bench::target::Target;
use crate::bench::worker;
use crate::client::cpu_time;
use std::io::{self, BufRead, BufWriter, Stdout, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Interval between progress messages to the leader, for each worker process: the leader reads about 500 a second.
const PROGRESS_INTERVAL_PER_PROCESS: Duration = Duration::from_millis(2);
const SHORTEST_PROGRESS_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Interval between messages with the figures of the last second.
const RECENT_INTERVAL: Duration = Duration::from_millis(200);

/// How often the CPU time is compared, and how much of it counts as work. A process that only waits uses much
/// less, and one that shares a CPU with a hundred others uses this much within a few seconds.
const WORK_INTERVAL: Duration = Duration::from_millis(250);
const WORK: Duration = Duration::from_millis(50);

/// Number of these intervals between signs of life.
const ROUNDS_PER_SIGN: u32 = 4;

/// Serves a leader until the record is handed over, or the leader is gone. `plan` makes the plan from the leader's
/// assignment, or the text of its error.
///
/// # Errors
/// If standard input does not come from a leader. All other errors are reported to the leader.
pub(crate) fn serve(plan: impl FnOnce(&Assignment) -> Result<Plan, String>) -> Result<(), Error> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Error::Input)?;
    let Ok(ToWorker::Begin(assignment)) = serde_json::from_str(&line) else {
        return Err(Error::NoLeader);
    };
    let leader = Leader::default();
    leader.report_work()?;
    let started = plan(&assignment)
        .and_then(|plan| Workers::start(&Arc::new(plan), &assignment).map_err(|error| error.to_string()));
    match started {
        Ok(workers) => {
            leader.send(&FromWorker::Ready);
            let record = workers.lead(&leader)?;
            leader.send(&FromWorker::Measured(Box::new(record)));
        }
        Err(text) => leader.send(&FromWorker::Failed(text)),
    }
    Ok(())
}

/// The leader, at the other end of standard output.
#[derive(Clone)]
struct Leader(Arc<Mutex<BufWriter<Stdout>>>);

impl Default for Leader {
    fn default() -> Leader {
        Leader(Arc::new(Mutex::new(BufWriter::new(io::stdout()))))
    }
}

impl Leader {
    fn send(&self, message: &FromWorker) {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A failed write needs no handling: without a leader, standard input ends, too.
        let _ = wire::write(&mut *output, message).and_then(|()| output.flush());
    }

    /// An empty line: the process responds.
    fn send_sign(&self) {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(b"\n").and_then(|()| output.flush());
    }

    /// Reports in the background whenever this process has used CPU time, and that it responds.
    fn report_work(&self) -> Result<(), Error> {
        let leader = self.clone();
        let report = move || {
            let mut sent = cpu_time::of_process();
            let mut rounds = 0_u32;
            loop {
                sleep(WORK_INTERVAL);
                rounds = rounds.wrapping_add(1);
                if rounds.is_multiple_of(ROUNDS_PER_SIGN) {
                    leader.send_sign();
                }
                let used = cpu_time::of_process();
                if used.saturating_sub(sent) >= WORK {
                    sent = used;
                    leader.send(&FromWorker::Working);
                }
            }
        };
        let started = std::thread::Builder::new().name("work".to_owned()).spawn(report);
        started.map(drop).map_err(Error::Thread)
    }
}

/// The threads of this process.
struct Workers {
    progress_interval: Duration,
    gauges: Vec<Arc<Gauges>>,
    threads: Vec<JoinHandle<Record>>,
}

impl Workers {
    fn start(plan: &Arc<Plan>, assignment: &Assignment) -> Result<Workers, Error> {
        limits::allow_open_files(plan, assignment.process)?;
        let target = Target::to(plan, &assignment.targets, assignment.offset)?;
        let (sender, control) = watch::channel(Control::default());
        let progress_interval = progress_interval(plan.processes);
        let mut workers = Workers { progress_interval, gauges: Vec::new(), threads: Vec::new() };
        for thread in plan.threads_of_process(assignment.process) {
            let gauges = Arc::new(Gauges::default());
            workers.gauges.push(gauges.clone());
            workers.threads.push(worker::spawn(worker::Assignment {
                thread,
                plan: plan.clone(),
                target: target.clone(),
                start: assignment.start.instant(),
                gauges,
                control: control.clone(),
            })?);
        }
        std::thread::spawn(move || forward_control(&sender));
        Ok(workers)
    }

    /// Reports progress to the leader until all threads have ended.
    fn lead(self, leader: &Leader) -> Result<Record, Error> {
        let mut sent = LastSent::default();
        while !self.threads.iter().all(JoinHandle::is_finished) {
            sent.send_changes(&self.gauges, leader);
            sleep(self.progress_interval);
        }
        sent.send_changes(&self.gauges, leader);
        worker::gather(self.threads)
    }
}

/// How often each of this number of worker processes reports progress.
fn progress_interval(processes: usize) -> Duration {
    let processes = u32::try_from(processes).unwrap_or(u32::MAX);
    PROGRESS_INTERVAL_PER_PROCESS
        .saturating_mul(processes)
        .clamp(SHORTEST_PROGRESS_INTERVAL, LONGEST_PROGRESS_INTERVAL)
}

/// The last values reported to the leader.
#[derive(Default)]
struct LastSent {
    totals: Totals,
    recent: Recent,
    recent_at: Option<Instant>,
}

impl LastSent {
    fn send_changes(&mut self, gauges: &[Arc<Gauges>], leader: &Leader) {
        let mut totals = Totals::default();
        gauges.iter().for_each(|gauges| totals.add(gauges));
        if totals != self.totals {
            leader.send(&FromWorker::Progress(totals));
            self.totals = totals;
        }
        let now = Instant::now();
        if self.recent_at.is_none_or(|sent| now.saturating_duration_since(sent) >= RECENT_INTERVAL) {
            self.recent_at = Some(now);
            let recent = gauges::recent(gauges);
            if recent != self.recent {
                leader.send(&FromWorker::Recent(Box::new(recent.clone())));
                self.recent = recent;
            }
        }
    }
}

/// Forwards control data to the threads, and closes them once the leader is gone.
fn forward_control(control: &watch::Sender<Control>) {
    for line in io::stdin().lock().lines() {
        match line.map(|line| serde_json::from_str(&line)) {
            Ok(Ok(ToWorker::Control(new))) => drop(control.send_replace(new)),
            Ok(Ok(ToWorker::Begin(_)) | Err(_)) | Err(_) => break,
        }
    }
    control.send_modify(|control| control.phase = Phase::Close);
}
