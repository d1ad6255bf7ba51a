//! The deadlines of all clients in one ordered list; a coarse tick checks its front. No client has its own timer.

use super::client::Client;
use super::topic_tree::ClientKey;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

/// The kind of a deadline; a client has at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deadline {
    /// The client counts as gone if nothing arrived.
    KeepAlive,
    /// The will is published.
    Will,
    /// The session ends.
    SessionExpiry,
    /// Messages in the queue expire.
    MessageExpiry,
}

/// All deadlines in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<(Instant, ClientKey, Deadline), Rc<Client>>,
}

impl Timers {
    /// Sets a client's deadline, replacing an existing one.
    pub(super) fn set(&mut self, client: &Rc<Client>, deadline: Deadline, at: Instant) {
        self.cancel(client, deadline);
        replace(client, deadline, Some(at));
        self.due.insert((at, client.key, deadline), Rc::clone(client));
    }

    pub(super) fn cancel(&mut self, client: &Client, deadline: Deadline) {
        if let Some(at) = replace(client, deadline, None) {
            self.due.remove(&(at, client.key, deadline));
        }
    }

    /// Sets a client's deadline, unless an earlier one is set.
    pub(super) fn set_earlier(&mut self, client: &Rc<Client>, deadline: Deadline, at: Instant) {
        let present = client.deadlines.get().get(deadline as usize).copied().flatten();
        if present.is_none_or(|present| at < present) {
            self.set(client, deadline, at);
        }
    }

    /// Removes the first deadline that has passed.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Deadline, Rc<Client>)> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, _, deadline), client) = entry.remove_entry();
        replace(&client, deadline, None);
        Some((deadline, client))
    }
}

/// Sets a client's deadline and returns the previous one.
fn replace(client: &Client, deadline: Deadline, at: Option<Instant>) -> Option<Instant> {
    let mut deadlines = client.deadlines.take();
    let slot = deadlines.get_mut(deadline as usize)?;
    let earlier = std::mem::replace(slot, at);
    client.deadlines.set(deadlines);
    earlier
}
