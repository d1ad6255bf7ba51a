//! MQTT-SN: the gateway, and the clients of a gateway.

mod aggregate;
mod client;
mod faults;
mod gateway;
mod options;
mod sleep;
mod through;
mod version_2;
