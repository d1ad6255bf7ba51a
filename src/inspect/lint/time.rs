//! Keep alive: clients that exceed it, and servers that do not enforce it.

use super::packet_context::PacketContext;
use super::report::FindingList;
use super::{CaptureCoverage, ConnectionEnd};
use crate::inspect::Rule;
use crate::inspect::timing::{CLIENT_GRACE, LONG_PACKET, SECOND, longest_silence};
use crate::protocol::PacketType;

/// The client's last packet and its keep alive.
#[derive(Debug, Default)]
pub(super) struct KeepAliveTimes {
    /// Time of the client's last packet, in nanoseconds; `None` if unknown, or after DISCONNECT.
    last_from_client: Option<u64>,
    /// In nanoseconds; 0 for none.
    keep_alive: u64,
}

impl KeepAliveTimes {
    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        report: &mut FindingList,
    ) {
        let is_disconnect = context.kind == PacketType::Disconnect;
        if context.is_from_client() {
            if context.packet.raw.length < LONG_PACKET {
                self.check_silence(context.time(), false, report);
            }
            let is_begun = coverage.beginning || context.kind == PacketType::Connect;
            self.last_from_client = context.time().filter(|_| is_begun && !is_disconnect);
        } else if is_disconnect {
            self.last_from_client = None;
        }
        let tracker = context.packet.tracker;
        // CONNACK may have changed it.
        let is_known = !context.is_v5() || tracker.negotiation.connack.is_some();
        let seconds = tracker.keep_alive.filter(|_| is_known).unwrap_or_default();
        self.keep_alive = u64::from(seconds) * SECOND;
    }

    /// A packet of the client may not have been captured.
    pub(super) fn lose_track(&mut self) {
        self.last_from_client = None;
    }

    /// Checks the client's silence at the end of the connection or of the capture.
    pub(super) fn end(&self, end: ConnectionEnd, report: &mut FindingList) {
        self.check_silence(end.at, end.is_closed, report);
    }

    fn check_silence(&self, now: Option<u64>, is_closed: bool, report: &mut FindingList) {
        let Some((now, last_from_client)) = now.zip(self.last_from_client).filter(|_| self.keep_alive > 0)
        else {
            return;
        };
        let silence = now.saturating_sub(last_from_client);
        let rule = if silence > longest_silence(self.keep_alive) && !is_closed {
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
