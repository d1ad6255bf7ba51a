//! The options of `mq inspect` about traffic that passes now: through a proxy, or of a client of its own.

use super::Names;
use super::config::PROFILE;
use super::network::Typed;
use super::session::{ClientArgs, PersistenceArgs};
use super::values;
use crate::client::Options;
use crate::error::Error;
use crate::protocol::{Qos, TopicFilter};
use crate::transport::Endpoint;
use crate::transport::tls::Acceptor;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, ValueHint};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The heading of the proxy's options.
const PROXY: &str = "Proxy";

/// The heading of the client's options.
const CLIENT: &str = "Live client";

/// Of a live connection it is written; of a capture it is read.
const KEY_LOG: &str = "tls_keylog";

/// What else the proxy has a use for of a client's options, by their identifiers.
const OF_THE_WAY: [&str; 6] = ["connect_timeout", "bind", "proxy", "ws_path", "ws_header", "nodelay"];

/// Where traffic comes from that was not captured.
#[derive(Debug, Clone, Args)]
pub struct LiveArgs {
    /// Be a proxy: listen here, forward to --to, and show what passes. ADDR is 127.0.0.1 unless it is given; ws://ADDR:PORT takes
    /// WebSockets, mqtts:// and wss:// speak TLS; port 0 picks a free one
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = listen, requires = "to", conflicts_with_all = ["file", "hex", "base64", "topic"], help_heading = PROXY)]
    pub listen: Option<Listen>,
    /// Where the proxy forwards to: HOST:PORT, or a URL with mqtt, mqtts, ws, wss or unix. The options about TLS are for that way
    #[arg(long, value_name = "HOST:PORT", requires = "listen", conflicts_with_all = ["host", "port", "url", "unix", "srv"], help_heading = PROXY)]
    pub to: Option<String>,
    /// The certificate that clients of the proxy see, followed in the file by those that issued it
    #[arg(long, value_name = "FILE", requires_all = ["listen", "listen_key"], value_hint = ValueHint::FilePath, help_heading = PROXY)]
    pub listen_cert: Option<PathBuf>,
    /// The private key of --listen-cert
    #[arg(long, value_name = "FILE", requires = "listen_cert", value_hint = ValueHint::FilePath, help_heading = PROXY)]
    pub listen_key: Option<PathBuf>,
    /// Subscribe with -h HOST, and show all packets both ways; without -t, only what the broker's CONNACK says. Can be repeated
    #[arg(short = 't', long, value_name = "FILTER", value_parser = values::topic_filter, conflicts_with_all = ["file", "hex", "base64"], help_heading = CLIENT)]
    pub topic: Vec<TopicFilter>,
    /// The highest QoS to receive at
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = CLIENT)]
    pub qos: Qos,
    /// Exit after this many messages
    #[arg(short = 'C', long, value_name = "MESSAGES", value_parser = values::count, requires = "topic", help_heading = CLIENT)]
    pub count: Option<u64>,
    /// Exit after this many seconds; the proxy too
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = values::whole_seconds, help_heading = CLIENT)]
    pub timeout: Option<Duration>,
    /// Write what is said to this file, as pcapng for Wireshark: out of TLS and WebSocket, as if it had been plain TCP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hex", "base64"], value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// Whether a profile was chosen for a client.
    #[arg(skip)]
    has_profile: bool,
    /// The options that were typed and are about a client.
    #[arg(skip)]
    typed: Vec<String>,
}

/// Where the proxy listens, and what is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address and the port; 0 for one that is free.
    pub address: SocketAddr,
    /// Whether clients speak TLS.
    pub is_secure: bool,
    /// Whether MQTT comes in a WebSocket.
    pub is_web_socket: bool,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_secure, self.is_web_socket) {
            (false, false) => "",
            (true, false) => "mqtts://",
            (false, true) => "ws://",
            (true, true) => "wss://",
        })?;
        write!(f, "{}", self.address)
    }
}

impl LiveArgs {
    /// Keeps what matters about the order of options, and which of them were typed.
    pub(super) fn note_order(&mut self, matches: &ArgMatches) {
        self.client.network.typed = Typed::of(matches);
        self.has_profile = super::is_set(matches, PROFILE);
        let options = ClientArgs::augment_args(Command::new("client"));
        let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        self.typed = options
            .get_arguments()
            .map(|option| option.get_id().as_str())
            .filter(|id| *id != "version" && is_typed(id))
            .map(str::to_owned)
            .collect();
    }

