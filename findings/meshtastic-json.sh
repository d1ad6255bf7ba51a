#!/usr/bin/env bash
# PyPI meshtastic-mqtt-json 3.0.0, which prints what a Meshtastic network sends over MQTT as JSON, loses most kinds of messages, beside the protobuf
# definitions of PyPI meshtastic 2.7.11, which it is built on.
#
# Expected (Meshtastic, portnums.proto): detection sensor, range test and reply messages are text, serial messages are bytes, and a map report
#           (mqtt.proto), a count of passers-by (paxcount.proto), a hardware message and an admin message are protobuf messages of their files.
# Seen:     texts, positions, telemetry, node and neighbour information, waypoints and traceroutes are right. Each of the eight kinds above ends with "Error
#           processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'MapReport'", or another name, and no callback is called,
#           though the README lists all but the map report as supported. An alert, which is text, is base64, and a short name "nan" is missing.
# So:       map reports, which nodes send over MQTT only, and alarms of motion sensors never arrive at the program, and the log names a Python attribute.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q meshtastic-mqtt-json==3.0.0 meshtastic==2.7.11

cat >try.py <<'PY'
import contextlib, io
from types import SimpleNamespace
from meshtastic import admin_pb2, mesh_pb2, mqtt_pb2, paxcount_pb2, portnums_pb2, remote_hardware_pb2, telemetry_pb2
from meshtastic_mqtt_json import MeshtasticMQTT

def envelope(port, payload):
    packet = mesh_pb2.MeshPacket(to=0xffffffff, id=77, decoded=mesh_pb2.Data(portnum=port, payload=payload))
    setattr(packet, 'from', 0x11223344)
    return mqtt_pb2.ServiceEnvelope(packet=packet, channel_id='LongFast', gateway_id='!11223344').SerializeToString()

TELEMETRY = telemetry_pb2.Telemetry(time=1700000000, device_metrics=telemetry_pb2.DeviceMetrics(battery_level=101, voltage=4.25))
CASES = [
    ('TEXT_MESSAGE_APP', b'hello'),
    ('POSITION_APP', mesh_pb2.Position(latitude_i=0, longitude_i=-700000000, altitude=-5)),
    ('TELEMETRY_APP', TELEMETRY),
    ('NODEINFO_APP', mesh_pb2.User(id='!11223344', long_name='Station', short_name='nan')),
    ('WAYPOINT_APP', mesh_pb2.Waypoint(id=1, name='camp', latitude_i=5, longitude_i=6)),
    ('NEIGHBORINFO_APP', mesh_pb2.NeighborInfo(node_id=5)),
    ('TRACEROUTE_APP', mesh_pb2.RouteDiscovery(route=[1, 2])),
    ('MAP_REPORT_APP', mqtt_pb2.MapReport(long_name='Station', latitude_i=10, longitude_i=20)),
    ('PAXCOUNTER_APP', paxcount_pb2.Paxcount(wifi=3, ble=4, uptime=60)),
    ('DETECTION_SENSOR_APP', b'Motion detected'),
    ('RANGE_TEST_APP', b'seq 12'),
    ('SERIAL_APP', b'21.5'),
    ('REPLY_APP', b'yes'),
    ('REMOTE_HARDWARE_APP', remote_hardware_pb2.HardwareMessage(gpio_value=1)),
    ('ADMIN_APP', admin_pb2.AdminMessage(get_owner_request=True)),
    ('ALERT_APP', b'fire'),
]
for name, payload in CASES:
    payload = payload if isinstance(payload, bytes) else payload.SerializeToString()
    client, found, output = MeshtasticMQTT(), [], io.StringIO()
    client.register_callback(name, lambda packet: found.append(packet['decoded']['payload']))
    message = SimpleNamespace(topic='msh/EU_868/2/e/LongFast/!11223344', payload=envelope(portnums_pb2.PortNum.Value(name), payload))
    with contextlib.redirect_stdout(output):
        client.event_mqtt_recv(None, None, message)
    print(name, '|', found[0] if found else output.getvalue().split('\n')[0])
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
TEXT_MESSAGE_APP | hello
POSITION_APP | {'latitudeI': 0, 'longitudeI': -700000000, 'altitude': -5}
TELEMETRY_APP | {'time': 1700000000, 'deviceMetrics': {'batteryLevel': 101, 'voltage': 4.25}}
NODEINFO_APP | {'id': '!11223344', 'longName': 'Station'}
WAYPOINT_APP | {'id': 1, 'latitudeI': 5, 'longitudeI': 6, 'name': 'camp'}
NEIGHBORINFO_APP | {'nodeId': 5}
TRACEROUTE_APP | {'route': [1, 2]}
MAP_REPORT_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'MapReport'
PAXCOUNTER_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'Paxcounter'
DETECTION_SENSOR_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'DetectionSensor'
RANGE_TEST_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'RangeTest'
SERIAL_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'Serial'
REPLY_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'Reply'
REMOTE_HARDWARE_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'RemoteHardware'
ADMIN_APP | Error processing message: module 'meshtastic.protobuf.mesh_pb2' has no attribute 'Admin'
ALERT_APP | ZmlyZQ==
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "meshtastic-mqtt-json 3.0.0: as described"
