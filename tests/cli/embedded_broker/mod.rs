//! `mq broker`, tested by clients that send scripted bytes. Where MQTT leaves no choice, the same test runs
//! against mosquitto: it shows that the test is right.

mod access_rules;
mod bad_bytes;
mod bounds;
mod budgets;
mod delivery;
mod guessing;
mod limits;
mod log;
mod process;
mod retained;
mod sessions;
mod subscriptions;
mod tls;
mod unix_socket;
mod users;
mod version_31;
mod wills;
