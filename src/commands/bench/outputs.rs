//! The files of a report. They are created before the run, so that an unwritable path fails early, under temporary names, and
//! renamed into place at the end: no reader sees a partial file.

use crate::bench::Report;
use crate::bench::comparison::{self, Comparison};
use crate::bench::report::Charset;
use crate::cli::bench_report::{ReportFile, ReportFormat};
use crate::commands::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The outputs of a report: the format on standard output, and the files.
#[derive(Debug)]
pub(super) struct Outputs {
    printed: ReportFormat,
    files: Vec<Output>,
}

/// The path that means standard output.
const STDOUT: &str = "-";

#[derive(Debug)]
struct Output {
    format: ReportFormat,
    /// The path as the user typed it.
    path: PathBuf,
    file: File,
    draft: Option<Draft>,
}

/// A file under a temporary name. It is removed unless it is renamed.
#[derive(Debug)]
struct Draft {
    path: PathBuf,
    target: PathBuf,
}

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
        let files = files.into_iter().map(|file| Output::create(file.format, &file.path));
        Ok(Outputs { printed, files: files.collect::<Result<_, _>>()? })
    }

    /// Prints the report on standard output.
    pub(super) fn print(&self, render: impl Fn(ReportFormat) -> Vec<u8>) -> Result<(), Error> {
        let bytes = render(self.printed);
        let mut output = io::stdout().lock();
        output.write_all(&bytes).and_then(|()| output.flush()).map_err(Error::Output)
    }

    /// Writes all files, even if one of them fails; returns the first failure.
    pub(super) fn write(self, render: impl Fn(ReportFormat) -> Vec<u8>) -> Result<(), Error> {
        let results: Vec<_> = self.files.into_iter().map(|output| output.write(&render)).collect();
        results.into_iter().collect()
    }
}

impl Output {
    fn create(format: ReportFormat, path: &Path) -> Result<Output, Error> {
        let create = || match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            // A pipe or a device cannot be replaced by a file.
            Ok(metadata) if !metadata.is_file() => Ok((OpenOptions::new().write(true).open(path)?, None)),
            Ok(_) => {
                let draft = Draft::create(fs::canonicalize(path)?);
                // In a read-only directory, the file itself may be writable.
                let in_place = |_| Ok((OpenOptions::new().write(true).open(path)?, None));
                draft.or_else(in_place)
            }
            Err(_) => Draft::create(path.to_owned()),
        };
        let (file, draft) = create().map_err(|source| cannot_write(path, source))?;
        Ok(Output { format, path: path.to_owned(), file, draft })
    }

    fn write(mut self, render: impl Fn(ReportFormat) -> Vec<u8>) -> Result<(), Error> {
        let bytes = render(self.format);
        let written = match self.draft {
            Some(draft) => self.file.write_all(&bytes).and_then(|()| draft.finish(&bytes)),
            None => write_in_place(&mut self.file, &bytes),
        };
        written.map_err(|source| cannot_write(&self.path, source))
    }
}

impl Draft {
    fn create(target: PathBuf) -> io::Result<(File, Option<Draft>)> {
        let mut name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((file, Some(Draft { path, target })))
    }

    fn finish(self, bytes: &[u8]) -> io::Result<()> {
        use io::ErrorKind::{CrossesDevices, ResourceBusy};
        match fs::rename(&self.path, &self.target) {
            // A file that is a mount point, as in a container, cannot be replaced.
            Err(error) if matches!(error.kind(), ResourceBusy | CrossesDevices) => {
                fs::write(&self.target, bytes)
            }
            result => result,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Fails after the rename, which has already removed it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Overwrites a file and truncates it to the new length; a pipe or a device has no length.
fn write_in_place(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    if file.metadata()?.is_file() { file.set_len(bytes.len() as u64) } else { Ok(()) }
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

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::system(format!("write {}", path.display()), source)
}
