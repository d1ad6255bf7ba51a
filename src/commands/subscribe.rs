//! `mq sub`: prints the messages that arrive, until told to stop.

use super::stop::{Stop, stop};
use super::{Messages, block_on};
use crate::cli::subscribe::SubscribeArgs;
use crate::client::{self, Application, Direction, End, Flow, Link, Sending, describe_details};
use crate::error::{Error, ExitStatus};
use crate::output::{Printer, Sink};
use crate::protocol::property::Context;
use crate::protocol::session::{Outgoing, PublishError};
use crate::protocol::{
    Packet, PacketId, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, ReasonCode,
    RetainHandling, Subscription, SubscriptionAck, SubscriptionOptions,
};
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

pub(super) fn run(args: &SubscribeArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let mut options = args.client.client_options(messages.names, None)?;
    let is_v5 = options.version.is_v5();
    if is_v5 {
        limit_what_is_in_flight(args, &mut options.properties);
    }
    let mut subscriber = Subscriber::new(args, is_v5, messages)?;
    block_on(async {
        let end = client::run(&options, &mut subscriber, stop(args.timeout)?).await;
        let flushed = subscriber.flush();
        let status = subscriber.judge(end)?;
        flushed.map(|()| status)
    })
}

/// With `-C`, the broker need not send more than is wanted; what it sent would be lost at QoS 0 or come again later.
fn limit_what_is_in_flight(args: &SubscribeArgs, properties: &mut PropertiesBuf) {
    let wanted = args.count.and_then(|count| u16::try_from(count).ok()).filter(|&count| count < 20);
    let is_typed = properties.as_properties().find(PropertyId::ReceiveMaximum).is_some();
    if let (Some(count), false) = (wanted, is_typed) {
        let added = properties.push(PropertyId::ReceiveMaximum, PropertyValue::Number(count.into()));
        debug_assert!(added.is_ok(), "a count is at least 1 and the property was not there");
    }
}

struct Subscriber<'a> {
    args: &'a SubscribeArgs,
    messages: Messages,
    subscribe_properties: PropertiesBuf,
    unsubscribe_properties: PropertiesBuf,
    printer: Printer,
    sink: Sink,
    counted: u64,
    denied: usize,
    /// How many SUBACK and UNSUBACK are to come on this connection.
    unanswered: usize,
}

/// `mq sub` publishes nothing that would have to be sent again.
impl Outgoing for Infallible {
    fn as_publish(&self) -> Publish<'_> {
        match *self {}
    }
}

impl<'a> Subscriber<'a> {
    fn new(args: &'a SubscribeArgs, is_v5: bool, messages: Messages) -> Result<Subscriber<'a>, Error> {
        if !is_v5 {
            check_v5_options(args)?;
        }
        let properties = &args.client.properties;
        Ok(Subscriber {
            args,
            messages,
            subscribe_properties: properties.collect(Context::Subscribe)?,
            unsubscribe_properties: properties.collect(Context::Unsubscribe)?,
            printer: args.output.printer(&args.client.connection.host)?,
            sink: Sink::stdout()?,
            counted: 0,
            denied: 0,
            unanswered: 0,
        })
    }

    fn judge(&self, end: Result<End<Stop>, Error>) -> Result<ExitStatus, Error> {
        match end? {
            End::Stopped { reason: Stop::Signal(status), .. } => Ok(status),
            End::Stopped { reason: Stop::TimeIsUp(timeout), .. } => Err(Error::Timeout(timeout)),
            End::Finished if self.denied > 0 => Ok(ExitStatus::DENIED),
            End::Finished => Ok(ExitStatus::DONE),
        }
    }

    fn subscription_options(&self) -> SubscriptionOptions {
        let retain_handling =
            if self.args.no_retained { RetainHandling::Never } else { self.args.retain_handling };
        SubscriptionOptions {
            maximum_qos: self.args.qos,
            no_local: false,
            retain_as_published: self.args.retain_as_published,
            retain_handling,
        }
    }

    fn is_wanted(&self, publish: &Publish<'_>) -> bool {
        let is_left_out = publish.retain && self.args.no_retained;
        !is_left_out && !self.args.filter_out.iter().any(|filter| filter.matches(publish.topic))
    }

    /// Notes an answer; with `-E`, the last one is the end.
    fn answered(&mut self) -> Flow {
        self.unanswered = self.unanswered.saturating_sub(1);
        let is_done = self.args.exit_after_subscribe && self.unanswered == 0;
        if is_done { Flow::Finish } else { Flow::Continue }
    }

    fn report_reason_codes(&mut self, ack: &SubscriptionAck<'_>) -> usize {
        let details = describe_details(ack.properties);
        let mut granted = 0;
        for (filter, reason_code) in self.args.topic.iter().zip(ack.reason_codes()) {
            if reason_code.is_error() {
                self.denied += 1;
                self.messages
                    .say(&format!("the broker denied the subscription to {filter}: {reason_code}{details}"));
                continue;
            }
            granted += 1;
            if reason_code.0 < self.args.qos as u8 {
                let asked = self.args.qos;
                self.messages.say(&format!(
                    "the broker sends {filter} at QoS {} at most, not at the QoS {asked} that -q asks for",
                    reason_code.0
                ));
            }
        }
        granted
    }
}

/// Refuses what only MQTT 5 can say, instead of leaving it out silently.
fn check_v5_options(args: &SubscribeArgs) -> Result<(), Error> {
    let options = [
        ("--retain-as-published", args.retain_as_published),
        ("--retain-handling", args.retain_handling != RetainHandling::Always),
    ];
    match options.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::Usage(format!("{option} needs MQTT 5; add -V 5"))),
        None => Ok(()),
    }
}

