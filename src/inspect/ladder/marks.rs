//! The rows that show a problem.

use super::connections::Connections;
use super::row::{Row, hash};
use crate::inspect::diagnosis::{Mark, Problem};
use foldhash::{HashMap, HashSet};

/// Rows by connection and moment.
pub(super) struct RowIndex<'l> {
    rows: &'l [Row],
    connections: &'l Connections,
    by_place: HashMap<(u32, u64, Option<u64>), Vec<usize>>,
    by_connection: HashMap<u32, Vec<usize>>,
}

impl<'l> RowIndex<'l> {
    pub(super) fn new(rows: &'l [Row], connections: &'l Connections) -> RowIndex<'l> {
        let mut index =
            RowIndex { rows, connections, by_place: HashMap::default(), by_connection: HashMap::default() };
        for (number, row) in rows.iter().enumerate() {
            let Some(connection) = connections.drawn().get(row.connection) else { continue };
            let place = (connection.number, row.at.frame, row.at.time);
            index.by_place.entry(place).or_default().push(number);
            index.by_connection.entry(connection.number).or_default().push(number);
        }
        index
    }

    /// The rows of a problem, in order; none if they are not in the picture.
    pub(super) fn rows_of(&self, problem: &Problem) -> Vec<usize> {
        let mut rows = HashSet::default();
        for mark in &problem.marks {
            let row = self.at(*mark, problem.evidence, &rows).or_else(|| self.before(*mark));
            rows.extend(row);
        }
        if problem.marks.is_empty() {
            rows.extend(self.derived(problem));
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_unstable();
        rows
    }

    /// The row of a place that shows the problem. Several packets may share a frame.
    fn at(&self, mark: Mark, evidence: Option<&str>, known: &HashSet<usize>) -> Option<usize> {
        let candidates = self.by_place.get(&(mark.connection, mark.at.frame, mark.at.time))?;
        let is_evidence = |row: &&usize| {
            evidence.is_none_or(|name| self.rows.get(**row).is_some_and(|row| row.kind.name() == name))
        };
        let mut matching = candidates.iter().filter(is_evidence);
        let first = matching.clone().next().or(candidates.first());
        matching.find(|row| !known.contains(row)).or(first).copied()
    }

    /// The last row of the connection before a place without one, as the end of a silence is.
    fn before(&self, mark: Mark) -> Option<usize> {
        let is_in_picture = self.rows.last().is_some_and(|last| mark.at.time <= last.at.time);
        let rows = self.by_connection.get(&mark.connection).filter(|_| is_in_picture)?;
        let is_before = |row: &&usize| self.rows.get(**row).is_some_and(|row| row.at.time <= mark.at.time);
        rows.iter().rev().find(is_before).copied()
    }

    /// The packets of a problem that was computed from many: of its type, clients, topics and period.
    fn derived(&self, problem: &Problem) -> Vec<usize> {
        let clients: Vec<u64> = problem.clients.iter().map(|client| hash(client)).collect();
        let topics: Vec<u64> = problem.topics.iter().map(|topic| hash(topic)).collect();
        let is_evidence = |row: &Row| {
            let is_in_period = problem.first.time <= row.at.time && row.at.time <= problem.last.time;
            let is_of_client = || self.client(row).is_some_and(|client| clients.contains(&client));
            let is_of_topic = || row.topic.is_some_and(|topic| topics.contains(&topic));
            is_in_period
                && problem.evidence.is_none_or(|name| row.kind.name() == name)
                // A message reaches its subscribers from another client.
                && (clients.is_empty() || !topics.is_empty() || is_of_client())
                && (topics.is_empty() || is_of_topic())
        };
        let rows = self.rows.iter().enumerate().filter(|(_, row)| is_evidence(row)).map(|(number, _)| number);
        let is_specific = !clients.is_empty() || !topics.is_empty();
        rows.take(if is_specific { usize::MAX } else { 1 }).collect()
    }

    fn client(&self, row: &Row) -> Option<u64> {
        let connection = self.connections.drawn().get(row.connection)?;
        self.connections.clients().get(connection.client)?.id
    }
}
