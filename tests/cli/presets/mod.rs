//! `--preset`: hosted brokers receive the values that they expect, and nothing that they reject.

mod aws;
mod event_grid;
mod iot_hub;
mod options;
mod peer;

use super::support::*;
use peer::{Connect, Hosted, Message, Rules, Way};

/// CONNACK of MQTT 3.1.1 with this return code.
fn connack(code: u8) -> Vec<u8> {
    vec![0x20, 2, 0, code]
}

/// CONNACK of MQTT 5 with this reason code and no properties.
fn connack_v5(code: u8) -> Vec<u8> {
    vec![0x20, 3, 0, code, 0]
}
