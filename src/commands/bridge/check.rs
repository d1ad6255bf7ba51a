//! `--check`: connects to both brokers of each bridge, reads their limits, tries the subscriptions, and reports problems, with
//! notes on possible ones. It uses client identifiers of its own, so that a bridge that runs keeps its sessions.

use super::check_client::{forgotten, options};
use super::check_will::{RefusedWill, try_will};
use super::dry_run::ways;
use super::retained::{self, Comparison};
use super::same_broker;
use crate::bridge::rule::{Direction, Rule};
use crate::bridge::settings::RetainMode;
use crate::bridge::{Settings, Side};
use crate::cli::bridge::Plan;
use crate::client::{self, Options, handshake};
use crate::commands::doctor::probe_connection::{ProbeConnection, Subscribed};
use crate::commands::error::{Error, ExitStatus};
use crate::commands::limits::{self, Limit, LimitValue};
use crate::commands::standard_output::print;
use crate::escape::{self, shortened};
use crate::json::{Writer, member};
use crate::protocol::{Disconnect, Properties, PropertyId, Qos, ReasonCode};
use crate::transport::{self, Connection};
use std::fmt::Write as _;

/// The results of a bridge.
struct Report {
    name: String,
    local: SideReport,
    remote: SideReport,
    findings: Findings,
}

/// The findings, as sentences.
#[derive(Default)]
struct Findings {
    /// Parts of the bridge that certainly do not work.
    problems: Vec<String>,
    /// Effects that depend on the messages, or may be intended.
    notes: Vec<String>,
}

/// The results of a broker.
struct SideReport {
    side: Side,
    address: String,
    answer: Result<Answer, String>,
}

/// The limits and features of a broker.
struct Answer {
    version: String,
    limits: Vec<Limit>,
    /// The limits in words.
    described: String,
    maximum_qos: Qos,
    maximum_packet_size: u32,
    retains: bool,
    has_identifiers: bool,
    session_expiry: Option<u32>,
    /// Whether the broker accepts the protocol level of bridges; `None` in MQTT 5, which does not need it.
    is_private: Option<bool>,
    /// The refusal of the will.
    refused_will: Option<RefusedWill>,
    subscriptions: Vec<(String, Qos, Subscribed)>,
}

/// Checks all bridges, and prints the results.
pub(super) async fn run(settings: Vec<Settings>, plans: &[Plan], is_json: bool) -> Result<ExitStatus, Error> {
    let mut has_problems = false;
    let mut text = Vec::new();
    for (settings, plan) in settings.iter().zip(plans) {
        let report = check(settings, plan).await;
        has_problems |= !report.findings.problems.is_empty();
        match is_json {
            true => report.write_json(&mut text),
            false => text.extend(report.text().into_bytes()),
        }
    }
    print(text)?;
    Ok(if has_problems { ExitStatus::REJECTED } else { ExitStatus::DONE })
}

async fn check(settings: &Settings, plan: &Plan) -> Report {
    let local = check_side(settings, plan, Side::Local).await;
    let remote = check_side(settings, plan, Side::Remote).await;
    let mut findings = Findings::of(settings, &plan.rules, [&local, &remote]);
    if local.answer.is_ok() && remote.answer.is_ok() {
        findings.problems.extend(of_same_broker(settings, &plan.rules).await);
        findings.notes.extend(of_retained(settings, &plan.rules).await);
    }
    Report { name: settings.name.clone(), local, remote, findings }
}

/// The problem of two addresses of the same broker.
async fn of_same_broker(settings: &Settings, rules: &[Rule]) -> Option<String> {
    if !same_broker::matters(settings, rules) {
        return None;
    }
    // A broker that does not accept the client leaves the question open.
    let is_same = same_broker::is_same(settings).await.unwrap_or(false);
    is_same.then(|| {
        "both addresses lead to the same broker, and the rules would form a loop; use prefixes or topics that do not overlap"
            .to_owned()
    })
}

/// The retained messages that only the target has.
async fn of_retained(settings: &Settings, rules: &[Rule]) -> Vec<String> {
    let comparisons = match retained::compare(settings, rules).await {
        Ok(comparisons) => comparisons,
        Err(error) => return vec![format!("the retained messages were not compared: {error}")],
    };
    let note = |Comparison { direction, only_at_target }: Comparison| {
        let (word, source, target) = (direction.word(), direction.source(), direction.target());
        match only_at_target.as_deref() {
            None => Some(format!("{word}: there are too many retained messages to compare them")),
            Some([]) => None,
            Some([topic]) => Some(format!(
                "{word}: the {target} broker has a retained message that the {source} one does not have: {topic}"
            )),
            Some([topic, ..]) => Some(format!(
                "{word}: the {target} broker has {} retained messages that the {source} one does not have, such as {topic}",
                only_at_target.as_ref().map_or(0, Vec::len)
            )),
        }
    };
    comparisons.into_iter().filter_map(note).collect()
}

