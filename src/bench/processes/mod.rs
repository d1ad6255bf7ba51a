//! Worker processes: each has some of the threads, and a limit of open files of its own.
//!
//! A worker process is this same program with the same words and one more. What only the leader knows it reads from its
//! standard input, with all orders; on standard output it tells how far it is, and at the end what it measured (`wire`). It ends
//! with its standard input, and so also when the leader is killed. When it fails, its clients count as lost, and the others
//! go on. Nothing limits how long it takes to begin, and to hand over its record: only that it makes no progress for a while.

mod child;
mod exact;
mod pulse;
mod wire;

use super::gauges::{Gauges, Totals};
use super::plan::{Plan, Task};
use super::record::{Record, Stage};
use super::timeline::Coarse;
use super::worker::Orders;
use crate::error::Error;
pub use child::serve;
use pulse::Pulse;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::sleep;
use std::time::{Duration, Instant};
pub use wire::{Assignment, Moment};
use wire::{FromWorker, ToWorker};

/// How long a process that is waited for may make no progress: until it can begin, and from the last order until its record
/// has arrived.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);

/// How often the leader looks whether what it waits for has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// How long it may take to end when it has nothing to do any more.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// How to start a worker process.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// What stands behind the program's name.
    pub words: Vec<OsString>,
    /// The rate of this run, where it is a search's, which the words do not say.
    pub searched_rate: Option<f64>,
}

/// A worker process that runs. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    /// Which one it is, for people.
    name: String,
    outcome: Receiver<Outcome>,
    pulse: Arc<Pulse>,
}

/// How it ended for its leader.
#[derive(Debug)]
enum Outcome {
    Measured(Box<Record>),
    /// It is gone without a record; this is what it had done.
    Gone(Totals),
}

/// What a process has to do.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    clients: u64,
    publishers: u64,
    subscriptions: u64,
}

/// Starts all processes of a plan, each with gauges that it writes.
///
/// # Errors
/// When one of them does not start, and what it says about that.
pub(super) async fn start(
    program: &Program,
    plan: &Plan,
    assignment: &Assignment,
) -> Result<Vec<(Process, Arc<Gauges>)>, Error> {
    let mut started = Vec::new();
    for number in 0..plan.processes {
        let assignment = Assignment { process: number, ..assignment.clone() };
        started.push(Process::start(program, plan, assignment)?);
    }
    let mut ready = Vec::new();
    for process in started {
        ready.push(process.wait().await?);
    }
    Ok(ready)
}

/// What all of them measured, after the last order. As soon as the wait `is_interrupted`, no record is waited for any more.
pub(super) async fn finish(processes: Vec<Process>, mut is_interrupted: impl FnMut() -> bool) -> Record {
    finish_within(processes, SILENCE_LIMIT, &mut is_interrupted).await
}

async fn finish_within(
    processes: Vec<Process>,
    limit: Duration,
    is_interrupted: &mut dyn FnMut() -> bool,
) -> Record {
    // The last order is what all of them work on from now on.
    processes.iter().for_each(|process| process.pulse.note());
    let mut record = Record::default();
    for process in processes {
        record.merge(process.finish(limit, is_interrupted).await);
    }
    record
}

/// A process that was not heard of yet.
struct Starting {
    process: Process,
    gauges: Arc<Gauges>,
    is_ready: Receiver<Result<(), String>>,
}

impl Starting {
    async fn wait(self) -> Result<(Process, Arc<Gauges>), Error> {
        match self.process.pulse.wait_for(&self.is_ready, SILENCE_LIMIT, &mut || false).await {
            Ok(Ok(())) => Ok((self.process, self.gauges)),
            Ok(Err(text)) => Err(failed(io::Error::other(text))),
            Err(TryRecvError::Empty) => Err(failed(io::ErrorKind::TimedOut.into())),
            Err(TryRecvError::Disconnected) => Err(failed(io::Error::other("it ended at once"))),
        }
    }
}

