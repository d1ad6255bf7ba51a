//! `mq rr`: a request and its answers.
//!
//! The request is sent after SUBACK, so that no answer can be missed. With MQTT 5 it carries its own correlation data, and only
//! a message with the same data counts as an answer. The topic of an answer does not count: RabbitMQ, for one, delivers
//! a message published to `a.b` as `a/b`.

use super::defects::DefectNotes;
use super::payload::{self, Payload};
use super::server::Server;
use super::shutdown::{Limits, Stop, stop};
use super::trace::Trace;
use super::{Messages, block_on, password};
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::request::RequestArgs;
use crate::client::{self, Application, Details, End, Flow, Link, Sending, Uncertain};
use crate::commands::error::{Error, ExitStatus};
use crate::hosted::Rules;
use crate::output::{Printer, Sink};
use crate::protocol::property::Context;
use crate::protocol::session::{Outgoing, PublishError};
use crate::protocol::{
    Connack, Defect, PacketId, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos,
    ReasonCode, RetainHandling, Subscription, SubscriptionAck, SubscriptionOptions, Version,
};
use crate::transport::{Endpoint, Stream, Tap};
use std::io::{self, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The length of generated correlation data in bytes, enough to be unique.
const CORRELATION_LENGTH: usize = 16;

pub(super) fn run(args: &RequestArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let mut client = args.client.clone();
    client.prefer_version_5(messages.names)?;
    let mut options = client.client_options(messages.names, &args.persistence, Some(0))?;
    args.check(messages.names, options.version)?;
    let request = Rc::new(Request::new(args, options.version, messages.names)?);
    if let Some(rules) = args.client.rules(options.version) {
        request.check(args, &rules)?;
    }
    if args.client.is_sn(messages.names)? {
        // With reason codes, so that a rejection is reported with the code of the gateway.
        options.version = Version::V5;
    } else if args.qos == Qos::ExactlyOnce {
        options.keep_session_for_run();
    }
    block_on(async {
        let mut requester = Requester {
            args,
            messages,
            server: Server::at(&options.endpoint.address),
            request,
            printer: args
                .output
                .printer(&args.client.endpoint(messages.names)?.address.host(), &args.schema)?
                .coloured(messages.colours_json()),
            sink: Sink::stdout().map_err(Error::Output)?,
            state: RequestState::Subscribing,
            answers: 0,
            left_out: 0,
            has_session: false,
            defects: DefectNotes::new(messages),
            trace: Trace::new(args.diagnostics.debug, &options, messages),
            failure: None,
        };
        password::complete(&client.connection, &mut options.password).await?;
        let mut stop = pin!(stop(messages, Limits { timeout: args.timeout, idle: None })?);
        let end = client::run(&options, &mut requester, stop.as_mut()).await;
        requester.trace.take_all(requester.sink.buffer());
        if matches!(end, Ok(End::Stopped { .. })) {
            requester.sink.flush().map_err(Error::Output)?;
        } else {
            tokio::select! {
                drained = requester.sink.drain() => drained.map_err(Error::Output)?,
                _ = stop => {}
            }
        }
        requester.judge(end)
    })
}

/// The request, and the data for recognising its answers.
#[derive(Debug)]
struct Request {
    topic: String,
    qos: Qos,
    payload: Vec<u8>,
    properties: PropertiesBuf,
    response_topic: String,
    /// The data that an answer must repeat; `None` if any message on the topic is an answer.
    correlation_data: Option<Vec<u8>>,
}

impl Outgoing for Rc<Request> {
    fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}

impl Request {
    fn new(args: &RequestArgs, version: Version, names: Names) -> Result<Request, Error> {
        let topic = args.client.topic_name(names, args.topic.as_ref())?;
        let response_topic = match &args.response_topic {
            Some(topic) => topic.as_str().to_owned(),
            None if names == Names::Mosquitto => {
                return Err(Error::usage(UsageError::Missing("-e TOPIC".into())));
            }
            None => "mq/rr/".chars().chain((0..22).map(|_| fastrand::alphanumeric())).collect(),
        };
        let mut properties = PropertiesBuf::new();
        let mut correlation_data = None;
        if version.is_v5() {
            properties = args.client.properties.collect(Context::Publish)?;
            correlation_data = add_correlation_data(&mut properties, names)?;
            let value = PropertyValue::Text(&response_topic);
            properties
                .push(PropertyId::ResponseTopic, value)
                .map_err(|error| Error::usage(UsageError::invalid("-e", error)))?;
        }
        let topic = payload::topic_once(&args.payload, topic.as_str())?;
        let payload = Payload::read(&args.payload)?.of_message(0).map_err(payload::no_random)?;
        // An empty request stays empty, whatever the type of the response.
        let types = args.payload.types(&args.schema)?.filter(|_| !args.payload.null_message);
        let payload = payload::encode(types, &topic, payload.to_vec().into()).map_err(|problem| {
            Error::usage(UsageError::invalid(payload::source_name(&args.payload), problem))
        })?;
        Ok(Request {
            topic,
            qos: args.qos,
            payload: payload.into_owned(),
            properties,
            response_topic,
            correlation_data,
        })
    }
}

impl Request {
    /// Refuses a request that a hosted broker does not accept.
    fn check(self: &Rc<Request>, args: &RequestArgs, rules: &Rules) -> Result<(), Error> {
        let refused = |what: String, violation| Err(args.client.preset.refused(&what, &violation).into());
        let properties = args.client.properties.collect(Context::Subscribe)?;
        if let Err(violation) = rules.check_publish(&self.as_publish()) {
            return refused(format!("cannot publish to {}", self.topic), violation);
        }
        let filter = &self.response_topic;
        let subscription = rules.check_filter(filter, self.qos);
        match subscription.and_then(|()| rules.check_subscribe(1, properties.as_properties())) {
            Err(violation) => refused(format!("cannot subscribe to {filter}"), violation),
            Ok(()) => Ok(()),
        }
    }
}

/// The data that answers must repeat: from the options, or generated. mosquitto_rr neither adds nor checks any.
fn add_correlation_data(properties: &mut PropertiesBuf, names: Names) -> Result<Option<Vec<u8>>, Error> {
    if names == Names::Mosquitto {
        return Ok(None);
    }
    if let Some(PropertyValue::Binary(typed)) = properties.as_properties().find(PropertyId::CorrelationData) {
        return Ok(Some(typed.to_vec()));
    }
    let own: Vec<u8> = (0..CORRELATION_LENGTH).map(|_| fastrand::u8(..)).collect();
    properties
        .push(PropertyId::CorrelationData, PropertyValue::Binary(&own))
        .map_err(|error| Error::usage(UsageError::invalid("-D", error)))?;
    Ok(Some(own))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestState {
    /// Waits for SUBACK.
    Subscribing,
    /// May be sent.
    Ready,
    /// Sent at that time.
    Sent(Instant),
}

struct Requester<'a> {
    args: &'a RequestArgs,
    messages: Messages,
    server: Server,
    request: Rc<Request>,
    printer: Printer,
    sink: Sink,
    state: RequestState,
    answers: u64,
    /// Received messages that are not answers.
    left_out: u64,
    /// Whether the broker resumed a session, whose other subscriptions may deliver messages as well.
    has_session: bool,
    defects: DefectNotes,
    trace: Trace,
    /// The error that ends the command at the next opportunity.
    failure: Option<Error>,
}

impl Requester<'_> {
    fn judge(&mut self, end: Result<End<Stop>, Error>) -> Result<ExitStatus, Error> {
        if self.left_out > 1 {
            self.messages.say(&format!(
                "left out {} messages in total that do not answer this request",
                self.left_out
            ));
        }
        match end? {
            End::Stopped { reason, was_connected, .. } => {
                if self.answers > 0 {
                    let (answers, wanted) = (self.answers, self.args.count);
                    self.messages.say(&format!("received {answers} of {wanted} answers"));
                }
                self.messages.stopped(reason, was_connected)
            }
            End::Finished => Ok(ExitStatus::DONE),
        }
    }

    /// Whether a message answers our request.
    fn is_answer(&mut self, publish: &Publish<'_>) -> bool {
        if publish.retain && self.args.no_retained {
            return false;
        }
        let topic = publish.topic;
        let Some(expected) = &self.request.correlation_data else {
            // A new session has only our subscription, so the message is for it even if the broker spells its topic differently.
            if !self.has_session || is_same_topic(topic, &self.request.response_topic) {
                return true;
            }
            self.leave_out(topic, "which matches another subscription of the kept session");
            return false;
        };
        match publish.properties.find(PropertyId::CorrelationData) {
            Some(PropertyValue::Binary(brought)) if brought == expected.as_slice() => return true,
            Some(_) => self.leave_out(topic, "with other correlation data, which does not answer this request"),
            None => self.leave_out(
                topic,
                "without correlation data, which cannot be matched to this request; with -V 311 any message on \
                 the response topic is an answer",
            ),
        }
        false
    }

    /// Counts a message that is not printed. Reports the first one.
    fn leave_out(&mut self, topic: &str, reason: &str) {
        self.left_out += 1;
        if self.left_out == 1 {
            let topic = topic.escape_debug();
            self.messages.say(&format!("left out a message on {topic} {reason}"));
        }
    }

    fn print_latency(&mut self, latency: Duration) {
        let (nanoseconds, seconds) = (latency.as_nanos(), latency.as_secs_f64());
        let _ = writeln!(
            self.sink.buffer(),
            "Latency: {nanoseconds}ns | {:.6}µs | {:.6}ms | {}.{:09}",
            seconds * 1e6,
            seconds * 1e3,
            latency.as_secs(),
            latency.subsec_nanos()
        );
    }
}

