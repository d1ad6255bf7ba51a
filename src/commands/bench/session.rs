//! The resources that successive runs share: signals, the embedded broker, the progress display and the metrics.

use super::describe::describe;
use super::http::{self, Listener};
use super::live::Live;
use super::progress::Progress;
use super::worker_processes::{self, Punctuality};
use crate::bench::broker_watch::{BrokerSide, BrokerWatch, VersionQuery};
use crate::bench::identity::Secret;
use crate::bench::plan::Plan;
use crate::bench::thresholds::{AbortConditions, AbortWatch, Snapshot};
use crate::bench::{self, Ending, Report, View, limits};
use crate::cli::bench::Run;
use crate::commands::embedded::EmbeddedBroker;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::shutdown::Signals;
use crate::commands::{Messages, password, trace};
use crate::transport::Address;
use std::cell::{OnceCell, RefCell};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// The capacity of the queue of signals; further ones would mean the same.
const MAX_INTERRUPTS: usize = 4;

/// The time in a step after which latencies are those of the step.
const FIRST_LATENCIES: Duration = Duration::from_secs(1);

/// The state from the first run to the last.
pub(super) struct Session<'a> {
    run: &'a Run,
    abort_if: AbortConditions,
    messages: Messages,
    password: Option<Vec<u8>>,
    /// Stops the broker when it is dropped.
    broker: Option<EmbeddedBroker>,
    interrupts: Interrupts,
    live: Live,
    announced: OnceCell<()>,
    /// The broker's version, once it was read.
    broker_version: RefCell<Option<String>>,
}

impl<'a> Session<'a> {
    pub(super) async fn start(
        run: &'a Run,
        plan: &Plan,
        abort_if: AbortConditions,
        messages: Messages,
    ) -> Result<Session<'a>, Error> {
        let around = worker_processes::surroundings(run);
        limits::spread_over_processes(&mut plan.clone(), around)?;
        let mut password = None;
        password::complete(&run.args.client.connection, &mut password).await?;
        let interrupts = Interrupts::catch()?;
        let failed = |source| Error::system("catch signals", source);
        Progress::prepare_for_stops(run.args.progress()).map_err(failed)?;
        let live = Live::new(run.args.serve.is_some());
        http::serve(listeners(run, messages)?, live.clone())?;
        let broker = match run.args.embedded {
            true => Some(worker_processes::start_broker(plan, around, messages)?),
            false => None,
        };
        Ok(Session {
            run,
            abort_if,
            messages,
            password,
            broker,
            interrupts,
            live,
            announced: OnceCell::new(),
            broker_version: RefCell::default(),
        })
    }

    /// Carries out the plan of the options.
    pub(super) async fn measure(&self, plan: Plan) -> Result<Report, Error> {
        self.carry_out(plan, None).await
    }

    /// Carries out the plan of a step of a search.
    pub(super) async fn measure_at(&self, rate: f64, plan: Plan) -> Result<Report, Error> {
        self.carry_out(plan, Some(rate)).await
    }

    async fn carry_out(&self, mut plan: Plan, searched_rate: Option<f64>) -> Result<Report, Error> {
        self.complete(&mut plan)?;
        trace::watch_run(self.run.args.debug, &mut plan);
        let mut progress = Progress::new(self.run.args.progress(), self.messages);
        let mut punctuality = Punctuality::new(self.run.args.start_at);
        let mut watch = (!self.abort_if.is_empty()).then(|| AbortWatch::new(&self.abort_if));
        let interrupts = self.interrupts.of_next_run();
        let observe = |view: View<'_>| {
            punctuality.look(&view);
            progress.show(&view);
            self.live.note(progress.now(), &view, || progress.state(&view));
            if watch.as_mut().is_some_and(|watch| watch.ends_step(&snapshot(&view))) {
                self.interrupts.end_run();
            }
        };
        let program = worker_processes::worker_program(searched_rate)?;
        let watch_broker = self.run.args.watch_broker.as_ref();
        let broker_watch = watch_broker.map(|source| BrokerWatch::start(source, &plan));
        let query = VersionQuery::new(&plan);
        self.live.begin_run(broker_watch.as_ref().map(BrokerWatch::view));
        let report = bench::run(plan, &program, interrupts, observe).await;
        progress.end();
        if let Some(delay) = punctuality.delay() {
            let seconds = delay.as_secs_f64();
            self.messages.say(&format!(
                "not all clients were connected at --start-at; the load began {seconds:.3} s later"
            ));
        }
        let mut report = report?;
        // After a signal, the last second is not one of the planned load.
        let conditions = match (watch, self.signal()) {
            (Some(watch), None) => watch.finish(&report),
            (Some(watch), Some(_)) => watch.verdicts(),
            (None, _) => Vec::new(),
        };
        if let Some(broker) = &self.broker {
            let faults = broker.take_front_faults(report.connections_lost).await;
            faults.iter().for_each(|fault| report.note_front_fault(fault));
            broker.end().into_iter().for_each(|end| report.note_broker_end(&end));
        }
        let broker_side = match broker_watch {
            Some(watch) => Some(self.finish_watch(watch, &report).await),
            None => None,
        };
        let of_watch = broker_side.as_ref().and_then(|side| side.version.clone());
        report.setup.broker_version = match of_watch {
            Some(version) => Some(version),
            None => self.broker_version(query.as_ref(), &report).await,
        };
        Ok(Report { conditions, broker_side, ..report })
    }

    /// Reads the broker's version after the first complete run. Hosted brokers do not publish it.
    async fn broker_version(&self, query: Option<&VersionQuery>, report: &Report) -> Option<String> {
        let known = self.broker_version.borrow().clone();
        let is_hosted = self.run.args.client.preset.preset.is_some();
        if known.is_some() || is_hosted || report.ending != Ending::Complete {
            return known;
        }
        let version = query?.run().await;
        self.broker_version.borrow_mut().clone_from(&version);
        version
    }

    /// Ends the watch of the broker, and prints the metrics that it could not read.
    async fn finish_watch(&self, watch: BrokerWatch, report: &Report) -> BrokerSide {
        let side = watch.finish(report.started_at).await;
        side.problems.iter().for_each(|problem| self.say(&format!("--watch-broker: {problem}")));
        side
    }

    /// Adds to the plan the values that were not known when it was made, and announces the run.
    fn complete(&self, plan: &mut Plan) -> Result<(), Error> {
        if let Some(password) = &self.password {
            plan.broker.identities.password = Some(Secret::Same(password.clone()));
        }
        limits::spread_over_processes(plan, worker_processes::surroundings(self.run))?;
        self.announced.get_or_init(|| self.messages.say(&self.announcement(plan)));
        if let Some(broker) = &self.broker {
            let address = broker.address();
            plan.broker.front_processes = broker.front_processes();
            let (host, port) = (address.ip().to_string(), address.port());
            let endpoint = &mut plan.broker.endpoint;
            endpoint.address = match &endpoint.address {
                Address::Gateway { options, .. } => Address::Gateway { host, port, options: options.clone() },
                Address::Tcp { .. } | Address::Service(_) | Address::Unix(_) => Address::Tcp { host, port },
            };
        }
        Ok(())
    }

    /// The announcement of the run, or of the first run of a search.
    fn announcement(&self, plan: &Plan) -> String {
        match self.run.search {
            None => describe(plan),
            Some(_) => format!("--search begins with: {}", describe(plan)),
        }
    }

    /// Prints a progress message on standard error.
    pub(super) fn say(&self, text: &str) {
        self.messages.say(text);
    }

    /// The run for the HTTP server, which lives longer than the session.
    pub(super) fn live(&self) -> Live {
        self.live.clone()
    }

    /// The status of the first signal, if any.
    pub(super) fn signal(&self) -> Option<ExitStatus> {
        self.interrupts.first.get().copied()
    }
}

