//! `mq bridge`: its options, and its bridges as plans.

pub(crate) mod args;
mod conf;
#[cfg(any(test, fuzzing))]
pub(in crate::cli) mod fuzzing;
mod keys;
mod plan;
mod section;
mod words;

use super::config::side::{self, Side as SideOptions};
use crate::bridge::Side;
use crate::bridge::rule::Rule;
use crate::bridge::settings::{Pause, RetainMode, Settings};
use crate::cli::secrets::is_open_to_others;
use crate::cli::session::ClientArgs;
use crate::cli::{Error, Names, UsageError};
use crate::escape::{self, shortened};
pub(crate) use args::BridgeArgs;
use args::{RetainWord, WhereWord};
use conf::Conf;
pub(crate) use plan::Plan;
use plan::{Notifications, Source, Tuning, check_client_ids, check_identifier, check_loops, host_name};
use std::path::Path;
use std::time::Duration;
pub(crate) use words::Words;

/// The local and the remote broker on the command line.
const FROM: SideOptions = SideOptions { option: "--from", variables: "MQ_FROM_" };
const TO: SideOptions = SideOptions { option: "--to", variables: "MQ_TO_" };

/// The pauses between attempts to connect.
const PAUSE: Pause = Pause { first: Duration::from_secs(1), longest: Duration::from_secs(30) };

/// The bridges of a command line.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(crate) plans: Vec<Plan>,
    /// Warnings about the file.
    pub(crate) remarks: Vec<String>,
}

impl BridgeArgs {
    /// The bridges, before their clients are completed.
    ///
    /// # Errors
    /// The mistake in the options or the file.
    pub(crate) fn plans(&self) -> Result<Plans, Error> {
        let mut plans = match &self.config {
            Some(path) => self.plans_of_file(path)?,
            None => Plans { plans: vec![self.plan()?], remarks: remarks_on_rules(&self.rules) },
        };
        plans.remarks.extend(self.remarks_on_variables());
        Ok(Plans { plans: plans.plans.into_iter().map(|plan| self.with_options(plan)).collect(), ..plans })
    }

    /// The settings of the bridges, once their clients are complete.
    ///
    /// # Errors
    /// Conflicting options, or two rules that loop.
    pub(crate) fn settings(&self, plans: &[Plan]) -> Result<Vec<Settings>, Error> {
        let mut settings = plans.iter().map(|plan| plan.settings(self)).collect::<Result<Vec<_>, _>>()?;
        check_client_ids(plans, &settings)?;
        check_loops(plans, &mut settings)?;
        Ok(settings)
    }

    fn plan(&self) -> Result<Plan, Error> {
        let missing = |what: &str| Error::usage(UsageError::Missing(what.to_owned()));
        let from = self.from.as_deref().ok_or_else(|| missing("--from PROFILE|URL, or --config FILE"))?;
        let to = self.to.as_deref().ok_or_else(|| missing("--to PROFILE|URL"))?;
        if self.rules.is_empty() {
            return Err(missing("RULE, such as 'sensors/# out 1'"));
        }
        let rules = self.rules.iter().map(|text| {
            Rule::parse(text).map_err(|error| {
                let shown = escape::line(&shortened(text)).into_owned();
                Error::usage(UsageError::invalid(format!("rule '{shown}'"), error.problem))
            })
        });
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let [mut local, mut remote] = [side::client(FROM, from)?, side::client(TO, to)?];
        local.session.disable_clean_session = true;
        remote.session.disable_clean_session = true;
        let name = match &self.name {
            Some(name) if name.is_empty() => {
                let problem =
                    "it is empty; without --name, the bridge makes a name of the host and both addresses";
                return Err(Error::usage(UsageError::invalid("--name", problem)));
            }
            Some(name) => {
                let in_words =
                    |error: Error| Error::usage(Words::Profile.translate(Side::Remote, &error.to_string()));
                check_identifier(&local_identifier(name))
                    .map_err(|problem| Error::usage(UsageError::invalid("--name", problem)))?;
                remote.connection.check_characters("--name", name).map_err(in_words)?;
                name.clone()
            }
            None => default_name(&local, &remote)?,
        };
        let client_id = if self.name.is_some() { name.clone() } else { format!("{}.{name}", host_name()) };
        Ok(Plan {
            client_ids: [local_identifier(&client_id), client_id],
            name,
            local,
            remote,
            alternatives: Vec::new(),
            rules,
            tuning: Tuning {
                round_robin: false,
                pause: PAUSE,
                session_expiry: None,
                receive_maximum: None,
                maximum_packet_size: None,
                try_private: true,
                retain_out: RetainMode::Keep,
                retain_in: RetainMode::Keep,
                notifications: None,
                notification_topic: None,
                unsubscribes: true,
            },
            source: Source::Options,
            local_words: Words::Profile,
        })
    }

