//! A worker process from within: orders in, gauges and a record out.

use super::wire::{self, Assignment, FromWorker, ToWorker};
use crate::bench::gauges::{self, Gauges, Totals};
use crate::bench::limits;
use crate::bench::plan::Plan;
use crate::bench::record::Record;
use crate::bench::route::Route;
use crate::bench::timeline::Coarse;
use crate::bench::worker::{self, Orders, Phase};
use crate::error::Error;
use std::io::{self, BufRead, BufWriter, Write};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;
use tokio::sync::watch;

/// How often the leader is told how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(10);

/// And after so many times, of its latencies in the last second.
const ROUNDS_PER_LATENCIES: u32 = 20;

/// Serves a leader until the record is handed over, or the leader is gone. `plan` makes the plan for what the leader assigns.
///
/// # Errors
/// When there is no leader on standard input. All else the leader is told.
pub fn serve(plan: impl FnOnce(&Assignment) -> Result<Plan, Error>) -> Result<(), Error> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Error::Input)?;
    let Ok(ToWorker::Begin(assignment)) = serde_json::from_str(&line) else {
        return Err(Error::Usage("only a leader can start a worker process".to_owned()));
    };
    let mut output = BufWriter::new(io::stdout().lock());
    match plan(&assignment).and_then(|plan| Workers::start(&Arc::new(plan), &assignment)) {
        Ok(workers) => {
            // When nobody listens, standard input has ended, too.
            let _ = tell(&mut output, &FromWorker::Ready);
            let record = workers.lead(&mut output)?;
            let _ = tell(&mut output, &FromWorker::Measured(Box::new(record)));
        }
        Err(error) => drop(tell(&mut output, &FromWorker::Failed(error.to_string()))),
    }
    Ok(())
}

fn tell(output: &mut impl Write, message: &FromWorker) -> io::Result<()> {
    wire::write(output, message).and_then(|()| output.flush())
}

/// The threads of this process.
struct Workers {
    gauges: Vec<Arc<Gauges>>,
    threads: Vec<JoinHandle<Record>>,
}

impl Workers {
    fn start(plan: &Arc<Plan>, assignment: &Assignment) -> Result<Workers, Error> {
        limits::allow_open_files(plan, assignment.process)?;
        let route = Route::to(plan, assignment.target, assignment.offset)?;
        let (sender, orders) = watch::channel(Orders::default());
        let mut workers = Workers { gauges: Vec::new(), threads: Vec::new() };
        for thread in plan.threads_of_process(assignment.process) {
            let gauges = Arc::new(Gauges::default());
            workers.gauges.push(gauges.clone());
            workers.threads.push(worker::spawn(worker::Assignment {
                thread,
                plan: plan.clone(),
                route: route.clone(),
                start: assignment.start.instant(),
                gauges,
                orders: orders.clone(),
            })?);
        }
        std::thread::spawn(move || follow(&sender));
        Ok(workers)
    }

    /// Tells how far it is until all threads have ended.
    fn lead(self, output: &mut impl Write) -> Result<Record, Error> {
        let mut told = Told::default();
        while !self.threads.iter().all(JoinHandle::is_finished) {
            told.tell_news(&self.gauges, output);
            sleep(PROGRESS_INTERVAL);
        }
        told.tell_news(&self.gauges, output);
        worker::gather(self.threads)
    }
}

/// What the leader was told last.
#[derive(Default)]
struct Told {
    totals: Totals,
    latencies: Coarse,
    rounds: u32,
}

impl Told {
    fn tell_news(&mut self, gauges: &[Arc<Gauges>], output: &mut impl Write) {
        let mut totals = Totals::default();
        gauges.iter().for_each(|gauges| totals.add(gauges));
        // When nobody listens, standard input ends, too.
        if totals != self.totals {
            let _ = tell(output, &FromWorker::Progress(totals));
            self.totals = totals;
        }
        if self.rounds.is_multiple_of(ROUNDS_PER_LATENCIES) {
            let latencies = gauges::recent(gauges);
            if latencies != self.latencies {
                let _ = tell(output, &FromWorker::Recent(latencies.clone()));
                self.latencies = latencies;
            }
        }
        self.rounds = self.rounds.wrapping_add(1);
    }
}

/// Passes orders on. When there is nobody to give any, it is time to close.
fn follow(orders: &watch::Sender<Orders>) {
    for line in io::stdin().lock().lines() {
        match line.map(|line| serde_json::from_str(&line)) {
            Ok(Ok(ToWorker::Orders(new))) => drop(orders.send_replace(new)),
            Ok(Ok(ToWorker::Begin(_)) | Err(_)) | Err(_) => break,
        }
    }
    orders.send_modify(|orders| orders.phase = Phase::Close);
}
