"""Prints the life of a node in the payloads of pysparkplug 0.6.1: pip install pysparkplug==0.6.1"""
from pysparkplug import DataType, DBirth, DData, DDeath, Metric, NBirth, NCmd, NData, NDeath

T = 1700000000000


def bd_seq(value):
    return Metric(timestamp=T, name="bdSeq", datatype=DataType.INT64, value=value)


REBIRTH = Metric(timestamp=T, name="Node Control/Rebirth", datatype=DataType.BOOLEAN, value=False)
REQUEST = Metric(timestamp=T, name="Node Control/Rebirth", datatype=DataType.BOOLEAN, value=True)
TEMP = Metric(timestamp=T, name="Temp", datatype=DataType.INT8, value=-41, alias=7)
FLOW = Metric(timestamp=T, name="Flow", datatype=DataType.FLOAT, value=1.5, alias=8)
COLDER = Metric(timestamp=T + 1, name=None, datatype=DataType.INT8, value=-42, alias=7)
FASTER = Metric(timestamp=T + 1, name=None, datatype=DataType.FLOAT, value=2.5, alias=8)
OLD = Metric(timestamp=T - 9, name=None, datatype=DataType.FLOAT, value=0.5, alias=8, is_historical=True)


def say(kind, payload, types=False):
    print(kind, payload.encode(include_dtypes=types).hex())


def births(number):
    say("NBIRTH", NBirth(timestamp=T, seq=0, metrics=(bd_seq(number), REBIRTH, TEMP)))
    say("DBIRTH", DBirth(timestamp=T, seq=1, metrics=(FLOW,)))


print("WILL", NDeath(timestamp=T, bd_seq_metric=bd_seq(0)).encode().hex())
births(0)
say("NDATA", NData(timestamp=T, seq=2, metrics=(COLDER,)))
say("DDATA", DData(timestamp=T, seq=3, metrics=(FASTER, OLD)))
say("DDEATH", DDeath(timestamp=T, seq=4))
say("DBIRTH", DBirth(timestamp=T, seq=5, metrics=(FLOW,)))
say("NCMD", NCmd(timestamp=T, metrics=(REQUEST,)), types=True)
births(0)
say("NDATA", NData(timestamp=T, seq=2, metrics=(COLDER,)))
print("NDEATH", NDeath(timestamp=T, bd_seq_metric=bd_seq(0)).encode().hex())
print("DISCONNECT")
print("WILL", NDeath(timestamp=T, bd_seq_metric=bd_seq(1)).encode().hex())
births(1)
say("DDATA", DData(timestamp=T, seq=2, metrics=(FASTER,)))
