//! The bytes and datagrams between the MQTT client, its adapter and the gateway.

use super::GatewayError;
use crate::protocol::{Packet, PacketReader, SizeLimits, Version};
use std::collections::VecDeque;

/// The bytes for the MQTT client beyond which no more datagrams are taken.
const ENOUGH_PACKETS: usize = 256 * 1024;

/// The maximum size of a packet of the MQTT client. No larger message fits into a datagram.
const LARGEST_PACKET: u32 = 1 << 18;

/// The data of both directions that waits for the other side.
#[derive(Debug)]
pub(super) struct Traffic {
    /// The version of the MQTT client.
    version: Version,
    /// Bytes of the MQTT client that are not a whole packet yet.
    input: Vec<u8>,
    /// Packets for the MQTT client.
    packets: Vec<u8>,
    /// Messages for the gateway.
    datagrams: VecDeque<Vec<u8>>,
}

impl Traffic {
    /// The traffic of a client that has not sent CONNECT yet, which states its version.
    pub(super) fn new() -> Traffic {
        Traffic { version: Version::V311, input: Vec::new(), packets: Vec::new(), datagrams: VecDeque::new() }
    }

    /// Whether the MQTT client has reason codes and properties.
    pub(super) fn is_v5(&self) -> bool {
        self.version.is_v5()
    }

    /// Takes bytes of the MQTT client. Returns them behind those that were left, to be read and given back with
    /// [`Traffic::keep`].
    pub(super) fn add_input(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        input
    }

    /// The reader of these bytes.
    pub(super) fn reader(input: &[u8]) -> PacketReader<'_> {
        PacketReader::new(input, SizeLimits::all(LARGEST_PACKET))
    }

    /// The next packet of the MQTT client.
    ///
    /// # Errors
    /// If it is malformed.
    pub(super) fn read<'i>(
        &mut self,
        packets: &mut PacketReader<'i>,
    ) -> Result<Option<Packet<'i>>, GatewayError> {
        let packet = packets.read(self.version).map_err(GatewayError::Packet)?;
        if let Some(Packet::Connect(connect)) = &packet {
            self.version = connect.version;
        }
        Ok(packet)
    }

    /// Keeps the bytes that are not a whole packet yet.
    pub(super) fn keep(&mut self, mut input: Vec<u8>, consumed: usize) {
        input.drain(..consumed);
        self.input = input;
    }

    /// Appends a packet for the MQTT client.
    pub(super) fn deliver(&mut self, packet: &Packet<'_>) {
        // Only a packet of more than 256 MB cannot be encoded.
        let _ = packet.encode(self.version, &mut self.packets);
    }

    /// The bytes for the MQTT client, from which the caller removes those that were read.
    pub(super) fn packets_mut(&mut self) -> &mut Vec<u8> {
        &mut self.packets
    }

    /// Whether more datagrams are taken.
    pub(super) fn takes_datagrams(&self) -> bool {
        self.packets.len() < ENOUGH_PACKETS
    }

    /// Appends a datagram for the gateway.
    pub(super) fn send(&mut self, datagram: Vec<u8>) {
        self.datagrams.push_back(datagram);
    }

    /// The next datagram for the gateway.
    pub(super) fn datagram(&self) -> Option<&[u8]> {
        self.datagrams.front().map(Vec::as_slice)
    }

    /// The first datagram was sent.
    pub(super) fn sent(&mut self) {
        self.datagrams.pop_front();
    }

    /// The number of datagrams for the gateway.
    pub(super) fn unsent(&self) -> usize {
        self.datagrams.len()
    }
}
