//! `mq bench --watch-broker`: the broker's own counters beside the measurements, and sources that fail.

use super::report::free_address;
use crate::support::*;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A load of a little more than a second, so that counters are read twice.
const LOAD: &str = "-c 3 --rate 100 --duration 1.2 --warm-up 0 --output json";

/// A server that answers each request with these bytes, closes the connection, and sends nothing else.
fn page_server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => head.extend(byte),
                    _ => break,
                }
            }
            answer(&mut stream);
        }
    });
    address
}

/// A server with this page.
pub(super) fn page(status: &'static str, body: &'static str) -> SocketAddr {
    page_server(move |stream| {
        let length = body.len();
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
    })
}

/// The JSON report of a run that succeeds with this watch, and its messages.
fn watched(words: &str) -> (Value, String) {
    let finished = mq(&format!("bench --embedded {LOAD} {words}")).run();
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    let messages = finished.stderr.clone();
    (serde_json::from_slice(&finished.stdout).unwrap(), messages)
}

fn values(report: &Value, key: &str) -> Vec<f64> {
    let samples = report["broker"]["samples"].as_array().unwrap();
    samples.iter().filter_map(|sample| sample[key].as_f64()).collect()
}

#[test]
fn the_counters_of_the_topics_are_in_the_report() {
    on_each_broker(|broker| {
        let finished = broker.mq(&format!("bench {LOAD} --watch-broker")).run();
        let report: Value = serde_json::from_str(&finished.succeed()).unwrap();
        assert_eq!(report["broker"]["source"], "$SYS", "{report}");
        assert!(!values(&report, "messages_received").is_empty(), "{}", report["broker"]);
        assert!(report["broker"]["version"].is_string(), "{}", report["broker"]);
        assert_eq!(report["clients"]["connected"]["count"], 6, "the watch is no client of the run");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn cpu_time_and_memory_are_those_of_the_listening_process() {
    let mut broker = EmbeddedBroker::start();
    let finished = broker.mq(&format!("bench {LOAD} --watch-broker")).run();
    let report: Value = serde_json::from_str(&finished.succeed()).unwrap();
    assert_eq!(report["broker"]["processes"][0]["id"], broker.process().id());
    assert!(values(&report, "resident_memory_bytes").iter().all(|bytes| *bytes > 100_000.0));
    assert!(!values(&report, "cpu_seconds").is_empty());
}

#[test]
fn worker_processes_have_one_watch_in_the_leader() {
    let (report, messages) = watched("--processes 2 --watch-broker");
    assert_eq!(report["broker"]["problems"], Value::Array(vec![]), "{messages}");
    let clients = values(&report, "clients");
    assert!(clients.iter().all(|clients| *clients <= 7.0), "6 clients and the watch: {clients:?}");
}

#[test]
fn a_page_is_read_in_both_forms_of_a_body() {
    const PAGE: &str = "# TYPE x counter\nemqx_messages_received{node=\"a\\\"}\"} 5\nemqx_messages_received{node=\"b\"} 6 17\n\
                        emqx_connections_count 3\nemqx_vm_cpu_use NaN\n";
    let chunked = page_server(|stream| {
        let (first, second) = PAGE.split_at(40);
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        );
    });
    for address in [page("200 OK", PAGE), chunked] {
        let (report, _) = watched(&format!("--watch-broker=http://{address}"));
        assert_eq!(report["broker"]["source"], format!("http://{address}/metrics"));
        assert_eq!(values(&report, "messages_received").first(), Some(&11.0), "{}", report["broker"]);
        assert_eq!(values(&report, "clients").first(), Some(&3.0));
        assert!(values(&report, "machine_cpu_percent").is_empty());
    }
}

#[test]
fn a_page_that_cannot_be_read_is_a_problem_and_never_a_failure() {
    let closed = free_address();
    let endless = page_server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
    });
    let hangs = page_server(|stream| drop(stream.read(&mut [0])));
    for (address, problem) in [
        (page("404 Not Found", ""), "the server answered 404 Not Found"),
        (page("200 OK", "<html>\n"), "not in Prometheus' text format; it contains \"<html>\""),
        (page("200 OK", "up 1\n"), "no metric of a known broker"),
        (page_server(|stream| drop(stream.write_all(b"nonsense\r\n\r\n"))), "the answer is not HTTP"),
        (
            page_server(|stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup"))),
            "incomplete",
        ),
        (endless, "the answer has more than 4 MiB"),
        (closed, "cannot connect to"),
        // Nothing arrives before the end of the run, which does not wait for it.
        (hangs, ""),
    ] {
        let (report, messages) = watched(&format!("--watch-broker=http://{address}/"));
        let problems = report["broker"]["problems"].to_string().replace("\\\"", "\"");
        assert!(problems.contains(problem), "{problem}: {problems}");
        let told = messages.matches(problem).count();
        assert!(problem.is_empty() || told == 1, "once: {messages}");
        // A busy machine is a caution.
        assert_ne!(report["verdict"], "fail", "{address} {problem}");
    }
}

#[test]
fn a_broker_that_publishes_no_statistics_is_a_problem_once() {
    let acl = [("acl", "topic readwrite mq-bench/#\n")];
    let Some(broker) = Mosquitto::start_with_files("acl_file {directory}/acl\n", &acl) else { return };
    let finished = broker.mq(&format!("bench {LOAD} --watch-broker")).run();
    assert_eq!(finished.status, 0, "{}", finished.stderr);
    assert_eq!(finished.stderr.matches("--watch-broker: ").count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("published no known topic under $SYS/broker/"), "{}", finished.stderr);
}

#[test]
fn other_schemes_are_refused_by_name() {
    let error = mq("bench --embedded --watch-broker=https://host/metrics").run().fail(2);
    assert_says(&error, &["https is not supported"]);
}

#[test]
fn a_broker_that_rejects_the_subscription_is_a_problem_once() {
    for (version, reason, words) in [("311", "80 80", "unspecified error"), ("5", "87 87", "not authorized")]
    {
        let peer = ScriptedPeer::start(move |peer| {
            // The client of the run and the watch connect in any order.
            let mut held = Vec::new();
            for _ in 0..2 {
                let mut wire = peer.accept();
                let properties = if version == "5" { "00" } else { "" };
                let is_watch = wire.expect_type(0x10).ends_with(b"-w");
                wire.send(&format!("20 (00 00 {properties})"));
                if is_watch {
                    let subscribe = wire.expect_type(0x82);
                    let start = if version == "5" { 1 } else { 0 };
                    let packet_id = format!("{:02x} {:02x}", subscribe[2], subscribe[3]);
                    assert!(subscribe[4 + start..].ends_with(b"$SYS/brokers/#\0"), "{subscribe:?}");
                    wire.send(&format!("90 ({packet_id} {properties} {reason})"));
                }
                held.push(wire);
            }
            held.iter_mut().for_each(|wire| drop(wire.expect_end()));
        });
        let finished =
            peer.mq(&format!("bench conn -V {version} -c 1 --hold 1 --output json --watch-broker")).run();
        assert_eq!(finished.status, 0, "{}", finished.stderr);
        let problem = format!("the broker rejected the subscription to $SYS/broker/#: {words}");
        assert_eq!(finished.stderr.matches(&problem).count(), 1, "{}", finished.stderr);
        let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
        assert!(report["broker"]["problems"].to_string().contains(&problem), "{}", report["broker"]);
        assert_ne!(report["verdict"], "fail");
        peer.finish();
    }
}
