#!/usr/bin/env bash
# PyPI hart-protocol 2023.6.0, which reads and writes HART, the protocol of process instruments, writes eight characters of each text into them and
# drops values and messages that it receives, beside PyPI hartip-py 0.5.0.
#
# Expected (HART Universal Command Specification, HCF_SPEC-127; Command Summary Specification, HCF_SPEC-99, packed ASCII): command 17 writes a message
#           of 32 characters in 24 octets, command 18 a tag of 8 characters and a descriptor of 16, with four characters in three octets. The response
#           to command 3 has up to four variables. Command 19 is answered with the final assembly number in three octets, like command 16.
#           (Token-Passing Data Link Layer Specification, HCF_SPEC-81) A message that a device in burst mode sends begins with 81 or 01.
# Seen:     the message "SERVICE DUE 2027-03 CALL STATION" is written as 24 times @ and " STATION", a message of up to 24 characters as 24 times @ and
#           spaces; of the descriptor "FLOW NORTH LINE" the first half is @. The third and fourth variable are missing, the number 74565 of command 19
#           is 291, and burst messages give nothing. Tags of eight characters, commands 1, 2 and 16 are right. The texts of commands 12 and 13 are
#           given as packed octets.
# So:       writing a short note erases the message of the device, without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q hart-protocol==2023.6.0 hartip-py==0.5.0

cat >try.py <<'PY'
import functools, io, operator, struct
from hart_protocol import Unpacker, tools, universal
from hartip.ascii import pack_ascii, unpack_ascii
from hartip.device import parse_cmd3

ADDRESS = tools.calculate_long_address(0x26, 6, bytes.fromhex('123456'))
checksum = lambda data: bytes([functools.reduce(operator.xor, data)])

for text in 'FT-101', 'FLOW NORTH LINE', 'SERVICE DUE 2027-03 CALL STATION', 'TANK 4':
    message = universal.write_message(ADDRESS, text)
    print('message', repr(text), '| hart-protocol', repr(unpack_ascii(message[13:37])), '| hartip-py', repr(unpack_ascii(pack_ascii(text.ljust(32)))))
command = universal.write_tag_descriptor_date(ADDRESS, 'FT-101', 'FLOW NORTH LINE', (30, 11, 126))
print('tag', repr(unpack_ascii(command[13:19])), 'descriptor', repr(unpack_ascii(command[19:31])), 'date', *command[31:34])

class Port(io.BytesIO):
    in_waiting = property(lambda self: len(self.getvalue()) - self.tell())

def read(start, number, data):
    frame = bytes([start]) + bytes.fromhex('a606123456') + bytes([number, len(data) + 2, 0, 0]) + data
    hidden = 'full_response', 'address', 'device_status', 'response_code', 'command', 'bytecount', 'data'
    return [' '.join(f'{name}={value}' for name, value in found._asdict().items() if name not in hidden)
            for found in Unpacker(Port(b'\xff' * 5 + frame + checksum(frame)))]

variables = struct.pack('>fBfBfBfBf', 12.0, 39, 21.5, 32, 55.25, 57, 1.5, 7, 3.25)
print('command 3 | hart-protocol', *read(0x86, 3, variables), '| hartip-py', *[part.value for part in parse_cmd3(variables)['variables']])
print('command 1 |', *read(0x86, 1, struct.pack('>Bf', 39, 21.5)))
print('command 1, burst |', *read(0x81, 1, struct.pack('>Bf', 39, 21.5)))
for number in 16, 19:
    print('command', number, '|', *read(0x86, number, (74565).to_bytes(3, 'big')))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
message 'FT-101' | hart-protocol '@@@@@@@@@@@@@@@@@@@@@@@@' | hartip-py 'FT-101'
message 'FLOW NORTH LINE' | hart-protocol '@@@@@@@@@@@@@@@@@@@@@@@@' | hartip-py 'FLOW NORTH LINE'
message 'SERVICE DUE 2027-03 CALL STATION' | hart-protocol '@@@@@@@@@@@@@@@@@@@@@@@@ STATION' | hartip-py 'SERVICE DUE 2027-03 CALL STATION'
message 'TANK 4' | hart-protocol '@@@@@@@@@@@@@@@@@@@@@@@@' | hartip-py 'TANK 4'
tag 'FT-101' descriptor '@@@@@@@@TH LINE' date 30 11 126
command 3 | hart-protocol command_name=read_dynamic_variables_and_loop_current analog_signal=12.0 primary_variable_units=39 primary_variable=21.5 secondary_variable_units=32 secondary_variable=55.25 | hartip-py 21.5 55.25 1.5 3.25
command 1 | command_name=read_primary_variable primary_variable_units=39 primary_variable=21.5
command 1, burst |
command 16 | command_name=read_final_assembly_number final_assembly_no=74565
command 19 | command_name=write_final_assembly_number final_assembly_no=291
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "hart-protocol 2023.6.0: as described"
