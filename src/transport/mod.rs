//! All that owns a descriptor: how to reach a broker, and the buffers between a socket and packets.
//!
//! [`Stream`] is any way to carry MQTT's bytes; the rest of the program knows no other type. [`Connection`] puts a receive
//! and a send buffer around it.

mod connection;
pub mod descriptors;
mod endpoint;
mod error;
mod http;
mod precise_timer;
mod proxy;
mod srv;
mod stream;
pub mod tcp;
pub mod tls;
mod unix;
pub mod web_socket;

pub use connection::{Connection, Progress, Tap};
pub use endpoint::{
    Address, ConnectStep, Endpoint, Layer, Preface, add_layers, connect, connect_observed, connect_socket,
};
pub use error::ConnectError;
pub(crate) use precise_timer::PreciseTimer;
pub use proxy::{Credentials, Proxy, ProxyKind};
pub use stream::Stream;
pub use tls::Tls;
