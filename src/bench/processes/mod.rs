//! Worker processes: each has some of the threads, and a limit of open files of its own.
//!
//! A worker process is this same program with the same arguments and one more. It reads an assignment and control
//! data from standard input, and writes progress and finally its record to standard output (`wire`). It ends when its standard
//! input ends, and so also if the leader is killed. If it fails or no longer responds, its clients are out of the run, but do not
//! count as clients that lost their connection; the other processes continue. Its start and the transfer of its record have no time
//! limit, except that it has to make progress.

mod child;
mod histogram_codec;
mod pulse;
mod wire;

use super::context::Control;
use super::error::Error;
use super::gauges::{Gauges, Recent, Totals};
use super::plan::{Plan, Task};
use super::record::{Record, Stage, WorkerFault};
pub(crate) use child::serve;
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
pub(crate) use wire::{Assignment, Moment};
use wire::{FromWorker, ToWorker};

/// The time without progress after which a worker process is given up: while it starts, and from the last control message until
/// its record has arrived.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);

/// The time without any sign of life after which a process no longer counts as a part of the run. It sends one each second.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);

/// The longest time between two looks that counts as silence: the leader itself may have been stopped for longer.
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// Time for a process to exit after its work is done.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// The command that starts a worker process.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The executable.
    pub path: PathBuf,
    /// The arguments.
    pub words: Vec<OsString>,
    /// The rate of this run in a search, which is not in the arguments.
    pub searched_rate: Option<f64>,
}

/// A running worker process. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// Its number, counted from 0, and the number of all.
    number: usize,
    processes: usize,
    clients: ClientCounts,
    gauges: Arc<Gauges>,
    outcome: Receiver<Outcome>,
    pulse: Arc<Pulse>,
    silence: Silence,
}

/// How long a process has not responded.
#[derive(Debug, Default)]
struct Silence {
    /// The number of signs of life at the last look.
    signs: u64,
    looked_at: Option<Instant>,
    now: Duration,
    longest: Duration,
}

impl Silence {
    /// Whether the process does not respond.
    fn is_too_long(&self) -> bool {
        self.now >= RESPONSE_LIMIT
    }

    /// Looks at the signs of life; returns whether the silence has just become too long.
    fn look(&mut self, signs: u64) -> bool {
        let now = Instant::now();
        let elapsed = self.looked_at.replace(now).map_or(Duration::ZERO, |before| now - before);
        if std::mem::replace(&mut self.signs, signs) != signs {
            self.now = Duration::ZERO;
            return false;
        }
        let was_too_long = self.is_too_long();
        self.now += elapsed.min(LONGEST_LOOK);
        self.longest = self.longest.max(self.now);
        !was_too_long && self.is_too_long()
    }
}

/// The result of a process for its leader.
#[derive(Debug)]
enum Outcome {
    Measured(Box<Record>),
    /// It ended without a record, with these totals.
    Gone(Totals),
}

/// The numbers of clients of a process.
#[derive(Debug, Clone, Default)]
struct ClientCounts {
    clients: u64,
    /// The same by group.
    of_groups: Vec<u64>,
    publishers: u64,
    subscriptions: u64,
}

/// Starts all processes of a plan, each with the gauges that it updates.
///
/// # Errors
/// If one of them does not start, with its error message.
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

/// Collects the records of all processes after the last control message. Stops waiting as soon as `is_interrupted` returns
/// true.
pub(super) async fn finish(processes: Vec<Process>, mut is_interrupted: impl FnMut() -> bool) -> Record {
    finish_within(processes, SILENCE_LIMIT, &mut is_interrupted).await
}

async fn finish_within(
    processes: Vec<Process>,
    limit: Duration,
    is_interrupted: &mut dyn FnMut() -> bool,
) -> Record {
    // All of them work on the last control message from now on, except those that do not respond.
    let responding = processes.iter().filter(|process| !process.silence.is_too_long());
    responding.for_each(|process| process.pulse.note());
    let mut record = Record::default();
    for process in processes {
        record.merge(process.finish(limit, is_interrupted).await);
    }
    record
}

/// A process that has not reported ready yet.
struct Starting {
    process: Process,
    gauges: Arc<Gauges>,
    is_ready: Receiver<Result<(), String>>,
}

impl Starting {
    async fn wait(self) -> Result<(Process, Arc<Gauges>), Error> {
        match self.process.pulse.wait_for(&self.is_ready, SILENCE_LIMIT, &mut || false).await {
            Ok(Ok(())) => Ok((self.process, self.gauges)),
            Ok(Err(text)) => Err(Error::Process(io::Error::other(text))),
            Err(TryRecvError::Empty) => Err(Error::Process(io::ErrorKind::TimedOut.into())),
            Err(TryRecvError::Disconnected) => Err(Error::Process(io::Error::other("it ended immediately"))),
        }
    }
}

