//! Room for another client when the gateway has its maximum: which client is forgotten.
//!
//! A disconnected client goes first. A client without keep alive may be gone without anyone noticing, so one that has been
//! silent for as long as an unanswered message is repeated makes room as well, and its will is published.
//!
//! If there is none, the IP address with the most clients gives up one for an address with fewer: the client that has been silent
//! for the longest time. A client that is not silent keeps its place unless its address has over half of all clients, so a
//! flood from many forged addresses drives out few of those behind a forwarder, and one address alone cannot close the gateway.

use super::sites::Site;
use super::{Key, STALE_ENTRIES, Slot, State};
use crate::gateway::{Event, Peer};
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
        self.client.is_disconnected() || self.client.has_no_keep_alive() && self.is_silent(settings, now)
    }

    /// Whether it has been silent for as long as an unanswered message is repeated.
    fn is_silent(&self, settings: &Settings, now: Instant) -> bool {
        let silence = settings.retry_interval * settings.retry_count.saturating_add(1);
        now >= self.client.last_heard() + silence
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

    /// Forgets a client that can make room for one at this address. Returns whether there was one.
    pub(super) fn make_room(&mut self, peer: &Peer, now: Instant) -> bool {
        self.forget_replaceable(now) || self.forget_of_largest_site(Site::of(peer), now)
    }

    /// Clients that cannot make room yet go to the end of the queue, so those that are silent for the longest time are near its
    /// front.
    fn forget_replaceable(&mut self, now: Instant) -> bool {
        for _ in 0..LOOKED_AT {
            let Some(key) = self.replaceable.pop_front() else { return false };
            let Some(slot) = self.clients.get_mut(&key) else { continue };
            if slot.makes_room(&self.config.settings, now) {
                self.replace(key, None, now);
                return true;
            }
            slot.is_listed = false;
            self.list(key);
        }
        false
    }

    /// Forgets a client of the address with the most clients for a client of this one.
    fn forget_of_largest_site(&mut self, site: Site, now: Instant) -> bool {
        let Some((largest, count)) = self.sites.largest() else { return false };
        if count <= self.sites.count(site) + 1 {
            return false;
        }
        let Some(key) = self.longest_silent(largest) else { return false };
        let Some(slot) = self.clients.get(&key) else { return false };
        if !slot.is_silent(&self.config.settings, now) && count <= self.config.clients / 2 {
            return false;
        }
        self.replace(key, Some(count), now);
        true
    }

    /// The client of a site that has been silent for the longest time. Outdated entries move back, each once for all that its
    /// client has sent.
    fn longest_silent(&mut self, site: Site) -> Option<Key> {
        loop {
            let (entry, key) = self.sites.first(site)?;
            let slot = self.clients.get_mut(&key)?;
            let heard = slot.client.last_heard();
            if heard <= entry {
                return Some(key);
            }
            slot.site_entry = heard;
            self.sites.remove(site, entry, key);
            self.sites.add(site, heard, key);
        }
    }

    /// Ends and forgets a client; `crowd` is the number of clients at its address if it goes because of them.
    fn replace(&mut self, key: Key, crowd: Option<usize>, now: Instant) {
        let Some(slot) = self.clients.get(&key) else { return };
        let event = (!slot.client.is_disconnected())
            .then(|| self.gave_way.add(now))
            .flatten()
            .map(|count| (count, slot.client.id().to_owned(), slot.peer.clone()));
        self.step(key, now, Client::give_up);
        self.forget(key);
        if let Some((count, client_id, peer)) = event {
            (self.handler)(Event::GaveWay { count, client_id, peer, crowd });
        }
    }
}
