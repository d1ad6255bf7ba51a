//! The modes of `mq bench` in which each option has an effect. A typed option without effect is refused; one from a profile or a
//! variable is ignored.
//!
//! clap supplies the options. A table lists those of a load, and a test compares it with their definitions; the modes of all others
//! follow from their headings.

use super::Word::{self, Conn, Merge, Pub, Pubsub, Reconnect, Rr, Scenario, Sub};
use crate::cli::is_set;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, ValueEnum};
use std::ffi::OsString;

/// The heading of the table's options.
const LOAD: &str = "Load";

const RUNS: &[Word] = &[Pubsub, Conn, Pub, Sub, Rr, Reconnect, Scenario];
/// The modes without a file.
const SIMPLE: &[Word] = &[Pubsub, Conn, Pub, Sub, Rr, Reconnect];
const SENDS: &[Word] = &[Pubsub, Pub, Rr, Reconnect];
const TALKS: &[Word] = &[Pubsub, Pub, Sub, Rr, Reconnect];
const PAIRS: &[Word] = &[Pubsub, Reconnect];

/// The options of a load, which are also keys of a group in a scenario file.
const OF_THE_LOAD: [(&str, &[Word]); 28] = [
    ("clients", SIMPLE),
    ("publishers", SENDS),
    ("subscribers", &[Pubsub, Rr, Reconnect]),
    ("topology", PAIRS),
    ("qos", TALKS),
    ("subscription_qos", &[Pubsub, Sub, Reconnect]),
    ("size", SENDS),
    ("payload_file", SENDS),
    ("payload_recording", SENDS),
    // With recorded topics the receivers of a message are unknown, and therefore losses too.
    ("recorded_topics", &[Pub]),
    ("payload_template", SENDS),
    ("topic", TALKS),
    ("retain", SENDS),
    ("share", &[Pubsub, Sub, Reconnect]),
    ("messages", &[Pubsub, Pub, Sub, Rr]),
    ("duration", TALKS),
    ("hold", &[Conn]),
    ("warm_up", TALKS),
    ("rate", SENDS),
    ("arrivals", SENDS),
    ("burst", SENDS),
    ("ramp", SENDS),
    ("in_flight", SENDS),
    ("connect_rate", RUNS),
    ("keep_sessions", &[Reconnect]),
    ("threads", RUNS),
    ("timeout", RUNS),
    ("processes", RUNS),
];

/// The options of the report that need a run.
const OF_RUNS: [&str; 3] = ["metrics", "search", "until"];

/// Refuses options that the user typed after `mq bench` without effect in its mode. `words` are the arguments for clap, `typed_words`
/// those of the user.
///
/// # Errors
/// Names the option and the mode.
pub(in crate::cli) fn check(
    bench: &Command,
    words: &[OsString],
    typed_words: &[OsString],
) -> Result<(), String> {
    let line = [OsString::from(bench.get_name())].into_iter().chain(words.iter().cloned());
    // Other errors were reported before.
    let Ok(typed) = bench.clone().ignore_errors(true).try_get_matches_from(line) else { return Ok(()) };
    let Some(&mode) = typed.get_one::<Word>("word") else { return Ok(()) };
    let is_useless = |arg: &&Arg| is_typed(&typed, arg) && !has_use_for(mode, arg);
    match bench.get_arguments().find(is_useless) {
        Some(arg) => Err(format!(
            "{} does not go with {mode}{}",
            spelled(arg, typed_words),
            instead(mode, arg.get_id().as_str())
        )),
        None => Ok(()),
    }
}

/// Whether a key of a scenario file has an effect in a group of this mode.
pub(super) fn has_use_for_key(mode: Word, key: &str) -> bool {
    OF_THE_LOAD.iter().find(|(known, _)| *known == key).is_none_or(|(_, modes)| modes.contains(&mode))
}

fn is_typed(typed: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    is_set(typed, id) && typed.value_source(id) == Some(ValueSource::CommandLine)
}

fn has_use_for(mode: Word, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    match (id, arg.get_help_heading()) {
        ("word", _) => true,
        ("files", _) => matches!(mode, Scenario | Merge),
        (_, Some(LOAD)) => has_use_for_key(mode, id),
        (_, Some("Report")) => mode != Merge || !OF_RUNS.contains(&id),
        (_, Some(crate::cli::GENERAL)) | ("quiet", _) => true,
        _ => mode != Merge,
    }
}

/// An option as the user typed it.
fn spelled(arg: &Arg, words: &[OsString]) -> String {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let is_short = |short: &String| {
        words
            .iter()
            .any(|word| word.to_str().is_some_and(|word| word.starts_with(short) && !word.starts_with("--")))
    };
    match (short.filter(is_short), arg.get_long()) {
        (Some(short), _) => short,
        (None, Some(long)) => format!("--{long}"),
        (None, None) => "a file".to_owned(),
    }
}

/// The hint: an alternative.
fn instead(mode: Word, id: &str) -> &'static str {
    match (mode, id) {
        (_, "files") => "; mq bench scenario FILE takes one",
        (Scenario, id) if has_use_for_key(Pubsub, id) => "; set it in the scenario file",
        (Conn, "duration") => "; use --hold",
        (Reconnect, "messages") => "; use --duration",
        _ => "",
    }
}

/// The modes for a group of a file in which a key has an effect.
pub(super) fn modes_of_groups(key: &str) -> String {
    let modes = [Pubsub, Conn, Pub, Sub, Rr].into_iter().filter(|mode| has_use_for_key(*mode, key));
    modes
        .filter_map(|mode| Some(mode.to_possible_value()?.get_name().to_owned()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_has_every_option_of_the_load_and_no_other() {
        let command = crate::cli::command();
        let bench = command.find_subcommand("bench").unwrap();
        let of_load = bench.get_arguments().filter(|arg| arg.get_help_heading() == Some(LOAD));
        let defined: BTreeSet<&str> = of_load.map(|arg| arg.get_id().as_str()).collect();
        assert_eq!(OF_THE_LOAD.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>(), defined);
        for id in OF_RUNS {
            assert!(bench.get_arguments().any(|arg| arg.get_id() == id), "{id}");
        }
    }
}
