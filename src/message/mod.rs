//! A message as a JSON object, as `mq sub --json` prints it and `mq pub --ndjson` reads it. `docs/json.md` describes it for
//! users.

mod encoding;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::protocol::{PropertiesBuf, Qos, TopicName};
pub(crate) use encoding::Encoding;
pub(crate) use encoding::{base64_problem, decode_hex, hex_digit, push_hex, to_base64};
use jiff::Timestamp;
#[cfg(feature = "sqlite")]
pub(crate) use read::read_properties_of;
pub(crate) use read::{is_whole, read, read_recorded};
#[cfg(feature = "sqlite")]
pub(crate) use write::write_properties;
pub(crate) use write::{rfc_3339, write_bytes};
pub(crate) use write::{write, write_with};

/// A parsed message; the caller chooses values for absent keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub topic: Option<TopicName>,
    pub payload: Vec<u8>,
    /// Whether the payload was JSON itself, and not a string.
    pub is_json: bool,
    pub qos: Option<Qos>,
    pub retain: Option<bool>,
    /// The time of its arrival, in a recording.
    pub time: Option<Timestamp>,
    /// The properties of MQTT 5, except topic alias and subscription identifiers, which belong to one connection.
    pub properties: PropertiesBuf,
    /// The reasons for properties that were left out: a subscriber may receive values that must not be published.
    pub left_out: Vec<String>,
}
