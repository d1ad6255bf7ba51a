//! A load in words: one line that announces a run, or a line for each group.

use crate::bench::plan::{Group, Plan, Scenario, Volume};
use crate::bench::schedule::{OpenLoop, Ramp};
use crate::escape;
use crate::protocol::Qos;

/// The load of a run, in one line.
pub(super) fn describe(plan: &Plan) -> String {
    let groups: Vec<_> = plan.groups.iter().map(|group| describe_group(plan, group)).collect();
    let mut text = groups.join("; ") + &times(plan);
    if plan.processes > 1 {
        text += &format!(", from {} processes", plan.processes);
    }
    text
}

/// The groups of a run, a line each, and its times.
pub(super) fn groups(plan: &Plan) -> String {
    let lines =
        plan.groups.iter().map(|group| escape::line(&describe_group(plan, group)).into_owned() + "\n");
    let count = match plan.groups.len() {
        1 => "1 group".to_owned(),
        count => format!("{count} groups"),
    };
    lines.collect::<String>() + &format!("{count}, {}{}\n", clients(plan.clients()), times(plan))
}

fn clients(count: u32) -> String {
    if count == 1 { "1 client".to_owned() } else { format!("{count} clients") }
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
        (_, true, _) => format!("{} and {subscribers} answer", do_it(publishers, "ask")),
        (_, _, Some(filter)) => {
            let listen = do_it(subscribers, "listen");
            return format!("{listen} to {filter} at QoS {}", group.subscription_qos);
        }
        _ if idle == 1 => return "1 client connects and stays connected".to_owned(),
        _ if idle > 0 => return format!("{idle} clients connect and stay connected"),
        (Scenario::Reconnect, ..) => {
            format!(
                "{}, {subscribers} subscribe, and all are disconnected and reconnect",
                do_it(publishers, "publish")
            )
        }
        _ if subscribers == 0 => do_it(publishers, "publish"),
        _ => format!("{} and {subscribers} subscribe", do_it(publishers, "publish")),
    };
    let volume = group.messages.map_or("messages".to_owned(), |messages| format!("{messages} messages"));
    let bytes = group.payload.most(group.header_size());
    let pace = match group.open_loop {
        Some(OpenLoop { rate, ramp: Ramp { from: Some(from), .. }, .. }) => {
            format!("from {} to {} per second", from.as_per_second(), rate.as_per_second())
        }
        Some(load) => format!("{} per second", load.rate.as_per_second()),
        None if group.qos == Qos::AtMostOnce => "as fast as they can".to_owned(),
        None => "as fast as the broker acknowledges".to_owned(),
    };
    format!("{clients}, {volume} of {bytes} bytes at QoS {}, {pace}", group.qos)
}

/// A number of clients with their verb.
fn do_it(count: u32, verb: &str) -> String {
    match (count, verb) {
        (1, "publish") => "1 client publishes".to_owned(),
        (1, verb) => format!("1 client {verb}s"),
        (count, verb) => format!("{count} clients {verb}"),
    }
}