async fn check_side(settings: &Settings, plan: &Plan, side: Side) -> SideReport {
    let end = settings.end(side);
    let address = end.options.endpoint.address.to_string();
    let mut answer = ask(settings, side).await.map_err(|error| error.to_string());
    if let Ok(answer) = &mut answer
        && !end.options.version.is_v5()
    {
        // Its only line is a hint, which has no text of the broker.
        answer.described = plan.words(side).translate(side, &answer.described);
    }
    SideReport { side, address, answer }
}

/// Connects to a broker as the bridge does, reads its limits and tries the subscriptions, then the will.
async fn ask(settings: &Settings, side: Side) -> Result<Answer, client::Error> {
    let mut options = options(settings.end(side));
    let answer = ask_with(&mut options, settings, side).await?;
    let refused_will = try_will(options, settings, side).await.err();
    Ok(Answer { refused_will, ..answer })
}

async fn ask_with(options: &mut Options, settings: &Settings, side: Side) -> Result<Answer, client::Error> {
    if options.version.is_v5() || !settings.end(side).try_private {
        return ask_as(options, settings, side).await;
    }
    options.is_bridge = true;
    match ask_as(options, settings, side).await {
        Ok(answer) => Ok(Answer { is_private: Some(true), ..answer }),
        Err(client::Error::Connect(error)) => Err(error.into()),
        Err(_) => {
            options.is_bridge = false;
            let answer = ask_as(options, settings, side).await?;
            Ok(Answer { is_private: Some(false), ..answer })
        }
    }
}

async fn ask_as(options: &Options, settings: &Settings, side: Side) -> Result<Answer, client::Error> {
    let end = settings.end(side);
    let stream = transport::connect(&options.endpoint).await?;
    let mut described = String::new();
    let mut found = Vec::new();
    let mut session_expiry = None;
    let (connection, terms) = handshake(options, Connection::new(stream), |connack| {
        described = limits::describe(connack, options.version, &options.client_id);
        found = limits::of(connack, &options.client_id);
        session_expiry = connack.properties.number(PropertyId::SessionExpiryInterval);
    })
    .await?;
    let offered = terms.peer_accepts;
    let timeout = options.endpoint.timeout;
    let mut probe = ProbeConnection::new((connection, terms), options.version, "mq/bridge", timeout);
    let subscriptions = subscriptions(settings, side, &mut probe).await?;
    let forget = forgotten(options);
    probe.leave(&Disconnect { reason_code: ReasonCode::SUCCESS, properties: forget.as_properties() }).await;
    Ok(Answer {
        version: options.version.to_string(),
        maximum_qos: offered.maximum_qos.min(end.maximum_qos),
        maximum_packet_size: offered.maximum_packet_size.min(end.maximum_packet_size.unwrap_or(u32::MAX)),
        retains: offered.retain_available,
        has_identifiers: options.version.is_v5() && offered.subscription_identifier_available,
        session_expiry,
        is_private: None,
        refused_will: None,
        limits: found,
        described,
        subscriptions,
    })
}

async fn subscriptions(
    settings: &Settings,
    side: Side,
    probe: &mut ProbeConnection,
) -> Result<Vec<(String, Qos, Subscribed)>, client::Error> {
    let mut results = Vec::new();
    for subscription in settings.routes(side.direction()).subscriptions() {
        probe.begin();
        let filter = subscription.filter.as_str();
        let result = probe.subscribe(filter, subscription.qos, Properties::EMPTY).await?;
        results.push((filter.to_owned(), subscription.qos, result));
    }
    Ok(results)
}

impl Findings {
    fn of(settings: &Settings, rules: &[Rule], [local, remote]: [&SideReport; 2]) -> Findings {
        let mut findings = Findings::default();
        for report in [local, remote] {
            let side = report.side;
            match &report.answer {
                Err(error) => {
                    findings.problems.push(format!("the {side} broker cannot be used: {error}"));
                }
                Ok(answer) => {
                    findings.problems.extend(of_source(settings, side, answer));
                    if let Some(refused) = &answer.refused_will {
                        let to =
                            if refused.ends_bridge() { &mut findings.problems } else { &mut findings.notes };
                        to.push(refused.describe(side));
                    }
                }
            }
        }
        let (Ok(local), Ok(remote)) = (&local.answer, &remote.answer) else { return findings };
        for direction in Direction::BOTH {
            let (source, target) = match direction {
                Direction::Out => (local, remote),
                Direction::In => (remote, local),
            };
            findings.add_direction(settings, rules, direction, (source, target));
        }
        findings
    }

