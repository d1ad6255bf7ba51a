//! A problem as the report has it: sightings of one kind and reason, in words and figures, with the filter for its packets.

use super::clients::{ClientRecord, Clients};
use super::connection::{BY_FIN, packet_of};
use super::kind::Kind;
use super::sighting::{Mark, Party, ProblemKey, Sighting};
use crate::escape;
use crate::inspect::Severity;
use crate::inspect::capture::Moment;
use crate::inspect::filter::quoted;
use crate::protocol::topic::check_filter;
use std::rc::Rc;

/// Problems of more clients than this are reported together.
pub(super) const MAX_SEPARATE: usize = 3;

/// The most topics, connections and clients to name.
const MAX_NAMED: usize = 3;

/// This many ends after the same silence, of at least this many nanoseconds, are regular.
const MIN_REGULAR: u64 = 3;
const MIN_SILENCE: u64 = 5_000_000_000;

/// Longer topics are left out of filters, in bytes.
const MAX_TOPIC: usize = 1_000;

/// A problem, with the place and the number of its occurrences.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(in crate::inspect) kind: Kind,
    pub(in crate::inspect) severity: Severity,
    /// The identifiers of the first clients.
    pub(in crate::inspect) clients: Vec<Rc<str>>,
    /// The number of clients and of connections whose client is unknown.
    pub(in crate::inspect) client_count: usize,
    pub(in crate::inspect) text: String,
    pub(in crate::inspect) count: u64,
    pub(in crate::inspect) first: Moment,
    pub(in crate::inspect) last: Moment,
    /// The first connections.
    pub(in crate::inspect) connections: Vec<u32>,
    pub(super) has_more_connections: bool,
    /// Some of its clients exceeded a limit, so they are not counted.
    pub(super) has_unnamed_clients: bool,
    /// The filter selects the first connections only.
    pub(super) filters_part: bool,
    /// Topics or topic filters.
    pub(in crate::inspect) topics: Vec<Rc<str>>,
    /// Named numbers, with their units in their names.
    pub(in crate::inspect) figures: Vec<(&'static str, u64)>,
    /// The filter that selects its packets.
    pub(in crate::inspect) filter: String,
    /// Its places, if they are kept.
    pub(in crate::inspect) marks: Vec<Mark>,
    /// The name of the packets that show it, if they have one type.
    pub(in crate::inspect) evidence: Option<&'static str>,
}

impl Problem {
    /// The name of its kind in JSON.
    pub(in crate::inspect) fn kind_name(&self) -> &'static str {
        self.kind.name()
    }
}

/// A sighting with its key.
pub(super) type Entry<'s> = (&'s ProblemKey, &'s Sighting);

/// The sightings that make one problem.
pub(super) struct Group<'a> {
    pub(super) clients: &'a Clients,
    pub(super) kind: Kind,
    pub(super) code: u16,
    pub(super) parties: Vec<Party>,
    pub(super) texts: Vec<Rc<str>>,
    pub(super) text_count: usize,
    pub(super) sighting: Sighting,
}

