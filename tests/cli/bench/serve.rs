//! The page of a run in progress, as browsers get it, and clients that are no browsers.

use super::broker_watch::page;
use super::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A run that is served, and its address.
fn served(broker: &EmbeddedBroker, words: &str) -> (Running, SocketAddr) {
    let mut running = broker.mq(&format!("bench --serve 0 {words}")).spawn();
    let line = running.wait_for_stderr("the live page is at http://");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').parse().unwrap();
    (running, address)
}

/// The events of a run.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(address: SocketAddr) -> Events {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        Events(BufReader::new(stream))
    }

    /// The next event of this name with this part in its data.
    #[track_caller]
    fn wait_for(&mut self, name: &str, part: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut event = String::new();
        while Instant::now() < deadline {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "no {name} with {part}, but {event}");
            if line.trim().is_empty() {
                if event.starts_with(&format!("event: {name}\n")) && event.contains(part) {
                    return event;
                }
                event.clear();
            } else {
                event += &line;
            }
        }
        panic!("no {name} with {part}, but {event}");
    }
}

#[test]
fn browsers_follow_a_run_to_its_report() {
    let broker = EmbeddedBroker::start();
    let (running, address) = served(&broker, "-c 2 --duration 60 --fail-if p99>10m");
    let mut events = Events::of(address);
    let event = events.wait_for("report", "Latency over time");
    assert_says(
        &event,
        &["data: mq bench, 127.0.0.1", "RUNNING", "measuring, ", " of 60 s", "p99, end to end", "4 of 4"],
    );
    let page = answer_to(address, format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes());
    assert_says(
        &page,
        &["HTTP/1.1 200 OK", "text/html", "connect-src 'self'", "EventSource(\"events\")", "<figure"],
    );
    let metrics = answer_to(address, b"GET /metrics HTTP/1.1\r\n\r\n");
    assert_says(&metrics, &["mq_bench_connected_total 4"]);
    running.signal("INT");
    let last = events.wait_for("end", "interrupted");
    assert_says(&last, &["verdict", "p99&gt;10m"]);
    let mut rest = String::new();
    assert_eq!(events.0.read_to_string(&mut rest).unwrap(), 0, "the connection ends");
    running.finish().expect_status(130);
}

#[test]
fn a_page_before_the_run_says_so() {
    let broker = EmbeddedBroker::start();
    let (running, address) = served(&broker, "conn -c 1 --start-at +3600");
    let page = answer_to(address, b"GET / HTTP/1.0\r\n\r\n");
    assert!(page.contains("the run has not begun") || page.contains("RUNNING"), "{page}");
    running.signal("INT");
    running.finish();
}

#[test]
fn clients_that_are_no_browsers_cost_the_run_nothing() {
    let broker = EmbeddedBroker::start();
    let (running, address) = served(&broker, "-c 2 --duration 60");
    // They never read; more than a few are refused.
    let stuck: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let refused = stuck.iter().filter(|stream| {
        let mut status = [0; 12];
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut stream: &TcpStream = stream;
        stream.read_exact(&mut status).unwrap();
        &status == b"HTTP/1.1 503"
    });
    assert_eq!(refused.count(), 92, "8 may follow");
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        ("GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        ("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "200"),
        ("HEAD / HTTP/1.1\r\n\r\n", "200"),
        ("POST / HTTP/1.1\r\n\r\n", "405"),
        ("GET /favicon.ico HTTP/1.1\r\n\r\n", "404"),
        ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "403"),
        ("GET http://localhost/metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "200"),
        ("\u{0}\u{1}\u{2}\r\n\r\n", "400"),
        ("\r\n\r\n", "400"),
    ] {
        let answer = answer_to(address, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    assert!(answer_to(address, &[b'a'; 8 * 1024]).starts_with("HTTP/1.1 431 "));
    running.signal("INT");
    running.finish().expect_status(130);
    drop(stuck);
}

#[test]
fn an_address_for_the_page_is_checked_before_the_run() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let finished = mq(&format!("bench --embedded -c 1 --messages 10 --serve {address}")).run();
    assert_says(&finished.fail(1), &["cannot listen on", &address.to_string(), "--serve"]);
    for words in ["--serve", "--serve here", "--serve 99999", "--serve :80"] {
        let finished = mq(&format!("bench -c 1 --messages 10 {words}")).run();
        assert_says(&finished.fail(2), &["--serve"]);
    }
}

#[test]
fn one_address_serves_page_and_metrics() {
    let broker = EmbeddedBroker::start();
    let address = free_address();
    let words = format!("bench -c 2 --duration 60 --serve {address} --metrics {address}");
    let mut running = broker.mq(&words).spawn();
    running.wait_for_stderr("the live page");
    wait_for_step(address, "measure");
    running.signal("INT");
    running.finish().expect_status(130);
}

#[test]
fn the_page_of_a_run_shows_the_counters_of_the_broker() {
    let broker = EmbeddedBroker::start();
    let counters = page("200 OK", "emqx_messages_received 1234\nemqx_connections_count 7\n");
    let (running, address) = served(&broker, &format!("-c 2 --duration 60 --watch-broker=http://{counters}"));
    let event = Events::of(address).wait_for("report", "1234");
    assert_says(&event, &["RUNNING", "messages in", "1234", "clients"]);
    running.signal("INT");
    running.finish().expect_status(130);
}

#[test]
fn counts_that_are_known_at_the_end_are_no_losses_during_the_run() {
    let broker = EmbeddedBroker::start();
    let (running, address) = served(&broker, "-c 2 --duration 60");
    let mut events = Events::of(address);
    let event = events.wait_for("report", "measuring, ");
    assert_says(
        &event,
        &[
            "<dt>not received yet</dt>",
            "due; losses are known at the end",
            "<th scope=\"row\">could not connect</th><td>0</td>",
            "<th scope=\"row\">lost</th><td class=\"words\">known at the end</td>",
        ],
    );
    running.signal("INT");
    assert_says(&events.wait_for("end", "interrupted"), &["<dt>lost</dt><dd>0</dd>"]);
    running.finish().expect_status(130);
}

#[test]
fn the_page_of_a_run_has_a_row_for_each_group() {
    let broker = EmbeddedBroker::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = "duration = '60s'\n\
        [[group]]\nname = 'meters'\nscenario = 'pubsub'\nclients = 2\nrate = 50\n\
        [[group]]\nname = 'idle'\nscenario = 'conn'\nclients = 3\n";
    std::fs::write(file.path(), groups).unwrap();
    let (running, address) = served(&broker, &format!("scenario {}", file.path().display()));
    // The threads report once per second, each at its own time.
    let event = Events::of(address).wait_for("report", "3 of 3");
    assert_says(&event, &["<caption>Groups</caption>", "<th scope=\"row\">meters</th>"]);
    running.signal("INT");
    running.finish().expect_status(130);
}
