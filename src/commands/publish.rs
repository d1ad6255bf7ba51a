//! `mq pub`: publishes messages from an option, a file or standard input, and ends when all are acknowledged.

use super::error::broker_hint;
use super::lines::{Next, StdinLines};
use super::ndjson::{self, JsonLines, NextMessage};
use super::outbound::{Header, Outbound};
use super::payload::{self, Payload};
use super::replay::Replay;
use super::server::Server;
use super::shutdown::{Limits, Stop, stop};
use super::trace::Trace;
use super::{Messages, block_on, check_taken, password};
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::delay::Delay;
use crate::cli::output::PayloadForm;
use crate::cli::publish::PublishArgs;
use crate::client::{self, Application, Details, End, Flow, Link, Sending, Uncertain};
use crate::commands::error::{Error, ExitStatus};
use crate::hosted::Rules;
use crate::payload::schema::MessageTypes;
use crate::protocol::session::{Outgoing, PublishError};
use crate::protocol::{
    Defect, PacketId, Properties, Publish, Qos, ReasonCode, SubscriptionAck, TopicName, Version,
};
use crate::transport::{Endpoint, Stream, Tap};
use crate::words::{counted, counted_verb};
use jiff::Timestamp;
use std::borrow::Cow;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The number of retries of `-l` and `--ndjson` after a lost connection: about five minutes.
const RETRIES: u32 = 15;

pub(super) fn run(args: &PublishArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let is_replay = !args.replay.replay.is_empty();
    let retries = if args.stdin_line || args.ndjson || is_replay { RETRIES } else { 0 };
    let mut client = args.client.clone();
    if args.ndjson || is_replay {
        // Its messages may have properties.
        client.prefer_version_5(messages.names)?;
    }
    let mut options = client.client_options(messages.names, &args.persistence, Some(retries))?;
    // Whole messages have a QoS each. No hosted broker takes QoS 2.
    let may_be_qos_2 = args.qos() == Qos::ExactlyOnce || args.ndjson || is_replay;
    if may_be_qos_2 && client.rules(options.version).is_none() {
        options.keep_session_for_run();
    }
    if client.is_sn(messages.names)? {
        // With reason codes, so that a rejected message is reported as such.
        options.version = Version::V5;
    }
    let names_topic = args.topic.is_some() || args.client.network.url_topic(messages.names)?.is_some();
    let topic = if names_topic || !(args.ndjson || is_replay) {
        Some(args.client.topic_name(messages.names, args.topic.as_ref())?)
    } else {
        None
    };
    let delay = args.delay.counted_from(Timestamp::now())?;
    let mut publisher = Publisher::new(args, topic, delay, &options, messages)?;
    publisher.check_known_message(args)?;
    delay.and_then(Delay::warning).inspect(|warning| messages.say(warning));
    block_on(async {
        password::complete(&client.connection, &mut options.password).await?;
        let limits = Limits { timeout: args.timeout, idle: None };
        let end = client::run(&options, &mut publisher, stop(messages, limits)?).await;
        publisher.judge(end)
    })
}

/// The source of messages. Standard input is not read before the first connection.
enum Source {
    /// The same one, several times.
    Repeated { maker: Maker, left: u64, delay: Duration, pause: Pause },
    /// Each line of standard input is a payload, in this encoding.
    Lines { header: Rc<Header>, form: LineForm, lines: StdinLines, line: u64 },
    /// Each line of standard input is a whole message.
    JsonLines(JsonLines),
    /// Recordings.
    Replay(Box<Replay>),
}

/// The encoding of lines.
#[derive(Clone, Copy)]
struct LineForm {
    form: PayloadForm,
    /// The message types that their JSON is encoded as.
    types: Option<&'static MessageTypes>,
}

impl LineForm {
    fn decode<'l>(self, topic: &str, line: &'l [u8]) -> Result<Cow<'l, [u8]>, String> {
        payload::encode(self.types, topic, payload::decode(self.form, line)?)
    }
}

/// Makes the published message, or several from one template.
struct Maker {
    header: Rc<Header>,
    /// The topic, if it is a template.
    topic: Option<payload::Template>,
    payload: Payload,
    /// The message types that JSON is encoded as.
    types: Option<&'static MessageTypes>,
    /// The origin of the payload, for errors.
    source: String,
    made: u64,
}

