//! The flags octet (MQTT-SN 1.2, section 5.3.4). Each message uses some of its bits; the others are ignored.

use super::{DecodeError, Problem, TopicIdType};
use crate::protocol::Qos;

/// QoS of a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishQos {
    /// QoS -1: sent without a connection, never answered.
    MinusOne,
    /// QoS 0, 1 or 2, as in MQTT.
    Connected(Qos),
}

/// The flags octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The message was sent before.
    pub const DUP: u8 = 0x80;
    /// The message is retained.
    pub const RETAIN: u8 = 0x10;
    /// The client has a will.
    pub const WILL: u8 = 0x08;
    /// The client starts without a session, and leaves none.
    pub const CLEAN_SESSION: u8 = 0x04;
    /// The bits of the QoS.
    pub const QOS: u8 = 0x60;
    /// The bits of the topic id type.
    pub const TOPIC_ID_TYPE: u8 = 0x03;

    pub(super) fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// The QoS of a PUBLISH.
    pub fn publish_qos(self) -> PublishQos {
        Qos::from_u8(self.qos_bits()).map_or(PublishQos::MinusOne, PublishQos::Connected)
    }

    /// The topic id type; `None` for the reserved 3.
    pub fn topic_id_type(self) -> Option<TopicIdType> {
        TopicIdType::from_bits(self.0 & Flags::TOPIC_ID_TYPE)
    }

    /// The two bits of the QoS, in which 3 is -1.
    pub fn qos_bits(self) -> u8 {
        (self.0 & Flags::QOS) >> 5
    }

    /// The QoS of a message that cannot have QoS -1. `offset` is that of the flags.
    pub(super) fn qos(self, fail: impl FnOnce(Problem) -> DecodeError) -> Result<Qos, DecodeError> {
        Qos::from_u8(self.qos_bits()).ok_or_else(|| fail(Problem::MisplacedQosMinusOne))
    }

    pub(super) fn with_qos(self, qos: Qos) -> Flags {
        Flags(self.0 | (qos as u8) << 5)
    }

    pub(super) fn with_publish_qos(self, qos: PublishQos) -> Flags {
        match qos {
            PublishQos::MinusOne => Flags(self.0 | Flags::QOS),
            PublishQos::Connected(qos) => self.with_qos(qos),
        }
    }

    pub(super) fn with_type(self, id_type: TopicIdType) -> Flags {
        Flags(self.0 | id_type as u8)
    }

    pub(super) fn with(self, bit: u8, is_set: bool) -> Flags {
        if is_set { Flags(self.0 | bit) } else { self }
    }
}
