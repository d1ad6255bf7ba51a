//! The options of `mq bench`.

use super::connection::{ConnectionArgs, PORT};
use super::values;
use crate::bench::Stamp;
use crate::bench::plan::{
    Broker, DEFAULT_TEMPLATE, Plan, RunId, Topics, Volume, default_subscribers, default_volume,
};
use crate::error::Error;
use crate::protocol::Qos;
use clap::{ArgAction, Args};
use std::thread::available_parallelism;
use std::time::Duration;

/// The most clients that one machine is asked for.
const MOST_CLIENTS: i64 = 1_000_000;

/// What `mq bench` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Publishers connect, and publish as fast as the broker acknowledges; subscribers check that every
message arrives, once and in order, and how long it took. The report goes to standard output.

Examples:
  mq bench --embedded -c 1000                1000 publishers against a broker of its own
  mq bench -h test.example -c 500 -q 2       QoS 2 against another one
  mq bench -c 10 -s 1000 --duration 30       kilobyte payloads, for half a minute
  mq bench -c 5000 --connect-rate 500        a gentle start
  mq bench -c 100 -t 'fan/out' --subscribers 20   every subscriber receives everything

Exit status: 0 when everything was sent and nothing lost that the QoS promises, 1 when clients could
not connect, or the broker stopped answering or lost messages, 2 usage, 3 the broker denied a
subscription or a message, 5 it refused the connections, 7 connections were lost, 130 and 143
interrupted (the report still comes).")]
pub struct BenchArgs {
    /// How many clients publish
    #[arg(short = 'c', long = "clients", value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=MOST_CLIENTS), help_heading = "Load")]
    pub clients: u32,
    /// How many clients subscribe, besides those that publish; 0 for none [default: as many, or 100, or one for every ten]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=MOST_CLIENTS), help_heading = "Load")]
    pub subscribers: Option<u32>,
    /// The QoS of publishing and subscribing: 0, 1 or 2
    #[arg(short = 'q', long, default_value = "1", value_parser = values::qos, help_heading = "Load")]
    pub qos: Qos,
    /// The payload's bytes; 24 or more with subscribers
    #[arg(short = 's', long = "size", value_name = "BYTES", default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=268_000_000), help_heading = "Load")]
    pub size: u32,
    /// The topics: {run} stands for the run, {i} for the publisher's number, {s} for that of its subscriber
    #[arg(short = 't', long, value_name = "TEMPLATE", default_value = DEFAULT_TEMPLATE, help_heading = "Load")]
    pub topic: String,
    /// How many messages all publishers send together [default: 1000 each, from 10000 to 100000, and at least 10 each]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1 << 47), conflicts_with = "duration", help_heading = "Load")]
    pub messages: Option<u64>,
    /// How long they send
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// How many messages of QoS 1 and 2 each publisher keeps unacknowledged
    #[arg(long = "inflight", value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Load")]
    pub in_flight: u16,
    /// How many clients begin to connect in a second [default: as many as the broker takes]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Load")]
    pub connect_rate: Option<u32>,
    /// How many threads the clients share [default: one for each processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Load")]
    pub threads: Option<u16>,
    /// How long to wait while nothing moves: connections, acknowledgements, or messages on their way
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::positive_seconds, help_heading = "Load")]
    pub timeout: Duration,
    /// Measure against a broker of our own, started for this run in a process of its own
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["host", "port"], help_heading = "Connection")]
    pub embedded: bool,
    /// What client identifiers start with
    #[arg(short = 'I', long, value_name = "PREFIX", default_value = "mq", help_heading = "Connection")]
    pub id_prefix: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Keep quiet about failures at run time; the report and the exit status still tell
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Diagnostics")]
    pub quiet: bool,
}

impl BenchArgs {
    /// Checks the options against each other, and makes a plan of them.
    ///
    /// # Errors
    /// Which options do not go together.
    pub fn plan(&self, run: RunId) -> Result<Plan, Error> {
        let subscribers = self.subscribers.unwrap_or_else(|| default_subscribers(self.clients));
        if subscribers > 0 && (self.size as usize) < Stamp::SIZE {
            return Err(Error::Usage(format!(
                "-s {}: the subscribers need {} bytes to tell the messages and their times; \
                 use -s {}, or --subscribers 0 to measure acknowledgements only",
                self.size,
                Stamp::SIZE,
                Stamp::SIZE
            )));
        }
        let topics = Topics::new(&self.topic, run, self.clients, subscribers)
            .map_err(|error| Error::Usage(format!("-t {}: {error}", self.topic)))?;
        Ok(Plan {
            broker: self.broker()?,
            publishers: self.clients,
            subscribers,
            qos: self.qos,
            payload_size: self.size as usize,
            topics,
            volume: self.volume(),
            in_flight: self.in_flight,
            connect_rate: self.connect_rate,
            threads: self.thread_count(self.clients.saturating_add(subscribers)),
            patience: self.timeout,
        })
    }

    fn broker(&self) -> Result<Broker, Error> {
        let version = self.connection.version(false);
        let username = self.connection.username.clone();
        let password = self.connection.password();
        let password = self.connection.password_for(version, username.as_deref(), password)?;
        let port = self.connection.port.unwrap_or(PORT);
        if port == 0 {
            return Err(Error::Usage("-p 0: a load goes over TCP, to a port from 1 to 65535".to_owned()));
        }
        Ok(Broker {
            host: self.connection.host.clone().unwrap_or_else(|| "localhost".to_owned()),
            port,
            bind: self.connection.bind,
            version,
            keep_alive: self.connection.keep_alive,
            username,
            password,
            client_id_prefix: self.id_prefix.clone(),
            clean_start: true,
            connect_timeout: self.connection.connect_timeout,
        })
    }

    fn volume(&self) -> Volume {
        match (self.messages, self.duration) {
            (Some(messages), _) => Volume::Messages(messages),
            (None, Some(duration)) => Volume::Duration(duration),
            (None, None) => default_volume(self.clients),
        }
    }

    /// No thread is without a client.
    fn thread_count(&self, clients: u32) -> usize {
        let wanted = match self.threads {
            Some(threads) => threads.into(),
            None => available_parallelism().map_or(1, usize::from),
        };
        wanted.min(clients as usize)
    }
}
