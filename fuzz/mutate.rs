//! Drives the fuzz targets with random bytes and with changed captures, on a stable compiler.
//!
//! In `fuzz/`, `cargo run --release --bin mutate -- TARGET COUNT SEED FILES...` prints the executions per second. A failure prints the seed and
//! the number of the execution, and writes the input to `fuzz-failure.bin`.

#![allow(clippy::indexing_slicing, clippy::print_stdout)] // a tool for developers that reports by panics

use mqkit::inspect::fuzzing::TARGETS;
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

/// Random bytes, or a file with some changes.
fn input(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    if seeds.is_empty() || random.u8(..) < 16 {
        let length = random.usize(..600);
        return std::iter::repeat_with(|| random.u8(..)).take(length).collect();
    }
    let mut bytes = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..random.usize(1..8) {
        change(&mut bytes, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    let place = random.usize(..bytes.len());
    let end = (place + random.usize(..80)).min(bytes.len());
    match random.u8(..6) {
        0 => bytes[place] = random.u8(..),
        1 => bytes[place] ^= 1 << random.u8(..8),
        2 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.usize(..5)],
        3 => drop(bytes.drain(place..end)),
        4 => {
            let again = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
        _ => bytes.truncate(place),
    }
}
