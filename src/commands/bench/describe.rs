//! A load in words: one line that announces a run, or a line for each group.

use crate::bench::payload::Payload;
use crate::bench::plan::{Group, Hold, Plan, Scenario, Volume};
use crate::bench::rate_profile::{Bounds, Pace};
use crate::bench::report::of_stages;
use crate::bench::schedule::{DutyCycle, OpenLoop};
use crate::bench::think_time::ThinkTime;
use crate::escape;
use crate::protocol::Qos;
use crate::words::counted;
use std::time::Duration;

/// The load of a run, in one line.
pub(super) fn describe(plan: &Plan) -> String {
    let groups: Vec<_> = plan.groups.iter().map(|group| describe_group(plan, group)).collect();
    let mut text = groups.join("; ") + &times(plan) + &brokers(plan) + &hold(plan);
    if plan.processes > 1 {
        text += &format!(", from {} processes", plan.processes);
    }
    text
}

/// The groups of a run, a line each, and its times.
pub(super) fn groups(plan: &Plan) -> String {
    let lines = plan.groups.iter().map(|group| {
        let planned = planned_messages(plan, group).filter(|_| group.messages.is_none());
        let planned = planned.map(|count| format!(", {count} planned in the measurement"));
        escape::line(&(describe_group(plan, group) + &planned.unwrap_or_default())).into_owned() + "\n"
    });
    let planned: Vec<_> = plan
        .groups
        .iter()
        .filter(|group| group.publishers > 0)
        .map(|group| planned_messages(plan, group))
        .collect();
    let planned: Option<u64> = planned.into_iter().sum();
    let planned = planned
        .filter(|count| *count > 0)
        .map(|count| format!(", {}", counted(count, "message")))
        .unwrap_or_default();
    let count = match plan.groups.len() {
        1 => "1 group".to_owned(),
        count => format!("{count} groups"),
    };
    lines.collect::<String>()
        + &format!(
            "{count}, {}{planned}{}\n",
            counted(plan.clients(), "client"),
            times(plan) + &brokers(plan) + &hold(plan)
        )
}

/// The end of kept connections.
fn hold(plan: &Plan) -> String {
    match plan.hold {
        None => String::new(),
        Some(Hold::For(time)) => format!(", and the connections stay up for {} s", time.as_secs_f64()),
        Some(Hold::UntilInterrupted) => ", and the connections stay up until Ctrl-C".to_owned(),
    }
}

/// The number of brokers, if there are several.
fn brokers(plan: &Plan) -> String {
    let forwarders = match plan.broker.forwarders {
        None => String::new(),
        Some(1) => ", behind 1 forwarder".to_owned(),
        Some(count) => format!(", behind {count} forwarders"),
    };
    match plan.broker.count() {
        1 => forwarders,
        count => format!(", spread over {count} {}s{forwarders}", peer(plan)),
    }
}

/// The peer of the clients.
fn peer(plan: &Plan) -> &'static str {
    if plan.broker.is_gateway() { "gateway" } else { "broker" }
}

/// The duration and the warm-up, if any.
fn times(plan: &Plan) -> String {
    let mut text = String::new();
    if let Volume::Duration(duration) = plan.volume {
        text += &format!(", for {} s", duration.as_secs_f64());
    }
    if !plan.warm_up.is_zero() {
        text += &format!(" after {} s of warm-up", plan.warm_up.as_secs_f64());
    }
    text
}

fn describe_group(plan: &Plan, group: &Group) -> String {
    let name = if group.name.is_empty() { String::new() } else { format!("{}: ", group.name) };
    name + &describe_work(plan, group)
}

