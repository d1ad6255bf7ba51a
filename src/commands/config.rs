//! `mq config`: shows and changes the configuration.

use super::{Messages, config_file, standard_output};
use crate::cli::UsageError;
use crate::cli::config::args::{CheckArgs, ConfigArgs, ConfigCommand, ListArgs, ShowArgs};
use crate::cli::config::list::{Listed, list};
use crate::cli::config::show::{From, Row, Shown};
use crate::cli::config::{check, location, show};
use crate::columns::{self, MAX_ALIGNED};
use crate::commands::error::{Error, ExitStatus};
use crate::{escape, json};
use serde::Serialize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) fn run(args: &ConfigArgs, messages: Messages) -> Result<ExitStatus, Error> {
    match &args.command {
        ConfigCommand::Init(args) => config_file::init(args),
        ConfigCommand::List(args) => run_list(args, messages),
        ConfigCommand::Set(args) => config_file::set(args, messages),
        ConfigCommand::Unset(args) => config_file::unset(args, messages),
        ConfigCommand::Edit => config_file::edit().and_then(|path| report_mistakes(Some(&path), messages)),
        ConfigCommand::Show(args) => run_show(args),
        ConfigCommand::Check(CheckArgs { file }) => report_mistakes(file.as_deref(), messages),
        ConfigCommand::Path => run_path(messages),
    }
}

fn run_show(args: &ShowArgs) -> Result<ExitStatus, Error> {
    let shown = show::show(args.profile.as_deref())?;
    let text = if args.json { to_json(&shown)? } else { text(&shown) };
    print(text.as_bytes())
}

/// Lists the profiles, each with its broker, and marks the default. Mistakes in the file follow, since profiles may be missing.
fn run_list(args: &ListArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let Some(listed) = list()? else {
        return Ok(nothing_there(messages));
    };
    let text = if args.json { to_json(&listed)? } else { table(&listed) };
    let status = print(text.as_bytes())?;
    for mistake in &listed.mistakes {
        messages.say(mistake);
    }
    Ok(if listed.mistakes.is_empty() { status } else { ExitStatus::USAGE })
}

fn table(listed: &Listed) -> String {
    let name = |name: &str| escape::cells(name).into_owned();
    let width = listed
        .profiles
        .iter()
        .map(|profile| columns::width(&name(&profile.name)))
        .max()
        .unwrap_or(0)
        .min(MAX_ALIGNED);
    let rows = listed.profiles.iter().map(|profile| {
        let mark = if listed.default.as_deref() == Some(&profile.name) { "  (default)" } else { "" };
        let name = columns::padded(&name(&profile.name), width);
        let row = format!("{name}  {}{mark}", escape::cells(&profile.broker));
        row.trim_end().to_owned() + "\n"
    });
    rows.collect()
}

fn report_mistakes(path: Option<&Path>, messages: Messages) -> Result<ExitStatus, Error> {
    let Some(findings) = check::check(path)? else {
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
        Ok(path) => {
            // A symbolic link leads nowhere.
            let target = std::fs::read_link(&path).map(|target| format!(", a link to {},", target.display()));
            let target = target.unwrap_or_default();
            messages.say(&format!("{}{target} does not exist; `mq config init` writes one", path.display()));
        }
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

fn to_json(shown: &impl Serialize) -> Result<String, Error> {
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
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}
