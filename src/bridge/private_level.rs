//! Whether a broker accepts mosquitto's protocol level of bridges, which keeps it from sending a bridge its own messages.
//!
//! Some brokers reject it with a return code, others just close the connection, which also happens for other reasons.

use crate::client::Error;
use crate::protocol::ReasonCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// Not requested: MQTT 5, or by the settings.
    Off,
    Untested,
    Works,
    Rejected,
    /// The broker closed the connection at such a CONNECT.
    Doubtful {
        /// It has accepted another CONNECT since.
        plain_works: bool,
    },
}

#[derive(Debug)]
pub(super) struct PrivateLevel {
    knowledge: Knowledge,
    /// Whether the bridge cannot run without it.
    is_needed: bool,
}

impl PrivateLevel {
    pub(super) fn new(is_requested: bool, is_needed: bool) -> PrivateLevel {
        let knowledge = if is_requested { Knowledge::Untested } else { Knowledge::Off };
        PrivateLevel { knowledge, is_needed }
    }

    /// Whether the next attempt requests it.
    pub(super) fn is_next(&self) -> bool {
        match self.knowledge {
            Knowledge::Off | Knowledge::Rejected => false,
            Knowledge::Untested | Knowledge::Works => true,
            Knowledge::Doubtful { plain_works } => plain_works,
        }
    }

    pub(super) fn is_doubtful(&self) -> bool {
        matches!(self.knowledge, Knowledge::Doubtful { .. })
    }

    /// The broker accepted an attempt. Returns whether the connection can be used.
    pub(super) fn accepted(&mut self, is_private: bool) -> bool {
        self.knowledge = match (self.knowledge, is_private) {
            (Knowledge::Doubtful { .. }, false) if self.is_needed => {
                Knowledge::Doubtful { plain_works: true }
            }
            (Knowledge::Doubtful { .. }, false) => Knowledge::Rejected,
            (_, true) => Knowledge::Works,
            (known, false) => known,
        };
        !self.is_doubtful()
    }

    /// An attempt failed. Returns whether the next one follows at once, without the level.
    ///
    /// # Errors
    /// If the broker rejects the level, and the bridge needs it.
    pub(super) fn refused(&mut self, is_private: bool, error: &Error) -> Result<bool, ()> {
        if !is_private {
            if self.is_doubtful() {
                self.knowledge = Knowledge::Untested; // The broker does not accept other connections either.
            }
            return Ok(false);
        }
        if matches!(error, Error::Refused { reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, .. }) {
            self.knowledge = Knowledge::Rejected;
            return if self.is_needed { Err(()) } else { Ok(true) };
        }
        let is_closed = error.is_silent() || matches!(error, Error::NotMqtt(_) | Error::Decode(_));
        match self.knowledge {
            Knowledge::Untested if is_closed => self.knowledge = Knowledge::Doubtful { plain_works: false },
            Knowledge::Doubtful { plain_works: true } if is_closed => return Err(()),
            _ => {}
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Details;
    use crate::protocol::{RefusalCode, Version};

    fn rejected() -> Error {
        let reason = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
        let (asked, answered) = (Version::V311, Version::V311);
        let code = RefusalCode::ReturnCode(1);
        Error::Refused { reason, code, details: Details::default(), asked, answered }
    }

    #[test]
    fn a_return_code_is_remembered() {
        let mut level = PrivateLevel::new(true, false);
        assert!(level.is_next());
        assert_eq!(level.refused(true, &rejected()), Ok(true));
        assert!(!level.is_next() && level.accepted(false) && !level.is_next());
        assert_eq!(PrivateLevel::new(true, true).refused(true, &rejected()), Err(()));
    }

    #[test]
    fn a_closed_connection_is_a_rejection_if_others_are_accepted() {
        let mut level = PrivateLevel::new(true, false);
        assert_eq!(level.refused(true, &Error::ClosedEarly), Ok(false));
        assert!(!level.is_next() && level.is_doubtful());
        assert!(level.accepted(false) && !level.is_next());
    }

    #[test]
    fn a_broker_that_closes_all_connections_has_not_rejected_it() {
        let mut level = PrivateLevel::new(true, false);
        assert_eq!(level.refused(true, &Error::ClosedEarly), Ok(false));
        assert_eq!(level.refused(false, &Error::ClosedEarly), Ok(false));
        assert!(level.is_next());
    }

    #[test]
    fn a_needed_level_is_tested_twice() {
        let mut level = PrivateLevel::new(true, true);
        assert_eq!(level.refused(true, &Error::ClosedEarly), Ok(false));
        assert!(!level.is_next() && !level.accepted(false), "the plain connection is only a test");
        assert!(level.is_next());
        assert_eq!(level.refused(true, &Error::ClosedEarly), Err(()));
    }
}
