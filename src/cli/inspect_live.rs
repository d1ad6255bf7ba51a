//! The options of `mq inspect` for live traffic: of a proxy, or of a client.

use super::Names;
use super::config::PROFILE;
use super::network::TypedOptions;
use super::session::{ClientArgs, PersistenceArgs};
use super::values;
use crate::cli::Error;
use crate::client::Options;
use crate::protocol::{Qos, TopicFilter, sn};
use crate::transport::Endpoint;
use crate::transport::tls::Acceptor;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, ValueHint};
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The heading of the proxy's options.
const PROXY: &str = "Proxy";

/// The heading of the client's options.
const CLIENT: &str = "Live client";

/// The file of TLS secrets: written for a live connection, read for a capture.
const KEY_LOG: &str = "tls_keylog";

/// The identifiers of client options that the proxy also uses.
const OF_THE_WAY: [&str; 6] = ["connect_timeout", "bind", "proxy", "ws_path", "ws_header", "nodelay"];

/// Sources of live traffic.
#[derive(Debug, Clone, Args)]
pub(crate) struct LiveArgs {
    /// Run a proxy: listen here, forward to --to, and print the packets. ADDR defaults to 127.0.0.1; port 0 picks a
    /// free one. ws://ADDR:PORT accepts WebSocket; mqtts:// and wss:// accept TLS; udp:// is for MQTT-SN
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = listen, requires = "to", conflicts_with_all = ["file", "hex", "base64", "topic"], help_heading = PROXY)]
    pub listen: Option<Listen>,
    /// Address that the proxy forwards to: HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix. TLS options apply to
    /// this connection. For MQTT-SN, the gateway as HOST or HOST:PORT; the default port is 10000
    #[arg(long, value_name = "HOST:PORT", requires = "listen", conflicts_with_all = ["host", "port", "url", "unix", "srv"], help_heading = PROXY)]
    pub to: Option<String>,
    /// Certificate that the proxy presents to clients, followed in the file by its issuers
    #[arg(long, value_name = "FILE", requires_all = ["listen", "listen_key"], value_hint = ValueHint::FilePath, help_heading = PROXY)]
    pub listen_cert: Option<PathBuf>,
    /// Private key of --listen-cert
    #[arg(long, value_name = "FILE", requires = "listen_cert", value_hint = ValueHint::FilePath, help_heading = PROXY)]
    pub listen_key: Option<PathBuf>,
    /// Subscribe with -h HOST, and print all packets in both directions. Without -t, only up to the CONNACK. Can be
    /// repeated
    #[arg(short = 't', long, value_name = "FILTER", value_parser = values::topic_filter, conflicts_with_all = ["file", "hex", "base64"], help_heading = CLIENT)]
    pub topic: Vec<TopicFilter>,
    /// Maximum QoS to receive at
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = CLIENT)]
    pub qos: Qos,
    /// Exit after this many messages
    #[arg(short = 'C', long, value_name = "MESSAGES", value_parser = values::count, requires = "topic", help_heading = CLIENT)]
    pub count: Option<u64>,
    /// Exit after this time, such as 30s; also for the proxy
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = values::positive_duration, help_heading = CLIENT)]
    pub timeout: Option<Duration>,
    /// Write the packets to this pcapng file for Wireshark, as plain TCP without TLS and WebSocket
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hex", "base64"], value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Whether a profile was chosen for a client.
    #[arg(skip)]
    has_profile: bool,
    /// The typed options that are about a client.
    #[arg(skip)]
    typed: Vec<String>,
}

/// The proxy's listening address and its transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Address and port; port 0 picks a free one.
    pub address: SocketAddr,
    /// Whether clients use TLS.
    pub is_secure: bool,
    /// Whether clients use WebSocket.
    pub is_web_socket: bool,
    /// Whether clients use MQTT-SN over UDP.
    pub is_datagram: bool,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_secure, self.is_web_socket) {
            _ if self.is_datagram => "udp://",
            (false, false) => "",
            (true, false) => "mqtts://",
            (false, true) => "ws://",
            (true, true) => "wss://",
        })?;
        write!(f, "{}", self.address)
    }
}

