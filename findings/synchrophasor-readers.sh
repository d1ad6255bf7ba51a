#!/usr/bin/env bash
# Three Python readers of IEEE C37.118, with which instruments in power grids send voltages and frequencies many times a second: PyPI pyc37 1.0.2,
# pymu 0.2.23 and pysynphasor 0.1.0 lose which data are bad, turn phasors, and move times.
#
# Expected (IEEE C37.118.2-2011, tables 2 to 9): a polar phasor is a magnitude, 16 bits unsigned times PHUNIT times 10^-5 V or A, and an angle in units of
#           10^-4 rad; rectangular ones are two signed numbers. FREQ is a signed deviation in mHz, or as a float the frequency itself. FRACSEC is 24 bits,
#           beside 8 for leap seconds and quality. STAT: bits 15 and 14 are the state of the data, 8 to 6 the time quality. A digital word has 16 states.
#           DATA_RATE -5 is a frame in 5 s. SOC is UTC. The checksum starts with FFFFh.
# Seen:     pyc37: data without any information are ok, those of a test are wrong, any time quality is an error, 0.9 s are 0.06, the angle is multiplied by
#           PHUNIT, and floats of 50 Hz are an error. pymu: an angle of 60 degrees has the real part of 60 radians; 40000 is negative; 16 states are read as
#           one; -5 is 65531 frames a second; 60 Hz is said for 50; times depend on the time zone; no data are read if the time quality is not 0.
#           pysynphasor: below zero is 65 thousand; checksums start with 0, so no instrument obeys its commands.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps pymu==0.2.23 pyc37==1.0.2 pysynphasor==0.1.0 scapy==2.6.1 >/dev/null 2>&1

cat >try.py <<'PY'
import binascii, math, os, struct, time
from pyc37.frame import ConfigFrame2, DataFrame as Pyc37Data
from pymu.pmuConfigFrame import ConfigFrame
from pymu.pmuDataFrame import DataFrame
from pySynphasor import synphasor

os.environ['TZ'] = 'XYZ-2'
time.tzset()
SECOND = 1764547200  # 2025-12-01 00:00:00 UTC
POLAR, FLOATS = 1, 8

def frame(kind, body, fraction=0, quality=0):
    whole = struct.pack('>BBHHIBBH', 0xaa, kind << 4 | 1, 16 + len(body), 7, SECOND, quality, fraction >> 16, fraction & 0xffff) + body
    return whole + struct.pack('>H', binascii.crc_hqx(whole, 0xffff))

def configuration(form, phasors, words=1):
    names = b''.join(b'%-16d' % number for number in range(phasors + 16 * words))
    body = struct.pack('>IH16sHHHHH', 10_000_000, 1, b'Station', 7, form, phasors, 0, words) + names + struct.pack('>I', 915527) * phasors
    return frame(3, body + struct.pack('>I', 0xffff) * words + struct.pack('>HHh', 1, 2, -5))

def pymu_read(config, data):
    config = config.hex()
    reader = ConfigFrame(config[:8])
    reader.frame = config.upper()
    reader.finishParsing()
    return reader, DataFrame(data.hex(), reader)

def show(name, read):
    try:
        found = read()
    except (Exception, BaseException) as error:
        found = type(error).__name__
    print(f'  {name}: {found}')

def data(phasor, freq, state=0, word=0, **rest):
    return frame(0, struct.pack('>H', state) + phasor + freq + struct.pack('>H', word), **rest)

