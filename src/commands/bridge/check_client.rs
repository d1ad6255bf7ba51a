//! The clients of `--check`: as those of the bridge, with other identifiers, so that a bridge that runs keeps its sessions.

use crate::bridge::settings::End;
use crate::client::Options;
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Qos};

/// The end of the client identifiers.
const SUFFIX: &str = "-check";

/// The client of the check: as that of the bridge, with another identifier and without will.
pub(super) fn options(end: &End) -> Options {
    let mut options = end.options.clone();
    options.clean_start = true;
    // Hosted services accept known identifiers only.
    if end.maximum_qos == Qos::ExactlyOnce {
        options.client_id.push_str(SUFFIX);
    }
    if options.version.is_v5() && !end.options.clean_start {
        let expiry = PropertyValue::Number(end.session_expiry);
        let pushed = options.properties.push(PropertyId::SessionExpiryInterval, expiry);
        debug_assert!(pushed.is_ok(), "the settings have it apart");
    }
    options
}

/// Lets the broker forget the session of the check.
pub(super) fn forgotten(options: &Options) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    if options.properties.as_properties().find(PropertyId::SessionExpiryInterval).is_some() {
        let pushed = properties.push(PropertyId::SessionExpiryInterval, PropertyValue::Number(0));
        debug_assert!(pushed.is_ok(), "a new list");
    }
    properties
}
