#!/usr/bin/env bash
# Readers of Victron batteries, chargers and inverters, which bridges to MQTT use, lose whole records: PyPI victron-ble 0.9.3 (also under
# victron-ble-ha-parser and victron-ble2mqtt) and vedirect 1.1.0.
#
# Expected (Victron, Extra Manufacturer Data, 2022-12-14): the alarm reason is a field of 16 bits (0 to FFFF), each bit an alarm, and so is the off
#           reason of 32 bits; the state of a device is an unsigned octet, FF if not available. Not available are also 3FFFFF as the current and 3FF
#           as the state of charge of a battery, 3FFF as a voltage of 14 bits. Consumed Ah is minus the number in the record.
#           (VE.Direct protocol) The label of the battery current is I. The checksum makes the sum of a block 0 modulo 256, so it may be any octet.
# Seen:     victron-ble raises ValueError for two alarms at once, two reasons for being off, a VE.Bus inverter that passes the grid through or assists
#           it, and any state of a Multi RS above 127, as "external control" and FF. It gives a current that is not available as -0.001 A, a state of
#           charge as 102.3 % and a voltage as 163.83 V. A Lynx Smart BMS has consumed +125 Ah, a battery monitor with the same bits -125 Ah.
#           vedirect raises KeyError for the battery current, and ValueError for a block whose checksum is a line feed.
# So:       a battery that reports low voltage together with a low state of charge is silent from that moment on, and so is an inverter as soon as
#           something else controls it; a text reader loses one in 256 blocks.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q victron-ble==0.9.3 vedirect==1.1.0

cat >try.py <<'PY'
import os, threading, time, tty
from Crypto.Cipher import AES
from Crypto.Util import Counter
from vedirect import VEDirect
from victron_ble.devices import detect_device_type

KEY = bytes(range(16))

def read(record_type, fields):
    """Reads a record of fields of (value, bits), the first in the lowest bits, from an advertisement."""
    number = size = 0
    for value, bits in fields:
        number |= (value & (1 << bits) - 1) << size
        size += bits
    cipher = AES.new(KEY, AES.MODE_CTR, counter=Counter.new(128, initial_value=1, little_endian=True))
    advertisement = bytes([0x10, 2, 0x89, 0xa3, record_type, 1, 0, KEY[0]]) + cipher.encrypt(number.to_bytes(-(-size // 8), 'little'))
    try:
        return detect_device_type(advertisement)(KEY.hex()).parse(advertisement)._data
    except ValueError as error:
        return type(error).__name__

def show(name, found, key):
    found = found[key] if isinstance(found, dict) else found
    print('victron-ble |', name, '|', getattr(found, 'name', found))

def battery_monitor(alarm=0, current=-1500, charge=875):
    return read(2, [(600, 16), (1264, 16), (alarm, 16), (1275, 16), (0, 2), (current, 22), (1250, 20), (charge, 10)])

def lynx(charge=875):
    return read(10, [(0, 8), (600, 16), (2650, 16), (-152, 16), (0, 16), (0, 18), (charge, 10), (1250, 20), (65, 7)])

def multi_rs(state, voltage=5230):
    return read(11, [(state, 8), (0, 8), (-100, 16), (voltage, 14), (0, 2), (500, 16), (-20, 16), (800, 16), (123, 16)])

for name, alarm in (('low voltage', 1), ('low state of charge', 4), ('both', 5)):
    show('alarm, ' + name, battery_monitor(alarm), 'alarm')
for name, reason in (('no input power', 0x01), ('engine off', 0x80), ('both', 0x81)):
    show('converter off, ' + name, read(4, [(0, 8), (0, 8), (1320, 16), (1320, 16), (reason, 32)]), 'off_reason')
for name, state in (('inverting', 9), ('passing through', 8), ('assisting', 10)):
    fields = [(state, 8), (0, 8), (-250, 16), (5230, 14), (0, 2), (-700, 19), (1200, 19), (0, 2), (65, 7), (88, 7)]
    show('VE.Bus, ' + name, read(12, fields), 'device_state')
for name, state in (('float', 5), ('external control', 252), ('not available', 255)):
    show('Multi RS, ' + name, multi_rs(state), 'device_state')
show('Multi RS, voltage not available', multi_rs(5, 0x3fff), 'battery_voltage')
show('battery monitor, current not available', battery_monitor(current=0x3fffff), 'current')
show('battery monitor, state of charge not available', battery_monitor(charge=0x3ff), 'soc')
show('Lynx, state of charge not available', lynx(0x3ff), 'soc')
show('battery monitor, consumed', battery_monitor(), 'consumed_ah')
show('Lynx, consumed', lynx(), 'consumed_ah')

def block(serial):
    """A block of the VE.Direct text protocol with its checksum."""
    text = b'\r\nPID\t0xA053\r\nSER#\t' + serial + b'\r\nV\t12800\r\nI\t-1500\r\nVPV\t18000\r\nPPV\t75\r\nMPPT\t2\r\nChecksum\t'
    return text + bytes([-sum(text) % 256])

def attempt(serial, name):
    """The property of a VEDirect that reads such blocks from a terminal."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    done = threading.Event()

    def send():
        while not done.is_set():
            os.write(ours, block(serial))
            time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return getattr(VEDirect(os.ttyname(theirs)), name)
    except (KeyError, ValueError) as error:
        return type(error).__name__
    finally:
        done.set()
        sender.join()

serials = [b'HQ' + b'9' * nines + b'Z' * letters + b'0' * (16 - nines - letters) for nines in range(9) for letters in range(9)]
serials += [b'HQ' + b'%02d' % number + serial for number in range(100) for serial in serials]
usual = next(serial for serial in serials if block(serial)[-1] == ord('x'))
line_feed = next(serial for serial in serials if block(serial)[-1] == ord('\n'))
for name in ('battery_volts', 'battery_amps'):
    print('vedirect |', name, '|', attempt(usual, name))
print('vedirect | battery_volts, checksum 0A |', attempt(line_feed, 'battery_volts'))
PY
timeout 120 env/bin/python try.py | tee seen
cat >expected <<'TEXT'
victron-ble | alarm, low voltage | LOW_VOLTAGE
victron-ble | alarm, low state of charge | LOW_SOC
victron-ble | alarm, both | ValueError
victron-ble | converter off, no input power | NO_INPUT_POWER
victron-ble | converter off, engine off | ENGINE_SHUTDOWN
victron-ble | converter off, both | ValueError
victron-ble | VE.Bus, inverting | INVERTING
victron-ble | VE.Bus, passing through | ValueError
victron-ble | VE.Bus, assisting | ValueError
victron-ble | Multi RS, float | FLOAT
victron-ble | Multi RS, external control | ValueError
victron-ble | Multi RS, not available | ValueError
victron-ble | Multi RS, voltage not available | 163.83
victron-ble | battery monitor, current not available | -0.001
victron-ble | battery monitor, state of charge not available | None
victron-ble | Lynx, state of charge not available | 102.3
victron-ble | battery monitor, consumed | -125.0
victron-ble | Lynx, consumed | 125.0
vedirect | battery_volts | 12.8
vedirect | battery_amps | KeyError
vedirect | battery_volts, checksum 0A | ValueError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "victron-ble 0.9.3, vedirect 1.1.0: as described"
