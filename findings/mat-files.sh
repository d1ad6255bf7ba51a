#!/usr/bin/env bash
# Two readers of MAT-files, in which test benches and MATLAB keep measurements: PyPI mat4py 0.6.0 swaps the elements of cell and structure arrays, npm
# mat-for-js 1.1.0 cuts names and loses variables of files in big-endian order, and neither reads text of 16-bit characters.
#
# Expected (MathWorks, MAT-File Format, Level 5): cell and structure arrays are stored column by column, as numeric ones are (Cell Array and Structure
#           Data Element Formats). The tag of a small element is one 32-bit word with the number of octets in the upper half and the type in the lower
#           one, in the byte order of the file (Small Data Element Format). Text is UTF-8, UTF-16, UTF-32 or 16-bit integers (MAT-File Data Types,
#           Character Arrays).
# Seen:     mat4py fills cell and structure arrays row by row, so that {1 2; 3 4} is {1 3; 2 4}, and a cell array of 2 x 3 has other neighbours; it
#           raises an error for text that is not UTF-8. mat-for-js takes the halves in the order of a little-endian file: in big-endian files, t1 and
#           t2 are both t, so that one is lost, texts and structures throw, and int16 -2 is 65534; 16-bit text throws or is a list of numbers.
# So:       limits of a cell array are assigned to the wrong channels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mat-for-js@1.1.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check mat4py==0.6.0 >/dev/null 2>&1

cat >try.py <<'PY'
import struct
from mat4py import loadmat

class Writer:
    def __init__(self, order):
        self.order = order

    def words(self, kind, values):
        return struct.pack(f'{self.order}{len(values)}{kind}', *values)

    def element(self, kind, data):
        if 0 < len(data) <= 4:
            return self.words('I', [len(data) << 16 | kind]) + data.ljust(4, b'\0')
        return self.words('I', [kind, len(data)]) + data + b'\0' * (-len(data) % 8)

    def matrix(self, name, kind, shape, content):
        body = self.element(6, self.words('I', [kind, 0])) + self.element(5, self.words('i', shape)) + self.element(1, name.encode()) + content
        return self.words('I', [14, len(body)]) + body

    def number(self, value, name=''):
        return self.matrix(name, 6, (1, 1), self.element(9, self.words('d', [value])))

    def structure(self, name, shape, field, values):
        return self.matrix(name, 2, shape, self.element(5, self.words('i', [8])) + self.element(1, field.encode().ljust(8, b'\0')) + b''.join(map(self.number, values)))

    def files(self):
        cells = lambda name, shape, values: self.matrix(name, 1, shape, b''.join(map(self.number, values)))
        return (
            ('numbers t1 = 1, t2 = 2', self.number(1, 't1') + self.number(2, 't2')),
            ('int16 x = [1 -2]', self.matrix('x', 10, (1, 2), self.element(3, self.words('h', [1, -2])))),
            ('matrix x = [1 2; 3 4]', self.matrix('x', 6, (2, 2), self.element(9, self.words('d', [1, 3, 2, 4])))),
            ('cells x = {1 2; 3 4}', cells('x', (2, 2), [1, 3, 2, 4])),
            ('cells x = {1 2 3; 4 5 6}', cells('x', (2, 3), [1, 4, 2, 5, 3, 6])),
            ('structures x.a = 1 2; 3 4', self.structure('x', (2, 2), 'a', [1, 3, 2, 4])),
            ('text x = ab, UTF-8', self.matrix('x', 4, (1, 2), self.element(16, b'ab'))),
            ('text x = ab, UTF-16', self.matrix('x', 4, (1, 2), self.element(17, self.words('H', b'ab')))),
            ('text x = ab, 16-bit integers', self.matrix('x', 4, (1, 2), self.element(4, self.words('H', b'ab')))),
        )

number = 10
for order, text in (('<', 'little-endian'), ('>', 'big-endian')):
    writer = Writer(order)
    for title, content in writer.files():
        number += 1
        with open(f'{number}.mat', 'wb') as file:
            file.write(b'MATLAB 5.0 MAT-file'.ljust(116) + bytes(8) + writer.words('H', [0x100, 0x4D49]) + content)
        with open(f'{number}.txt', 'w') as file:
            file.write(f'{text} | {title}')
        try:
            found = loadmat(f'{number}.mat')
        except Exception as error:
            found = f'raises {type(error).__name__}'
        print(f'{text} | {title} | mat4py | {found}')
