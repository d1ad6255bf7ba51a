//! Commands that wait, for a network that is silent or a broker that refuses them: they use no processor, and descriptors do not add up.

use super::*;
use std::time::Duration;

/// How long commands are watched, and the part of a processor that they may use, which is far more than they do.
const WATCHED: Duration = Duration::from_secs(2);
const MAX_CPU: f64 = 0.3;

/// Commands that wait for ever, each with a sign that it does.
const WAITING: [(&str, &str); 6] = [
    ("sub -t a -q 1", "<- SUBACK"),
    ("sub -c -i kept -t a -q 2", "<- SUBACK"),
    ("sub -t a --exec true", "<- SUBACK"),
    ("pub -t a -l -q 1", "<- CONNACK"),
    ("pub -t b -V 5 -l -q 2", "<- CONNACK"),
    ("rr -V 311 -t nobody -e answer -n", "<- SUBACK"),
];

#[cfg(target_os = "linux")]
#[test]
fn a_silent_network_costs_no_processor_and_no_descriptors() {
    on_each_broker(|broker| {
        let proxy = FaultProxy::start(broker.address());
        let place = proxy.options();
        let mut waiting: Vec<(&str, Running)> = (WAITING.iter())
            .map(|(words, sign)| {
                let (subcommand, options) = words.split_once(' ').unwrap();
                let mut running = mq(&format!("{subcommand} -d {place} {options}")).open_stdin().spawn();
                if !words.starts_with("pub") {
                    running.wait_for_stderr(sign);
                }
                (*words, running)
            })
            .collect();
        waiting.push(("bench sub", mq(&format!("bench sub {place} -c 3 -t a --duration 600")).spawn()));
        proxy.wait_for_connections(WAITING.len() + 3);
        let mut inspect = mq(&format!("inspect --listen 0 --to {}", proxy.address())).spawn();
        inspect.wait_for_stderr("listening on");
        waiting.push(("inspect --listen", inspect));
        proxy.stall();
        for (_, running) in waiting.iter_mut().filter(|(words, _)| words.starts_with("pub")) {
            running.write("a line that is not acknowledged\n");
            running.wait_for_stderr("-> PUBLISH");
        }
        let used = |waiting: &[(&str, Running)]| {
            waiting
                .iter()
                .map(|(_, running)| (running.cpu_seconds(), running.descriptors()))
                .collect::<Vec<_>>()
        };
        let before = used(&waiting);
        thread::sleep(WATCHED); // the time that is measured
        for ((before, after), (words, _)) in before.into_iter().zip(used(&waiting)).zip(&waiting) {
            let part = (after.0 - before.0) / WATCHED.as_secs_f64();
            assert!(part < MAX_CPU, "{words}: {part} of a processor");
            assert_eq!(after.1, before.1, "descriptors of {words}");
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn attempts_to_connect_leave_no_descriptors() {
    let broker = EmbeddedBroker::start();
    let proxy = FaultProxy::start(broker.address());
    let mut subscriber = proxy.subscriber("-t a");
    let connected = subscriber.descriptors();
    proxy.refuse();
    let cpu = subscriber.cpu_seconds();
    for _ in 0..4 {
        subscriber.wait_for_stderr("connecting again");
        assert!(subscriber.descriptors() <= connected, "{} descriptors", subscriber.descriptors());
    }
    assert!(subscriber.cpu_seconds() - cpu < 0.5, "four attempts take no processor");
    proxy.pass();
    subscriber.wait_for_stderr("<- SUBACK");
    subscriber.wait_for_descriptors(connected);
}
