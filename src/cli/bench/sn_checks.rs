//! The meaning of MQTT-SN for the options of a run and of its groups, and the options that it cannot express.

use super::group::{GroupMode, GroupSpec};
use super::run_args::RunArgs;
use super::sn_args::SnRunArgs;
use crate::bench::broker_watch::WatchSource;
use crate::bench::plan::Plan;
use crate::bench::topics::Topics;
use crate::cli::sn::{SnArgs, SnChoice};
use crate::cli::{Error, Names, UsageError};
use crate::protocol::Qos;
use crate::protocol::sn::{MAX_DATAGRAM_SIZE, ShortName, Version};
use std::time::Duration;

/// The requirement of the options of MQTT-SN, for errors.
const GATEWAY: &str = "an MQTT-SN gateway: --sn, or -L mqtt-sn://HOST";

/// The largest payload: that of a UDP datagram, without the header of PUBLISH.
const LARGEST_PAYLOAD: usize = MAX_DATAGRAM_SIZE - 9;

/// The bytes that a forwarder adds to a message.
const ENCAPSULATION: usize = 7;

/// The default timeout without progress.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

impl RunArgs {
    /// Lets the clients connect to a gateway if the options ask for one.
    pub(super) fn choose_gateway(&mut self) {
        let SnRunArgs { sn, discover, sn_retry_interval, sn_retry_count, sn_forwarders: _ } = self.sn;
        let args = SnArgs {
            sn,
            sn_version: Version::V12,
            topic_id: Vec::new(),
            discover,
            sn_retry_interval,
            sn_retry_count,
        };
        self.client.network.sn = Some(SnChoice { args, sleep: None, is_unconnected: false });
    }

    /// Whether the clients connect to an MQTT-SN gateway.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub(super) fn is_sn(&self) -> Result<bool, Error> {
        self.client.is_sn(Names::Mq)
    }

    /// Rejects options that a gateway cannot be used with, or that need one.
    ///
    /// # Errors
    /// The option.
    pub(super) fn check_gateway(&self) -> Result<(), Error> {
        if !self.is_sn()? {
            return match self.sn.sn_forwarders {
                Some(_) => Err(needs_gateway("--sn-forwarders".to_owned())),
                None => Ok(()),
            };
        }
        self.client.check_sn(Names::Mq)?;
        if self.embedded && self.sn.discover {
            return Err(Error::usage("--discover searches a gateway; leave --embedded out"));
        }
        match self.watch_broker {
            Some(WatchSource::Sys) => Err(Error::usage(
                "--watch-broker reads the $SYS topics over MQTT, not MQTT-SN; use --watch-broker=URL with a Prometheus page",
            )),
            Some(WatchSource::Page(_)) | None => Ok(()),
        }
    }

    /// The timeout without progress. At a gateway, all retries of a message fit into it.
    pub(super) fn progress_timeout(&self) -> Result<Duration, Error> {
        if let Some(timeout) = self.timeout {
            return Ok(timeout);
        }
        if !self.is_sn()? {
            return Ok(USUAL_TIMEOUT);
        }
        let attempts = self.sn.sn_retry_count.saturating_add(1);
        let retries = self.sn.sn_retry_interval.saturating_mul(attempts);
        Ok(USUAL_TIMEOUT.max(retries.saturating_add(Duration::from_secs(1))))
    }

    /// Checks that each forwarder has a client, and each process a forwarder.
    ///
    /// # Errors
    /// If there are too many forwarders or processes.
    pub(super) fn check_forwarders(&self, plan: &Plan) -> Result<(), Error> {
        let Some(forwarders) = plan.broker.forwarders else { return Ok(()) };
        if forwarders > plan.clients() {
            let clients = plan.clients();
            return Err(Error::usage(format!(
                "--sn-forwarders {forwarders}: the run has only {clients} clients"
            )));
        }
        match self.processes.filter(|processes| u32::from(*processes) > forwarders) {
            Some(processes) => Err(Error::usage(format!(
                "--processes {processes} needs at least as many forwarders; --sn-forwarders sets {forwarders}"
            ))),
            None => Ok(()),
        }
    }
}

impl RunArgs {
    /// Checks that every message fits into a datagram.
    ///
    /// # Errors
    /// If the longest payload does not.
    pub(super) fn check_datagrams(&self, plan: &Plan) -> Result<(), Error> {
        let encapsulation = if plan.broker.forwarders.is_some() { ENCAPSULATION } else { 0 };
        let (longest, most) = (plan.longest_payload(), LARGEST_PAYLOAD - encapsulation);
        if !plan.broker.is_gateway() || longest <= most {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the longest payload has {longest} bytes, but an MQTT-SN message has at most {most}"
        )))
    }
}

