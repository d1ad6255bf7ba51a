//! The end of a run or a merge: the outputs, the comparison with a baseline, the thresholds, and the exit status.

use super::outputs::{Outputs, Sections};
use super::verdicts;
use crate::bench::plan::Scenario;
use crate::bench::record::Stage;
use crate::bench::report::{JsonError, scenario_word};
use crate::bench::thresholds::{Comparison, Thresholds};
use crate::bench::{Ending, Report};
use crate::cli::bench_report::ReportArgs;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::{Messages, broker_hint};
use crate::input_file;
use std::io::ErrorKind;
use std::path::Path;

/// The maximum size of a report.
const MOST_REPORT_BYTES: u64 = 256 * 1024 * 1024;

/// The baseline and the outputs, which are opened before the report exists, so that mistakes in them are found early.
pub(super) struct Preparation<'a> {
    args: &'a ReportArgs,
    baseline: Option<Report>,
    outputs: Outputs,
    /// Thresholds besides those of the options.
    inherited: Vec<Thresholds>,
}

impl<'a> Preparation<'a> {
    /// For a report of this scenario.
    pub(super) fn new(args: &'a ReportArgs, scenario: Option<Scenario>) -> Result<Preparation<'a>, Error> {
        let path = args.baseline.as_deref();
        let baseline = path.map(|path| read_report("--baseline", path)).transpose()?;
        if let Some((path, before)) = path.zip(baseline.as_ref()) {
            check_baseline(path, before, scenario)?;
        }
        Ok(Preparation { args, baseline, outputs: Outputs::create(args)?, inherited: Vec::new() })
    }

    /// Judges the report by these thresholds too.
    pub(super) fn inherit(self, thresholds: Vec<Thresholds>) -> Preparation<'a> {
        Preparation { inherited: thresholds, ..self }
    }

    /// Writes the report and its comparison, and decides on the exit status.
    pub(super) fn finish(
        self,
        mut report: Report,
        signal: Option<ExitStatus>,
        messages: Messages,
    ) -> Result<ExitStatus, Error> {
        let comparison = self.baseline.map(|before| Comparison::new(&before, &report, self.args.tolerance));
        for (key, before, now) in comparison.iter().flat_map(|comparison| &comparison.differences) {
            messages
                .say(&format!("--baseline: the loads differ: {key}: {before} in the baseline, {now} now"));
        }
        let thresholds = self.args.fail_if.iter().chain(&self.inherited);
        let judged: Vec<_> = thresholds.flat_map(|conditions| conditions.judge(&report)).collect();
        report.conditions.extend(judged);
        report.conditions.extend(comparison.iter().flat_map(Comparison::verdicts));
        let sections = Sections::new(comparison.as_ref());
        let printed = self.outputs.print(&report, &sections);
        let written = self.outputs.write(&report, &sections);
        let status = judge(&report, signal, messages);
        let failed = verdicts::say_failures(&report, messages);
        verdicts::annotate(&report);
        let status = failed.filter(|_| signal.is_none()).unwrap_or(status);
        written?;
        match printed {
            // The reader closed the pipe after the lines that it wanted; the status is still that of the run.
            Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(status),
            printed => printed.map(|()| status),
        }
    }
}

/// Reads an earlier report, which an option names.
pub(super) fn read_report(option: &'static str, path: &Path) -> Result<Report, Error> {
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
        (
            ExitStatus::REJECTED,
            format!("{} subscriptions were rejected", report.errors.count(Stage::Subscribe)),
        )
    } else if report.account.rejected > 0 {
        (ExitStatus::REJECTED, format!("{} messages were rejected", report.account.rejected))
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
    // --quiet hides progress, but not that a run failed.
    Messages { quiet: false, ..messages }.say_with_hint(&reason, hint.as_deref());
    status
}
