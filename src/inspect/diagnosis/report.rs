//! The report: problems in the order of their kinds, the ends of connections, the slowest answers and the clients.

use super::clients::{ClientRecord, Clients, Repetition};
use super::connection::{EndOfConnection, OpenConnection, Protocol};
use super::ending::Ending;
use super::foreign::{Foreign, ForeignCounts};
use super::problem::{Entry, Group, MAX_SEPARATE, Problem};
use super::sighting::{Party, ProblemKey, Sighting, Sightings};
use super::{Diagnosis, Kind, Totals};
use crate::inspect::capture::Moment;
use crate::inspect::filter::{TimePoint, is_like};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

/// The number of take-overs or reconnects that make a loop.
const LOOP: u64 = 3;

/// The most clients and problems in a report.
pub(super) const MAX_CLIENTS: usize = 1_000;
pub(super) const MAX_PROBLEMS: usize = 1_000;

/// The part of a diagnosis to report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Client identifiers, in which `*` matches any text; empty for all.
    pub(crate) clients: Vec<String>,
    pub(crate) since: Option<TimePoint>,
    pub(crate) until: Option<TimePoint>,
}

/// The result of a diagnosis.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(super) connections: u64,
    pub(super) clients: u64,
    pub(super) packets: u64,
    /// Connections that are known in part.
    pub(super) incomplete: u64,
    pub(super) others: ForeignCounts,
    /// Nanoseconds since 1970.
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) problems: Vec<Problem>,
    pub(super) selection: Option<SelectedPart>,
    pub(super) endings: Vec<(Ending, u64)>,
    pub(super) slowest: Vec<SlowAnswer>,
    pub(super) by_client: Vec<ClientSummary>,
    /// The items beyond a limit, which were not judged: their name in JSON, their name in text, and their number.
    pub(super) left_out: Vec<(&'static str, &'static str, u64)>,
}

/// The part of a capture that is reported.
#[derive(Debug, Clone)]
pub(super) struct SelectedPart {
    /// Patterns of client identifiers; empty for all.
    pub(super) patterns: Vec<String>,
    pub(super) clients: u64,
    pub(super) connections: u64,
    /// Nanoseconds since 1970.
    pub(super) since: Option<u64>,
    pub(super) until: Option<u64>,
}

/// A packet that was answered late, for the list of the slowest.
#[derive(Debug, Clone)]
pub(super) struct SlowAnswer {
    pub(super) nanoseconds: u64,
    pub(super) packet_type: &'static str,
    pub(super) sender: &'static str,
    pub(super) client: Option<Rc<str>>,
    pub(super) connection: u32,
    pub(super) at: Moment,
}

/// A client and its connections.
#[derive(Debug, Clone)]
pub(super) struct ClientSummary {
    pub(super) id: Rc<str>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) connections: u64,
    /// Nanoseconds since 1970.
    pub(super) first: Option<u64>,
    /// Nanoseconds of the connections that ended.
    pub(super) shortest: Option<u64>,
    pub(super) longest: u64,
    pub(super) connected: u64,
    pub(super) endings: Vec<(Ending, u64)>,
}

impl Report {
    /// The problems, the likeliest causes first.
    pub(in crate::inspect) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
impl Report {
    /// The kinds of the problems.
    pub(in crate::inspect) fn kinds(&self) -> Vec<Kind> {
        self.problems.iter().map(|problem| problem.kind).collect()
    }
}

pub(super) fn report(diagnosis: &Diagnosis, scope: &Scope) -> Report {
    let Diagnosis { shared, totals, .. } = diagnosis;
    let clients = &shared.clients;
    let limits = Limits::new(scope, totals);
    let undecided: u64 = diagnosis.undecided().count() as u64;
    let mut others = totals.others;
    for protocol in diagnosis.undecided() {
        others.add(if protocol == Protocol::Undecided { Foreign::Silent } else { Foreign::Unknown });
    }
    let computed = computed(diagnosis);
    let left_out = [
        ("clients", "client identifiers", clients.dropped),
        ("connections", "connections", diagnosis.dropped),
        ("topics", "messages or subscriptions", shared.topics.dropped),
        ("sparkplug_nodes", "Sparkplug nodes", shared.nodes.evicted()),
        ("problems", "problems", shared.sightings.dropped + computed.dropped),
    ];
    let slowest = shared.slowest.all().iter().map(|answer| SlowAnswer {
        nanoseconds: answer.nanoseconds,
        packet_type: answer.packet_type.name(),
        sender: answer.sender.sender(),
        client: name(clients, answer.party),
        connection: answer.connection,
        at: answer.at,
    });
    Report {
        connections: totals.connections - undecided,
        clients: clients.all().len() as u64,
        packets: totals.packets,
        incomplete: shared.incomplete,
        others,
        first: totals.first.and_then(|first| first.time),
        last: totals.last.time,
        problems: problems(clients, [&shared.sightings, &computed], &limits),
        selection: limits.selected_part(clients),
        endings: endings(diagnosis, &limits).into_iter().collect(),
        slowest: slowest.filter(|answer| limits.has_client(answer.client.as_deref())).collect(),
        by_client: summaries(clients, &limits),
        left_out: left_out.into_iter().filter(|(.., count)| *count > 0).collect(),
    }
}

/// The ends of all connections, or of those of the selected clients.
fn endings(diagnosis: &Diagnosis, limits: &Limits<'_>) -> BTreeMap<Ending, u64> {
    let clients = &diagnosis.shared.clients;
    let mut endings = match limits.clients {
        [] => diagnosis.shared.endings.clone(),
        _ => BTreeMap::new(),
    };
    if !limits.clients.is_empty() {
        for (ending, count) in limits.selected(clients).flat_map(ClientRecord::endings) {
            *endings.entry(ending).or_default() += count;
        }
    }
    let is_selected = |connection: &&OpenConnection| {
        connection.protocol == Protocol::Mqtt
            && limits.has_client(name(clients, connection.party()).as_deref())
    };
    let open = diagnosis.open_connections().filter(is_selected).count() as u64;
    if open > 0 {
        *endings.entry(Ending::Open).or_default() += open;
    }
    endings
}

fn name(clients: &Clients, party: Party) -> Option<Rc<str>> {
    match party {
        Party::Client(index) => clients.get(index).map(|client| Rc::clone(&client.id)),
        Party::Connection(_) | Party::Everyone | Party::Others => None,
    }
}

/// The clients and the period of a scope.
struct Limits<'s> {
    clients: &'s [String],
    since: Option<u64>,
    until: Option<u64>,
}

