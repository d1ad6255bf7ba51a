//! The keys of mosquitto.conf: those of a bridge with their meaning, and the names of the others.

use crate::bridge::Side;

/// The meaning of a key in a bridge section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A connection option, by its key in profiles.
    Client(Side, &'static str),
    /// A switch among the connection options.
    Switch(Side, &'static str),
    /// A setting of the bridge.
    Setting,
    /// It has no effect here.
    NoEffect,
    /// It is not supported, with the reason.
    Refused(&'static str),
}

use Meaning::{Client, NoEffect, Refused, Setting, Switch};
use Side::{Local, Remote};

/// A key of a bridge section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Older or newer names of the same key.
    aliases: &'static [&'static str],
    pub(super) meaning: Meaning,
}

const fn key(name: &'static str, aliases: &'static [&'static str], meaning: Meaning) -> Key {
    Key { name, aliases, meaning }
}

/// The keys of a bridge section.
static KEYS: [Key; 50] = [
    key("connection", &[], Setting),
    key("address", &["addresses"], Setting),
    key("local_address", &["bridge_local_address"], Setting),
    key("topic", &[], Setting),
    key("remote_username", &["username"], Client(Remote, "username")),
    key("remote_password", &["password"], Client(Remote, "password")),
    key("remote_clientid", &["clientid"], Client(Remote, "id")),
    key("local_username", &[], Client(Local, "username")),
    key("local_password", &[], Client(Local, "password")),
    key("local_clientid", &[], Client(Local, "id")),
    key("keepalive_interval", &[], Client(Remote, "keepalive")),
    key("cleansession", &["clean_session"], Setting),
    key("local_cleansession", &[], Setting),
    key("restart_timeout", &[], Setting),
    key("round_robin", &[], Setting),
    key("try_private", &[], Setting),
    key("notifications", &[], Setting),
    key("notifications_local_only", &[], Setting),
    key("notification_topic", &[], Setting),
    key("start_type", &[], Setting),
    key("bridge_attempt_unsubscribe", &["attempt_unsubscribe"], Setting),
    key("bridge_outgoing_retain", &["outgoing_retain"], Setting),
    key("bridge_max_packet_size", &[], Setting),
    key("bridge_receive_maximum", &["receive_maximum"], Setting),
    key("bridge_session_expiry_interval", &["session_expiry_interval"], Setting),
    key("bridge_protocol_version", &["protocol_version", "mqtt_version"], Client(Remote, "protocol-version")),
    key("bridge_bind_address", &[], Client(Remote, "bind")),
    key("bridge_cafile", &[], Client(Remote, "cafile")),
    key("bridge_capath", &[], Client(Remote, "capath")),
    key("bridge_certfile", &[], Client(Remote, "cert")),
    key("bridge_keyfile", &[], Client(Remote, "key")),
    key("bridge_insecure", &[], Switch(Remote, "insecure")),
    key("bridge_alpn", &[], Client(Remote, "tls-alpn")),
    key("bridge_tls_version", &[], Client(Remote, "tls-version")),
    key("bridge_tls_use_os_certs", &[], Switch(Remote, "tls-use-os-certs")),
    key("bridge_ciphers", &[], Client(Remote, "ciphers")),
    key("bridge_identity", &[], Client(Remote, "psk-identity")),
    key("bridge_psk", &[], Client(Remote, "psk")),
    key("bridge_require_ocsp", &["require_ocsp"], Setting),
    key("bridge_ciphers_tls1.3", &["bridge_ciphers_tls13"], Client(Remote, "ciphers")),
    key("idle_timeout", &[], Refused("it belongs to lazy bridges; mq bridge stays connected")),
    key("threshold", &[], Refused("it belongs to lazy bridges; mq bridge stays connected")),
    key("lazy", &[], Refused("mq bridge connects at once and stays connected")),
    key("bridge_reload_type", &[], NoEffect),
    key("bridge_max_topic_alias", &[], NoEffect),
    key("bridge_tcp_keepalive", &[], NoEffect),
    key("bridge_tcp_user_timeout", &[], NoEffect),
    key("bridge_tls_keyform", &[], Refused("keys are PEM files")),
    key("bridge_tls_engine", &[], Refused("engines are not supported; set bridge_keyfile to a PEM file")),
    key("bridge_tls_engine_kpass_sha1", &[], Refused("engines are not supported")),
];

/// The keys of the broker, its listeners and its plugins.
pub(super) const OF_BROKER: [&str; 93] = [
    "accept_protocol_versions",
    "acl_file",
    "allow_anonymous",
    "allow_duplicate_messages",
    "allow_zero_length_clientid",
    "auth_plugin",
    "auth_plugin_deny_special_chars",
    "auto_id_prefix",
    "autosave_interval",
    "autosave_on_changes",
    "bind_address",
    "bind_interface",
    "cafile",
    "capath",
    "certfile",
    "check_retain_source",
    "ciphers",
    "ciphers_tls1.3",
    "clientid_prefixes",
    "connection_messages",
    "crlfile",
    "dhparamfile",
    "disable_client_cert_date_checks",
    "enable_control_api",
    "enable_proxy_protocol",
    "global_max_clients",
    "global_max_connections",
    "global_plugin",
    "http_dir",
    "include_dir",
    "keyfile",
    "listener",
    "listener_allow_anonymous",
    "listener_auto_id_prefix",
    "log_dest",
    "log_facility",
    "log_timestamp",
    "log_timestamp_format",
    "log_type",
    "max_connections",
    "max_inflight_bytes",
    "max_inflight_messages",
    "max_keepalive",
    "max_packet_size",
    "max_qos",
    "max_queued_bytes",
    "max_queued_messages",
    "max_topic_alias",
    "max_topic_alias_broker",
    "memory_limit",
    "message_size_limit",
    "mount_point",
    "packet_buffer_size",
    "packet_max_auth",
    "packet_max_connect",
    "packet_max_simple",
    "packet_max_sub",
    "packet_max_un",
    "password_file",
    "per_listener_settings",
    "persistence",
    "persistence_file",
    "persistence_location",
    "persistent_client_expiration",
    "pid_file",
    "plugin",
    "plugin_load",
    "plugin_use",
    "port",
    "protocol",
    "proxy_protocol_v2_require_tls",
    "psk_file",
    "psk_hint",
    "queue_qos0_messages",
    "require_certificate",
    "retain_available",
    "retain_expiry_interval",
    "retained_persistence",
    "retry_interval",
    "set_tcp_nodelay",
    "socket_domain",
    "store_clean_interval",
    "sys_interval",
    "tls_engine",
    "tls_engine_kpass_sha1",
    "tls_keyform",
    "tls_version",
    "upgrade_outgoing_qos",
    "use_identity_as_username",
    "use_subject_as_username",
    "use_username_as_clientid",
    "user",
    "websockets_headers_size",
];

/// More of them, which are rare.
const RARE: [&str; 4] =
    ["websockets_log_level", "websockets_origin", "accept_protocol_version", "trace_level"];

/// The starts of keys that plugins define.
const OF_PLUGINS: [&str; 2] = ["auth_opt_", "plugin_opt_"];

/// The key of a bridge section with this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name || key.aliases.contains(&name))
}

/// Whether the key is of the broker, its listeners or its plugins.
pub(super) fn is_of_broker(name: &str) -> bool {
    OF_BROKER.contains(&name)
        || RARE.contains(&name)
        || OF_PLUGINS.iter().any(|start| name.starts_with(start))
}

/// All names, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let of_bridges = KEYS.iter().flat_map(|key| std::iter::once(key.name).chain(key.aliases.iter().copied()));
    of_bridges.chain(OF_BROKER).chain(RARE)
}

/// The key of a connection option of a side; `None` if sections have none for it.
pub(super) fn name_of(wanted: &str, of: Side) -> Option<&'static str> {
    let is_wanted = |key: &&Key| matches!(key.meaning, Client(side, option) | Switch(side, option) if side == of && (option == wanted || wanted == "pw" && option == "password"));
    KEYS.iter().find(is_wanted).map(|key| key.name)
}
