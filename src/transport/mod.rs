//! Everything that owns a descriptor: the layers of a connection to a broker, and the buffers between a socket and packets.
//!
//! [`Stream`] is any transport of MQTT's bytes, and the only type of stream in the rest of the program. [`Connection`] puts a receive
//! and a send buffer around it.

mod connection;
mod datagram_batch;
pub(crate) mod datagrams;
pub(crate) mod descriptors;
mod endpoint;
mod error;
pub(crate) mod forwarder;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gateway_socket;
mod http;
pub(crate) mod http_get;
pub(crate) mod mqtt_sn;
pub(crate) mod multiplex;
mod precise_timer;
mod proxy;
mod srv;
mod stream;
pub(crate) mod tcp;
pub(crate) mod tls;
mod udp;
pub(crate) mod unix;
pub(crate) mod web_socket;

pub(crate) use connection::{Connection, Progress, Tap};
pub(crate) use datagram_batch::DatagramBatch;
pub(crate) use endpoint::{
    Address, ConnectStep, Endpoint, Layer, Preface, add_layers, connect, connect_observed, connect_socket,
};
pub(crate) use error::ConnectError;
pub(crate) use mqtt_sn::GatewayOptions;
pub(crate) use precise_timer::PreciseTimer;
pub(crate) use proxy::{Credentials, Proxy, ProxyKind};
pub(crate) use stream::Stream;
pub(crate) use tls::Tls;
pub(crate) use udp::DatagramSocket;
