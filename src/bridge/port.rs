//! The send buffers of the two connections, as a direction sees them.

use crate::protocol::Version;

/// Unsent bytes up to which messages are added.
const ENOUGH_OUTPUT: usize = 64 * 1024;

/// The send buffer of a connection.
#[derive(Debug)]
pub(super) struct Port<'a> {
    pub(super) output: &'a mut Vec<u8>,
    /// The bytes at the front of the buffer that were sent.
    pub(super) sent: usize,
    pub(super) version: Version,
}

impl Port<'_> {
    pub(super) fn has_room(&self) -> bool {
        self.output.len() - self.sent < ENOUGH_OUTPUT
    }

    pub(super) fn reborrow(&mut self) -> Port<'_> {
        Port { output: self.output, sent: self.sent, version: self.version }
    }
}

/// The send buffers towards the source and the target, as far as they are connected.
#[derive(Debug)]
pub(super) struct Ports<'a> {
    pub(super) source: Option<Port<'a>>,
    pub(super) target: Option<Port<'a>>,
}

impl Ports<'_> {
    pub(super) fn reborrow(&mut self) -> Ports<'_> {
        Ports {
            source: self.source.as_mut().map(Port::reborrow),
            target: self.target.as_mut().map(Port::reborrow),
        }
    }
}
