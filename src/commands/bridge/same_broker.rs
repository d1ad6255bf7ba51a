//! Whether both addresses of a bridge lead to the same broker, for `--check`.
//!
//! A broker has one client with an identifier: a second one ends the first. So two clients with the same identifier, one at each
//! address, find out without a message, and no bridge between two brokers can pretend it.
//!
//! A connection can also end for other reasons: a broker that restarts, another check at the same time. So the identifiers are
//! random, the test is repeated in the other direction, and between both, clients with two identifiers must stay connected.

use super::check_client::options;
use crate::bridge::Settings;
use crate::bridge::loops::{Graph, Link, LinkEnd};
use crate::bridge::rule::Rule;
use crate::bridge::settings::End;
use crate::client;
use crate::commands::doctor::probe_connection::ProbeConnection;
use crate::protocol::{Disconnect, Properties, Qos, ReasonCode};

/// Whether the rules would loop if both ends were on the same broker.
pub(super) fn matters(settings: &Settings, rules: &[Rule]) -> bool {
    let end = |end: &End| LinkEnd { broker: 0, has_no_local: end.has_no_local() };
    let (local, remote) = (end(&settings.local), end(&settings.remote));
    let link = Link { rules, local, remote, stops_marked: settings.hop_mark.is_some() };
    // Hosted services accept known identifiers only.
    let accepts_any = |end: &End| end.maximum_qos == Qos::ExactlyOnce;
    accepts_any(&settings.local)
        && accepts_any(&settings.remote)
        && Graph::new(&[link]).first_loop().is_some()
}

/// Whether both addresses lead to the same broker.
///
/// # Errors
/// If a broker does not accept the clients, or does not answer them.
pub(super) async fn is_same(settings: &Settings) -> Result<bool, client::Error> {
    let (local, remote) = (&settings.local, &settings.remote);
    let identifier = || format!("{}-{:08x}", options(remote).client_id, fastrand::u32(..));
    let [one, other, control] = [identifier(), identifier(), identifier()];
    Ok(ends(local, remote, [&one, &one]).await?
        && !ends(local, remote, [&one, &control]).await?
        && ends(remote, local, [&other, &other]).await?)
}

/// Whether the connection of a client ends when a second client connects.
async fn ends(first: &End, second: &End, [first_id, second_id]: [&str; 2]) -> Result<bool, client::Error> {
    let mut first = connect(first, first_id).await?;
    if !answers(&mut first).await? {
        return Ok(false);
    }
    let second = connect(second, second_id).await?;
    let mut answer = answers(&mut first).await;
    if answer.is_ok() {
        // A broker may answer once more before it ends the first client.
        answer = answers(&mut first).await;
    }
    let has_ended = match answer {
        Ok(_) => false,
        Err(client::Error::Disconnected { reason, .. }) => reason == ReasonCode::SESSION_TAKEN_OVER,
        Err(client::Error::Closed | client::Error::Lost(_)) => true,
        Err(_) => false,
    };
    leave(second).await;
    if !has_ended {
        leave(first).await;
    }
    Ok(has_ended)
}

async fn answers(probe: &mut ProbeConnection) -> Result<bool, client::Error> {
    probe.begin();
    Ok(probe.ping().await?.is_some())
}

async fn connect(end: &End, client_id: &str) -> Result<ProbeConnection, client::Error> {
    let mut options = options(end);
    client_id.clone_into(&mut options.client_id);
    // The session ends with the connection.
    options.properties = end.options.properties.clone();
    let accepted = client::open(&options).await?;
    Ok(ProbeConnection::new(accepted, options.version, "mq/bridge", options.endpoint.timeout))
}

async fn leave(probe: ProbeConnection) {
    probe.leave(&Disconnect { reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY }).await;
}
