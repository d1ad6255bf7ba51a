//! The steps of a run, and how it ended.

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The clients that took part completed the plan.
    Complete,
    /// It was interrupted.
    Interrupted,
    /// No client could connect.
    NotConnected,
    /// All clients lost their connections.
    AllLost,
    /// Nothing made progress until the timeout, and the rest was given up.
    Stalled(Step),
}

/// The current step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Connect,
    Subscribe,
    Wait,
    WarmUp,
    Measure,
    Reconnect,
    CatchUp,
    Drain,
    /// The clients stay connected after their work.
    Hold,
}
