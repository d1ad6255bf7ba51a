//! The examples in `deploy/`: their commands run as they are written.

use super::*;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const KUBERNETES: &str = include_str!("../../../deploy/kubernetes.yaml");
const SSH: &str = include_str!("../../../deploy/ssh.sh");
const GITHUB: &str = include_str!("../../../deploy/github/mq-bench.yml");
const GITLAB: &str = include_str!("../../../deploy/gitlab/mq-bench.gitlab-ci.yml");

/// A time so many seconds from now, in seconds since 1970.
fn in_seconds(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    (now + Duration::from_secs(seconds)).as_secs()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The text between these two in an example.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} is in the example"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after} follows {before}")).0
}

/// The shell commands of the manifest: its folded scalars, of which each ends where the indentation does.
fn commands_of_the_pods() -> Vec<String> {
    let scalars = KUBERNETES.split(">-\n").skip(1);
    let lines = scalars.map(|text| text.lines().take_while(|line| line.starts_with("              ")));
    lines.map(|lines| lines.map(str::trim).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_ssh_example_runs_one_load_from_several_addresses() {
    let broker = EmbeddedBroker::start();
    // Stands for ssh: "logs in" to an address of this machine by connecting from there.
    let directory = TempDir::new().unwrap();
    let run_on = directory.path().join("run-on");
    fs::write(&run_on, "machine=$1\nshift\nexec sh -c \"$* -A $machine\"\n").unwrap();
    let finished = Program::new("sh")
        .arg(example("ssh.sh"))
        .arg("127.0.0.21 127.0.0.22 127.0.0.23")
        .words(&broker.options())
        .words("-c 9 --subscribers 3 --messages 300")
        .env("RUN_ON", format!("sh {}", run_on.display()))
        .env("MQ", mq_path())
        .env("DELAY", "2")
        .run();
    assert_says(&finished.succeed(), &["12 of 12 clients", "all 300 messages arrived, once and in order"]);
}

#[test]
fn the_pods_of_the_kubernetes_example_write_reports_that_the_second_job_merges() {
    let broker = EmbeddedBroker::start();
    let volume = TempDir::new().unwrap();
    let [shard, merge] = commands_of_the_pods().try_into().expect("a shard and a merge");
    let start = in_seconds(4).to_string();
    let directory = Path::new(mq_path()).parent().unwrap();
    let pod = |command: &str, index: &str| {
        Program::new("sh")
            .arg("-c")
            .arg(command)
            .env("PATH", format!("{}:/usr/bin:/bin", directory.display()))
            .env("BROKER", broker.address().ip().to_string())
            .env("LOAD", format!("-p {} -c 6 --subscribers 3 --messages 60", broker.address().port()))
            .env("SHARDS", "3")
            .env("JOB_COMPLETION_INDEX", index)
            .env("START_AT", &start)
            .env("RESULTS", volume.path())
            .spawn()
    };
    let merging = pod(&merge, "");
    let shards: Vec<Running> = ["0", "1", "2"].map(|index| pod(&shard, index)).into();
    shards.into_iter().for_each(|shard| drop(shard.finish().succeed()));
    assert_says(&merging.finish().succeed(), &["9 of 9 clients", "all 60 messages arrived"]);
    let report = json(&volume.path().join(format!("{start}.json")));
    assert_eq!(report.pointer("/deliveries/lost").unwrap(), 0);
    assert!(volume.path().join(format!("{start}.html")).exists());
}

#[test]
fn the_loads_of_the_examples_can_be_planned_by_every_shard() {
    let loads = [
        between(KUBERNETES, "--from-literal=LOAD='", "'").to_owned(),
        between(SSH, "deploy/ssh.sh 'host1 host2 host3' ", "\n").to_owned(),
    ];
    for load in loads {
        let load = load.replace("-h broker.example ", "");
        for shard in ["1/3", "3/3"] {
            let words =
                format!("bench --check -h 127.0.0.1 {load} --shard {shard} --start-at +60 --output json");
            let finished = mq(&words).run();
            // Whether it fits is this machine's business; the options must be right.
            let text = String::from_utf8_lossy(&finished.stdout).into_owned();
            assert_says(&text, &["22000 clients", "The run"]);
            assert!(matches!(finished.status, 0 | 1), "{words}: {}", finished.stderr);
        }
    }
    let completions: Vec<&str> = KUBERNETES.lines().filter(|line| line.contains("completions: ")).collect();
    assert_eq!(
        completions,
        [format!("  completions: {}", between(KUBERNETES, "--from-literal=SHARDS=", "\n"))]
    );
}

/// A CI job in a directory of its own.
struct CiJob(TempDir);

impl CiJob {
    fn new() -> CiJob {
        CiJob(TempDir::new().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The script with the embedded broker instead of mosquitto, so that the test runs without it.
    fn script(&self) -> Program {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        Program::new("sh")
            .arg(example("ci-bench.sh"))
            .env("MQ", mq_path())
            .env("RESULTS", self.file("results"))
            .env("BROKER", format!("{} broker -p {port}", mq_path()))
            .env("PORT", port)
    }
}

#[test]
fn a_ci_job_leaves_its_reports_and_the_next_one_is_compared_with_them() {
    let job = CiJob::new();
    let finished = job.script().words("-c 3 --messages 300 --fail-if loss>0").run();
    assert_says(&finished.stderr, &["no baseline"]);
    assert_says(&finished.succeed(), &[ALL_ARRIVED]);
    let results = job.file("results");
    assert!(fs::read_to_string(results.join("page.html")).unwrap().ends_with("</html>\n"));
    let (baseline, summary) = (job.file("baseline.json"), job.file("step-summary.md"));
    fs::rename(results.join("run.json"), &baseline).unwrap();
    let next = job.script().words("-c 3 --messages 300 --subscribers 1").env("BASELINE", &baseline);
    let finished = next.env("GITHUB_STEP_SUMMARY", &summary).run();
    assert_says(&finished.stderr, &["--baseline: the loads differ"]);
    assert!(matches!(finished.status, 0 | 4), "as fast as the machine is now: {}", finished.stderr);
    assert_says(&fs::read_to_string(&summary).unwrap(), &["## mq bench", "| baseline | now | change |"]);
    assert_eq!(json(&results.join("run.json"))["messages"]["received"]["count"], 300);
}

#[test]
fn a_ci_job_fails_by_its_thresholds_and_still_has_its_reports() {
    let job = CiJob::new();
    let stderr = job.script().words("-c 3 --messages 300 --fail-if received<301").run().fail(4);
    assert_says(&stderr, &["received<301: it was 300"]);
    assert!(job.file("results").join("page.html").exists());
    let verdicts = fs::read_to_string(job.file("results").join("verdicts.xml")).unwrap();
    assert_says(&verdicts, &["<failure message=\"received&lt;301: it was 300\""]);
}

#[test]
fn a_ci_job_without_a_broker_shows_the_output_of_the_broker() {
    let job = CiJob::new();
    let stderr = job.script().words("-c 3").env("BROKER", "ls --no-such-option").run().fail(1);
    assert_says(&stderr, &["ci-bench: the broker did not start", "no-such-option"]);
}

#[test]
fn the_commands_of_the_ci_examples_run() {
    for (name, text) in [("GitHub", GITHUB), ("GitLab", GITLAB)] {
        let command = between(text, "\"$MQ_SOURCE/deploy/ci-bench.sh\"", "loss>0, throughput<950/s'");
        let options = command.replace('\\', " ").replace("--warm-up 3 --duration 20", "--duration 0.5");
        let (options, condition) = options.split_once("--fail-if '").expect("thresholds");
        let job = CiJob::new();
        let script = job.script().words(options.trim()).arg("--fail-if").arg(format!("{condition}loss>0"));
        let finished = script.run();
        assert!(matches!(finished.status, 0 | 4), "{name}: {}", finished.stderr);
        assert_eq!(json(&job.file("results").join("run.json"))["plan"]["publishers"], 20, "{name}");
    }
}
