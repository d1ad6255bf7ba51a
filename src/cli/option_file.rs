//! Reads options from a file in the format of mosquitto's tools: one option per line, followed by its value up to the
//! end of the line.
//!
//! The words of the file precede the typed ones, so that typed options win and repeatable options add up.

use super::argv::{self, PROPERTY};
use super::{GENERAL, Names};
use crate::cli::Error;
use crate::input_file;
use clap::{Arg, ArgAction, Command, ValueHint};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The long name and the identifier of the option.
pub(super) const OPTION_FILE: &str = "option-file";

/// The maximum size of an option file.
const MAX_SIZE: u64 = 1024 * 1024;

/// The words that a file adds to the command line.
#[derive(Debug, Default)]
pub(super) struct OptionFile {
    pub(super) path: PathBuf,
    pub(super) lines: Vec<Line>,
}

impl OptionFile {
    /// A hint about options from the file, since one of them may be invalid.
    pub(super) fn note(&self) -> Option<String> {
        let count = self.lines.len();
        let options = if count == 1 { "1 option comes".to_owned() } else { format!("{count} options come") };
        (count > 0).then(|| format!("hint: {options} from {}", self.path.display()))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    /// The option as written.
    pub(super) option: OsString,
    /// The option with its value, as clap reads it.
    pub(super) word: OsString,
}

/// Whether a command reads option files: the clients do, and the load generator only with `-o`.
pub(super) fn is_read_by(subcommand: &str) -> bool {
    has_default(subcommand) || subcommand == super::BENCH
}

fn has_default(subcommand: &str) -> bool {
    super::compat::CLIENTS.contains(&subcommand)
}

/// The option that names a file.
pub(super) fn arg(subcommand: &str) -> Arg {
    let help = "Read options from a file, one per line with its value; typed options take precedence";
    let default = format!(" [default: ~/.config/mosquitto_{subcommand}, if it exists]");
    Arg::new(OPTION_FILE)
        .short('o')
        .long(OPTION_FILE)
        .value_name("FILE")
        .help_heading(GENERAL)
        .value_hint(ValueHint::FilePath)
        .value_parser(clap::value_parser!(PathBuf))
        .action(ArgAction::Append)
        .help(format!("{help}{}", if has_default(subcommand) { &default } else { "" }))
}

/// Reads the file that `-o` names, or else the default one, if it exists.
///
/// # Errors
/// If the file cannot be read, or a line is not an option. Under mosquitto's names a file that cannot be read is ignored, as
/// by mosquitto's tools.
pub(super) fn read(subcommand: &Command, names: Names, words: &[OsString]) -> Result<OptionFile, Error> {
    let (path, is_asked_for) = match &asked_for(subcommand, words)[..] {
        [] => match default_path(subcommand.get_name()) {
            Some(path) => (path, false),
            None => return Ok(OptionFile::default()),
        },
        [path] => (path.clone(), true),
        _ => return Err(Error::usage("duplicate -o; only one option file is read")),
    };
    let is_fine_without = |error: &io::Error| {
        let is_missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        names == Names::Mosquitto || (is_missing && !is_asked_for)
    };
    let text = match input_file::read_text(&path, MAX_SIZE) {
        Ok(text) => text,
        Err(error) if is_fine_without(&error) => return Ok(OptionFile::default()),
        Err(source) => return Err(Error::File { path, source }),
    };
    let lines = lines(subcommand, names, &text).map_err(|(number, problem)| {
        Error::usage(format!("in {}, line {number}: {problem}", path.display()))
    })?;
    Ok(OptionFile { path, lines })
}

/// Whether a word may name a file: `--option-file`, or `-o`, also at the end of a group of short options.
pub(super) fn may_name_file(word: &OsString) -> bool {
    let word = word.as_bytes();
    let is_long = word.starts_with(b"--");
    word.starts_with(b"--option-file") || (!is_long && word.starts_with(b"-") && word.contains(&b'o'))
}

/// The files that `-o` names, in any spelling. Other mistakes are left to the parser.
fn asked_for(subcommand: &Command, words: &[OsString]) -> Vec<PathBuf> {
    if !words.iter().any(may_name_file) {
        return Vec::new();
    }
    let line = [OsString::from(subcommand.get_name())].into_iter().chain(words.iter().cloned());
    let matches = subcommand.clone().ignore_errors(true).try_get_matches_from(line);
    let paths = matches.ok().and_then(|mut matches| matches.remove_many(OPTION_FILE));
    paths.map(Iterator::collect).unwrap_or_default()
}

fn default_path(subcommand: &str) -> Option<PathBuf> {
    let directory = if has_default(subcommand) { configuration_directory() } else { None };
    Some(directory?.join(Names::Mosquitto.of(subcommand)))
}

/// The user's configuration directory: XDG_CONFIG_HOME if set, even if it does not exist, or else ~/.config.
pub(super) fn configuration_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))
}

