//! The checks of a broker, and the findings from its behaviour.

use super::probe::{Probe, RETAINED, random_of};
use super::probe_connection::{ProbeConnection, Published, Subscribed, VERSION_TOPIC};
use crate::cli::UsageError;
use crate::client;
use crate::commands::error::Error;
use crate::protocol::{
    Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, ReasonCode, Version,
};
use std::time::Duration;

/// The message expiry in seconds: an MQTT 5 broker drops the retained message if we are killed before deleting it.
const RETAINED_EXPIRY: u32 = 60;

/// A single check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Subscribe(Qos),
    Publish(Qos),
    Retained,
    /// Whether a wildcard subscription gets retained messages; RabbitMQ and mosca send none.
    RetainedWildcard,
    Wildcard,
    Shared,
    Identifier,
    Alias,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckResult {
    pub(super) verdict: Verdict,
    /// The explanation.
    pub(super) why: String,
}

/// Whether something works for this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does.
    Yes,
    /// The broker cannot, or does not.
    No,
    /// The broker rejects it: this user has no permission.
    Rejected,
    /// The result could not be observed.
    Unknown,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Rejected => "denied",
            Verdict::Unknown => "unknown",
        }
    }
}

impl CheckResult {
    pub(super) fn new(verdict: Verdict, why: impl Into<String>) -> CheckResult {
        CheckResult { verdict, why: why.into() }
    }

    /// The connection ended during a check. MQTT 3 has no reason code for it, so the broker may lack the feature or deny it to
    /// this user.
    pub(super) fn of_failure(error: &Error) -> CheckResult {
        match error {
            Error::Client(error) if error.is_silent() => {
                CheckResult::new(Verdict::No, format!("{error}: not supported, or not allowed for this user"))
            }
            Error::Client(client::Error::Disconnected { reason: ReasonCode::NOT_AUTHORIZED, .. }) => {
                CheckResult::new(Verdict::Rejected, error.to_string())
            }
            _ => CheckResult::new(Verdict::No, error.to_string()),
        }
    }
}

impl Check {
    /// All checks that apply to a version, in the order of execution.
    pub(super) fn all(version: Version) -> Vec<Check> {
        let each_qos = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
        let mut checks: Vec<Check> =
            each_qos.into_iter().flat_map(|qos| [Check::Subscribe(qos), Check::Publish(qos)]).collect();
        checks.extend([Check::Retained, Check::RetainedWildcard, Check::Wildcard, Check::Shared]);
        if version.is_v5() {
            checks.extend([Check::Identifier, Check::Alias]);
        }
        checks
    }

    /// Its name, also as the last level of its topic.
    pub(super) fn key(self) -> &'static str {
        match self {
            Check::Subscribe(Qos::AtMostOnce) => "subscribe_qos_0",
            Check::Subscribe(Qos::AtLeastOnce) => "subscribe_qos_1",
            Check::Subscribe(Qos::ExactlyOnce) => "subscribe_qos_2",
            Check::Publish(Qos::AtMostOnce) => "publish_qos_0",
            Check::Publish(Qos::AtLeastOnce) => "publish_qos_1",
            Check::Publish(Qos::ExactlyOnce) => "publish_qos_2",
            Check::Retained => "retained",
            Check::RetainedWildcard => "retained_wildcard",
            Check::Wildcard => "wildcard",
            Check::Shared => "shared_subscription",
            Check::Identifier => "subscription_identifier",
            Check::Alias => "topic_alias",
        }
    }

    /// Its name for the text report.
    pub(super) fn name(self) -> String {
        match self {
            Check::Subscribe(qos) => format!("subscribe at QoS {qos}"),
            Check::Publish(qos) => format!("publish at QoS {qos}"),
            Check::Retained => "retained message".to_owned(),
            Check::RetainedWildcard => "retained message, by wildcard".to_owned(),
            Check::Wildcard => "wildcard in a filter".to_owned(),
            Check::Shared | Check::Identifier | Check::Alias => self.key().replace('_', " "),
        }
    }
}

/// Runs checks below one topic.
#[derive(Debug)]
pub(super) struct CheckRunner<'a> {
    pub(super) line: &'a mut ProbeConnection,
    /// The unique topic of this run.
    pub(super) topic: &'a str,
    /// Whether an earlier message came back; without that, subscriptions cannot be checked.
    pub(super) is_delivered: bool,
}

