//! URLs of brokers and proxies. Messages omit the part before the `@`, as it may contain a password.
//!
//! A broker's path is the topic, in which `#`, `+` and `?` are ordinary characters, unlike in web URLs.

use super::{Names, numbers, sn};
use crate::protocol::sn::DEFAULT_PORT;
use crate::transport::http_get::HttpUrl;
use crate::transport::{Credentials, Proxy, ProxyKind};
use percent_encoding::percent_decode_str;

/// The port of URLs with the scheme `http`.
const HTTP_PORT: u16 = 80;

/// A broker's URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: Scheme,
    pub(super) username: Option<String>,
    pub(super) password: Option<Vec<u8>>,
    /// A name or an address, IPv6 without brackets; a path for unix sockets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The text after the host and its `/`, as typed.
    path: Option<String>,
    is_encoded: bool,
}

/// Schemes of broker URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Mqtt,
    Mqtts,
    Ws,
    Wss,
    Unix,
    /// An MQTT-SN gateway.
    MqttSn,
}

impl Scheme {
    pub(super) fn is_secure(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    pub(super) fn is_web_socket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    pub(super) fn default_port(self, names: Names) -> u16 {
        match (self, names) {
            (Scheme::Mqtt, _) | (Scheme::Ws, Names::Mosquitto) => 1883,
            (Scheme::Mqtts, _) | (Scheme::Wss, Names::Mosquitto) => 8883,
            (Scheme::Ws, Names::Mq) => 80,
            (Scheme::Wss, Names::Mq) => 443,
            (Scheme::Unix, _) => 0,
            (Scheme::MqttSn, _) => DEFAULT_PORT,
        }
    }
}

impl Url {
    /// Parses a broker's URL. Under mosquitto's names `%` is an ordinary character, and the first `@` ends the
    /// password.
    pub(super) fn parse(text: &str, names: Names) -> Result<Url, String> {
        Url::parse_scheme(text, names, "mqtt, mqtts, ws, wss, unix or mqtt-sn")
    }

    /// The same for a command that cannot connect to MQTT-SN gateways. Their scheme is known, but not offered as a choice.
    pub(super) fn parse_of_broker(text: &str, names: Names) -> Result<Url, String> {
        Url::parse_scheme(text, names, "mqtt, mqtts, ws, wss or unix")
    }

    fn parse_scheme(text: &str, names: Names, schemes: &str) -> Result<Url, String> {
        let is_encoded = names == Names::Mq;
        let (scheme, rest) = split_scheme(text)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" => Scheme::Mqtt,
            "mqtts" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            "unix" if names == Names::Mq => Scheme::Unix,
            sn::SCHEME if names == Names::Mq => Scheme::MqttSn,
            _ if names == Names::Mq => {
                return Err(format!("unknown scheme; expected {schemes}"));
            }
            _ => return Err("unknown scheme; expected mqtt, mqtts, ws or wss".to_owned()),
        };
        if scheme == Scheme::Unix {
            let host = decode_text(rest, "path")?;
            let (username, password, port, path) = (None, None, None, None);
            return Ok(Url { scheme, username, password, host, port, path, is_encoded });
        }
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path.to_owned())),
            None => (rest, None),
        };
        let split = if is_encoded { authority.rsplit_once('@') } else { authority.split_once('@') };
        let (user_info, place) = split.map_or((None, authority), |(info, place)| (Some(info), place));
        let (username, password) = user_info.map(split_user_info).unwrap_or_default();
        let (host, port) = split_place(place, names)?;
        let (username, password, host) = if is_encoded {
            (
                username.map(|name| decode_text(name, "user name")).transpose()?,
                password.map(|password| decode(password, "password")).transpose()?,
                decode_text(host, "host")?,
            )
        } else {
            (username.map(str::to_owned), password.map(|word| word.as_bytes().to_vec()), host.to_owned())
        };
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        if host.contains(|character: char| is_never_in_hosts(character) || "?#@".contains(character)) {
            return Err("the host contains an invalid character; a / must precede the path".to_owned());
        }
        Ok(Url { scheme, username, password, host, port, path, is_encoded })
    }

    /// The path as a topic; `None` if nothing follows the host.
    pub(super) fn topic(&self) -> Result<Option<String>, String> {
        let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) else { return Ok(None) };
        let topic = if self.is_encoded { decode_text(path, "topic")? } else { path.to_owned() };
        Ok(Some(topic))
    }

    /// The path as typed, including its `/`.
    pub(super) fn raw_path(&self) -> Option<String> {
        self.path.as_ref().map(|path| format!("/{path}"))
    }
}

