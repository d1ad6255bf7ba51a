//! The client loop, which joins session and transport: connects, exchanges packets, drains, and reconnects after a loss.
//!
//! A command implements [`Application`]: the loop notifies it of events and asks it for packets to send. The loop asks only
//! while there is quota and room in the send buffer, writes everything due in one call, and sends an acknowledgement only
//! after [`Application::flush`] reports the message as safe.
//!
//! - `connect` builds CONNECT from the [`Options`], `handshake` exchanges the packets up to CONNACK, `authentication` those of
//!   enhanced authentication.
//! - `packet_loop` runs a connection after CONNACK, `receive` reads its packets, `disconnect` ends it.
//! - `retry` decides about reconnects, `recovery` reports the messages that a lost session makes uncertain.
//! - [`Error`] is the reason why a connection failed or ended; `failure` separates it from the errors of the application.

mod application;
mod authentication;
mod authentication_error;
mod connect;
pub(crate) mod cpu_time;
mod details;
mod disconnect;
mod error;
mod failure;
mod gathering;
mod handshake;
mod options;
mod packet_loop;
mod receive;
mod recovery;
mod retry;

use crate::protocol::ReasonCode;
use crate::protocol::session::{Role, Session};
pub(crate) use application::{Application, End, Flow, Link, NoMessage, Sending, Uncertain};
pub(crate) use authentication::{AnswerTime, Authentication, Authenticator, Claim, Method, TokenSource};
pub(crate) use authentication_error::AuthenticationError;
use connect::Attempt;
pub(crate) use connect::{handshake, open};
pub(crate) use details::Details;
use disconnect::Closing;
pub(crate) use disconnect::{DISCONNECT_TIMEOUT, disconnect, disconnected};
pub(crate) use error::{Error, Foreign};
use failure::Failure;
pub(crate) use handshake::{Handshake, Terms, TimeLimit};
pub(crate) use options::{Options, Retries, WillOptions};
use packet_loop::PacketLoop;
pub(crate) use receive::next_event;
use retry::{Attempts, LONGEST_PAUSE};
pub(crate) use retry::{FIRST_PAUSE, pause_after, pause_between};
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Instant;
use tokio::time::sleep;

/// Runs an application until it finishes, fails, or `stop` resolves; then disconnects.
///
/// # Errors
/// The failure that ended it before it finished.
pub(crate) async fn run<A: Application, S>(
    options: &Options,
    application: &mut A,
    stop: impl Future<Output = S>,
) -> Result<End<S>, A::Error> {
    let mut stop = pin!(stop);
    let mut client = Client {
        options,
        application,
        session: Session::new(Role::Client, options.version),
        client_id: None,
    };
    let mut attempts = Attempts::new(options.retries);
    loop {
        let failure = match client.connect_and_run(&mut attempts, stop.as_mut()).await {
            Ok(end) => return Ok(end),
            Err(failure) => failure,
        };
        let unsendable = usize::from(failure.is_unsendable_message());
        let (error, pause) = match attempts.next_pause(failure) {
            Ok(next) => next,
            Err(error) => {
                let unsettled = client.session.unsettled().saturating_sub(unsendable);
                if unsettled > 0 {
                    client.application.abandoned(unsettled);
                }
                return Err(error);
            }
        };
        client.application.lost(&error, pause);
        tokio::select! {
            reason = stop.as_mut() => {
                let unsettled = client.session.unsettled();
                return Ok(End::Stopped { reason, unsettled, was_connected: attempts.was_connected });
            }
            () = sleep(pause) => {}
        }
    }
}

struct Client<'a, A: Application> {
    options: &'a Options,
    application: &'a mut A,
    session: Session<A::Message>,
    /// The client identifier assigned by the server.
    client_id: Option<String>,
}

impl<A: Application> Client<'_, A> {
    async fn connect_and_run<S>(
        &mut self,
        attempts: &mut Attempts,
        mut stop: Pin<&mut impl Future<Output = S>>,
    ) -> Result<End<S>, Failure<A::Error>> {
        let clean_start =
            self.options.clean_start && !(self.options.resumes_session && attempts.was_connected);
        let assigned_client_id = self.client_id.as_deref();
        let attempt = Attempt { options: self.options, clean_start, assigned_client_id };
        let connected = tokio::select! {
            reason = stop.as_mut() => {
                let unsettled = self.session.unsettled();
                return Ok(End::Stopped { reason, unsettled, was_connected: attempts.was_connected });
            }
            connected = attempt.connect(&mut *self.application) => connected?,
        };
        attempts.connected();
        let start = Instant::now();
        if let Some(client_id) = &connected.terms.assigned_client_id {
            self.client_id = Some(client_id.clone());
        }
        let mut packet_loop = PacketLoop::new(self.options, self.application, &mut self.session, connected);
        let result = packet_loop.run(stop).await;
        if packet_loop.has_moved_message() || start.elapsed() >= LONGEST_PAUSE {
            attempts.proved();
        }
        let closing = match &result {
            Ok(End::Finished) => Closing::Orderly(ReasonCode::SUCCESS),
            Ok(End::Stopped { .. }) => Closing::Orderly(self.options.stop_reason),
            Err(failure) => Closing::after(failure),
        };
        packet_loop.close(closing).await;
        result
    }
}
