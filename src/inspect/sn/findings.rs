//! The findings about one message, and the rule of both versions on silences of clients.

use super::client::{Client, ClientState, Observed};
use super::version::rule_column;
use crate::inspect::timing::SECOND;
use crate::inspect::view::words::duration;
use crate::inspect::{Finding, Name, Rule, Severity};
use crate::protocol::sn::Version;
use std::ops::Range;

/// The findings about one message.
pub(super) struct Findings<'m, 'a> {
    pub(super) message: &'m Observed<'m, 'a>,
    pub(super) version: Version,
    pub(super) list: Vec<Finding>,
}

impl Findings<'_, '_> {
    /// Reports a violation, in the bytes of the first of the fields that the message has.
    pub(super) fn add(&mut self, rule: Rule, names: &[Name], detail: impl Into<String>) {
        let field = names.iter().find_map(|name| self.message.tree.find(*name));
        let range = field.map_or(0..0, |field| field.range.clone());
        self.add_at(rule, range, detail);
    }

    /// Makes the last finding an error: version 2.0 forbids more than the rule's severity says.
    pub(super) fn raise(&mut self) {
        if let Some(finding) = self.list.last_mut() {
            finding.severity = Severity::Error;
        }
    }

    fn add_at(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.list.push(Finding::new(rule, rule_column(self.version), range, detail));
    }
}

/// The time that a gateway waits for a client that announced `seconds`.
fn tolerance(seconds: u32, version: Version) -> u64 {
    let time = u64::from(seconds) * SECOND;
    if seconds > 60 && version == Version::V12 { time + time / 10 } else { time + time / 2 }
}

/// Reports a client that was silent for longer than it announced.
pub(super) fn check_silence(client: &Client, findings: &mut Findings<'_, '_>) {
    if !findings.message.is_from_client() {
        return;
    }
    let Some(silence) =
        findings.message.time.zip(client.last_of_client).map(|(now, last)| now.saturating_sub(last))
    else {
        return;
    };
    if let Some((rule, detail)) = overdue(client, silence, findings.version) {
        findings.add_at(rule, 0..0, detail);
    }
}

/// The rule that a silence of the client violates.
pub(super) fn overdue(client: &Client, silence: u64, version: Version) -> Option<(Rule, String)> {
    match client.state {
        ClientState::Active => {
            let seconds = client.keep_alive.filter(|seconds| *seconds > 0)?;
            let detail = format!("silent for {} with a keep alive of {seconds} s", duration(silence));
            (silence > tolerance(seconds.into(), version)).then_some((Rule::SnKeepAlive, detail))
        }
        ClientState::Asleep(seconds) => {
            let detail = format!("silent for {} with a sleep of {seconds} s", duration(silence));
            (silence > tolerance(seconds, version)).then_some((Rule::SnSleepTooLong, detail))
        }
        ClientState::Unknown
        | ClientState::Connecting
        | ClientState::Awake(_)
        | ClientState::Disconnected => None,
    }
}
