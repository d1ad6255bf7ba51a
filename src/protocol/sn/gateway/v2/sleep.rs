//! SLEEPREQ, PINGREQ, and the time awake (sections 3.14, 3.15 and 4.14).

use super::{Client, Context, Note, Output, Phase, send};
use crate::protocol::PacketId;
use crate::protocol::sn::gateway::connect::NEXT_MESSAGE;
use crate::protocol::sn::v2::{Packet, Reason};
use std::time::{Duration, Instant};

/// The number in PINGRESP that only says that messages wait.
const UNKNOWN_REMAINING: u8 = 255;

/// The time awake of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Awakening {
    /// PINGRESP does not come before this time.
    pub(super) until: Instant,
    /// The packet identifier of PINGREQ.
    packet_id: PacketId,
    /// The messages that may still be sent; `None` for all.
    left: Option<u8>,
}

impl Client {
    /// A packet of a sleeping client. Other requests are late copies from before the sleep, and are ignored [MQTT-SN-4.14-2].
    pub(super) fn receive_asleep(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        match packet {
            Packet::Pingreq { packet_id } => self.wake_up(*packet_id, context, out),
            Packet::Sleepreq { packet_id, duration, retains_aliases } if self.phase == Phase::Asleep => {
                self.fall_asleep(*packet_id, *duration, *retains_aliases, context, out);
            }
            other => self.receive_answer(other, context, out),
        }
    }

    pub(super) fn fall_asleep(
        &mut self,
        packet_id: PacketId,
        seconds: u32,
        retains_aliases: bool,
        context: Context<'_>,
        out: &mut Output,
    ) {
        if seconds == 0 {
            return self.lose(Reason::PROTOCOL_ERROR, Note::Disconnected, context, out);
        }
        if !self.admit(packet_id, context, out) {
            return;
        }
        self.remember(packet_id);
        let duration = Duration::from_secs(seconds.into());
        self.interval = duration;
        self.phase = Phase::Asleep;
        self.deliveries.interrupt();
        if !retains_aliases {
            self.topics.clear();
        }
        send(&Packet::Sleepresp { packet_id, duration: None, reason: Reason::SUCCESS }, out);
        out.note = Some(Note::Asleep(duration));
    }

    /// PINGREQ of an active client.
    pub(super) fn ping(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        if self.admit(packet_id, context, out) {
            self.remember(packet_id);
            send(&Packet::Pingresp { packet_id, remaining: None }, out);
        }
    }

    /// PINGREQ of a sleeping client, which gets its messages first.
    fn wake_up(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        // If it is awake, the messages are on their way, and PINGRESP follows them.
        if self.phase == Phase::Asleep {
            self.remember(packet_id);
            let left = self.identity.awake_messages;
            self.phase = Phase::Awake(Awakening { until: context.now, packet_id, left });
            self.pump(context, out);
        }
    }

    /// Whether the client may get another message now. Counts it.
    pub(super) fn takes_message(&mut self) -> bool {
        match &mut self.phase {
            Phase::Active => true,
            Phase::Awake(Awakening { left: None, .. }) => true,
            Phase::Awake(Awakening { left: Some(left), .. }) => match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    true
                }
                None => false,
            },
            Phase::Asleep | Phase::Connecting | Phase::Disconnected { .. } => false,
        }
    }

    /// The client has acknowledged a message, so the broker may send the next one, which it held back.
    pub(super) fn stay_awake(&mut self, context: Context<'_>) {
        if let Phase::Awake(awakening) = &mut self.phase {
            awakening.until = context.now + NEXT_MESSAGE;
        }
    }

    /// Ends the time awake if the client has its messages.
    pub(super) fn end_awakening_if_idle(&mut self, context: Context<'_>, out: &mut Output) {
        let Phase::Awake(Awakening { until, packet_id, left }) = self.phase else { return };
        let is_served = left == Some(0) && self.deliveries.open().is_none();
        if is_served || context.now >= until && !context.has_more && self.deliveries.is_idle() {
            let remaining = Some(self.remaining(context));
            send(&Packet::Pingresp { packet_id, remaining }, out);
            self.phase = Phase::Asleep;
        }
    }

    /// The messages that wait.
    fn remaining(&self, context: Context<'_>) -> u8 {
        if context.has_more || !self.deliveries.has_room(context.settings) {
            return UNKNOWN_REMAINING;
        }
        u8::try_from(self.deliveries.waiting(context.now)).unwrap_or(UNKNOWN_REMAINING)
    }
}
