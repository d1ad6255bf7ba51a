//! MQTT-SN: the gateway, and the clients of a gateway.

mod client;
mod faults;
mod gateway;
mod options;
mod sleep;
mod through;