/// Whether the topics are the same to a broker that maps MQTT topics to AMQP's `.` and `*`, as RabbitMQ does.
fn is_same_topic(received: &str, requested: &str) -> bool {
    received == requested
        || received.replace('.', "/").replace('*', "+") == requested.replace('.', "/").replace('*', "+")
}

impl Application for Requester<'_> {
    type Message = Rc<Request>;
    type Error = Error;

    fn disconnect_unanswered(&mut self, timeout: Duration) {
        self.messages.disconnect_unanswered(timeout);
    }

    fn accepted(&mut self, connack: &Connack<'_>) {
        self.has_session = connack.session_present;
    }

    fn uncertain(&mut self, uncertain: &Uncertain<'_, Rc<Request>>) {
        let fate = if uncertain.may_be_lost.is_empty() { "be delivered twice" } else { "be lost" };
        self.messages.say(&format!(
            "the request to {} may {fate}: the broker did not keep the session over the lost connection",
            self.request.topic
        ));
    }

    fn connected(&mut self, link: &mut Link<'_, Rc<Request>>) -> Result<(), Error> {
        self.trace.share_stdout();
        let retain_handling =
            if self.args.no_retained { RetainHandling::Never } else { self.args.retain_handling };
        let options = SubscriptionOptions {
            maximum_qos: self.args.qos,
            no_local: false,
            retain_as_published: self.args.retain_as_published,
            retain_handling,
        };
        let properties = self.args.client.properties.collect(Context::Subscribe)?;
        let filter = self.request.response_topic.as_str();
        let subscription = Subscription { filter, options };
        link.session.subscribe(vec![subscription], properties.as_properties(), link.output)?;
        self.state = RequestState::Subscribing;
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, Rc<Request>>) -> Result<Sending, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        // After a reconnect, the session itself sends unsettled messages again.
        if self.state != RequestState::Ready || link.session.unsettled() > 0 {
            return Ok(Sending::Waiting);
        }
        let kept = Rc::clone(&self.request);
        let sent = link.session.publish(&self.request.as_publish(), || kept, link.output);
        sent.map_err(|source| Error::Unsendable { topic: self.request.topic.clone(), source })?;
        self.state = RequestState::Sent(Instant::now());
        Ok(Sending::Sent)
    }

    async fn ready(&mut self) {
        if self.sink.has_unwritten() {
            return self.sink.writable().await;
        }
        self.sink.closed().await;
        self.failure = Some(Error::Output(io::ErrorKind::BrokenPipe.into()));
    }

    fn message(&mut self, publish: &Publish<'_>, defects: &[Defect]) -> Result<Flow, Error> {
        self.trace.take_until_message(self.sink.buffer());
        if self.answers == self.args.count || !self.is_answer(publish) {
            return Ok(Flow::Continue);
        }
        self.defects.note(publish, defects);
        self.printer.print(publish, self.sink.buffer());
        for note in self.printer.take_notes() {
            self.messages.say(&note);
        }
        if let (RequestState::Sent(time), true) = (self.state, self.args.latency) {
            self.print_latency(time.elapsed());
        }
        self.answers += 1;
        Ok(if self.answers == self.args.count { Flow::Finish } else { Flow::Continue })
    }

    fn published(
        &mut self,
        _: PacketId,
        _: Rc<Request>,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Error> {
        if reason_code == ReasonCode::NO_MATCHING_SUBSCRIBERS {
            self.messages.say(&format!("no client is subscribed to {}", self.request.topic));
        }
        if reason_code.is_error() {
            let details = Details::of(properties);
            let topic = &self.request.topic;
            let (server, reason) = (self.server, self.server.reason(reason_code));
            return Err(Error::Rejected(format!(
                "{server} rejected the request to {topic}: {reason}{details}"
            )));
        }
        Ok(Flow::Continue)
    }

    fn unsendable(&mut self, request: Rc<Request>, source: PublishError) {
        self.failure = Some(Error::Unsendable { topic: request.topic.clone(), source });
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        let refusal = ack.reason_codes().find(|reason_code| reason_code.is_error());
        if let Some(reason_code) = refusal {
            let details = Details::of(ack.properties);
            let topic = &self.request.response_topic;
            let (server, reason) = (self.server, self.server.reason(reason_code));
            return Err(Error::Rejected(format!(
                "{server} rejected the subscription to {topic}: {reason}{details}"
            )));
        }
        self.state = RequestState::Ready;
        Ok(Flow::Continue)
    }

    fn flush(&mut self) -> Result<bool, Error> {
        self.trace.take_all(self.sink.buffer());
        self.sink.flush().map_err(Error::Output)
    }

    fn lost(&mut self, error: &client::Error, pause: Duration) {
        self.messages.lost(error, pause);
    }

    fn searching(&mut self, endpoint: &Endpoint) {
        self.messages.searching(endpoint);
    }

    fn opened(&mut self, stream: &Stream) -> Option<Box<dyn Tap>> {
        self.trace.open(stream)
    }
}
