//! `mq pub`: messages from an option, a file or standard input to a topic, and out when all are acknowledged.

use super::lines::{Lines, Next};
use super::stop::{Limits, Stop, stop};
use super::{Messages, block_on, payload};
use crate::cli::Names;
use crate::cli::publish::PublishArgs;
use crate::client::{self, Application, Direction, End, Flow, Link, Sending, describe_details};
use crate::error::{Error, ExitStatus};
use crate::protocol::property::Context;
use crate::protocol::session::{Outgoing, PublishError};
use crate::protocol::{
    Packet, PacketId, Properties, PropertiesBuf, Publish, Qos, ReasonCode, SubscriptionAck,
};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often `-l` connects again after a lost connection before it gives up: about five minutes.
const RETRIES: u32 = 15;

pub(super) fn run(args: &PublishArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let retries = if args.stdin_line { RETRIES } else { 0 };
    let options = args.client.client_options(messages.names, Some(retries))?;
    let mut publisher = Publisher::new(args, options.version.is_v5(), messages)?;
    block_on(async {
        let limits = Limits { timeout: args.timeout, idle: None };
        let end = client::run(&options, &mut publisher, stop(messages, limits)?).await;
        publisher.judge(end)
    })
}

/// What every message of a run has in common.
#[derive(Debug)]
struct Template {
    topic: String,
    qos: Qos,
    retain: bool,
    properties: PropertiesBuf,
}

impl Template {
    fn with_payload<'a>(&'a self, payload: &'a [u8]) -> Publish<'a> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload,
        }
    }
}

/// A message that waits for its acknowledgement.
#[derive(Debug)]
struct Unacknowledged {
    template: Rc<Template>,
    payload: Rc<[u8]>,
}

impl Outgoing for Unacknowledged {
    fn as_publish(&self) -> Publish<'_> {
        self.template.with_payload(&self.payload)
    }
}

/// Where payloads come from.
enum Source {
    /// The same one, several times.
    Repeated { payload: Rc<[u8]>, left: u64, delay: Duration, pause: Pause },
    /// Each line of standard input; reading starts with the first connection.
    Lines(Option<Lines>),
}

/// Whether a repetition must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    ForAcknowledgement,
    Until(Instant),
}

struct Publisher {
    template: Rc<Template>,
    source: Source,
    messages: Messages,
    is_traced: bool,
    denied: u64,
    /// What kept further messages from being sent. Those before it are still waited for.
    failure: Option<Error>,
}

impl Publisher {
    fn new(args: &PublishArgs, is_v5: bool, messages: Messages) -> Result<Publisher, Error> {
        let Some(topic) = &args.topic else {
            return Err(Error::Usage("missing -t TOPIC".to_owned()));
        };
        let properties =
            if is_v5 { args.client.properties.collect(Context::Publish)? } else { PropertiesBuf::new() };
        let template =
            Template { topic: topic.as_str().to_owned(), qos: args.qos, retain: args.retain, properties };
        let source = Source::new(args)?;
        Ok(Publisher {
            template: Rc::new(template),
            source,
            messages,
            is_traced: args.diagnostics.debug,
            denied: 0,
            failure: None,
        })
    }

