//! Generates the manual pages from the definition of the command line: its help, in the usual sections.

use super::compat::{CLIENTS, EXIT_STATUS, STATUSES};
use super::config;
use super::option_file;
use super::{Error, help_groups};
use crate::suggestion::did_you_mean;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};

const EXAMPLES: &str = "Examples:";

/// A manual page.
#[derive(Debug)]
pub(crate) struct Page {
    /// The command that the page describes; `None` for `mq` itself.
    pub command: Option<String>,
    /// The page in roff.
    pub text: Vec<u8>,
}

/// A page that was asked for.
#[derive(Debug)]
pub(crate) struct Found {
    pub page: Page,
    /// The help of the command, for a system that cannot render the page.
    pub help: String,
}

impl Page {
    /// `mq.1`, `mq-pub.1`...
    pub(crate) fn file_name(&self) -> String {
        match &self.command {
            Some(command) => format!("mq-{command}.1"),
            None => "mq.1".to_owned(),
        }
    }
}

/// All pages, the one about `mq` itself first.
///
/// # Errors
/// Errors of the generator, which only writes to memory.
pub(crate) fn pages() -> io::Result<Vec<Page>> {
    let program = program();
    let names = names(&program);
    with_all_below(&program).into_iter().map(|command| page_about(command, &names)).collect()
}

/// The names of all pages but that of mq, each with its summary.
pub(crate) fn summaries() -> Vec<(String, String)> {
    let program = program();
    let summary = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    with_all_below(&program)
        .into_iter()
        .filter_map(|command| Some((page_name(command)?, summary(command))))
        .collect()
}

/// The page with this name, in one word or several: `mq-bench-conn`, `bench conn`; or a group of its options: `bench report`.
///
/// # Errors
/// If there is no such page or group.
pub(crate) fn find(words: &[String]) -> Result<Found, Error> {
    let program = program();
    let commands = with_all_below(&program);
    let failed = |source| Error::System { action: "make the page".to_owned(), source };
    let of_words = |words: &[String]| {
        let name = words.join("-").to_lowercase();
        let name = name.strip_prefix("mq-").or(name.strip_prefix("mq")).unwrap_or(&name);
        let name = (!name.is_empty()).then(|| name.to_owned());
        commands.iter().copied().find(|command| page_name(command) == name)
    };
    if let Some(command) = of_words(words) {
        let page = page_about(command, &names(&program)).map_err(failed)?;
        return Ok(Found { page, help: command.clone().render_help().to_string() });
    }
    for count in (1..words.len()).rev() {
        let (of_command, of_group) = words.split_at(count);
        let Some(command) = of_words(of_command) else { continue };
        return match help_groups::heading(command, &of_group.concat()) {
            Some(heading) => group_page(command, &heading).map_err(failed),
            None => Err(help_groups::unknown_group(command, of_command, of_group)),
        };
    }
    let name = words.join(" ");
    let known: Vec<String> = commands.iter().filter_map(|command| page_name(command)).collect();
    let tip = did_you_mean(&words.join("-"), known.iter().map(String::as_str));
    Err(Error::usage(format!("unknown command '{name}': expected one of {}{tip}", known.join(", "))))
}

fn program() -> Command {
    let mut program = super::command();
    program.build();
    program
}

fn names(program: &Command) -> Vec<&str> {
    program.get_subcommands().map(Command::get_name).collect()
}

fn page_about(command: &Command, commands: &[&str]) -> io::Result<Page> {
    Ok(Page { command: page_name(command), text: page(command, commands)? })
}

/// A page with the options of one group.
fn group_page(command: &Command, heading: &str) -> io::Result<Found> {
    let mut group = help_groups::only(command, heading);
    let man = Man::new(group.clone());
    let mut text = title(command)?;
    man.render_name_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(command.get_display_name().unwrap_or("mq")), roman("(1)")]);
    roff.to_writer(&mut text)?;
    Ok(Found { page: Page { command: None, text }, help: group.render_help().to_string() })
}

/// A command, the commands below it, and those below them.
fn with_all_below(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(with_all_below)).collect()
}

