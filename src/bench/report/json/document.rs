//! The shape of the document, described in docs/bench-json.md. Computed values are written but not read.
//! The key `denied` is the published name of the messages that the broker rejected; CSV and Prometheus use it as well.

use crate::bench::broker_limits::BrokerLimits;
use crate::bench::rate_course::RateCourse;
use crate::bench::record::{Datagrams, TlsCount, WorkerFault};
use crate::bench::report::{Machine, RecordedCommand};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) schema: String,
    pub(super) tool: String,
    pub(super) started_at: String,
    #[serde(skip_deserializing)]
    pub(super) sentence: String,
    #[serde(skip_deserializing)]
    pub(super) verdict: String,
    /// Missing in files of earlier versions. Those of the report's own rules are computed again.
    #[serde(default)]
    pub(super) verdicts: Vec<VerdictObject>,
    pub(super) ending: String,
    #[serde(default)]
    pub(super) is_drain_cut: bool,
    pub(super) elapsed_ns: u64,
    pub(super) plan: PlanObject,
    /// Missing in files of earlier versions, as the next two.
    #[serde(default)]
    pub(super) command: Option<RecordedCommand>,
    #[serde(default)]
    pub(super) broker_limits: Option<BrokerLimits>,
    #[serde(default)]
    pub(super) broker_version: Option<String>,
    /// Missing in files of earlier versions.
    #[serde(default)]
    pub(super) groups: Vec<GroupObject>,
    /// Missing if there is only one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) brokers: Vec<BrokerPartObject>,
    pub(super) hosts: Vec<HostObject>,
    pub(super) phases: Vec<PhaseObject>,
    pub(super) clients: ClientsObject,
    /// Missing without TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tls: Vec<TlsCount>,
    /// Missing without an MQTT-SN gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mqtt_sn: Option<Datagrams>,
    pub(super) messages: MessagesObject,
    pub(super) deliveries: DeliveriesObject,
    pub(super) latency: BTreeMap<String, LatencyObject>,
    pub(super) self_check: SelfCheckObject,
    pub(super) errors: Vec<ErrorObject>,
    /// Missing if no worker process failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) worker_faults: Vec<WorkerFault>,
    pub(super) timeline: TimelineObject,
    /// Missing without `--watch-broker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) broker: Option<BrokerObject>,
    pub(super) search: Option<SearchObject>,
    /// Missing in files of earlier versions.
    #[serde(default)]
    pub(super) repeat: Option<RepeatObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RepeatObject {
    pub(super) runs: Vec<RepeatedRunObject>,
    #[serde(skip_deserializing)]
    pub(super) metrics: BTreeMap<String, DistributionObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RepeatedRunObject {
    pub(super) started_at: String,
    pub(super) verdict: String,
    pub(super) sentence: String,
    pub(super) figures: Map<String, Value>,
}

#[derive(Serialize)]
pub(super) struct DistributionObject {
    pub(super) median: f64,
    pub(super) spread: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BrokerObject {
    pub(super) source: String,
    pub(super) version: Option<String>,
    #[serde(skip_deserializing)]
    pub(super) interval_ns: Option<u64>,
    pub(super) processes: Vec<ProcessObject>,
    pub(super) problems: Vec<String>,
    pub(super) samples: Vec<BrokerSampleObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ProcessObject {
    pub(super) id: u32,
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BrokerSampleObject {
    pub(super) at_ns: u64,
    #[serde(flatten)]
    pub(super) values: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct VerdictObject {
    pub(super) rule: String,
    pub(super) condition: String,
    #[serde(default)]
    pub(super) group: Option<String>,
    pub(super) unit: String,
    pub(super) limit: Option<f64>,
    pub(super) measured: Option<f64>,
    pub(super) outcome: String,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PlanObject {
    pub(super) broker: String,
    pub(super) scenario: String,
    pub(super) mqtt_version: String,
    #[serde(default = "one")]
    pub(super) processes: u64,
    pub(super) threads: u64,
    pub(super) clients: u64,
    pub(super) publishers: u64,
    pub(super) subscribers: u64,
    pub(super) receivers: u64,
    /// -1 if messages are sent without a connection.
    pub(super) qos: i8,
    pub(super) payload_bytes: u64,
    pub(super) messages: Option<u64>,
    pub(super) duration_ns: Option<u64>,
    pub(super) warm_up_ns: u64,
    pub(super) messages_per_second: Option<f64>,
    /// Missing unless all publishers have planned times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate_course: Option<RateCourse>,
    pub(super) in_flight: u16,
    pub(super) connects_per_second: Option<u32>,
    pub(super) load: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) seed: Option<u32>,
}

fn one() -> u64 {
    1
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
pub(super) struct GroupObject {
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) clients: u64,
    pub(super) publishers: u64,
    pub(super) subscribers: u64,
    /// Missing unless the run ended before the start of the group.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) not_started: u64,
    /// -1 if messages are sent without a connection.
    pub(super) qos: i8,
    /// Missing without topics from a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) topic_qos: Vec<u8>,
    pub(super) subscription_qos: u8,
    #[serde(default)]
    pub(super) granted_qos: Option<u8>,
    pub(super) least_payload_bytes: u64,
    pub(super) payload_bytes: u64,
    pub(super) in_flight: u16,
    pub(super) messages_per_second: Option<f64>,
    /// Missing without planned times, or with very many stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate_course: Option<RateCourse>,
    pub(super) messages: Option<u64>,
    pub(super) listens_to: Option<String>,
    #[serde(default)]
    pub(super) share: Option<String>,
    #[serde(default)]
    pub(super) load: Option<BTreeMap<String, String>>,
    #[serde(rename = "denied")]
    pub(super) rejected: u64,
    pub(super) unacknowledged: u64,
    pub(super) deliveries: DeliveriesObject,
    /// Missing unless there are several groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) connects: Option<ConnectsObject>,
    /// Missing in files of earlier versions.
    #[serde(default)]
    pub(super) latency: BTreeMap<String, LatencyObject>,
    #[serde(default)]
    pub(super) measured: Option<GroupMeasurementsObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ConnectsObject {
    pub(super) slot_ns: u64,
    pub(super) slots: Vec<ConnectSlotObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ConnectSlotObject {
    pub(super) slot: u64,
    pub(super) connected: u64,
    pub(super) reconnected: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GroupMeasurementsObject {
    pub(super) connected: u64,
    pub(super) lost: u64,
    #[serde(default)]
    pub(super) reconnected: u64,
    pub(super) sent: FlowObject,
    pub(super) acknowledged: FlowObject,
    #[serde(default)]
    pub(super) unmatched: Option<u64>,
    pub(super) received: FlowObject,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BrokerPartObject {
    pub(super) address: String,
    pub(super) clients: u64,
    pub(super) connected: u64,
    pub(super) connections_lost: u64,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) received: u64,
    #[serde(rename = "denied")]
    pub(super) rejected: u64,
    pub(super) unacknowledged: u64,
    pub(super) owed: u64,
    pub(super) lost: u64,
    pub(super) deliveries: Vec<BrokerDeliveriesObject>,
    pub(super) latency: BTreeMap<String, LatencyObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BrokerDeliveriesObject {
    pub(super) to: String,
    pub(super) owed: u64,
    pub(super) lost: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SearchObject {
    /// One of `highest`, `at least`, `not even`, or null.
    pub(super) outcome: Option<String>,
    pub(super) messages_per_second: Option<f64>,
    pub(super) steps: Vec<SearchStepObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SearchStepObject {
    pub(super) messages_per_second: f64,
    pub(super) holds: bool,
    pub(super) reason: Option<String>,
    pub(super) figures: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct HostObject {
    pub(super) system: String,
    pub(super) cpus: u64,
    pub(super) open_files: Option<u64>,
    #[serde(default)]
    pub(super) machine: Option<Machine>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PhaseObject {
    pub(super) name: String,
    pub(super) begin_ns: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClientsObject {
    pub(super) connected: FlowObject,
    pub(super) refused: u64,
    pub(super) lost: u64,
    #[serde(default)]
    pub(super) reconnected: u64,
    pub(super) subscribed: u64,
    pub(super) subscribers_to_the_end: u64,
    #[serde(skip_deserializing)]
    pub(super) not_connected: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FlowObject {
    pub(super) count: u64,
    pub(super) begin_ns: Option<u64>,
    pub(super) end_ns: Option<u64>,
    #[serde(skip_deserializing)]
    pub(super) per_second: Option<f64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MessagesObject {
    pub(super) sent: FlowObject,
    pub(super) acknowledged: FlowObject,
    #[serde(default)]
    pub(super) unmatched: Option<u64>,
    pub(super) received: FlowObject,
    #[serde(rename = "denied")]
    pub(super) rejected: u64,
    pub(super) unacknowledged: u64,
    pub(super) late: u64,
    #[serde(default)]
    pub(super) late_by_us: Option<u64>,
    pub(super) foreign: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeliveriesObject {
    pub(super) sent: u64,
    pub(super) owed: u64,
    pub(super) lost: u64,
    pub(super) duplicates: u64,
    pub(super) reordered: u64,
    pub(super) lost_in_gap: u64,
    pub(super) sent_in_warm_up: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LatencyObject {
    #[serde(flatten, skip_deserializing)]
    pub(super) figures: LatencyFigures,
    pub(super) histogram: String,
}

#[derive(Serialize, Default)]
pub(super) struct LatencyFigures {
    pub(super) count: u64,
    pub(super) min_ns: u64,
    pub(super) mean_ns: u64,
    pub(super) p50_ns: u64,
    pub(super) p90_ns: u64,
    pub(super) p95_ns: u64,
    pub(super) p99_ns: u64,
    #[serde(rename = "p99.9_ns")]
    pub(super) p99_9_ns: u64,
    #[serde(rename = "p99.99_ns")]
    pub(super) p99_99_ns: u64,
    pub(super) max_ns: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SelfCheckObject {
    pub(super) cpu_ns: u64,
    pub(super) busiest_thread_percent: Option<f64>,
    pub(super) blocked_sends: u64,
    #[serde(skip_deserializing)]
    pub(super) is_bottleneck: bool,
    #[serde(skip_deserializing)]
    pub(super) findings: Vec<FindingObject>,
}

#[derive(Serialize)]
pub(super) struct FindingObject {
    pub(super) mark: &'static str,
    pub(super) is_bottleneck: bool,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ErrorObject {
    pub(super) stage: String,
    pub(super) text: String,
    pub(super) count: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TimelineObject {
    pub(super) slot_ns: u64,
    pub(super) slots: Vec<SlotObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SlotObject {
    pub(super) connected: u64,
    pub(super) failed: u64,
    pub(super) lost: u64,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    #[serde(default)]
    pub(super) unmatched: u64,
    #[serde(rename = "denied")]
    pub(super) rejected: u64,
    pub(super) received: u64,
    pub(super) latency: Option<SlotLatencyObject>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SlotLatencyObject {
    #[serde(skip_deserializing)]
    pub(super) p50_ns: u64,
    #[serde(skip_deserializing)]
    pub(super) p99_ns: u64,
    #[serde(skip_deserializing)]
    pub(super) max_ns: u64,
    pub(super) histogram_us: String,
}
