//! Texts with placeholders: the topics and payloads of a run.

use super::generator::{self, Generator, GeneratorState};
use super::run_id::RunId;
use crate::payload::placeholder::{self, Piece, PlaceholderError, Value};
use jiff::Timestamp;
use std::cell::Cell;
use std::fmt::Write;

/// A text that is filled in for each publisher or message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    text: String,
    pieces: Vec<Piece<Placeholder>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Placeholder {
    Run,
    Number,
    Subscriber,
    Client,
    Sequence,
    /// A value that is new for each message, and its place among those of the text.
    New(Value, usize),
    /// A value that the publisher generates, and its place among those of the text.
    Generated(Generator, usize),
}

/// The lengths of the shortest and the longest value of placeholders that differ between publishers, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueLengths {
    /// Of the numbers of the publishers.
    pub publisher: (usize, usize),
    /// Of their client identifiers.
    pub client: (usize, usize),
}

/// The length of the identifier of a run.
const RUN_LENGTH: usize = 8;

/// The number of digits of the last message's number.
const LONGEST_SEQUENCE: usize = generator::MAX_MESSAGES.ilog10() as usize + 1;

/// The places of values that are new for each message. They differ from those of generated values and between topics and payloads,
/// since the same place, seed and message make the same value.
const FIRST_PLACE_IN_TOPICS: usize = 1 << 24;
const FIRST_PLACE_IN_OTHERS: usize = 1 << 28;

/// The values of the placeholders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub run: RunId,
    pub publisher: u32,
    pub subscriber: u32,
    pub client: &'a str,
    pub sequence: u64,
    /// The seed of random values, and the state of generated ones, which only payloads have.
    pub generators: GeneratorState<'a>,
}

/// The placeholders of a topic.
const IN_TOPICS: &str = "{run}, {client}, {i} (the publisher), {s} (its subscriber), and for each message {seq} (its number), \
                         {ts} (the time; {ts:s}, {ts:ms}, {ts:us}, {ts:ns} since 1970), {uuid} and {rand:0..100} (any number below 100)";

/// The placeholders of a client identifier, a user name, or a will topic.
const IN_CLIENTS: &str = "{i} (the client), {client} (its identifier) and {run}";

/// The placeholders of a payload.
const IN_PAYLOADS: &str = "{run}, {client}, {i} (the publisher), {seq} (the message), {ts} (the time; {ts:s}, {ts:ms}, {ts:us}, \
                           {ts:ns} since 1970), {uuid}, {rand:0..100} (any number below 100), {counter:0..100}, {walk:18.0..25.0:0.1}, \
                           {sine:18.0..25.0:100} and {choice:on|off}";

impl Template {
    /// Parses a topic. Every brace has to belong to a placeholder.
    ///
    /// # Errors
    /// If it contains an unknown placeholder.
    pub(crate) fn of_topic(text: &str) -> Result<Template, PlaceholderError> {
        let mut template = Template::parse(text, IN_TOPICS, |name| !Generator::is_named(name), |_| true)?;
        // Otherwise the values would be those of the payload.
        template.number_values(FIRST_PLACE_IN_TOPICS);
        Ok(template)
    }

    /// Parses a payload. Braces around anything but a word are plain text, so that JSON needs no escaping.
    ///
    /// # Errors
    /// If it contains an unknown placeholder.
    pub(crate) fn of_payload(text: &str) -> Result<Template, PlaceholderError> {
        let is_placeholder = |inside: &str| placeholder::is_word(inside) || Generator::is_named(inside);
        Template::parse(text, IN_PAYLOADS, |name| !matches!(name, "s"), is_placeholder)
    }

    /// Parses a client identifier, a user name, or a will topic. Every brace has to belong to a placeholder.
    ///
    /// # Errors
    /// If it contains an unknown placeholder.
    pub(crate) fn of_client(text: &str) -> Result<Template, PlaceholderError> {
        Template::parse(text, IN_CLIENTS, |name| matches!(name, "run" | "client" | "i"), |_| true)
    }

