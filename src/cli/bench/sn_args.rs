//! The options of clients of an MQTT-SN gateway.

use crate::cli::values;
use clap::{ArgAction, Args, value_parser};
use std::time::Duration;

/// The topic of QoS -1 that all clients share unless one is set.
pub(super) const SHARED_TOPIC: &str = "mq";

/// The most forwarders; more sockets have no free ports at one address.
const MAX_FORWARDERS: i64 = 16_384;

/// The clients of an MQTT-SN gateway.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "MQTT-SN")]
pub(crate) struct SnRunArgs {
    /// Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) sn: bool,
    /// Send from N sockets, each a forwarder for several clients, instead of a socket for each client
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MAX_FORWARDERS))]
    pub(super) sn_forwarders: Option<u32>,
    /// Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) discover: bool,
    /// Time after which an unanswered message is repeated (T_retry)
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::positive_duration)]
    pub(super) sn_retry_interval: Duration,
    /// Repetitions before the gateway counts as gone (N_retry)
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub(super) sn_retry_count: u32,
}

/// The modes that can use a predefined topic id: pubsub, pub, sub, reconnect.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "MQTT-SN")]
pub(super) struct TopicIdArgs {
    /// Predefined topic id of all messages, in place of a topic; 1 to 65534
    #[arg(long, value_name = "ID", value_parser = value_parser!(u16).range(1..=65534), conflicts_with = "topic")]
    pub(super) topic_id: Option<u16>,
}