impl Process {
    fn start(program: &Program, plan: &Plan, assignment: Assignment) -> Result<Starting, Error> {
        let mut child = Command::new(&program.path)
            .args(&program.words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It says what it has to say on its standard output, and must not ask anybody anything.
            .stderr(if plan.broker.watch.is_some() { Stdio::inherit() } else { Stdio::null() })
            // Ctrl-C is for the leader, who gives the orders.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let (orders, output) = (child.stdin.take(), child.stdout.take());
        let name = format!("worker process {} of {}", assignment.process + 1, plan.processes);
        let (sender, outcome) = mpsc::channel();
        // From here on the child ends in every case.
        let pulse = Arc::new(Pulse::default());
        let mut process = Process { child, orders, name, outcome, pulse: pulse.clone() };
        let output = output.ok_or_else(|| failed(io::Error::other("it has no standard output")))?;
        let extent = Extent::of(plan, assignment.process);
        process.tell(&ToWorker::Begin(Box::new(assignment)));
        let gauges = Arc::new(Gauges::default());
        let (ready, is_ready) = mpsc::channel();
        let listener = Listener { gauges: gauges.clone(), ready, extent, totals: Totals::default(), pulse };
        let listen = move || drop(sender.send(listener.listen(output)));
        std::thread::Builder::new().name("listen".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Starting { process, gauges, is_ready })
    }

    /// Gives new orders. A process that is gone is noticed by its silence.
    pub(super) fn order(&mut self, orders: Orders) {
        self.tell(&ToWorker::Orders(orders));
    }

    fn tell(&mut self, message: &ToWorker) {
        if let Some(input) = &mut self.orders {
            let _ = wire::write(input, message).and_then(|()| input.flush());
        }
    }

    /// What it measured, after the last order; at the worst that it did not tell.
    async fn finish(mut self, limit: Duration, is_interrupted: &mut dyn FnMut() -> bool) -> Record {
        let outcome = self.pulse.wait_for(&self.outcome, limit, is_interrupted).await;
        let is_silent = matches!(outcome, Err(TryRecvError::Empty));
        let status = self.end(if is_silent { Duration::ZERO } else { END_TIMEOUT });
        match outcome {
            Ok(Outcome::Measured(record)) => *record,
            Ok(Outcome::Gone(totals)) => self.lost_record(totals, &describe(status)),
            Err(_) => {
                // Its output has ended by now.
                let totals = match self.outcome.recv_timeout(END_TIMEOUT) {
                    Ok(Outcome::Gone(totals)) => totals,
                    Ok(Outcome::Measured(_)) | Err(_) => Totals::default(),
                };
                let how = if is_silent { "made no more progress".to_owned() } else { describe(status) };
                self.lost_record(totals, &how)
            }
        }
    }

    /// What is known without its record: who was connected, and is not any more.
    fn lost_record(&self, totals: Totals, how: &str) -> Record {
        let mut record =
            Record { connected: totals.connected, connections_lost: totals.connected, ..Record::default() };
        let text = format!("{} {how}; what it measured is lost", self.name);
        record.errors.add(Stage::Run, text, 1);
        record
    }

    /// Lets it end by itself, or else makes it.
    fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        drop(self.orders.take());
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => sleep(Duration::from_millis(2)),
                Ok(Some(status)) => return Some(status),
                Err(_) => break,
            }
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(END_TIMEOUT);
    }
}

fn describe(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("ended with status {code}"),
        Some((None, Some(signal))) => format!("was ended by signal {signal}"),
        Some((None, None)) | None => "ended".to_owned(),
    }
}

fn failed(source: io::Error) -> Error {
    Error::System { action: "start a worker process".to_owned(), source }
}

impl Extent {
    /// What the threads of one process have to do.
    fn of(plan: &Plan, process: usize) -> Extent {
        let mut extent = Extent::default();
        for part in plan.threads_of_process(process).flat_map(|thread| plan.parts_of_thread(thread)) {
            extent.clients += 1;
            extent.publishers += u64::from(part.task.publishes());
            extent.subscriptions += u64::from(part.task != Task::Stay && part.task.subscribes());
        }
        extent
    }

