//! The errors of the load generator: a run that cannot begin, and a client that leaves the run early.

use crate::client;
use crate::protocol::session::{PublishError, SubscribeError};
use crate::transport::ConnectError;
use crate::words::{counted, verb};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The reason why a run cannot begin, or has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The limit of open files is too low for the clients of a process.
    #[error(
        "{}{} {} {needed} open files, but the limit is {limit}",
        counted(*clients, "client"),
        if *has_siblings { " in each of the processes" } else { "" },
        verb(*clients, "needs")
    )]
    OpenFiles {
        /// The clients of one process.
        clients: u32,
        /// Whether there are several processes.
        has_siblings: bool,
        /// The number of open files that they need.
        needed: u64,
        /// The hard limit.
        limit: u64,
        /// The limit that is enough for the whole run.
        enough: u64,
    },
    /// The limit of open files is too low for the process that leads the others.
    #[error(
        "the process that leads {processes} worker processes needs {needed} open files, but the limit is {limit}"
    )]
    OpenFilesOfLeader { processes: usize, needed: u64, limit: u64, enough: u64 },
    /// There are fewer local ports than clients.
    #[error(
        "{clients} clients need as many local ports to reach {target}, but only {available} are available{}",
        from(*addresses)
    )]
    LocalPorts {
        clients: u32,
        /// The broker's address.
        target: SocketAddr,
        /// The number of local ports, on all addresses together.
        available: u64,
        /// The number of chosen local addresses; 0 to let the system choose.
        addresses: usize,
    },
    /// The broker's address cannot be found, or does not answer.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The broker's addresses did not answer in time.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The broker closed the first connection before its address was known.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    /// A thread or its event loop cannot be created.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A thread failed during the run.
    #[error("cannot finish the run: a thread failed")]
    FailedThread,
    /// A worker process cannot be started.
    #[error("cannot start a worker process: {0}")]
    Process(io::Error),
    /// A worker process was started by hand.
    #[error("only a leader can start a worker process")]
    NoLeader,
    /// Standard input, the channel from the leader, cannot be read.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
}

fn from(addresses: usize) -> String {
    if addresses == 0 { String::new() } else { format!(" from {addresses} addresses") }
}

/// The reason why a client leaves a run early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The connection failed, was refused, or ended.
    #[error(transparent)]
    Client(client::Error),
    /// The broker rejected the subscription.
    #[error("the {peer} rejected a subscription: {reason}")]
    SubscriptionRejected { peer: &'static str, reason: String },
    /// The broker does not support the subscription, which was not requested.
    #[error("cannot subscribe: {0}")]
    Unsubscribable(SubscribeError),
    /// The broker does not support a message, which was not sent.
    #[error("cannot publish to {topic}: {source}")]
    Unsendable {
        /// The message's topic.
        topic: String,
        /// The reason.
        source: PublishError,
    },
}

impl<C: Into<client::Error>> From<C> for ClientError {
    fn from(error: C) -> ClientError {
        ClientError::Client(error.into())
    }
}

impl ClientError {
    /// Whether the connection is still open, so that the client can disconnect in order.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, ClientError::SubscriptionRejected { .. } | ClientError::Unsendable { .. })
    }
}
