//! The rules: one table says which statement of which version each one stands for, how bad it is to break it, who can break it, what
//! it takes to notice, and what to do about it.
//!
//! Statements are named as OASIS numbers them: MQTT 3.1.1 (errata 01) and MQTT 5.0 (2019). What the specification demands without
//! numbering it is named by `mq/`, the version and the section.

use super::{Direction, Severity};
use crate::protocol::Version;
use std::fmt;

/// What has to be seen before a rule can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// How a packet is encoded; the dissector itself notices.
    Encoding,
    /// One packet.
    Packet,
    /// What happened before on the connection.
    Connection,
    /// The times between packets.
    Time,
    /// Other connections.
    Connections,
}

/// Who can break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The client alone.
    Client,
    /// The server alone.
    Server,
    /// Either.
    Both,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $severity:ident $scope:ident $sender:ident $v3:expr, $v5:expr; $sentence:literal; $hint:literal;)+) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // the sentences say what each is
        pub enum Rule { $($variant,)+ }

        impl Rule {
            /// All rules, in the order of the table.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$variant => Severity::$severity,)+ }
            }

            /// What has to be seen.
            pub fn scope(self) -> Scope {
                match self { $(Rule::$variant => Scope::$scope,)+ }
            }

            /// Who can break it.
            pub fn sender(self) -> Sender {
                match self { $(Rule::$variant => Sender::$sender,)+ }
            }

            /// What is demanded, in one sentence.
            pub fn sentence(self) -> &'static str {
                match self { $(Rule::$variant => $sentence,)+ }
            }

            /// What to do about it.
            pub fn hint(self) -> &'static str {
                match self { $(Rule::$variant => $hint,)+ }
            }

            /// The statements of MQTT 3.1.1 and of MQTT 5.0; empty where the version has none.
            fn statements(self) -> (&'static str, &'static str) {
                match self { $(Rule::$variant => ($v3, $v5),)+ }
            }
        }
    };
}

