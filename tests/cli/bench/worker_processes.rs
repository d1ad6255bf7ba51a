//! More clients than one process may have: worker processes, what becomes of them, and `--check`.

use super::verdicts::Files;
use super::*;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn clients_are_spread_over_processes_past_the_hard_limit() {
    on_each_broker(|broker| {
        let words = format!("bench -c 200 --subscribers 20 -q 2 --messages 2000 {}", broker.options());
        let report = under_a_limit("ulimit -n 128", &words).run().succeed();
        assert_says(&report, &["220 of 220 clients", ALL_ARRIVED]);
        assert_eq!(numbers_of(&report, "sent"), [2000], "{report}");
        assert_eq!(numbers_of(&report, "received"), [2000], "{report}");
    });
}

#[test]
fn measurements_of_processes_add_up() {
    let broker = EmbeddedBroker::start();
    for options in [
        "-q 0 --messages 5000",
        "--rate 2000 --duration 1",
        "-t all/{i} --subscribers 3 --messages 5000",
        "--share workers -V 5 --messages 5000",
    ] {
        let words = format!("bench -c 20 --processes 3 {options}");
        assert_says(&broker.mq(&words).run().succeed(), &[ALL_ARRIVED]);
    }
    let report = broker.mq("bench rr -c 20 --processes 2 --messages 500").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
    let report = broker.mq("bench reconnect -c 20 --processes 2 --duration 1 -q 0").run().succeed();
    assert_says(&report, &["resubscribed"]);
}

#[test]
fn the_display_shows_latencies_whoever_measures_them() {
    let broker = EmbeddedBroker::start();
    for processes in [1, 2] {
        let options = format!("{} -c 4 --threads 4 --duration 60", broker.options());
        let line = format!("TERM=xterm {} bench {options} --processes {processes}", mq_path());
        let Some(mut running) = on_a_terminal(&line) else { return };
        running.wait_for_part_of_stdout("p99 latency");
        running.write([3]);
        running.finish().expect_status(130);
    }
}

#[test]
fn the_report_says_how_many_processes_and_threads_took_part() {
    let broker = EmbeddedBroker::start();
    let text = broker.mq("bench -c 6 --messages 60 --processes 2 --threads 4").run().succeed();
    assert_says(&text, &["6 publishers, 6 subscribers, on 4 threads in 2 processes"]);
}

/// The worker processes of a leader.
fn workers_of(leader: &Running) -> Vec<u32> {
    let is_ours = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The parent is the second field behind the name, which is in parentheses.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(leader.id())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

fn signal(pid: u32, name: &str) {
    let status = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
    assert!(status.unwrap().success(), "kill -{name} works");
}

#[track_caller]
fn wait_for_end_of(pids: &[u32]) {
    let deadline = Instant::now() + DEADLINE;
    while pids.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
        assert!(Instant::now() < deadline, "some of {pids:?} still run");
        std::thread::sleep(Duration::from_millis(1)); // there is nothing else to wait for
    }
}

/// A bench of three processes that publishes for a minute, once messages arrive.
fn running_bench(broker: &dyn Server, options: &str) -> Running {
    let witness = broker.subscriber("-t # -N -C 100");
    let bench =
        broker.mq(&format!("bench -c 9 --subscribers 3 --duration 60 --processes 3 {options}")).spawn();
    witness.finish().expect_status(0);
    bench
}

#[test]
fn a_worker_process_that_is_killed_is_reported_and_the_others_go_on() {
    let broker = EmbeddedBroker::start();
    let bench = running_bench(&broker, "--timeout 2");
    let workers = workers_of(&bench);
    assert_eq!(workers.len(), 3);
    signal(workers[0], "KILL");
    broker.subscriber("-t # -N -C 100").finish().expect_status(0);
    bench.signal("INT");
    let finished = bench.finish();
    finished.expect_status(130);
    let report = String::from_utf8_lossy(&finished.stdout);
    let fault = " of 3 was killed by signal 9; 4 clients not measured";
    assert_says(&report, &["12 of 12 clients", fault, "2 of 3 subscribers"]);
    assert!(!report.contains("lost the connection"), "{report}");
    wait_for_end_of(&workers);
}

