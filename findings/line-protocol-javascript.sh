#!/usr/bin/env bash
# Four npm libraries that write InfluxDB line protocol, in which telemetry from MQTT is stored, write lines that no reader understands, or other values:
# influxdb-lite 1.1.0, influxdb-nodejs 3.1.0, telegrafjs 0.1.3 and json-to-line-protocol 0.2.0, beside @influxdata/influxdb-client 1.35.0.
#
# Expected (InfluxDB, "Line protocol"): a string stands in double quotes, and in it a double quote and a backslash are escaped with a backslash; a boolean has
#           no quotes ("Data types and format", "Quotes"). In a tag, commas, equals signs and blanks are escaped, in a measurement commas and blanks; other
#           backslashes are literal ("Special characters"). The time is an integer, and the epoch is 0 ("Unix timestamp").
# Seen:     influxdb-lite, influxdb-nodejs and telegrafjs do not escape the backslash of C:\, so the string has no end. influxdb-lite,
#           json-to-line-protocol and telegrafjs leave out the time 0, so the point gets the time of the writing. influxdb-lite writes null as the field
#           value null. influxdb-nodejs escapes neither quotes in strings, nor equals signs in tags, nor blanks in measurements, and writes the
#           strings "true" and "5i" as a boolean and an integer. telegrafjs replaces a backslash in a tag with _. json-to-line-protocol
#           puts no string in quotes; it and influxdb-lite throw TypeError for a number as a tag, which the documentation of the former shows. A
#           reader, PyPI line-protocol-parser 2.0.1, gets other values or rejects the lines; those of @influxdata/influxdb-client are right.
# So:       a log line with a quote, or the path of a share, takes the whole batch with it, as the database rejects a request with an invalid line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts influxdb-lite@1.1.0 influxdb-nodejs@3.1.0 telegrafjs@0.1.3 json-to-line-protocol@0.2.0 \
  @influxdata/influxdb-client@1.35.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q line-protocol-parser==2.0.1

cat >write.js <<'JS'
const http = require('http');
const { Point } = require('@influxdata/influxdb-client');
const { convert } = require('json-to-line-protocol');
const influxLite = require('influxdb-lite');
const InfluxNode = require('influxdb-nodejs');
const telegraf = require('telegrafjs');
const points = [
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 1.5 }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 'say "hi"' }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 'on, a=b' }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 'C:\\' }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 'true' }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: '5i' }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'a=b' }, fields: { v: 1.5 }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'C:\\x' }, fields: { v: 1.5 }, timestamp: 1 },
  { measurement: 'm', tags: { t: 2 }, fields: { v: 1.5 }, timestamp: 1 },
  { measurement: 'hall 1', tags: { t: 'x' }, fields: { v: 1.5 }, timestamp: 1 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 1.5 }, timestamp: 0 },
  { measurement: 'm', tags: { t: 'x' }, fields: { v: 1.5, w: null }, timestamp: 1 },
];
let body = '';
const server = http.createServer((request, response) => {
  body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => { response.statusCode = 204; response.end(); });
});
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const lite = influxLite.db({ url, db: 'd' });
  const node = new InfluxNode(`${url}/d`);
  const writers = {
    '@influxdata/influxdb-client': ({ measurement, tags, fields, timestamp }) => {
      const point = new Point(measurement).timestamp(timestamp);
      for (const [name, value] of Object.entries(tags)) point.tag(name, `${value}`);
      for (const [name, value] of Object.entries(fields)) {
        if (typeof value === 'string') point.stringField(name, value);
        else if (value !== null) point.floatField(name, value);
      }
      return point.toLineProtocol();
    },
    'influxdb-lite': async (point) => { await lite.write(point); return body; },
    'influxdb-nodejs': async ({ measurement, tags, fields, timestamp }) => {
      await node.write(measurement).tag(tags).field(fields).time(timestamp).then();
      return body;
    },
    telegrafjs: ({ measurement, tags, fields, timestamp }) => new telegraf.Measurement(measurement, tags, fields, timestamp).toString(),
    'json-to-line-protocol': ({ measurement, tags, fields, timestamp }) => convert({ measurement, tags, fields, ts: timestamp }),
  };
  for (const [name, write] of Object.entries(writers)) {
    for (const point of points) {
      if (name !== 'influxdb-lite' && Object.keys(point.fields).length > 1) continue;
      let line = null, error = null;
      try { line = (await write(JSON.parse(JSON.stringify(point)))).trim(); } catch (thrown) { error = thrown.constructor.name; }
      console.log(JSON.stringify({ name, point, line, error }));
    }
  }
  process.exit();
});
JS
cat >read.py <<'PY'
import json, sys
from line_protocol_parser import parse_line
for record in map(json.loads, sys.stdin):
    name, point, line, error = record['name'], record['point'], record['line'], record['error']
    if error:
        print(name, '|', point['tags'], point['fields'], '| throws', error)
        continue
    try:
        found = parse_line(line)
    except Exception as rejected:
        print(name, '|', line, '| rejected:', rejected)
        continue
    if '"' in str(point['fields'].get('v')) and '\\"' not in line:
        print(name, '|', line, '| quotes are not escaped')
        continue
    tags = {key: str(value) for key, value in point['tags'].items()}
    if (found['measurement'], found['tags'], found['fields'], found['time']) == (point['measurement'], tags, point['fields'], point['timestamp']):
        continue
    now = found['time'] is not None and found['time'] > 10 ** 18
    print(name, '|', line.rsplit(' ', 1)[0] + ' NOW' if now else line, '| read as', found['measurement'], found['tags'], found['fields'], 'NOW' if now else found['time'])
