//! The rules: a table with each rule's statements in the specification, severity, scope, sender, requirement and hint.
//!
//! Statements have the identifiers of MQTT 3.1.1 (errata 01) and MQTT 5.0 (2019). A requirement without an identifier is cited as
//! `mq/`, the version and the section. Requirements of Sparkplug 3.0 have the identifiers of its compatibility kit, for both
//! versions unless both columns are set. The columns of a rule of MQTT-SN are the section of MQTT-SN 1.2, which has no
//! identifiers, and the statement of MQTT-SN 2.0; its findings have MQTT 3.1.1 and 5.0 for the two.

use super::Severity;
use crate::protocol::Version;
use std::fmt;

/// The data that a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The encoding of a packet; the dissector checks it.
    Encoding,
    /// A single packet.
    Packet,
    /// Earlier packets of the connection.
    Connection,
    /// The time between packets.
    Time,
    /// Other connections.
    Connections,
}

/// The side that can violate a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Only the client.
    Client,
    /// Only the server.
    Server,
    /// Either.
    Both,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $severity:ident $scope:ident $sender:ident $v3:expr, $v5:expr; $sentence:literal; $hint:literal;)+) => {
        /// A rule of the linter or the dissector.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Rule { $($variant,)+ }

        impl Rule {
            /// All rules, in the order of the table.
            pub(crate) const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// The severity of a violation.
            pub(crate) fn severity(self) -> Severity {
                match self { $(Rule::$variant => Severity::$severity,)+ }
            }

            /// The data that the rule needs.
            pub(crate) fn scope(self) -> Scope {
                match self { $(Rule::$variant => Scope::$scope,)+ }
            }

            /// The side that can violate it.
            pub(crate) fn sender(self) -> Sender {
                match self { $(Rule::$variant => Sender::$sender,)+ }
            }

            /// The requirement, in one sentence.
            pub(crate) fn sentence(self) -> &'static str {
                match self { $(Rule::$variant => $sentence,)+ }
            }

            /// A likely cause, a consequence or a remedy.
            pub(crate) fn hint(self) -> &'static str {
                match self { $(Rule::$variant => $hint,)+ }
            }

            /// The statements of MQTT 3.1.1 and of MQTT 5.0; empty if the version has none.
            fn statements(self) -> (&'static str, &'static str) {
                match self { $(Rule::$variant => ($v3, $v5),)+ }
            }
        }
    };
}

