use super::test::{Test, TextTest};
use super::*;
use crate::inspect::Inspector;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, Transport};
use crate::inspect::capture::reassembly::{Close, Side, Start};
use crate::inspect::{Direction, Packet};
use crate::protocol::Version;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

/// Packets of both directions, a second apart, from which the filters below select.
const PACKETS: [(&str, &[u8]); 8] = [
    ("connect", b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03a b"),
    ("connack", b"\x20\x02\x00\x00"),
    ("publish0", b"\x30\x08\x00\x03t/0hi!"),
    ("publish1", b"\x3b\x0a\x00\x03t/1\x00\x07{1}"),
    ("puback", b"\x40\x02\x00\x07"),
    ("subscribe", b"\x82\x0b\x00\x08\x00\x06t(1)/#\x00"),
    ("suback", b"\x90\x03\x00\x08\x80"),
    ("pingreq", b"\xc0\x00"),
];

fn is_from_server(name: &str) -> bool {
    ["connack", "puback", "suback"].contains(&name)
}

/// The names of the packets, and of the events `opened` and `closed`, that a filter selects.
fn selected(filter: &str) -> Vec<&'static str> {
    let mut filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.start(1000 * SECOND);
    let mut names = Vec::new();
    each_item(&mut |name, item| {
        if filter.matches(item, &[]) {
            names.push(name);
        }
    });
    names
}

fn each_item(see: &mut dyn FnMut(&'static str, &Item<'_>)) {
    let mut inspector = Inspector::new(Some(Version::V311));
    let at = |second: usize| Moment { frame: second as u64 + 1, time: Some((1000 + second as u64) * SECOND) };
    let address = ([127, 0, 0, 1], 1883).into();
    let (transport, start) = (Transport::default(), Start::Handshake { initiator: Side::A });
    let (client, server) = (address, address);
    let opened = ConversationEvent::Opened { connection: 3, at: at(0), client, server, transport, start };
    inspector.take(&opened, &mut |item| see("opened", item));
    for (index, (name, bytes)) in PACKETS.into_iter().enumerate() {
        let direction =
            if is_from_server(name) { Direction::ServerToClient } else { Direction::ClientToServer };
        inspector.bytes(3, direction, at(index), bytes, &mut |item| see(name, item));
    }
    let (at, by) = (at(PACKETS.len()), Close::Fin);
    let closed = ConversationEvent::Closed { connection: 3, at, by, first_fin: None };
    inspector.take(&closed, &mut |item| see("closed", item));
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, is_match) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a*", "abcd", true),
        ("*d", "abcd", true),
        ("a*c*", "abcd", true),
        ("a*c", "abcd", false),
        ("*", "", true),
        ("a*a", "a", false),
    ] {
        assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), is_match, "{pattern} {text}");
    }
}

#[test]
fn terms_select_packets() {
    for (filter, expected) in [
        ("type=publish,PUBACK", &["publish0", "publish1", "puback"][..]),
        ("type=PUBLISH qos=1", &["publish1"]),
        ("type=PUBLISH !qos=1", &["publish0"]),
        ("qos!=0", &["publish1"]),
        ("qos>=0", &["publish0", "publish1"]),
        ("qos == 1", &["publish1"]),
        ("dup", &["publish1"]),
        ("dup=0", &["publish0"]),
        ("retain", &["publish1"]),
        ("size>=12 and size<17", &["publish1", "subscribe"]),
        ("size>1KiB", &[]),
        ("payload_length<=3 payload_length!=3", &[]),
        ("payload~^hi", &["publish0"]),
        ("payload=hi", &[]),
        ("payload=hi!", &["publish0"]),
        ("payload~^[{]1[}]$", &["publish1"]),
        ("payload~'^.1,?'", &["publish1"]),
        ("topic=t/+", &["publish0", "publish1"]),
        ("topic~t.1", &["publish1", "subscribe"]),
        ("topic!~1", &["publish0"]),
        ("topic=t(1)/#", &["subscribe"]),
        ("(topic=t(1)/# or id=7)", &["publish1", "puback", "subscribe"]),
        ("code>=128", &["suback"]),
        ("code=error", &["suback"]),
        ("code!=error", &["connack"]),
        ("rtt=1s", &["connack", "puback", "suback"]),
        ("rtt > 50ms and not type=CONNACK", &["puback", "suback"]),
        ("direction=s2c", &["connack", "puback", "suback"]),
        ("client=\"a b\" type=PINGREQ", &["pingreq"]),
        ("client='a b' type=PINGREQ", &["pingreq"]),
        ("client=a* type=PINGREQ", &["pingreq"]),
        ("client!=a* or type!=PUBLISH,SUBSCRIBE,CONNECT direction=c2s", &["pingreq"]),
        ("frame<=2", &["opened", "connect", "connack"]),
        ("time>=+7s", &["pingreq", "closed"]),
        ("connection=3 time<+1s", &["opened", "connect"]),
        ("connection!=3", &[]),
        ("not (connection=3)", &[]),
        ("finding", &[]),
        ("NOT type=CONNECT AND (type=connect OR type=pingreq)", &["pingreq"]),
        ("type=pingreq || type=puback && !id=8", &["puback", "pingreq"]),
    ] {
        assert_eq!(selected(filter), expected, "{filter}");
    }
    assert_eq!(selected("").len(), PACKETS.len() + 2);
}

