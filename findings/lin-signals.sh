#!/usr/bin/env bash
# PyPI ldfparser 0.26.0, which reads the descriptions of LIN networks (LDF) and the frames of sensors and motors in vehicles, turns a letter into
# zeros, and fails for texts, decimal digits and arrays.
#
# Expected (LIN 2.1, 9.2.6.1; ISO 17987-2, signal encoding types): a signal may be represented by logical values, physical ranges, bcd_value or
#           ascii_value. (9.2.3.1) A signal with an initial value in braces is a byte array, of which each octet is a value of its own.
# Seen:     decode gives 65 characters of code 0 for the letter A, and raises TypeError for a byte array of BCD digits, so that the other signals of
#           its frame are lost, too. encode raises TypeError for a text, for a letter and for digits; encode_raw does so for a list with an array.
#           Lists of octets by name are right, as are physical and logical values.
# So:       a part number in a frame makes the whole frame unreadable.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check ldfparser==0.26.0 >/dev/null 2>&1

cat >door.ldf <<'LDF'
LIN_description_file;
LIN_protocol_version = "2.1";
LIN_language_version = "2.1";
LIN_speed = 19.2 kbps;
Nodes { Master: Control, 5 ms, 0.1 ms; Slaves: Door; }
Signals {
  Letter: 8, 0x20, Door, Control;
  Temperature: 10, 0, Door, Control;
  State: 2, 0, Door, Control;
  Count: 24, {0, 0, 0}, Door, Control;
  Lock: 2, 0, Door, Control;
  Name: 16, {0x20, 0x20}, Control, Door;
}
Frames {
  First: 1, Door, 3 { Letter, 0; Temperature, 8; State, 18; }
  Second: 2, Door, 4 { Count, 0; Lock, 24; }
  Third: 3, Control, 2 { Name, 0; }
}
Node_attributes { Door { LIN_protocol = "2.1"; configured_NAD = 1; initial_NAD = 1; product_id = 0x7FFE, 1, 0; response_error = State; P2_min = 50 ms; ST_min = 0 ms;
  configurable_frames { First; Second; Third; } } }
Schedule_tables { Usual { First delay 10 ms; Second delay 10 ms; Third delay 10 ms; } }
Signal_encoding_types {
  Text { ascii_value; }
  Digits { bcd_value; }
  Degrees { logical_value, 1023, "unknown"; physical_value, 0, 1000, 0.1, -40, "degC"; }
  Switch { logical_value, 0, "off"; logical_value, 1, "on"; }
}
Signal_representation { Text: Letter, Name; Digits: Count; Degrees: Temperature; Switch: State, Lock; }
LDF
cat >try.py <<'PY'
from ldfparser import parse_ldf
network = parse_ldf('door.ldf')

def tried(action):
    try:
        return action()
    except TypeError:
        return 'raises TypeError'

def shorten(values):
    return ', '.join(f'{name} {value}' if not isinstance(value, str) or value.isprintable() else f'{name} {len(value)} characters of code {ord(value[0])}' for name, value in values.items())

for frame, octets, right in (('First', '418a06', 'Letter A, Temperature 25.0, State on'), ('Second', '01020301', 'Count as digits, Lock on')):
    found = network.get_frame(frame)
    print(frame, octets, '| expected', right, '| decode_raw', shorten(found.decode_raw(bytes.fromhex(octets))), '| decode', tried(lambda: shorten(found.decode(bytes.fromhex(octets)))))
for frame, values, right in (('First', {'Temperature': 25.0, 'State': 'on'}, '208a06'), ('First', {'Letter': 'A'}, '410000'), ('Second', {'Count': 123}, 'octets of digits'), ('Second', {'Count': [1, 2, 3]}, '01020300'),
                             ('Third', {'Name': 'AB'}, '4142'), ('Third', {'Name': [0x41, 0x42]}, '4142')):
    print(frame, values, '| expected', right, '| encode', tried(lambda: network.get_frame(frame).encode(values).hex()))
print('Third [[65, 66]] | expected 4142 | encode_raw', tried(lambda: network.get_frame('Third').encode_raw([[65, 66]]).hex()))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
First 418a06 | expected Letter A, Temperature 25.0, State on | decode_raw Letter 65, Temperature 650, State 1 | decode Letter 65 characters of code 0, Temperature 25.0, State on
Second 01020301 | expected Count as digits, Lock on | decode_raw Count [1, 2, 3], Lock 1 | decode raises TypeError
First {'Temperature': 25.0, 'State': 'on'} | expected 208a06 | encode 208a06
First {'Letter': 'A'} | expected 410000 | encode raises TypeError
Second {'Count': 123} | expected octets of digits | encode raises TypeError
Second {'Count': [1, 2, 3]} | expected 01020300 | encode 01020300
Third {'Name': 'AB'} | expected 4142 | encode raises TypeError
Third {'Name': [65, 66]} | expected 4142 | encode 4142
Third [[65, 66]] | expected 4142 | encode_raw raises TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