impl CheckRunner<'_> {
    /// Runs a check within the line's timeout.
    pub(super) async fn run(&mut self, check: Check) -> Result<CheckResult, Error> {
        self.line.begin();
        match check {
            Check::Subscribe(qos) => self.subscribe(qos).await,
            Check::Publish(qos) => self.publish(qos).await,
            Check::Retained => self.retain().await,
            Check::RetainedWildcard => self.retained_by_wildcard().await,
            Check::Wildcard => self.wildcard().await,
            Check::Shared => self.share().await,
            Check::Identifier => self.identify().await,
            Check::Alias => self.alias().await,
        }
    }

    async fn subscribe(&mut self, qos: Qos) -> Result<CheckResult, Error> {
        let probe = self.probe_of(qos);
        Ok(match self.line.subscribe(&probe.topic, qos, Properties::EMPTY).await? {
            Subscribed::Granted(granted) if granted >= qos => {
                CheckResult::new(Verdict::Yes, format!("granted QoS {granted}"))
            }
            Subscribed::Granted(granted) => {
                CheckResult::new(Verdict::No, format!("granted QoS {granted} instead"))
            }
            other => self.not_granted(other),
        })
    }

    async fn publish(&mut self, qos: Qos) -> Result<CheckResult, Error> {
        let probe = self.probe_of(qos);
        let published = self.line.publish(&probe.message(qos)).await?;
        let (is_seen, is_v5) =
            (self.line.has_subscribed(&probe.topic), self.line.session().version().is_v5());
        let acknowledged = match published {
            Published::Sent => "",
            Published::Taken(_) => "acknowledged, ",
            other => return Ok(self.not_taken(other)),
        };
        if !is_seen {
            return Ok(match published {
                Published::Taken(_) if is_v5 => CheckResult::new(Verdict::Yes, "acknowledged"),
                _ => CheckResult::new(
                    Verdict::Unknown,
                    format!("{acknowledged}not checked further without a subscription"),
                ),
            });
        }
        Ok(match self.line.probe(&probe).await? {
            Some(arrived) => {
                CheckResult::new(Verdict::Yes, format!("{acknowledged}came back at QoS {}", arrived.qos))
            }
            None => self.not_back(acknowledged),
        })
    }

    async fn retain(&mut self) -> Result<CheckResult, Error> {
        let probe = Probe::retained(self.topic);
        let mut properties = PropertiesBuf::new();
        if self.line.session().version().is_v5() {
            push(&mut properties, PropertyId::MessageExpiryInterval, RETAINED_EXPIRY)?;
        }
        let qos = acknowledged_qos(self.line);
        let retained = Publish { retain: true, properties: properties.as_properties(), ..probe.message(qos) };
        let published = self.line.publish(&retained).await?;
        if !matches!(published, Published::Sent | Published::Taken(_)) {
            return Ok(self.not_taken(published));
        }
        let subscribed = self.line.subscribe(&probe.topic, Qos::AtMostOnce, Properties::EMPTY).await?;
        if !matches!(subscribed, Subscribed::Granted(_)) {
            let finding = self.not_granted(subscribed);
            return Ok(CheckResult::new(
                Verdict::Unknown,
                format!("cannot check whether the message is retained: {}", finding.why),
            ));
        }
        Ok(match self.line.probe(&probe).await? {
            Some(arrived) if arrived.retain => CheckResult::new(Verdict::Yes, "kept for later subscribers"),
            Some(_) => {
                CheckResult::new(Verdict::No, "a later subscriber got the message without the retain flag")
            }
            None => CheckResult::new(Verdict::No, "a later subscriber did not get the message"),
        })
    }

    /// The retained message of the previous check is still on the broker.
    async fn retained_by_wildcard(&mut self) -> Result<CheckResult, Error> {
        let filter = format!("{}/{RETAINED}/+", self.topic);
        let subscribed = self.line.subscribe(&filter, Qos::AtMostOnce, Properties::EMPTY).await?;
        if !matches!(subscribed, Subscribed::Granted(_)) {
            return Ok(self.not_granted(subscribed));
        }
        Ok(match self.line.probe(&Probe::retained(self.topic)).await? {
            Some(_) => CheckResult::new(Verdict::Yes, "a wildcard subscription got the message"),
            None => CheckResult::new(
                Verdict::No,
                self.nothing("granted, but a wildcard subscription did not get the message"),
            ),
        })
    }

    async fn wildcard(&mut self) -> Result<CheckResult, Error> {
        let filter = format!("{}/wildcard/+", self.topic);
        let probe = self.below("wildcard/level");
        Ok(self.echo(&filter, &probe, Properties::EMPTY, Properties::EMPTY).await?.finding)
    }

    async fn share(&mut self) -> Result<CheckResult, Error> {
        let probe = self.below("shared");
        // The same group name on two topics loses messages on some brokers (rumqttd 0.20).
        let filter = format!("$share/mq-doctor-{}/{}", random_of(self.topic), probe.topic);
        Ok(self.echo(&filter, &probe, Properties::EMPTY, Properties::EMPTY).await?.finding)
    }

    async fn identify(&mut self) -> Result<CheckResult, Error> {
        let mut properties = PropertiesBuf::new();
        push(&mut properties, PropertyId::SubscriptionIdentifier, 1)?;
        let probe = self.below("identifier");
        let echo = self.echo(&probe.topic, &probe, properties.as_properties(), Properties::EMPTY).await?;
        Ok(match echo.finding.verdict {
            Verdict::Yes if !echo.has_identifier => {
                CheckResult::new(Verdict::No, "the message came back without the identifier")
            }
            _ => echo.finding,
        })
    }

    async fn alias(&mut self) -> Result<CheckResult, Error> {
        if self.line.session().peer_accepts().topic_alias_maximum == 0 {
            return Ok(CheckResult::new(Verdict::No, "CONNACK allows none"));
        }
        let mut properties = PropertiesBuf::new();
        push(&mut properties, PropertyId::TopicAlias, 1)?;
        let probe = self.below("alias");
        let properties = properties.as_properties();
        let first = self.echo(&probe.topic, &probe, Properties::EMPTY, properties).await?.finding;
        if first.verdict != Verdict::Yes {
            return Ok(first);
        }
        let published = self.line.publish(&Publish { properties, ..probe.message(Qos::AtMostOnce) }).await?;
        if !matches!(published, Published::Sent) {
            return Ok(self.not_taken(published));
        }
        Ok(match self.line.probe(&probe).await? {
            Some(_) => CheckResult::new(Verdict::Yes, "a message with the alias alone came back"),
            None => self.not_back("with the alias alone, "),
        })
    }

    /// Subscribes, and sends a message that should come back.
    async fn echo(
        &mut self,
        filter: &str,
        probe: &Probe,
        of_subscribe: Properties<'_>,
        of_publish: Properties<'_>,
    ) -> Result<EchoResult, Error> {
        let subscribed = self.line.subscribe(filter, Qos::AtMostOnce, of_subscribe).await?;
        if !matches!(subscribed, Subscribed::Granted(_)) {
            return Ok(self.not_granted(subscribed).into());
        }
        if !self.is_delivered {
            let why = "granted; not checked further, since no message comes back";
            return Ok(CheckResult::new(Verdict::Unknown, why).into());
        }
        let message = Publish { properties: of_publish, ..probe.message(Qos::AtMostOnce) };
        let published = self.line.publish(&message).await?;
        if !matches!(published, Published::Sent) {
            return Ok(self.not_taken(published).into());
        }
        let Some(arrived) = self.line.probe(probe).await? else {
            return Ok(self.not_back("granted, but ").into());
        };
        let finding = CheckResult::new(Verdict::Yes, "granted, and a message came back");
        Ok(EchoResult { finding, has_identifier: arrived.has_identifier })
    }

    fn not_granted(&self, subscribed: Subscribed) -> CheckResult {
        match subscribed {
            Subscribed::Granted(qos) => CheckResult::new(Verdict::Yes, format!("granted QoS {qos}")),
            Subscribed::Rejected(why) => CheckResult::new(Verdict::Rejected, format!("SUBACK: {why}")),
            Subscribed::NotOffered(why) => CheckResult::new(Verdict::No, format!("CONNACK: {why}")),
            Subscribed::Unanswered => CheckResult::new(Verdict::Unknown, self.nothing("no SUBACK came")),
        }
    }

    fn not_taken(&self, published: Published) -> CheckResult {
        match published {
            Published::Sent => CheckResult::new(Verdict::Yes, "sent"),
            Published::Taken(reason_code) => CheckResult::new(Verdict::Yes, reason_code.to_string()),
            Published::Rejected(why) => CheckResult::new(Verdict::Rejected, why),
            Published::NotOffered(why) => CheckResult::new(Verdict::No, format!("CONNACK: {why}")),
            Published::Unanswered => {
                CheckResult::new(Verdict::Unknown, self.nothing("no acknowledgement came"))
            }
        }
    }

    fn not_back(&self, before: &str) -> CheckResult {
        let why = self.nothing(&format!("{before}it did not come back"));
        CheckResult::new(Verdict::No, format!("{why}; the broker may reject it silently"))
    }

    fn nothing(&self, missing: &str) -> String {
        format!("{missing} within {} s", self.line.timeout().as_secs_f64())
    }

    fn probe_of(&self, qos: Qos) -> Probe {
        self.below(&format!("qos{qos}"))
    }

    fn below(&self, name: &str) -> Probe {
        Probe::new(self.topic, name)
    }
}