    /// Whether a client is to be run: a place or a subscription was typed.
    pub fn is_client(&self) -> bool {
        let is_place = |id: &String| ["host", "port", "url", "unix", "srv"].contains(&id.as_str());
        self.listen.is_none()
            && (self.has_profile || !self.topic.is_empty() || self.typed.iter().any(is_place))
    }

    /// Refuses options without effect: of a client where there is none, of the place where the proxy has --to.
    ///
    /// # Errors
    /// The first of them, and what it needs.
    pub fn check(&self) -> Result<(), Error> {
        let orphan = |needs: &str, mut has_effect: Box<dyn FnMut(&str) -> bool>| {
            let orphan = self.typed.iter().find(|id| !has_effect(id));
            orphan.map_or(Ok(()), |id| Err(Error::Usage(format!("{} {needs}", spelling(id)))))
        };
        match &self.listen {
            _ if self.is_client() => Ok(()),
            Some(_) => {
                let of_tls = ids_of::<super::tls::TlsArgs>();
                let has_effect =
                    move |id: &str| OF_THE_WAY.contains(&id) || of_tls.iter().any(|known| known == id);
                orphan("is for a client; the proxy passes on what its clients say", Box::new(has_effect))
            }
            None if self.timeout.is_some() => {
                Err(Error::Usage("-W needs a client (-h HOST) or a proxy (--listen PORT)".to_owned()))
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
    pub fn key_log(&self) -> Option<&Path> {
        self.client.tls.tls_keylog.as_deref()
    }

    /// The client that the options describe. It does not connect again: what is shown is one connection.
    ///
    /// # Errors
    /// Which options do not go together.
    pub fn client_options(&self, names: Names) -> Result<Options, Error> {
        let persistence = PersistenceArgs { retries: None, max_inflight: 20 };
        self.client.client_options(names, &persistence, Some(0))
    }

    /// Where the proxy forwards to.
    ///
    /// # Errors
    /// What is wrong with --to, or with the options about TLS.
    pub fn target(&self) -> Result<Endpoint, Error> {
        let to = self.to.clone().unwrap_or_default();
        let url = if to.contains("://") { to } else { format!("mqtt://{to}") };
        let mut client = self.client.clone();
        client.network.lead_to(&url, "--to");
        client.network.check_no_credentials()?;
        client.endpoint(Names::Mq)
    }

    /// What speaks TLS with clients of the proxy, where it listens for that.
    ///
    /// # Errors
    /// When the certificate or its key is missing or cannot be used.
    pub fn acceptor(&self) -> Result<Option<Acceptor>, Error> {
        let is_secure = self.listen.is_some_and(|listen| listen.is_secure);
        match (is_secure, &self.listen_cert, &self.listen_key) {
            (true, Some(certificate), Some(key)) => {
                let identity = self.client.tls.listening_identity(certificate, key)?;
                Ok(Some(Acceptor::new(&identity)))
            }
            (true, ..) => Err(Error::Usage(
                "--listen with mqtts:// or wss:// needs --listen-cert FILE and --listen-key FILE".to_owned(),
            )),
            (false, None, _) => Ok(None),
            (false, Some(_), _) => Err(Error::Usage(
                "--listen-cert without TLS; --listen mqtts://ADDR:PORT or wss://ADDR:PORT speaks it"
                    .to_owned(),
            )),
        }
    }
}

/// The identifiers of a group's options.
fn ids_of<A: Args>() -> Vec<String> {
    let options = A::augment_args(Command::new("group"));
    options.get_arguments().map(|option| option.get_id().as_str().to_owned()).collect()
}

/// How an option is typed.
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
        _ => return Err("it begins with mqtt, mqtts, ws or wss, or with the address".to_owned()),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    Ok(Listen { address: socket_address(place)?, is_secure, is_web_socket })
}

/// An address and a port, or the port alone, which is then only for this machine.
fn socket_address(place: &str) -> Result<SocketAddr, String> {
    let problem = "it takes PORT or ADDR:PORT, as in 1884, 0.0.0.0:1884 or [::1]:1884";
    let (address, port) = place.rsplit_once(':').unwrap_or(("localhost", place));
    let port = port.parse().map_err(|_| problem.to_owned())?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    match address.parse::<IpAddr>() {
        Ok(address) => Ok(SocketAddr::new(address, port)),
        Err(_) if address == "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => Err(problem.to_owned()),
    }
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
        ] {
            assert_eq!(listen(text).map(|listen| listen.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["", "host:1884", "1884x", "127.0.0.1", "65536", "http://127.0.0.1:80", "::1"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
