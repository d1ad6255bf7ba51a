//! From CONNECT to CONNACK, including AUTH packets if the client has to authenticate.
//!
//! A machine that plays a thousand devices computes their proofs on a few processors. So the time that the client
//! itself takes is measured separately; it counts neither as the broker's latency nor towards the broker's time
//! limit.

use super::connect::Link;
use super::identity::ClientIndex;
use super::plan::{Broker, ClientSlot, Task, Will};
use super::record::Record;
use super::template::Values;
use super::worker::{BEATS_PER_KEEP_ALIVE, Shared};
use crate::client::{Claim, Dialogue, first_packet, say_why, take_first};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, Session};
use crate::protocol::{self, Connack, Connect, MAX_PACKET_SIZE, PropertiesBuf, PropertyId, PropertyValue};
use crate::transport::Connection;
use std::borrow::Cow;
use std::future::pending;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// Allowance for the packet's bytes besides the payload; a larger packet is not ours.
const MOST_OVERHEAD: usize = 256 * 1024;

/// Session expiry interval of clients that keep their session while they are away.
const SESSION_EXPIRY_SECONDS: u32 = 3600;

/// A client that is connected and has not sent CONNECT yet.
pub(super) struct Introduction<'a> {
    pub(super) shared: &'a Shared,
    pub(super) slot: ClientSlot,
    /// Whether the client resumes its session.
    pub(super) resumes: bool,
    /// The deadline for CONNACK.
    pub(super) deadline: Instant,
}

/// The client's own time between CONNECT and CONNACK.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnTime {
    /// From the broker's AUTH packets to our answers.
    pub(super) whole: Duration,
    /// The processor time within `whole`.
    computed: Duration,
}

impl OwnTime {
    /// Records the times of an accepted client.
    pub(super) fn hand_in(self, record: &mut Record) {
        if self.whole.is_zero() {
            return;
        }
        record.authenticate.record(self.computed.as_nanos() as u64);
        record.authenticate_wait.record(self.whole.saturating_sub(self.computed).as_nanos() as u64);
        record.cpu += self.computed;
    }
}

impl Introduction<'_> {
    /// Sends CONNECT and waits for a CONNACK that accepts the client.
    ///
    /// # Errors
    /// If none arrives in time, with the reason.
    pub(super) async fn carry_out<M>(
        &self,
        mut connection: Connection,
        mut session: Session<M>,
    ) -> Result<(Link<M>, OwnTime), Error> {
        let broker = &self.shared.plan.broker;
        let index = self.shared.plan.client_index(self.slot);
        let (username, password) = (broker.identities.username(index), broker.identities.password(index));
        let properties = self.properties();
        let claim = Claim {
            authentication: broker.authentication.as_ref(),
            username: username.as_deref(),
            password: password.as_deref(),
            properties: &properties,
            patience: broker.endpoint.timeout,
        };
        let mut dialogue = Dialogue::new(claim);
        match self.exchange(&claim, &mut dialogue, &mut connection).await {
            Ok(Agreed { accepts, peer_accepts, keep_alive, has_session, own_time }) => {
                if self.slot.task.publishes() {
                    let asked = self.shared.plan.group(self.slot).qos;
                    self.shared.gauges.note_granted(asked, peer_accepts.maximum_qos);
                }
                session.start(broker.version, accepts, peer_accepts, has_session);
                let own_time = OwnTime { whole: own_time, computed: dialogue.computed() };
                Ok((Link { connection, session, keep_alive, has_session }, own_time))
            }
            Err(error) => {
                say_why(&mut connection, &error).await;
                Err(error)
            }
        }
    }

    async fn exchange(
        &self,
        claim: &Claim<'_>,
        dialogue: &mut Dialogue<'_>,
        connection: &mut Connection,
    ) -> Result<Agreed, Error> {
        let broker = &self.shared.plan.broker;
        self.send_connect(claim, dialogue, connection)?;
        let begin = Instant::now();
        let accepts = accepts(self.shared);
        let mut turns = Turns { deadline: self.deadline, asked: None, own_time: Duration::ZERO };
        loop {
            let progress = tokio::select! {
                step = dialogue.next() => {
                    step?.append(MAX_PACKET_SIZE, connection.output())?;
                    turns.answered();
                    continue;
                }
                () = turns.time_is_up() => return Err(Error::Timeout(broker.endpoint.timeout)),
                progress = connection.progress(true) => progress.map_err(Error::NotAccepted)?,
            };
            while let Some((size, packet)) = first_packet(connection.buffers().0, &accepts, broker.version)? {
                let Some(connack) = take_first(packet, size, broker.version, dialogue)? else {
                    turns.asked();
                    connection.consume(size);
                    continue;
                };
                let (peer_accepts, has_session) = (Limits::of_server(&connack), connack.session_present);
                let keep_alive = keep_alive(broker, &connack, begin);
                connection.consume(size);
                let own_time = turns.own_time;
                return Ok(Agreed { accepts, peer_accepts, keep_alive, has_session, own_time });
            }
            if progress.is_closed {
                return Err(Error::Closed("before accepting it"));
            }
        }
    }

    fn send_connect(
        &self,
        claim: &Claim<'_>,
        dialogue: &mut Dialogue<'_>,
        connection: &mut Connection,
    ) -> Result<(), Error> {
        let broker = &self.shared.plan.broker;
        let index = self.shared.plan.client_index(self.slot);
        let client_id = broker.identities.client_id(index);
        let will_topic = broker.will.as_ref().map(|will| will_topic(will, index, &client_id));
        let will = broker.will.as_ref().zip(will_topic.as_deref()).map(|(will, topic)| protocol::Will {
            topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.as_properties(),
        });
        let (username, password) = claim.shown();
        let properties = dialogue.connect_properties()?;
        let connect = Connect {
            version: broker.version,
            is_bridge: false,
            // In MQTT 3, a session with clean session set is never kept.
            clean_start: broker.clean_start
                && !self.resumes
                && (!self.keeps_session() || broker.version.is_v5()),
            keep_alive: broker.keep_alive,
            client_id: &client_id,
            will,
            username,
            password,
            properties: properties.as_properties(),
        };
        Ok(connect.encode(connection.output())?)
    }

    fn keeps_session(&self) -> bool {
        self.shared.plan.broker.keeps_sessions && self.slot.task == Task::Subscribe
    }

    /// CONNECT's properties, without those for authentication.
    fn properties(&self) -> Cow<'_, PropertiesBuf> {
        let broker = &self.shared.plan.broker;
        let expiry =
            if self.keeps_session() && broker.version.is_v5() { session_expiry(broker) } else { None };
        expiry.map_or(Cow::Borrowed(&broker.properties.connect), Cow::Owned)
    }
}

