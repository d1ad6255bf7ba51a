//! The subcommands: options in, exit status out. Here is what they share: how a command is run, stopped and judged.

mod bench;
mod broker;
mod embedded;
mod lines;
mod ndjson;
mod publish;
mod stop;
mod subscribe;

use crate::cli::{self, Command, Names};
use crate::client::Direction;
use crate::error::{Error, ExitStatus};
use crate::output::describe_packet;
use crate::protocol::Packet;
use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::time::Duration;

/// Runs the command line, and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let cli = match cli::parse(arguments) {
        Ok(cli) => cli,
        Err(failure) => {
            print_wanted_or_not(&failure.text, failure.is_wanted);
            return failure.exit_status();
        }
    };
    let (name, quiet) = match &cli.command {
        Command::Pub(args) => ("pub", args.diagnostics.quiet),
        Command::Sub(args) => ("sub", args.diagnostics.quiet),
        Command::Broker(_) => ("broker", false),
        Command::Bench(args) => ("bench", args.quiet),
    };
    let messages = Messages { names: Names::Mq, name, quiet };
    let result = match &cli.command {
        Command::Pub(args) => publish::run(args, messages),
        Command::Sub(args) => subscribe::run(args, messages),
        Command::Broker(args) => broker::run(args, messages),
        Command::Bench(args) => bench::run(args, messages),
    };
    result.unwrap_or_else(|error| messages.failure(&error))
}

/// What a command says on standard error.
#[derive(Debug, Clone, Copy)]
struct Messages {
    names: Names,
    name: &'static str,
    quiet: bool,
}

impl Messages {
    /// Says something that the user should know, unless only the exit status is wanted.
    fn say(self, text: &str) {
        if !self.quiet {
            print_error(&format!("mq {}: {text}\n", self.name));
        }
    }

    /// Says why the command failed, and what may help.
    fn failure(self, error: &Error) -> ExitStatus {
        let is_usage = matches!(error, Error::Usage(_));
        let messages = if is_usage { Messages { quiet: false, ..self } } else { self };
        if !error.is_closed_output() {
            let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            messages.say(&format!("{error}{hint}"));
        }
        error.exit_status()
    }

    fn lost(self, error: &Error, pause: Duration) {
        self.say(&format!("{error}; connecting again in {:.1} s", pause.as_secs_f64()));
    }

    /// Shows a packet.
    fn trace(self, direction: Direction, packet: &Packet<'_>) {
        let arrow = match direction {
            Direction::Sent => "->",
            Direction::Received => "<-",
        };
        print_error(&format!("{arrow} {}\n", describe_packet(packet)));
    }
}

/// Runs a command's future on a runtime of one thread, which starts fastest.
fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { action: "start the event loop".to_owned(), source })?;
    let result = runtime.block_on(future);
    // A thread that still waits for standard input must not keep the program.
    runtime.shutdown_background();
    result
}

fn print_wanted_or_not(text: &str, is_wanted: bool) {
    if is_wanted {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    } else {
        print_error(text);
    }
}

/// Writes to standard error; when even that fails, there is nobody left to tell.
fn print_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
