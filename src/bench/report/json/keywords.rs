//! The enumerated values of the document.

use crate::bench::ending::{Ending, Step};
use crate::bench::plan::Scenario;
use crate::bench::record::Stage;
use crate::bench::report::{Found, MQTT_SN};
use crate::protocol::Version;

const STEPS: [(Step, &str); 9] = [
    (Step::Connect, "connect"),
    (Step::Subscribe, "subscribe"),
    (Step::Wait, "wait"),
    (Step::WarmUp, "warm_up"),
    (Step::Measure, "measure"),
    (Step::Reconnect, "reconnect"),
    (Step::CatchUp, "catch_up"),
    (Step::Drain, "drain"),
    (Step::Hold, "hold"),
];

pub(in crate::bench::report) fn step_word(step: Step) -> &'static str {
    STEPS.iter().find(|(known, _)| *known == step).map_or("", |(_, word)| word)
}

pub(in crate::bench::report) fn step_of(word: &str) -> Option<Step> {
    STEPS.iter().find(|(_, known)| *known == word).map(|(step, _)| *step)
}

const STALLED: &str = "stalled in ";

pub(in crate::bench::report) fn ending_word(ending: Ending) -> String {
    match ending {
        Ending::Complete => "complete".to_owned(),
        Ending::Interrupted => "interrupted".to_owned(),
        Ending::NotConnected => "not connected".to_owned(),
        Ending::AllLost => "all lost".to_owned(),
        Ending::Stalled(step) => format!("{STALLED}{}", step_word(step)),
    }
}

pub(in crate::bench::report) fn ending_of(word: &str) -> Option<Ending> {
    match word {
        "complete" => Some(Ending::Complete),
        "interrupted" => Some(Ending::Interrupted),
        "not connected" => Some(Ending::NotConnected),
        "all lost" => Some(Ending::AllLost),
        _ => word.strip_prefix(STALLED).and_then(step_of).map(Ending::Stalled),
    }
}

pub(in crate::bench::report) fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Subscribe => "subscribe",
        Stage::Run => "run",
    }
}

pub(in crate::bench::report) fn stage_of(word: &str) -> Option<Stage> {
    [Stage::Connect, Stage::Subscribe, Stage::Run].into_iter().find(|stage| stage_word(*stage) == word)
}

const SCENARIOS: [(Scenario, &str); 7] = [
    (Scenario::Connect, "conn"),
    (Scenario::Publish, "pub"),
    (Scenario::Subscribe, "sub"),
    (Scenario::PublishSubscribe, "pubsub"),
    (Scenario::RequestResponse, "rr"),
    (Scenario::Reconnect, "reconnect"),
    (Scenario::Mix, "scenario"),
];

/// The name of a scenario on the command line and in files.
pub(crate) fn scenario_word(scenario: Scenario) -> &'static str {
    SCENARIOS.iter().find(|(known, _)| *known == scenario).map_or("", |(_, word)| word)
}

pub(in crate::bench::report) fn scenario_of(word: &str) -> Option<Scenario> {
    SCENARIOS.iter().find(|(_, known)| *known == word).map(|(scenario, _)| *scenario)
}

pub(in crate::bench::report) fn version_word(version: Version) -> &'static str {
    match version {
        Version::V31 => "3.1",
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    }
}

pub(in crate::bench::report) fn version_of(word: &str) -> Option<Version> {
    if word == MQTT_SN {
        return Some(Version::V311);
    }
    [Version::V31, Version::V311, Version::V5].into_iter().find(|version| version_word(*version) == word)
}

/// The outcome of a search, as its name and its rate.
pub(in crate::bench::report) fn found_words(found: Found) -> (&'static str, f64) {
    match found {
        Found::Rate(rate) => ("highest", rate),
        Found::AtLeast(rate) => ("at least", rate),
        Found::NotEven(rate) => ("not even", rate),
    }
}

pub(in crate::bench::report) fn found_of(word: &str, rate: f64) -> Option<Found> {
    [Found::Rate, Found::AtLeast, Found::NotEven]
        .into_iter()
        .map(|found| found(rate))
        .find(|found| found_words(*found).0 == word)
}
