//! `mq` as its users meet it: the real binary against its own broker, against mosquitto, and against peers that send
//! scripted bytes.
//!
//! A module per feature. The tests against mosquitto are skipped where it is not installed, unless
//! `MQ_REQUIRE_MOSQUITTO=1` is set.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; clippy.toml allows it in #[test] functions only, not in what they call"
)]
#![allow(non_snake_case, reason = "option letters keep their case in the names of tests")]
#![allow(unreachable_pub, reason = "everything here is private to the tests")]

mod architecture;
mod authentication;
mod bad_input;
mod bench;
mod bridge;
mod colours;
mod compatibility;
mod completions;
mod configuration;
mod crash;
mod crossing;
mod doctor;
mod documents;
mod embedded_broker;
mod escaping;
mod exactly_once;
mod exec;
mod faults;
mod files;
mod format;
mod help;
mod hints;
mod import_circles;
mod inspect;
mod invalid_values;
mod json;
mod layers;
mod names;
mod ndjson;
mod option_files;
mod options;
mod passwd;
mod payloads;
mod presets;
mod proxy;
mod proxy_protocol;
mod publish;
mod quantities;
mod recording;
mod reliability;
mod request;
mod schemas;
mod secrets;
mod security_page;
mod sn;
mod srv;
mod subscribe;
mod suggestions;
mod support;
mod surface;
mod texts;
mod tls;
mod top;
mod trace;
mod url;
mod waiting;
mod web_socket;
