//! The types of MQTT-SN 2.0 packets (section 2.1.3).

use std::fmt;

macro_rules! packet_types {
    ($($variant:ident = $number:literal $name:literal;)+) => {
        /// The type of a packet; the value is its type octet. The numbers are not those of MQTT-SN 1.2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)] // the names are the specification's own
        pub enum PacketType {
            $($variant = $number,)+
        }

        impl PacketType {
            /// All types, in the order of their numbers.
            pub const ALL: [PacketType; 27] = [$(PacketType::$variant,)+];

            /// The type of this octet; `None` if it is forbidden.
            pub fn from_octet(octet: u8) -> Option<PacketType> {
                match octet {
                    $($number => Some(PacketType::$variant),)+
                    _ => None,
                }
            }

            /// The name as the specification writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(PacketType::$variant => $name,)+
                }
            }
        }
    };
}

packet_types! {
    Connect = 0x01 "CONNECT";
    Connack = 0x02 "CONNACK";
    Publish = 0x03 "PUBLISH";
    Puback = 0x04 "PUBACK";
    Pubrec = 0x05 "PUBREC";
    Pubrel = 0x06 "PUBREL";
    Pubcomp = 0x07 "PUBCOMP";
    Subscribe = 0x08 "SUBSCRIBE";
    Suback = 0x09 "SUBACK";
    Unsubscribe = 0x0a "UNSUBSCRIBE";
    Unsuback = 0x0b "UNSUBACK";
    Pingreq = 0x0c "PINGREQ";
    Pingresp = 0x0d "PINGRESP";
    Disconnect = 0x0e "DISCONNECT";
    Auth = 0x0f "AUTH";
    Register = 0x10 "REGISTER";
    Regack = 0x11 "REGACK";
    Pubwos = 0x12 "PUBWOS";
    Sleepreq = 0x13 "SLEEPREQ";
    Sleepresp = 0x14 "SLEEPRESP";
    Wakeup = 0x15 "WAKEUP";
    Advertise = 0x16 "ADVERTISE";
    SearchGw = 0x17 "SEARCHGW";
    GwInfo = 0x18 "GWINFO";
    Forwarder = 0xfc "FORWARDER";
    Connection = 0xfe "CONNECTION";
    Protection = 0xff "PROTECTION";
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
