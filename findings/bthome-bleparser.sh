#!/usr/bin/env bash
# PyPI bleparser 3.7.3, which gateways from Bluetooth to MQTT use, mixes up objects of BTHome v2 and cannot decrypt events, beside PyPI bthome-ble 3.17.0.
#
# Expected (BTHome v2, format and encryption): object 01 is the battery in percent, 15 the binary state of a battery, which is 1 if it is low; 14 and 20
#           are moisture in percent and as a state, 02 and 45 temperatures of different resolution. A packet id (00) is 0 to 255. In the
#           device information octet, bit 2 says that the device sends on events only; the nonce of the encryption has this octet as it was sent.
# Seen:     bleparser gives all of these pairs one name, and the last one wins: a battery of 100 % that is not low is 0 %, moist soil of 48.6 % that is
#           not wet is 0 %. The packet id 0 is "no packet id". It decrypts with the octet 41 only, so an encrypted event (45) gives nothing.
#           bthome-ble gives both objects, each packet id and the event.
# So:       a full battery raises an alarm, and encrypted buttons and door sensors, which send on events, are silent while encrypted thermometers work.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv parser
python3 -m venv reference
parser/bin/pip install -q bleparser==3.7.3
reference/bin/pip install -q bthome-ble==3.17.0

cat >cases.py <<'PY'
MAC = bytes.fromhex('5448e68f80a5')
KEY = bytes.fromhex('231d39c1d7cc1ab1aee224cd096db932')
# Service data after the UUID. The encrypted ones are written by bleparser's process, with the nonce of the specification.
PLAIN = {
    'battery 100 %': '400164',
    'battery 100 %, not low': '4001641500',
    'moisture 48.6 %, not wet': '4014fc122000',
    'temperatures 25.06 and 27.3': '4002ca09451101',
    'packet id 1, battery 100 %': '4000010164',
    'packet id 0, battery 100 %': '4000000164',
}
SECRET = {'encrypted temperature 25.06 (41)': (0x41, '02ca09'), 'encrypted button (45)': (0x45, '3a01')}
PY
cat >parse.py <<'PY'
import json, logging
from bleparser import BleParser
from Cryptodome.Cipher import AES
from cases import KEY, MAC, PLAIN, SECRET

logging.disable(logging.CRITICAL)
cases = dict(PLAIN)
for name, (information, plain) in SECRET.items():
    counter = bytes([0, 0x11, 0x22, 0x33])
    cipher = AES.new(KEY, AES.MODE_CCM, nonce=MAC + b'\xd2\xfc' + bytes([information]) + counter, mac_len=4)
    encrypted, tag = cipher.encrypt_and_digest(bytes.fromhex(plain))
    cases[name] = (bytes([information]) + encrypted + counter + tag).hex()
json.dump(cases, open('cases.json', 'w'))
for name, data in cases.items():
    service = b'\xd2\xfc' + bytes.fromhex(data)
    advertisement = bytes([2, 1, 6, len(service) + 1, 0x16]) + service
    packet = bytes([4, 0x3e, len(advertisement) + 12, 2, 1, 0, 0]) + MAC[::-1] + bytes([len(advertisement)]) + advertisement + b'\xc4'
    found, _ = BleParser(discovery=True, filter_duplicates=False, aeskeys={MAC: KEY}).parse_raw_data(packet)
    shown = ('battery', 'moisture', 'temperature', 'button') + (('packet',) if 'packet' in name else ())
    print('bleparser |', name, '|', ', '.join(f'{key} {found[key]}' for key in shown if found and key in found) or 'nothing')
PY
cat >reference.py <<'PY'
import json, logging
from bthome_ble import BTHomeBluetoothDeviceData
from habluetooth import BluetoothServiceInfoBleak
from cases import KEY, MAC

logging.disable(logging.CRITICAL)
for name, data in json.load(open('cases.json')).items():
    device = BTHomeBluetoothDeviceData(bindkey=KEY if 'encrypted' in name else None)
    update = device.update(BluetoothServiceInfoBleak(
        name='x', address=':'.join(f'{octet:02X}' for octet in MAC), rssi=-60, manufacturer_data={}, service_uuids=[], source='', device=None,
        service_data={'0000fcd2-0000-1000-8000-00805f9b34fb': bytes.fromhex(data)}, advertisement=None, connectable=False, time=0.0, tx_power=None))
    values = [(key.key, value.native_value) for key, value in update.entity_values.items()]
    values += [(key.key, value.native_value) for key, value in update.binary_entity_values.items()]
    values += [(key.key, value.event_type) for key, value in update.events.items()]
    print('bthome-ble |', name, '|', ', '.join(f'{key} {value}' for key, value in sorted(values) if key != 'signal_strength') or 'nothing')
PY
{ parser/bin/python parse.py; reference/bin/python reference.py; } 2>/dev/null | tee seen
cat >expected <<'TEXT'
bleparser | battery 100 % | battery 100
bleparser | battery 100 %, not low | battery 0
bleparser | moisture 48.6 %, not wet | moisture 0
bleparser | temperatures 25.06 and 27.3 | temperature 27.3
bleparser | packet id 1, battery 100 % | battery 100, packet 1
bleparser | packet id 0, battery 100 % | battery 100, packet no packet id
bleparser | encrypted temperature 25.06 (41) | temperature 25.06
bleparser | encrypted button (45) | nothing
bthome-ble | battery 100 % | battery 100
bthome-ble | battery 100 %, not low | battery False, battery 100
bthome-ble | moisture 48.6 %, not wet | moisture False, moisture 48.6
bthome-ble | temperatures 25.06 and 27.3 | temperature_1 25.06, temperature_2 27.3
bthome-ble | packet id 1, battery 100 % | battery 100, packet_id 1
bthome-ble | packet id 0, battery 100 % | battery 100, packet_id 0
bthome-ble | encrypted temperature 25.06 (41) | temperature 25.06
bthome-ble | encrypted button (45) | button press
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "bleparser 3.7.3: as described"
