"""Makes payloads.txt and network.desc with Google's own library, which mq is compared with.

    python3 -m venv env && env/bin/pip install protobuf==7.36.2 grpcio-tools==1.85.1
    cd tests/schemas && env/bin/python encode.py

Each line of payloads.txt has a schema, a type, the bytes in hexadecimal and the JSON of the library, with tabs between them.
"""

import importlib
import os
import sys
import tempfile

from google.protobuf import json_format
from grpc_tools import protoc

FILES = ["network.proto", "radio/modulation.proto", "mesh.proto", "legacy.proto", "edition.proto"]
INCLUDES = ["-I.", "-I" + os.path.join(os.path.dirname(protoc.__file__), "_proto")]

out = tempfile.mkdtemp()
assert protoc.main(["protoc", *INCLUDES, "--python_out=" + out, *FILES]) == 0
for name in ["network", "edition"]:
    words = ["protoc", *INCLUDES, "--include_imports", f"--descriptor_set_out={name}.desc", f"{name}.proto"]
    assert protoc.main(words) == 0
sys.path.insert(0, out)
network = importlib.import_module("network_pb2")
radio = importlib.import_module("radio.modulation_pb2")
mesh = importlib.import_module("mesh_pb2")
legacy = importlib.import_module("legacy_pb2")
edition = importlib.import_module("edition_pb2")

messages = []


def message(schema, kind, text):
    made = json_format.Parse(text, kind())
    messages.append((schema, made))
    return made


message("network.proto", network.Uplink, """{
  "phyPayload": "QAAAAAEAAAACqg==",
  "txInfo": {"frequency": 868100000, "lora": {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}},
  "rxInfo": [{"gatewayId": "0016c001f153a14c", "uplinkId": "18446744073709551615",
    "receivedAt": "2026-11-29T12:00:00.250Z", "sinceGpsEpoch": "1448971218.250s", "rssi": -57, "snr": 9.5,
    "crcStatus": "CRC_OK", "channel": 0, "antennas": {"0": -57.25, "1": 1e300},
    "location": {"latitude": 48.137154, "longitude": -11.576124, "altitude": -519}}, {}],
  "device": "t\\u00fcr-1", "object": {"battery": 3.25, "list": [1, "two", null, {"deep": []}], "ok": true},
  "tags": {"": "empty", "site": "north"}, "battery": 0}""")
message("network.proto", network.Uplink, "{}")
message("network.proto", network.Uplink, '{"txInfo": {"fsk": {}}, "battery": 4294967295}')
message("network.proto", network.Uplink, '{"txInfo": {"other": ""}, "object": {}}')
message("network.proto", network.Command, """{
  "sequence": 4294967295, "correlation": ["0", "18446744073709551615"], "states": ["CRC_OK", "CRC_UNKNOWN", 7],
  "content": {"@type": "type.googleapis.com/network.v1.radio.Lora", "bandwidth": 500000},
  "mask": "rxInfo.gatewayId,device", "isUrgent": true, "due": "-9223372036854775808",
  "notes": ["", "\\u0001\\u007f\\ud83d\\ude00"], "extras": [null, false, 0, "", {}, []], "offset": "-1", "retries": -1}""")
message("network.proto", network.Command, """{
  "content": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "-0.000001s"}}""")
message("network.proto", network.Command, """{
  "content": {"@type": "x/google.protobuf.Any", "value": {"@type": "x/google.protobuf.StringValue", "value": "a"}}}""")
message("network.proto", network.RxInfo, '{"receivedAt": "0001-01-01T00:00:00Z", "snr": "NaN"}')
message("network.proto", network.RxInfo, '{"receivedAt": "9999-12-31T23:59:59.999999999Z", "snr": "-Infinity"}')
message("network.proto", network.RxInfo, '{"receivedAt": "1969-12-31T23:59:59.5Z", "snr": 0.1, "rssi": -2147483648}')
message("network.proto", network.RxInfo, '{"receivedAt": "1970-01-01T00:00:00Z", "snr": 16777216, "sinceGpsEpoch": "0s"}')
message("network.proto", network.RxInfo, '{"snr": -0.0, "location": {"latitude": "Infinity", "longitude": 5e-324}}')
message("mesh.proto", mesh.Envelope, """{
  "packet": {"from": 2882400001, "to": 4294967295, "channel": 8, "id": 305419896, "rxSnr": 6.25, "hopLimit": -3,
    "wantAck": true, "decoded": {"port": "POSITION_APP", "payload": "DQAAAAA=", "route": [0, 1, 300, 70000],
      "chunks": [{"port": "PRIVATE_APP"}, {"chunks": [{}]}]}},
  "channelId": "LongFast", "gatewayId": "!abcdef01"}""")
message("mesh.proto", mesh.Envelope, '{"packet": {"encrypted": ""}}')
message("mesh.proto", mesh.Position, '{"latitudeI": -481371540, "longitudeI": 115761240, "altitude": 0, "time": 1764417600}')
message("legacy.proto", legacy.Reading, """{
  "id": 0, "unit": "", "steps": ["-1", "1", "-9223372036854775808"], "curve": [0, 0.5, -1.5],
  "sample": {"value": 21.5, "valid": false}, "event": [{"state": "FAILED"}, {}],
  "previous": {"id": -1}, "[legacy.Site.site]": {"name": "roof"}}""")
# The library does not order extensions.
message("legacy.proto", legacy.Reading, '{"id": 1, "[legacy.comment]": "first"}')
message("legacy.proto", legacy.Reading, '{"id": 2147483647, "[legacy.marks]": [1, 2]}')
message("edition.proto", edition.Counter, """{
  "count": 3, "limit": 0, "packed": [1, 2], "expanded": [3, 4], "inner": {"limit": 9, "inner": {}}}""")

with open("payloads.txt", "w", encoding="utf-8") as lines:
    for schema, made in messages:
        text = json_format.MessageToJson(made, indent=None, ensure_ascii=True)
        data = made.SerializeToString(deterministic=True)
        lines.write(f"{schema}\t{made.DESCRIPTOR.full_name}\t{data.hex()}\t{text}\n")
