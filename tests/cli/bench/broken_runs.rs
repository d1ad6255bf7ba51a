//! `mq bench conn`, `sub` and `scenario` whose broker, network, disk or user breaks the run in each of its phases: it ends by itself,
//! with the documented status and a report whose figures are those of the time until then.

use super::*;
use crate::support::fault_proxy::{Fault, FaultProxy, Plan};
use crate::support::process::Finished;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use tempfile::TempDir;

/// A group of each kind, with 6 clients that measure for so long.
fn scenario(directory: &TempDir, duration: &str) -> String {
    let path = directory.path().join("run.toml");
    let content = format!(
        "duration = \"{duration}\"\n\
         [[group]]\nname = \"idle\"\nscenario = \"conn\"\nclients = 2\n\
         [[group]]\nname = \"ears\"\nscenario = \"sub\"\nclients = 2\ntopic = \"ticks/#\"\n\
         [[group]]\nname = \"mouths\"\nscenario = \"pub\"\nclients = 2\nqos = 1\nrate = 50\n"
    );
    std::fs::write(&path, content).unwrap();
    format!("scenario {}", path.display())
}

/// A run of each kind that measures for so long, and the number of its clients.
fn runs(directory: &TempDir, duration: &str) -> [(String, usize); 3] {
    [
        (format!("conn -c 4 --hold {duration}"), 4),
        (format!("sub -c 4 -t ticks/# --duration {duration}"), 4),
        (scenario(directory, duration), 6),
    ]
}

/// A run that has come to this step.
fn begun(server: &dyn Server, words: &str, step: &str) -> Running {
    let metrics = free_address();
    let bench = server.mq(&format!("bench {words} --metrics {metrics}")).spawn();
    wait_for_step(metrics, step);
    bench
}

fn text_of(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.stdout).into_owned()
}

/// A server for whose connections this is done, each on a thread of its own, after their CONNECT has arrived.
fn server(serve: impl Fn(TcpStream) + Copy + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let connect = stream.read(&mut [0; 1024]);
                if connect.is_ok_and(|length| length > 0) {
                    serve(stream);
                }
            });
        }
    });
    address
}

/// Reads until the client ends the connection.
fn read_all(mut stream: &TcpStream) {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).is_ok_and(|length| length > 0) {}
}

/// Accepts clients, and answers nothing else.
fn accept_only(mut stream: TcpStream) {
    let _ = stream.write_all(&[0x20, 2, 0, 0]);
    read_all(&stream);
}

/// The run ended as all of its clients lost their connections, which its reports say.
#[track_caller]
fn assert_all_lost(finished: &Finished, json: &Path, clients: usize) {
    let report = text_of(finished);
    assert_says(&report, &[&format!("{clients} of {clients} clients"), "all clients lost their connections"]);
    finished.expect_status(7);
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(
        (&json["clients"]["lost"], &json["ending"]),
        (&clients.into(), &"all lost".into()),
        "{report}"
    );
}

struct At(SocketAddr);

impl Server for At {
    fn address(&self) -> SocketAddr {
        self.0
    }
}

#[test]
fn a_killed_broker_ends_each_run_with_its_losses() {
    let directory = TempDir::new().unwrap();
    let json = directory.path().join("run.json");
    for (words, clients) in runs(&directory, "600s") {
        let mut broker = EmbeddedBroker::start();
        let bench = begun(&broker, &format!("{words} --json {}", json.display()), "measure");
        broker.kill();
        assert_all_lost(&bench.finish(), &json, clients);
    }
}

#[test]
fn a_broker_that_stalls_is_noticed_by_the_keep_alive() {
    let directory = TempDir::new().unwrap();
    let mut broker = EmbeddedBroker::start();
    let runs = runs(&directory, "600s").map(|(words, clients)| {
        (begun(&broker, &format!("{words} -k 5 --timeout 3"), "measure"), words, clients)
    });
    broker.process().signal("STOP");
    let finished = runs.map(|(bench, words, clients)| (bench.finish(), words, clients));
    broker.process().signal("CONT");
    for (finished, words, clients) in finished {
        let report = text_of(&finished);
        assert!(report.contains(&format!("{clients} of {clients} clients")), "{words}: {report}");
        assert!(!report.contains(ALL_ARRIVED), "{words}: {report}");
        // Publishers that get no answer are given up before the keep alive ends.
        let statuses: &[i32] = if words.starts_with("scenario") { &[1, 7] } else { &[7] };
        assert!(statuses.contains(&finished.status), "{words}: {} {}", finished.status, finished.stderr);
        assert_says(&finished.stderr, &["mq bench:"]);
    }
}