#[test]
fn a_killed_worker_process_is_named_in_every_format() {
    let broker = EmbeddedBroker::start();
    let (files, metrics) = (Files::new(), free_address());
    let words =
        format!("bench -c 9 --subscribers 3 --duration 6 --processes 3 --timeout 2 --metrics {metrics}");
    let program = broker.mq(&words).env("GITHUB_ACTIONS", "true");
    let words = "--fail-if lost_connections>0,connect_failures>0 --abort-if lost_connections>0";
    let bench = files.of(program.words(words)).spawn();
    wait_for_step(metrics, "measure");
    signal(workers_of(&bench)[0], "KILL");
    let finished = bench.finish();
    let stderr = finished.stderr.clone();
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    // The clients are not among those that lost their connection, so the conditions are met.
    finished.expect_status(1);
    let json = files.json();
    let fault = &json["worker_faults"][0];
    let name = format!(
        "worker process {} of 3 was killed by signal 9; 4 clients not measured",
        fault["process"].as_u64().unwrap()
    );
    assert_eq!((&fault["clients"], &fault["connected"]), (&4.into(), &4.into()));
    assert!(text.replace('\n', " ").starts_with(&name), "{text}");
    assert_says(&text, &["\nverdict           FAIL\n", "\n- fail            worker process "]);
    assert_says(&stderr, &[&format!("mq bench: {name}\n"), &format!("::error title=mq bench::{name}\n")]);
    assert!(!stderr.contains("lost the connection") && !text.contains("lost the connection"), "{text}");
    let [verdict] = files.verdicts("workers").try_into().unwrap();
    assert_eq!((&verdict["outcome"], &verdict["text"]), (&"fail".into(), &name.clone().into()));
    assert_eq!((&json["clients"]["lost"], &json["clients"]["not_connected"]), (&0.into(), &0.into()));
    assert_eq!(files.cases_with("failure"), ["every worker process works to the end"]);
    assert_says(&files.read("markdown"), &[&format!("\n**FAIL**: {name}"), &format!("- **FAIL** {name}")]);
    assert_says(&files.read("html"), &["<p class=\"word\">FAIL</p>", &name]);
    assert_says(
        &files.read("prometheus"),
        &["{rule=\"workers\",condition=\"every worker process works to the end\"} 0\n"],
    );
}

