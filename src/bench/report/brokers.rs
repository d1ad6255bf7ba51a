//! The outcome of each broker, if a run has several.

use super::format::duration;
use super::{LatencyKind, Report};
use crate::bench::client_slot::{ClientSlot, Task};
use crate::bench::plan::{Group, Plan};
use crate::bench::record::{Account, BrokerRecord, Delivered, GroupLatencies, Latencies, Record, Summary};
use std::collections::BTreeMap;

/// The clients of one of several brokers, and their messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct BrokerPart {
    /// The broker's address.
    pub address: String,
    /// Clients that should connect to it.
    pub clients: u64,
    /// Clients that it accepted.
    pub connected: u64,
    /// Clients that lost their connection to it.
    pub connections_lost: u64,
    /// Messages that its clients sent.
    pub sent: u64,
    /// Messages that it acknowledged; none at QoS 0.
    pub acknowledged: u64,
    /// Messages that its clients received, each counted once.
    pub received: u64,
    /// Messages that it rejected.
    pub rejected: u64,
    /// Messages that it did not acknowledge.
    pub unacknowledged: u64,
    /// Deliveries of its publishers' messages that were due.
    pub owed: u64,
    /// Deliveries of its publishers' messages that were due and did not arrive.
    pub lost: u64,
    /// The deliveries of its publishers' messages to the subscribers of each broker, unless these share a subscription.
    pub deliveries: Vec<Deliveries>,
    /// The latencies that its clients measured.
    pub latencies: BTreeMap<LatencyKind, Latencies>,
}

/// The deliveries from one broker's publishers to another broker's subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deliveries {
    /// The address of the subscribers' broker.
    pub to: String,
    pub owed: u64,
    pub lost: u64,
}

/// The heads of the columns for [`Report::broker_cells`].
pub(super) const BROKER_HEADS: [&str; 6] =
    ["clients", "connected", "sent", "acknowledged", "received", "lost"];

impl BrokerPart {
    /// The latency by which the broker is judged, and its percentiles, if any was measured.
    pub(super) fn main_latency(&self) -> Option<(LatencyKind, Summary)> {
        let ranked = self.latencies.keys().filter_map(|kind| Some((kind.rank()?, *kind)));
        let (_, kind) = ranked.min()?;
        Some((kind, self.latencies.get(&kind)?.summary()?))
    }

    /// The percentiles of its main latency, as those of groups; empty if nothing was measured.
    fn latency_cells(&self, title_of: impl Fn(LatencyKind) -> String) -> [String; 5] {
        match self.main_latency() {
            Some((kind, Summary { p50, p90, p99, max, .. })) => {
                let [p50, p90, p99, max] = [p50, p90, p99, max].map(duration);
                [title_of(kind), p50, p90, p99, max]
            }
            None => Default::default(),
        }
    }

    fn count_latencies(&self, kinds: &[LatencyKind]) -> u64 {
        let counts = kinds.iter().filter_map(|kind| self.latencies.get(kind)).map(|of| of.histogram().len());
        counts.sum()
    }
}

/// The brokers of a plan with their measurements; empty unless there are several.
pub(super) fn parts(plan: &Plan, addresses: &[String], record: &mut Record) -> Vec<BrokerPart> {
    if addresses.len() < 2 || plan.broker.count() < 2 {
        return Vec::new();
    }
    let clients = plan.clients_of_brokers();
    let mut measured = std::mem::take(&mut record.of_brokers).into_iter();
    let mut parts: Vec<BrokerPart> = addresses
        .iter()
        .zip(clients)
        .map(|(address, clients)| new_part(address, clients, measured.next().unwrap_or_default()))
        .collect();
    let mut table = DeliveryTable::default();
    for (index, group) in plan.groups.iter().enumerate() {
        add_accounts(plan, (index, group), record, &mut parts, &mut table);
    }
    for ((from, to), Delivered { owed, lost }) in table {
        if let Some((part, to)) = parts.get_mut(usize::from(from)).zip(addresses.get(usize::from(to))) {
            part.deliveries.push(Deliveries { to: to.clone(), owed, lost });
        }
    }
    parts
}

/// The deliveries by the brokers of publisher and subscriber.
type DeliveryTable = BTreeMap<(u8, u8), Delivered>;

fn new_part(address: &str, clients: u32, measured: BrokerRecord) -> BrokerPart {
    let BrokerRecord { connected, connections_lost, without_latency, latencies } = measured;
    let mut part = BrokerPart {
        address: address.to_owned(),
        clients: clients.into(),
        connected,
        connections_lost,
        latencies: GroupLatencies::into_measured(latencies),
        ..BrokerPart::default()
    };
    // Every message has one latency, from its send time.
    part.acknowledged = part.count_latencies(&[LatencyKind::Acknowledged]);
    part.received = without_latency + part.count_latencies(&[LatencyKind::EndToEnd, LatencyKind::RoundTrip]);
    part
}

