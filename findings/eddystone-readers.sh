#!/usr/bin/env bash
# Two readers of Bluetooth beacons, which gateways forward over MQTT: PyPI beacondecoder 0.7.7 loses identifiers, counters and links of Eddystone and
# iBeacon, and beacontools 2.1.0 takes frost for great heat.
#
# Expected (Eddystone protocol specification, frame types TLM, URL and EID): battery, temperature, advertisement counter and time since boot have 2, 2, 4
#           and 4 octets. The temperature is a signed number in units of 1/256. In a URL each octet from 00 to 0D stands for a text such as ".com/",
#           wherever it is, and others are characters. An ephemeral identifier has 8 octets. (Apple, Proximity Beacon Specification) An iBeacon has a
#           UUID of 16 octets, major and minor. (Ruuvi, data format 5) The highest 11 bits of the power are the voltage above 1.6 V in millivolts.
# Seen:     beacondecoder gives the first half of the advertisement counter as the counter and the second half as the time, 5 V as 0.904 V, seven octets
#           of an ephemeral identifier after the power, and nothing for an iBeacon; a link with a path raises an error, and one that ends with a letter
#           is cut. A Ruuvi tag with 2.1 V has 3.602 V. beacontools reads -1.5 degrees as 254.5.
# So:       a beacon seems to restart all the time, and an empty battery is full.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q beacondecoder==0.7.7 beacontools==2.1.0

cat >try.py <<'PY'
from beacondecoder import decoder
from beacontools import parse_packet

def attempt(work):
    try:
        return work()
    except Exception as error:
        return f'raises {type(error).__name__}'

FIELDS = 'voltage', 'temperature', 'advertising_count', 'seconds_since_boot', 'url', 'eid', 'uuid', 'major', 'minor'
def show(name, packet):
    packet = packet.replace(' ', '')
    theirs = attempt(lambda: parse_packet(bytes.fromhex(packet)))
    theirs = theirs if isinstance(theirs, str) or theirs is None else {field: getattr(theirs, field) for field in FIELDS if hasattr(theirs, field)}
    print(name, '| beacondecoder', attempt(lambda: decoder.decode(packet.upper())), '| beacontools', theirs)

EDDYSTONE = '02 01 06 03 03 aa fe {:02x} 16 aa fe '
def eddystone(name, data):
    show(name, EDDYSTONE.format(len(bytes.fromhex(data)) + 3) + data)

eddystone('TLM, 3 V, 21.5 degrees, 74565 advertisements, 86400 s', '20 00 0bb8 1580 00012345 000d2f00')
eddystone('TLM, 5 V, -1.5 degrees', '20 00 1388 fe80 00000001 00000001')
eddystone('URL https://example.com/a', '10 ee 03 6578616d706c65 00 61')
eddystone('URL https://example.com', '10 ee 03 6578616d706c65 07')
eddystone('URL https://example.de', '10 ee 03 6578616d706c65 2e6465')
eddystone('EID', '30 ee 0102030405060708')
show('iBeacon', '02 01 06 1a ff 4c00 0215 00112233445566778899aabbccddeeff 0001 0002 c5')
for name, data in ('2.977 V', '05 12fc 5394 c37c 0004 fffc 040c ac36 42 00cd'), ('2.1 V', '05 12fc 5394 c37c 0004 fffc 040c 3e96 42 00cd'):
    print('Ruuvi,', name, '| beacondecoder', attempt(lambda: {key: value for key, value in decoder.decode(('0201061Bff9904' + data).replace(' ', '').upper()).items() if key in ('batteryVoltage', 'txPower')}))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
TLM, 3 V, 21.5 degrees, 74565 advertisements, 86400 s | beacondecoder {'dataFormat': 12, 'temperature': 21.5, 'advCnt': 1, 'secCnt': 9029, 'batteryVoltage': 3.0} | beacontools {'voltage': 3000, 'temperature': 21.5, 'advertising_count': 74565, 'seconds_since_boot': 864000}
TLM, 5 V, -1.5 degrees | beacondecoder {'dataFormat': 12, 'temperature': -1.5, 'advCnt': 0, 'secCnt': 1, 'batteryVoltage': 0.904} | beacontools {'voltage': 5000, 'temperature': 254.5, 'advertising_count': 1, 'seconds_since_boot': 1}
URL https://example.com/a | beacondecoder raises UnboundLocalError | beacontools {'url': 'https://example.com/a'}
URL https://example.com | beacondecoder {'dataFormat': 11, 'rssi@0m': -18, 'url': 'https://example.com'} | beacontools {'url': 'https://example.com'}
URL https://example.de | beacondecoder raises UnboundLocalError | beacontools {'url': 'https://example.de'}
EID | beacondecoder {'dataFormat': 14, 'rssi@0m': -18, 'EID': 'EE010203040506'} | beacontools {'eid': b'\x01\x02\x03\x04\x05\x06\x07\x08'}
iBeacon | beacondecoder None | beacontools {'uuid': '00112233-4455-6677-8899-aabbccddeeff', 'major': 1, 'minor': 2}
Ruuvi, 2.977 V | beacondecoder {'batteryVoltage': 2.977, 'txPower': 4}
Ruuvi, 2.1 V | beacondecoder {'batteryVoltage': 3.602, 'txPower': -28}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
