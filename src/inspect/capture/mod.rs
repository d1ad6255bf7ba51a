//! Captures: from the bytes of a file to the bytes that applications said to each other.
//!
//! Layers, each of them pure: no printing, no clock, and memory that is bounded whatever the input.
//!
//! ```text
//! reader        a file's bytes             -> frames
//! link, network a frame                    -> a TCP segment
//! reassembly    segments                   -> each side's bytes in order, and what is missing of them
//! conversation  each side's bytes in order -> what client and server said, out of WebSocket frames (and TLS, with a decryptor)
//! ```

pub mod conversation;
pub mod reassembly;

/// Where in a capture something happened: with which frame, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The number of the frame, from 1 as in tshark.
    pub frame: u64,
    /// Nanoseconds since 1970; `None` when the capture does not say (simple packet blocks).
    pub time: Option<u64>,
}
