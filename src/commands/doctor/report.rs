//! The findings about a broker, as data.

use super::super::limits::Limit;
use super::check::{Check, CheckResult};
use crate::protocol::{ReasonCode, Version};
use crate::transport::Layer;
use crate::transport::tls::{Negotiated, ShownCertificate, Verified};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The number of days before expiry below which a certificate causes a warning.
const FEW_DAYS: i64 = 30;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// The findings. Parts that were not reached are empty.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The address as typed.
    pub(super) address: String,
    /// The broker's IP address, if known.
    pub(super) peer: Option<String>,
    /// The proxy in between.
    pub(super) via: Option<ProxyRoute>,
    /// The layers below MQTT, from the bottom: `tcp` or `unix`, `tls`, `websocket`.
    pub(super) transport: Vec<&'static str>,
    /// The negotiated TLS parameters.
    pub(super) tls: Option<Negotiated>,
    /// The checks that the server's certificate passed, if it showed one.
    pub(super) verified: Option<Verified>,
    /// Some connection was closed before CONNACK, without a PROXY protocol header in front.
    pub(super) is_closed_early: bool,
    /// The time of the report, in seconds since 1970.
    pub(super) time: i64,
    /// The versions that were tried.
    pub(super) versions: Vec<(Version, VersionResult)>,
    /// The findings of the connection used for the checks.
    pub(super) examined: Option<Examination>,
    /// Whether all checks were completed.
    pub(super) is_complete: bool,
}

/// A proxy and its target.
#[derive(Debug)]
pub(super) struct ProxyRoute {
    /// Its URL, without its password.
    pub(super) proxy: String,
    /// Its address.
    pub(super) peer: Option<String>,
    /// The requested host and port.
    pub(super) target: String,
}

/// An explanation for a listener that closes the connection at CONNECT.
const CLOSED_EARLY: &str = "the connection was closed before CONNACK; a listener for a load balancer expects a PROXY protocol header first \
                            (--proxy-protocol v2)";

/// The outcome of a version.
#[derive(Debug)]
pub(super) enum VersionResult {
    Accepted,
    Refused {
        why: String,
        /// The reason code in CONNACK, or the equivalent of its return code.
        reason_code: Option<ReasonCode>,
        /// The return code in CONNACK, in the encoding of MQTT 3.
        return_code: Option<u8>,
    },
    /// The options do not allow it.
    NotTried(String),
}

/// The findings of an accepted connection.
#[derive(Debug)]
pub(super) struct Examination {
    pub(super) version: Version,
    /// The duration of each layer's handshake, and of CONNECT after them.
    pub(super) layers: Vec<(Layer, Duration)>,
    pub(super) connack: Duration,
    /// The limits in CONNACK; empty before MQTT 5.
    pub(super) limits: Vec<Limit>,
    pub(super) broker_version: BrokerVersion,
    pub(super) checks: Vec<(Check, CheckResult)>,
    /// The round trips of PINGREQ, the shortest first.
    pub(super) round_trips: Vec<Duration>,
    /// The time between the acknowledgements of two messages of QoS 1 in one write.
    pub(super) second_acknowledgement: Option<Duration>,
}

/// The content of `$SYS/broker/version`.
#[derive(Debug)]
pub(super) enum BrokerVersion {
    /// Not reached.
    NotAsked,
    /// Rejected, or not published by this broker.
    Unreadable,
    Known(String),
}

impl BrokerVersion {
    pub(super) fn known(&self) -> Option<&str> {
        match self {
            BrokerVersion::Known(version) => Some(version),
            BrokerVersion::NotAsked | BrokerVersion::Unreadable => None,
        }
    }
}

impl Report {
    /// Whether the broker accepted any connection.
    pub(super) fn is_connected(&self) -> bool {
        self.versions.iter().any(|(_, outcome)| matches!(outcome, VersionResult::Accepted))
    }

    /// The findings that need action.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unverified = self.unverified().map(str::to_owned);
        let certificates = self.tls.iter().flat_map(|tls| tls.chain.iter().flatten());
        let is_closed_early = self.is_closed_early && !self.is_connected();
        let closed = is_closed_early.then(|| CLOSED_EARLY.to_owned());
        unverified.into_iter().chain(closed).chain(certificates.filter_map(|one| self.warning(one))).collect()
    }

    fn unverified(&self) -> Option<&'static str> {
        match self.verified? {
            Verified { chain: false, .. } => Some("the certificate was not checked (--insecure)"),
            Verified { name: false, .. } => {
                Some("the host name in the certificate was not checked (--insecure)")
            }
            Verified { chain: true, name: true } => None,
        }
    }

    fn warning(&self, certificate: &ShownCertificate) -> Option<String> {
        let subject = &certificate.subject;
        match self.days_left(certificate) {
            days if days < 0 => Some(format!("the certificate of {subject} has expired")),
            0 => Some(format!("the certificate of {subject} ends within a day")),
            1 => Some(format!("the certificate of {subject} ends in 1 day")),
            days if days < FEW_DAYS => Some(format!("the certificate of {subject} ends in {days} days")),
            _ => None,
        }
    }

    /// The whole days until a certificate expires; negative if it has expired.
    pub(super) fn days_left(&self, certificate: &ShownCertificate) -> i64 {
        let end = i64::try_from(certificate.not_after).unwrap_or(i64::MAX);
        end.saturating_sub(self.time).div_euclid(SECONDS_A_DAY)
    }
}

/// The range of TCP's delayed acknowledgement, 40 ms on Linux.
const DELAYED_ACKNOWLEDGEMENT: RangeInclusive<Duration> =
    Duration::from_millis(36)..=Duration::from_millis(60);

impl Examination {
    /// Whether the second acknowledgement waits for TCP's delayed acknowledgement of the first.
    pub(super) fn is_acknowledgement_delayed(&self) -> bool {
        self.second_acknowledgement.is_some_and(|delay| DELAYED_ACKNOWLEDGEMENT.contains(&delay))
    }

    /// The shortest, the median and the longest round trip.
    pub(super) fn round_trip(&self) -> Option<[Duration; 3]> {
        let trips = &self.round_trips;
        Some([*trips.first()?, *trips.get(trips.len() / 2)?, *trips.last()?])
    }
}

pub(super) fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Socket => "socket",
        Layer::Tls => "tls",
        Layer::WebSocket => "websocket",
    }
}

/// Seconds since 1970 as RFC 3339, in UTC.
pub(super) fn moment(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}
