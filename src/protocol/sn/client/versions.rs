//! A client of a gateway in either version of MQTT-SN.

use super::{Adapter, Counts, GatewayError, Settings, v2};
use crate::protocol::sn::Version;
use std::time::Instant;

/// The adapter of a version.
#[derive(Debug)]
pub(crate) enum AnyAdapter {
    V12(Adapter),
    V20(v2::Adapter),
}

/// Calls the method of the version.
macro_rules! of_version {
    ($any:expr, $adapter:ident => $call:expr) => {
        match $any {
            AnyAdapter::V12($adapter) => $call,
            AnyAdapter::V20($adapter) => $call,
        }
    };
}

impl AnyAdapter {
    /// A connection that is not open yet.
    pub(crate) fn new(version: Version, settings: Settings) -> AnyAdapter {
        match version {
            Version::V12 => AnyAdapter::V12(Adapter::new(settings)),
            Version::V20 => AnyAdapter::V20(v2::Adapter::new(settings)),
        }
    }

    /// The events since the last call; none of 2.0, which no load generator speaks.
    pub(crate) fn take_counts(&mut self) -> Counts {
        match self {
            AnyAdapter::V12(adapter) => adapter.take_counts(),
            AnyAdapter::V20(_) => Counts::default(),
        }
    }

    pub(crate) fn takes_packets(&self) -> bool {
        of_version!(self, adapter => adapter.takes_packets())
    }

    pub(crate) fn takes_datagrams(&self) -> bool {
        of_version!(self, adapter => adapter.takes_datagrams())
    }

    pub(crate) fn is_drained(&self) -> bool {
        of_version!(self, adapter => adapter.is_drained())
    }

    pub(crate) fn is_closed(&self) -> bool {
        of_version!(self, adapter => adapter.is_closed())
    }

    pub(crate) fn packets_mut(&mut self) -> &mut Vec<u8> {
        of_version!(self, adapter => adapter.packets_mut())
    }

    pub(crate) fn datagram(&self) -> Option<&[u8]> {
        of_version!(self, adapter => adapter.datagram())
    }

    pub(crate) fn sent(&mut self) {
        of_version!(self, adapter => adapter.sent());
    }

    pub(crate) fn take_bytes(&mut self, bytes: &[u8], now: Instant) -> Result<(), GatewayError> {
        of_version!(self, adapter => adapter.take_bytes(bytes, now))
    }

    pub(crate) fn take_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), GatewayError> {
        of_version!(self, adapter => adapter.take_datagram(datagram, now))
    }

    pub(crate) fn tick(&mut self, now: Instant) -> Result<(), GatewayError> {
        of_version!(self, adapter => adapter.tick(now))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        of_version!(self, adapter => adapter.deadline())
    }
}
