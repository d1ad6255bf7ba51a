//! Decides between the sources of a value: command line, environment, profile, defaults.
//!
//! A value of a higher source overrides the same option in lower ones, and its alternatives: the options that
//! conflict with it in clap or in the table below. Contradictions within one source are reported, not resolved.
//!
//! A URL sets several options: a host, a port and credentials of a higher source override only those parts of it, as when
//! both are typed.

use super::entry::{Entry, Origin};
use crate::cli::tls::TlsArgs;
use crate::cli::url;
use clap::{Args, Command};
use std::ffi::OsStr;

/// Number of sources besides the command line.
pub(super) const LAYERS: usize = 3;

/// Other options that an option overrides in lower sources.
const OVERRIDES: [(&str, &[&str]); 11] = [
    ("host", &["unix"]),
    // SRV records contain the port.
    ("port", &["unix", "srv"]),
    ("srv", &["unix"]),
    ("url", &["host", "port", "unix", "srv", "ws", "no-tls"]),
    ("unix", &["host", "port", "url", "srv", "proxy", "ws", "ws-path", "ws-header"]),
    // A named authority must be checked.
    ("cafile", &["psk", "psk-identity", "insecure"]),
    ("capath", &["psk", "psk-identity", "insecure"]),
    ("psk", &["cafile", "capath"]),
    // The password belongs to another key.
    ("key", &["key-password-file"]),
    // Both choose MQTT 5.
    ("session-expiry-interval", &["protocol-version"]),
    ("property", &["protocol-version"]),
];

/// All keys of the table, and of the other rules.
#[cfg(test)]
pub(super) fn named_keys() -> Vec<&'static str> {
    let table = OVERRIDES.iter().flat_map(|(key, others)| [&[*key][..], *others].concat());
    let rules = ["no-tls", "username", "password", "password-file", "ask-password", "ws-path", "ws-header"];
    table.chain(rules).collect()
}

/// The values in effect, from the lowest layer to the highest; `layers` begins with the highest.
pub(super) fn winners(command: &Command, typed: &[Entry], layers: [Vec<Entry>; LAYERS]) -> Vec<Entry> {
    let mut winners: Vec<Vec<Entry>> = Vec::new();
    for mut layer in layers {
        let higher: Vec<&Entry> = typed.iter().chain(winners.iter().flatten()).collect();
        layer.retain(|entry| !higher.iter().any(|higher| overrides(command, higher, entry)));
        winners.push(layer);
    }
    winners.reverse();
    winners.concat()
}

fn overrides(command: &Command, higher: &Entry, lower: &Entry) -> bool {
    if higher.slot() == lower.slot() {
        return true;
    }
    !higher.is_off()
        && (contradict(command, &higher.id, &lower.id)
            || contradict(command, &lower.id, &higher.id)
            || overrides_alternative(higher, lower))
}

/// Whether clap rejects the two options together.
fn contradict(command: &Command, id: &str, other: &str) -> bool {
    let arg = command.get_arguments().find(|arg| arg.get_id() == id);
    arg.is_some_and(|arg| command.get_arg_conflicts_with(arg).iter().any(|arg| arg.get_id() == other))
}

fn overrides_alternative(higher: &Entry, lower: &Entry) -> bool {
    let lower_key = lower.key.as_str();
    let in_table = OVERRIDES.iter().any(|(key, others)| *key == higher.key && others.contains(&lower_key));
    in_table
        || (lower_key == "no-tls" && is_about_tls(&higher.id))
        || match higher.key.as_str() {
            "url" => url_overrides(&higher.value, lower_key),
            "protocol-version" => !is_version_5(&higher.value) && needs_version_5(lower_key),
            _ => false,
        }
}

fn is_about_tls(id: &str) -> bool {
    let options = TlsArgs::augment_args(Command::new("tls"));
    options.get_arguments().any(|arg| arg.get_id() == id)
}

/// Whether a URL overrides an option, which depends on the parts of the URL.
fn url_overrides(url: &OsStr, key: &str) -> bool {
    let text = url.to_string_lossy();
    let (has_name, has_password) = url::has_credentials(&text);
    match key {
        "username" => has_name,
        "password" | "password-file" | "ask-password" => has_password,
        "ws-path" | "ws-header" => !url::is_web_socket(&text),
        _ => false,
    }
}

fn is_version_5(version: &OsStr) -> bool {
    version == "5" || version == "mqttv5"
}

fn needs_version_5(key: &str) -> bool {
    ["property", "session-expiry-interval"].contains(&key)
}

/// Adapts the values to the command: a typed topic overrides the topic in a lower source's URL. Credentials from the
/// environment are only a fallback, which `cli/secrets.rs` handles, unless a lower source would replace them.
pub(super) fn fitted(command: &str, typed: &[Entry], mut entries: Vec<Entry>) -> Vec<Entry> {
    let names_topic =
        |entry: &Entry| ["topic", "filters", "topic_qos", "unsubscribe"].contains(&entry.id.as_str());
    if ["bench", "gateway"].contains(&command) || typed.iter().any(names_topic) {
        leave_topic_out(command, &mut entries);
    }
    let of_lower_url = entries
        .iter()
        .find(|entry| entry.key == "url" && entry.origin.place().is_some())
        .map(|entry| url::has_credentials(&entry.value.to_string_lossy()))
        .unwrap_or_default();
    entries.retain(|entry| match (&entry.origin, entry.key.as_str()) {
        (Origin::Variable(_), "username") => of_lower_url.0,
        (Origin::Variable(_), "password") => of_lower_url.1,
        _ => true,
    });
    entries
}

/// Removes the topic from the URL. For the load generator, the path of a WebSocket's URL becomes `--ws-path`.
pub(super) fn leave_topic_out(command: &str, entries: &mut Vec<Entry>) {
    let Some(url) = entries.iter_mut().find(|entry| entry.key == "url") else { return };
    let text = url.value.to_string_lossy().into_owned();
    let Some((place, path)) = url::split_path(&text) else { return };
    let is_web_socket = url::is_web_socket(&text);
    if is_web_socket && command != "bench" {
        return; // a topic was typed or is not needed, so the path is the WebSocket's already
    }
    let path = url.sibling("ws-path", "ws_path", path);
    *url = url.sibling("url", "url", place);
    if is_web_socket && !entries.iter().any(|entry| entry.key == "ws-path") {
        entries.push(path);
    }
}
