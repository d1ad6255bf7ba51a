//! The options for reaching the broker: URL, unix socket, SRV records, proxy, WebSocket.
//!
//! A URL sets several of them. Under `mq` a more specific option overrides it; under mosquitto's names the later one
//! on the command line wins.

use super::Names;
use super::connection::ConnectionArgs;
use super::sn::{self, SnChoice};
use super::url::{self, Scheme, Url, without_secrets};
use super::values::expected;
use crate::cli::{Error, UsageError};
use crate::escape;
use crate::hosted::sigv4::AccessKey;
use crate::protocol::ProxyVersion;
use crate::protocol::sn::Version as SnVersion;
use crate::transport::web_socket::{Header, Query, Upgrade};
use crate::transport::{Address, Proxy};
use clap::{ArgAction, ArgMatches, Args};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const DEFAULT_HOST: &str = "localhost";

/// Default path of a broker's WebSocket.
const WEB_SOCKET_PATH: &str = "/mqtt";

/// Characters that are not allowed in the path of a request, or would end it.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

/// The route to the broker.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct NetworkArgs {
    /// Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port
    /// 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the
    /// WebSocket
    #[arg(short = 'L', long, value_name = "URL")]
    pub url: Option<OsString>,
    /// Path of the broker's unix socket; the same as -p 0 with the path as -h
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,
    /// Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp
    /// with TLS
    #[arg(short = 'S', action = ArgAction::SetTrue)]
    pub srv: bool,
    /// Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names),
    /// socks5 (they are resolved locally; default port 1080 for both) or http (8080)
    #[arg(long, value_name = "URL")]
    pub proxy: Option<OsString>,
    /// Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of
    /// this connection, and precedes TLS and MQTT
    #[arg(long, value_name = "VERSION", value_parser = proxy_version)]
    pub proxy_protocol: Option<ProxyVersion>,
    /// Use MQTT over WebSocket
    #[arg(long, action = ArgAction::SetTrue)]
    pub ws: bool,
    /// Path of the WebSocket [default: /mqtt]
    #[arg(long, value_name = "PATH")]
    pub ws_path: Option<String>,
    /// Header for the WebSocket request, as in 'Authorization: Bearer TOKEN'. Can be repeated
    #[arg(long, value_name = "HEADER")]
    pub ws_header: Vec<String>,
    /// Send small packets without delay (TCP_NODELAY); always enabled
    #[arg(long, action = ArgAction::SetTrue)]
    pub nodelay: bool,
    /// The typed options, and their order.
    #[arg(skip)]
    pub(super) typed: TypedOptions,
    /// The options of a command that can be a client of an MQTT-SN gateway.
    #[arg(skip)]
    pub(super) sn: Option<SnChoice>,
    /// The key that signs the request for a WebSocket.
    #[arg(skip)]
    pub(super) access_key: Option<AccessKey>,
}

/// The relevant parts of the command line's order.
#[derive(Debug, Clone, Default)]
pub(super) struct TypedOptions {
    /// `-t` or `-U` was typed.
    has_topic: bool,
    /// The options before `-L`, except those that set the host or the port.
    before_url: Vec<&'static str>,
    /// The options that set the host or the port, in the order of their last occurrences.
    places: Vec<&'static str>,
    /// The option with the URL, if not `-L`.
    url_option: Option<&'static str>,
}

impl TypedOptions {
    pub(super) fn of(matches: &ArgMatches) -> TypedOptions {
        let last = |id: &str| super::is_set(matches, id).then(|| matches.indices_of(id)?.next_back())?;
        let mut before_url = vec!["username", "password", "topic"];
        before_url.retain(|id| last(id).is_some_and(|index| Some(index) < last("url")));
        let mut places = vec!["host", "port", "unix", "url"];
        places.retain(|id| last(id).is_some());
        places.sort_by_key(|id| last(id));
        TypedOptions {
            has_topic: ["topic", "filters", "unsubscribe"].iter().any(|id| last(id).is_some()),
            before_url,
            places,
            url_option: None,
        }
    }
}

