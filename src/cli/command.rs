//! The commands: their names, their help lines and their options.

use super::bridge::args as bridge;
use super::network::TypedOptions;
use super::{Names, request, schema, session, subscribe, top};
use super::{bench, broker, config, connection, doctor, gateway, generated_docs, inspect, passwd, publish};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches};

/// A valid command with its options.
#[derive(Debug)]
pub(crate) enum Command {
    /// Publishes messages.
    Pub(Box<publish::PublishArgs>),
    /// Subscribes and prints messages.
    Sub(Box<subscribe::SubscribeArgs>),
    /// Sends a request and prints the response.
    Rr(Box<request::RequestArgs>),
    /// Shows the topics of a broker.
    Top(Box<top::TopArgs>),
    /// Manages users and passwords of brokers.
    Passwd(Box<passwd::PasswdArgs>),
    /// Runs a broker.
    Broker(Box<broker::BrokerArgs>),
    /// Runs an MQTT-SN gateway.
    Gateway(Box<gateway::GatewayArgs>),
    /// Forwards messages between two brokers.
    Bridge(Box<bridge::BridgeArgs>),
    /// Measures a broker.
    Bench(Box<bench::BenchArgs>),
    /// Decodes captured packets.
    Inspect(Box<inspect::InspectArgs>),
    /// Reports a broker's features.
    Doctor(Box<doctor::DoctorArgs>),
    /// Shows and checks profiles.
    Config(config::args::ConfigArgs),
    /// Creates links under mosquitto's names.
    InstallLinks(generated_docs::InstallLinksArgs),
    /// Generates completions.
    Completions(generated_docs::CompletionsArgs),
    /// Prints a manual page.
    Man(generated_docs::ManArgs),
    /// Prints the help.
    Help(generated_docs::HelpArgs),
    /// Completes a command line for a shell.
    Complete,
}

/// A command on the command line.
pub(super) struct CommandRow {
    pub(super) name: &'static str,
    about: &'static str,
    augment: fn(clap::Command) -> clap::Command,
    read: fn(&mut ArgMatches) -> Result<Command, clap::Error>,
}

/// The commands, in the order of the help.
pub(super) const COMMANDS: [CommandRow; 16] = [
    CommandRow {
        name: "pub",
        about: "Publish messages",
        augment: publish::PublishArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Pub),
    },
    CommandRow {
        name: "sub",
        about: "Subscribe and print messages",
        augment: subscribe::SubscribeArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Sub),
    },
    CommandRow {
        name: "rr",
        about: "Send a request and print the response",
        augment: request::RequestArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Rr),
    },
    CommandRow {
        name: "top",
        about: "Show the topics of a broker on the terminal",
        augment: top::TopArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Top),
    },
    CommandRow {
        name: super::PASSWD,
        about: "Manage users and passwords of brokers",
        augment: passwd::PasswdArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Passwd),
    },
    CommandRow {
        name: "broker",
        about: "Run a broker for development and tests",
        augment: broker::BrokerArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Broker),
    },
    CommandRow {
        name: "gateway",
        about: "Run a gateway between MQTT-SN clients and a broker",
        augment: gateway::GatewayArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Gateway),
    },
    CommandRow {
        name: "bridge",
        about: "Forward messages between two brokers",
        augment: bridge::BridgeArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Bridge),
    },
    CommandRow {
        name: super::BENCH,
        about: "Measure a broker under the load of many clients",
        augment: bench::BenchArgs::augment_args,
        // The values are read again, for reports.
        read: |matches| boxed(&mut matches.clone()).map(Command::Bench),
    },
    CommandRow {
        name: "inspect",
        about: "Decode captured packets and report problems",
        augment: inspect::InspectArgs::augment_args,
        // `note_order` reads the values again.
        read: |matches| boxed(&mut matches.clone()).map(Command::Inspect),
    },
    CommandRow {
        name: "doctor",
        about: "Report a broker's features, limits and permissions",
        augment: doctor::DoctorArgs::augment_args,
        read: |matches| boxed(matches).map(Command::Doctor),
    },
    CommandRow {
        name: "config",
        about: "Write, show and check profiles and variables",
        augment: config::args::ConfigArgs::augment_args,
        read: |matches| read(matches).map(Command::Config),
    },
    CommandRow {
        name: "install-links",
        about: "Create links by which mq replaces mosquitto's tools",
        augment: generated_docs::InstallLinksArgs::augment_args,
        read: |matches| read(matches).map(Command::InstallLinks),
    },
    CommandRow {
        name: "completions",
        about: "Generate completions for a shell",
        augment: generated_docs::CompletionsArgs::augment_args,
        read: |matches| read(matches).map(Command::Completions),
    },
    CommandRow {
        name: "man",
        about: "Read a manual page",
        augment: generated_docs::ManArgs::augment_args,
        read: |matches| read(matches).map(Command::Man),
    },
    CommandRow {
        name: "help",
        about: "Print the help of a command, or of a group of its options",
        augment: generated_docs::HelpArgs::augment_args,
        read: |matches| read(matches).map(Command::Help),
    },
];

