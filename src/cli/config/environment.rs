//! `MQ_*` variables: the key in capitals, such as `MQ_PASSWORD_FILE` for `password-file`. Empty variables are
//! ignored.
//!
//! Other programs also use this prefix, so variables that do not belong to an option are ignored.

use super::entry::{Entry, Origin};
use super::options::{Options, is_flag, is_repeated, key, takes_any_bytes, variable};
use crate::cli::Error;
use clap::Arg;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

const ON: [&str; 4] = ["1", "true", "yes", "on"];
const OFF: [&str; 4] = ["0", "false", "no", "off"];

/// Whether any such variable is set.
pub(super) fn is_any_set() -> bool {
    std::env::vars_os().any(|(name, _)| name.as_bytes().starts_with(b"MQ_"))
}

/// A variable's value, unless it is empty.
pub(super) fn value_of(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The entries of all variables, or the first mistake.
pub(super) fn entries(options: &Options) -> Result<Vec<Entry>, Error> {
    entries_with(options, "MQ_")
}

/// The entries of the variables that begin with this text, such as `MQ_FROM_HOST`.
pub(super) fn entries_with(options: &Options, start: &str) -> Result<Vec<Entry>, Error> {
    let of_side = |arg: &Arg| of_variable(arg, &variable_with(arg, start));
    let entries: Result<Vec<_>, _> = options.iter().map(of_side).collect();
    entries.map(|entries| entries.concat()).map_err(Error::usage)
}

/// The variable of an option that begins with this text instead of `MQ_`.
pub(super) fn variable_with(arg: &Arg, start: &str) -> String {
    variable(key(arg)).replacen("MQ_", start, 1)
}

/// The names of the variables that begin with this text and have a value, in order.
pub(super) fn names_with(start: &str) -> Vec<String> {
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let mut names: Vec<String> =
        set.filter_map(|(name, _)| name.into_string().ok()).filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// Mistakes in single variables.
pub(super) fn mistakes(options: &Options) -> Vec<String> {
    options.iter().filter_map(|arg| of_option(arg).err()).collect()
}

/// The entries of an option's variable, one per line for a repeatable option.
pub(super) fn of_option(arg: &Arg) -> Result<Vec<Entry>, String> {
    of_variable(arg, &variable(key(arg)))
}

fn of_variable(arg: &Arg, name: &str) -> Result<Vec<Entry>, String> {
    let Some(value) = value_of(name) else { return Ok(Vec::new()) };
    if value.to_str().is_none() && !takes_any_bytes(arg) {
        return Err(format!("the variable {name} is not valid UTF-8"));
    }
    let values = match is_flag(arg) {
        true => vec![switch(&value).ok_or_else(|| format!("the variable {name}: expected true or false"))?],
        false if is_repeated(arg) => lines(&value),
        false => vec![value],
    };
    let entry = |value: OsString| Entry::new(arg, &value, Origin::Variable(name.to_owned()));
    Ok(values.into_iter().map(entry).collect())
}

fn switch(value: &OsStr) -> Option<OsString> {
    let word = value.to_str()?.to_ascii_lowercase();
    match word.as_str() {
        word if ON.contains(&word) => Some("true".into()),
        word if OFF.contains(&word) => Some("false".into()),
        _ => None,
    }
}

fn lines(value: &OsStr) -> Vec<OsString> {
    let lines = value.as_bytes().split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| OsStr::from_bytes(line).to_owned()).collect()
}