    /// Parses a password. Everything but `{i}`, `{client}` and `{run}` is plain text: the password may be random.
    pub(crate) fn of_secret(text: &str) -> Template {
        let is_placeholder = |name: &str| matches!(name, "run" | "client" | "i");
        let parsed = Template::parse(text, IN_CLIENTS, is_placeholder, is_placeholder);
        parsed.unwrap_or_else(|_| Template {
            text: text.to_owned(),
            pieces: vec![Piece::Text(text.to_owned())],
        })
    }

    fn parse(
        text: &str,
        known: &'static str,
        is_allowed: impl Fn(&str) -> bool,
        is_placeholder: impl Fn(&str) -> bool,
    ) -> Result<Template, PlaceholderError> {
        let named = |name: &str| if is_allowed(name) { Placeholder::named(name) } else { Ok(None) };
        let mut pieces = placeholder::parse(text, is_placeholder, known, named)?;
        number_generators(&mut pieces);
        let mut template = Template { text: text.to_owned(), pieces };
        template.number_values(FIRST_PLACE_IN_OTHERS);
        Ok(template)
    }

    /// Numbers the values that are new for each message, from the first one on.
    fn number_values(&mut self, first: usize) {
        let places = self.pieces.iter_mut().filter_map(|piece| match piece {
            Piece::Placeholder(Placeholder::New(_, place)) => Some(place),
            Piece::Text(_) | Piece::Placeholder(_) => None,
        });
        places.zip(first..).for_each(|(place, number)| *place = number);
    }

    /// The template as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Appends the text with values in place of the placeholders.
    pub(crate) fn fill_in(&self, values: &Values<'_>, text: &mut impl Write) {
        // Reads the clock once, and only for texts that change with each message.
        let now = if self.is_new_for_each_message() { Timestamp::now() } else { Timestamp::UNIX_EPOCH };
        for piece in &self.pieces {
            // A String and a Vec always grow.
            let _ = match piece {
                Piece::Text(words) => text.write_str(words),
                Piece::Placeholder(placeholder) => match placeholder {
                    Placeholder::Run => write!(text, "{}", values.run),
                    Placeholder::Number => write!(text, "{}", values.publisher),
                    Placeholder::Subscriber => write!(text, "{}", values.subscriber),
                    Placeholder::Client => text.write_str(values.client),
                    Placeholder::Sequence => write!(text, "{}", values.sequence),
                    Placeholder::New(value, place) => {
                        value.append_with(now, random_bits(values, *place), text)
                    }
                    Placeholder::Generated(generator, place) => {
                        generator.append(*place, values.sequence, values.generators, text)
                    }
                },
            };
        }
    }

    /// The bounds of its length in bytes.
    pub(crate) fn lengths(&self, values: &ValueLengths) -> (usize, usize) {
        let of_piece = |piece: &Piece<Placeholder>| match piece {
            Piece::Text(words) => (words.len(), words.len()),
            Piece::Placeholder(placeholder) => match placeholder {
                Placeholder::Run => (RUN_LENGTH, RUN_LENGTH),
                Placeholder::Number | Placeholder::Subscriber => values.publisher,
                Placeholder::Client => values.client,
                Placeholder::Sequence => (1, LONGEST_SEQUENCE),
                Placeholder::New(value, _) => value.lengths(),
                Placeholder::Generated(generator, _) => generator.lengths(),
            },
        };
        let add = |sum: (usize, usize), length: (usize, usize)| (sum.0 + length.0, sum.1 + length.1);
        self.pieces.iter().map(of_piece).fold((0, 0), add)
    }

    /// Whether it contains `{client}`.
    pub(crate) fn names_client(&self) -> bool {
        self.names(|placeholder| *placeholder == Placeholder::Client)
    }

    /// The first values of random walks, by their places; empty without a walk.
    pub(crate) fn walks(&self, seed: u64) -> Box<[Cell<f64>]> {
        let generators = || {
            self.pieces.iter().filter_map(|piece| match piece {
                Piece::Placeholder(Placeholder::Generated(generator, place)) => Some((generator, *place)),
                Piece::Text(_) | Piece::Placeholder(_) => None,
            })
        };
        if !generators().any(|(generator, _)| generator.is_walk()) {
            return Box::default();
        }
        generators().map(|(generator, place)| Cell::new(generator.start(seed, place))).collect()
    }

