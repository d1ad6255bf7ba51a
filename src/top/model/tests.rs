use super::*;
use crate::protocol::{Properties, Qos};

const NO_LIMITS: Limits = Limits { topics: usize::MAX, bytes: usize::MAX };

/// A model that tests fill.
struct Filled {
    model: Model,
    now: u64,
}

impl Filled {
    fn new(limits: Limits) -> Filled {
        Filled { model: Model::new(limits), now: 0 }
    }

    fn receive(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let qos = Qos::AtMostOnce;
        let properties = Properties::EMPTY;
        let publish = Publish { dup: false, qos, retain, topic, packet_id: None, properties, payload };
        self.model.receive(&publish, Timestamp::UNIX_EPOCH, self.now);
    }

    fn with(topics: &[&str]) -> Filled {
        let mut filled = Filled::new(NO_LIMITS);
        topics.iter().for_each(|topic| filled.receive(topic, topic.as_bytes(), false));
        filled
    }

    fn id(&self, topic: &str) -> NodeId {
        self.model.tree().find(topic).unwrap_or_else(|| panic!("no node {topic}"))
    }

    /// The rows as text: indented names, `+` before folded ones, `*` before the selected one.
    fn rows(&self, outline: &mut Outline) -> Vec<String> {
        outline.refresh(&self.model, self.now);
        let tree = self.model.tree();
        let shown = |(index, row): (usize, &Row)| {
            let mark = if index == outline.position() { "*" } else { "" };
            let fold = if row.is_folded { "+" } else { "" };
            let name = if outline.is_list() {
                tree.path(row.id)
            } else {
                format!("{:1$}", "", tree.depth(row.id)) + tree.name(row.id)
            };
            format!("{mark}{fold}{name}")
        };
        outline.rows().iter().enumerate().map(shown).collect()
    }
}

#[test]
fn a_topic_has_its_last_message_and_the_levels_above_have_sums() {
    let mut filled = Filled::new(NO_LIMITS);
    filled.receive("a/b", b"12", true);
    filled.now = 500;
    filled.receive("a/b", b"345", false);
    filled.receive("a", b"6", false);
    let [a, b] = ["a", "a/b"].map(|topic| filled.id(topic));
    let model = &filled.model;
    assert_eq!(model.value(b).unwrap().payload(), b"345");
    let state = model.state(a);
    assert_eq!((state.messages, state.topics, state.size, state.last), (3, 2, 4, 500));
    assert_eq!(model.state(NodeId::ROOT).messages, 3);
    assert!(model.state(b).is_retained && !state.is_retained);
    assert_eq!(model.retained_below(NodeId::ROOT), ["a/b"]);
    filled.receive("a/b", b"", true);
    assert!(filled.model.retained_below(a).is_empty(), "an empty message removes the retained one");
}

#[test]
fn retained_messages_of_a_subscription_are_not_live() {
    let mut filled = Filled::new(NO_LIMITS);
    filled.receive("a", b"1", true);
    filled.receive("a/b", b"1", false);
    let [a, b] = ["a", "a/b"].map(|topic| filled.id(topic));
    assert_eq!([a, b].map(|id| filled.model.state(id).is_live), [false, true]);
    filled.receive("a", b"2", true);
    assert!(filled.model.state(a).is_live, "the flag of a live message, which the client asked for");
    filled.model.subscribed();
    filled.receive("a", b"2", true);
    assert!(!filled.model.state(a).is_live, "the retained message again, after a lost connection");
}

#[test]
fn topics_beyond_the_limit_are_counted_and_known_ones_go_on() {
    let mut filled = Filled::new(Limits { topics: 2, bytes: usize::MAX });
    for topic in ["a", "b", "c", "b", "d"] {
        filled.receive(topic, b"1", false);
    }
    assert_eq!(filled.model.left_out(), LeftOut { messages: 2, payloads: 0 });
    assert_eq!(filled.model.state(NodeId::ROOT).topics, 2);
    assert_eq!(filled.model.state(filled.id("b")).messages, 2);
}