/// Parses a proxy's URL.
pub(super) fn proxy(text: &str) -> Result<Proxy, String> {
    let (scheme, rest) = split_scheme(text)?;
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "socks5h" => ProxyKind::Socks5WithNames,
        "socks5" => ProxyKind::Socks5,
        "http" => ProxyKind::HttpConnect,
        _ => return Err("unknown scheme; expected socks5h, socks5 or http".to_owned()),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('/') {
        return Err("it must not have a path; write / in a password as %2F".to_owned());
    }
    let (user_info, place) = rest.rsplit_once('@').map_or((None, rest), |(info, place)| (Some(info), place));
    let (host, port) = split_place(place, Names::Mq)?;
    let host = decode_text(host, "host")?;
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    check_host(&host)?;
    let (user_name, password) = user_info.map(split_user_info).unwrap_or_default();
    let credentials = match (user_name, password) {
        (None, None) => None,
        (user_name, password) => Some(Credentials {
            user_name: decode_text(user_name.unwrap_or_default(), "user name")?,
            password: decode_text(password.unwrap_or_default(), "password")?,
        }),
    };
    Ok(Proxy { kind, host, port: port.unwrap_or_else(|| kind.default_port()), credentials })
}

/// Parses the URL of a page, whose path is `/metrics` unless it has another one.
pub(super) fn page(text: &str) -> Result<HttpUrl, String> {
    let (scheme, rest) = split_scheme(text)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        "https" => return Err("https is not supported; expected http".to_owned()),
        _ => return Err("unknown scheme; expected http".to_owned()),
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err("a user name and a password are not supported".to_owned());
    }
    let (host, port) = split_place(authority, Names::Mq)?;
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    if !text.chars().all(|character| character.is_ascii_graphic()) {
        return Err("it contains an invalid character".to_owned());
    }
    let path = match path.split('#').next().unwrap_or_default() {
        "" | "/" => "/metrics".to_owned(),
        query if query.starts_with('?') => format!("/metrics{query}"),
        path => path.to_owned(),
    };
    Ok(HttpUrl { host: host.to_owned(), port: port.unwrap_or(HTTP_PORT), path })
}

/// The URL for display, without credentials and without a query, which can contain a token.
pub(super) fn without_secrets(text: &str) -> String {
    let after_credentials = text.rsplit_once('@').map_or(text, |(_, after)| after);
    let shown = match query_of(text, after_credentials) {
        Some(at) => format!("{}?...", after_credentials.get(..at).unwrap_or_default()),
        None => after_credentials.to_owned(),
    };
    let Some((before, _)) = text.rsplit_once('@') else { return shown };
    let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://"));
    format!("{}...@{shown}", scheme.unwrap_or_default())
}

/// Whether the URL contains credentials or a query.
pub(super) fn may_have_secrets(text: &str) -> bool {
    text.contains('@') || query_of(text, text).is_some()
}

/// The position of the query in a part of a URL. A topic in the URL of a broker has none, and neither has the path of a unix socket.
fn query_of(url: &str, part: &str) -> Option<usize> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let has_topic = ["mqtt", "mqtts", "unix", sn::SCHEME].contains(&scheme.unwrap_or_default().as_str());
    part.find('?').filter(|_| !has_topic)
}

/// Whether there is a user name, and whether there is a password, valid or not.
pub(super) fn has_credentials(text: &str) -> (bool, bool) {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let (name, password) =
        authority.rsplit_once('@').map(|(user_info, _)| split_user_info(user_info)).unwrap_or_default();
    (name.is_some(), password.is_some())
}

/// Whether it is invalid as the URL of a broker or a proxy.
pub(super) fn is_malformed(text: &str) -> bool {
    Url::parse(text, Names::Mq).is_err() && proxy(text).is_err()
}

pub(super) fn is_web_socket(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["ws", "wss"].contains(&scheme.as_str()))
}

