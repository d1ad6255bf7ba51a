//! Connections without MQTT that can be read, by the reason.

use crate::inspect::Direction;
use crate::inspect::capture::conversation::{OtherProtocol, Undecryptable, alert_name};
use rustls::AlertDescription;

/// The reason why a connection has no MQTT packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    Tls,
    TlsFailed,
    Http,
    ProxyHeader,
    Silent,
    Refused,
    Unknown,
}

/// The number of connections for each reason.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ForeignCounts([u64; 7]);

impl Foreign {
    const ALL: [Foreign; 7] = [
        Foreign::Tls,
        Foreign::TlsFailed,
        Foreign::Http,
        Foreign::ProxyHeader,
        Foreign::Silent,
        Foreign::Refused,
        Foreign::Unknown,
    ];

    pub(super) fn of(protocol: &OtherProtocol) -> Foreign {
        match protocol {
            OtherProtocol::Tls { reason: Some(Undecryptable::Alert(..)), .. } => Foreign::TlsFailed,
            OtherProtocol::Tls { .. } => Foreign::Tls,
            OtherProtocol::Http { .. } => Foreign::Http,
            OtherProtocol::ProxyHeader(_) => Foreign::ProxyHeader,
            OtherProtocol::Silent => Foreign::Silent,
            OtherProtocol::Refused { .. } => Foreign::Refused,
            OtherProtocol::Unknown => Foreign::Unknown,
        }
    }

    /// The evidence in such a connection, to follow its number.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Foreign::Tls => "with TLS that was not decrypted; a key log decrypts it",
            Foreign::TlsFailed => "whose TLS handshake failed",
            Foreign::Http => "with HTTP, not MQTT over WebSocket",
            Foreign::ProxyHeader => "with an invalid PROXY header",
            Foreign::Silent => "without data: unanswered, or closed at once",
            Foreign::Refused => "refused by the server (RST)",
            Foreign::Unknown => "with another protocol",
        }
    }
}

/// The number of an alert and its sender.
pub(super) fn alert_code(sender: Direction, description: AlertDescription) -> u16 {
    u16::from(u8::from(description)) * 2 + u16::from(sender == Direction::ServerToClient)
}

/// The name and the sender of an alert of such a number.
pub(super) fn alert_of(code: u16) -> (String, Direction) {
    let sender = if code.is_multiple_of(2) { Direction::ClientToServer } else { Direction::ServerToClient };
    let description = AlertDescription::from(u8::try_from(code / 2).unwrap_or(u8::MAX));
    (alert_name(description), sender)
}

impl ForeignCounts {
    pub(super) fn add(&mut self, reason: Foreign) {
        self.add_many(reason, 1);
    }

    pub(super) fn add_many(&mut self, reason: Foreign, number: u64) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += number;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that occurred.
    pub(super) fn all(&self) -> impl Iterator<Item = (Foreign, u64)> {
        Foreign::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}
