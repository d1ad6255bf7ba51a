//! Keep alive: clients that exceed it, and servers that do not enforce it.

use super::packet_context::Subject;
use super::report::Report;
use super::{End, Premises, SECOND};
use crate::inspect::Rule;
use crate::protocol::PacketType;

/// Tolerance for clients: coarse timers and busy machines.
const CLIENT_GRACE: u64 = SECOND;

/// Tolerance for servers, which check their clients periodically.
const SERVER_GRACE: u64 = 5 * SECOND;

/// Packets from this length on are not checked: the first byte may be much older than the last.
const LONG_PACKET: usize = 16 * 1024;

/// The client's last packet and its keep alive.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Time of the client's last packet, in nanoseconds; `None` if unknown, or after DISCONNECT.
    heard: Option<u64>,
    /// In nanoseconds; 0 for none.
    keep_alive: u64,
}

impl Times {
    pub(super) fn check(&mut self, subject: &Subject<'_>, premises: Premises, report: &mut Report) {
        let is_disconnect = subject.kind == PacketType::Disconnect;
        if subject.is_from_client() {
            if subject.packet.raw.length < LONG_PACKET {
                self.judge(subject.time(), false, report);
            }
            let is_begun = premises.beginning || subject.kind == PacketType::Connect;
            self.heard = subject.time().filter(|_| is_begun && !is_disconnect);
        } else if is_disconnect {
            self.heard = None;
        }
        let tracker = subject.packet.tracker;
        // CONNACK may have changed it.
        let is_known = !subject.is_v5() || tracker.agreement.connack.is_some();
        let seconds = tracker.keep_alive.filter(|_| is_known).unwrap_or_default();
        self.keep_alive = u64::from(seconds) * SECOND;
    }

    /// A packet of the client may not have been captured.
    pub(super) fn lose_track(&mut self) {
        self.heard = None;
    }

    /// Checks the client's silence at the end of the connection or of the capture.
    pub(super) fn end(&self, end: End, report: &mut Report) {
        self.judge(end.at, end.is_closed, report);
    }

    fn judge(&self, now: Option<u64>, is_closed: bool, report: &mut Report) {
        let Some((now, heard)) = now.zip(self.heard).filter(|_| self.keep_alive > 0) else { return };
        let silence = now.saturating_sub(heard);
        let rule = if silence > self.keep_alive + self.keep_alive / 2 + SERVER_GRACE && !is_closed {
            Rule::KeepAliveNotEnforced
        } else if silence > self.keep_alive + CLIENT_GRACE {
            Rule::KeepAliveExceeded
        } else {
            return;
        };
        let (silent, keep_alive) = (silence as f64 / SECOND as f64, self.keep_alive / SECOND);
        let detail = format!("the client was silent for {silent:.1} s, but its keep alive is {keep_alive} s");
        report.find(rule, 0..0, detail);
    }
}
