//! The 28 types of MQTT-SN 1.2 messages (section 5.2.2).

use std::fmt;

macro_rules! message_types {
    ($($variant:ident = $number:literal $name:literal;)+) => {
        /// The type of a message; the value is its type octet.
        ///
        /// The order of PUBCOMP, PUBREC and PUBREL is not that of MQTT.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)] // the names are the specification's own
        pub enum MessageType {
            $($variant = $number,)+
        }

        impl MessageType {
            /// All types, in the order of their numbers.
            pub const ALL: [MessageType; 28] = [$(MessageType::$variant,)+];

            /// The type of this octet; `None` if it is reserved.
            pub fn from_octet(octet: u8) -> Option<MessageType> {
                match octet {
                    $($number => Some(MessageType::$variant),)+
                    _ => None,
                }
            }

            /// The name as the specification writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(MessageType::$variant => $name,)+
                }
            }
        }
    };
}

message_types! {
    Advertise = 0x00 "ADVERTISE";
    SearchGw = 0x01 "SEARCHGW";
    GwInfo = 0x02 "GWINFO";
    Connect = 0x04 "CONNECT";
    Connack = 0x05 "CONNACK";
    WillTopicReq = 0x06 "WILLTOPICREQ";
    WillTopic = 0x07 "WILLTOPIC";
    WillMsgReq = 0x08 "WILLMSGREQ";
    WillMsg = 0x09 "WILLMSG";
    Register = 0x0a "REGISTER";
    Regack = 0x0b "REGACK";
    Publish = 0x0c "PUBLISH";
    Puback = 0x0d "PUBACK";
    Pubcomp = 0x0e "PUBCOMP";
    Pubrec = 0x0f "PUBREC";
    Pubrel = 0x10 "PUBREL";
    Subscribe = 0x12 "SUBSCRIBE";
    Suback = 0x13 "SUBACK";
    Unsubscribe = 0x14 "UNSUBSCRIBE";
    Unsuback = 0x15 "UNSUBACK";
    Pingreq = 0x16 "PINGREQ";
    Pingresp = 0x17 "PINGRESP";
    Disconnect = 0x18 "DISCONNECT";
    WillTopicUpd = 0x1a "WILLTOPICUPD";
    WillTopicResp = 0x1b "WILLTOPICRESP";
    WillMsgUpd = 0x1c "WILLMSGUPD";
    WillMsgResp = 0x1d "WILLMSGRESP";
    Encapsulated = 0xfe "ENCAPSULATED";
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
