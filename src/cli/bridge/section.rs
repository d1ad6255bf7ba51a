//! A bridge section of mosquitto.conf as a plan.

use super::conf::{Conf, Listener, Place, Section, Value};
use super::keys::{self, Meaning};
use super::plan::{Notifications, Plan, Source, Tuning, check_identifier, host_name};
use super::words::Words;
use crate::bridge::Side;
use crate::bridge::settings::{Pause, RetainMode};
use crate::cli::Error;
use crate::cli::config::{Origin, Place as ValuePlace, side};
use crate::cli::connection::PORT;
use crate::cli::session::ClientArgs;
use crate::cli::values::{self, expected};
use crate::escape::shortened;
use crate::protocol::Version;
use std::ffi::OsString;
use std::rc::Rc;
use std::time::Duration;

/// The pauses between attempts to connect.
const PAUSE: Pause = Pause { first: Duration::from_secs(5), longest: Duration::from_secs(30) };

/// The option with the file.
const CONFIG: &str = "--config";

/// The values of a connection option that the parsers of a client read.
type ClientValues = Vec<(&'static str, OsString, Origin)>;

impl Section {
    /// The plan of the section. `local` is the local broker, unless the file names it.
    ///
    /// # Errors
    /// The mistake, with its place.
    pub(super) fn plan(&self, conf: &Conf, local: Option<&ClientArgs>) -> Result<Plan, Error> {
        let addresses = self.addresses()?;
        if self.rules.is_empty() {
            let problem = format!("connection '{}' has no topic line", shortened(&self.name));
            return Err(self.place.mistake(problem));
        }
        self.check_start_type()?;
        let of_client_id = |name| self.values.get(name).map(|value: &Value| value.text.clone());
        let client_id =
            of_client_id("remote_clientid").unwrap_or_else(|| format!("{}.{}", host_name(), self.name));
        let local_id = of_client_id("local_clientid").unwrap_or_else(|| format!("local.{client_id}"));
        self.check_identifier("remote_clientid", &client_id)?;
        self.check_identifier("local_clientid", &local_id)?;
        let in_words = |side| {
            let source = self.source();
            move |error| Words::File.error(side, error, |text| source.place_of(text))
        };
        let (mut remote, alternatives) = self.remote(&addresses).map_err(in_words(Side::Remote))?;
        let local_words = if local.is_some() { Words::Profile } else { Words::File };
        let mut local = match local {
            Some(local) => local.clone(),
            None => self.local(conf).map_err(in_words(Side::Local))?,
        };
        let clean = self.switch("cleansession", false)?;
        remote.session.disable_clean_session = !clean;
        local.session.disable_clean_session = !self.switch("local_cleansession", clean)?;
        remote.connection.version.get_or_insert(Version::V311);
        Ok(Plan {
            name: self.name.clone(),
            client_ids: [local_id, client_id],
            local,
            remote,
            alternatives,
            rules: self.rules.clone(),
            tuning: self.tuning()?,
            source: self.source(),
            local_words,
        })
    }

    /// Checks a client identifier that this key sets, or the name of the section.
    fn check_identifier(&self, key: &str, identifier: &str) -> Result<(), Error> {
        let value = self.values.get(key);
        let (key, place) = value.map_or(("connection", &self.place), |value| (key, &value.place));
        check_identifier(identifier).map_err(|problem| place.mistake(format!("{key}: {problem}")))
    }

    fn source(&self) -> Source {
        let keys = self.values.iter().map(|(key, value)| (*key, value.place.clone())).collect();
        Source::Section { place: self.place.clone(), keys }
    }

    fn tuning(&self) -> Result<Tuning, Error> {
        let keeps_retain = self.switch("bridge_outgoing_retain", true)?;
        let notifications =
            match (self.switch("notifications", true)?, self.switch("notifications_local_only", false)?) {
                (false, _) => Notifications::None,
                (true, true) => Notifications::Local,
                (true, false) => Notifications::Both,
            };
        let receive_maximum =
            self.number("bridge_receive_maximum", "a number from 1 to 65535", 1..=65_535)?;
        let packet_size =
            self.number("bridge_max_packet_size", "a size in bytes", 0..=u64::from(u32::MAX))?;
        let expiry = |value: &Value| {
            values::session_expiry(&value.text)
                .map_err(|problem| value.place.mistake(format!("bridge_session_expiry_interval: {problem}")))
        };
        let topic = |value: &Value| {
            let topic = values::topic_name(&value.text);
            let topic = topic.map_err(|problem| format!("notification_topic: {problem}"));
            topic.map(|topic| topic.as_str().to_owned()).map_err(|problem| value.place.mistake(problem))
        };
        Ok(Tuning {
            round_robin: self.switch("round_robin", false)?,
            pause: self.pause()?,
            session_expiry: self.values.get("bridge_session_expiry_interval").map(expiry).transpose()?,
            receive_maximum: receive_maximum.and_then(|number| u16::try_from(number).ok()),
            maximum_packet_size: packet_size
                .and_then(|size| u32::try_from(size).ok())
                .filter(|size| *size > 0),
            try_private: self.switch("try_private", true)?,
            retain_out: if keeps_retain { RetainMode::Keep } else { RetainMode::Clear },
            retain_in: RetainMode::Keep,
            notifications: Some(notifications),
            notification_topic: self.values.get("notification_topic").map(topic).transpose()?,
            unsubscribes: self.switch("bridge_attempt_unsubscribe", true)?,
        })
    }

    /// The client of the remote broker at its first address, and the other addresses.
    fn remote(&self, addresses: &[(String, Place)]) -> Result<(ClientArgs, Vec<(String, u16)>), Error> {
        let mut values = self.client_values(Side::Remote)?;
        let (first, others) = addresses.split_first().ok_or_else(|| self.place.mistake("missing address"))?;
        let url = first.0.contains("://").then_some(&first.0);
        let hosts =
            |(text, place): &(String, Place)| host_and_port(text).map_err(|problem| place.mistake(problem));
        let others = others.iter().map(hosts).collect::<Result<Vec<_>, _>>()?;
        if url.is_none() {
            let (host, port) = hosts(first)?;
            values.extend(place_values(host, port, &first.1));
        }
        let mut client = side::client_of_values(CONFIG, values)?;
        if let Some(url) = url {
            client.network.lead_to(url, "address");
        }
        Ok((client, others))
    }

    /// The client of the local broker: at `local_address`, or at the listener of the file.
    fn local(&self, conf: &Conf) -> Result<ClientArgs, Error> {
        let mut values = self.client_values(Side::Local)?;
        if let Some(Value { text, place }) = self.values.get("local_address") {
            if text.contains("://") {
                let mut client = side::client_of_values(CONFIG, values)?;
                client.network.lead_to(text, "local_address");
                return Ok(client);
            }
            let (host, port) = host_and_port(text).map_err(|problem| place.mistake(problem))?;
            values.extend(place_values(host, port, place));
            return side::client_of_values(CONFIG, values);
        }
        let listener = conf.listener().ok_or_else(|| {
            self.place.mistake(
                "no listener of the file accepts MQTT without TLS; add local_address HOST:PORT, or set --from",
            )
        })?;
        let (host, port) = listener.address();
        values.extend(place_values(host, port, &self.place));
        side::client_of_values(CONFIG, values)
    }

    /// The connection options of a side.
    fn client_values(&self, which: Side) -> Result<ClientValues, Error> {
        let mut values: ClientValues = Vec::new();
        for (name, value) in &self.values {
            let Some(key) = keys::find(name) else { continue };
            let option = match key.meaning {
                Meaning::Client(side, option) | Meaning::Switch(side, option) if side == which => option,
                _ => continue,
            };
            let text = match (*name, key.meaning) {
                (name, Meaning::Switch(..)) => self.switch(name, false)?.to_string(),
                ("bridge_protocol_version", _) => version(value)?.to_owned(),
                ("keepalive_interval", _) => keep_alive(value)?.to_owned(),
                _ => value.text.clone(),
            };
            let earlier = values.iter_mut().find(|(known, ..)| *known == option);
            match earlier {
                // The suites of TLS 1.3 have a key of their own.
                Some((_, joined, _)) => {
                    joined.push(":");
                    joined.push(text);
                }
                None => values.push((option, text.into(), origin(&value.place))),
            }
        }
        Ok(values)
    }

    fn addresses(&self) -> Result<Vec<(String, Place)>, Error> {
        let Some(value) = self.values.get("address") else {
            let problem = format!("connection '{}' has no address line", shortened(&self.name));
            return Err(self.place.mistake(problem));
        };
        Ok(value.text.split_whitespace().map(|word| (word.to_owned(), value.place.clone())).collect())
    }

    fn check_start_type(&self) -> Result<(), Error> {
        let Some(Value { text, place }) = self.values.get("start_type") else { return Ok(()) };
        match text.as_str() {
            "automatic" => Ok(()),
            "lazy" | "once" => Err(place.mistake(format!(
                "start_type {text} is not supported: mq bridge connects at once and stays connected"
            ))),
            _ => Err(place.mistake(format!("start_type: {}", expected("automatic")))),
        }
    }

    fn pause(&self) -> Result<Pause, Error> {
        let Some(Value { text, place }) = self.values.get("restart_timeout") else { return Ok(PAUSE) };
        let wrong = || {
            place.mistake(format!(
                "restart_timeout: {}",
                expected("one or two numbers of seconds of at least 1, the smaller one first")
            ))
        };
        let numbers: Option<Vec<u64>> = text
            .split_whitespace()
            .map(|word| word.parse().ok().filter(|number| (1..=86_400).contains(number)))
            .collect();
        match numbers.as_deref() {
            Some([constant]) => {
                let constant = Duration::from_secs(*constant);
                Ok(Pause { first: constant, longest: constant })
            }
            Some([first, longest]) if first <= longest => {
                Ok(Pause { first: Duration::from_secs(*first), longest: Duration::from_secs(*longest) })
            }
            _ => Err(wrong()),
        }
    }

    fn switch(&self, name: &str, default: bool) -> Result<bool, Error> {
        let Some(Value { text, place }) = self.values.get(name) else { return Ok(default) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(place.mistake(format!("{name}: {}", expected("true or false")))),
        }
    }

    fn number(
        &self,
        name: &str,
        form: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Error> {
        let Some(Value { text, place }) = self.values.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| place.mistake(format!("{name}: {}", expected(form))))
    }

    /// Rejects the keys that mosquitto supports and mq does not.
    ///
    /// # Errors
    /// The key.
    pub(super) fn check_supported(&self) -> Result<(), Error> {
        if self.switch("bridge_require_ocsp", false)? {
            let place = self.values.get("bridge_require_ocsp").map_or(&self.place, |value| &value.place);
            return Err(
                place.mistake("'bridge_require_ocsp' is not supported: OCSP responses are not checked")
            );
        }
        Ok(())
    }
}

/// The form of an address.
const ADDRESS: &str = "invalid address: expected HOST or HOST:PORT";

impl Listener {
    /// The address to connect to.
    fn address(&self) -> (String, u16) {
        let host = match self.host.as_deref() {
            None | Some("0.0.0.0" | "*") => "127.0.0.1",
            Some("::") => "localhost",
            Some(host) => host,
        };
        (host.to_owned(), self.port)
    }
}

fn place_values(host: String, port: u16, place: &Place) -> ClientValues {
    let origin = origin(place);
    vec![("host", host.into(), origin.clone()), ("port", port.to_string().into(), origin)]
}

fn origin(place: &Place) -> Origin {
    let path = Rc::from(place.path.as_path());
    Origin::Defaults(ValuePlace { path, line: place.line, column: place.column })
}

/// The host and the port of an address.
///
/// # Errors
/// The problem, in a sentence.
fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = split_address(text).ok_or(ADDRESS)?;
    if host.parse::<u16>().is_ok() {
        return Err(format!(
            "invalid address '{text}', which looks like a port: expected HOST:PORT, with a colon"
        ));
    }
    Ok((host, port))
}