PY
node write.js 2>/dev/null >lines
{ echo "$(wc -l <lines) lines"; env/bin/python read.py <lines; } | tee seen
cat >expected <<'TEXT'
56 lines
influxdb-lite | m,t=x v="C:\" 1 | rejected: Failed to parse value of field.
influxdb-lite | {'t': 2} {'v': 1.5} | throws TypeError
influxdb-lite | m,t=x v=1.5 | read as m {'t': 'x'} {'v': 1.5} None
influxdb-lite | m,t=x v=1.5,w=null 1 | rejected: Failed to parse type of field value.
influxdb-nodejs | m,t=x v="say "hi"" 1 | quotes are not escaped
influxdb-nodejs | m,t=x v="C:\" 1 | rejected: Failed to parse value of field.
influxdb-nodejs | m,t=x v=true 1 | read as m {'t': 'x'} {'v': True} 1
influxdb-nodejs | m,t=x v=5i 1 | read as m {'t': 'x'} {'v': 5} 1
influxdb-nodejs | m,t=a=b v=1.5 1 | rejected: Failed to parse value of tag.
influxdb-nodejs | hall 1,t=x v=1.5 1 | rejected: Failed to parse key of field.
telegrafjs | m,t=x v="C:\" 1 | rejected: Failed to parse value of field.
telegrafjs | m,t=C:_x v=1.5 1 | read as m {'t': 'C:_x'} {'v': 1.5} 1
telegrafjs | m,t=x v=1.5 NOW | read as m {'t': 'x'} {'v': 1.5} NOW
json-to-line-protocol | m,t=x v=say "hi" 1 | rejected: Failed to parse type of field value.
json-to-line-protocol | m,t=x v=on, a=b 1 | rejected: Failed to parse type of field value.
json-to-line-protocol | m,t=x v=C:\ 1 | rejected: Failed to parse type of field value.
json-to-line-protocol | m,t=x v=true 1 | read as m {'t': 'x'} {'v': True} 1
json-to-line-protocol | m,t=x v=5i 1 | read as m {'t': 'x'} {'v': 5} 1
json-to-line-protocol | {'t': 2} {'v': 1.5} | throws TypeError
json-to-line-protocol | m,t=x v=1.5 | read as m {'t': 'x'} {'v': 1.5} None
TEXT
diff expected seen
echo "as described"