config = configuration(POLAR, 1)
middle = data(struct.pack('>Hh', 14000, round(math.pi / 3 * 1e4)), struct.pack('>hh', -20, 0), word=0x8001)
whole, found = pymu_read(config, middle)
pyc = Pyc37Data.convert2frame(middle, ConfigFrame2.convert2frame(config))
phasor = found.pmus[0].phasors[0]
print('polar phasor, 14000 times 9.15527 V, 60 degrees')
print(f'  pymu: real part {phasor.real:.0f} of {phasor.mag}, expected 7000')
magnitude, angle = pyc.get_phasors()[0]
print(f'  pyc37: {magnitude:.1f} V, {angle:.3f}, expected 1.047 rad')
large = pymu_read(config, data(struct.pack('>Hh', 40000, 0), struct.pack('>hh', 0, 0)))[1].pmus[0].phasors[0].mag
print(f'polar phasor, magnitude 40000\n  pymu: {large}')
print(f'digital word 8001, 16 states\n  pymu: {[value for _, value in found.pmus[0].digitals]}')
print(f'50 Hz nominal, a frame in 5 s\n  pymu: {whole.stations[0].fnom}, data rate {whole.datarate}\n  pyc37: data rate {pyc.cfg.get_data_rate()}')
print(f'{SECOND} s, in a zone 2 hours east\n  pymu: {found.soc.utcSec - SECOND:+.0f} s')
print('0.9 s after it')
late = data(struct.pack('>Hh', 1, 0), struct.pack('>hh', 0, 0), fraction=9_000_000)
show('pymu', lambda: pymu_read(config, late)[1].soc.ff)
show('pyc37', lambda: round(Pyc37Data.convert2frame(late, pyc.cfg).get_measurements()['time'] - SECOND, 4))
print('the same, FRACSEC says that a leap second is near and that the clock is within 1 microsecond')
marked = data(struct.pack('>Hh', 1, 0), struct.pack('>hh', 0, 0), fraction=9_000_000, quality=0x14)
show('pymu', lambda: pymu_read(config, marked)[1].soc.ff)
floats = configuration(POLAR | FLOATS, 1)
fast = data(struct.pack('>Hh', 1, 0), struct.pack('>ff', 50.02, 0))
print('FREQ as float, 50.02 Hz')
show('pymu', lambda: round(pymu_read(floats, fast)[1].pmus[0].freq, 3))
show('pyc37', lambda: round(Pyc37Data.convert2frame(fast, ConfigFrame2.convert2frame(floats)).get_measurements()['measurements'][0]['frequency'], 3))
for name, state in ('good', 0), ('error, no information about the data', 0x4000), ('test mode', 0x8000), ('good, time error below 100 ns', 0x40):
    one = data(struct.pack('>Hh', 1, 0), struct.pack('>hh', 0, 0), state=state)
    print(f'STAT {state:04X}: {name}')
    status = lambda: pymu_read(config, one)[1].pmus[0].stat
    show('pymu', lambda: f'{status().dataError}, time quality {status().timeQuality}')
    show('pyc37', lambda: (lambda all: f'{all[0]}, time quality {all[6]}')(Pyc37Data.convert2frame(one, pyc.cfg).get_stat()))
four = struct.pack('>8h', 14000, 0, -7000, -12124, -7000, 12124, 0, 0)
packet = synphasor.synphasor(frame(0, b'\0\0' + four + struct.pack('>hhfffH', -20, -5, 1, 2, 3, 0)))
pmu = packet['synphasor_data'].pmu_data[0]
print(f'rectangular phasors 14000+0j, -7000-12124j, frequency -20 mHz\n  pysynphasor: {pmu.phasors[0]}, {pmu.phasors[1]}, {pmu.freq}')
command = bytes(synphasor.synphasor(type=4, version=1, idcode=7, soc=SECOND, fracsec=0) / synphasor.synphasor_cmd(cmd=2))
print(f'command "data on" | expected {binascii.crc_hqx(command[:-2], 0xffff):04X}\n  pysynphasor: {command[-2:].hex().upper()}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
polar phasor, 14000 times 9.15527 V, 60 degrees
  pymu: real part -13333 of 14000, expected 7000
  pyc37: 128173.8 V, 95873.987, expected 1.047 rad
polar phasor, magnitude 40000
  pymu: -25536
digital word 8001, 16 states
  pymu: ['1']
50 Hz nominal, a frame in 5 s
  pymu: HZ60, data rate 65531
  pyc37: data rate -5
1764547200 s, in a zone 2 hours east
  pymu: +7200 s
0.9 s after it
  pymu: 0.9
  pyc37: 0.0611
the same, FRACSEC says that a leap second is near and that the clock is within 1 microsecond
  pymu: ValueError
FREQ as float, 50.02 Hz
  pymu: 50.02
  pyc37: FrameError
STAT 0000: good
  pymu: GOOD, time quality None
  pyc37: ok, time quality n/a
STAT 4000: error, no information about the data
  pymu: PMUERROR, time quality None
  pyc37: ok, time quality n/a
STAT 8000: test mode
  pymu: TESTMODE, time quality None
  pyc37: error, time quality n/a
STAT 0040: good, time error below 100 ns
  pymu: GOOD, time quality None
  pyc37: FrameError
rectangular phasors 14000+0j, -7000-12124j, frequency -20 mHz
  pysynphasor: (14000+0j), (58536+53412j), 65516
command "data on" | expected 146E
  pysynphasor: 7E64
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
