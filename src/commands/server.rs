//! The other side of a client's connection, in messages: a broker, or an MQTT-SN gateway with return codes of its own.

use crate::protocol::ReasonCode;
use crate::protocol::sn::Version;
use crate::protocol::sn::client::return_code_of;
use crate::transport::Address;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Broker,
    Gateway(Version),
}

impl Server {
    pub(super) fn at(address: &Address) -> Server {
        match address {
            Address::Gateway { options, .. } => Server::Gateway(options.version),
            _ => Server::Broker,
        }
    }

    /// The reason for a rejection, as the server sent it.
    pub(super) fn reason(self, reason_code: ReasonCode) -> String {
        match self {
            // MQTT-SN 2.0 has the reason codes of MQTT 5.
            Server::Broker | Server::Gateway(Version::V20) => reason_code.to_string(),
            Server::Gateway(Version::V12) => return_code_of(reason_code).to_string(),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Server::Broker => "the broker",
            Server::Gateway(_) => "the gateway",
        })
    }
}
