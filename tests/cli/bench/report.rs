//! `mq bench`'s report: its forms and files, what it is held against, and what can be seen while a run goes on.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

/// A run that is over in a moment.
const SHORT: &str = "bench --embedded -c 5 --messages 500";

pub(super) fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A report in a file, and where it lies.
fn written_report(directory: &TempDir) -> String {
    let path = directory.path().join("run.json");
    mq(SHORT).arg("--json").arg(&path).run().succeed();
    path.to_str().unwrap().to_owned()
}

#[test]
fn json_holds_the_measurements() {
    let report = json(mq(&format!("{SHORT} --output json")).run().succeed().as_bytes());
    assert_eq!(report["schema"], "mq-bench/1");
    assert_eq!(report["ending"], "complete");
    assert_eq!((&report["plan"]["publishers"], &report["plan"]["messages"]), (&5.into(), &500.into()));
    assert_eq!(report["messages"]["received"]["count"], 500);
    assert_eq!(report["deliveries"]["lost"], 0);
    for kind in ["tcp_connect", "connack", "acknowledged", "end_to_end"] {
        let latency = &report["latency"][kind];
        assert!(latency["p50_ns"].as_u64() <= latency["p99.9_ns"].as_u64(), "{latency}");
        assert!(latency["histogram"].as_str().unwrap().starts_with("HISTE"), "{latency}");
    }
    let slots = report["timeline"]["slots"].as_array().unwrap();
    assert_eq!(slots.iter().filter_map(|slot| slot["received"].as_u64()).sum::<u64>(), 500);
    assert_eq!(slots.iter().filter_map(|slot| slot["connected"].as_u64()).sum::<u64>(), 10);
    assert_eq!(report["phases"][0]["name"], "connect");
    assert!(report["hosts"][0]["cpus"].as_u64() >= Some(1));
}

#[test]
fn every_form_is_printed() {
    for (format, part) in [
        ("text", "messages arrived, once and in order"),
        ("markdown", "| received | 500 |"),
        ("csv", "begin_s,width_s,connected"),
        ("prometheus", "\nmq_bench_received_total 500\n"),
    ] {
        assert_says(&mq(&format!("{SHORT} --output {format}")).run().succeed(), &[part]);
    }
    assert_says(&mq(&format!("{SHORT} --output xml")).run().fail(2), &["xml", "prometheus"]);
}

#[test]
fn the_text_has_bars_that_the_locale_can_show() {
    let text = mq(SHORT).env("LC_ALL", "C.UTF-8").run().succeed();
    assert!(text.contains('█') && text.contains("up to "), "{text}");
    let text = mq(SHORT).env("LC_ALL", "C").run().succeed();
    assert!(text.contains("  ####") && text.is_ascii(), "{text}");
}

#[test]
fn every_form_has_a_file_and_nothing_else_is_left() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str| directory.path().join(name);
    let mut program = mq(SHORT);
    for form in ["json", "csv", "hdr", "html", "markdown", "prometheus", "junit"] {
        program = program.arg(format!("--{form}")).arg(file(form));
    }
    assert_says(&program.run().succeed(), &["messages arrived"]);
    assert_eq!(json(read(&file("json")).as_bytes())["messages"]["sent"]["count"], 500);
    assert!(read(&file("csv")).lines().nth(1).unwrap().starts_with("0,1,"));
    assert!(read(&file("hdr")).starts_with("#[Histogram log format version 1.3]"));
    assert!(read(&file("markdown")).starts_with("## mq bench\n"));
    assert!(read(&file("junit")).starts_with("<?xml "));
    assert!(read(&file("prometheus")).contains("mq_bench_sent_total 500\n"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 7, "no file under another name");
}

#[test]
fn a_dash_is_standard_output() {
    let page = mq(&format!("{SHORT} --html -")).run().succeed();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(json(mq(&format!("{SHORT} --json -")).run().succeed().as_bytes())["ending"], "complete");
    assert!(!Path::new("-").exists());
    for options in ["--json - --html -", "--output text --csv -"] {
        let finished = mq(&format!("{SHORT} {options}")).run();
        assert!(finished.stdout.is_empty());
        assert_says(&finished.fail(2), &["both write to standard output"]);
    }
}