    /// What the end of the conversation means.
    fn judge(&mut self, end: Result<End<Stop>, Error>) -> Result<ExitStatus, Error> {
        let end = end?;
        if let End::Stopped { unsettled: unsettled @ 1.., .. } = end {
            self.messages.say(&format!("{unsettled} messages were sent and not acknowledged"));
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        match end {
            End::Stopped { reason, was_connected, .. } => self.messages.stopped(reason, was_connected),
            End::Finished if self.denied > 0 => Ok(ExitStatus::DENIED),
            End::Finished => Ok(ExitStatus::DONE),
        }
    }

    /// Notes why no further message can be sent. Those on their way are still waited for.
    fn fail(&mut self, error: Error) -> Sending {
        self.failure = Some(error);
        Sending::Finished
    }

    /// mosquitto_pub publishes without RETAIN where the broker retains nothing.
    fn leave_out_retain(&mut self) {
        self.messages.say("the broker does not retain messages; publishing without -r");
        let Template { ref topic, qos, ref properties, .. } = *self.template;
        let template = Template { topic: topic.clone(), qos, retain: false, properties: properties.clone() };
        self.template = Rc::new(template);
    }

    fn unsendable_error(&self, source: PublishError) -> Error {
        Error::Unsendable { topic: self.template.topic.clone(), source }
    }

    fn send_repetition(&mut self, link: &mut Link<'_, Unacknowledged>) -> Sending {
        let Source::Repeated { payload, left, delay, pause } = &mut self.source else {
            return Sending::Finished;
        };
        let now = Instant::now();
        match *pause {
            _ if *left == 0 => return Sending::Finished,
            Pause::ForAcknowledgement => return Sending::Waiting,
            Pause::Until(time) if now < time => return Sending::Waiting,
            Pause::None | Pause::Until(_) => {}
        }
        let keep = || Unacknowledged { template: self.template.clone(), payload: payload.clone() };
        if let Err(source) = link.session.publish(&self.template.with_payload(payload), keep, link.output) {
            let error = self.unsendable_error(source);
            return self.fail(error);
        }
        *left -= 1;
        *pause = match (*delay, self.template.qos) {
            (Duration::ZERO, _) => Pause::None,
            (delay, Qos::AtMostOnce) => Pause::Until(now + delay),
            (_, Qos::AtLeastOnce | Qos::ExactlyOnce) => Pause::ForAcknowledgement,
        };
        Sending::Sent
    }

    fn send_line(&mut self, link: &mut Link<'_, Unacknowledged>) -> Sending {
        let Source::Lines(lines) = &mut self.source else {
            return Sending::Finished;
        };
        let lines = match lines {
            Some(lines) => lines,
            None => match Lines::from_stdin() {
                Ok(started) => lines.insert(started),
                Err(error) => return self.fail(Error::Input(error)),
            },
        };
        let payload = match lines.next() {
            Ok(Next::Line(payload)) => payload,
            Ok(Next::Waiting) => return Sending::Waiting,
            Ok(Next::End) => return Sending::Finished,
            Err(error) => return self.fail(Error::Input(error)),
        };
        let keep = || Unacknowledged { template: self.template.clone(), payload: payload.into() };
        match link.session.publish(&self.template.with_payload(payload), keep, link.output) {
            Ok(_) => Sending::Sent,
            Err(source) => {
                let error = self.unsendable_error(source);
                self.fail(error)
            }
        }
    }
}

impl Application for Publisher {
    type Message = Unacknowledged;

    fn connected(&mut self, link: &mut Link<'_, Unacknowledged>) -> Result<(), Error> {
        let is_kept = link.session.peer_accepts().retain_available;
        if self.template.retain && !is_kept && self.messages.names == Names::Mosquitto {
            self.leave_out_retain();
        }
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, Unacknowledged>) -> Result<Sending, Error> {
        Ok(match self.source {
            Source::Repeated { .. } => self.send_repetition(link),
            Source::Lines(_) => self.send_line(link),
        })
    }

    async fn ready(&mut self) {
        match &mut self.source {
            Source::Repeated { pause: Pause::Until(time), .. } => sleep_until(*time).await,
            Source::Lines(Some(lines)) => {
                if let Err(error) = lines.wait().await {
                    self.failure = Some(Error::Input(error));
                }
            }
            Source::Repeated { .. } | Source::Lines(None) => pending().await,
        }
    }

    fn message(&mut self, _: &Publish<'_>) -> Result<Flow, Error> {
        Ok(Flow::Continue) // A kept session may still have subscriptions; nobody asked to see them here.
    }

    fn published(
        &mut self,
        packet_id: PacketId,
        _: Unacknowledged,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Error> {
        if reason_code.is_error() {
            self.denied += 1;
            let details = describe_details(properties);
            self.messages.say(&format!(
                "the broker denied message {packet_id} to {}: {reason_code}{details}",
                self.template.topic
            ));
        }
        if let Source::Repeated { delay, pause: pause @ Pause::ForAcknowledgement, .. } = &mut self.source {
            *pause = Pause::Until(Instant::now() + *delay);
        }
        Ok(Flow::Continue)
    }

    fn unsendable(&mut self, _: Unacknowledged, error: PublishError) {
        self.failure = Some(self.unsendable_error(error));
    }

    fn subscribed(&mut self, _: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }

    fn unsubscribed(&mut self, _: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }

    fn flush(&mut self) -> Result<bool, Error> {
        Ok(true)
    }

    fn lost(&mut self, error: &Error, pause: Duration) {
        self.messages.lost(error, pause);
    }

    fn trace(&mut self, direction: Direction, packet: &Packet<'_>) {
        self.messages.trace(direction, packet);
    }

    fn wants_trace(&self) -> bool {
        self.is_traced
    }
}

impl Source {
    fn new(args: &PublishArgs) -> Result<Source, Error> {
        let payload = if args.stdin_line {
            return Ok(Source::Lines(None));
        } else {
            payload::read(&args.payload)?
        };
        Ok(Source::Repeated {
            payload: payload.into(),
            left: args.repeat,
            delay: args.repeat_delay,
            pause: Pause::None,
        })
    }
}
