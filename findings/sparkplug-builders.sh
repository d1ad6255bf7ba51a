#!/usr/bin/env bash
# Two Python builders of Sparkplug messages: PyPI esio-spb-builder 0.1.0 cannot write negative numbers and mixes the sequences of nodes, and leaf-device
# 2.2.2 rounds positions.
#
# Expected (Sparkplug 3.0): the value of an Int64 is the field long_value, of a UInt8 int_value, and negative numbers are two's complement in it (6.4.16).
#           seq goes from 0 to 255 (tck-id-payloads-sequence-num-incrementing), in all messages of one node but NDEATH
#           (tck-id-payloads-sequence-num-always-included, tck-id-payloads-ddeath-seq). A group may have any characters but +, / and #
#           (tck-id-topic-structure-namespace-valid-group-id). The value of a property has a type (tck-id-payloads-metric-propertyvalue-type-req). A metric
#           without value has is_null (6.4.6).
# Seen:     esio-spb-builder raises ValueError for -5 of any type and 2^40 as Int64, and AttributeError for a boolean property. It writes Int64 to int_value
#           and UInt8 to long_value, and a UUID or a null without value and is_null. DDEATH has no seq. NBIRTH of one node resets seq for
#           others of the process, and each look at an NDEATH (to_dict) increases bdSeq. The group Plant.A is plantXa. Its decoder gives an
#           Int32 of -5 as 4294967291.
#           leaf-device raises ValueError for an Int32 of -5, writes seq 256 and more, properties without a type, and each Double rounded to three decimals:
#           the latitude 52.123456 is 52.123.
# So:       a gateway with two nodes is asked for a rebirth again and again, and a tracker jumps in steps of 111 m.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv esio
python3 -m venv leaf
esio/bin/pip install -q esio-spb-builder==0.1.0
leaf/bin/pip install -q leaf-device==2.2.2

cat >esio.py <<'PY'
from esio_spb_builder.core.metrics import DynamicMetric, MetricDefinition, MetricProperty
from esio_spb_builder.core.sparkplug_b_pb2 import Payload
from esio_spb_builder.packets.builders import DDeathPacket, NBirthPacket, NDataPacket, NDeathPacket, PacketDecoder

def read(packet):
    return Payload.FromString(packet.serialize())

def metric(kind, value, *properties):
    return DynamicMetric(MetricDefinition('x', 5, kind, value, properties=list(properties)))

def attempt(function):
    try:
        return function()
    except (AttributeError, ValueError) as error:
        return type(error).__name__

def show(kind, value):
    written = read(NDataPacket('g', 'n', [metric(kind, value)])).metrics[0]
    return f'{written.WhichOneof("value")}, is_null {written.is_null}'

for kind, value in (('Int32', 5), ('Int32', -5), ('Int64', 5), ('Int64', -5), ('Int64', 1 << 40), ('UInt8', 5), ('UUID', 'u'), ('Double', None)):
    print('esio |', kind, value, '|', attempt(lambda: show(kind, value)))
for kind, value in (('Int32', 1), ('Boolean', True)):
    birth = NBirthPacket('g', 'n', [metric('Int32', 1, MetricProperty('p', kind, value))])
    print('esio | property', kind, '|', attempt(lambda: 'written' if read(birth) else None))
print('esio | DDEATH has seq |', read(DDeathPacket('g', 'n', 'd')).HasField('seq'))
sequences = [read(packet).seq for packet in (NBirthPacket('g', 'a', []), NDataPacket('g', 'a', []), NBirthPacket('g', 'b', []), NDataPacket('g', 'a', []))]
print('esio | seq of NBIRTH a, NDATA a, NBIRTH b, NDATA a |', *sequences)
death = NDeathPacket('g', 'a')
before = read(death).metrics[0].int_value
death.to_dict()
print('esio | bdSeq of an NDEATH before and after to_dict, more by |', read(death).metrics[0].int_value - before)
print('esio | group Plant.A |', NBirthPacket('Plant.A', 'n', []).topic)
payload = Payload()
payload.metrics.add(name='x', datatype=3, int_value=(1 << 32) - 5)
print('esio | reads Int32 -5 |', PacketDecoder.decode(payload.SerializeToString())['metrics'][0]['value'])
PY
cat >leaf.py <<'PY'
from leaf_device import LeafDevice
from leaf_device.proto.sparkplug_b_pb2 import Payload

device = LeafDevice({'device_id': 'd', 'metrics': [
    {'name': 'gps_lat', 'data_type': 'double', 'units': 'deg', 'device_class': 'latitude'}, {'name': 'i', 'data_type': 'int32'}]})
device.set_metric_value('gps_lat', 52.123456)
metric = Payload.FromString(device.get_birth_message()).metrics[0]
print('leaf | 52.123456 |', metric.double_value)
print('leaf | property unit has a type |', metric.properties.values[0].HasField('type'))
try:
    device.set_metric_value('i', -5)
except ValueError as error:
    print('leaf | Int32 -5 |', type(error).__name__)
sequences = [Payload.FromString(device.get_message()).seq for _ in range(300)]
print('leaf | highest seq of 300 messages |', max(sequences))
PY
{ esio/bin/python esio.py; leaf/bin/python leaf.py; } | tee seen
cat >expected <<'TEXT'
esio | Int32 5 | int_value, is_null False
esio | Int32 -5 | ValueError
esio | Int64 5 | int_value, is_null False
esio | Int64 -5 | ValueError
esio | Int64 1099511627776 | ValueError
esio | UInt8 5 | long_value, is_null False
esio | UUID u | None, is_null False
esio | Double None | None, is_null False
esio | property Int32 | written
esio | property Boolean | AttributeError
esio | DDEATH has seq | False
esio | seq of NBIRTH a, NDATA a, NBIRTH b, NDATA a | 0 1 0 1
esio | bdSeq of an NDEATH before and after to_dict, more by | 2
esio | group Plant.A | spBv1.0/plantXa/NBIRTH/n
esio | reads Int32 -5 | 4294967291
leaf | 52.123456 | 52.123
leaf | property unit has a type | False
leaf | Int32 -5 | ValueError
leaf | highest seq of 300 messages | 301
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "esio-spb-builder 0.1.0, leaf-device 2.2.2: as described"
