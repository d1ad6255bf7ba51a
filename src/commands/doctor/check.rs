//! What is tried on a broker, and what is concluded from what it does.

use super::line::{Line, Published, Subscribed, VERSION_TOPIC};
use crate::error::Error;
use crate::protocol::{Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, Version};

const PAYLOAD: &[u8] = b"mq doctor was here";

/// The group of the shared subscription; nobody else has the topic in it.
const GROUP: &str = "$share/mq-doctor";

/// Should we be killed before the retained message is deleted, a broker of MQTT 5 forgets it after so many seconds.
const RETAINED_EXPIRY: u32 = 60;

/// One thing to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Subscribe(Qos),
    Publish(Qos),
    Retained,
    Wildcard,
    Shared,
    Identifier,
    Alias,
}

/// What came of trying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// Why, or how.
    pub(super) why: String,
}

/// Whether something works for this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does.
    Yes,
    /// The broker cannot, or does not.
    No,
    /// The broker does not let this user.
    Denied,
    /// It could not be seen.
    Unknown,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Denied => "denied",
            Verdict::Unknown => "unknown",
        }
    }
}

impl Finding {
    pub(super) fn new(verdict: Verdict, why: impl Into<String>) -> Finding {
        Finding { verdict, why: why.into() }
    }

    /// What the end of the connection in the middle of a check means. Brokers end it where something is not allowed, since MQTT 3
    /// has no other way to say so.
    pub(super) fn of_failure(error: &Error) -> Finding {
        let verdict = match error {
            Error::Closed(_) | Error::Lost(_) | Error::Disconnected { .. } => Verdict::Denied,
            _ => Verdict::No,
        };
        Finding::new(verdict, error.to_string())
    }
}

impl Check {
    /// All that makes sense in a version, in the order in which it is tried.
    pub(super) fn all(version: Version) -> Vec<Check> {
        let each_qos = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
        let mut checks: Vec<Check> =
            each_qos.into_iter().flat_map(|qos| [Check::Subscribe(qos), Check::Publish(qos)]).collect();
        checks.extend([Check::Retained, Check::Wildcard, Check::Shared]);
        if version.is_v5() {
            checks.extend([Check::Identifier, Check::Alias]);
        }
        checks
    }

    /// What it is called, also as the last part of its topic.
    pub(super) fn key(self) -> &'static str {
        match self {
            Check::Subscribe(Qos::AtMostOnce) => "subscribe_qos_0",
            Check::Subscribe(Qos::AtLeastOnce) => "subscribe_qos_1",
            Check::Subscribe(Qos::ExactlyOnce) => "subscribe_qos_2",
            Check::Publish(Qos::AtMostOnce) => "publish_qos_0",
            Check::Publish(Qos::AtLeastOnce) => "publish_qos_1",
            Check::Publish(Qos::ExactlyOnce) => "publish_qos_2",
            Check::Retained => "retained",
            Check::Wildcard => "wildcard",
            Check::Shared => "shared_subscription",
            Check::Identifier => "subscription_identifier",
            Check::Alias => "topic_alias",
        }
    }

    /// The same in words.
    pub(super) fn name(self) -> String {
        match self {
            Check::Subscribe(qos) => format!("subscribe at QoS {qos}"),
            Check::Publish(qos) => format!("publish at QoS {qos}"),
            Check::Retained => "retained message".to_owned(),
            Check::Wildcard => "wildcard in a filter".to_owned(),
            Check::Shared | Check::Identifier | Check::Alias => self.key().replace('_', " "),
        }
    }
}

/// Tries things below one topic.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    pub(super) line: &'a mut Line,
    /// The topic that nobody else has.
    pub(super) topic: &'a str,
    /// Whether a message was seen to come back earlier; without that, what is subscribed to cannot be seen to work.
    pub(super) is_delivered: bool,
}

