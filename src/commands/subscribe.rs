//! `mq sub`: prints the messages that arrive, until it is stopped.

use super::defects::DefectNotes;
use super::error::broker_hint;
use super::exec::Exec;
use super::retained_removal::{Removal, Removals};
use super::server::Server;
use super::shutdown::{Idle, Limits, Stop, stop};
use super::trace::Trace;
use super::{Messages, block_on, check_taken, password, top};
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::record_args::RecordArgs;
use crate::cli::subscribe::SubscribeArgs;
use crate::client::{self, Application, Details, End, Flow, Link, Sending};
use crate::commands::error::{Error, ExitStatus};
use crate::hosted::Rules;
use crate::output::{Printer, Sink};
use crate::payload::sparkplug::Subscriptions;
use crate::protocol::property::Context;
use crate::protocol::session::{Outgoing, PublishError};
use crate::protocol::{
    Defect, PacketId, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, ReasonCode,
    RetainHandling, Subscription, SubscriptionAck, SubscriptionOptions, TopicFilter, Version,
};
use crate::recording::Recorder;
use crate::transport::{Endpoint, Stream, Tap};
use jiff::Timestamp;
use std::future::pending;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::{sleep_until, timeout};

/// With `--retained-only`: this time without a message after SUBACK or a message means that the broker has sent all of them.
const QUIET: Duration = Duration::from_secs(1);

/// The time for writing the remaining output after the command was stopped.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

const SECOND: Duration = Duration::from_secs(1);

/// The time without UNSUBACK after which the user is warned. Some brokers never send it.
const UNSUBACK_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(args: &SubscribeArgs, messages: Messages) -> Result<ExitStatus, Error> {
    if let Some(shown) = top::run_list(args, messages) {
        return shown;
    }
    let mut options = args.client.client_options(messages.names, &args.persistence, None)?;
    args.check(messages.names, options.version)?;
    if args.client.is_sn(messages.names)? {
        // With reason codes, so that a rejected subscription is reported with the code of the gateway.
        options.version = Version::V5;
    } else if options.version.is_v5() {
        limit_in_flight(args, &mut options.properties);
    }
    block_on(async {
        let mut subscriber = Subscriber::new(args, &options, messages)?;
        password::complete(&args.client.connection, &mut options.password).await?;
        subscriber.idle = args.idle_timeout.map(Idle::new);
        let limits = Limits { timeout: args.timeout, idle: subscriber.idle.clone() };
        let mut stop = pin!(stop(messages, limits)?);
        let end = client::run(&options, &mut subscriber, stop.as_mut()).await;
        subscriber.trace.take_all(subscriber.sink.buffer());
        let drained = match end {
            Ok(End::Stopped { .. }) => {
                timeout(OUTPUT_TIMEOUT, subscriber.sink.drain()).await.unwrap_or(Ok(()))
            }
            Ok(End::Finished) | Err(_) => tokio::select! {
                drained = subscriber.sink.drain() => drained,
                _ = stop => Ok(()),
            },
        };
        let failed = subscriber.end_commands(matches!(end, Ok(End::Finished))).await;
        let status = subscriber.exit_status(end)?;
        let drained = drained.map_err(Error::Output);
        drained.map(|()| if failed > 0 && status == ExitStatus::DONE { ExitStatus::FAILED } else { status })
    })
}

/// Opens the recording, if requested.
fn open_recorder(args: &RecordArgs, messages: Messages) -> Result<Option<Recorder>, Error> {
    let Some(path) = &args.record else { return Ok(None) };
    let (recorder, note) = Recorder::open(path, args.rotate)?;
    note.inspect(|note| messages.say(note));
    Ok(Some(recorder))
}

