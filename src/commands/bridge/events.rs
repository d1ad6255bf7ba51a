//! The events of bridges as lines of the log, and as JSON objects.

use crate::bridge::{DropReason, Event, EventKind, Side};
use crate::escape::shortened;
use crate::json::{Writer, member};
use crate::message::rfc_3339;
use crate::words::{counted, counted_verb};
use jiff::Timestamp;
use std::time::Duration;

/// The words for events.
#[derive(Debug)]
pub(super) struct Events {
    /// Whether lines begin with the name of the bridge.
    has_names: bool,
}

impl Events {
    /// For this number of bridges.
    pub(super) fn new(bridges: usize) -> Events {
        Events { has_names: bridges > 1 }
    }

    /// An event as a line of the log.
    pub(super) fn line(&self, event: &Event) -> String {
        let text = describe(&event.kind);
        if self.has_names { format!("{}: {text}", shortened(&event.name)) } else { text }
    }
}

fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::Connected { side, address, version, session_present, is_private } => {
            let session = if *session_present { "session resumed" } else { "new session" };
            let private = if *is_private { ", as a bridge" } else { "" };
            format!("connected to the {side} broker at {address} ({version}{private}, {session})")
        }
        EventKind::Lost { side, error, pause } => {
            format!("{side} broker: {error}; connecting again in {:.1} s", pause.as_secs_f64())
        }
        EventKind::Failed { error } => format!("ended: {error}"),
        EventKind::NoPrivate { side } => {
            format!("the {side} broker rejects the protocol level of bridges; connected without it")
        }
        EventKind::SubscriptionRefused { side, filter, reason } => {
            format!("the {side} broker rejected the subscription to {}: {reason}", shortened(filter))
        }
        EventKind::StatusRefused { side, topic, reason } => format!(
            "the {side} broker rejected the state of the bridge on {}: {reason}; --notification-topic sets another topic, \
             and --notifications none publishes no state",
            shortened(topic)
        ),
        EventKind::SubscriptionLowered { side, filter, asked, granted } => {
            format!("the {side} broker granted QoS {granted} instead of {asked} for {}", shortened(filter))
        }
        EventKind::SourceSessionLost { side } => {
            format!("the {side} broker lost the session; the messages that it had queued are gone")
        }
        EventKind::TargetSessionLost { side, messages } => {
            let messages = counted_verb(*messages, "message", "is");
            format!("the {side} broker lost the session; {messages} sent again, and may be doubled")
        }
        EventKind::TargetForgot { side } => format!(
            "the {side} broker has forgotten messages that it had received; they are sent again, and may be doubled"
        ),
        EventKind::FirstAddressWorks { side, address } => {
            format!("the first address of the {side} broker works again: {address}; connecting there")
        }
        EventKind::QosLowered { direction, maximum } => {
            format!(
                "the {} broker supports QoS {maximum} only; messages are lowered to it",
                direction.target()
            )
        }
        EventKind::QuotaExceeded { side } => {
            format!("the {side} broker refuses messages for now: quota exceeded (0x97); they are sent again")
        }
        EventKind::RetainCleared { direction } => {
            format!("the {} broker does not retain messages; RETAIN is cleared", direction.target())
        }
        EventKind::Dropped { direction, reason, topic, count } => {
            let (direction, messages, reason) =
                (direction.word(), counted(*count, "message"), drop_reason(reason));
            let first = if *count == 1 { "" } else { "the first one " };
            format!("{direction}: dropped {messages}, {first}on {}: {reason}", shortened(topic))
        }
        EventKind::NoAcknowledgement { side, timeout } => {
            format!("the {side} broker did not acknowledge within {:.0} s", timeout.as_secs_f64())
        }
        EventKind::Undelivered { direction, messages } => format!(
            "{}: stopped with {} in flight, which the {} broker delivers again",
            direction.word(),
            counted(*messages, "message"),
            direction.source()
        ),
    }
}

fn drop_reason(reason: &DropReason) -> String {
    match reason {
        DropReason::QueueFull => "the queue was full".to_owned(),
        DropReason::TooLarge { size, limit } => {
            format!("its packet has {size} bytes, more than the maximum of {limit}")
        }
        DropReason::Rejected(reason) => format!("rejected: {reason}"),
        DropReason::InvalidTopic => "the topic would be invalid".to_owned(),
        DropReason::Expired => "it expired".to_owned(),
        DropReason::TooOld => "it waited too long".to_owned(),
        DropReason::Looped => "it had passed this bridge before".to_owned(),
        DropReason::Unmatched => "no rule matches it".to_owned(),
    }
}