#[test]
fn quiet_runs_name_an_error() {
    for options in ["--json /no/such/directory/x", "--payload-file /no/such/file", "--baseline /no/such/file"]
    {
        let finished = mq(&format!("{SHORT} --quiet {options}")).run();
        finished.expect_status(1);
        assert_says(&finished.stderr, &["/no/such/"]);
    }
}

#[test]
fn quiet_runs_name_the_condition_that_failed() {
    let finished = mq(&format!("{SHORT} --quiet --fail-if received<501")).run();
    assert_eq!(finished.fail(4), "mq bench: --fail-if received<501: it was 500\n");
}

#[test]
fn prometheus_counts_the_warm_up_apart() {
    let words = "bench --embedded -c 4 --rate 200 --warm-up 0.5 --duration 0.5 --output prometheus";
    let page = mq(words).run().succeed();
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("mq_bench_{name} ")));
        line.and_then(|value| value.parse::<u64>().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
    };
    let counts = ["sent_total", "acknowledged_total", "received_total", "warm_up_sent_total"].map(value);
    assert_eq!(counts, [100; 4]);
}

#[test]
fn no_line_of_the_report_is_wider_than_80_columns() {
    for words in [
        "--messages 5000",
        "-q 2 --rate 2k --arrivals poisson --burst 5 --duration 0.5",
        "--fail-if loss<1 --search rate --rate 50 --duration 0.2 --until sent>12,loss>1%",
    ] {
        let words = format!("bench --embedded -c 5 {words}");
        let finished = mq(&words).run();
        let report = String::from_utf8(finished.stdout).unwrap();
        let wide: Vec<_> = report.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty() && report.contains("delivery"), "{wide:#?} of {words}");
    }
}

#[test]
fn the_page_is_well_formed_and_has_plots() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run.html");
    mq(SHORT).arg("--html").arg(&path).run().succeed();
    let html = read(&path);
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let page = roxmltree::Document::parse_with_options(&html, options).unwrap();
    let count = |name: &str| page.descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!((count("figure"), count("script"), count("link")), (2, 1, 0));
    assert_says(&html, &["<p class=\"word\">CAUTION</p>", "500 messages in ", "nothing lost"]);
}

#[test]
fn a_path_that_cannot_be_written_is_reported_before_anything_connects() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    for (option, path) in [("--json", "/nonexistent/a"), ("--html", "/"), ("--csv", "/dev/null/a")] {
        let finished = mq(&format!("bench -h 127.0.0.1 -p {port} -c 1")).arg(option).arg(path).run();
        assert_says(&finished.fail(1), &["mq bench: cannot write", path]);
    }
    free.set_nonblocking(true).unwrap();
    assert!(free.accept().is_err(), "nobody came");
}

#[test]
fn a_full_disk_is_reported_and_the_report_is_printed_all_the_same() {
    let finished = mq(&format!("{SHORT} --json /dev/full")).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["messages arrived"]);
    assert_says(&finished.fail(1), &["cannot write /dev/full", "No space left"]);
}

#[test]
fn an_earlier_file_stays_until_the_new_one_is_whole() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run.json");
    fs::write(&path, "precious").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let words = format!("bench -h 127.0.0.1 -p {port} -c 1 --metrics 127.0.0.1:{port}");
    mq(&words).arg("--json").arg(&path).run().expect_status(1);
    assert_eq!((read(&path).as_str(), fs::read_dir(directory.path()).unwrap().count()), ("precious", 1));
    mq(SHORT).arg("--json").arg(&path).run().succeed();
    assert_eq!(json(read(&path).as_bytes())["schema"], "mq-bench/1");
}

#[test]
fn a_missed_threshold_exits_4_with_the_value() {
    let conditions = "received<501, loss>0, sent<1, tls.p99>1s, ack.p50>0ns";
    let finished = mq(SHORT).arg("--fail-if").arg(conditions).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["messages arrived"]);
    let stderr = finished.fail(4);
    assert_says(
        &stderr,
        &[
            "--fail-if received<501: it was 500\n",
            "tls.p99>1s: it was not measured\n",
            "ack.p50>0ns: it was ",
        ],
    );
    assert_eq!(stderr.lines().count(), 4, "the run is announced, and each miss told: {stderr}");
}

