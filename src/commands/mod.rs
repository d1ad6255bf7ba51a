//! The subcommands: options in, exit status out. This file runs them, after it has completed their credentials.

mod bench;
mod bridge;
mod broker;
mod broker_files;
mod broker_fronts;
mod broker_limits;
mod clock;
mod colours;
mod complete;
mod config;
mod config_file;
mod defects;
mod doctor;
mod documents;
mod echo;
mod embedded;
mod error;
mod event_loop;
mod exec;
mod foreground;
mod gateway;
mod hang_up;
mod help;
mod http_message;
mod http_places;
mod inspect;
mod install_links;
mod limits;
mod lines;
mod log;
mod man_page;
mod messages;
mod mosquitto_debug;
mod ndjson;
mod outbound;
mod output_file;
mod pager;
mod panic_hook;
mod passwd;
mod password;
mod payload;
mod publish;
mod reloaded;
mod replay;
mod request;
mod retained_removal;
mod server;
mod shutdown;
mod standard_output;
mod status_line;
mod subscribe;
mod terminal;
mod top;
mod trace;
mod users;

use crate::cli::session::ClientArgs;
use crate::cli::{self, Command, Failure, FailureKind, Invocation, Names};
use crate::escape;
use crate::hosted::Rules;
use crate::protocol::{PropertyId, Publish, Version};
use error::Error;
pub use error::ExitStatus;
use error::broker_hint::{ConnectionKind, WillKind};
use event_loop::block_on;
use messages::{Messages, is_coloured_terminal, print_error};
use std::ffi::OsString;
use std::io::Write;

/// Runs the command line, and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    panic_hook::end_on_panic();
    colours::follow_variables();
    let Invocation { names, mut command, note, warning } = match cli::parse(arguments) {
        Ok(invocation) => invocation,
        Err(failure) => return end_without_command(&failure),
    };
    let (name, quiet) = match &command {
        Command::Pub(args) => ("pub", args.diagnostics.quiet),
        Command::Sub(args) => ("sub", args.diagnostics.quiet),
        Command::Rr(args) => ("rr", args.diagnostics.quiet),
        Command::Top(_) => ("top", false),
        Command::Doctor(args) => ("doctor", args.diagnostics.quiet),
        Command::Passwd(_) => ("passwd", false),
        Command::Broker(_) => ("broker", false),
        Command::Gateway(_) => ("gateway", false),
        Command::Bridge(args) => ("bridge", args.quiet),
        Command::Bench(args) => ("bench", args.is_quiet()),
        Command::Inspect(_) => ("inspect", false),
        Command::Config(_) => ("config", false),
        Command::InstallLinks(_) => ("install-links", false),
        Command::Completions(_) => ("completions", false),
        Command::Man(_) => ("man", false),
        Command::Help(_) => ("help", false),
        Command::Complete => ("complete", false),
    };
    let asks = |command: &mut Command| {
        command.connection_mut().is_some_and(|connection| connection.ask_password)
            || command.client_mut().is_some_and(|client| client.tls.asks_for_password())
    };
    let leaves_signals = names == Names::Mosquitto && name != "sub" && !asks(&mut command);
    let service = command.client_mut().and_then(|client| client.service(names));
    let connection_kind = connection_kind(&mut command, names);
    let hides_failures = match &command {
        Command::Bench(args) => args.is_worker(),
        Command::Bridge(_) => false,
        _ => true,
    };
    let messages = Messages { names, name, quiet, hides_failures, leaves_signals, service, connection_kind };
    warning.inspect(|warning| messages.say(warning));
    let result = complete_credentials(&mut command, messages).and_then(|()| dispatch(&command, messages));
    // A panel that an error has ended.
    echo::restore();
    let status = messages.end(&result);
    if let (Err(Error::Options(cli::Error::Usage(_))), Some(note)) = (&result, note) {
        print_error(&format!("{}\n", escape::lines(&note)));
    }
    status
}

fn dispatch(command: &Command, messages: Messages) -> Result<ExitStatus, Error> {
    let writes_files = matches!(
        command,
        Command::Passwd(_)
            | Command::Inspect(_)
            | Command::Bench(_)
            | Command::Config(_)
            | Command::Completions(_)
            | Command::Man(_)
    );
    if writes_files {
        // Commands write files outside of any event loop as well.
        event_loop::outlive_file_size_limit();
    }
    match command {
        Command::Pub(args) => publish::run(args, messages),
        Command::Sub(args) => subscribe::run(args, messages),
        Command::Rr(args) => request::run(args, messages),
        Command::Top(args) => top::run(args, messages),
        Command::Doctor(args) => doctor::run(args, messages),
        Command::Passwd(args) => passwd::run(args, messages),
        Command::Broker(args) => broker::run(args, messages),
        Command::Gateway(args) => gateway::run(args, messages),
        Command::Bridge(args) => bridge::run(args, messages),
        Command::Bench(args) => bench::run(args, messages),
        Command::Inspect(args) => inspect::run(args, messages),
        Command::Config(args) => config::run(args, messages),
        Command::InstallLinks(args) => install_links::run(args, messages),
        Command::Completions(args) => documents::run_completions(args),
        Command::Man(args) => man_page::run(args),
        Command::Help(args) => help::run(args),
        Command::Complete => complete::run(),
    }
}

