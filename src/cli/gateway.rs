//! The options of `mq gateway`.

use super::predefined;
use super::session::{ClientArgs, PersistenceArgs};
use super::values::{self, expected};
use super::{Names, sn};
use crate::cli::{Error, UsageError};
use crate::client::Options;
use crate::gateway;
use crate::protocol::sn::gateway::Settings;
use crate::protocol::sn::{MAX_DATAGRAM_SIZE, PredefinedTopics};
use crate::protocol::{Qos, Version};
use crate::quantity;
use crate::transport::Address;
use clap::{ArgAction, Args, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The smallest datagram to which a gateway can be limited.
const MIN_DATAGRAM: usize = 64;

/// The heading of the limits.
const LIMITS: &str = "Limits";

/// The heading of the options about the clients of the gateway.
const CLIENTS: &str = "MQTT-SN";

/// The options of a single client, which profiles may set.
pub(super) const OF_CLIENTS: [&str; 8] = [
    "id",
    "id_prefix",
    "disable_clean_session",
    "session_expiry_interval",
    "will_topic",
    "will_payload",
    "will_qos",
    "will_retain",
];

/// Arguments of `mq gateway`.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "mq gateway [OPTIONS] [--listen [ADDR:]PORT] [--to URL]",
    mut_arg("id", |arg| arg.help("Client identifier of the connection of --aggregate [default: a random one]")),
    mut_arg("id_prefix", |arg| arg.hide(true)),
    mut_arg("disable_clean_session", |arg| arg.hide(true)),
    mut_arg("session_expiry_interval", |arg| arg.hide(true)),
    mut_arg("will_topic", |arg| arg.hide(true)),
    mut_arg("will_payload", |arg| arg.hide(true)),
    mut_arg("will_qos", |arg| arg.hide(true)),
    mut_arg("will_retain", |arg| arg.hide(true)),
    after_help = "\
Connects MQTT-SN clients on UDP to an MQTT broker. Each client has its own connection to the broker, with its
client identifier, session and will, so acknowledgements of QoS 1 and 2 go from end to end. With --aggregate, all
clients share one connection, and the gateway holds their sessions, wills and messages. See docs/mqtt-sn.md for
sleeping clients, forwarders and what a gateway answers.

The first line on standard output is the address that the gateway listens on. Connecting and disconnecting clients
are logged with -v; dropped messages, refused clients and malformed datagrams always.

A line of the --predefined file is `ID TOPIC`, or `CLIENT, TOPIC, ID` for one client. Lines that start with # are
comments.

Examples:
  mq gateway                                  port 10000 on this machine, broker on localhost
  mq gateway --listen 0.0.0.0:10000 -v        open to the network, log clients
  mq gateway --to mqtts://broker.example      encrypt the connections to the broker
  mq gateway --aggregate                      one connection to the broker for all clients
  mq gateway --predefined topics.txt          clients share these topic ids
  mq gateway --advertise 225.1.1.1:10000      let clients find the gateway
  mq sub -L 'mqtt-sn://localhost/home/#' -v   a client of this gateway"
)]
pub(crate) struct GatewayArgs {
    /// UDP port to listen on. ADDR defaults to 127.0.0.1; port 0 picks a free one
    #[arg(long, value_name = "[ADDR:]PORT", default_value = "10000", value_parser = values::socket_address, help_heading = CLIENTS)]
    pub listen: SocketAddr,
    /// Broker: HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix [default: localhost:1883]
    #[arg(long, value_name = "URL", conflicts_with_all = ["host", "port", "url", "unix", "srv"], help_heading = "Connection")]
    pub to: Option<String>,
    /// Use one connection to the broker for all clients, for brokers with few connections. Needs MQTT 5, which it selects
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Connection")]
    pub aggregate: bool,
    /// File of predefined topic ids
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CLIENTS)]
    pub predefined: Option<PathBuf>,
    /// Number of this gateway in ADVERTISE and GWINFO
    #[arg(long, value_name = "ID", default_value_t = 1, help_heading = CLIENTS)]
    pub gateway_id: u8,
    /// MQTT-SN version of all clients: 1.2 or 2.0 [default: the version in CONNECT; 2.0 is experimental]
    #[arg(long, value_name = "VERSION", value_parser = sn::version, help_heading = CLIENTS)]
    pub sn_version: Option<sn::Version>,
    /// Send ADVERTISE to this multicast group or address, and answer SEARCHGW that is sent to the group at the port of --listen
    #[arg(long, value_name = "ADDR:PORT", value_parser = group, help_heading = CLIENTS)]
    pub advertise: Option<SocketAddr>,
    /// Interval of ADVERTISE
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = values::positive_duration, requires = "advertise", help_heading = CLIENTS)]
    pub advertise_interval: Duration,
    /// Time after which a message that a client did not answer is repeated (T_retry)
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::positive_duration, help_heading = CLIENTS)]
    pub retry_interval: Duration,
    /// Repetitions before a client counts as lost (N_retry)
    #[arg(long, value_name = "COUNT", default_value_t = 3, help_heading = CLIENTS)]
    pub retry_count: u32,
    /// Maximum of clients, connected or remembered
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = count, help_heading = LIMITS)]
    pub max_clients: usize,
    /// Maximum of topic ids of a client
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = count, help_heading = LIMITS)]
    pub max_topics: usize,
    /// Maximum of messages of QoS 0, and of those of QoS 1 and 2, kept for a client that sleeps or is slow. Further ones of
    /// QoS 0 are dropped; the others remain at the broker
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = count, help_heading = LIMITS)]
    pub max_queued: usize,
    /// Maximum of bytes in these messages
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = size, help_heading = LIMITS)]
    pub max_queued_bytes: usize,
    /// Maximum size of a datagram to a client
    #[arg(long, value_name = "SIZE", default_value = "65507", value_parser = datagram_size, help_heading = LIMITS)]
    pub max_datagram: usize,
    /// Log on standard error when clients connect, sleep and disconnect
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