/// The options in a file, or the number and the mistake of the first invalid line.
pub(super) fn lines(subcommand: &Command, names: Names, text: &[u8]) -> Result<Vec<Line>, (usize, String)> {
    let mut lines = Vec::new();
    for (position, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let number = position + 1;
        let line = without_line_end(trim_start(line));
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (option, value) = split_word(line);
        let option = OsStr::from_bytes(option);
        let known = argv::find(subcommand, option);
        if known.is_some_and(|arg| arg.get_id() == OPTION_FILE) {
            if names == Names::Mosquitto {
                continue; // as mosquitto's tools do
            }
            return Err((number, "-o is not allowed in an option file".to_owned()));
        }
        let word =
            word(subcommand, names, known, (option, value), line).map_err(|problem| (number, problem))?;
        lines.push(Line { number, option: option.to_owned(), word });
    }
    Ok(lines)
}

/// The word that clap reads for a line.
fn word(
    subcommand: &Command,
    names: Names,
    known: Option<&Arg>,
    (option, value): (&OsStr, &[u8]),
    line: &[u8],
) -> Result<OsString, String> {
    let shown = option.as_bytes().escape_ascii();
    if line.contains(&0) {
        return Err("it contains a NUL byte".to_owned());
    }
    if option == "--" {
        return Err("-- is not an option".to_owned());
    }
    match known.and_then(|arg| Some((arg, arg.get_long()?))) {
        Some((arg, _)) if argv::takes_value(arg) && value.is_empty() => {
            Err(format!("{shown} needs a value on the same line"))
        }
        Some((arg, long)) if argv::takes_value(arg) => {
            Ok(argv::joined(subcommand, names, arg, &values(long, value)))
        }
        Some(_) if !value.is_empty() => Err(format!("{shown} takes no value")),
        Some(_) => Ok(option.to_owned()),
        // clap may have a suggestion for this word; or the value directly follows its option.
        None if is_long_without_value(option) => Ok(option.to_owned()),
        None => Ok(OsString::from_vec(line.to_vec())),
    }
}

fn is_long_without_value(option: &OsStr) -> bool {
    option.as_bytes().starts_with(b"--") && !option.as_bytes().contains(&b'=')
}

/// The words of a value. A property has several, of which the last one extends to the end of the line; other values have one.
pub(super) fn values(long: &str, value: &[u8]) -> Vec<OsString> {
    let own = |word: &[u8]| OsString::from_vec(word.to_vec());
    if long != PROPERTY {
        return vec![own(value)];
    }
    let all: Vec<OsString> = value.split(is_blank).filter(|word| !word.is_empty()).map(own).collect();
    let mut words = Vec::new();
    let mut rest = value;
    for _ in 1..argv::value_count(long, &all) {
        let (word, following) = split_word(rest);
        words.push(own(word));
        rest = following;
    }
    words.push(own(rest));
    words.retain(|word| !word.is_empty());
    words
}

/// The first word, and the text after the following blanks.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(is_blank).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, trim_start(rest))
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn without_line_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, (usize, String)> {
        let command = super::super::command();
        let lines = lines(command.find_subcommand("pub").unwrap(), Names::Mq, text.as_bytes())?;
        Ok(lines.into_iter().map(|line| line.word.into_string().unwrap()).collect())
    }

    #[test]
    fn a_value_goes_to_the_end_of_its_line() {
        assert_eq!(
            words("-t a\n-m  hello  world \n-r").unwrap(),
            ["--topic=a", "--message=hello  world ", "-r"]
        );
        assert_eq!(words("--message=a b\n--topic x").unwrap(), ["--message=a b", "--topic=x"]);
        assert_eq!(words("-m -5\r\n-r\r\n").unwrap(), ["--message=-5", "-r"]);
    }

    #[test]
    fn comments_and_blank_lines_say_nothing() {
        assert_eq!(words("# one\n\n   \n\r\n  # two\n  -r\n").unwrap(), ["-r"]);
        assert_eq!(words("-m #three").unwrap(), ["--message=#three"]);
    }

    #[test]
    fn the_last_word_of_a_property_goes_to_the_end_of_its_line() {
        assert_eq!(
            words("-D publish content-type text/plain; charset=utf-8").unwrap(),
            ["--property=publish\0content-type\0text/plain; charset=utf-8"]
        );
        assert_eq!(
            words("-D  publish user-property  key  a  value").unwrap(),
            ["--property=publish\0user-property\0key\0a  value"]
        );
        assert_eq!(words("-D publish content-type").unwrap(), ["--property=publish\0content-type"]);
    }

    #[test]
    fn the_line_that_is_wrong_is_reported() {
        for (text, number, part) in [
            ("-r\n-m", 2, "-m needs a value"),
            ("-r true", 1, "-r takes no value"),
            ("\n\n--", 3, "--"),
            ("-o other", 1, "-o"),
            ("-m a\0b", 1, "NUL"),
        ] {
            let (line, problem) = words(text).unwrap_err();
            assert!(line == number && problem.contains(part), "{text}: {line}: {problem}");
        }
    }
}