/// The URL up to its path, and the path with its `/`, if there is one. A unix socket's path does not count.
pub(super) fn split_path(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let at = rest.find('/').filter(|_| !scheme.eq_ignore_ascii_case("unix"))?;
    text.split_at_checked(scheme.len() + 3 + at)
}

/// Rejects characters that no host has.
///
/// # Errors
/// The problem, without the host.
pub(super) fn check_host(host: &str) -> Result<(), &'static str> {
    if host.contains(is_never_in_hosts) {
        return Err("the host contains a space or a control character");
    }
    Ok(())
}

/// Whether no host's name and no address has this character.
fn is_never_in_hosts(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    text.split_once("://").ok_or_else(|| "expected SCHEME://HOST".to_owned())
}

fn split_user_info(user_info: &str) -> (Option<&str>, Option<&str>) {
    let (name, password) =
        user_info.split_once(':').map_or((user_info, None), |(name, password)| (name, Some(password)));
    (Some(name).filter(|name| !name.is_empty()), password)
}

/// Splits a host, which may be IPv6 in brackets, from its port.
fn split_place(place: &str, names: Names) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("missing ] after [")?;
            let is_port = port.is_empty() || port.starts_with(':');
            (
                host,
                is_port
                    .then(|| port.strip_prefix(':'))
                    .ok_or("only a port may follow ], as in [::1]:1883")?,
            )
        }
        None => match place.split_once(':') {
            Some((_, rest)) if rest.contains(':') => {
                return Err("write an IPv6 address in brackets, as in [::1], \
                and : and @ in a password as %3A and %40"
                    .to_owned());
            }
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let Some(port) = port else { return Ok((host, None)) };
    let read = match names {
        Names::Mq => port.parse().ok(),
        Names::Mosquitto => u16::try_from(numbers::integer(port.as_bytes())).ok(),
    };
    match read {
        Some(number) if number > 0 && !port.starts_with('+') => Ok((host, Some(number))),
        // The text is not shown, as it may be part of a password.
        _ => Err("the port must be a number from 1 to 65535; write / and @ in a password as %2F and %40"
            .to_owned()),
    }
}

fn decode_text(text: &str, part: &str) -> Result<String, String> {
    String::from_utf8(decode(text, part)?).map_err(|_| format!("the {part} is not UTF-8"))
}

