#!/usr/bin/env bash
# Readers and writers of the Common Event Format, in which gateways report alarms, do not read the examples of its own specification: PyPI pycef 1.11 and
# npm nsyslog-parser 0.10.1, beside PyPI cefp 0.0.2.
#
# Expected (ArcSight Common Event Format, implementation standard, Character Encoding): in the header, | and \ are escaped with a backslash, and = is not. In the
#           extension, = and \ are escaped with a backslash, | is not, and \n and \r are line feed and carriage return. (Header Information) Severity is the
#           field after the name, and Extension is what follows, with keys and values.
# Seen:     pycef gives no name and no severity if the name has an escaped |, an escaped \ or an =, and a key such as "message|10|src" instead of src. Both keep
#           the backslashes of the extension, also before n, and nsyslog-parser those of the header. It cuts a value at an escaped =. cefp reads all of it.
# So:       an alarm with a path or an address with parameters has no severity, or other text than the sender wrote.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pycef==1.11 cefp==0.0.2
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1 >/dev/null 2>&1

cat >events <<'TEXT'
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=text
CEF:0|maker|gateway|1.0|100|door \| window|10|src=10.0.0.1 msg=text
CEF:0|maker|gateway|1.0|100|door \\ window|10|src=10.0.0.1 msg=text
CEF:0|maker|gateway|1.0|100|door = open|10|src=10.0.0.1 msg=text
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=door | window
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 request=/q?a\=1 msg=text
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 filePath=C:\\log\\new msg=text
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=first\nsecond
TEXT
cat >try.py <<'PY'
import json
import cefp, pycef
for line in open('events'):
    line = line.rstrip('\n')
    print(line)
    found = cefp.parse(line)
    print('  cefp |', json.dumps([found['name'], found['severity'], found['extension']]))
    found = pycef.parse(line)
    header = ('CEFVersion', 'DeviceVendor', 'DeviceProduct', 'DeviceVersion', 'DeviceEventClassID', 'Name', 'DeviceName', 'Severity', 'DeviceSeverity')
    print('  pycef |', json.dumps([found.get('Name'), found.get('Severity'), {key: value for key, value in found.items() if key not in header}]))
PY
cat >try.js <<'JS'
const { readFileSync } = require('fs');
const parse = require('nsyslog-parser');
for (const line of readFileSync('events', 'utf8').trimEnd().split('\n')) {
  const { cef, fields } = parse(`<11>Nov 30 12:00:00 gateway ${line}`);
  console.log(`${line}\n  nsyslog-parser | ${JSON.stringify([cef?.name, cef?.severity, { ...fields }])}`);
}
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=text
  cefp | ["door open", "10", {"src": "10.0.0.1", "msg": "text"}]
  pycef | ["door open", "10", {"src": "10.0.0.1", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door \| window|10|src=10.0.0.1 msg=text
  cefp | ["door | window", "10", {"src": "10.0.0.1", "msg": "text"}]
  pycef | ["", null, {"window|10|src": "10.0.0.1", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door \\ window|10|src=10.0.0.1 msg=text
  cefp | ["door \\ window", "10", {"src": "10.0.0.1", "msg": "text"}]
  pycef | ["", null, {"window|10|src": "10.0.0.1", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door = open|10|src=10.0.0.1 msg=text
  cefp | ["door = open", "10", {"src": "10.0.0.1", "msg": "text"}]
  pycef | ["", null, {"open|10|src": "10.0.0.1", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=door | window
  cefp | ["door open", "10", {"src": "10.0.0.1", "msg": "door | window"}]
  pycef | ["door open", "10", {"src": "10.0.0.1", "msg": "door | window"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 request=/q?a\=1 msg=text
  cefp | ["door open", "10", {"src": "10.0.0.1", "request": "/q?a=1", "msg": "text"}]
  pycef | ["door open", "10", {"src": "10.0.0.1", "request": "/q?a\\=1", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 filePath=C:\\log\\new msg=text
  cefp | ["door open", "10", {"src": "10.0.0.1", "filePath": "C:\\log\\new", "msg": "text"}]
  pycef | ["door open", "10", {"src": "10.0.0.1", "filePath": "C:\\\\log\\\\new", "msg": "text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=first\nsecond
  cefp | ["door open", "10", {"src": "10.0.0.1", "msg": "first\nsecond"}]
  pycef | ["door open", "10", {"src": "10.0.0.1", "msg": "first\\nsecond"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=text
  nsyslog-parser | ["door open","10",{"src":"10.0.0.1","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door \| window|10|src=10.0.0.1 msg=text
  nsyslog-parser | ["door \\| window","10",{"src":"10.0.0.1","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door \\ window|10|src=10.0.0.1 msg=text
  nsyslog-parser | ["door \\\\ window","10",{"src":"10.0.0.1","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door = open|10|src=10.0.0.1 msg=text
  nsyslog-parser | ["door = open","10",{"src":"10.0.0.1","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=door | window
  nsyslog-parser | ["door open","10",{"src":"10.0.0.1","msg":"door | window"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 request=/q?a\=1 msg=text
  nsyslog-parser | ["door open","10",{"src":"10.0.0.1","request":"/q?a\\","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 filePath=C:\\log\\new msg=text
  nsyslog-parser | ["door open","10",{"src":"10.0.0.1","filePath":"C:\\\\log\\\\new","msg":"text"}]
CEF:0|maker|gateway|1.0|100|door open|10|src=10.0.0.1 msg=first\nsecond
  nsyslog-parser | ["door open","10",{"src":"10.0.0.1","msg":"first\\nsecond"}]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
