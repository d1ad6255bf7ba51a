//! The states of host applications: JSON in Sparkplug 3.0, `ONLINE` and `OFFLINE` before.

use serde_json::Value;
use std::fmt;

/// A host's state in the form of Sparkplug 3.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostState {
    pub(crate) is_online: bool,
    /// In milliseconds since 1970.
    pub(crate) timestamp: u64,
}

/// The reason why a payload is not such a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateFault {
    /// The text of Sparkplug 2.2.
    Text,
    NotJson,
    OnlineMissing,
    TimestampMissing,
}

impl HostState {
    pub(crate) fn parse(payload: &[u8]) -> Result<HostState, StateFault> {
        if matches!(payload, b"ONLINE" | b"OFFLINE") {
            return Err(StateFault::Text);
        }
        let value: Value = serde_json::from_slice(payload).map_err(|_| StateFault::NotJson)?;
        let online = value.get("online").and_then(Value::as_bool);
        let timestamp = value.get("timestamp").and_then(Value::as_u64);
        Ok(HostState {
            is_online: online.ok_or(StateFault::OnlineMissing)?,
            timestamp: timestamp.ok_or(StateFault::TimestampMissing)?,
        })
    }
}

impl fmt::Display for StateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StateFault::Text => "the payload is the text of Sparkplug 2.2",
            StateFault::NotJson => "the payload is not JSON",
            StateFault::OnlineMissing => "online is not true or false",
            StateFault::TimestampMissing => "timestamp is not a number of milliseconds",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read() {
        let state = HostState::parse(br#"{"online":true,"timestamp":1700000000000}"#);
        assert_eq!(state, Ok(HostState { is_online: true, timestamp: 1_700_000_000_000 }));
        for (payload, fault) in [
            (&b"ONLINE"[..], StateFault::Text),
            (b"online", StateFault::NotJson),
            (b"{}", StateFault::OnlineMissing),
            (br#"{"online":"true","timestamp":1}"#, StateFault::OnlineMissing),
            (br#"{"online":false,"timestamp":-1}"#, StateFault::TimestampMissing),
        ] {
            assert_eq!(HostState::parse(payload), Err(fault));
        }
    }
}
