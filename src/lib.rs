//! `mqkit`: the library behind the `mq` binary.
//!
//! Allowed dependencies: `commands -> {client, bench, broker, inspect, output, passwd, cli}`, `client, bench, broker -> {protocol, transport}`,
//! `client, broker, passwd -> authentication`, `bench -> client` for logins, `cli, client -> service -> protocol`,
//! `authentication, protocol -> nothing of ours`. Option names appear only in `commands` and `cli`.

pub mod authentication;
pub mod bench;
pub mod broker;
pub mod cli;
pub mod client;
pub mod commands;
pub mod escape;
pub mod hosted;
pub mod input_file;
pub mod inspect;
pub mod json;
pub mod message;
pub mod output;
pub mod passwd;
pub mod payload;
pub mod protocol;
mod quantity;
pub mod recording;
mod suggestion;
mod time_zone;
pub mod transport;
