//! The planned load of a group of clients, and the outcome of its messages.

use super::format::{duration, rate};
use super::{Flow, LatencyKind, Load};
use crate::bench::plan::{self, Plan, Scenario, Volume};
use crate::bench::rate_course::RateCourse;
use crate::bench::record::{ConnectTimes, GroupRecord, Latencies, Outcome, Record, Summary};
use crate::bench::topic_list::TopicList;
use crate::protocol::Qos;
use crate::words::counted;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A group of clients. A run without a scenario file has one group, without a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// The name in the scenario file.
    pub name: String,
    /// The scenario of its clients.
    pub scenario: Scenario,
    /// The number of clients that publish, or send requests.
    pub publishers: u64,
    /// The number of clients that subscribe, or answer requests.
    pub subscribers: u64,
    /// The number of clients that only stay connected.
    pub idle: u64,
    /// The number of clients whose time had not come when the run ended.
    pub not_started: u64,
    /// The QoS of publishing.
    pub qos: Qos,
    /// The QoS levels of its topics, if they are from a file; `qos` is the highest of them.
    pub topic_qos: Vec<Qos>,
    pub subscription_qos: Qos,
    /// The QoS that the broker granted, if lower than requested.
    pub granted_qos: Option<Qos>,
    /// The sizes of the shortest and of the longest payload in bytes; of a template, their bounds.
    pub payload_sizes: (u64, u64),
    /// The number of unacknowledged QoS 1 and 2 messages per publisher, or of unanswered requests per requester.
    pub in_flight: u16,
    /// The planned messages per second while it sends; `None` for as many as the broker accepts.
    pub rate: Option<f64>,
    /// The planned messages per second over time; `None` if it sends as fast as it can, has very many stages, or an earlier version did
    /// not record it.
    pub rate_course: Option<RateCourse>,
    /// The planned number of messages; `None` if the duration ends the load.
    pub messages: Option<u64>,
    /// The topic filter, if its subscribers receive the messages of other clients.
    pub listens_to: Option<String>,
    /// The name of the shared subscription, if its subscribers have one.
    pub share: Option<String>,
    /// The other settings of its load; `None` if an earlier version did not record them.
    pub shape: Option<Load>,
    /// The outcome of its messages.
    pub outcome: Outcome,
    /// The times of its connects; empty unless there are several groups.
    pub connects: ConnectTimes,
    /// The latencies that its clients measured; empty unless there are several groups.
    pub latencies: BTreeMap<LatencyKind, Latencies>,
    /// Its connections and rates; `None` unless there are several groups, or if an earlier version did not record them.
    pub measured: Option<GroupMeasurements>,
}

/// The connections and rates of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GroupMeasurements {
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that lost their connection, and did not make it again.
    pub lost: u64,
    /// Lost connections that were made again.
    pub reconnected: u64,
    /// Messages sent after the warm-up.
    pub sent: Flow,
    /// Messages acknowledged after the warm-up.
    pub acknowledged: Flow,
    /// Those of them for which the broker had no matching subscribers; `None` if they were not counted, as before MQTT 5.0.
    pub unmatched: Option<u64>,
    /// Messages received after the warm-up, each counted once.
    pub received: Flow,
}

/// The heads of the columns for [`Group::deliveries`].
pub(super) const DELIVERY_HEADS: [&str; 5] = ["sent", "owed", "lost", "duplicated", "out of order"];

/// The heads of the columns for [`Group::latency_cells`].
pub(super) const LATENCY_HEADS: [&str; 5] = ["latency", "p50", "p90", "p99", "max"];

impl Group {
    /// A group of a plan, with its measurements.
    pub(super) fn new(plan: &Plan, group: &plan::Group, record: &Record) -> Group {
        Group {
            name: group.name.clone(),
            scenario: scenario(plan, group),
            publishers: group.publishers.into(),
            subscribers: group.subscribers.into(),
            idle: group.idle.into(),
            not_started: 0,
            qos: group.qos,
            topic_qos: group.topic_list.as_ref().map(TopicList::qos_levels).unwrap_or_default(),
            subscription_qos: group.subscription_qos,
            granted_qos: group.granted_qos,
            payload_sizes: payload_sizes(plan, group),
            in_flight: group.in_flight,
            rate: group.planned_rate_while_sending(),
            rate_course: group.rate_course().filter(RateCourse::is_short),
            messages: group.messages,
            listens_to: group.filter.clone(),
            share: group.share.clone(),
            shape: Some(Load::of_group(plan, group)),
            outcome: record.outcome(plan, group),
            connects: ConnectTimes::default(),
            latencies: BTreeMap::new(),
            measured: None,
        }
    }

