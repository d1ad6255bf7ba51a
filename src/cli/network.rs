//! The options about the way to the broker: URL, unix socket, SRV records, proxy, WebSocket.
//!
//! A URL says several things at once. Under `mq`, what an option of its own says overrides it; under mosquitto's names the
//! later one on the command line does.

use super::Names;
use super::connection::ConnectionArgs;
use super::url::{self, Scheme, Url, without_secrets};
use crate::error::Error;
use crate::escape;
use crate::protocol::ProxyVersion;
use crate::service::sigv4::AccessKey;
use crate::transport::web_socket::{Header, Query, Upgrade};
use crate::transport::{Address, Proxy};
use clap::{ArgAction, ArgMatches, Args};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Where the broker is when nobody says.
pub(super) const USUAL_HOST: &str = "localhost";

/// Where brokers have their WebSocket.
const WEB_SOCKET_PATH: &str = "/mqtt";

/// What cannot stand in the path of a request, and what would end it.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

/// The way to the broker.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct NetworkArgs {
    /// The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it.
    /// SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of
    /// the WebSocket
    #[arg(short = 'L', long, value_name = "URL")]
    pub url: Option<OsString>,
    /// The path of the broker's unix socket; or -p 0, and the path as -h
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,
    /// Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect
    #[arg(short = 'S', action = ArgAction::SetTrue)]
    pub srv: bool,
    /// Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080),
    /// or http:// (8080)
    #[arg(long, value_name = "URL")]
    pub proxy: Option<OsString>,
    /// Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or
    /// v2 (binary)
    #[arg(long, value_name = "VERSION", value_parser = proxy_version)]
    pub proxy_protocol: Option<ProxyVersion>,
    /// Speak MQTT over WebSocket
    #[arg(long, action = ArgAction::SetTrue)]
    pub ws: bool,
    /// The WebSocket's path [default: /mqtt]
    #[arg(long, value_name = "PATH")]
    pub ws_path: Option<String>,
    /// A header to send with the request for the WebSocket, as in 'Authorization: Bearer TOKEN'. Can be repeated
    #[arg(long, value_name = "HEADER")]
    pub ws_header: Vec<String>,
    /// Send small packets at once, which is always done
    #[arg(long, action = ArgAction::SetTrue)]
    pub nodelay: bool,
    /// What was typed besides, and where.
    #[arg(skip)]
    pub(super) typed: Typed,
    /// What signs the request for a WebSocket.
    #[arg(skip)]
    pub(super) access_key: Option<AccessKey>,
}

/// What matters about the order on the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    /// There is `-t`, or `-U`.
    has_topic: bool,
    /// The options about something else than the place that stand before `-L`.
    before_url: Vec<&'static str>,
    /// The options that say where the broker is, in the order of their last places.
    places: Vec<&'static str>,
    /// The option that the URL came from, where that is not `-L`.
    url_option: Option<&'static str>,
}

impl Typed {
    pub(super) fn of(matches: &ArgMatches) -> Typed {
        let last = |id: &str| super::is_set(matches, id).then(|| matches.indices_of(id)?.next_back())?;
        let mut before_url = vec!["username", "password", "topic"];
        before_url.retain(|id| last(id).is_some_and(|index| Some(index) < last("url")));
        let mut places = vec!["host", "port", "unix", "url"];
        places.retain(|id| last(id).is_some());
        places.sort_by_key(|id| last(id));
        Typed {
            has_topic: last("topic").is_some() || last("unsubscribe").is_some(),
            before_url,
            places,
            url_option: None,
        }
    }
}

/// What the options about connection and network come to.
#[derive(Debug)]
pub(super) struct Way {
    /// The name or address that was typed, which a certificate has to be for.
    pub(super) host: String,
    /// The port that was typed or is usual; 0 for a unix socket, and for one that SRV records will tell.
    pub(super) port: u16,
    /// Whether a URL asks for TLS.
    pub(super) is_secure: bool,
    pub(super) proxy: Option<Proxy>,
    is_web_socket: bool,
    /// The unix socket that it leads to.
    socket: Option<PathBuf>,
}

impl Way {
    /// Whether it leads to a unix socket.
    pub(super) fn is_unix(&self) -> bool {
        self.socket.is_some()
    }
}

impl NetworkArgs {
    /// Leads to this URL, which came from another option than `-L`. Its path is that of the WebSocket.
    pub(super) fn lead_to(&mut self, url: &str, option: &'static str) {
        self.url = Some(url.into());
        self.typed =
            Typed { has_topic: true, before_url: vec![], places: vec!["url"], url_option: Some(option) };
    }

