//! A message as a JSON object: how `mq sub --json` prints one and `mq pub --ndjson` reads one. `docs/json.md` is the
//! description for users.

mod encoding;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::protocol::{PropertiesBuf, Qos, TopicName};
pub(crate) use encoding::Encoding;
pub(crate) use encoding::{decode_hex, hex_digit, push_hex, to_base64};
use jiff::Timestamp;
pub(crate) use read::read;
#[cfg(feature = "sqlite")]
pub(crate) use read::read_properties_of;
pub(crate) use write::write;
#[cfg(feature = "sqlite")]
pub(crate) use write::write_properties;
pub(crate) use write::{rfc_3339, write_bytes};

/// A parsed message; the caller chooses values for absent keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub topic: Option<TopicName>,
    pub payload: Vec<u8>,
    pub qos: Option<Qos>,
    /// Whether the broker keeps it.
    pub retain: Option<bool>,
    /// When it arrived, in a recording.
    pub time: Option<Timestamp>,
    /// The properties of MQTT 5, without those of one connection: topic alias and subscription identifiers.
    pub properties: PropertiesBuf,
    /// The reasons why properties are missing here: a subscriber may receive values that must not be published.
    pub left_out: Vec<String>,
}
