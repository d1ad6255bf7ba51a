//! Captures: from the bytes of a file to the bytes that applications exchanged.
//!
//! The layers are pure: they do not print or read the clock, and their memory is bounded for any input.
//!
//! ```text
//! reader        a file's bytes             -> frames
//! link, network a frame                    -> a TCP segment or UDP datagram, also out of tunnels
//! reassembly    segments                   -> each side's bytes in order, and the gaps between them
//! datagrams     UDP datagrams              -> messages of MQTT-SN
//! conversation  each side's bytes in order -> MQTT bytes, out of WebSocket frames (and TLS, with a decryptor)
//! decrypt       TLS records and a key log  -> application data, for conversation
//! ```

pub mod conversation;
mod datagrams;
pub(crate) mod decrypt;
mod fragments;
#[doc(hidden)]
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod link;
pub(crate) mod network;
pub mod reader;
pub(crate) mod reassembly;
pub(crate) mod skipped;
#[cfg(test)]
mod tests;
mod tunnel;

use conversation::{ConversationEvent, Conversations, Decryptor, Ports};
use datagrams::Datagrams;
use network::{Network, NoSegment};
use reader::Frame;
use reassembly::Reassembly;
use skipped::Skipped;
pub use skipped::SkippedFrames;

/// A place in a capture: the frame and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The number of the frame, from 1 as in tshark.
    pub frame: u64,
    /// Nanoseconds since 1970; `None` if the capture has no time for the frame (simple packet blocks).
    pub time: Option<u64>,
}

/// All layers after the reader: frames in, conversations out.
#[derive(Debug, Default)]
pub struct Capture {
    network: Network,
    reassembly: Reassembly,
    conversations: Conversations,
    datagrams: Datagrams,
    counts: Counts,
    last: Moment,
}

/// Counts of frames, packets and connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// All frames.
    pub frames: u64,
    /// Frames with a TCP segment.
    pub segments: u64,
    /// Frames with a message of MQTT-SN.
    pub messages: u64,
    /// Frames with neither.
    pub skipped_frames: SkippedFrames,
    /// Fragmented packets with missing fragments.
    pub incomplete_packets: u64,
    /// TCP connections, and pairs of addresses that exchange MQTT-SN.
    pub connections: u32,
}

impl Capture {
    /// Uses `ports` for datagrams, and `decryptor` to read TLS.
    #[must_use]
    pub fn new(ports: Ports, decryptor: Option<Box<dyn Decryptor>>) -> Capture {
        let datagrams = Datagrams::new(ports);
        Capture { conversations: Conversations::new(decryptor), datagrams, ..Capture::default() }
    }

    /// Takes a frame, and emits the resulting events.
    pub fn frame(&mut self, frame: &Frame<'_>, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        self.last = frame.at;
        self.counts.frames += 1;
        match self.network.segment(frame) {
            Ok(segment) => {
                self.counts.segments += 1;
                let conversations = &mut self.conversations;
                self.reassembly.segment(frame.at, &segment, &mut |event| conversations.event(&event, emit));
            }
            Err(NoSegment::Datagram(datagram, kind)) => {
                let next_number = || self.reassembly.take_number();
                if self.datagrams.take(frame.at, &datagram, next_number, emit) {
                    self.counts.messages += 1;
                } else {
                    self.counts.skipped_frames.add(Skipped::NotTcp(kind));
                }
            }
            // Counted once the packet is complete, or given up.
            Err(NoSegment::Skipped(Skipped::Fragment)) => {}
            Err(NoSegment::Skipped(skipped)) => self.counts.skipped_frames.add(skipped),
        }
    }

    /// Handles the end of the capture: emits the remaining events.
    pub fn finish(&mut self, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        let conversations = &mut self.conversations;
        self.reassembly.finish(self.last, &mut |event| conversations.event(&event, emit));
        self.datagrams.finish(self.last, emit);
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            incomplete_packets: self.network.incomplete_packets(),
            connections: self.reassembly.connections(),
            ..self.counts.clone()
        }
    }
}
