//! MQTT-SN: the gateway, and the clients of a gateway.

mod aggregate;
mod aggregate_v2;
mod client;
mod faults;
mod gateway;
mod options;
mod sleep;
mod through;
mod version_2;
