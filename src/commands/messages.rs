//! Messages of commands on standard error. All text in them is escaped here.

use super::error::broker_hint::{self, ConnectionKind};
use super::error::mosquitto;
use super::error::{Error, ExitStatus};
use super::shutdown::Stop;
use super::{status_line, terminal};
use crate::cli::{self, Names, UsageError};
use crate::client::{self, FIRST_PAUSE};
use crate::escape;
use crate::hosted::Service;
use crate::transport::Endpoint;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// A command's messages on standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Messages {
    pub(super) names: Names,
    pub(super) name: &'static str,
    pub(super) quiet: bool,
    /// Failures at run time are hidden as well when quiet, as mosquitto's tools do.
    pub(super) hides_failures: bool,
    /// Leaves signals uncaught, as mosquitto_pub and mosquitto_rr do: the sender sees that the command was killed by one. After
    /// a password prompt, signals are caught.
    pub(super) leaves_signals: bool,
    /// The hosted broker that the command connects to, inferred from the host name.
    pub(super) service: Option<Service>,
    /// The version and encryption of the command's connection, if known.
    pub(super) connection_kind: Option<ConnectionKind>,
}

impl Messages {
    /// Whether JSON on standard output is coloured: on a terminal, unless NO_COLOR is set or mosquitto's tool is replaced.
    pub(super) fn colours_json(self) -> bool {
        self.names == Names::Mq && is_coloured_terminal()
    }

    /// Prints a message for the user, on one line, unless only the exit status is wanted. Untrusted text in it can neither leave
    /// the line nor reach the terminal unescaped.
    pub(super) fn say(self, text: &str) {
        self.say_lines(&escape::line(&escape::with_short_words(text)));
    }

    /// As [`Messages::say`], with a hint on a separate line.
    pub(super) fn say_with_hint(self, text: &str, hint: Option<&str>) {
        let hint = hint.map(|hint| format!("\nhint: {}", escape::line(hint))).unwrap_or_default();
        self.say_lines(&format!("{}{hint}", escape::line(&escape::with_short_words(text))));
    }

    /// Says why a client of MQTT-SN waited at its end.
    pub(super) fn disconnect_unanswered(self, timeout: Duration) {
        self.say(&format!("the gateway did not answer DISCONNECT within {} s", timeout.as_secs()));
    }

    /// As [`Messages::say`], for a text of several lines. Untrusted text in it must already be on one line (`escape::line`), or
    /// it could pass for a line of our own.
    pub(super) fn say_lines(self, text: &str) {
        if !self.quiet {
            print_error(&format!("{}: {}\n", self.names.of(self.name), escape::lines(text)));
        }
    }

    /// Reports the command's failure, if any, and returns the exit status.
    pub(super) fn end(self, result: &Result<ExitStatus, Error>) -> ExitStatus {
        if let Err(error) = result {
            self.failure(error);
        }
        match (self.names, result) {
            (Names::Mosquitto, _) => mosquitto::exit_status(result),
            (Names::Mq, Ok(status)) => *status,
            (Names::Mq, Err(error)) => error.exit_status(),
        }
    }

    /// Reports a command's failure, with a hint.
    pub(super) fn failure(self, error: &Error) {
        let is_usage = matches!(error, Error::Options(cli::Error::Usage(_)));
        let messages = Messages { quiet: self.quiet && self.hides_failures && !is_usage, ..self };
        if !error.is_known_to_the_user() {
            let hint = broker_hint::of(error, self.service, self.connection_kind);
            let text = error.to_string();
            match (self.names, error, &hint) {
                // Scripts search for this line.
                (Names::Mosquitto, error, _) if error.is_timeout() && !messages.quiet => {
                    print_error("Timed out\n");
                }
                // Several errors, or a list of known values. The other variants have values in them, which may be of strangers.
                (_, Error::Options(cli::Error::Usage(UsageError::Other(_))), None) => {
                    messages.say_lines(&escape::with_short_words(&text));
                }
                _ => messages.say_with_hint(&text, hint.as_deref()),
            }
        }
    }

    /// The result of a command that a signal or a time limit stopped.
    pub(super) fn stopped(self, stop: Stop, was_connected: bool) -> Result<ExitStatus, Error> {
        let error = match stop {
            Stop::Signal(status) => Error::Interrupted(status),
            Stop::TimeIsUp(timeout) => Error::Timeout(timeout),
            Stop::Idle(limit) => Error::Idle(limit),
        };
        let is_mosquitto_sub = self.names == Names::Mosquitto && self.name == "sub";
        match mosquitto::of_stop(stop, was_connected).filter(|_| is_mosquitto_sub) {
            Some(status) => {
                self.failure(&error);
                Ok(status)
            }
            None => Err(error),
        }
    }

    /// Reports that no MQTT-SN gateway has been found yet.
    pub(super) fn searching(self, endpoint: &Endpoint) {
        let (address, timeout) = (&endpoint.address, endpoint.timeout.as_secs_f64());
        self.say(&format!(
            "no gateway at {address} has answered SEARCHGW yet; the search ends after {timeout} s"
        ));
    }

    /// Reports a lost connection and the pause before the next one. The hint is shown for the first loss in a row only.
    pub(super) fn lost(self, error: &client::Error, pause: Duration) {
        let is_first = pause <= FIRST_PAUSE;
        let hint =
            self.service.filter(|_| is_first).and_then(|_| broker_hint::of_client(error, self.service, None));
        let text = format!("{error}; connecting again in {:.1} s", pause.as_secs_f64());
        self.say_with_hint(&text, hint.as_deref());
    }
}

/// Whether standard output is a terminal that shall have colours.
pub(super) fn is_coloured_terminal() -> bool {
    std::io::stdout().is_terminal()
        && !terminal::is_dumb()
        && colored::control::SHOULD_COLORIZE.should_colorize()
}

/// Writes to standard error unchanged, for texts that are already escaped and may have colours. Errors cannot be reported.
pub(super) fn print_error(text: &str) {
    status_line::aside(|| {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    });
}
