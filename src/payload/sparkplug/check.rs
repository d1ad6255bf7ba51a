//! The requirements on a single message, without its context.

use super::Metric;
use super::message::{BD_SEQ, Message, REBIRTH};
use super::topic::MessageType;
use std::collections::HashMap;
use std::fmt;

/// The data type Boolean.
const BOOLEAN: u64 = 11;

/// The highest number of a data type.
const MAX_TYPE: u64 = 34;

/// The longest name that a sentence quotes, in characters.
const MAX_QUOTED: usize = 60;

/// A violation in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    SeqMissing,
    /// Above 255.
    SeqTooLarge(u64),
    /// A birth of the node that does not start at 0.
    SeqNotZero(u64),
    /// In a message without a place in the sequence.
    SeqPresent(u64),
    TimestampMissing,
    BdSeqMissing,
    /// A death with other metrics than `bdSeq`: their number.
    DeathMetrics(usize),
    RebirthMissing,
    /// The metric is not a boolean that is false.
    RebirthValue,
    RebirthAlias(u64),
    MetricTimestampMissing(Metrics),
    /// Metrics without name and alias, or without a name in a birth.
    NameMissing(usize),
    TypeMissing(Metrics),
    TypeInvalid(u64, Metrics),
    NameBesideAlias(Metrics),
    ValueMissing(Metrics),
    /// A metric twice, the earlier value last.
    NotChronological(Metrics),
}

/// Metrics with the same fault: their number, and the name of the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(super) count: usize,
    pub(super) first: String,
}

/// All violations in the message, each kind once.
pub(crate) fn faults(message: &Message<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    header(message, &mut faults);
    match message.message_type {
        MessageType::NodeBirth => node_birth(message, &mut faults),
        MessageType::NodeDeath => node_death(message, &mut faults),
        _ => {}
    }
    if message.message_type.is_birth() {
        birth_metrics(message, &mut faults);
    } else if message.message_type.is_data() {
        data_metrics(message, &mut faults);
    }
    faults
}

fn header(message: &Message<'_>, faults: &mut Vec<Fault>) {
    let message_type = message.message_type;
    let has_no_place = message_type.is_command() || message_type == MessageType::NodeDeath;
    match message.seq {
        Some(seq) if has_no_place => faults.push(Fault::SeqPresent(seq)),
        None if !has_no_place => faults.push(Fault::SeqMissing),
        Some(seq) if seq > 255 => faults.push(Fault::SeqTooLarge(seq)),
        Some(seq) if seq > 0 && message_type == MessageType::NodeBirth => {
            faults.push(Fault::SeqNotZero(seq));
        }
        Some(_) | None => {}
    }
    if message.timestamp.is_none() && message_type != MessageType::NodeDeath {
        faults.push(Fault::TimestampMissing);
    }
}

fn node_birth(message: &Message<'_>, faults: &mut Vec<Fault>) {
    if message.bd_seq().is_none() {
        faults.push(Fault::BdSeqMissing);
    }
    let Some(rebirth) = message.metrics().find(|metric| metric.name == Some(REBIRTH)) else {
        faults.push(Fault::RebirthMissing);
        return;
    };
    if rebirth.data_type.is_some_and(|data_type| data_type != BOOLEAN) || rebirth.boolean() != Some(false) {
        faults.push(Fault::RebirthValue);
    }
    if let Some(alias) = rebirth.alias {
        faults.push(Fault::RebirthAlias(alias));
    }
}

fn node_death(message: &Message<'_>, faults: &mut Vec<Fault>) {
    if message.bd_seq().is_none() {
        faults.push(Fault::BdSeqMissing);
    }
    match message.metrics().filter(|metric| metric.name != Some(BD_SEQ)).count() {
        0 => {}
        others => faults.push(Fault::DeathMetrics(others)),
    }
}

fn birth_metrics(message: &Message<'_>, faults: &mut Vec<Fault>) {
    unnamed(message, |metric| metric.name.is_none(), faults);
    let lacks_value = |metric: &Metric<'_>| metric.value.is_none() && metric.is_null != Some(true);
    for (fault, test) in [
        (Fault::TypeMissing as fn(Metrics) -> Fault, (|metric| metric.data_type.is_none()) as MetricTest),
        (Fault::ValueMissing, lacks_value),
        (Fault::MetricTimestampMissing, |metric| metric.timestamp.is_none()),
    ] {
        faults.extend(Metrics::with(message, test).map(fault));
    }
    if let Some(data_type) = message.metrics().filter_map(|metric| metric.data_type).find(is_invalid_type) {
        let metrics = Metrics::with(message, |metric| metric.data_type.as_ref().is_some_and(is_invalid_type));
        faults.extend(metrics.map(|metrics| Fault::TypeInvalid(data_type, metrics)));
    }
}