#[test]
fn invalid_filters_are_reported_with_their_place() {
    for (text, problem) in [
        ("tpye=PUBLISH", "did you mean 'type'? (at character 1)"),
        ("type", "missing value for 'type': write type=VALUE (at character 1)"),
        (
            "qos=1 type=PUBLISHED",
            "unknown packet type 'PUBLISHED'; did you mean 'PUBLISH'? (at character 12)",
        ),
        ("zzz=1", "unknown filter key 'zzz': expected one of type, topic, client, connection, id, qos"),
        ("topic=a#", "invalid value 'a#' for topic: expected a topic filter (at character 7)"),
        ("qos=two", "'two' for qos: expected 0, 1 or 2; 3 selects malformed packets"),
        ("qos=4", "invalid value '4' for qos"),
        ("code>=999", "up to 255"),
        ("id=65536", "up to 65535"),
        ("qos~1", "qos cannot be used with ~: expected one of =, !=, <, <=, >, >= (at character 4)"),
        ("topic>a", "topic cannot be used with >"),
        ("size<1,2", "invalid value '2' for size: only one value is possible (at character 8)"),
        ("rtt>50", "invalid value '50' for rtt: expected a duration with its unit, such as 50ms or 1.5s"),
        ("time>=soon", "time: expected a time such as +5m"),
        ("payload~a(b", "invalid value 'a(b' for payload: invalid regular expression: unclosed group"),
        ("payload~[a-z]{1000}{1000}", "the regular expression needs more than 1024 KiB"),
        ("client=\u{e9} or", "expected a key such as type or topic at the end (at character 12)"),
        ("(qos=1 or qos=2", "missing ')' for the '(' here (at character 1)"),
        ("qos=1 or (qos=2) )", "')' without '(' (at character 18)"),
        ("client=\"a", "missing \" at the end of the quoted value (at character 8)"),
        ("client=\"a\"b", "expected a space or ')' after the quoted value (at character 11)"),
        ("=1", "expected a key such as type or topic, but found '='"),
        ("dup=2", "invalid value '2' for dup: expected 0 or 1"),
        (&"!".repeat(65), "more than 64 nested parentheses and negations (at character 65)"),
        (&"(".repeat(10_000), "more than 64 nested"),
    ] {
        let error = Filter::parse(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

/// The meaning of a simple expression, computed apart from the parser.
#[derive(Debug, Clone)]
enum Model {
    Id(u16),
    Not(Box<Model>),
    And(Box<Model>, Box<Model>),
    Or(Box<Model>, Box<Model>),
}

impl Model {
    fn text(&self, has_words: bool) -> String {
        let word = |word: &'static str, sign: &'static str| if has_words { word } else { sign };
        match self {
            Model::Id(id) => format!("id={id}"),
            Model::Not(part) => format!("{}({})", word("not ", "!"), part.text(has_words)),
            Model::And(a, b) => {
                format!("({}){}({})", a.text(has_words), word(" and ", " "), b.text(has_words))
            }
            Model::Or(a, b) => format!("{} {} {}", a.grouped(has_words), word("or", "||"), b.text(has_words)),
        }
    }

    fn grouped(&self, has_words: bool) -> String {
        format!("({})", self.text(has_words))
    }

    fn holds(&self, id: Option<u32>) -> bool {
        match self {
            Model::Id(wanted) => id == Some(u32::from(*wanted)),
            Model::Not(part) => !part.holds(id),
            Model::And(a, b) => a.holds(id) && b.holds(id),
            Model::Or(a, b) => a.holds(id) || b.holds(id),
        }
    }
}

fn models() -> impl Strategy<Value = Model> {
    let leaf = (6_u16..10).prop_map(Model::Id);
    leaf.prop_recursive(6, 32, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|part| Model::Not(Box::new(part))),
            pair.clone().prop_map(|(a, b)| Model::And(Box::new(a), Box::new(b))),
            pair.prop_map(|(a, b)| Model::Or(Box::new(a), Box::new(b))),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_rejected(text in "\\PC{0,40}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn any_words_are_parsed_or_rejected(
        words in prop::collection::vec("type|qos|payload|=|!=|~|>=|\\(|\\)|!|and|or|not|\"|,|1|a#|\\\\", 0..20),
        separator in " ?",
    ) {
        let text = words.join(&separator);
        if let Err(error) = Filter::parse(&text) {
            let place: usize = error.to_string().rsplit(' ').next().unwrap().trim_end_matches(')').parse().unwrap();
            prop_assert!((1..=text.chars().count() + 1).contains(&place), "{text}: {error}");
        }
    }

    #[test]
    fn an_expression_means_what_its_model_means(model in models(), has_words in any::<bool>()) {
        let mut filter = Filter::parse(&model.text(has_words)).unwrap();
        filter.start(0);
        each_item(&mut |name, item| {
            let id = match item {
                Item::Packet(Packet { tree, .. }) => tree.number(crate::inspect::Name::PacketIdentifier),
                _ => None,
            };
            assert_eq!(filter.matches(item, &[]), model.holds(id), "{} at {name}", model.text(has_words));
        });
    }

    #[test]
    fn a_quoted_value_matches_its_text(text in "[^*\\p{C}]{1,20}") {
        let filter = Filter::parse(&format!("(payload={} or qos=3)", quoted(&text)));
        prop_assert!(filter.is_ok(), "{}: {:?}", quoted(&text), filter);
        let Expression::Any(parts) = filter.unwrap().root else { panic!("two alternatives") };
        let Expression::Test(Test::Text(_, TextTest::Is(values))) = &parts[0] else {
            panic!("a text test")
        };
        prop_assert_eq!(values, &vec![text]);
    }
}
