//! What a run will do, in a line.

use crate::bench::plan::{Group, Plan, Scenario, Volume};
use crate::bench::schedule::{OpenLoop, Ramp};
use crate::protocol::Qos;

/// What the run will do, in a line.
pub(super) fn describe(plan: &Plan) -> String {
    let groups: Vec<_> = plan.groups.iter().map(|group| describe_group(plan, group)).collect();
    let mut text = groups.join("; ");
    if let Volume::Duration(duration) = plan.volume {
        text += &format!(", for {} s", duration.as_secs_f64());
    }
    if !plan.warm_up.is_zero() {
        text += &format!(" after {} s of warming up", plan.warm_up.as_secs_f64());
    }
    if plan.processes > 1 {
        text += &format!(", from {} processes", plan.processes);
    }
    text
}

fn describe_group(plan: &Plan, group: &Group) -> String {
    let Group { publishers, subscribers, idle, .. } = *group;
    let clients = match (plan.scenario, group.is_answered, &group.filter) {
        (_, true, _) => format!("{publishers} clients ask and {subscribers} answer"),
        (_, _, Some(filter)) => {
            return format!("{subscribers} clients listen to {filter} at QoS {}", group.subscription_qos);
        }
        _ if idle > 0 => return format!("{idle} clients connect and stay"),
        (Scenario::Reconnect, ..) => {
            format!(
                "{publishers} clients publish, {subscribers} subscribe, and all are dropped and come back"
            )
        }
        _ if subscribers == 0 => format!("{publishers} clients publish"),
        _ => format!("{publishers} clients publish and {subscribers} subscribe"),
    };
    let volume = group.messages.map_or("messages".to_owned(), |messages| format!("{messages} messages"));
    let bytes = group.payload.most(group.stamp_size());
    let pace = match group.open_loop {
        Some(OpenLoop { rate, ramp: Ramp { from: Some(from), .. }, .. }) => {
            format!("from {} to {} in a second", from.as_per_second(), rate.as_per_second())
        }
        Some(load) => format!("{} in a second", load.rate.as_per_second()),
        None if group.qos == Qos::AtMostOnce => "as fast as they can".to_owned(),
        None => "as fast as the broker acknowledges".to_owned(),
    };
    let name = if group.name.is_empty() { String::new() } else { format!("{}: ", group.name) };
    format!("{name}{clients}, {volume} of {bytes} bytes at QoS {}, {pace}", group.qos)
}