#[test]
fn a_stopped_worker_process_is_named_instead_of_the_broker() {
    let broker = EmbeddedBroker::start();
    let metrics = free_address();
    let words = format!(
        "bench -c 9 --subscribers 3 --rate 90 --duration 8 --processes 3 --timeout 10 --metrics {metrics} --output json"
    );
    let bench = broker.mq(&words).spawn();
    wait_for_step(metrics, "measure");
    let workers = workers_of(&bench);
    signal(workers[0], "STOP");
    let finished = bench.finish();
    let report = report::json(&finished.stdout);
    let sentence = report["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("worker process "), "{sentence}");
    assert_says(sentence, &[" of 3 stopped responding; 4 clients not measured; "]);
    assert_eq!((&report["ending"], &report["clients"]["lost"]), (&"complete".into(), &0.into()));
    assert_says(&finished.fail(1), &[" of 3 stopped responding; 4 clients not measured"]);
    wait_for_end_of(&workers);
}

#[test]
fn a_worker_process_that_responds_again_takes_part_again() {
    let broker = EmbeddedBroker::start();
    let metrics = free_address();
    let words = format!(
        "bench -c 9 --subscribers 3 -q 1 --duration 120 --processes 3 --timeout 60 --metrics {metrics} --output json"
    );
    let bench = broker.mq(&words).spawn();
    wait_for_step(metrics, "measure");
    let workers = workers_of(&bench);
    signal(workers[0], "STOP");
    let deadline = Instant::now() + DEADLINE;
    let counter = |value: u64| format!("mq_bench_clients_abandoned {value}\n");
    let shows = |part: &str| answer_to(metrics, b"GET /metrics HTTP/1.1\r\n\r\n").contains(part);
    while !shows(&counter(4)) {
        assert!(Instant::now() < deadline, "the silence is noticed");
    }
    signal(workers[0], "CONT");
    while !shows(&counter(0)) {
        assert!(Instant::now() < deadline, "its clients are back");
    }
    bench.signal("INT");
    let finished = bench.finish();
    let report = report::json(&finished.stdout);
    let fault = &report["worker_faults"][0];
    assert!(fault["event"].as_str().unwrap().starts_with("did not respond for "), "{fault}");
    assert_eq!((&fault["clients"], &report["deliveries"]["lost"]), (&0.into(), &0.into()));
    finished.expect_status(130);
}

#[test]
fn no_client_waits_for_a_killed_worker_process_while_connecting() {
    // A peer that accepts nobody: the processes are killed while their clients wait.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let metrics = free_address();
    let words = format!(
        "bench conn -h 127.0.0.1 -p {port} -c 4 --processes 2 --hold 1 --metrics {metrics} --output json"
    );
    let bench = mq(&words).spawn();
    wait_for_step(metrics, "connect");
    let workers = workers_of(&bench);
    assert_eq!(workers.len(), 2);
    workers.iter().for_each(|worker| signal(*worker, "KILL"));
    let finished = bench.finish();
    let report = report::json(&finished.stdout);
    assert_says(
        report["sentence"].as_str().unwrap(),
        &["worker process 1 of 2 was killed by signal 9 (and 1 more); 4 clients not measured; "],
    );
    assert_eq!((&report["clients"]["not_connected"], &report["errors"]), (&0.into(), &serde_json::json!([])));
    assert_says(&finished.fail(1), &["mq bench: worker process 1 of 2 was killed by signal 9"]);
}

#[test]
fn a_worker_process_that_answers_no_more_is_not_waited_for_without_end() {
    let broker = EmbeddedBroker::start();
    let bench = running_bench(&broker, "--timeout 1");
    let workers = workers_of(&bench);
    signal(workers[1], "STOP");
    bench.signal("INT");
    let finished = bench.finish();
    finished.expect_status(130);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &[" of 3 stopped responding"]);
    wait_for_end_of(&workers);
}

#[test]
fn worker_processes_end_with_their_leader() {
    let broker = EmbeddedBroker::start();
    let mut bench = running_bench(&broker, "");
    let workers = workers_of(&bench);
    assert_eq!(workers.len(), 3);
    bench.kill();
    wait_for_end_of(&workers);
}

#[test]
fn an_interruption_reaches_all_processes_as_an_order() {
    let broker = EmbeddedBroker::start();
    let bench = running_bench(&broker, "");
    let workers = workers_of(&bench);
    bench.signal("INT");
    let finished = bench.finish();
    finished.expect_status(130);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["12 of 12 clients", ALL_ARRIVED]);
    wait_for_end_of(&workers);
}

#[test]
fn a_broker_that_dies_ends_all_processes() {
    let mut broker = EmbeddedBroker::start();
    let bench = running_bench(&broker, "--timeout 2");
    let workers = workers_of(&bench);
    broker.process().kill();
    let finished = bench.finish();
    assert_says(&finished.fail(7), &["12 of 12 clients lost the connection"]);
    wait_for_end_of(&workers);
}

#[test]
fn a_worker_process_that_cannot_begin_says_why() {
    // The leader tries the addresses of a name before it starts processes, so this is an address.
    // The file is gone when the process wants to read it: a pipe can be read once.
    let finished = Program::new("bash")
        .arg("-c")
        .arg(format!(
            "{} bench -h 127.0.0.1 -p 9 -c 10 --processes 2 --credentials <(printf 'client_id\\n'; seq 20)",
            mq_path()
        ))
        .run();
    assert_says(&finished.fail(1), &["cannot start a worker process", "--credentials"]);
}

#[test]
fn nobody_is_a_worker_process_by_himself() {
    assert_says(&mq("bench --worker").run().fail(2), &["only a leader can start a worker process"]);
    assert_says(&mq("bench --worker").stdin("{\"Orders\":{}}\n").run().fail(2), &["only a leader"]);
}