/// With `-C`, limits the messages in flight to the count; further ones would be lost at QoS 0 or be delivered again later.
fn limit_in_flight(args: &SubscribeArgs, properties: &mut PropertiesBuf) {
    let wanted = args.count.and_then(|count| u16::try_from(count).ok()).filter(|&count| count < 20);
    let is_typed = properties.as_properties().find(PropertyId::ReceiveMaximum).is_some();
    if let (Some(count), false) = (wanted, is_typed) {
        let added = properties.push(PropertyId::ReceiveMaximum, PropertyValue::Number(count.into()));
        debug_assert!(added.is_ok(), "a count is at least 1 and the property was not there");
    }
}

/// Warns, if retained messages are wanted, about those that this broker does not send.
fn remark_on_retained(
    args: &SubscribeArgs,
    rules: &Rules,
    subscriptions: &[(TopicFilter, Qos)],
    messages: Messages,
) {
    if args.retained_only || args.remove_retained {
        let remarks =
            subscriptions.iter().filter_map(|(filter, _)| rules.remark_on_retained(filter.as_str()));
        remarks.for_each(|remark| messages.say(&remark));
    }
}

struct Subscriber<'a> {
    args: &'a SubscribeArgs,
    /// The filters, each with its QoS.
    subscriptions: Vec<(TopicFilter, Qos)>,
    /// The rules of a hosted broker.
    rules: Option<Rules>,
    /// Which of the subscriptions each SUBSCRIBE of this connection asks for.
    requested: Vec<(PacketId, Range<usize>)>,
    /// The number of subscriptions granted on this connection.
    granted: usize,
    messages: Messages,
    server: Server,
    subscribe_properties: PropertiesBuf,
    unsubscribe_properties: PropertiesBuf,
    printer: Printer,
    sink: Sink,
    defects: DefectNotes,
    removals: Option<Removals>,
    idle: Option<Idle>,
    trace: Trace,
    recorder: Option<Recorder>,
    exec: Option<Exec>,
    /// The end of the quiet period that ends the command.
    quiet_until: Option<Instant>,
    rate: Option<Rate>,
    counted: u64,
    rejected: usize,
    /// The number of SUBACK and UNSUBACK still expected on this connection.
    unanswered: usize,
    /// The number of UNSUBACK among them, and the time for the warning about them.
    unsubacks: usize,
    unsubacks_due: Option<Instant>,
    version: Version,
    is_output_closed: bool,
    is_ending: bool,
}

/// Messages per second, reported every second.
#[derive(Debug)]
struct Rate {
    count: u64,
    next: Instant,
}

/// The subscriptions as those of an observer of Sparkplug nodes.
fn observed(args: &SubscribeArgs, subscriptions: &[(TopicFilter, Qos)]) -> Subscriptions {
    let mut observed = Subscriptions::default();
    subscriptions.iter().for_each(|(filter, _)| observed.add(filter.as_str()));
    if args.client.session.disable_clean_session {
        observed.set_others();
    }
    observed
}

