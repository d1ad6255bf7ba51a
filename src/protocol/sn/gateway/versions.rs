//! A client of a gateway in either version of MQTT-SN.

use super::{Client, Context, Output, Parameters, Settings, Undelivered, v2};
use crate::protocol::session::Limits;
use crate::protocol::sn::v2::{Disconnect, Packet, Reason};
use crate::protocol::sn::{Message, ReturnCode, Version};
use crate::protocol::{Packet as MqttPacket, PacketId, ReasonCode};
use std::time::Instant;

/// The state machine of a client in its version.
#[derive(Debug)]
pub(crate) enum AnyClient {
    V12(Box<Client>),
    V20(Box<v2::Client>),
}

/// Calls the method of the version.
macro_rules! of_version {
    ($any:expr, $client:ident => $call:expr) => {
        match $any {
            AnyClient::V12($client) => $call,
            AnyClient::V20($client) => $call,
        }
    };
}

impl AnyClient {
    /// A client that is about to connect.
    pub(crate) fn new(version: Version, id: &str, now: Instant) -> AnyClient {
        match version {
            Version::V12 => AnyClient::V12(Box::new(Client::new(id, now))),
            Version::V20 => AnyClient::V20(Box::new(v2::Client::new(id, now))),
        }
    }

    pub(crate) fn version(&self) -> Version {
        match self {
            AnyClient::V12(_) => Version::V12,
            AnyClient::V20(_) => Version::V20,
        }
    }

    pub(crate) fn id(&self) -> &str {
        of_version!(self, client => client.id())
    }

    pub(crate) fn parameters(&self) -> Parameters<'_> {
        of_version!(self, client => client.parameters())
    }

    pub(crate) fn is_asleep(&self) -> bool {
        of_version!(self, client => client.is_asleep())
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        of_version!(self, client => client.is_disconnected())
    }

    /// Whether it sends its identifier in Connection Encapsulations of MQTT-SN 2.0.
    pub(crate) fn has_changing_address(&self) -> bool {
        matches!(self, AnyClient::V20(client) if client.has_changing_address())
    }

    /// Whether the gateway has given it its identifier, after a CONNECT with this packet identifier.
    pub(crate) fn has_assigned_id(&self, packet_id: PacketId) -> bool {
        matches!(self, AnyClient::V20(client) if client.has_assigned_id(packet_id))
    }

    pub(crate) fn note_moved(&mut self) {
        of_version!(self, client => client.note_moved());
    }

    pub(crate) fn has_room(&self, settings: &Settings) -> bool {
        of_version!(self, client => client.has_room(settings))
    }

    /// Whether its silence is not limited. Clients of 2.0 always have a keep alive.
    pub(crate) fn has_no_keep_alive(&self) -> bool {
        matches!(self, AnyClient::V12(client) if client.has_no_keep_alive())
    }

    pub(crate) fn last_heard(&self) -> Instant {
        of_version!(self, client => client.last_heard())
    }

    pub(crate) fn wants_message(&self) -> bool {
        of_version!(self, client => client.wants_message())
    }

    pub(crate) fn take_undelivered(&mut self) -> Undelivered {
        of_version!(self, client => client.take_undelivered())
    }

    /// Handles a message of a client of 1.2.
    pub(crate) fn receive(&mut self, message: &Message<'_>, context: Context<'_>, out: &mut Output) {
        if let AnyClient::V12(client) = self {
            client.receive(message, context, out);
        }
    }

    /// Handles a packet of a client of 2.0.
    pub(crate) fn receive_v2(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        if let AnyClient::V20(client) = self {
            client.receive(packet, context, out);
        }
    }

    pub(crate) fn receive_packet(&mut self, packet: &MqttPacket<'_>, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.receive_packet(packet, context, out));
    }

    pub(crate) fn tick(&mut self, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.tick(context, out));
    }

    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        of_version!(self, client => client.deadline(settings))
    }

    /// Whether the broker has kept the session, which only CONNACK of 2.0 says.
    pub(crate) fn note_session_present(&mut self, session_present: bool) {
        if let AnyClient::V20(client) = self {
            client.note_session_present(session_present);
        }
    }

    pub(crate) fn broker_accepted(&mut self, accepts: Limits, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.broker_accepted(accepts, context, out));
    }

    /// The client is not accepted. `code` is that of the broker, if it refused the client.
    pub(crate) fn refuse_for(
        &mut self,
        return_code: ReturnCode,
        code: Option<ReasonCode>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        match (self, code) {
            (AnyClient::V20(client), Some(code)) => client.refuse_for(code, context, out),
            (client, _) => client.refuse(return_code, context, out),
        }
    }

    /// The client is not accepted.
    pub(crate) fn refuse(&mut self, return_code: ReturnCode, context: Context<'_>, out: &mut Output) {
        match self {
            AnyClient::V12(client) => client.refuse(return_code, context, out),
            AnyClient::V20(client) => client.refuse(reason_of(return_code), context, out),
        }
    }

    pub(crate) fn broker_lost(&mut self, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.broker_lost(context, out));
    }

    pub(crate) fn shut_down(&mut self, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.shut_down(context, out));
    }

    pub(crate) fn give_up(&mut self, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.give_up(context, out));
    }

    pub(crate) fn abandon(&mut self, context: Context<'_>, out: &mut Output) {
        of_version!(self, client => client.abandon(context, out));
    }

    /// The DISCONNECT for its old address, from which it was taken over.
    pub(crate) fn taken_over(&self) -> Vec<u8> {
        match self {
            AnyClient::V12(_) => {
                let mut datagram = Vec::new();
                // DISCONNECT always fits into a datagram.
                let _ = Message::Disconnect { duration: None }.encode(&mut datagram);
                datagram
            }
            AnyClient::V20(_) => {
                let reason = Some(Reason::SESSION_TAKEN_OVER);
                Packet::Disconnect(Disconnect { reason, ..Disconnect::default() }).to_datagram()
            }
        }
    }
}

/// The reason code of MQTT-SN 2.0 for a return code of 1.2.
fn reason_of(return_code: ReturnCode) -> Reason {
    match return_code {
        ReturnCode::ACCEPTED => Reason::SUCCESS,
        ReturnCode::CONGESTION => Reason::CONGESTION,
        _ => Reason::IMPLEMENTATION_SPECIFIC_ERROR,
    }
}