/// The parts of `HOST`, `HOST:PORT`, or an IPv6 address with or without brackets. The default port is the same with TLS.
fn split_address(text: &str) -> Option<(String, u16)> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, PORT),
            (host, rest) => (host, port(rest.strip_prefix(':')?)?),
        },
        None => match text.split_once(':') {
            Some((host, rest)) if !rest.contains(':') => (host, port(rest)?),
            _ => (text, PORT),
        },
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

fn version(value: &Value) -> Result<&'static str, Error> {
    match value.text.to_ascii_lowercase().as_str() {
        "mqttv31" | "3" | "31" => Ok("31"),
        "mqttv311" | "4" | "311" => Ok("311"),
        "mqttv50" | "mqttv5" | "5" => Ok("5"),
        _ => Err(value
            .place
            .mistake(format!("bridge_protocol_version: {}", expected("mqttv31, mqttv311 or mqttv50")))),
    }
}

fn keep_alive(value: &Value) -> Result<&str, Error> {
    let is_valid = value.text.parse::<u16>().is_ok_and(|seconds| seconds >= 5);
    is_valid.then_some(value.text.as_str()).ok_or_else(|| {
        value
            .place
            .mistake(format!("keepalive_interval: {}", expected("a number of seconds from 5 to 65535")))
    })
}
