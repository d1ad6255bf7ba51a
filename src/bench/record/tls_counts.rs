//! Connections by the algorithms that TLS negotiated.

use crate::transport::tls::NegotiatedAlgorithms;
use serde::{Deserialize, Serialize};

/// The connections with the same algorithms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TlsCount {
    /// The version of TLS, as in `TLS 1.3`.
    pub version: String,
    pub suite: String,
    /// The key exchange group; `None` if it is unknown.
    pub group: Option<String>,
    /// The scheme of the broker's signature; `None` if the session was resumed.
    pub signature: Option<String>,
    /// The number of connections.
    pub count: u64,
}

/// The counts by algorithms. There are a few hundred combinations at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TlsCounts(Vec<TlsCount>);

impl TlsCounts {
    /// Counts a connection.
    pub(in crate::bench) fn add(&mut self, algorithms: NegotiatedAlgorithms) {
        let NegotiatedAlgorithms { version, suite, group, signature } = algorithms;
        self.add_count(TlsCount { version, suite, group, signature, count: 1 });
    }

    /// Adds the counts of another record.
    pub(crate) fn merge(&mut self, other: TlsCounts) {
        other.0.into_iter().for_each(|count| self.add_count(count));
    }

    /// The counts, the largest first.
    pub(crate) fn by_count(&self) -> Vec<&TlsCount> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.count));
        all
    }

    fn add_count(&mut self, new: TlsCount) {
        match self.0.iter_mut().find(|known| known.algorithms() == new.algorithms()) {
            Some(known) => known.count = known.count.saturating_add(new.count),
            None => self.0.push(new),
        }
    }
}

impl FromIterator<TlsCount> for TlsCounts {
    fn from_iter<I: IntoIterator<Item = TlsCount>>(counts: I) -> TlsCounts {
        let mut all = TlsCounts::default();
        counts.into_iter().for_each(|count| all.add_count(count));
        all
    }
}

impl TlsCount {
    fn algorithms(&self) -> [Option<&str>; 4] {
        let TlsCount { version, suite, group, signature, count: _ } = self;
        [Some(version), Some(suite), group.as_deref(), signature.as_deref()]
    }

    /// The algorithms as text.
    pub(crate) fn words(&self) -> String {
        self.algorithms().into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
