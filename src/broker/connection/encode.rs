//! Appends the broker's packets to a send buffer, within the client's maximum packet size.

use crate::broker::scram::Reply;
use crate::protocol::{Auth, Packet, PacketType, Version};

/// Appends a packet built by the broker, whose fields are all short.
pub(super) fn put(packet: &Packet<'_>, version: Version, output: &mut Vec<u8>) {
    let encoded = packet.encode(version, output);
    debug_assert!(encoded.is_ok(), "the broker's own packets are never too long");
}

/// Appends an AUTH packet, unless it exceeds the client's maximum packet size [MQTT-3.1.2-24].
pub(super) fn put_auth(reply: &Reply, maximum_size: u32, output: &mut Vec<u8>) -> Result<(), String> {
    let Reply { reason_code, properties } = reply;
    let before = output.len();
    let auth = Auth { reason_code: *reason_code, properties: properties.as_properties() };
    put(&Packet::Auth(auth), Version::V5, output);
    check_size(PacketType::Auth, before, maximum_size, output)
}

/// Removes the packet after `before` if it exceeds the client's maximum packet size [MQTT-3.1.2-24].
pub(super) fn check_size(
    packet_type: PacketType,
    before: usize,
    maximum_size: u32,
    output: &mut Vec<u8>,
) -> Result<(), String> {
    let size = output.len() - before;
    if size <= maximum_size as usize {
        return Ok(());
    }
    output.truncate(before);
    Err(format!("{packet_type} of {size} bytes exceeds the client's maximum packet size of {maximum_size}"))
}