impl Maker {
    fn new(args: &PublishArgs, header: Rc<Header>) -> Result<Maker, Error> {
        let is_filled_in = args.payload.template && header.topic.contains('{');
        let topic = is_filled_in.then(|| payload::parse("-t", &header.topic)).transpose()?;
        let mut maker = Maker {
            header,
            topic,
            payload: Payload::read(&args.payload)?,
            types: args.payload.types(&args.schema)?,
            source: payload::source_name(&args.payload),
            made: 0,
        };
        maker.encode_once()?;
        Ok(maker)
    }

    /// Encodes the payload now, if all messages have the same, so that an error is reported before connecting.
    fn encode_once(&mut self) -> Result<(), Error> {
        if let (Payload::Fixed(bytes), None) = (&self.payload, &self.topic) {
            let encoded = self.encoded(&self.header.topic, Rc::clone(bytes))?;
            (self.payload, self.types) = (Payload::Fixed(encoded), None);
        }
        Ok(())
    }

    fn encoded(&self, topic: &str, payload: Rc<[u8]>) -> Result<Rc<[u8]>, Error> {
        if self.types.is_none() {
            return Ok(payload);
        }
        let encoded = payload::encode(self.types, topic, Cow::Borrowed(&*payload));
        encoded
            .map(Into::into)
            .map_err(|problem| Error::usage(UsageError::invalid(self.source.clone(), problem)))
    }

    fn next(&mut self) -> Result<Outbound, Error> {
        let header = match &self.topic {
            Some(topic) => {
                let topic = topic.fill_in(self.made).map_err(payload::no_random)?;
                Rc::new(Header { topic, ..Header::clone(&self.header) })
            }
            None => Rc::clone(&self.header),
        };
        let payload = self.payload.of_message(self.made).map_err(payload::no_random)?;
        let payload = self.encoded(&header.topic, payload)?;
        self.made += 1;
        Ok(Outbound { header, payload })
    }
}

/// Whether a repetition must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    ForAcknowledgement,
    Until(Instant),
}

struct Publisher {
    source: Source,
    messages: Messages,
    server: Server,
    trace: Trace,
    /// The rules of a hosted broker.
    rules: Option<Rules>,
    rejected: u64,
    /// The lines sent at QoS 0 on this connection. When it breaks, it is unknown which of them arrived.
    unacknowledged: u64,
    /// The QoS 2 messages for which exactly-once delivery is unknown.
    uncertain: u64,
    /// The number of them from the last lost session.
    uncertain_at_once: u64,
    /// Whether the broker was asked to keep the session.
    keeps_session: bool,
    /// The error that stopped the sending. Messages sent before are still waited for.
    failure: Option<Error>,
    objection: Objection,
}

/// A message to which a broker may object, the first of its kind.
struct Objection {
    version: Version,
    text: Option<String>,
}

impl Objection {
    fn note(&mut self, message: &Publish<'_>) {
        if self.text.is_none() {
            self.text =
                broker_hint::of_message(message.topic, message.qos, message.payload.len(), self.version);
        }
    }
}

impl Publisher {
    fn new(
        args: &PublishArgs,
        topic: Option<TopicName>,
        delay: Option<Delay>,
        options: &client::Options,
        messages: Messages,
    ) -> Result<Publisher, Error> {
        Ok(Publisher {
            source: Source::new(args, topic, delay, options.version, messages)?,
            messages,
            server: Server::at(&options.endpoint.address),
            trace: Trace::new(args.diagnostics.debug, options, messages),
            rules: args.client.rules(options.version),
            rejected: 0,
            unacknowledged: 0,
            uncertain: 0,
            uncertain_at_once: 0,
            keeps_session: !options.clean_start || options.resumes_session,
            failure: None,
            objection: Objection { version: options.version, text: None },
        })
    }