impl<'a> Group<'a> {
    /// Merges sightings of the same kind and code; there is at least one.
    pub(super) fn new(clients: &'a Clients, kind: Kind, code: u16, all: &[Entry<'_>]) -> Group<'a> {
        let mut parties: Vec<_> = all.iter().map(|(key, _)| key.party).collect();
        parties.sort_unstable();
        parties.dedup();
        let mut texts: Vec<_> = all.iter().filter_map(|(key, _)| key.text.clone()).collect();
        texts.sort_unstable();
        texts.dedup();
        let text_count = texts.len();
        texts.truncate(MAX_NAMED);
        let mut sighting = Sighting::default();
        all.iter().for_each(|(_, one)| sighting.merge(one));
        Group { clients, kind, code, parties, texts, text_count, sighting }
    }

    pub(super) fn problem(self) -> Problem {
        let names = self.parties.iter().filter_map(|party| Some(Rc::clone(&self.client(*party)?.id)));
        let mut connections = self.sighting.connections.clone();
        connections.sort_unstable();
        let filter = self.filter();
        Problem {
            kind: self.kind,
            severity: self.kind.severity(),
            clients: names.take(MAX_NAMED).collect(),
            client_count: self.parties.iter().filter(|party| party.is_known()).count(),
            text: self.text(),
            count: self.sighting.count,
            first: self.sighting.first,
            last: self.sighting.last,
            connections,
            has_more_connections: self.sighting.has_more_connections,
            has_unnamed_clients: self.parties.contains(&Party::Others),
            filters_part: self.sighting.has_more_connections && filter.starts_with("connection="),
            topics: self.topics(),
            figures: self.figures(),
            filter,
            marks: self.sighting.marks.clone(),
            evidence: self.evidence(),
        }
    }

    pub(super) fn client(&self, party: Party) -> Option<&'a ClientRecord> {
        match party {
            Party::Client(index) => self.clients.get(index),
            Party::Connection(_) | Party::Everyone | Party::Others => None,
        }
    }

    /// The type of the packets that show the problem.
    fn evidence(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Refused => Some("CONNACK"),
            Kind::SubscriptionDenied => Some("SUBACK"),
            Kind::UnsubscriptionDenied => Some("UNSUBACK"),
            Kind::ReconnectLoop => Some("CONNECT"),
            Kind::NotDelivered | Kind::GrowingPayload | Kind::Burst | Kind::InFlightFull => Some("PUBLISH"),
            Kind::RetainedStorm => Some("PUBLISH"),
            Kind::SparkplugPublishers
            | Kind::SparkplugSequence
            | Kind::SparkplugBirth
            | Kind::SparkplugDeath => Some("PUBLISH"),
            Kind::SlowAnswer | Kind::Unanswered | Kind::Repeated | Kind::Oversize => {
                Some(packet_of(self.code).0)
            }
            Kind::TakeOverLoop
            | Kind::ClosedByServer
            | Kind::KeepAliveTimeout
            | Kind::TcpRefused
            | Kind::Unreachable
            | Kind::TlsFailed
            | Kind::ConnectUnanswered
            | Kind::PublishDenied
            | Kind::TakeOver
            | Kind::KeepAliveExceeded
            | Kind::ClientLost
            | Kind::HalfOpen => None,
        }
    }

    fn topics(&self) -> Vec<Rc<str>> {
        match self.kind {
            Kind::SubscriptionDenied
            | Kind::UnsubscriptionDenied
            | Kind::PublishDenied
            | Kind::Unanswered
            | Kind::NotDelivered
            | Kind::SparkplugPublishers
            | Kind::SparkplugSequence
            | Kind::SparkplugBirth
            | Kind::SparkplugDeath
            | Kind::GrowingPayload => self.texts.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn is_silence_regular(&self) -> bool {
        let Sighting { count, worst, least, .. } = self.sighting;
        count >= MIN_REGULAR && least >= MIN_SILENCE && worst - least <= worst / 20
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        let Sighting { worst, .. } = self.sighting;
        let code = u64::from(self.code);
        let interval = |of: fn(&ClientRecord) -> Option<u64>| {
            let longest = self.parties.iter().filter_map(|party| of(self.client(*party)?)).max();
            longest.map(|interval| vec![("interval_ns", interval)]).unwrap_or_default()
        };
        match self.kind {
            Kind::TakeOverLoop => interval(|client| client.take_overs().interval()),
            Kind::ReconnectLoop => interval(|client| client.reconnects().interval()),
            Kind::ClosedByServer | Kind::ClientLost if self.code >= BY_FIN => match self.is_silence_regular()
            {
                true => vec![("silence_ns", worst)],
                false => Vec::new(),
            },
            Kind::ClosedByServer
            | Kind::ClientLost
            | Kind::Refused
            | Kind::SubscriptionDenied
            | Kind::UnsubscriptionDenied
            | Kind::PublishDenied => vec![("code", code)],
            Kind::KeepAliveTimeout | Kind::KeepAliveExceeded => {
                vec![("keep_alive", code), ("silence_ns", worst)]
            }
            Kind::HalfOpen | Kind::Unanswered => vec![("waited_ns", worst)],
            Kind::InFlightFull => vec![("duration_ns", worst)],
            Kind::SlowAnswer => vec![("round_trip_ns", worst)],
            Kind::Oversize | Kind::GrowingPayload => vec![("bytes", worst)],
            Kind::RetainedStorm => vec![("messages", worst)],
            Kind::SparkplugSequence => vec![("missing", worst)],
            Kind::SparkplugPublishers | Kind::SparkplugBirth | Kind::SparkplugDeath => Vec::new(),
            Kind::Burst => vec![("messages", worst), ("usual_messages", code)],
            Kind::TcpRefused
            | Kind::Unreachable
            | Kind::TlsFailed
            | Kind::ConnectUnanswered
            | Kind::TakeOver
            | Kind::NotDelivered
            | Kind::Repeated => Vec::new(),
        }
    }

    /// The filter for the packets of the problem.
    fn filter(&self) -> String {
        let client = self.client_term();
        let topic = self.topic_term();
        let packets = match self.kind {
            Kind::TakeOverLoop | Kind::ReconnectLoop | Kind::TakeOver => "type=CONNECT,CONNACK,DISCONNECT",
            Kind::ClosedByServer
            | Kind::KeepAliveTimeout
            | Kind::TcpRefused
            | Kind::TlsFailed
            | Kind::ConnectUnanswered
            | Kind::ClientLost
            | Kind::HalfOpen
            | Kind::KeepAliveExceeded => return self.connection_term(),
            // No connection, so no packets.
            Kind::Unreachable => return String::new(),
            Kind::Refused => "type=CONNECT,CONNACK",
            Kind::SubscriptionDenied => "type=SUBSCRIBE,SUBACK",
            Kind::UnsubscriptionDenied => "type=UNSUBSCRIBE,UNSUBACK",
            Kind::PublishDenied => {
                return joined(&[&client, &format!("({} or type=PUBACK,PUBREC code>=128)", any_of(&topic))]);
            }
            Kind::Unanswered => {
                let name = packet_of(self.code).0;
                let has_topic = matches!(name, "PUBLISH" | "SUBSCRIBE" | "UNSUBSCRIBE");
                let topic = if has_topic { topic.as_str() } else { "" };
                return joined(&[&client, &format!("type={name}"), topic]);
            }
            Kind::NotDelivered
            | Kind::SparkplugPublishers
            | Kind::SparkplugSequence
            | Kind::SparkplugBirth
            | Kind::SparkplugDeath
            | Kind::GrowingPayload => return joined(&["type=PUBLISH", &topic]),
            Kind::InFlightFull => {
                return joined(&[&client, "type=PUBLISH,PUBACK,PUBREC,PUBREL,PUBCOMP"]);
            }
            Kind::SlowAnswer => {
                return joined(&[&client, &format!("type={} rtt>=1s", packet_of(self.code).0)]);
            }
            Kind::Repeated if packet_of(self.code).0 == "PUBLISH" => "type=PUBLISH dup",
            Kind::Repeated => "type=PUBREL",
            Kind::Oversize => {
                let limit = self.texts.first().map_or("0", |limit| limit);
                return joined(&[&client, &format!("size>{limit}")]);
            }
            Kind::RetainedStorm => "type=PUBLISH retain direction=s2c",
            Kind::Burst => "type=PUBLISH",
        };
        joined(&[&client, packets])
    }

    fn client_term(&self) -> String {
        let mut clients = Vec::new();
        let mut connections = Vec::new();
        for party in &self.parties {
            match party {
                Party::Client(index) => {
                    clients.extend(self.clients.get(*index).map(|client| &*client.id));
                }
                Party::Connection(number) => connections.push(number.to_string()),
                Party::Everyone | Party::Others => return String::new(),
            }
        }
        match (clients.as_slice(), connections.as_slice()) {
            (clients @ [_, ..], []) if clients.len() <= MAX_SEPARATE => {
                term("client", clients, |id| id.contains('*') || is_unreadable(id), regex::escape)
            }
            ([], numbers @ [_, ..]) if numbers.len() <= MAX_SEPARATE => {
                format!("connection={}", numbers.join(","))
            }
            _ => String::new(),
        }
    }

    /// The connections, of which all packets up to the end matter; those of the clients if there are many.
    fn connection_term(&self) -> String {
        let clients = self.client_term();
        if self.sighting.has_more_connections && !clients.is_empty() {
            return clients;
        }
        let mut connections = self.sighting.connections.clone();
        connections.sort_unstable();
        let numbers: Vec<_> = connections.iter().map(u32::to_string).collect();
        format!("connection={}", numbers.join(","))
    }

    fn topic_term(&self) -> String {
        match self.texts.as_slice() {
            [] => String::new(),
            // An empty topic cannot be a value, and a long one fits no command line.
            texts if texts.iter().any(|text| text.is_empty() || text.len() > MAX_TOPIC) => String::new(),
            texts if texts.len() == self.text_count => {
                let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
                let is_special = |text: &str| check_filter(text).is_err() || is_unreadable(text);
                let pattern = if self.kind.is_of_sparkplug() { filter_pattern } else { regex::escape };
                term("topic", &texts, is_special, pattern)
            }
            _ => String::new(),
        }
    }
}

/// The term of a filter for these texts. A value of a filter has no control characters, `*` matches any text there, and a topic
/// has its wildcards at the right places, so other texts need a regular expression.
fn term(key: &str, texts: &[&str], is_special: fn(&str) -> bool, pattern: fn(&str) -> String) -> String {
    if !texts.iter().any(|text| is_special(text)) {
        let quoted: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        return format!("{key}={}", quoted.join(","));
    }
    let exact: Vec<_> = texts.iter().map(|text| escape::line(&pattern(text)).into_owned()).collect();
    let pattern = format!("^(?:{})$", exact.join("|"));
    format!("{key}~{}", quoted(&pattern))
}

/// The regular expression for the topics that a topic filter matches.
fn filter_pattern(filter: &str) -> String {
    let (rest, end) = match filter.strip_suffix("/#") {
        Some(rest) => (rest, "(?:/.*)?"),
        None => (filter, ""),
    };
    let level = |level| if level == "+" { "[^/]*".to_owned() } else { regex::escape(level) };
    rest.split('/').map(level).collect::<Vec<_>>().join("/") + end
}

fn is_unreadable(text: &str) -> bool {
    escape::line(text) != text
}

fn any_of(topic: &str) -> &str {
    if topic.is_empty() { "type=PUBLISH" } else { topic }
}

fn joined(terms: &[&str]) -> String {
    let terms: Vec<_> = terms.iter().copied().filter(|term| !term.is_empty()).collect();
    terms.join(" ")
}

/// Names and the number of others: `"a", "b", "c" and 7 more`.
pub(super) fn listed(named: &[String], count: usize, none: &str) -> String {
    match (named, count.saturating_sub(named.len())) {
        ([], _) => none.to_owned(),
        (named, 0) => named.join(", "),
        (named, others) => format!("{} and {others} more", named.join(", ")),
    }
}

pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