    /// What the gauges show when the process is gone, so that nobody waits for it.
    fn gone(self, last: Totals) -> Totals {
        Totals {
            failed: self.clients.saturating_sub(last.connected),
            lost: last.connected,
            without_subscription: self.subscriptions.saturating_sub(last.subscribed),
            publishers: last.publishers.min(self.publishers),
            finished: last.publishers.min(self.publishers),
            ..last
        }
    }
}

/// Reads what a process says.
struct Listener {
    gauges: Arc<Gauges>,
    ready: Sender<Result<(), String>>,
    extent: Extent,
    totals: Totals,
    pulse: Arc<Pulse>,
}

impl Listener {
    fn listen(mut self, output: ChildStdout) -> Outcome {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(true) = read_line(&mut output, &mut line, &self.pulse) {
            let reading = self.pulse.pause();
            let message = serde_json::from_slice(&line);
            drop(reading);
            match message {
                Ok(FromWorker::Working) => {}
                Ok(FromWorker::Ready) => drop(self.ready.send(Ok(()))),
                Ok(FromWorker::Failed(text)) => drop(self.ready.send(Err(text))),
                Ok(FromWorker::Progress(totals)) => {
                    self.gauges.set(&totals);
                    self.totals = totals;
                }
                Ok(FromWorker::Recent(latency)) => self.gauges.show_recent(latency),
                Ok(FromWorker::Measured(record)) => return Outcome::Measured(record),
                // Cut off, since it was killed.
                Err(_) => break,
            }
        }
        self.gauges.set(&self.extent.gone(self.totals));
        self.gauges.show_recent(Coarse::default());
        Outcome::Gone(self.totals)
    }
}

/// Reads a line into the place of the one before; whether there is one. Every piece of it is progress.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, pulse: &Pulse) -> io::Result<bool> {
    line.clear();
    loop {
        let piece = input.fill_buf()?;
        if piece.is_empty() {
            return Ok(!line.is_empty());
        }
        pulse.note();
        let end = piece.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(piece.len(), |end| end + 1);
        line.extend(piece.iter().take(taken));
        input.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{group, plan};
    use super::*;

    /// A process of one that runs this script of a shell instead of the program.
    async fn process(script: &str) -> Process {
        let program = Program {
            path: "/bin/sh".into(),
            words: ["-c", script].map(OsString::from).into(),
            searched_rate: None,
        };
        let plan = plan(vec![group(3, 0)]);
        let assignment = Assignment::of(&plan, Moment::of(Instant::now()), None, 0);
        let starting = Process::start(&program, &plan, assignment).expect("the shell starts");
        starting.wait().await.expect("it is ready").0
    }

    fn record_line() -> String {
        let record = Record { connected: 3, ..Record::default() };
        serde_json::to_string(&FromWorker::Measured(Box::new(record))).unwrap()
    }

    fn wait_for<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn finished(script: &str, limit: Duration, is_interrupted: bool) -> Record {
        let finish = async {
            let script = format!("read begin; echo '\"Ready\"'; {script}");
            finish_within(vec![process(&script).await], limit, &mut || is_interrupted).await
        };
        wait_for(finish)
    }

    #[test]
    fn a_record_is_waited_for_as_long_as_there_is_progress() {
        // The shell takes longer than the limit. Messages and pieces of the record show progress.
        let record = record_line();
        let (head, tail) = record.split_at(record.len() / 2);
        let script =
            format!("sleep 2; echo '\"Working\"'; sleep 2; printf '%s' '{head}'; sleep 2; echo '{tail}'");
        let record = finished(&script, Duration::from_secs(5), false);
        assert_eq!((record.connected, record.errors.by_count()), (3, vec![]));
    }

    #[test]
    fn a_process_without_progress_is_given_up() {
        let record = finished("exec sleep 600", Duration::from_millis(200), false);
        let errors: Vec<_> =
            record.errors.by_count().into_iter().map(|(_, text, _)| text.to_owned()).collect();
        assert_eq!(errors, ["worker process 1 of 1 made no more progress; what it measured is lost"]);
    }

    #[test]
    fn an_interruption_ends_the_wait_for_a_record() {
        let record = finished("exec sleep 600", Duration::from_secs(600), true);
        assert_eq!(record.errors.by_count().len(), 1);
    }
}
