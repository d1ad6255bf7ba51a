//! The options of clients of an MQTT-SN gateway.

use super::values;
use crate::cli::{Error, UsageError};
pub(crate) use crate::protocol::sn::Version;
use crate::protocol::sn::client::Settings;
use crate::transport::GatewayOptions;
use clap::{ArgAction, Args};
use std::time::Duration;

/// The host that a search goes to without -h.
pub(super) const GROUP: &str = "225.1.1.1";

/// The scheme of a gateway's URL.
pub(super) const SCHEME: &str = "mqtt-sn";

/// The options of a client of an MQTT-SN gateway.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "MQTT-SN")]
pub(crate) struct SnArgs {
    /// Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT/TOPIC; the default port is 10000
    #[arg(long, action = ArgAction::SetTrue)]
    pub sn: bool,
    /// MQTT-SN version: 1.2 or 2.0. 2.0 is experimental, as its specification is a draft
    #[arg(long, value_name = "VERSION", default_value = "1.2", value_parser = version)]
    pub sn_version: Version,
    /// Predefined topic id, in place of a topic; 1 to 65534. sub can repeat it
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u16).range(1..=65534), conflicts_with = "topic")]
    pub topic_id: Vec<u16>,
    /// Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]
    #[arg(long, action = ArgAction::SetTrue)]
    pub discover: bool,
    /// Time after which an unanswered message is repeated (T_retry)
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::positive_duration)]
    pub sn_retry_interval: Duration,
    /// Repetitions before the gateway counts as gone (N_retry)
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub sn_retry_count: u32,
}

/// The options of a command that can be a client of a gateway.
#[derive(Debug, Clone)]
pub(super) struct SnChoice {
    pub(super) args: SnArgs,
    /// The duration of `mq sub --sleep`.
    pub(super) sleep: Option<u16>,
    /// `mq pub -q -1`.
    pub(super) is_unconnected: bool,
}

impl SnChoice {
    /// Whether options other than the URL ask for a gateway.
    pub(super) fn is_requested(&self) -> bool {
        self.args.sn || self.args.discover
    }

    pub(super) fn gateway_options(&self) -> GatewayOptions {
        let SnArgs { sn_version, discover, sn_retry_interval, sn_retry_count, .. } = self.args;
        GatewayOptions {
            version: sn_version,
            settings: Settings {
                is_unconnected: self.is_unconnected,
                predefined: self.args.topic_id.iter().map(|id| (*id, id.to_string())).collect(),
                counts_rejections: false,
                sleep: self.sleep,
                retry_interval: sn_retry_interval,
                retry_count: sn_retry_count,
            },
            searches: discover,
        }
    }

    /// Rejects options that need a gateway.
    ///
    /// # Errors
    /// The option.
    pub(super) fn check_unused(&self) -> Result<(), Error> {
        let options = [
            ("--sn-version 2.0", self.args.sn_version == Version::V20),
            ("-q -1", self.is_unconnected),
            ("--topic-id", !self.args.topic_id.is_empty()),
            ("--sleep", self.sleep.is_some()),
        ];
        match options.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                let needed = "an MQTT-SN gateway: --sn, or -L mqtt-sn://HOST/TOPIC";
                Err(Error::usage(UsageError::Needs { option: option.into(), needed }))
            }
            None => Ok(()),
        }
    }
}

/// A version of MQTT-SN.
pub(super) fn version(text: &str) -> Result<Version, String> {
    match text {
        "1.2" | "1" | "12" => Ok(Version::V12),
        "2.0" | "2" | "20" => Ok(Version::V20),
        _ => Err(values::expected("1.2 or 2.0")),
    }
}
