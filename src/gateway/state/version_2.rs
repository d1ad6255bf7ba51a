//! Clients of MQTT-SN 2.0: which datagrams are theirs, and how they are handled.

use super::{Key, LONGEST_CLIENT_ID, State, is_discouraged};
use crate::gateway::Peer;
use crate::protocol::PacketId;
use crate::protocol::sn::gateway::v2 as machine;
use crate::protocol::sn::v2::{
    Connack, Connect, Connection, DecodeError, Disconnect, Packet, Pubwos, Reason,
};
use crate::protocol::sn::{Header, Problem, Version};
use std::net::SocketAddr;
use std::time::Instant;

/// SEARCHGW of 2.0. In 1.2 it is PINGRESP, which gateways alone send.
const SEARCHGW: [u8; 2] = [2, 0x17];

impl State {
    /// The version of a datagram: the one of all clients, that of its CONNECT, that of the client at the address, or the one that
    /// type and length show.
    pub(super) fn version_of(&self, datagram: &[u8], known: Option<Key>) -> Version {
        let stated = self.config.version.or_else(|| Version::stated(datagram));
        if let Some(version) = stated {
            return version;
        }
        if datagram == SEARCHGW {
            return Version::V20;
        }
        let is_encapsulation = Header::read(datagram).is_some_and(|header| header.type_octet >= 0xfc);
        match known.and_then(|key| self.clients.get(&key)) {
            Some(slot) if !is_encapsulation => slot.client.version(),
            _ => Version::inferred(datagram).unwrap_or(Version::V12),
        }
    }

    /// Handles a datagram of 2.0.
    pub(super) fn receive_v2(&mut self, datagram: &[u8], address: SocketAddr, now: Instant) {
        let peer = Peer { address, node_id: None };
        match Packet::decode(datagram) {
            Ok(Packet::Forwarder(envelope)) => {
                let peer = Peer { address, node_id: Some(envelope.address.into()) };
                self.receive_inner(envelope.packet, peer, now);
            }
            Ok(packet) => self.receive_v2_packet(&packet, peer, now),
            Err(error) => self.receive_malformed_v2(datagram, &error, &peer, now),
        }
    }

    fn receive_inner(&mut self, datagram: &[u8], peer: Peer, now: Instant) {
        match Packet::decode(datagram) {
            Ok(packet) => self.receive_v2_packet(&packet, peer, now),
            Err(error) => self.receive_malformed_v2(datagram, &error, &peer, now),
        }
    }

    /// A malformed packet is ignored: its sender is not authenticated, so it must not end a client's connection.
    fn receive_malformed_v2(&mut self, datagram: &[u8], error: &DecodeError, peer: &Peer, now: Instant) {
        if matches!(error.problem, Problem::UnsupportedVersion { .. })
            && let Some([high, low]) =
                error.offset.checked_sub(2).and_then(|start| datagram.get(start..error.offset))
            && let Some(packet_id) = PacketId::new(u16::from_be_bytes([*high, *low]))
        {
            self.reply_v2(&refusal(packet_id, Reason::UNSUPPORTED_PROTOCOL_VERSION), peer);
        }
        self.note_malformed(peer, error, now);
    }

    fn receive_v2_packet(&mut self, packet: &Packet<'_>, peer: Peer, now: Instant) {
        match packet {
            Packet::SearchGw { .. } => {
                let gateway_id = self.config.gateway_id;
                self.reply_v2(&Packet::GwInfo { gateway_id, address: &[] }, &peer);
            }
            Packet::Connect(connect) => self.connect_v2(connect, packet, &peer, now),
            Packet::Connection(envelope) => self.receive_from_moved(envelope, peer, now),
            Packet::Protection(_) => {
                let reason = Some(Reason::PROTECTION_NOT_SUPPORTED);
                self.reply_v2(&Packet::Disconnect(Disconnect { reason, ..Disconnect::default() }), &peer);
            }
            packet => self.receive_from_client(packet, &peer, now),
        }
    }

    fn receive_from_client(&mut self, packet: &Packet<'_>, peer: &Peer, now: Instant) {
        match self.by_peer.get(peer).copied() {
            Some(key) if self.is_congested(key) && matches!(packet, Packet::Publish(_)) => {
                self.refuse_publish_v2(packet, peer);
            }
            Some(key) if !self.is_without_connection(key, packet) => {
                self.step(key, now, |client, context, out| client.receive_v2(packet, context, out));
            }
            _ => match packet {
                Packet::Pubwos(publish) => self.publish_pubwos(publish, now),
                packet => {
                    if let Some(datagram) = machine::no_connection(packet) {
                        self.reply_datagram(datagram, peer, Version::V20);
                    }
                }
            },
        }
    }