// Each entry: name, severity, scope, sender, statement of 3.1.1, statement of 5.0; requirement; hint.
rules! {
    // Encoding.
    ReservedType Error Encoding Both "mq/v3/2.2.1", "mq/v5/2.1.2";
        "the packet type must be one that the version defines"; "the sender may use another MQTT version, or another protocol";
    RemainingLengthTooLong Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "the Remaining Length must have at most four bytes"; "the sender may have written a wrong length earlier; the rest of this direction cannot be trusted";
    RemainingLengthNotMinimal Error Encoding Both "mq/v3/2.2.3", "MQTT-1.5.5-1";
        "a length must be encoded in as few bytes as possible"; "the sender pads its lengths; strict receivers close the connection";
    VariableByteIntegerNotMinimal Error Encoding Both "", "MQTT-1.5.5-1";
        "a variable byte integer must be encoded in as few bytes as possible"; "the sender pads its integers; strict receivers close the connection";
    VariableByteIntegerTooLong Error Encoding Both "", "mq/v5/1.5.5";
        "a variable byte integer must have at most four bytes"; "the sender may have written a wrong length earlier";
    TooShort Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "a packet must contain all its fields"; "check the Remaining Length and the lengths of the fields; the packet may be of another version";
    TrailingBytes Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "a packet must end after its last field"; "check the Remaining Length; the packet may be of another version";
    CutOff Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
        "a packet must be sent completely"; "the connection ended in the middle of a packet: check the sender's log";
    ReservedFlags Error Encoding Both "MQTT-2.2.2-1", "MQTT-2.1.3-1";
        "reserved flags in the first byte must have the specified value"; "the receiver closes the connection; only PUBLISH has flags that vary";
    PubrelFlags Error Encoding Both "MQTT-3.6.1-1", "MQTT-3.6.1-1";
        "PUBREL's flags must be 0010"; "the receiver closes the connection; set the first byte to 0x62";
    SubscribeFlags Error Encoding Client "MQTT-3.8.1-1", "MQTT-3.8.1-1";
        "SUBSCRIBE's flags must be 0010"; "the server closes the connection; set the first byte to 0x82";
    UnsubscribeFlags Error Encoding Client "MQTT-3.10.1-1", "MQTT-3.10.1-1";
        "UNSUBSCRIBE's flags must be 0010"; "the server closes the connection; set the first byte to 0xa2";
    DisconnectFlags Error Encoding Both "MQTT-3.14.1-1", "MQTT-3.14.1-1";
        "DISCONNECT's flags must be 0"; "the receiver closes the connection; set the first byte to 0xe0";
    AuthFlags Error Encoding Both "", "MQTT-3.15.1-1";
        "AUTH's flags must be 0"; "the receiver closes the connection; set the first byte to 0xf0";
    StringUtf8 Error Encoding Both "MQTT-1.5.3-1", "MQTT-1.5.4-1";
        "strings must be well-formed UTF-8"; "the sender puts binary data or text of another encoding into a string";
    StringNull Error Encoding Both "MQTT-1.5.3-2", "MQTT-1.5.4-2";
        "strings must not contain a null character"; "often a C string that was sent with its terminator";
    ClientIdUtf8 Error Encoding Client "MQTT-3.1.3-4", "MQTT-3.1.3-4";
        "the client identifier must be well-formed UTF-8"; "the client puts binary data into its identifier";
    UserPropertyUtf8 Error Encoding Both "", "MQTT-1.5.7-1";
        "both strings of a user property must be well-formed UTF-8"; "put binary data into the payload or the correlation data";
    ProtocolName Error Encoding Client "MQTT-3.1.2-1", "MQTT-3.1.2-1";
        "the protocol name must be MQTT, or MQIsdp for version 3.1"; "the server may close the connection; the client may use another protocol";
    ProtocolLevel Error Encoding Client "MQTT-3.1.2-2", "MQTT-3.1.2-2";
        "the protocol level must be 3, 4 or 5"; "the server answers with return code 1 or reason code 0x84 and closes the connection";
    ConnectReserved Error Encoding Client "MQTT-3.1.2-3", "MQTT-3.1.2-3";
        "the lowest bit of the connect flags must be 0"; "the server closes the connection";
    WillMissing Error Encoding Client "MQTT-3.1.2-9", "MQTT-3.1.2-9";
        "if the will flag is set, CONNECT must contain will topic and will payload"; "the client sets the flag but does not send the fields";
    UserNameMissing Error Encoding Client "MQTT-3.1.2-19", "MQTT-3.1.2-17";
        "if the user name flag is set, CONNECT must contain a user name"; "the client sets the flag but does not send the field";
    PasswordMissing Error Encoding Client "MQTT-3.1.2-21", "MQTT-3.1.2-19";
        "if the password flag is set, CONNECT must contain a password"; "the client sets the flag but does not send the field";
    ClientIdMissing Error Encoding Client "MQTT-3.1.3-3", "MQTT-3.1.3-3";
        "CONNECT must contain a client identifier, which may be empty"; "the client ends its packet too early";
    ConnackReserved Error Encoding Server "mq/v3/3.2.2.1", "MQTT-3.2.2-1";
        "bits 7 to 1 of CONNACK's flags must be 0"; "the server, or a proxy in between, changes bytes";
    PropertyLengthMissing Error Encoding Both "", "MQTT-2.2.2-1";
        "a property length must be present even without properties"; "a packet of MQTT 3.1.1 on a connection of MQTT 5.0";
    PropertyUnknown Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property identifier must be one of the 27 defined ones"; "the rest of the packet cannot be decoded; check the property length";
    AliasZero Error Encoding Both "", "MQTT-3.3.2-8";
        "a topic alias must not be 0"; "aliases start at 1; the receiver closes the connection with reason code 0x94";
    PropertyMisplaced Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property must only appear in packets that allow it"; "the receiver closes the connection with reason code 0x82";
    PropertyRepeated Error Encoding Both "", "mq/v5/2.2.2.2";
        "only user properties, and subscription identifiers from the server, may repeat"; "the receiver closes the connection with reason code 0x82";
    PropertyValue Error Encoding Both "", "mq/v5/2.2.2.2";
        "a property's value must be in its range"; "the receiver closes the connection with reason code 0x82";
    NoFiltersSubscribe Error Encoding Client "MQTT-3.8.3-3", "MQTT-3.8.3-2";
        "SUBSCRIBE must contain at least one topic filter"; "the client subscribes to an empty list";
    NoFiltersUnsubscribe Error Encoding Client "MQTT-3.10.3-2", "MQTT-3.10.3-2";
        "UNSUBSCRIBE must contain at least one topic filter"; "the client unsubscribes from an empty list";
    SubscriptionReserved Error Encoding Client "MQTT-3.8.3-4", "MQTT-3.8.3-5";
        "reserved bits of the subscription options must be 0"; "the client sends options that the version does not have";
    SubscriptionQos Error Encoding Client "MQTT-3.8.3-4", "mq/v5/3.8.3.1";
        "the QoS of a subscription must be 0, 1 or 2"; "the server closes the connection";
    RetainHandling Error Encoding Client "", "mq/v5/3.8.3.1";
        "Retain Handling must be 0, 1 or 2"; "the server closes the connection with reason code 0x82";
    PublishQos Error Encoding Both "MQTT-3.3.1-4", "MQTT-3.3.1-4";
        "the two QoS bits must not both be set"; "the receiver closes the connection";
    ConnackForm Info Encoding Server "", "mq/v5/3.2";
        "CONNACK should have the form of CONNECT's version"; "the server does not support MQTT 5, and refuses as MQTT 3.1.1 requires: connect with version 3.1.1";
    MissingBytes Info Encoding Both "mq/capture", "mq/capture";
        "all bytes should be captured"; "the capture lost packets: increase the buffer and the snap length, as in `tcpdump -B 8192 -s 0`";
    LargePacket Info Encoding Both "mq/capture", "mq/capture";
        "the inspector keeps the first MiB of a packet"; "the capture has all of its bytes, but the fields beyond are not decoded";
    VersionUnknown Info Encoding Both "mq/capture", "mq/capture";
        "the connection's CONNECT should be captured"; "set the version; without CONNECT it is inferred";

    // Single packets.
    WrongSender Error Packet Both "mq/v3/2.2.1", "mq/v5/2.1.2";
        "a packet must come from the side that may send its type"; "client and server may be mixed up, or a program answers with the wrong type";
    DiscouragedCharacter Warning Packet Both "mq/v3/1.5.3", "mq/v5/1.5.4";
        "strings should not contain control characters or non-characters"; "the receiver may close the connection; sanitise the text before sending it";
    PacketIdZeroClient Error Packet Client "MQTT-2.3.1-1", "MQTT-2.2.1-3";
        "the packet identifier of SUBSCRIBE, UNSUBSCRIBE and PUBLISH with QoS 1 or 2 must not be 0"; "count from 1 to 65535, then start over";
    PacketIdZeroServer Error Packet Server "MQTT-2.3.1-1", "MQTT-2.2.1-4";
        "the packet identifier of PUBLISH with QoS 1 or 2 must not be 0"; "count from 1 to 65535, then start over";
    AcknowledgedIdZero Error Packet Both "mq/v3/2.3.1", "mq/v5/2.2.1";
        "the packet identifier of an acknowledgement must not be 0"; "no packet has identifier 0: check that the sender reads the identifier before it answers";
    WillQos Error Packet Client "MQTT-3.1.2-14", "MQTT-3.1.2-12";
        "the will's QoS must be 0, 1 or 2"; "the server closes the connection";
    WillQosWithoutWill Error Packet Client "MQTT-3.1.2-13", "MQTT-3.1.2-11";
        "without a will, the will's QoS must be 0"; "clear the bits, or set the will flag and send a will";
    WillRetainWithoutWill Error Packet Client "MQTT-3.1.2-15", "MQTT-3.1.2-13";
        "without a will, Will Retain must be 0"; "clear the bit, or set the will flag and send a will";
    PasswordWithoutUserName Error Packet Client "MQTT-3.1.2-22", "";
        "a password requires a user name"; "send an empty user name, or use MQTT 5.0, which allows it";
    ClientIdEmpty Error Packet Client "MQTT-3.1.3-7", "";
        "an empty client identifier requires Clean Session"; "the server answers with return code 2; set Clean Session, or choose an identifier";
    ClientIdLength Info Packet Client "mq/v3.1/3.1", "";
        "a client identifier of MQTT 3.1 should have 1 to 23 characters"; "old servers answer with return code 2; most current ones accept it";
    AuthenticationDataAlone Error Packet Both "", "mq/v5/3.1.2.11.10";
        "authentication data requires an authentication method"; "send the method, or leave out the data";
    AuthenticationMethodMissing Error Packet Both "", "mq/v5/3.15.2.2.2";
        "AUTH must contain the authentication method"; "repeat CONNECT's method in each AUTH";
    SessionPresentRefused Error Packet Server "MQTT-3.2.2-4", "MQTT-3.2.2-6";
        "a CONNACK that refuses must have Session Present 0"; "the server sets the flag before it checks the client";
    ConnackCode Error Packet Server "mq/v3/3.2.2.3", "MQTT-3.2.2-8";
        "CONNACK must have one of its defined codes"; "the code is of another version, or specific to the server";
    DupQos0 Error Packet Both "MQTT-3.3.1-2", "MQTT-3.3.1-2";
        "DUP must be 0 for QoS 0"; "messages with QoS 0 are never retransmitted";
    TopicWildcard Error Packet Both "MQTT-3.3.2-2", "MQTT-3.3.2-2";
        "a topic name must not contain wildcards"; "use + and # only in topic filters; the receiver closes the connection";
    WillTopicWildcard Error Packet Client "MQTT-4.7.1-1", "MQTT-4.7.0-1";
        "the will's topic must not contain wildcards"; "use + and # only in topic filters";
    ResponseTopicWildcard Error Packet Both "", "MQTT-3.3.2-14";
        "a response topic must not contain wildcards"; "set the exact topic for the response";
    TopicEmpty Error Packet Both "MQTT-4.7.3-1", "MQTT-4.7.3-1";
        "topic names and topic filters must have at least one character"; "check for an empty variable";
    TopicMissing Error Packet Both "", "mq/v5/3.3.2.1";
        "a PUBLISH without a topic requires a topic alias"; "send the topic, or the alias that was set for it";
    FilterHash Error Packet Client "MQTT-4.7.1-2", "MQTT-4.7.1-1";
        "# must be a whole level, and the last one"; "a/# is valid; a#, a/#/b are not";
    FilterPlus Error Packet Client "MQTT-4.7.1-3", "MQTT-4.7.1-2";
        "+ must be a whole level"; "a/+/b is valid; a+/b is not";
    ShareShape Error Packet Client "", "MQTT-4.8.2-1";
        "a shared subscription must be $share/NAME/FILTER with a NAME"; "add a name and a filter after $share/";
    ShareName Error Packet Client "", "MQTT-4.8.2-2";
        "the name of a shared subscription must not contain /, + or #, and a filter must follow"; "use $share/NAME/FILTER with another name, or add the filter";
    NoLocalShared Error Packet Client "", "MQTT-3.8.3-4";
        "No Local must not be set for a shared subscription"; "the server closes the connection with reason code 0x82";
    PayloadFormat Warning Packet Both "", "mq/v5/3.3.2.3.2";
        "a payload that is declared as text must be UTF-8"; "the receiver may answer with 0x99; leave out the payload format indicator for binary data";
    SubscriptionIdentifierFromClient Error Packet Client "", "MQTT-3.3.4-6";
        "a client's PUBLISH must not have a subscription identifier"; "the client may have copied the properties of a received message";
    PubackCode Error Packet Both "", "MQTT-3.4.2-1";
        "PUBACK must have one of its defined reason codes"; "the code belongs to another packet";
    PubrecCode Error Packet Both "", "MQTT-3.5.2-1";
        "PUBREC must have one of its defined reason codes"; "the code belongs to another packet";
    PubrelCode Error Packet Both "", "MQTT-3.6.2-1";
        "PUBREL must have one of its defined reason codes"; "only 0x00 and 0x92 are defined";
    PubcompCode Error Packet Both "", "MQTT-3.7.2-1";
        "PUBCOMP must have one of its defined reason codes"; "only 0x00 and 0x92 are defined";
    SubackCode Error Packet Server "MQTT-3.9.3-2", "MQTT-3.9.3-2";
        "SUBACK must only have defined codes"; "MQTT 3.1.1 defines 0, 1, 2 and 0x80; MQTT 5.0 defines more";
    UnsubackCode Error Packet Server "", "MQTT-3.11.3-2";
        "UNSUBACK must only have defined reason codes"; "the code belongs to another packet";
    DisconnectCode Error Packet Both "", "MQTT-3.14.2-1";
        "DISCONNECT must have a defined reason code that its sender may use"; "some codes are only for servers; 0x00 and 0x04 are only for clients";
    AuthCode Error Packet Both "", "MQTT-3.15.2-1";
        "AUTH must have 0x00 (from the server), 0x18 or 0x19 (from the client)"; "the code belongs to another packet";
    ServerSessionExpiry Error Packet Server "", "MQTT-3.14.2-2";
        "a server's DISCONNECT must not have a session expiry interval"; "only the client sets the lifetime of its session";

    // Order of packets in a connection.
    FirstNotConnect Error Connection Client "MQTT-3.1.0-1", "MQTT-3.1.0-1";
        "the client's first packet must be CONNECT"; "the server closes the connection";
    SecondConnect Error Connection Client "MQTT-3.1.0-2", "MQTT-3.1.0-2";
        "a client must send CONNECT only once in a connection"; "the server closes the connection; open a new one to connect again";
    FirstNotConnack Error Connection Server "MQTT-3.2.0-1", "MQTT-3.2.0-1";
        "the server's first packet must be CONNACK, or AUTH if the client requested it"; "the client does not know yet whether it is connected";
    SecondConnack Error Connection Server "mq/v3/3.2", "MQTT-3.2.0-2";
        "a server must send CONNACK only once in a connection"; "a proxy in between may have joined two connections";
    DisconnectBeforeConnack Error Connection Server "", "MQTT-3.14.0-1";
        "the server must not send DISCONNECT before a CONNACK that accepts"; "refuse with the reason code of a CONNACK instead";
    AnswerConnect Warning Connection Server "MQTT-3.1.4-4", "MQTT-3.1.4-5";
        "the server must answer CONNECT with CONNACK"; "check the server's log; some servers close the connection without an answer";
    SessionPresentClean Error Connection Server "MQTT-3.2.2-1", "MQTT-3.2.2-2";
        "Session Present must be 0 for a client with a clean start"; "the client may assume subscriptions that it does not have";
    AssignedIdMissing Error Connection Server "", "MQTT-3.2.2-16";
        "CONNACK must assign an identifier to a client without one"; "the client cannot resume its session";
    EmptyIdAccepted Error Connection Server "MQTT-3.1.3-8", "";
        "the server must refuse an empty client identifier without Clean Session with return code 2"; "no client can resume that session";
    BeforeConnackWithMethod Error Connection Client "", "MQTT-3.1.2-30";
        "with an authentication method, the client may only send AUTH and DISCONNECT before CONNACK"; "wait for CONNACK";
    AuthUnaskedServer Error Connection Server "", "MQTT-4.12.0-6";
        "the server must not use an authentication method unless CONNECT set one"; "the client cannot answer it";
    AuthUnaskedClient Error Connection Client "", "MQTT-4.12.0-7";
        "the client must not send AUTH unless its CONNECT set a method"; "set the authentication method in CONNECT";
    AuthMethodDiffers Error Connection Both "", "MQTT-4.12.0-5";
        "all packets must have the authentication method of CONNECT"; "the method cannot change during a connection";
    AuthContinueServer Error Connection Server "", "MQTT-4.12.0-2";
        "before CONNACK, the server's AUTH must have 0x18, continue authentication"; "CONNACK reports success";
    AuthContinueClient Error Connection Client "", "MQTT-4.12.0-3";
        "before CONNACK, the client's AUTH must have 0x18, continue authentication"; "use 0x19 only after the server has accepted the connection";
    ReauthenticationCode Error Connection Both "", "MQTT-4.12.1-1";
        "re-authentication must start with AUTH 0x19 from the client"; "make the first AUTH after CONNACK one of the client with 0x19";
    AfterRefusal Error Connection Server "MQTT-3.2.2-5", "MQTT-3.2.2-7";
        "the server must close a connection that it refused"; "the client keeps a useless connection";
    AfterDisconnect Error Connection Both "MQTT-3.14.4-2", "MQTT-3.14.4-1";
        "nothing must be sent after DISCONNECT"; "later packets are lost; send DISCONNECT last";
    NotClosed Warning Time Both "MQTT-3.14.4-1", "MQTT-3.14.4-2";
        "a connection must be closed after DISCONNECT"; "the program may leak descriptors";
    SessionExpiryRaised Error Connection Client "", "mq/v5/3.14.2.2.2";
        "DISCONNECT must not set a session expiry interval if CONNECT's was 0"; "set a session expiry interval in CONNECT";

    // Packets and their answers.
    PacketIdInUseClient Error Connection Client "MQTT-2.3.1-2", "MQTT-2.2.1-3";
        "a new packet must have a packet identifier that is not in use"; "reuse an identifier only after its last acknowledgement";
    PacketIdInUseServer Error Connection Server "MQTT-2.3.1-4", "MQTT-2.2.1-4";
        "a new message must have a packet identifier that is not in use"; "reuse an identifier only after its last acknowledgement";
    DupMissing Error Connection Both "MQTT-3.3.1-1", "MQTT-3.3.1-1";
        "a retransmitted message must have DUP"; "without DUP, the receiver takes it for another message";
    DupFirstQos1 Warning Connection Both "MQTT-4.3.2-1", "MQTT-4.3.2-2";
        "the first transmission of a message with QoS 1 must not have DUP"; "the session is new, so no message can be a retransmission";
    DupFirstQos2 Warning Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-2";
        "the first transmission of a message with QoS 2 must not have DUP"; "the session is new, so no message can be a retransmission";
    ResentAlive Error Connection Both "", "MQTT-4.4.0-1";
        "messages must only be retransmitted after a reconnect"; "TCP loses nothing; remove the retransmission timer, which only MQTT 3 allows";
    ResentAfterRefusal Error Connection Both "", "MQTT-4.4.0-2";
        "a message that got a reason code of 0x80 or higher must not be retransmitted"; "the receiver has rejected it; check the reason code";
    ResentAfterPubrel Error Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-6";
        "a message must not be retransmitted after PUBREL"; "the receiver may take it for a new message";
    AnswerUnknown Error Connection Both "MQTT-2.3.1-6", "MQTT-2.2.1-5";
        "an acknowledgement must have the packet identifier of a message that waits for it"; "a duplicate answer, or an identifier of another connection";
    SubackUnknown Error Connection Server "MQTT-3.8.4-2", "MQTT-3.8.4-2";
        "SUBACK must have the packet identifier of a SUBSCRIBE that waits for it"; "a duplicate answer, or an identifier of another connection";
    UnsubackUnknown Error Connection Server "MQTT-3.10.4-4", "MQTT-3.10.4-5";
        "UNSUBACK must have the packet identifier of an UNSUBSCRIBE that waits for it"; "a duplicate answer, or an identifier of another connection";
    AnswerQos1 Error Connection Both "MQTT-4.3.2-2", "MQTT-4.3.2-4";
        "a message with QoS 1 must be answered with PUBACK"; "the sender keeps the message and retransmits it";
    AnswerQos2 Error Connection Both "MQTT-4.3.3-2", "MQTT-4.3.3-8";
        "a message with QoS 2 must be answered with PUBREC"; "the sender keeps the message and retransmits it";
    AnswerPubrec Warning Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-4";
        "PUBREC must be answered with PUBREL"; "until then, the receiver keeps the packet identifier";
    AnswerPubrel Warning Connection Both "MQTT-4.3.3-2", "MQTT-4.3.3-11";
        "PUBREL must be answered with PUBCOMP"; "until then, the sender keeps the packet identifier";
    Qos2Order Error Connection Both "mq/v3/4.3.3", "mq/v5/4.3.3";
        "PUBLISH, PUBREC, PUBREL and PUBCOMP must come in that order"; "a step is missing; the message may be lost or duplicated";
    AnswerSubscribe Warning Connection Server "MQTT-3.8.4-1", "MQTT-3.8.4-1";
        "SUBSCRIBE must be answered with SUBACK"; "the client does not know whether it is subscribed";
    AnswerUnsubscribe Warning Connection Server "MQTT-3.10.4-4", "MQTT-3.10.4-4";
        "UNSUBSCRIBE must be answered with UNSUBACK"; "the client cannot reuse the packet identifier";
    AnswerPing Warning Connection Server "MQTT-3.12.4-1", "MQTT-3.12.4-1";
        "PINGREQ must be answered with PINGRESP"; "the client will close the connection";
    PingrespUnasked Warning Connection Server "mq/v3/3.13", "mq/v5/3.13";
        "PINGRESP must only answer a PINGREQ"; "a duplicate answer";
    SubackCount Error Connection Server "MQTT-3.8.4-5", "MQTT-3.8.4-6";
        "SUBACK must have one code for each topic filter"; "the client cannot match the codes to its filters";
    UnsubackCount Error Connection Server "", "MQTT-3.11.3-1";
        "UNSUBACK must have one reason code for each topic filter"; "the client cannot match the codes to its filters";
    GrantedQos Warning Connection Server "mq/v3/3.8.4", "MQTT-3.8.4-7";
        "the granted QoS must not exceed the requested one"; "the client may not support it";
    PubackOrder Warning Connection Client "MQTT-4.6.0-2", "MQTT-4.6.0-2";
        "PUBACKs must come in the order of the messages"; "the server may lose the order of messages for this client";
    PubrecOrder Warning Connection Client "MQTT-4.6.0-3", "MQTT-4.6.0-3";
        "PUBRECs must come in the order of the messages"; "the server may lose the order of messages for this client";
    PubrelOrder Warning Connection Client "MQTT-4.6.0-4", "MQTT-4.6.0-4";
        "PUBRELs must come in the order of the PUBRECs"; "messages may be delivered out of order";
    ReceiveMaximumClient Error Connection Client "", "MQTT-3.3.4-7";
        "the client must not exceed the server's Receive Maximum of messages in flight"; "the server closes the connection with 0x93; wait for acknowledgements";
    ReceiveMaximumServer Error Connection Server "", "MQTT-3.3.4-9";
        "the server must not exceed the client's Receive Maximum of messages in flight"; "the client closes the connection with 0x93";

    // Limits of the other side.
    PacketTooLargeClient Error Connection Client "", "MQTT-3.2.2-15";
        "a client's packet must not exceed the server's Maximum Packet Size"; "the server closes the connection with 0x95";
    PacketTooLargeServer Error Connection Server "", "MQTT-3.1.2-24";
        "a server's packet must not exceed the client's Maximum Packet Size"; "the server must discard such a message as if it had been sent";
    QosTooHigh Error Connection Client "", "MQTT-3.2.2-11";
        "a client must not publish above the server's Maximum QoS"; "the server closes the connection with 0x9b";
    WillQosTooHigh Error Connection Server "", "MQTT-3.2.2-12";
        "a server must refuse a will above its Maximum QoS"; "the will would be lost silently";
    RetainUnavailable Error Connection Client "", "MQTT-3.2.2-14";
        "RETAIN must be 0 if the server does not support retained messages"; "the server closes the connection with 0x9a";
    WillRetainUnavailable Error Connection Server "", "MQTT-3.2.2-13";
        "a server without retained messages must refuse a will with Will Retain"; "the will would be lost silently";
    AliasAboveMaximumClient Error Connection Client "", "MQTT-3.2.2-17";
        "a client's topic alias must not exceed the server's Topic Alias Maximum"; "the server closes the connection with 0x94";
    AliasUnavailableClient Error Connection Client "", "MQTT-3.2.2-18";
        "a client must not use topic aliases unless the server sets a Topic Alias Maximum"; "the server closes the connection with 0x94";
    AliasAboveMaximumServer Error Connection Server "", "MQTT-3.1.2-26";
        "a server's topic alias must not exceed the client's Topic Alias Maximum"; "the client closes the connection with 0x94";
    AliasUnavailableServer Error Connection Server "", "MQTT-3.1.2-27";
        "a server must not use topic aliases unless the client sets a Topic Alias Maximum"; "the client closes the connection with 0x94";
    AliasUnknown Error Connection Both "", "MQTT-3.3.2-7";
        "a topic alias must have been set in the same connection"; "aliases end with the connection: send the topic again after each CONNECT";
    WildcardsUnavailable Error Connection Client "", "mq/v5/3.2.2.3.11";
        "topic filters must not contain wildcards if the server does not support them"; "the server answers with 0xa2";
    SubscriptionIdentifiersUnavailable Error Connection Client "", "mq/v5/3.2.2.3.12";
        "subscriptions must not have identifiers if the server does not support them"; "the server answers with 0xa1";
    SharedUnavailable Error Connection Client "", "mq/v5/3.2.2.3.13";
        "subscriptions must not be shared if the server does not support that"; "the server answers with 0x9e";
    ProblemInformationUnwanted Error Connection Server "", "MQTT-3.1.2-29";
        "without Request Problem Information, only PUBLISH, CONNACK and DISCONNECT may have reason strings and user properties"; "the client may close the connection with 0x82";
    ResponseInformationUnwanted Error Connection Server "", "MQTT-3.1.2-28";
        "CONNACK must not have response information unless the client requested it"; "the client does not expect it";

    // Delivery.
    DeliveredUnsubscribed Warning Connection Server "MQTT-3.3.2-3", "MQTT-3.3.2-3";
        "a delivered message must match a subscription"; "the subscription may be of an earlier session, or the server may have added it";
    DeliveredDollar Warning Connection Server "MQTT-4.7.2-1", "MQTT-4.7.2-1";
        "a filter that begins with a wildcard must not match topics that begin with $"; "subscribe to $SYS/# for those topics";
    DeliveredQos Warning Connection Server "MQTT-3.8.4-6", "MQTT-3.8.4-8";
        "a message must not be delivered above the granted QoS"; "the client may not support it";
    RetainForwarded Warning Connection Server "MQTT-3.3.1-9", "MQTT-3.3.1-12";
        "RETAIN must only be set in retained messages for a new subscription, or with Retain As Published"; "the client takes a new message for an old one";
    RetainHandlingIgnored Info Connection Server "", "MQTT-3.3.1-11";
        "with Retain Handling 2, retained messages must not be sent for a new subscription"; "the server does not support Retain Handling";
    SubscriptionIdentifierUnknown Warning Connection Server "", "MQTT-3.3.4-5";
        "a message must only have identifiers of the client's subscriptions"; "the client cannot dispatch the message, or dispatches it to the wrong handler";
    SubscriptionIdentifierMissing Warning Connection Server "", "MQTT-3.3.4-3";
        "a message for a subscription with an identifier must have that identifier"; "the client cannot match the message to its subscription";

    // Time.
    KeepAliveExceeded Warning Time Client "MQTT-3.1.2-23", "MQTT-3.1.2-20";
        "the client must not be silent for longer than its keep alive"; "send PINGREQ in time; the server may close the connection";
    KeepAliveNotEnforced Warning Time Server "MQTT-3.1.2-24", "MQTT-3.1.2-22";
        "the server must close a connection that was silent for one and a half times its keep alive"; "a dead client keeps its session, and its will is not published";

    // Several connections, and the transport.
    TakenOver Warning Connections Server "MQTT-3.1.4-2", "MQTT-3.1.4-3";
        "a client that connects again must end its earlier connection"; "check for two clients with the same identifier";
    SessionResurrected Warning Connections Server "MQTT-3.2.2-2", "MQTT-3.2.2-3";
        "Session Present must only be set if there is a session"; "the session should have ended with the client's last connection";
    SubprotocolOffered Error Packet Client "MQTT-6.0.0-3", "MQTT-6.0.0-3";
        "a client must offer the WebSocket subprotocol mqtt"; "set mqtt in Sec-WebSocket-Protocol: many servers refuse the connection without it";
    SubprotocolChosen Error Packet Server "MQTT-6.0.0-4", "MQTT-6.0.0-4";
        "a server must choose the WebSocket subprotocol mqtt"; "browsers close the connection if the server chooses no offered subprotocol";
    WebSocketText Error Packet Both "MQTT-6.0.0-1", "MQTT-6.0.0-1";
        "MQTT must be sent in binary WebSocket frames"; "the receiver closes the connection; the program may send the packet as a string";
    WebSocketFault Error Packet Both "mq/websocket", "mq/websocket";
        "WebSocket frames must comply with RFC 6455"; "the receiver closes the connection; a proxy in between may have joined or split frames";
    ProxyHeader Error Packet Both "mq/proxy-protocol", "mq/proxy-protocol";
        "a PROXY protocol header must comply with its specification"; "the server behind the proxy closes the connection; check the proxy's settings";

    // Sparkplug: the topics and payloads of single messages.
    SparkplugTopic Warning Packet Client "", "tck-id-topic-structure";
        "a topic below spBv1.0 must have a group, a message type and an edge node"; "hosts ignore the message; check the order of the levels and the message type";
    SparkplugDeviceMissing Error Packet Client "", "tck-id-topic-structure-namespace-device-id-associated-message-types";
        "topics of DBIRTH, DDATA, DDEATH and DCMD must have a device"; "add the device as the last level, or use the message type of the node";
    SparkplugDeviceUnwanted Error Packet Client "", "tck-id-topic-structure-namespace-device-id-non-associated-message-types";
        "topics of NBIRTH, NDATA, NDEATH and NCMD must not have a device"; "use the message type of the device";
    SparkplugDeviceId Error Packet Client "", "tck-id-topic-structure-namespace-valid-device-id";
        "the name of a device must not contain a slash"; "hosts read the rest as further levels; replace the slash";
    SparkplugPayload Error Packet Client "", "mq/sparkplug/6";
        "the payload of a message of Sparkplug B must be its protocol buffer"; "the sender may write JSON, or the payload was cut";
    SparkplugNbirthMqtt Error Packet Client "", "tck-id-topics-nbirth-mqtt";
        "NBIRTH must have QoS 0 and must not be retained"; "a retained birth announces a node that may be gone";
    SparkplugDbirthMqtt Error Packet Client "", "tck-id-topics-dbirth-mqtt";
        "DBIRTH must have QoS 0 and must not be retained"; "a retained birth announces a device that may be gone";
    SparkplugNdataMqtt Error Packet Client "", "tck-id-topics-ndata-mqtt";
        "NDATA must have QoS 0 and must not be retained"; "publish it with QoS 0 and without RETAIN";
    SparkplugDdataMqtt Error Packet Client "", "tck-id-topics-ddata-mqtt";
        "DDATA must have QoS 0 and must not be retained"; "publish it with QoS 0 and without RETAIN";
    SparkplugDdeathMqtt Error Packet Client "", "tck-id-topics-ddeath-mqtt";
        "DDEATH must have QoS 0 and must not be retained"; "publish it with QoS 0 and without RETAIN";
    SparkplugNcmdMqtt Error Packet Client "", "tck-id-topics-ncmd-mqtt";
        "NCMD must have QoS 0 and must not be retained"; "a retained command is repeated at every connect of the node";
    SparkplugDcmdMqtt Error Packet Client "", "tck-id-topics-dcmd-mqtt";
        "DCMD must have QoS 0 and must not be retained"; "a retained command is repeated at every connect of the node";
    SparkplugSeqMissing Error Packet Client "", "tck-id-payloads-sequence-num-always-included";
        "all messages of a node but NDEATH must have a sequence number"; "hosts cannot detect lost messages";
    SparkplugNbirthSeq Error Packet Client "", "tck-id-payloads-nbirth-seq";
        "the sequence number of an NBIRTH must be between 0 and 255"; "keep the number in one byte";
    SparkplugNbirthSeqZero Warning Packet Client "", "tck-id-topics-nbirth-seq-num";
        "the sequence number of an NBIRTH must be 0"; "chapter 6 of the specification allows 0 to 255; start at 0 to suit both";
    SparkplugNdeathSeq Error Packet Client "", "tck-id-payloads-ndeath-seq";
        "NDEATH must not have a sequence number"; "the will is sent at an unknown time, so it has no place in the sequence";
    SparkplugNcmdSeq Error Packet Client "", "tck-id-payloads-ncmd-seq";
        "NCMD must not have a sequence number"; "commands have no place in the sequence of the node; leave seq out";
    SparkplugDcmdSeq Error Packet Client "", "tck-id-payloads-dcmd-seq";
        "DCMD must not have a sequence number"; "commands have no place in the sequence of the node; leave seq out";
    SparkplugNbirthTimestamp Warning Packet Client "", "tck-id-payloads-nbirth-timestamp";
        "the payload of NBIRTH must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugDbirthTimestamp Warning Packet Client "", "tck-id-payloads-dbirth-timestamp";
        "the payload of DBIRTH must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugNdataTimestamp Warning Packet Client "", "tck-id-payloads-ndata-timestamp";
        "the payload of NDATA must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugDdataTimestamp Warning Packet Client "", "tck-id-payloads-ddata-timestamp";
        "the payload of DDATA must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugDdeathTimestamp Warning Packet Client "", "tck-id-payloads-ddeath-timestamp";
        "the payload of DDEATH must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugNcmdTimestamp Warning Packet Client "", "tck-id-payloads-ncmd-timestamp";
        "the payload of NCMD must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugDcmdTimestamp Warning Packet Client "", "tck-id-payloads-dcmd-timestamp";
        "the payload of DCMD must have a timestamp"; "set the time of publication, in milliseconds since 1970 UTC";
    SparkplugNbirthBdSeq Error Packet Client "", "tck-id-payloads-nbirth-bdseq";
        "NBIRTH must have the metric bdSeq"; "hosts cannot tell which birth an NDEATH belongs to";
    SparkplugNdeathBdSeq Error Packet Client "", "tck-id-payloads-ndeath-bdseq";
        "NDEATH must have the bdSeq of its NBIRTH"; "hosts ignore the death, and show the node as online";
    SparkplugNdeathPayload Warning Packet Client "", "tck-id-topics-ndeath-payload";
        "the only metric of an NDEATH must be bdSeq"; "hosts ignore the other metrics";
    SparkplugRebirthMetric Warning Packet Client "", "tck-id-payloads-nbirth-rebirth-req";
        "NBIRTH must have the Boolean metric Node Control/Rebirth with the value false"; "hosts cannot request a rebirth after lost messages";
    SparkplugRebirthAlias Warning Packet Client "", "tck-id-operational-behavior-data-commands-rebirth-name-aliases";
        "the metric Node Control/Rebirth must not have an alias"; "a host without the birth requests it by name";
    SparkplugMetricTimestamp Warning Packet Client "", "tck-id-payloads-name-birth-data-requirement";
        "every metric of births and data must have a timestamp"; "hosts use the timestamp of the payload, or the time of arrival";
    SparkplugName Error Packet Client "", "tck-id-payloads-name-requirement";
        "every metric must have a name, or in data an alias"; "hosts cannot attribute the value";
    SparkplugDataType Error Packet Client "", "tck-id-payloads-metric-datatype-req";
        "every metric of a birth must have a data type"; "hosts cannot read values without the type, such as negative integers";
    SparkplugDataTypeValue Error Packet Client "", "tck-id-payloads-metric-datatype-value";
        "a data type must be one of the specification, from 1 to 34"; "the sender may use its own type numbers";
    SparkplugAliasOnly Warning Packet Client "", "tck-id-payloads-alias-data-cmd-requirement";
        "a metric with an alias must not have a name in data"; "the name is redundant after the birth";
    SparkplugNbirthValues Warning Packet Client "", "tck-id-operational-behavior-data-publish-nbirth-values";
        "each metric of NBIRTH must have a value or is_null"; "hosts show an unknown or an old value";
    SparkplugDbirthValues Warning Packet Client "", "tck-id-operational-behavior-data-publish-dbirth-values";
        "each metric of DBIRTH must have a value or is_null"; "hosts show an unknown or an old value";
    SparkplugNodeChronology Warning Packet Client "", "tck-id-operational-behavior-data-publish-nbirth-order";
        "values of a node that are not historical must be in the order of their timestamps"; "mark stored values with is_historical, or sort them";
    SparkplugDeviceChronology Warning Packet Client "", "tck-id-operational-behavior-data-publish-dbirth-order";
        "values of a device that are not historical must be in the order of their timestamps"; "mark stored values with is_historical, or sort them";

    // Sparkplug: the sessions of nodes.
    SparkplugSeqIncrementing Error Connections Client "", "tck-id-payloads-sequence-num-incrementing";
        "the sequence number must increase by one, from 255 to 0"; "hosts request a rebirth; several threads or programs may publish as one node";
    SparkplugBirthFirst Error Connections Client "", "tck-id-principles-birth-certificates-order";
        "the first message of a node must be its NBIRTH"; "hosts ignore the message, or request a rebirth";
    SparkplugDbirthOrder Error Connections Client "", "tck-id-payloads-dbirth-order";
        "a DBIRTH must come after the NBIRTH of its node"; "hosts ignore the device, or request a rebirth";
    SparkplugNdataOrder Error Connections Client "", "tck-id-payloads-ndata-order";
        "NDATA must come after the NBIRTH"; "hosts cannot name the metrics, and request a rebirth";
    SparkplugDdataOrder Error Connections Client "", "tck-id-payloads-ddata-order";
        "DDATA must come after the births of node and device"; "hosts cannot name the metrics, and request a rebirth";
    SparkplugNodeMetric Error Connections Client "", "tck-id-operational-behavior-data-publish-nbirth";
        "NBIRTH must have all metrics of the node's data"; "hosts ignore the metric, or request a rebirth; publish a new birth before a new metric";
    SparkplugDeviceMetric Error Connections Client "", "tck-id-operational-behavior-data-publish-dbirth";
        "DBIRTH must have all metrics of the device's data"; "hosts ignore the metric, or request a rebirth; publish a new birth before a new metric";
    SparkplugTypeDiffers Error Connections Client "", "mq/sparkplug/6";
        "the data type of a metric must be that of its birth"; "hosts read the value as the type of the birth";
    SparkplugAliasUnique Error Connections Client "", "tck-id-payloads-alias-uniqueness";
        "an alias must be unique among all metrics of a node and its devices"; "hosts attribute values to the wrong metric";
    SparkplugTemplates Error Connections Client "", "tck-id-topics-nbirth-templates";
        "the NBIRTH must define all templates that instances refer to"; "hosts cannot read the instance";
    SparkplugBdSeqWill Error Connection Client "", "tck-id-payloads-nbirth-bdseq-repeat";
        "the bdSeq of an NBIRTH must be that of the will in CONNECT"; "hosts ignore the death, and show the node as online; do not count again at a rebirth";
    SparkplugBdSeqIncrement Warning Connections Client "", "tck-id-topics-nbirth-bdseq-increment";
        "bdSeq must increase with every CONNECT"; "hosts cannot tell the death of the old session from that of the new one";
    SparkplugUniqueNode Warning Connections Client "", "tck-id-topic-structure-namespace-unique-edge-node-descriptor";
        "group and edge node must be unique in the system"; "check for two programs with the same group and node";
    SparkplugRebirthAnswer Warning Connections Client "", "tck-id-operational-behavior-data-commands-rebirth-action-2";
        "a request for a rebirth must be followed by the births"; "hosts keep the node as stale; the node may not subscribe to NCMD";
    SparkplugWill Warning Connection Client "", "tck-id-payloads-ndeath-will-message";
        "the will in a node's CONNECT must be its NDEATH"; "hosts do not learn when the node is lost; a bridge has no such will";
    SparkplugWillQos Error Packet Client "", "tck-id-payloads-ndeath-will-message-qos";
        "the will QoS of an NDEATH must be 1"; "the death can be lost";
    SparkplugWillRetain Error Packet Client "", "tck-id-payloads-ndeath-will-message-retain";
        "an NDEATH in the will must not be retained"; "later subscribers see a node that may be alive as dead";
    SparkplugNodeCleanSession Error Packet Client "tck-id-principles-persistence-clean-session-311", "tck-id-principles-persistence-clean-session-50";
        "a node must start with a clean session that ends with the connection"; "old commands reach the node after a reconnect";
    SparkplugCommands Warning Connection Client "", "tck-id-message-flow-edge-node-ncmd-subscribe";
        "a node must subscribe to its NCMD with QoS 1"; "hosts cannot request a rebirth, or the request can be lost";
    SparkplugDisconnect Error Connection Client "tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311", "tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50";
        "a node must announce its death before DISCONNECT"; "the server discards the will; publish NDEATH, or set the reason code 0x04 of MQTT 5";

    // Sparkplug: the states of host applications.
    SparkplugStateTopic Info Packet Client "", "tck-id-host-topic-phid-birth-topic";
        "the state of a host must be published to spBv1.0/STATE and its identifier"; "the topic STATE and the text are those of Sparkplug 2.2";
    SparkplugHostBirthQos Error Packet Client "", "tck-id-host-topic-phid-birth-qos";
        "the state online of a host must have QoS 1"; "the state can be lost";
    SparkplugHostBirthRetain Error Packet Client "", "tck-id-host-topic-phid-birth-retain";
        "the state online of a host must be retained"; "nodes that connect later do not learn it";
    SparkplugHostBirthPayload Error Packet Client "", "tck-id-host-topic-phid-birth-payload";
        "the state online of a host must be JSON with online and timestamp"; "nodes cannot read the state; text is the form of Sparkplug 2.2";
    SparkplugHostDeathQos Error Packet Client "", "tck-id-host-topic-phid-death-qos";
        "the state offline of a host must have QoS 1"; "the state can be lost";
    SparkplugHostDeathRetain Error Packet Client "", "tck-id-host-topic-phid-death-retain";
        "the state offline of a host must be retained"; "nodes that connect later do not learn it";
    SparkplugHostDeathPayload Error Packet Client "", "tck-id-host-topic-phid-death-payload";
        "the state offline of a host must be JSON with online and timestamp"; "nodes cannot read the state; text is the form of Sparkplug 2.2";
    SparkplugHostTimestamp Error Connection Client "", "tck-id-host-topic-phid-birth-payload-timestamp";
        "the state online must have the timestamp of the will in CONNECT"; "nodes cannot tell an old state from a new one";
    SparkplugHostWill Warning Connection Client "", "tck-id-payloads-state-will-message";
        "the will in a host's CONNECT must be its state offline"; "nodes do not learn when the host is lost; a bridge has no such will";
    SparkplugHostWillQos Error Packet Client "", "tck-id-payloads-state-will-message-qos";
        "the will QoS of a host's state must be 1"; "the state can be lost";
    SparkplugHostWillRetain Error Packet Client "", "tck-id-payloads-state-will-message-retain";
        "a host's state in the will must be retained"; "nodes that connect later do not learn that the host is offline";
    SparkplugHostWillPayload Error Packet Client "", "tck-id-payloads-state-will-message-payload";
        "the will of a host must be JSON with online false and a timestamp"; "nodes cannot read the state";
    SparkplugHostDisconnect Error Connection Client "", "tck-id-operational-behavior-host-application-termination";
        "a host must publish its state offline before DISCONNECT"; "the server discards the will, and nodes take the host for online";
    SparkplugHostCleanSession Error Packet Client "tck-id-message-flow-phid-sparkplug-clean-session-311", "tck-id-message-flow-phid-sparkplug-clean-session-50";
        "a host must start with a clean session that ends with the connection"; "old data reach the host after a reconnect";

    // MQTT-SN: encoding. The two columns are the section of MQTT-SN 1.2 and the statement of MQTT-SN 2.0.
    SnLength Error Encoding Both "mqtt-sn/1.2/5.2.1", "mqtt-sn/2.0/2.1.2";
        "the length field must have the length of the datagram"; "the message is taken to be as long as the datagram; Paho's gateway writes 255 for messages of 257 bytes";
    SnReservedType Error Encoding Both "mqtt-sn/1.2/5.2.2", "mqtt-sn/2.0/2.1.3";
        "the message type must be one that the version defines"; "receivers ignore the message; the sender may use another version of MQTT-SN, or another protocol";
    SnTooShort Error Encoding Both "mqtt-sn/1.2/5.4", "mqtt-sn/2.0/2.1.2";
        "a message must contain all its fields"; "check the sender's encoder; the message may be of another version";
    SnTrailingBytes Error Encoding Both "mqtt-sn/1.2/5.4", "mqtt-sn/2.0/2.1.2";
        "a message must end after its last field"; "one datagram has one message; the message may be of another version";
    SnTopicIdType Error Encoding Both "mqtt-sn/1.2/5.3.4", "mqtt-sn/2.0/2.4";
        "the topic type must be one that the message allows"; "the receiver cannot read the topic";
    SnQos Error Encoding Both "mqtt-sn/1.2/5.3.4", "mqtt-sn/2.0/3.6.2";
        "the QoS must be 0, 1 or 2; only PUBLISH of version 1.2 also has -1"; "both QoS bits are set; version 2.0 has PUBWOS instead of QoS -1";
    SnProtocolId Error Encoding Client "mqtt-sn/1.2/5.3.8", "MQTT-SN-3.1.5-1";
        "the protocol version in CONNECT must be 1 for version 1.2 and 2 for version 2.0"; "gateways reject or ignore the CONNECT";
    SnStringUtf8 Error Encoding Both "mqtt-sn/1.2/5.3.12", "MQTT-SN-1.8.4-1";
        "strings must be well-formed UTF-8"; "the sender puts binary data or text of another encoding into a string";
    SnStringNull Error Encoding Both "mqtt-sn/1.2/5.3.12", "MQTT-SN-1.8.4-2";
        "strings must not contain a null character"; "often a C string that was sent with its terminator";
    SnNested Error Encoding Both "mqtt-sn/1.2/5.5", "MQTT-SN-3.17.8-1";
        "an encapsulated message must not be encapsulated again"; "only forwarders encapsulate messages";
    SnReservedFlags Info Encoding Both "mqtt-sn/1.2/5.3.4", "";
        "flags that the message does not use should be 0"; "receivers ignore them";
    SnReservedBits Error Encoding Both "", "mqtt-sn/2.0/2.1";
        "reserved bits of the flags must be 0"; "the receiver takes the packet for malformed; the sender may use another version";
    SnVersionUnknown Info Encoding Both "mq/capture", "mq/capture";
        "the client's CONNECT should be captured"; "the message can be one of version 1.2 or 2.0 of MQTT-SN; set the version to be certain";

    // MQTT-SN: single messages.
    SnWrongSender Error Packet Both "mqtt-sn/1.2/5.4", "mqtt-sn/2.0/2.1.3";
        "a message must come from the side that may send its type"; "client and gateway may be mixed up, or a program answers with the wrong type";
    SnReservedTopicId Error Packet Both "mqtt-sn/1.2/5.3.11", "";
        "topic ids must not be 0x0000 or 0xFFFF"; "the sender may use an id before it was assigned";
    SnMessageIdZero Error Packet Both "mqtt-sn/1.2/5.3.7", "MQTT-SN-2.2-1";
        "the message id of a message with an answer must not be 0"; "count from 1 to 65535, then start over";
    SnMessageIdUnused Warning Packet Both "mqtt-sn/1.2/5.4.12", "";
        "the message id of a PUBLISH with QoS 0 or -1 must be 0"; "the message has no answer, so it needs no id";
    SnQosMinusOneTopic Error Packet Client "mqtt-sn/1.2/6.8", "";
        "a PUBLISH with QoS -1 must have a predefined topic id or a short topic name"; "without a connection the gateway does not know the id";
    SnClientIdLength Warning Packet Client "mqtt-sn/1.2/5.3.1", "";
        "the client identifier must have 1 to 23 characters"; "Paho's gateway accepts more, others do not";
    SnRegisterTopicId Warning Packet Client "mqtt-sn/1.2/5.4.10", "MQTT-SN-3.4-1";
        "a client must not choose a topic id in REGISTER"; "the gateway assigns the id; send 0x0000";
    SnRegisterWildcard Warning Packet Client "mqtt-sn/1.2/6.5", "";
        "a registered topic must not have wildcards"; "a message to this id makes the broker close the gateway's connection";
    SnReturnCode Error Packet Both "mqtt-sn/1.2/5.3.10", "mqtt-sn/2.0/2.3";
        "the return code must be one that the message defines"; "the code is of another version, or specific to the sender";
    SnKeepAliveZero Error Packet Client "", "MQTT-SN-3.1.6-4";
        "the keep alive must not be 0"; "the server rejects the CONNECT as a protocol error; version 2.0 has no connection without a keep alive";
    SnMaximumPacketSize Error Packet Client "", "MQTT-SN-3.1.7-1";
        "the maximum packet size must be 0, for none, or at least 10"; "the server rejects the CONNECT";
    SnAssignedAlias Error Packet Server "", "MQTT-SN-3.4-2";
        "a server must assign a topic alias in REGISTER"; "the client does not learn which alias the topic has";
    SnRegackAlias Error Packet Client "", "MQTT-SN-3.5.4-1";
        "a client must not send a topic alias in REGACK"; "only the server assigns aliases";
    SnSubackType Error Packet Server "", "MQTT-SN-3.8.2.1-2";
        "a SUBACK without a topic alias must have the topic type 1"; "the client may take the type for that of an alias";
    SnServerSessionExpiry Error Packet Server "", "MQTT-SN-3.13.5-1";
        "a server must not send a session expiry interval in DISCONNECT"; "only the client may change it";
    SnEncapsulatedType Error Packet Client "", "MQTT-SN-3.18-3";
        "only PUBLISH, SUBSCRIBE, UNSUBSCRIBE, REGISTER, DISCONNECT, SLEEPREQ and PINGREQ of a client may be in a connection encapsulation"; "the server cannot answer in the same way";
    SnTag Error Packet Both "", "mqtt-sn/2.0/3.17";
        "the authentication tag must match the packet"; "the packet was changed, or the key of the sender is another one";
    SnDup Error Packet Both "mqtt-sn/1.2/5.3.4", "MQTT-SN-3.6.2.2.3-1";
        "DUP must be 0 for messages that are not repeated"; "version 1.2 repeats QoS 1 and 2 with DUP, version 2.0 only QoS 2";

    // MQTT-SN: the connection of a client.
    SnTopicIdUnknown Error Connection Both "mqtt-sn/1.2/6.5", "mqtt-sn/2.0/4.7";
        "a topic id must be registered before a PUBLISH uses it"; "the receiver answers with return code 2; register the topic again after each clean connection";
    SnTopicIdRejected Error Connection Both "mqtt-sn/1.2/6.10", "mqtt-sn/2.0/4.7";
        "a topic id must not be used after its registration was rejected"; "the receiver does not know the id";
    SnNotConnected Error Connection Both "mqtt-sn/1.2/6.2", "mqtt-sn/2.0/4.1";
        "a client must connect before it uses the connection"; "the client may have disconnected or been disconnected; gateways ignore the message or answer DISCONNECT";
    SnWillProcedure Error Connection Both "mqtt-sn/1.2/6.2", "";
        "the will must be exchanged in the order CONNECT, WILLTOPICREQ, WILLTOPIC, WILLMSGREQ, WILLMSG, CONNACK"; "the gateway has no will of the client, or an incomplete one";
    SnOneAtATime Warning Connection Both "mqtt-sn/1.2/6.6", "MQTT-SN-4.9-2";
        "only one request of a kind may wait for its answer"; "the receiver may drop the second one, or disconnect";
    SnNeverRepeated Error Connection Client "", "MQTT-SN-4.4.2-1";
        "CONNECT and AUTH must not be repeated"; "the second CONNECT deletes the connection of the first; wait, and start again";
    SnServerSuggestion Error Connection Server "", "MQTT-SN-3.1.2.7-1";
        "a server must not suggest values to a client that does not accept them"; "the client may use its own values, so that the two disagree";
    SnAssignedIdentifier Error Connection Server "", "MQTT-SN-3.2.11-2";
        "a CONNACK must have an identifier if the CONNECT has none"; "the client cannot resume its session";
    SnAuthWithoutMethod Error Connection Both "", "MQTT-SN-4.11.1-6";
        "AUTH must not be sent if CONNECT has no authentication method"; "the receiver takes it for a protocol error";
    SnAliasUnused Error Connection Both "", "MQTT-SN-4.7.2-1";
        "a PUBLISH must use the topic alias if there is one"; "names take space in every packet; send the alias";
    SnSubackAlias Error Connection Server "", "MQTT-SN-4.7.2.2-2";
        "a SUBACK must have a topic alias if and only if the filter is a name without wildcards"; "the client misses the alias, or uses one that means nothing";
    SnRepeatWithoutDup Error Connection Both "mqtt-sn/1.2/5.3.4", "MQTT-SN-4.4.1-3";
        "a repeated PUBLISH must have DUP"; "the receiver takes the message for a new one";
    SnRepeatDiffers Error Connection Both "mqtt-sn/1.2/6.13", "MQTT-SN-4.4.2-7";
        "a repeated message must have the same contents"; "a new message may use the identifier of one that has no answer yet";
    SnNoRequest Warning Connection Both "mqtt-sn/1.2/5.4", "MQTT-SN-2.2-3";
        "an answer must have the identifier of a request"; "the answer may come after a repeated one, or belong to another client behind the address";
    SnAsleep Error Connection Both "mqtt-sn/1.2/6.14", "MQTT-SN-4.14-2";
        "a sleeping client must receive and send nothing but the messages that wake it up or disconnect it"; "the client does not hear the message; the gateway must store it until PINGREQ";
    SnUnanswered Warning Connection Both "mqtt-sn/1.2/6.13", "mqtt-sn/2.0/4.4.2";
        "a request must be answered"; "the datagram or its answer was lost, or the receiver does not know the client";

    // MQTT-SN: time.
    SnKeepAlive Warning Time Client "mqtt-sn/1.2/6.11", "MQTT-SN-3.1.6-2";
        "a client must send a message within its keep alive"; "gateways tolerate 50 % more, or 10 % if it is over a minute, and then take the client for lost";
    SnSleepTooLong Warning Time Client "mqtt-sn/1.2/6.14", "MQTT-SN-4.14.2-1";
        "a sleeping client must wake up within its sleep duration"; "the gateway takes the client for lost, sends its will and drops its messages";
}