impl<'a> Subscriber<'a> {
    fn new(
        args: &'a SubscribeArgs,
        options: &client::Options,
        messages: Messages,
    ) -> Result<Subscriber<'a>, Error> {
        let subscriptions = args.subscriptions(args.client.other_filters(messages.names)?)?;
        if subscriptions.is_empty() && args.unsubscribe.is_empty() {
            let of_url = args.client.network.without_topic();
            return Err(Error::usage(UsageError::Missing(format!("-t FILTER{of_url}"))));
        }
        let properties = &args.client.properties;
        let rules = args.client.rules(options.version);
        if let Some(rules) = &rules {
            args.client.check_subscriptions(rules, &subscriptions)?;
            remark_on_retained(args, rules, &subscriptions, messages);
        }
        let printer =
            args.output.printer(&args.client.endpoint(messages.names)?.address.host(), &args.schema)?;
        Ok(Subscriber {
            args,
            printer: printer.coloured(messages.colours_json()).subscribed(
                observed(args, &subscriptions),
                args.random_filter.is_none() && args.filter_out.is_empty(),
            ),
            subscriptions,
            rules,
            requested: Vec::new(),
            granted: 0,
            messages,
            server: Server::at(&options.endpoint.address),
            subscribe_properties: properties.collect(Context::Subscribe)?,
            unsubscribe_properties: properties.collect(Context::Unsubscribe)?,
            sink: Sink::stdout().map_err(Error::Output)?,
            defects: DefectNotes::new(messages),
            removals: args.remove_retained.then(|| Removals::new(args.dry_run)),
            idle: None,
            trace: Trace::new(args.diagnostics.debug, options, messages),
            recorder: open_recorder(&args.keep, messages)?,
            exec: args
                .keep
                .exec
                .as_ref()
                .map(|command| Exec::new(command, args.keep.exec_jobs.into(), messages)),
            quiet_until: None,
            rate: args.message_rate.then(|| Rate { count: 0, next: Instant::now() + SECOND }),
            counted: 0,
            rejected: 0,
            unanswered: 0,
            unsubacks: 0,
            unsubacks_due: None,
            version: options.version,
            is_output_closed: false,
            is_ending: false,
        })
    }

    /// Waits for the commands of --exec; after a successful run, also for those that did not start. Returns the number of
    /// failures.
    async fn end_commands(&mut self, is_all_wanted: bool) -> u64 {
        match &mut self.exec {
            Some(exec) if is_all_wanted => exec.end().await,
            Some(exec) => exec.finish().await,
            None => 0,
        }
    }

    fn exit_status(&self, end: Result<End<Stop>, Error>) -> Result<ExitStatus, Error> {
        if let Some(removals) = &self.removals
            && (self.granted > 0 || matches!(end, Ok(End::Finished)))
        {
            self.report_removals(removals);
        }
        match end? {
            End::Stopped { reason, was_connected, .. } => {
                self.report_missing_answers();
                self.messages.stopped(reason, was_connected)
            }
            End::Finished if self.rejected > 0 => Ok(ExitStatus::REJECTED),
            End::Finished => Ok(ExitStatus::DONE),
        }
    }

    /// Warns about answers and messages that never came, as some brokers grant more than they support.
    fn report_missing_answers(&self) {
        if self.messages.names == Names::Mosquitto {
            return;
        }
        if self.unsubacks > 0 {
            self.report_missing_unsubacks();
        }
        let shared = self.subscriptions.iter().find(|(filter, _)| filter.as_str().starts_with("$share/"));
        if let (Some((filter, _)), 0, false) = (shared, self.counted, self.version.is_v5())
            && self.granted > 0
        {
            self.messages.say(&format!(
                "no message came through {filter}; some brokers grant shared subscriptions in {} and deliver nothing, \
                 RabbitMQ, ActiveMQ and aedes among them",
                self.version
            ));
        }
    }

    fn report_missing_unsubacks(&self) {
        let requests = if self.unsubacks == 1 { "an UNSUBSCRIBE" } else { "several UNSUBSCRIBE" };
        self.messages.say(&format!(
            "the broker has not answered {requests}; rumqttd never does if there was no such subscription"
        ));
    }

    /// mosquitto_sub does not report the number of deleted messages.
    fn report_removals(&self, removals: &Removals) {
        if self.messages.names == Names::Mq || self.args.dry_run {
            self.messages.say(&removals.summary());
            if removals.is_empty() && self.granted > 0 {
                self.hint_at_wildcards();
            }
        }
    }

    /// Some brokers do not send retained messages, or not marked as such, to a filter with wildcards.
    fn hint_at_wildcards(&self) {
        let mut filters = self.subscriptions.iter().map(|(filter, _)| filter.as_str());
        if let Some(filter) = filters.find(|filter| filter.contains(['+', '#'])) {
            self.messages.say(&format!(
                "hint: no retained message came for {filter}; RabbitMQ sends retained messages to exact topics only \
                 (-t TOPIC), and mosca does not mark them as retained"
            ));
        }
    }

    /// Deletes a retained message, if something can be published to its topic.
    fn remove(&mut self, topic: &str, defects: &[Defect]) {
        let Some(removals) = &mut self.removals else { return };
        if defects.iter().any(Defect::is_about_topic) {
            self.rejected += 1;
            let topic = topic.escape_debug();
            return self.messages.say(&format!("cannot delete {topic}: the topic is not valid for PUBLISH"));
        }
        removals.add(topic);
    }

    fn subscription_options(&self, maximum_qos: Qos) -> SubscriptionOptions {
        let retain_handling =
            if self.args.no_retained { RetainHandling::Never } else { self.args.retain_handling };
        SubscriptionOptions {
            maximum_qos,
            no_local: self.args.no_local,
            retain_as_published: self.args.retain_as_published,
            retain_handling,
        }
    }

    /// Shows the awaited filters if there is a screen, which mosquitto_sub does not do.
    fn start_printing(&mut self) {
        let filters: Vec<&str> = self.subscriptions.iter().map(|(filter, _)| filter.as_str()).collect();
        let awaited = match self.messages.names {
            Names::Mq => format!("waiting for {}", filters.join(", ")),
            Names::Mosquitto => String::new(),
        };
        self.printer.start(&awaited, self.sink.buffer());
    }

    /// Whether messages that wait in a kept session stay there. mosquitto_sub receives those that come before SUBACK.
    fn sets_up_session(&self) -> bool {
        self.args.exit_after_subscribe && self.messages.names == Names::Mq
    }

    /// Notes that a packet arrived, or that reading resumed.
    fn note_activity(&mut self) {
        if let Some(idle) = &self.idle {
            idle.note();
        }
        if let Some(until) = &mut self.quiet_until {
            *until = Instant::now() + QUIET;
        }
    }

    /// Ends after everything requested has arrived.
    fn end(&mut self) -> Flow {
        self.is_ending = true;
        if self.removals.is_some() { Flow::Drain } else { Flow::Finish }
    }

    /// Passes a message to the recorder, `--exec` and the output.
    fn hand_out(&mut self, publish: &Publish<'_>) -> Result<(), Error> {
        if let Some(recorder) = &mut self.recorder {
            recorder.add(publish, Timestamp::now())?;
        }
        if let Some(exec) = &mut self.exec {
            exec.add(publish);
        }
        if self.args.prints() {
            self.print(publish);
        }
        Ok(())
    }

    fn print(&mut self, publish: &Publish<'_>) {
        match (&mut self.rate, self.args.random_filter) {
            (Some(rate), _) => rate.count += 1,
            (None, Some(percent)) if fastrand::f64() * 100.0 >= percent => {}
            (None, _) => self.printer.print(publish, self.sink.buffer()),
        }
        for note in self.printer.take_notes() {
            self.messages.say(&note);
        }
    }

    /// Prints the rate every second.
    fn tick(&mut self) {
        let now = Instant::now();
        if let Some(rate) = &mut self.rate
            && now >= rate.next
        {
            let line = format!("{} msgs/s\n", rate.count);
            *rate = Rate { count: 0, next: rate.next.max(now - SECOND) + SECOND };
            self.sink.buffer().extend_from_slice(line.as_bytes());
        }
    }

    fn is_wanted(&self, publish: &Publish<'_>) -> bool {
        let is_left_out = publish.retain && self.args.no_retained;
        !is_left_out && !self.args.filter_out.iter().any(|filter| filter.matches(publish.topic))
    }

    /// Counts an answer; with `-E`, the last one ends the command.
    fn answered(&mut self) -> Flow {
        self.unanswered = self.unanswered.saturating_sub(1);
        let is_done = self.args.exit_after_subscribe && self.unanswered == 0;
        if is_done { Flow::Finish } else { Flow::Continue }
    }

    /// Reports the subscriptions that were rejected, or granted with a lower QoS than requested.
    fn report_reason_codes(&mut self, ack: &SubscriptionAck<'_>) {
        let details = Details::of(ack.properties);
        let requested = self.requested.iter().find(|(packet_id, _)| *packet_id == ack.packet_id);
        let requested =
            requested.and_then(|(_, range)| self.subscriptions.get(range.clone())).unwrap_or_default();
        for ((filter, requested), reason_code) in requested.iter().zip(ack.reason_codes()) {
            if reason_code.is_error() {
                self.rejected += 1;
                let meaning = match self.server {
                    Server::Broker => broker_hint::of_rejected_filter(filter.as_str(), reason_code),
                    Server::Gateway(_) => "",
                };
                let (server, reason) = (self.server, self.server.reason(reason_code));
                self.messages.say(&format!(
                    "{server} rejected the subscription to {filter}: {reason}{details}{meaning}"
                ));
                continue;
            }
            self.granted += 1;
            if reason_code.0 < *requested as u8 {
                let server = self.server;
                let meaning = match server {
                    Server::Broker if *requested == Qos::ExactlyOnce => "; RabbitMQ and NATS have no QoS 2",
                    Server::Broker | Server::Gateway(_) => "",
                };
                self.messages.say(&format!(
                    "{server} granted {filter} QoS {} at most, not the requested QoS {requested}{meaning}",
                    reason_code.0
                ));
            }
        }
    }

    /// Sends all subscriptions, in as many packets as the broker's limits require.
    fn subscribe(&mut self, link: &mut Link<'_, Removal>) -> Result<(), Error> {
        self.requested.clear();
        self.granted = 0;
        let most = self.rules.as_ref().map_or(usize::MAX, Rules::filters_in_subscribe);
        let mut from = 0;
        for part in self.subscriptions.chunks(most) {
            let subscriptions = part.iter().map(|(filter, qos)| Subscription {
                filter: filter.as_str(),
                options: self.subscription_options(*qos),
            });
            let properties = self.subscribe_properties.as_properties();
            let packet_id = link.session.subscribe(subscriptions.collect(), properties, link.output)?;
            let range = from..from + part.len();
            from = range.end;
            self.requested.push((packet_id, range));
        }
        Ok(())
    }
}

