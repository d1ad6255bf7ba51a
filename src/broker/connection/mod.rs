//! One client's connection: CONNECT within a deadline, then packets in both directions until one side closes it.
//!
//! Each turn handles all complete packets, fills the send buffer from the client's queue, and writes once. Input is left
//! unread while the client has to wait for slow subscribers, or does not read its own answers.
//!
//! - `handshake` reads CONNECT and checks the client's identity, `connack` answers.
//! - `input` handles the packets of a turn, `long_request` those that take more than one turn.
//! - `output` moves messages from the client's queue to the send buffer, `encode` appends the broker's other packets.
//! - `turns` lets the other clients have their turns.
//! - `ending` has the reasons for the end, and the last packet. `task` is the state that they share.

mod connack;
mod encode;
mod ending;
mod handshake;
mod input;
mod long_request;
mod output;
mod task;
mod turns;

use super::state::Shared;
use super::{Event, Excess, Peer};
use crate::protocol::ReasonCode;
use crate::transport::{Connection, Progress, Stream};
use ending::{Ending, close};
use handshake::{Admitted, open};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;
use task::{Task, count_bytes};
use turns::Share;
pub(super) use turns::give_way;

/// The size up to which an incomplete packet is accepted regardless of the client's other memory.
const UNCHECKED_INPUT: usize = 16 * 1024;

/// Serves a client from its first byte to the last.
pub(super) async fn serve(shared: Shared, stream: Stream, peer: Peer) {
    let mut connection = Connection::new(stream);
    // Boxed, since the first steps need memory that later ones do not.
    let Some(admitted) = Box::pin(open(&mut connection, &shared, &peer)).await else {
        return;
    };
    let Admitted { client, link, authenticator } = admitted;
    // Read now: a newer connection of the client may start the session again, with another version.
    let (version, maximum_size) = {
        let session = client.session.borrow();
        (session.version(), session.peer_accepts().maximum_packet_size)
    };
    let mut task = Task { shared, connection, client, link, authenticator, share: Share::default() };
    let ending = task.run().await;
    task.note_end(&ending);
    Box::pin(close(task.connection, version, maximum_size, ending)).await;
}

impl Task {
    async fn run(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.check_order() {
                return ending;
            }
            if let Err(ending) = self.turn().await {
                return ending;
            }
            match self.wait().await {
                Ok(progress) if progress.is_closed => return Ending::Lost,
                Ok(progress) => self.note_progress(progress),
                Err(_) => return Ending::Lost,
            }
        }
    }

    /// Handles input and fills the output. Gives way to other clients in between if there is much to do.
    async fn turn(&mut self) -> Result<(), Ending> {
        let taken = self.take_input()?;
        if taken.has_long_request {
            self.take_long_request().await?;
        }
        if taken.has_more() {
            self.link.stay_awake();
        } else {
            self.check_budget()?;
        }
        self.share.add(taken.packets, taken.work);
        if taken.has_more() || self.share.is_used_up() {
            self.share.give_way().await;
            self.check_order()?;
        }
        let filled = self.fill_output();
        self.share.add(0, filled.work);
        if filled.has_more {
            self.link.stay_awake();
            self.share.give_way().await;
        }
        Ok(())
    }

    /// The error is an order to end. After it, a newer connection may use the client's session and queue.
    fn check_order(&self) -> Result<(), Ending> {
        self.link.order().map_or(Ok(()), |reason_code| Err(Ending::Ordered(reason_code)))
    }

    /// Checks that an incomplete packet is within the budget.
    fn check_budget(&self) -> Result<(), Ending> {
        self.client.count_own(self.connection.buffered());
        let is_growing = self.connection.unread() > UNCHECKED_INPUT && !self.link.is_paused();
        if !is_growing || self.client.account.is_within_budget() {
            return Ok(());
        }
        let limit = self.client.account.limit();
        let text = format!("it made the broker hold more memory than its share ({limit} bytes at most)");
        Err(Ending::quota_exceeded(self.client.account.excess(0, 0), text))
    }

    /// Waits until bytes were read or written, or the task was signalled.
    async fn wait(&mut self) -> io::Result<Progress> {
        let link = &self.link;
        let wants_input = !link.is_paused() && self.connection.unsent() < input::OUTPUT_LIMIT;
        let mut progress = pin!(self.connection.progress(wants_input));
        poll_fn(|cx| {
            let is_signalled = link.take_signal(cx);
            match progress.as_mut().poll(cx) {
                Poll::Pending if is_signalled => {
                    Poll::Ready(Ok(Progress { received: 0, sent: 0, is_closed: false }))
                }
                polled => polled,
            }
        })
        .await
    }

    fn note_progress(&self, progress: Progress) {
        if progress.received > 0 {
            self.link.received(Instant::now());
        }
        count_bytes(progress, &mut self.shared.borrow_mut().report);
    }

    /// Notifies the rest of the broker that the connection is over.
    fn note_end(&self, ending: &Ending) {
        let mut state = self.shared.borrow_mut();
        let has_will = !matches!(
            ending,
            Ending::Ordered(ReasonCode::SERVER_SHUTTING_DOWN) | Ending::Disconnected { has_will: false }
        );
        state.disconnect(&self.client, &self.link, has_will, Instant::now());
        let (reason, fault) = match ending {
            Ending::Lost => (None, None),
            Ending::Disconnected { .. } => (Some(ReasonCode::SUCCESS), None),
            Ending::Ordered(reason_code) => (Some(*reason_code), None),
            Ending::Violation { reason_code, text, .. } => (Some(*reason_code), Some(text.clone())),
        };
        let excess = match ending {
            Ending::Violation { reason_code: ReasonCode::RECEIVE_MAXIMUM_EXCEEDED, .. } => {
                Some(Excess::ReceiveMaximum(state.config.receive_maximum))
            }
            Ending::Violation { excess, .. } => *excess,
            _ => None,
        };
        if let Some(excess) = excess {
            state.note_exceeded(&self.client, excess);
        }
        state.emit(Event::Disconnected { client_id: self.client.id.to_string(), reason, fault });
    }
}
