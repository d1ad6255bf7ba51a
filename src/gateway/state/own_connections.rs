//! The connections to the broker that no client owns: the one of an aggregating gateway, and the one for messages of clients
//! without a connection.

use super::owners::open_unconnected;
use super::shared_connection::SharedConnection;
use super::{Config, State};
use crate::client::Options;
use crate::gateway::Event;
use crate::gateway::link::Closing;
use crate::gateway::unconnected::Unconnected;
use crate::protocol::Publish;
use std::cell::RefCell;
use std::rc::Weak;
use std::time::Instant;

/// The reason for drops at the shared connection.
const NOT_TAKEN: &str = "the broker was away, or does not accept their size or RETAIN";

/// The gateway's own connections.
pub(super) struct OwnConnections {
    /// The one connection of an aggregating gateway.
    pub(super) shared: Option<SharedConnection>,
    /// The connection for messages of QoS -1 of another gateway.
    pub(super) unconnected: Unconnected,
}

impl OwnConnections {
    pub(super) fn of(config: &Config, now: Instant) -> OwnConnections {
        OwnConnections { shared: SharedConnection::of(config, now), unconnected: Unconnected::default() }
    }

    /// Publishes a message of a client without a connection. Returns an event if earlier ones were dropped.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        broker: &Options,
        state: &Weak<RefCell<State>>,
        now: Instant,
    ) -> Option<Event> {
        if let Some(shared) = &mut self.shared {
            let dropped = shared.aggregate.publish_unconnected(publish);
            return dropped.map(|count| Event::UnconnectedDropped { count, reason: NOT_TAKEN.to_owned() });
        }
        let state = state.upgrade()?;
        self.unconnected.publish(publish, broker.version, now, || open_unconnected(broker, &state))
    }

    /// Closes them.
    pub(super) fn close(&mut self) {
        if let Some(link) = self.unconnected.link() {
            link.close(Closing::Orderly);
        }
        if let Some(shared) = &mut self.shared {
            shared.aggregate.close(Closing::Orderly);
        }
    }
}