impl Limits<'_> {
    fn new<'s>(scope: &'s Scope, totals: &Totals) -> Limits<'s> {
        let start = totals.first.and_then(|first| first.time).unwrap_or_default();
        let resolve = |point: Option<TimePoint>| point.map(|point| point.resolve(start));
        Limits { clients: &scope.clients, since: resolve(scope.since), until: resolve(scope.until) }
    }

    fn has_client(&self, id: Option<&str>) -> bool {
        let is_like = |pattern: &String| id.is_some_and(|id| is_like(pattern.as_bytes(), id.as_bytes()));
        self.clients.is_empty() || self.clients.iter().any(is_like)
    }

    fn selected<'c>(&self, clients: &'c Clients) -> impl Iterator<Item = &'c ClientRecord> {
        clients.all().iter().filter(|client| self.has_client(Some(&client.id)))
    }

    fn selected_part(&self, clients: &Clients) -> Option<SelectedPart> {
        let is_selective = !self.clients.is_empty() || self.since.is_some() || self.until.is_some();
        is_selective.then(|| SelectedPart {
            patterns: self.clients.to_vec(),
            clients: self.selected(clients).count() as u64,
            connections: self.selected(clients).map(|client| u64::from(client.connections)).sum(),
            since: self.since,
            until: self.until,
        })
    }

    fn has_period(&self, first: Moment, last: Moment) -> bool {
        let is_after = self.since.is_none_or(|since| last.time.is_some_and(|last| last >= since));
        let is_before = self.until.is_none_or(|until| first.time.is_some_and(|first| first <= until));
        is_after && is_before
    }
}

/// The sightings of open connections and of the whole capture.
fn computed(diagnosis: &Diagnosis) -> Sightings {
    let Diagnosis { shared, totals, .. } = diagnosis;
    let mut computed = Sightings::default();
    if shared.sightings.keeps_marks() {
        computed.keep_marks();
    }
    let of_mqtt = |connection: &&OpenConnection| connection.protocol == Protocol::Mqtt;
    let mut open: Vec<_> = diagnosis.open_connections().filter(of_mqtt).collect();
    open.sort_unstable_by_key(|connection| connection.number);
    for connection in open {
        connection.end(EndOfConnection { ending: Ending::Open, at: totals.last }, &mut computed);
    }
    for (index, client) in shared.clients.all().iter().enumerate() {
        let party = Party::Client(u32::try_from(index).unwrap_or(u32::MAX));
        loops(client, party, &shared.sightings, &mut computed);
    }
    messages(diagnosis, &mut computed);
    computed
}

/// Take-overs and reconnects that repeat.
fn loops(client: &ClientRecord, party: Party, seen: &Sightings, computed: &mut Sightings) {
    let key = |kind| ProblemKey { kind, code: 0, party, text: None };
    let mut add = |kind, repetition: Repetition, seen: Sighting| {
        let Repetition { count, first, last } = repetition;
        let Sighting { connections, marks, .. } = seen;
        if count >= LOOP {
            let found = Sighting { count, first, last, connections, marks, ..Sighting::default() };
            computed.put(key(kind), &found);
        }
    };
    let take_overs = seen.get(&key(Kind::TakeOver)).cloned();
    add(Kind::TakeOverLoop, client.take_overs(), take_overs.unwrap_or_default());
    add(Kind::ReconnectLoop, client.reconnects(), Sighting::default());
}

