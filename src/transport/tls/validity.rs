//! The times between which a certificate and its issuers are valid.

use super::certificate::{Certificate, Validity};
use rustls::pki_types::UnixTime;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The validity of the certificates that a server presents.
#[derive(Clone)]
pub(crate) struct ChainValidity(Arc<[Certificate]>);

impl ChainValidity {
    pub(super) fn new(chain: Vec<Certificate>) -> ChainValidity {
        ChainValidity(chain.into())
    }

    /// The certificate that is not valid now, and since or until when; `None` if all are valid.
    pub(crate) fn problem(&self) -> Option<String> {
        let now = UnixTime::now();
        self.0.iter().find_map(|certificate| {
            let subject = certificate.subject();
            match certificate.validity(now) {
                Validity::Valid => None,
                Validity::Expired(date) => Some(format!("{subject} expired on {date}")),
                Validity::NotYet(date) => Some(format!("{subject} is not valid before {date}")),
            }
        })
    }

    /// The time until the first of them expires; `None` if one has expired.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let end = self.0.iter().map(|certificate| certificate.dates().1).min()?;
        // The last second is still valid.
        let left = end.saturating_add(1).checked_sub(UnixTime::now().as_secs())?;
        (left > 0).then(|| Duration::from_secs(left))
    }
}

impl fmt::Debug for ChainValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainValidity(..)")
    }
}
