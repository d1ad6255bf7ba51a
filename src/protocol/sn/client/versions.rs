//! A client of a gateway in either version of MQTT-SN: the bytes of the MQTT client and the datagrams of the gateway go to the
//! adapter of the version.

use super::traffic::Traffic;
use super::{Adapter, Counts, GatewayError, Rejections, Settings, v2};
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

    fn traffic(&self) -> &Traffic {
        of_version!(self, adapter => &adapter.traffic)
    }

    fn traffic_mut(&mut self) -> &mut Traffic {
        of_version!(self, adapter => &mut adapter.traffic)
    }

    /// Takes the events since the last call; none of 2.0, which no load generator speaks.
    pub(crate) fn take_counts(&mut self) -> Counts {
        match self {
            AnyAdapter::V12(adapter) => std::mem::take(&mut adapter.counts),
            AnyAdapter::V20(_) => Counts::default(),
        }
    }

    /// Takes the rejections since the last call, if they are counted.
    pub(crate) fn take_rejections(&mut self) -> Option<Rejections> {
        match self {
            AnyAdapter::V12(adapter) => adapter.rejections.take(),
            AnyAdapter::V20(_) => None,
        }
    }

    /// Whether it takes more bytes of the MQTT client.
    pub(crate) fn takes_packets(&self) -> bool {
        of_version!(self, adapter => adapter.takes_packets())
    }

    /// Takes bytes of the MQTT client.
    ///
    /// # Errors
    /// If MQTT-SN cannot express a packet.
    pub(crate) fn take_bytes(&mut self, bytes: &[u8], now: Instant) -> Result<(), GatewayError> {
        let input = self.traffic_mut().add_input(bytes);
        let mut packets = Traffic::reader(&input);
        while let Some(packet) = self.traffic_mut().read(&mut packets)? {
            of_version!(self, adapter => adapter.take_packet(&packet, now))?;
        }
        let consumed = packets.consumed();
        self.traffic_mut().keep(input, consumed);
        of_version!(self, adapter => adapter.advance(now))
    }

    /// The bytes for the MQTT client, from which the caller removes those that were read.
    pub(crate) fn packets_mut(&mut self) -> &mut Vec<u8> {
        self.traffic_mut().packets_mut()
    }

    /// The next datagram for the gateway.
    pub(crate) fn datagram(&self) -> Option<&[u8]> {
        self.traffic().datagram()
    }

    /// The first datagram was sent.
    pub(crate) fn sent(&mut self) {
        self.traffic_mut().sent();
    }

    /// Whether it takes more datagrams.
    pub(crate) fn takes_datagrams(&self) -> bool {
        self.traffic().takes_datagrams()
    }

    /// Takes a datagram of the gateway. A malformed one is ignored, as if the network had lost it.
    ///
    /// # Errors
    /// If it ends the connection.
    pub(crate) fn take_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), GatewayError> {
        of_version!(self, adapter => adapter.take_datagram(datagram, now))
    }

    /// Whether every request is answered, and every datagram taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.traffic().unsent() == 0 && of_version!(self, adapter => adapter.is_settled())
    }

    /// Whether the connection has ended, so that the MQTT client's connection can be closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.traffic().unsent() == 0 && of_version!(self, adapter => adapter.has_ended())
    }

    /// Acts on timers that have expired.
    ///
    /// # Errors
    /// If the gateway did not answer a message.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<(), GatewayError> {
        of_version!(self, adapter => adapter.tick(now))
    }

    /// The time of the next [`AnyAdapter::tick`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        of_version!(self, adapter => adapter.deadline())
    }
}
