//! Lost, doubled and reordered datagrams between the clients and the gateway.

use crate::support::sn::{Fate, Gateway, LossyRelay, client_of, spread};
use crate::support::{Broker, on_each_broker};
use std::net::SocketAddr;

pub(super) const MESSAGES: usize = 60;

/// A fifth of the datagrams is lost in each direction.
pub(super) fn lossy(is_to_gateway: bool, number: usize) -> Fate {
    if spread(is_to_gateway, number) < 20 { Fate::Lose } else { Fate::Pass }
}

/// A tenth is lost, a fifth doubled, and a tenth comes after the next one.
pub(super) fn chaotic(is_to_gateway: bool, number: usize) -> Fate {
    match spread(is_to_gateway, number) {
        0..10 => Fate::Lose,
        10..30 => Fate::Double,
        30..40 => Fate::Delay,
        _ => Fate::Pass,
    }
}

pub(super) type Plan = fn(bool, usize) -> Fate;

/// Publishes lines through one bad network, and subscribes through another. Returns the printed lines.
fn exchange(broker: &dyn Broker, qos: &str, plan: Plan) -> Vec<usize> {
    let gateway = Gateway::start(broker.address(), "--retry-interval 60ms --retry-count 1000");
    exchange_through(&gateway, qos, plan)
}

/// The same through this gateway.
pub(super) fn exchange_through(gateway: &Gateway, qos: &str, plan: Plan) -> Vec<usize> {
    let relay = || LossyRelay::start(gateway.address, plan);
    let (of_publisher, of_subscriber) = (relay(), relay());
    let client = |relay: SocketAddr, words: &str| {
        client_of(relay, &format!("{words} --sn-retry-interval 60ms --sn-retry-count 1000 -q {qos}"))
    };
    let mut subscriber = client(of_subscriber.address, "sub -d -t lines/# -c -i subscriber").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    let lines: String = (0..MESSAGES).map(|number| format!("{number}\n")).collect();
    client(of_publisher.address, "pub -t lines/all -l -i publisher").stdin(lines).run().succeed();
    client(of_publisher.address, "pub -t lines/all -m end -i publisher").run().succeed();
    subscriber.wait_for_stdout("end");
    let printed = String::from_utf8(subscriber.stdout_so_far()).unwrap();
    printed.lines().filter_map(|line| line.parse().ok()).collect()
}

#[test]
fn nothing_is_lost_at_QoS_1_if_a_fifth_of_the_datagrams_is() {
    on_each_broker(|broker| {
        let mut numbers = exchange(broker, "1", lossy);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
    });
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_if_a_fifth_of_the_datagrams_is_lost() {
    on_each_broker(|broker| {
        assert_eq!(exchange(broker, "2", lossy), (0..MESSAGES).collect::<Vec<_>>());
    });
}

#[test]
fn nothing_is_lost_at_QoS_1_if_datagrams_are_lost_doubled_and_reordered() {
    on_each_broker(|broker| {
        let mut numbers = exchange(broker, "1", chaotic);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
    });
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_if_datagrams_are_lost_doubled_and_reordered() {
    on_each_broker(|broker| {
        assert_eq!(exchange(broker, "2", chaotic), (0..MESSAGES).collect::<Vec<_>>());
    });
}