#[test]
fn a_limit_must_suffice_for_the_process_that_leads_the_others() {
    let finished = under_a_limit("ulimit -n 64", "bench --embedded -c 4000").run();
    assert_says(
        &finished.fail(2),
        &[
            "the process that leads 191 worker processes needs 414 open files, but the limit is 64",
            "hint: run `ulimit -n 4450` as root before this command\n",
        ],
    );
}

/// The exit statuses of `--check` and of the run itself.
fn check_and_run(limit: u32, words: &str) -> (i32, i32, String) {
    let check = under_a_limit(&format!("ulimit -n {limit}"), &format!("{words} --check")).run();
    let run = under_a_limit(&format!("ulimit -n {limit}"), words).run();
    (check.status, run.status, run.stderr)
}

#[test]
fn check_and_the_run_agree_on_open_files() {
    let broker = EmbeddedBroker::start();
    let options = broker.options();
    for limit in [10, 30, 44, 50, 64, 100] {
        for words in [
            "bench --embedded -c 20 --messages 40 --fail-if loss>0".to_owned(),
            "bench --embedded -c 20 --messages 40 --processes 8 --watch-broker --serve 127.0.0.1:0"
                .to_owned(),
            format!("bench -c 20 --messages 40 --fail-if loss>0 {options}"),
            format!("bench conn -c 60 --hold 0.1 --processes 20 {options}"),
        ] {
            let (check, run, stderr) = check_and_run(limit, &words);
            assert_eq!(check == 0, run == 0, "{words} at {limit}: {stderr}");
            let is_limit = ["open files, but the limit is", "Too many open files"];
            assert!(run == 0 || is_limit.iter().any(|part| stderr.contains(part)), "{stderr}");
            assert!(!stderr.contains("at most 0"), "{stderr}");
        }
    }
}

#[test]
fn the_embedded_broker_needs_a_limit_for_its_clients() {
    let stderr = under_a_limit("ulimit -n 256", "bench --embedded -c 18000").run().fail(2);
    let problem = "the embedded broker needs 342 open files in each of 64 processes for 19800 clients, but the limit is 256";
    assert_says(
        &stderr,
        &[problem, "hint: run `ulimit -n 19850` as root before this command, or use at most 14334 clients"],
    );
}

#[test]
fn check_lists_the_limits_and_their_remedies() {
    let report = mq("bench --check -c 100").run().succeed();
    assert_says(
        &report,
        &["open files", "local ports", "memory", "somaxconn", "LimitNOFILE", "The run fits."],
    );
    let report = under_a_limit("ulimit -n 128", "bench --check -c 200").run().succeed();
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let files = "115 needed in each of 4 processes, and 40 in the one that leads them; soft limit 128 (raised automatically), hard limit 128 ulimit -n 350 ";
    assert_says(&words, &[files]);
    let finished = under_a_limit("ulimit -n 64", "bench --check -c 10000").run();
    finished.expect_status(1);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["NO", "The run does not fit."]);
    let finished = under_a_limit("ulimit -n 64", "bench --check --embedded -c 10000").run();
    finished.expect_status(1);
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["the embedded broker needs 204 open files", "The run does not fit."],
    );
    let finished = mq("bench --check -h 10.255.255.1 -c 70000").run();
    finished.expect_status(1);
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["sysctl -w net.ipv4.ip_local_port_range", "-A 10.0.0.7"],
    );
}

