//! The rule for each fault of a message and each anomaly of a session.

use crate::inspect::Rule;
use crate::payload::sparkplug::{Anomaly, Fault, MessageType};

/// The rule about QoS and RETAIN.
pub(super) fn of_flags(message_type: MessageType) -> Option<Rule> {
    match message_type {
        MessageType::NodeBirth => Some(Rule::SparkplugNbirthMqtt),
        MessageType::NodeData => Some(Rule::SparkplugNdataMqtt),
        MessageType::NodeCommand => Some(Rule::SparkplugNcmdMqtt),
        MessageType::DeviceBirth => Some(Rule::SparkplugDbirthMqtt),
        MessageType::DeviceDeath => Some(Rule::SparkplugDdeathMqtt),
        MessageType::DeviceData => Some(Rule::SparkplugDdataMqtt),
        MessageType::DeviceCommand => Some(Rule::SparkplugDcmdMqtt),
        MessageType::NodeDeath => None,
    }
}

pub(super) fn of_fault(fault: &Fault, message_type: MessageType) -> Rule {
    let is_of_device = message_type.is_of_device();
    match fault {
        Fault::SeqMissing => Rule::SparkplugSeqMissing,
        Fault::SeqTooLarge(_) if message_type == MessageType::NodeBirth => Rule::SparkplugNbirthSeq,
        Fault::SeqTooLarge(_) => Rule::SparkplugSeqIncrementing,
        Fault::SeqNotZero(_) => Rule::SparkplugNbirthSeqZero,
        Fault::SeqPresent(_) => match message_type {
            MessageType::NodeCommand => Rule::SparkplugNcmdSeq,
            MessageType::DeviceCommand => Rule::SparkplugDcmdSeq,
            _ => Rule::SparkplugNdeathSeq,
        },
        Fault::TimestampMissing => of_timestamp(message_type),
        Fault::BdSeqMissing if message_type == MessageType::NodeDeath => Rule::SparkplugNdeathBdSeq,
        Fault::BdSeqMissing => Rule::SparkplugNbirthBdSeq,
        Fault::DeathMetrics(_) => Rule::SparkplugNdeathPayload,
        Fault::RebirthMissing | Fault::RebirthValue => Rule::SparkplugRebirthMetric,
        Fault::RebirthAlias(_) => Rule::SparkplugRebirthAlias,
        Fault::MetricTimestampMissing(_) => Rule::SparkplugMetricTimestamp,
        Fault::NameMissing(_) => Rule::SparkplugName,
        Fault::TypeMissing(_) => Rule::SparkplugDataType,
        Fault::TypeInvalid(..) => Rule::SparkplugDataTypeValue,
        Fault::NameBesideAlias(_) => Rule::SparkplugAliasOnly,
        Fault::ValueMissing(_) if is_of_device => Rule::SparkplugDbirthValues,
        Fault::ValueMissing(_) => Rule::SparkplugNbirthValues,
        Fault::NotChronological(_) if is_of_device => Rule::SparkplugDeviceChronology,
        Fault::NotChronological(_) => Rule::SparkplugNodeChronology,
    }
}

fn of_timestamp(message_type: MessageType) -> Rule {
    match message_type {
        MessageType::NodeBirth | MessageType::NodeDeath => Rule::SparkplugNbirthTimestamp,
        MessageType::NodeData => Rule::SparkplugNdataTimestamp,
        MessageType::NodeCommand => Rule::SparkplugNcmdTimestamp,
        MessageType::DeviceBirth => Rule::SparkplugDbirthTimestamp,
        MessageType::DeviceDeath => Rule::SparkplugDdeathTimestamp,
        MessageType::DeviceData => Rule::SparkplugDdataTimestamp,
        MessageType::DeviceCommand => Rule::SparkplugDcmdTimestamp,
    }
}

/// The rule that is broken; `None` if the anomaly may have an innocent cause.
pub(super) fn of_anomaly(anomaly: &Anomaly, message_type: MessageType) -> Option<Rule> {
    let is_of_device = message_type.is_of_device();
    Some(match anomaly {
        Anomaly::SeqGap { .. }
        | Anomaly::SeqRepeated(_)
        | Anomaly::SeqLate { .. }
        | Anomaly::SeqBack { .. } => Rule::SparkplugSeqIncrementing,
        Anomaly::BeforeNodeBirth(it)
        | Anomaly::AfterNodeDeath(it)
        | Anomaly::BeforeDeviceBirth(it)
        | Anomaly::AfterDeviceDeath(it) => match it {
            MessageType::NodeData => Rule::SparkplugNdataOrder,
            MessageType::DeviceData => Rule::SparkplugDdataOrder,
            MessageType::DeviceBirth => Rule::SparkplugDbirthOrder,
            _ => Rule::SparkplugBirthFirst,
        },
        Anomaly::AliasUnknown { .. } | Anomaly::MetricUnknown { .. } if is_of_device => {
            Rule::SparkplugDeviceMetric
        }
        Anomaly::AliasUnknown { .. } | Anomaly::MetricUnknown { .. } => Rule::SparkplugNodeMetric,
        Anomaly::TypeDiffers { .. } => Rule::SparkplugTypeDiffers,
        Anomaly::AliasTaken { .. } => Rule::SparkplugAliasUnique,
        Anomaly::TemplateUnknown(_) => Rule::SparkplugTemplates,
        Anomaly::DeathMismatch { .. } => Rule::SparkplugNdeathBdSeq,
        Anomaly::WillMismatch { .. } => Rule::SparkplugBdSeqWill,
        Anomaly::BdSeqRepeated(_) => Rule::SparkplugBdSeqIncrement,
        Anomaly::TwoPublishers(_) => Rule::SparkplugUniqueNode,
        Anomaly::RebirthIgnored(_) => Rule::SparkplugRebirthAnswer,
        Anomaly::BirthNotSeen | Anomaly::DeathOfEarlier { .. } => return None,
    })
}
