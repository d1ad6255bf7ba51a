#!/usr/bin/env bash
# FlexBuffers, the format without a schema of FlatBuffers, in npm flatbuffers 25.9.23: it cannot read lists of four numbers that it wrote, and 1e300 becomes 0.
# PyPI flatbuffers 25.12.19 cannot write 1e300.
#
# Expected (FlexBuffers, internals): a number has 8, 16, 32 or 64 bits; a float of 64 bits is any double, an unsigned integer goes up to 2^64-1. A vector has its
#           length in front and any number of elements. What one implementation writes, all can read.
# Seen:     npm: toObject raises RangeError for what encode gives for [1, 2, 3, 4], lists of four texts, and one long text in a list; Python reads all of them.
#           1e300 is written as the integer 0, 2^64-1 as -1, and 5n raises. PyPI: 1e300 raises OverflowError, 1e38 does not; 2^63 raises, too.
# So:       a list works in tests with three elements.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts flatbuffers@25.9.23 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check flatbuffers==25.12.19 >/dev/null 2>&1

cat >try.js <<'JS'
const flexbuffers = require('flatbuffers/js/flexbuffers.js');
const text = (value) => typeof value === 'bigint' ? `${value}n` : JSON.stringify(value, (_, part) => typeof part === 'bigint' ? `${part}n` : part).slice(0, 30);
for (const value of [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'], [1, 2, 3, 'a'], ['x'.repeat(255)], ['x'.repeat(300)], 0.1, 1e18, 1e300, 2n ** 40n, 2n ** 64n - 1n, 5n]) {
  let data, found;
  try { data = Buffer.from(flexbuffers.encode(value)); } catch (error) { console.log(`${text(value)}\t-\tencode throws ${error.name}`); continue; }
  try { found = text(flexbuffers.toObject(new Uint8Array(data).buffer)); } catch (error) { found = `toObject throws ${error.name}`; }
  console.log(`${text(value)}\t${data.toString('hex')}\t${found}`);
}
JS
cat >try.py <<'PY'
import subprocess
from flatbuffers import flexbuffers

def attempt(call):
    try:
        return str(call())[:30]
    except Exception as error:
        return type(error).__name__

for line in subprocess.run(['node', 'try.js'], capture_output=True, text=True, check=True).stdout.splitlines():
    value, data, found = line.split('\t')
    print(f'npm {value} | {data[:24]} | {found} | Python reads {attempt(lambda: flexbuffers.Loads(bytes.fromhex(data))) if data != "-" else "-"}')
for value in 0.1, 1e38, 1e300, 2 ** 63 - 1, 2 ** 63:
    print(f'PyPI {value} | {attempt(lambda: flexbuffers.Loads(bytes(flexbuffers.Dumps(value))))}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
npm [1,2,3] | 010203034c01 | [1,2,3] | Python reads [1, 2, 3]
npm [1,2,3,4] | 01020304045801 | toObject throws RangeError | Python reads [1, 2, 3, 4]
npm [1,2,3,4,5] | 050102030405052c01 | toObject throws RangeError | Python reads [1, 2, 3, 4, 5]
npm ["a","b","c"] | 016100016200016300030907 | ["a","b","c"] | Python reads ['a', 'b', 'c']
npm ["a","b","c","d"] | 016100016200016300016400 | toObject throws RangeError | Python reads ['a', 'b', 'c', 'd']
npm [1,2,3,"a"] | 016100040102030604040414 | [1,2,3,"a"] | Python reads [1, 2, 3, 'a']
npm ["xxxxxxxxxxxxxxxxxxxxxxxxxxxx | ff7878787878787878787878 | ["xxxxxxxxxxxxxxxxxxxxxxxxxxxx | Python reads ['xxxxxxxxxxxxxxxxxxxxxxxxxxxx
npm ["xxxxxxxxxxxxxxxxxxxxxxxxxxxx | 2c0178787878787878787878 | toObject throws RangeError | Python reads ['xxxxxxxxxxxxxxxxxxxxxxxxxxxx
npm 0.1 | 9a9999999999b93f0f08 | 0.1 | Python reads 0.1
npm 1000000000000000000 | 000064a7b3b6e00d0708 | 1000000000000000000n | Python reads 1000000000000000000
npm 1e+300 | 00000000000000000708 | 0n | Python reads 0
npm 1099511627776n | 00000000000100000708 | 1099511627776n | Python reads 1099511627776
npm 18446744073709551615n | ffffffffffffffff0708 | -1n | Python reads -1
npm 5n | - | encode throws TypeError | Python reads -
PyPI 0.1 | 0.1
PyPI 1e+38 | 1e+38
PyPI 1e+300 | OverflowError
PyPI 9223372036854775807 | 9223372036854775807
PyPI 9223372036854775808 | ValueError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