impl Trial<'_> {
    /// Tries it, for as long as the line is patient.
    pub(super) async fn run(&mut self, check: Check) -> Result<Finding, Error> {
        self.line.begin();
        match check {
            Check::Subscribe(qos) => self.subscribe(qos).await,
            Check::Publish(qos) => self.publish(qos).await,
            Check::Retained => self.retain().await,
            Check::Wildcard => self.wildcard().await,
            Check::Shared => self.share().await,
            Check::Identifier => self.identify().await,
            Check::Alias => self.alias().await,
        }
    }

    async fn subscribe(&mut self, qos: Qos) -> Result<Finding, Error> {
        let topic = self.topic_of(qos);
        Ok(match self.line.subscribe(&topic, qos, Properties::EMPTY).await? {
            Subscribed::Granted(granted) if granted >= qos => {
                Finding::new(Verdict::Yes, format!("granted QoS {granted}"))
            }
            Subscribed::Granted(granted) => {
                Finding::new(Verdict::No, format!("granted QoS {granted} instead"))
            }
            other => self.not_granted(other),
        })
    }

    async fn publish(&mut self, qos: Qos) -> Result<Finding, Error> {
        let topic = self.topic_of(qos);
        let published = self.line.publish(&message(&topic, qos)).await?;
        let (is_seen, is_v5) = (self.line.has_subscribed(&topic), self.line.session().version().is_v5());
        let acknowledged = match published {
            Published::Sent => "",
            Published::Taken(_) => "acknowledged, ",
            other => return Ok(self.not_taken(other)),
        };
        if !is_seen {
            return Ok(match published {
                Published::Taken(_) if is_v5 => Finding::new(Verdict::Yes, "acknowledged"),
                _ => Finding::new(
                    Verdict::Unknown,
                    format!("{acknowledged}and there is no subscription that could see it come back"),
                ),
            });
        }
        Ok(match self.line.message(&topic).await? {
            Some(arrived) => {
                Finding::new(Verdict::Yes, format!("{acknowledged}came back at QoS {}", arrived.qos))
            }
            None => self.not_back(acknowledged),
        })
    }

    async fn retain(&mut self) -> Result<Finding, Error> {
        let topic = retained_topic(self.topic);
        let mut properties = PropertiesBuf::new();
        if self.line.session().version().is_v5() {
            push(&mut properties, PropertyId::MessageExpiryInterval, RETAINED_EXPIRY)?;
        }
        let qos = acknowledged_qos(self.line);
        let retained =
            Publish { retain: true, properties: properties.as_properties(), ..message(&topic, qos) };
        let published = self.line.publish(&retained).await?;
        if !matches!(published, Published::Sent | Published::Taken(_)) {
            return Ok(self.not_taken(published));
        }
        let subscribed = self.line.subscribe(&topic, Qos::AtMostOnce, Properties::EMPTY).await?;
        if !matches!(subscribed, Subscribed::Granted(_)) {
            let finding = self.not_granted(subscribed);
            return Ok(Finding::new(
                Verdict::Unknown,
                format!("whether it is kept cannot be seen: {}", finding.why),
            ));
        }
        Ok(match self.line.message(&topic).await? {
            Some(arrived) if arrived.retain => Finding::new(Verdict::Yes, "kept for later subscribers"),
            Some(_) => Finding::new(Verdict::No, "it came to a later subscriber as if it were not retained"),
            None => Finding::new(Verdict::No, "it did not come to a later subscriber"),
        })
    }

    async fn wildcard(&mut self) -> Result<Finding, Error> {
        let (filter, topic) = (self.below("wildcard/+"), self.below("wildcard/level"));
        Ok(self.echo(&filter, &topic, Properties::EMPTY, Properties::EMPTY).await?.finding)
    }

    async fn share(&mut self) -> Result<Finding, Error> {
        let topic = self.below("shared");
        let filter = format!("{GROUP}/{topic}");
        Ok(self.echo(&filter, &topic, Properties::EMPTY, Properties::EMPTY).await?.finding)
    }

    async fn identify(&mut self) -> Result<Finding, Error> {
        let mut properties = PropertiesBuf::new();
        push(&mut properties, PropertyId::SubscriptionIdentifier, 1)?;
        let topic = self.below("identifier");
        let echo = self.echo(&topic, &topic, properties.as_properties(), Properties::EMPTY).await?;
        Ok(match echo.finding.verdict {
            Verdict::Yes if !echo.has_identifier => {
                Finding::new(Verdict::No, "the message came back without the identifier")
            }
            _ => echo.finding,
        })
    }

    async fn alias(&mut self) -> Result<Finding, Error> {
        if self.line.session().peer_accepts().topic_alias_maximum == 0 {
            return Ok(Finding::new(Verdict::No, "CONNACK allows none"));
        }
        let mut properties = PropertiesBuf::new();
        push(&mut properties, PropertyId::TopicAlias, 1)?;
        let topic = self.below("alias");
        let properties = properties.as_properties();
        let first = self.echo(&topic, &topic, Properties::EMPTY, properties).await?.finding;
        if first.verdict != Verdict::Yes {
            return Ok(first);
        }
        // From now on the alias stands alone.
        let published =
            self.line.publish(&Publish { properties, ..message(&topic, Qos::AtMostOnce) }).await?;
        if !matches!(published, Published::Sent) {
            return Ok(self.not_taken(published));
        }
        Ok(match self.line.message(&topic).await? {
            Some(_) => Finding::new(Verdict::Yes, "a message with the alias alone came back"),
            None => self.not_back("with the alias alone, "),
        })
    }

    /// Subscribes, and sends what should come back.
    async fn echo(
        &mut self,
        filter: &str,
        topic: &str,
        of_subscribe: Properties<'_>,
        of_publish: Properties<'_>,
    ) -> Result<Echo, Error> {
        let subscribed = self.line.subscribe(filter, Qos::AtMostOnce, of_subscribe).await?;
        if !matches!(subscribed, Subscribed::Granted(_)) {
            return Ok(self.not_granted(subscribed).into());
        }
        if !self.is_delivered {
            let why = "granted; no message comes back that could show more";
            return Ok(Finding::new(Verdict::Unknown, why).into());
        }
        let message = Publish { properties: of_publish, ..message(topic, Qos::AtMostOnce) };
        let published = self.line.publish(&message).await?;
        if !matches!(published, Published::Sent) {
            return Ok(self.not_taken(published).into());
        }
        let Some(arrived) = self.line.message(topic).await? else {
            return Ok(self.not_back("granted, but ").into());
        };
        let finding = Finding::new(Verdict::Yes, "granted, and a message came back");
        Ok(Echo { finding, has_identifier: arrived.has_identifier })
    }

    fn not_granted(&self, subscribed: Subscribed) -> Finding {
        match subscribed {
            Subscribed::Granted(qos) => Finding::new(Verdict::Yes, format!("granted QoS {qos}")),
            Subscribed::Denied(why) => Finding::new(Verdict::Denied, format!("SUBACK: {why}")),
            Subscribed::NotOffered(why) => Finding::new(Verdict::No, format!("CONNACK: {why}")),
            Subscribed::Unanswered => Finding::new(Verdict::Unknown, self.nothing("no SUBACK came")),
        }
    }

    fn not_taken(&self, published: Published) -> Finding {
        match published {
            Published::Sent => Finding::new(Verdict::Yes, "sent"),
            Published::Taken(reason_code) => Finding::new(Verdict::Yes, reason_code.to_string()),
            Published::Denied(why) => Finding::new(Verdict::Denied, why),
            Published::NotOffered(why) => Finding::new(Verdict::No, format!("CONNACK: {why}")),
            Published::Unanswered => Finding::new(Verdict::Unknown, self.nothing("no acknowledgement came")),
        }
    }

    fn not_back(&self, before: &str) -> Finding {
        let why = self.nothing(&format!("{before}it did not come back"));
        Finding::new(Verdict::No, format!("{why}; the broker may deny it without a word"))
    }

    fn nothing(&self, what: &str) -> String {
        format!("{what} within {} s", self.line.patience().as_secs_f64())
    }

    fn topic_of(&self, qos: Qos) -> String {
        self.below(&format!("qos{qos}"))
    }

    fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.topic)
    }
}

