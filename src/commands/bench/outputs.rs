//! The outputs of a report: standard output, and files, which are created before the run.

use crate::bench::Report;
use crate::bench::comparison::{self, Comparison};
use crate::bench::report::Charset;
use crate::cli::bench_report::{ReportFile, ReportFormat};
use crate::commands::error::Error;
use crate::commands::output_file::OutputFile;
use crate::commands::standard_output;

/// The outputs of a report: the format on standard output, and the files.
#[derive(Debug)]
pub(super) struct Outputs {
    printed: ReportFormat,
    files: Vec<(ReportFormat, OutputFile)>,
}

/// The path that means standard output.
const STDOUT: &str = "-";

impl Outputs {
    /// Creates the files.
    pub(super) fn create(output: Option<ReportFormat>, files: &[ReportFile]) -> Result<Outputs, Error> {
        let (to_stdout, files): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| file.path.as_os_str() == STDOUT);
        let typed = output.map(|format| ("output", format));
        let printed: Vec<_> =
            typed.into_iter().chain(to_stdout.into_iter().map(|file| (file.option, file.format))).collect();
        let printed = match printed.as_slice() {
            [] => ReportFormat::Text,
            [(_, only)] => *only,
            [(first, _), (second, _), ..] => {
                let text = format!(
                    "--{first} and --{second} - both write to standard output; set a file name for one of them"
                );
                return Err(Error::usage(text));
            }
        };
        let files = files.into_iter().map(|file| Ok((file.format, OutputFile::create(&file.path)?)));
        Ok(Outputs { printed, files: files.collect::<Result<_, Error>>()? })
    }

    /// Prints the report on standard output.
    pub(super) fn print(&self, render: impl Fn(ReportFormat) -> Vec<u8>) -> Result<(), Error> {
        standard_output::print(render(self.printed))
    }

    /// Writes all files, even if one of them fails; returns the first failure.
    pub(super) fn write(self, render: impl Fn(ReportFormat) -> Vec<u8>) -> Result<(), Error> {
        let results: Vec<_> =
            self.files.into_iter().map(|(format, file)| file.write(&render(format))).collect();
        results.into_iter().collect()
    }
}

/// The sections that follow a report in its text formats.
pub(super) struct Sections {
    text: String,
    markdown: String,
}

impl Sections {
    pub(super) fn new(comparison: Option<&Comparison>) -> Sections {
        let join = |part: Option<String>| part.map(|part| format!("\n{part}")).unwrap_or_default();
        Sections {
            text: join(comparison.map(|comparison| comparison.to_text(comparison::BASELINE))),
            markdown: join(comparison.map(|comparison| comparison.to_markdown(comparison::BASELINE))),
        }
    }
}

/// A report in a format.
pub(super) fn render(format: ReportFormat, report: &Report, sections: &Sections) -> Vec<u8> {
    match format {
        ReportFormat::Text => (report.to_text(Charset::of_environment()) + &sections.text).into_bytes(),
        ReportFormat::Json => report.to_json().into_bytes(),
        ReportFormat::Markdown => (report.to_markdown() + &sections.markdown).into_bytes(),
        ReportFormat::Csv => report.to_csv().into_bytes(),
        ReportFormat::Prometheus => report.to_prometheus().into_bytes(),
        ReportFormat::Hdr => report.to_hdr_log(),
        ReportFormat::Html => report.to_html().into_bytes(),
        ReportFormat::Junit => report.to_junit().into_bytes(),
    }
}
