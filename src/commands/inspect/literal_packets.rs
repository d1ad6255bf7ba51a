//! Packets given as text, in hexadecimal or Base64.

use super::viewer::Viewer;
use crate::cli::inspect::InspectArgs;
use crate::commands::error::Error;
use crate::inspect::capture::Moment;
use crate::inspect::sn::Datagram;
use crate::inspect::{Direction, Inspector, stream};
use crate::message::base64_problem;
use crate::protocol::{PacketType, sn};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead};
use std::net::{Ipv4Addr, SocketAddr};

/// The argument that reads lines from standard input.
const STDIN: &str = "-";

/// The connection that all these packets belong to.
const CONNECTION: u32 = 0;

/// The encoding of packets.
#[derive(Debug, Clone, Copy)]
enum Notation {
    Hex,
    Base64,
}

pub(super) fn run(args: &InspectArgs, mut inspector: Inspector, viewer: &mut Viewer) -> Result<(), Error> {
    let (notation, text) = match (&args.hex, &args.base64) {
        (Some(text), _) => (Notation::Hex, text),
        (None, Some(text)) => (Notation::Base64, text),
        (None, None) => return Ok(()),
    };
    if args.sn.sn {
        inspector.open_sn(CONNECTION);
    } else {
        inspector.open(CONNECTION, true);
    }
    let mut packets = Packets { inspector, viewer, direction: args.direction, is_sn: args.sn.sn };
    if text != STDIN {
        let bytes = notation.decode(text).map_err(Error::usage)?;
        if bytes.is_empty() {
            return Err(Error::usage(notation.missing(text)));
        }
        packets.take(None, &bytes);
        return Ok(());
    }
    for (index, line) in io::stdin().lock().lines().enumerate() {
        let line = line.map_err(Error::input)?;
        let (direction, text) = sender(&line);
        let failed =
            |problem| Error::InputLine { place: format!("standard input, line {}", index + 1), problem };
        packets.take(direction, &notation.decode(text).map_err(failed)?);
        packets.viewer.flush()?;
    }
    Ok(())
}

struct Packets<'v> {
    inspector: Inspector,
    viewer: &'v mut Viewer,
    direction: Option<Direction>,
    /// They are messages of MQTT-SN.
    is_sn: bool,
}

impl Packets<'_> {
    /// Takes complete packets; the last one may be truncated.
    fn take(&mut self, direction: Option<Direction>, bytes: &[u8]) {
        if self.is_sn {
            return self.take_datagram(direction, bytes);
        }
        let (at, viewer) = (Moment::default(), &mut *self.viewer);
        let mut rest = bytes;
        while !rest.is_empty() {
            // If a packet's length is unknown, the rest of the bytes is one packet.
            let length =
                stream::whole_length(rest).filter(|length| *length <= rest.len()).unwrap_or(rest.len());
            let (packet, others) = rest.split_at(length);
            let direction = direction.or(self.direction).unwrap_or_else(|| usual_direction(packet));
            self.inspector.bytes(CONNECTION, direction, at, packet, &mut |item| viewer.show(item));
            self.inspector.end(CONNECTION, direction, at, &mut |item| viewer.show(item));
            rest = others;
        }
    }
}

impl Packets<'_> {
    /// Takes a message of MQTT-SN. The text has no addresses.
    fn take_datagram(&mut self, direction: Option<Direction>, bytes: &[u8]) {
        let usual = match sn::is_from_client(bytes) {
            Some(false) => Direction::ServerToClient,
            Some(true) | None => Direction::ClientToServer,
        };
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let datagram = Datagram {
            connection: CONNECTION,
            at: Moment::default(),
            client: nowhere,
            gateway: nowhere,
            direction: direction.or(self.direction).unwrap_or(usual),
            bytes,
            missing: 0,
        };
        if !bytes.is_empty() {
            self.inspector.datagram(&datagram, &mut |item| self.viewer.show(item));
        }
    }
}

/// The sender of the line's packet, if the line names it, and the rest of the line.
fn sender(line: &str) -> (Option<Direction>, &str) {
    let line = line.trim_start();
    let stated_direction = Direction::BOTH.into_iter().find_map(|direction| {
        let rest = line.strip_prefix(direction.name())?.strip_prefix(':')?;
        Some((Some(direction), rest))
    });
    stated_direction.unwrap_or((None, line))
}

/// The usual sender of such packets; the client, if both may send them.
fn usual_direction(bytes: &[u8]) -> Direction {
    let packet_type = bytes.first().and_then(|first| PacketType::from_first_byte(*first));
    packet_type.and_then(Direction::of).unwrap_or(Direction::ClientToServer)
}

impl Notation {
    /// The error for a text without bytes.
    fn missing(self, text: &str) -> String {
        let (option, example) = match self {
            Notation::Hex => ("--hex", "'c0 00'"),
            Notation::Base64 => ("--base64", "wAA="),
        };
        format!("{option}: {text:?} has no bytes; expected packets, as in {option} {example}")
    }

    fn decode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Notation::Hex => hex(text),
            Notation::Base64 => {
                let text: String = text.split_whitespace().collect();
                STANDARD
                    .decode(&text)
                    .map_err(|error| format!("'{text}' is not Base64: {}", base64_problem(&error)))
            }
        }
    }
}

/// Hexadecimal in common notations: with or without spaces, colons, commas, `0x` and `\x`.
fn hex(text: &str) -> Result<Vec<u8>, String> {
    let plain = text.replace("0x", " ").replace("\\x", " ");
    let mut bytes = Vec::new();
    for word in plain.split(|character: char| character.is_whitespace() || ":,;-".contains(character)) {
        // A single digit is a byte, so that `a` is not half of one.
        let word = if word.len() == 1 { format!("0{word}") } else { word.to_owned() };
        bytes.extend(
            crate::message::decode_hex(&word)
                .map_err(|problem| format!("'{word}' is not hexadecimal: {problem}"))?,
        );
    }
    Ok(bytes)
}
