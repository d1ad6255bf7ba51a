//! One client's way to an accepted connection, each step timed.

use super::identity::Who;
use super::plan::{Broker, Part, Task, Will};
use super::record::Record;
use super::template::Values;
use super::worker::{BEATS_PER_KEEP_ALIVE, Shared};
use crate::client::{accepted, first_packet};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, Role, Session};
use crate::protocol::{self, Connack, Connect, PropertiesBuf, PropertyId, PropertyValue};
use crate::transport::{ConnectError, Connection, Stream, tls, web_socket};
use std::mem::replace;
use std::time::{Duration, Instant};

/// No packet that is larger than this many bytes besides the payload is of ours.
const MOST_OVERHEAD: usize = 256 * 1024;

/// How long a broker is to keep the session of a client that is away.
const SESSION_EXPIRY_SECONDS: u32 = 3600;

/// An accepted connection. `M` is what the session keeps of a message.
pub(super) struct Link<M> {
    pub(super) connection: Connection,
    pub(super) session: Session<M>,
    pub(super) keep_alive: KeepAlive,
    /// Whether the broker still had the session.
    pub(super) has_session: bool,
}

/// A session that has nothing to remember yet.
pub(super) fn new_session<M>(shared: &Shared) -> Session<M> {
    Session::new(Role::Client, shared.plan.broker.version)
}

/// Connects a client, for the first time when it does not resume its session.
///
/// # Errors
/// When it does not come to a CONNACK that accepts it in time.
pub(super) async fn connect<M>(
    shared: &Shared,
    part: Part,
    session: Session<M>,
    resumes: bool,
) -> Result<Link<M>, Error> {
    let limit = shared.plan.broker.endpoint.timeout;
    match tokio::time::timeout(limit, connect_in_steps(shared, part, session, resumes)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Timeout(limit)),
    }
}

async fn connect_in_steps<M>(
    shared: &Shared,
    part: Part,
    session: Session<M>,
    resumes: bool,
) -> Result<Link<M>, Error> {
    let is_return = shared.orders().drops > 0;
    let begin = Instant::now();
    let mut steps = Steps::default();
    let stream = steps.climb(shared, part, begin).await?;
    let ready = Instant::now();
    let watch = shared.plan.broker.watch.as_ref();
    let tap = watch.and_then(|watch| watch.tap(part, shared.plan.number_of(part), &stream));
    let mut connection = Connection::watched(stream, tap);
    send_connect(shared, part, resumes, &mut connection)?;
    let link = introduce(shared, connection, session, ready).await?;
    let accepted = Instant::now();
    let mut record = shared.record.borrow_mut();
    steps.hand_in(&mut record);
    record.connack.record((accepted - ready).as_nanos() as u64);
    if !is_return {
        record.accepting.note(shared.nanoseconds(begin));
        record.accepting.note(shared.nanoseconds(accepted));
    }
    Ok(link)
}

/// How long the layers beneath MQTT took.
#[derive(Default)]
struct Steps {
    socket: Duration,
    tls: Option<Duration>,
    web_socket: Option<Duration>,
}

impl Steps {
    /// Connects layer by layer.
    async fn climb(&mut self, shared: &Shared, part: Part, begin: Instant) -> Result<Stream, ConnectError> {
        let endpoint = shared.route.endpoint();
        let mut stream = shared.route.connect_socket(shared.plan.number_of(part)).await?;
        let mut before = Instant::now();
        self.socket = before - begin;
        if let Some(tls) = &endpoint.tls {
            stream = tls::connect(stream, tls).await?;
            let now = Instant::now();
            self.tls = Some(now - replace(&mut before, now));
        }
        if let Some(upgrade) = &endpoint.web_socket {
            stream = web_socket::connect(stream, upgrade).await?;
            self.web_socket = Some(before.elapsed());
        }
        Ok(stream)
    }

    /// Notes the times of a client that was accepted.
    fn hand_in(&self, record: &mut Record) {
        record.tcp_connect.record(self.socket.as_nanos() as u64);
        self.tls.iter().for_each(|time| record.tls.record(time.as_nanos() as u64));
        self.web_socket.iter().for_each(|time| record.web_socket.record(time.as_nanos() as u64));
    }
}

