#!/usr/bin/env bash
# Three npm parsers of the Prometheus text format, in which brokers and benchmarks publish their metrics, lose series and change labels:
# parse-prometheus-text-format 1.1.1, prom2javascript 0.2.0 and @platformatic/promotel 0.2.2, beside PyPI prometheus-client 0.26.0.
#
# Expected (Prometheus, "Exposition formats", text-based format): tokens are separated by any number of blanks or tabs ("Line format"). A line that begins
#           with # is a comment unless HELP or TYPE follows ("Comments, help text, and type information"). A value may be NaN, +Inf or -Inf; in a
#           label value \\ is a backslash, \" a quote and \n a line feed ("Line format"). Each le of a histogram and each quantile of a summary is a line
#           of its own, beside the other labels ("Histograms and summaries"). (Data model) A metric name may contain colons.
# Seen:     parse-prometheus-text-format: of a histogram or a summary with the values a and b of another label, it gives the buckets of b only, without
#           label, sum and count. A lone # is a metric of that name. It throws for a label list with a blank after the comma, and for TYPE with a tab.
#           prom2javascript: throws for NaN and for a name with colons, and then gives nothing of the other metrics; C:\new is "C:", a line feed and "ew".
#           promotel: lines with NaN, infinities, a tab, two blanks, or a } in a label are missing, without an error; C:\new is as above; the sample of
#           a counter requests_count belongs to another metric, requests.
#           prometheus-client reads all of these lines; the counter is not tried with it.
# So:       a dashboard shows the latencies of one client as those of all, or an idle summary, which is NaN, takes all metrics with it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts parse-prometheus-text-format@1.1.1 prom2javascript@0.2.0 @platformatic/promotel@0.2.2 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q prometheus-client==0.26.0

