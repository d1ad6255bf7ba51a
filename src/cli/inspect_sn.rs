//! The options of `mq inspect` for MQTT-SN.

use super::{Error, predefined, sn, values};
use crate::input_file;
use crate::inspect::sn::{Keys, Settings};
use crate::protocol::sn::Version;
use clap::{ArgAction, Args, ValueHint};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The only protocol that `--decode-as` takes.
const MQTT_SN: &str = "mqtt-sn";

/// How to decode MQTT-SN.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "MQTT-SN")]
pub(crate) struct InspectSnArgs {
    /// Decode --hex and --base64 as MQTT-SN: each value or line is a datagram
    #[arg(long, action = ArgAction::SetTrue)]
    pub sn: bool,
    /// MQTT-SN version of all clients: 1.2 or 2.0 [default: the version in CONNECT, or else inferred]
    #[arg(long, value_name = "VERSION", value_parser = sn::version)]
    pub sn_version: Option<Version>,
    /// UDP port whose datagrams are MQTT-SN, as in 5000=mqtt-sn. Can be repeated; `--port 5000=mqtt-sn` is the same
    /// [default: 1883, 1884, 2442 and 10000, and other ports if a CONNECT or a request with its answer is captured]
    #[arg(long, value_name = "PORT=mqtt-sn", value_parser = port, conflicts_with_all = ["hex", "base64", "listen"])]
    pub decode_as: Vec<SnPort>,
    /// Topics of predefined topic ids: a file with lines `ID TOPIC`, or `CLIENT, TOPIC, ID`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub predefined: Option<PathBuf>,
    /// Keys that verify and decrypt protected packets of MQTT-SN 2.0: a file with lines `SENDER KEY` in hexadecimal
    /// digits; the sender * is all senders
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sn_keys: Option<PathBuf>,
}

/// A UDP port of MQTT-SN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnPort(u16);

impl InspectSnArgs {
    /// The UDP ports of MQTT-SN.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.decode_as.iter().map(|port| port.0).collect()
    }

    /// Rejects --sn without typed bytes: in captures, MQTT-SN is recognised.
    ///
    /// # Errors
    /// If no bytes were typed.
    pub(crate) fn check(&self, has_bytes: bool) -> Result<(), Error> {
        if self.sn && !has_bytes {
            return Err(Error::usage("--sn needs --hex or --base64; captures are decoded without it"));
        }
        Ok(())
    }

    /// The settings of the decoder.
    ///
    /// # Errors
    /// If the file of predefined topics or of keys cannot be read.
    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        let predefined = self.predefined.as_deref().map(predefined::read).transpose()?;
        let keys = self.sn_keys.as_deref().map(read_keys).transpose()?;
        Ok(Settings {
            version: self.sn_version,
            predefined: Arc::new(predefined.unwrap_or_default()),
            keys: Arc::new(keys.unwrap_or_default()),
        })
    }
}

fn read_keys(path: &Path) -> Result<Keys, Error> {
    let text = input_file::read_utf8(path, input_file::LIMIT)
        .map_err(|error| Error::unreadable("--sn-keys", path, &error))?;
    Keys::parse(&text).map_err(|error| Error::content("--sn-keys", path, error.to_string()))
}

/// A port and the protocol.
fn port(text: &str) -> Result<SnPort, String> {
    let (port, protocol) = text.split_once('=').unwrap_or((text, ""));
    match port.parse() {
        Ok(port @ 1..) if protocol.eq_ignore_ascii_case(MQTT_SN) => Ok(SnPort(port)),
        _ => Err(values::expected("PORT=mqtt-sn, such as 5000=mqtt-sn")),
    }
}