#[test]
fn payloads_beyond_the_limit_are_not_kept() {
    let mut filled = Filled::new(Limits { topics: usize::MAX, bytes: 10_000 });
    filled.receive("a", b"1", false);
    filled.receive("a", &[b'x'; 20_000], false);
    filled.receive("b", &[b'x'; 20_000], false);
    assert_eq!(filled.model.left_out(), LeftOut { messages: 1, payloads: 1 });
    let value = filled.model.value(filled.id("a")).unwrap();
    assert_eq!((value.size, value.payload(), value.is_whole()), (20_000, &b""[..], false));
    assert!(filled.model.bytes() < 1000);
}

#[test]
fn the_start_of_a_huge_payload_is_kept() {
    let mut filled = Filled::new(NO_LIMITS);
    filled.receive("a", &vec![b'x'; 3 << 20], false);
    let value = filled.model.value(filled.id("a")).unwrap();
    assert_eq!((value.size, value.payload().len(), value.is_whole()), (3 << 20, 1 << 20, false));
}

#[test]
fn a_topic_of_many_levels_takes_bounded_nodes() {
    let mut filled = Filled::new(NO_LIMITS);
    let topic = "/".repeat(65_535);
    filled.receive(&topic, b"1", false);
    filled.receive(&topic, b"2", false);
    assert_eq!(filled.model.tree().len(), 257);
    assert_eq!(filled.model.tree().path(filled.id(&topic)), topic);
}

#[test]
fn memory_is_counted_as_it_is_used() {
    let mut filled = Filled::new(NO_LIMITS);
    for number in 0..10_000 {
        filled.receive(&format!("site/{}/device/{number}", number % 7), b"0123456789", false);
    }
    let names: usize = (0..10_000).map(|number: usize| number.to_string().len()).sum();
    let beyond = (filled.model.bytes() - names) / 10_000 - 10;
    assert!(beyond <= 250, "{beyond} bytes a topic beyond name and value");
    let node = size_of::<NodeState>() + 24 + 3 * size_of::<u32>();
    assert!(node <= NODE_BYTES, "a node takes {node} bytes, and its part of the table");
    assert!(size_of::<Value>() + 32 <= value::VALUE_BYTES);
}

#[test]
fn the_tree_is_sorted_and_folded() {
    let filled = Filled::with(&["b/10", "b/9/x", "a", "b/9/y/z/deep", "c/d"]);
    let mut outline = Outline::new(false, SortKey::Name);
    assert_eq!(filled.rows(&mut outline), ["*a", "b", " 9", "  x", "+  y", " 10", "c", " d"]);
    outline.unfold_levels(None);
    assert_eq!(
        filled.rows(&mut outline),
        ["*a", "b", " 9", "  x", "  y", "   z", "    deep", " 10", "c", " d"]
    );
    outline.unfold_levels(Some(1));
    assert_eq!(filled.rows(&mut outline), ["*a", "+b", "+c"]);
    outline.toggle_fold(filled.model.tree(), filled.id("c"));
    outline.sort_by(SortKey::Name);
    assert_eq!(filled.rows(&mut outline), ["c", " d", "+b", "*a"]);
    outline.toggle_list();
    assert_eq!(filled.rows(&mut outline), ["c/d", "b/10", "b/9/y/z/deep", "b/9/x", "*a"]);
}

#[test]
fn orders_by_value_put_the_highest_first() {
    let mut filled = Filled::new(NO_LIMITS);
    for (now, topic, payload) in
        [(0, "a", "1"), (10, "b", "12345"), (20, "c/d", "12"), (30, "a", "1"), (40, "a", "1")]
    {
        filled.now = now;
        filled.receive(topic, payload.as_bytes(), false);
    }
    let order = |sort| filled.rows(&mut Outline::new(true, sort)).join(" ");
    assert_eq!(order(SortKey::Messages), "*a b c/d", "equal ones in the order of arrival");
    assert_eq!(order(SortKey::Age), "*a c/d b");
    assert_eq!(order(SortKey::Size), "*b c/d a");
    assert_eq!(order(SortKey::Rate), "*a b c/d", "one message has no rate");
}

#[test]
fn many_rows_are_renewed_twice_a_second() {
    let mut filled = Filled::new(NO_LIMITS);
    (0..10_000).for_each(|number| filled.receive(&number.to_string(), b"", false));
    let mut outline = Outline::new(false, SortKey::Name);
    assert_eq!(filled.rows(&mut outline).len(), 10_000);
    filled.receive("new", b"", false);
    assert_eq!(filled.rows(&mut outline).len(), 10_000);
    filled.now = 500;
    assert_eq!(filled.rows(&mut outline).len(), 10_001);
}

