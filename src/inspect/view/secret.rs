//! Fields that are hidden by default.

use crate::inspect::Name;
use crate::protocol::PropertyId;

/// Replaces a secret.
pub(in crate::inspect) const HIDDEN: &str = "(hidden)";

/// Whether a field is a secret: a password or authentication data.
pub(in crate::inspect) fn is_secret(name: Name) -> bool {
    matches!(name, Name::Password | Name::AuthenticationData | Name::Property(PropertyId::AuthenticationData))
}