/// `pub`, or `passwd-verify` for a command below another one; `None` for `mq`.
fn page_name(command: &Command) -> Option<String> {
    command.get_display_name()?.strip_prefix("mq-").map(str::to_owned)
}

fn page(command: &Command, commands: &[&str]) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut text = title(command)?;
    man.render_name_section(&mut text)?;
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let paragraphs: Vec<&str> = help.split("\n\n").collect();
    let is_prose =
        |paragraph: &&&str| !paragraph.starts_with(EXAMPLES) && !paragraph.starts_with(EXIT_STATUS);
    let prose: Vec<&str> = paragraphs.iter().filter(is_prose).copied().collect();
    let mut roff = Roff::new();
    add_synopsis(&mut roff, command);
    add_description(&mut roff, command, &prose);
    roff.to_writer(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    for paragraph in &paragraphs {
        if let Some(examples) = paragraph.strip_prefix(EXAMPLES) {
            add_examples(&mut roff, examples);
        }
    }
    add_exit_status(&mut roff, command, &paragraphs);
    add_environment(&mut roff, command);
    add_files(&mut roff, command);
    add_see_also(&mut roff, command, commands);
    roff.to_writer(&mut text)?;
    Ok(text)
}

/// The head of a page.
fn title(command: &Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let title = command.get_display_name().unwrap_or("mq").to_uppercase();
    // Written here, since the generator adds a date, which would differ between builds.
    writeln!(text, ".TH {title} 1 \"\" \"mq {}\" \"Manual of mq\"", env!("CARGO_PKG_VERSION"))?;
    // No hyphenation and no justification, since both would change options and examples.
    writeln!(text, ".nh\n.ad l")?;
    Ok(text)
}

/// Adds the usage line or lines of the help. The generator would list every option.
fn add_synopsis(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["SYNOPSIS"]);
    let usage = command.clone().render_usage().to_string();
    let lines = usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty());
    for (position, line) in lines.enumerate() {
        if position > 0 {
            roff.control("br", []);
        }
        roff.text([roman(line)]);
    }
}

/// Adds the prose of the help. The command's summary is already in the section NAME, so it is repeated only if there is no prose.
fn add_description(roff: &mut Roff, command: &Command, prose: &[&str]) {
    roff.control("SH", ["DESCRIPTION"]);
    let summary = command.get_about().filter(|_| prose.iter().all(|paragraph| paragraph.is_empty()));
    if let Some(summary) = summary {
        roff.text([roman(format!("{summary}."))]);
    }
    for paragraph in prose {
        add_paragraph(roff, paragraph);
    }
}

/// A paragraph whose lines can be filled; indented lines stay separate.
fn add_paragraph(roff: &mut Roff, text: &str) {
    roff.control("PP", []);
    let mut is_first = true;
    for line in text.lines() {
        if line.starts_with(' ') && !is_first {
            roff.control("br", []);
        }
        roff.text([roman(line.trim())]);
        is_first = false;
    }
}

/// Adds the examples. A line is a command, two or more blanks, and a remark; a line with `#` is the remark on the next command.
fn add_examples(roff: &mut Roff, examples: &str) {
    roff.control("SH", ["EXAMPLES"]);
    let mut remark_above = "";
    for line in examples.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(remark) = line.strip_prefix("# ") {
            remark_above = remark;
            continue;
        }
        let (example, remark) = line.split_once("  ").unwrap_or((line, remark_above));
        remark_above = "";
        roff.control("TP", []);
        roff.text([bold(example)]);
        if !remark.is_empty() {
            roff.text([roman(capitalised(remark.trim()))]);
        }
    }
}

/// A remark on an example that begins with a capital, like those above an example.
fn capitalised(remark: &str) -> String {
    let (first, rest) = remark.split_at_checked(1).unwrap_or((remark, ""));
    first.to_ascii_uppercase() + rest
}

