//! `--repeat-of`: the options of a run are in its report, and repeat it. Secrets are not in it, and a stranger's report cannot set
//! more than a load.

use crate::support::process::Finished;
use crate::support::*;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A directory with the reports of two runs.
struct Runs {
    directory: TempDir,
}

impl Runs {
    fn new() -> Runs {
        Runs { directory: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.shown(name)
    }

    /// Runs a load, and returns its report.
    #[track_caller]
    fn run(&self, program: Program, name: &str) -> Value {
        program.arg("--json").arg(self.path(name)).run().succeed();
        self.read(name)
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// Repeats a run with more options, and returns its report.
    #[track_caller]
    fn repeat(&self, name: &str, options: &str) -> Value {
        let program = mq("bench --repeat-of").arg(self.path(name)).words(options);
        self.run(program, "again.json")
    }

    fn try_repeat(&self, name: &str, options: &str) -> Finished {
        mq("bench --repeat-of").arg(self.path(name)).words(options).run()
    }

    /// A report with these options, as a stranger would write it.
    fn forge(&self, change: impl FnOnce(&mut Value)) {
        let mut report = self.read("run.json");
        change(&mut report);
        self.write("forged.json", report.to_string());
    }
}

/// The parts of a report that are the same in a repeat.
fn load(report: &Value) -> Value {
    let mut plan = report["plan"].clone();
    plan["broker"].take(); // An embedded broker has another port each time.
    let groups: Vec<Value> = report["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let keys =
                ["name", "scenario", "clients", "publishers", "subscribers", "qos", "subscription_qos"];
            let more = [
                "payload_bytes",
                "least_payload_bytes",
                "in_flight",
                "messages",
                "messages_per_second",
                "share",
                "load",
            ];
            keys.iter()
                .chain(&more)
                .map(|key| ((*key).to_owned(), group[*key].clone()))
                .collect::<serde_json::Map<_, _>>()
        })
        .map(Value::Object)
        .collect();
    json!({"plan": plan, "groups": groups, "command": report["command"]})
}

#[test]
fn every_mode_is_repeated_from_its_report() {
    let runs = Runs::new();
    let option_file = runs.write("options", "--qos 2\n-s 100..200\n--keepalive 17\n");
    let payload = runs.write("payload", "a payload from a file, which is long enough");
    let scenario = format!(
        "duration = 0.3\n[[group]]\nname = \"a\"\nscenario = \"pubsub\"\nclients = 2\nrate = \"200\"\narrivals = \"poisson\"\n\
         payload_file = {payload:?}\n[[group]]\nname = \"b\"\nscenario = \"conn\"\nclients = 3\n"
    );
    let scenario = runs.write("mix.toml", scenario);
    let loads = [
        format!("pub -c 2 --messages 50 --rate 1k --arrivals poisson -o {option_file}"),
        "-c 3 --subscribers 2 --messages 60 --inflight 3 -V 5 -D publish user-property k v --threads 1"
            .to_owned(),
        format!("pubsub -c 2 --messages 20 -f {payload} --on-off 1/2 --rate 500 --seed 77"),
        "conn -c 5 --hold 0.1 --connect-rate 100".to_owned(),
        "rr -c 2 --messages 20 -q 0".to_owned(),
        "reconnect -c 2 --duration 0.3".to_owned(),
        format!("scenario {scenario} --processes 2"),
        "-c 2 --messages 40 --repeat 2".to_owned(),
    ];
    for load_words in loads {
        let first = runs.run(mq(&format!("bench {load_words} --embedded --timeout 20")), "run.json");
        // The stored text replaces the file.
        let moved = fs::rename(&scenario, runs.path("moved.toml")).is_ok();
        let again = runs.repeat("run.json", "");
        if moved {
            fs::rename(runs.path("moved.toml"), &scenario).unwrap();
        }
        let (mut first, mut again) = (load(&first), load(&again));
        if load_words.contains("--repeat") {
            first["plan"]["seed"].take();
            again["plan"]["seed"].take();
        }
        assert_eq!(first, again, "{load_words}");
    }
}

#[test]
fn options_of_all_sources_are_in_the_report() {
    on_each_broker(|broker| {
        let runs = Runs::new();
        let address = broker.address();
        let config = runs.write(
            "config.toml",
            format!(
                "[profile.test]\nhost = \"{}\"\nport = {}\nusername = \"ann\"\npassword = \"secret-of-profile\"\n",
                address.ip(),
                address.port()
            ),
        );
        fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let option_file = runs.write("options", "--keepalive 30\n");
        let program = mq(&format!("bench pub -c 2 --messages 10 --profile test -o {option_file}"))
            .env("MQ_CONFIG", &config)
            .env("MQ_PROTOCOL_VERSION", "5");
        let first = runs.run(program, "run.json");
        let options = &first["command"]["options"];
        for option in [
            json!(["--host", address.ip().to_string()]),
            json!(["--port", address.port().to_string()]),
            json!(["--username", "ann"]),
            json!(["--keepalive", "30"]),
            json!(["--protocol-version", "5"]),
            json!(["--clients", "2"]),
        ] {
            assert!(options.as_array().unwrap().contains(&option), "{option} in {options}");
        }
        assert_eq!(first["command"]["left_out"], json!(["--pw"]));
        assert!(!fs::read_to_string(runs.path("run.json")).unwrap().contains("secret-of"));
        let refusal = runs.try_repeat("run.json", "").fail(2);
        let expected = "secrets are not in reports, so set it again: --pw\n";
        assert_says(&refusal, &[expected]);
        let ambient = mq("bench --repeat-of").arg(runs.path("run.json")).env("MQ_PASSWORD", "x").run();
        assert_says(&ambient.fail(2), &[expected]);
        let again = runs.repeat("run.json", "-P other");
        assert_eq!(load(&first), load(&again));
        // A typed profile may set the secret, and nothing else.
        let changed = fs::read_to_string(&config).unwrap().replace("\"ann\"", "\"bob\"");
        fs::write(&config, changed).unwrap();
        let program = mq("bench --profile test --repeat-of").arg(runs.path("run.json"));
        let again = runs.run(program.env("MQ_CONFIG", &config), "again.json");
        assert_eq!(load(&first), load(&again));
    });
}

#[test]
fn typed_options_take_precedence_over_those_of_the_report() {
    let runs = Runs::new();
    runs.run(mq("bench --embedded -c 2 -s 100 -q 2 --messages 30 --rate 1k"), "run.json");
    let report = runs.repeat("run.json", "-q 0 --clients 3 --payload-template hello-{i} --duration 0.2");
    let (plan, group) = (&report["plan"], &report["groups"][0]);
    assert_eq!((&group["qos"], &plan["publishers"]), (&json!(0), &json!(3)));
    assert_eq!((&plan["messages"], &plan["duration_ns"]), (&Value::Null, &json!(200_000_000)));
    assert_eq!(group["load"]["payload"], "template hello-{i}");
    let broker = EmbeddedBroker::start();
    let report = runs.repeat("run.json", &broker.options());
    assert_eq!(report["plan"]["broker"], broker.address().to_string());
    let words = format!("conn --repeat-of {}", runs.shown("run.json"));
    assert_says(&mq("bench").words(&words).run().fail(2), &["it is a run of pubsub; leave conn out"]);
}

#[test]
fn no_secret_is_in_a_report() {
    let runs = Runs::new();
    let broker = EmbeddedBroker::start();
    let rows = runs.write("rows.csv", "username,password\na,pass-1\nb,pass-2\nc,pass-3\n");
    let place = broker.address();
    for (words, left_out, again) in [
        ("-u a -P pass-word".to_owned(), json!(["--pw"]), "-P x"),
        (format!("-L mqtt://a:pass-word@{place}"), json!(["--url"]), "ADDRESS"),
        ("-u a".to_owned(), json!(["--pw"]), "--password-file FILE"),
        (format!("--credentials {rows}"), json!(["--credentials"]), "--credentials FILE"),
        (
            "-V 5 -D connect authentication-method X -D connect authentication-data pass-data".to_owned(),
            json!(["--property connect authentication-data"]),
            "-D connect authentication-data y",
        ),
    ] {
        let mut program = mq(&format!("bench conn -c 2 --hold 0.1 {words}"));
        if !words.contains("-L") {
            program = program.words(&broker.options());
        }
        if words == "-u a" {
            program = program.env("MQ_PASSWORD", "pass-word");
        }
        let finished = program.arg("--json").arg(runs.path("run.json")).run();
        if words.contains("authentication-data") {
            // The broker does not support the method; the report is complete all the same.
            finished.expect_status(5);
        } else {
            finished.succeed();
        }
        let text = fs::read_to_string(runs.path("run.json")).unwrap();
        assert!(!text.contains("pass-"), "{words}: {text}");
        assert_eq!(runs.read("run.json")["command"]["left_out"], left_out, "{words}");
        let name = left_out[0].as_str().unwrap();
        assert_says(&runs.try_repeat("run.json", "").fail(2), &[&format!("so set it again: {name}\n")]);
        let again = again.replace("FILE", &rows).replace("ADDRESS", &format!("-L mqtt://a:x@{place}"));
        if !words.contains("authentication-data") {
            runs.repeat("run.json", &again);
        }
    }
}

#[test]
fn a_strangers_report_sets_nothing_but_a_load() {
    let runs = Runs::new();
    let payload = runs.write("payload", "x".repeat(40));
    runs.run(mq("bench --embedded -c 1 --messages 5").arg("-f").arg(&payload), "run.json");
    let target = runs.shown("target");
    for (option, problem) in [
        (json!(["--json", target]), "it sets --json, which a report cannot set"),
        (json!(["--html", target]), "it sets --html, which"),
        (json!(["--fail-if", "p99>0"]), "it sets --fail-if, which"),
        (json!(["--tls-keylog", target]), "it sets --tls-keylog, which"),
        (json!(["--option-file", target]), "it sets --option-file, which"),
        (json!(["--serve", "1"]), "it sets --serve, which"),
        (json!(["--repeat-of", target]), "it sets --repeat-of, which"),
        (json!(["--worker"]), "it sets --worker, which"),
        (json!(["--"]), "it sets --, which"),
        (json!([target]), "it sets "),
        (json!([]), "it has an option without a name"),
        (json!(["--help"]), "it sets --help, which"),
        (json!(["--clients"]), "its value of --clients is not one of that option"),
        (json!(["--clients", "1", "2"]), "its value of --clients is not one of that option"),
        (json!(["--retain", "x"]), "its value of --retain is not one of that option"),
        (json!(["--topic", "a\u{0}b"]), "its value of --topic is not one of that option"),
        (json!(["--password-file", payload]), "it sets --password-file to a secret"),
        (json!(["--auth-data-file", payload]), "it sets --auth-data-file to a secret"),
        (json!(["--credentials", payload]), "it sets --credentials to a secret"),
        (json!(["--payload-file", "/etc/passwd"]), "it does not record the content of /etc/passwd"),
    ] {
        runs.forge(|report| {
            let options = report["command"]["options"].as_array_mut().unwrap();
            options.retain(|words| words[0] != option[0]);
            options.push(option.clone());
        });
        let text = runs.try_repeat("forged.json", "").fail(2);
        assert_says(&text, &[problem]);
        assert!(!runs.path("target").exists(), "{option}");
    }
    runs.forge(|report| report["command"]["options"].as_array_mut().unwrap().push(json!(["--clients", "0"])));
    assert_says(
        &runs.try_repeat("forged.json", "").fail(2),
        &["forged.json: invalid value '0' for --clients"],
    );
    runs.forge(|report| {
        report["command"]["mode"] = "scenario".into();
        report["command"]["options"] = json!([["--embedded"]]);
        report["command"]["scenario"] =
            "[[group]]\nname = \"a\"\nscenario = \"pub\"\npayload_file = \"/etc/passwd\"\n".into();
    });
    assert_says(
        &runs.try_repeat("forged.json", "").fail(2),
        &["it does not record the content of /etc/passwd"],
    );
    for mode in ["merge", "compare", "--json=/x", ""] {
        runs.forge(|report| report["command"]["mode"] = mode.into());
        assert_says(&runs.try_repeat("forged.json", "").fail(2), &["expected pubsub, conn, pub,"]);
    }
    runs.forge(|report| report["command"]["left_out"] = json!(["--no-such\u{1b}[31m option"]));
    let text = runs.try_repeat("forged.json", "").fail(2);
    assert!(text.contains("which is not an option of a load") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn files_that_are_not_reports_of_one_run_are_refused() {
    let runs = Runs::new();
    runs.run(mq("bench --embedded -c 2 --messages 5"), "run.json");
    let refused = |name: &str, problem: &str| {
        assert_says(&runs.try_repeat(name, "").fail(2), &[problem]);
    };
    for (text, problem) in [
        (String::new(), "it is not a report of mq bench: EOF"),
        ("{}".to_owned(), "it is JSON without the key \"schema\"; use a report of `mq bench --json FILE`"),
        ("{\"schema\": \"mq-bench/9\"}".to_owned(), "its schema is \"mq-bench/9\", but this mq reads"),
        ("[".repeat(100_000), "it is not a report of mq bench: "),
        ("\u{0}".repeat(1000), "it is not a report of mq bench: "),
    ] {
        runs.write("other.json", text);
        refused("other.json", problem);
    }
    assert_says(&runs.try_repeat("none.json", "").fail(1), &["No such file"]);
    let sparse = fs::File::create(runs.path("huge.json")).unwrap();
    sparse.set_len(300 * 1024 * 1024).unwrap();
    assert_says(&runs.try_repeat("huge.json", "").fail(1), &["it is larger than 268435456 bytes"]);
    assert_says(&mq("bench --repeat-of /dev/zero").run().fail(2), &["it is not a regular file"]);
    runs.forge(|report| drop(report["command"].take()));
    refused("forged.json", "it does not contain the options of the run");
    let shard = |part: u32| mq(&format!("bench --embedded -c 4 --messages 8 --shard {part}/2"));
    runs.run(shard(1), "1.json");
    runs.run(shard(2), "2.json");
    let (one, two) = (runs.shown("1.json"), runs.shown("2.json"));
    mq(&format!("bench merge {one} {two} --json {}", runs.shown("merged.json"))).run().succeed();
    refused("merged.json", "it is a merged report; repeat each of the runs");
    assert_eq!(load(&runs.repeat("2.json", "")), load(&runs.read("2.json")));
}

#[test]
fn a_changed_file_is_named() {
    let runs = Runs::new();
    let payload = runs.write("payload", "x".repeat(40));
    runs.run(mq("bench --embedded -c 1 --messages 5").arg("-f").arg(&payload), "run.json");
    runs.write("payload", "y".repeat(40));
    let text = runs.try_repeat("run.json", "").fail(2);
    assert_says(&text, &[&format!("another content than in that run: {payload}")]);
    runs.repeat("run.json", &format!("-f {payload}"));
    fs::remove_file(&payload).unwrap();
    assert_says(&runs.try_repeat("run.json", "").fail(2), &[&format!("cannot read {payload}")]);
}

#[test]
fn the_machine_and_the_limits_of_the_broker_are_in_every_format() {
    on_each_broker(|broker| {
        let runs = Runs::new();
        let (page, markdown) = (runs.shown("page.html"), runs.shown("page.md"));
        let program =
            broker.mq(&format!("bench -V 5 -c 2 --messages 10 --html {page} --markdown {markdown}"));
        let text = program.arg("--json").arg(runs.path("run.json")).run().succeed();
        let report = runs.read("run.json");
        let machine = &report["hosts"][0]["machine"];
        if cfg!(target_os = "linux") {
            assert!(machine["kernel"].is_string() && machine["memory_bytes"].as_u64() > Some(0), "{machine}");
            assert!(machine["somaxconn"].is_u64() && machine["local_ports"].is_array(), "{machine}");
        }
        let version = report["broker_version"].as_str().unwrap();
        assert!(version.contains("mosquitto") || version.contains("mq"), "{version}");
        let limits = report["broker_limits"].as_object().unwrap();
        assert!(limits.contains_key("topic_alias_maximum"), "{limits:?}");
        let alias = format!("topic alias maximum {}", limits["topic_alias_maximum"]);
        for text in [text, fs::read_to_string(page).unwrap(), fs::read_to_string(markdown).unwrap()] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_says(&text, &[&alias, "mq bench pubsub", "somaxconn", "kernel"]);
        }
        let report = runs.run(broker.mq("bench -c 2 --messages 10"), "run.json");
        assert_eq!(report["broker_limits"], Value::Null, "MQTT 3.1.1 has none");
    });
}
