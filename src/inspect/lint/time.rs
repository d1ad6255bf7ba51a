//! Keep alive: a client that is silent for too long, and a server that does not mind.

use super::report::Report;
use super::subject::Subject;
use super::{End, Premises, SECOND};
use crate::inspect::Rule;
use crate::protocol::PacketType;

/// A clock that ticks in seconds, a busy machine: a client that is so late is in time.
const CLIENT_GRACE: u64 = SECOND;

/// A server looks at all its clients from time to time.
const SERVER_GRACE: u64 = 5 * SECOND;

/// The first byte of a longer packet may have come long before its last one.
const LONG_PACKET: usize = 16 * 1024;

/// When a client was heard last.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// In nanoseconds; `None` when that is not known, or nothing more is to come.
    heard: Option<u64>,
    /// In nanoseconds; 0 for none.
    keep_alive: u64,
}

impl Times {
    pub(super) fn check(&mut self, subject: &Subject<'_>, premises: Premises, report: &mut Report) {
        let is_farewell = subject.kind == PacketType::Disconnect;
        if subject.is_from_client() {
            if subject.packet.raw.length < LONG_PACKET {
                self.judge(subject.time(), false, report);
            }
            let is_begun = premises.beginning || subject.kind == PacketType::Connect;
            self.heard = subject.time().filter(|_| is_begun && !is_farewell);
        } else if is_farewell {
            self.heard = None;
        }
        let tracker = subject.packet.tracker;
        // CONNACK may have changed it.
        let is_known = !subject.is_v5() || tracker.agreement.connack.is_some();
        let seconds = tracker.keep_alive.filter(|_| is_known).unwrap_or_default();
        self.keep_alive = u64::from(seconds) * SECOND;
    }

    /// The client may have said something that was not captured.
    pub(super) fn lose_track(&mut self) {
        self.heard = None;
    }

    /// It may have been silent for too long when the connection ended, or still open.
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
        let detail = format!("the client was silent for {silent:.1} s, and its keep alive is {keep_alive} s");
        report.find(rule, 0..0, detail);
    }
}
