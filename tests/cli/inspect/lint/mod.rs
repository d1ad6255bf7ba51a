//! `mq inspect --lint`: what breaks a statement of the specification is found where it stands, and nothing else is.

mod corpus;
mod delivery;
mod exchanges;
mod options;
mod packets;
mod sessions;
mod support;