impl GatewayArgs {
    /// Makes `--to` the broker, before its parts are used.
    pub(super) fn apply_target(&mut self) {
        if let Some(to) = &self.to {
            let url = if to.contains("://") { to.clone() } else { format!("mqtt://{to}") };
            self.client.network.lead_to(&url, "--to");
        }
    }

    /// The gateway's addresses and limits.
    ///
    /// # Errors
    /// If options conflict, or the file of topics is invalid.
    pub(crate) fn config(&self) -> Result<gateway::Config, Error> {
        self.check_client_options()?;
        let broker = if self.aggregate { self.shared_broker()? } else { self.broker(&self.client, Some(0))? };
        Ok(gateway::Config {
            listen: self.listen,
            gateway_id: self.gateway_id,
            advertise: self.advertise.map(|group| (group, self.advertise_interval)),
            version: self.sn_version,
            predefined: self.predefined.as_deref().map(predefined::read).transpose()?.unwrap_or_default(),
            settings: self.settings(broker.version),
            clients: self.max_clients,
            aggregates: self.aggregate,
            broker,
        })
    }

    fn broker(&self, client: &ClientArgs, retries: Option<u32>) -> Result<Options, Error> {
        let persistence = PersistenceArgs { retries: None, max_inflight: 20 };
        client.client_options(Names::Mq, &persistence, retries)
    }

    /// The connection of all clients. The broker keeps its session while the connection is down, and until the gateway ends.
    fn shared_broker(&self) -> Result<Options, Error> {
        let mut client = self.client.clone();
        client.prefer_version_5(Names::Mq)?;
        let mut broker = self.broker(&client, None)?;
        if !broker.version.is_v5() {
            let needed = "MQTT 5, whose subscription identifiers tell overlapping subscriptions apart";
            return Err(Error::usage(UsageError::Needs { option: "--aggregate".into(), needed }));
        }
        if broker.client_id.is_empty() {
            broker.client_id = gateway::random_client_id();
        }
        broker.keep_session_for_run();
        Ok(broker)
    }

    fn settings(&self, version: Version) -> Settings {
        Settings {
            retry_interval: self.retry_interval,
            retry_count: self.retry_count,
            queued_messages: self.max_queued,
            queued_bytes: self.max_queued_bytes,
            topics: self.max_topics,
            datagram_size: self.max_datagram,
            version,
        }
    }

    /// Rejects options that each client of the gateway chooses.
    fn check_client_options(&self) -> Result<(), Error> {
        let client = &self.client;
        let of_clients = [
            ("-i", client.identity.id.is_some() && !self.aggregate),
            ("-I", client.identity.id_prefix.is_some() && !self.aggregate),
            ("-c", client.session.disable_clean_session),
            ("-x", client.session.session_expiry_interval.is_some()),
            ("--will-topic", client.will.will_topic.is_some()),
            ("--will-payload", client.will.will_payload.is_some()),
            ("--will-qos", client.will.will_qos != Qos::AtMostOnce),
            ("--will-retain", client.will.will_retain),
        ];
        match of_clients.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Error::usage(format!(
                "{option} cannot be used with a gateway; its clients have their own identifiers, sessions and wills"
            ))),
            None => client.network.check_no_topic(),
        }
    }
}

/// The gateway of `mq broker`, in front of the broker at this address, with the default limits.
pub(crate) fn embedded(
    listen: SocketAddr,
    address: Address,
    version: Option<sn::Version>,
) -> gateway::Config {
    // With session expiry and reason codes.
    let broker = Options { version: Version::V5, ..Options::plain(address) };
    gateway::Config {
        listen,
        gateway_id: 1,
        advertise: None,
        version,
        predefined: PredefinedTopics::default(),
        settings: Settings {
            retry_interval: Duration::from_secs(10),
            retry_count: 3,
            queued_messages: 100,
            queued_bytes: 64 << 10,
            topics: 1000,
            datagram_size: MAX_DATAGRAM_SIZE,
            version: broker.version,
        },
        clients: 10_000,
        aggregates: false,
        broker,
    }
}

fn group(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| expected("ADDR:PORT, such as 225.1.1.1:10000 or [ff02::1]:10000"))
}

fn count(text: &str) -> Result<usize, String> {
    usize::try_from(values::count(text)?).map_err(|_| expected(format!("a number from 1 to {}", usize::MAX)))
}

fn size(text: &str) -> Result<usize, String> {
    let size = quantity::size(text).and_then(|bytes| usize::try_from(bytes).ok());
    size.filter(|size| *size > 0).ok_or_else(|| expected("a size, such as 64KiB or 1MiB"))
}

fn datagram_size(text: &str) -> Result<usize, String> {
    let size = size(text).ok().filter(|size| (MIN_DATAGRAM..=MAX_DATAGRAM_SIZE).contains(size));
    size.ok_or_else(|| expected("a size from 64 to 65507"))
}
