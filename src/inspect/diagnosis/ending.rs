//! The ways in which connections end.

use crate::inspect::Direction;
use crate::inspect::capture::reassembly::Close;
use crate::protocol::property::Context;
use crate::protocol::{ReasonCode, return_code_name};

/// The code of DISCONNECT in MQTT 3, and of a normal one in MQTT 5.
const NORMAL: u8 = 0;

/// The end of a connection: the first sign that it ends counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ending {
    /// This side sent DISCONNECT with this reason code.
    Disconnect(Direction, u8),
    /// The server refused CONNECT with this code.
    Refused(u8),
    /// It ended because another connection took its client identifier over.
    TakenOver,
    /// This side sent FIN first.
    Fin(Direction),
    /// This side sent RST.
    Reset(Direction),
    /// Another connection uses the same addresses and ports.
    Replaced,
    /// This side sent FIN, and the other side did not close until the capture ended.
    HalfOpen(Direction),
    /// It had not ended when the capture did.
    Open,
    /// Closed, by an unknown side.
    Unknown,
}

impl Ending {
    /// The end of TCP, if MQTT did not announce it.
    pub(super) fn of_tcp(by: Close<Direction>, first_fin: Option<Direction>) -> Ending {
        match (by, first_fin) {
            (Close::EndOfCapture, Some(first)) => Ending::HalfOpen(first),
            (_, Some(first)) => Ending::Fin(first),
            (Close::Reset(sender) | Close::Refused(sender), None) => Ending::Reset(sender),
            (Close::Replaced, None) => Ending::Replaced,
            (Close::EndOfCapture | Close::Evicted, None) => Ending::Open,
            (Close::Fin, None) => Ending::Unknown,
        }
    }

    /// Whether nothing is wrong: the client disconnected, or the capture ended.
    pub(super) fn is_orderly(self) -> bool {
        match self {
            Ending::Disconnect(Direction::ClientToServer, code) => !ReasonCode(code).is_error(),
            Ending::Open | Ending::Unknown => true,
            Ending::Disconnect(Direction::ServerToClient, _)
            | Ending::Refused(_)
            | Ending::TakenOver
            | Ending::Fin(_)
            | Ending::Reset(_)
            | Ending::Replaced
            | Ending::HalfOpen(_) => false,
        }
    }

    /// The name in JSON.
    pub(super) fn name(self) -> String {
        match self {
            Ending::Disconnect(sender, NORMAL) => format!("{}_disconnect", sender.sender()),
            Ending::Disconnect(sender, code) => format!("{}_disconnect_0x{code:02x}", sender.sender()),
            Ending::Refused(code) => format!("refused_0x{code:02x}"),
            Ending::TakenOver => "taken_over".to_owned(),
            Ending::Fin(sender) => format!("{}_fin", sender.sender()),
            Ending::Reset(sender) => format!("{}_rst", sender.sender()),
            Ending::Replaced => "replaced".to_owned(),
            Ending::HalfOpen(sender) => format!("half_open_after_{}_fin", sender.sender()),
            Ending::Open => "open".to_owned(),
            Ending::Unknown => "closed".to_owned(),
        }
    }

    /// The end as text.
    pub(super) fn describe(self) -> String {
        match self {
            Ending::Disconnect(sender, NORMAL) => format!("the {} disconnected", sender.sender()),
            Ending::Disconnect(sender, code) => {
                format!("the {} disconnected: {}", sender.sender(), reason(code, Context::Disconnect))
            }
            Ending::Refused(code) => format!("the server refused CONNECT: {}", refusal(code)),
            Ending::TakenOver => "another connection took the client identifier over".to_owned(),
            Ending::Fin(sender) => format!("the {} closed without DISCONNECT (FIN)", sender.sender()),
            Ending::Reset(sender) => format!("the {} reset the connection (RST)", sender.sender()),
            Ending::Replaced => "a new connection used the same ports".to_owned(),
            Ending::HalfOpen(sender) => {
                format!("the {} closed (FIN), and the {} did not", sender.sender(), sender.reverse().sender())
            }
            Ending::Open => "open at the end".to_owned(),
            Ending::Unknown => "closed".to_owned(),
        }
    }
}

/// A reason code with its name.
pub(super) fn reason(code: u8, context: Context) -> String {
    let name = ReasonCode(code).name_in(context).unwrap_or("unknown");
    format!("{name} (0x{code:02x})")
}

/// A code of CONNACK: those of MQTT 3 are below 0x80.
pub(super) fn refusal(code: u8) -> String {
    match return_code_name(code) {
        Some(name) => format!("{name} ({code})"),
        None => reason(code, Context::Connack),
    }
}