impl Process {
    fn start(program: &Program, plan: &Plan, assignment: Assignment) -> Result<Starting, Error> {
        let mut child = Command::new(&program.path)
            .args(&program.words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A worker reports on standard output, and must not prompt on the terminal.
            .stderr(if plan.broker.watch.is_some() { Stdio::inherit() } else { Stdio::null() })
            // Ctrl-C is for the leader, which controls the workers.
            .process_group(0)
            .spawn()
            .map_err(Error::Process)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (number, processes) = (assignment.process, plan.processes);
        let clients = ClientCounts::of(plan, number);
        let (sender, outcome) = mpsc::channel();
        // From here on, every path ends the child.
        let (pulse, gauges) = (Arc::new(Pulse::default()), Arc::new(Gauges::default()));
        let mut process = Process {
            child,
            input,
            number,
            processes,
            clients: clients.clone(),
            gauges: gauges.clone(),
            outcome,
            pulse: pulse.clone(),
            silence: Silence::default(),
        };
        let output = output.ok_or_else(|| Error::Process(io::Error::other("it has no standard output")))?;
        process.send(&ToWorker::Begin(Box::new(assignment)));
        let (ready, is_ready) = mpsc::channel();
        let listener = Listener { gauges: gauges.clone(), ready, clients, totals: Totals::default(), pulse };
        let listen = move || drop(sender.send(listener.listen(output)));
        std::thread::Builder::new().name("listen".to_owned()).spawn(listen).map_err(Error::Process)?;
        Ok(Starting { process, gauges, is_ready })
    }

    /// Sends new control data. A process that is gone shows by its silence.
    pub(super) fn send_control(&mut self, control: Control) {
        self.send(&ToWorker::Control(control));
    }

    fn send(&mut self, message: &ToWorker) {
        if let Some(input) = &mut self.input {
            let _ = wire::write(input, message).and_then(|()| input.flush());
        }
    }

    /// Looks for a sign of life. The clients of a process that does not respond are out of the run until the next one, so that
    /// nothing waits for them.
    pub(super) fn look(&mut self) {
        if self.silence.look(self.pulse.signs()) {
            let mut last = Totals::default();
            last.add(&self.gauges);
            self.gauges.set(&self.clients.gone(last));
        }
    }

    /// Waits for its record after the last control message; without one, returns a record of the lost clients.
    async fn finish(mut self, limit: Duration, is_interrupted: &mut dyn FnMut() -> bool) -> Record {
        let outcome = self.pulse.wait_for(&self.outcome, limit, is_interrupted).await;
        let is_silent = matches!(outcome, Err(TryRecvError::Empty));
        let status = self.end(if is_silent { Duration::ZERO } else { END_TIMEOUT });
        match outcome {
            Ok(Outcome::Measured(record)) => self.measured_record(*record),
            Ok(Outcome::Gone(totals)) => self.lost_record(totals, describe(status)),
            Err(_) => {
                // The process has ended, so its output has, too.
                let totals = match self.outcome.recv_timeout(END_TIMEOUT) {
                    Ok(Outcome::Gone(totals)) => totals,
                    Ok(Outcome::Measured(_)) | Err(_) => Totals::default(),
                };
                let event = if is_silent { "stopped responding".to_owned() } else { describe(status) };
                self.lost_record(totals, event)
            }
        }
    }

    /// The record of a process, with the time in which it did not respond.
    fn measured_record(&self, mut record: Record) -> Record {
        let longest = self.silence.longest;
        if longest >= RESPONSE_LIMIT {
            let event = format!("did not respond for {:.0} s", longest.as_secs_f64());
            record.worker_faults.push(self.fault(event, 0, 0));
        }
        record
    }

    /// The record of a process that did not deliver one: the measurements of its clients are missing.
    fn lost_record(&self, totals: Totals, event: String) -> Record {
        let ClientCounts { clients, of_groups, .. } = &self.clients;
        let mut record = Record { connected: totals.connected, ..Record::default() };
        if totals.connected == *clients {
            let groups = of_groups.iter().enumerate();
            groups.for_each(|(group, connected)| record.of_group(group).connected = *connected);
        }
        record.worker_faults.push(self.fault(event, *clients, totals.connected));
        record
    }

    fn fault(&self, event: String, clients: u64, connected: u64) -> WorkerFault {
        let (process, processes) = (self.number as u64 + 1, self.processes as u64);
        WorkerFault { process, processes, event, clients, connected }
    }

    /// Waits for the process to exit, and kills it after the timeout.
    fn end(&mut self, timeout: Duration) -> Option<ExitStatus> {
        drop(self.input.take());
        let deadline = Instant::now() + timeout;
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
        Some((None, Some(signal))) => format!("was killed by signal {signal}"),
        Some((None, None)) | None => "ended".to_owned(),
    }
}

impl ClientCounts {
    fn of(plan: &Plan, process: usize) -> ClientCounts {
        let mut clients = ClientCounts { of_groups: vec![0; plan.groups.len()], ..ClientCounts::default() };
        for slot in plan.threads_of_process(process).flat_map(|thread| plan.slots_of_thread(thread)) {
            clients.clients += 1;
            if let Some(of_group) = clients.of_groups.get_mut(slot.group) {
                *of_group += 1;
            }
            clients.publishers += u64::from(slot.task.publishes());
            clients.subscriptions += u64::from(slot.task != Task::Stay && slot.task.subscribes());
        }
        clients
    }

