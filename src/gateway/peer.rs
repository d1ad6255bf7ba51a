//! The address of an MQTT-SN client: that of its datagrams, and its node id if a forwarder passes them on.

use crate::protocol::sn::v2::{self, Forwarder};
use crate::protocol::sn::{Encapsulated, Message, Version};
use std::fmt;
use std::net::SocketAddr;

/// The address of a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Peer {
    /// The address of the client, or of its forwarder.
    pub address: SocketAddr,
    /// The node id behind a forwarder.
    pub node_id: Option<Box<[u8]>>,
}

impl Peer {
    /// The datagram for a message to the client: as it is, or in an encapsulated message for the forwarder.
    pub(super) fn wrap(&self, message: Vec<u8>, version: Version) -> Vec<u8> {
        let Some(node_id) = &self.node_id else { return message };
        let mut datagram = Vec::new();
        // A node id that was received fits.
        let _ = match version {
            Version::V12 => {
                let encapsulated = Encapsulated { radius: 0, node_id, message: &message };
                Message::Encapsulated(encapsulated).encode(&mut datagram)
            }
            Version::V20 => {
                let forwarder = Forwarder { address: node_id, packet: &message };
                v2::Packet::Forwarder(forwarder).encode(&mut datagram)
            }
        };
        datagram
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        let Some(node_id) = &self.node_id else { return Ok(()) };
        f.write_str(" node ")?;
        node_id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