/// The result of the options about connection and network.
#[derive(Debug)]
pub(super) struct Destination {
    /// The typed name or address, which a certificate must match.
    pub(super) host: String,
    /// The typed or default port; 0 for a unix socket, and if SRV records will give the port.
    pub(super) port: u16,
    /// Whether a URL asks for TLS.
    pub(super) is_secure: bool,
    pub(super) proxy: Option<Proxy>,
    is_web_socket: bool,
    /// Whether it is an MQTT-SN gateway.
    pub(super) is_sn: bool,
    /// The unix socket to connect to.
    socket: Option<PathBuf>,
}

impl Destination {
    /// Whether it is a unix socket.
    pub(super) fn is_unix(&self) -> bool {
        self.socket.is_some()
    }
}

impl NetworkArgs {
    /// Notes which options are set, and their order.
    pub(super) fn note_order(&mut self, matches: &ArgMatches) {
        self.typed = TypedOptions::of(matches);
    }

    /// Sets the URL from an option other than `-L`. The URL's path is that of the WebSocket.
    pub(super) fn lead_to(&mut self, url: &str, option: &'static str) {
        self.url = Some(url.into());
        self.typed = TypedOptions {
            has_topic: true,
            before_url: vec![],
            places: vec!["url"],
            url_option: Some(option),
        };
    }

    /// Whether an option names the broker.
    pub(super) fn names_place(&self) -> bool {
        self.names_host() || self.srv
    }

    /// Whether an option names the host or a unix socket.
    fn names_host(&self) -> bool {
        self.typed.places.iter().any(|place| *place != "port")
    }

    /// Sets the host, unless an option names the host or a unix socket.
    pub(super) fn set_host_unless_named(&mut self, connection: &mut ConnectionArgs, host: &str) {
        if !self.names_host() {
            connection.host = Some(host.to_owned());
            self.typed.places.insert(0, "host");
        }
    }

    /// Replaces the host, and the port if one is given.
    pub(super) fn set_broker(&mut self, connection: &mut ConnectionArgs, host: &str, port: Option<u16>) {
        connection.host = Some(host.to_owned());
        if port.is_some() {
            connection.port = port;
            self.typed.places.retain(|place| *place != "port");
            self.typed.places.push("port");
        }
    }

    /// Whether there is a URL without TLS.
    pub(super) fn has_plain_url(&self, names: Names) -> Result<bool, Error> {
        Ok(self.url(names)?.is_some_and(|url| !url.scheme.is_secure() && url.scheme != Scheme::Unix))
    }

    /// Whether the command is a client of an MQTT-SN gateway.
    ///
    /// # Errors
    /// If the URL is invalid, or the command cannot be such a client.
    pub(super) fn is_sn(&self, names: Names) -> Result<bool, Error> {
        let url = self.url(names)?;
        let is_url = url.as_ref().is_some_and(|url| url.scheme == Scheme::MqttSn);
        match &self.sn {
            Some(sn) if sn.is_requested() && url.is_some() && !is_url => {
                Err(self.bad_url("the URL of an MQTT-SN gateway is mqtt-sn://HOST:PORT/TOPIC"))
            }
            Some(sn) => Ok(is_url || sn.is_requested()),
            None if is_url => {
                Err(self.bad_url("only pub, sub, rr and bench are clients of an MQTT-SN gateway"))
            }
            None => Ok(false),
        }
    }

    /// The version of MQTT-SN, if the command is a client of a gateway.
    ///
    /// # Errors
    /// If the URL is invalid, or the command cannot be such a client.
    pub(super) fn sn_version(&self, names: Names) -> Result<Option<SnVersion>, Error> {
        let is_sn = self.is_sn(names)?;
        Ok(self.sn.as_ref().filter(|_| is_sn).map(|sn| sn.args.sn_version))
    }

    /// Whether the connection is over WebSocket.
    pub(super) fn is_web_socket(&self, names: Names) -> Result<bool, Error> {
        Ok(self.ws || self.url(names)?.is_some_and(|url| url.scheme.is_web_socket()))
    }