    /// Totals of a process that is gone, so that the run does not wait for its clients.
    fn gone(&self, last: Totals) -> Totals {
        Totals {
            abandoned: last.connected.saturating_sub(last.lost),
            abandoned_early: self.clients.saturating_sub(last.connected).saturating_sub(last.failed),
            without_subscription: self.subscriptions.saturating_sub(last.subscribed),
            publishers: last.publishers.min(self.publishers),
            finished: last.publishers.min(self.publishers),
            ..last
        }
    }
}

/// Reads the messages of a process.
struct Listener {
    gauges: Arc<Gauges>,
    ready: Sender<Result<(), String>>,
    clients: ClientCounts,
    totals: Totals,
    pulse: Arc<Pulse>,
}

impl Listener {
    fn listen(mut self, output: ChildStdout) -> Outcome {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(true) = read_line(&mut output, &mut line, &self.pulse) {
            if line == [b'\n'] {
                // The leader may have counted its clients as gone.
                self.gauges.set(&self.totals);
                continue;
            }
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
                Ok(FromWorker::Recent(recent)) => self.gauges.show_recent(*recent),
                Ok(FromWorker::Measured(record)) => return Outcome::Measured(record),
                // The line is cut off because the process was killed.
                Err(_) => break,
            }
        }
        self.gauges.set(&self.clients.gone(self.totals));
        let mut recent = Recent::default();
        recent.errors.add(Stage::Run, "a worker process ended early".to_owned(), 1);
        self.gauges.show_recent(recent);
        Outcome::Gone(self.totals)
    }
}

/// Reads a line into `line`, and returns whether it found one. Every piece of it counts as progress, except empty lines, which are
/// only signs of life.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, pulse: &Pulse) -> io::Result<bool> {
    line.clear();
    loop {
        let piece = input.fill_buf()?;
        if piece.is_empty() {
            return Ok(!line.is_empty());
        }
        pulse.note_sign();
        if piece.iter().any(|byte| *byte != b'\n') || !line.is_empty() {
            pulse.note();
        }
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

    /// A process that runs this shell script instead of the program.
    async fn process(script: &str) -> Process {
        let program = Program {
            path: "/bin/sh".into(),
            words: ["-c", script].map(OsString::from).into(),
            searched_rate: None,
        };
        let plan = plan(vec![group(3, 0)]);
        let assignment = Assignment::of(&plan, Moment::of(Instant::now()), vec![None], 0);
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
        // The script takes longer than the limit, but its messages and pieces of the record show progress.
        let record = record_line();
        let (head, tail) = record.split_at(record.len() / 2);
        let script = format!(
            "sleep 2; echo '\"Working\"'; echo; sleep 2; printf '%s' '{head}'; sleep 2; echo '{tail}'"
        );
        let record = finished(&script, Duration::from_secs(5), false);
        assert_eq!((record.connected, record.errors.by_count()), (3, vec![]));
    }

    #[test]
    fn a_process_without_progress_is_given_up() {
        let record = finished("exec sleep 600", Duration::from_millis(200), false);
        let names: Vec<_> = record.worker_faults.iter().map(WorkerFault::name).collect();
        assert_eq!(names, ["worker process 1 of 1 stopped responding"]);
        let fault = &record.worker_faults[0];
        assert_eq!((fault.clients, fault.connected, record.connections_lost), (3, 0, 0));
    }

    #[test]
    fn signs_of_life_are_no_progress() {
        let script = "while sleep 0.05; do echo; done";
        let record = finished(script, Duration::from_millis(400), false);
        assert_eq!(record.worker_faults.len(), 1);
    }

    #[test]
    fn a_silence_counts_only_while_the_leader_looks() {
        let mut silence = Silence::default();
        assert!(!silence.look(1));
        silence.looked_at = Instant::now().checked_sub(Duration::from_secs(60));
        assert!(!silence.look(1), "the leader was stopped");
        silence.now = RESPONSE_LIMIT - Duration::from_millis(1);
        silence.looked_at = Instant::now().checked_sub(Duration::from_millis(50));
        assert!(silence.look(1) && silence.is_too_long());
        silence.looked_at = Instant::now().checked_sub(Duration::from_millis(50));
        assert!(!silence.look(1) && silence.is_too_long(), "it is noticed once");
        assert!(!silence.look(2) && !silence.is_too_long());
        assert!(silence.longest > RESPONSE_LIMIT);
    }

    #[test]
    fn an_interruption_ends_the_wait_for_a_record() {
        let record = finished("exec sleep 600", Duration::from_secs(600), true);
        assert_eq!(record.worker_faults.len(), 1);
    }
}
