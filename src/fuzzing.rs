//! The fuzz targets by name, and the inputs of `fuzz/mutate.rs`. Compiled for tests and with `--cfg fuzzing` only.
//!
//! Each target is a function in the file `fuzzing.rs` of the module that it enters.

pub use crate::authentication::fuzzing::scram;
pub use crate::bench::fuzzing::{metrics_pages, reports};
pub use crate::broker::fuzzing::access_rules;
pub use crate::cli::fuzzing::{bridge_files, configurations, option_files, scenarios, urls};
pub use crate::inspect::capture::fuzzing::{capture, key_logs, reader, segments, tls, web_socket};
pub use crate::inspect::fuzzing::{datagram_views, datagrams, datagrams_v2, dissector, filters, packets};
pub use crate::message::fuzzing::messages;
pub use crate::output::fuzzing::templates;
pub use crate::passwd::fuzzing::{credentials, user_lists};
pub use crate::payload::fuzzing::{payloads, schemas, sparkplug};
pub use crate::protocol::fuzzing::{codec, topics};
pub use crate::protocol::session::fuzzing::session;
pub use crate::protocol::sn::fuzzing::{machines, predefined_topics};
pub use crate::recording::fuzzing::recordings;
pub use crate::transport::fuzzing::{http, web_socket_frames};

/// A function that accepts any bytes, and panics on a bug.
pub type Target = fn(&[u8]);

/// The targets, by the names of their files in `fuzz/fuzz_targets/`.
pub const TARGETS: [(&str, Target); 36] = [
    ("reader", reader),
    ("capture", capture),
    ("segments", segments),
    ("web_socket", web_socket),
    ("tls", tls),
    ("key_logs", key_logs),
    ("dissector", dissector),
    ("packets", packets),
    ("filters", filters),
    ("datagrams", datagrams),
    ("datagrams_v2", datagrams_v2),
    ("datagram_views", datagram_views),
    ("machines_v2", machines),
    ("predefined_topics", predefined_topics),
    ("codec", codec),
    ("topics", topics),
    ("session", session),
    ("http", http),
    ("web_socket_frames", web_socket_frames),
    ("scram", scram),
    ("credentials", credentials),
    ("user_lists", user_lists),
    ("access_rules", access_rules),
    ("messages", messages),
    ("recordings", recordings),
    ("templates", templates),
    ("payloads", payloads),
    ("sparkplug", sparkplug),
    ("schemas", schemas),
    ("reports", reports),
    ("metrics_pages", metrics_pages),
    ("option_files", option_files),
    ("urls", urls),
    ("configurations", configurations),
    ("bridge_files", bridge_files),
    ("scenarios", scenarios),
];

/// Random bytes, or a seed with some changes.
pub fn input(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let chosen = random.usize(..seeds.len().max(1));
    let Some(seed) = seeds.get(chosen).filter(|_| random.u8(..) >= 16) else {
        let length = random.usize(..600);
        return std::iter::repeat_with(|| random.u8(..)).take(length).collect();
    };
    let mut bytes = seed.clone();
    for _ in 0..random.usize(1..8) {
        change(&mut bytes, seeds, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    let place = random.usize(..bytes.len());
    let part = part_of(bytes, place, random);
    let Some(byte) = bytes.get_mut(place) else { return };
    match random.u8(..8) {
        0 => *byte = random.u8(..),
        1 => *byte ^= 1 << random.u8(..8),
        2 => *byte = random.choice([0, 1, 0x7f, 0x80, 0xff]).unwrap_or_default(),
        3 => *byte = random.choice(*b"0159/#+$%\"'{}[]:=,\\\n ").unwrap_or_default(),
        4 => drop(bytes.drain(place..place + part.len())),
        5 => drop(bytes.splice(place..place, part)),
        6 => {
            // A part of another seed, over the bytes or between them.
            let Some(other) = random.choice(seeds).filter(|other| !other.is_empty()) else { return };
            let from = random.usize(..other.len());
            let end = if random.bool() { place } else { place + part.len() };
            drop(bytes.splice(place..end, part_of(other, from, random)));
        }
        _ => bytes.truncate(place),
    }
}

/// Up to 80 bytes from this place on.
fn part_of(bytes: &[u8], place: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let end = (place + random.usize(..80)).min(bytes.len());
    bytes.get(place..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    fn names_in(directory: &str) -> BTreeSet<String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(directory);
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_target_has_a_file_and_an_entry_in_the_manifest() {
        let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names_in("fuzz_targets"), names);
        let manifest = include_str!("../fuzz/Cargo.toml");
        for name in &names {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        }
    }

    #[test]
    fn the_corpus_is_that_of_targets() {
        let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let others: Vec<String> =
            names_in("corpus").into_iter().filter(|name| !names.contains(name)).collect();
        assert_eq!(others, Vec::<String>::new());
    }

    /// The seeds of a target, in the order of their names.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    /// A number in the environment.
    fn number(name: &str, default: u64) -> u64 {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    }

    /// When a target has had enough inputs.
    #[derive(Clone, Copy)]
    enum Limit {
        Executions(u64),
        Time(Duration),
    }

    impl Limit {
        /// `MQ_FUZZ_EXECUTIONS`, or `MQ_FUZZ_SECONDS` if there are any.
        fn from_environment() -> Limit {
            match number("MQ_FUZZ_SECONDS", 0) {
                0 => Limit::Executions(number("MQ_FUZZ_EXECUTIONS", 150)),
                seconds => Limit::Time(Duration::from_secs(seconds)),
            }
        }

        fn is_reached(self, executions: u64, began: Instant) -> bool {
            match self {
                Limit::Executions(most) => executions >= most,
                Limit::Time(most) => began.elapsed() >= most,
            }
        }
    }

    /// The input that fails, after the executions before it.
    fn fuzz((name, run): (&str, Target), seed: u64, limit: Limit) -> Option<String> {
        let seeds = seeds(name);
        let fails = |input: &Vec<u8>| std::panic::catch_unwind(|| run(input)).is_err();
        let failure = |input: &Vec<u8>| format!("{name}: {}", input.escape_ascii());
        if let Some(seed) = seeds.iter().find(|seed| fails(seed)) {
            return Some(failure(seed));
        }
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut executions, began) = (0, Instant::now());
        while !limit.is_reached(executions, began) {
            let input = input(&seeds, &mut random);
            if fails(&input) {
                return Some(failure(&input));
            }
            executions += 1;
        }
        println!("{name}: {executions} executions");
        None
    }

    /// `MQ_FUZZ_EXECUTIONS=100000` or `MQ_FUZZ_SECONDS=20` looks harder, `MQ_FUZZ_SEED` elsewhere, `MQ_FUZZ_TARGET` at one target.
    #[test]
    fn each_target_withstands_its_corpus_and_changes_of_it() {
        let (seed, limit) = (number("MQ_FUZZ_SEED", 1), Limit::from_environment());
        let only = std::env::var("MQ_FUZZ_TARGET").ok();
        let is_chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
        let chosen: Vec<_> = TARGETS.into_iter().filter(|(name, _)| is_chosen(name)).collect();
        assert!(!chosen.is_empty(), "there is no such target: {only:?}");
        let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some(target) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let failure = fuzz(*target, seed, limit);
                        failures.lock().unwrap().extend(failure);
                    }
                });
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
