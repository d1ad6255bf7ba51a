//! `mq doctor`: a broker's properties and limits.
//!
//! Each version of MQTT is tried on its own connection. The first accepted one is used for all other checks; if the broker
//! closes it during a check, as some do for a forbidden request, a new one is opened.

mod check;
mod json;
mod probe;
pub(super) mod probe_connection;
mod report;
mod text;

use super::shutdown::{Limits, Stop, stop};
use super::trace::Trace;
use super::{Messages, block_on, limits, password};
use crate::cli::doctor::{Candidate, DoctorArgs};
use crate::client::{self, DISCONNECT_TIMEOUT, Options};
use crate::commands::error::{Error, ExitStatus};
use crate::output::Sink;
use crate::protocol::{Connack, Disconnect, Qos, ReasonCode, Version};
use crate::transport::{self, Address, ConnectStep, Connection, Endpoint, Layer, Stream, Tap, Tls};
use check::{Check, CheckResult, CheckRunner, Verdict};
use probe::Probe;
use probe_connection::ProbeConnection;
use report::{BrokerVersion, Examination, ProxyRoute, Report, VersionResult};
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The number of round-trip measurements.
const ROUND_TRIPS: usize = 10;

pub(super) fn run(args: &DoctorArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let mut candidates = args.candidates(messages.names)?;
    let mut doctor = Doctor::new(args, messages)?;
    block_on(async {
        complete_passwords(args, &mut candidates).await?;
        let mut stop = pin!(stop(messages, Limits { timeout: args.timeout, idle: None })?);
        let ended = tokio::select! {
            biased;
            reason = stop.as_mut() => ExaminationEnd::Stopped(reason),
            result = doctor.examine(candidates) => ExaminationEnd::Finished(result),
        };
        match ended {
            ExaminationEnd::Finished(result) => {
                let mut sink = doctor.print_report()?;
                tokio::select! {
                    drained = sink.drain() => drained.map_err(Error::Output)?,
                    _ = stop => {}
                }
                result
            }
            ExaminationEnd::Stopped(reason) => {
                doctor.leave().await;
                // Signals are no longer handled, so do not wait for a slow reader.
                doctor.print_report()?.flush().map_err(Error::Output)?;
                messages.stopped(reason, doctor.report.is_connected())
            }
        }
    })
}

/// How the examination ended.
enum ExaminationEnd {
    Finished(Result<ExitStatus, Error>),
    Stopped(Stop),
}

/// Prompts for passwords once, for all versions.
async fn complete_passwords(args: &DoctorArgs, candidates: &mut [Candidate]) -> Result<(), Error> {
    let connection = &args.client.connection;
    if !connection.ask_password {
        return Ok(());
    }
    let mut password_asked = None;
    password::complete(connection, &mut password_asked).await?;
    for options in candidates.iter_mut().filter_map(|(_, options)| options.as_mut().ok()) {
        options.password.clone_from(&password_asked);
    }
    Ok(())
}

struct Doctor<'a> {
    args: &'a DoctorArgs,
    messages: Messages,
    /// The unique topic of this run.
    topic: String,
    report: Report,
    /// The connection for the checks, and its client.
    line: Option<ProbeConnection>,
    options: Option<Options>,
    /// Shows the packets of the connections; `None` before the first one.
    trace: Option<Trace>,
    left: RetainedLeftover,
}

/// Whether a retained message was left on the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RetainedLeftover {
    Nothing,
    /// One was sent, and its deletion is uncertain.
    Perhaps,
    Message,
}

