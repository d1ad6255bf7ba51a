#!/usr/bin/env bash
# The crate statsd-parser 0.3.0, which reads counts and gauges in StatsD's and DogStatsD's format, takes a change of a gauge for its value, metrics whose name
# begins with _sc for checks of a service, and only one of several tags.
#
# Expected (StatsD, docs/metric_types.md, "Gauges") A gauge with a sign is a change: gaugor:-10|g takes ten from it, and gaugor:+4|g adds four. ("Sets") s counts
#           different values. ("Multi-Metric Packets") Line feeds separate metrics. (Datadog, DogStatsD datagram format) A service check begins with _sc and |:
#           _sc|name|status|d:time|h:host|#tags|m:message, where the message is last and may have "m\:" for m: and \n for a line feed. A metric may
#           have several values, page.views:1:2:32|d, and a time, |T1656581400. Two tags may have the same name.
# Seen:     -10 and +4 are the values -10 and 4, and nothing tells them from 4 without a sign. _schedule:1|c is a check with the name c and unknown
#           status, and so is _screen.taps:5|c|#m:1. Of #user:1,user:2 only user:2 is left. The time is dropped. Sets, distributions, several values and two lines
#           are errors. In the message, m\: and \n stay as they are.
# So:       gauges that programs count up and down show the last step, and a metric can become a check that no one watches. Look at the text for a sign
#           and for _sc| before it is read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "counts"
version = "1.0.0"
edition = "2021"
[dependencies]
statsd-parser = "=0.3.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for text in [
        "gaugor:333|g",
        "gaugor:-10|g",
        "gaugor:+4|g",
        "gaugor:4|g",
        "_schedule:1|c",
        "_screen.taps:5|c|#m:1",
        "_sc|db|2|h:host1|#m:1|m:Redis\\nm\\:late",
        "logins:1|c|#user:1,user:2",
        "views:1|c|#user:1|T1656581400",
        "users:765|s",
        "views:1|d",
        "views:1:2:32|h",
        "a:1|c\nb:2|c",
    ] {
        match statsd_parser::parse(text) {
            Ok(found) => println!("{text:?}: {} {:?} {:?}", found.name, found.metric, found.tags),
            Err(error) => println!("{text:?}: {error}"),
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
"gaugor:333|g": gaugor Gauge(Gauge { value: 333.0, sample_rate: None }) None
"gaugor:-10|g": gaugor Gauge(Gauge { value: -10.0, sample_rate: None }) None
"gaugor:+4|g": gaugor Gauge(Gauge { value: 4.0, sample_rate: None }) None
"gaugor:4|g": gaugor Gauge(Gauge { value: 4.0, sample_rate: None }) None
"_schedule:1|c": c ServiceCheck(ServiceCheck { status: UNKNOWN, timestamp: None, hostname: None, message: None }) None
"_screen.taps:5|c|#m:1": c ServiceCheck(ServiceCheck { status: UNKNOWN, timestamp: None, hostname: None, message: None }) None
"_sc|db|2|h:host1|#m:1|m:Redis\\nm\\:late": db ServiceCheck(ServiceCheck { status: CRITICAL, timestamp: None, hostname: Some("host1"), message: Some("Redis\\nm\\:late") }) Some({"m": "1"})
"logins:1|c|#user:1,user:2": logins Counter(Counter { value: 1.0, sample_rate: None }) Some({"user": "2"})
"views:1|c|#user:1|T1656581400": views Counter(Counter { value: 1.0, sample_rate: None }) Some({"user": "1"})
"users:765|s": Unknown metric type
"views:1|d": Unknown metric type
"views:1:2:32|h": Value is not a float
"a:1|c\nb:2|c": Unknown metric type
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "statsd-parser 0.3.0: as described"
