//! A handshake without secrets: nothing can be decrypted, but an alert that ends the handshake may be in the clear.

use super::record::{self, Records};
use crate::inspect::Direction;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{Chunk, Plain, Session, Undecryptable};
use rustls::AlertDescription;

/// Reads the records of both sides up to an alert, or up to the client's first encrypted data: it follows the handshake.
pub(super) struct HandshakeWatch {
    client: Records,
    /// `None` after records that cannot be read.
    server: Option<Records>,
}

impl HandshakeWatch {
    pub(super) fn new() -> HandshakeWatch {
        HandshakeWatch { client: Records::default(), server: Some(Records::default()) }
    }
}

impl Session for HandshakeWatch {
    fn receive(
        &mut self,
        direction: Direction,
        _at: Moment,
        chunk: Chunk<'_>,
        _plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        let records = match direction {
            Direction::ClientToServer => Some(&mut self.client),
            Direction::ServerToClient => self.server.as_mut(),
        };
        let Some(records) = records else { return Ok(()) };
        let seen = match chunk {
            Chunk::Bytes(bytes) => {
                records.push(bytes);
                read(records, direction)?
            }
            Chunk::Gap(_) => Seen::EncryptedData,
        };
        match (seen, direction) {
            (Seen::Handshake, _) => Ok(()),
            // The client may still reject it.
            (Seen::EncryptedData, Direction::ServerToClient) => {
                self.server = None;
                Ok(())
            }
            (Seen::EncryptedData, Direction::ClientToServer) => Err(Undecryptable::NoKeyLog),
        }
    }

    fn close(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>)) {
        plain(Direction::ClientToServer, Plain::Unreadable(Undecryptable::NoKeyLog));
    }
}

/// The records of a direction up to now.
enum Seen {
    Handshake,
    EncryptedData,
}

/// Reads the complete records; an alert that ends the handshake is the error.
fn read(records: &mut Records, sender: Direction) -> Result<Seen, Undecryptable> {
    loop {
        match records.front() {
            Ok(None) => return Ok(Seen::Handshake),
            Ok(Some(record::APPLICATION_DATA)) | Err(record::Malformed) => return Ok(Seen::EncryptedData),
            Ok(Some(kind)) => {
                let body = records.take().body;
                if let (record::ALERT, &[record::FATAL, description]) = (kind, body.as_slice()) {
                    return Err(Undecryptable::Alert(sender, AlertDescription::from(description)));
                }
            }
        }
    }
}