#[test]
fn a_reader_that_goes_away_does_not_turn_a_miss_into_a_success() {
    let mut bench = mq(&format!("{SHORT} --fail-if received<501")).holding_stdout().spawn();
    bench.close_stdout();
    assert_says(&bench.finish().fail(4), &["it was 500"]);
}

#[test]
fn a_missed_threshold_does_not_hide_other_failures() {
    let finished = mq(&format!("{SHORT} --json /dev/full --fail-if received<501")).run();
    assert_says(&finished.fail(1), &["it was 500", "No space left"]);
}

#[test]
fn the_processor_time_of_the_threads_is_measured() {
    let report = json(mq("bench --embedded -c 5 --duration 0.7 --output json").run().succeed().as_bytes());
    let check = &report["self_check"];
    assert!(check["cpu_ns"].as_u64() > Some(0), "{check}");
    let busiest = check["busiest_thread_percent"].as_f64().unwrap();
    assert!(busiest > 0.0 && busiest <= 101.0, "{check}");
}

#[test]
fn thresholds_that_are_kept_are_silent() {
    let finished = mq(SHORT).arg("--fail-if").arg("received<500, loss>0.1%, p99.99>1000s").run();
    finished.expect_status(0);
    assert_eq!(
        finished.stderr.lines().count(),
        1,
        "the run is announced, and that is all: {}",
        finished.stderr
    );
}

#[test]
fn a_loss_that_nobody_could_see_is_not_passed() {
    let finished = mq(&format!("{SHORT} --subscribers 0 --fail-if loss>0")).run();
    assert_says(&finished.fail(4), &["loss>0: it was not measured"]);
}

#[test]
fn mistakes_in_thresholds_have_a_suggestion() {
    for (conditions, part) in [
        ("troughput<5", "did you mean 'throughput'?"),
        ("p99>10x", "p99>10x: expected a duration such as 500ms, 5s or 2m"),
        ("p99", "METRIC>VALUE"),
        ("", "METRIC>VALUE"),
    ] {
        assert_says(&mq(SHORT).arg("--fail-if").arg(conditions).run().fail(2), &["--fail-if", part]);
    }
}

#[test]
fn a_baseline_is_compared_with() {
    let directory = TempDir::new().unwrap();
    let path = written_report(&directory);
    // Without times there is nothing that another run could be slower than.
    let mut report = json(read(Path::new(&path)).as_bytes());
    report["latency"] = serde_json::json!({});
    for flow in ["sent", "acknowledged", "received"] {
        (report["messages"][flow]["begin_ns"], report["messages"][flow]["end_ns"]) =
            (Value::Null, Value::Null);
    }
    fs::write(&path, report.to_string()).unwrap();
    let report = mq(&format!("{SHORT} --baseline {path}")).run().succeed();
    assert_says(&report, &["baseline", "p99.9", "loss                       0         0     0.0 %"]);
    let markdown = mq(&format!("{SHORT} --output markdown --baseline {path}")).run().succeed();
    assert_says(&markdown, &["| | baseline | now | change |", "| loss | 0 | 0 | 0.0 % |"]);
}

#[test]
fn a_run_that_is_worse_than_the_baseline_exits_4() {
    let directory = TempDir::new().unwrap();
    let path = written_report(&directory);
    let other = format!(
        "bench --embedded -c 5 --messages 500 --subscribers 0 -s 99 --baseline {path} --tolerance 1000"
    );
    let finished = mq(&other).run();
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["different plan    subscribers: 5 in the baseline, 0 now"],
    );
    assert_says(&finished.fail(4), &["--baseline: loss was 0, now it was not measured"]);
}

