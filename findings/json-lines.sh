#!/usr/bin/env bash
# Readers of JSON Lines, in which MQTT messages are recorded, break lines inside of strings, or at null: PyPI jsonl-tools 0.1.3 and
# jsonl-normalizer 0.2.1, npm jsonl 1.1.2, beside npm js-jsonl 1.1.1 and json-nd 1.0.0.
#
# Expected (JSON Lines, requirements 2 and 3): each line is a JSON value, also null, and lines end with a line feed. (RFC 8259, section 7) A string may have
#           any character from U+0020 on unescaped, but for quotes and backslashes, so also U+0085, U+2028 and U+2029.
# Seen:     loads() of jsonl-tools splits lines at U+0085, U+2028 and U+2029 and raises an error for a valid record; its load() reads the same
#           text from a file. jsonl-normalizer discards both halves of the record. npm jsonl ends at the line null with the error
#           "stream.push() after EOF". js-jsonl and json-nd read all lines.
# So:       a recording cannot be read because of one message with a text that was copied from a web page, and a null, the value of an empty sensor, ends it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts jsonl@1.1.2 js-jsonl@1.1.1 json-nd@1.0.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q jsonl-tools==0.1.3 jsonl-normalizer==0.2.1

cat >make.py <<'PY'
for name, character in ('plain', 'x'), ('U+0085', '\x85'), ('U+2028', '\u2028'), ('U+2029', '\u2029'):
    with open(name, 'w', encoding='utf-8', newline='\n') as file:
        file.write(f'{{"text":"on{character}off"}}\n{{"n":2}}\n')
with open('null', 'w', newline='\n') as file:
    file.write('{"n":1}\nnull\n{"n":2}\n')
PY
cat >try.py <<'PY'
import io
import jsonl_tools
from jsonl_normalizer import normalize_jsonl

def normalizer(name):
    discarded = normalize_jsonl(name, 'normalized', 'discarded')
    kept = sum(1 for line in open('normalized'))
    return f'{kept} kept'

readers = {
    'jsonl-tools loads': lambda name: jsonl_tools.loads(open(name, encoding='utf-8').read()),
    'jsonl-tools load': lambda name: jsonl_tools.load(open(name, encoding='utf-8')),
}
for name in 'plain', 'U+0085', 'U+2028', 'U+2029', 'null':
    for title, read in readers.items():
        try:
            print(f'{name} | {title} | {len(read(name))} records')
        except Exception as error:
            print(f'{name} | {title} | raises {type(error).__name__}')
for name in 'plain', 'U+2028':
    try:
        print(f'{name} | jsonl-normalizer |', normalizer(name))
    except Exception as error:
        print(f'{name} | jsonl-normalizer | raises {type(error).__name__} {error}')
PY
cat >try.mjs <<'JS'
import { createReadStream, readFileSync } from 'fs';
import { createRequire } from 'module';
import { jsonl as jsJsonl } from 'js-jsonl';
const require = createRequire(import.meta.url);
const { NdJson } = require('json-nd');
const jsonl = require('jsonl');
for (const name of ['plain', 'U+0085', 'U+2028', 'U+2029', 'null']) {
  const text = readFileSync(name, 'utf8');
  console.log(`${name} | js-jsonl | ${jsJsonl.parse(text).length} records`);
  console.log(`${name} | json-nd | ${NdJson.parse(text).length} records`);
  await new Promise((resolve) => {
    let count = 0;
    const stream = createReadStream(name).pipe(jsonl({ objectMode: true, depth: 0 }));
    stream.on('data', () => { count += 1; });
    stream.on('error', (error) => { console.log(`${name} | jsonl | ${count} records, ${error.message}`); count = null; resolve(); });
    stream.on('end', () => setTimeout(() => { if (count !== null) console.log(`${name} | jsonl | ${count} records`); resolve(); }, 100));
  });
}
JS
python3 make.py
{ env/bin/python try.py; node try.mjs; } | tee seen
cat >expected <<'TEXT'
plain | jsonl-tools loads | 2 records
plain | jsonl-tools load | 2 records
U+0085 | jsonl-tools loads | raises JSONDecodeError
U+0085 | jsonl-tools load | 2 records
U+2028 | jsonl-tools loads | raises JSONDecodeError
U+2028 | jsonl-tools load | 2 records
U+2029 | jsonl-tools loads | raises JSONDecodeError
U+2029 | jsonl-tools load | 2 records
null | jsonl-tools loads | 3 records
null | jsonl-tools load | 3 records
plain | jsonl-normalizer | 2 kept
U+2028 | jsonl-normalizer | 1 kept
plain | js-jsonl | 2 records
plain | json-nd | 2 records
plain | jsonl | 2 records
U+0085 | js-jsonl | 2 records
U+0085 | json-nd | 2 records
U+0085 | jsonl | 2 records
U+2028 | js-jsonl | 2 records
U+2028 | json-nd | 2 records
U+2028 | jsonl | 2 records
U+2029 | js-jsonl | 2 records
U+2029 | json-nd | 2 records
U+2029 | jsonl | 2 records
null | js-jsonl | 3 records
null | json-nd | 3 records
null | jsonl | 1 records, stream.push() after EOF
TEXT
diff expected seen
echo "as described"