impl Rule {
    /// The statement that applies to a connection of this version, such as `MQTT-3.3.1-2`.
    pub(crate) fn id(self, version: Version) -> &'static str {
        match (self.statements(), version.is_v5()) {
            (("", statement), false) | ((statement, ""), true) => statement,
            ((statement, _), false) | ((_, statement), true) => statement,
        }
    }

    /// The statement of MQTT 3.1.1, if it has one.
    pub(crate) fn in_v3(self) -> Option<&'static str> {
        Some(self.statements().0).filter(|statement| is_of_mqtt(statement))
    }

    /// The statement of MQTT 5.0, if it has one.
    pub(crate) fn in_v5(self) -> Option<&'static str> {
        Some(self.statements().1).filter(|statement| is_of_mqtt(statement))
    }

    /// The requirements of Sparkplug 3.0: one for each version of MQTT, or one for both.
    pub(crate) fn in_sparkplug(self) -> impl Iterator<Item = &'static str> {
        let (v3, v5) = self.statements();
        [v3, v5].into_iter().filter(|statement| is_of_sparkplug(statement))
    }

    /// The section of MQTT-SN 1.2 and the statement of MQTT-SN 2.0.
    pub(crate) fn in_mqtt_sn(self) -> [Option<&'static str>; 2] {
        let (v12, v20) = self.statements();
        let is_of_sn = |statement: &&str| is_of_mqtt_sn(statement);
        [Some(v12).filter(is_of_sn), Some(v20).filter(is_of_sn)]
    }

    /// Whether a violation makes the packet malformed, so that its meaning is uncertain.
    pub(crate) fn is_malformed(self) -> bool {
        self.scope() == Scope::Encoding && self.severity() == Severity::Error
    }
}

fn is_of_mqtt(statement: &str) -> bool {
    !statement.is_empty() && !is_of_sparkplug(statement) && !is_of_mqtt_sn(statement)
}

fn is_of_mqtt_sn(statement: &str) -> bool {
    statement.starts_with("mqtt-sn/") || statement.starts_with("MQTT-SN-")
}

fn is_of_sparkplug(statement: &str) -> bool {
    statement.starts_with("tck-id-") || statement.starts_with("mq/sparkplug")
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