/// The problems of topics and of the rate of messages.
fn messages(diagnosis: &Diagnosis, sightings: &mut Sightings) {
    let Diagnosis { shared, totals, .. } = diagnosis;
    let key = |kind, code, text: Option<Rc<str>>| ProblemKey { kind, code, party: Party::Everyone, text };
    let sighting = |count, first, last, worst| Sighting { count, first, last, worst, ..Sighting::default() };
    for missing in shared.topics.unreceived(totals.last.time.unwrap_or_default()) {
        let record = missing.record;
        let found = sighting(record.published, record.first, record.last, 0);
        let key = key(Kind::NotDelivered, 0, Some(Rc::clone(missing.topic)));
        let party = missing.subscriber.map_or(Party::Everyone, Party::Client);
        sightings.put(ProblemKey { party, ..key }, &found);
    }
    for (topic, record) in shared.topics.growing() {
        let found = sighting(record.published, record.first, record.last, record.last_size);
        sightings.put(key(Kind::GrowingPayload, 0, Some(Rc::clone(topic))), &found);
    }
    if let Some(bursts) = shared.bursts.summary() {
        let at = |time| Moment { frame: 0, time: Some(time) };
        let usual = u16::try_from(bursts.usual).unwrap_or(u16::MAX);
        let interval = bursts.interval.map(|interval| Rc::from(interval.to_string()));
        let found = sighting(bursts.count, at(bursts.first), at(bursts.last), bursts.peak.into());
        sightings.put(key(Kind::Burst, usual, interval), &found);
    }
}

/// Groups sightings by kind and code: for each client, or together if there are many clients.
fn problems(clients: &Clients, sightings: [&Sightings; 2], limits: &Limits<'_>) -> Vec<Problem> {
    let is_selected = |(key, sighting): &Entry<'_>| {
        limits.has_period(sighting.first, sighting.last)
            && limits.has_client(name(clients, key.party).as_deref())
            && !is_part_of_loop(clients, key)
    };
    let all = sightings.into_iter().flat_map(Sightings::all);
    let mut all: Vec<Entry<'_>> = all.filter(is_selected).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    let mut problems = Vec::new();
    for same in all.chunk_by(|(a, _), (b, _)| (a.kind, a.code) == (b.kind, b.code)) {
        let Some((ProblemKey { kind, code, .. }, _)) = same.first().copied() else { continue };
        let by_party = || same.chunk_by(|(a, _), (b, _)| a.party == b.party);
        if by_party().count() > MAX_SEPARATE {
            problems.push(Group::new(clients, *kind, *code, same).problem());
        } else {
            problems.extend(by_party().map(|one| Group::new(clients, *kind, *code, one).problem()));
        }
    }
    problems.sort_by_key(|problem| {
        let Problem { kind, count, first, .. } = problem;
        (*kind, std::cmp::Reverse(*count), first.time)
    });
    problems.truncate(MAX_PROBLEMS);
    problems
}

/// Whether a single take-over belongs to a loop, which is reported instead.
fn is_part_of_loop(clients: &Clients, key: &ProblemKey) -> bool {
    let Party::Client(index) = key.party else { return false };
    key.kind == Kind::TakeOver && clients.get(index).is_some_and(|client| client.take_overs().count >= LOOP)
}

/// The clients with the most connections that ended badly first.
fn summaries(clients: &Clients, limits: &Limits<'_>) -> Vec<ClientSummary> {
    let bad = |client: &ClientRecord| -> u64 {
        client.endings().filter(|(ending, _)| !ending.is_orderly()).map(|(_, count)| count).sum()
    };
    // There may be many clients, so only the first ones are kept.
    let mut first: Vec<(u64, &ClientRecord)> = Vec::with_capacity(2 * MAX_CLIENTS);
    let shorten = |first: &mut Vec<(u64, &ClientRecord)>| {
        first.sort_by(|(bad_a, a), (bad_b, b)| {
            bad_b.cmp(bad_a).then(b.connections.cmp(&a.connections)).then(a.id.cmp(&b.id))
        });
        first.truncate(MAX_CLIENTS);
    };
    for client in limits.selected(clients) {
        first.push((bad(client), client));
        if first.len() == 2 * MAX_CLIENTS {
            shorten(&mut first);
        }
    }
    shorten(&mut first);
    let summary = |(_, client): (u64, &ClientRecord)| {
        let times = client.times();
        ClientSummary {
            id: Rc::clone(&client.id),
            addresses: client.addresses(),
            connections: client.connections.into(),
            first: client.first(),
            shortest: times.shortest,
            longest: times.longest,
            connected: times.total,
            endings: client.endings().collect(),
        }
    };
    first.into_iter().map(summary).collect()
}
