//! `mq bench`: makes a plan of the options, displays progress, writes the reports and maps the result to an exit status.

mod describe;
mod metrics;
mod outputs;
mod progress;
mod search;
mod session;
mod worker_processes;

use super::{Messages, block_on, broker_hint};
use crate::bench::plan::{Plan, RunId, Scenario};
use crate::bench::record::Stage;
use crate::bench::report::{JsonError, MergeError, Searched, scenario_word};
use crate::bench::thresholds::{Comparison, Thresholds};
use crate::bench::{Ending, Report};
use crate::cli::bench::{BenchArgs, Word};
use crate::cli::bench_report::Searchable;
use crate::commands::error::{Error, ExitStatus};
use crate::input_file;
use outputs::{Outputs, Sections};
use session::Session;
use std::io::ErrorKind;
use std::path::Path;

/// The maximum size of a report.
const MOST_REPORT_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn run(args: &BenchArgs, messages: Messages) -> Result<ExitStatus, Error> {
    if args.worker {
        return worker_processes::serve(args);
    }
    let parts = if args.word == Word::Merge { Some(read_reports(args)?) } else { None };
    let plan = if parts.is_none() { Some(args.plan(RunId(fastrand::u32(..)))?) } else { None };
    if let (Some(plan), true) = (&plan, args.check) {
        return block_on(worker_processes::check(
            plan.clone(),
            args.processes.map(usize::from),
            args.embedded,
        ));
    }
    let baseline = args.report.baseline.as_deref();
    let baseline = baseline.map(|path| read_report("--baseline", path)).transpose()?;
    if let Some((path, before)) = args.report.baseline.as_deref().zip(baseline.as_ref()) {
        let parts = parts.iter().flatten().map(|part| part.plan.scenario);
        check_baseline(path, before, plan.iter().map(|plan| plan.scenario).chain(parts).next())?;
    }
    let outputs = Outputs::create(&args.report)?;
    let (report, signal) = match (plan, parts) {
        (Some(plan), _) => block_on(measure(args, plan, messages))?,
        (None, parts) => (merge(parts.unwrap_or_default())?, None),
    };
    let comparison = baseline.map(|before| Comparison::new(&before, &report, args.report.tolerance));
    for (key, before, now) in comparison.iter().flat_map(|comparison| &comparison.differences) {
        messages.say(&format!("--baseline: the loads differ: {key}: {before} in the baseline, {now} now"));
    }
    let sections = Sections::new(comparison.as_ref());
    let printed = outputs.print(&report, &sections);
    let written = outputs.write(&report, &sections);
    let status = judge(&report, signal, messages);
    let misses = misses(args.report.fail_if.as_ref(), comparison.as_ref(), &report);
    // --quiet hides failures of the run, but not the result of a condition that the user set.
    misses.iter().for_each(|miss| Messages { quiet: false, ..messages }.say(miss));
    let status = if misses.is_empty() || signal.is_some() { status } else { ExitStatus::MISSED };
    written?;
    match printed {
        // The reader closed the pipe after the lines that it wanted; the status is still that of the run.
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(status),
        printed => printed.map(|()| status),
    }
}

/// Carries out one run or a search; also returns the status of the signal that ended it, if any.
async fn measure(
    args: &BenchArgs,
    plan: Plan,
    messages: Messages,
) -> Result<(Report, Option<ExitStatus>), Error> {
    let session = Session::start(args, &plan, messages).await?;
    let report = match args.report.search {
        None => session.measure(plan).await?,
        Some(Searchable::Rate) => search::search(args, &session).await?,
    };
    Ok((report, session.signal()))
}

/// Reads the reports to merge.
fn read_reports(args: &BenchArgs) -> Result<Vec<Report>, Error> {
    if args.files.is_empty() {
        return Err(Error::Usage("merge needs reports: mq bench merge FILE...".to_owned()));
    }
    args.files.iter().map(|path| read_report("merge", path)).collect()
}

fn merge(reports: Vec<Report>) -> Result<Report, Error> {
    Report::merge(reports).map_err(|error| match error {
        MergeError::Search => {
            Error::Usage(format!("{error}; measure again with the same --rate and --shard"))
        }
        MergeError::Nothing | MergeError::Different { .. } | MergeError::Twice(_) => {
            Error::Usage(error.to_string())
        }
    })
}

