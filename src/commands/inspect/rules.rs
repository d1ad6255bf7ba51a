//! Prints the linter's rules: the requirement, the sender it applies to, and the normative statement.

use crate::cli::inspect::InspectArgs;
use crate::commands::error::{Error, ExitStatus};
use crate::inspect::Rule;
use crate::inspect::rule::{Scope, Sender};
use crate::inspect::view::ViewFormat;
use crate::json::Writer;
use crate::protocol::Version;
use std::fmt::Write;
use std::io::Write as _;

/// Prints all rules, or those for one statement.
pub(super) fn run(args: &InspectArgs) -> Result<ExitStatus, Error> {
    let rules: Vec<Rule> = match &args.explain {
        None => Rule::ALL.to_vec(),
        Some(statement) => stands_for(statement)?,
    };
    let text = match args.format {
        ViewFormat::Json => rules.iter().map(|rule| json(*rule)).collect::<String>(),
        _ => rules.iter().map(|rule| plain(*rule)).collect::<String>(),
    };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)?;
    Ok(ExitStatus::DONE)
}

/// The rules for a statement, which may be in any case, and without `MQTT-` or `tck-id-`.
fn stands_for(statement: &str) -> Result<Vec<Rule>, Error> {
    let wanted = bare(statement.trim_matches(['[', ']']));
    let is_it = |id: &str| bare(id) == wanted;
    let rules: Vec<Rule> = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| {
            let of_mqtt = [rule.in_v3(), rule.in_v5()].into_iter().chain(rule.in_mqtt_sn());
            of_mqtt.flatten().chain(rule.in_sparkplug()).any(is_it)
        })
        .collect();
    if rules.is_empty() {
        let hint = "--rules lists all rules";
        return Err(Error::usage(format!("unknown rule '{statement}'; {hint}")));
    }
    Ok(rules)
}

/// The identifier in capital letters, without its prefix.
fn bare(id: &str) -> String {
    let id = id.to_ascii_uppercase();
    let prefixes = ["MQTT-", "TCK-ID-"];
    prefixes.into_iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(&id).to_owned()
}

fn plain(rule: Rule) -> String {
    let mut text = String::new();
    for (version, statement) in [(Version::V311, rule.in_v3()), (Version::V5, rule.in_v5())] {
        if let Some(statement) = statement {
            let _ = write!(text, "{statement} ({version})  ");
        }
    }
    for requirement in rule.in_sparkplug() {
        let _ = write!(text, "{requirement} (Sparkplug 3.0)  ");
    }
    for (version, statement) in ["1.2", "2.0"].into_iter().zip(rule.in_mqtt_sn()) {
        if let Some(statement) = statement {
            let _ = write!(text, "{statement} (MQTT-SN {version})  ");
        }
    }
    let _ = write!(
        text,
        "{}, {}, by {}\n    {}\n    {}\n",
        rule.severity(),
        scope(rule.scope()),
        sender(rule.sender()),
        rule.sentence(),
        rule.hint()
    );
    text
}

fn json(rule: Rule) -> String {
    let mut line = Vec::new();
    let mut json = Writer::new(&mut line, false);
    json.open_object();
    let [mqtt_sn_v12, mqtt_sn_v20] = rule.in_mqtt_sn();
    let keys = [
        ("mqtt_3_1_1", rule.in_v3()),
        ("mqtt_5_0", rule.in_v5()),
        ("sparkplug_3_0", rule.in_sparkplug().next()),
        ("mqtt_sn_1_2", mqtt_sn_v12),
        ("mqtt_sn_2_0", mqtt_sn_v20),
        ("severity", Some(rule.severity().name())),
        ("scope", Some(scope(rule.scope()))),
        ("sender", Some(sender(rule.sender()))),
        ("rule", Some(rule.sentence())),
        ("hint", Some(rule.hint())),
    ];
    for (key, value) in keys {
        json.key(key);
        match value {
            Some(value) => json.string(value),
            None => json.literal("null"),
        }
    }
    json.close_object();
    line.push(b'\n');
    String::from_utf8_lossy(&line).into_owned()
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Encoding => "encoding",
        Scope::Packet => "packet",
        Scope::Connection => "connection",
        Scope::Time => "time",
        Scope::Connections => "connections",
    }
}

fn sender(sender: Sender) -> &'static str {
    match sender {
        Sender::Client => "client",
        Sender::Server => "server",
        Sender::Both => "either",
    }
}
