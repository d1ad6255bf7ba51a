//! The number of a client at the gateway, and maps of clients by it.

use foldhash::HashMap;

/// The number of a client; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub(super) u64);

/// Each datagram is looked up several times. The gateway chooses the numbers, so a peer cannot choose ones that collide.
pub(super) type ByKey<T> = HashMap<Key, T>;