impl CommandRow {
    /// The help line.
    pub(super) fn about(&self) -> &'static str {
        self.about
    }

    /// The command with its options.
    pub(super) fn define(&self) -> clap::Command {
        (self.augment)(clap::Command::new(self.name)).about(self.about)
    }
}

fn read<T: FromArgMatches>(matches: &mut ArgMatches) -> Result<T, clap::Error> {
    T::from_arg_matches_mut(matches)
}

fn boxed<T: FromArgMatches>(matches: &mut ArgMatches) -> Result<Box<T>, clap::Error> {
    read(matches).map(Box::new)
}

/// The row of the command with this name.
pub(super) fn row(name: &str) -> Option<&'static CommandRow> {
    COMMANDS.iter().find(|command| command.name == name)
}

impl Command {
    /// The connection options of a command that connects.
    pub(crate) fn connection_mut(&mut self) -> Option<&mut connection::ConnectionArgs> {
        self.client_mut().map(|client| &mut client.connection)
    }

    /// The client options of a command that runs one or more clients.
    pub(crate) fn client_mut(&mut self) -> Option<&mut session::ClientArgs> {
        match self {
            Command::Pub(args) => Some(&mut args.client),
            Command::Sub(args) => Some(&mut args.client),
            Command::Rr(args) => Some(&mut args.client),
            Command::Top(args) => Some(&mut args.client),
            Command::Bench(args) => args.client_mut(),
            Command::Doctor(args) => Some(&mut args.client),
            Command::Inspect(args) if args.live.is_client() => Some(&mut args.live.client),
            Command::Gateway(args) => Some(&mut args.client),
            Command::Passwd(_)
            | Command::Broker(_)
            | Command::Bridge(_)
            | Command::Inspect(_)
            | Command::Config(_)
            | Command::InstallLinks(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Help(_)
            | Command::Complete => None,
        }
    }

    /// The options for the schema of payloads.
    pub(super) fn schema_mut(&mut self) -> Option<&mut schema::SchemaArgs> {
        match self {
            Command::Pub(args) => Some(&mut args.schema),
            Command::Sub(args) => Some(&mut args.schema),
            Command::Rr(args) => Some(&mut args.schema),
            Command::Top(args) => Some(&mut args.schema),
            Command::Inspect(args) => Some(&mut args.schema),
            _ => None,
        }
    }

    /// A warning if the connection to the broker can be intercepted. In worker processes of `mq bench`, the leader has printed it.
    pub(crate) fn interception_warning(&mut self, names: Names) -> Option<&'static str> {
        match self {
            Command::Bench(args) if args.is_worker() => None,
            Command::Inspect(args) => args.live.interception_warning(),
            command => command.client_mut()?.tls.warning(names),
        }
    }

    /// The option that needs standard input for payloads.
    pub(crate) fn stdin_option(&self) -> Option<&'static str> {
        match self {
            Command::Pub(args) => args.stdin_option(),
            Command::Rr(args) => args.payload.stdin_file.then_some("-s"),
            _ => None,
        }
    }
}

impl Command {
    /// Takes the options of the command with this name.
    ///
    /// # Errors
    /// If a value is invalid.
    pub(super) fn from_matches(name: &str, matches: &mut ArgMatches) -> Result<Command, clap::Error> {
        let row = row(name).ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        // A mode of bench is a subcommand of its own.
        let typed = TypedOptions::of(matches.subcommand().map_or(&*matches, |(_, of_mode)| of_mode));
        let mut command = (row.read)(matches)?;
        // The order of the options, which the values do not contain.
        if let Command::Inspect(args) = &mut command {
            args.live.note_order(matches);
        } else if let Some(client) = command.client_mut() {
            client.network.typed = typed;
        }
        command.choose_gateway();
        Ok(command)
    }

    /// Applies options that say where MQTT-SN goes.
    fn choose_gateway(&mut self) {
        match self {
            Command::Pub(args) => args.choose_gateway(),
            Command::Sub(args) => args.choose_gateway(),
            Command::Rr(args) => args.choose_gateway(),
            Command::Top(args) => args.choose_gateway(),
            Command::Gateway(args) => args.apply_target(),
            Command::Bench(args) => args.choose_gateway(),
            _ => {}
        }
    }
}