fn data_metrics(message: &Message<'_>, faults: &mut Vec<Fault>) {
    unnamed(message, |metric| metric.name.is_none() && metric.alias.is_none(), faults);
    let without_timestamp = Metrics::with(message, |metric| metric.timestamp.is_none());
    faults.extend(without_timestamp.map(Fault::MetricTimestampMissing));
    let both = Metrics::with(message, |metric| metric.name.is_some() && metric.alias.is_some());
    faults.extend(both.map(Fault::NameBesideAlias));
    chronology(message, faults);
}

fn unnamed(message: &Message<'_>, test: MetricTest, faults: &mut Vec<Fault>) {
    match message.metrics().filter(test).count() {
        0 => {}
        count => faults.push(Fault::NameMissing(count)),
    }
}

/// Checks that a metric that is in the message more than once has its values in order. Historical values are exempt.
fn chronology(message: &Message<'_>, faults: &mut Vec<Fault>) {
    let mut latest = HashMap::new();
    let mut late: Option<Metrics> = None;
    for metric in message.metrics().filter(|metric| metric.is_historical != Some(true)) {
        let Some(timestamp) = metric.timestamp else { continue };
        let earlier = latest.insert((metric.name, metric.alias), timestamp);
        if earlier.is_some_and(|earlier| earlier > timestamp) {
            late.get_or_insert_with(|| Metrics { count: 0, first: label(&metric) }).count += 1;
        }
    }
    faults.extend(late.map(Fault::NotChronological));
}

fn is_invalid_type(data_type: &u64) -> bool {
    *data_type == 0 || *data_type > MAX_TYPE
}

type MetricTest = fn(&Metric<'_>) -> bool;

impl Metrics {
    /// The metrics for which the test holds, if there are any.
    pub(super) fn with(message: &Message<'_>, test: impl Fn(&Metric<'_>) -> bool) -> Option<Metrics> {
        let mut metrics: Option<Metrics> = None;
        for metric in message.metrics().filter(|metric| test(metric)) {
            metrics.get_or_insert_with(|| Metrics { count: 0, first: label(&metric) }).count += 1;
        }
        metrics
    }
}

/// The name in quotes, or the alias.
pub(super) fn label(metric: &Metric<'_>) -> String {
    match (metric.name, metric.alias) {
        (Some(name), _) => quoted(name),
        (None, Some(alias)) => format!("alias {alias}"),
        (None, None) => "one without a name".to_owned(),
    }
}

/// The name in quotes, cut if it is long.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{:?}", format!("{}...", name.get(..end).unwrap_or_default())),
        None => format!("{name:?}"),
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => f.write_str(&self.first),
            count => write!(f, "{count} metrics, the first is {}", self.first),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::SeqMissing => f.write_str("seq is missing"),
            Fault::SeqTooLarge(seq) => write!(f, "seq is {seq}"),
            Fault::SeqNotZero(seq) => write!(f, "seq is {seq}, not 0"),
            Fault::SeqPresent(seq) => write!(f, "the payload has seq {seq}"),
            Fault::TimestampMissing => f.write_str("the payload has no timestamp"),
            Fault::BdSeqMissing => f.write_str("the metric bdSeq is missing"),
            Fault::DeathMetrics(1) => f.write_str("one metric besides bdSeq"),
            Fault::DeathMetrics(count) => write!(f, "{count} metrics besides bdSeq"),
            Fault::RebirthMissing => write!(f, "the metric {REBIRTH} is missing"),
            Fault::RebirthValue => write!(f, "{REBIRTH} is not a Boolean with the value false"),
            Fault::RebirthAlias(alias) => write!(f, "{REBIRTH} has the alias {alias}"),
            Fault::MetricTimestampMissing(metrics) => write!(f, "without a timestamp: {metrics}"),
            Fault::NameMissing(1) => f.write_str("one metric has no name"),
            Fault::NameMissing(count) => write!(f, "{count} metrics have no name"),
            Fault::TypeMissing(metrics) => write!(f, "without a data type: {metrics}"),
            Fault::TypeInvalid(data_type, metrics) => write!(f, "data type {data_type}: {metrics}"),
            Fault::NameBesideAlias(metrics) => write!(f, "with name and alias: {metrics}"),
            Fault::ValueMissing(metrics) => write!(f, "without value and is_null: {metrics}"),
            Fault::NotChronological(metrics) => write!(f, "an earlier value comes later: {metrics}"),
        }
    }
}
