//! Keep alive: when to send PINGREQ, and when the peer counts as gone. The caller passes the current time, and gets the time of
//! the next check.

use std::time::{Duration, Instant};

/// The client's side: sends PINGREQ if nothing was sent for the interval, and gives up if nothing arrives within another one.
#[derive(Debug, Clone, Copy)]
pub struct KeepAlive {
    seconds: u16,
    last_sent: Instant,
    ping_sent: Option<Instant>,
}

/// The action due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveAction {
    /// Nothing before that time; `None` for never.
    WaitUntil(Option<Instant>),
    /// Send PINGREQ.
    Ping,
    /// Nothing arrived within an interval after PINGREQ.
    PeerIsGone,
}

impl KeepAlive {
    /// Starts when CONNECT is sent; `seconds` is 0 for no keep alive.
    pub fn new(seconds: u16, now: Instant) -> KeepAlive {
        KeepAlive { seconds, last_sent: now, ping_sent: None }
    }

    /// The keep alive interval; zero for none.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Replaces the interval with the server's [MQTT-3.1.2-21].
    pub fn set_interval(&mut self, seconds: u16) {
        self.seconds = seconds;
    }

    /// Notes that bytes were handed to the network.
    pub fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// Notes that bytes arrived: any bytes show that the peer is alive.
    pub fn received(&mut self) {
        self.ping_sent = None;
    }

    /// The action due at `now`. After [`KeepAliveAction::Ping`] the ping counts as sent.
    pub fn poll(&mut self, now: Instant) -> KeepAliveAction {
        if self.seconds == 0 {
            return KeepAliveAction::WaitUntil(None);
        }
        let due = self.ping_sent.unwrap_or(self.last_sent) + self.interval();
        if now < due {
            return KeepAliveAction::WaitUntil(Some(due));
        }
        if self.ping_sent.is_some() {
            return KeepAliveAction::PeerIsGone;
        }
        self.ping_sent = Some(now);
        self.last_sent = now;
        KeepAliveAction::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_leads_to_a_ping_and_then_to_giving_up() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut keep_alive = KeepAlive::new(10, start);
        assert_eq!(keep_alive.poll(at(9)), KeepAliveAction::WaitUntil(Some(at(10))));
        assert_eq!(keep_alive.poll(at(10)), KeepAliveAction::Ping);
        assert_eq!(keep_alive.poll(at(19)), KeepAliveAction::WaitUntil(Some(at(20))));
        keep_alive.received();
        assert_eq!(keep_alive.poll(at(20)), KeepAliveAction::Ping);
        assert_eq!(keep_alive.poll(at(30)), KeepAliveAction::PeerIsGone);
    }

    #[test]
    fn zero_turns_it_off() {
        let start = Instant::now();
        let mut keep_alive = KeepAlive::new(0, start);
        assert_eq!(keep_alive.poll(start + Duration::from_secs(9999)), KeepAliveAction::WaitUntil(None));
    }
}
