//! The parameters of a client and its connections.

use super::authentication::Authentication;
use crate::hosted::sas::Signer;
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, ReasonCode, Version};
use crate::transport::{Address, Endpoint};
use std::time::Duration;

/// The session expiry of a run, in seconds, in case it ends without DISCONNECT: longer than any pause between connections,
/// and short enough to leave no stale session.
const SESSION_OF_RUN: u32 = 3600;

/// The timeout and the keep alive in seconds of a plain client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const KEEP_ALIVE: u16 = 60;

/// The connection's parameters: client, server and transport.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The broker's endpoint.
    pub endpoint: Endpoint,
    /// The MQTT version.
    pub version: Version,
    /// Whether to set mosquitto's bridge bit in the protocol level. Only before MQTT 5.
    pub is_bridge: bool,
    /// The client identifier; empty to let the server assign one.
    pub client_id: String,
    /// Whether to discard an existing session.
    pub clean_start: bool,
    /// Whether later connections continue the session of the first one even after a clean start. It needs a session expiry
    /// interval.
    pub resumes_session: bool,
    /// The keep alive interval in seconds; 0 for none.
    pub keep_alive: u16,
    /// The user name.
    pub username: Option<String>,
    pub password: Option<Vec<u8>>,
    /// Signs a new password for each connection, in place of `password`.
    pub signer: Option<Signer>,
    /// Enhanced authentication, beyond user name and password in CONNECT; MQTT 5 only.
    pub authentication: Option<Authentication>,
    /// The will message, published by the server after the client is gone.
    pub will: Option<WillOptions>,
    /// CONNECT's properties.
    pub properties: PropertiesBuf,
    pub disconnect_properties: PropertiesBuf,
    /// The maximum of unacknowledged QoS 1 and 2 messages, even if the server allows more.
    pub maximum_in_flight: u16,
    /// The number of reconnects.
    pub retries: Retries,
    /// The reason code of DISCONNECT when the application is stopped from outside.
    pub stop_reason: ReasonCode,
}

impl Options {
    /// A client without credentials, on a plain connection.
    pub(crate) fn plain(address: Address) -> Options {
        let endpoint = Endpoint {
            address,
            proxy: None,
            preface: None,
            bind: None,
            tls: None,
            web_socket: None,
            timeout: CONNECT_TIMEOUT,
        };
        Options {
            endpoint,
            version: Version::V311,
            is_bridge: false,
            client_id: String::new(),
            clean_start: true,
            resumes_session: false,
            keep_alive: KEEP_ALIVE,
            username: None,
            password: None,
            signer: None,
            authentication: None,
            will: None,
            properties: PropertiesBuf::default(),
            disconnect_properties: PropertiesBuf::default(),
            maximum_in_flight: 20,
            retries: Retries { limit: Some(0), include_first: false },
            stop_reason: ReasonCode::SUCCESS,
        }
    }

    /// Lets the broker keep the session during the run, so that QoS 2 messages survive a lost connection, and removes it at the
    /// end. Only MQTT 5 supports both, and only runs with reconnects need it.
    pub(crate) fn keep_session_for_run(&mut self) {
        let has_choice =
            |list: &PropertiesBuf| list.as_properties().find(PropertyId::SessionExpiryInterval).is_some();
        let is_chosen = has_choice(&self.properties) || has_choice(&self.disconnect_properties);
        if !self.version.is_v5() || !self.clean_start || is_chosen || self.retries.limit == Some(0) {
            return;
        }
        let keep = |list: &mut PropertiesBuf, seconds| {
            list.push(PropertyId::SessionExpiryInterval, PropertyValue::Number(seconds))
        };
        let kept = keep(&mut self.properties, SESSION_OF_RUN)
            .and_then(|()| keep(&mut self.disconnect_properties, 0));
        debug_assert!(kept.is_ok(), "a number of four bytes that was not there");
        self.resumes_session = true;
    }
}

/// The number of retries before giving up. The count restarts after a connection that worked: a message got through, or it
/// lasted. Otherwise a broker that accepts the client but closes at each message, as some do for a forbidden topic, would be
/// retried forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    /// The maximum of attempts in a row; `None` for no limit.
    pub limit: Option<u32>,
    /// Whether to retry the first connection as well. By default, a wrong host is reported immediately.
    pub include_first: bool,
}

/// The will message, published by the server after the client is gone.
#[derive(Debug, Clone)]
pub(crate) struct WillOptions {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub properties: PropertiesBuf,
}

impl WillOptions {
    pub(crate) fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}