    /// Whether the packet needs no connection, and comes from a client that has disconnected.
    fn is_without_connection(&self, key: Key, packet: &Packet<'_>) -> bool {
        matches!(packet, Packet::Pubwos(_)) && self.is_disconnected(key)
    }

    /// The broker does not take the packets of this client. A message of QoS 0 is dropped.
    fn refuse_publish_v2(&mut self, packet: &Packet<'_>, peer: &Peer) {
        let Packet::Publish(publish) = packet else { return };
        if let Some(packet) = Packet::rejection(publish.delivery, Reason::CONGESTION) {
            self.reply_v2(&packet, peer);
        }
    }

    /// A packet of a client that changes its address, with its identifier.
    fn receive_from_moved(&mut self, envelope: &Connection<'_>, peer: Peer, now: Instant) {
        let known = self.by_id.get(envelope.client_id).copied();
        let is_allowed =
            |key: &Key| self.clients.get(key).is_some_and(|slot| slot.client.has_changing_address());
        if let Some(key) = known.filter(is_allowed)
            && self.by_peer.get(&peer).is_none_or(|other| *other == key)
        {
            self.move_to(key, &peer);
            return self.receive_inner(envelope.packet, peer, now);
        }
        if let Ok(packet) = Packet::decode(envelope.packet)
            && let Some(datagram) = machine::no_connection(&packet)
        {
            self.reply_datagram(datagram, &peer, Version::V20);
        }
    }

    fn publish_pubwos(&mut self, publish: &Pubwos<'_>, now: Instant) {
        let Some(packet) = machine::pubwos(publish, &self.config.predefined) else { return };
        let event = self.own.publish(&packet, &self.config.broker, &self.this, now);
        event.into_iter().for_each(&mut self.handler);
    }

    fn connect_v2(&mut self, connect: &Connect<'_>, packet: &Packet<'_>, peer: &Peer, now: Instant) {
        let client_id = self.identifier_of(connect, peer);
        if client_id.len() > LONGEST_CLIENT_ID || client_id.chars().any(is_discouraged) {
            let reason = "the client identifier is too long, or contains a control character";
            return self.refuse_v2(connect, peer, Reason::CLIENT_IDENTIFIER_NOT_VALID, reason, now);
        }
        match self.locate(&client_id, peer, Version::V20, now) {
            Some(key) => {
                self.step(key, now, |client, context, out| client.receive_v2(packet, context, out));
            }
            None => {
                let reason = "the gateway has its maximum of clients";
                self.refuse_v2(connect, peer, Reason::CONGESTION, reason, now);
            }
        }
    }

    /// The client identifier, or a new one for a client without one.
    fn identifier_of(&self, connect: &Connect<'_>, peer: &Peer) -> String {
        if !connect.client_id.is_empty() {
            return connect.client_id.to_owned();
        }
        // The network may deliver a CONNECT twice.
        let known = self.by_peer.get(peer).and_then(|key| self.clients.get(key));
        let known = known.filter(|slot| slot.client.has_assigned_id(connect.packet_id));
        let new = || "mq-sn-".chars().chain((0..16).map(|_| fastrand::alphanumeric())).collect();
        known.map_or_else(new, |slot| slot.client.id().to_owned())
    }

    fn refuse_v2(&mut self, connect: &Connect<'_>, peer: &Peer, code: Reason, reason: &str, now: Instant) {
        self.reply_v2(&refusal(connect.packet_id, code), peer);
        self.note_refused(connect.client_id, peer, reason, now);
    }

    pub(super) fn reply_v2(&mut self, packet: &Packet<'_>, peer: &Peer) {
        self.reply_datagram(packet.to_datagram(), peer, Version::V20);
    }
}

/// CONNACK that refuses a client.
fn refusal(packet_id: PacketId, reason: Reason) -> Packet<'static> {
    Packet::Connack(Connack {
        session_present: false,
        packet_id,
        reason,
        session_expiry: None,
        server_keep_alive: None,
        authentication: None,
        assigned_client_id: "",
    })
}
