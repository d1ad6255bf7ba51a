//! The retained messages of both brokers, for `--check`: topics that only the target has.
//!
//! A bridge never learns that a retained message was deleted while no session of it existed, or at QoS 0 while it was disconnected.
//! But the message is then at the target alone.

use super::check_client::options;
use crate::bridge::Settings;
use crate::bridge::routes::Routes;
use crate::bridge::rule::{Direction, Rule};
use crate::bridge::settings::{End, RetainMode};
use crate::client::{self, DISCONNECT_TIMEOUT, disconnect, disconnected};
use crate::protocol::{
    Disconnect, MAX_PACKET_SIZE, Packet, PacketId, PacketReader, Properties, Qos, ReasonCode, RetainHandling,
    SizeLimits, Subscribe, Subscription, SubscriptionOptions,
};
use std::collections::BTreeSet;
use std::time::Instant;
use tokio::time::timeout_at;

/// The maximum of topics, and of their bytes, that are compared.
const MAX_TOPICS: usize = 100_000;
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The maximum of filters in a packet, which AWS IoT Core limits to 8.
const FILTERS: usize = 8;

/// A comparison of the retained messages of a direction.
pub(super) struct Comparison {
    pub(super) direction: Direction,
    /// The topics that only the target has; `None` if there are too many to compare.
    pub(super) only_at_target: Option<Vec<String>>,
}

/// Compares the retained messages of both brokers, for each direction with rules that keep RETAIN.
pub(super) async fn compare(settings: &Settings, rules: &[Rule]) -> Result<Vec<Comparison>, client::Error> {
    let mut comparisons = Vec::new();
    for direction in Direction::BOTH {
        let routes = settings.routes(direction);
        if routes.is_empty() || settings.retain(direction) == RetainMode::Clear {
            continue;
        }
        let ways = rules.iter().flat_map(Rule::ways).filter(|way| way.direction == direction);
        let (sources, targets): (BTreeSet<&str>, BTreeSet<&str>) =
            ways.map(|way| (way.filter(), way.target_filter())).unzip();
        let of_source = topics(settings.end(direction.source()), &sources).await?;
        let of_target = topics(settings.end(direction.target()), &targets).await?;
        let only_at_target =
            of_source.zip(of_target).map(|(source, target)| missing(routes, &source, &target));
        comparisons.push(Comparison { direction, only_at_target });
    }
    Ok(comparisons)
}

/// The topics at the target that no topic at the source becomes.
fn missing(routes: &Routes, source: &BTreeSet<String>, target: &BTreeSet<String>) -> Vec<String> {
    let mut routes = routes.clone();
    let mut forwarded = BTreeSet::new();
    for topic in source {
        forwarded.extend(routes.targets(topic, &[]).iter().map(|target| target.topic.to_string()));
    }
    target.difference(&forwarded).cloned().collect()
}

/// The topics of the retained messages that match filters; `None` if there are too many.
async fn topics(end: &End, filters: &BTreeSet<&str>) -> Result<Option<BTreeSet<String>>, client::Error> {
    let options = options(end);
    let (mut connection, _) = client::open(&options).await?;
    let version = options.version;
    let filters: Vec<&str> = filters.iter().copied().collect();
    for (number, filters) in (1..).zip(filters.chunks(FILTERS)) {
        let options = SubscriptionOptions {
            maximum_qos: Qos::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        };
        let subscriptions = filters.iter().map(|filter| Subscription { filter, options }).collect();
        let Some(packet_id) = PacketId::new(number) else { break };
        let subscribe = Subscribe { packet_id, properties: Properties::EMPTY, subscriptions };
        subscribe.encode(version, connection.output())?;
    }
    // Brokers answer in order, so PINGRESP follows the retained messages.
    Packet::Pingreq.encode(version, connection.output())?;
    let deadline = Instant::now() + options.endpoint.timeout;
    let mut found = Found::default();
    while !found.is_complete && !found.is_too_much() {
        let progress = match timeout_at(deadline.into(), connection.progress(true)).await {
            Ok(progress) => progress.map_err(client::Error::lost)?,
            Err(_) => return Err(client::Error::Timeout(options.endpoint.timeout)),
        };
        let (input, _) = connection.buffers();
        let mut packets = PacketReader::new(input, SizeLimits::all(MAX_PACKET_SIZE));
        while let Some(packet) = packets.read(version)? {
            found.take(&packet)?;
        }
        let consumed = packets.consumed();
        connection.consume(consumed);
        if progress.is_closed {
            return Err(client::Error::Closed);
        }
    }
    let last = Disconnect { reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY };
    disconnect(&mut connection, version, &last, DISCONNECT_TIMEOUT).await;
    Ok((!found.is_too_much()).then_some(found.topics))
}

/// The topics so far.
#[derive(Debug, Default)]
struct Found {
    topics: BTreeSet<String>,
    bytes: usize,
    is_complete: bool,
}

impl Found {
    fn take(&mut self, packet: &Packet<'_>) -> Result<(), client::Error> {
        match packet {
            // An empty payload is a message in flight that deletes one.
            Packet::Publish(publish)
                if publish.retain && !publish.payload.is_empty() && !self.is_too_much() =>
            {
                self.bytes += publish.topic.len();
                self.topics.insert(publish.topic.to_owned());
            }
            Packet::Pingresp => self.is_complete = true,
            Packet::Disconnect(disconnect) => return Err(disconnected(disconnect)),
            _ => {}
        }
        Ok(())
    }

    fn is_too_much(&self) -> bool {
        self.topics.len() > MAX_TOPICS || self.bytes > MAX_BYTES
    }
}