    /// Whether something says where the broker is.
    pub(super) fn names_place(&self) -> bool {
        self.names_host() || self.srv
    }

    /// Whether something names the host, or the socket in its place.
    pub(super) fn names_host(&self) -> bool {
        self.typed.places.iter().any(|place| *place != "port")
    }

    /// Notes that the host is named, before all other places.
    pub(super) fn name_host(&mut self) {
        self.typed.places.insert(0, "host");
    }

    /// Whether there is a URL that asks for no TLS.
    pub(super) fn has_plain_url(&self, names: Names) -> Result<bool, Error> {
        Ok(self.url(names)?.is_some_and(|url| !url.scheme.is_secure() && url.scheme != Scheme::Unix))
    }

    /// Whether MQTT goes over a WebSocket.
    pub(super) fn is_web_socket(&self, names: Names) -> Result<bool, Error> {
        Ok(self.ws || self.url(names)?.is_some_and(|url| url.scheme.is_web_socket()))
    }

    /// This path for the WebSocket, unless an option or the URL names another one.
    pub(super) fn web_socket_path_unless_named(&mut self, names: Names, path: &str) -> Result<(), Error> {
        let of_url = self.url(names)?.and_then(|url| url.raw_path());
        let is_named = of_url.is_some_and(|path| path != "/") && self.url_has_web_socket_path(names);
        if self.ws_path.is_none() && !is_named {
            self.ws_path = Some(path.to_owned());
        }
        Ok(())
    }

    /// Refuses a user or a path where the URL is only a place.
    ///
    /// # Errors
    /// When it has one, or cannot be read.
    pub(super) fn check_no_credentials(&self) -> Result<(), Error> {
        let Some(url) = self.url(Names::Mq)? else { return Ok(()) };
        if url.username.is_some() || url.password.is_some() {
            return Err(self.bad_url("leave USER:PASSWORD@ out, since clients say who they are"));
        }
        let is_topic = !url.scheme.is_web_socket() && url.raw_path().is_some_and(|path| path != "/");
        if is_topic { Err(self.bad_url("leave the path out; topics are the clients'")) } else { Ok(()) }
    }

    /// Where to connect to; `port` is for when nothing names one.
    pub(super) fn way(&self, names: Names, connection: &ConnectionArgs, port: u16) -> Result<Way, Error> {
        let url = self.url(names)?;
        let url = url.as_ref();
        let has_place = connection.host.is_some() || connection.port.is_some();
        if names == Names::Mq && self.unix.is_some() && has_place {
            return Err(usage("--unix goes without -h and -p"));
        }
        let is_pathless = connection.port == Some(0) && connection.host.is_none() && url.is_none();
        if names == Names::Mq && is_pathless {
            return Err(usage("-p 0 stands for a unix socket, whose path -h gives"));
        }
        let (host, port) = self.place(names, connection, url, port);
        let is_web_socket = self.is_web_socket(names)?;
        let way = Way {
            host: host.to_string_lossy().into_owned(),
            socket: (port == 0).then(|| PathBuf::from(host)),
            port,
            is_secure: url.is_some_and(|url| url.scheme.is_secure()),
            proxy: self.proxy()?,
            is_web_socket,
        };
        self.check(&way)?;
        Ok(if self.srv { Way { port: 0, ..way } } else { way })
    }

    /// Host and port; for a unix socket its path, and 0. Each option overrides those before it; under `mq` a URL counts as
    /// the first.
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
        let told = |option| -> (Option<OsString>, Option<u16>) {
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
        let usual = (OsString::from(USUAL_HOST), usual_port);
        options.into_iter().map(told).fold(usual, |(host, port), (new_host, new_port)| {
            (new_host.unwrap_or(host), new_port.unwrap_or(port))
        })
    }

