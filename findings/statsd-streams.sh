#!/usr/bin/env bash
# npm statsd-parser 0.0.4, a streaming parser of StatsD, in which brokers and load generators send counts, loses sample rates where a chunk of the stream ends.
#
# Expected (StatsD, docs/metric_types.md): |@0.1 says that a count is one of ten (Counting, Sampling), and a line feed separates metrics (Multi-Metric Packets). (RFC 9293,
#           2.2) TCP is a stream of octets, so the pieces in which it arrives have no meaning: a metric ends at its line feed.
# Seen:     the parser takes a metric as complete as soon as it looks so at the end of a chunk. a:1|c and then |@0.1 is a count of 1, not of 10, and an error; @0.0 and then 1
#           is the rate 0.0, by which a reader divides. A chunk that ends inside of a name or before the line feed is right.
# So:       a count is ten times too low whenever the network divides the stream at another place.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts statsd-parser@0.0.4 >/dev/null 2>&1

cat >try.js <<'JS'
const { createStream } = require('statsd-parser');
for (const chunks of [['a:1|c|@0.1\n'], ['a:', '1|c|@0.1\n'], ['a:1|c', '|@0.1\n'], ['a:1|c|@0.0', '1\n'], ['a:1|c|@0.1', '\nb:2|c\n'], ['a:1|c|@0.1\nb:2|c\n']]) {
  const parser = createStream();
  const found = [];
  parser.on('stat', (line, metric) => found.push(metric));
  parser.on('error', () => found.push('error'));
  chunks.forEach((chunk) => parser.write(chunk));
  console.log('%s', `${JSON.stringify(chunks)} | ${JSON.stringify(found)}`);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
["a:1|c|@0.1\n"] | [{"stat":"a","value":"1","type":"c","sample_rate":"0.1"}]
["a:","1|c|@0.1\n"] | [{"stat":"a","value":"1","type":"c","sample_rate":"0.1"}]
["a:1|c","|@0.1\n"] | [{"stat":"a","value":"1","type":"c"},"error"]
["a:1|c|@0.0","1\n"] | [{"stat":"a","value":"1","type":"c","sample_rate":"0.0"},"error"]
["a:1|c|@0.1","\nb:2|c\n"] | [{"stat":"a","value":"1","type":"c","sample_rate":"0.1"},{"stat":"b","value":"2","type":"c"}]
["a:1|c|@0.1\nb:2|c\n"] | [{"stat":"a","value":"1","type":"c","sample_rate":"0.1"},{"stat":"b","value":"2","type":"c"}]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "statsd-parser 0.0.4: as described"
