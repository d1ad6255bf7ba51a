//! Lost, doubled and reordered datagrams between the clients and the gateway.

use crate::support::on_each_broker;
use crate::support::sn::{Fate, Gateway, LossyRelay, client_of, spread};
use std::net::SocketAddr;

const MESSAGES: usize = 60;

/// Options of clients of MQTT-SN 2.0, whose session outlasts a connection.
pub(super) const VERSION_2: &str = "--sn-version 2 -x 3600";

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

type Plan = fn(bool, usize) -> Fate;

/// Publishes lines through one bad network, and subscribes through another, with these options. All lines are printed, at QoS 2 once
/// and in order.
pub(super) fn exchange_through(gateway: &Gateway, options: &str, qos: &str, plan: Plan) {
    let relay = || LossyRelay::start(gateway.address, plan);
    // One for each program: a late DISCONNECT of one would end the connection of another with the same address.
    let (of_publisher, of_last, of_subscriber) = (relay(), relay(), relay());
    let client = |relay: SocketAddr, words: &str| {
        let retries = "--sn-retry-interval 60ms --sn-retry-count 1000";
        client_of(relay, &format!("{words} {retries} -q {qos} {options}"))
    };
    let mut subscriber = client(of_subscriber.address, "sub -d -t lines/# -c -i subscriber").spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    let lines: String = (0..MESSAGES).map(|number| format!("{number}\n")).collect();
    client(of_publisher.address, "pub -t lines/all -l -i publisher").stdin(lines).run().succeed();
    client(of_last.address, "pub -t lines/all -m end -i publisher").run().succeed();
    subscriber.wait_for_stdout("end");
    let printed = String::from_utf8(subscriber.stdout_so_far()).unwrap();
    let mut numbers: Vec<usize> = printed.lines().filter_map(|line| line.parse().ok()).collect();
    if qos == "1" {
        numbers.sort_unstable();
        numbers.dedup();
    }
    assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
}

/// The same with clients of each version, through a gateway with a connection for each client.
fn exchange(qos: &str, plan: Plan) {
    for (towards_broker, options) in [("", ""), ("-V 5", VERSION_2)] {
        on_each_broker(|broker| {
            let retries = "--retry-interval 60ms --retry-count 1000";
            let gateway = Gateway::start(broker.address(), &format!("{towards_broker} {retries}"));
            exchange_through(&gateway, options, qos, plan);
        });
    }
}

#[test]
fn nothing_is_lost_at_QoS_1_if_a_fifth_of_the_datagrams_is() {
    exchange("1", lossy);
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_if_a_fifth_of_the_datagrams_is_lost() {
    exchange("2", lossy);
}

#[test]
fn nothing_is_lost_at_QoS_1_if_datagrams_are_lost_doubled_and_reordered() {
    exchange("1", chaotic);
}

#[test]
fn nothing_is_lost_or_doubled_at_QoS_2_if_datagrams_are_lost_doubled_and_reordered() {
    exchange("2", chaotic);
}
