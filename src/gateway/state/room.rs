//! Room for another client when the gateway has its maximum: which client is forgotten.
//!
//! A disconnected client goes first. A client without keep alive may be gone without anyone noticing, so one that has been
//! silent for as long as an unanswered message is repeated makes room as well, and its will is published.

use super::{Key, STALE_ENTRIES, Slot, State};
use crate::protocol::sn::gateway::{AnyClient as Client, Settings};
use std::time::Instant;

/// The clients that one CONNECT looks at, so that it costs little if none can make room.
const LOOKED_AT: usize = 64;

impl Slot {
    /// Whether it can make room, now or later.
    pub(super) fn is_replaceable(&self) -> bool {
        self.client.is_disconnected() || self.client.has_no_keep_alive()
    }

    /// Whether it can make room now.
    fn makes_room(&self, settings: &Settings, now: Instant) -> bool {
        let silence = settings.retry_interval * settings.retry_count.saturating_add(1);
        self.client.is_disconnected()
            || self.client.has_no_keep_alive() && now >= self.client.last_heard() + silence
    }
}

impl State {
    /// Adds a client to the queue if it can make room, now or later. The queue has one entry for each client at most.
    pub(super) fn list(&mut self, key: Key) {
        if let Some(slot) = self.clients.get_mut(&key)
            && !slot.is_listed
            && slot.is_replaceable()
        {
            slot.is_listed = true;
            self.replaceable.push_back(key);
        }
        if self.replaceable.len() > 2 * self.clients.len() + STALE_ENTRIES {
            self.replaceable.retain(|key| self.clients.contains_key(key));
        }
    }

    /// Forgets a client that can make room. Returns whether there was one. Clients that cannot yet go to the end of the queue,
    /// so those that are silent for the longest time are near its front.
    pub(super) fn make_room(&mut self, now: Instant) -> bool {
        for _ in 0..LOOKED_AT {
            let Some(key) = self.replaceable.pop_front() else { return false };
            let Some(slot) = self.clients.get_mut(&key) else { continue };
            if slot.makes_room(&self.config.settings, now) {
                self.step(key, now, Client::give_up);
                self.forget(key);
                return true;
            }
            slot.is_listed = false;
            self.list(key);
        }
        false
    }
}
