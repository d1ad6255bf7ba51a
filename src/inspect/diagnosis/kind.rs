//! The kinds of problems, in the order of the report: the likeliest causes of an incident come first.

use crate::inspect::Severity;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Connections of one client identifier take it over from each other, again and again.
    TakeOverLoop,
    /// A client connects again and again.
    ReconnectLoop,
    /// The server closed a connection for a reason that the capture does not explain.
    ClosedByServer,
    /// The server closed a connection after it was silent for too long.
    KeepAliveTimeout,
    /// The server refused the TCP connection.
    TcpRefused,
    /// A proxy could not connect to the server.
    Unreachable,
    /// A TLS handshake ended with an alert.
    TlsFailed,
    /// The server refused CONNECT.
    Refused,
    /// The server closed the connection without an answer to CONNECT.
    ConnectUnanswered,
    SubscriptionDenied,
    UnsubscriptionDenied,
    PublishDenied,
    /// A client took an identifier over from an open connection.
    TakeOver,
    /// A client was silent for longer than its keep alive, and stayed connected.
    KeepAliveExceeded,
    /// A client ended its connection without DISCONNECT.
    ClientLost,
    /// One side closed, or a new connection began, and the other side did not close.
    HalfOpen,
    Unanswered,
    /// Published, and not received by any subscriber of the capture.
    NotDelivered,
    /// Several connections publish as one Sparkplug node.
    SparkplugPublishers,
    /// The sequence numbers of a Sparkplug node do not follow each other.
    SparkplugSequence,
    /// Data of a Sparkplug node without a birth that fits.
    SparkplugBirth,
    /// A birth and a death of a Sparkplug node that do not belong together.
    SparkplugDeath,
    /// As many messages in flight as the receiver allows.
    InFlightFull,
    SlowAnswer,
    /// A packet was sent again.
    Repeated,
    Oversize,
    /// Many retained messages after a subscription.
    RetainedStorm,
    GrowingPayload,
    Burst,
}

impl Kind {
    /// The name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::TakeOverLoop => "take_over_loop",
            Kind::ReconnectLoop => "reconnect_loop",
            Kind::ClosedByServer => "closed_by_server",
            Kind::KeepAliveTimeout => "keep_alive_timeout",
            Kind::TcpRefused => "tcp_refused",
            Kind::Unreachable => "server_unreachable",
            Kind::TlsFailed => "tls_failed",
            Kind::Refused => "refused",
            Kind::ConnectUnanswered => "connect_unanswered",
            Kind::SubscriptionDenied => "subscription_denied",
            Kind::UnsubscriptionDenied => "unsubscription_denied",
            Kind::PublishDenied => "publish_denied",
            Kind::TakeOver => "take_over",
            Kind::KeepAliveExceeded => "keep_alive_exceeded",
            Kind::ClientLost => "client_lost",
            Kind::HalfOpen => "half_open",
            Kind::Unanswered => "unanswered",
            Kind::NotDelivered => "not_delivered",
            Kind::SparkplugPublishers => "sparkplug_publishers",
            Kind::SparkplugSequence => "sparkplug_sequence",
            Kind::SparkplugBirth => "sparkplug_birth",
            Kind::SparkplugDeath => "sparkplug_death",
            Kind::InFlightFull => "in_flight_full",
            Kind::SlowAnswer => "slow_answer",
            Kind::Repeated => "repeated",
            Kind::Oversize => "oversize",
            Kind::RetainedStorm => "retained_storm",
            Kind::GrowingPayload => "growing_payload",
            Kind::Burst => "burst",
        }
    }

    /// Whether its texts are topic filters for all messages of nodes.
    pub(super) fn is_of_sparkplug(self) -> bool {
        matches!(
            self,
            Kind::SparkplugPublishers | Kind::SparkplugSequence | Kind::SparkplugBirth | Kind::SparkplugDeath
        )
    }

    pub(super) fn severity(self) -> Severity {
        match self {
            Kind::TakeOverLoop
            | Kind::ReconnectLoop
            | Kind::ClosedByServer
            | Kind::KeepAliveTimeout
            | Kind::TcpRefused
            | Kind::Unreachable
            | Kind::TlsFailed
            | Kind::Refused
            | Kind::ConnectUnanswered
            | Kind::SubscriptionDenied
            | Kind::UnsubscriptionDenied
            | Kind::PublishDenied => Severity::Error,
            Kind::TakeOver
            | Kind::KeepAliveExceeded
            | Kind::ClientLost
            | Kind::HalfOpen
            | Kind::Unanswered
            | Kind::NotDelivered
            | Kind::SparkplugPublishers
            | Kind::SparkplugSequence
            | Kind::SparkplugBirth
            | Kind::SparkplugDeath
            | Kind::InFlightFull
            | Kind::SlowAnswer
            | Kind::Oversize => Severity::Warning,
            Kind::Repeated | Kind::RetainedStorm | Kind::GrowingPayload | Kind::Burst => Severity::Info,
        }
    }
}
