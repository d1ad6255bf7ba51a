//! What the status topic says: whether a bridge is connected to both brokers.

use crate::client::WillOptions;
use crate::protocol::{PropertiesBuf, Qos};

const WORKS: &[u8] = b"1";
const FAILS: &[u8] = b"0";

/// The payload for a state.
pub(super) fn payload(works: bool) -> &'static [u8] {
    if works { WORKS } else { FAILS }
}

/// The will of a bridge, which tells that it fails.
pub(crate) fn will(topic: &str, qos: Qos, retain: bool) -> WillOptions {
    let properties = PropertiesBuf::new();
    WillOptions { topic: topic.to_owned(), payload: FAILS.to_vec(), qos, retain, properties }
}