/// The result of CONNECT and CONNACK.
struct Agreed {
    accepts: Limits,
    peer_accepts: Limits,
    keep_alive: KeepAlive,
    has_session: bool,
    own_time: Duration,
}

/// Accounts for the time between CONNECT and CONNACK: the broker's or the client's.
struct Turns {
    /// The broker's deadline, which moves back by the time that the client takes.
    deadline: Instant,
    /// When the broker sent a challenge that is not answered yet.
    asked: Option<Instant>,
    own_time: Duration,
}

impl Turns {
    fn asked(&mut self) {
        self.asked = Some(Instant::now());
    }

    fn answered(&mut self) {
        if let Some(asked) = self.asked.take() {
            let time = asked.elapsed();
            self.own_time += time;
            self.deadline += time;
        }
    }

    async fn time_is_up(&self) {
        match self.asked {
            Some(_) => pending().await,
            None => sleep_until(self.deadline.into()).await,
        }
    }
}

fn will_topic(will: &Will, index: ClientIndex, client: &str) -> String {
    let mut topic = String::new();
    let values = Values { run: index.run, publisher: index.number, subscriber: 0, client, sequence: 0 };
    will.topic.fill_in(&values, &mut topic);
    topic
}

/// Adds a session expiry interval to the properties, unless they already have one.
fn session_expiry(broker: &Broker) -> Option<PropertiesBuf> {
    let mut properties = broker.properties.connect.clone();
    if properties.as_properties().find(PropertyId::SessionExpiryInterval).is_some() {
        return None;
    }
    let expiry = PropertyValue::Number(SESSION_EXPIRY_SECONDS);
    properties.push(PropertyId::SessionExpiryInterval, expiry).expect("it is a number of four bytes");
    Some(properties)
}

/// Our limits for incoming packets: the longest payload and some overhead.
fn accepts(shared: &Shared) -> Limits {
    let longest = u32::try_from(shared.plan.longest_payload() + MOST_OVERHEAD);
    let limits = Limits::default();
    let maximum_packet_size =
        longest.map_or(limits.maximum_packet_size, |ours| ours.min(limits.maximum_packet_size));
    Limits { maximum_packet_size, ..limits }
}

/// Pings a quarter early, since keep alive is checked only every quarter of the interval.
fn keep_alive(broker: &Broker, connack: &Connack<'_>, now: Instant) -> KeepAlive {
    let interval = connack.properties.two_bytes(PropertyId::ServerKeepAlive).unwrap_or(broker.keep_alive);
    let early = interval - interval / BEATS_PER_KEEP_ALIVE as u16;
    KeepAlive::new(early, now)
}
