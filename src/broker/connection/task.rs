//! The state of an accepted client's task.

use super::turns::Share;
use crate::broker::Report;
use crate::broker::client::Client;
use crate::broker::link::Link;
use crate::broker::scram::Authenticator;
use crate::broker::state::Shared;
use crate::transport::{Connection, Progress};
use std::rc::Rc;

/// An accepted client, and the state of its task.
pub(super) struct Task {
    pub(super) shared: Shared,
    pub(super) connection: Connection,
    pub(super) client: Rc<Client>,
    pub(super) link: Rc<Link>,
    /// For a client with an authentication method.
    pub(super) authenticator: Option<Authenticator>,
    pub(super) share: Share,
}

pub(super) fn count_bytes(progress: Progress, report: &mut Report) {
    report.bytes_received += progress.received as u64;
    report.bytes_sent += progress.sent as u64;
}
