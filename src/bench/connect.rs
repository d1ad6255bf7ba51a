//! One client's way to an accepted connection, each step timed.

use super::limits::Sources;
use super::plan::{Broker, Part};
use super::worker::{BEATS_PER_KEEP_ALIVE, Route, Shared};
use crate::client::{accepted, first_packet};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, Role, Session};
use crate::protocol::{Connack, Connect, Properties, PropertyId};
use crate::transport::{self, ConnectError, Connection, Endpoint, Stream, tcp};
use std::io;
use std::time::Instant;

/// No packet that is larger than this many bytes besides the payload is of ours.
const MOST_OVERHEAD: usize = 256 * 1024;

/// An accepted connection. `M` is what the session keeps of a message.
pub(super) struct Link<M> {
    pub(super) connection: Connection,
    pub(super) session: Session<M>,
    pub(super) keep_alive: KeepAlive,
}

/// Connects a client.
///
/// # Errors
/// When it does not come to a CONNACK that accepts it in time.
pub(super) async fn connect<M>(shared: &Shared, part: Part) -> Result<Link<M>, Error> {
    let limit = shared.plan.broker.connect_timeout;
    match tokio::time::timeout(limit, connect_in_steps(shared, part)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Timeout(limit)),
    }
}

async fn connect_in_steps<M>(shared: &Shared, part: Part) -> Result<Link<M>, Error> {
    let begin = Instant::now();
    let stream = dial(shared, part).await?;
    let connected = Instant::now();
    let link = introduce(shared, part, Connection::new(stream), connected).await?;
    let accepted = Instant::now();
    let mut record = shared.record.borrow_mut();
    record.tcp_connect.record((connected - begin).as_nanos() as u64);
    record.connack.record((accepted - connected).as_nanos() as u64);
    record.accepting.note(shared.nanoseconds(begin));
    record.accepting.note(shared.nanoseconds(accepted));
    Ok(link)
}

async fn dial(shared: &Shared, part: Part) -> Result<Stream, ConnectError> {
    let Route { target, sources } = &shared.route;
    let timeout = shared.plan.broker.connect_timeout;
    let (bind, candidates) = match sources {
        Sources::System(bind) => (*bind, None),
        Sources::Loopback(loopback) => (None, Some(loopback.candidates(shared.plan.number_of(part)))),
    };
    for source in candidates.into_iter().flatten() {
        match tcp::connect_from(source, *target).await {
            Err(error) if is_port_taken(&error) => {}
            result => return result,
        }
    }
    transport::connect(&Endpoint::tcp(&target.ip().to_string(), target.port(), bind, timeout)).await
}

/// Whether another connection has the local port, or had it a moment ago.
fn is_port_taken(error: &ConnectError) -> bool {
    let (ConnectError::Bind { source, .. } | ConnectError::Connect { source, .. }) = error else {
        return false;
    };
    matches!(source.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}

/// Sends CONNECT and waits for CONNACK.
async fn introduce<M>(
    shared: &Shared,
    part: Part,
    mut connection: Connection,
    now: Instant,
) -> Result<Link<M>, Error> {
    let plan = &shared.plan;
    let client_id = plan.client_id(part);
    let connect = connect_packet(&plan.broker, &client_id);
    let mut accepts = Limits::of_client(&connect);
    accepts.maximum_packet_size = u32::try_from(plan.payload_size + MOST_OVERHEAD)
        .map_or(accepts.maximum_packet_size, |ours| ours.min(accepts.maximum_packet_size));
    connect.encode(connection.output())?;
    loop {
        let progress = connection.progress(true).await.map_err(Error::Lost)?;
        let input = connection.buffers().0;
        if let Some((size, packet)) = first_packet(input, &accepts, plan.broker.version)? {
            let connack = accepted(packet, size, plan.broker.version)?;
            let mut session = Session::new(Role::Client, plan.broker.version);
            session.start(plan.broker.version, accepts, Limits::of_server(&connack), connack.session_present);
            let keep_alive = keep_alive(&plan.broker, &connack, now);
            connection.consume(size);
            return Ok(Link { connection, session, keep_alive });
        }
        if progress.is_closed {
            return Err(Error::Closed("before accepting it"));
        }
    }
}

fn connect_packet<'a>(broker: &'a Broker, client_id: &'a str) -> Connect<'a> {
    Connect {
        version: broker.version,
        is_bridge: false,
        clean_start: broker.clean_start,
        keep_alive: broker.keep_alive,
        client_id,
        will: None,
        username: broker.username.as_deref(),
        password: broker.password.as_deref(),
        properties: Properties::EMPTY,
    }
}

/// Pings a quarter early, since nobody looks more often than every quarter of the interval.
fn keep_alive(broker: &Broker, connack: &Connack<'_>, now: Instant) -> KeepAlive {
    let interval = connack.properties.two_bytes(PropertyId::ServerKeepAlive).unwrap_or(broker.keep_alive);
    let early = interval - interval / BEATS_PER_KEEP_ALIVE as u16;
    KeepAlive::new(early, now)
}
