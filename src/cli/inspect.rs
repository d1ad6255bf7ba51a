//! The options of `mq inspect`.

use super::values;
use crate::inspect::Direction;
use crate::inspect::filter::{Filter, FilterError};
use crate::payload;
use crate::protocol::Version;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What `mq inspect` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads a capture (pcap or pcapng, also in gzip) from a file or a pipe, and prints every MQTT packet in it, with what is wrong. MQTT is \
recognised on any port.

Examples:
  mq inspect capture.pcap                      a line for each packet
  tcpdump -i lo -U -w - port 1883 | mq inspect   as they come
  mq inspect --format json capture.pcapng | jq 'select(.type == \"CONNACK\")'
  mq inspect --tls-keylog keys.log capture.pcap   what TLS hides
  mq inspect --stats capture.pcap              how much, how fast, by whom
  mq inspect --hex '10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62'
  mq inspect --hex - < packets.txt             a packet on each line
  mq inspect --base64 wAA=

Exit status: 0 done, 1 the capture cannot be read, 2 usage.")]
pub struct InspectArgs {
    /// The capture; `-` is standard input, and so is nothing at all unless that is a terminal
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Packets in hexadecimal instead of a capture; `-` reads a packet from each line of standard input
    #[arg(long, value_name = "BYTES", conflicts_with = "file", allow_hyphen_values = true)]
    pub hex: Option<String>,
    /// Packets in Base64 instead of a capture; `-` reads a packet from each line of standard input
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["file", "hex"], allow_hyphen_values = true)]
    pub base64: Option<String>,
    /// Who sent the packets of --hex and --base64; without it, whoever sends such packets
    #[arg(long, value_name = "c2s|s2c", value_parser = direction)]
    pub direction: Option<Direction>,
    /// The version of MQTT, where no CONNECT says it: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5)
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version)]
    pub protocol_version: Option<Version>,
    /// Decrypt TLS with the secrets in this file, as SSLKEYLOGFILE and --tls-keylog of `mq sub` write it; it may still grow
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["hex", "base64"])]
    pub tls_keylog: Option<PathBuf>,
    /// How packets are shown
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Line)]
    pub format: Format,
    /// What payloads are read as
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

/// What payloads are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Payload {
    /// What content type, topic and shape say
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
    /// What was compressed with gzip or zlib
    Gzip,
    /// Sparkplug B
    Sparkplug,
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
            Payload::Gzip => Choice::As(Format::Gzip),
            Payload::Sparkplug => Choice::As(Format::Sparkplug),
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
