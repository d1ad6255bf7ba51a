//! The page of `--html`: a ladder of the packets, and a diagnosis.

use super::write::is_same_file;
use crate::cli::inspect::InspectArgs;
use crate::commands::Messages;
use crate::commands::error::Error;
use crate::commands::output_file::OutputFile;
use crate::inspect::diagnosis::{Diagnosis, Report};
use crate::inspect::ladder::{Ladder, PageTexts};
use crate::inspect::view::Options;
use crate::inspect::{Finding, Item};
use std::io::{self, Write};
use std::path::Path;

/// The path of standard output, and of standard input.
const DASH: &str = "-";

/// The destination of the page.
#[derive(Debug)]
pub(super) enum PageTarget {
    Stdout,
    File(OutputFile),
}

impl PageTarget {
    /// Creates the file of `--html`, if the option is used.
    ///
    /// # Errors
    /// If it cannot be created, or is another file of the command.
    pub(super) fn create(args: &InspectArgs) -> Result<Option<PageTarget>, Error> {
        let Some(path) = &args.html else { return Ok(None) };
        if path.as_os_str() == DASH {
            let other = [(args.diagnose.is_some(), "--diagnose"), (args.stats, "--stats")];
            return match other.into_iter().find(|(is_used, _)| *is_used) {
                Some((_, other)) => Err(Error::usage(format!(
                    "{other} and --html - both write to standard output; set a file name for --html"
                ))),
                None => Ok(Some(PageTarget::Stdout)),
            };
        }
        let is_other =
            |other: &Option<_>| other.as_deref().is_some_and(|other: &Path| is_same_file(other, path));
        if is_other(&args.file) {
            return Err(Error::usage(format!("--html {}: this is the capture itself", path.display())));
        }
        if is_other(&args.live.write) || args.live.write.as_ref() == Some(path) {
            return Err(Error::usage(format!("--html {}: this is the file of --write", path.display())));
        }
        Ok(Some(PageTarget::File(OutputFile::create(path)?)))
    }

    fn write(self, page: &[u8]) -> Result<(), Error> {
        match self {
            PageTarget::File(file) => file.write(page),
            PageTarget::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(page).and_then(|()| stdout.flush()).map_err(Error::Output)
            }
        }
    }
}

/// The page in progress.
pub(super) struct Picture {
    ladder: Ladder,
    target: PageTarget,
    source: String,
    selection: Option<String>,
}

impl Picture {
    pub(super) fn new(args: &InspectArgs, target: PageTarget, options: Options) -> Picture {
        Picture { ladder: Ladder::new(options), target, source: source(args), selection: selection(args) }
    }

    /// Takes an item, whether it is selected or not.
    pub(super) fn see(&mut self, item: &Item<'_>, shows_problem: bool) {
        self.ladder.see(item, shows_problem);
    }

    /// Draws a selected item.
    pub(super) fn draw(&mut self, item: &Item<'_>, findings: &[Finding]) {
        self.ladder.draw(item, findings);
    }

    /// Writes the page.
    pub(super) fn write(mut self, report: &Report, messages: Messages) -> Result<(), Error> {
        let texts = PageTexts {
            source: &self.source,
            selection: self.selection.as_deref(),
            filter_option: super::viewer::FILTER_OPTION,
            since_option: "--since",
            until_option: "--until",
            conversation_option: "--conversation",
        };
        self.ladder.finish();
        let page = self.ladder.to_html(report, &texts);
        self.target.write(page.as_bytes())?;
        let omitted = self.ladder.omitted();
        if omitted > 0 {
            messages.say(&format!(
                "the page has {} packets and leaves out {omitted}; select others with --since, --until, --filter or --follow",
                self.ladder.packets()
            ));
        }
        Ok(())
    }
}

/// A diagnosis for the page, and for `--diagnose` if that is used as well.
pub(super) fn diagnosis(has_page: bool) -> Diagnosis {
    if has_page { Diagnosis::with_marks() } else { Diagnosis::default() }
}

/// The name of the traffic.
fn source(args: &InspectArgs) -> String {
    match &args.file {
        Some(file) if file.as_os_str() != DASH => {
            let name = file.file_name().unwrap_or(file.as_os_str());
            name.to_string_lossy().into_owned()
        }
        _ if args.live.listen.is_some() => "live traffic of a proxy".to_owned(),
        _ if args.live.is_client() => "live traffic of a client".to_owned(),
        _ => "standard input".to_owned(),
    }
}

/// The options that select packets.
fn selection(args: &InspectArgs) -> Option<String> {
    let clients: Vec<_> = args.follow.iter().map(|client| format!("--follow {client}")).collect();
    let filters = args.filter.iter().map(|_| "--filter".to_owned());
    let period = [(args.since.is_some(), "--since"), (args.until.is_some(), "--until")];
    let period = period.into_iter().filter(|(is_used, _)| *is_used).map(|(_, option)| option.to_owned());
    let mut options: Vec<_> = clients.into_iter().chain(filters).chain(period).collect();
    options.dedup();
    (!options.is_empty()).then(|| format!("only packets that {} selects", options.join(", ")))
}
