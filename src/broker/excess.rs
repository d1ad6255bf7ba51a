//! The limits that clients exceed, for the event handler.

use std::time::Duration;

/// A limit that was exceeded, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The bytes that the broker holds for one client.
    ClientMemory(usize),
    /// The bytes that it holds for all clients.
    Memory(usize),
    /// The bytes that it holds for connections that are not accepted yet, a part of those for all clients.
    MemoryOfStrangers {
        limit: usize,
        memory: usize,
    },
    /// The size of a packet other than PUBLISH.
    RequestSize(u32),
    /// The unacknowledged messages from a client.
    ReceiveMaximum(u16),
    /// The subscriptions of a client.
    Subscriptions(usize),
    Sessions(usize),
    /// The messages that wait for a client.
    QueuedMessages(usize),
    /// The client's own maximum packet size.
    PacketSizeOfClient,
    RetainedMessages(usize),
    /// The bytes of the retained messages.
    RetainedBytes(usize),
    /// The time for a step up to CONNECT.
    ConnectTime(Duration),
}

/// The reason why a client was refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reason {
    pub text: String,
    /// The limit that it exceeded, if that is the reason.
    pub excess: Option<Excess>,
}

impl From<String> for Reason {
    fn from(text: String) -> Reason {
        Reason { text, excess: None }
    }
}
