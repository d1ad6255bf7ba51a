#!/usr/bin/env bash
# PyPI sparkplug-b-packets 0.12.2025 gives every metric the time at which the program was started, sends device commands without the device, and writes properties of type
# Double as Float or integer.
#
# Expected (Sparkplug 3.0): the timestamp of a metric is the time at which its value was captured (6.4.6), and each metric of a birth or data message has one
#           (tck-id-payloads-name-birth-data-requirement). A DCMD goes to spBv1.0/GROUP/DCMD/NODE/DEVICE (tck-id-topics-dcmd-topic). The value of a property is in the field of its
#           type: double_value for Double, int_value for Int32, as two's complement, long_value for Int64 (6.4.11, 6.4.16).
# Seen:     two messages with 3 s between them have metrics with one timestamp, older than the first of the two payloads. DCmdPacket takes no device; that of EdgeDevice("g", "n", "d") goes
#           to spBv1.0/g/DCMD/n. Properties of type Double: 52.123456 is a float_value (52.12345504760742), and 2 an int_value. An Int32 of -5 and an Int64 of
#           2^40 raise ValueError.
# So:       a host that stores values under the time of the metric has all values of a run at its start, each over the last. A command for a device reaches none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q sparkplug-b-packets==0.12.2025 pydantic==2.14.4 protobuf==7.36.2

cat >try.py <<'PY'
import time
from sparkplub_b_packets.builder import EdgeDevice
from sparkplub_b_packets.core.sparkplug_b_pb2 import Payload
from sparkplub_b_packets.packets import Metric, MetricProperty, NDataPacket

INT32, INT64, DOUBLE = 3, 4, 10

def data(properties=[]):
    metric = Metric(alias='t', alias_map=1, data_type=DOUBLE, value=1.5, properties=properties)
    return Payload.FromString(NDataPacket('g', 'n', {'t': metric}).payload())

time.sleep(3)
first = data()
time.sleep(3)
second = data()
print('seconds between the two payloads:', round((second.timestamp - first.timestamp) / 1000))
print('seconds between their metrics:', round((second.metrics[0].timestamp - first.metrics[0].timestamp) / 1000))
print('the metric is at least 3 s older than its payload:', first.timestamp - first.metrics[0].timestamp >= 3000)

class Device(EdgeDevice):
    def birth_certificate(self):
        pass
    def data_packet(self, **values):
        pass

print('topic of a device command:', Device('g', 'n', 'd').device_command().topic)
for name, kind, value in [('Double', DOUBLE, 52.123456), ('Double', DOUBLE, 2), ('Int32', INT32, -5), ('Int64', INT64, 2**40)]:
    try:
        written = data([MetricProperty(name='p', data_type=kind, value=value)]).metrics[0].properties.values[0]
        field = written.WhichOneof('value')
        print(f'property of type {name}, {value}: {field} {getattr(written, field)}')
    except ValueError as error:
        print(f'property of type {name}, {value}: ValueError')
PY
env/bin/python try.py 2>/dev/null | tee seen
cat >expected <<'TEXT'
seconds between the two payloads: 3
seconds between their metrics: 0
the metric is at least 3 s older than its payload: True
topic of a device command: spBv1.0/g/DCMD/n
property of type Double, 52.123456: float_value 52.12345504760742
property of type Double, 2: int_value 2
property of type Int32, -5: ValueError
property of type Int64, 1099511627776: ValueError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "sparkplug-b-packets 0.12.2025: as described"