    /// Whether it contains `{s}`.
    pub(crate) fn names_subscriber(&self) -> bool {
        self.names(|placeholder| *placeholder == Placeholder::Subscriber)
    }

    /// Whether its text differs between runs.
    pub(crate) fn names_run(&self) -> bool {
        self.names(|placeholder| *placeholder == Placeholder::Run)
    }

    /// Whether its text can differ between messages, apart from `{s}`.
    pub(crate) fn names_publisher(&self) -> bool {
        let is_of_publisher =
            |placeholder: &Placeholder| matches!(placeholder, Placeholder::Number | Placeholder::Client);
        self.names(is_of_publisher) || self.is_new_for_each_message()
    }

    /// Whether its text can differ between messages of one publisher.
    pub(crate) fn is_new_for_each_message(&self) -> bool {
        self.names(|placeholder| {
            matches!(placeholder, Placeholder::Sequence | Placeholder::New(..) | Placeholder::Generated(..))
        })
    }

    fn names(&self, is_it: impl Fn(&Placeholder) -> bool) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Placeholder(placeholder) if is_it(placeholder)))
    }
}

/// The random bits of a value.
fn random_bits(values: &Values<'_>, place: usize) -> u128 {
    generator::random(values.generators.seed, place, values.sequence).u128(..)
}

/// Numbers the generated values of a text from 0.
fn number_generators(pieces: &mut [Piece<Placeholder>]) {
    let places = pieces.iter_mut().filter_map(|piece| match piece {
        Piece::Placeholder(Placeholder::Generated(_, place)) => Some(place),
        Piece::Text(_) | Piece::Placeholder(_) => None,
    });
    places.zip(0..).for_each(|(place, number)| *place = number);
}

