//! Exactly-once delivery after the broker lost the session of an earlier connection.

use super::application::{Application, Uncertain};
use crate::protocol::session::{Outgoing, Session};
use crate::protocol::{PacketId, Qos};

/// Reports the QoS 2 messages whose delivery is unknown: those that the session gave up, and those that it sends again.
pub(super) fn report_uncertain<A: Application>(
    application: &mut A,
    session: &Session<A::Message>,
    given_up: &[(PacketId, A::Message)],
) {
    let is_qos_2 = |message: &&A::Message| message.as_publish().qos == Qos::ExactlyOnce;
    let uncertain = Uncertain {
        may_be_lost: given_up.iter().map(|(_, message)| message).collect(),
        may_be_doubled: session.unsettled_messages().filter(is_qos_2).collect(),
    };
    if !uncertain.may_be_lost.is_empty() || !uncertain.may_be_doubled.is_empty() {
        application.uncertain(&uncertain);
    }
}
