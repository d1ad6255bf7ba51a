//! The rules: a table with each rule's statements in the specification, severity, scope, sender, requirement and hint.
//!
//! Statements have the identifiers of MQTT 3.1.1 (errata 01) and MQTT 5.0 (2019). A requirement without an identifier is cited as
//! `mq/`, the version and the section.

use super::Severity;
use crate::protocol::Version;
use std::fmt;

/// The data that a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
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
pub enum Sender {
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
        #[allow(missing_docs)] // the sentences say what each is
        pub enum Rule { $($variant,)+ }

        impl Rule {
            /// All rules, in the order of the table.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)+];

            /// The severity of a violation.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$variant => Severity::$severity,)+ }
            }

            /// The data that the rule needs.
            pub fn scope(self) -> Scope {
                match self { $(Rule::$variant => Scope::$scope,)+ }
            }

            /// The side that can violate it.
            pub fn sender(self) -> Sender {
                match self { $(Rule::$variant => Sender::$sender,)+ }
            }

            /// The requirement, in one sentence.
            pub fn sentence(self) -> &'static str {
                match self { $(Rule::$variant => $sentence,)+ }
            }

            /// A likely cause, a consequence or a remedy.
            pub fn hint(self) -> &'static str {
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
    CutOff Error Encoding Both "mq/v3/2.2.3", "mq/v5/2.1.4";
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
    AliasZero Error Encoding Both "", "MQTT-3.3.2-8";
        "a topic alias is not 0"; "aliases begin with 1; the receiver closes the connection with 0x94";
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
    ConnackForm Info Encoding Server "", "mq/v5/3.2";
        "CONNACK has the form of the version that CONNECT asked for"; "the server does not know MQTT 5, and refuses as MQTT 3.1.1 demands: connect with version 3.1.1";
    MissingBytes Info Encoding Both "mq/capture", "mq/capture";
        "all bytes were captured"; "the capture lost something: a larger buffer (tcpdump -B) or snap length (-s 0) helps";
    VersionUnknown Info Encoding Both "mq/capture", "mq/capture";
        "the connection's CONNECT was captured"; "-V says which version it is";

    // Single packets.
    WrongSender Error Packet Both "mq/v3/2.2.1", "mq/v5/2.1.2";
        "a packet is sent by the side that may send its type"; "client and server are mixed up, or a program answers with the wrong type";
    DiscouragedCharacter Warning Packet Both "mq/v3/1.5.3", "mq/v5/1.5.4";
        "strings hold no control characters and no non-characters"; "the receiver may close the connection; often text that was not cleaned";
    PacketIdZeroClient Error Packet Client "MQTT-2.3.1-1", "MQTT-2.2.1-3";
        "the packet identifier of SUBSCRIBE, UNSUBSCRIBE and of PUBLISH with QoS 1 or 2 is not 0"; "count from 1 to 65535, then start over";
    PacketIdZeroServer Error Packet Server "MQTT-2.3.1-1", "MQTT-2.2.1-4";
        "the packet identifier of PUBLISH with QoS 1 or 2 is not 0"; "count from 1 to 65535, then start over";
    AcknowledgedIdZero Error Packet Both "mq/v3/2.3.1", "mq/v5/2.2.1";
        "what is acknowledged has a packet identifier, which is not 0"; "nothing can be sent under 0: does the sender read the identifier before it answers?";
    WillQos Error Packet Client "MQTT-3.1.2-14", "MQTT-3.1.2-12";
        "the will's QoS is 0, 1 or 2"; "the server closes the connection";
    WillQosWithoutWill Error Packet Client "MQTT-3.1.2-13", "MQTT-3.1.2-11";
        "without a will, the will's QoS is 0"; "clear the bits, or set the will flag and send a will";
    WillRetainWithoutWill Error Packet Client "MQTT-3.1.2-15", "MQTT-3.1.2-13";
        "without a will, Will Retain is 0"; "clear the bit, or set the will flag and send a will";
    PasswordWithoutUserName Error Packet Client "MQTT-3.1.2-22", "";
        "a password comes with a user name"; "send an empty user name, or speak MQTT 5.0, which allows it";
    ClientIdEmpty Error Packet Client "MQTT-3.1.3-7", "";
        "an empty client identifier comes with Clean Session"; "the server answers with return code 2; set Clean Session, or choose an identifier";
    ClientIdLength Info Packet Client "mq/v3.1/3.1", "";
        "a client identifier of MQTT 3.1 has 1 to 23 characters"; "servers of that time answer with return code 2; most of today's do not mind";
    AuthenticationDataAlone Error Packet Both "", "mq/v5/3.1.2.11.10";
        "authentication data comes with an authentication method"; "name the method, or leave the data out";
    AuthenticationMethodMissing Error Packet Both "", "mq/v5/3.15.2.2.2";
        "AUTH names the authentication method"; "repeat the method of CONNECT in each AUTH";
    SessionPresentRefused Error Packet Server "MQTT-3.2.2-4", "MQTT-3.2.2-6";
        "a CONNACK that refuses has Session Present 0"; "the server sets the flag before it decides";
    ConnackCode Error Packet Server "mq/v3/3.2.2.3", "MQTT-3.2.2-8";
        "CONNACK carries one of its codes"; "a code of another version, or of the server's own making";
    DupQos0 Error Packet Both "MQTT-3.3.1-2", "MQTT-3.3.1-2";
        "DUP is 0 where QoS is 0"; "messages with QoS 0 are never sent again";
    TopicWildcard Error Packet Both "MQTT-3.3.2-2", "MQTT-3.3.2-2";
        "a topic name holds no wildcards"; "+ and # are for topic filters; the receiver closes the connection";
    WillTopicWildcard Error Packet Client "MQTT-4.7.1-1", "MQTT-4.7.0-1";
        "the will's topic holds no wildcards"; "+ and # are for topic filters";
    ResponseTopicWildcard Error Packet Both "", "MQTT-3.3.2-14";
        "a response topic holds no wildcards"; "name the very topic that the answer is to be published to";
    TopicEmpty Error Packet Both "MQTT-4.7.3-1", "MQTT-4.7.3-1";
        "topic names and topic filters have at least one character"; "is a variable empty?";
    TopicMissing Error Packet Both "", "mq/v5/3.3.2.1";
        "a PUBLISH without a topic has a topic alias"; "send the topic, or the alias that was given for it";
    FilterHash Error Packet Client "MQTT-4.7.1-2", "MQTT-4.7.1-1";
        "# stands alone or behind a slash, and last"; "a/# is right; a#, a/#/b are not";
    FilterPlus Error Packet Client "MQTT-4.7.1-3", "MQTT-4.7.1-2";
        "+ takes the place of a whole level"; "a/+/b is right; a+/b is not";
    ShareShape Error Packet Client "", "MQTT-4.8.2-1";
        "a shared subscription is $share/NAME/FILTER, with a name"; "put a name and a filter behind $share/";
    ShareName Error Packet Client "", "MQTT-4.8.2-2";
        "the name of a shared subscription holds no /, + or #, and a filter follows it"; "$share/NAME/FILTER: choose another name, or add the filter";
    NoLocalShared Error Packet Client "", "MQTT-3.8.3-4";
        "No Local is not set for a shared subscription"; "the server closes the connection with reason code 0x82";
    PayloadFormat Warning Packet Both "", "mq/v5/3.3.2.3.2";
        "a payload that is said to be text is UTF-8"; "the receiver may answer 0x99; leave the payload format indicator out for binary data";
    SubscriptionIdentifierFromClient Error Packet Client "", "MQTT-3.3.4-6";
        "a client's PUBLISH carries no subscription identifier"; "often properties that were copied from a received message";
    PubackCode Error Packet Both "", "MQTT-3.4.2-1";
        "PUBACK carries one of its reason codes"; "a code that belongs to another packet";
    PubrecCode Error Packet Both "", "MQTT-3.5.2-1";
        "PUBREC carries one of its reason codes"; "a code that belongs to another packet";
    PubrelCode Error Packet Both "", "MQTT-3.6.2-1";
        "PUBREL carries one of its reason codes"; "only 0x00 and 0x92 exist here";
    PubcompCode Error Packet Both "", "MQTT-3.7.2-1";
        "PUBCOMP carries one of its reason codes"; "only 0x00 and 0x92 exist here";
    SubackCode Error Packet Server "MQTT-3.9.3-2", "MQTT-3.9.3-2";
        "SUBACK carries codes from its table"; "MQTT 3.1.1 knows 0, 1, 2 and 0x80; MQTT 5.0 some more";
    UnsubackCode Error Packet Server "", "MQTT-3.11.3-2";
        "UNSUBACK carries reason codes from its table"; "a code that belongs to another packet";
    DisconnectCode Error Packet Both "", "MQTT-3.14.2-1";
        "DISCONNECT carries one of its reason codes, which its sender may use"; "some codes are for the server alone, and 0x00 and 0x04 for the client";
    AuthCode Error Packet Both "", "MQTT-3.15.2-1";
        "AUTH carries 0x00 from the server, 0x18, or 0x19 from the client"; "a code that belongs to another packet";
    ServerSessionExpiry Error Packet Server "", "MQTT-3.14.2-2";
        "a server's DISCONNECT sets no session expiry"; "only the client decides how long its session lasts";

    // Order of packets in a connection.
    FirstNotConnect Error Connection Client "MQTT-3.1.0-1", "MQTT-3.1.0-1";
        "the client's first packet is CONNECT"; "the server closes the connection";
    SecondConnect Error Connection Client "MQTT-3.1.0-2", "MQTT-3.1.0-2";
        "CONNECT is sent once in a connection"; "the server closes the connection; open a new one to connect again";
    FirstNotConnack Error Connection Server "MQTT-3.2.0-1", "MQTT-3.2.0-1";
        "the server's first packet is CONNACK, after AUTH if the client asked for that"; "the client cannot know yet whether it is connected";
    SecondConnack Error Connection Server "mq/v3/3.2", "MQTT-3.2.0-2";
        "CONNACK is sent once in a connection"; "what stands between may have joined two connections";
    DisconnectBeforeConnack Error Connection Server "", "MQTT-3.14.0-1";
        "the server says DISCONNECT only after a CONNACK that accepts"; "before that, a CONNACK says why not";
    AnswerConnect Warning Connection Server "MQTT-3.1.4-4", "MQTT-3.1.4-5";
        "CONNECT is answered with CONNACK"; "what does the server's log say? some close the connection without a word";
    SessionPresentClean Error Connection Server "MQTT-3.2.2-1", "MQTT-3.2.2-2";
        "a client that starts clean finds no session"; "the client may believe in subscriptions that it does not have";
    AssignedIdMissing Error Connection Server "", "MQTT-3.2.2-16";
        "a client without an identifier is given one in CONNACK"; "the client cannot come back to its session";
    EmptyIdAccepted Error Connection Server "MQTT-3.1.3-8", "";
        "a client without an identifier and without Clean Session is refused with return code 2"; "nobody can find that session again";
    BeforeConnackWithMethod Error Connection Client "", "MQTT-3.1.2-30";
        "with an authentication method, the client sends AUTH and DISCONNECT only until CONNACK comes"; "wait for CONNACK";
    AuthUnaskedServer Error Connection Server "", "MQTT-4.12.0-6";
        "the server uses an authentication method only when CONNECT named one"; "the client does not know what to answer";
    AuthUnaskedClient Error Connection Client "", "MQTT-4.12.0-7";
        "the client sends AUTH only when its CONNECT named a method"; "name the method in CONNECT";
    AuthMethodDiffers Error Connection Both "", "MQTT-4.12.0-5";
        "all packets name the authentication method of CONNECT"; "a method is chosen once for a connection";
    AuthContinueServer Error Connection Server "", "MQTT-4.12.0-2";
        "before CONNACK the server's AUTH says 0x18, continue authentication"; "success is told by CONNACK";
    AuthContinueClient Error Connection Client "", "MQTT-4.12.0-3";
        "before CONNACK the client's AUTH says 0x18, continue authentication"; "0x19 is for later, when the connection was accepted";
    ReauthenticationCode Error Connection Both "", "MQTT-4.12.1-1";
        "authentication is begun again by the client, with AUTH 0x19"; "the first AUTH after CONNACK is the client's, and says 0x19";
    AfterRefusal Error Connection Server "MQTT-3.2.2-5", "MQTT-3.2.2-7";
        "the server closes the connection that it refused"; "the client waits for nothing";
    AfterDisconnect Error Connection Both "MQTT-3.14.4-2", "MQTT-3.14.4-1";
        "nothing is sent after DISCONNECT"; "what comes later is lost; say DISCONNECT last";
    NotClosed Warning Time Both "MQTT-3.14.4-1", "MQTT-3.14.4-2";
        "a connection is closed after DISCONNECT"; "a descriptor that nobody closes";
    SessionExpiryRaised Error Connection Client "", "mq/v5/3.14.2.2.2";
        "a session that CONNECT gave no time to live gets none from DISCONNECT"; "ask for a session expiry interval in CONNECT";

    // Packets and their answers.
    PacketIdInUseClient Error Connection Client "MQTT-2.3.1-2", "MQTT-2.2.1-3";
        "a new packet has a packet identifier that is not in use"; "an identifier is free again when its last acknowledgement has come";
    PacketIdInUseServer Error Connection Server "MQTT-2.3.1-4", "MQTT-2.2.1-4";
        "a new message has a packet identifier that is not in use"; "an identifier is free again when its last acknowledgement has come";
    DupMissing Error Connection Both "MQTT-3.3.1-1", "MQTT-3.3.1-1";
        "a message that is sent again has DUP"; "without DUP the receiver takes it for another one";
    DupFirstQos1 Warning Connection Both "MQTT-4.3.2-1", "MQTT-4.3.2-2";
        "a message with QoS 1 that is sent for the first time has no DUP"; "the session is new: there is nothing to send again";
    DupFirstQos2 Warning Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-2";
        "a message with QoS 2 that is sent for the first time has no DUP"; "the session is new: there is nothing to send again";
    ResentAlive Error Connection Both "", "MQTT-4.4.0-1";
        "messages are sent again after a new connection only"; "TCP loses nothing; a timer that sends again is from MQTT 3";
    ResentAfterRefusal Error Connection Both "", "MQTT-4.4.0-2";
        "a message that was answered with a reason code from 0x80 on is not sent again"; "the receiver has dealt with it; look at the reason code";
    ResentAfterPubrel Error Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-6";
        "a message is not sent again after PUBREL"; "the receiver may take it for a new one";
    AnswerUnknown Error Connection Both "MQTT-2.3.1-6", "MQTT-2.2.1-5";
        "an acknowledgement carries the packet identifier of a message that waits for it"; "acknowledged twice, or another connection's identifier";
    SubackUnknown Error Connection Server "MQTT-3.8.4-2", "MQTT-3.8.4-2";
        "SUBACK carries the packet identifier of a SUBSCRIBE that waits for it"; "answered twice, or another connection's identifier";
    UnsubackUnknown Error Connection Server "MQTT-3.10.4-4", "MQTT-3.10.4-5";
        "UNSUBACK carries the packet identifier of an UNSUBSCRIBE that waits for it"; "answered twice, or another connection's identifier";
    AnswerQos1 Error Connection Both "MQTT-4.3.2-2", "MQTT-4.3.2-4";
        "a message with QoS 1 is answered with PUBACK"; "the sender keeps it, and sends it again";
    AnswerQos2 Error Connection Both "MQTT-4.3.3-2", "MQTT-4.3.3-8";
        "a message with QoS 2 is answered with PUBREC"; "the sender keeps it, and sends it again";
    AnswerPubrec Warning Connection Both "MQTT-4.3.3-1", "MQTT-4.3.3-4";
        "PUBREC is answered with PUBREL"; "until then the receiver keeps the packet identifier";
    AnswerPubrel Warning Connection Both "MQTT-4.3.3-2", "MQTT-4.3.3-11";
        "PUBREL is answered with PUBCOMP"; "until then the sender keeps the packet identifier";
    Qos2Order Error Connection Both "mq/v3/4.3.3", "mq/v5/4.3.3";
        "PUBLISH, PUBREC, PUBREL and PUBCOMP come in that order"; "a step was left out, and the message may be lost or doubled";
    AnswerSubscribe Warning Connection Server "MQTT-3.8.4-1", "MQTT-3.8.4-1";
        "SUBSCRIBE is answered with SUBACK"; "the client cannot know what it is subscribed to";
    AnswerUnsubscribe Warning Connection Server "MQTT-3.10.4-4", "MQTT-3.10.4-4";
        "UNSUBSCRIBE is answered with UNSUBACK"; "the client cannot use the packet identifier again";
    AnswerPing Warning Connection Server "MQTT-3.12.4-1", "MQTT-3.12.4-1";
        "PINGREQ is answered with PINGRESP"; "the client gives the connection up";
    PingrespUnasked Warning Connection Server "mq/v3/3.13", "mq/v5/3.13";
        "PINGRESP answers a PINGREQ"; "answered twice";
    SubackCount Error Connection Server "MQTT-3.8.4-5", "MQTT-3.8.4-6";
        "SUBACK has a code for each topic filter"; "the client cannot tell which filter failed";
    UnsubackCount Error Connection Server "", "MQTT-3.11.3-1";
        "UNSUBACK has a reason code for each topic filter"; "the client cannot tell which filter failed";
    GrantedQos Warning Connection Server "mq/v3/3.8.4", "MQTT-3.8.4-7";
        "the QoS that is granted is not above the one that was asked for"; "the client may not be ready for it";
    PubackOrder Warning Connection Client "MQTT-4.6.0-2", "MQTT-4.6.0-2";
        "PUBACKs come in the order of the messages"; "the server may lose the order of messages for this client";
    PubrecOrder Warning Connection Client "MQTT-4.6.0-3", "MQTT-4.6.0-3";
        "PUBRECs come in the order of the messages"; "the server may lose the order of messages for this client";
    PubrelOrder Warning Connection Client "MQTT-4.6.0-4", "MQTT-4.6.0-4";
        "PUBRELs come in the order of the PUBRECs"; "messages may be delivered out of order";
    ReceiveMaximumClient Error Connection Client "", "MQTT-3.3.4-7";
        "the client has no more messages in flight than the server's Receive Maximum"; "the server closes the connection with 0x93; wait for acknowledgements";
    ReceiveMaximumServer Error Connection Server "", "MQTT-3.3.4-9";
        "the server has no more messages in flight than the client's Receive Maximum"; "the client closes the connection with 0x93";

    // Limits of the other side.
    PacketTooLargeClient Error Connection Client "", "MQTT-3.2.2-15";
        "a client's packet is not longer than the server's Maximum Packet Size"; "the server closes the connection with 0x95";
    PacketTooLargeServer Error Connection Server "", "MQTT-3.1.2-24";
        "a server's packet is not longer than the client's Maximum Packet Size"; "such a message is left out, as if it had been sent";
    QosTooHigh Error Connection Client "", "MQTT-3.2.2-11";
        "a client publishes with no higher QoS than the server's Maximum QoS"; "the server closes the connection with 0x9b";
    WillQosTooHigh Error Connection Server "", "MQTT-3.2.2-12";
        "a server refuses a will with a higher QoS than it has"; "the will would be lost without a word";
    RetainUnavailable Error Connection Client "", "MQTT-3.2.2-14";
        "RETAIN is 0 where the server keeps no messages"; "the server closes the connection with 0x9a";
    WillRetainUnavailable Error Connection Server "", "MQTT-3.2.2-13";
        "a server that keeps no messages refuses a will with Will Retain"; "the will would be lost without a word";
    AliasAboveMaximumClient Error Connection Client "", "MQTT-3.2.2-17";
        "a client's topic alias is not above the server's Topic Alias Maximum"; "the server closes the connection with 0x94";
    AliasUnavailableClient Error Connection Client "", "MQTT-3.2.2-18";
        "a client uses no topic alias where the server gave no Topic Alias Maximum"; "the server closes the connection with 0x94";
    AliasAboveMaximumServer Error Connection Server "", "MQTT-3.1.2-26";
        "a server's topic alias is not above the client's Topic Alias Maximum"; "the client closes the connection with 0x94";
    AliasUnavailableServer Error Connection Server "", "MQTT-3.1.2-27";
        "a server uses no topic alias where the client gave no Topic Alias Maximum"; "the client closes the connection with 0x94";
    AliasUnknown Error Connection Both "", "MQTT-3.3.2-7";
        "a topic alias was given a topic in the same connection"; "aliases end with the connection: send the topic again after each CONNECT";
    WildcardsUnavailable Error Connection Client "", "mq/v5/3.2.2.3.11";
        "topic filters hold no wildcards where the server has no wildcard subscriptions"; "the server answers with 0xa2";
    SubscriptionIdentifiersUnavailable Error Connection Client "", "mq/v5/3.2.2.3.12";
        "subscriptions have no identifiers where the server has none"; "the server answers with 0xa1";
    SharedUnavailable Error Connection Client "", "mq/v5/3.2.2.3.13";
        "subscriptions are not shared where the server has no shared subscriptions"; "the server answers with 0x9e";
    ProblemInformationUnwanted Error Connection Server "", "MQTT-3.1.2-29";
        "without Request Problem Information, only PUBLISH, CONNACK and DISCONNECT carry reason strings and user properties"; "the client may close the connection with 0x82";
    ResponseInformationUnwanted Error Connection Server "", "MQTT-3.1.2-28";
        "CONNACK carries response information only for a client that asked"; "the client does not expect it";

    // Delivery.
    DeliveredUnsubscribed Warning Connection Server "MQTT-3.3.2-3", "MQTT-3.3.2-3";
        "a delivered message matches a subscription"; "a subscription of an earlier session, or one that the server made by itself";
    DeliveredDollar Warning Connection Server "MQTT-4.7.2-1", "MQTT-4.7.2-1";
        "a filter that begins with a wildcard matches no topic that begins with $"; "subscribe to $SYS/# for those";
    DeliveredQos Warning Connection Server "MQTT-3.8.4-6", "MQTT-3.8.4-8";
        "a message is delivered with no higher QoS than was granted"; "the client may not be ready for it";
    RetainForwarded Warning Connection Server "MQTT-3.3.1-9", "MQTT-3.3.1-12";
        "RETAIN is set in messages that were kept for a new subscription, or where it was asked for"; "the client takes a new message for an old one";
    RetainHandlingIgnored Info Connection Server "", "MQTT-3.3.1-11";
        "with Retain Handling 2, retained messages are not sent for a new subscription"; "the server does not know Retain Handling";
    SubscriptionIdentifierUnknown Warning Connection Server "", "MQTT-3.3.4-5";
        "a message carries identifiers of subscriptions that the client has"; "the client gives the message to nobody, or to the wrong one";
    SubscriptionIdentifierMissing Warning Connection Server "", "MQTT-3.3.4-3";
        "a message for a subscription with an identifier carries it"; "the client cannot tell which subscription it is for";

    // Time.
    KeepAliveExceeded Warning Time Client "MQTT-3.1.2-23", "MQTT-3.1.2-20";
        "the client is not silent for longer than its keep alive"; "send PINGREQ in time; the server may close the connection";
    KeepAliveNotEnforced Warning Time Server "MQTT-3.1.2-24", "MQTT-3.1.2-22";
        "the server closes a connection that was silent for one and a half times its keep alive"; "a dead client keeps its session, and its will is not sent";

    // Several connections, and the transport.
    TakenOver Warning Connections Server "MQTT-3.1.4-2", "MQTT-3.1.4-3";
        "a client that connects again ends its earlier connection"; "two clients with the same identifier?";
    SessionResurrected Warning Connections Server "MQTT-3.2.2-2", "MQTT-3.2.2-3";
        "Session Present is set only where there is a session"; "the session ended with the client's last connection";
    SubprotocolOffered Error Packet Client "MQTT-6.0.0-3", "MQTT-6.0.0-3";
        "a client offers the WebSocket subprotocol mqtt"; "name mqtt in Sec-WebSocket-Protocol: many servers refuse the connection without it";
    SubprotocolChosen Error Packet Server "MQTT-6.0.0-4", "MQTT-6.0.0-4";
        "a server chooses the WebSocket subprotocol mqtt"; "browsers close a connection whose server does not choose what they offered";
    WebSocketText Error Packet Both "MQTT-6.0.0-1", "MQTT-6.0.0-1";
        "MQTT comes in binary WebSocket frames"; "the receiver closes the connection; is the payload sent as a string?";
    WebSocketFault Error Packet Both "mq/websocket", "mq/websocket";
        "WebSocket frames are as RFC 6455 says"; "the receiver closes the connection; what stands between may have joined or split frames";
    ProxyHeader Error Packet Both "mq/proxy-protocol", "mq/proxy-protocol";
        "a header of the PROXY protocol is as its specification says"; "the server behind the proxy closes the connection; check the proxy's settings";
}

impl Rule {
    /// The statement that applies to a connection of this version, such as `MQTT-3.3.1-2`.
    pub fn id(self, version: Version) -> &'static str {
        match (self.statements(), version.is_v5()) {
            (("", statement), false) | ((statement, ""), true) => statement,
            ((statement, _), false) | ((_, statement), true) => statement,
        }
    }

    /// The statement of MQTT 3.1.1, if it has one.
    pub fn in_v3(self) -> Option<&'static str> {
        Some(self.statements().0).filter(|statement| !statement.is_empty())
    }

    /// The statement of MQTT 5.0, if it has one.
    pub fn in_v5(self) -> Option<&'static str> {
        Some(self.statements().1).filter(|statement| !statement.is_empty())
    }

    /// Whether a violation makes the packet malformed, so that its meaning is uncertain.
    pub fn is_malformed(self) -> bool {
        self.scope() == Scope::Encoding && self.severity() == Severity::Error
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
