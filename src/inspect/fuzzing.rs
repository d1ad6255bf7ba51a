//! Entry points for fuzzers: the layers of captures, and the stages after them. Compiled for tests and with `--cfg fuzzing` only.

use super::capture::Moment;
use super::capture::conversation::ConversationEvent;
use super::capture::reassembly::Close;
use super::diagnosis::{Diagnosis, Scope};
use super::field::{Bits, Tree};
use super::filter::Filter;
use super::ladder::{Ladder, PageTexts};
use super::lint::Linter;
use super::sn::{Datagram, Settings, SnItem};
use super::statistics::Statistics;
use super::view::{ConversationView, Options, View, ViewFormat};
use super::{Direction, Inspector, Item, Severity};
use crate::protocol::Version;
use crate::protocol::sn::{self, Message, v2};
use std::net::SocketAddr;

/// The most bytes of a connection for the dissector; longer inputs only repeat states, and cost time.
const MAX_CONNECTION: usize = 8 * 1024;

/// The most bytes of a connection, or of datagrams, that are written in every format.
const MAX_VIEWED: usize = 1024;

const CONNECTION: u32 = 0;

/// Decodes the bytes as a connection. The first byte selects the options.
pub fn dissector(bytes: &[u8]) {
    converse(first(bytes, MAX_CONNECTION), check_tree);
}

/// Decodes the bytes as a connection and writes the result in every format; as a page, which takes as long as all else, for lengths that
/// eight divides.
pub fn packets(bytes: &[u8]) {
    let has_page = bytes.len().is_multiple_of(8);
    let bytes = first(bytes, MAX_VIEWED);
    let shows_secrets = bytes.first().is_some_and(|how| how & 4 != 0);
    let options = Options { shows_secrets, shows_ranges: true, least: Severity::Info, ..Options::default() };
    let mut views = Views::new(options);
    converse(bytes, |item| views.show(item));
    check_json(views.statistics.to_json().as_bytes());
    views.statistics.to_text();
    if has_page {
        views.check_page();
    }
}

