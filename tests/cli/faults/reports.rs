//! Commands that end by themselves with a result, and the screen of `mq top`.

use super::*;

/// Requests until an answer: they end with one, or say why there is none.
pub(super) fn request(case: &Case<'_>) {
    let (id, proxy) = (case.id(), case.proxy(250));
    let broker = case.broker.address();
    let answer =
        format!("{} pub -h {} -p {} -t {id}/answer -m right -q 1", mq_path(), broker.ip(), broker.port());
    let _responder = {
        let mut running = case.broker.mq(&format!("sub -d -t {id}/ask -q 1 --exec")).arg(answer).spawn();
        running.wait_for_stderr("<- SUBACK");
        running
    };
    let words = format!("rr -V 311 -t {id}/ask -e {id}/answer -m question -q 1 -W 4");
    // Each attempt is a connection; after those with a fault comes an answer.
    for _ in 0..case.connections() {
        let finished = case.mq(proxy.address(), &words).run();
        match finished.status {
            0 => {
                assert_eq!(String::from_utf8_lossy(&finished.stdout), "right\n");
                if case.fault.is_harmless() {
                    return;
                }
            }
            _ if case.fault.is_harmless() => finished.expect_status(0),
            1 | 7 | 27 => assert!(finished.stderr.contains("mq rr:"), "{}", finished.stderr),
            _ => finished.expect_status(7),
        }
    }
    let finished = case.mq(proxy.address(), &words).run();
    assert_eq!(finished.succeed(), "right\n");
}

pub(super) fn bench_pub(case: &Case<'_>) {
    bench(case, "pub -q 1 --messages 100", 4);
}

pub(super) fn bench_pubsub(case: &Case<'_>) {
    bench(case, "pubsub -q 2 --messages 100 --subscribers 1", 5);
}

pub(super) fn bench_rr(case: &Case<'_>) {
    bench(case, "rr --messages 60", 5);
}

pub(super) fn bench_reconnect(case: &Case<'_>) {
    bench(case, "reconnect --duration 1 --rate 40", 4);
}

pub(super) fn bench_conn(case: &Case<'_>) {
    bench(case, "conn --hold 0.5", 5);
}

pub(super) fn bench_sub(case: &Case<'_>) {
    bench(case, "sub -t case/# -q 1 --duration 0.5", 5);
}

/// A group of each kind.
pub(super) fn bench_scenario(case: &Case<'_>) {
    let path = case.directory.path().join("run.toml");
    let group = |name: &str, rest: &str| format!("[[group]]\nname = \"{name}\"\nclients = 2\n{rest}");
    let groups = [
        group("idle", "scenario = \"conn\"\n"),
        group("ears", "scenario = \"sub\"\ntopic = \"case/#\"\n"),
        group("mouths", "scenario = \"pub\"\nqos = 1\nrate = 50\n"),
    ];
    std::fs::write(&path, format!("duration = \"0.5s\"\n{}", groups.concat())).unwrap();
    run_bench(case, &format!("scenario {}", path.display()));
}

/// A run ends by itself with a report. Clients do not come back after a lost connection, so the status is that of lost connections,
/// of no connection, or of losses.
fn bench(case: &Case<'_>, words: &str, clients: usize) {
    run_bench(case, &format!("{words} -c {}", clients - 1));
}

fn run_bench(case: &Case<'_>, words: &str) {
    let proxy = case.proxy(2000);
    let words = format!("bench {words} --timeout 2 --threads 1");
    let finished = case.mq(proxy.address(), &words).run();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(report.contains("clients"), "{words}: {report} {}", finished.stderr);
    match finished.status {
        0 => {}
        1 | 7 if !case.fault.is_harmless() => {
            assert!(finished.stderr.contains("mq bench:"), "{words}: {}", finished.stderr);
        }
        _ => finished.expect_status(0),
    }
}

/// The checks end with their timeouts, and the findings so far are printed.
pub(super) fn doctor(case: &Case<'_>) {
    let proxy = case.proxy(200);
    let finished = case.mq(proxy.address(), "doctor --check-timeout 500ms -W 15").run();
    match finished.status {
        0 => assert!(!finished.stdout.is_empty()),
        1 | 3 | 5 | 7 | 27 if !case.fault.is_harmless() => assert!(!finished.stderr.is_empty()),
        _ => finished.expect_status(0),
    }
}

/// It connects again by itself, and shows what is published afterwards.
pub(super) fn top(case: &Case<'_>) {
    let (id, proxy) = (case.id(), case.proxy(300));
    let options = case.options(proxy.address());
    let words = format!("top {options} --connect-timeout 5 --retries 20 -t {id}/#");
    let Some(mut terminal) = Terminal::start(&words, 80, 24) else { return };
    let mut publisher = case.broker.mq(&format!("pub -t {id}/value -l")).open_stdin().spawn();
    terminal.wait_until("connected again", |_| {
        publisher.write("early\n");
        proxy.has_run_out_of_faults() || case.fault.is_harmless()
    });
    terminal.wait_until("showing the last value", |terminal| {
        publisher.write("late\n");
        terminal.screen().contains("late")
    });
    terminal.keys("q");
    terminal.end(0);
}