impl LiveArgs {
    /// Records the order of the options, and which were typed.
    pub(super) fn note_order(&mut self, matches: &ArgMatches) {
        self.client.network.typed = TypedOptions::of(matches);
        // For a capture, the profile has message types.
        let is_captured = ["file", "hex", "base64"].iter().any(|id| super::is_set(matches, id));
        self.has_profile = super::is_set(matches, PROFILE) && !is_captured;
        let options = ClientArgs::augment_args(Command::new("client"));
        let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        self.typed = options
            .get_arguments()
            .map(|option| option.get_id().as_str())
            .filter(|id| *id != "version" && is_typed(id))
            .map(str::to_owned)
            .collect();
    }

    /// Whether to run a client: a profile or a subscription was typed, or an option that names a broker.
    pub(crate) fn is_client(&self) -> bool {
        let is_place = |id: &String| ["host", "port", "url", "unix", "srv"].contains(&id.as_str());
        self.listen.is_none()
            && (self.has_profile || !self.topic.is_empty() || self.typed.iter().any(is_place))
    }

    /// Rejects options without effect: client options without a client, and those that the proxy does not use.
    ///
    /// # Errors
    /// The first such option, and its requirement.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let orphan = |needs: &str, mut has_effect: Box<dyn FnMut(&str) -> bool>| {
            let orphan = self.typed.iter().find(|id| !has_effect(id));
            orphan.map_or(Ok(()), |id| Err(Error::usage(format!("{} {needs}", spelling(id)))))
        };
        match &self.listen {
            _ if self.is_client() => Ok(()),
            Some(listen) if listen.is_datagram => orphan(
                "cannot be used with --listen udp://; MQTT-SN has no connection to a broker",
                Box::new(|_| false),
            ),
            Some(_) => {
                let of_tls = ids_of::<super::tls::TlsArgs>();
                let has_effect =
                    move |id: &str| OF_THE_WAY.contains(&id) || of_tls.iter().any(|known| known == id);
                orphan(
                    "cannot be used with --listen; the proxy forwards the packets of its clients",
                    Box::new(has_effect),
                )
            }
            None if self.timeout.is_some() => {
                Err(Error::usage("-W needs a client (-h HOST) or a proxy (--listen PORT)"))
            }
            None => orphan(
                "needs a client (-h HOST -t FILTER) or a proxy (--listen PORT)",
                Box::new(|id| id == KEY_LOG),
            ),
        }
    }

    /// A warning if the connection of the client or the proxy to the broker can be intercepted.
    pub(super) fn interception_warning(&self) -> Option<&'static str> {
        let connects = self.listen.is_some() || self.is_client();
        self.client.tls.warning(Names::Mq).filter(|_| connects)
    }

    /// The file of secrets: written by a client or a proxy, and read for a capture.
    pub(crate) fn key_log(&self) -> Option<&Path> {
        self.client.tls.tls_keylog.as_deref()
    }

    /// The options of the live client. It does not reconnect, since only one connection is shown.
    ///
    /// # Errors
    /// If options conflict.
    pub(crate) fn client_options(&self, names: Names) -> Result<Options, Error> {
        let persistence = PersistenceArgs { retries: None, max_inflight: 20 };
        self.client.client_options(names, &persistence, Some(0))
    }

    /// The proxy's target.
    ///
    /// # Errors
    /// If --to or a TLS option is invalid.
    pub(crate) fn target(&self) -> Result<Endpoint, Error> {
        let to = self.to.clone().unwrap_or_default();
        let url = if to.contains("://") { to } else { format!("mqtt://{to}") };
        let mut client = self.client.clone();
        client.network.lead_to(&url, "--to");
        client.network.check_no_credentials()?;
        client.endpoint(Names::Mq)
    }

    /// Host and port of the gateway that a proxy for MQTT-SN forwards to.
    ///
    /// # Errors
    /// If --to is invalid.
    pub(crate) fn datagram_target(&self) -> Result<(String, u16), Error> {
        let to = self.to.as_deref().unwrap_or_default();
        let place = ["udp://", "mqtt-sn://"].iter().find_map(|scheme| to.strip_prefix(scheme)).unwrap_or(to);
        let place = place.strip_suffix('/').unwrap_or(place);
        let invalid = || Error::usage(format!("--to {to}: expected HOST[:PORT] of a gateway of MQTT-SN"));
        let is_address_v6 = place.parse::<Ipv6Addr>().is_ok();
        let (host, port) = match place.rsplit_once(':').filter(|(host, _)| !is_address_v6 && !host.is_empty())
        {
            Some((host, port)) if !host.ends_with(':') => (host, port.parse().map_err(|_| invalid())?),
            _ => (place, sn::DEFAULT_PORT),
        };
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.contains('/') || port == 0 {
            return Err(invalid());
        }
        Ok((host.to_owned(), port))
    }

    /// The TLS acceptor for the proxy's clients, if it listens for TLS.
    ///
    /// # Errors
    /// If the certificate or its key is missing or cannot be used.
    pub(crate) fn acceptor(&self) -> Result<Option<Acceptor>, Error> {
        let is_secure = self.listen.is_some_and(|listen| listen.is_secure);
        match (is_secure, &self.listen_cert, &self.listen_key) {
            (true, Some(certificate), Some(key)) => {
                let identity = self.client.tls.listening_identity(certificate, key)?;
                Ok(Some(Acceptor::new(&identity)))
            }
            (true, ..) => Err(Error::usage(
                "--listen with mqtts:// or wss:// needs --listen-cert FILE and --listen-key FILE",
            )),
            (false, None, _) => Ok(None),
            (false, Some(_), _) => Err(Error::usage(
                "--listen-cert needs TLS; use --listen mqtts://ADDR:PORT or wss://ADDR:PORT".to_owned(),
            )),
        }
    }
}

