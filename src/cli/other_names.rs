//! Options that other MQTT tools call differently: MQTTX and emqtt_bench, and the names that people try first.

use crate::suggestion::is_same;

/// A name elsewhere, and the option that it is here.
const OTHER_NAMES: [(&str, &str); 22] = [
    ("--ca", "--cafile"),
    ("--clean", "--disable-clean-session"),
    ("--client-id", "--id"),
    ("--concurrency", "--clients"),
    ("--count", "--clients"),
    ("--hostname", "--host"),
    ("--interval", "--connect-rate"),
    ("--interval-of-msg", "--rate"),
    ("--limit", "--messages"),
    ("--message-interval", "--rate"),
    ("--mqtt-version", "--protocol-version"),
    ("--no-clean", "--disable-clean-session"),
    ("--password", "--pw"),
    ("--path", "--ws-path"),
    ("--payload", "--message"),
    ("--payload-size", "--size"),
    ("--protocol", "--url"),
    ("--secure", "--tls-use-os-certs"),
    ("--ssl", "--tls-use-os-certs"),
    ("--tls", "--tls-use-os-certs"),
    ("--verbose", "--debug"),
    ("--workers", "--threads"),
];

/// The option that another tool calls so, if it is one of the known ones.
pub(super) fn option_for<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let (_, option) = OTHER_NAMES.into_iter().find(|(other, _)| is_same(typed, other))?;
    known.iter().copied().find(|known| *known == option)
}
