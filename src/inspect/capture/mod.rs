//! Captures: from the bytes of a file to the bytes that applications said to each other.
//!
//! Layers, each of them pure: no printing, no clock, and memory that is bounded whatever the input.
//!
//! ```text
//! reader        a file's bytes             -> frames
//! link, network a frame                    -> a TCP segment, also out of tunnels
//! reassembly    segments                   -> each side's bytes in order, and what is missing of them
//! conversation  each side's bytes in order -> what client and server said, out of WebSocket frames (and TLS, with a decryptor)
//! decrypt       TLS records and a key log   -> what they hide, for conversation
//! ```

pub mod conversation;
pub mod decrypt;
mod fragments;
#[doc(hidden)]
pub mod fuzzing;
mod link;
pub mod network;
mod passed_over;
pub mod reader;
pub mod reassembly;
#[cfg(test)]
mod tests;
mod tunnel;

use conversation::{Conversations, Decryptor, Event, Ports};
use network::{Network, Skipped};
pub use passed_over::PassedOver;
use reader::Frame;
use reassembly::Reassembly;

/// Where in a capture something happened: with which frame, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The number of the frame, from 1 as in tshark.
    pub frame: u64,
    /// Nanoseconds since 1970; `None` when the capture does not say (simple packet blocks).
    pub time: Option<u64>,
}

/// All layers behind the reader: frames in, conversations out.
#[derive(Debug, Default)]
pub struct Capture {
    network: Network,
    reassembly: Reassembly,
    conversations: Conversations,
    counts: Counts,
    last: Moment,
}

/// What there was beside the conversations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// All frames.
    pub frames: u64,
    /// Those with a segment of TCP.
    pub segments: u64,
    /// Those with something else.
    pub passed_over: PassedOver,
    /// Packets that came in fragments, of which some are missing.
    pub incomplete_packets: u64,
    /// TCP connections.
    pub connections: u32,
}

impl Capture {
    /// With further ports of MQTT, and somebody who can read TLS.
    #[must_use]
    pub fn new(ports: Ports, decryptor: Option<Box<dyn Decryptor>>) -> Capture {
        Capture { conversations: Conversations::new(ports, decryptor), ..Capture::default() }
    }

    /// Takes a frame, and emits what becomes known with it.
    pub fn frame(&mut self, frame: &Frame<'_>, emit: &mut impl FnMut(Event<'_>)) {
        self.last = frame.at;
        self.counts.frames += 1;
        match self.network.segment(frame) {
            Ok(segment) => {
                self.counts.segments += 1;
                let conversations = &mut self.conversations;
                self.reassembly.segment(frame.at, &segment, &mut |event| conversations.event(&event, emit));
            }
            // Counted when the packet is whole, or stays incomplete.
            Err(Skipped::Fragment) => {}
            Err(skipped) => self.counts.passed_over.add(skipped),
        }
    }

    /// The capture has ended: tells what is left.
    pub fn finish(&mut self, emit: &mut impl FnMut(Event<'_>)) {
        let conversations = &mut self.conversations;
        self.reassembly.finish(self.last, &mut |event| conversations.event(&event, emit));
    }

    /// What there was so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            incomplete_packets: self.network.incomplete_packets(),
            connections: self.reassembly.connections(),
            ..self.counts.clone()
        }
    }
}