/// The identifiers of a group's options.
fn ids_of<A: Args>() -> Vec<String> {
    let options = A::augment_args(Command::new("group"));
    options.get_arguments().map(|option| option.get_id().as_str().to_owned()).collect()
}

/// The spelling of an option on the command line.
fn spelling(id: &str) -> String {
    let options = ClientArgs::augment_args(Command::new("client"));
    let option = options.get_arguments().find(|option| option.get_id() == id);
    option.and_then(|option| option.get_long()).map_or_else(|| format!("-{id}"), |long| format!("--{long}"))
}

fn listen(text: &str) -> Result<Listen, String> {
    let (scheme, place) = text.split_once("://").unwrap_or(("mqtt", text));
    let (is_secure, is_web_socket) = match scheme.to_ascii_lowercase().as_str() {
        "mqtt" => (false, false),
        "mqtts" => (true, false),
        "ws" => (false, true),
        "wss" => (true, true),
        "udp" => (false, false),
        _ => return Err(values::expected("one of the schemes mqtt, mqtts, ws, wss and udp, or no scheme")),
    };
    let is_datagram = scheme.eq_ignore_ascii_case("udp");
    let place = place.strip_suffix('/').unwrap_or(place);
    Ok(Listen { address: values::socket_address(place)?, is_secure, is_web_socket, is_datagram })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_a_port_or_more() {
        for (text, shown) in [
            ("1884", "127.0.0.1:1884"),
            ("localhost:0", "127.0.0.1:0"),
            ("[::1]:1884", "[::1]:1884"),
            ("WS://0.0.0.0:80/", "ws://0.0.0.0:80"),
            ("mqtts://8883", "mqtts://127.0.0.1:8883"),
            ("wss://127.0.0.1:443", "wss://127.0.0.1:443"),
            ("udp://10000", "udp://127.0.0.1:10000"),
        ] {
            assert_eq!(listen(text).map(|listen| listen.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["", "host:1884", "1884x", "127.0.0.1", "65536", "http://127.0.0.1:80", "::1"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