    fn plans_of_file(&self, path: &Path) -> Result<Plans, Error> {
        let conf = Conf::read(path)?;
        let local = self.from.as_deref().map(|from| side::client(FROM, from)).transpose()?;
        let mut plans = Vec::new();
        for section in &conf.sections {
            section.check_supported()?;
            plans.push(section.plan(&conf, local.as_ref())?);
        }
        Ok(Plans { plans, remarks: remarks(path, &conf, local.is_some()) })
    }

    /// Warnings about the variables of both sides.
    fn remarks_on_variables(&self) -> Vec<String> {
        let without_from = self.config.is_some() && self.from.is_none();
        let of_from =
            side::remarks_on_variables(FROM, without_from.then_some("--from"), self.from.as_deref());
        let of_to =
            side::remarks_on_variables(TO, self.config.is_some().then_some("--to"), self.to.as_deref());
        of_from.into_iter().chain(of_to).collect()
    }

    /// The options that override the file.
    fn with_options(&self, mut plan: Plan) -> Plan {
        let tuning = &mut plan.tuning;
        if let Some(retain) = self.retain {
            let mode = || match retain {
                RetainWord::Keep => RetainMode::Keep,
                RetainWord::Clear => RetainMode::Clear,
                RetainWord::Set => RetainMode::Set,
            };
            (tuning.retain_out, tuning.retain_in) = (mode(), mode());
        }
        if let Some(place) = self.notifications {
            tuning.notifications = Some(match place {
                WhereWord::Both => Notifications::Both,
                WhereWord::Local => Notifications::Local,
                WhereWord::None => Notifications::None,
            });
        }
        if let Some(topic) = &self.notification_topic {
            tuning.notification_topic = Some(topic.as_str().to_owned());
        }
        plan
    }
}

/// A hint for rules that are probably the port of an address without its colon. They are valid topics.
fn remarks_on_rules(rules: &[String]) -> Vec<String> {
    let ports = rules.iter().filter(|rule| rule.parse().is_ok_and(|port: u16| port > 0));
    ports
        .map(|port| {
            format!(
                "rule '{port}' forwards the topic {port}; the port of a broker needs a colon: HOST:{port}"
            )
        })
        .collect()
}

/// Warnings about a file: keys without effect, and passwords that others can read.
fn remarks(path: &Path, conf: &Conf, has_local: bool) -> Vec<String> {
    let shown = path.display();
    let mut remarks = Vec::new();
    if !conf.passed_over.is_empty() {
        remarks.push(format!(
            "{shown}: passed over the keys that are not about bridges: {}",
            conf.passed_over.join(", ")
        ));
    }
    let has_secret = |name| conf.sections.iter().any(|section| section.values.contains_key(name));
    if ["remote_password", "local_password", "bridge_psk"].into_iter().any(has_secret)
        && is_open_to_others(path)
    {
        remarks
            .push(format!("other users can read the passwords in {shown}; `chmod 600 {shown}` prevents it"));
    }
    let has_user = |section: &conf::Section| section.values.contains_key("local_username");
    if conf.has_users && !has_local && !conf.sections.iter().all(has_user) {
        remarks.push(format!(
            "{shown}: the broker has a password_file, and this bridge is a client of it; if it is refused, set local_username and local_password"
        ));
    }
    remarks
}

/// The client identifier at the local broker: another one than at the remote broker, which may be the same.
fn local_identifier(client_id: &str) -> String {
    format!("local.{client_id}")
}

/// A name that is the same for the same two brokers.
fn default_name(local: &ClientArgs, remote: &ClientArgs) -> Result<String, Error> {
    let mut hash = 0x811c_9dc5_u32;
    for client in [local, remote] {
        let place = client.place(Names::Mq)?;
        // FNV-1a, whose result does not change between releases.
        for byte in place.bytes().chain([b'\n']) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    Ok(format!("bridge-{hash:08x}"))
}