impl GroupSpec {
    /// Rejects settings that MQTT-SN does not have, or that need it.
    ///
    /// # Errors
    /// The setting.
    pub(super) fn check_sn(&self, is_embedded: bool) -> Result<(), Error> {
        let topic_id = self.option("--topic-id", "topic_id");
        if !self.is_sn {
            let needing =
                [(self.is_unconnected, self.option("-q -1", "qos -1")), (self.topic_id.is_some(), topic_id)];
            let needing = needing.into_iter().find(|(is_given, _)| *is_given);
            return needing.map_or(Ok(()), |(_, option)| Err(needs_gateway(option.to_owned())));
        }
        if self.topic_id.is_some() && is_embedded {
            return Err(Error::usage(format!(
                "{topic_id}: the embedded gateway has no predefined topics; use `mq gateway --predefined FILE`"
            )));
        }
        self.check_topic_id(topic_id)?;
        self.check_in_flight()?;
        if self.is_unconnected { self.check_unconnected() } else { Ok(()) }
    }

    fn check_topic_id(&self, topic_id: &'static str) -> Result<(), Error> {
        let others = [
            (self.topic.is_some(), self.option("-t", "topic")),
            (self.topics.is_some(), self.option("--topics", "topics")),
            (self.recorded_topics, self.option("--recorded-topics", "recorded_topics")),
            (self.topology.is_some(), self.option("--topology", "topology")),
        ];
        match others.into_iter().find(|(is_given, _)| *is_given && self.topic_id.is_some()) {
            Some((_, other)) => {
                Err(Error::usage(UsageError::Conflict { one: topic_id.into(), other: other.into() }))
            }
            None => Ok(()),
        }
    }

    /// A client may have one PUBLISH of QoS 1 or 2 without an answer (MQTT-SN 1.2, section 6.6). Others would wait in the client, and
    /// this time would count as the gateway's.
    fn check_in_flight(&self) -> Result<(), Error> {
        match self.in_flight.filter(|count| *count > 1 && self.qos > Qos::AtMostOnce) {
            Some(count) => Err(Error::usage(format!(
                "{} {count}: an MQTT-SN client may have only one unacknowledged message; leave it out",
                self.option("--inflight", "in_flight")
            ))),
            None => Ok(()),
        }
    }

    /// Messages of QoS -1 are sent without a connection, so nothing can register a topic or answer.
    fn check_unconnected(&self) -> Result<(), Error> {
        let qos = self.option("-q -1", "qos -1");
        if !matches!(self.mode, GroupMode::Pubsub | GroupMode::Pub) {
            return Err(Error::usage(format!("{qos} is for pubsub and pub, not for {}", self.mode.name())));
        }
        let others = [
            (self.topics.is_some(), self.option("--topics", "topics")),
            (self.recorded_topics, self.option("--recorded-topics", "recorded_topics")),
            (self.topology.is_some(), self.option("--topology", "topology")),
        ];
        match others.into_iter().find(|(is_given, _)| *is_given) {
            Some((_, other)) => {
                Err(Error::usage(UsageError::Conflict { one: other.into(), other: qos.into() }))
            }
            None => Ok(()),
        }
    }

    /// Checks that each publisher of QoS -1 has a short topic name, unless there is a predefined id.
    ///
    /// # Errors
    /// The first topic that is not one.
    pub(super) fn check_short_topics(&self, topics: &Topics, publishers: u32) -> Result<(), Error> {
        if !self.is_unconnected || self.topic_id.is_some() {
            return Ok(());
        }
        let mut all = (0..publishers).map(|publisher| topics.topic(publisher, "client"));
        let is_fixed = !topics.are_new_for_each_message();
        match all.find(|topic| !is_fixed || ShortName::new(topic).is_none()) {
            Some(topic) => Err(Error::usage(format!(
                "{} {}: QoS -1 needs topics of two bytes, as in t{{i}} for up to 10 publishers, or {} ID; {topic} is not one",
                self.option("-t", "topic"),
                topics.text(),
                self.option("--topic-id", "topic_id")
            ))),
            None => Ok(()),
        }
    }
}

fn needs_gateway(option: String) -> Error {
    Error::usage(UsageError::Needs { option, needed: GATEWAY })
}
