//! Errors of a run, counted by text.

use crate::client::Error;
use crate::protocol::WillPart;
use crate::protocol::sn::ReturnCode;
use crate::protocol::sn::client::GatewayError;
use crate::transport::ConnectError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum number of distinct error texts; a broker could make up any number of them.
const MAX_ERROR_KINDS: usize = 50;

/// The error of clients that had neither connected nor failed to.
pub(in crate::bench) const NOT_CONNECTED_YET: &str = "not connected yet when the run ended";

/// When the errors happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Stage {
    Connect,
    Subscribe,
    Run,
}

/// The kind of a failure to connect, which decides the remedy. Reports in JSON do not contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum FailureKind {
    /// Nothing answered.
    Unreachable,
    /// No answer arrived in time.
    TimedOut,
    /// No answer arrived in time, since the kernel tracks as many connections as it can.
    TrackingFull,
    /// The TLS handshake failed.
    Tls,
    /// The WebSocket handshake failed.
    WebSocket,
    /// The server speaks another protocol.
    NotMqtt,
    /// The connection ended before CONNACK.
    NotAccepted,
    /// No MQTT-SN gateway answered.
    NoGateway,
    /// The MQTT-SN gateway answered with congestion.
    Congestion,
    /// The broker refused CONNECT, perhaps because of its will.
    MaybeOfWill(WillPart),
    Other,
}

impl FailureKind {
    pub(in crate::bench) fn of(error: &Error) -> FailureKind {
        match error {
            Error::Connect(ConnectError::Tls(_)) => FailureKind::Tls,
            Error::Connect(ConnectError::WebSocket { .. } | ConnectError::WebSocketRefused { .. }) => {
                FailureKind::WebSocket
            }
            Error::Connect(
                ConnectError::Lookup { .. }
                | ConnectError::NoAddress { .. }
                | ConnectError::Connect { .. }
                | ConnectError::Unix { .. },
            ) => FailureKind::Unreachable,
            Error::Connect(ConnectError::Timeout { .. }) | Error::Timeout(_) => FailureKind::TimedOut,
            Error::NotMqtt(_) => FailureKind::NotMqtt,
            error if error.is_silent_refusal() => FailureKind::NotAccepted,
            Error::Gateway(GatewayError::NotListening | GatewayError::NoAnswer { .. }) => {
                FailureKind::NoGateway
            }
            Error::Gateway(GatewayError::Refused(ReturnCode::CONGESTION)) => FailureKind::Congestion,
            Error::Refused { reason, .. } => {
                reason.refused_part_of_will().map_or(FailureKind::Other, FailureKind::MaybeOfWill)
            }
            Error::Connect(
                ConnectError::Bind { .. }
                | ConnectError::ProxyUnreachable { .. }
                | ConnectError::NotAProxy { .. }
                | ConnectError::ProxyCredentials { .. }
                | ConnectError::ProxyRefused { .. }
                | ConnectError::Preface { .. }
                | ConnectError::ServiceLookup { .. }
                | ConnectError::NoService { .. },
            )
            | Error::NotAccepted(_)
            | Error::ClosedEarly
            | Error::Authentication(_)
            | Error::Token(_)
            | Error::Computation(_)
            | Error::Property(_)
            | Error::Encode(_)
            | Error::Lost(_)
            | Error::Gateway(_)
            | Error::Closed
            | Error::Disconnected { .. }
            | Error::Decode(_)
            | Error::Session(_)
            | Error::KeepAlive(_) => FailureKind::Other,
        }
    }
}

/// Errors by stage, text and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(pub(in crate::bench) BTreeMap<(Stage, String, FailureKind), u64>);

impl Errors {
    /// Adds errors with the same text.
    pub(crate) fn add(&mut self, stage: Stage, text: String, count: u64) {
        self.add_to((stage, text, FailureKind::Other), count);
    }

    /// Adds a client that could not connect.
    pub(in crate::bench) fn add_failure(&mut self, text: String, kind: FailureKind) {
        self.add_to((Stage::Connect, text, kind), 1);
    }

    fn add_to(&mut self, key: (Stage, String, FailureKind), count: u64) {
        let is_known = self.0.contains_key(&key) || self.0.len() < MAX_ERROR_KINDS;
        let key = if is_known { key } else { (key.0, "other errors".to_owned(), key.2) };
        let known = self.0.entry(key).or_default();
        *known = known.saturating_add(count);
    }