#[test]
fn the_selection_stays_on_its_node() {
    let mut filled = Filled::with(&["b/1", "c"]);
    let mut outline = Outline::new(false, SortKey::Name);
    filled.rows(&mut outline);
    outline.step(1);
    assert_eq!(filled.rows(&mut outline), ["b", "* 1", "c"]);
    filled.receive("a", b"", false);
    assert_eq!(filled.rows(&mut outline), ["a", "b", "* 1", "c"]);
    outline.fold(filled.model.tree(), filled.id("b"), true);
    assert_eq!(filled.rows(&mut outline), ["a", "*+b", "c"], "a folded node is selected in its place");
    outline.step(isize::MAX);
    assert_eq!(filled.rows(&mut outline), ["a", "+b", "*c"]);
}

#[test]
fn filters_are_about_topics_or_payloads() {
    let mut filled = Filled::with(&["home/kitchen/temp", "home/kitchen", "home/bath/temp", "garden/temp"]);
    filled.receive("garden/temp", b"{\"state\":\"ON\"}", false);
    let list = |text: &str| {
        let mut outline = Outline::new(true, SortKey::Name);
        outline.set_filter(Filter::parse(text).unwrap());
        filled.rows(&mut outline).join(" ")
    };
    assert_eq!(list("KITCHEN"), "*home/kitchen home/kitchen/temp");
    assert_eq!(list("home/+"), "*home/kitchen");
    assert_eq!(list("home/#"), "*home/bath/temp home/kitchen home/kitchen/temp");
    assert_eq!(list("~^g.*p$"), "*garden/temp");
    assert_eq!(list("=\"state\":\"on\""), "*garden/temp");
    assert_eq!(list("=~:.ON"), "*garden/temp");
    assert_eq!(list("a.b"), "", "a text is not an expression");
    assert_eq!(list("~"), "*garden/temp home/bath/temp home/kitchen home/kitchen/temp");
    assert!(Filter::parse("~(").is_err());
    assert!(Filter::parse("~(a{1000}){1000}").is_err(), "an expression cannot take all memory");
}

#[test]
fn a_filter_finds_topics_that_come_later() {
    let mut filled = Filled::with(&["a/b/c", "x"]);
    let mut outline = Outline::new(false, SortKey::Name);
    outline.set_filter(Filter::parse("~b$").unwrap());
    assert!(filled.rows(&mut outline).is_empty());
    filled.receive("a/b", b"", false);
    assert_eq!(filled.rows(&mut outline), ["a", "* b"], "a level that becomes a topic");
    filled.receive("y/b", b"", false);
    assert_eq!(filled.rows(&mut outline), ["a", "* b", "y", " b"]);
    outline.set_filter(Filter::parse("=new").unwrap());
    assert!(filled.rows(&mut outline).is_empty());
    filled.receive("x", b"new", false);
    filled.now = 1000;
    assert_eq!(filled.rows(&mut outline), ["*x"]);
}

#[test]
fn a_filter_over_many_topics_is_applied_in_slices() {
    let mut filled = Filled::new(NO_LIMITS);
    (0..25_000).for_each(|number| filled.receive(&format!("many/{number}"), b"old", false));
    let mut outline = Outline::new(true, SortKey::Name);
    outline.set_filter(Filter::parse("~[05]000$").unwrap());
    assert_eq!(filled.rows(&mut outline).len(), 25_000, "all rows until all topics are compared");
    assert_eq!(outline.matched_percent(), Some(40));
    assert_eq!(filled.rows(&mut outline).len(), 25_000);
    assert_eq!(filled.rows(&mut outline), ["*many/5000", "many/10000", "many/15000", "many/20000"]);
    assert_eq!(outline.matched_percent(), None);
    outline.set_filter(Filter::parse("=old").unwrap());
    while {
        filled.rows(&mut outline);
        outline.is_matching()
    } {}
    assert_eq!(outline.rows().len(), 25_000);
    filled.receive("many/3", b"new", false);
    filled.now = 1000;
    assert_eq!(filled.rows(&mut outline).len(), 25_000, "the last complete result until there is a new one");
    while {
        filled.rows(&mut outline);
        outline.is_matching()
    } {}
    assert_eq!(outline.rows().len(), 24_999);
}