cat >cases.json <<'JSON'
{
 "two series of a histogram": "# TYPE h histogram\nh_bucket{p=\"a\",le=\"0.1\"} 1\nh_bucket{p=\"a\",le=\"+Inf\"} 3\nh_sum{p=\"a\"} 1.5\nh_count{p=\"a\"} 3\nh_bucket{p=\"b\",le=\"0.1\"} 7\nh_bucket{p=\"b\",le=\"+Inf\"} 9\nh_sum{p=\"b\"} 15\nh_count{p=\"b\"} 9\n",
 "two series of a summary": "# TYPE s summary\ns{p=\"a\",quantile=\"0.5\"} 4\ns_sum{p=\"a\"} 8\ns_count{p=\"a\"} 2\ns{p=\"b\",quantile=\"0.5\"} 5\ns_sum{p=\"b\"} 9\ns_count{p=\"b\"} 3\n",
 "NaN": "a{b=\"1\"} NaN\nc 1\n",
 "infinity": "a{b=\"1\"} +Inf\nc 1\n",
 "quote": "a{x=\"\\\"q\\\"\"} 3\n",
 "backslash": "a{x=\"C:\\\\new\"} 3\n",
 "brace": "a{x=\"}\"} 3\n",
 "blank after a comma": "a{x=\"1\", y=\"2\"} 3\n",
 "two blanks": "a  3\n",
 "tab": "a\t3\n",
 "TYPE and a tab": "# TYPE a\tgauge\na 3\n",
 "lone #": "#\na 3\n",
 "colons": "job:rate:5m 1\nc 1\n",
 "name with _count": "# TYPE requests_count counter\nrequests_count 5\n"
}
JSON
cat >try.mjs <<'JS'
import { readFileSync } from 'fs';
import { Readable } from 'stream';
import parse from 'parse-prometheus-text-format';
import { parse as promotel } from '@platformatic/promotel';
import prom2javascript from 'prom2javascript';
const parsers = {
  'parse-prometheus-text-format': (text) => (parse.default ?? parse)(text).map(({ name, type, metrics }) => [name, type, metrics]),
  prom2javascript: (text) => prom2javascript.getMetricsFromStream(Readable.from([text])),
  promotel: (text) => promotel(text).timeseries.map(({ labels, samples }) =>
    [...labels.map(({ name, value }) => `${name}=${value}`), samples[0].value].join(' ')),
};
for (const [title, text] of Object.entries(JSON.parse(readFileSync('cases.json')))) {
  for (const [name, read] of Object.entries(parsers)) {
    let found;
    try {
      found = JSON.stringify(await read(text), (_, value) => (typeof value === 'number' && !isFinite(value) ? `${value}` : value));
    } catch (error) {
      found = 'throws ' + error.message.split(/[[:]/)[0].trim();
    }
    console.log(`${title} | ${name} | ${found}`);
  }
}
JS
cat >try.py <<'PY'
import json
from prometheus_client.parser import text_string_to_metric_families
for title, text in list(json.load(open('cases.json')).items())[:-1]:
    found = [[sample.name, sample.labels, sample.value] for family in text_string_to_metric_families(text) for sample in family.samples]
    print(title, '| prometheus-client |', json.dumps(found))
PY
{ node try.mjs; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
two series of a histogram | parse-prometheus-text-format | [["h","HISTOGRAM",[{"buckets":{"0.1":"7","+Inf":"9"}}]]]
two series of a histogram | prom2javascript | {"h":{"type":"histogram","help":"","data":[{"labels":{"p":"a"},"buckets":{"0.1":1,"+Inf":3},"count":3,"sum":1.5},{"labels":{"p":"b"},"buckets":{"0.1":7,"+Inf":9},"count":9,"sum":15}]}}
two series of a histogram | promotel | ["p=a le=0.1 __metric_name=h __suffix=bucket 1","p=a le=+Inf __metric_name=h __suffix=bucket 3","p=a __metric_name=h __suffix=sum 1.5","p=a __metric_name=h __suffix=count 3","p=b le=0.1 __metric_name=h __suffix=bucket 7","p=b le=+Inf __metric_name=h __suffix=bucket 9","p=b __metric_name=h __suffix=sum 15","p=b __metric_name=h __suffix=count 9"]
two series of a summary | parse-prometheus-text-format | [["s","SUMMARY",[{"quantiles":{"0.5":"5"}}]]]
two series of a summary | prom2javascript | {"s":{"type":"summary","help":"","data":[{"labels":{"p":"a"},"quantiles":{"0.5":4},"sum":8,"count":2},{"labels":{"p":"b"},"quantiles":{"0.5":5},"sum":9,"count":3}]}}
two series of a summary | promotel | ["p=a quantile=0.5 __metric_name=s 4","p=a __metric_name=s __suffix=sum 8","p=a __metric_name=s __suffix=count 2","p=b quantile=0.5 __metric_name=s 5","p=b __metric_name=s __suffix=sum 9","p=b __metric_name=s __suffix=count 3"]
NaN | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"NaN","labels":{"b":"1"}}]],["c","UNTYPED",[{"value":"1"}]]]
NaN | prom2javascript | throws Unable to parse metric
NaN | promotel | ["__metric_name=c 1"]
infinity | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"+Inf","labels":{"b":"1"}}]],["c","UNTYPED",[{"value":"1"}]]]
infinity | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{"b":"1"},"value":"Infinity"}]},"c":{"type":"unknown","help":"","data":[{"labels":{},"value":1}]}}
infinity | promotel | ["__metric_name=c 1"]
quote | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"3","labels":{"x":"\"q\""}}]]]
quote | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{"x":"\"q\""},"value":3}]}}
quote | promotel | ["x=\"q\" __metric_name=a 3"]
backslash | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"3","labels":{"x":"C:\\new"}}]]]
backslash | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{"x":"C:\new"},"value":3}]}}
backslash | promotel | ["x=C:\new __metric_name=a 3"]
brace | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"3","labels":{"x":"}"}}]]]
brace | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{"x":"}"},"value":3}]}}
brace | promotel | []
blank after a comma | parse-prometheus-text-format | throws Encountered invalid line
blank after a comma | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{"x":"1","y":"2"},"value":3}]}}
blank after a comma | promotel | ["x=1 y=2 __metric_name=a 3"]
two blanks | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"3"}]]]
two blanks | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{},"value":3}]}}
two blanks | promotel | []
tab | parse-prometheus-text-format | [["a","UNTYPED",[{"value":"3"}]]]
tab | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{},"value":3}]}}
tab | promotel | []
TYPE and a tab | parse-prometheus-text-format | throws Encountered invalid line
TYPE and a tab | prom2javascript | {"a":{"type":"gauge","help":"","data":[{"labels":{},"value":3}]}}
TYPE and a tab | promotel | ["__metric_name=a 3"]
lone # | parse-prometheus-text-format | [["#","UNTYPED",[{"value":""}]],["a","UNTYPED",[{"value":"3"}]]]
lone # | prom2javascript | {"a":{"type":"unknown","help":"","data":[{"labels":{},"value":3}]}}
lone # | promotel | ["__metric_name=a 3"]
colons | parse-prometheus-text-format | [["job:rate:5m","UNTYPED",[{"value":"1"}]],["c","UNTYPED",[{"value":"1"}]]]
colons | prom2javascript | throws Unable to parse metric
colons | promotel | ["__metric_name=job:rate:5m 1","__metric_name=c 1"]
name with _count | parse-prometheus-text-format | [["requests_count","COUNTER",[{"value":"5"}]]]
name with _count | prom2javascript | {"requests_count":{"type":"counter","help":"","data":[{"labels":{},"value":5}]}}
name with _count | promotel | ["__metric_name=requests __suffix=count 5"]
two series of a histogram | prometheus-client | [["h_bucket", {"p": "a", "le": "0.1"}, 1], ["h_bucket", {"p": "a", "le": "+Inf"}, 3], ["h_sum", {"p": "a"}, 1.5], ["h_count", {"p": "a"}, 3], ["h_bucket", {"p": "b", "le": "0.1"}, 7], ["h_bucket", {"p": "b", "le": "+Inf"}, 9], ["h_sum", {"p": "b"}, 15], ["h_count", {"p": "b"}, 9]]
two series of a summary | prometheus-client | [["s", {"p": "a", "quantile": "0.5"}, 4], ["s_sum", {"p": "a"}, 8], ["s_count", {"p": "a"}, 2], ["s", {"p": "b", "quantile": "0.5"}, 5], ["s_sum", {"p": "b"}, 9], ["s_count", {"p": "b"}, 3]]
NaN | prometheus-client | [["a", {"b": "1"}, NaN], ["c", {}, 1]]
infinity | prometheus-client | [["a", {"b": "1"}, Infinity], ["c", {}, 1]]
quote | prometheus-client | [["a", {"x": "\"q\""}, 3]]
backslash | prometheus-client | [["a", {"x": "C:\\new"}, 3]]
brace | prometheus-client | [["a", {"x": "}"}, 3]]
blank after a comma | prometheus-client | [["a", {"x": "1", "y": "2"}, 3]]
two blanks | prometheus-client | [["a", {}, 3]]
tab | prometheus-client | [["a", {}, 3]]
TYPE and a tab | prometheus-client | [["a", {}, 3]]
lone # | prometheus-client | [["a", {}, 3]]
colons | prometheus-client | [["job:rate:5m", {}, 1], ["c", {}, 1]]
TEXT
diff expected seen
echo "as described"
