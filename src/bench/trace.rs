//! Observes the packets of selected clients of a run.

use super::client_slot::ClientSlot;
use crate::transport::{Stream, Tap};
use std::fmt;
use std::sync::Arc;

/// Makes a tap for a client's connection, given the client's number.
pub(crate) type MakeTap = dyn Fn(u32, &Stream) -> Box<dyn Tap> + Send + Sync;

/// Observes the connections of the first client of each kind.
#[derive(Clone)]
pub(crate) struct Watch(Arc<MakeTap>);

impl Watch {
    /// A watch that uses the taps of `make`.
    pub(crate) fn new(make: impl Fn(u32, &Stream) -> Box<dyn Tap> + Send + Sync + 'static) -> Watch {
        Watch(Arc::new(make))
    }

    /// The tap for the connection of this client, if it is observed; `number` is its number in the run.
    pub(super) fn tap(&self, slot: ClientSlot, number: u32, stream: &Stream) -> Option<Box<dyn Tap>> {
        (slot.number == 0).then(|| (self.0)(number, stream))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