#[test]
fn topics_that_are_removed_have_no_row_and_can_return() {
    let mut filled = Filled::with(&["$SYS/broker/uptime", "$SYS/broker/version", "a", "$SYSTEM"]);
    let mut outline = Outline::new(false, SortKey::Name);
    let all = ["*$SYS", " broker", "  uptime", "  version", "$SYSTEM", "a"];
    assert_eq!(filled.rows(&mut outline), all);
    let uptime = filled.id("$SYS/broker/uptime");
    filled.model.look_at(uptime);
    let bytes = filled.model.bytes();
    filled.model.forget("$SYS", |_| false);
    assert_eq!(filled.rows(&mut outline), ["*$SYSTEM", "a"]);
    let root = filled.model.state(NodeId::ROOT);
    assert_eq!((root.topics, root.messages, root.size), (2, 2, 8));
    assert!(filled.model.bytes() < bytes && filled.model.history(uptime).is_none());
    for sort in [SortKey::Age, SortKey::Name] {
        outline.sort_by(sort);
        assert_eq!(filled.rows(&mut outline).len(), 2);
    }
    filled.receive("$SYS/broker/uptime", b"2", false);
    assert_eq!(filled.rows(&mut outline), ["$SYS", " broker", "  uptime", "*$SYSTEM", "a"]);
    assert_eq!(filled.model.value(uptime).unwrap().payload(), b"2");
    assert_eq!(filled.model.values.len(), 4, "the place of a removed value is taken again");
    filled.model.forget("unknown", |_| false);
}

#[test]
fn topics_that_are_wanted_are_not_removed() {
    let mut filled = Filled::with(&["$SYS/broker", "$SYS/broker/uptime", "$SYS/broker/version", "a"]);
    let mut outline = Outline::new(false, SortKey::Name);
    filled.model.forget("$SYS", |topic| topic == "$SYS/broker/version");
    assert_eq!(filled.rows(&mut outline), ["*$SYS", " broker", "  version", "a"]);
    let totals = |id| (filled.model.state(id).topics, filled.model.state(id).messages);
    assert_eq!([totals(filled.id("$SYS/broker")), totals(NodeId::ROOT)], [(1, 1), (2, 2)]);
    assert!(filled.model.value(filled.id("$SYS/broker")).is_none());
}

#[test]
fn histories_are_bounded_by_count_bytes_and_topics() {
    let mut filled = Filled::with(&["a", "b"]);
    let (a, b) = (filled.id("a"), filled.id("b"));
    filled.model.look_at(a);
    for _ in 0..1500 {
        filled.receive("a", b"1", false);
    }
    let history = filled.model.history(a).unwrap();
    assert_eq!((history.entries().len(), history.dropped()), (1000, 501));
    assert!(filled.model.history(b).is_none());
    for _ in 0..10 {
        filled.receive("a", &vec![0; 1 << 20], false);
    }
    assert_eq!(filled.model.history(a).unwrap().entries().len(), 3);
    for number in 0..20 {
        let topic = format!("many/{number}");
        filled.receive(&topic, b"1", false);
        filled.model.look_at(filled.id(&topic));
    }
    assert!(filled.model.history(a).is_none(), "the oldest history makes room");
    assert_eq!(filled.model.histories.len(), MAX_HISTORIES);
}

proptest::proptest! {
    #[test]
    fn every_topic_is_found_again(topics in proptest::collection::vec("[a/é]{1,12}", 1..60)) {
        let mut filled = Filled::new(NO_LIMITS);
        topics.iter().for_each(|topic| filled.receive(topic, b"1", false));
        let mut distinct = topics.clone();
        distinct.sort();
        distinct.dedup();
        for topic in &distinct {
            proptest::prop_assert_eq!(&filled.model.tree().path(filled.id(topic)), topic);
        }
        proptest::prop_assert_eq!(filled.model.state(NodeId::ROOT).topics as usize, distinct.len());
        let mut outline = Outline::new(true, SortKey::Name);
        proptest::prop_assert_eq!(filled.rows(&mut outline).len(), distinct.len());
    }
}
