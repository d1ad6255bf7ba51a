//! The version of a client: stated in its CONNECT, set by the user, or inferred from a message that only one version has.

use super::client::Client;
use crate::protocol;
use crate::protocol::sn::Version;

/// The version to decode a message in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) version: Version,
    /// The message revealed the version.
    pub(super) is_new: bool,
    /// The message can be of either version, and no earlier one showed which.
    pub(super) is_unknown: bool,
}

/// The column of the table of rules that has the version's statements.
pub(super) fn rule_column(version: Version) -> protocol::Version {
    match version {
        Version::V12 => protocol::Version::V311,
        Version::V20 => protocol::Version::V5,
    }
}

impl Client {
    /// Chooses the version of a message, and remembers it. `fixed` is that of the user.
    pub(super) fn choose_version(&mut self, message: &[u8], fixed: Option<Version>) -> Choice {
        if let Some(version) = fixed.or_else(|| Version::stated(message)) {
            (self.version, self.is_version_inferred) = (Some(version), false);
            return Choice { version, is_new: false, is_unknown: false };
        }
        match (self.version, Version::inferred(message)) {
            // A stated version is certain.
            (Some(version), None) => Choice { version, is_new: false, is_unknown: false },
            (Some(version), Some(inferred)) if version == inferred || !self.is_version_inferred => {
                Choice { version, is_new: false, is_unknown: false }
            }
            (_, Some(version)) => {
                (self.version, self.is_version_inferred) = (Some(version), true);
                Choice { version, is_new: true, is_unknown: false }
            }
            (None, None) => Choice { version: Version::V12, is_new: false, is_unknown: true },
        }
    }
}
