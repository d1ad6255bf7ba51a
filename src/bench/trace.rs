//! Who sees what single clients of a run say and hear.

use super::plan::Part;
use crate::transport::{Stream, Tap};
use std::fmt;
use std::sync::Arc;

/// Makes a tap for the connection of a client, by the client's number.
pub type MakeTap = dyn Fn(u32, &Stream) -> Box<dyn Tap> + Send + Sync;

/// Sees the connections of the first client of each kind.
#[derive(Clone)]
pub struct Watch(Arc<MakeTap>);

impl Watch {
    /// A watch with the taps that `make` makes.
    pub fn new(make: impl Fn(u32, &Stream) -> Box<dyn Tap> + Send + Sync + 'static) -> Watch {
        Watch(Arc::new(make))
    }

    /// What sees the connection of this client, whose number in the run is given.
    pub(super) fn tap(&self, part: Part, number: u32, stream: &Stream) -> Option<Box<dyn Tap>> {
        (part.number == 0).then(|| (self.0)(number, stream))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