/// The result of sending a message to ourselves.
struct EchoResult {
    finding: CheckResult,
    /// Whether the message came with a subscription identifier.
    has_identifier: bool,
}

impl From<CheckResult> for EchoResult {
    fn from(finding: CheckResult) -> EchoResult {
        EchoResult { finding, has_identifier: false }
    }
}

/// Whether a new subscriber gets the retained message; `None` if this user may not subscribe to it.
pub(super) async fn is_retained(line: &mut ProbeConnection, topic: &str) -> Result<Option<bool>, Error> {
    line.begin();
    let probe = Probe::retained(topic);
    match line.subscribe(&probe.topic, Qos::AtMostOnce, Properties::EMPTY).await? {
        Subscribed::Granted(_) => {}
        Subscribed::Rejected(_) | Subscribed::NotOffered(_) | Subscribed::Unanswered => return Ok(None),
    }
    // The message has its full timeout, even after a late SUBACK.
    line.begin();
    Ok(Some(line.probe(&probe).await?.is_some_and(|arrived| arrived.retain)))
}

/// The number of pairs of messages. Linux acknowledges the first packets of a connection at once, so the effect shows after some pairs.
const PAIRS: usize = 24;

/// The pairs that count: the last ones.
const LAST_PAIRS: usize = 4;

