//! The handshake of a client of a run: CONNECT as the plan describes it, and the times up to CONNACK.
//!
//! This machine computes the proofs of thousands of clients on a few CPUs. So the time that the client
//! itself takes is measured separately; it counts neither as the broker's latency nor towards the broker's time
//! limit.

use super::broker_limits::BrokerLimits;
use super::client_slot::{ClientSlot, Task};
use super::context::CHECKS_PER_KEEP_ALIVE;
use super::gauges::Gauges;
use super::identity::fill_in;
use super::plan::{Broker, Plan};
use crate::client::{AnswerTime, Authenticator, Claim, Error, Handshake, Terms, TimeLimit};
use crate::protocol::session::{KeepAlive, Limits, Session};
use crate::protocol::{self, Connack, Connect, PropertiesBuf, PropertyId, PropertyValue};
use crate::transport::Connection;
use std::borrow::Cow;
use std::time::Instant;

/// Allowance for the packet's bytes besides the payload; a larger packet is not ours.
const MAX_OVERHEAD: usize = 256 * 1024;

/// Session expiry interval of clients that keep their session while they are away.
const SESSION_EXPIRY_SECONDS: u32 = 3600;

/// An accepted connection.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) keep_alive: KeepAlive,
    /// Whether the broker still had the session.
    pub(super) has_session: bool,
}

/// A client that is connected and has not sent CONNECT yet.
pub(super) struct ClientHandshake<'a> {
    pub(super) plan: &'a Plan,
    pub(super) gauges: &'a Gauges,
    pub(super) slot: ClientSlot,
    /// Whether the client resumes its session.
    pub(super) resumes: bool,
    /// When the client began to connect.
    pub(super) start: Instant,
}

impl ClientHandshake<'_> {
    /// Sends CONNECT and waits for a CONNACK that accepts the client. Returns the time for the client's own answers as well.
    ///
    /// # Errors
    /// If none arrives in time, with the reason.
    pub(super) async fn run<M>(
        &self,
        mut connection: Connection,
        session: &mut Session<M>,
    ) -> Result<(Link, AnswerTime), Error> {
        let broker = &self.plan.broker;
        let index = self.plan.client_index(self.slot);
        let (username, password) = (broker.identities.username(index), broker.identities.password(index));
        let properties = self.properties();
        let timeout = broker.endpoint.timeout;
        let claim = Claim {
            authentication: broker.authentication.as_ref(),
            username: username.as_deref(),
            password: password.as_deref(),
            properties: &properties,
            timeout,
        };
        let client_id = broker.identities.client_id(index);
        let will_index = self.plan.will_index(self.slot);
        let will_topic = self.plan.will(self.slot).map(|will| fill_in(&will.topic, will_index, &client_id));
        let connect = self.connect_packet(&claim, &client_id, will_topic.as_deref());
        let time_limit = TimeLimit { start: self.start, timeout, counts_answers: false };
        let mut authenticator = Authenticator::new(claim);
        let handshake = Handshake { connect, accepts: accepts(self.plan), time_limit };
        let terms =
            handshake.run(&mut connection, &mut authenticator, |connack| self.note_limits(connack)).await?;
        if self.slot.task.publishes() {
            let asked = self.plan.group(self.slot).qos;
            self.gauges.note_granted(asked, terms.peer_accepts.maximum_qos);
        }
        let (keep_alive, has_session) = (early(&terms), terms.session_present);
        session.start(broker.session_version(), terms.accepts, terms.peer_accepts, has_session);
        Ok((Link { connection, keep_alive, has_session }, authenticator.answer_time()))
    }

    /// Records the limits of the broker, from the first CONNACK of MQTT 5.
    fn note_limits(&self, connack: &Connack<'_>) {
        if self.plan.broker.version.is_v5() {
            self.gauges.limits.get_or_init(|| BrokerLimits::of(connack));
        }
    }

    fn connect_packet<'c>(
        &'c self,
        claim: &Claim<'c>,
        client_id: &'c str,
        will_topic: Option<&'c str>,
    ) -> Connect<'c> {
        let broker = &self.plan.broker;
        let will = self.plan.will(self.slot).zip(will_topic).map(|(will, topic)| protocol::Will {
            topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.as_properties(),
        });
        Connect {
            version: broker.session_version(),
            is_bridge: false,
            // In MQTT 3, a session with clean session set is never kept.
            clean_start: self.plan.clean_start(self.slot)
                && !self.resumes
                && (!self.keeps_session() || broker.version.is_v5()),
            keep_alive: self.plan.keep_alive(self.slot),
            client_id,
            will,
            username: claim.username,
            password: claim.password,
            properties: claim.properties.as_properties(),
        }
    }

    fn keeps_session(&self) -> bool {
        self.plan.keeps_sessions(self.plan.group(self.slot)) && self.slot.task == Task::Subscribe
    }

    /// CONNECT's properties, without those for authentication.
    fn properties(&self) -> Cow<'_, PropertiesBuf> {
        let broker = &self.plan.broker;
        if let Some(seconds) = self.plan.group(self.slot).session.session_expiry {
            return Cow::Owned(with_session_expiry(&broker.properties.connect, seconds));
        }
        let expiry =
            if self.keeps_session() && broker.version.is_v5() { session_expiry(broker) } else { None };
        expiry.map_or(Cow::Borrowed(&broker.properties.connect), Cow::Owned)
    }
}

/// Adds a session expiry interval to the properties, unless they already have one.
fn session_expiry(broker: &Broker) -> Option<PropertiesBuf> {
    let properties = &broker.properties.connect;
    let is_set = properties.as_properties().find(PropertyId::SessionExpiryInterval).is_some();
    (!is_set).then(|| with_session_expiry(properties, SESSION_EXPIRY_SECONDS))
}

/// The properties with this session expiry interval.
fn with_session_expiry(properties: &PropertiesBuf, seconds: u32) -> PropertiesBuf {
    let mut changed = PropertiesBuf::new();
    let others =
        properties.as_properties().iter().filter(|property| property.id != PropertyId::SessionExpiryInterval);
    others.for_each(|property| changed.push_checked(property));
    let expiry = PropertyValue::Number(seconds);
    changed.push(PropertyId::SessionExpiryInterval, expiry).expect("it is a number of four bytes");
    changed
}

/// Our limits for incoming packets: the longest payload and some overhead.
fn accepts(plan: &Plan) -> Limits {
    let longest = u32::try_from(plan.longest_payload() + MAX_OVERHEAD);
    let limits = Limits::default();
    let maximum_packet_size =
        longest.map_or(limits.maximum_packet_size, |ours| ours.min(limits.maximum_packet_size));
    Limits { maximum_packet_size, ..limits }
}

/// Pings a quarter early, since keep alive is checked only every quarter of the interval.
fn early(terms: &Terms) -> KeepAlive {
    let mut keep_alive = terms.keep_alive;
    let interval = u16::try_from(keep_alive.interval().as_secs()).unwrap_or(u16::MAX);
    keep_alive.set_interval(interval - interval / CHECKS_PER_KEEP_ALIVE as u16);
    keep_alive
}
