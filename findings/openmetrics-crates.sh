#!/usr/bin/env bash
# Two crates that read the metrics of brokers and benchmarks: openmetrics-parser 0.5.1 rejects all of them for one number as Java writes it, a comment or a tab,
# prometheus-parse 0.2.5 divides labels at commas and leaves metrics out.
#
# Expected: (OpenMetrics 1.0, "ABNF", and RFC 5234, 2.3) The metricset may be empty; texts such as "e" and "inf" are without regard to case, and inf may be without a
#           sign. (Prometheus, "Exposition formats", text-based format) A line that begins with # is a comment unless HELP or TYPE follows. Tokens are separated by any
#           number of blanks or tabs. A value is what ParseFloat of Go accepts, such as Inf and .5. A label value may have any characters, with \\, \" and \n for
#           three of them. (Prometheus, "Data model") A metric name may have colons, and each metric its own labels.
# Seen:     openmetrics-parser, OpenMetrics: 1.0E9, Inf and no metrics are an error for the whole text. Prometheus: so are a tab, a comment without a blank or without text,
#           Inf, .5, and two metrics of one name with other labels. prometheus-parse: path="/b,c" is /b, a label with = in its value is missing, and one with } its
#           metric; so are {} and names with colons, and labels after a blank have a blank in their name. C:\\x keeps both backslashes.
# So:       one counter above ten million in a Java program, and no metric of it is read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "metrics"
version = "1.0.0"
edition = "2021"
[dependencies]
openmetrics-parser = "=0.5.1"
prometheus-parse = "=0.2.5"
TOML
cat >src/main.rs <<'RUST'
use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;

fn main() {
    for text in [
        "# TYPE a gauge\na 1.0e9\n# EOF\n",
        "# TYPE a gauge\na 1.0E9\n# EOF\n",
        "# TYPE a gauge\na +Inf\n# EOF\n",
        "# TYPE a gauge\na Inf\n# EOF\n",
        "# EOF\n",
    ] {
        let found = parse_openmetrics(text).map(|found| found.families.values().map(|family| family.iter_samples().count()).sum::<usize>());
        println!("OpenMetrics {text:?} | {}", found.map_or_else(|error| format!("error {}", format!("{error:?}").split('(').next().unwrap()), |count| format!("{count} samples")));
    }
    for text in [
        "# HELP a b c\n# TYPE a gauge\na 1\n",
        "# a comment\na 1\n",
        "#a comment\na 1\n",
        "#\na 1\n",
        "a\t1\n",
        "a 1.0E9\n",
        "a Inf\n",
        "a .5\n",
        "a{x=\"1\"} 1\na{y=\"1\"} 2\n",
    ] {
        let found = parse_prometheus(text).map(|found| found.families.values().map(|family| family.iter_samples().count()).sum::<usize>());
        println!("Prometheus {text:?} | {}", found.map_or_else(|error| format!("error {}", format!("{error:?}").split('(').next().unwrap()), |count| format!("{count} samples")));
    }
    for text in [
        "a{path=\"/b\"} 1",
        "a{path=\"/b,c\",x=\"1\"} 1",
        "a{query=\"b=c\",x=\"1\"} 1",
        "a{range=\"{b}\",x=\"1\"} 1",
        "a{path=\"C:\\\\x\"} 1",
        "a{x=\"1\", y=\"2\"} 1",
        "a{} 1",
        "job:a:rate 1",
    ] {
        let lines = std::iter::once(Ok(text.to_string()));
        let found = prometheus_parse::Scrape::parse(lines).unwrap();
        let found: Vec<String> = found.samples.iter().map(|sample| {
            let mut labels: Vec<_> = sample.labels.iter().collect();
            labels.sort();
            format!("{} {labels:?}", sample.metric)
        }).collect();
        println!("prometheus-parse {text} | {}", if found.is_empty() { "nothing".to_string() } else { found.join(", ") });
    }
}
RUST
cargo run -q 2>cargo.log | tee seen || { cat cargo.log; exit 1; }
cat >expected <<'TEXT'
OpenMetrics "# TYPE a gauge\na 1.0e9\n# EOF\n" | 1 samples
OpenMetrics "# TYPE a gauge\na 1.0E9\n# EOF\n" | error ParseError
OpenMetrics "# TYPE a gauge\na +Inf\n# EOF\n" | 1 samples
OpenMetrics "# TYPE a gauge\na Inf\n# EOF\n" | error ParseError
OpenMetrics "# EOF\n" | error ParseError
Prometheus "# HELP a b c\n# TYPE a gauge\na 1\n" | 1 samples
Prometheus "# a comment\na 1\n" | 1 samples
Prometheus "#a comment\na 1\n" | error ParseError
Prometheus "#\na 1\n" | error ParseError
Prometheus "a\t1\n" | error ParseError
Prometheus "a 1.0E9\n" | 1 samples
Prometheus "a Inf\n" | error ParseError
Prometheus "a .5\n" | error ParseError
Prometheus "a{x=\"1\"} 1\na{y=\"1\"} 2\n" | error InvalidMetric
prometheus-parse a{path="/b"} 1 | a [("path", "/b")]
prometheus-parse a{path="/b,c",x="1"} 1 | a [("path", "/b"), ("x", "1")]
prometheus-parse a{query="b=c",x="1"} 1 | a [("x", "1")]
prometheus-parse a{range="{b}",x="1"} 1 | nothing
prometheus-parse a{path="C:\\x"} 1 | a [("path", "C:\\\\x")]
prometheus-parse a{x="1", y="2"} 1 | a [(" y", "2"), ("x", "1")]
prometheus-parse a{} 1 | nothing
prometheus-parse job:a:rate 1 | nothing
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "openmetrics-parser 0.5.1, prometheus-parse 0.2.5: as described"
