//! A SUBSCRIBE or UNSUBSCRIBE with many filters, handled in parts.

use super::encode::{check_size, put};
use super::ending::Ending;
use super::input::size_limits;
use super::task::Task;
use super::turns;
use crate::protocol::{
    Packet, PacketReader, Properties, PropertyId, ReasonCode, Subscribe, SubscriptionAck, Unsubscribe,
    Version,
};

/// The filters in a part.
const FILTERS_AT_A_TIME: usize = 16;

impl Task {
    /// Handles a SUBSCRIBE or UNSUBSCRIBE with many filters. Gives way to other clients in between.
    pub(super) async fn take_long_request(&mut self) -> Result<(), Ending> {
        let (version, maximum_size, peer_maximum) = {
            let session = self.client.session.borrow();
            let sizes = (session.accepts().maximum_packet_size, session.peer_accepts().maximum_packet_size);
            (session.version(), sizes.0, sizes.1)
        };
        let limits = size_limits(maximum_size);
        let (input, _) = self.connection.buffers();
        let Some(size) = PacketReader::new(input, limits).peek()?.map(|frame| frame.size()) else {
            return Ok(());
        };
        let bytes = self.connection.take(size);
        let Some(packet) = PacketReader::new(&bytes, limits).read(version)? else { return Ok(()) };
        self.shared.borrow_mut().report.packets_received += 1;
        let mut codes = Vec::new();
        let ack = match &packet {
            Packet::Subscribe(subscribe) => {
                self.subscribe_in_parts(subscribe, version, &mut codes).await?;
                Packet::Suback(SubscriptionAck::new(subscribe.packet_id, Properties::EMPTY, &codes))
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.unsubscribe_in_parts(unsubscribe, &mut codes).await?;
                Packet::Unsuback(SubscriptionAck::new(unsubscribe.packet_id, Properties::EMPTY, &codes))
            }
            _ => return Ok(()), // A long request is one of these.
        };
        self.shared.borrow_mut().report.packets_sent += 1;
        let output = self.connection.output();
        let before = output.len();
        put(&ack, version, output);
        check_size(ack.packet_type(), before, peer_maximum, output)
            .map_err(|text| Ending::violation(ReasonCode::PACKET_TOO_LARGE, text))
    }

    async fn subscribe_in_parts(
        &self,
        subscribe: &Subscribe<'_>,
        version: Version,
        codes: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        let id = subscribe.properties.number(PropertyId::SubscriptionIdentifier);
        for subscriptions in subscribe.subscriptions.chunks(FILTERS_AT_A_TIME) {
            self.shared.borrow_mut().subscribe(&self.client, subscriptions, id, version, codes);
            self.give_way().await?;
        }
        Ok(())
    }

    async fn unsubscribe_in_parts(
        &self,
        unsubscribe: &Unsubscribe<'_>,
        codes: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        for filters in unsubscribe.filters.chunks(FILTERS_AT_A_TIME) {
            self.shared.borrow_mut().unsubscribe(&self.client, filters, codes);
            self.give_way().await?;
        }
        Ok(())
    }

    /// Gives way to other clients. The error is an order to end that arrived meanwhile.
    async fn give_way(&self) -> Result<(), Ending> {
        turns::give_way().await;
        self.check_order()
    }
}