fn decode(text: &str, part: &str) -> Result<Vec<u8>, String> {
    let is_escape = |rest: &str| {
        let mut digits = rest.chars();
        [digits.next(), digits.next()]
            .iter()
            .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
    };
    if text.split('%').skip(1).any(|rest| !is_escape(rest)) {
        return Err(format!("a % in the {part} is not followed by two hexadecimal digits; write % as %25"));
    }
    Ok(percent_decode_str(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match Url::parse(text, Names::Mq) {
            Ok(url) => {
                let password = url.password.as_ref().map(|password| password.escape_ascii().to_string());
                let topic = url.topic();
                format!(
                    "{:?} {:?} {password:?} {} {:?} {topic:?}",
                    url.scheme, url.username, url.host, url.port
                )
            }
            Err(problem) => problem,
        }
    }

    #[test]
    fn every_part_is_found_and_decoded() {
        for (text, parts) in [
            ("mqtt://host", "Mqtt None None host None Ok(None)"),
            ("MQTTS://host/", "Mqtts None None host None Ok(None)"),
            ("ws://host:8080/a/b", "Ws None None host Some(8080) Ok(Some(\"a/b\"))"),
            ("mqtt://ann@host//a", "Mqtt Some(\"ann\") None host None Ok(Some(\"/a\"))"),
            (
                "mqtt://ann:p%40:@w@[::1]:1/%23",
                "Mqtt Some(\"ann\") Some(\"p@:@w\") ::1 Some(1) Ok(Some(\"#\"))",
            ),
            (
                "mqtt://:%ff@[fe80::1]/home/#?+",
                "Mqtt None Some(\"\\\\xff\") fe80::1 None Ok(Some(\"home/#?+\"))",
            ),
            ("unix:///run/a%20b", "Unix None None /run/a b None Ok(None)"),
        ] {
            assert_eq!(parsed(text), parts, "{text}");
        }
    }

    #[test]
    fn mistakes_in_urls_are_reported_without_the_password() {
        for (text, part) in [
            ("host", "SCHEME://HOST"),
            ("http://host", "unknown scheme"),
            ("mqtt:///a", "no host"),
            ("mqtt://host:0/a", "port"),
            ("mqtt://host:65536", "port"),
            ("mqtt://ann:se/cret@host", "%2F"),
            ("mqtt://::1/a", "brackets"),
            ("mqtt://[::1/a", "missing ]"),
            ("mqtt://[::1]a/a", "port"),
            ("mqtt://ann:secret%4@host/a", "%25"),
            ("mqtt://ann%ff:secret@host/a", "UTF-8"),
            ("mqtt://a b/c", "invalid character"),
        ] {
            let problem = Url::parse(text, Names::Mq).unwrap_err();
            assert!(problem.contains(part) && !problem.contains("cret"), "{text}: {problem}");
            assert!(!without_secrets(text).contains("cret"), "{text}");
        }
        assert!(Url::parse("mqtt://host/a%", Names::Mq).unwrap().topic().is_err());
    }

    #[test]
    fn under_mosquittos_names_nothing_is_decoded() {
        let url = Url::parse("mqtt://a%40:p%@host/b%", Names::Mosquitto).unwrap();
        assert_eq!(
            (url.username.as_deref(), url.password.as_deref()),
            (Some("a%40"), Some(b"p%".as_slice()))
        );
        assert_eq!(url.topic().unwrap().as_deref(), Some("b%"));
        assert!(Url::parse("unix:///a", Names::Mosquitto).is_err());
    }

    #[test]
    fn a_page_is_at_metrics_unless_the_url_has_a_path() {
        let shown = |text| page(text).map(|url| format!("http://{}:{}{}", url.host, url.port, url.path));
        assert_eq!(shown("http://host").unwrap(), "http://host:80/metrics");
        assert_eq!(page("HTTP://[::1]:9/").unwrap().to_string(), "http://[::1]:9/metrics");
        assert_eq!(page("http://host/a?key=secret").unwrap().to_string(), "http://host:80/a?...");
        assert_eq!(shown("http://host:1/a/b?c=d#e").unwrap(), "http://host:1/a/b?c=d");
        assert_eq!(shown("http://host?c").unwrap(), "http://host:80/metrics?c");
        for (text, part) in [
            ("https://host", "https is not supported"),
            ("ftp://host", "unknown scheme; expected http"),
            ("host:9090", "SCHEME://HOST"),
            ("http://a:b@host", "not supported"),
            ("http://", "no host"),
            ("http://host:x", "port"),
            ("http://host/a b", "invalid character"),
        ] {
            assert!(page(text).unwrap_err().contains(part), "{text}");
        }
    }

    #[test]
    fn credentials_and_queries_are_not_displayed() {
        for (url, shown) in [
            ("wss://ann:secret@host/mqtt?token=secret", "wss://...@host/mqtt?..."),
            ("WS://host?secret", "WS://host?..."),
            ("http://host/a?key=secret@b", "http://...@b"),
            ("https://a:se?cret@host/a", "https://...@host/a"),
            ("/mqtt?token=secret", "/mqtt?..."),
            ("mqtt://host/a/?/b", "mqtt://host/a/?/b"),
            ("mqtt://ann:secret@host/a?", "mqtt://...@host/a?"),
        ] {
            assert_eq!(without_secrets(url), shown);
            assert_eq!(may_have_secrets(url), url.contains("cret"), "{url}");
        }
    }

    #[test]
    fn proxies_have_their_own_ports() {
        let shown = |text| proxy(text).map(|proxy| proxy.to_string());
        assert_eq!(shown("socks5h://a:b@host").unwrap(), "socks5h://host:1080");
        assert_eq!(shown("HTTP://[::1]/").unwrap(), "http://[::1]:8080");
        assert_eq!(shown("socks5://host:9").unwrap(), "socks5://host:9");
        let credentials = proxy("http://a%3a:p%2F%25@host").unwrap().credentials.unwrap();
        assert_eq!((credentials.user_name.as_str(), credentials.password.as_str()), ("a:", "p/%"));
        for text in [
            "socks4://host",
            "host:1080",
            "socks5h://",
            "socks5h://host:no",
            "http://a:b/c@host",
            "http://%4",
        ] {
            assert!(proxy(text).is_err(), "{text}");
        }
    }
}
