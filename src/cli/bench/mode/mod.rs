//! The modes of `mq bench`, one file for each: its options, its help, and its conversion to a run.

pub(super) mod compare;
pub(super) mod conn;
pub(super) mod merge;
pub(super) mod publish;
pub(super) mod pubsub;
pub(super) mod reconnect;
pub(super) mod request;
pub(super) mod scenario;
pub(super) mod subscribe;
