//! Filters for the packets to show: `type=PUBLISH size>=1024 and not (topic=home/# or qos=0)`.
//!
//! `parse` turns the text into a tree of tests, which `test` evaluates. Terms beside each other must all hold, as with `and`.

mod follow;
mod message;
mod parse;
mod test;
#[cfg(test)]
mod tests;
mod time;

use super::{Finding, Item};
pub(crate) use follow::Follower;
pub(crate) use parse::{FilterError, KEYS, is_flag, quoted, values};
use test::Test;
pub(super) use test::is_like;
pub(crate) use time::{TIME, TimePoint};

/// A condition for items.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    root: Expression,
}

/// A tree of tests, whose depth the parser bounds.
#[derive(Debug, Clone)]
enum Expression {
    /// All of these hold.
    All(Vec<Expression>),
    /// At least one of these holds.
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
    /// The packet has the field, with other values.
    Differs(Test),
}

impl Filter {
    /// Parses an expression.
    ///
    /// # Errors
    /// If a term has an unknown key or a value that is invalid for the key, or the terms are joined incorrectly.
    pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
        parse::expression(text).map(|root| Filter { root })
    }

    /// A filter for a period; both ends belong to it.
    pub(crate) fn period(since: Option<TimePoint>, until: Option<TimePoint>) -> Filter {
        let tests = since.map(Test::since).into_iter().chain(until.map(Test::until));
        Filter { root: Expression::All(tests.map(Expression::Test).collect()) }
    }

    /// Sets the time of the first item, in nanoseconds, to which relative times refer.
    pub(crate) fn start(&mut self, time: u64) {
        self.root.start(time);
    }

    /// Whether to show the item. An event of a connection meets tests of its connection, frame and time, and no others.
    pub(crate) fn matches(&self, item: &Item<'_>, findings: &[Finding]) -> bool {
        self.root.matches(item, findings)
    }
}

impl Expression {
    fn matches(&self, item: &Item<'_>, findings: &[Finding]) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(|part| part.matches(item, findings)),
            Expression::Any(parts) => parts.iter().any(|part| part.matches(item, findings)),
            Expression::Not(part) => !part.matches(item, findings),
            Expression::Test(test) => test.matches(item, findings),
            Expression::Differs(test) => test.is_present(item) && !test.matches(item, findings),
        }
    }

    fn start(&mut self, time: u64) {
        match self {
            Expression::All(parts) | Expression::Any(parts) => {
                parts.iter_mut().for_each(|part| part.start(time));
            }
            Expression::Not(part) => part.start(time),
            Expression::Test(test) | Expression::Differs(test) => test.start(time),
        }
    }
}
