#!/usr/bin/env bash
# The crate ntp 0.5.0, which asks time servers (NTP), sends fractions of a second that are ten times too small, refuses servers with newer clocks, and goes
# back to 1900 in 2036.
#
# Expected (RFC 5905, 6) The fraction of a timestamp counts 2^-32 seconds: half a second is 80000000. Delay and dispersion are durations, with 16 bits for seconds and
#           16 for the fraction, in 2^-16 seconds. Era 0 ends on 7 February 2036, and the same 64 bits begin again. (RFC 4330, 3) With the first bit 0, the
#           time is counted from 6 h 28 m 16 s UTC on that day. (RFC 5905, 7.3) The reference of a server of stratum 1 is a string of up to four letters from a list that grows,
#           and any string that begins with X is free for experiments. Stratum 0 is a kiss code, 16 a server without time.
# Seen:     half a second is written as 0CCCCCCC, which is 0.05 s: the transmit time of each request lags by up to 0.9 s. Half a second of delay (8000) is read as 7629
#           nanoseconds after 1900, so that it is -2208988800 s. The first second of era 1 is 1900. X123, and GNSS, NMEA and SHM, which servers send, are an error for the whole packet, and
#           so are the strata 0 and 16, so that a server's RATE is not seen. Timestamps are read right until 2036.
# So:       an offset from all four timestamps, as RFC 5905 has it, is wrong by up to half a second with this crate. Use the transmit time of the answer only, and set
#           the fraction of requests yourself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "clock"
version = "1.0.0"
edition = "2021"
[dependencies]
ntp = "=0.5.0"
time = "0.1"
TOML
cat >src/main.rs <<'RUST'
use ntp::formats::timestamp::{ShortFormat, TimestampFormat};
use ntp::packet::Packet;
use time::Timespec;

fn main() {
    println!("written");
    for nanos in [0, 1_000_000, 500_000_000, 999_999_999] {
        let found = TimestampFormat::from(Timespec::new(1_700_000_000, nanos));
        let right = ((nanos as u64) << 32) / 1_000_000_000;
        println!("  1700000000.{nanos:09}: {:08X} {:08X}, which is {:.4} s; {right:08X} expected", found.sec, found.frac, found.frac as f64 / 4294967296.0);
    }

    println!("read");
    for (seconds, fraction) in [(0xE8FF_FB80, 0x8000_0000u32), (0xFFFF_FFFF, 0), (0, 0x8000_0000), (1, 0)] {
        let found = Timespec::from(TimestampFormat { sec: seconds, frac: fraction });
        let right = if seconds >> 31 == 1 { seconds as i64 } else { seconds as i64 + (1 << 32) } - 2_208_988_800;
        println!("  {seconds:08X} {fraction:08X}: {}.{:09}; {right} expected", found.sec, found.nsec);
    }
    let found = Timespec::from(ShortFormat { sec: 0, frac: 0x8000 });
    println!("  delay of 0000 8000: {}.{:09}; 0.5 expected", found.sec, found.nsec);

    println!("answers");
    for (stratum, reference) in [(1, b"GPS\0"), (1, b"GNSS"), (1, b"NMEA"), (1, b"SHM\0"), (1, b"X123"), (2, &[192, 0, 2, 1]), (0, b"RATE"), (16, b"\0\0\0\0")] {
        let mut octets = vec![0x24, stratum, 6, 0xE9];
        octets.extend([0; 8]);
        octets.extend(reference);
        octets.extend([0xE9; 32]);
        let found = match Packet::try_from(&octets[..]) {
            Ok(packet) => format!("{:?}", packet.ref_id),
            Err(_) => "an error".to_string(),
        };
        println!("  stratum {stratum}, reference {}: {found}", reference.escape_ascii());
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
written
  1700000000.000000000: E8FE6F80 00000000, which is 0.0000 s; 00000000 expected
  1700000000.001000000: E8FE6F80 00068DB8, which is 0.0001 s; 00418937 expected
  1700000000.500000000: E8FE6F80 0CCCCCCC, which is 0.0500 s; 80000000 expected
  1700000000.999999999: E8FE6F80 19999999, which is 0.1000 s; FFFFFFFB expected
read
  E8FFFB80 80000000: 1700101376.500000000; 1700101376 expected
  FFFFFFFF 00000000: 2085978495.000000000; 2085978495 expected
  00000000 80000000: -2208988800.500000000; 2085978496 expected
  00000001 00000000: -2208988799.000000000; 2085978497 expected
  delay of 0000 8000: -2208988800.000007629; 0.5 expected
answers
  stratum 1, reference GPS\x00: Primary(GPS)
  stratum 1, reference GNSS: an error
  stratum 1, reference NMEA: an error
  stratum 1, reference SHM\x00: an error
  stratum 1, reference X123: an error
  stratum 2, reference \xc0\x00\x02\x01: Secondary(3221225985)
  stratum 0, reference RATE: an error
  stratum 16, reference \x00\x00\x00\x00: an error
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ntp 0.5.0: as described"
