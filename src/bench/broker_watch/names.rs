//! The names of metrics by broker: topics under `$SYS/`, and names on Prometheus pages. A broker or a name is one row here.

use super::metric::Metric;

/// The topic filters with the statistics of brokers.
pub(super) const SYS_FILTERS: [&str; 2] = ["$SYS/broker/#", "$SYS/brokers/#"];

/// The topic with the broker's version, below `$SYS/broker/` and below EMQX's node.
const VERSION_TOPIC: &str = "version";

/// The maximum length of a version, in characters.
const LONGEST_VERSION: usize = 128;

/// The filters of the topic with the version, of the broker and of the nodes of a cluster.
pub(super) const VERSION_FILTERS: [&str; 2] = ["$SYS/broker/version", "$SYS/brokers/+/version"];

/// Topics below `$SYS/broker/`: mosquitto and `mq broker`.
const SYS_TOPICS: [(&str, Metric); 10] = [
    ("clients/connected", Metric::Clients),
    ("publish/messages/received", Metric::MessagesReceived),
    ("publish/messages/sent", Metric::MessagesSent),
    ("publish/messages/dropped", Metric::MessagesDropped),
    ("bytes/received", Metric::BytesReceived),
    ("bytes/sent", Metric::BytesSent),
    ("store/messages/count", Metric::Stored),
    ("retained messages/count", Metric::Retained),
    ("heap/current", Metric::MemoryUsed),
    ("memory/used", Metric::MemoryUsed),
];

/// Topics below `$SYS/brokers/NODE/`: EMQX.
const EMQX_TOPICS: [(&str, Metric); 7] = [
    ("stats/connections/count", Metric::Clients),
    ("metrics/messages/received", Metric::MessagesReceived),
    ("metrics/messages/sent", Metric::MessagesSent),
    ("metrics/messages/dropped", Metric::MessagesDropped),
    ("metrics/bytes/received", Metric::BytesReceived),
    ("metrics/bytes/sent", Metric::BytesSent),
    ("stats/retained/count", Metric::Retained),
];

/// A metric as a sum of samples, each with a factor.
pub(super) struct Row {
    pub(super) metric: Metric,
    pub(super) terms: &'static [(&'static str, f64)],
}

const fn row(metric: Metric, terms: &'static [(&'static str, f64)]) -> Row {
    Row { metric, terms }
}

/// Names on Prometheus pages. The first row of a metric whose names are all on the page applies.
pub(super) const PAGE_NAMES: [Row; 36] = [
    // EMQX
    row(Metric::Clients, &[("emqx_live_connections_count", 1.0)]),
    row(Metric::Clients, &[("emqx_connections_count", 1.0)]),
    row(Metric::MessagesReceived, &[("emqx_messages_received", 1.0)]),
    row(Metric::MessagesSent, &[("emqx_messages_sent", 1.0)]),
    row(Metric::MessagesDropped, &[("emqx_messages_dropped", 1.0)]),
    row(Metric::BytesReceived, &[("emqx_bytes_received", 1.0)]),
    row(Metric::BytesSent, &[("emqx_bytes_sent", 1.0)]),
    row(Metric::Retained, &[("emqx_retained_count", 1.0)]),
    row(Metric::MachineCpu, &[("emqx_vm_cpu_use", 1.0)]),
    row(Metric::MemoryUsed, &[("emqx_vm_used_memory", 1.0)]),
    // HiveMQ
    row(Metric::Clients, &[("com_hivemq_networking_connections_current", 1.0)]),
    row(Metric::MessagesReceived, &[("com_hivemq_messages_incoming_publish_count", 1.0)]),
    row(Metric::MessagesSent, &[("com_hivemq_messages_outgoing_publish_count", 1.0)]),
    row(Metric::MessagesDropped, &[("com_hivemq_messages_dropped_count", 1.0)]),
    row(Metric::BytesReceived, &[("com_hivemq_networking_bytes_read_total", 1.0)]),
    row(Metric::BytesSent, &[("com_hivemq_networking_bytes_write_total", 1.0)]),
    row(Metric::Retained, &[("com_hivemq_messages_retained_current", 1.0)]),
    row(Metric::MemoryUsed, &[("com_hivemq_jvm_memory_heap_used", 1.0)]),
    // RabbitMQ
    row(Metric::Clients, &[("rabbitmq_connections", 1.0)]),
    row(Metric::MessagesReceived, &[("rabbitmq_global_messages_received_total", 1.0)]),
    row(Metric::MessagesSent, &[("rabbitmq_global_messages_delivered_total", 1.0)]),
    row(Metric::MessagesDropped, &[("rabbitmq_global_messages_unroutable_dropped_total", 1.0)]),
    row(Metric::BytesReceived, &[("erlang_vm_statistics_bytes_received_total", 1.0)]),
    row(Metric::BytesSent, &[("erlang_vm_statistics_bytes_output_total", 1.0)]),
    row(Metric::Stored, &[("rabbitmq_queue_messages", 1.0)]),
    row(Metric::ResidentMemory, &[("rabbitmq_process_resident_memory_bytes", 1.0)]),
    // VerneMQ
    row(Metric::Clients, &[("active_mqtt_connections", 1.0)]),
    row(Metric::Clients, &[("socket_open", 1.0), ("socket_close", -1.0)]),
    row(Metric::MessagesReceived, &[("mqtt_publish_received", 1.0)]),
    row(Metric::MessagesSent, &[("mqtt_publish_sent", 1.0)]),
    row(Metric::MessagesDropped, &[("queue_message_drop", 1.0)]),
    row(Metric::BytesReceived, &[("bytes_received", 1.0)]),
    row(Metric::BytesSent, &[("bytes_sent", 1.0)]),
    row(Metric::Retained, &[("retain_messages", 1.0)]),
    // Any exporter that follows the conventions of Prometheus
    row(Metric::CpuTime, &[("process_cpu_seconds_total", 1.0)]),
    row(Metric::ResidentMemory, &[("process_resident_memory_bytes", 1.0)]),
];

/// The node and the rest of a `$SYS` topic. Only EMQX names its nodes.
pub(super) fn split_topic(topic: &str) -> Option<(&str, &str)> {
    if let Some(rest) = topic.strip_prefix("$SYS/broker/") {
        return Some(("", rest));
    }
    topic.strip_prefix("$SYS/brokers/")?.split_once('/')
}

/// The version in a message; `None` if it is on another topic, or no text.
pub(super) fn version(topic: &str, payload: &[u8]) -> Option<String> {
    let (_, rest) = split_topic(topic)?;
    let text = std::str::from_utf8(payload).ok().filter(|_| rest == VERSION_TOPIC)?;
    Some(text.chars().take(LONGEST_VERSION).collect())
}

/// The metric of a `$SYS` topic, split into node and rest.
pub(super) fn of_topic(node: &str, rest: &str) -> Option<Metric> {
    let table: &[(&str, Metric)] = if node.is_empty() { &SYS_TOPICS } else { &EMQX_TOPICS };
    table.iter().find(|(name, _)| *name == rest).map(|(_, metric)| *metric)
}