    /// The number of clients by which the group is judged: subscribers, or clients that wait for responses.
    pub(super) fn receivers(&self) -> u64 {
        match (self.scenario, &self.listens_to) {
            (_, Some(_)) => 0,
            (Scenario::RequestResponse, None) => self.publishers,
            (_, None) => self.subscribers,
        }
    }

    /// Adds the measurements of its clients.
    pub(super) fn add_measurements(
        &mut self,
        latencies: BTreeMap<LatencyKind, Latencies>,
        record: &GroupRecord,
        counts_unmatched: bool,
    ) {
        let count = |kind: LatencyKind| latencies.get(&kind).map_or(0, |times| times.histogram().len());
        let account = self.outcome.account;
        let begin = record.sending.first().or(record.receiving.first());
        self.measured = Some(GroupMeasurements {
            connected: record.connected,
            lost: record.lost,
            reconnected: record.reconnected,
            sent: Flow::new(account.sent - account.before_measuring, begin, record.sending),
            acknowledged: Flow::new(count(LatencyKind::Acknowledged), begin, record.acknowledging),
            unmatched: counts_unmatched.then_some(record.unmatched),
            received: Flow::new(
                count(LatencyKind::EndToEnd) + count(LatencyKind::RoundTrip),
                begin,
                record.receiving,
            ),
        });
        self.latencies = latencies;
        self.connects = record.connects.clone();
    }

    pub(crate) fn clients(&self) -> u64 {
        self.publishers.saturating_add(self.subscribers).saturating_add(self.idle)
    }

    /// Whether its messages are sent with QoS -1 of MQTT-SN.
    pub(super) fn is_unconnected(&self) -> bool {
        self.shape.as_ref().is_some_and(Load::is_unconnected)
    }

    /// The QoS of publishing as a number.
    pub(super) fn qos_number(&self) -> i8 {
        if self.is_unconnected() { -1 } else { self.qos as i8 }
    }

    /// The QoS of sent messages: the requested one, or the lower one that the broker grants.
    pub(super) fn sending_qos(&self) -> Qos {
        self.granted_qos.map_or(self.qos, |granted| self.qos.min(granted))
    }

    /// The granted and the requested QoS, if they differ.
    pub(super) fn lowered_qos(&self) -> Option<(Qos, Qos)> {
        Some((self.granted_qos?, self.qos.max(self.subscription_qos)))
    }

    /// The end-to-end QoS that all messages have at least.
    pub(crate) fn delivery_qos(&self) -> Qos {
        let lowest = self.topic_qos.iter().copied().min().unwrap_or(self.qos);
        self.sending_qos().min(self.subscription_qos).min(lowest)
    }

    /// The end-to-end QoS in words; the lowest and the highest if topics from a file differ.
    pub(super) fn delivery_qos_words(&self) -> String {
        let (lowest, highest) = (self.delivery_qos(), self.sending_qos().min(self.subscription_qos));
        if self.is_unconnected() {
            return "-1".to_owned();
        }
        if lowest < highest { format!("{lowest} to {highest}") } else { lowest.to_string() }
    }

    /// Whether a QoS guarantee was violated: a loss at QoS 1 or 2, or a duplicate at QoS 2.
    pub(crate) fn violates_qos(&self) -> bool {
        let Outcome { account, duplicates, .. } = self.outcome;
        match self.delivery_qos() {
            Qos::AtMostOnce => false,
            Qos::AtLeastOnce => account.lost > 0,
            Qos::ExactlyOnce => account.lost > 0 || duplicates > 0,
        }
    }

