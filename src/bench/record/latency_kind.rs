//! The table of latencies: the meaning of each, and its name in JSON and Prometheus, in a threshold, and for display.
//!
//! A new kind needs a row here, and a call of `record` where it is measured.

use crate::protocol::Qos;

/// The names of a latency.
struct Row {
    /// The key in JSON, which is also the label in Prometheus and the tag in an HDR log.
    key: &'static str,
    /// The name in a threshold, if it is shorter.
    threshold: Option<&'static str>,
    /// The name for display, at most 18 characters. The QoS is that of all acknowledged messages, if it is the same.
    title: fn(Option<Qos>) -> &'static str,
    /// The same latency from the actual send time, if this one is from the planned time.
    real: Option<LatencyKind>,
    /// The measured latency with the lowest rank is the main latency of a run.
    rank: Option<u8>,
}

const DEFAULTS: Row = Row { key: "", threshold: None, title: |_| "", real: None, rank: None };

macro_rules! latencies {
    ($($(#[$comment:meta])* $kind:ident { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// A latency that a run can measure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum LatencyKind { $($(#[$comment])* $kind,)+ }

        impl LatencyKind {
            /// All of them, in the order of a report.
            pub(crate) const ALL: [LatencyKind; LatencyKind::COUNT] = [$(LatencyKind::$kind),+];

            pub(super) const COUNT: usize = [$(stringify!($kind)),+].len();

            // A kind may set every field.
            #[allow(clippy::needless_update)]
            fn row(self) -> &'static Row {
                match self { $(LatencyKind::$kind => const { &Row { $($field: $value,)+ ..DEFAULTS } },)+ }
            }
        }
    };
}

latencies! {
    /// From the first step of connecting to the end of the TCP handshake.
    TcpConnect { key: "tcp_connect", threshold: Some("tcp"), title: |_| "TCP connect" }
    /// The TLS handshake.
    Tls { key: "tls", title: |_| "TLS handshake" }
    /// The WebSocket handshake.
    WebSocket { key: "web_socket", threshold: Some("ws"), title: |_| "WebSocket" }
    /// From CONNECT to CONNACK, without the client's own time.
    Connack { key: "connack", title: |_| "CONNECT to CONNACK", rank: Some(8) }
    /// CPU time of computing a client's authentication proof.
    Authenticate { key: "authenticate", title: |_| "computing proofs" }
    /// Time that this computation waited for a CPU of this machine.
    AuthenticateWait { key: "authenticate_wait", title: |_| "waiting to compute" }
    /// From PUBLISH to its last acknowledgement.
    Acknowledged { key: "acknowledged", threshold: Some("ack"), title: acknowledgement, rank: Some(6) }
    /// The same from the planned send time; empty without planned times.
    AcknowledgedPlanned {
        key: "acknowledged_planned", threshold: Some("ack_planned"), title: as_planned,
        real: Some(LatencyKind::Acknowledged), rank: Some(5),
    }
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    EndToEnd { key: "end_to_end", title: |_| "end to end", rank: Some(2) }
    /// The same from the planned send time; empty without planned times.
    EndToEndPlanned {
        key: "end_to_end_planned", title: as_planned, real: Some(LatencyKind::EndToEnd), rank: Some(1),
    }
    /// From a request to its response.
    RoundTrip { key: "round_trip", title: |_| "round trip", rank: Some(4) }
    /// The same from the planned send time; empty without planned times.
    RoundTripPlanned {
        key: "round_trip_planned", title: as_planned, real: Some(LatencyKind::RoundTrip), rank: Some(3),
    }
    /// From the loss of a connection to SUBACK on the next one.
    Resubscribed { key: "resubscribed", title: |_| "resubscribed", rank: Some(7) }
    /// The worker's delay in handling due sends and its own ticks.
    Lag { key: "lag", title: |_| "lag of mq itself" }
}

fn acknowledgement(qos: Option<Qos>) -> &'static str {
    match qos {
        Some(Qos::ExactlyOnce) => "PUBLISH to PUBCOMP",
        Some(Qos::AtLeastOnce | Qos::AtMostOnce) => "PUBLISH to PUBACK",
        None => "PUBLISH to its ack",
    }
}

fn as_planned(_: Option<Qos>) -> &'static str {
    "- as planned"
}

impl LatencyKind {
    /// The key in JSON.
    pub(crate) fn key(self) -> &'static str {
        self.row().key
    }

    /// The kind with this key in JSON.
    pub(crate) fn from_key(key: &str) -> Option<LatencyKind> {
        LatencyKind::ALL.into_iter().find(|kind| kind.key() == key)
    }

    pub(crate) fn threshold_name(self) -> &'static str {
        self.row().threshold.unwrap_or(self.row().key)
    }

    /// The kind with this name in a threshold, or with this key.
    pub(crate) fn from_threshold_name(name: &str) -> Option<LatencyKind> {
        LatencyKind::ALL.into_iter().find(|kind| kind.threshold_name() == name || kind.key() == name)
    }

    /// The name for display, at most 18 characters. `qos` is that of all acknowledged messages, if it is the same.
    pub(crate) fn title(self, qos: Option<Qos>) -> &'static str {
        (self.row().title)(qos)
    }

    /// The name for display outside a table.
    pub(crate) fn full_title(self, qos: Option<Qos>) -> String {
        match self.real() {
            Some(real) => format!("{}, from the planned time", real.title(qos)),
            None => self.title(qos).to_owned(),
        }
    }

    /// The corresponding kind from the actual send time, for a kind from the planned time.
    pub(crate) fn real(self) -> Option<LatencyKind> {
        self.row().real
    }

    /// Whether it is a latency of messages, which is measured by group.
    pub(crate) fn is_by_group(self) -> bool {
        let real = self.real().unwrap_or(self);
        matches!(real, LatencyKind::Acknowledged | LatencyKind::EndToEnd | LatencyKind::RoundTrip)
    }

    /// The rank among the main latencies; `None` if this kind is never the main one.
    pub(crate) fn rank(self) -> Option<u8> {
        self.row().rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_fit_into_their_column() {
        let unique = |names: Vec<&str>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        assert!(unique(LatencyKind::ALL.map(LatencyKind::key).into()));
        assert!(unique(LatencyKind::ALL.map(LatencyKind::threshold_name).into()));
        for kind in LatencyKind::ALL {
            assert_eq!(LatencyKind::from_key(kind.key()), Some(kind));
            assert_eq!(LatencyKind::from_threshold_name(kind.threshold_name()), Some(kind));
            assert!((1..=18).contains(&kind.title(None).len()), "{kind:?}");
        }
    }
}