#[test]
fn whatever_shapes_the_load_is_shown_compared_and_not_merged() {
    let directory = TempDir::new().unwrap();
    let path = written_report(&directory);
    for (options, words, difference) in [
        ("-r", "retain", "retain: the default in the baseline, yes now"),
        ("-t load/{i}", "topic load/{i}", "topic: the default in the baseline, load/{i} now"),
        (
            "--rate 5k --arrivals poisson",
            "arrivals poisson",
            "arrivals: the default in the baseline, poisson now",
        ),
        ("--rate 5k --burst 5", "burst 5", "burst: the default in the baseline, 5 now"),
        ("--rate 5k --ramp 0.1", "ramp 0.1 s", "ramp: the default in the baseline, 0.1 s now"),
        ("--share a -V 5", "shared by a", "the shared subscription: none in the baseline, a now"),
        ("--warm-up 0.1", "after 0.1 s of warm-up", "the warm-up: 0 s in the baseline, 0.1 s now"),
        ("--connect-rate 500", "500 connects per second", "the connect rate: none in the baseline, 500 now"),
        (
            "--payload-template x",
            "payload template x",
            "payload: the default in the baseline, template x now",
        ),
        ("-k 7", "keep alive 7 s", "keep alive: the default in the baseline, 7 s now"),
        ("--ws", "transport WebSocket", "transport: the default in the baseline, WebSocket now"),
        (
            "-V 5 -D publish content-type a",
            "properties 5 bytes in PUBLISH",
            "properties: the default in the baseline",
        ),
    ] {
        let other = directory.path().join("other.json");
        let words_of_run = format!("{SHORT} {options} --baseline {path} --tolerance 1000");
        let finished = mq(&words_of_run).arg("--json").arg(&other).run();
        assert_says(&finished.stderr, &["--baseline: the loads differ: ", difference]);
        assert_says(
            &String::from_utf8_lossy(&finished.stdout),
            &[words, &format!("different plan    {difference}")],
        );
        if !options.starts_with("--connect-rate") {
            let merge = mq(&format!("bench merge {path} {}", other.display())).run();
            assert_says(&merge.fail(2), &["the reports are of different loads"]);
        }
    }
}

#[test]
fn a_baseline_that_is_none_is_reported_before_the_run() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run.json");
    for (text, part) in [
        ("", "not a report of mq bench"),
        ("{}", "--json FILE"),
        ("{\"schema\":\"mq-bench/9\"}", "mq-bench/9"),
        ("{\"schema\":\"mq-bench/1\",\"tool\":1}", "line 1 column"),
    ] {
        fs::write(&path, text).unwrap();
        let finished = mq(SHORT).arg("--baseline").arg(&path).run();
        assert!(finished.stdout.is_empty());
        assert_says(&finished.fail(2), &["--baseline", path.to_str().unwrap(), part]);
    }
    assert_says(
        &mq(&format!("{SHORT} --baseline /nonexistent")).run().fail(1),
        &["cannot read /nonexistent"],
    );
    mq(&format!("{SHORT} --tolerance 5")).run().fail(2); // the catalogue of errors has the text
    assert_says(
        &mq(&format!("{SHORT} --baseline x --tolerance much")).run().fail(2),
        &["--tolerance", "10%"],
    );
}

#[test]
fn a_baseline_of_another_scenario_is_reported_before_the_run() {
    let directory = TempDir::new().unwrap();
    let path = written_report(&directory);
    let words = format!("bench conn -p {} -c 1 --baseline {path}", free_address().port());
    let part = "it measured pubsub, but this run measures conn; use a baseline of the same scenario";
    assert_says(&mq(&words).run().fail(1), &["--baseline", &path, part]);
    let text = mq(&format!("bench merge {path} --baseline {path}")).run().succeed();
    assert_says(&text, &["baseline"]);
}

