//! `mq inspect --lint`: violations of statements of the specification are found at their place, and nothing else is.

mod corpus;
mod delivery;
mod exchanges;
mod options;
mod packets;
mod sessions;
pub mod sparkplug;
mod support;
