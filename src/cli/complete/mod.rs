//! Completions of a command line that is being typed. The scripts of all shells ask for them (`mq complete`), so they know profiles, topics
//! and the words before.
//!
//! A candidate is a whole word. Words are read as [`super::argv`] reads them: the word after an option is its value, and `-D` takes three.

mod candidate;
mod filter_terms;
mod topics;
mod typed;
mod values;

use super::command::COMMANDS;
use super::help_groups;
use super::man;
use super::{Names, command, definitions};
pub(crate) use candidate::{Candidate, Completion, Paths};
use clap::Command;
use std::ffi::OsString;
use typed::TypedLine;

/// The completions of the last word. The first is the program.
pub(crate) fn complete(words: &[OsString]) -> Completion {
    let [_, before @ .., current] = words else { return Completion::default() };
    let Some(current) = current.to_str() else { return Completion::default() };
    let Some((first, rest)) = before.split_first() else {
        return if current.starts_with('-') { options_of_program(current) } else { commands(current) };
    };
    let Some(row) = first.to_str().and_then(command::row) else { return Completion::default() };
    match row.name {
        "help" => help_words(rest, current),
        "man" if rest.is_empty() && !current.starts_with('-') => Completion::of(pages(), current),
        name => {
            let mut program = definitions(Names::Mq, Some(row));
            // Defines the options of all modes of bench, and the options that apply at every level.
            program.build();
            let defined = program.find_subcommand(name);
            defined.map(|command| TypedLine::read(command, rest).complete(current)).unwrap_or_default()
        }
    }
}

fn commands(current: &str) -> Completion {
    let rows = COMMANDS.iter().map(|row| Candidate::new(row.name, row.about()));
    Completion::of(rows, current)
}

fn options_of_program(current: &str) -> Completion {
    let program = definitions(Names::Mq, command::row("man"));
    typed::options(program.get_arguments(), |_| true, current)
}

/// The commands, the modes of a command, and the groups of its options.
fn help_words(before: &[OsString], current: &str) -> Completion {
    let Some((first, rest)) = before.split_first() else { return commands(current) };
    let Some(row) = first.to_str().and_then(command::row) else { return Completion::default() };
    let mut program = definitions(Names::Mq, Some(row));
    program.build();
    let Some(mut command) = program.find_subcommand(row.name) else { return Completion::default() };
    for word in rest {
        match word.to_str().and_then(|word| command.find_subcommand(word)) {
            Some(below) => command = below,
            None => return Completion::default(),
        }
    }
    let below = subcommands(command).map(|(name, about)| Candidate::new(name, about));
    let groups =
        help_groups::names(command).into_iter().map(|name| Candidate::new(&help_groups::word(&name), ""));
    Completion::of(below.chain(groups), current)
}

/// The commands below a command, each with its summary.
fn subcommands(command: &Command) -> impl Iterator<Item = (&str, String)> {
    let visible = command.get_subcommands().filter(|below| !below.is_hide_set());
    visible.map(|below| (below.get_name(), below.get_about().map(ToString::to_string).unwrap_or_default()))
}

