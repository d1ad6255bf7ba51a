//! Times in nanoseconds, and the tolerances for keep alive that the linter and the diagnosis share.

/// A second in nanoseconds.
pub(super) const SECOND: u64 = 1_000_000_000;

/// Tolerance for clients with coarse timers or on busy machines, in nanoseconds.
pub(super) const CLIENT_GRACE: u64 = SECOND;

/// Tolerance for servers, which check their clients periodically, in nanoseconds.
const SERVER_GRACE: u64 = 5 * SECOND;

/// Packets from this length on, in bytes, are not checked for silence: the first byte may be much older than the last.
pub(super) const LONG_PACKET: usize = 16 * 1024;

/// The silence of a client after which every server has closed its connection, in nanoseconds like the keep alive: one and a half
/// times the keep alive [MQTT-3.1.2-22], and the tolerance.
pub(super) fn longest_silence(keep_alive: u64) -> u64 {
    keep_alive + keep_alive / 2 + SERVER_GRACE
}
