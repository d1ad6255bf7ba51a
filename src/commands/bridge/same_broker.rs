//! Whether both addresses of a bridge lead to the same broker, for `--check`.
//!
//! A broker has one client with an identifier: a second one ends the first. So two clients with the same identifier, one at each
//! address, find out without a message, and no bridge between two brokers can pretend it.

use super::check_client::{forgotten, options};
use crate::bridge::Settings;
use crate::bridge::loops::{Graph, Link, LinkEnd};
use crate::bridge::rule::Rule;
use crate::bridge::settings::End;
use crate::client;
use crate::commands::doctor::probe_connection::ProbeConnection;
use crate::protocol::{Disconnect, Qos, ReasonCode};

/// The end of the identifier of both clients.
const SUFFIX: &str = "-same";

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
/// If a broker does not accept the client.
pub(super) async fn is_same(settings: &Settings) -> Result<bool, client::Error> {
    let client_id = format!("{}{SUFFIX}", options(&settings.remote).client_id);
    let mut first = connect(&settings.local, &client_id).await?;
    let second = connect(&settings.remote, &client_id).await?;
    first.begin();
    let is_same = match first.ping().await {
        Ok(answer) => {
            if answer.is_some() {
                leave(first, &settings.local).await;
            }
            false
        }
        Err(client::Error::Disconnected { reason, .. }) => reason == ReasonCode::SESSION_TAKEN_OVER,
        Err(_) => true,
    };
    leave(second, &settings.remote).await;
    Ok(is_same)
}

async fn connect(end: &End, client_id: &str) -> Result<ProbeConnection, client::Error> {
    let mut options = options(end);
    client_id.clone_into(&mut options.client_id);
    let accepted = client::open(&options).await?;
    Ok(ProbeConnection::new(accepted, options.version, "mq/bridge", options.endpoint.timeout))
}

async fn leave(probe: ProbeConnection, end: &End) {
    let forget = forgotten(&options(end));
    probe.leave(&Disconnect { reason_code: ReasonCode::SUCCESS, properties: forget.as_properties() }).await;
}
