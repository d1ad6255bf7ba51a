//! The end of a run or a merge: the outputs, the comparison with a baseline, the thresholds, and the exit status.

use super::live::Live;
use super::outputs::{Outputs, Sections, render};
use super::{exit_status, verdicts};
use crate::bench::Report;
use crate::bench::comparison::{Comparison, repeat};
use crate::bench::plan::Scenario;
use crate::bench::report::scenario_word;
use crate::bench::thresholds::Thresholds;
use crate::cli::bench::report_file;
use crate::cli::bench_report::ReportArgs;
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use std::io::ErrorKind;
use std::path::Path;

/// The baseline and the outputs, which are opened before the report exists, so that mistakes in them are found early.
pub(super) struct Preparation<'a> {
    args: &'a ReportArgs,
    baseline: Option<Report>,
    outputs: Outputs,
    /// Thresholds besides those of the options.
    inherited: Vec<Thresholds>,
    /// The HTTP server, which shows the report.
    live: Option<Live>,
}

impl<'a> Preparation<'a> {
    pub(super) fn new(args: &'a ReportArgs, scenario: Option<Scenario>) -> Result<Preparation<'a>, Error> {
        let path = args.baseline.as_deref();
        let baseline = path.map(|path| read_report("--baseline", path)).transpose()?;
        if let Some((path, before)) = path.zip(baseline.as_ref()) {
            check_baseline(path, before, scenario)?;
        }
        Ok(Preparation {
            args,
            baseline,
            outputs: Outputs::create(args.output, &args.files.0)?,
            inherited: Vec::new(),
            live: None,
        })
    }

    /// Judges the report by these thresholds too.
    pub(super) fn inherit(self, thresholds: Vec<Thresholds>) -> Preparation<'a> {
        Preparation { inherited: thresholds, ..self }
    }

    /// Shows the report in the browsers that followed the run, too.
    pub(super) fn serve(self, live: Live) -> Preparation<'a> {
        Preparation { live: Some(live), ..self }
    }

    /// Writes the report of all runs and its comparison, and decides on the exit status.
    pub(super) fn finish(
        self,
        mut reports: Vec<Report>,
        signal: Option<ExitStatus>,
        messages: Messages,
    ) -> Result<ExitStatus, Error> {
        reports.iter_mut().for_each(|report| self.judge(report));
        let Some(mut report) = repeat::join(reports) else { return Ok(ExitStatus::DONE) };
        let comparison = self.baseline.map(|before| Comparison::new(&before, &report, self.args.tolerance));
        for (key, before, now) in comparison.iter().flat_map(|comparison| &comparison.differences) {
            messages
                .say(&format!("--baseline: the loads differ: {key}: {before} in the baseline, {now} now"));
        }
        report.conditions.extend(comparison.iter().flat_map(Comparison::verdicts));
        let sections = Sections::new(comparison.as_ref());
        let render = |format| render(format, &report, &sections);
        let (printed, written) = (self.outputs.print(render), self.outputs.write(render));
        let status = exit_status::conclude(&report, signal, messages);
        verdicts::annotate(&report);
        self.live.iter().for_each(|live| live.finish(&report));
        finish_output(printed, written, status)
    }

    /// Judges a run by the thresholds.
    fn judge(&self, report: &mut Report) {
        let thresholds = self.args.fail_if.iter().chain(&self.inherited);
        let judged: Vec<_> = thresholds.flat_map(|conditions| conditions.judge(report)).collect();
        report.conditions.extend(judged);
    }
}

/// The status, unless the output failed.
pub(super) fn finish_output(
    printed: Result<(), Error>,
    written: Result<(), Error>,
    status: ExitStatus,
) -> Result<ExitStatus, Error> {
    written?;
    match printed {
        // The reader closed the pipe after the lines that it wanted; the status is still that of the run.
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(status),
        printed => printed.map(|()| status),
    }
}

/// Reads an earlier report, which an option names.
pub(super) fn read_report(option: &'static str, path: &Path) -> Result<Report, Error> {
    Ok(report_file::read(option, path)?)
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
    Err(Error::unusable("--baseline", path, problem))
}