/// Adds the accounts of a group's publishers to those of their brokers.
fn add_accounts(
    plan: &Plan,
    (index, group): (usize, &Group),
    record: &Record,
    parts: &mut [BrokerPart],
    table: &mut DeliveryTable,
) {
    let (publish, receive) = match group.is_answered {
        true => (Task::Request, Task::Request),
        false => (Task::Publish, Task::Subscribe),
    };
    let broker_of = |task, number| {
        plan.broker_of(ClientSlot { group: index, task, number, broker: None }).unwrap_or_default()
    };
    for publisher in 0..group.publishers {
        let from = broker_of(publish, publisher);
        let Account { sent, rejected, unacknowledged, owed, lost, gap_lost: _, before_measuring } = record
            .account_of_publisher(plan, (publisher, group), |receiver, delivered| {
                // The members of a shared subscription, on any broker, are one receiver.
                if group.share.is_none() {
                    let sum = table.entry((from, broker_of(receive, receiver))).or_default();
                    sum.owed += delivered.owed;
                    sum.lost += delivered.lost;
                }
            });
        if let Some(part) = parts.get_mut(usize::from(from)) {
            part.sent += sent - before_measuring;
            part.rejected += rejected;
            part.unacknowledged += unacknowledged;
            part.owed += owed;
            part.lost += lost;
        }
    }
}

impl Report {
    /// The values of a broker under [`BROKER_HEADS`].
    pub(super) fn broker_cells(&self, part: &BrokerPart) -> [String; 6] {
        let counted = |is_counted: bool, count: u64| match is_counted {
            true => count.to_string(),
            false => "-".to_owned(),
        };
        [
            part.clients.to_string(),
            part.connected.to_string(),
            counted(self.sent.count > 0, part.sent),
            counted(self.acknowledged.count > 0, part.acknowledged),
            counted(self.received.count > 0, part.received),
            counted(part.owed > 0, part.lost),
        ]
    }

    /// The percentiles of a broker's main latency; empty if nothing was measured.
    pub(super) fn broker_latency_cells(&self, part: &BrokerPart) -> [String; 5] {
        part.latency_cells(|kind| kind.full_title(self.acknowledged_qos()))
    }

    /// The pairs of brokers between which nothing was delivered, as text.
    pub(super) fn silent_pairs(&self) -> Vec<String> {
        let pairs = self.brokers.iter().flat_map(|part| {
            let silent = part.deliveries.iter().filter(|deliveries| {
                deliveries.to != part.address && deliveries.owed > 0 && deliveries.lost == deliveries.owed
            });
            silent.map(|deliveries| (&part.address, deliveries))
        });
        let mut texts: Vec<_> = pairs
            .map(|(from, Deliveries { to, owed, .. })| {
                format!(
                    "none of the deliveries ({owed}) arrived from publishers at {from} at subscribers of {to}"
                )
            })
            .collect();
        if let Some(first) = texts.first_mut() {
            first.push_str("; brokers share messages only if they are a cluster or have bridges");
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::two_brokers;
    use super::*;
    use crate::bench::plan::tests::{group, plan};
    use crate::bench::record::{Received, Sent};

    #[test]
    fn pairs_of_brokers_without_a_delivery_are_named() {
        let pairs = two_brokers().silent_pairs();
        assert_eq!(
            pairs,
            [
                "none of the deliveries (25000) arrived from publishers at 127.0.0.1:1883 at subscribers of 127.0.0.1:1884; \
                 brokers share messages only if they are a cluster or have bridges",
                "none of the deliveries (25000) arrived from publishers at 127.0.0.1:1884 at subscribers of 127.0.0.1:1883",
            ]
        );
    }

    #[test]
    fn reports_of_several_machines_add_up_by_broker() {
        let mut other = two_brokers();
        other.started_at = "2026-01-02T03:04:07Z".parse().unwrap();
        other.brokers.reverse();
        let merged = Report::merge([two_brokers(), other]).unwrap();
        assert_eq!(merged.plan.broker, "127.0.0.1:1883, 127.0.0.1:1884");
        let counts: Vec<_> = merged.brokers.iter().map(|part| (part.clients, part.lost)).collect();
        assert_eq!(counts, [(1100, 50_000); 2]);
        assert_eq!(merged.brokers[0].deliveries[1].lost, 50_000);
    }

    #[test]
    fn every_publisher_counts_for_its_own_broker() {
        let mut plan = plan(vec![group(4, 4)]);
        plan.broker.more_endpoints.push(plan.broker.endpoint.clone());
        let mut record = Record::default();
        for number in 0..4 {
            record.sent.insert(number, Sent { count: 2, ..Sent::default() });
            // Each subscriber receives the first of its publisher's messages.
            let mut received = Received::default();
            received.note(0);
            record.received.insert(number, vec![received]);
        }
        record.of_broker(1).connected = 4;
        let addresses = ["a", "b"].map(str::to_owned);
        let parts = parts(&plan, &addresses, &mut record);
        let counts = |part: &BrokerPart| (part.clients, part.connected, part.sent, part.owed, part.lost);
        assert_eq!(parts.iter().map(counts).collect::<Vec<_>>(), [(4, 0, 4, 4, 2), (4, 4, 4, 4, 2)]);
        let pair = |to: &str| Deliveries { to: to.to_owned(), owed: 2, lost: 1 };
        assert!(parts.iter().all(|part| part.deliveries == [pair("a"), pair("b")]), "{parts:?}");
    }
}