/// The median time between the acknowledgements of two messages in one write; `None` unless all are acknowledged in time.
///
/// Without TCP_NODELAY, a broker's second small packet waits until the client's TCP acknowledges the first one.
pub(super) async fn second_acknowledgement(
    line: &mut ProbeConnection,
    topic: &str,
) -> Result<Option<Duration>, Error> {
    line.begin();
    let probe = Probe::new(topic, "pair");
    let mut delays = Vec::new();
    while delays.len() < PAIRS {
        match line.acknowledge_pair(&probe.message(Qos::AtLeastOnce)).await? {
            Some(delay) => delays.push(delay),
            None => return Ok(None),
        }
    }
    let mut last = delays.split_off(PAIRS - LAST_PAIRS);
    last.sort_unstable();
    Ok(last.get(LAST_PAIRS / 2).copied())
}

/// Deletes the retained message; returns whether that is certain.
pub(super) async fn delete_retained(line: &mut ProbeConnection, topic: &str) -> Result<bool, Error> {
    line.begin();
    let probe = Probe::retained(topic);
    let qos = acknowledged_qos(line);
    let nothing = Publish { retain: true, payload: b"", ..probe.message(qos) };
    Ok(match line.publish(&nothing).await? {
        // If this is refused, the message to be deleted was refused as well.
        Published::Sent | Published::Taken(_) | Published::NotOffered(_) | Published::Rejected(_) => true,
        Published::Unanswered => false,
    })
}

/// The broker's own version topic, if it is readable.
pub(super) async fn broker_version(line: &mut ProbeConnection) -> Result<Option<String>, Error> {
    line.begin();
    match line.subscribe(VERSION_TOPIC, Qos::AtMostOnce, Properties::EMPTY).await? {
        Subscribed::Granted(_) => {}
        Subscribed::Rejected(_) | Subscribed::NotOffered(_) | Subscribed::Unanswered => return Ok(None),
    }
    let arrived = line.version_message().await?;
    Ok(arrived.map(|message| String::from_utf8_lossy(&message.payload).into_owned()))
}

/// The lowest QoS at which the broker reports a reason code, if it supports that QoS.
fn acknowledged_qos(line: &ProbeConnection) -> Qos {
    line.session().peer_accepts().maximum_qos.min(Qos::AtLeastOnce)
}

fn push(properties: &mut PropertiesBuf, id: PropertyId, value: u32) -> Result<(), Error> {
    let pushed = properties.push(id, PropertyValue::Number(value));
    pushed.map_err(|error| Error::usage(UsageError::Value(error.into())))
}
