//! Shards on machines of their own: network namespaces, each with one cable to that of the broker. They need root and a kernel that
//! has them; elsewhere the test says that it was skipped, and why.

use super::*;
use crate::support::certificates::Files;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// How many shards there are.
const SHARDS: usize = 2;

/// One namespace for the broker, and one for each shard. They are gone with this, and all that is in them.
struct Machines {
    names: Vec<String>,
}

/// A command that changes the network; what it says when it fails.
fn ip(words: &str) -> Result<(), String> {
    let output =
        Command::new("ip").args(words.split_whitespace()).output().map_err(|error| error.to_string())?;
    let problem = || format!("`ip {words}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    output.status.success().then_some(()).ok_or_else(problem)
}

impl Machines {
    /// The broker's machine has the addresses 10.77.K.1, shard K has 10.77.K.2.
    fn new() -> Result<Machines, String> {
        let name = |number| format!("mq-test-{}-{number}", std::process::id());
        let mut machines = Machines { names: Vec::new() };
        for number in 0..=SHARDS {
            ip(&format!("netns add {}", name(number)))?;
            machines.names.push(name(number));
            ip(&format!("-n {} link set lo up", name(number)))?;
        }
        let hub = name(0);
        for number in 1..=SHARDS {
            let shard = name(number);
            ip(&format!("-n {hub} link add port{number} type veth peer name cable netns {shard}"))?;
            for (machine, device, host) in
                [(&hub, format!("port{number}"), 1), (&shard, "cable".to_owned(), 2)]
            {
                ip(&format!("-n {machine} address add 10.77.{number}.{host}/24 dev {device}"))?;
                ip(&format!("-n {machine} link set {device} up"))?;
            }
        }
        Ok(machines)
    }

    /// The program under test on one of them.
    fn mq(&self, machine: usize, words: &str) -> Program {
        let program = Program::new("ip").words("netns exec").arg(&self.names[machine]);
        program.arg(mq_path()).words(words)
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        self.names.iter().for_each(|name| drop(ip(&format!("netns del {name}"))));
    }
}

/// The machines, or a word about why there are none.
fn machines() -> Option<Machines> {
    let machines = Machines::new();
    if let Err(problem) = &machines {
        let _ = writeln!(std::io::stderr(), "skipped: shards in network namespaces: {problem}");
    }
    machines.ok()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn shards_on_machines_of_their_own_are_counted_exactly() {
    let Some(machines) = machines() else { return };
    let mut broker = machines.mq(0, "broker --bind 0.0.0.0 -p 1883").spawn();
    broker.wait_for_stdout("1883");
    let files = Files::new(&[]);
    let names: Vec<String> = (1..=SHARDS).map(|shard| files.words(&format!("{{}}/{shard}.json"))).collect();
    let shard = |number: usize, name: &String| {
        let load = "-c 11 --subscribers 4 -q 2 --messages 2001 --start-at +2";
        let words = format!("bench -h 10.77.{number}.1 {load} --shard {number}/{SHARDS} --json {name}");
        machines.mq(number, &words).spawn()
    };
    let running: Vec<Running> = (1..).zip(&names).map(|(number, name)| shard(number, name)).collect();
    for shard in running {
        assert_says(&shard.finish().succeed(), &[ALL_ARRIVED]);
    }
    let merged = files.path("all.json");
    let words = format!("bench merge {} --json {}", names.join(" "), merged.display());
    let text = mq(&words).run().succeed();
    // Whichever began first is named first.
    assert_says(&text, &["10.77.1.1:1883", "10.77.2.1:1883", "15 of 15 clients"]);
    assert_says(&text, &["11 publishers, 4 subscribers", "all 2001 messages arrived, once and in order"]);
    let merged = read(&merged);
    for counts in [&merged["deliveries"], &merged["groups"][0]["deliveries"]] {
        let expected = serde_json::json!({
            "sent": 2001, "owed": 2001, "lost": 0, "duplicates": 0, "reordered": 0, "lost_in_gap": 0, "sent_in_warm_up": 0,
        });
        assert_eq!(counts, &expected);
    }
    assert_eq!(merged["messages"]["received"]["count"], 2001);
    let histogram = |report: &Value| report["latency"]["end_to_end"]["count"].as_u64().unwrap();
    let parts = names.iter().map(|name| histogram(&read(Path::new(name))));
    assert_eq!((histogram(&merged), parts.sum::<u64>()), (2001, 2001));
    assert_eq!(merged["hosts"].as_array().unwrap().len(), SHARDS);
}