    /// Sets the WebSocket's path, unless an option or the URL names one.
    pub(super) fn web_socket_path_unless_named(&mut self, names: Names, path: &str) -> Result<(), Error> {
        let of_url = self.url(names)?.and_then(|url| url.raw_path());
        let is_named = of_url.is_some_and(|path| path != "/") && self.url_has_web_socket_path(names);
        if self.ws_path.is_none() && !is_named {
            self.ws_path = Some(path.to_owned());
        }
        Ok(())
    }

    /// Rejects credentials and a topic in a URL that may only name a broker.
    ///
    /// # Errors
    /// If the URL has one of them, or is invalid.
    pub(super) fn check_no_credentials(&self) -> Result<(), Error> {
        let Some(url) = self.url(Names::Mq)? else { return Ok(()) };
        if url.username.is_some() || url.password.is_some() {
            return Err(self.bad_url("leave USER:PASSWORD@ out, since clients send their own"));
        }
        self.check_no_topic()
    }

    /// Rejects a topic in a URL.
    ///
    /// # Errors
    /// If the URL has one, or is invalid.
    pub(super) fn check_no_topic(&self) -> Result<(), Error> {
        let Some(url) = self.url(Names::Mq)? else { return Ok(()) };
        let is_topic = !url.scheme.is_web_socket() && url.raw_path().is_some_and(|path| path != "/");
        if is_topic {
            Err(self.bad_url("leave the path out; clients choose their own topics"))
        } else {
            Ok(())
        }
    }

    /// The route to the broker; `port` is the default.
    pub(super) fn destination(
        &self,
        names: Names,
        connection: &ConnectionArgs,
        port: u16,
    ) -> Result<Destination, Error> {
        let url = self.url(names)?;
        let url = url.as_ref();
        let places = [(connection.host.is_some(), "-h"), (connection.port.is_some(), "-p")];
        let place =
            places.into_iter().find(|(is_set, _)| *is_set && names == Names::Mq && self.unix.is_some());
        if let Some((_, other)) = place {
            return Err(usage(&format!("--unix cannot be used with {other}; the socket is on this machine")));
        }
        let is_pathless = connection.port == Some(0) && connection.host.is_none() && url.is_none();
        if names == Names::Mq && is_pathless {
            return Err(Error::usage(UsageError::Needs {
                option: "-p 0".to_owned(),
                needed: "the path of a unix socket with -h",
            }));
        }
        let is_sn = self.is_sn(names)?;
        let port = if is_sn { crate::protocol::sn::DEFAULT_PORT } else { port };
        let (host, port) = self.place(names, connection, url, port);
        if names == Names::Mq && host.is_empty() {
            return Err(usage(match port {
                0 => "the path of the unix socket is empty",
                _ => "-h: the host is empty; leave the option out for localhost",
            }));
        }
        let host_text = host.to_string_lossy();
        if names == Names::Mq
            && port != 0
            && let Err(problem) = url::check_host(&host_text)
        {
            return Err(usage(&format!("-h: {problem} ('{}')", host_text.escape_debug())));
        }
        let is_web_socket = self.is_web_socket(names)?;
        let destination = Destination {
            host: host.to_string_lossy().into_owned(),
            socket: (port == 0).then(|| PathBuf::from(host)),
            port,
            is_secure: url.is_some_and(|url| url.scheme.is_secure()),
            proxy: self.proxy()?,
            is_web_socket,
            is_sn,
        };
        self.check(&destination)?;
        Ok(if self.srv { Destination { port: 0, ..destination } } else { destination })
    }

