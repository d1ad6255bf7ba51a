//! One connection to the broker: the handshake, then packets in both directions until one side ends it.

use super::FAR;
use super::link::{Closing, Link};
use crate::client::{self, DISCONNECT_TIMEOUT, Options, Terms, disconnect};
use crate::protocol::session::{KeepAlive, KeepAliveAction};
use crate::protocol::{
    Disconnect, MAX_PACKET_SIZE, Packet, PacketReader, PropertiesBuf, PropertyId, PropertyValue, ReasonCode,
    SizeLimits, Version,
};
use crate::transport::{Connection, Progress};
use std::rc::Rc;
use std::time::Instant;
use tokio::task::JoinHandle;

/// Unsent bytes up to which more packets are taken.
const ENOUGH_OUTPUT: usize = 64 * 1024;

/// The other side of a connection to the broker.
pub(super) trait Owner {
    /// The broker accepted the connection.
    fn accepted(&self, link: &Rc<Link>, terms: &Terms);
    /// The broker cannot be reached, or refused the connection.
    fn refused(&self, link: &Rc<Link>, error: &client::Error);
    fn receive(&self, link: &Rc<Link>, packet: &Packet<'_>);
    /// Whether there is room for more packets.
    fn has_room(&self) -> bool;
    /// The connection ended without an order.
    fn lost(&self, link: &Rc<Link>, reason: String);
}

/// Connects after the end of the previous connection, and serves the connection until it ends.
pub(super) async fn serve<O: Owner>(
    owner: O,
    link: Rc<Link>,
    options: Box<Options>,
    previous: Option<JoinHandle<()>>,
) {
    if let Some(previous) = previous {
        // The broker must see the DISCONNECT of the earlier connection first, or it would publish its will.
        let _ = previous.await;
    }
    let (version, disconnect_properties) = (options.version, options.disconnect_properties.clone());
    // Boxed, since the handshake needs memory that the rest does not.
    let opened = tokio::select! {
        opened = Box::pin(client::open(&options)) => opened,
        () = link.closed() => return,
    };
    match opened {
        Ok((connection, terms)) => {
            owner.accepted(&link, &terms);
            let keep_alive = terms.keep_alive;
            let served = Served { owner, link, connection, keep_alive, version, disconnect_properties };
            served.run().await;
        }
        Err(error) => owner.refused(&link, &error),
    }
}

struct Served<O> {
    owner: O,
    link: Rc<Link>,
    connection: Connection,
    keep_alive: KeepAlive,
    version: Version,
    disconnect_properties: PropertiesBuf,
}

impl<O: Owner> Served<O> {
    async fn run(mut self) {
        // Packets may have followed CONNACK.
        if let Err(reason) = self.receive() {
            return self.owner.lost(&self.link, reason);
        }
        loop {
            if self.connection.unsent() < ENOUGH_OUTPUT || self.link.closing().is_some() {
                self.link.move_to(self.connection.output());
            }
            if let Some(closing) = self.link.closing() {
                return self.close(closing).await;
            }
            if let Err(reason) = self.wait().await {
                return self.owner.lost(&self.link, reason);
            }
        }
    }

    async fn wait(&mut self) -> Result<(), String> {
        let has_room = self.owner.has_room();
        let now = Instant::now();
        if !has_room {
            self.keep_alive.received(); // The answer may be among what is not read.
        }
        let due = match self.keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(due) => due.unwrap_or(now + FAR),
            KeepAliveAction::Ping => {
                // PINGREQ has no field that could be too long.
                let _ = Packet::Pingreq.encode(self.version, self.connection.output());
                now + self.keep_alive.interval()
            }
            KeepAliveAction::PeerIsGone => return Err("the broker did not answer PINGREQ".to_owned()),
        };
        tokio::select! {
            biased;
            progress = self.connection.progress(has_room) => {
                self.note_progress(progress.map_err(|error| error.to_string())?)
            }
            () = self.link.signalled() => Ok(()),
            () = tokio::time::sleep_until(due.into()) => Ok(()),
        }
    }

    fn note_progress(&mut self, progress: Progress) -> Result<(), String> {
        if progress.sent > 0 {
            self.keep_alive.sent(Instant::now());
        }
        if progress.received > 0 {
            self.keep_alive.received();
            self.receive()?;
            // A broker without TCP_NODELAY holds PUBREL and further messages until then, but the client answers later.
            self.connection.acknowledge_now();
        }
        if progress.is_closed { Err("the broker closed the connection".to_owned()) } else { Ok(()) }
    }

    fn receive(&mut self) -> Result<(), String> {
        let (input, _) = self.connection.buffers();
        let mut packets = PacketReader::new(input, SizeLimits::all(MAX_PACKET_SIZE));
        while let Some(packet) = packets.read(self.version).map_err(|error| error.to_string())? {
            if let Packet::Disconnect(disconnect) = &packet {
                return Err(format!("the broker ended the connection: {}", disconnect.reason_code));
            }
            self.owner.receive(&self.link, &packet);
        }
        let consumed = packets.consumed();
        self.connection.consume(consumed);
        Ok(())
    }

    async fn close(mut self, closing: Closing) {
        let mut properties = self.disconnect_properties;
        if let Some(seconds) = self.link.session_expiry() {
            // A duplicate of an option that the user typed.
            let _ = properties.push(PropertyId::SessionExpiryInterval, PropertyValue::Number(seconds));
        }
        let properties = properties.as_properties();
        let last = Disconnect { reason_code: ReasonCode::SUCCESS, properties };
        match closing {
            Closing::Orderly => {
                Box::pin(disconnect(&mut self.connection, self.version, &last, DISCONNECT_TIMEOUT)).await;
            }
            Closing::Abrupt => {}
        }
    }
}
