//! A problem as a sentence, without its client.

use super::clients::ClientRecord;
use super::connection::{ASSUMED, BY_FIN, BY_RESET, packet_of};
use super::ending::{reason, refusal};
use super::foreign::alert_of;
use super::kind::Kind;
use super::problem::{Group, listed, times};
use super::sighting::Sighting;
use super::text::cut;
use crate::escape;
use crate::inspect::Direction;
use crate::inspect::view::words::duration;
use crate::protocol::property::Context;

/// The most columns of a topic or a reason.
const MAX_TEXT: usize = 200;

impl Group<'_> {
    pub(super) fn text(&self) -> String {
        let Sighting { count, worst, .. } = self.sighting;
        let times = times(count);
        let longest = duration(worst);
        match self.kind {
            Kind::TakeOverLoop => {
                let rhythm = self.rhythm(|client| client.take_overs().interval());
                format!("connections take this client identifier over from each other, {times}, {rhythm}")
            }
            Kind::ReconnectLoop => self.reconnect_loop(&times),
            Kind::ClosedByServer => self.closed_by_server(&times),
            Kind::KeepAliveTimeout => self.keep_alive_timeout(&longest, &times),
            Kind::TcpRefused => {
                let servers = self.servers();
                format!("{servers} refused the TCP connection (RST): no listener, or a firewall, {times}")
            }
            Kind::Unreachable => {
                let reasons: Vec<_> = self.texts.iter().map(|text| cut(text, MAX_TEXT)).collect();
                let reasons = listed(&reasons, self.text_count, "unknown reasons");
                format!("the proxy could not connect to the server, {times}: {reasons}")
            }
            Kind::TlsFailed => {
                let (alert, sender) = alert_of(self.code);
                let servers = self.servers();
                format!("TLS to {servers} failed: the {} sent the alert {alert}, {times}", sender.sender())
            }
            Kind::Refused => {
                let (reason, stated) = (refusal(self.code as u8), self.stated_reasons());
                format!("the server refused CONNECT: {reason}{stated}, {times}")
            }
            Kind::ConnectUnanswered => {
                format!("the server closed the connection without an answer to CONNECT, {times}")
            }
            Kind::SubscriptionDenied => self.denied("the subscription to", Context::Suback, &times),
            Kind::UnsubscriptionDenied => self.denied("UNSUBSCRIBE from", Context::Unsuback, &times),
            Kind::PublishDenied => self.denied("messages to", Context::Puback, &times),
            Kind::TakeOver => {
                format!("another connection took the client identifier over, {times}{}", self.addresses())
            }
            Kind::KeepAliveExceeded => format!(
                "the client was silent for up to {longest}; its keep alive is {} s, {times}",
                self.code
            ),
            Kind::ClientLost => self.client_lost(&times),
            Kind::HalfOpen => self.half_open(&longest, &times),
            Kind::Unanswered => self.unanswered(&longest, &times),
            Kind::NotDelivered => format!(
                "messages to {} reached no subscriber in the capture, although this client had subscribed, {times}",
                self.named_texts()
            ),
            Kind::SparkplugPublishers
            | Kind::SparkplugSequence
            | Kind::SparkplugBirth
            | Kind::SparkplugDeath => self.sparkplug(&times),
            Kind::InFlightFull => self.in_flight_full(&longest, &times),
            Kind::SlowAnswer => {
                let (name, sender) = packet_of(self.code);
                format!("{name} of the {} took up to {longest}, {times}", sender.sender())
            }
            Kind::Repeated => {
                let (name, sender) = packet_of(self.code);
                format!("the {} sent {name} again, {times}", sender.sender())
            }
            Kind::Oversize => self.oversize(&times),
            Kind::RetainedStorm => format!("a subscription brought up to {worst} retained messages, {times}"),
            Kind::GrowingPayload => {
                format!("the payload of {} grows, up to {worst} bytes", self.named_texts())
            }
            Kind::Burst => self.burst(&times),
        }
    }

    fn servers(&self) -> String {
        let servers: Vec<_> = self.texts.iter().map(ToString::to_string).collect();
        listed(&servers, self.text_count, "the server")
    }

    fn reconnect_loop(&self, times: &str) -> String {
        format!(
            "the client connects again after its connection ended, {times}, {}{}",
            self.rhythm(|client| client.reconnects().interval()),
            self.usual_ending()
        )
    }

    fn keep_alive_timeout(&self, longest: &str, times: &str) -> String {
        match self.sighting.worst {
            0 => format!("the server disconnected: {}, {times}", reason(0x8d, Context::Disconnect)),
            _ => format!(
                "the server closed the connection after a silence of {longest}; the keep alive is {} s, {times}",
                self.code
            ),
        }
    }

    fn denied(&self, request: &str, context: Context, times: &str) -> String {
        let reason = reason(self.code as u8, context);
        format!("the server denied {request} {}: {reason}, {times}", self.named_texts())
    }

    fn client_lost(&self, times: &str) -> String {
        let silence = self.regular_silence();
        match self.code {
            BY_FIN => format!("the client closed the connection without DISCONNECT (FIN), {times}{silence}"),
            BY_RESET => {
                format!("the client reset the connection without DISCONNECT (RST), {times}{silence}")
            }
            code => {
                let (reason, stated) = (reason(code as u8, Context::Disconnect), self.stated_reasons());
                format!("the client disconnected: {reason}{stated}, {times}")
            }
        }
    }

    fn unanswered(&self, longest: &str, times: &str) -> String {
        let (name, sender) = packet_of(self.code);
        let topic = match self.text_count {
            0 => String::new(),
            _ => format!(" for {}", self.named_texts()),
        };
        let other = sender.reverse().sender();
        format!("the {other} did not answer {name}{topic} within {longest}, {times}")
    }

    fn oversize(&self, times: &str) -> String {
        let (name, sender) = packet_of(self.code);
        let limit = self.texts.first().map_or("", |limit| limit);
        let (sender, most) = (sender.sender(), self.sighting.worst);
        format!("the {sender} sent {name} of up to {most} bytes; the receiver's limit is {limit}, {times}")
    }

    fn burst(&self, times: &str) -> String {
        let interval = self.texts.first().map(|text| format!(", every {text} s")).unwrap_or_default();
        let (most, usual) = (self.sighting.worst, self.code);
        format!("up to {most} messages in one second, usually {usual}, {times}{interval}")
    }

    fn sparkplug(&self, times: &str) -> String {
        let nodes = self.named_texts();
        match self.kind {
            Kind::SparkplugPublishers => {
                format!("several connections publish as the Sparkplug node {nodes}, {times}")
            }
            Kind::SparkplugSequence => match self.sighting.worst {
                0 => format!("sequence numbers of the Sparkplug node {nodes} repeat or step back, {times}"),
                most => format!(
                    "sequence numbers of the Sparkplug node {nodes} have gaps, {times}, up to {most} missing"
                ),
            },
            Kind::SparkplugBirth => {
                format!("data of the Sparkplug node {nodes} do not fit its births, {times}")
            }
            _ => format!("a birth and a death of the Sparkplug node {nodes} have different bdSeq, {times}"),
        }
    }

    fn closed_by_server(&self, times: &str) -> String {
        match self.code {
            BY_FIN | BY_RESET => {
                let how = if self.code == BY_RESET { "reset (RST)" } else { "closed (FIN)" };
                let cause = match self.texts.as_slice() {
                    [] => String::new(),
                    texts => format!(", right after {}", texts.join(" or ")),
                };
                let silence = self.regular_silence();
                format!("the server {how} the connection without DISCONNECT, {times}{cause}{silence}")
            }
            code => format!(
                "the server disconnected: {}{}, {times}",
                reason(code as u8, Context::Disconnect),
                self.stated_reasons()
            ),
        }
    }

    /// The reason strings of the sender, in quotes.
    fn stated_reasons(&self) -> String {
        match self.text_count {
            0 => String::new(),
            _ => format!(", {}", self.named_texts()),
        }
    }

    /// The silence before the ends, if it was always the same: the sign of a timeout for idle connections.
    fn regular_silence(&self) -> String {
        match self.is_silence_regular() {
            true => format!(", always after {} without a packet", duration(self.sighting.worst)),
            false => String::new(),
        }
    }

    fn half_open(&self, longest: &str, times: &str) -> String {
        match self.code {
            0 => format!("a new connection used the ports of one that was not closed, {times}"),
            code => {
                let closer = if code == 1 { Direction::ClientToServer } else { Direction::ServerToClient };
                let (closer, other) = (closer.sender(), closer.reverse().sender());
                format!("the {closer} closed (FIN), but the {other} had not closed {longest} later, {times}")
            }
        }
    }

    fn in_flight_full(&self, longest: &str, times: &str) -> String {
        let (sender, receiver) = self.sides();
        let limit = match self.code >= ASSUMED {
            true => "20 messages or more".to_owned(),
            false => format!("as many messages as the {receiver} allows"),
        };
        format!("{limit} from the {sender} were in flight, for up to {longest}, {times}")
    }

    fn named_texts(&self) -> String {
        let named: Vec<_> = self.texts.iter().map(|text| cut(&escape::quoted(text), MAX_TEXT)).collect();
        listed(&named, self.text_count, "a topic that was not captured")
    }

    fn sides(&self) -> (&'static str, &'static str) {
        let sender = if self.code.is_multiple_of(ASSUMED) {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        };
        (sender.sender(), sender.reverse().sender())
    }

    /// The interval of a single client, and its addresses.
    fn rhythm(&self, interval: fn(&ClientRecord) -> Option<u64>) -> String {
        match self.parties.as_slice() {
            [party] => match self.client(*party).and_then(interval) {
                Some(interval) => format!("about every {}{}", duration(interval), self.addresses()),
                None => format!("at unknown times{}", self.addresses()),
            },
            _ => "each at least 3 times".to_owned(),
        }
    }

    fn addresses(&self) -> String {
        let [party] = self.parties.as_slice() else { return String::new() };
        let addresses = self.client(*party).map(ClientRecord::addresses).unwrap_or_default();
        let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        match texts.as_slice() {
            [] => String::new(),
            [one] => format!(", all connections from {one}"),
            several if self.client(*party).is_some_and(ClientRecord::has_more_addresses) => {
                format!(", from {} and more", several.join(", "))
            }
            several => format!(", from {}", several.join(" and ")),
        }
    }

    fn usual_ending(&self) -> String {
        let [party] = self.parties.as_slice() else { return String::new() };
        let endings = self.client(*party).into_iter().flat_map(ClientRecord::endings);
        let abnormal = endings.filter(|(ending, _)| !ending.is_orderly());
        let usual = abnormal.max_by_key(|(_, count)| *count);
        usual.map(|(ending, _)| format!("; mostly {}", ending.describe())).unwrap_or_default()
    }
}
