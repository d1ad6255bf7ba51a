#!/usr/bin/env bash
# Two readers of ASTERIX, the format of radars and airport surveillance: PyPI asterix4py 1.0.6 decodes data blocks with the definitions of another category
# and fails at valid items, pyasteryx 0.3.0 keeps one of several warnings. Beside PyPI pyobelix 0.1.0.
#
# Expected (EUROCONTROL, ASTERIX part 1): a message may have several data blocks, each with its category and its length, which counts the three octets of
#           both. (Part 4, category 048) I048/030, warnings, goes on as long as bit FX is set, with one code in each octet. I048/130 has
#           subfields for the primary plot (PRL, PAM) and differences between both radars (RPD, APD).
# Seen:     asterix4py decodes a block of category 034 behind one of 048 as 048: the north marker has an aircraft at 0.35 degrees. If the first block
#           has a category that it does not know, it gives nothing of the second. At three warnings it raises IndexError, and ValueError for
#           I048/130 with PAM. pyasteryx gives the last of three warnings only. pyobelix gives what was sent in all cases.
# So:       a radar that sends its tracks and its north markers in one datagram has targets that do not exist, or none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q asterix4py==1.0.6 pyasteryx==0.3.0 pyobelix==0.1.0

cat >try.py <<'PY'
import asterix4py, pyasteryx, pyobelix

def record(items):
    """A record of items by field reference number, with its field specification."""
    size = (max(items) - 1) // 7 + 1
    bits = bytearray(1 if index < size - 1 else 0 for index in range(size))
    for number in items:
        bits[(number - 1) // 7] |= 0x80 >> (number - 1) % 7
    return bytes(bits) + b''.join(items[number] for number in sorted(items))

def block(category, items):
    body = record(items)
    return bytes([category]) + (3 + len(body)).to_bytes(2, 'big') + body

NOON = (12 * 3600 * 128).to_bytes(3, 'big')
SOURCE = bytes([25, 10])

def target(**items):
    """A block of category 048: source, time, a plot of the primary radar, and more items."""
    return block(48, {1: SOURCE, 2: NOON, 3: b'\x20', **{int(name[1:]): data for name, data in items.items()}})

NORTH = block(34, {1: SOURCE, 2: b'\2', 3: NOON, 4: b'\x40'})
LEVEL = target(_6=(400).to_bytes(2, 'big'))
CASES = {
    '048': LEVEL,
    '048, then 034': LEVEL + NORTH,
    '034, then 048': NORTH + LEVEL,
    'one warning': target(_16=bytes([2 << 1])),
    'three warnings': target(_16=bytes([1 << 1 | 1, 2 << 1 | 1, 16 << 1])),
    'plot of secondary radar': target(_7=bytes([0x80, 20])),
    'plot of both': target(_7=bytes([0x9e, 20, 30, 256 - 70, 256 - 128, 127])),
}

def read_asterix4py(data):
    wanted = {'090': 'FL', '040': 'THETA', '030': 'WE', '130': 'PAM'}
    return [f'{item["cat"]:03}' + ''.join(f' {name} {item[key].get(name)}' for key, name in wanted.items() if key in item)
            for item in asterix4py.AsterixParser(data).get_result().values()]

def read_pyasteryx(data):
    wanted = ('I048/090', 'I048/040', 'I048/030', 'I048/130')
    return [f'{message.category:03}' + ''.join(f' {message.items[key]}' for key in wanted if key in message.items) for message in pyasteryx.Decoder().decode(data)]

def read_pyobelix(data):
    wanted = ('flight_level', 'theta', 'codes', 'primary_amplitude_dbm', 'azimuth_difference_deg', 'sector_number_deg')
    return [f'{found["cat"]:03}' + ''.join(f' {key} {found[key]}' for key in wanted if key in found) for found in pyobelix.iter_records(data)]

for name, data in CASES.items():
    for package, read in (('pyobelix', read_pyobelix), ('asterix4py', read_asterix4py), ('pyasteryx', read_pyasteryx)):
        if package == 'pyasteryx' and '034' in name:
            continue  # it has no definitions of category 034, and says so
        try:
            seen = '; '.join(read(data)) or 'nothing'
        except (IndexError, ValueError) as error:
            seen = type(error).__name__
        print(package, '|', name, '|', seen)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
pyobelix | 048 | 048 flight_level 100.0
asterix4py | 048 | 048 FL 100.0
pyasteryx | 048 | 048 {'V': 0, 'G': 0, 'FL': 100.0}
pyobelix | 048, then 034 | 048 flight_level 100.0; 034 sector_number_deg 90.0
asterix4py | 048, then 034 | 048 FL 100.0; 048 THETA 0.3515625
pyobelix | 034, then 048 | 034 sector_number_deg 90.0; 048 flight_level 100.0
asterix4py | 034, then 048 | nothing
pyobelix | one warning | 048 codes [2]
asterix4py | one warning | 048 WE 2
pyasteryx | one warning | 048 {'WE': 2}
pyobelix | three warnings | 048 codes [1, 2, 16]
asterix4py | three warnings | IndexError
pyasteryx | three warnings | 048 {'WE': 16}
pyobelix | plot of secondary radar | 048
asterix4py | plot of secondary radar | 048 PAM None
pyasteryx | plot of secondary radar | 048 {'SRLP': {'SRL': 0.87890625}}
pyobelix | plot of both | 048 primary_amplitude_dbm -70 azimuth_difference_deg 2.79052734375
asterix4py | plot of both | 048 PAM -70.0
pyasteryx | plot of both | 048 {'SRLP': {'SRL': 0.87890625}, 'PRLP': {'PRL': 1.318359375}, 'PAMP': {'PAM': -70}, 'RPDP': {'RPD': -0.5}, 'APDP': {'APD': 2.79052734375}}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "asterix4py 1.0.6, pyasteryx 0.3.0: as described"