    /// Host and port; for a unix socket its path, and 0. Later options override earlier ones; under `mq` a URL counts
    /// as the first.
    fn place(
        &self,
        names: Names,
        connection: &ConnectionArgs,
        url: Option<&Url>,
        usual_port: u16,
    ) -> (OsString, u16) {
        let mut options = self.typed.places.clone();
        if names == Names::Mq {
            options.sort_by_key(|option| *option != "url");
        }
        let place_of = |option| -> (Option<OsString>, Option<u16>) {
            match (option, url, &self.unix) {
                ("url", Some(url), _) => {
                    let port = url.port.unwrap_or_else(|| url.scheme.default_port(names));
                    (Some(url.host.clone().into()), Some(port))
                }
                ("unix", _, Some(path)) => (Some(path.clone().into()), Some(0)),
                ("host", ..) => (connection.host.clone().map(OsString::from), None),
                _ => (None, connection.port),
            }
        };
        let searches = self.sn.as_ref().is_some_and(|sn| sn.args.discover);
        let usual_host = if searches { sn::GROUP } else { DEFAULT_HOST };
        let usual = (OsString::from(usual_host), usual_port);
        options.into_iter().map(place_of).fold(usual, |(host, port), (new_host, new_port)| {
            (new_host.unwrap_or(host), new_port.unwrap_or(port))
        })
    }

    fn check(&self, destination: &Destination) -> Result<(), Error> {
        let problems = [
            (
                destination.is_unix() && destination.proxy.is_some(),
                "--proxy cannot be used with a unix socket",
            ),
            (destination.is_unix() && self.srv, "-S cannot be used with a unix socket"),
            (
                self.srv && destination.host.parse::<IpAddr>().is_ok(),
                "-S needs a host name; -h has an address",
            ),
            (
                self.srv && destination.is_web_socket,
                "-S cannot be used with WebSocket; it finds brokers of MQTT over TCP",
            ),
        ];
        if let Some((_, problem)) = problems.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(usage(problem));
        }
        let of_web_sockets =
            [(self.ws_path.is_some(), "--ws-path"), (!self.ws_header.is_empty(), "--ws-header")];
        match of_web_sockets.into_iter().find(|(is_set, _)| *is_set && !destination.is_web_socket) {
            Some((_, option)) => {
                let needed = "--ws, or a URL with ws or wss";
                Err(Error::usage(UsageError::Needs { option: option.to_owned(), needed }))
            }
            None => Ok(()),
        }
    }

    /// The address to connect to, once it is known whether TLS is used.
    pub(super) fn address(&self, destination: &Destination, is_secure: bool) -> Address {
        if self.srv {
            let service = if is_secure { "_secure-mqtt" } else { "_mqtt" };
            return Address::Service(format!("{service}._tcp.{}", destination.host));
        }
        if let Some(sn) = self.sn.as_ref().filter(|_| destination.is_sn) {
            let (host, port) = (destination.host.clone(), destination.port);
            return Address::Gateway { host, port, options: Box::new(sn.gateway_options()) };
        }
        match &destination.socket {
            Some(path) => Address::Unix(path.clone()),
            None => Address::Tcp { host: destination.host.clone(), port: destination.port },
        }
    }

    /// The WebSocket upgrade, if one is needed.
    pub(super) fn upgrade(
        &self,
        names: Names,
        destination: &Destination,
        is_secure: bool,
    ) -> Result<Option<Upgrade>, Error> {
        if !destination.is_web_socket {
            return Ok(None);
        }
        let headers = self.ws_header.iter().map(|text| Header::parse(text)).collect::<Result<_, _>>();
        let headers = headers.map_err(|problem| usage(&format!("--ws-header: {problem}")))?;
        let path = match &self.ws_path {
            Some(path) if path.starts_with('/') => Some(path.clone()),
            Some(path) => Some(format!("/{path}")),
            None if self.url_has_web_socket_path(names) => self.url(names)?.and_then(|url| url.raw_path()),
            None => None,
        };
        let path = path.unwrap_or_else(|| WEB_SOCKET_PATH.to_owned());
        let path = utf8_percent_encode(&path, NOT_IN_PATHS).to_string();
        let host = host_header(names, destination, is_secure);
        let query = self.access_key.clone().map(|key| signed_query(key, host.clone(), path.clone()));
        Ok(Some(Upgrade { host, path, query, headers, offers_v31: false }))
    }

    /// The topic in the URL, if any.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub(crate) fn url_topic(&self, names: Names) -> Result<Option<String>, Error> {
        match self.url(names)? {
            Some(url) if url.scheme.is_web_socket() && self.url_has_web_socket_path(names) => Ok(None),
            Some(url) => match url.topic().map_err(|problem| self.bad_url(&problem))? {
                None if names == Names::Mosquitto => Err(self.bad_url("it has no topic")),
                topic => Ok(topic),
            },
            None => Ok(None),
        }
    }

    /// An addition to the error about a missing topic, with punctuation in front.
    pub(crate) fn without_topic(&self) -> &'static str {
        if self.url.is_some() { "; the URL of -L has no topic" } else { "" }
    }

    /// Sets that the command does not need a topic, so the path of a WebSocket's URL is the WebSocket's.
    pub(super) fn needs_no_topic(&mut self) {
        self.typed.has_topic = true;
    }

    /// Whether the path of a WebSocket's URL is the WebSocket's, since the topic is set by an option.
    fn url_has_web_socket_path(&self, names: Names) -> bool {
        names == Names::Mq && self.typed.has_topic
    }

    /// Whether a later URL overrides `-t`, as in mosquitto's tools.
    pub(super) fn url_comes_last(&self) -> bool {
        self.typed.before_url.contains(&"topic")
    }

    pub(super) fn url_credentials(&self, names: Names) -> Result<(Option<String>, Option<Vec<u8>>), Error> {
        Ok(self.url(names)?.map(|url| (url.username, url.password)).unwrap_or_default())
    }

    /// The value of the option or of the URL, whichever takes precedence.
    pub(super) fn later<T>(
        &self,
        names: Names,
        option: &str,
        typed: Option<T>,
        of_url: Option<T>,
    ) -> Option<T> {
        if names == Names::Mosquitto && self.typed.before_url.contains(&option) {
            return of_url.or(typed);
        }
        typed.or(of_url)
    }

    fn url(&self, names: Names) -> Result<Option<Url>, Error> {
        let Some(text) = &self.url else { return Ok(None) };
        let parse = if self.sn.is_some() { Url::parse } else { Url::parse_of_broker };
        let url = as_text(text).and_then(|text| parse(text, names));
        url.map(Some).map_err(|problem| self.bad_url(&problem))
    }

    fn bad_url(&self, problem: &str) -> Error {
        bad_url(self.typed.url_option.unwrap_or("-L"), self.url.as_deref().unwrap_or_default(), problem)
    }

    fn proxy(&self) -> Result<Option<Proxy>, Error> {
        let Some(text) = &self.proxy else { return Ok(None) };
        let proxy = as_text(text).and_then(url::proxy);
        proxy.map(Some).map_err(|problem| bad_url("--proxy", text, &problem))
    }
}

