//! CONNECT, DISCONNECT, and the end of a client.

use super::{Action, Client, Context, Note, Output, Parameters, Phase, Will, send};
use crate::protocol::session::Limits;
use crate::protocol::sn::gateway::connect::LATE_CONNECT;
use crate::protocol::sn::v2::{self, Authentication, BASIC, Connack, Connect, Disconnect, Packet, Reason};
use crate::protocol::{PacketId, ReasonCode, TopicName};
use std::time::Duration;

/// The smallest maximum packet size [MQTT-SN-3.1.7-1].
const MIN_PACKET_SIZE: u16 = 10;

/// The parameters of the last CONNECT.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// The packet identifier of CONNECT, for CONNACK.
    packet_id: Option<PacketId>,
    pub(super) clean_start: bool,
    /// In seconds; `u32::MAX` is forever.
    pub(super) session_expiry: u32,
    /// The server has replaced the requested interval.
    is_expiry_replaced: bool,
    pub(super) keep_alive: Duration,
    /// The largest packet that the client takes.
    pub(super) maximum_packet_size: Option<u16>,
    /// The messages each time the client wakes up.
    pub(super) awake_messages: Option<u8>,
    pub(super) has_changing_address: bool,
    /// The client has no identifier of its own.
    is_assigned: bool,
    will: Option<Will>,
    credentials: Option<Credentials>,
}

/// User name and password.
#[derive(Debug)]
struct Credentials {
    username: String,
    password: Vec<u8>,
}

impl Identity {
    pub(super) fn has_assigned_id(&self, packet_id: PacketId) -> bool {
        self.is_assigned && self.packet_id == Some(packet_id)
    }

    pub(super) fn parameters<'c>(&'c self, client_id: &'c str) -> Parameters<'c> {
        Parameters {
            client_id,
            is_clean: self.clean_start,
            will: self.will.as_ref(),
            session_expiry: self.session_expiry,
            credentials: self.credentials.as_ref().map(|known| (&*known.username, &*known.password)),
        }
    }
}

impl Client {
    pub(super) fn receive_connect(&mut self, connect: &Connect<'_>, context: Context<'_>, out: &mut Output) {
        if self.is_late_connect(connect, context) {
            return;
        }
        // The virtual connection of an earlier CONNECT is deleted [MQTT-SN-4.14-4].
        self.heard = context.now;
        self.accepted = None;
        self.request = None;
        if connect.clean_start {
            self.topics.clear();
        } else {
            self.topics.note_all_unknown();
        }
        self.deliveries.restart(connect.clean_start);
        match self.identify(connect, context) {
            Ok(identity) => {
                self.interval = identity.keep_alive;
                self.identity = identity;
                self.phase = Phase::Connecting;
                out.action = Some(Action::Open);
            }
            Err(reason) => {
                self.identity.packet_id = Some(connect.packet_id);
                self.answer_connect(reason, out);
                self.end(context);
                out.action = Some(Action::Abandon);
            }
        }
    }

    /// Whether the network has delivered a copy of the last CONNECT, which a client never repeats. A client that has restarted with
    /// the same packet identifier is only delayed.
    fn is_late_connect(&self, connect: &Connect<'_>, context: Context<'_>) -> bool {
        let window = LATE_CONNECT.min(context.settings.retry_interval / 2);
        let is_recent = match self.phase {
            Phase::Connecting => true,
            Phase::Disconnected { .. } => false,
            Phase::Active | Phase::Asleep | Phase::Awake(_) => {
                self.accepted.is_some_and(|accepted| context.now < accepted + window)
            }
        };
        is_recent && self.identity.packet_id == Some(connect.packet_id)
    }

    fn identify(&self, connect: &Connect<'_>, context: Context<'_>) -> Result<Identity, Reason> {
        if connect.keep_alive == 0 || matches!(connect.maximum_packet_size, 1..MIN_PACKET_SIZE) {
            return Err(Reason::PROTOCOL_ERROR);
        }
        let requested = connect.session_expiry.unwrap_or(0);
        // Before MQTT 5, a broker cannot begin a new session that outlasts the connection.
        let is_expiry_replaced = !context.settings.version.is_v5() && connect.clean_start && requested > 0;
        if is_expiry_replaced && !connect.accepts_suggestions {
            return Err(Reason::IMPLEMENTATION_SPECIFIC_ERROR);
        }
        Ok(Identity {
            packet_id: Some(connect.packet_id),
            clean_start: connect.clean_start,
            session_expiry: if is_expiry_replaced { 0 } else { requested },
            is_expiry_replaced,
            keep_alive: Duration::from_secs(connect.keep_alive.into()),
            maximum_packet_size: Some(connect.maximum_packet_size).filter(|size| *size > 0),
            awake_messages: connect.default_awake_messages.filter(|count| *count > 0),
            has_changing_address: connect.has_changing_address,
            is_assigned: connect.client_id.is_empty(),
            will: connect.will.map(|will| self.will(&will, context)).transpose()?,
            credentials: connect.authentication.map(credentials).transpose()?,
        })
    }

    fn will(&self, will: &v2::Will<'_>, context: Context<'_>) -> Result<Will, Reason> {
        let topic = self.resolve(&will.topic, context.predefined).ok_or(Reason::TOPIC_NAME_INVALID)?;
        TopicName::parse(topic).map_err(|_| Reason::TOPIC_NAME_INVALID)?;
        let (topic, payload) = (topic.to_owned(), will.payload.to_vec());
        Ok(Will { topic, payload, qos: will.qos, retain: will.retain })
    }