#[test]
fn clients_whose_connect_is_reset_are_counted_and_the_others_go_on() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start();
    for (number, (words, clients)) in runs(&directory, "0.5s").into_iter().enumerate() {
        for fault in [Fault::Reset, Fault::Cut, Fault::Refuse] {
            let plan = Plan { fault, connections: 2, most_bytes: 14, seed: number as u64 };
            let proxy = FaultProxy::planned(broker.address(), plan);
            let finished = proxy.mq(&format!("bench {words}")).run();
            let report = text_of(&finished);
            assert!(
                report.contains(&format!("{} of {clients} clients", clients - 2)),
                "{words} {fault:?}: {report}"
            );
            assert_says(&report, &["connecting"]);
            assert_says(&finished.fail(1), &["mq bench:"]);
        }
    }
}

#[test]
fn garbage_ends_the_clients_that_get_it_and_no_others() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start();
    for (words, clients) in runs(&directory, "0.5s") {
        let plan = Plan { fault: Fault::Garbage, connections: 2, most_bytes: 1, seed: 1 };
        let proxy = FaultProxy::planned(broker.address(), plan);
        let finished = proxy.mq(&format!("bench {words}")).run();
        let report = text_of(&finished);
        assert!(report.contains(&format!("of {clients} clients")), "{words}: {report}");
        assert_says(&report, &["2 x the broker sent a bad packet"]);
        assert!([1, 7].contains(&finished.status), "{words}: {} {}", finished.status, finished.stderr);
        assert_says(&finished.stderr, &["mq bench:"]);
    }
}

#[test]
fn connections_that_the_broker_half_closes_are_lost() {
    let half_closing = At(server(|mut stream| {
        let _ = stream.write_all(&[0x20, 2, 0, 0]);
        let _ = stream.shutdown(Shutdown::Write);
        read_all(&stream);
    }));
    let directory = TempDir::new().unwrap();
    let json = directory.path().join("run.json");
    for (words, clients) in runs(&directory, "600s") {
        let finished = half_closing.mq(&format!("bench {words} --json {}", json.display())).run();
        assert_all_lost(&finished, &json, clients);
    }
}

#[test]
fn a_full_disk_fails_each_run_after_its_report_was_printed() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start();
    for (words, clients) in runs(&directory, "0.2s") {
        for format in ["--json", "--html", "--csv"] {
            let finished = broker.mq(&format!("bench {words} {format} /dev/full")).run();
            assert_says(&text_of(&finished), &[&format!("{clients} of {clients} clients")]);
            assert_says(&finished.fail(1), &["cannot write /dev/full", "No space left"]);
        }
    }
}

/// Interrupts a run at this step, and returns its report.
#[track_caller]
fn interrupted(server: &dyn Server, words: &str, step: &str) -> String {
    let bench = begun(server, words, step);
    bench.signal("INT");
    let finished = bench.finish();
    assert_eq!(finished.status, 130, "{words} at {step}: {}", finished.stderr);
    text_of(&finished)
}