    fn check(&self, way: &Way) -> Result<(), Error> {
        let problems = [
            (way.is_unix() && way.proxy.is_some(), "--proxy: no proxy leads to a unix socket"),
            (way.is_unix() && self.srv, "-S: there are no SRV records for a unix socket"),
            (
                self.srv && way.host.parse::<IpAddr>().is_ok(),
                "-S: SRV records belong to a name; -h has an address",
            ),
            (self.srv && way.is_web_socket, "-S finds brokers of MQTT over TCP, not over WebSocket"),
            (self.ws_path.is_some() && !way.is_web_socket, "--ws-path without --ws or a URL with ws or wss"),
            (
                !self.ws_header.is_empty() && !way.is_web_socket,
                "--ws-header without --ws or a URL with ws or wss",
            ),
        ];
        match problems.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, problem)) => Err(usage(problem)),
            None => Ok(()),
        }
    }

    /// What to connect to, once it is known whether TLS is spoken.
    pub(super) fn address(&self, way: &Way, is_secure: bool) -> Address {
        if self.srv {
            let service = if is_secure { "_secure-mqtt" } else { "_mqtt" };
            return Address::Service(format!("{service}._tcp.{}", way.host));
        }
        match &way.socket {
            Some(path) => Address::Unix(path.clone()),
            None => Address::Tcp { host: way.host.clone(), port: way.port },
        }
    }

    /// The WebSocket to open, if there is to be one.
    pub(super) fn upgrade(&self, names: Names, way: &Way, is_secure: bool) -> Result<Option<Upgrade>, Error> {
        if !way.is_web_socket {
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
        let host = host_header(names, way, is_secure);
        let query = self.access_key.clone().map(|key| signed_query(key, host.clone(), path.clone()));
        Ok(Some(Upgrade { host, path, query, headers, offers_v31: false }))
    }

    /// The topic that the URL names, if any.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn url_topic(&self, names: Names) -> Result<Option<String>, Error> {
        match self.url(names)? {
            Some(url) if url.scheme.is_web_socket() && self.url_has_web_socket_path(names) => Ok(None),
            Some(url) => match url.topic().map_err(|problem| self.bad_url(&problem))? {
                None if names == Names::Mosquitto => Err(self.bad_url("it names no topic")),
                topic => Ok(topic),
            },
            None => Ok(None),
        }
    }

    /// What to say when no topic is named, with punctuation in front.
    pub fn without_topic(&self) -> &'static str {
        if self.url.is_some() { "; the URL of -L names none" } else { "" }
    }

    /// For a command that needs no topic: the path of a URL for a WebSocket is the WebSocket's.
    pub(super) fn needs_no_topic(&mut self) {
        self.typed.has_topic = true;
    }

    /// Whether the path of a URL for a WebSocket is the WebSocket's, since the topic is typed elsewhere.
    fn url_has_web_socket_path(&self, names: Names) -> bool {
        names == Names::Mq && self.typed.has_topic
    }

    /// Whether `-t` is overridden by a URL behind it, as with mosquitto's tools.
    pub(super) fn url_comes_last(&self) -> bool {
        self.typed.before_url.contains(&"topic")
    }

    /// What the URL says of who we are.
    pub(super) fn url_credentials(&self, names: Names) -> Result<(Option<String>, Option<Vec<u8>>), Error> {
        Ok(self.url(names)?.map(|url| (url.username, url.password)).unwrap_or_default())
    }

    /// The value of an option, or what the URL says in its place.
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
        let url = as_text(text).and_then(|text| Url::parse(text, names));
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

/// Signs a request for a WebSocket, for each connection anew.
fn signed_query(key: AccessKey, host: String, path: String) -> Query {
    Query(Arc::new(move || key.query(&host, &path, SystemTime::now())))
}

fn proxy_version(text: &str) -> Result<ProxyVersion, String> {
    let versions = [ProxyVersion::V1, ProxyVersion::V2];
    let version = versions.into_iter().find(|version| version.name() == text);
    version.ok_or_else(|| "expected v1 or v2".to_owned())
}

fn as_text(word: &OsStr) -> Result<&str, String> {
    word.to_str().ok_or_else(|| "it is not UTF-8; bytes are written %xx".to_owned())
}

fn bad_url(option: &str, text: &OsStr, problem: &str) -> Error {
    usage(&format!("{option} {}: {problem}", escape::line(&without_secrets(&text.to_string_lossy()))))
}

fn usage(problem: &str) -> Error {
    Error::Usage(problem.to_owned())
}

/// The host with its port, unless that is the usual one; mosquitto's tools leave it out always.
fn host_header(names: Names, way: &Way, is_secure: bool) -> String {
    let host = if way.host.contains(':') { format!("[{}]", way.host) } else { way.host.clone() };
    match way.port {
        0 => "localhost".to_owned(),
        80 if !is_secure => host,
        443 if is_secure => host,
        _ if names == Names::Mosquitto => host,
        port => format!("{host}:{port}"),
    }
}