/// Reads an earlier report, which an option names.
fn read_report(option: &'static str, path: &Path) -> Result<Report, Error> {
    let read = input_file::read_text(path, MOST_REPORT_BYTES);
    let text = read.map_err(|source| Error::File { path: path.to_owned(), source })?;
    Report::from_json(&text).map_err(|error| Error::Unusable {
        option,
        path: path.to_owned(),
        problem: match error {
            JsonError::NoSchema => format!("{error}; use a report of `mq bench --json FILE`"),
            JsonError::Shape(_) | JsonError::OtherSchema(_) | JsonError::Value { .. } => error.to_string(),
        },
    })
}

/// The values of different scenarios have the same names, but different meanings.
fn check_baseline(path: &Path, before: &Report, scenario: Option<Scenario>) -> Result<(), Error> {
    let (measured, now) = (before.plan.scenario, scenario.unwrap_or(before.plan.scenario));
    if measured == now {
        return Ok(());
    }
    let [measured, now] = [measured, now].map(scenario_word);
    let problem =
        format!("it measured {measured}, but this run measures {now}; use a baseline of the same scenario");
    Err(Error::Unusable { option: "--baseline", path: path.to_owned(), problem })
}

/// The hint if the broker did not answer.
const HINT: &str = "is the broker running there? set another one with -h HOST and -p PORT, or use --embedded";

/// The hint if no client could connect. A broker that closes a connection is running.
fn connect_hint(report: &Report, messages: Messages) -> Option<String> {
    let errors = report.errors.by_count();
    let mut texts = errors.iter().filter(|(stage, ..)| *stage == Stage::Connect).map(|(_, text, _)| *text);
    let is_closed = texts.next().is_some_and(|text| {
        text.contains("before accepting it") || text.contains("before the broker accepted it")
    });
    if is_closed {
        messages.connection_kind.and_then(broker_hint::not_accepted)
    } else {
        Some(HINT.to_owned())
    }
}

/// The conditions of the user that are not met, as text.
fn misses(demands: Option<&Thresholds>, comparison: Option<&Comparison>, report: &Report) -> Vec<String> {
    let misses = demands.map(|demands| demands.misses(report)).unwrap_or_default();
    let regressions = comparison.map(Comparison::regressions).unwrap_or_default();
    let misses = misses.iter().map(|miss| format!("--fail-if {miss}"));
    let regressions = regressions.iter().map(|regression| format!("--baseline: {regression}"));
    let failure = report.search.as_ref().and_then(Searched::failure);
    let failure = failure.map(|failure| format!("--search: {failure}"));
    misses.chain(regressions).chain(failure).collect()
}

/// The exit status, with the reason on standard error.
fn judge(report: &Report, signal: Option<ExitStatus>, messages: Messages) -> ExitStatus {
    if let Some(status) = signal {
        return status;
    }
    if let Some(words) = report.lowered_qos() {
        messages.say(&words);
    }
    let mut hint = None;
    let (status, reason) = if report.connections_lost > 0 {
        (
            ExitStatus::LOST,
            format!("{} of {} clients lost the connection", report.connections_lost, report.connects.count),
        )
    } else if report.not_connected() > 0 {
        let all_refused = report.refused == report.clients();
        let status = if all_refused { ExitStatus::REFUSED } else { ExitStatus::FAILED };
        if report.connects.count == 0 && !all_refused {
            hint = connect_hint(report, messages);
        }
        (status, format!("{} of {} clients could not connect", report.not_connected(), report.clients()))
    } else if report.errors.count(Stage::Subscribe) > 0 {
        (ExitStatus::DENIED, format!("{} subscriptions were rejected", report.errors.count(Stage::Subscribe)))
    } else if report.account.denied > 0 {
        (ExitStatus::DENIED, format!("{} messages were rejected", report.account.denied))
    } else if let Ending::Stalled(_) = report.ending {
        (ExitStatus::FAILED, "the broker stopped answering".to_owned())
    } else if let Some(share) = report.unshared() {
        (
            ExitStatus::FAILED,
            format!(
                "the broker granted the shared subscription $share/{share}, but delivered nothing to it: it seems not to share subscriptions"
            ),
        )
    } else if let Some(violation) = report.describe_violation() {
        (ExitStatus::FAILED, violation)
    } else if report.errors.count(Stage::Run) > 0 || report.ending == Ending::AllLost {
        (ExitStatus::FAILED, "some clients failed".to_owned())
    } else {
        return ExitStatus::DONE;
    };
    messages.say_with_hint(&reason, hint.as_deref());
    status
}
