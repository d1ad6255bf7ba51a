//! Moves messages from the client's queue to the send buffer.

use super::input::WORK_PER_TURN;
use super::task::Task;
use crate::broker::message::{Outbound, Queued};
use crate::protocol::Qos;
use crate::protocol::session::{Outgoing, Session};
use std::rc::Rc;
use std::time::Instant;

/// A message over this size waits when the broker's memory is short, since its packet is a copy.
const LARGE_MESSAGE: usize = 64 * 1024;

/// The number of unwritten bytes up to which messages are taken from the queue; the kernel's buffer is full as well by then.
const OUTPUT_TARGET: usize = 128 * 1024;

impl Task {
    /// Moves messages from the queue to the send buffer, as far as the client accepts them now. Returns true if the look-up of
    /// retained messages is unfinished.
    pub(super) fn fill_output(&mut self) -> bool {
        let now = Instant::now();
        let has_scans = !self.client.scans.borrow().is_empty();
        if has_scans {
            self.shared.borrow_mut().scan_retained(&self.client, WORK_PER_TURN, now);
        }
        let target = self.output_target();
        let mut session = self.client.session.borrow_mut();
        let refused = session.resend(target, self.connection.output());
        let mut moved = Moved { dropped: refused.len() as u64, ..Moved::default() };
        while self.connection.unsent() < target {
            let mut outbox = self.client.outbox.borrow_mut();
            let Some(next) = outbox.next() else {
                break;
            };
            if next.qos > Qos::AtMostOnce && (session.quota() == 0 || outbox.is_window_full()) {
                moved.needs_acknowledgement = true;
                break;
            }
            if next.message.size > LARGE_MESSAGE && !self.client.account.fits_beside(next.message.size) {
                self.shared.borrow_mut().starved.push(Rc::clone(&self.link));
                break;
            }
            let Some(queued) = outbox.pop() else {
                break;
            };
            moved.send(queued, &mut session, self.connection.output(), now);
        }
        drop(session);
        self.note_moved(&moved, now);
        has_scans && !self.client.scans.borrow().is_empty() && self.client.outbox.borrow().has_room()
    }

    /// The maximum of bytes that wait to be written; less when memory is short.
    fn output_target(&self) -> usize {
        let state = self.shared.borrow();
        let budget = &state.budget;
        if budget.is_tight() { (budget.share() / 2).clamp(4096, OUTPUT_TARGET) } else { OUTPUT_TARGET }
    }

    fn note_moved(&self, moved: &Moved, now: Instant) {
        let mut state = self.shared.borrow_mut();
        state.report.messages_sent += moved.sent;
        state.report.packets_sent += moved.sent;
        state.report.messages_expired += moved.expired;
        let has_progress = moved.sent + moved.dropped + moved.expired > 0;
        let mut outbox = self.client.outbox.borrow_mut();
        outbox.drained(has_progress, moved.needs_acknowledgement, now);
        drop(outbox);
        state.note_drops(&self.client, moved.dropped);
    }
}

/// The results for the messages taken from a queue.
#[derive(Debug, Default)]
struct Moved {
    sent: u64,
    /// The client does not accept them.
    dropped: u64,
    expired: u64,
    /// The next one has to wait for an acknowledgement.
    needs_acknowledgement: bool,
}

impl Moved {
    fn send(&mut self, queued: Queued, session: &mut Session<Outbound>, output: &mut Vec<u8>, now: Instant) {
        let Some(message) = queued.prepare(session.version().is_v5(), now) else {
            self.expired += 1;
            return;
        };
        match session.publish(&message.as_publish(), || message.clone(), output) {
            Ok(_) => self.sent += 1,
            Err(_) => self.dropped += 1,
        }
    }
}