    /// Refuses options that a hosted broker does not accept, as far as they are known before sending.
    fn check_known_message(&self, args: &PublishArgs) -> Result<(), Error> {
        let Some(rules) = &self.rules else { return Ok(()) };
        let checked = match &self.source {
            Source::Repeated { maker, .. } => match (&maker.topic, &maker.payload) {
                (None, Payload::Fixed(payload)) => rules.check_publish(&maker.header.with_payload(payload)),
                (None, Payload::Template(_) | Payload::Random(_)) => {
                    rules.check_publish(&maker.header.with_payload(&[]))
                }
                (Some(_), _) => Ok(()),
            },
            Source::Lines { header, .. } => rules.check_publish(&header.with_payload(&[])),
            Source::JsonLines(_) | Source::Replay(_) => Ok(()),
        };
        let topic = args.topic.as_ref().map(|topic| format!("cannot publish to {topic}"));
        let what = topic.unwrap_or_else(|| "cannot publish".to_owned());
        checked.map_err(|violation| args.client.preset.refused(&what, &violation))?;
        if let (true, Some(remark)) = (args.retain, rules.remark_on_retain()) {
            self.messages.say(&remark);
        }
        Ok(())
    }

    /// The command's exit status for the end of the connection.
    fn judge(&mut self, end: Result<End<Stop>, Error>) -> Result<ExitStatus, Error> {
        let end = end.inspect_err(|error| {
            self.report_possible_losses();
            self.report_objection(error);
        })?;
        if let End::Stopped { unsettled: unsettled @ 1.., .. } = end {
            self.abandoned(unsettled);
        }
        if self.uncertain > self.uncertain_at_once {
            let messages = counted(self.uncertain, "message");
            self.messages.say(&format!("{messages} of QoS 2 in all may be lost or delivered twice"));
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        match end {
            End::Stopped { reason, was_connected, .. } => self.messages.stopped(reason, was_connected),
            End::Finished if self.uncertain > 0 => Ok(ExitStatus::LOST),
            End::Finished if self.rejected > 0 => Ok(ExitStatus::REJECTED),
            End::Finished => Ok(ExitStatus::DONE),
        }
    }

    /// Records the error that stops the sending. Messages in flight are still waited for.
    fn fail(&mut self, error: Error) -> Sending {
        self.failure = Some(error);
        Sending::Finished
    }

    /// Names the message that may have ended the connection, unless the broker gave a reason.
    fn report_objection(&mut self, error: &Error) {
        let is_silent =
            matches!(error, Error::Client(error) if error.is_silent()) && self.messages.service.is_none();
        if let Some(objection) = self.objection.text.take().filter(|_| is_silent) {
            self.messages.say(&objection);
        }
    }

    /// Reports the number of lines that a broken connection may have lost.
    fn report_possible_losses(&mut self) {
        let lines = match std::mem::take(&mut self.unacknowledged) {
            0 => return,
            1 => "the line that was".to_owned(),
            count => format!("up to {count} lines that were"),
        };
        self.messages
            .say(&format!("{lines} sent at QoS 0 may be lost; -q 1 sends unacknowledged lines again"));
    }

    /// Handles the result of handing a line to the session.
    fn sent_line(&mut self, sent: Result<Option<PacketId>, Error>) -> Sending {
        match sent {
            Ok(packet_id) => {
                self.unacknowledged += u64::from(packet_id.is_none());
                Sending::Sent
            }
            Err(error) => self.fail(error),
        }
    }

    /// mosquitto_pub publishes without RETAIN if the broker does not support it.
    fn leave_out_retain(&mut self) {
        let header = match &mut self.source {
            Source::Repeated { maker, .. } => &mut maker.header,
            Source::Lines { header, .. } => header,
            Source::JsonLines(_) | Source::Replay(_) => return,
        };
        if header.retain {
            self.messages.say("the broker does not retain messages; publishing without -r");
            Rc::make_mut(header).retain = false;
        }
    }

    fn send_repetition(&mut self, link: &mut Link<'_, Outbound>) -> Sending {
        let Source::Repeated { maker, left, delay, pause } = &mut self.source else {
            return Sending::Finished;
        };
        let now = Instant::now();
        match *pause {
            _ if *left == 0 => return Sending::Finished,
            Pause::ForAcknowledgement => return Sending::Waiting,
            Pause::Until(time) if now < time => return Sending::Waiting,
            Pause::None | Pause::Until(_) => {}
        }
        let message = match maker.next() {
            Ok(message) => message,
            Err(error) => return self.fail(error),
        };
        self.objection.note(&message.as_publish());
        if let Err(error) = publish(self.rules.as_ref(), link, &message.as_publish(), || message.clone()) {
            return self.fail(error);
        }
        *left -= 1;
        *pause = match (*delay, maker.header.qos) {
            (Duration::ZERO, _) => Pause::None,
            (delay, Qos::AtMostOnce) => Pause::Until(now + delay),
            (_, Qos::AtLeastOnce | Qos::ExactlyOnce) => Pause::ForAcknowledgement,
        };
        Sending::Sent
    }

    fn send_line(&mut self, link: &mut Link<'_, Outbound>) -> Sending {
        let Source::Lines { header, form, lines, line } = &mut self.source else {
            return Sending::Finished;
        };
        let payload = match lines.next() {
            Ok(Next::Line(payload)) => payload,
            Ok(Next::Waiting) => return Sending::Waiting,
            Ok(Next::End) => return Sending::Finished,
            Err(error) => return self.fail(Error::input(error)),
        };
        *line += 1;
        let payload = match form.decode(&header.topic, payload) {
            Ok(payload) => payload,
            Err(problem) => {
                let place = format!("standard input, line {line}");
                return self.fail(Error::InputLine { place, problem });
            }
        };
        let payload = &*payload;
        let keep = || Outbound { header: header.clone(), payload: payload.into() };
        self.objection.note(&header.with_payload(payload));
        let sent = publish(self.rules.as_ref(), link, &header.with_payload(payload), keep);
        self.sent_line(sent)
    }

    fn send_whole_message(&mut self, link: &mut Link<'_, Outbound>) -> Sending {
        let next = match &mut self.source {
            Source::JsonLines(lines) => lines.next(),
            Source::Replay(replay) => replay.next(),
            Source::Repeated { .. } | Source::Lines { .. } => return Sending::Finished,
        };
        let message = match next {
            Ok(NextMessage::Message(message)) => message,
            Ok(NextMessage::Waiting) => return Sending::Waiting,
            Ok(NextMessage::End) => return Sending::Finished,
            Err(error) => return self.fail(error),
        };
        self.objection.note(&message.as_publish());
        let sent = publish(self.rules.as_ref(), link, &message.as_publish(), || message.clone());
        self.sent_line(sent)
    }
}

/// Hands a message to the session, if the broker takes it.
fn publish(
    rules: Option<&Rules>,
    link: &mut Link<'_, Outbound>,
    message: &Publish<'_>,
    keep: impl FnOnce() -> Outbound,
) -> Result<Option<PacketId>, Error> {
    check_taken(rules, message)?;
    let sent = link.session.publish(message, keep, link.output);
    sent.map_err(|source| unsendable(message.topic, source))
}

/// The topics of some messages, the first few by name.
fn topics_of(messages: &[&Outbound]) -> String {
    const NAMED: usize = 5;
    let mut topics: Vec<&str> = messages.iter().map(|message| message.header.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let rest = topics.len().saturating_sub(NAMED);
    let mut named = topics.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if rest > 0 {
        named += &format!(" and {rest} more");
    }
    named
}

fn unsendable(topic: &str, source: PublishError) -> Error {
    Error::Unsendable { topic: topic.to_owned(), source }
}

impl Application for Publisher {
    type Message = Outbound;
    type Error = Error;

    fn disconnect_unanswered(&mut self, timeout: Duration) {
        self.messages.disconnect_unanswered(timeout);
    }

    fn connected(&mut self, link: &mut Link<'_, Outbound>) -> Result<(), Error> {
        if self.messages.names == Names::Mosquitto && !link.session.peer_accepts().retain_available {
            self.leave_out_retain();
        }
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, Outbound>) -> Result<Sending, Error> {
        Ok(match self.source {
            Source::Repeated { .. } => self.send_repetition(link),
            Source::Lines { .. } => self.send_line(link),
            Source::JsonLines(_) | Source::Replay(_) => self.send_whole_message(link),
        })
    }

    async fn ready(&mut self) {
        let waited = match &mut self.source {
            Source::Repeated { pause: Pause::Until(time), .. } => {
                sleep_until(*time).await;
                Ok(())
            }
            Source::Repeated { .. } => pending().await,
            Source::Lines { lines, .. } => lines.wait().await,
            Source::JsonLines(lines) => lines.wait().await,
            Source::Replay(replay) => replay.wait().await,
        };
        if let Err(error) = waited {
            self.failure = Some(Error::input(error));
        }
    }

    fn uncertain(&mut self, uncertain: &Uncertain<'_, Outbound>) {
        self.uncertain_at_once = (uncertain.may_be_lost.len() + uncertain.may_be_doubled.len()) as u64;
        self.uncertain += self.uncertain_at_once;
        let advice = match self.keeps_session {
            true => "the broker did not keep the session",
            false => "the session ended with the connection; -c -i ID keeps it",
        };
        for (messages, fate) in
            [(&uncertain.may_be_lost, "be lost"), (&uncertain.may_be_doubled, "be delivered twice")]
        {
            if !messages.is_empty() {
                let (count, topics) = (counted(messages.len(), "message"), topics_of(messages));
                self.messages.say(&format!("{count} of QoS 2 may {fate}, to {topics}: {advice}"));
            }
        }
    }

    fn abandoned(&mut self, unsettled: usize) {
        let fate = match self.server {
            Server::Broker => "sent and not acknowledged",
            // It sends one message at a time, so others may not have been sent.
            Server::Gateway(_) => "not acknowledged",
        };
        self.messages.say(&format!("{} {fate}", counted_verb(unsettled, "message", "was")));
    }

    fn message(&mut self, _: &Publish<'_>, _: &[Defect]) -> Result<Flow, Error> {
        Ok(Flow::Continue) // A kept session may still have subscriptions; nobody asked to see them here.
    }

    fn published(
        &mut self,
        packet_id: PacketId,
        message: Outbound,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Error> {
        if reason_code.is_error() {
            self.rejected += 1;
            let details = Details::of(properties);
            let (server, reason) = (self.server, self.server.reason(reason_code));
            self.messages.say(&format!(
                "{server} rejected message {packet_id} to {}: {reason}{details}",
                message.header.topic
            ));
        }
        if let Source::Repeated { delay, pause: pause @ Pause::ForAcknowledgement, .. } = &mut self.source {
            *pause = Pause::Until(Instant::now() + *delay);
        }
        Ok(Flow::Continue)
    }

    fn unsendable(&mut self, message: Outbound, error: PublishError) {
        self.failure = Some(unsendable(&message.header.topic, error));
    }

    fn subscribed(&mut self, _: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }

    fn flush(&mut self) -> Result<bool, Error> {
        Ok(true)
    }

    fn lost(&mut self, error: &client::Error, pause: Duration) {
        self.messages.lost(error, pause);
        self.report_possible_losses();
    }

    fn searching(&mut self, endpoint: &Endpoint) {
        self.messages.searching(endpoint);
    }

    fn opened(&mut self, stream: &Stream) -> Option<Box<dyn Tap>> {
        self.trace.open(stream)
    }
}

impl Source {
    fn new(
        args: &PublishArgs,
        topic: Option<TopicName>,
        delay: Option<Delay>,
        version: Version,
        messages: Messages,
    ) -> Result<Source, Error> {
        args.check()?;
        if args.ndjson {
            return Ok(Source::JsonLines(JsonLines::new(args, topic, version, messages)?));
        }
        if !args.replay.replay.is_empty() {
            let maker = ndjson::Maker::new(args, topic, version, messages)?;
            return Ok(Source::Replay(Box::new(Replay::new(&args.replay, maker, messages)?)));
        }
        let header = Rc::new(Header::new(args, topic, delay, version)?);
        if args.stdin_line {
            let form = LineForm { form: args.payload.form(), types: args.payload.types(&args.schema)? };
            return Ok(Source::Lines { header, form, lines: StdinLines::new(), line: 0 });
        }
        let maker = Maker::new(args, header)?;
        Ok(Source::Repeated { maker, left: args.repeat, delay: args.repeat_delay, pause: Pause::None })
    }
}