    /// Adds the errors of another record.
    pub(crate) fn merge(&mut self, other: Errors) {
        for (key, count) in other.0 {
            self.add_to(key, count);
        }
    }

    /// The errors, the most frequent first.
    pub(crate) fn by_count(&self) -> Vec<(Stage, &str, u64)> {
        self.with_kinds().into_iter().map(|(stage, text, _, count)| (stage, text, count)).collect()
    }

    /// Adds the cause to the texts of clients that got no answer in time.
    pub(in crate::bench) fn explain_timeouts(&mut self, cause: &str) {
        for ((stage, text, kind), count) in std::mem::take(&mut self.0) {
            match kind {
                FailureKind::TimedOut => {
                    self.add_to((stage, format!("{text}; {cause}"), FailureKind::TrackingFull), count);
                }
                kind => self.add_to((stage, text, kind), count),
            }
        }
    }

    /// The kind of the most frequent failure to connect, if there was any.
    pub(crate) fn main_failure(&self) -> Option<FailureKind> {
        self.connect_failures().first().map(|(_, kind)| *kind)
    }

    /// The texts and kinds of failures to connect, the most frequent first. Clients that were not done with it have no reason of
    /// their own, and come last.
    pub(crate) fn connect_failures(&self) -> Vec<(&str, FailureKind)> {
        let all = self.with_kinds().into_iter().filter(|(stage, ..)| *stage == Stage::Connect);
        let mut failures: Vec<_> = all.map(|(_, text, kind, _)| (text, kind)).collect();
        failures.sort_by_key(|(text, _)| *text == NOT_CONNECTED_YET);
        failures
    }

    fn with_kinds(&self) -> Vec<(Stage, &str, FailureKind, u64)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|((stage, text, kind), &count)| (*stage, text.as_str(), *kind, count))
            .collect();
        all.sort_by_key(|&(stage, _, _, count)| (stage, std::cmp::Reverse(count)));
        all
    }

    pub(crate) fn count(&self, stage: Stage) -> u64 {
        let counts = self.0.iter().filter(|((at, ..), _)| *at == stage).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_failure_to_connect_decides_the_remedy() {
        let mut errors = Errors::default();
        errors.add(Stage::Run, "closed".to_owned(), 9);
        assert_eq!(errors.main_failure(), None);
        let failure = |error: Error| (error.to_string(), FailureKind::of(&error));
        let (text, kind) = failure(Error::ClosedEarly);
        errors.add_failure(text, kind);
        let mut others = Errors::default();
        for _ in 0..2 {
            let (text, kind) = failure(Error::Timeout(std::time::Duration::ZERO));
            others.add_failure(text, kind);
        }
        errors.merge(others);
        assert_eq!(errors.main_failure(), Some(FailureKind::TimedOut));
        errors.add(Stage::Connect, NOT_CONNECTED_YET.to_owned(), 1000);
        assert_eq!(errors.main_failure(), Some(FailureKind::TimedOut), "others have no reason of their own");
    }

    #[test]
    fn only_clients_that_timed_out_get_a_cause() {
        let mut errors = Errors::default();
        let timeout = || Error::Timeout(std::time::Duration::ZERO);
        for error in [Error::ClosedEarly, timeout(), timeout()] {
            errors.add_failure(error.to_string(), FailureKind::of(&error));
        }
        errors.explain_timeouts("the table is full");
        let texts: Vec<_> = errors.connect_failures().into_iter().map(|(text, _)| text).collect();
        let closed = "the broker closed the connection before accepting it";
        assert_eq!(texts, ["timed out after 0 s; the table is full", closed]);
        assert_eq!(errors.main_failure(), Some(FailureKind::TrackingFull));
    }

    #[test]
    fn errors_are_counted_by_their_words() {
        let mut errors = Errors::default();
        errors.add(Stage::Run, "closed".to_owned(), 1);
        errors.add(Stage::Connect, "refused".to_owned(), 2);
        errors.add(Stage::Connect, "busy".to_owned(), 3);
        errors.add(Stage::Connect, "refused".to_owned(), 2);
        let expected =
            [(Stage::Connect, "refused", 4), (Stage::Connect, "busy", 3), (Stage::Run, "closed", 1)];
        assert_eq!(errors.by_count(), expected);
        for number in 0..1000 {
            errors.add(Stage::Run, format!("invented {number}"), 1);
        }
        assert_eq!((errors.0.len(), errors.count(Stage::Run)), (MAX_ERROR_KINDS + 1, 1001));
    }
}
