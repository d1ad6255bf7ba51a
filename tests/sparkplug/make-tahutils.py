"""Prints the life of a node in the payloads of tahutils 0.1.11: pip install tahutils==0.1.11

With the argument "aliases", metrics have aliases. Run it with PYTHONHASHSEED=0: the order of metrics is that of a set.
"""
import sys
import time

time.time = lambda: 1700000000.0
from tahutils import MetricDataType, SpbModel, tahu

ALIASES = sys.argv[1:] == ["aliases"]
NODE = SpbModel({"Temp": MetricDataType.Int32}, use_aliases=ALIASES)
DEVICE = SpbModel({"Flow": MetricDataType.Float}, use_aliases=ALIASES, is_device=True)


def say(kind, payload):
    print(kind, bytes(payload).hex())


def births(temp, flow):
    say("NBIRTH", NODE.getBirthPayload({"Temp": temp}))
    say("DBIRTH", DEVICE.getBirthPayload({"Flow": flow}))


def request():
    command = tahu.sparkplug_b_pb2.Payload()
    command.timestamp = int(time.time() * 1000)
    tahu.sparkplug_b.addMetric(command, "Node Control/Rebirth", None, MetricDataType.Boolean, True)
    return command.SerializeToString()


say("WILL", NODE.getDeathPayload())
death = NODE.last_death
births(41, 1.5)
say("NDATA", NODE.getDataPayload({"Temp": 42}))
say("DDATA", DEVICE.getDataPayload({"Flow": 2.5}))
say("DDEATH", DEVICE.getDeathPayload())
say("DBIRTH", DEVICE.getBirthPayload({"Flow": 3.5}))
say("NCMD", request())
births(43, 4.5)
say("NDATA", NODE.getDataPayload({"Temp": 44}))
say("NDEATH", death)
print("DISCONNECT")
say("WILL", NODE.getDeathPayload())
births(45, 5.5)
say("DDATA", DEVICE.getDataPayload({"Flow": 6.5}))