impl Placeholder {
    fn named(name: &str) -> Result<Option<Placeholder>, PlaceholderError> {
        Ok(Some(match name {
            "run" => Placeholder::Run,
            "i" => Placeholder::Number,
            "s" => Placeholder::Subscriber,
            "client" => Placeholder::Client,
            "seq" => Placeholder::Sequence,
            _ => match Value::named(name)? {
                Some(value) => Placeholder::New(value, 0),
                None => {
                    return Ok(Generator::named(name)?.map(|generator| Placeholder::Generated(generator, 0)));
                }
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const VALUES: Values<'static> = Values {
        run: RunId(0x1a2b),
        publisher: 7,
        subscriber: 3,
        client: "mq-1",
        sequence: 42,
        generators: GeneratorState { seed: 0, walks: &[] },
    };

    fn filled(template: Result<Template, PlaceholderError>) -> String {
        let mut text = String::new();
        template.unwrap().fill_in(&VALUES, &mut text);
        text
    }

    #[test]
    fn placeholders_are_replaced() {
        assert_eq!(filled(Template::of_topic("{run}/{s}/{i}/{client}/{seq}")), "00001a2b/3/7/mq-1/42");
        assert_eq!(filled(Template::of_payload("{i} {client} {seq} {rand:5..6}")), "7 mq-1 42 5");
        assert_eq!(filled(Template::of_payload("")), "");
    }

    #[test]
    fn payloads_have_generated_values() {
        let made =
            filled(Template::of_payload(r#"{"n":{counter:1},"s":"{choice:Off}","t":{sine:0.0..1.0:9}}"#));
        assert!(made.starts_with(r#"{"n":43,"s":"Off","t":"#), "{made}");
        let values = ValueLengths { publisher: (1, 3), client: (7, 9) };
        let lengths = |text: &str| Template::of_payload(text).unwrap().lengths(&values);
        let expected = [
            ("{choice:a|bcd}!", (2, 4)),
            ("{walk:0..1:1}", (1, 1)),
            ("{sine:-9.5..10.25:5}", (4, 5)),
            ("{counter:8..12}", (1, 2)),
            ("{counter:5:-1}", (1, 16)),
            ("{run}{i} {client}", (17, 21)),
            ("{seq}", (1, 15)),
            ("{uuid}{ts}{ts:s}", (70, 70)),
            ("{rand:-5..1000}{rand:0.0..1.0}", (4, 6)),
        ];
        expected.into_iter().for_each(|(text, bounds)| assert_eq!(lengths(text), bounds, "{text}"));
        let walks = |text: &str| Template::of_payload(text).unwrap().walks(1).len();
        assert_eq!([walks("{counter:1}{seq}"), walks("{counter:1}{walk:0..1:1}")], [0, 2]);
        let error = Template::of_payload("{walk:5}").unwrap_err().to_string();
        assert!(
            error.starts_with("invalid placeholder {walk:5}; {walk:18.0..25.0:0.1} stays between"),
            "{error}"
        );
        let error = Template::of_topic("a/{counter:1}").unwrap_err().to_string();
        assert!(error.starts_with("unknown placeholder {counter:1}; the placeholders are {run}"), "{error}");
    }

    #[test]
    fn json_is_written_as_it_is() {
        assert_eq!(
            filled(Template::of_payload(r#"{"a":{seq},"b":{},"c":{"d":1}}"#)),
            r#"{"a":42,"b":{},"c":{"d":1}}"#
        );
        assert_eq!(filled(Template::of_payload("{ seq } {")), "{ seq } {");
    }

    #[test]
    fn mistakes_are_reported() {
        let of_payload = |text: &str| Template::of_payload(text).unwrap_err().to_string();
        let of_topic = |text: &str| Template::of_topic(text).unwrap_err().to_string();
        assert!(
            of_payload("{sequ}")
                .starts_with("unknown placeholder {sequ}; the placeholders are {run}, {client}")
        );
        assert!(of_payload("{s}").starts_with("unknown placeholder {s}"), "a message has no subscriber");
        assert!(of_topic("a/{i").starts_with("placeholder {i is not closed"));
        for range in ["5..5", "6..5", "..", "1", "a..b", "1.5..x"] {
            assert!(of_topic(&format!("{{rand:{range}}}")).contains("invalid range"), "{range}");
        }
    }

    #[test]
    fn times_and_uuids_are_new_for_each_message() {
        let made = |text: &str| filled(Template::of_payload(text));
        assert_eq!(made("{ts_ms}").len(), 13);
        assert_eq!(made("{ts:ms}").len(), 13);
        assert!(made("{ts}").parse::<Timestamp>().is_ok());
        assert_eq!(made("{uuid} {uuid}").split(' ').collect::<BTreeSet<_>>().len(), 2);
        let is_new = |text: &str| Template::of_topic(text).unwrap().is_new_for_each_message();
        assert_eq!(
            ["a/{i}/{run}/{client}/{s}", "a/{seq}", "{ts}", "{uuid}", "{rand:1..3}"].map(is_new),
            [false, true, true, true, true]
        );
    }

    #[test]
    fn random_numbers_are_within_their_range_and_follow_the_seed() {
        let values = |template: &Template, seed| {
            let value = |sequence| {
                let mut text = String::new();
                let generators = GeneratorState { seed, walks: &[] };
                template.fill_in(&Values { sequence, generators, ..VALUES }, &mut text);
                text
            };
            (0..100).map(value).collect::<Vec<_>>()
        };
        let payload = Template::of_payload("{rand:3..5}").unwrap();
        assert_eq!(values(&payload, 7).into_iter().collect::<BTreeSet<_>>().len(), 2);
        assert!(values(&payload, 7).iter().all(|value| ["3", "4"].contains(&value.as_str())));
        assert_eq!(values(&payload, 7), values(&payload, 7));
        assert_ne!(values(&payload, 7), values(&payload, 8));
        let topic = Template::of_topic("{rand:3..5}").unwrap();
        assert_ne!(values(&payload, 7), values(&topic, 7), "topics and payloads are independent");
    }
}