    /// The QoS levels of its messages that are acknowledged one by one; several with topics from a file.
    pub(super) fn acknowledged_levels(&self) -> BTreeSet<Qos> {
        let granted = |qos: Qos| self.granted_qos.map_or(qos, |granted| qos.min(granted));
        let only = [self.qos];
        let levels = if self.topic_qos.is_empty() { only.as_slice() } else { &self.topic_qos };
        let levels = levels.iter().filter(|_| self.publishers > 0).map(|qos| granted(*qos));
        levels.filter(|qos| *qos > Qos::AtMostOnce).collect()
    }

    /// The counts of messages under [`DELIVERY_HEADS`].
    pub(super) fn deliveries(&self) -> [u64; 5] {
        let Outcome { account, duplicates, reordered } = self.outcome;
        [account.sent, account.owed, account.lost, duplicates, reordered]
    }

    /// The latency by which the group is judged, and its percentiles: from the planned time, and end to end, if it was measured.
    pub(super) fn main_latency(&self) -> Option<(LatencyKind, Summary)> {
        let ranked = self.latencies.keys().filter_map(|kind| Some((kind.rank()?, *kind)));
        let (_, kind) = ranked.min()?;
        Some((kind, self.latencies.get(&kind)?.summary()?))
    }

    /// The percentiles of its main latency under [`LATENCY_HEADS`]; empty if nothing was measured.
    pub(super) fn latency_cells(&self) -> [String; 5] {
        match self.main_latency() {
            Some((kind, Summary { p50, p90, p99, max, .. })) => {
                let [p50, p90, p99, max] = [p50, p90, p99, max].map(duration);
                [self.title_of(kind), p50, p90, p99, max]
            }
            None => Default::default(),
        }
    }

    /// The name of a latency of the group.
    pub(super) fn title_of(&self, kind: LatencyKind) -> String {
        kind.full_title(only_one(&self.acknowledged_levels()))
    }

    pub(super) fn clients_by_role(&self) -> String {
        let (publishers, subscribers) = (self.publishers, self.subscribers);
        match (self.scenario, &self.listens_to) {
            (Scenario::Connect, _) => counted(self.idle, "idle client"),
            (_, Some(filter)) => format!("{} to {filter}", counted(subscribers, "subscriber")),
            (Scenario::RequestResponse, _) => {
                format!("{}, {}", counted(publishers, "requester"), counted(subscribers, "responder"))
            }
            _ if subscribers == 0 => format!("{}, no subscribers", counted(publishers, "publisher")),
            _ => format!("{}, {}", counted(publishers, "publisher"), counted(subscribers, "subscriber")),
        }
    }

    /// The load; `for_a_time` is empty if the duration is displayed elsewhere.
    pub(super) fn load(&self, for_a_time: &str) -> String {
        match self.scenario {
            Scenario::Connect => return format!("connections{for_a_time}{}", self.settings()),
            Scenario::Subscribe => {
                let (qos, shared) = (self.subscription_qos, self.shared());
                return format!("QoS {qos}{for_a_time}{shared}{}", self.settings());
            }
            _ => {}
        }
        let messages = match self.messages {
            Some(messages) => counted(messages, "message"),
            None => format!("messages{for_a_time}"),
        };
        let qos = match self.topic_qos.first() {
            Some(lowest) if *lowest < self.qos => format!("{lowest} to {}", self.qos),
            _ => self.qos_number().to_string(),
        };
        let mut text = format!("{messages} of {} at QoS {qos}", self.bytes());
        if self.subscription_qos != self.qos && self.subscribers > 0 && !self.is_unconnected() {
            let _ = write!(text, ", subscribed at QoS {}", self.subscription_qos);
        }
        if let Some(planned) = self.planned_rate() {
            let _ = write!(text, ", {planned} planned per second");
        }
        text + &self.window() + &self.shared() + &self.settings()
    }

    /// The planned rate while it sends; of stages, the lowest and the highest one.
    fn planned_rate(&self) -> Option<String> {
        let has_stages = self.shape.as_ref().is_some_and(Load::has_stages);
        let range = self.rate_course.as_ref().filter(|_| has_stages).and_then(RateCourse::range);
        match range {
            Some((lowest, highest)) if lowest < highest => {
                Some(format!("{} to {}", rate(lowest), rate(highest)))
            }
            _ => self.rate.map(rate),
        }
    }

