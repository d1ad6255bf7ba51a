//! Moves messages from the client's queue to the send buffer.

use super::task::Task;
use super::turns::WORK_PER_TURN;
use crate::broker::Excess;
use crate::broker::message::{Outbound, Queued};
use crate::protocol::Qos;
use crate::protocol::session::{Outgoing, Session};
use std::rc::Rc;
use std::time::Instant;

/// A message over this size waits when the broker's memory is short, since its packet is a copy.
const LARGE_MESSAGE: usize = 64 * 1024;

/// The number of unwritten bytes up to which messages are taken from the queue; the kernel's buffer is full as well by then.
const OUTPUT_TARGET: usize = 128 * 1024;

/// The work of sending a message.
const WORK_PER_MESSAGE: usize = 2;

/// The result of [`Task::fill_output`].
#[derive(Debug)]
pub(super) struct Filled {
    /// The look-up of retained messages is unfinished.
    pub(super) has_more: bool,
    pub(super) work: usize,
}

impl Task {
    /// Moves messages from the queue to the send buffer, as far as the client accepts them now.
    pub(super) fn fill_output(&mut self) -> Filled {
        let now = Instant::now();
        let work_before = self.shared.borrow().work;
        let has_scans = !self.client.scans.borrow().is_empty();
        if has_scans {
            self.shared.borrow_mut().scan_retained(&self.client, WORK_PER_TURN, now);
        }
        let target = self.output_target();
        let mut session = self.client.session.borrow_mut();
        let refused = session.resend(target, self.connection.output());
        let mut moved = Moved { dropped: refused.len() as u64, ..Moved::default() };
        let work_of_scans = self.shared.borrow().work;
        let mut has_rest = false;
        while self.connection.unsent() < target {
            // Messages that are not sent fill nothing.
            let rules = self.shared.borrow().work - work_of_scans;
            if rules + WORK_PER_MESSAGE * moved.unsent() >= WORK_PER_TURN {
                has_rest = true;
                break;
            }
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
            if self.shared.borrow_mut().may_still_receive(&self.client, &queued.delivery, now) {
                moved.send(queued, &mut session, self.connection.output(), now);
            } else {
                moved.forbidden += 1;
            }
        }
        drop(session);
        self.note_moved(&moved, now);
        let is_scanning = has_scans && !self.client.scans.borrow().is_empty();
        let work = self.shared.borrow().work - work_before + WORK_PER_MESSAGE * moved.count();
        Filled { has_more: has_rest || is_scanning && self.client.outbox.borrow().has_room(), work }
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
        let has_progress = moved.count() > 0;
        let mut outbox = self.client.outbox.borrow_mut();
        outbox.drained(has_progress, moved.needs_acknowledgement, now);
        drop(outbox);
        state.note_drops(&self.client, moved.dropped, Excess::PacketSizeOfClient);
    }
}

/// The results for the messages taken from a queue.
#[derive(Debug, Default)]
struct Moved {
    sent: u64,
    /// The client does not accept them.
    dropped: u64,
    expired: u64,
    /// The access rules changed after they were queued.
    forbidden: u64,
    /// The next one has to wait for an acknowledgement.
    needs_acknowledgement: bool,
}

impl Moved {
    fn count(&self) -> usize {
        usize::try_from(self.sent).unwrap_or(usize::MAX).saturating_add(self.unsent())
    }

    fn unsent(&self) -> usize {
        usize::try_from(self.dropped + self.expired + self.forbidden).unwrap_or(usize::MAX)
    }

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
