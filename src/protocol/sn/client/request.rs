//! The requests of the MQTT client that become several messages to the gateway, in either version.

use crate::protocol::{
    PacketId, Properties, Publish, Qos, Subscribe, SubscriptionAck, SubscriptionOptions, Unsubscribe,
};

/// A message to publish.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) dup: bool,
    pub(super) packet_id: Option<PacketId>,
    /// The gateway has rejected its topic id once.
    pub(super) was_rejected: bool,
}

impl Outgoing {
    pub(super) fn new(publish: &Publish<'_>) -> Outgoing {
        Outgoing {
            topic: publish.topic.to_owned(),
            payload: publish.payload.to_vec(),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id,
            was_rejected: false,
        }
    }
}

/// The filters of a SUBSCRIBE or UNSUBSCRIBE, which go to the gateway one by one.
#[derive(Debug)]
pub(super) struct Filters {
    packet_id: PacketId,
    filters: Vec<(String, SubscriptionOptions)>,
    /// The results so far, and so the number of answered filters.
    codes: Vec<u8>,
}

impl Filters {
    pub(super) fn to_subscribe(subscribe: &Subscribe<'_>) -> Filters {
        let filters = subscribe.subscriptions.iter();
        let filters = filters.map(|one| (one.filter.to_owned(), one.options)).collect();
        Filters { packet_id: subscribe.packet_id, filters, codes: Vec::new() }
    }

    /// The options are those of no subscription, and are not used.
    pub(super) fn to_unsubscribe(unsubscribe: &Unsubscribe<'_>) -> Filters {
        let filters = unsubscribe.filters.iter();
        let filters = filters.map(|filter| ((*filter).to_owned(), SubscriptionOptions::default())).collect();
        Filters { packet_id: unsubscribe.packet_id, filters, codes: Vec::new() }
    }

    /// The first filter without an answer.
    pub(super) fn next(&self) -> Option<&(String, SubscriptionOptions)> {
        self.filters.get(self.codes.len())
    }

    /// The answer to this filter.
    pub(super) fn note_answer(&mut self, code: u8) {
        self.codes.push(code);
    }

    /// The answer to the MQTT client.
    pub(super) fn ack(&self) -> SubscriptionAck<'_> {
        SubscriptionAck::new(self.packet_id, Properties::EMPTY, &self.codes)
    }
}
