//! The name that the program was called by, which determines exit statuses and some behaviour.

use super::{GENERAL, VERSION, values};
use crate::protocol::{RetainHandling, Version};
use clap::{Arg, ArgAction, Command, value_parser};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The tools that the program can replace, without the prefix of their names.
pub(crate) const TOOLS: [&str; 4] = ["pub", "sub", "rr", "passwd"];

/// The clients among them, with option files and the exit statuses of [`STATUSES`].
pub(super) const CLIENTS: [&str; 3] = ["pub", "sub", "rr"];

const PREFIX: &str = "mosquitto_";

/// The release of mosquitto whose tools `mq` imitates, for scripts that read it from `--version`.
pub(super) const MOSQUITTO_VERSION: &str = "2.1.2";

/// Start of the paragraph about exit statuses in the help.
pub(super) const EXIT_STATUS: &str = "Exit status:";

pub(super) const STATUSES: &str = "\
Exit status, as of mosquitto's tools: 0 success, also if the broker rejected a message or a subscription; \
1 usage, no connection, or this help; 1 to 5 and 128 to 159 the broker refused the connection with this \
code; 4 the broker closed the connection; 7 connection lost; 27 timed out. `mq` distinguishes more cases.";

/// The names that the user calls the tools by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Names {
    /// `mq pub`, `mq sub`...: the rules of `mq`.
    #[default]
    Mq,
    /// `mosquitto_pub`, `mosquitto_sub`...: the behaviour that scripts for those tools expect.
    Mosquitto,
}

impl Names {
    /// A command's name for the user.
    pub(crate) fn of(self, subcommand: &str) -> String {
        match self {
            Names::Mq => format!("mq {subcommand}"),
            Names::Mosquitto => format!("{PREFIX}{subcommand}"),
        }
    }

    /// Rejects subscription options of MQTT 5 with MQTT 3; under mosquitto's names they have no effect.
    pub(super) fn check_subscription_options(
        self,
        version: Version,
        retain_as_published: bool,
        retain_handling: RetainHandling,
    ) -> Result<(), &'static str> {
        if self == Names::Mosquitto || version.is_v5() {
            return Ok(());
        }
        match (retain_as_published, retain_handling) {
            (true, _) => Err("--retain-as-published"),
            (false, RetainHandling::New | RetainHandling::Never) => Err("--retain-handling"),
            (false, RetainHandling::Always) => Ok(()),
        }
    }

    /// Rejects a second message under mosquitto's names, as mosquitto's tools do; for other options, the last one wins. Each word is
    /// an option with its value.
    pub(super) fn check_repetitions(self, words: &[OsString]) -> Result<(), String> {
        let count = |start: &str| {
            words.iter().filter(|word| word.as_encoded_bytes().starts_with(start.as_bytes())).count()
        };
        let options = [("--message=", "-m"), ("--file=", "-f")];
        match options.into_iter().find(|(start, _)| self == Names::Mosquitto && count(start) > 1) {
            Some((_, option)) => Err(format!("duplicate {option}; only one message can be sent at a time")),
            None => Ok(()),
        }
    }
}

/// The subcommand for the program's name: `pub` for `/usr/bin/mosquitto_pub`.
pub(super) fn called_as(program: &OsStr) -> Option<&str> {
    let name = Path::new(program).file_name()?.to_str()?;
    name.strip_suffix(".exe").unwrap_or(name).strip_prefix(PREFIX)
}

/// Adapts help, version and durations to the names that the user calls the tools by.
pub(super) fn adapt(command: Command, names: Names) -> Command {
    if names == Names::Mq {
        return command;
    }
    command.mut_subcommands(|subcommand| {
        if !CLIENTS.contains(&subcommand.get_name()) {
            return subcommand;
        }
        let (own, known) = (Names::Mq.of(subcommand.get_name()), names.of(subcommand.get_name()));
        let usage = subcommand.get_overridden_usage().map(|usage| usage.to_string().replace(&own, &known));
        let after_help =
            subcommand.get_after_help().map(|text| with_statuses(&text.to_string().replace(&own, &known)));
        let print_version = Arg::new("print-version")
            .long("version")
            .help_heading(GENERAL)
            .action(ArgAction::Version)
            .help("Print version");
        let about = subcommand.get_about().map(|about| format!("{known}: {about}")).unwrap_or_default();
        let subcommand = subcommand.about(about).version(VERSION).bin_name(known).arg(print_version);
        let subcommand = subcommand.mut_args(with_plain_seconds);
        let subcommand = match usage {
            Some(usage) => subcommand.override_usage(usage),
            None => subcommand,
        };
        subcommand.after_help(after_help.unwrap_or_default())
    })
}

/// Reads the durations of mosquitto's own options as its tools do: numbers of seconds, without units.
fn with_plain_seconds(arg: Arg) -> Arg {
    let arg = match arg.get_id().as_str() {
        "timeout" => arg.value_parser(values::plain_whole_seconds),
        "repeat_delay" => arg.value_parser(values::plain_seconds),
        "keep_alive" => arg.value_parser(value_parser!(u16).range(5..)),
        "session_expiry_interval" => arg.value_parser(values::plain_session_expiry),
        _ => return arg,
    };
    arg.value_name("SECONDS")
}

/// Replaces the exit statuses in the help with those of mosquitto's tools.
fn with_statuses(after_help: &str) -> String {
    let own = |paragraph: &&str| !paragraph.starts_with(EXIT_STATUS);
    let mut paragraphs: Vec<&str> = after_help.split("\n\n").filter(own).collect();
    paragraphs.push(STATUSES);
    paragraphs.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_is_its_last_component() {
        for program in ["mosquitto_pub", "/usr/bin/mosquitto_pub", "./mosquitto_pub.exe"] {
            assert_eq!(called_as(program.as_ref()), Some("pub"), "{program}");
        }
        for program in ["mq", "/opt/mosquitto_pub/mq", "mosquitto", "my_mosquitto_pub", ""] {
            assert_eq!(called_as(program.as_ref()), None, "{program}");
        }
    }
}
