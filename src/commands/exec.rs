//! `mq sub --exec`: runs a command for each message, a bounded number of them at a time.
//!
//! Untrusted data reaches the command on its standard input and in its environment, never on a command line.

use super::Messages;
use crate::message;
use crate::protocol::{PropertyId, PropertyValue, Publish};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// The properties passed to commands, and their environment variables.
const VARIABLES: [(&str, PropertyId); 6] = [
    ("MQTT_PAYLOAD_FORMAT_INDICATOR", PropertyId::PayloadFormatIndicator),
    ("MQTT_MESSAGE_EXPIRY_INTERVAL", PropertyId::MessageExpiryInterval),
    ("MQTT_CONTENT_TYPE", PropertyId::ContentType),
    ("MQTT_RESPONSE_TOPIC", PropertyId::ResponseTopic),
    ("MQTT_CORRELATION_DATA", PropertyId::CorrelationData),
    ("MQTT_SUBSCRIPTION_IDENTIFIER", PropertyId::SubscriptionIdentifier),
];

/// Holds all user properties, as a JSON list of names and values.
const USER_PROPERTIES: &str = "MQTT_USER_PROPERTIES";

/// Running commands, and messages that wait for one.
#[derive(Debug)]
pub(super) struct Exec {
    command: OsString,
    /// The maximum of concurrent commands.
    jobs: usize,
    waiting: VecDeque<Job>,
    running: JoinSet<JobResult>,
    messages: Messages,
    ended: u64,
    failed: u64,
}

/// A message for a command.
#[derive(Debug)]
struct Job {
    topic: String,
    payload: Vec<u8>,
    /// Environment variables; those without a value are removed.
    environment: Vec<(&'static str, Option<OsString>)>,
}

/// How a command ended.
#[derive(Debug)]
struct JobResult {
    topic: String,
    result: io::Result<ExitStatus>,
}

impl Exec {
    /// Runs this command in a shell, up to `jobs` at a time.
    pub(super) fn new(command: &OsStr, jobs: usize, messages: Messages) -> Exec {
        Exec {
            command: command.to_owned(),
            jobs,
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            messages,
            ended: 0,
            failed: 0,
        }
    }

    /// Queues a message; its command starts as soon as a job is free.
    pub(super) fn add(&mut self, publish: &Publish<'_>) {
        self.waiting.push_back(Job::new(publish));
        self.begin();
    }

    /// Whether the commands of all messages have started.
    pub(super) fn has_begun_all(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until a command ends, reports its failure and starts the next one. Cancel safe.
    pub(super) async fn progress(&mut self) {
        let Some(ended) = self.running.join_next().await else {
            return pending().await;
        };
        self.ended += 1;
        // Our tasks neither panic nor are they aborted.
        if let Ok(JobResult { topic, result }) = ended {
            self.judge(&topic, result);
        }
        self.begin();
    }

    /// Waits for the running commands and returns the number of failures in all. Reports the messages that are left without a
    /// command.
    pub(super) async fn finish(&mut self) -> u64 {
        let left = std::mem::take(&mut self.waiting).len();
        if left > 0 {
            let messages = if left == 1 { "message".to_owned() } else { format!("{left} messages") };
            self.messages.say(&format!("--exec was not run for the last {messages}"));
        }
        self.end().await
    }

    /// Waits until the commands of all messages have ended; returns the number of failures in all.
    pub(super) async fn end(&mut self) -> u64 {
        while !self.running.is_empty() {
            self.progress().await;
        }
        if self.failed > 0 {
            self.messages.say(&format!("--exec: {} of {} commands failed", self.failed, self.ended));
        }
        self.failed
    }

    fn begin(&mut self) {
        while self.running.len() < self.jobs {
            let Some(job) = self.waiting.pop_front() else { return };
            self.running.spawn(job.run(self.command.clone()));
        }
    }

    fn judge(&mut self, topic: &str, result: io::Result<ExitStatus>) {
        let problem = match result {
            Ok(status) if status.success() => return,
            Ok(status) => status.to_string(),
            Err(error) => format!("cannot start it: {error}"),
        };
        self.failed += 1;
        self.messages.say(&format!("--exec for a message to {topic}: {problem}"));
    }
}

impl Job {
    fn new(publish: &Publish<'_>) -> Job {
        let number = |value: u8| Some(OsString::from(value.to_string()));
        let mut environment = vec![
            ("MQTT_TOPIC", Some(publish.topic.into())),
            ("MQTT_QOS", number(publish.qos as u8)),
            ("MQTT_RETAIN", number(publish.retain.into())),
            ("MQTT_DUP", number(publish.dup.into())),
            ("MQTT_TIME", Some(message::rfc_3339(Timestamp::now()).into())),
        ];
        let property = |id| publish.properties.find(id).map(variable);
        environment.extend(VARIABLES.map(|(name, id)| (name, property(id))));
        environment.push((USER_PROPERTIES, user_properties(publish)));
        Job { topic: publish.topic.to_owned(), payload: publish.payload.to_vec(), environment }
    }

    async fn run(self, command: OsString) -> JobResult {
        let Job { topic, payload, environment } = self;
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped());
        for (name, value) in environment {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let result = match shell.spawn() {
            Ok(child) => feed(child, &payload).await,
            Err(error) => Err(error),
        };
        JobResult { topic, result }
    }
}

/// Writes the payload to a command that may read it, and waits for its end.
async fn feed(mut child: Child, payload: &[u8]) -> io::Result<ExitStatus> {
    let mut stdin = child.stdin.take();
    let write = async {
        if let Some(stdin) = &mut stdin {
            // The command need not read its input.
            let _ = stdin.write_all(payload).await;
        }
    };
    tokio::select! {
        biased;
        // The command ended; a child process of it may still hold the pipe to its standard input.
        status = child.wait() => return status,
        () = write => {}
    }
    drop(stdin);
    child.wait().await
}

fn variable(value: PropertyValue<'_>) -> OsString {
    match value {
        PropertyValue::Number(number) => number.to_string().into(),
        PropertyValue::Text(text) => text.into(),
        PropertyValue::Binary(bytes) => {
            let mut digits = Vec::new();
            message::push_hex(bytes, &mut digits);
            String::from_utf8_lossy(&digits).into_owned().into()
        }
        PropertyValue::Pair(..) => OsString::new(),
    }
}

fn user_properties(publish: &Publish<'_>) -> Option<OsString> {
    let pairs = publish.properties.iter().filter_map(|property| match property.value {
        PropertyValue::Pair(name, value) => Some([name, value]),
        _ => None,
    });
    let pairs: Vec<[&str; 2]> = pairs.collect();
    if pairs.is_empty() { None } else { serde_json::to_string(&pairs).ok().map(OsString::from) }
}
