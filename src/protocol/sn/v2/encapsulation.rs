//! Packets around another packet: for forwarders, for clients that change their address, and for protection (sections 3.17 to
//! 3.19). The packet inside is a whole one with its own length, and is not decoded.

use super::field::put_long;
use super::{DecodeError, PacketType, Reader, scheme};
use crate::protocol::sn::frame::Header;
use crate::protocol::sn::{EncodeError, Problem};

/// A packet between a forwarder and a server, with the address of the client behind the forwarder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarder<'a> {
    /// The address of the client, opaque to the server.
    pub address: &'a [u8],
    /// The packet of the client or the server.
    pub packet: &'a [u8],
}

/// A packet of a client that changes its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The client identifier.
    pub client_id: &'a str,
    /// The packet of the client.
    pub packet: &'a [u8],
}

/// The counter of a sender against repeated packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names have the number of octets
pub enum Counter {
    Two(u16),
    Four(u32),
}

/// A packet with a tag, encrypted if the scheme says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection<'a> {
    /// The number of the scheme.
    pub scheme: u8,
    /// The four bits that give the length of the tag.
    pub tag_bits: u8,
    /// The identifier of the sender, which chooses the key.
    pub sender: [u8; 8],
    /// Makes the nonce unique.
    pub random: [u8; 4],
    /// Identifies the key: 0, 2, 4 or 12 octets.
    pub material: &'a [u8],
    /// The counter, if there is one.
    pub counter: Option<Counter>,
    /// The packet inside, encrypted or not.
    pub packet: &'a [u8],
    /// The authentication tag.
    pub tag: &'a [u8],
    /// The octets before the packet, with the length field; empty in a packet that was not received.
    pub header: &'a [u8],
}

const MATERIAL: u8 = 0x0c;
const COUNTER: u8 = 0x03;

/// The packets that a Connection Encapsulation may contain [MQTT-SN-3.18-3].
const OF_CONNECTION: [PacketType; 7] = [
    PacketType::Publish,
    PacketType::Subscribe,
    PacketType::Unsubscribe,
    PacketType::Register,
    PacketType::Disconnect,
    PacketType::Sleepreq,
    PacketType::Pingreq,
];

impl<'a> Forwarder<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Forwarder<'a>, DecodeError> {
        let length = reader.u8("address length")?;
        let address = reader.take(length.into(), "address")?;
        let packet = read_inner(reader, |packet_type| packet_type != PacketType::Forwarder)?;
        Ok(Forwarder { address, packet })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let length = self.address.len();
        out.push(u8::try_from(length).map_err(|_| EncodeError::FieldLength { field: "address", length })?);
        out.extend_from_slice(self.address);
        out.extend_from_slice(self.packet);
        Ok(())
    }
}

impl<'a> Connection<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Connection<'a>, DecodeError> {
        let length = reader.u16("client identifier length")?;
        let client_id = reader.text(length.into(), "client identifier")?;
        let packet = read_inner(reader, |packet_type| OF_CONNECTION.contains(&packet_type))?;
        Ok(Connection { client_id, packet })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_long(out, self.client_id.as_bytes(), "client identifier")?;
        out.extend_from_slice(self.packet);
        Ok(())
    }
}

/// The packet inside, whose type must be among those allowed.
fn read_inner<'a>(
    reader: &mut Reader<'a>,
    is_allowed: impl FnOnce(PacketType) -> bool,
) -> Result<&'a [u8], DecodeError> {
    let place = reader.offset();
    let packet = reader.rest();
    let Some(header) = Header::read(packet) else {
        return Err(reader.error_at(place, Problem::Truncated { field: "packet" }));
    };
    match PacketType::from_octet(header.type_octet) {
        Some(packet_type) if is_allowed(packet_type) => Ok(packet),
        _ => Err(reader
            .error_at(place + header.length_octets, Problem::MisplacedPacket { value: header.type_octet })),
    }
}

impl<'a> Protection<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, datagram: &'a [u8]) -> Result<Protection<'a>, DecodeError> {
        let place = reader.offset();
        let flags = reader.u8("flags")?;
        let scheme = reader.u8("protection scheme")?;
        let (sender, random) = (reader.array("sender identifier")?, reader.array("random")?);
        let length = scheme::material_length((flags & MATERIAL) >> 2);
        let material = reader.take(length, "cryptographic material")?;
        let counter = match flags & COUNTER {
            0 => None,
            1 => Some(Counter::Two(reader.u16("counter")?)),
            2 => Some(Counter::Four(reader.u32("counter")?)),
            _ => return Err(reader.error_at(place, Problem::ReservedBits { value: flags })),
        };
        let tag_bits = flags >> 4;
        let tag_length = scheme::tag_length(tag_bits, scheme);
        let tag_length =
            tag_length.ok_or_else(|| reader.error_at(place, Problem::UnknownTagLength { scheme }))?;
        let header = datagram.get(..reader.offset()).unwrap_or_default();
        let start = reader.offset();
        let packet = reader.all_but(tag_length, "packet")?;
        if packet.is_empty() {
            return Err(reader.error_at(start, Problem::EmptyField { field: "packet" }));
        }
        let tag = reader.rest();
        Ok(Protection { scheme, tag_bits, sender, random, material, counter, packet, tag, header })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let material = match self.material.len() {
            0 => 0,
            2 => 1,
            4 => 2,
            12 => 3,
            length => return Err(EncodeError::FieldLength { field: "cryptographic material", length }),
        };
        if scheme::tag_length(self.tag_bits, self.scheme) != Some(self.tag.len()) {
            return Err(EncodeError::FieldLength { field: "tag", length: self.tag.len() });
        }
        let counter = match self.counter {
            None => 0,
            Some(Counter::Two(_)) => 1,
            Some(Counter::Four(_)) => 2,
        };
        out.extend_from_slice(&[self.tag_bits << 4 | material << 2 | counter, self.scheme]);
        out.extend_from_slice(&self.sender);
        out.extend_from_slice(&self.random);
        out.extend_from_slice(self.material);
        match self.counter {
            None => {}
            Some(Counter::Two(value)) => out.extend_from_slice(&value.to_be_bytes()),
            Some(Counter::Four(value)) => out.extend_from_slice(&value.to_be_bytes()),
        }
        out.extend_from_slice(self.packet);
        out.extend_from_slice(self.tag);
        Ok(())
    }
}
