//! Drives the fuzz targets with random bytes and with changed captures, on a stable compiler.
//!
//! In `fuzz/`, `cargo run --release --bin mutate -- TARGET COUNT SEED FILES...` prints the executions per second. A failure prints the seed and
//! the number of the execution, and writes the input to `fuzz-failure.bin`.

#![allow(clippy::print_stdout)] // a tool for developers that reports by panics

use mqkit::fuzzing::{TARGETS, input};
use std::time::Instant;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [target, count, seed, files @ ..] = words.as_slice() else {
        panic!("mutate TARGET COUNT SEED FILES...");
    };
    let (_, run) = TARGETS.iter().find(|(name, _)| name == target).expect("a target");
    let count: u64 = count.parse().expect("a count");
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("a file")).collect();
    let mut random = fastrand::Rng::with_seed(seed.parse().expect("a seed"));
    let started = Instant::now();
    for execution in 0..count {
        let input = input(&seeds, &mut random);
        if std::panic::catch_unwind(|| run(&input)).is_err() {
            std::fs::write("fuzz-failure.bin", &input).expect("a file for the input");
            panic!("{target} failed in execution {execution} of seed {seed}");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{target}: {count} executions, {:.0} a second", count as f64 / seconds);
}