impl Application for Subscriber<'_> {
    type Message = Removal;
    type Error = Error;

    fn disconnect_unanswered(&mut self, timeout: Duration) {
        self.messages.disconnect_unanswered(timeout);
    }

    fn connected(&mut self, link: &mut Link<'_, Removal>) -> Result<(), Error> {
        self.trace.share_stdout();
        self.start_printing();
        self.subscribe(link)?;
        self.unsubacks = self.args.unsubscribe.len();
        self.unsubacks_due = (self.unsubacks > 0).then(|| Instant::now() + UNSUBACK_TIMEOUT);
        self.unanswered = self.requested.len() + self.unsubacks;
        for filter in &self.args.unsubscribe {
            let properties = self.unsubscribe_properties.as_properties();
            link.session.unsubscribe(vec![filter.as_str()], properties, link.output)?;
        }
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, Removal>) -> Result<Sending, Error> {
        if self.is_output_closed {
            return Err(Error::Output(io::ErrorKind::BrokenPipe.into()));
        }
        self.tick();
        if self.unsubacks_due.take_if(|due| Instant::now() >= *due).is_some() {
            self.report_missing_unsubacks();
        }
        if let Some(removal) = self.removals.as_mut().and_then(Removals::next) {
            check_taken(self.rules.as_ref(), &removal.as_publish())?;
            let kept = removal.clone();
            return match link.session.publish(&removal.as_publish(), || kept, link.output) {
                Ok(_) => Ok(Sending::Sent),
                Err(source) => Err(Error::Unsendable { topic: removal.topic().to_owned(), source }),
            };
        }
        let is_quiet = self.quiet_until.is_some_and(|until| Instant::now() >= until);
        Ok(if self.is_ending || is_quiet { Sending::Finished } else { Sending::Waiting })
    }

    async fn ready(&mut self) {
        let exec = async {
            match &mut self.exec {
                Some(exec) => exec.progress().await,
                None => pending().await,
            }
        };
        if self.sink.has_unwritten() {
            return tokio::select! {
                () = self.sink.writable() => {}
                () = exec => {}
            };
        }
        let rate = self.rate.as_ref().map(|rate| rate.next);
        let alarm = rate.into_iter().chain(self.quiet_until).chain(self.unsubacks_due).min();
        let alarm = async {
            match alarm {
                Some(time) => sleep_until(time.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.sink.closed() => self.is_output_closed = true,
            () = alarm => {}
            () = exec => {}
        }
    }

    fn message(&mut self, publish: &Publish<'_>, defects: &[Defect]) -> Result<Flow, Error> {
        self.note_activity();
        self.trace.take_until_message(self.sink.buffer());
        if self.sets_up_session() {
            return Ok(Flow::Leave);
        }
        if self.args.retained_only && !publish.retain {
            return Ok(self.end());
        }
        if !self.is_wanted(publish) {
            return Ok(Flow::Continue);
        }
        self.defects.note(publish, defects);
        if publish.retain {
            self.remove(publish.topic, defects);
        }
        self.hand_out(publish)?;
        self.counted += 1;
        let is_enough = self.args.count.is_some_and(|count| self.counted >= count);
        Ok(if is_enough { self.end() } else { Flow::Continue })
    }

    fn published(
        &mut self,
        _: PacketId,
        removal: Removal,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Error> {
        if reason_code.is_error() {
            self.rejected += 1;
            let topic = removal.topic();
            let details = Details::of(properties);
            self.messages.say(&format!("the broker did not delete {topic}: {reason_code}{details}"));
            self.removals.iter_mut().for_each(Removals::failed);
        } else if let Some(removals) = &mut self.removals {
            removals.done();
        }
        Ok(Flow::Continue)
    }

    fn unsendable(&mut self, removal: Removal, error: PublishError) {
        self.rejected += 1;
        self.messages.say(&format!("cannot delete {}: {error}", removal.topic()));
        self.removals.iter_mut().for_each(Removals::failed);
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        self.report_reason_codes(ack);
        self.requested.retain(|(packet_id, _)| *packet_id != ack.packet_id);
        if self.requested.is_empty() && self.granted == 0 {
            return Err(Error::Rejected("no subscription is left".to_owned()));
        }
        if self.args.retained_only && self.messages.names == Names::Mq {
            self.quiet_until = Some(Instant::now() + QUIET);
        }
        Ok(self.answered())
    }

    fn unsubscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        self.unsubacks = self.unsubacks.saturating_sub(1);
        if self.unsubacks == 0 {
            self.unsubacks_due = None;
        }
        for reason_code in ack.reason_codes().filter(|reason_code| reason_code.is_error()) {
            self.rejected += 1;
            let details = Details::of(ack.properties);
            self.messages.say(&format!("the broker rejected the unsubscribe: {reason_code}{details}"));
        }
        Ok(self.answered())
    }

    fn tolerates_delay(&self) -> bool {
        !self.sink.is_terminal()
    }

    fn flush(&mut self) -> Result<bool, Error> {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        // A message is acknowledged once its command runs.
        let has_begun = self.exec.as_ref().is_none_or(Exec::has_begun_all);
        if let Some(idle) = &self.idle {
            idle.hold(!has_begun);
        }
        self.trace.take_all(self.sink.buffer());
        if !self.sink.has_unwritten() {
            return Ok(has_begun);
        }
        let is_all = self.sink.flush().map_err(Error::Output)?;
        self.note_activity();
        Ok(is_all && has_begun)
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