    /// The other settings of its load.
    fn settings(&self) -> String {
        let words = self.shape.as_ref().map(Load::words).filter(|words| !words.is_empty());
        words.map(|words| format!(", {words}")).unwrap_or_default()
    }

    fn shared(&self) -> String {
        self.share.as_ref().map(|share| format!(", shared by {share}")).unwrap_or_default()
    }

    fn bytes(&self) -> String {
        let sizes = match self.payload_sizes {
            (least, most) if least < most && self.has_template() => format!("at most {most}"),
            (least, most) if least < most => format!("{least} to {most}"),
            (_, most) => return counted(most, "byte"),
        };
        format!("{sizes} bytes")
    }

    /// Whether payloads are from a template, whose sizes have bounds that no message has to reach.
    fn has_template(&self) -> bool {
        self.shape.as_ref().is_some_and(Load::has_template)
    }

    fn window(&self) -> String {
        let each = if self.scenario == Scenario::RequestResponse { "requester" } else { "publisher" };
        let has_window = self.qos != Qos::AtMostOnce || self.scenario == Scenario::RequestResponse;
        if has_window { format!(", {} in flight per {each}", self.in_flight) } else { String::new() }
    }
}

/// The level, if there is only one.
pub(super) fn only_one(levels: &BTreeSet<Qos>) -> Option<Qos> {
    levels.first().copied().filter(|_| levels.len() == 1)
}

/// The duration of a volume, if a time ends it.
pub(super) fn for_a_time(volume: Volume) -> String {
    match volume {
        Volume::Duration(duration) => format!(" for {} s", duration.as_secs_f64()),
        Volume::Messages(_) => String::new(),
    }
}

fn payload_sizes(plan: &Plan, group: &plan::Group) -> (u64, u64) {
    let (shortest, longest) = plan.payload_sizes(group);
    (shortest as u64, longest as u64)
}

fn scenario(plan: &Plan, group: &plan::Group) -> Scenario {
    if plan.scenario != Scenario::Mix {
        return plan.scenario;
    }
    match (group.is_answered, &group.filter) {
        (true, _) => Scenario::RequestResponse,
        (_, Some(_)) => Scenario::Subscribe,
        _ if group.idle > 0 => Scenario::Connect,
        _ if group.subscribers == 0 => Scenario::Publish,
        _ => Scenario::PublishSubscribe,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::group;
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_scenario_is_told_in_its_own_words() {
        let told = |group: &Group, time: &str| format!("{}; {}", group.clients_by_role(), group.load(time));
        let idle = Group { scenario: Scenario::Connect, publishers: 0, subscribers: 0, idle: 5, ..group() };
        let five = &for_a_time(Volume::Duration(Duration::from_secs(5)));
        assert_eq!(told(&idle, five), "5 idle clients; connections for 5 s");
        let listening =
            Group { listens_to: Some("a/#".to_owned()), scenario: Scenario::Subscribe, ..group() };
        let expected = "100 subscribers to a/#; QoS 1 for 5 s";
        assert_eq!(told(&listening, five), expected);
        let asking = Group { scenario: Scenario::RequestResponse, in_flight: 1, rate: Some(0.5), ..group() };
        let expected = "1000 requesters, 100 responders; 100000 messages of 64 bytes at QoS 1, \
                        0.5 planned per second, 1 in flight per requester";
        assert_eq!(told(&asking, ""), expected);
        let quiet = Group { qos: Qos::AtMostOnce, messages: None, payload_sizes: (40, 64), ..group() };
        let expected = "1000 publishers, 100 subscribers; messages for 5 s of 40 to 64 bytes at QoS 0, \
                        subscribed at QoS 1";
        assert_eq!(told(&quiet, five), expected);
    }

    #[test]
    fn the_lower_qos_is_the_delivery_qos() {
        let mut group = group();
        (group.outcome.account.lost, group.outcome.duplicates) = (1, 1);
        assert!(group.violates_qos());
        group.subscription_qos = Qos::AtMostOnce;
        assert!(!group.violates_qos());
    }
}
