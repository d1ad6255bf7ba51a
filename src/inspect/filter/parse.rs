//! The syntax of filters. An error names the character at which it was found.
//!
//! ```text
//! any  = all { ("or" | "||") all }
//! all  = not { ["and" | "&&"] not }
//! not  = { "not" | "!" } ( "(" any ")" | term )
//! term = key [ operator value { "," value } ]
//! ```
//!
//! A value ends at a space, at a comma unless it is a regular expression, and at the `)` that closes the group around it.
//! In quotes it may have these characters.

use super::Expression;
use super::test::{Comparison, NumberField, Test, TextField, TextTest, TypeName};
use super::time::{TIME, TimePoint};
use crate::inspect::sn::MessageKind;
use crate::inspect::{Direction, Name, Severity};
use crate::protocol::{PacketType, topic};
use crate::quantity;
use crate::suggestion::did_you_mean;
use regex::bytes::{Regex, RegexBuilder};

/// The deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 64;

/// The most memory of a regular expression, and of the states that it caches while it matches, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// The reason why a filter is invalid, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at character {place})")]
pub(crate) struct FilterError {
    /// The number of the character, from 1.
    place: usize,
    problem: FilterProblem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum FilterProblem {
    #[error("unknown filter key '{0}': expected one of {known}{tip}", known = KEYS.join(", "), tip = did_you_mean(.0, KEYS))]
    UnknownKey(String),
    /// An unknown packet type.
    #[error("unknown packet type '{0}'{tip}", tip = did_you_mean(.0, type_names()))]
    UnknownType(String),
    /// A key without a value.
    #[error("missing value for '{0}': write {0}=VALUE")]
    NoValue(&'static str),
    /// A value that is invalid for the key.
    #[error("invalid value '{value}' for {key}: {problem}")]
    BadValue {
        key: &'static str,
        value: String,
        /// The reason, or the valid values.
        problem: String,
    },
    #[error("{key} cannot be used with {operator}: expected one of {allowed}")]
    BadOperator { key: &'static str, operator: &'static str, allowed: &'static str },
    #[error("expected a key such as type or topic{}", found(.0))]
    NoKey(String),
    #[error("missing ')' for the '(' here")]
    OpenGroup,
    #[error("')' without '('")]
    UnopenedGroup,
    #[error("missing {0} at the end of the quoted value")]
    OpenQuote(char),
    #[error("expected a space or ')' after the quoted value")]
    TextAfterQuote,
    #[error("more than {MAX_DEPTH} nested parentheses and negations")]
    TooDeep,
}

fn found(text: &str) -> String {
    if text.is_empty() { " at the end".to_owned() } else { format!(", but found '{text}'") }
}

/// The known keys.
pub(crate) const KEYS: [&str; 17] = [
    "type",
    "topic",
    "client",
    "connection",
    "id",
    "qos",
    "code",
    "finding",
    "payload",
    "size",
    "payload_length",
    "rtt",
    "time",
    "frame",
    "direction",
    "dup",
    "retain",
];

/// The operators, with those first that begin with others.
const OPERATORS: [&str; 9] = ["==", "!=", "!~", "<=", ">=", "=", "<", ">", "~"];

/// Parses an expression; a blank text matches everything.
pub(super) fn expression(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser { text, at: 0, depth: 0, groups: 0 };
    parser.skip_spaces();
    if parser.rest().is_empty() {
        return Ok(Expression::All(Vec::new()));
    }
    let parsed = parser.any()?;
    match parser.rest() {
        "" => Ok(parsed),
        _ => Err(parser.fail(FilterProblem::UnopenedGroup)),
    }
}

/// A value for a filter that matches this text, in quotes if it needs them.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |character: char| !character.is_whitespace() && !"()\"',!=\\".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

struct Parser<'t> {
    text: &'t str,
    /// The number of bytes that were read.
    at: usize,
    /// The number of groups and negations around this place.
    depth: usize,
    /// The number of groups around this place.
    groups: usize,
}

/// A key with its operator and values.
struct Term {
    key: &'static str,
    operator: &'static str,
    values: Vec<TermValue>,
}

/// A value with its place in bytes.
struct TermValue {
    at: usize,
    text: String,
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.eat_word(&["or", "||"]) {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.not()?];
        loop {
            if !self.eat_word(&["and", "&&"]) && (self.is_at_end_of_group() || self.is_at_word(&["or", "||"]))
            {
                return Ok(joined(parts, Expression::All));
            }
            parts.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Expression, FilterError> {
        self.skip_spaces();
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(FilterProblem::TooDeep));
        }
        let parsed = if self.eat("!") || self.eat_word(&["not"]) {
            Expression::Not(Box::new(self.not()?))
        } else if self.eat("(") {
            self.groups += 1;
            let parsed = self.any()?;
            if !self.eat(")") {
                return Err(self.fail_at(start, FilterProblem::OpenGroup));
            }
            self.groups -= 1;
            parsed
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(parsed)
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        let start = self.at;
        let typed = self.take_while(|character| character.is_alphanumeric() || "_-.".contains(character));
        if typed.is_empty() {
            let found = self.rest().chars().take(1).collect();
            return Err(self.fail(FilterProblem::NoKey(found)));
        }
        let key = KEYS.into_iter().find(|key| *key == typed);
        let unknown = || FilterProblem::UnknownKey(typed.to_owned());
        let key = key.ok_or_else(|| self.fail_at(start, unknown()))?;
        let end_of_key = self.at;
        self.skip_spaces();
        let operator_at = self.at;
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.eat(operator)) else {
            self.at = end_of_key;
            return bare(key).ok_or_else(|| self.fail_at(start, FilterProblem::NoValue(key)));
        };
        self.skip_spaces();
        let values = self.values(operator.ends_with('~'))?;
        let term = Term { key, operator, values };
        term.expression().map_err(|(at, problem)| self.fail_at(at.unwrap_or(operator_at), problem))
    }

    /// The values after an operator; a regular expression may have commas.
    fn values(&mut self, is_regex: bool) -> Result<Vec<TermValue>, FilterError> {
        let mut values = Vec::new();
        loop {
            let at = self.at;
            let quote = self.rest().chars().next().filter(|first| "\"'".contains(*first));
            let text = match quote {
                Some(quote) => self.quoted_value(quote)?,
                None => self.plain_value(is_regex),
            };
            values.push(TermValue { at, text });
            if is_regex || !self.eat(",") {
                break;
            }
        }
        let is_end = self.rest().chars().next().is_none_or(|next| next.is_whitespace() || next == ')');
        if is_end { Ok(values) } else { Err(self.fail(FilterProblem::TextAfterQuote)) }
    }

    /// A value up to its closing quote. A backslash escapes a quote or another backslash.
    fn quoted_value(&mut self, quote: char) -> Result<String, FilterError> {
        let start = self.at;
        let mut value = String::new();
        let mut is_escaped = false;
        for (index, character) in self.rest().char_indices().skip(1) {
            match character {
                '\\' if !is_escaped => is_escaped = true,
                end if end == quote && !is_escaped => {
                    self.at += index + end.len_utf8();
                    return Ok(value);
                }
                character => {
                    // Other escapes belong to a regular expression.
                    if is_escaped && character != quote && character != '\\' {
                        value.push('\\');
                    }
                    value.push(character);
                    is_escaped = false;
                }
            }
        }
        Err(self.fail_at(start, FilterProblem::OpenQuote(quote)))
    }

    fn plain_value(&mut self, is_regex: bool) -> String {
        let (mut open, mut is_escaped) = (0_usize, false);
        let is_grouped = self.groups > 0;
        let value = self.take_while(|character| {
            if std::mem::take(&mut is_escaped) {
                return !character.is_whitespace();
            }
            match character {
                '\\' => is_escaped = true,
                '(' => open += 1,
                ')' if open == 0 => return !is_grouped,
                ')' => open -= 1,
                ',' => return is_regex,
                _ => return !character.is_whitespace(),
            }
            true
        });
        value.to_owned()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, mut condition: impl FnMut(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !condition(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Reads one of these words, in either case, and the spaces around it.
    fn eat_word(&mut self, words: &[&str]) -> bool {
        self.skip_spaces();
        let Some(length) = self.word(words) else { return false };
        self.at += length;
        self.skip_spaces();
        true
    }

    fn is_at_word(&self, words: &[&str]) -> bool {
        self.word(words).is_some()
    }

    /// The length of the word here, if it is one of these.
    fn word(&self, words: &[&str]) -> Option<usize> {
        let rest = self.rest();
        let end = rest.find(|character: char| character.is_whitespace() || "()!".contains(character));
        let word = rest.get(..end.unwrap_or(rest.len()))?;
        words.iter().any(|known| known.eq_ignore_ascii_case(word)).then_some(word.len())
    }

    fn is_at_end_of_group(&self) -> bool {
        self.rest().is_empty() || self.rest().starts_with(')')
    }

    fn fail(&self, problem: FilterProblem) -> FilterError {
        self.fail_at(self.at, problem)
    }

    fn fail_at(&self, at: usize, problem: FilterProblem) -> FilterError {
        let before = self.text.get(..at).unwrap_or(self.text);
        FilterError { place: before.chars().count() + 1, problem }
    }
}

fn joined(mut parts: Vec<Expression>, join: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// The test of a key without a value.
fn bare(key: &str) -> Option<Expression> {
    let test = match key {
        "finding" => Test::AnyFinding,
        _ => Test::Flag(flag(key)?),
    };
    Some(Expression::Test(test))
}

fn flag(key: &str) -> Option<Name> {
    match key {
        "dup" => Some(Name::Dup),
        "retain" => Some(Name::Retain),
        _ => None,
    }
}

/// Whether a key has no value.
pub(crate) fn is_flag(key: &str) -> bool {
    flag(key).is_some()
}

/// The values of a key that has few.
pub(crate) fn values(key: &str) -> Vec<&'static str> {
    match key {
        "type" => {
            // MQTT and MQTT-SN share some names.
            let mut names: Vec<&str> = type_names().collect();
            names.sort_unstable();
            names.dedup();
            names
        }
        "direction" => Direction::BOTH.into_iter().map(Direction::name).collect(),
        "qos" => vec!["0", "1", "2"],
        _ => Vec::new(),
    }
}

/// A mistake, with its place in bytes unless that is the operator's.
type Misplaced = (Option<usize>, FilterProblem);

impl Term {
    fn expression(&self) -> Result<Expression, Misplaced> {
        match self.key {
            "type" => {
                let types = self.each(types)?;
                self.equal(Test::Type(types.concat()))
            }
            "topic" => self.text(TextField::Topic),
            "client" => self.text(TextField::Client),
            "payload" => self.text(TextField::Payload),
            "connection" => self.number(
                NumberField::Connection,
                u32::MAX.into(),
                "expected a connection number, counted from 0",
            ),
            "frame" => self.number(NumberField::Frame, u64::MAX, "expected a frame number, counted from 1"),
            "id" => self.number(
                NumberField::PacketId,
                u16::MAX.into(),
                "expected a packet identifier up to 65535",
            ),
            "qos" => self.number(NumberField::Qos, 3, "expected 0, 1 or 2; 3 selects malformed packets"),
            "code" => self.code(),
            "size" => self.quantity(NumberField::Size, "expected a size such as 512 or 64KiB", size),
            "payload_length" => {
                let problem = "expected a size such as 512 or 64KiB";
                self.quantity(NumberField::PayloadLength, problem, size)
            }
            "rtt" => {
                let problem = "expected a duration with its unit, such as 50ms or 1.5s";
                self.quantity(NumberField::RoundTrip, problem, nanoseconds)
            }
            "time" => self.time(),
            "direction" => {
                let value = self.only()?;
                let of_name = |direction: &Direction| direction.name() == value.text;
                let found = Direction::BOTH.into_iter().find(of_name);
                let problem = "expected c2s (from the client) or s2c (from the server)";
                self.equal(Test::Direction(found.ok_or_else(|| self.bad(value, problem))?))
            }
            "finding" => self.finding(),
            key => self.flag(flag(key).unwrap_or(Name::Dup)),
        }
    }

    /// A test with `=` or `!=`.
    fn equal(&self, test: Test) -> Result<Expression, Misplaced> {
        match self.operator {
            "=" | "==" => Ok(Expression::Test(test)),
            "!=" => Ok(Expression::Differs(test)),
            _ => Err(self.bad_operator("=, !=")),
        }
    }

    fn text(&self, field: TextField) -> Result<Expression, Misplaced> {
        match self.operator {
            "~" => Ok(Expression::Test(Test::Text(field, TextTest::Matches(self.regex()?)))),
            "!~" => Ok(Expression::Differs(Test::Text(field, TextTest::Matches(self.regex()?)))),
            "=" | "==" | "!=" => {
                let check = |value: &TermValue| match field {
                    TextField::Topic => topic::check_filter(&value.text).is_ok(),
                    TextField::Client | TextField::Payload => true,
                };
                if let Some(value) = self.values.iter().find(|value| !check(value)) {
                    return Err(self.bad(value, "expected a topic filter"));
                }
                let wanted = self.values.iter().map(|value| value.text.clone()).collect();
                self.equal(Test::Text(field, TextTest::Is(wanted)))
            }
            _ => Err(self.bad_operator("=, !=, ~, !~")),
        }
    }

    fn regex(&self) -> Result<Regex, Misplaced> {
        let value = self.only()?;
        let mut builder = RegexBuilder::new(&value.text);
        builder.size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX);
        builder.build().map_err(|error| self.bad(value, &describe(&error)))
    }

    fn number(&self, field: NumberField, most: u64, problem: &str) -> Result<Expression, Misplaced> {
        self.quantity(field, problem, |text| number(text).filter(|number| *number <= most))
    }

    /// A comparison with numbers; several are possible with `=` and `!=`.
    fn quantity(
        &self,
        field: NumberField,
        problem: &str,
        parse: impl Fn(&str) -> Option<u64>,
    ) -> Result<Expression, Misplaced> {
        let wanted = self.each(|value| parse(&value.text).ok_or_else(|| self.bad(value, problem)))?;
        match self.comparison()? {
            Comparison::Equal => self.equal(Test::Number(field, Comparison::Equal, wanted)),
            comparison => {
                self.only()?;
                Ok(Expression::Test(Test::Number(field, comparison, wanted)))
            }
        }
    }

    fn code(&self) -> Result<Expression, Misplaced> {
        if !self.values.iter().any(|value| value.text == "error") {
            return self.number(
                NumberField::Code,
                u8::MAX.into(),
                "expected a number up to 255, such as 0x87, or 'error' for all failures",
            );
        }
        let others: Vec<_> = self.values.iter().filter(|value| value.text != "error").collect();
        let codes = others.iter().map(|value| {
            number(&value.text)
                .filter(|code| *code <= u8::MAX.into())
                .ok_or_else(|| self.bad(value, "expected a number up to 255, such as 0x87"))
        });
        let codes: Vec<u64> = codes.collect::<Result<_, _>>()?;
        let any = Expression::Any(vec![
            Expression::Test(Test::FailedCode),
            Expression::Test(Test::Number(NumberField::Code, Comparison::Equal, codes)),
        ]);
        match self.operator {
            "=" | "==" => Ok(any),
            "!=" => Ok(Expression::All(vec![has_code(), Expression::Not(Box::new(any))])),
            _ => Err(self.bad_operator("=, !=")),
        }
    }

    fn time(&self) -> Result<Expression, Misplaced> {
        let value = self.only()?;
        let bad = || self.bad(value, &format!("expected {TIME}"));
        let point = TimePoint::parse(&value.text).ok_or_else(bad)?;
        let comparison = self.comparison()?;
        if self.operator == "!=" {
            return Err(self.bad_operator("=, <, <=, >, >="));
        }
        Ok(Expression::Test(Test::Time(comparison, point, None)))
    }

    fn finding(&self) -> Result<Expression, Misplaced> {
        let tests = self.values.iter().map(|value| {
            let of_name = |severity: &Severity| severity.name() == value.text;
            let severity = [Severity::Error, Severity::Warning, Severity::Info].into_iter().find(of_name);
            Expression::Test(severity.map_or_else(|| Test::Statement(value.text.clone()), Test::Severity))
        });
        let any = Expression::Any(tests.collect());
        match self.operator {
            "=" | "==" => Ok(any),
            "!=" => Ok(Expression::Not(Box::new(any))),
            _ => Err(self.bad_operator("=, !=")),
        }
    }

    fn flag(&self, name: Name) -> Result<Expression, Misplaced> {
        let value = self.only()?;
        let set = Expression::Test(Test::Flag(name));
        match (self.operator, value.text.as_str()) {
            ("=" | "==", "1" | "true") | ("!=", "0" | "false") => Ok(set),
            ("=" | "==", "0" | "false") | ("!=", "1" | "true") => Ok(Expression::Differs(Test::Flag(name))),
            ("=" | "==" | "!=", _) => Err(self.bad(value, "expected 0 or 1")),
            _ => Err(self.bad_operator("=, !=")),
        }
    }

    fn comparison(&self) -> Result<Comparison, Misplaced> {
        match self.operator {
            "=" | "==" | "!=" => Ok(Comparison::Equal),
            "<" => Ok(Comparison::Less),
            "<=" => Ok(Comparison::LessOrEqual),
            ">" => Ok(Comparison::Greater),
            ">=" => Ok(Comparison::GreaterOrEqual),
            _ => Err(self.bad_operator("=, !=, <, <=, >, >=")),
        }
    }

    fn each<T>(&self, parse: impl FnMut(&TermValue) -> Result<T, Misplaced>) -> Result<Vec<T>, Misplaced> {
        self.values.iter().map(parse).collect()
    }

    /// The value of an operator that takes one.
    fn only(&self) -> Result<&TermValue, Misplaced> {
        match self.values.as_slice() {
            [value] => Ok(value),
            [_, second, ..] => Err(self.bad(second, "only one value is possible")),
            [] => Err((None, FilterProblem::NoValue(self.key))),
        }
    }

    fn bad(&self, value: &TermValue, problem: &str) -> Misplaced {
        let (value_text, problem) = (value.text.clone(), problem.to_owned());
        (Some(value.at), FilterProblem::BadValue { key: self.key, value: value_text, problem })
    }

    fn bad_operator(&self, allowed: &'static str) -> Misplaced {
        (None, FilterProblem::BadOperator { key: self.key, operator: self.operator, allowed })
    }
}

/// Packets with a code.
fn has_code() -> Expression {
    Expression::Test(Test::Number(NumberField::Code, Comparison::GreaterOrEqual, vec![0]))
}

/// The names of all packet types of MQTT and message types of MQTT-SN.
fn type_names() -> impl Iterator<Item = &'static str> {
    PacketType::ALL.into_iter().map(PacketType::name).chain(MessageKind::all().map(MessageKind::name))
}

/// The types of this name in MQTT and MQTT-SN.
fn types(value: &TermValue) -> Result<Vec<TypeName>, Misplaced> {
    let mqtt = PacketType::ALL.into_iter().map(|kind| (kind.name(), TypeName::Mqtt(kind)));
    let sn = MessageKind::all().map(|kind| (kind.name(), TypeName::Sn(kind)));
    let of_name = |(name, kind): (&str, TypeName)| name.eq_ignore_ascii_case(&value.text).then_some(kind);
    let found: Vec<TypeName> = mqtt.chain(sn).filter_map(of_name).collect();
    if found.is_empty() {
        return Err((Some(value.at), FilterProblem::UnknownType(value.text.clone())));
    }
    Ok(found)
}

/// A decimal number, or a hexadecimal one after `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn size(text: &str) -> Option<u64> {
    quantity::size(text)
}

fn nanoseconds(text: &str) -> Option<u64> {
    u64::try_from(quantity::duration_with_unit(text)?.as_nanos()).ok()
}

/// The reason why a regular expression is rejected, on one line.
fn describe(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the regular expression needs more than {} KiB", limit >> 10)
        }
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("invalid regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
        }
    }
}
