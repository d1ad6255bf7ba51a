//! The anomalies in the session of a node, as one observer sees them.

use crate::payload::sparkplug::check::quoted;
use crate::payload::sparkplug::topic::MessageType;
use crate::words::counted;
use std::fmt;

/// A message that does not fit the messages before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anomaly {
    SeqGap {
        expected: u8,
        received: u8,
        skipped: u8,
    },
    SeqRepeated(u8),
    /// A number that was missing before.
    SeqLate {
        received: u8,
        latest: u8,
    },
    /// An earlier number that was not missing.
    SeqBack {
        expected: u8,
        received: u8,
    },
    /// The node's life was seen from its start, without a birth.
    BeforeNodeBirth(MessageType),
    AfterNodeDeath(MessageType),
    BeforeDeviceBirth(MessageType),
    AfterDeviceDeath(MessageType),
    /// The metrics have no names, and the birth was before the observation.
    BirthNotSeen,
    AliasUnknown {
        alias: u64,
        /// The number of unknown aliases.
        count: usize,
    },
    MetricUnknown {
        name: String,
        count: usize,
    },
    TypeDiffers {
        name: String,
        birth: u64,
        data: u64,
    },
    /// An alias of two metrics of the node.
    AliasTaken {
        alias: u64,
        name: String,
    },
    TemplateUnknown(String),
    DeathMismatch {
        birth: u64,
        death: u64,
    },
    /// A death that belongs to an earlier birth, which changes nothing.
    DeathOfEarlier {
        birth: u64,
        death: u64,
    },
    WillMismatch {
        will: u64,
        birth: u64,
    },
    /// Two CONNECTs with the same `bdSeq`.
    BdSeqRepeated(u64),
    /// Another connection publishes as the same node.
    TwoPublishers(MessageType),
    /// Data, but no birth, this many seconds after the request.
    RebirthIgnored(u64),
}

impl Anomaly {
    /// Whether a host has to request a birth to continue.
    pub(crate) fn wants_rebirth(&self) -> bool {
        match self {
            Anomaly::SeqGap { .. }
            | Anomaly::SeqBack { .. }
            | Anomaly::BeforeNodeBirth(_)
            | Anomaly::AfterNodeDeath(_)
            | Anomaly::BeforeDeviceBirth(_)
            | Anomaly::AfterDeviceDeath(_)
            | Anomaly::BirthNotSeen
            | Anomaly::AliasUnknown { .. }
            | Anomaly::MetricUnknown { .. } => true,
            Anomaly::SeqRepeated(_)
            | Anomaly::SeqLate { .. }
            | Anomaly::TypeDiffers { .. }
            | Anomaly::AliasTaken { .. }
            | Anomaly::TemplateUnknown(_)
            | Anomaly::DeathMismatch { .. }
            | Anomaly::DeathOfEarlier { .. }
            | Anomaly::WillMismatch { .. }
            | Anomaly::BdSeqRepeated(_)
            | Anomaly::TwoPublishers(_)
            | Anomaly::RebirthIgnored(_) => false,
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = |count: &usize| match count {
            0 | 1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        match self {
            Anomaly::SeqGap { expected, received, skipped } => {
                let missing = counted(*skipped, "message");
                write!(f, "seq {expected} expected, {received} received: {missing} missing")
            }
            Anomaly::SeqRepeated(seq) => write!(f, "seq {seq} received again"),
            Anomaly::SeqLate { received, latest } => write!(f, "seq {received} received after {latest}"),
            Anomaly::SeqBack { expected, received } => {
                write!(f, "seq {expected} expected, {received} received")
            }
            Anomaly::BeforeNodeBirth(it) => write!(f, "{it} before the node's NBIRTH"),
            Anomaly::AfterNodeDeath(it) => write!(f, "{it} after the node's NDEATH, without another NBIRTH"),
            Anomaly::BeforeDeviceBirth(it) => write!(f, "{it} without a DBIRTH after the node's NBIRTH"),
            Anomaly::AfterDeviceDeath(it) => {
                write!(f, "{it} after the device's DDEATH, without another DBIRTH")
            }
            Anomaly::BirthNotSeen => f.write_str("the birth was not seen, so metrics have no names"),
            Anomaly::AliasUnknown { alias, count } => {
                write!(f, "alias {alias}{} not in the birth", others(count))
            }
            Anomaly::MetricUnknown { name, count } => {
                write!(f, "metric {}{} not in the birth", quoted(name), others(count))
            }
            Anomaly::TypeDiffers { name, birth, data } => {
                let (birth, data) = (type_name(*birth), type_name(*data));
                write!(f, "{} is {data}, but {birth} in the birth", quoted(name))
            }
            Anomaly::AliasTaken { alias, name } => {
                write!(f, "alias {alias} of {} is also the alias of another metric", quoted(name))
            }
            Anomaly::TemplateUnknown(name) => {
                write!(f, "template {} is not defined in the node's NBIRTH", quoted(name))
            }
            Anomaly::DeathMismatch { birth, death } => {
                write!(f, "NDEATH has bdSeq {death}, but the NBIRTH has {birth}")
            }
            Anomaly::DeathOfEarlier { birth, death } => {
                write!(f, "NDEATH of an earlier birth: bdSeq {death}, now {birth}")
            }
            Anomaly::WillMismatch { will, birth } => {
                write!(f, "bdSeq is {birth}, but {will} in the will of CONNECT")
            }
            Anomaly::BdSeqRepeated(bd_seq) => {
                write!(f, "bdSeq is {bd_seq}, as in the node's CONNECT before")
            }
            Anomaly::TwoPublishers(it) => {
                write!(f, "{it} on this connection after a later connection published as the same node")
            }
            Anomaly::RebirthIgnored(seconds) => {
                write!(f, "data, but no NBIRTH, {seconds} s after the request for a rebirth")
            }
        }
    }
}

fn type_name(data_type: u64) -> String {
    crate::payload::sparkplug::type_name(data_type).map_or_else(|| data_type.to_string(), str::to_owned)
}
