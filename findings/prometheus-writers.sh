#!/usr/bin/env bash
# Three libraries that publish metrics in the Prometheus text format write pages that cannot be read, or none, depending on a label or a value: PyPI
# aioprometheus 23.12.0 and larzmetrics 0.1.0, npm prometheus-client 0.1.1, beside PyPI prometheus-client 0.26.0.
#
# Expected (Prometheus, "Exposition formats", text-based format): in a label value, a backslash, a double quote and a line feed are written as \\, \" and \n
#           ("Line format"); in the text of HELP, a backslash and a line feed as \\ and \n ("Comments, help text, and type information"). A value may be +Inf, -Inf
#           or NaN ("Line format").
# Seen:     aioprometheus and npm prometheus-client escape nothing: the label C:\new is read as "C:", a line feed and "ew", a quote or a line feed in a
#           label and a line feed in HELP make the page unreadable, also for the metrics after it. larzmetrics escapes labels, but not HELP; its render()
#           raises OverflowError or ValueError if one gauge is infinite or NaN. Each page of PyPI prometheus-client is read as it was given.
# So:       one client identifier with a quote, or one ratio with a zero below, takes all metrics of the process with it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts prometheus-client@0.1.1 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q aioprometheus==23.12.0 larzmetrics==0.1.0 prometheus-client==0.26.0

cat >page.js <<'JS'
const Client = require('prometheus-client');
const { label, help, value } = JSON.parse(process.argv[2]);
const client = new Client();
client.newGauge({ namespace: 'n', name: 'g', help }).set({ x: label }, { inf: Infinity, nan: NaN }[value] ?? 1);
client.newGauge({ namespace: 'n', name: 'last', help: 'h' }).set({}, 2);
client.metricsFunc()({}, { writeHead() {}, setHeader() {}, write: (text) => process.stdout.write(text), end: (text) => process.stdout.write(text ?? '') });
JS
cat >try.py <<'PY'
import json, subprocess
from prometheus_client.parser import text_string_to_metric_families

def prometheus_client(label, help, value):
    from prometheus_client import CollectorRegistry, Gauge, generate_latest
    registry = CollectorRegistry()
    Gauge('n_g', help, ['x'], registry=registry).labels(label).set(value)
    Gauge('n_last', 'h', registry=registry).set(2)
    return generate_latest(registry).decode()

def aioprometheus(label, help, value):
    from aioprometheus import Gauge, Registry
    from aioprometheus.formats import text
    registry = Registry()
    Gauge('n_g', help, registry=registry).set({'x': label}, value)
    Gauge('n_last', 'h', registry=registry).set({}, 2)
    return text.TextFormatter().marshall(registry).decode()

def larzmetrics(label, help, value):
    from larzmetrics import Registry
    registry = Registry()
    registry.gauge('n_g', help, ('x',)).labels(x=label).set(value)
    registry.gauge('n_last', 'h').set(2)
    return registry.render()

def npm_prometheus_client(label, help, value):
    given = json.dumps({'label': label, 'help': help, 'value': str(value)})
    return subprocess.run(['node', 'page.js', given], check=True, capture_output=True, text=True).stdout

cases = {
    'plain': ('a', 'h', 1.5), 'backslash': ('C:\\new', 'h', 1.5), 'quote': ('say "hi"', 'h', 1.5), 'line feed': ('one\ntwo', 'h', 1.5),
    'line feed in HELP': ('a', 'one\ntwo', 1.5), 'infinity': ('a', 'h', float('inf')), 'NaN': ('a', 'h', float('nan')),
}
for writer in prometheus_client, aioprometheus, larzmetrics, npm_prometheus_client:
    for title, (label, help, value) in cases.items():
        try:
            page = writer(label, help, value)
        except Exception as error:
            print(f'{writer.__name__} | {title} | raises {type(error).__name__}')
            continue
        try:
            found = {family.name: (family.documentation, family.samples[0].labels) for family in text_string_to_metric_families(page)}
        except Exception:
            print(f'{writer.__name__} | {title} | cannot be read')
            continue
        right = found.get('n_g') == (help, {'x': label}) and 'n_last' in found
        print(f'{writer.__name__} | {title} |', 'right' if right else f'read as {found}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
prometheus_client | plain | right
prometheus_client | backslash | right
prometheus_client | quote | right
prometheus_client | line feed | right
prometheus_client | line feed in HELP | right
prometheus_client | infinity | right
prometheus_client | NaN | right
aioprometheus | plain | right
aioprometheus | backslash | read as {'n_g': ('h', {'x': 'C:\new'}), 'n_last': ('h', {})}
aioprometheus | quote | cannot be read
aioprometheus | line feed | cannot be read
aioprometheus | line feed in HELP | cannot be read
aioprometheus | infinity | right
aioprometheus | NaN | right
larzmetrics | plain | right
larzmetrics | backslash | right
larzmetrics | quote | right
larzmetrics | line feed | right
larzmetrics | line feed in HELP | cannot be read
larzmetrics | infinity | raises OverflowError
larzmetrics | NaN | raises ValueError
npm_prometheus_client | plain | right
npm_prometheus_client | backslash | read as {'n_g': ('h', {'x': 'C:\new'}), 'n_last': ('h', {})}
npm_prometheus_client | quote | cannot be read
npm_prometheus_client | line feed | cannot be read
npm_prometheus_client | line feed in HELP | cannot be read
npm_prometheus_client | infinity | right
npm_prometheus_client | NaN | right
TEXT
diff expected seen
echo "as described"
