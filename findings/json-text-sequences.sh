#!/usr/bin/env bash
# Four readers of JSON text sequences, a form of recorded messages, lose valid texts: PyPI rfc7464 17.7.0, jsonseq 1.0.0 and simplejsonseq 0.2.1, and npm
# json-text-sequence 4.0.3. No one of them reads all.
#
# Expected (RFC 7464): each text is between a record separator, U+001E, and the next one, so it may have line feeds (2.1 and 2.2). A text that cannot be parsed
#           is reported or left out, and reading goes on (2.3). Any JSON value is a text, also null; a number, true, false or null without white space at the end
#           is truncated and dropped (2.4). The pieces in which a stream arrives have no meaning.
# Seen:     rfc7464 leaves out each object with a line feed, without an error, and true with a space at the end. jsonseq raises an error for two texts in
#           a piece, ends at a truncated text, and gives a truncated number. simplejsonseq takes two texts in the only piece for an invalid one.
#           json-text-sequence ends with "stream.push() after EOF" at null, and reports true with a space as truncated.
# So:       a recording of indented objects looks empty, and one null, or one piece of the network more or less, ends it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q rfc7464==17.7.0 jsonseq==1.0.0 simplejsonseq==0.2.1
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts json-text-sequence@4.0.3 >/dev/null 2>&1

cat >cases.json <<'JSON'
[["one text a piece", ["\u001e{\"a\":1}\n", "\u001e{\"a\":2}\n"]],
 ["both in one piece", ["\u001e{\"a\":1}\n\u001e{\"a\":2}\n"]],
 ["end and begin in one piece", ["\u001e{\"a\":", "1}\n\u001e{\"a\":2}\n"]],
 ["indented", ["\u001e{\n  \"a\": 1\n}\n", "\u001e{\"a\":2}\n"]],
 ["truncated object", ["\u001e{\"a\":", "\u001e{\"a\":2}\n"]],
 ["truncated number", ["\u001e12", "\u001e3\n"]],
 ["null", ["\u001e1\n", "\u001enull\n", "\u001e3\n"]],
 ["true and a space", ["\u001etrue ", "\u001e2\n"]]]
JSON
cat >try.py <<'PY'
import json, warnings
import rfc7464, simplejsonseq
from jsonseq.decode import JSONSeqDecoder
warnings.simplefilter('ignore')

def with_rfc7464(pieces):
    parser = rfc7464.Parser()
    return [value for piece in pieces for value in parser.receive(piece.encode())]

def with_simplejsonseq(pieces):
    return ['invalid' if isinstance(value, simplejsonseq.InvalidJSON) else value for value in simplejsonseq.JSONSeqDecoder().decodeiter(pieces)]

for title, pieces in json.load(open('cases.json')):
    for name, read in (('rfc7464', with_rfc7464), ('jsonseq', lambda pieces: list(JSONSeqDecoder().decode(pieces))), ('simplejsonseq', with_simplejsonseq)):
        try:
            print(title, '|', name, '|', json.dumps(read(pieces)))
        except ValueError as error:
            print(title, '|', name, '| raises', type(error).__name__)
PY
cat >try.mjs <<'JS'
import { readFileSync } from 'fs';
import { Parser } from 'json-text-sequence';
for (const [title, pieces] of JSON.parse(readFileSync('cases.json'))) {
  const parser = new Parser();
  const found = [];
  parser.on('data', (value) => found.push(value));
  for (const event of ['truncated', 'invalid']) {
    parser.on(event, () => found.push(event));
  }
  await new Promise((resolve) => {
    parser.on('error', (error) => { found.push(error.message); resolve(); });
    parser.on('end', resolve);
    for (const piece of pieces) {
      parser.write(piece);
    }
    parser.end();
  });
  console.log(title, '| json-text-sequence |', JSON.stringify(found));
}
JS
{ env/bin/python try.py; node try.mjs; } | tee seen
cat >expected <<'TEXT'
one text a piece | rfc7464 | [{"a": 1}, {"a": 2}]
one text a piece | jsonseq | [{"a": 1}, {"a": 2}]
one text a piece | simplejsonseq | [{"a": 1}, {"a": 2}]
both in one piece | rfc7464 | [{"a": 1}, {"a": 2}]
both in one piece | jsonseq | raises JSONDecodeError
both in one piece | simplejsonseq | ["invalid"]
end and begin in one piece | rfc7464 | [{"a": 1}, {"a": 2}]
end and begin in one piece | jsonseq | raises JSONDecodeError
end and begin in one piece | simplejsonseq | [{"a": 1}, {"a": 2}]
indented | rfc7464 | [{"a": 2}]
indented | jsonseq | [{"a": 1}, {"a": 2}]
indented | simplejsonseq | [{"a": 1}, {"a": 2}]
truncated object | rfc7464 | [{"a": 2}]
truncated object | jsonseq | raises JSONDecodeError
truncated object | simplejsonseq | ["invalid", {"a": 2}]
truncated number | rfc7464 | [3]
truncated number | jsonseq | [12, 3]
truncated number | simplejsonseq | ["invalid", 3]
null | rfc7464 | [1, null, 3]
null | jsonseq | [1, null, 3]
null | simplejsonseq | [1, null, 3]
true and a space | rfc7464 | [2]
true and a space | jsonseq | [true, 2]
true and a space | simplejsonseq | [true, 2]
one text a piece | json-text-sequence | [{"a":1},{"a":2}]
both in one piece | json-text-sequence | [{"a":1},{"a":2}]
end and begin in one piece | json-text-sequence | [{"a":1},{"a":2}]
indented | json-text-sequence | [{"a":1},{"a":2}]
truncated object | json-text-sequence | ["truncated",{"a":2}]
truncated number | json-text-sequence | ["truncated",3]
null | json-text-sequence | [1,"stream.push() after EOF"]
true and a space | json-text-sequence | ["truncated",2]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
