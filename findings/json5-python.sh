#!/usr/bin/env bash
# Four readers of JSON5 for Python, in which settings of gateways are written: of one escaped character, json5 0.17.3, json-five 1.1.2 and mjson5
# 0.9.13.2 make two, hyperjson5 0.1.0 another one; and all but json5 reject valid names, numbers or comments.
#
# Expected (RFC 8259, 7; JSON5 1.0.0, 5): a character above FFFF may be written as two \u sequences, a UTF-16 surrogate pair, as JSON writers do that
#           write ASCII. (JSON5) Names are identifier names, which may be null, true, Infinity and NaN (3). A sign may stand before hexadecimal
#           numbers and Infinity (6). A comment ends at CR and U+2028, too (7). U+2028 may be in a string (5.2), and all of Unicode's category Zs is
#           white space (8).
# Seen:     for \uD842\uDFB7, json5, json-five and mjson5 give a text of two surrogates, which cannot be written as UTF-8, and hyperjson5 U+10BB7
#           instead of U+20BB7; it is right for \uD835\uDD38. json-five rejects null, true, Infinity and NaN as names, a space of U+2003, and text
#           behind a comment that ends with CR. hyperjson5 and mjson5 reject -0xC8 and +Infinity. All but json5 reject U+2028 in a string.
# So:       a file that another program writes as ASCII is read, and fails when it is sent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check json5==0.17.3 mjson5==0.9.13.2 hyperjson5==0.1.0 regex==2026.11.19 sly==0.5 >/dev/null 2>&1
env/bin/pip install -q --disable-pip-version-check --no-deps --target five json-five==1.1.2 >/dev/null 2>&1

cat >try.py <<'PY'
import sys
if sys.argv[1:] == ['json-five']:
    sys.path.insert(0, 'five')
    import json5
    READERS = {'json-five': json5.loads}
else:
    import hyperjson5
    import json5
    import mjson5
    READERS = {'json5': json5.loads, 'mjson5': mjson5.loads, 'hyperjson5': hyperjson5.loads}
TEXTS = (r'"\uD835\uDD38"', r'"\uD842\uDFB7"', '{null: 1, true: 2, class: 3}', '{Infinity: 1, NaN: 2}', '-0xC8', '+Infinity', '0xC8', '-Infinity', "'\u2028'", '// a\r1', '// a\u20281', '// a\n1', '\u20031', '\u00a01')
for text in TEXTS:
    for library, read in READERS.items():
        try:
            found = read(text)
            if isinstance(found, str):
                found = f'{len(found)} characters, ' + ' '.join(f'{ord(character):04X}' for character in found)
        except Exception:
            found = 'raises an error'
        print(ascii(text)[1:-1], '|', library, '|', found)
PY
cat >try2.py <<'PY'
import runpy
import sys
sys.argv[1:] = ['json-five']
runpy.run_path('try.py')
PY
env/bin/python try.py | tee seen
env/bin/python try2.py | tee -a seen
cat >expected <<'TEXT'
"\\uD835\\uDD38" | json5 | 2 characters, D835 DD38
"\\uD835\\uDD38" | mjson5 | 2 characters, D835 DD38
"\\uD835\\uDD38" | hyperjson5 | 1 characters, 1D538
"\\uD842\\uDFB7" | json5 | 2 characters, D842 DFB7
"\\uD842\\uDFB7" | mjson5 | 2 characters, D842 DFB7
"\\uD842\\uDFB7" | hyperjson5 | 1 characters, 10BB7
{null: 1, true: 2, class: 3} | json5 | {'null': 1, 'true': 2, 'class': 3}
{null: 1, true: 2, class: 3} | mjson5 | {'null': 1, 'true': 2, 'class': 3}
{null: 1, true: 2, class: 3} | hyperjson5 | {'class': 3, 'null': 1, 'true': 2}
{Infinity: 1, NaN: 2} | json5 | {'Infinity': 1, 'NaN': 2}
{Infinity: 1, NaN: 2} | mjson5 | {'Infinity': 1, 'NaN': 2}
{Infinity: 1, NaN: 2} | hyperjson5 | {'Infinity': 1, 'NaN': 2}
-0xC8 | json5 | -200
-0xC8 | mjson5 | raises an error
-0xC8 | hyperjson5 | raises an error
+Infinity | json5 | inf
+Infinity | mjson5 | raises an error
+Infinity | hyperjson5 | raises an error
0xC8 | json5 | 200
0xC8 | mjson5 | 200
0xC8 | hyperjson5 | 200
-Infinity | json5 | -inf
-Infinity | mjson5 | -inf
-Infinity | hyperjson5 | -inf
'\u2028' | json5 | 1 characters, 2028
'\u2028' | mjson5 | raises an error
'\u2028' | hyperjson5 | raises an error
// a\r1 | json5 | 1
// a\r1 | mjson5 | 1
// a\r1 | hyperjson5 | 1
// a\u20281 | json5 | 1
// a\u20281 | mjson5 | 1
// a\u20281 | hyperjson5 | 1
// a\n1 | json5 | 1
// a\n1 | mjson5 | 1
// a\n1 | hyperjson5 | 1
\u20031 | json5 | 1
\u20031 | mjson5 | 1
\u20031 | hyperjson5 | 1
\xa01 | json5 | 1
\xa01 | mjson5 | 1
\xa01 | hyperjson5 | 1
"\\uD835\\uDD38" | json-five | 2 characters, D835 DD38
"\\uD842\\uDFB7" | json-five | 2 characters, D842 DFB7
{null: 1, true: 2, class: 3} | json-five | raises an error
{Infinity: 1, NaN: 2} | json-five | raises an error
-0xC8 | json-five | -200
+Infinity | json-five | inf
0xC8 | json-five | 200
-Infinity | json-five | -inf
'\u2028' | json-five | raises an error
// a\r1 | json-five | raises an error
// a\u20281 | json-five | raises an error
// a\n1 | json-five | 1
\u20031 | json-five | raises an error
\xa01 | json-five | 1
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
