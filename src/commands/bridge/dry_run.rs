//! `--dry-run`: the rules that apply to a topic, and its targets.

use crate::bridge::routes::Routes;
use crate::bridge::rule::{Direction, Rule, Way};
use crate::cli::bridge::Plan;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::standard_output;
use crate::escape::{self, shortened};
use crate::json::{Writer, member};
use std::fmt::Write as _;

/// Prints the result of each rule, and the targets.
pub(super) fn print(plans: &[Plan], topic: &str, is_json: bool) -> Result<ExitStatus, Error> {
    let text = match is_json {
        true => objects(plans, topic),
        false => plans.iter().map(|plan| text(plan, topic, plans.len() > 1)).collect::<String>().into_bytes(),
    };
    standard_output::print(text)?;
    Ok(ExitStatus::DONE)
}

fn text(plan: &Plan, topic: &str, has_heading: bool) -> String {
    let mut text = String::new();
    if has_heading {
        let _ = writeln!(text, "connection {}", escape::line(&shortened(&plan.name)));
    }
    for direction in Direction::BOTH {
        let ways = ways(&plan.rules, direction);
        if ways.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "{}: {} at the {} broker",
            direction.word(),
            escape::line(topic),
            direction.source()
        );
        for (rule, way) in ways {
            let result = result(way, topic);
            let _ = writeln!(text, "  rule '{}': {result}", escape::line(&rule.to_string()));
        }
        let targets = Routes::compile(&plan.rules, direction).targets(topic, &[]);
        if targets.is_empty() {
            let _ = writeln!(text, "  not forwarded");
        }
        for target in &*targets {
            let side = direction.target();
            let _ = writeln!(
                text,
                "  forwarded to {} at the {side} broker, up to QoS {}",
                escape::line(&target.topic),
                target.qos
            );
        }
    }
    text
}

/// The rules of a direction.
pub(super) fn ways(rules: &[Rule], direction: Direction) -> Vec<(&Rule, &Way)> {
    let ways = rules.iter().flat_map(|rule| rule.ways().iter().map(move |way| (rule, way)));
    ways.filter(|(_, way)| way.direction == direction).collect()
}

fn result(way: &Way, topic: &str) -> String {
    if !way.matches(topic) {
        return format!("no match for {}", escape::line(way.filter()));
    }
    match way.target(topic) {
        Some(target) => format!("{}, QoS {}", escape::line(&target), way.qos),
        None => "matches, but its target is not a topic to publish to".to_owned(),
    }
}

fn objects(plans: &[Plan], topic: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for plan in plans {
        for direction in Direction::BOTH {
            for (rule, way) in ways(&plan.rules, direction) {
                let mut json = Writer::new(&mut out, false);
                json.open_object();
                member::text("bridge", &plan.name, &mut json);
                member::text("rule", &rule.to_string(), &mut json);
                member::text("direction", direction.word(), &mut json);
                json.key("matches");
                json.literal(way.matches(topic));
                json.key("target");
                match way.target(topic) {
                    Some(target) => json.string(&target),
                    None => json.literal("null"),
                }
                member::number("qos", way.qos, &mut json);
                json.close_object();
                out.push(b'\n');
            }
        }
    }
    out
}
