//! Connects to the broker with the [`Options`] of a client.

use super::application::Application;
use super::authentication::{Authenticator, Claim};
use super::error::Error;
use super::handshake::{Handshake, Terms, TimeLimit};
use super::options::Options;
use crate::protocol::session::Limits;
use crate::protocol::{Connack, Connect, Will};
use crate::transport::{self, Connection, Stream};
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// The time after which the application learns that no gateway has answered.
const SHORT_SEARCH: Duration = Duration::from_millis(1500);

/// The parameters of CONNECT that differ between the connections of a run.
pub(super) struct Attempt<'a, 'i> {
    pub(super) options: &'a Options,
    /// Whether this connection discards an existing session.
    pub(super) clean_start: bool,
    /// The client identifier that the server assigned on an earlier connection.
    pub(super) assigned_client_id: Option<&'i str>,
}

/// A connection that the server accepted, and the negotiated parameters.
pub(super) struct Connected<'a> {
    pub(super) connection: Connection,
    pub(super) authenticator: Authenticator<'a>,
    pub(super) terms: Terms,
}

/// Connects, and exchanges the packets up to CONNACK.
///
/// # Errors
/// As of [`handshake`], or when the connection cannot be made.
pub(crate) async fn open(options: &Options) -> Result<(Connection, Terms), Error> {
    let stream = transport::connect(&options.endpoint).await?;
    handshake(options, Connection::new(stream), |_| {}).await
}

/// Sends CONNECT and waits for a successful CONNACK, up to the endpoint's timeout. For callers that drive the connection
/// step by step; [`run`](super::run) does the rest as well, including re-authentication if requested.
///
/// # Errors
/// If the server does not accept the client in time.
pub(crate) async fn handshake(
    options: &Options,
    connection: Connection,
    accepted: impl FnMut(&Connack<'_>),
) -> Result<(Connection, Terms), Error> {
    let attempt = Attempt { options, clean_start: options.clean_start, assigned_client_id: None };
    let connected = attempt.handshake(connection, accepted).await?;
    Ok((connected.connection, connected.terms))
}

impl<'a> Attempt<'a, '_> {
    pub(super) async fn connect<A: Application>(&self, application: &mut A) -> Result<Connected<'a>, Error> {
        let stream = match self.options.endpoint.address.is_searched() {
            true => Box::pin(self.search(application)).await?,
            false => transport::connect(&self.options.endpoint).await?,
        };
        let tap = application.opened(&stream);
        let connection = Connection::watched(stream, tap);
        self.handshake(connection, |connack| application.accepted(connack)).await
    }

    /// Connects to a gateway that has to be found first, and informs the application if that takes long.
    async fn search<A: Application>(&self, application: &mut A) -> Result<Stream, Error> {
        let endpoint = &self.options.endpoint;
        let mut connecting = pin!(transport::connect(endpoint));
        if let Ok(stream) = timeout(SHORT_SEARCH, connecting.as_mut()).await {
            return Ok(stream?);
        }
        application.searching(endpoint);
        Ok(connecting.await?)
    }

    async fn handshake(
        &self,
        mut connection: Connection,
        accepted: impl FnMut(&Connack<'_>),
    ) -> Result<Connected<'a>, Error> {
        let signed = self.options.signer.as_ref().map(|signer| signer.token(SystemTime::now()));
        let connect = self.connect_packet(signed.as_ref().map(|token| token.as_slice()));
        let accepts = Limits::of_client(&connect);
        let timeout = self.options.endpoint.timeout;
        let time_limit = TimeLimit { start: Instant::now(), timeout, counts_answers: true };
        let mut authenticator = Authenticator::new(self.options.claim());
        let handshake = Handshake { connect, accepts, time_limit };
        let terms = handshake.run(&mut connection, &mut authenticator, accepted).await?;
        Ok(Connected { connection, authenticator, terms })
    }

    fn connect_packet<'c>(&'c self, signed_password: Option<&'c [u8]>) -> Connect<'c> {
        let options = self.options;
        let will = options.will.as_ref().map(|will| Will {
            topic: &will.topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.as_properties(),
        });
        Connect {
            version: options.version,
            is_bridge: options.is_bridge,
            clean_start: self.clean_start,
            keep_alive: options.keep_alive,
            client_id: self.assigned_client_id.unwrap_or(&options.client_id),
            will,
            username: options.username.as_deref(),
            password: signed_password.or(options.password.as_deref()),
            properties: options.properties.as_properties(),
        }
    }
}

impl Options {
    /// The identity that the client claims.
    fn claim(&self) -> Claim<'_> {
        Claim {
            authentication: self.authentication.as_ref(),
            username: self.username.as_deref(),
            password: self.password.as_deref(),
            properties: &self.properties,
            timeout: self.endpoint.timeout,
        }
    }
}