PY
env/bin/python try.py | tee seen
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { read } from 'mat-for-js';
for (let number = 11; number < 29; number += 1) {
  const octets = readFileSync(`${number}.mat`);
  let found;
  try { found = JSON.stringify(read(octets.buffer.slice(octets.byteOffset, octets.byteOffset + octets.length)).data); } catch (error) { found = `throws ${error.name}`; }
  console.log(`${readFileSync(`${number}.txt`, 'utf8')} | mat-for-js | ${found}`);
}
JS
node try.mjs | tee -a seen
cat >expected <<'TEXT'
little-endian | numbers t1 = 1, t2 = 2 | mat4py | {'t1': 1.0, 't2': 2.0}
little-endian | int16 x = [1 -2] | mat4py | {'x': [1, -2]}
little-endian | matrix x = [1 2; 3 4] | mat4py | {'x': [[1.0, 2.0], [3.0, 4.0]]}
little-endian | cells x = {1 2; 3 4} | mat4py | {'x': [[1.0, 3.0], [2.0, 4.0]]}
little-endian | cells x = {1 2 3; 4 5 6} | mat4py | {'x': [[1.0, 4.0, 2.0], [5.0, 3.0, 6.0]]}
little-endian | structures x.a = 1 2; 3 4 | mat4py | {'x': {'a': [[1.0, 3.0], [2.0, 4.0]]}}
little-endian | text x = ab, UTF-8 | mat4py | {'x': 'ab'}
little-endian | text x = ab, UTF-16 | mat4py | raises ParseError
little-endian | text x = ab, 16-bit integers | mat4py | raises ParseError
big-endian | numbers t1 = 1, t2 = 2 | mat4py | {'t1': 1.0, 't2': 2.0}
big-endian | int16 x = [1 -2] | mat4py | {'x': [1, -2]}
big-endian | matrix x = [1 2; 3 4] | mat4py | {'x': [[1.0, 2.0], [3.0, 4.0]]}
big-endian | cells x = {1 2; 3 4} | mat4py | {'x': [[1.0, 3.0], [2.0, 4.0]]}
big-endian | cells x = {1 2 3; 4 5 6} | mat4py | {'x': [[1.0, 4.0, 2.0], [5.0, 3.0, 6.0]]}
big-endian | structures x.a = 1 2; 3 4 | mat4py | {'x': {'a': [[1.0, 3.0], [2.0, 4.0]]}}
big-endian | text x = ab, UTF-8 | mat4py | {'x': 'ab'}
big-endian | text x = ab, UTF-16 | mat4py | raises ParseError
big-endian | text x = ab, 16-bit integers | mat4py | raises ParseError
little-endian | numbers t1 = 1, t2 = 2 | mat-for-js | {"t1":[1],"t2":[2]}
little-endian | int16 x = [1 -2] | mat-for-js | {"x":[1,-2]}
little-endian | matrix x = [1 2; 3 4] | mat-for-js | {"x":[[1,2],[3,4]]}
little-endian | cells x = {1 2; 3 4} | mat-for-js | {"x":[[[1],[2]],[[3],[4]]]}
little-endian | cells x = {1 2 3; 4 5 6} | mat-for-js | {"x":[[[1],[2],[3]],[[4],[5],[6]]]}
little-endian | structures x.a = 1 2; 3 4 | mat-for-js | {"x":[[{"a":[1]},{"a":[2]}],[{"a":[3]},{"a":[4]}]]}
little-endian | text x = ab, UTF-8 | mat-for-js | {"x":"ab"}
little-endian | text x = ab, UTF-16 | mat-for-js | throws RangeError
little-endian | text x = ab, 16-bit integers | mat-for-js | {"x":[97,98]}
big-endian | numbers t1 = 1, t2 = 2 | mat-for-js | {"t":[2]}
big-endian | int16 x = [1 -2] | mat-for-js | {"x":[1,65534]}
big-endian | matrix x = [1 2; 3 4] | mat-for-js | {"x":[[1,2],[3,4]]}
big-endian | cells x = {1 2; 3 4} | mat-for-js | {"x":[[[1],[2]],[[3],[4]]]}
big-endian | cells x = {1 2 3; 4 5 6} | mat-for-js | {"x":[[[1],[2],[3]],[[4],[5],[6]]]}
big-endian | structures x.a = 1 2; 3 4 | mat-for-js | throws FormatError
big-endian | text x = ab, UTF-8 | mat-for-js | throws RangeError
big-endian | text x = ab, UTF-16 | mat-for-js | throws RangeError
big-endian | text x = ab, 16-bit integers | mat-for-js | {"x":[97,98]}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
