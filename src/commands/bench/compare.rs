//! `mq bench compare`: compares reports, without a run.

use super::outputs::Outputs;
use super::result::{finish_output, read_report};
use crate::bench::comparison::Outcome;
use crate::bench::comparison::several::{Comparisons, NamedReport};
use crate::cli::bench::CompareArgs;
use crate::cli::bench_report::ReportFormat;
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::escape;
use std::path::Path;

pub(super) fn run(args: &CompareArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let Some((old, new)) = args.reports() else {
        return Err(Error::usage("compare needs two reports; add NEW.json after OLD.json".to_owned()));
    };
    let old = read(old)?;
    let new = new.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    if let Some(file) = std::iter::once(&old).chain(&new).find(|file| file.report.search.is_some())
        && !args.allow_different
    {
        return Err(Error::usage(of_search(&file.name)));
    }
    let comparisons = Comparisons::new(old, new, args.tolerance);
    if let (Some((file, differences)), false) = (comparisons.other_load(), args.allow_different) {
        return Err(Error::usage(different_loads(file, differences)));
    }
    let outputs = Outputs::create(args.printed(), &args.outputs())?;
    let render = |format| render(format, &comparisons);
    let (printed, written) = (outputs.print(render), outputs.write(render));
    let status = status(args, &comparisons, messages);
    finish_output(printed, written, status)
}

fn read(path: &Path) -> Result<NamedReport, Error> {
    let report = read_report("compare", path)?;
    Ok(NamedReport { name: path.display().to_string(), report })
}

fn of_search(file: &str) -> String {
    format!(
        "{file} is a report of --search, which ends at a rate of its own; compare runs with the same --rate, or the runs at the \
         highest sustained rates with --allow-different"
    )
}

fn different_loads(file: &str, differences: &[(String, String, String)]) -> String {
    let listed: Vec<_> = differences
        .iter()
        .map(|(key, old, new)| format!("{key}: {old} in the old report, {new} in the new one"))
        .map(|difference| escape::line(&difference).into_owned())
        .collect();
    format!("{file} is of a different load ({}); compare it anyway with --allow-different", listed.join("; "))
}

fn render(format: ReportFormat, comparisons: &Comparisons) -> Vec<u8> {
    let text = match format {
        ReportFormat::Json => comparisons.to_json(),
        ReportFormat::Markdown => comparisons.to_markdown(),
        ReportFormat::Html => comparisons.to_html(),
        // The other formats have no option here.
        ReportFormat::Text
        | ReportFormat::Csv
        | ReportFormat::Prometheus
        | ReportFormat::Hdr
        | ReportFormat::Junit => comparisons.to_text(),
    };
    text.into_bytes()
}

fn status(args: &CompareArgs, comparisons: &Comparisons, messages: Messages) -> ExitStatus {
    match comparisons.outcome() {
        outcome @ (Outcome::Worse | Outcome::NotComparable) if args.fail_if_worse => {
            let messages = Messages { quiet: false, ..messages };
            messages.say(&format!("--fail-if-worse: the outcome is {:?}", outcome.word()));
            ExitStatus::MISSED
        }
        _ => ExitStatus::DONE,
    }
}