fn send_connect(
    shared: &Shared,
    part: Part,
    resumes: bool,
    connection: &mut Connection,
) -> Result<(), Error> {
    let broker = &shared.plan.broker;
    let who = shared.plan.who(part);
    let client_id = broker.identities.client_id(who);
    let keeps_session = broker.keeps_sessions && part.task == Task::Subscribe;
    let properties = if keeps_session && broker.version.is_v5() { session_expiry(broker) } else { None };
    let will_topic = broker.will.as_ref().map(|will| will_topic(will, who, &client_id));
    let will = broker.will.as_ref().zip(will_topic.as_deref()).map(|(will, topic)| protocol::Will {
        topic,
        payload: &will.payload,
        qos: will.qos,
        retain: will.retain,
        properties: will.properties.as_properties(),
    });
    let username = broker.identities.username(who);
    let password = broker.identities.password(who);
    let connect = Connect {
        version: broker.version,
        is_bridge: false,
        // MQTT 3 keeps no session that began clean.
        clean_start: broker.clean_start && !resumes && (!keeps_session || broker.version.is_v5()),
        keep_alive: broker.keep_alive,
        client_id: &client_id,
        will,
        username: username.as_deref(),
        password: password.as_deref(),
        properties: properties.as_ref().unwrap_or(&broker.properties.connect).as_properties(),
    };
    Ok(connect.encode(connection.output())?)
}

fn will_topic(will: &Will, who: Who, client: &str) -> String {
    let mut topic = String::new();
    let values = Values { run: who.run, publisher: who.number, subscriber: 0, client, sequence: 0 };
    will.topic.fill_in(&values, &mut topic);
    topic
}

/// The properties of a client whose session is kept, unless they say already for how long.
fn session_expiry(broker: &Broker) -> Option<PropertiesBuf> {
    let mut properties = broker.properties.connect.clone();
    if properties.as_properties().find(PropertyId::SessionExpiryInterval).is_some() {
        return None;
    }
    let expiry = PropertyValue::Number(SESSION_EXPIRY_SECONDS);
    properties.push(PropertyId::SessionExpiryInterval, expiry).expect("it is a number of four bytes");
    Some(properties)
}

/// What we accept: no packet that is much longer than ours.
fn accepts(shared: &Shared) -> Limits {
    let longest = u32::try_from(shared.plan.longest_payload() + MOST_OVERHEAD);
    let limits = Limits::default();
    let maximum_packet_size =
        longest.map_or(limits.maximum_packet_size, |ours| ours.min(limits.maximum_packet_size));
    Limits { maximum_packet_size, ..limits }
}

/// Waits for CONNACK.
async fn introduce<M>(
    shared: &Shared,
    mut connection: Connection,
    mut session: Session<M>,
    now: Instant,
) -> Result<Link<M>, Error> {
    let broker = &shared.plan.broker;
    let accepts = accepts(shared);
    loop {
        let progress = connection.progress(true).await.map_err(Error::Lost)?;
        let input = connection.buffers().0;
        if let Some((size, packet)) = first_packet(input, &accepts, broker.version)? {
            let connack = accepted(packet, size, broker.version)?;
            let has_session = connack.session_present;
            session.start(broker.version, accepts, Limits::of_server(&connack), has_session);
            let keep_alive = keep_alive(broker, &connack, now);
            connection.consume(size);
            return Ok(Link { connection, session, keep_alive, has_session });
        }
        if progress.is_closed {
            return Err(Error::Closed("before accepting it"));
        }
    }
}

/// Pings a quarter early, since nobody looks more often than every quarter of the interval.
fn keep_alive(broker: &Broker, connack: &Connack<'_>, now: Instant) -> KeepAlive {
    let interval = connack.properties.two_bytes(PropertyId::ServerKeepAlive).unwrap_or(broker.keep_alive);
    let early = interval - interval / BEATS_PER_KEEP_ALIVE as u16;
    KeepAlive::new(early, now)
}