/// The words for reasons in JSON, and the labels of metrics.
fn drop_word(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::QueueFull => "queue_full",
        DropReason::TooLarge { .. } => "too_large",
        DropReason::Rejected(_) => "rejected",
        DropReason::InvalidTopic => "invalid_topic",
        DropReason::Expired => "expired",
        DropReason::TooOld => "too_old",
        DropReason::Looped => "looped",
        DropReason::Unmatched => "unmatched",
    }
}

/// Opens an object with the members that all lines have.
pub(super) fn open(name: &str, event: &str, json: &mut Writer<'_>) {
    json.open_object();
    member::text("time", &rfc_3339(Timestamp::now()), json);
    member::text("bridge", name, json);
    member::text("event", event, json);
}

/// An event as a JSON object, on a line.
pub(super) fn object(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out, false);
    members(event, &mut json);
    member::text("text", &describe(&event.kind), &mut json);
    json.close_object();
    out.push(b'\n');
    out
}

fn members(event: &Event, json: &mut Writer<'_>) {
    let side = |side: &Side, json: &mut Writer<'_>| member::text("side", &side.to_string(), json);
    let flag = |name: &str, value: bool, json: &mut Writer<'_>| member::number(name, value, json);
    let seconds =
        |name: &str, time: Duration, json: &mut Writer<'_>| member::number(name, time.as_secs_f64(), json);
    let mut begin = |event_name: &str| open(&event.name, event_name, json);
    match &event.kind {
        EventKind::Connected { side: of, address, version, session_present, is_private } => {
            begin("connected");
            side(of, json);
            member::text("address", address, json);
            member::text("version", &version.to_string(), json);
            flag("session_present", *session_present, json);
            flag("private", *is_private, json);
        }
        EventKind::Lost { side: of, error, pause } => {
            begin("lost");
            side(of, json);
            member::text("error", &error.to_string(), json);
            seconds("pause", *pause, json);
        }
        EventKind::Failed { error } => {
            begin("failed");
            member::text("error", error, json);
        }
        EventKind::NoPrivate { side: of } => {
            begin("no_private");
            side(of, json);
        }
        EventKind::SubscriptionRefused { side: of, filter, reason } => {
            begin("subscription_refused");
            side(of, json);
            member::text("filter", filter, json);
            member::number("reason", reason.0, json);
        }
        EventKind::StatusRefused { side: of, topic, reason } => {
            begin("status_refused");
            side(of, json);
            member::text("topic", topic, json);
            member::number("reason", reason.0, json);
        }
        EventKind::SubscriptionLowered { side: of, filter, asked, granted } => {
            begin("subscription_lowered");
            side(of, json);
            member::text("filter", filter, json);
            member::number("asked", asked, json);
            member::number("granted", granted, json);
        }
        EventKind::SourceSessionLost { side: of } => {
            begin("source_session_lost");
            side(of, json);
        }
        EventKind::TargetSessionLost { side: of, messages } => {
            begin("target_session_lost");
            side(of, json);
            member::number("messages", messages, json);
        }
        EventKind::TargetForgot { side: of } => {
            begin("target_forgot");
            side(of, json);
        }
        EventKind::FirstAddressWorks { side: of, address } => {
            begin("first_address_works");
            side(of, json);
            member::text("address", address, json);
        }
        EventKind::QosLowered { direction, maximum } => {
            begin("qos_lowered");
            member::text("direction", direction.word(), json);
            member::number("maximum", maximum, json);
        }
        EventKind::QuotaExceeded { side: of } => {
            begin("quota_exceeded");
            side(of, json);
        }
        EventKind::RetainCleared { direction } => {
            begin("retain_cleared");
            member::text("direction", direction.word(), json);
        }
        EventKind::Dropped { direction, reason, topic, count } => {
            begin("dropped");
            member::text("direction", direction.word(), json);
            member::text("reason", drop_word(reason), json);
            member::text("topic", topic, json);
            member::number("count", count, json);
        }
        EventKind::NoAcknowledgement { side: of, timeout } => {
            begin("no_acknowledgement");
            side(of, json);
            seconds("timeout", *timeout, json);
        }
        EventKind::Undelivered { direction, messages } => {
            begin("undelivered");
            member::text("direction", direction.word(), json);
            member::number("messages", messages, json);
        }
    }
}
