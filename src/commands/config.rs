//! `mq config`: shows the configuration, its errors, and its path.

use super::Messages;
use crate::cli::UsageError;
use crate::cli::config::args::{CheckArgs, ConfigArgs, ConfigCommand, ShowArgs};
use crate::cli::config::show::{From, Row, Shown};
use crate::cli::config::{check, location, show};
use crate::commands::error::{Error, ExitStatus};
use crate::{escape, json};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

pub(super) fn run(args: &ConfigArgs, messages: Messages) -> Result<ExitStatus, Error> {
    match &args.command {
        ConfigCommand::Show(args) => run_show(args),
        ConfigCommand::Check(args) => run_check(args, messages),
        ConfigCommand::Path => run_path(messages),
    }
}

fn run_show(args: &ShowArgs) -> Result<ExitStatus, Error> {
    let shown = show::show(args.profile.as_deref())?;
    let text = if args.json { to_json(&shown)? } else { text(&shown) };
    print(text.as_bytes())
}

fn run_check(args: &CheckArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let Some(findings) = check::check(args.file.as_deref())? else {
        return Ok(nothing_there(messages));
    };
    for mistake in &findings.mistakes {
        messages.say(mistake);
    }
    if !findings.mistakes.is_empty() {
        return Ok(ExitStatus::USAGE);
    }
    let profiles = match findings.profiles.as_slice() {
        [] => "no profiles".to_owned(),
        names => format!("profiles: {}", names.join(", ")),
    };
    let text = format!("{}: no mistakes; {profiles}", findings.path.display());
    print(format!("{}\n", escape::line(&text)).as_bytes())
}

fn nothing_there(messages: Messages) -> ExitStatus {
    match location().path {
        Ok(path) => messages.say(&format!("{} does not exist; see `mq config --help`", path.display())),
        Err(reason) => messages.say(&format!("no profile file: {reason}")),
    }
    ExitStatus::FAILED
}

fn run_path(messages: Messages) -> Result<ExitStatus, Error> {
    match location().path {
        Ok(path) => print(&[path.as_os_str().as_bytes(), b"\n"].concat()),
        Err(_) => Ok(nothing_there(messages)),
    }
}

fn to_json(shown: &Shown) -> Result<String, Error> {
    let problem = |error: serde_json::Error| Error::usage(UsageError::invalid("--json", error));
    json::to_string(shown).map(|text| text + "\n").map_err(problem)
}

/// The file, the profile, and a line for each value.
fn text(shown: &Shown) -> String {
    let file = shown.file.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    let profile = match (&shown.profile, shown.profile_from) {
        (Some(name), Some(by)) => format!("{name} ({by})"),
        _ => "none".to_owned(),
    };
    let values: Vec<_> = shown.options.iter().map(|row| escape::line(&row.value)).collect();
    let key_width = shown.options.iter().map(|row| row.key.len()).max().unwrap_or(0);
    let value_width = values.iter().map(|value| value.chars().count()).max().unwrap_or(0).min(40);
    let mut text = format!("file: {}\nprofile: {}\n\n", escape::line(&file), escape::line(&profile));
    for (row, value) in shown.options.iter().zip(&values) {
        let source = source(row);
        let source = escape::line(&source);
        text += &format!("{:key_width$}  {value:value_width$}  {source}\n", row.key);
    }
    text
}

fn source(row: &Row) -> String {
    match &row.source {
        From::Environment { variable } => variable.clone(),
        From::Profile { profile, file, line, .. } => format!("profile {profile}, {}:{line}", file.display()),
        From::Defaults { file, line, .. } => format!("defaults, {}:{line}", file.display()),
        From::BuiltIn => "built-in".to_owned(),
    }
}

fn print(text: &[u8]) -> Result<ExitStatus, Error> {
    let mut output = io::stdout().lock();
    output.write_all(text).and_then(|()| output.flush()).map_err(Error::Output)?;
    Ok(ExitStatus::DONE)
}