impl Application for Subscriber<'_> {
    type Message = Infallible;

    fn connected(&mut self, link: &mut Link<'_, Infallible>) -> Result<(), Error> {
        let options = self.subscription_options();
        self.unanswered = usize::from(!self.args.topic.is_empty()) + self.args.unsubscribe.len();
        let subscriptions: Vec<Subscription<'_>> =
            self.args.topic.iter().map(|filter| Subscription { filter: filter.as_str(), options }).collect();
        if !subscriptions.is_empty() {
            let properties = self.subscribe_properties.as_properties();
            link.session.subscribe(subscriptions, properties, link.output)?;
        }
        for filter in &self.args.unsubscribe {
            let properties = self.unsubscribe_properties.as_properties();
            link.session.unsubscribe(vec![filter.as_str()], properties, link.output)?;
        }
        Ok(())
    }

    fn send(&mut self, _: &mut Link<'_, Infallible>) -> Result<Sending, Error> {
        Ok(Sending::Waiting)
    }

    async fn ready(&mut self) {
        pending::<()>().await;
    }

    fn message(&mut self, publish: &Publish<'_>) -> Result<Flow, Error> {
        if self.args.retained_only && !publish.retain {
            return Ok(Flow::Finish);
        }
        if !self.is_wanted(publish) {
            return Ok(Flow::Continue);
        }
        self.printer.print(publish, self.sink.buffer());
        for note in self.printer.take_notes() {
            self.messages.say(&note);
        }
        self.counted += 1;
        let is_enough = self.args.count.is_some_and(|count| self.counted >= count);
        Ok(if is_enough { Flow::Finish } else { Flow::Continue })
    }

    fn published(
        &mut self,
        _: PacketId,
        message: Infallible,
        _: ReasonCode,
        _: Properties<'_>,
    ) -> Result<Flow, Error> {
        match message {}
    }

    fn unsendable(&mut self, message: Infallible, _: PublishError) {
        match message {}
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        let granted = self.report_reason_codes(ack);
        if granted == 0 {
            return Err(Error::Denied("no subscription is left".to_owned()));
        }
        Ok(self.answered())
    }

    fn unsubscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        for reason_code in ack.reason_codes().filter(|reason_code| reason_code.is_error()) {
            self.denied += 1;
            let details = describe_details(ack.properties);
            self.messages.say(&format!("the broker denied to unsubscribe: {reason_code}{details}"));
        }
        Ok(self.answered())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.sink.flush()
    }

    fn lost(&mut self, error: &Error, pause: Duration) {
        self.messages.lost(error, pause);
    }

    fn trace(&mut self, direction: Direction, packet: &Packet<'_>) {
        self.messages.trace(direction, packet);
    }

    fn wants_trace(&self) -> bool {
        self.args.diagnostics.debug
    }
}
