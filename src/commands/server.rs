//! The other side of a client's connection, in messages: a broker, or an MQTT-SN gateway with return codes of its own.

use crate::protocol::ReasonCode;
use crate::protocol::sn::client::return_code_of;
use crate::transport::Address;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Broker,
    Gateway,
}

impl Server {
    pub(super) fn at(address: &Address) -> Server {
        if matches!(address, Address::Gateway { .. }) { Server::Gateway } else { Server::Broker }
    }

    /// The reason for a rejection, as the server sent it.
    pub(super) fn reason(self, reason_code: ReasonCode) -> String {
        match self {
            Server::Broker => reason_code.to_string(),
            Server::Gateway => return_code_of(reason_code).to_string(),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Server::Broker => "the broker",
            Server::Gateway => "the gateway",
        })
    }
}
