//! `mqkit`: what the `mq` binary is made of.

pub mod protocol;
pub mod transport;