impl<'a> Doctor<'a> {
    fn new(args: &'a DoctorArgs, messages: Messages) -> Result<Doctor<'a>, Error> {
        Ok(Doctor {
            args,
            messages,
            topic: args.random_topic()?,
            report: Report { time: jiff::Timestamp::now().as_second(), ..Report::default() },
            line: None,
            options: None,
            trace: None,
            left: RetainedLeftover::Nothing,
        })
    }

    /// Tries all versions. Stops at the first one if the broker is unreachable.
    async fn examine(&mut self, candidates: Vec<Candidate>) -> Result<ExitStatus, Error> {
        let mut refusals = Vec::new();
        for (version, options) in candidates {
            let outcome = match options {
                Err(error) => VersionResult::NotTried(error.to_string()),
                Ok(options) => match self.meet(&options).await {
                    Ok(()) => VersionResult::Accepted,
                    Err(error) if is_unreachable(&error) && self.report.versions.is_empty() => {
                        return Err(error);
                    }
                    Err(error) => {
                        let is_closed = matches!(&error, Error::Client(error) if error.is_silent());
                        self.report.is_closed_early |= is_closed && options.endpoint.preface.is_none();
                        let outcome = VersionResult::of_failure(&error);
                        refusals.push(error);
                        outcome
                    }
                },
            };
            self.note(version, outcome);
        }
        self.report.is_complete = true;
        if self.report.is_connected() { Ok(ExitStatus::DONE) } else { Err(most_telling(refusals)) }
    }

    /// Adds the outcome of a version, unless the checks already added one.
    fn note(&mut self, version: Version, outcome: VersionResult) {
        if !self.report.versions.iter().any(|(noted, _)| *noted == version) {
            self.report.versions.push((version, outcome));
        }
    }

    /// Connects with a version, and runs the checks if it is the first accepted one.
    async fn meet(&mut self, options: &Options) -> Result<(), Error> {
        let (line, found) = self.connect(options).await?;
        self.line = Some(line);
        self.options = Some(options.clone());
        self.note(options.version, VersionResult::Accepted);
        if self.report.examined.is_none() {
            self.report.examined = Some(found);
            self.find_out(options.version).await;
        }
        self.disconnect().await;
        Ok(())
    }

    /// Makes a connection, and records its properties.
    async fn connect(&mut self, options: &Options) -> Result<(ProbeConnection, Examination), Error> {
        let mut clock = Stopwatch(Instant::now());
        let (mut layers, mut target) = (Vec::new(), None);
        let print_report = |step: ConnectStep<'_>| match step {
            ConnectStep::Tunnel(asked_for) => target = Some(asked_for.to_owned()),
            ConnectStep::Laid(layer) => layers.push((layer, clock.take())),
        };
        let stream = transport::connect_observed(&options.endpoint, print_report)
            .await
            .map_err(client::Error::Connect)?;
        self.note_place(&options.endpoint, &stream, &layers, target);
        let tap = self.tap(options, &stream);
        let mut connack_limits = Vec::new();
        let read = |connack: &Connack<'_>| {
            if options.version.is_v5() {
                connack_limits = limits::of(connack, &options.client_id);
            }
        };
        let connected = client::handshake(options, Connection::watched(stream, tap), read).await?;
        let found = Examination {
            version: options.version,
            layers,
            connack: clock.take(),
            limits: connack_limits,
            broker_version: BrokerVersion::NotAsked,
            checks: Vec::new(),
            round_trips: Vec::new(),
            second_acknowledgement: None,
        };
        Ok((ProbeConnection::new(connected, options.version, &self.topic, self.args.check_timeout), found))
    }

    /// All connections count as those of one client.
    fn tap(&mut self, options: &Options, stream: &Stream) -> Option<Box<dyn Tap>> {
        let trace =
            self.trace.get_or_insert_with(|| Trace::new(self.args.diagnostics.debug, options, self.messages));
        trace.speak(options.version);
        trace.open(stream)
    }

    fn note_place(
        &mut self,
        endpoint: &Endpoint,
        stream: &Stream,
        layers: &[(Layer, Duration)],
        target: Option<String>,
    ) {
        if !self.report.transport.is_empty() {
            return;
        }
        let socket = if matches!(endpoint.address, Address::Unix(_)) { "unix" } else { "tcp" };
        let name = |(layer, _): &(Layer, _)| match layer {
            Layer::Socket => socket,
            Layer::Tls | Layer::WebSocket => report::layer_name(*layer),
        };
        self.report.address = endpoint.address.to_string();
        let peer = stream.peer_address().map(|address| address.to_string());
        // With a proxy, the socket's peer is the proxy.
        match (&endpoint.proxy, target) {
            (Some(proxy), Some(target)) => {
                self.report.via = Some(ProxyRoute { proxy: proxy.to_string(), peer, target });
            }
            _ => self.report.peer = peer,
        }
        self.report.transport = layers.iter().map(name).collect();
        self.report.tls = stream.agreement();
        self.report.verified = endpoint.tls.as_ref().and_then(Tls::verified);
    }

    /// Runs the checks and measures the round trip.
    async fn find_out(&mut self, version: Version) {
        for check in Check::all(version) {
            let finding = match check {
                Check::Retained => self.try_to_retain().await,
                Check::RetainedWildcard => self.try_retained_by_wildcard().await,
                _ => self.try_out(check).await,
            };
            if let Some(examined) = &mut self.report.examined {
                examined.checks.push((check, finding));
            }
        }
        let publishes_at_qos_1 = self.verdict_of(Check::Publish(Qos::AtLeastOnce)) == Some(Verdict::Yes);
        let topic = self.topic.clone();
        if let Some(line) = self.line().await {
            // In this order, since some brokers close the connection if $SYS is forbidden.
            let trips = round_trips(line).await;
            let second_acknowledgement = match publishes_at_qos_1 {
                true => check::second_acknowledgement(line, &topic).await.ok().flatten(),
                false => None,
            };
            let says = match check::broker_version(line).await {
                Ok(Some(version)) => BrokerVersion::Known(version),
                Ok(None) | Err(_) => BrokerVersion::Unreadable,
            };
            if let Some(examined) = &mut self.report.examined {
                examined.broker_version = says;
                examined.round_trips = trips;
                examined.second_acknowledgement = second_acknowledgement;
            }
        }
    }

    async fn try_out(&mut self, check: Check) -> CheckResult {
        let (topic, is_delivered) = (self.topic.clone(), self.has_delivered());
        let Some(line) = self.line().await else {
            return CheckResult::new(Verdict::Unknown, "not tried: the broker no longer answers");
        };
        let result = CheckRunner { line, topic: &topic, is_delivered }.run(check).await;
        let finding = match result {
            Ok(finding) => finding,
            Err(error) => {
                self.line = None;
                CheckResult::of_failure(&error)
            }
        };
        if finding.verdict != Verdict::Yes {
            self.check_connection().await;
        }
        finding
    }

    async fn try_to_retain(&mut self) -> CheckResult {
        if self.line().await.is_some() {
            self.left = RetainedLeftover::Perhaps;
        }
        self.try_out(Check::Retained).await
    }

    /// Needs the message of the previous check, which is deleted afterwards in any case.
    async fn try_retained_by_wildcard(&mut self) -> CheckResult {
        let finding = match self.verdict_of(Check::Retained) {
            Some(Verdict::Yes) => self.try_out(Check::RetainedWildcard).await,
            _ => CheckResult::new(Verdict::Unknown, "not tried: the broker did not retain a message"),
        };
        if self.left != RetainedLeftover::Nothing {
            self.delete_retained().await;
        }
        finding
    }

    /// The connection for checks, reopened if the last check broke it.
    async fn line(&mut self) -> Option<&mut ProbeConnection> {
        if self.line.is_none()
            && let Some(options) = self.options.clone()
        {
            match self.connect(&options).await {
                Ok((line, _)) => self.line = Some(line),
                // It accepted one connection; the reason for refusing another shows at the next version.
                Err(_) => self.options = None,
            }
        }
        self.line.as_mut()
    }

    /// Detects a connection that ends late because of the last check, which must not fail the next one. If the broker does not
    /// even answer PINGREQ, the checks end.
    async fn check_connection(&mut self) {
        let Some(line) = &mut self.line else { return };
        line.begin();
        match line.ping().await {
            Ok(Some(_)) => {}
            Ok(None) => (self.line, self.options) = (None, None),
            Err(_) => self.line = None,
        }
    }

    async fn delete_retained(&mut self) {
        let topic = self.topic.clone();
        let Some(line) = self.line().await else { return };
        match check::delete_retained(line, &topic).await {
            Ok(true) => self.left = RetainedLeftover::Nothing,
            Ok(false) => self.look_for_retained().await,
            Err(_) => {
                self.line = None;
                self.look_for_retained().await;
            }
        }
    }

    /// A broker that closes the connection at each message with RETAIN stores none, and deletes none either. If messages come
    /// back, a new subscription shows whether one is left; otherwise its absence proves nothing.
    async fn look_for_retained(&mut self) {
        if !self.has_delivered() {
            return;
        }
        // On the old connection, messages sent before the deletion may still be in transit.
        self.disconnect().await;
        let topic = self.topic.clone();
        let Some(line) = self.line().await else { return };
        match check::is_retained(line, &topic).await {
            Ok(Some(is_there)) => {
                self.left = if is_there { RetainedLeftover::Message } else { RetainedLeftover::Nothing }
            }
            Ok(None) => {}
            Err(_) => self.line = None,
        }
    }

    fn has_delivered(&self) -> bool {
        self.verdict_of(Check::Publish(Qos::AtMostOnce)) == Some(Verdict::Yes)
    }

    fn verdict_of(&self, check: Check) -> Option<Verdict> {
        let checks = &self.report.examined.as_ref()?.checks;
        checks.iter().find(|(made, _)| *made == check).map(|(_, finding)| finding.verdict)
    }

    async fn disconnect(&mut self) {
        if let (Some(line), Some(options)) = (self.line.take(), &self.options) {
            let properties = options.disconnect_properties.as_properties();
            line.leave(&Disconnect { reason_code: ReasonCode::SUCCESS, properties }).await;
        }
    }

    /// Cleans up after an interruption.
    async fn leave(&mut self) {
        if self.left != RetainedLeftover::Nothing {
            // At the timeout, the message that is left is reported.
            let _ = timeout(DISCONNECT_TIMEOUT, self.delete_retained()).await;
        }
        self.disconnect().await;
    }

    /// Prints the report, and warns of messages that may be left on the broker.
    fn print_report(&self) -> Result<Sink, Error> {
        let mut sink = Sink::stdout().map_err(Error::Output)?;
        let probe = Probe::retained(&self.topic);
        let topic = probe.topic();
        let deletion = format!("{topic}; `mq pub -t {topic} -r -n` deletes it");
        match self.left {
            RetainedLeftover::Nothing => {}
            RetainedLeftover::Perhaps => {
                self.messages.say(&format!("a retained message may be left on {deletion}"));
            }
            RetainedLeftover::Message => {
                self.messages.say(&format!("a retained message is left on {deletion}"));
            }
        }
        if self.report.versions.is_empty() {
            return Ok(sink);
        }
        let report = &self.report;
        let bytes = if self.args.json { json::write(report) } else { text::write(report).into_bytes() };
        sink.buffer().extend(bytes);
        Ok(sink)
    }
}