/// Signs each request for a WebSocket anew.
fn signed_query(key: AccessKey, host: String, path: String) -> Query {
    Query(Arc::new(move || key.query(&host, &path, SystemTime::now())))
}

fn proxy_version(text: &str) -> Result<ProxyVersion, String> {
    let versions = [ProxyVersion::V1, ProxyVersion::V2];
    let version = versions.into_iter().find(|version| version.name() == text);
    version.ok_or_else(|| expected("v1 or v2"))
}

fn as_text(word: &OsStr) -> Result<&str, String> {
    word.to_str().ok_or_else(|| "it is not UTF-8; write other bytes as %xx".to_owned())
}

fn bad_url(option: &str, text: &OsStr, problem: &str) -> Error {
    usage(&format!("{option} {}: {problem}", escape::line(&without_secrets(&text.to_string_lossy()))))
}

fn usage(problem: &str) -> Error {
    Error::usage(problem.to_owned())
}

/// The host with its port, unless that is the default; mosquitto's tools always omit it.
fn host_header(names: Names, destination: &Destination, is_secure: bool) -> String {
    let host = if destination.host.contains(':') {
        format!("[{}]", destination.host)
    } else {
        destination.host.clone()
    };
    match destination.port {
        0 => "localhost".to_owned(),
        80 if !is_secure => host,
        443 if is_secure => host,
        _ if names == Names::Mosquitto => host,
        port => format!("{host}:{port}"),
    }
}