fn pages() -> Vec<Candidate> {
    man::summaries().into_iter().map(|(name, about)| Candidate::new(&name, about)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(line: &[&str]) -> Completion {
        let words: Vec<OsString> =
            std::iter::once("mq").chain(line.iter().copied()).map(OsString::from).collect();
        complete(&words)
    }

    fn words(line: &[&str]) -> Vec<String> {
        completion(line).candidates.into_iter().map(|candidate| candidate.value).collect()
    }

    fn hidden(command: &Command) -> Vec<String> {
        command
            .get_arguments()
            .filter(|arg| arg.is_hide_set())
            .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
            .collect()
    }

    #[test]
    fn hidden_options_are_not_offered() {
        let mut program = command();
        program.build();
        let mut count = 0;
        for command in program.get_subcommands() {
            let offered = words(&[command.get_name(), "--"]);
            for option in hidden(command) {
                count += 1;
                assert!(!offered.contains(&option), "{} {option}", command.get_name());
                assert!(
                    !words(&[command.get_name(), &option]).contains(&option),
                    "{} {option}",
                    command.get_name()
                );
            }
        }
        assert!(count > 10, "{count} hidden options");
    }

    #[test]
    fn a_word_after_an_option_is_its_value() {
        assert_eq!(words(&["pub", "-q", ""]), ["0", "1", "2"]);
        assert_eq!(words(&["pub", "--qos="]), ["--qos=0", "--qos=1", "--qos=2"]);
        assert_eq!(words(&["pub", "-m", "-q", "--qo"]), ["--qos"], "-q is the message");
        assert_eq!(words(&["pub", "-rq", ""]), ["0", "1", "2"]);
        assert!(words(&["pub", "-m", "--"]).is_empty());
        assert!(words(&["pub", "-r", "--ret"]).contains(&"--retries".to_owned()));
        assert!(!words(&["pub", "-r", "--ret"]).contains(&"--retain".to_owned()), "it is typed already");
    }

    #[test]
    fn a_property_has_the_names_of_its_packet() {
        assert!(words(&["pub", "-D", ""]).contains(&"will".to_owned()));
        assert_eq!(words(&["pub", "-D", "publish", "co"]), ["content-type", "correlation-data"]);
        assert_eq!(words(&["pub", "-D", "publish", "payload-format-indicator", ""]), ["0", "1"]);
        assert!(!words(&["pub", "-D", "publish", ""]).contains(&"subscription-identifier".to_owned()));
        assert!(words(&["pub", "-D", "publish", "user-property", "a", ""]).is_empty());
        assert_eq!(words(&["pub", "-D", "publish", "user-property", "a", "b", "--qo"]), ["--qos"]);
    }

    #[test]
    fn a_mode_of_bench_may_follow_options() {
        assert!(words(&["bench", ""]).contains(&"reconnect".to_owned()));
        assert!(words(&["bench", "-c", "5", "conn", "--ho"]).contains(&"--hold".to_owned()));
        assert!(!words(&["bench", "--ho"]).contains(&"--hold".to_owned()));
        assert_eq!(completion(&["bench", "scenario", ""]).paths, Paths::Files);
    }

    #[test]
    fn files_go_only_where_files_go() {
        assert_eq!(completion(&["pub", "--cafile", ""]).paths, Paths::Files);
        assert_eq!(completion(&["completions", "--dir", ""]).paths, Paths::Directories);
        let of_word = completion(&["pub", "--cafile=ca"]);
        assert_eq!((of_word.paths, of_word.prefix.as_str()), (Paths::Files, "--cafile="));
        for line in [&["pub", "-t", ""][..], &["pub", "-h", ""], &["sub", ""], &["bench", ""], &[""]] {
            assert_eq!(completion(line).paths, Paths::None, "{line:?}");
        }
    }

    #[test]
    fn the_last_term_of_a_filter_is_completed() {
        assert_eq!(words(&["inspect", "--filter", "to"]), ["topic="]);
        assert_eq!(words(&["inspect", "--filter", "qos=1 (ty"]), ["qos=1 (type="]);
        assert_eq!(words(&["inspect", "--filter", "type=PUBL"]), ["type=PUBLISH"]);
        assert_eq!(words(&["inspect", "--filter", "type!=PUBLISH,SUBS"]), ["type!=PUBLISH,SUBSCRIBE"]);
        assert!(completion(&["inspect", "--filter", "to"]).is_partial);
    }

    #[test]
    fn help_has_commands_modes_and_groups() {
        assert!(words(&["help", "be"]).contains(&"bench".to_owned()));
        let below = words(&["help", "bench", ""]);
        assert!(below.contains(&"reconnect".to_owned()) && below.contains(&"report".to_owned()), "{below:?}");
        assert!(words(&["help", "sub", "hosted"]).contains(&"hosted-brokers".to_owned()));
        assert_eq!(words(&["config", "set", "--profile", "a", "password-f"]), ["password-file"]);
        assert!(words(&["man", "bench-r"]).contains(&"bench-rr".to_owned()));
    }

    #[test]
    fn nothing_is_offered_for_nonsense() {
        for line in [
            &["nothing", ""][..],
            &["pub", "--nothing", "--qos=1", "x", "y"],
            &["help", "nothing", ""],
            &["--", ""],
        ] {
            assert!(words(line).is_empty(), "{line:?}");
        }
        assert!(complete(&[]).candidates.is_empty());
    }
}