    /// The broker accepted the client, with these limits.
    pub(crate) fn broker_accepted(&mut self, accepts: Limits, context: Context<'_>, out: &mut Output) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.broker_accepts = accepts;
        self.phase = Phase::Active;
        self.accepted = Some(context.now);
        self.heard = context.now;
        out.note = Some(Note::Connected);
        self.answer_connect(Reason::SUCCESS, out);
        self.pump(context, out);
    }

    fn answer_connect(&self, reason: Reason, out: &mut Output) {
        let Some(packet_id) = self.identity.packet_id else { return };
        let is_accepted = !reason.is_error();
        let replaced = self.identity.is_expiry_replaced && is_accepted;
        let connack = Connack {
            session_present: is_accepted && self.session_present && !self.identity.clean_start,
            packet_id,
            reason,
            session_expiry: replaced.then_some(self.identity.session_expiry),
            server_keep_alive: None,
            authentication: None,
            assigned_client_id: if self.identity.is_assigned && is_accepted { &self.id } else { "" },
        };
        send(&Packet::Connack(connack), out);
    }

    /// The client is not accepted: by the broker, or since the gateway has no room.
    pub(crate) fn refuse(&mut self, reason: Reason, context: Context<'_>, out: &mut Output) {
        self.answer_connect(reason, out);
        self.end(context);
    }

    /// The broker refused the client with this code.
    pub(crate) fn refuse_for(&mut self, code: ReasonCode, context: Context<'_>, out: &mut Output) {
        self.refuse(Reason::from_mqtt(code, v2::PacketType::Connack), context, out);
    }

    /// The connection to the broker ended.
    pub(crate) fn broker_lost(&mut self, context: Context<'_>, out: &mut Output) {
        match self.phase {
            Phase::Active | Phase::Awake(_) => {
                let reason = Some(Reason::UNSPECIFIED_ERROR);
                let reason_text = "the gateway lost its connection to the broker";
                send(&Packet::Disconnect(Disconnect { reason, reason_text, ..Disconnect::default() }), out);
            }
            // It learns of it when it wakes up.
            Phase::Asleep => {}
            Phase::Connecting | Phase::Disconnected { .. } => return,
        }
        self.end(context);
    }

    /// The gateway ends.
    pub(crate) fn shut_down(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            send_disconnect(Reason::SERVER_SHUTTING_DOWN, out);
            self.leave(context, out);
        }
    }

    /// It makes room for another client.
    pub(crate) fn give_up(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            self.lose(Reason::QUOTA_EXCEEDED, Note::GaveWay, context, out);
        }
    }

    /// Another client replaces it at its address, where a DISCONNECT would be taken for that of the new one.
    pub(crate) fn abandon(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            self.end(context);
            out.action = Some(Action::Abandon);
            out.note = Some(Note::Disconnected);
        }
    }

    /// The client's DISCONNECT, which has no answer.
    pub(super) fn disconnected(
        &mut self,
        disconnect: &Disconnect<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        if let Some(seconds) = disconnect.session_expiry {
            // A session that was to end with the connection cannot be kept [MQTT-SN-3.13.5].
            if self.identity.session_expiry == 0 && seconds > 0 {
                return self.lose(Reason::PROTOCOL_ERROR, Note::Disconnected, context, out);
            }
            self.identity.session_expiry = seconds;
            out.session_expiry = Some(seconds);
        }
        match disconnect.reason {
            // The broker publishes the will.
            Some(reason) if reason == Reason::DISCONNECT_WITH_WILL || reason.is_error() => {
                self.end(context);
                out.action = Some(Action::Abandon);
                out.note = Some(Note::Disconnected);
            }
            _ => self.leave(context, out),
        }
    }

    fn leave(&mut self, context: Context<'_>, out: &mut Output) {
        self.end(context);
        out.action = Some(Action::Disconnect);
        out.note = Some(Note::Disconnected);
    }

    /// Ends a client that violates the protocol or no longer answers. The broker publishes its will.
    pub(super) fn lose(&mut self, reason: Reason, note: Note, context: Context<'_>, out: &mut Output) {
        send_disconnect(reason, out);
        self.end(context);
        out.note = Some(note);
        out.action = Some(Action::Abandon);
    }

    fn end(&mut self, context: Context<'_>) {
        self.phase = Phase::Disconnected { since: context.now };
        self.request = None;
        self.deliveries.restart(self.identity.session_expiry == 0);
    }
}

fn send_disconnect(reason: Reason, out: &mut Output) {
    send(&Packet::Disconnect(Disconnect { reason: Some(reason), ..Disconnect::default() }), out);
}

/// The user name and password of the basic method, each after its length.
fn credentials(authentication: Authentication<'_>) -> Result<Credentials, Reason> {
    if authentication.method != BASIC {
        return Err(Reason::BAD_AUTHENTICATION_METHOD);
    }
    let parts = split_field(authentication.data).and_then(|(username, rest)| {
        let (password, rest) = split_field(rest)?;
        let username = std::str::from_utf8(username).ok()?.to_owned();
        rest.is_empty().then(|| Credentials { username, password: password.to_vec() })
    });
    parts.ok_or(Reason::MALFORMED_PACKET)
}

/// A field after its length in two octets, and the rest.
fn split_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
