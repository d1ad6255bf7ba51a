#!/usr/bin/env bash
# PyPI omronfins 1.0.3, which reads and writes Omron controllers for gateways, returns lists of 32-bit and 64-bit values in reverse order, and announces
# too few words when it writes them.
#
# Expected (Omron, FINS Commands Reference Manual W227, memory area read and write, 0101 and 0102; CS/CJ Series Programming Manual W394, data formats): the
#           number of items of a write request to a word area is that of the words that follow. The words of a response are in the order of their
#           addresses. A value of two words has its lower word at the lower address.
# Seen:     omronfins puts the list 100000, 200000, 300000 into a write request in this order, lower words first, and reads the same words as 300000,
#           200000, 100000. Floats and 64-bit values are reversed as well; single values and lists of 16-bit values are right. The number of items, which
#           must be that of the values, or the library refuses to build the request, is 3 for six words.
# So:       the readings of three meters come under each other's names, and only the one in the middle is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q omronfins==1.0.3

cat >try.py <<'PY'
from omronfins.datacreator import DataCreator

creator = DataCreator()
creator.set_destination(0, 1)
for name, kind, values in (('16 bits', DataCreator.SHORT, [1, -2, 3]), ('32 bits', DataCreator.INT, [100000]), ('32 bits', DataCreator.INT, [100000, 200000, 300000]),
                           ('float', DataCreator.FLOAT, [1.5, 2.5]), ('64 bits', DataCreator.LONGLONG, [10 ** 12, 2 * 10 ** 12])):
    # the words that the controller keeps, which it sends back in the order of their addresses
    request = creator.command_write_mem_area(DataCreator.DM_WORD, 100, 0, len(values), [(value, kind) for value in values])
    words = request[18:]
    code, found = creator.decode_read_data(bytes(10) + bytes.fromhex('0101 0000') + words, kind)
    print(name, '| written', *values, '| items', int.from_bytes(request[16:18], 'big'), 'words', len(words) // 2, words.hex(' ', 2), '| read', found)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
16 bits | written 1 -2 3 | items 3 words 3 0001 fffe 0003 | read (1, -2, 3)
32 bits | written 100000 | items 1 words 2 86a0 0001 | read 100000
32 bits | written 100000 200000 300000 | items 3 words 6 86a0 0001 0d40 0003 93e0 0004 | read (300000, 200000, 100000)
float | written 1.5 2.5 | items 2 words 4 0000 3fc0 0000 4020 | read (2.5, 1.5)
64 bits | written 1000000000000 2000000000000 | items 2 words 8 1000 d4a5 00e8 0000 2000 a94a 01d1 0000 | read (2000000000000, 1000000000000)
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "omronfins 1.0.3: as described"