/// An address that was free a moment ago.
pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What is answered to these bytes.
pub(super) fn answer_to(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn silent_connections_keep_nobody_from_the_metrics() {
    let broker = EmbeddedBroker::start();
    let address = free_address();
    let _bench = broker.mq(&format!("bench conn -c 2 --hold 60 --metrics {address}")).spawn();
    wait_for_listener(address);
    // Several times as many as the server has places for, each of which it would end only after seconds.
    let silent: Vec<_> = (0..120).map(|_| TcpStream::connect(address).unwrap()).collect();
    let page = answer_to(address, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_says(&page, &["HTTP/1.1 200 OK", "mq_bench_connected_total"]);
    drop(silent);
}

#[test]
fn metrics_can_be_read_while_the_run_goes_on() {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -N -C 100");
    let address = free_address();
    let bench = broker.mq(&format!("bench -c 2 --duration 60 --metrics {address}")).spawn();
    witness.finish().expect_status(0);
    let deadline = Instant::now() + DEADLINE;
    let page = loop {
        let page = answer_to(address, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        if page.contains("mq_bench_step{step=\"measure\"} 1\n")
            && !page.contains("mq_bench_received_total 0\n")
        {
            break page;
        }
        assert!(Instant::now() < deadline, "{page}");
    };
    assert_says(
        &page,
        &["HTTP/1.1 200 OK\r\n", "Content-Type: text/plain; version=0.0.4", "mq_bench_connected_total 4\n"],
    );
    for (request, status) in [
        ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200"),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("GET http://h/metrics HTTP/1.1\r\nHost: h\r\n\r\n", "200"),
        ("GET /metrics\r\n\r\n", "400"),
        ("\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}", "400"),
    ] {
        assert!(
            answer_to(address, request.as_bytes()).starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}"
        );
    }
    assert!(answer_to(address, &[b'a'; 8 * 1024]).starts_with("HTTP/1.1 431 "), "without an end");
    bench.signal("INT");
    bench.finish().expect_status(130);
}

#[test]
fn an_address_for_metrics_that_is_taken_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let finished = mq(&format!("{SHORT} --metrics {address}")).run();
    assert_says(&finished.fail(1), &["cannot listen on", &address.to_string(), "--metrics"]);
    assert_says(
        &mq(&format!("{SHORT} --metrics here")).run().fail(2),
        &["--metrics", "8080 or 127.0.0.1:8080"],
    );
}

#[test]
fn a_run_that_fails_has_a_whole_report_too() {
    let address = free_address();
    let finished =
        mq(&format!("bench -h 127.0.0.1 -p {} -c 3 --output json --fail-if p99>1s", address.port())).run();
    let report = json(&finished.stdout);
    assert_eq!(
        (&report["ending"], &report["clients"]["not_connected"]),
        (&"not connected".into(), &6.into())
    );
    assert_eq!(report["errors"][0]["count"], 6);
    assert_says(&finished.fail(1), &["could not connect", "p99>1s: it was not measured"]);
}

#[test]
fn a_search_finds_a_rate_that_holds() {
    let search = "bench --embedded -c 5 --search rate --rate 400 --duration 0.3 --warm-up 0";
    // Every run ends with more than nothing received, so that this condition tells runs apart by their size alone.
    let finished = mq(&format!("{search} --until sent>200 --output json")).run();
    let report = json(finished.succeed().as_bytes());
    // On a busy machine even 400 a second may not hold.
    let rate = report["plan"]["messages_per_second"].as_f64().unwrap();
    assert!((100.0..=670.0).contains(&rate), "0.3 s of it are not over 200 messages: {rate}");
    let text = mq(&format!("{search} --until sent>200")).run().succeed();
    assert_says(&text, &["tried per second", "failed: sent>200: it was ", "the highest sustained rate is"]);
}

#[test]
fn a_search_with_few_messages_has_no_sent_rate() {
    let search =
        "bench --embedded -c 3 --search rate --rate 4 --duration 0.5 --warm-up 0 --until connected>0";
    let finished = mq(&format!("{search} --output json")).run();
    let report = json(&finished.stdout);
    let steps = report["search"]["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    assert!(steps.iter().all(|step| step["figures"]["sent_rate_per_second"].is_null()), "{steps:?}");
    finished.expect_status(4);
    let text = String::from_utf8(mq(search).run().stdout).unwrap();
    let row = text.lines().skip_while(|line| !line.starts_with("tried per second")).nth(1);
    assert_eq!(row.unwrap_or(&text).split_whitespace().nth(1), Some("-"), "{text}");
}

#[test]
fn a_search_in_vain_exits_4() {
    let words = "bench --embedded -c 1 --search rate --rate 4 --duration 0.3 --warm-up 0 --until connected>0";
    assert_says(
        &mq(words).run().fail(4),
        &["--search: not even 1.0 messages per second was sustained: connected>0: it was 2"],
    );
}

#[test]
fn a_search_without_a_broker_ends_at_once() {
    let words = format!("bench -h 127.0.0.1 -p {} -c 1 --search rate", free_address().port());
    assert_says(&mq(&words).run().fail(1), &["could not connect"]);
}

#[test]
fn a_search_is_only_for_loads_with_a_rate() {
    for (words, part) in [
        ("conn --search rate", "--search cannot be used with conn, only with pubsub, pub, rr and reconnect"),
        ("--search rate --shard 1/2", "--search rate is for one machine"),
        ("--search rate --start-at +5", "--search rate is for one machine"),
        ("--search rate --messages 5", "--messages"),
        ("--search size", "rate"),
        ("--until p99>1s", "--search"),
        ("--search rate --until p99", "METRIC>VALUE"),
    ] {
        assert_says(&mq(&format!("bench --embedded {words}")).run().fail(2), &[part]);
    }
}

#[test]
fn a_search_works_with_worker_processes_and_its_steps_are_in_every_report() {
    let directory = TempDir::new().unwrap();
    let [as_json, as_html] = ["run.json", "run.html"].map(|name| directory.path().join(name));
    let words = "bench --embedded -c 6 --processes 2 --search rate --rate 400 --duration 0.3 --warm-up 0";
    let mut program = mq(&format!("{words} --until sent>200,loss>1% --output markdown"));
    program = program.arg("--json").arg(&as_json).arg("--html").arg(&as_html);
    let finished = program.run();
    assert_says(
        &finished.stderr,
        &["--search begins with: 6 clients publish", "from 2 processes", "800 messages per second failed"],
    );
    let markdown = finished.succeed();
    assert_says(&markdown, &["| tried per second | sent\\_rate | p99 | sent | loss | verdict |"]);
    assert_says(&read(&as_html), &["<caption>Search</caption>", "failed: sent&gt;200: it was"]);
    let report = json(read(&as_json).as_bytes());
    assert_eq!((&report["plan"]["processes"], &report["plan"]["threads"]), (&2.into(), &2.into()));
    let search = &report["search"];
    assert_eq!((&search["outcome"], search["steps"][0]["holds"].as_bool()), (&"highest".into(), Some(true)));
    assert_eq!(search["messages_per_second"], report["plan"]["messages_per_second"]);
    let failed = &search["steps"][1];
    assert_eq!(
        (failed["messages_per_second"].as_f64(), failed["holds"].as_bool()),
        (Some(800.0), Some(false))
    );
    assert_says(failed["reason"].as_str().unwrap(), &["sent>200: it was 2"]);
    let figures = &failed["figures"];
    assert!(figures["sent"].as_f64() > Some(200.0) && figures["p99_ns"].as_f64() > Some(0.0), "{figures}");
    assert_eq!(figures["loss_percent"].as_f64(), Some(0.0));
}

/// The keys of all objects in a document.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => {
            map.iter().flat_map(|(key, value)| std::iter::once(key.clone()).chain(keys(value))).collect()
        }
        Value::Array(list) => list.iter().flat_map(keys).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn every_key_of_the_json_is_documented() {
    let words = "bench --embedded --watch-broker -c 2 --search rate --rate 50 --duration 0.2 --warm-up 0 --until sent>12,loss>1%";
    let report = json(mq(&format!("{words} --output json")).run().succeed().as_bytes());
    let documentation = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bench-json.md"));
    let repeated = json(mq(&format!("{SHORT} --repeat 2 --output json")).run().succeed().as_bytes());
    let keys: Vec<_> = keys(&report).into_iter().chain(keys(&repeated)).collect();
    assert!(keys.iter().any(|key| key == "loss_percent"), "the search has its figures: {keys:?}");
    let is_named = |key: &&String| !documentation.contains(&format!("`{key}`"));
    assert_eq!(keys.iter().filter(is_named).collect::<Vec<_>>(), [""; 0]);
}
