#!/usr/bin/env bash
# Three libraries for Project Haystack, the data of building automation that gateways forward over MQTT, write and read Zinc otherwise than its grammar:
# PyPI phable 0.1.29 and rusty-haystack 0.7.2, and npm haystack-core 3.0.13.
#
# Expected (Project Haystack, docHaystack, chapter Zinc, grammar): the number that is none is NaN. An escape \u has four hexadecimal digits. The display
#           name of a reference is a string, so a quotation mark in it is escaped. A backtick in a URI is escaped with a backslash. The name of a time
#           zone may have a plus sign, such as GMT+8, which is eight hours behind. A value may be a grid between << and >>.
# Seen:     phable writes nan, é as \ue9 and display names without escaping, and cannot read any of the three again. rusty-haystack turns GMT+8 into GMT,
#           which has another offset, writes a backtick without escaping, so that the URI ends there, and cannot read nested grids. haystack-core keeps the
#           backslash of the URI as a character and writes two, so that its URI ends there as well.
# So:       one name with an accent or a quotation mark, or one sensor without a number, makes a whole grid unreadable.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q phable==0.1.29 rusty-haystack==0.7.2
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts haystack-core@3.0.13 >/dev/null 2>&1

cat >values <<'TEXT'
NaN
"caf\u00e9 9"
"caf\u00e99"
@room "the \"blue\" room"
`http://host/a\`b`
2026-11-30T08:30:00-08:00 GMT+8
2026-11-30T08:30:00-05:00 New_York
<<\nver:"3.0"\na\n1\n>>
TEXT
cat >try.py <<'PY'
import phable, rusty_haystack

def attempt(work):
    try:
        return repr(work())[1:-1]
    except Exception:
        return 'raises an error'

def phable_again(text):
    return phable.ph_to_zinc(phable.ph_from_zinc(text)).strip()

def rusty_again(text):
    return rusty_haystack.encode_grid('text/zinc', rusty_haystack.decode_grid('text/zinc', text)).strip()

for line in open('values', encoding='utf-8'):
    # one line of the file is one value; a nested grid has its line feeds as \n
    value = line.strip().replace('\\n', '\n')
    grid = f'ver:"3.0"\na,b\n{value},1\n'
    for name, again in ('phable', phable_again), ('rusty-haystack', rusty_again):
        once = attempt(lambda: again(grid).split('\n', 2)[2])
        twice = attempt(lambda: again(again(grid)).split('\n', 2)[2])
        print(name, repr(value), '|', once, '|', 'the same again' if twice == once else twice)
PY
cat >try.js <<'JS'
const { ZincReader } = require('haystack-core');
for (const line of require('fs').readFileSync('values', 'utf8').trim().split('\n')) {
  const value = line.replaceAll('\\n', '\n');
  const again = (text) => ZincReader.readValue(text).toZinc(text.startsWith('<<'));
  try {
    console.log('haystack-core', JSON.stringify(value), '|', JSON.stringify(again(value)), '|', JSON.stringify(again(again(value))));
  } catch (error) {
    console.log('haystack-core', JSON.stringify(value), '| raises an error');
  }
}
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
phable 'NaN' | nan,1.0 | raises an error
rusty-haystack 'NaN' | NaN,1 | the same again
phable '"caf\\u00e9 9"' | "caf\\ue9 9",1.0 | raises an error
rusty-haystack '"caf\\u00e9 9"' | "café 9",1 | the same again
phable '"caf\\u00e99"' | "caf\\ue99",1.0 | raises an error
rusty-haystack '"caf\\u00e99"' | "café9",1 | the same again
phable '@room "the \\"blue\\" room"' | @room "the "blue" room",1.0 | raises an error
rusty-haystack '@room "the \\"blue\\" room"' | @room "the \\"blue\\" room",1 | the same again
phable '`http://host/a\\`b`' | `http://host/a\\`b`,1.0 | the same again
rusty-haystack '`http://host/a\\`b`' | `http://host/a`b`,1 | `http://host/a`,1
phable '2026-11-30T08:30:00-08:00 GMT+8' | 2026-11-30T08:30:00-08:00 GMT+8,1.0 | the same again
rusty-haystack '2026-11-30T08:30:00-08:00 GMT+8' | 2026-11-30T08:30:00-08:00 GMT,1 | the same again
phable '2026-11-30T08:30:00-05:00 New_York' | 2026-11-30T08:30:00-05:00 New_York,1.0 | the same again
rusty-haystack '2026-11-30T08:30:00-05:00 New_York' | 2026-11-30T08:30:00-05:00 New_York,1 | the same again
phable '<<\nver:"3.0"\na\n1\n>>' | <<\nver:"3.0"\na\n1.0\n\n>>,1.0 | the same again
rusty-haystack '<<\nver:"3.0"\na\n1\n>>' | raises an error | the same again
haystack-core "NaN" | "NaN" | "NaN"
haystack-core "\"caf\\u00e9 9\"" | "\"caf\\u00e9 9\"" | "\"caf\\u00e9 9\""
haystack-core "\"caf\\u00e99\"" | "\"caf\\u00e99\"" | "\"caf\\u00e99\""
haystack-core "@room \"the \\\"blue\\\" room\"" | "@room \"the \\\"blue\\\" room\"" | "@room \"the \\\"blue\\\" room\""
haystack-core "`http://host/a\\`b`" | "`http://host/a\\\\`b`" | "`http://host/a\\\\`"
haystack-core "2026-11-30T08:30:00-08:00 GMT+8" | "2026-11-30T08:30:00-08:00 GMT+8" | "2026-11-30T08:30:00-08:00 GMT+8"
haystack-core "2026-11-30T08:30:00-05:00 New_York" | "2026-11-30T08:30:00-05:00 New_York" | "2026-11-30T08:30:00-05:00 New_York"
haystack-core "<<\nver:\"3.0\"\na\n1\n>>" | "<<\nver:\"3.0\"\na\n1\n>>" | "<<\nver:\"3.0\"\na\n1\n>>"
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