fn describe_work(plan: &Plan, group: &Group) -> String {
    let Group { publishers, subscribers, idle, .. } = *group;
    let clients = match (plan.scenario, group.is_answered, &group.filter) {
        (_, true, _) => {
            format!("{} and {subscribers} {}", do_it(publishers, "ask"), verb(subscribers, "answer"))
        }
        (_, _, Some(filter)) => {
            let listen = do_it(subscribers, "listen");
            return format!("{listen} to {filter} at QoS {}{}", group.subscription_qos, bounds(group.bounds));
        }
        _ if idle == 1 => return format!("1 client connects and stays connected{}", bounds(group.bounds)),
        _ if idle > 0 => return format!("{idle} clients connect and stay connected{}", bounds(group.bounds)),
        (Scenario::Reconnect, ..) => {
            format!(
                "{}, {subscribers} {}, and all are disconnected and reconnect",
                do_it(publishers, "publish"),
                verb(subscribers, "subscribe")
            )
        }
        _ if subscribers == 0 => do_it(publishers, "publish"),
        _ => format!("{} and {subscribers} {}", do_it(publishers, "publish"), verb(subscribers, "subscribe")),
    };
    let volume = group.messages.map_or("messages".to_owned(), |messages| counted(messages, "message"));
    let bytes = match plan.payload_sizes(group) {
        // No message has to reach the bounds of a template.
        (least, most) if least < most && matches!(group.payload, Payload::Text(_)) => {
            format!("at most {most} bytes")
        }
        (least, most) if least < most => format!("{least} to {most} bytes"),
        (_, most) => counted(most, "byte"),
    };
    let pace = match &group.open_loop {
        Some(load) if group.publishers == group.whole().publishers => pace(load),
        Some(load) => format!("{} in all shards", pace(load)),
        None if group.think.is_some() => think_time(group),
        None if plan.is_confirmed(group) => "as fast as the gateway answers pings".to_owned(),
        None if group.qos == Qos::AtMostOnce => "as fast as they can".to_owned(),
        None => format!("as fast as the {} acknowledges", peer(plan)),
    };
    let topics = group.topic_list.as_ref().map(|list| format!(" on {}", counted(list.len(), "topic")));
    let topics = topics.unwrap_or_default();
    let qos = match group.lowest_qos() {
        _ if group.is_unconnected => "-1".to_owned(),
        lowest if lowest < group.qos => format!("{lowest} to {}", group.qos),
        qos => qos.to_string(),
    };
    format!("{clients}, {volume} of {bytes} at QoS {qos}{topics}, {pace}{}", bounds(group.bounds))
}

/// The pauses after each answer.
fn think_time(group: &Group) -> String {
    let Some(ThinkTime { least, most, .. }) = group.think else { return String::new() };
    let times = match least == most {
        true => format!("{} s", most.as_secs_f64()),
        false => format!("{} to {} s", least.as_secs_f64(), most.as_secs_f64()),
    };
    format!("with pauses of {times}")
}

/// The rate over time.
fn pace(load: &OpenLoop) -> String {
    let rate = match load.profile.pace() {
        Pace::Changing { from, to, .. } => {
            format!("from {} to {} per second", from.as_per_second(), to.as_per_second())
        }
        Pace::Constant(rate) | Pace::Growing { to: rate, .. } => {
            format!("{} per second", rate.as_per_second())
        }
        Pace::Stages(stages) => format!("{} per second", of_stages(stages)),
    };
    match load.duty_cycle {
        Some(DutyCycle { on, off }) => {
            format!("{rate}, each on for {} s and off for {} s", on.as_secs_f64(), off.as_secs_f64())
        }
        None => rate,
    }
}

/// When a group begins and ends, if it has times of its own.
fn bounds(bounds: Bounds) -> String {
    let Bounds { measured_from, start, end } = bounds;
    let seconds = |time: Duration| time.saturating_sub(measured_from).as_secs_f64();
    let start = (!start.is_zero()).then(|| format!(", from {} s on", seconds(start)));
    let end = end.map(|end| format!(", until {} s", seconds(end)));
    start.unwrap_or_default() + &end.unwrap_or_default()
}

/// The number of messages that a group plans for the measurement; `None` if the broker's speed decides it.
fn planned_messages(plan: &Plan, group: &Group) -> Option<u64> {
    match (group.messages, &group.open_loop, plan.volume) {
        (Some(messages), ..) => Some(messages),
        (None, Some(load), Volume::Duration(duration)) => {
            let (part, whole) = (u64::from(group.publishers), u64::from(group.whole().publishers).max(1));
            Some(load.profile.messages_in(plan.warm_up, duration).saturating_mul(part) / whole)
        }
        (None, ..) => None,
    }
}

/// A number of clients with their verb.
fn do_it(count: u32, word: &str) -> String {
    format!("{} {}", counted(count, "client"), verb(count, word))
}

/// The verb for so many clients.
fn verb(count: u32, word: &str) -> String {
    match (count, word) {
        (1, "publish") => "publishes".to_owned(),
        (1, word) => format!("{word}s"),
        (_, word) => word.to_owned(),
    }
}
