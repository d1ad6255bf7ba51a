//! `mq top` on a terminal.

mod acting;
mod ending;
mod publishing;
mod replay;
mod screen;
mod tabs;
mod terminal;

use super::support::*;

/// A broker with some retained messages.
fn home() -> EmbeddedBroker {
    let broker = EmbeddedBroker::start();
    for (topic, payload) in [
        ("home/kitchen/temperature", "21.5"),
        ("home/kitchen/light", "{\"state\":\"ON\",\"power\":7}"),
        ("home/bath/temperature", "19"),
        ("garden/soil", "dry"),
    ] {
        broker.mq(&format!("pub -t {topic} -r -q 1 -m")).arg(payload).run().succeed();
    }
    broker
}

/// `mq top` beside a broker.
fn top(broker: &impl Server, words: &str) -> Option<Terminal> {
    Terminal::start(&format!("top {} {words}", broker.options()), 80, 24)
}
