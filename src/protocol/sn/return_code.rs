//! Return codes (MQTT-SN 1.2, section 5.3.10).

use std::fmt;

/// The result in CONNACK, REGACK, PUBACK, SUBACK, WILLTOPICRESP and WILLMSGRESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReturnCode(pub u8);

impl ReturnCode {
    /// Accepted.
    pub const ACCEPTED: ReturnCode = ReturnCode(0);
    /// Rejected: congestion. The client waits before it retries.
    pub const CONGESTION: ReturnCode = ReturnCode(1);
    /// Rejected: invalid topic id. The client registers the topic again.
    pub const INVALID_TOPIC_ID: ReturnCode = ReturnCode(2);
    /// Rejected: not supported.
    pub const NOT_SUPPORTED: ReturnCode = ReturnCode(3);

    /// The meaning; `None` for a reserved code.
    pub fn name(self) -> Option<&'static str> {
        match self {
            ReturnCode::ACCEPTED => Some("accepted"),
            ReturnCode::CONGESTION => Some("congestion"),
            ReturnCode::INVALID_TOPIC_ID => Some("invalid topic id"),
            ReturnCode::NOT_SUPPORTED => Some("not supported"),
            _ => None,
        }
    }

    /// Whether it rejects the request.
    pub fn is_rejection(self) -> bool {
        self != ReturnCode::ACCEPTED
    }
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}