#[test]
fn a_limit_that_is_too_low_for_a_client_is_explained_for_one_process() {
    let words = "bench -c 20 --subscribers 20 --threads 2";
    let finished = under_a_limit("ulimit -n 30", &format!("{words} --embedded --check")).run();
    let report = String::from_utf8_lossy(&finished.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(
        &report,
        &["88 needed; soft limit 30", "the embedded broker needs 74 open files for 40 clients"],
    );
    assert!(!report.contains(" processes"), "{report}");
    assert!(report.contains("about 11 MiB"), "the memory is that of one process: {report}");
    finished.expect_status(1);
    let stderr = under_a_limit("ulimit -n 30", &format!("{words} -p 9")).run().fail(2);
    assert_says(&stderr, &["40 clients need 88 open files, but the limit is 30\n", "`ulimit -n 90`"]);
}

#[test]
fn no_line_of_the_check_is_wider_than_80_columns() {
    for words in ["bench --check -c 100", "bench --check -h 10.255.255.1 -c 70000"] {
        let text = String::from_utf8_lossy(&mq(words).run().stdout).into_owned();
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{text}");
    }
}

#[test]
fn front_processes_accept_more_clients_than_the_embedded_broker_may_open_files() {
    for load in ["-q 0", "-q 1", "-q 2", "-q 1 --ws"] {
        let words =
            format!("bench -c 200 --subscribers 20 --embedded {load} --messages 2000 --fail-if loss>0");
        let report = under_a_limit("ulimit -n 128", &words).run().succeed();
        assert_says(
            &report,
            &["connected         220 of 220 clients", "behind 3 front processes", "nothing lost"],
        );
    }
}

#[test]
fn the_clients_of_a_killed_front_process_are_counted_and_another_one_accepts() {
    let metrics = free_address();
    let load =
        format!("bench --embedded -c 200 --subscribers 20 --duration 60 --timeout 2 --metrics {metrics}");
    let mut running = under_a_limit("ulimit -n 128", &load).spawn();
    let started = [(); 3].map(|()| process_of(&running.wait_for_stderr("accepts clients")));
    wait_for_step(metrics, "measure");
    started.iter().for_each(|process| signal(*process, "KILL"));
    for _ in started {
        let ended = running.wait_for_stderr("was killed by signal 9");
        assert!(ended.starts_with("mq bench: embedded broker: front process "), "{ended}");
        assert!(started.contains(&process_of(&ended)), "{ended}");
    }
    let finished = running.finish();
    let report = String::from_utf8_lossy(&finished.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&report, &["all clients lost their connections"]);
    let lost_by = |process: u32| {
        let error = format!("1 x the embedded broker's front process {process} was killed by signal 9: ");
        let rest = report.split_once(&error).unwrap_or_else(|| panic!("no {error}in {report}")).1;
        rest.split_once(" clients lost").unwrap().0.parse::<u32>().unwrap()
    };
    assert_eq!(started.map(lost_by).iter().sum::<u32>(), 220);
}

#[test]
fn a_stopped_front_process_is_named_in_the_report() {
    let metrics = free_address();
    let load =
        format!("bench --embedded -c 200 --subscribers 20 --duration 60 --timeout 5 --metrics {metrics}");
    let mut running = under_a_limit("ulimit -n 128", &load).spawn();
    let started = [(); 3].map(|()| process_of(&running.wait_for_stderr("accepts clients")));
    wait_for_step(metrics, "measure");
    started.iter().for_each(|process| signal(*process, "STOP"));
    let silence = started.map(|_| running.wait_for_stderr("has not responded"));
    assert_says(
        &silence[0],
        &["mq bench: embedded broker: front process ", "it is stopped, and `kill -CONT "],
    );
    let finished = running.finish();
    let report = String::from_utf8_lossy(&finished.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    for process in started {
        let words = format!("the embedded broker's front process {process} did not respond for ");
        assert_says(&report, &[&words]);
    }
    assert_says(
        &finished.stderr,
        &["\nmq bench: the embedded broker's front process ", " did not respond for ", " (and 2 more)\n"],
    );
    wait_for_end_of(&started);
}

#[test]
fn a_killed_embedded_broker_is_named_in_the_report() {
    let metrics = free_address();
    let load = format!("bench --embedded -c 4 --duration 60 --timeout 5 --metrics {metrics}");
    let mut running = mq(&load).spawn();
    running.wait_for_stderr("mq bench: ");
    wait_for_step(metrics, "measure");
    let broker = workers_of(&running)[0];
    signal(broker, "KILL");
    let finished = running.finish();
    let report = String::from_utf8_lossy(&finished.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&report, &[&format!("1 x the embedded broker's process {broker} was killed by signal 9")]);
}

/// The process identifier in a line about a front process.
fn process_of(line: &str) -> u32 {
    let number = line.split("front process ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no process in {line}"))
}
