//! The settings of a bridge connection.

use super::routes::Routes;
use super::rule::Direction;
use crate::client::Options;
use crate::protocol::{Qos, TopicFilter};
use crate::transport::Endpoint;
use std::fmt;
use std::time::Duration;

/// One of the two brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The broker that the bridge belongs to.
    Local,
    Remote,
}

impl Side {
    pub(crate) fn other(self) -> Side {
        match self {
            Side::Local => Side::Remote,
            Side::Remote => Side::Local,
        }
    }

    /// The direction of the messages that the broker sends to the bridge.
    pub(crate) fn direction(self) -> Direction {
        match self {
            Side::Local => Direction::Out,
            Side::Remote => Direction::In,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Local => "local",
            Side::Remote => "remote",
        })
    }
}

impl Direction {
    /// The broker that the messages come from.
    pub(crate) fn source(self) -> Side {
        match self {
            Direction::Out => Side::Local,
            Direction::In => Side::Remote,
        }
    }

    /// The broker that the messages go to.
    pub(crate) fn target(self) -> Side {
        self.source().other()
    }
}

/// One bridge connection.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The name of the connection.
    pub name: String,
    pub local: End,
    pub remote: End,
    /// The rules from local to remote.
    pub out: Routes,
    /// The rules from remote to local.
    pub incoming: Routes,
    /// The maximum of bytes, in each direction, of messages at QoS 0 that wait for their target.
    pub queue: usize,
    pub retain_out: RetainMode,
    pub retain_in: RetainMode,
    /// The maximum of messages per second in each direction.
    pub rate: Option<f64>,
    /// The maximum time that a message waits in the bridge.
    pub maximum_age: Option<Duration>,
    /// The retained topic at the local broker with the state of the bridge.
    pub local_status: Option<String>,
    /// The same at the remote broker.
    pub remote_status: Option<String>,
    /// The value of the user property that marks messages as passed by this bridge.
    pub hop_mark: Option<String>,
    /// The time limit for an acknowledgement.
    pub acknowledgement_timeout: Duration,
    /// The time limit for messages in flight when the bridge stops.
    pub drain_timeout: Duration,
}

impl Settings {
    /// The compiled rules of a direction.
    pub(crate) fn routes(&self, direction: Direction) -> &Routes {
        match direction {
            Direction::Out => &self.out,
            Direction::In => &self.incoming,
        }
    }

    pub(crate) fn retain(&self, direction: Direction) -> RetainMode {
        match direction {
            Direction::Out => self.retain_out,
            Direction::In => self.retain_in,
        }
    }

    pub(crate) fn end(&self, side: Side) -> &End {
        match side {
            Side::Local => &self.local,
            Side::Remote => &self.remote,
        }
    }
}

/// The RETAIN flag of forwarded messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RetainMode {
    #[default]
    Keep,
    Clear,
    Set,
}

/// The connection to one broker.
#[derive(Debug)]
pub(crate) struct End {
    /// The client. The bridge sets the will, the receive maximum, the session expiry interval and the bridge bit.
    pub options: Options,
    /// Further addresses, for when the one in `options` fails.
    pub alternatives: Vec<Endpoint>,
    /// Whether a lost connection is followed by one to the next address, not to the first.
    pub round_robin: bool,
    pub pause: Pause,
    /// The session expiry interval in seconds, in MQTT 5.
    pub session_expiry: u32,
    /// The receive maximum in CONNECT. Before MQTT 5, the maximum of messages at QoS 2 that this broker has to acknowledge.
    pub receive_maximum: Option<u16>,
    /// The size of the largest packet for this broker, if it does not set a lower one.
    pub maximum_packet_size: Option<u32>,
    /// The highest QoS that this broker accepts, if it does not set a lower one.
    pub maximum_qos: Qos,
    /// Whether to request the protocol level of mosquitto's bridges before MQTT 5.
    pub try_private: bool,
    /// Whether the rules form a loop if this broker sends the bridge its own messages.
    pub needs_no_local: bool,
    /// Filters to unsubscribe from at the first connection, if it resumes a session.
    pub unsubscribe: Vec<TopicFilter>,
}

impl End {
    /// Whether it can ask the broker to leave out its own messages.
    pub(crate) fn has_no_local(&self) -> bool {
        self.options.version.is_v5() || self.try_private
    }
}

/// The pauses between attempts to connect, which double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    pub first: Duration,
    pub longest: Duration,
}
