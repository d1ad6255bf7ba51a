//! The definitions for completion scripts: the values of options where they are few, and files only where files go.
//!
//! The parsers of these options know their values, but not as a list, since they accept other forms as well (`-V mqttv5`).

use super::output;
use super::properties::TARGETS;
use crate::hosted::Service;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};

/// The whole command line, for a generator of completions.
pub(crate) fn command() -> Command {
    completed(super::command())
}

fn completed(command: Command) -> Command {
    command.mut_args(with_values).mut_subcommands(completed)
}

fn with_values(arg: Arg) -> Arg {
    let is_known = !arg.get_possible_values().is_empty() || arg.get_value_hint() != ValueHint::Unknown;
    if !arg.get_action().takes_values() || is_known {
        return arg;
    }
    match arg.get_long().and_then(values) {
        Some(values) => arg.value_parser(PossibleValuesParser::new(values)),
        None => arg.value_hint(ValueHint::Other),
    }
}

/// The values of an option, wherever it appears.
fn values(option: &str) -> Option<Vec<&'static str>> {
    let values: &[&str] = match option {
        "qos" | "will-qos" => &["0", "1", "2"],
        "protocol-version" => &["31", "311", "5"],
        "tls-version" => &["tlsv1.2", "tlsv1.3"],
        "sn-version" => &["1.2", "2.0"],
        "proxy-protocol" => &["v1", "v2"],
        "retain-handling" => &["always", "new", "never"],
        "input" => &["raw", "hex", "base64", "json"],
        "output" => &["raw", "hex", "base64"],
        "property" => return Some(TARGETS.map(|(name, _)| name).to_vec()),
        "preset" => return Some(Service::ALL.into_iter().map(Service::word).collect()),
        "decode" => return Some(output::decoders().map(|decoder| decoder.name().0).collect()),
        _ => return None,
    };
    Some(values.to_vec())
}

#[cfg(test)]
mod tests {
    use super::values;
    use crate::cli;
    use clap::error::ErrorKind;

    #[test]
    fn the_listed_values_are_accepted() {
        let options = ["qos", "will-qos", "protocol-version", "tls-version", "sn-version", "proxy-protocol"];
        for option in options.into_iter().chain(["retain-handling", "output", "preset", "decode"]) {
            for value in values(option).unwrap() {
                let words = ["mq", "sub", "--topic", "a", &format!("--{option}"), value].map(str::to_owned);
                // Whatever else is missing, the value is right.
                let kind = cli::command().try_get_matches_from(words).map_err(|error| error.kind());
                let is_refused = matches!(kind, Err(ErrorKind::InvalidValue | ErrorKind::ValueValidation));
                assert!(!is_refused, "--{option} {value}");
            }
        }
    }
}
