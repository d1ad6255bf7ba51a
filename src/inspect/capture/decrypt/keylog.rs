//! Key logs in the NSS format, as browsers, OpenSSL and rustls write them: a label, the client random and a secret on each line.

use crate::message::decode_hex;
use std::collections::HashMap;

/// The longest valid line: label, client random and the longest secret.
const MAX_LINE: usize = 512;

/// The kind of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    /// The master secret of TLS 1.2.
    Master,
    /// The client's secret for early data in TLS 1.3.
    ClientEarly,
    /// The client's secret for the handshake of TLS 1.3.
    ClientHandshake,
    /// The server's secret for the handshake of TLS 1.3.
    ServerHandshake,
    /// The client's secret after the handshake of TLS 1.3.
    ClientTraffic,
    /// The server's secret after the handshake of TLS 1.3.
    ServerTraffic,
}

/// A source of secrets.
pub(crate) trait Secrets {
    /// A secret of the connection with this client random.
    fn secret(&mut self, label: Label, client_random: &[u8; 32]) -> Option<Vec<u8>>;

    /// Whether no key log is available.
    fn is_empty(&self) -> bool;
}

/// The secrets of a key log.
#[derive(Default)]
pub(crate) struct KeyLog {
    secrets: HashMap<(Label, [u8; 32]), Vec<u8>>,
}

impl KeyLog {
    /// Adds the secrets in the lines of `text`. Skips invalid lines and unused labels; returns the number of secrets found.
    pub(crate) fn add(&mut self, text: &[u8]) -> usize {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| line.len() <= MAX_LINE);
        lines.filter_map(|line| self.add_line(line)).count()
    }

    /// A secret of the connection with this client random.
    #[must_use]
    pub(crate) fn secret(&self, label: Label, client_random: &[u8; 32]) -> Option<Vec<u8>> {
        self.secrets.get(&(label, *client_random)).cloned()
    }

    /// Whether it has no secrets.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    fn add_line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        let label = label(words.next()?)?;
        let client_random = decode_hex(words.next()?).ok()?.try_into().ok()?;
        // A line that is still being written may end anywhere.
        let is_whole = |secret: &Vec<u8>| match label {
            Label::Master => secret.len() == 48,
            _ => matches!(secret.len(), 32 | 48),
        };
        let secret = decode_hex(words.next()?).ok().filter(is_whole)?;
        self.secrets.insert((label, client_random), secret);
        Some(())
    }
}

fn label(word: &str) -> Option<Label> {
    match word {
        "CLIENT_RANDOM" => Some(Label::Master),
        "CLIENT_EARLY_TRAFFIC_SECRET" => Some(Label::ClientEarly),
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Some(Label::ClientHandshake),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Some(Label::ServerHandshake),
        "CLIENT_TRAFFIC_SECRET_0" => Some(Label::ClientTraffic),
        "SERVER_TRAFFIC_SECRET_0" => Some(Label::ServerTraffic),
        _ => None,
    }
}