/// What came of sending a message to ourselves.
struct Echo {
    finding: Finding,
    /// Whether the message came with a subscription identifier.
    has_identifier: bool,
}

impl From<Finding> for Echo {
    fn from(finding: Finding) -> Echo {
        Echo { finding, has_identifier: false }
    }
}

/// The topic of the retained message.
pub(super) fn retained_topic(topic: &str) -> String {
    format!("{topic}/retained")
}

/// Whether a new subscriber gets the retained message; `None` where this user may not subscribe to it.
pub(super) async fn is_retained(line: &mut Line, topic: &str) -> Result<Option<bool>, Error> {
    line.begin();
    let topic = retained_topic(topic);
    match line.subscribe(&topic, Qos::AtMostOnce, Properties::EMPTY).await? {
        Subscribed::Granted(_) => {}
        Subscribed::Denied(_) | Subscribed::NotOffered(_) | Subscribed::Unanswered => return Ok(None),
    }
    // However late SUBACK was, the message has all its time.
    line.begin();
    Ok(Some(line.message(&topic).await?.is_some_and(|arrived| arrived.retain)))
}

/// Deletes the retained message; whether that is certain.
pub(super) async fn delete_retained(line: &mut Line, topic: &str) -> Result<bool, Error> {
    line.begin();
    let topic = retained_topic(topic);
    let qos = acknowledged_qos(line);
    let nothing = Publish { retain: true, payload: b"", ..message(&topic, qos) };
    Ok(match line.publish(&nothing).await? {
        // Where this is refused, the message that is to be deleted was not taken either.
        Published::Sent | Published::Taken(_) | Published::NotOffered(_) | Published::Denied(_) => true,
        Published::Unanswered => false,
    })
}

/// What the broker says of itself, if it may be read.
pub(super) async fn broker_version(line: &mut Line) -> Result<Option<String>, Error> {
    line.begin();
    match line.subscribe(VERSION_TOPIC, Qos::AtMostOnce, Properties::EMPTY).await? {
        Subscribed::Granted(_) => {}
        Subscribed::Denied(_) | Subscribed::NotOffered(_) | Subscribed::Unanswered => return Ok(None),
    }
    let arrived = line.message(VERSION_TOPIC).await?;
    Ok(arrived.map(|message| String::from_utf8_lossy(&message.payload).into_owned()))
}

/// The lowest QoS at which the broker says what it did, where it takes that.
fn acknowledged_qos(line: &Line) -> Qos {
    line.session().peer_accepts().maximum_qos.min(Qos::AtLeastOnce)
}

fn message(topic: &str, qos: Qos) -> Publish<'_> {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic,
        packet_id: None,
        properties: Properties::EMPTY,
        payload: PAYLOAD,
    }
}

fn push(properties: &mut PropertiesBuf, id: PropertyId, value: u32) -> Result<(), Error> {
    let pushed = properties.push(id, PropertyValue::Number(value));
    pushed.map_err(|error| Error::Usage(error.to_string()))
}
