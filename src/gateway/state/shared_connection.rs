//! The connection of an aggregating gateway: when it is opened, and the packets between it and the clients.

use super::owners::SharedOwner;
use super::{Key, State};
use crate::client::{self, Terms, pause_after};
use crate::gateway::aggregate::Aggregate;
use crate::gateway::broker_connection::serve;
use crate::gateway::link::{Closing, Link};
use crate::gateway::{Config, Event};
use crate::protocol::sn::ReturnCode;
use crate::protocol::{MAX_PACKET_SIZE, Packet, PacketReader, SizeLimits};
use std::rc::Rc;
use std::time::Instant;
use tokio::task::{JoinHandle, spawn_local};

/// The connection that all clients share.
pub(super) struct SharedConnection {
    pub(super) aggregate: Aggregate,
    /// When it is opened.
    pub(super) due: Option<Instant>,
    /// The failures since the last success.
    failures: u32,
    was_accepted: bool,
    task: Option<JoinHandle<()>>,
}

impl SharedConnection {
    pub(super) fn of(config: &Config, now: Instant) -> Option<SharedConnection> {
        let aggregate = config.aggregates.then(|| Aggregate::new(config.settings.clone()))?;
        Some(SharedConnection { aggregate, due: Some(now), failures: 0, was_accepted: false, task: None })
    }

    pub(super) fn is_open(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl State {
    /// Opens the shared connection if it is due.
    pub(super) fn open_shared(&mut self, now: Instant) {
        let (Some(shared), Some(this)) = (&mut self.own.shared, self.this.upgrade()) else { return };
        if shared.due.is_none_or(|due| now < due) {
            return;
        }
        shared.due = None;
        let mut options = self.config.broker.clone();
        options.clean_start &= !(options.resumes_session && shared.was_accepted);
        let link = Rc::new(Link::default());
        shared.aggregate.open(Rc::clone(&link));
        let owner = SharedOwner { shared: this };
        shared.task = Some(spawn_local(serve(owner, link, Box::new(options), None)));
    }

    pub(super) fn shared_accepted(&mut self, link: &Rc<Link>, terms: &Terms, now: Instant) {
        let Some(shared) = self.own.shared.as_mut().filter(|shared| shared.aggregate.is_current(link)) else {
            return;
        };
        match shared.aggregate.accepted(terms) {
            Ok(unknown) => {
                (shared.was_accepted, shared.failures) = (true, 0);
                (self.handler)(Event::SharedAccepted);
                if unknown > 0 {
                    (self.handler)(Event::DeliveryUnknown { count: unknown });
                }
                self.settle_touched(now);
            }
            Err(unusable) => {
                link.close(Closing::Orderly);
                self.shared_ended(link, unusable.to_string(), now);
            }
        }
    }

    pub(super) fn shared_refused(&mut self, link: &Rc<Link>, error: &client::Error, now: Instant) {
        self.shared_ended(link, error.to_string(), now);
    }

    /// The connection could not be opened, or has ended: the next one is opened after a pause.
    pub(super) fn shared_ended(&mut self, link: &Rc<Link>, reason: String, now: Instant) {
        let Some(shared) = self.own.shared.as_mut().filter(|shared| shared.aggregate.is_current(link)) else {
            return;
        };
        shared.aggregate.lost();
        let pause = pause_after(shared.failures);
        shared.failures = shared.failures.saturating_add(1);
        shared.due = Some(now + pause);
        self.wake.notify_one();
        (self.handler)(Event::SharedLost { reason, pause });
    }

    pub(super) fn shared_received(&mut self, link: &Rc<Link>, packet: &Packet<'_>, now: Instant) {
        let Some(shared) = self.own.shared.as_mut().filter(|shared| shared.aggregate.is_current(link)) else {
            return;
        };
        let received = shared.aggregate.receive_from_broker(packet, now);
        self.settle_touched(now);
        if let Err(error) = received {
            link.close(Closing::Abrupt);
            self.shared_ended(link, format!("the broker violated the protocol: {error}"), now);
        }
    }

    /// A client connects: the gateway itself accepts it, unless the broker is away.
    pub(super) fn open_member(&mut self, key: Key, now: Instant) {
        let (Some(shared), Some(slot)) = (&mut self.own.shared, self.clients.get(&key)) else { return };
        let Some(limits) = shared.aggregate.broker_accepts() else {
            let (client_id, peer) = (slot.client.id().to_owned(), slot.peer.clone());
            self.note_refused(&client_id, &peer, "the broker is away", now);
            self.run_step(key, now, |client, context, out| {
                client.refuse(ReturnCode::CONGESTION, context, out);
            });
            return;
        };
        let parameters = slot.client.parameters();
        let session_expiry = parameters.session_expiry;
        // A client of MQTT-SN 2.0 may begin anew with a session that lasts.
        if parameters.is_clean {
            shared.aggregate.remove(key);
        }
        shared.aggregate.remove_expired(key, now);
        let session_present = shared.aggregate.has_session(key);
        shared.aggregate.connect(key, session_expiry);
        self.run_step(key, now, |client, context, out| {
            client.note_session_present(session_present);
            client.broker_accepted(limits, context, out);
        });
    }

    /// A client has gone. The gateway publishes the will of a lost one, since the broker does not know it.
    pub(super) fn close_member(&mut self, key: Key, closing: Closing, now: Instant) {
        let (Some(shared), Some(slot)) = (&mut self.own.shared, self.clients.get(&key)) else { return };
        let was_connected = shared.aggregate.disconnect(key, now);
        if closing == Closing::Abrupt
            && was_connected
            && let Some(will) = slot.client.parameters().will
        {
            shared.aggregate.publish_will(will);
        }
    }

    /// Passes packets of the shared connection on to a client, until it waits for the client or the broker.
    pub(super) fn settle(&mut self, key: Key, now: Instant) {
        while let (Some(shared), Some(slot)) = (&mut self.own.shared, self.clients.get(&key)) {
            let packets = shared.aggregate.take_packets(key, slot.client.wants_message());
            if packets.is_empty() {
                return;
            }
            let mut reader = PacketReader::new(&packets, SizeLimits::all(MAX_PACKET_SIZE));
            while let Ok(Some(packet)) = reader.read(self.config.settings.version) {
                self.run_step(key, now, |client, context, out| client.receive_packet(&packet, context, out));
            }
        }
    }

    /// Does so for all clients with new packets.
    pub(super) fn settle_touched(&mut self, now: Instant) {
        while let Some(shared) = &mut self.own.shared {
            let touched = shared.aggregate.take_touched();
            if touched.is_empty() {
                return;
            }
            touched.into_iter().for_each(|key| self.settle(key, now));
        }
    }
}
