//! The options of `mq inspect`.

use super::inspect_live::LiveArgs;
use super::inspect_sn::InspectSnArgs;
use super::schema::SchemaArgs;
use super::values;
use crate::cli::Error;
use crate::inspect::filter::{Filter, FilterError, TIME, TimePoint};
use crate::inspect::view::ViewFormat;
use crate::inspect::{Direction, Severity};
use crate::payload::PayloadDecoding;
use crate::payload::schema::MessageTypes;
use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `mq inspect`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5). For captured and typed packets: the version of connections without a CONNECT [default: detected; 311 for a live client]")),
    mut_arg("tls_keylog", |arg| arg.help("File of TLS secrets: read for a capture, appended to for a live connection. A capture's file may still grow [default for a live connection: the variable SSLKEYLOGFILE]")),
    after_help = "\
Reads a capture (pcap or pcapng, also in gzip) from a file or a pipe, and prints every MQTT packet in it with its
problems. MQTT is recognised on any port. Messages of MQTT-SN on UDP are printed as well.

With --listen, runs a proxy between clients and their broker; with -h, runs a client. Both print the packets that pass.
The proxy forwards even if its output is not read, and reports how much it leaves out.

Examples:
  mq inspect capture.pcap             print a line for each packet
  mq inspect --stats capture.pcap     print counts, rates and clients
  mq inspect --diagnose capture.pcap  report what went wrong
  mq inspect --lint capture.pcap      report violations of the specification
  mq inspect --explain MQTT-3.3.1-2   explain a statement of the specification
  mq inspect --base64 wAA=            decode a packet
  mq inspect --hex - < packets.txt    decode a packet from each line
  # Decode a packet from the command line
  mq inspect --hex '10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62'
  # Decode a message of MQTT-SN, and those at an unusual port
  mq inspect --sn --hex '08 04 04 01 00 1e 63 31'
  mq inspect --port 5000=mqtt-sn --predefined topics.txt capture.pcap
  # Decode packets as they are captured
  tcpdump -i lo -U -w - port 1883 | mq inspect
  # Decrypt TLS
  mq inspect --tls-keylog keys.log capture.pcap
  # Select packets by type
  mq inspect --format json capture.pcapng | jq 'select(.type == \"CONNACK\")'
  # Select packets by size, code, round trip, payload and time
  mq inspect --filter 'size>=64KiB or code>=128 or rtt>50ms' --since +5m capture.pcap
  mq inspect --filter 'topic=home/# and payload~temp.*9[0-9] and not retain' capture.pcap
  # Decode payloads in protocol buffers
  mq inspect --schema gateway.proto --type 'gw/+/up=gw.Uplink' capture.pcap
  # Print all connections of a client
  mq inspect --follow sensor-1 capture.pcap
  # Write a page that shows who sent what when, and what went wrong
  mq inspect --html incident.html capture.pcap
  # Print both sides of a connection as a table
  mq inspect --conversation 3 capture.pcap
  # Print the packets between clients at port 1884 and a broker
  mq inspect --listen 1884 --to localhost:1883
  # Report what went wrong between them, every minute
  mq inspect --diagnose=1m --listen 1884 --to localhost:1883
  # The same with TLS on both sides
  mq inspect --listen mqtts://0.0.0.0:8884 --listen-cert a.pem --listen-key a.key --to mqtts://host
  # Subscribe, and print the packets of the connection
  mq inspect -h localhost -t 'home/#' -V 5

