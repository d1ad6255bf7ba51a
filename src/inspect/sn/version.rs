//! The version of a client: stated in its CONNECT, set by the user, or inferred.

use crate::protocol;
use crate::protocol::sn::Version;

/// The column of the table of rules that has the version's statements.
pub(super) fn rule_column(version: Version) -> protocol::Version {
    match version {
        Version::V12 => protocol::Version::V311,
        Version::V20 => protocol::Version::V5,
    }
}
