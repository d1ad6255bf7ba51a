//! `mq bench`: options to a plan, progress on a terminal, the report on standard output, and what it means as a status.

use super::embedded::EmbeddedBroker;
use super::stop::Signals;
use super::{Messages, block_on, password};
use crate::bench::plan::{Plan, RunId, Volume};
use crate::bench::record::Stage;
use crate::bench::{self, Ending, Report, Step, View};
use crate::cli::bench::BenchArgs;
use crate::error::{Error, ExitStatus};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;

pub(super) fn run(args: &BenchArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let mut plan = args.plan(RunId(fastrand::u32(..)))?;
    block_on(async {
        password::complete(&args.connection, &mut plan.broker.password).await?;
        let (interrupts, signal) = catch_signals()?;
        // Dropped, and so stopped, however this ends.
        let broker = if args.embedded { Some(EmbeddedBroker::start()?) } else { None };
        if let Some(broker) = &broker {
            plan.broker.host = broker.address().ip().to_string();
            plan.broker.port = broker.address().port();
        }
        let progress = Progress::new();
        let report = bench::run(plan, interrupts, |view| progress.show(view)).await;
        progress.clear();
        let report = report?;
        print(&report)?;
        Ok(judge(&report, signal.get().copied(), messages))
    })
}

/// What helps when nobody answers.
const HINT: &str =
    "\nhint: is the broker running there? -h HOST and -p PORT choose another; --embedded brings its own";

/// Turns SIGINT and SIGTERM into interruptions, and keeps the status of the first.
fn catch_signals() -> Result<(mpsc::Receiver<()>, Arc<OnceLock<ExitStatus>>), Error> {
    let mut signals = Signals::catch()?;
    let (sender, receiver) = mpsc::channel(1);
    let first = Arc::new(OnceLock::new());
    let caught = first.clone();
    tokio::spawn(async move {
        loop {
            let status = signals.next().await;
            caught.get_or_init(|| status);
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok((receiver, first))
}

fn print(report: &Report) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    output.write_all(report.to_text().as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)
}

/// The exit status, and on standard error a sentence about what it stands for.
fn judge(report: &Report, signal: Option<ExitStatus>, messages: Messages) -> ExitStatus {
    if let Some(status) = signal {
        return status;
    }
    let (status, reason) = if report.connections_lost > 0 || report.ending == Ending::AllLost {
        (
            ExitStatus::LOST,
            format!("{} of {} clients lost the connection", report.connections_lost, report.connected),
        )
    } else if report.not_connected() > 0 {
        let all_refused = report.refused == report.clients();
        let status = if all_refused { ExitStatus::REFUSED } else { ExitStatus::FAILED };
        let hint = if report.connected == 0 && !all_refused { HINT } else { "" };
        (
            status,
            format!("{} of {} clients could not connect{hint}", report.not_connected(), report.clients()),
        )
    } else if report.errors.count(Stage::Subscribe) > 0 {
        (ExitStatus::DENIED, format!("{} subscriptions were denied", report.errors.count(Stage::Subscribe)))
    } else if report.account.denied > 0 {
        (ExitStatus::DENIED, format!("{} messages were denied", report.account.denied))
    } else if let Ending::Stalled(_) = report.ending {
        (ExitStatus::FAILED, "the broker stopped answering".to_owned())
    } else if report.is_promise_broken() {
        (ExitStatus::FAILED, format!("the broker broke what QoS {} promises", report.qos))
    } else if report.errors.count(Stage::Run) > 0 {
        (ExitStatus::FAILED, "not every client could do its work".to_owned())
    } else {
        return ExitStatus::DONE;
    };
    messages.say(&reason);
    status
}

/// A line on standard error that moves, when that is a terminal.
struct Progress(ProgressBar);

impl Progress {
    fn new() -> Progress {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix:<9} {bar:32} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress(bar)
    }

    fn show(&self, view: View<'_>) {
        if self.0.is_hidden() {
            return;
        }
        let (name, position, length) = extent(&view);
        self.0.set_prefix(name);
        self.0.set_length(length);
        self.0.set_position(position);
        self.0.set_message(words(&view));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// A step's name, how far it is, and how far it goes.
fn extent(view: &View<'_>) -> (&'static str, u64, u64) {
    let View { plan, step, elapsed, totals } = *view;
    match step {
        Step::Connect => ("connect", totals.connected + totals.failed, plan.clients().into()),
        Step::Subscribe => ("subscribe", totals.subscribed, plan.subscribers.into()),
        Step::Measure => match plan.volume {
            Volume::Messages(messages) => ("measure", totals.sent, messages),
            Volume::Duration(duration) => ("measure", milliseconds(elapsed), milliseconds(duration)),
        },
        Step::Drain => ("drain", totals.received, expected(plan, totals.sent)),
    }
}

fn expected(plan: &Plan, sent: u64) -> u64 {
    sent * u64::from(plan.topics.fan_out())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn words(view: &View<'_>) -> String {
    let totals = view.totals;
    match view.step {
        Step::Connect => match totals.failed {
            0 => format!("{} of {} clients", totals.connected, view.plan.clients()),
            failed => format!("{} of {} clients, {failed} failed", totals.connected, view.plan.clients()),
        },
        Step::Subscribe => format!("{} of {} subscriptions", totals.subscribed, view.plan.subscribers),
        Step::Measure | Step::Drain => {
            format!(
                "{} sent, {} acknowledged, {} received",
                totals.sent, totals.acknowledged, totals.received
            )
        }
    }
}
