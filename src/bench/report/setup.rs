//! The origin of a run: the options that repeat it, the seed, and the broker's limits and version.

use super::Report;
use crate::bench::broker_limits::BrokerLimits;
use crate::bench::plan::Plan;
use crate::words::counted;
use serde::{Deserialize, Serialize};

/// The origin of a run. Parts that were not seen are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Setup {
    /// The command line; `None` in merged reports, and in those of earlier versions.
    pub command: Option<RecordedCommand>,
    /// The seed of random intervals and generated values; `None` without publishers.
    pub seed: Option<u32>,
    /// The limits in the first CONNACK of MQTT 5.
    pub limits: Option<BrokerLimits>,
    /// The broker's version, as it names it.
    pub broker_version: Option<String>,
}

/// The options that shape a load, whatever their source. Secrets are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedCommand {
    /// The mode, as on the command line.
    pub mode: String,
    /// Each option and the words of its value.
    pub options: Vec<Vec<String>>,
    /// The options whose values are secrets or name files with secrets, without these values.
    pub left_out: Vec<String>,
    /// The files that shape the load.
    pub files: Vec<RecordedFile>,
    /// The text of the scenario file.
    #[serde(default)]
    pub scenario: Option<String>,
}

/// A file whose content is a part of the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedFile {
    pub path: String,
    /// The digest of its content in hexadecimal; `None` if it could not be read again, as a pipe.
    pub sha256: Option<String>,
}

impl Setup {
    pub(super) fn new(plan: &Plan, limits: Option<BrokerLimits>) -> Setup {
        let seed = (plan.publishers() > 0).then_some(plan.seed);
        // Several brokers can have different limits.
        let limits = limits.filter(|_| plan.broker.more_endpoints.is_empty());
        Setup { seed, limits, ..Setup::default() }
    }

    /// The origin of a merged report: the parts that all shards have in common. A merged report cannot be repeated.
    pub(super) fn merge(&mut self, other: &Setup) {
        let Setup { command, seed, limits, broker_version } = self;
        *command = None;
        *seed = seed.filter(|seed| other.seed == Some(*seed));
        if *limits != other.limits {
            *limits = None;
        }
        if *broker_version != other.broker_version {
            *broker_version = None;
        }
    }
}

impl RecordedCommand {
    /// The command line, for a shell.
    pub(crate) fn to_shell(&self) -> String {
        let words = self.options.iter().flatten().map(|word| quoted(word));
        let words: Vec<String> =
            ["mq bench".to_owned(), self.mode.clone()].into_iter().chain(words).collect();
        words.join(" ")
    }
}

/// The characters of the options that a table shows.
const LONGEST_COMMAND: usize = 600;

impl Report {
    /// The options, the machines, and the broker's version and limits: a name and a text for each that is known. Parts of it are
    /// strangers' text.
    pub(super) fn setup_rows(&self) -> Vec<(&'static str, String)> {
        let Setup { command, seed, limits, broker_version } = &self.setup;
        let mut rows = Vec::new();
        if let Some(command) = command {
            let words = command.to_shell();
            let cut = words.char_indices().nth(LONGEST_COMMAND).and_then(|(end, _)| words.get(..end));
            rows.push(("options", cut.map_or(words.clone(), |start| format!("{start}..."))));
            if !command.left_out.is_empty() {
                rows.push(("left out", command.left_out.join(", ")));
            }
        }
        if let (Some(_), Some(seed)) = (command, seed) {
            rows.push(("seed", seed.to_string()));
        }
        for host in &self.hosts {
            let Some(machine) = &host.machine else { continue };
            let open_files = host.open_files.map(|limit| format!("{limit} open files"));
            let words = [counted(host.cpus, "CPU")].into_iter().chain(machine.words()).chain(open_files);
            rows.push(("machine", words.collect::<Vec<_>>().join(", ")));
        }
        rows.extend(broker_version.iter().map(|version| ("broker version", version.clone())));
        let words: Vec<String> = limits.iter().flat_map(BrokerLimits::words).collect();
        if !words.is_empty() {
            rows.push(("broker limits", words.join(", ")));
        }
        rows
    }
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,%+@".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    fn setup() -> Setup {
        let words = [&["--retain"][..], &["--topic", "it's a/\u{1b}[31m"]];
        let options = words.map(|words| words.iter().map(|word| (*word).to_owned()).collect()).to_vec();
        let command = RecordedCommand { mode: "pub".to_owned(), options, ..RecordedCommand::default() };
        Setup {
            command: Some(command),
            seed: Some(7),
            limits: Some(BrokerLimits { receive_maximum: Some(20), ..BrokerLimits::default() }),
            broker_version: Some("a <b> \u{1b}[31m".to_owned()),
        }
    }

    #[test]
    fn a_word_is_quoted_for_a_shell() {
        let command = setup().command.unwrap();
        assert_eq!(command.to_shell(), "mq bench pub --retain --topic 'it'\\''s a/\u{1b}[31m'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_origin_is_in_each_format_and_escaped() {
        let mut report = report();
        report.setup = setup();
        let texts = [report.to_text(super::super::Charset::Utf8), report.to_markdown(), report.to_html()];
        for text in texts {
            assert!(text.contains("mq bench pub") && text.contains("receive maximum 20"), "{text}");
            assert!(!text.contains("\u{1b}[31m"), "{text}");
        }
    }

    #[test]
    fn a_merged_report_keeps_what_all_parts_have_in_common() {
        let mut merged = setup();
        let other = Setup { seed: Some(8), broker_version: None, ..setup() };
        merged.merge(&other);
        let expected = Setup { limits: setup().limits, ..Setup::default() };
        assert_eq!(merged, expected);
    }
}
