#!/usr/bin/env bash
# PyPI bjdata 0.6.6, which packs measurements of brain and light sensors as binary JSON (BJData), mixes up the elements of matrices that numpy does
# not keep row by row, swaps the octets of big-endian arrays, and reads half-precision numbers as integers.
#
# Expected (Binary JData format specification, Draft 2, Value types and Optimized N-dimensional array): h is a floating-point number of 16 bits (IEEE
#           754); numbers are little-endian, alone and in arrays. The elements of an array with dimensions in brackets are in row-major order. T and F
#           are true and false.
# Seen:     the memory of an array is written as it is: a transposed matrix of 1 2 3, 4 5 6 comes back as 1 4 2, 5 3 6, and its first and third column
#           as 1 2, 3 4, without an error. Of big-endian arrays, 1 comes back as 256 and 1.5 as 6.9e-41. h alone gives its bits as an integer, 1.0 as
#           15360, while it is a float in an array with a type. Arrays of true and false come back as 1 and 0.
# So:       each channel of a recording has samples of others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check bjdata==0.6.6 numpy==1.26.4 >/dev/null 2>&1

cat >try.py <<'PY'
import bjdata
import numpy

def shown(value):
    return f'{value.dtype} {value.tolist()}' if isinstance(value, numpy.ndarray) else f'{type(value).__name__} {value}'

for octets, right in (('68003c', '1.0'), ('68003e', '1.5'), ('5b6800c05d', '[-2.0]'), ('5b2468235502003c003e', '[1.0, 1.5]'), ('64' '0000c03f', '1.5')):
    print(octets, '| expected', right, '| seen', shown(bjdata.loadb(bytes.fromhex(octets))))
MATRIX = numpy.array([[1, 2, 3], [4, 5, 6]], dtype='u1')
for title, value in (('float16 1.5', numpy.float16(1.5)), ('float32 1.5', numpy.float32(1.5)), ('float16 array', numpy.array([1.5], dtype='<f2')), ('uint16 array', numpy.array([1, 2], dtype='<u2')),
                     ('big-endian uint16 array', numpy.array([1, 2], dtype='>u2')), ('big-endian float32 array', numpy.array([1.5], dtype='>f4')), ('big-endian float64 array', numpy.array([1.5], dtype='>f8')),
                     ('matrix', MATRIX), ('matrix, transposed twice', numpy.ascontiguousarray(MATRIX.T).T), ('every second column of a matrix', MATRIX[:, ::2]), ('true, false', numpy.array([True, False]))):
    try:
        packed = bjdata.dumpb(value)
        found = f'{packed.hex()} | {shown(bjdata.loadb(packed))}'
    except BufferError:
        found = 'raises BufferError'
    print(title, numpy.asarray(value).tolist(), '|', found)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
68003c | expected 1.0 | seen int 15360
68003e | expected 1.5 | seen int 15872
5b6800c05d | expected [-2.0] | seen list [49152]
5b2468235502003c003e | expected [1.0, 1.5] | seen float16 [1.0, 1.5]
640000c03f | expected 1.5 | seen float 1.5
float16 1.5 1.5 | 68003e | int 15872
float32 1.5 1.5 | 640000c03f | float 1.5
float16 array [1.5] | 5b2468235b55015d003e | float16 [1.5]
uint16 array [1, 2] | 5b2475235b55025d01000200 | uint16 [1, 2]
big-endian uint16 array [1, 2] | 5b2475235b55025d00010002 | uint16 [256, 512]
big-endian float32 array [1.5] | 5b2464235b55015d3fc00000 | float32 [6.896490392174587e-41]
big-endian float64 array [1.5] | 5b2444235b55015d3ff8000000000000 | float64 [3.13984e-319]
matrix [[1, 2, 3], [4, 5, 6]] | 5b2455235b550255035d010203040506 | uint8 [[1, 2, 3], [4, 5, 6]]
matrix, transposed twice [[1, 2, 3], [4, 5, 6]] | 5b2455235b550255035d010402050306 | uint8 [[1, 4, 2], [5, 3, 6]]
every second column of a matrix [[1, 3], [4, 6]] | 5b2455235b550255025d01020304 | uint8 [[1, 2], [3, 4]]
true, false [True, False] | 5b2455235b55025d0100 | uint8 [1, 0]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