fn add_exit_status(roff: &mut Roff, command: &Command, paragraphs: &[&str]) {
    let Some(text) = paragraphs.iter().find_map(|paragraph| paragraph.strip_prefix(EXIT_STATUS)) else {
        return;
    };
    roff.control("SH", ["EXIT STATUS"]);
    for line in text.trim().lines() {
        roff.text([roman(line.trim())]);
    }
    if is_client(command) {
        let name = super::Names::Mosquitto.of(command.get_name());
        roff.control("PP", []);
        roff.text([roman("Called as "), bold(name), roman(":")]);
        for line in STATUSES.lines().map(|line| line.trim_start_matches(EXIT_STATUS_OF_TOOLS)) {
            roff.text([roman(line.trim())]);
        }
    }
}

/// Start of the paragraph about exit statuses in the help of mosquitto's tools.
const EXIT_STATUS_OF_TOOLS: &str = "Exit status, as of mosquitto's tools:";

fn add_environment(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["ENVIRONMENT"]);
    if command.get_arguments().any(|arg| arg.get_id() == "username") {
        add_term(roff, "MQ_USERNAME", "User name, if -u is not given.");
        let text = "Password, if no option sets it. Other programs of the same user can read it; a file for \
                    --password-file is safer.";
        add_term(roff, "MQ_PASSWORD", text);
        let text = "Other connection options, if not typed: MQ_ and the long name in capitals.";
        add_term(roff, "MQ_HOST, MQ_PORT, MQ_CAFILE...", text);
        add_term(roff, "MQ_PROFILE", "Profile, if --profile is not given.");
    }
    if has_profiles(command) {
        add_term(roff, "MQ_CONFIG", "Path of the file of profiles; if empty, no file is read.");
    }
    if is_client(command) || has_profiles(command) {
        add_term(roff, "XDG_CONFIG_HOME", "Directory of these files, instead of ~/.config.");
    }
    add_term(roff, "NO_COLOR", "If set and not empty, output is not coloured, whatever CLICOLOR_FORCE says.");
    add_term(
        roff,
        "CLICOLOR_FORCE",
        "If set to another value than 0, text is coloured also in a file or pipe, but JSON is not.",
    );
}

/// Whether a page is about profiles, or about a command that has them.
fn has_profiles(command: &Command) -> bool {
    let is_below_config = command.get_display_name().is_some_and(|name| name.starts_with("mq-config"));
    is_below_config || command.get_arguments().any(|arg| arg.get_id() == config::PROFILE)
}

/// Whether a command replaces a client of mosquitto, unlike a mode of `mq bench` with the same name.
fn is_client(command: &Command) -> bool {
    let name = command.get_display_name().and_then(|name| name.strip_prefix("mq-"));
    name.is_some_and(|name| CLIENTS.contains(&name))
}

fn add_files(roff: &mut Roff, command: &Command) {
    let reads_options = command.get_arguments().any(|arg| arg.get_id() == option_file::OPTION_FILE);
    if !reads_options && !has_profiles(command) {
        return;
    }
    roff.control("SH", ["FILES"]);
    if has_profiles(command) {
        let text = "Profiles: values for the options about the connection. See mq-config(1).";
        add_term(roff, "~/.config/mq/config.toml", text);
    }
    if reads_options {
        add_option_file(roff, command);
    }
}

fn add_option_file(roff: &mut Roff, command: &Command) {
    let format = "One option per line, followed by its value up to the end of the line. Lines that begin with # are \
                  comments. Typed options override those in the file; repeatable options add up.";
    let name = match is_client(command) {
        true => format!("~/.config/{}", super::Names::Mosquitto.of(command.get_name())),
        false => "-o FILE".to_owned(),
    };
    add_term(roff, &name, format);
}

fn add_see_also(roff: &mut Roff, command: &Command, commands: &[&str]) {
    roff.control("SH", ["SEE ALSO"]);
    let others = commands.iter().map(|name| format!("mq-{name}"));
    let others = others.filter(|name| command.get_display_name() != Some(name));
    let others = (command.get_name() != "mq").then(|| "mq".to_owned()).into_iter().chain(others);
    let mut inlines = Vec::new();
    for (position, name) in others.enumerate() {
        inlines.extend((position > 0).then(|| roman(", ")));
        inlines.extend([bold(name), roman("(1)")]);
    }
    roff.text(inlines);
}

fn add_term(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(text)]);
}
