#!/usr/bin/env bash
# PyPI mqttools 0.50.0, a client and broker for MQTT 5.0, cannot exchange User Properties with other programs.
#
# Expected (MQTT 5.0, 1.5.7 and 2.2.2.2): a User Property is a pair of two strings, and may appear several times in a packet; a PUBLISH
#           carries a Subscription Identifier for each matching subscription that has one (3.3.2.3.8).
# Seen:     it reads and writes one string in place of the pair. A PUBLISH with a User Property is rejected as malformed, and a packet that it
#           writes with one lacks the value, so the receiver's decoder reads it as malformed. Of several Subscription Identifiers it keeps the last.
# So:       a subscriber that is written with it answers a message with a User Property with DISCONNECT 0x81 (Malformed Packet) and ends.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q mqttools==0.50.0

cat >try.py <<'PY'
from mqttools import common

def publish(properties):
    body = b'\0\x01a' + bytes([len(properties)]) + properties + b'x'
    try:
        return common.unpack_publish(common.PayloadReader(body), 0)
    except Exception as error:
        return f'{type(error).__name__}: {error}'

print('expiry:', publish(b'\x02\0\0\0\x09')[1])
print('user property:', publish(b'\x26\0\x03key\0\x05value'))
print('two subscription identifiers:', {name.name: value for name, value in publish(b'\x0b\x01\x0b\x02')[2].items()})
print('written:', common.pack_property(common.PropertyIds.USER_PROPERTY, 'key').hex())
try:
    common.pack_property(common.PropertyIds.USER_PROPERTY, ('key', 'value'))
except Exception as error:
    print('a pair:', type(error).__name__)
PY
venv/bin/python try.py | tee seen
cat >expected <<'TEXT'
expiry: b'x'
user property: MalformedPacketError: Invalid property identifier 0.
two subscription identifiers: {'SUBSCRIPTION_IDENTIFIER': 2}
written: 2600036b6579
a pair: AttributeError
TEXT
diff expected seen
echo "as described"
