//! What is not shown unless it was asked for.

use crate::inspect::Name;
use crate::protocol::PropertyId;

/// Stands in the place of a secret.
pub(super) const HIDDEN: &str = "(hidden)";

/// Whether a field is a secret: a password, or what proves who somebody is.
pub(super) fn is_secret(name: Name) -> bool {
    matches!(name, Name::Password | Name::Property(PropertyId::AuthenticationData))
}
