//! SUBSCRIBE and UNSUBSCRIBE of a connection, the first message to its status topic, and their answers.
//!
//! Their packet identifiers must not be in use by a PUBLISH to the same broker, which has the identifier of the other broker.

use super::event::{EventKind, Reporter};
use super::flow::Flow;
use super::routes::Routes;
use super::settings::Side;
use crate::protocol::{
    PacketId, PropertiesBuf, PropertyId, PropertyValue, Qos, RetainHandling, Subscribe, Subscription,
    SubscriptionAck, SubscriptionOptions, TopicFilter, Unsubscribe, Version,
};

/// The maximum of filters in a packet, which AWS IoT Core limits to 8.
const FILTERS: usize = 8;

#[derive(Debug)]
struct Request {
    packet_id: PacketId,
    /// The filters of SUBSCRIBE, with the requested QoS.
    filters: Vec<(String, Qos)>,
}

/// The requests that the broker has not answered.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Request>);

/// The connection to subscribe on.
pub(super) struct Subscriber<'a> {
    pub(super) version: Version,
    /// The highest QoS that both brokers accept.
    pub(super) maximum_qos: Qos,
    pub(super) has_identifiers: bool,
    pub(super) output: &'a mut Vec<u8>,
}

impl Requests {
    /// Subscribes to all filters. `flow` is that of the messages to the same broker.
    pub(super) fn subscribe<M>(&mut self, routes: &Routes, flow: &mut Flow<M>, connection: Subscriber<'_>) {
        let Subscriber { version, maximum_qos, has_identifiers, output } = connection;
        let is_v5 = version.is_v5();
        let needs_identifiers = routes.has_partial_overlaps() && has_identifiers && is_v5;
        let count = if needs_identifiers { 1 } else { FILTERS };
        for (number, some) in routes.subscriptions().chunks(count).enumerate() {
            let Some(packet_id) = take_id(flow) else { return };
            let mut properties = PropertiesBuf::new();
            if needs_identifiers && let Ok(identifier) = u32::try_from(number + 1) {
                // At most as many as there are rules, which is in range.
                let _ =
                    properties.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(identifier));
            }
            let wanted = some.iter().map(|wanted| {
                let options = SubscriptionOptions {
                    maximum_qos: wanted.qos.min(maximum_qos),
                    no_local: is_v5 && !wanted.is_shared,
                    retain_as_published: is_v5,
                    retain_handling: if is_v5 { RetainHandling::New } else { RetainHandling::Always },
                };
                Subscription { filter: wanted.filter.as_str(), options }
            });
            let subscriptions: Vec<_> = wanted.collect();
            let asked = |one: &Subscription<'_>| (one.filter.to_owned(), one.options.maximum_qos);
            let filters = subscriptions.iter().map(asked).collect();
            let subscribe = Subscribe { packet_id, properties: properties.as_properties(), subscriptions };
            if subscribe.encode(version, output).is_ok() {
                self.0.push(Request { packet_id, filters });
            }
        }
    }

    /// Removes subscriptions of earlier runs.
    pub(super) fn unsubscribe<M>(
        &mut self,
        filters: &[TopicFilter],
        flow: &mut Flow<M>,
        version: Version,
        output: &mut Vec<u8>,
    ) {
        for some in filters.chunks(FILTERS) {
            let Some(packet_id) = take_id(flow) else { return };
            let filters = some.iter().map(TopicFilter::as_str).collect();
            let unsubscribe =
                Unsubscribe { packet_id, properties: crate::protocol::Properties::EMPTY, filters };
            if unsubscribe.encode(version, output).is_ok() {
                self.0.push(Request { packet_id, filters: Vec::new() });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Handles SUBACK or UNSUBACK.
    pub(super) fn receive<M>(
        &mut self,
        ack: &SubscriptionAck<'_>,
        side: Side,
        flow: &mut Flow<M>,
        reporter: &Reporter,
    ) {
        let Some(index) = self.0.iter().position(|request| request.packet_id == ack.packet_id) else {
            return;
        };
        let request = self.0.swap_remove(index);
        flow.unreserve(request.packet_id);
        for ((filter, asked), reason) in request.filters.into_iter().zip(ack.reason_codes()) {
            if reason.is_error() {
                reporter.report(EventKind::SubscriptionRefused { side, filter, reason });
            } else if let Some(granted) = Qos::from_u8(reason.0).filter(|granted| *granted < asked) {
                reporter.report(EventKind::SubscriptionLowered { side, filter, asked, granted });
            }
        }
    }
}

/// Reserves an identifier, from the high end, where brokers come last.
pub(super) fn take_id<M>(flow: &mut Flow<M>) -> Option<PacketId> {
    let packet_id = (1..=u16::MAX).rev().filter_map(PacketId::new).find(|&id| !flow.is_taken(id))?;
    flow.reserve(packet_id);
    Some(packet_id)
}