// Each entry: name, severity, scope, sender, statement of 3.1.1, statement of 5.0; what is demanded; what to do.
rules! {
    // How packets are encoded.
    ReservedType Error Encoding Both "mq/v3/2.2.1", "mq/v5/2.1.2";
        "a packet's type is one that the version knows"; "the sender writes something else than MQTT, or another version";
    RemainingLengthTooLong Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "the Remaining Length takes at most four bytes"; "the sender lost count of its own bytes; nothing after this can be trusted";
    RemainingLengthNotMinimal Error Encoding Both "mq/v3/2.2.3", "MQTT-1.5.5-1";
        "a length is encoded in as few bytes as possible"; "the sender pads its lengths; strict receivers close the connection";
    VariableByteIntegerNotMinimal Error Encoding Both "", "MQTT-1.5.5-1";
        "a variable byte integer is encoded in as few bytes as possible"; "the sender pads its integers; strict receivers close the connection";
    VariableByteIntegerTooLong Error Encoding Both "", "mq/v5/1.5.5";
        "a variable byte integer takes at most four bytes"; "the sender lost count of its own bytes";
    TooShort Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "a packet holds all its fields"; "the Remaining Length is wrong, or a field's length is, or the packet is of another version";
    TrailingBytes Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "nothing follows a packet's last field"; "the Remaining Length is wrong, or the packet is of another version";
    CutOff Warning Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "a packet that was begun is sent to its end"; "the connection ended in the middle of a packet: look at what its sender says";
    ReservedFlags Error Encoding Both "MQTT-2.2.2-1", "MQTT-2.1.3-1";
        "reserved flags in the first byte have the value that the specification gives them"; "the receiver closes the connection; the sender sets flags that only PUBLISH has";
    PubrelFlags Error Encoding Both "MQTT-3.6.1-1", "MQTT-3.6.1-1";
        "PUBREL's flags are 0010"; "the receiver closes the connection; the first byte is to be 0x62";
    SubscribeFlags Error Encoding Client "MQTT-3.8.1-1", "MQTT-3.8.1-1";
        "SUBSCRIBE's flags are 0010"; "the server closes the connection; the first byte is to be 0x82";
    UnsubscribeFlags Error Encoding Client "MQTT-3.10.1-1", "MQTT-3.10.1-1";
        "UNSUBSCRIBE's flags are 0010"; "the server closes the connection; the first byte is to be 0xa2";
    DisconnectFlags Error Encoding Both "MQTT-3.14.1-1", "MQTT-3.14.1-1";
        "DISCONNECT's flags are 0"; "the receiver closes the connection; the first byte is to be 0xe0";
    AuthFlags Error Encoding Both "", "MQTT-3.15.1-1";
        "AUTH's flags are 0"; "the receiver closes the connection; the first byte is to be 0xf0";
    StringUtf8 Error Encoding Both "MQTT-1.5.3-1", "MQTT-1.5.4-1";
        "strings are well-formed UTF-8"; "the sender puts text of another encoding, or binary data, into a string";
    StringNull Error Encoding Both "MQTT-1.5.3-2", "MQTT-1.5.4-2";
        "strings hold no null character"; "often a C string that was sent with its terminator";
    ClientIdUtf8 Error Encoding Client "MQTT-3.1.3-4", "MQTT-3.1.3-4";
        "the client identifier is well-formed UTF-8"; "the client puts binary data into its identifier";
    UserPropertyUtf8 Error Encoding Both "", "MQTT-1.5.7-1";
        "both strings of a user property are well-formed UTF-8"; "binary data belongs into the payload or the correlation data";
    ProtocolName Error Encoding Client "MQTT-3.1.2-1", "MQTT-3.1.2-1";
        "the protocol name is MQTT, or MQIsdp for version 3.1"; "the server may close the connection; it may be another protocol";
    ProtocolLevel Error Encoding Client "MQTT-3.1.2-2", "MQTT-3.1.2-2";
        "the protocol level is one that is known: 3, 4 or 5"; "the server answers with return code 1 or reason code 0x84 and closes";
    ConnectReserved Error Encoding Client "MQTT-3.1.2-3", "MQTT-3.1.2-3";
        "the lowest bit of the connect flags is 0"; "the server closes the connection";
    WillMissing Error Encoding Client "MQTT-3.1.2-9", "MQTT-3.1.2-9";
        "where the will flag is set, will topic and will payload are there"; "the client sets the flag and forgets the fields";
    UserNameMissing Error Encoding Client "MQTT-3.1.2-19", "MQTT-3.1.2-17";
        "where the user name flag is set, a user name is there"; "the client sets the flag and forgets the field";
    PasswordMissing Error Encoding Client "MQTT-3.1.2-21", "MQTT-3.1.2-19";
        "where the password flag is set, a password is there"; "the client sets the flag and forgets the field";
    ClientIdMissing Error Encoding Client "MQTT-3.1.3-3", "MQTT-3.1.3-3";
        "CONNECT holds a client identifier, which may be empty"; "the client ends its packet too early";
    ConnackReserved Error Encoding Server "mq/v3/3.2.2.1", "MQTT-3.2.2-1";
        "bits 7 to 1 of CONNACK's flags are 0"; "the server, or what stands between, changes bytes";
    PropertyLengthMissing Error Encoding Both "", "MQTT-2.2.2-1";
        "a property length stands there even when there are no properties"; "a packet of MQTT 3.1.1 on a connection of MQTT 5.0";
    PropertyUnknown Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property's identifier is one of the 27"; "nothing after it can be read; is the property length right?";
    PropertyMisplaced Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property stands only in packets that may carry it"; "the receiver closes the connection with reason code 0x82";
    PropertyRepeated Error Encoding Both "", "mq/v5/2.2.2.2";
        "only user properties, and subscription identifiers from the server, are repeated"; "the receiver closes the connection with reason code 0x82";
    PropertyValue Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property's value is in its range"; "the receiver closes the connection with reason code 0x82";
    NoFiltersSubscribe Error Encoding Client "MQTT-3.8.3-3", "MQTT-3.8.3-2";
        "SUBSCRIBE holds at least one topic filter"; "the client subscribes to an empty list";
    NoFiltersUnsubscribe Error Encoding Client "MQTT-3.10.3-2", "MQTT-3.10.3-2";
        "UNSUBSCRIBE holds at least one topic filter"; "the client unsubscribes from an empty list";
    SubscriptionReserved Error Encoding Client "MQTT-3.8.3-4", "MQTT-3.8.3-5";
        "reserved bits of the subscription options are 0"; "the client sends options that the version does not have";
    SubscriptionQos Error Encoding Client "MQTT-3.8.3-4", "mq/v5/3.8.3.1";
        "the QoS of a subscription is 0, 1 or 2"; "the server closes the connection";
    RetainHandling Error Encoding Client "", "mq/v5/3.8.3.1";
        "Retain Handling is 0, 1 or 2"; "the server closes the connection with reason code 0x82";
    PublishQos Error Encoding Both "MQTT-3.3.1-4", "MQTT-3.3.1-4";
        "both QoS bits are never set"; "the receiver closes the connection";
    MissingBytes Info Encoding Both "mq/capture", "mq/capture";
        "all bytes were captured"; "the capture lost something: a larger buffer (tcpdump -B) or snap length (-s 0) helps";
    VersionUnknown Info Encoding Both "mq/capture", "mq/capture";
        "the connection's CONNECT was captured"; "-V says which version it is";
}

impl Rule {
    /// The statement that is broken in a connection of that version, such as `MQTT-3.3.1-2`.
    pub fn id(self, version: Version) -> &'static str {
        match (self.statements(), version.is_v5()) {
            (("", statement), false) | ((statement, ""), true) => statement,
            ((statement, _), false) | ((_, statement), true) => statement,
        }
    }

    /// Whether it is about how packets are encoded, so that what they mean is not certain.
    pub fn is_malformed(self) -> bool {
        self.scope() == Scope::Encoding && self.severity() == Severity::Error
    }

    /// Whether it can be broken in that direction.
    pub fn applies_to(self, direction: Direction) -> bool {
        match self.sender() {
            Sender::Both => true,
            Sender::Client => direction == Direction::ClientToServer,
            Sender::Server => direction == Direction::ServerToClient,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
