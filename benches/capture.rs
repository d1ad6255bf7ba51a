//! What it costs to read a capture: `cargo bench --bench capture` makes one of a million packets, takes it through all layers, and
//! prints processor time and memory. `-- FILE` takes that file instead.

#![allow(clippy::indexing_slicing, clippy::print_stdout)] // a tool for developers, on data of its own

use mqkit::inspect::capture::Capture;
use mqkit::inspect::capture::conversation::ConversationEvent;
use mqkit::inspect::capture::reader::Reader;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// How many packets are made.
const PACKETS: u32 = 1_000_000;

/// In how many connections at once.
const CONNECTIONS: u32 = 100;

fn main() {
    let named = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let made = named.is_none().then(|| {
        let path = std::env::temp_dir().join(format!("mqkit-capture-{}.pcap", std::process::id()));
        write_capture(&path).expect("the capture can be written");
        path
    });
    let path = named.map(PathBuf::from).or_else(|| made.clone()).expect("one of both");
    let size = std::fs::metadata(&path).expect("the file is there").len();
    println!("{}: {size} bytes", path.display());
    for _ in 0..3 {
        measure("reader alone", || read(&path));
        measure("all layers", || run(&path));
    }
    println!("most memory: {}", most_memory());
    if let Some(path) = made {
        std::fs::remove_file(path).expect("it can be removed");
    }
}

fn measure(what: &str, work: impl Fn() -> String) {
    let before = processor_seconds();
    let result = work();
    println!("{what}: {:.3} s of processor time, {result}", processor_seconds() - before);
}

fn read(path: &Path) -> String {
    let mut reader = Reader::new(File::open(path).expect("the file can be read"));
    let mut frames = 0_u64;
    while reader.next_frame().expect("it is a capture").is_some() {
        frames += 1;
    }
    format!("{frames} frames")
}

fn run(path: &Path) -> String {
    let mut reader = Reader::new(File::open(path).expect("the file can be read"));
    let mut capture = Capture::default();
    let (mut bytes_told, mut opened) = (0, 0);
    let mut count = |event: ConversationEvent<'_>| match event {
        ConversationEvent::Opened { .. } => opened += 1,
        ConversationEvent::Bytes { bytes, .. } => bytes_told += bytes.len(),
        _ => {}
    };
    while let Some(frame) = reader.next_frame().expect("it is a capture") {
        capture.frame(&frame, &mut count);
    }
    capture.finish(&mut count);
    format!("{opened} conversations, {bytes_told} bytes")
}

fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The high-water mark of this process, as Linux tells it.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |value| value.trim().to_owned())
}

/// Connections that take turns: each publishes at QoS 1 and is acknowledged.
fn write_capture(path: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
    let mut sent = [[0_u32; 2]; CONNECTIONS as usize];
    for packet in 0..PACKETS {
        let connection = (packet / 2 % CONNECTIONS) as usize;
        let round = packet / 2 / CONNECTIONS;
        let is_client = packet % 2 == 0;
        let payload = match (is_client, round) {
            (true, 0) => b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03abc".to_vec(),
            (true, _) => publish(round as u16),
            (false, 0) => vec![0x20, 2, 0, 0],
            (false, _) => vec![0x40, 2, (round >> 8) as u8, round as u8],
        };
        let [client, server] = sent[connection];
        let (sequence, acknowledgment) = if is_client { (client, server) } else { (server, client) };
        let frame = frame(connection as u16, is_client, sequence, acknowledgment, &payload);
        let micros = u64::from(packet) * 10;
        for field in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32] {
            file.write_all(&field.to_le_bytes())?;
        }
        file.write_all(&(frame.len() as u32).to_le_bytes())?;
        file.write_all(&(frame.len() as u32).to_le_bytes())?;
        file.write_all(&frame)?;
        sent[connection][usize::from(!is_client)] += payload.len() as u32;
    }
    file.flush()
}

fn publish(packet_id: u16) -> Vec<u8> {
    let mut packet = vec![0x32, 74, 0, 20];
    packet.extend_from_slice(b"house/floor/room/tmp");
    packet.extend_from_slice(&packet_id.to_be_bytes());
    packet.resize(76, b'x');
    packet
}

fn frame(connection: u16, is_client: bool, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend_from_slice(&[8, 0, 0x45, 0]);
    frame.extend_from_slice(&(40 + payload.len() as u16).to_be_bytes());
    frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    let (client, server) = ([10, 0, 1, 1], [10, 0, 0, 1]);
    let ports = [20_000 + connection, 1883];
    let (from, to) = if is_client { (client, server) } else { (server, client) };
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&to);
    let ports = if is_client { ports } else { [ports[1], ports[0]] };
    ports.iter().for_each(|port| frame.extend_from_slice(&port.to_be_bytes()));
    frame.extend_from_slice(&sequence.to_be_bytes());
    frame.extend_from_slice(&acknowledgment.to_be_bytes());
    frame.extend_from_slice(&[0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend_from_slice(payload);
    frame
}