/// Parses a filter, and applies it to the bytes after its line feed, as a connection.
pub fn filters(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (text, connection) = bytes.split_at(end);
    let Ok(text) = std::str::from_utf8(text) else { return };
    match Filter::parse(text) {
        Ok(mut filter) => {
            filter.start(0);
            converse(first(connection.get(1..).unwrap_or_default(), MAX_VIEWED), |item| {
                filter.matches(item, &[]);
            });
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn first(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}

/// Decodes the bytes as datagrams of MQTT-SN 1.2: strictly, and as a capture. Each has a byte with its direction, client and truncation,
/// and a byte with its length, in front.
pub fn datagrams(bytes: &[u8]) {
    study(bytes, Inspector::new(None));
}

/// Does so with MQTT-SN 2.0 for all of them.
pub fn datagrams_v2(bytes: &[u8]) {
    study(bytes, of_version_2());
}

/// Takes datagrams as the inspector does before it writes anything.
fn study(bytes: &[u8], inspector: Inspector) {
    let mut linter = Linter::new(Severity::Info);
    let (mut statistics, mut diagnosis) = (Statistics::default(), Diagnosis::with_marks());
    take_datagrams(bytes, inspector, |item| {
        check_tree(item);
        let findings = linter.check(item);
        statistics.observe(item, &findings);
        diagnosis.observe(item);
    });
}

/// Decodes datagrams of the version that the first byte selects, and writes them in every format.
pub fn datagram_views(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let inspector = if how & 1 == 0 { Inspector::new(None) } else { of_version_2() };
    let mut views = Views::new(Options { shows_ranges: true, least: Severity::Info, ..Options::default() });
    take_datagrams(first(bytes, MAX_VIEWED), inspector, |item| views.show(item));
    check_json(views.statistics.to_json().as_bytes());
    views.statistics.to_text();
}

fn of_version_2() -> Inspector {
    Inspector::new(None).with_sn(Settings { version: Some(sn::Version::V20), ..Settings::default() })
}

fn take_datagrams(bytes: &[u8], mut inspector: Inspector, mut sink: impl FnMut(&Item<'_>)) {
    let (mut rest, mut frame) = (bytes, 0);
    while let Some(([how, length], after)) = rest.split_first_chunk::<2>() {
        let (datagram, after) = after.split_at(usize::from(*length).min(after.len()));
        check_strictly(datagram);
        check_strictly_v2(datagram);
        frame += 1;
        let is_from_client = how & 1 == 0;
        let taken = Datagram {
            connection: u32::from(how >> 1 & 3),
            at: Moment { frame, time: Some(frame * 1_000_000_000) },
            client: SocketAddr::from(([10, 0, 0, 1], 4000)),
            gateway: SocketAddr::from(([10, 0, 0, 2], 10_000)),
            direction: if is_from_client { Direction::ClientToServer } else { Direction::ServerToClient },
            bytes: datagram,
            missing: usize::from(how >> 5),
        };
        inspector.datagram(&taken, &mut sink);
        rest = after;
    }
    for connection in 0..4 {
        let (by, first_fin) = (Close::EndOfCapture, None);
        let closed = ConversationEvent::Closed { connection, at: Moment::default(), by, first_fin };
        inspector.take(&closed, &mut sink);
    }
}

/// Checks that a message that is decoded has an encoding with the same meaning.
fn check_strictly(datagram: &[u8]) {
    let Ok(message) = Message::decode(datagram) else { return };
    let mut encoded = Vec::new();
    // The long form of the length can make a message too long.
    if message.encode(&mut encoded).is_ok() {
        assert_eq!(Message::decode(&encoded), Ok(message));
    }
}

/// Does so for MQTT-SN 2.0.
fn check_strictly_v2(datagram: &[u8]) {
    let without_header = |packet| match packet {
        v2::Packet::Protection(protection) => {
            v2::Packet::Protection(v2::Protection { header: &[], ..protection })
        }
        packet => packet,
    };
    let Ok(packet) = v2::Packet::decode(datagram).map(without_header) else { return };
    let mut encoded = Vec::new();
    if packet.encode(&mut encoded).is_ok() {
        assert_eq!(v2::Packet::decode(&encoded).map(without_header), Ok(packet));
    }
}

/// Feeds the bytes to the two sides of a connection in turn. The first byte selects the version (or none), whether the start is
/// a packet boundary, and the size of the pieces.
fn converse(bytes: &[u8], mut sink: impl FnMut(&Item<'_>)) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let version = [None, Some(Version::V31), Some(Version::V311), Some(Version::V5)]
        .into_iter()
        .nth(usize::from(how & 3));
    let mut inspector = Inspector::new(version.flatten());
    inspector.open(CONNECTION, how & 8 != 0);
    for (index, piece) in bytes.chunks(usize::from(how >> 5) * 16 + 7).enumerate() {
        let at = Moment { frame: index as u64 + 1, time: Some(index as u64 * 1_000_000) };
        let direction = if index % 8 == 7 { Direction::ServerToClient } else { Direction::ClientToServer };
        inspector.bytes(CONNECTION, direction, at, piece, &mut sink);
    }
    for direction in Direction::BOTH {
        inspector.end(CONNECTION, direction, Moment::default(), &mut sink);
    }
}

/// All consumers of items.
struct Views {
    views: [(ViewFormat, Box<dyn View>); ViewFormat::ALL.len()],
    table: ConversationView,
    ladder: Ladder,
    diagnosis: Diagnosis,
    statistics: Statistics,
    linter: Linter,
}

impl Views {
    fn new(options: Options) -> Views {
        Views {
            views: ViewFormat::ALL.map(|format| (format, format.view(options))),
            table: ConversationView::new(options, 40),
            ladder: Ladder::new(options),
            diagnosis: Diagnosis::with_marks(),
            statistics: Statistics::default(),
            linter: Linter::new(Severity::Info),
        }
    }

    fn show(&mut self, item: &Item<'_>) {
        check_tree(item);
        let findings = self.linter.check(item);
        for (format, view) in &mut self.views {
            let mut output = Vec::new();
            view.write(item, &findings, &mut output);
            match format {
                // Some items have no object.
                ViewFormat::Json if output.is_empty() => {}
                ViewFormat::Json => check_json(&output),
                _ => check_text(output),
            }
        }
        let mut output = Vec::new();
        self.table.write(item, &findings, &mut output);
        check_text(output);
        self.diagnosis.observe(item);
        self.ladder.see(item, true);
        self.ladder.draw(item, &findings);
        self.statistics.observe(item, &findings);
    }

    /// Checks that no text leaves its place in the page.
    fn check_page(&self) {
        let texts = PageTexts {
            source: "fuzzing",
            selection: None,
            filter_option: "filter",
            since_option: "since",
            until_option: "until",
            conversation_option: "conversation",
        };
        let page = self.ladder.to_html(&self.diagnosis.report(&Scope::default()), &texts);
        assert_eq!(page.matches("<script").count(), 2);
        let (_, data) = page.split_once("id=\"data\">").expect("the page has data");
        let (data, _) = data.split_once("</script>").expect("the data end");
        check_json(data.as_bytes());
        check_text(page.into_bytes());
    }
}

fn check_text(text: Vec<u8>) {
    // All control characters but the line feed: C0 and DEL are bytes, C1 begins with C2.
    let is_suspect = |byte: &u8| *byte != b'\n' && (*byte < b' ' || *byte == 0x7f || *byte == 0xc2);
    let may_be_safe = !text.iter().any(is_suspect);
    let text = String::from_utf8(text).expect("the views write text");
    let is_safe = |character| character == '\n' || !char::is_control(character);
    assert!(may_be_safe || text.chars().all(is_safe), "{text:?}");
}

fn check_json(json: &[u8]) {
    serde_json::from_slice::<serde_core::de::IgnoredAny>(json).expect("it is valid JSON");
}

fn check_tree(item: &Item<'_>) {
    match item {
        Item::Packet(packet) => check_leaves(packet.tree, packet.raw.length),
        Item::Sn(SnItem::Message(message)) => check_leaves(message.tree, message.length),
        _ => {}
    }
}

/// Checks that every byte belongs to exactly one leaf, or each of its bits does.
pub(super) fn check_leaves(tree: &Tree<'_>, length: usize) {
    let (mut at, mut next_bit) = (0, Some(7));
    for leaf in tree.fields.iter().filter(|field| field.is_leaf()) {
        assert_eq!(leaf.range.start, at, "{leaf:?}");
        match leaf.bits {
            Some(Bits { high, low }) => {
                assert_eq!(Some(high), next_bit, "{leaf:?}");
                next_bit = low.checked_sub(1);
                if next_bit.is_none() {
                    (at, next_bit) = (leaf.range.end, Some(7));
                }
            }
            None => {
                assert_eq!(next_bit, Some(7), "{leaf:?}");
                at = leaf.range.end;
            }
        }
    }
    assert_eq!(at, length, "{:?}", tree.fields);
}