/// Completes user name and password from files and services (not from prompts), and applies the rules of a hosted broker.
fn complete_credentials(command: &mut Command, messages: Messages) -> Result<(), Error> {
    if let Command::Bench(args) = command
        && args.is_worker()
        && let Some(client) = args.client_mut()
    {
        // The leader process has read it, and passes it on.
        client.connection.password_file.take_if(|path| path.as_os_str() == "-");
    }
    let stdin_option = command.stdin_option();
    if let Some(client) = command.client_mut() {
        complete_client(client, stdin_option, messages)?;
    }
    command.interception_warning(messages.names).inspect(|warning| messages.say(warning));
    Ok(())
}

/// Completes the credentials of a client, and reports warnings.
fn complete_client(
    client: &mut ClientArgs,
    stdin_option: Option<&str>,
    messages: Messages,
) -> Result<(), Error> {
    let warnings = completed(client, stdin_option, messages.names)?;
    warnings.iter().for_each(|warning| messages.say(warning));
    Ok(())
}

/// Completes the credentials of a client. Returns warnings.
fn completed(
    client: &mut ClientArgs,
    stdin_option: Option<&str>,
    names: Names,
) -> Result<Vec<String>, cli::Error> {
    let of_password = client.connection.complete_credentials(names, stdin_option)?;
    let (settings, of_preset) = client.with_preset(names)?;
    *client = settings;
    let of_data = client.authentication.read_data(&client.connection, stdin_option)?;
    let of_token = client.check_token()?;
    let of_ciphers = client.tls.remark_on_ciphers();
    let of_method = client.authentication.warning();
    let others = [of_data, of_token, of_ciphers, of_method].into_iter().flatten();
    Ok(of_password.into_iter().chain(of_preset).chain(others).collect())
}

/// The protocol version and encryption of the command's client; `None` if its options contradict each other, which is
/// reported elsewhere.
fn connection_kind(command: &mut Command, names: Names) -> Option<ConnectionKind> {
    let is_v5_usual = match command {
        Command::Rr(_) | Command::Top(_) => true,
        Command::Pub(args) => args.ndjson || !args.replay.replay.is_empty(),
        _ => false,
    };
    let client = command.client_mut()?;
    let version = match client.connection.version {
        None if is_v5_usual => Version::V5,
        _ => client.version().ok()?,
    };
    let properties = client.connect_properties(version).ok();
    let maximum_packet_size =
        properties.and_then(|properties| properties.as_properties().number(PropertyId::MaximumPacketSize));
    // Lives to the end of the program, as the messages about its connection do.
    let will = client.will.will_topic.as_ref().map(|topic| WillKind {
        topic: topic.as_str().to_owned().leak(),
        qos: client.will.will_qos,
        retain: client.will.will_retain,
    });
    Some(ConnectionKind { version, is_encrypted: client.is_encrypted(names)?, maximum_packet_size, will })
}

/// Checks a message against the rules of a hosted broker, if it is one.
fn check_taken(rules: Option<&Rules>, message: &Publish<'_>) -> Result<(), Error> {
    match rules.map(|rules| rules.check_publish(message)) {
        Some(Err(violation)) => Err(Error::NotTaken { topic: message.topic.to_owned(), violation }),
        Some(Ok(())) | None => Ok(()),
    }
}

/// Prints help or the command line's errors.
fn end_without_command(failure: &Failure) -> ExitStatus {
    if failure.kind != FailureKind::Requested {
        print_error(&failure.text);
        return ExitStatus::of_command_line(failure);
    }
    let printed = match failure.names {
        Names::Mq => pager::print(&failure.text),
        Names::Mosquitto => {
            std::io::stdout().lock().write_all(failure.text.as_bytes()).map_err(Error::Output)
        }
    };
    match printed {
        Err(error @ Error::Interrupted(_)) => error.exit_status(),
        Err(error) if !error.is_closed_output() => {
            print_error(&format!("mq: {}\n", escape::line(&error.to_string())));
            error.exit_status()
        }
        Ok(()) | Err(_) => ExitStatus::of_command_line(failure),
    }
}