Exit status: 0 success, 1 the capture cannot be read or the address is not available, 2 usage, 4 --lint found errors,
130 and 143 interrupted. A live client has those of mq sub as well.")]
pub(crate) struct InspectArgs {
    /// Capture file; `-` is standard input, which is also the default unless it is a terminal
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Decode packets in hexadecimal; `-` reads a packet from each line of standard input. The prefix `c2s:` or
    /// `s2c:` gives the direction
    #[arg(long, value_name = "BYTES", conflicts_with = "file", allow_hyphen_values = true)]
    pub hex: Option<String>,
    /// Decode packets in Base64; `-` reads a packet from each line of standard input, as with --hex
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["file", "hex"], allow_hyphen_values = true)]
    pub base64: Option<String>,
    /// Direction of the packets of --hex and --base64 [default: inferred from the packets]
    #[arg(long, value_name = "c2s|s2c", value_parser = direction)]
    pub direction: Option<Direction>,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ViewFormat::Line)]
    pub format: ViewFormat,
    /// Check against the specification, and report findings of at least this severity
    #[arg(
        long,
        value_name = "LEVEL",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "warn"
    )]
    pub lint: Option<Level>,
    /// List all rules of --lint
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["file", "hex", "base64", "lint"])]
    pub rules: bool,
    /// List the rules for a statement, such as MQTT-3.3.1-2
    #[arg(long, value_name = "STATEMENT", conflicts_with_all = ["file", "hex", "base64", "lint", "rules"])]
    pub explain: Option<String>,
    /// Format to decode payloads as
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PayloadDecoding::Auto)]
    pub payload: PayloadDecoding,
    #[command(flatten)]
    pub(crate) schema: SchemaArgs,
    /// Print only packets that meet the expression, such as 'type=PUBLISH,PUBACK topic=home/#' or
    /// 'size>=1024 and not (qos=0 or payload~error)'. Repeat to print others as well. Keys are type, topic, client,
    /// payload, connection, frame, id, qos, dup, retain, code, size, payload_length, rtt, time, direction and finding
    #[arg(long, value_name = "EXPRESSION", value_parser = filter)]
    pub filter: Vec<Filter>,
    /// Print only packets and events from this time on: +5m from the first packet, 10:15:00, 2026-11-28T10:15:00Z, or
    /// seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time_point)]
    pub since: Option<TimePoint>,
    /// Print only packets and events up to this time
    #[arg(long, value_name = "TIME", value_parser = time_point)]
    pub until: Option<TimePoint>,
    /// Print only the connections of this client identifier, in which `*` matches any text. Repeat for more clients
    #[arg(long, value_name = "CLIENT")]
    pub follow: Vec<String>,
    /// Print this connection as a table of both sides, cut to the width of the terminal. Connections are counted from 0,
    /// and each line has the number. With another --format, print the packets in it
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["diagnose", "hex", "base64"])]
    pub conversation: Option<u32>,
    /// Print counts and times, in total and for each connection; with --format json as JSON
    #[arg(long, action = ArgAction::SetTrue)]
    pub stats: bool,
    /// Report problems, the likeliest causes first: the side that closed a connection, clients that disconnect each other
    /// or are silent, refusals, denied topics, missing and slow answers. With INTERVAL, live traffic is reported again
    /// and again. --follow, --since and --until select a part; with --format json as JSON
    #[arg(
        long,
        value_name = "INTERVAL",
        num_args = 0..=1,
        require_equals = true,
        value_parser = values::positive_duration,
        conflicts_with_all = ["stats", "lint", "filter", "ranges", "hex", "base64"]
    )]
    pub diagnose: Option<Option<Duration>>,
    /// Write a page with a picture of the packets and a diagnosis to this file, instead of the lines; - is standard
    /// output. The page needs no other file and no network. --filter, --follow, --since and --until select the packets
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["ranges", "conversation", "hex", "base64"]
    )]
    pub html: Option<PathBuf>,
    /// Include every field and the position of its bytes, with --format json
    #[arg(long, action = ArgAction::SetTrue)]
    pub ranges: bool,
    /// Show passwords and authentication data
    #[arg(long, action = ArgAction::SetTrue)]
    pub show_secrets: bool,
    #[command(flatten)]
    pub(crate) sn: InspectSnArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

impl InspectArgs {
    /// The message types, if payloads are decoded: counts and reports show none.
    ///
    /// # Errors
    /// If the schema cannot be read, or lacks a type.
    pub(crate) fn types(&self) -> Result<Option<&'static MessageTypes>, Error> {
        let shows_payloads = self.html.is_some() || !(self.stats || self.diagnose.is_some());
        if shows_payloads || self.schema.is_typed() { self.schema.types_for(self.payload) } else { Ok(None) }
    }

    /// Whether a part of the packets is selected.
    pub(crate) fn is_selective(&self) -> bool {
        !self.filter.is_empty()
            || !self.follow.is_empty()
            || self.since.is_some()
            || self.until.is_some()
            || self.conversation.is_some()
    }

    /// Rejects a capture or typed packets together with a live client, which prints only its own packets.
    ///
    /// # Errors
    /// The conflicting option.
    pub(crate) fn check_no_capture(&self) -> Result<(), Error> {
        let other = match (&self.file, &self.hex, &self.base64) {
            (Some(file), ..) => file.display().to_string(),
            (None, Some(_), _) => "--hex".to_owned(),
            (None, None, Some(_)) => "--base64".to_owned(),
            (None, None, None) => return Ok(()),
        };
        Err(Error::usage(format!("-h runs a live client, and cannot be used with {other}; leave one out")))
    }
}

impl ValueEnum for ViewFormat {
    fn value_variants<'a>() -> &'a [ViewFormat] {
        &ViewFormat::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = self.name();
        Some(PossibleValue::new(name).help(help))
    }
}

/// Minimum severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Violations of a statement
    Error,
    /// Likely problems as well
    Warn,
    /// Notes as well
    Info,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Severity {
        match level {
            Level::Error => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Info => Severity::Info,
        }
    }
}

impl ValueEnum for PayloadDecoding {
    fn value_variants<'a>() -> &'a [PayloadDecoding] {
        &PayloadDecoding::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = self.name();
        Some(PossibleValue::new(name).help(help))
    }
}

fn filter(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(text)
}

fn time_point(text: &str) -> Result<TimePoint, String> {
    TimePoint::parse(text).ok_or_else(|| values::expected(TIME))
}

fn direction(text: &str) -> Result<Direction, String> {
    Direction::BOTH
        .into_iter()
        .find(|direction| direction.name() == text)
        .ok_or_else(|| values::expected("c2s (from client to server) or s2c (from server to client)"))
}