/// Measures the time since the last call.
struct Stopwatch(Instant);

impl Stopwatch {
    fn take(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}

impl VersionResult {
    fn of_failure(error: &Error) -> VersionResult {
        match error {
            Error::Client(client::Error::Refused { reason, code, details, .. }) => VersionResult::Refused {
                why: format!("{code}{details}"),
                reason_code: Some(*reason),
                return_code: code.return_code(),
            },
            other => VersionResult::Refused { why: other.to_string(), reason_code: None, return_code: None },
        }
    }
}

/// Whether every other version would fail as well.
fn is_unreachable(error: &Error) -> bool {
    matches!(error, Error::Client(client::Error::Connect(_) | client::Error::NotMqtt(_)))
}

/// The most useful of several refusals: one about the client rather than about a version, if there is one.
fn most_telling(mut refusals: Vec<Error>) -> Error {
    let is_of_version = |error: &Error| {
        matches!(
            error,
            Error::Client(client::Error::Refused { reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, .. })
        )
    };
    let position = refusals.iter().position(|error| !is_of_version(error)).unwrap_or(0);
    match position < refusals.len() {
        true => refusals.swap_remove(position),
        false => Error::usage("no version of MQTT supports these options"),
    }
}

/// The answered round trips, the shortest first.
async fn round_trips(line: &mut ProbeConnection) -> Vec<Duration> {
    let mut trips = Vec::new();
    line.begin();
    while trips.len() < ROUND_TRIPS {
        match line.ping().await {
            Ok(Some(trip)) => trips.push(trip),
            Ok(None) | Err(_) => break,
        }
    }
    trips.sort_unstable();
    trips
}
