//! The kinds of latency, and the name of each: in JSON, in a threshold, and for display.

use crate::protocol::Qos;

/// A latency that a run can measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // `Record` says what each is
pub enum LatencyKind {
    TcpConnect,
    Tls,
    WebSocket,
    Connack,
    Authenticate,
    AuthenticateWait,
    Acknowledged,
    AcknowledgedPlanned,
    EndToEnd,
    EndToEndPlanned,
    RoundTrip,
    RoundTripPlanned,
    Resubscribed,
    Lag,
}

use LatencyKind::{
    Acknowledged, AcknowledgedPlanned, Authenticate, AuthenticateWait, Connack, EndToEnd, EndToEndPlanned,
    Lag, Resubscribed, RoundTrip, RoundTripPlanned, TcpConnect, Tls, WebSocket,
};

impl LatencyKind {
    /// All of them, in the order of a report.
    pub const ALL: [LatencyKind; 14] = [
        TcpConnect,
        Tls,
        WebSocket,
        Connack,
        Authenticate,
        AuthenticateWait,
        Acknowledged,
        AcknowledgedPlanned,
        EndToEnd,
        EndToEndPlanned,
        RoundTrip,
        RoundTripPlanned,
        Resubscribed,
        Lag,
    ];

    /// The first of these that was measured is the main latency of a run.
    pub(super) const BY_IMPORTANCE: [LatencyKind; 8] = [
        EndToEndPlanned,
        EndToEnd,
        RoundTripPlanned,
        RoundTrip,
        AcknowledgedPlanned,
        Acknowledged,
        Resubscribed,
        Connack,
    ];

    /// The key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            TcpConnect => "tcp_connect",
            Tls => "tls",
            WebSocket => "web_socket",
            Connack => "connack",
            Authenticate => "authenticate",
            AuthenticateWait => "authenticate_wait",
            Acknowledged => "acknowledged",
            AcknowledgedPlanned => "acknowledged_planned",
            EndToEnd => "end_to_end",
            EndToEndPlanned => "end_to_end_planned",
            RoundTrip => "round_trip",
            RoundTripPlanned => "round_trip_planned",
            Resubscribed => "resubscribed",
            Lag => "lag",
        }
    }

    /// The name in a threshold.
    pub fn word(self) -> &'static str {
        match self {
            TcpConnect => "tcp",
            WebSocket => "ws",
            Acknowledged => "ack",
            AcknowledgedPlanned => "ack_planned",
            Tls | Connack | Authenticate | AuthenticateWait | EndToEnd | EndToEndPlanned | RoundTrip
            | RoundTripPlanned | Resubscribed | Lag => self.key(),
        }
    }

    /// The name for display, at most 18 characters. `qos` is that of all acknowledged messages, if it is the same.
    pub fn title(self, qos: Option<Qos>) -> &'static str {
        match self {
            TcpConnect => "TCP connect",
            Tls => "TLS handshake",
            WebSocket => "WebSocket",
            Connack => "CONNECT to CONNACK",
            Authenticate => "computing proofs",
            AuthenticateWait => "waiting to compute",
            Acknowledged => match qos {
                Some(Qos::ExactlyOnce) => "PUBLISH to PUBCOMP",
                Some(Qos::AtLeastOnce | Qos::AtMostOnce) => "PUBLISH to PUBACK",
                None => "PUBLISH to its ack",
            },
            EndToEnd => "end to end",
            RoundTrip => "round trip",
            AcknowledgedPlanned | EndToEndPlanned | RoundTripPlanned => "- as planned",
            Resubscribed => "resubscribed",
            Lag => "lag of mq itself",
        }
    }

    /// The corresponding kind from the actual send time, for a kind from the planned time.
    pub fn real(self) -> Option<LatencyKind> {
        match self {
            AcknowledgedPlanned => Some(Acknowledged),
            EndToEndPlanned => Some(EndToEnd),
            RoundTripPlanned => Some(RoundTrip),
            TcpConnect | Tls | WebSocket | Connack | Authenticate | AuthenticateWait | Acknowledged
            | EndToEnd | RoundTrip | Resubscribed | Lag => None,
        }
    }

    /// The name for display outside a table.
    pub fn full_title(self, qos: Option<Qos>) -> String {
        match self.real() {
            Some(real) => format!("{}, from the planned time", real.title(qos)),
            None => self.title(qos).to_owned(),
        }
    }
}