#[test]
fn an_interruption_ends_each_run_at_each_step_with_its_figures() {
    let directory = TempDir::new().unwrap();
    let silent = At(server(|stream| read_all(&stream)));
    let accepting = At(server(accept_only));
    let broker = EmbeddedBroker::start();
    for (words, clients) in runs(&directory, "600s") {
        let words = format!("{words} --timeout 600");
        let report = interrupted(&silent, &words, "connect");
        assert!(report.contains(&format!("0 of {clients} clients")), "{words}: {report}");
        if !words.starts_with("conn") {
            let report = interrupted(&accepting, &words, "subscribe");
            assert!(report.contains(&format!("{clients} of {clients} clients")), "{words}: {report}");
        }
        for (options, step) in [("", "measure"), ("--warm-up 600s", "warm_up")] {
            if step != "measure" && !words.starts_with("sub") {
                continue;
            }
            let report = interrupted(&broker, &format!("{words} {options}"), step);
            assert!(report.contains(&format!("{clients} of {clients} clients")), "{words}: {report}");
            assert!(!report.contains("lost the connection"), "{words}: {report}");
        }
    }
    let path = directory.path().join("unacknowledged.toml");
    let group = "[[group]]\nname = \"mouths\"\nscenario = \"pub\"\nclients = 2\nqos = 1\nmessages = 6\n";
    std::fs::write(&path, group).unwrap();
    let metrics = free_address();
    let words = format!("bench scenario {} --timeout 600 --metrics {metrics}", path.display());
    let mut bench = accepting.mq(&words).spawn();
    wait_for_step(metrics, "measure");
    wait_for_metric(metrics, "sent_total 6");
    // The first one ends the sending, the next one the wait for acknowledgements.
    bench.signal_until_end("INT");
    let finished = bench.finish();
    finished.expect_status(130);
    let report = text_of(&finished);
    assert_eq!(numbers_of(&report, "sent"), [6], "{report}");
    assert_says(&report, &["6 never acknowledged"]);
}

/// Waits until a metric has this value.
#[track_caller]
fn wait_for_metric(metrics: SocketAddr, metric: &str) {
    let deadline = Instant::now() + DEADLINE;
    let line = format!("\nmq_bench_{metric}\n");
    while !answer_to(metrics, b"GET /metrics HTTP/1.1\r\n\r\n").contains(&line) {
        assert!(Instant::now() < deadline, "{metric}");
    }
}

/// A publisher of lines, each witnessed by a subscriber of `mq sub`.
fn publish_lines(broker: &EmbeddedBroker, count: usize) -> Running {
    let mut witness = broker.subscriber("-t ticks/# -q 1");
    let mut publisher = broker.mq("pub -t ticks/one -q 1 -l").open_stdin().spawn();
    for line in 0..count {
        publisher.write(format!("line {line}\n"));
    }
    witness.wait_for_stdout(&format!("line {}", count - 1));
    publisher
}

#[test]
fn a_publisher_that_is_killed_leaves_true_figures() {
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start();
    let subscribers = "sub -c 4 -q 1 -t ticks/# --duration 600s".to_owned();
    let path = directory.path().join("ears.toml");
    let group = "[[group]]\nname = \"ears\"\nscenario = \"sub\"\nclients = 4\nqos = 1\ntopic = \"ticks/#\"\n";
    std::fs::write(&path, format!("duration = \"600s\"\n{group}")).unwrap();
    for words in [subscribers, format!("scenario {}", path.display())] {
        let metrics = free_address();
        let bench = broker.mq(&format!("bench {words} --metrics {metrics}")).spawn();
        wait_for_step(metrics, "measure");
        publish_lines(&broker, 50).kill();
        wait_for_metric(metrics, "received_total 200");
        bench.signal("INT");
        let finished = bench.finish();
        assert_eq!(numbers_of(&text_of(&finished), "received"), [200], "{words}");
        finished.expect_status(130);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_messages_and_connections() {
    const MAX_GROWTH: u64 = 3 << 20;
    let directory = TempDir::new().unwrap();
    let broker = EmbeddedBroker::start();
    let path = directory.path().join("ears.toml");
    let group = "[[group]]\nname = \"ears\"\nscenario = \"sub\"\nclients = 2\nqos = 1\ntopic = \"ticks/#\"\n";
    std::fs::write(&path, format!("duration = \"600s\"\n{group}")).unwrap();
    let words =
        ["sub -c 2 -q 1 -t ticks/# --duration 600s".to_owned(), format!("scenario {}", path.display())];
    let benches = words.map(|words| begun(&broker, &words, "measure"));
    let publish = |count: usize| {
        broker.mq(&format!("bench pub -c 2 -t ticks/{{i}} --messages {count}")).run().succeed();
    };
    publish(4000);
    let before = benches.each_ref().map(Running::peak_memory);
    publish(40_000);
    for (bench, before) in benches.into_iter().zip(before) {
        let grown = bench.peak_memory().saturating_sub(before);
        assert!(grown < MAX_GROWTH, "{grown} bytes for ten times the messages");
        bench.signal("INT");
        bench.finish().expect_status(130);
    }
}
