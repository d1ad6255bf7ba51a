#!/usr/bin/env bash
# Two readers and writers of SEG-Y, the files of seismic sensors and of sensing along optical fibres: PyPI pysegy 0.5.4 writes other numbers in the
# usual format, and reads integers as floating-point numbers; segypy 0.60 cannot write this format; both misread files with extended headers. Beside
# PyPI segyio 1.9.14.
#
# Expected (SEG-Y rev 1, Binary File Header and Appendix E, Data Word Formats): the code in bytes 3225 and 3226 says what a sample is: 1 a
#           floating-point number of IBM, 2 an integer of 32 bits, 3 one of 16, 5 IEEE, 8 an integer of 8 bits. The fraction of IBM numbers is below 1
#           and counts in powers of 16 with an excess of 64: 1.0 is 41100000. Bytes 3505 and 3506 are the number of records of 3200 octets that stand
#           before the first trace.
# Seen:     pysegy writes IBM numbers without their first hexadecimal digit: 1 and 16 as 0, 100 as 4, 15.9 as 0.9, -1000 as -232. It takes all codes
#           but 1 for IEEE and all samples for four octets. segypy raises an error for writing code 1, for reading code 8 in most files, and ends the
#           program (SystemExit) at revision 2. With one extended header, pysegy returns its text as traces in front of them, segypy raises an error.
# So:       a file that went through pysegy has no amplitudes any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check pysegy==0.5.4 segypy==0.60 segyio==1.9.14 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'PY'
import contextlib
import io
import struct
import numpy
import pysegy
import segyio
import segypy.segypy
segypy.segypy.verbose = -10

def of_ibm(value):
    sign, value, exponent = 0x80 * (value < 0), abs(value), 64
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while 0 < value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    return struct.pack('>I', (sign | exponent) << 24 | int(value * 2 ** 24) if value else 0)

def packed(code, values):
    return b''.join(map(of_ibm, values)) if code == 1 else struct.pack(f'>{len(values)}{ {2: "i", 3: "h", 5: "f", 8: "b"}[code] }', *values)

def write(code, traces, revision=1, extended=0):
    header = bytearray(400)
    for at, value in ((16, 2000), (20, len(traces[0])), (24, code), (300, revision << 8), (302, 1), (304, extended)):
        struct.pack_into('>h', header, at, value)
    with open('line.sgy', 'wb') as file:
        file.write(b'C 1'.ljust(3200) + header + b'((SEG: EndText))'.ljust(3200) * extended)
        for number, trace in enumerate(traces, 1):
            head = bytearray(240)
            struct.pack_into('>ii', head, 0, number, number)
            struct.pack_into('>hh', head, 114, len(trace), 2000)
            file.write(head + packed(code, trace))

def with_segyio():
    with segyio.open('line.sgy', ignore_geometry=True) as file:
        return [trace.tolist() for trace in file.trace[:]]

def with_pysegy():
    return pysegy.segy_read('line.sgy', workers=1).data.T.tolist()

def with_segypy():
    with contextlib.redirect_stdout(io.StringIO()):
        return numpy.array(segypy.segypy.readSegy('line.sgy')[0]).T.tolist()

def tried(read):
    try:
        traces = read()
        return f'{len(traces)} traces, the first one ' + ' '.join(f'{value:.4g}' for value in traces[0])
    except BaseException as error:
        return f'raises {type(error).__name__}'

FILES = (('IBM', dict(code=1, traces=[[1, -2.5, 100, 7]] * 3)), ('IEEE', dict(code=5, traces=[[1, -2.5, 100, 7]] * 3)), ('IEEE, revision 2', dict(code=5, traces=[[1, -2.5, 100, 7]] * 3, revision=2)),
         ('integers of 32 bits', dict(code=2, traces=[[1, -2, 100, 7]] * 3)), ('integers of 16 bits', dict(code=3, traces=[[1, -2, 100, 7]] * 3)),
         ('integers of 8 bits', dict(code=8, traces=[[1, -2, 100, 7]] * 3)), ('IEEE, one extended header', dict(code=5, traces=[[1, -2.5, 100, 7]] * 20, extended=1)))
for title, options in FILES:
    write(**options)
    for library, read in (('segyio', with_segyio), ('pysegy', with_pysegy), ('segypy', with_segypy)):
        print(title, '|', library, '|', tried(read))
for value in (1, -2.5, 100, 0.5, 15.9, 16, -1000):
    written = pysegy.ibm.ieee_to_ibm(value)
    print(f'{value} in IBM format | expected {of_ibm(value).hex()} | pysegy {written.hex()}, which is {pysegy.ibm.ibm_to_ieee(written):.6g}')

def write_with_segypy():
    header = segypy.segypy.getDefaultSegyHeader(1, 2)
    header['DataSampleFormat'] = 1
    segypy.segypy.writeSegyStructure('written.sgy', numpy.ones((2, 1)), header, segypy.segypy.getDefaultSegyTraceHeaders(1, 2, 1000))
    return [[0]]
print('writing IBM format with segypy |', tried(write_with_segypy))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
IBM | segyio | 3 traces, the first one 1 -2.5 100 7
IBM | pysegy | 3 traces, the first one 1 -2.5 100 7
IBM | segypy | 3 traces, the first one 1 -2.5 100 7
IEEE | segyio | 3 traces, the first one 1 -2.5 100 7
IEEE | pysegy | 3 traces, the first one 1 -2.5 100 7
IEEE | segypy | 3 traces, the first one 1 -2.5 100 7
IEEE, revision 2 | segyio | 3 traces, the first one 1 -2.5 100 7
IEEE, revision 2 | pysegy | 3 traces, the first one 1 -2.5 100 7
IEEE, revision 2 | segypy | raises SystemExit
integers of 32 bits | segyio | 3 traces, the first one 1 -2 100 7
integers of 32 bits | pysegy | 3 traces, the first one 1.401e-45 nan 1.401e-43 9.809e-45
integers of 32 bits | segypy | 3 traces, the first one 1 -2 100 7
integers of 16 bits | segyio | 3 traces, the first one 1 -2 100 7
integers of 16 bits | pysegy | 2 traces, the first one 1.837e-40 9.184e-39 2.803e-45 2.803e-45
integers of 16 bits | segypy | 3 traces, the first one 1 -2 100 7
integers of 8 bits | segyio | 3 traces, the first one 1 -2 100 7
integers of 8 bits | pysegy | 2 traces, the first one 9.345e-38 2.803e-45 2.803e-45 0
integers of 8 bits | segypy | raises IndexError
IEEE, one extended header | segyio | 20 traces, the first one 1 -2.5 100 7
IEEE, one extended header | pysegy | 32 traces, the first one 1.356e-19 1.356e-19 1.356e-19 1.356e-19
IEEE, one extended header | segypy | raises ValueError
1 in IBM format | expected 41100000 | pysegy 40000000, which is 0
-2.5 in IBM format | expected c1280000 | pysegy c0800000, which is -0.5
100 in IBM format | expected 42640000 | pysegy 41400000, which is 4
0.5 in IBM format | expected 40800000 | pysegy 3f000000, which is 0
15.9 in IBM format | expected 41fe6666 | pysegy 40e66666, which is 0.9
16 in IBM format | expected 42100000 | pysegy 41000000, which is 0
-1000 in IBM format | expected c33e8000 | pysegy c2e80000, which is -232
writing IBM format with segypy | raises error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