    /// Adds those about the messages of a direction.
    fn add_direction(
        &mut self,
        settings: &Settings,
        rules: &[Rule],
        direction: Direction,
        (source, target): (&Answer, &Answer),
    ) {
        let side = direction.target();
        let ways = ways(rules, direction);
        if ways.is_empty() {
            return;
        }
        for (rule, _) in ways.iter().filter(|(_, way)| way.qos > target.maximum_qos) {
            let maximum = target.maximum_qos;
            self.problems.push(format!(
                "rule '{rule}': the {side} broker supports QoS {maximum} only, to which messages are lowered"
            ));
        }
        if !target.retains && settings.retain(direction) != RetainMode::Clear {
            self.problems.push(format!("the {side} broker does not retain messages, so RETAIN is cleared"));
        }
        // The source's own limit does not mean that its messages are that large.
        if target.maximum_packet_size < source.maximum_packet_size {
            let size = target.maximum_packet_size;
            self.notes.push(format!(
                "the {side} broker accepts packets of up to {size} bytes; larger messages are dropped"
            ));
        }
        if settings.routes(direction).has_partial_overlaps() && !source.has_identifiers {
            self.notes.push(format!(
                "{} rules overlap in part, and the {} broker has no subscription identifiers: a message that matches two filters may be forwarded twice",
                direction.word(),
                direction.source()
            ));
        }
    }
}

/// The problems of the subscriptions and the session at a broker.
fn of_source(settings: &Settings, side: Side, answer: &Answer) -> Vec<String> {
    let mut problems = Vec::new();
    for (filter, qos, result) in &answer.subscriptions {
        let problem = match result {
            Subscribed::Granted(granted) if granted < qos => {
                format!("granted QoS {granted} instead of {qos} for {filter}")
            }
            Subscribed::Granted(_) => continue,
            Subscribed::Rejected(reason) => format!("rejected the subscription to {filter}: {reason}"),
            Subscribed::NotOffered(reason) => {
                format!("does not offer the subscription to {filter}: {reason}")
            }
            Subscribed::Unanswered => format!("did not answer the subscription to {filter}"),
        };
        problems.push(format!("the {side} broker {problem}"));
    }
    let end = settings.end(side);
    if end.needs_no_local && answer.is_private == Some(false) {
        problems.push(format!(
            "the {side} broker rejects the protocol level of bridges, so the rules would form a loop; use MQTT 5 or prefixes"
        ));
    }
    if let Some(expiry) =
        answer.session_expiry.filter(|expiry| *expiry < end.session_expiry && !end.options.clean_start)
    {
        problems.push(format!(
            "the {side} broker keeps the session for {expiry} s only; after a longer time without a connection, messages are lost"
        ));
    }
    problems
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!("{}\n", escape::line(&shortened(&self.name)));
        let Findings { problems, notes } = &self.findings;
        for side in [&self.local, &self.remote] {
            side.write_text(&mut text);
        }
        for problem in problems {
            let _ = writeln!(text, "problem: {}", escape::line(problem));
        }
        for note in notes {
            let _ = writeln!(text, "note: {}", escape::line(note));
        }
        if problems.is_empty() {
            text.push_str("no problems found\n");
        }
        text
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut json = Writer::new(out, false);
        json.open_object();
        member::text("bridge", &self.name, &mut json);
        for side in [&self.local, &self.remote] {
            json.key(match side.side {
                Side::Local => "local",
                Side::Remote => "remote",
            });
            side.write_json(&mut json);
        }
        let Findings { problems, notes } = &self.findings;
        for (key, texts) in [("problems", problems), ("notes", notes)] {
            json.key(key);
            json.open_array();
            for text in texts {
                json.element();
                json.string(text);
            }
            json.close_array();
        }
        json.close_object();
        out.push(b'\n');
    }
}

impl SideReport {
    fn write_text(&self, text: &mut String) {
        let _ = writeln!(text, "{} broker: {}", self.side, escape::line(&self.address));
        let Ok(answer) = &self.answer else { return };
        for line in answer.described.lines() {
            let _ = writeln!(text, "  {}", escape::line(line));
        }
        if let Some(is_private) = answer.is_private {
            let word = if is_private { "accepted" } else { "rejected" };
            let _ = writeln!(text, "  protocol level of bridges: {word}");
        }
        for (filter, qos, result) in &answer.subscriptions {
            let result = match result {
                Subscribed::Granted(granted) => format!("granted QoS {granted}"),
                Subscribed::Rejected(reason) => format!("rejected: {reason}"),
                Subscribed::NotOffered(reason) => format!("not offered: {reason}"),
                Subscribed::Unanswered => "no answer".to_owned(),
            };
            let _ = writeln!(
                text,
                "  subscription to {} at QoS {qos}: {}",
                escape::line(filter),
                escape::line(&result)
            );
        }
    }

    fn write_json(&self, json: &mut Writer<'_>) {
        json.open_object();
        member::text("address", &self.address, json);
        match &self.answer {
            Err(error) => member::text("error", error, json),
            Ok(answer) => {
                member::text("version", &answer.version, json);
                if let Some(is_private) = answer.is_private {
                    member::number("private", is_private, json);
                }
                for Limit { name, value, .. } in &answer.limits {
                    let Some(value) = value else { continue };
                    json.key(&name.replace('-', "_"));
                    match value {
                        LimitValue::Flag(flag) => json.literal(flag),
                        LimitValue::Number(number) => json.literal(number),
                        LimitValue::Text(text) => json.string(text),
                    }
                }
            }
        }
        json.close_object();
    }
}
