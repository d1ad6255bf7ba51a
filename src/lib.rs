//! `mqkit`: the library behind the `mq` binary. It is not meant for other programs: public items are there for the
//! binary, the tests, the benchmarks and the fuzz targets.
//!
//! ARCHITECTURE.md has the layers, which a test compares with the `use` lines.

mod authentication;
mod bench;
mod bridge;
mod broker;
mod cli;
mod client;
mod columns;
pub mod commands;
mod escape;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gateway;
mod hosted;
mod html;
mod input_file;
pub mod inspect;
mod json;
mod message;
mod output;
mod passwd;
mod payload;
mod prometheus;
pub mod protocol;
mod quantity;
mod recording;
mod signals;
mod suggestion;
mod time_zone;
mod top;
mod transport;
mod words;
