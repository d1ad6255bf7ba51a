//! The receivers of a message, without duplicates, with the highest QoS and all identifiers of their subscriptions.

use super::client::{Client, Subscription};
use super::message::Share;
use crate::protocol::{Publish, Qos};
use std::rc::Rc;

/// A receiver of the message that is being routed.
pub(super) struct Target {
    pub(super) client: Rc<Client>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) subscription_ids: Ids,
    /// The shared subscription, whose member the client is.
    pub(super) share: Option<Rc<Share>>,
}

/// The subscription identifiers of one delivery.
pub(super) enum Ids {
    None,
    /// The identifier of one subscription, shared by all its deliveries.
    One(Rc<[u32]>),
    Many(Vec<u32>),
}

impl Target {
    pub(super) fn new(subscription: &Subscription, publish: &Publish<'_>) -> Target {
        Target {
            client: Rc::clone(&subscription.client),
            qos: publish.qos.min(subscription.options.maximum_qos),
            retain: publish.retain && subscription.options.retain_as_published,
            subscription_ids: subscription.id.clone().map_or(Ids::None, Ids::One),
            share: subscription.share.clone(),
        }
    }
}

impl Ids {
    pub(super) fn into_shared(self) -> Option<Rc<[u32]>> {
        match self {
            Ids::None => None,
            Ids::One(id) => Some(id),
            Ids::Many(ids) => Some(ids.into()),
        }
    }

    fn join(self, more: Ids) -> Ids {
        match (self, more) {
            (ids, Ids::None) => ids,
            (Ids::None, more) => more,
            (Ids::One(id), more) => Ids::Many(id.to_vec()).join(more),
            (Ids::Many(mut ids), Ids::One(id)) => {
                ids.extend_from_slice(&id);
                Ids::Many(ids)
            }
            (Ids::Many(mut ids), Ids::Many(more)) => {
                ids.extend(more);
                Ids::Many(ids)
            }
        }
    }
}

/// Adds a target, or merges it with the client's existing one in this routing.
pub(super) fn merge(targets: &mut Vec<Target>, target: Target, routing: u64) {
    let (number, place) = target.client.routed.get();
    let earlier = if number == routing { targets.get_mut(place) } else { None };
    let Some(earlier) = earlier else {
        target.client.routed.set((routing, targets.len()));
        return targets.push(target);
    };
    earlier.qos = earlier.qos.max(target.qos);
    earlier.retain |= target.retain;
    let ids = std::mem::replace(&mut earlier.subscription_ids, Ids::None);
    earlier.subscription_ids = ids.join(target.subscription_ids);
}