/// Listens for --metrics and --serve, before the run starts. One address may serve both.
fn listeners(run: &Run, messages: Messages) -> Result<Vec<Listener>, Error> {
    let mut listeners = Vec::new();
    if let Some(address) = run.args.serve {
        let listener = Listener::bind(address, "--serve", true)?;
        let address = listener.address().unwrap_or(address);
        messages.say(&format!("the live page is at http://{address}/"));
        listeners.push(listener);
    }
    if let Some(address) = run.args.metrics.filter(|address| Some(*address) != run.args.serve) {
        listeners.push(Listener::bind(address, "--metrics", false)?);
    }
    Ok(listeners)
}

/// SIGINT and SIGTERM as interruptions of the current run.
struct Interrupts {
    first: Arc<OnceLock<ExitStatus>>,
    run: CurrentRun,
}

/// Interrupts the current run.
type CurrentRun = Arc<Mutex<Option<mpsc::Sender<()>>>>;

fn interrupt(run: &CurrentRun) {
    if let Some(run) = &*run.lock().unwrap_or_else(PoisonError::into_inner) {
        // A full queue already holds more interruptions than a run has steps to end.
        let _ = run.try_send(());
    }
}

/// The view of a run that the conditions for its early end are judged on.
fn snapshot<'a>(view: &View<'a>) -> Snapshot<'a> {
    Snapshot {
        step: view.step,
        elapsed: view.elapsed,
        plan: view.plan,
        totals: view.totals,
        // Before that, the last full second may be one of the step before.
        recent_p99: view.recent.p99().filter(|_| view.elapsed >= FIRST_LATENCIES),
        groups: &view.recent.groups,
    }
}

impl Interrupts {
    fn catch() -> Result<Interrupts, Error> {
        let mut signals = Signals::catch()?;
        let interrupts = Interrupts { first: Arc::default(), run: Arc::default() };
        let (first, run) = (interrupts.first.clone(), interrupts.run.clone());
        tokio::spawn(async move {
            let mut status = signals.next().await;
            loop {
                first.get_or_init(|| status);
                interrupt(&run);
                // Those that a shell or `timeout` send to the process and its group are one.
                status = signals.second().await;
            }
        });
        Ok(interrupts)
    }

    /// Ends the current run early, without a signal.
    fn end_run(&self) {
        interrupt(&self.run);
    }

    fn of_next_run(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel(MAX_INTERRUPTS);
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }
}
