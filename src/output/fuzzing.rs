//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::template::{Rendering, Template};
use super::timestamp::MessageTime;
use crate::protocol::{Packet, PacketReader, SizeLimits, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The output of a specifier is at most this long, besides texts of the message.
const MAX_WIDTH: usize = 65_535 * 2;

/// Renders a message in a format: a byte with the format's length, the format, and packets of MQTT 5.
pub fn templates(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (format, packets) = rest.split_at(usize::from(*length).min(rest.len()));
    let template = match Template::parse(format) {
        Ok(template) => template,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let now = || MessageTime::new(Timestamp::UNIX_EPOCH, &TimeZone::UTC);
    let mut reader = PacketReader::new(packets, SizeLimits::all(1 << 16));
    while let Ok(Some(packet)) = reader.read(Version::V5) {
        let Packet::Publish(publish) = packet else { continue };
        for is_pretty in [false, true] {
            let (mut notes, mut out) = (Vec::new(), Vec::new());
            template.render(
                Rendering {
                    publish: &publish,
                    now: &now,
                    is_pretty,
                    is_coloured: is_pretty,
                    notes: &mut notes,
                },
                &mut out,
            );
            // JSON escapes a byte with up to six, and lays a value out over lines.
            let most = (MAX_WIDTH + 1000 + packets.len() * 200) * (format.len() + 1);
            assert!(out.len() <= most, "{} bytes", out.len());
        }
    }
}
