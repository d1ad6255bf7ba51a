//! `mq broker`, tested by clients that send scripted bytes. Where MQTT leaves no choice, the same test runs
//! against mosquitto: it shows that the test is right.

mod bad_bytes;
mod budgets;
mod delivery;
mod limits;
mod log;
mod process;
mod retained;
mod sessions;
mod subscriptions;
mod unix_socket;
mod users;
mod version_31;
mod wills;
