//! The options of `mq inspect`.

use super::inspect_live::LiveArgs;
use crate::error::Error;
use crate::inspect::filter::{Filter, FilterError};
use crate::inspect::{Direction, Severity};
use crate::payload;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What `mq inspect` takes.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("version", |arg| arg.help("The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5); of a capture or of typed packets, what a connection speaks whose CONNECT is not there [default: found out; 311 for a live client]")),
    mut_arg("tls_keylog", |arg| arg.help("The secrets of TLS: for a capture they are read from this file, which may still grow; a live connection's are added to it [default for a live connection: the variable SSLKEYLOGFILE]")),
    after_help = "\
Reads a capture (pcap or pcapng, also in gzip) from a file or a pipe, and prints every MQTT packet in it, with what is wrong. MQTT is \
recognised on any port.

With --listen it is a proxy between clients and their broker, and with -h a client of its own, and shows what passes. The proxy forwards \
whether or not the output is taken: what has to be left out is told.

Examples:
  mq inspect capture.pcap                      a line for each packet
  tcpdump -i lo -U -w - port 1883 | mq inspect   as they come
  mq inspect --format json capture.pcapng | jq 'select(.type == \"CONNACK\")'
  mq inspect --tls-keylog keys.log capture.pcap   what TLS hides
  mq inspect --stats capture.pcap              how much, how fast, by whom
  mq inspect --hex '10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62'
  mq inspect --hex - < packets.txt             a packet on each line
  mq inspect --base64 wAA=
  mq inspect --lint capture.pcap               also what breaks the specification, with the statement that says so
  mq inspect --explain MQTT-3.3.1-2            what a statement is about
  mq inspect --listen 1884 --to localhost:1883   what clients of port 1884 say to the broker
  mq inspect --listen mqtts://0.0.0.0:8884 --listen-cert a.pem --listen-key a.key --to mqtts://host
  mq inspect -h localhost -t 'home/#' -V 5       a client of its own, packet by packet

Exit status: 0 done, 1 the capture cannot be read or nobody can listen there, 2 usage, 4 --lint found errors; of the client as of mq \
sub; 130 and 143 interrupted.")]
pub struct InspectArgs {
    /// The capture; `-` is standard input, and so is nothing at all unless that is a terminal
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Packets in hexadecimal instead of a capture; `-` reads a packet from each line of standard input, with `c2s:` or `s2c:` in
    /// front where it matters who sent it
    #[arg(long, value_name = "BYTES", conflicts_with = "file", allow_hyphen_values = true)]
    pub hex: Option<String>,
    /// Packets in Base64 instead of a capture; `-` reads a packet from each line of standard input, as with --hex
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["file", "hex"], allow_hyphen_values = true)]
    pub base64: Option<String>,
    /// Who sent the packets of --hex and --base64; without it, whoever sends such packets
    #[arg(long, value_name = "c2s|s2c", value_parser = direction)]
    pub direction: Option<Direction>,
    /// How packets are shown
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Line)]
    pub format: Format,
    /// Judge what is said by the statements of the specification, and show what is at least so bad
    #[arg(
        long,
        value_name = "LEVEL",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "warn"
    )]
    pub lint: Option<Level>,
    /// Print all rules that --lint knows
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["file", "hex", "base64", "lint"])]
    pub rules: bool,
    /// Print the rules that stand for a statement, such as MQTT-3.3.1-2
    #[arg(long, value_name = "STATEMENT", conflicts_with_all = ["file", "hex", "base64", "lint", "rules"])]
    pub explain: Option<String>,
    /// Decode payloads as this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Payload::Auto)]
    pub payload: Payload,
    /// Only packets that meet all these terms, such as 'type=PUBLISH,PUBACK topic=home/#'; again, to show others as well. Terms are type,
    /// topic, client, connection, id, qos, code and finding; `!` in front turns one round
    #[arg(long, value_name = "TERMS", value_parser = filter)]
    pub filter: Vec<Filter>,
    /// Counts and times of all and of each connection, instead of packets; with --format json as JSON
    #[arg(long, action = ArgAction::SetTrue)]
    pub stats: bool,
    /// Every field with the place of its bytes, with --format json
    #[arg(long, action = ArgAction::SetTrue)]
    pub ranges: bool,
    /// Show passwords and authentication data
    #[arg(long, action = ArgAction::SetTrue)]
    pub show_secrets: bool,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

impl InspectArgs {
    /// A client shows its own packets, and no others.
    ///
    /// # Errors
    /// What was named besides.
    pub fn check_no_capture(&self) -> Result<(), Error> {
        let other = match (&self.file, &self.hex, &self.base64) {
            (Some(file), ..) => file.display().to_string(),
            (None, Some(_), _) => "--hex".to_owned(),
            (None, None, Some(_)) => "--base64".to_owned(),
            (None, None, None) => return Ok(()),
        };
        Err(Error::Usage(format!(
            "-h is for a client of its own, which does not go with {other}; leave one out"
        )))
    }
}

/// How packets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line for each packet
    Line,
    /// Every field on a line of its own
    Text,
    /// All bytes, beside the fields that own them
    Hex,
    /// A JSON object on each line
    Json,
}

/// How bad a finding has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Only what breaks a statement
    Error,
    /// Also what asks for trouble
    Warn,
    /// Also what is worth knowing
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

/// The format that payloads are decoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Payload {
    /// By content type, topic and shape
    Auto,
    /// Text where it is some, and else bytes
    Text,
    /// Bytes
    Hex,
    /// JSON
    Json,
    /// CBOR
    Cbor,
    /// MessagePack
    Msgpack,
    /// CBOR items without an array around them
    CborSeq,
    /// Sparkplug B
    Sparkplug,
    /// Protocol buffers, as fields by number
    Protobuf,
    /// Compressed with gzip
    Gzip,
    /// Compressed with zlib
    Zlib,
    /// Compressed with deflate, without a header
    Deflate,
    /// Compressed with Zstandard
    Zstd,
    /// Compressed with LZ4, in frames
    Lz4,
    /// Compressed with Snappy, in frames or one block
    Snappy,
}

impl From<Payload> for payload::Choice {
    fn from(payload: Payload) -> payload::Choice {
        use payload::{Choice, Format};
        match payload {
            Payload::Auto => Choice::Auto,
            Payload::Text => Choice::Text,
            Payload::Hex => Choice::Hex,
            Payload::Json => Choice::As(Format::Json),
            Payload::Cbor => Choice::As(Format::Cbor),
            Payload::Msgpack => Choice::As(Format::MessagePack),
            Payload::CborSeq => Choice::As(Format::CborSequence),
            Payload::Sparkplug => Choice::As(Format::Sparkplug),
            Payload::Protobuf => Choice::As(Format::Protobuf),
            Payload::Gzip => Choice::As(Format::Gzip),
            Payload::Zlib => Choice::As(Format::Zlib),
            Payload::Deflate => Choice::As(Format::Deflate),
            Payload::Zstd => Choice::As(Format::Zstd),
            Payload::Lz4 => Choice::As(Format::Lz4),
            Payload::Snappy => Choice::As(Format::Snappy),
        }
    }
}

fn filter(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(text)
}

fn direction(text: &str) -> Result<Direction, String> {
    Direction::BOTH
        .into_iter()
        .find(|direction| direction.name() == text)
        .ok_or_else(|| "c2s is from the client to the server, s2c the other way".to_owned())
}
