#!/usr/bin/env bash
# Three Protocol Buffers libraries for Python do not merge parts of a message: PyPI pure-protobuf 3.1.5, betterproto2 0.10.0 and proto 0.1.0, beside PyPI
# protobuf 7.36.2. pure-protobuf also rejects enum values.
#
# Expected (Protocol Buffers, encoding, "Last One Wins"): if a field that is a message occurs twice, the parser merges both, so that two encoded messages one
#           after the other are the merged message; lists are joined. (Enum Behavior) In proto3, a value that the enum does not name is kept, and a
#           negative one is ten bytes. (Packed Repeated Fields) A list without elements is not in the message.
# Seen:     of {a: 1} and {b: 2}, all three keep the second only, and of the lists [1] and [2] betterproto2 and proto keep [2]; pure-protobuf
#           joins these. pure-protobuf raises an error for a value that the enum does not name and for each negative one, also in writing, and
#           writes an empty list as a field of no bytes.
# So:       a device that appends what has changed to the last message, as the encoding allows, loses the rest at these readers, and a reader
#           on pure-protobuf stops when the devices learn a new state.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pure-protobuf==3.1.5 betterproto2==0.10.0 proto==0.1.0 protobuf==7.36.2

cat >try.py <<'PY'
from dataclasses import dataclass, field
from enum import IntEnum
from io import BytesIO
from typing import Annotated, List, Optional
import betterproto2, proto
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from pure_protobuf.annotations import Field, uint
from pure_protobuf.message import BaseMessage

class State(IntEnum):
    OFF = 0
    ON = 1
    BROKEN = -1

@dataclass
class PureInner(BaseMessage):
    a: Annotated[Optional[uint], Field(1)] = None
    b: Annotated[Optional[uint], Field(2)] = None
    c: Annotated[List[uint], Field(3)] = field(default_factory=list)

@dataclass
class Pure(BaseMessage):
    inner: Annotated[Optional[PureInner], Field(1)] = None
    state: Annotated[Optional[State], Field(2)] = None

class BetterState(betterproto2.Enum):
    OFF = 0
    ON = 1
    BROKEN = -1

@dataclass(eq=False, repr=False)
class BetterInner(betterproto2.Message):
    a: int = betterproto2.field(1, betterproto2.TYPE_UINT32)
    b: int = betterproto2.field(2, betterproto2.TYPE_UINT32)
    c: list[int] = betterproto2.field(3, betterproto2.TYPE_UINT32, repeated=True)

@dataclass(eq=False, repr=False)
class Better(betterproto2.Message):
    inner: BetterInner | None = betterproto2.field(1, betterproto2.TYPE_MESSAGE, optional=True)
    state: BetterState = betterproto2.field(2, betterproto2.TYPE_ENUM, default_factory=lambda: BetterState(0))

@proto.message
class ProtoInner:
    a: int = proto.field(1, 'uint32')
    b: int = proto.field(2, 'uint32')
    c: list[int] = proto.field(3, 'uint32')

@proto.message
class Proto:
    inner: ProtoInner | None = proto.field(1)
    state: State = proto.field(2)

def google():
    """The same messages with the classes of Google."""
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name='case.proto', syntax='proto3')
    inner, outer, states = file.message_type.add(name='Inner'), file.message_type.add(name='Outer'), file.enum_type.add(name='State')
    for state in State:
        states.value.add(name=state.name, number=state)
    for number, name in enumerate('abc', 1):
        inner.field.add(name=name, number=number, type=kind.TYPE_UINT32, label=kind.LABEL_REPEATED if name == 'c' else kind.LABEL_OPTIONAL)
    outer.field.add(name='inner', number=1, type=kind.TYPE_MESSAGE, type_name='.Inner', label=kind.LABEL_OPTIONAL)
    outer.field.add(name='state', number=2, type=kind.TYPE_ENUM, type_name='.State', label=kind.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('Outer'))

Google = google()
READ = {
    'protobuf': Google.FromString,
    'pure-protobuf': lambda data: Pure.read_from(BytesIO(data)),
    'betterproto2': Better.parse,
    'proto': lambda data: proto.decode(Proto, data),
}
CASES = {'inner {a: 1}, inner {b: 2}': '0a020801 0a021002', 'inner {c: [1]}, inner {c: [2]}': '0a021801 0a021802', 'state 1': '1001', 'state 7': '1007',
         'state -1': '10ffffffffffffffffff01'}
for name, data in CASES.items():
    for package, read in READ.items():
        try:
            found = read(bytes.fromhex(data))
            seen = f'a {found.inner.a or 0}, b {found.inner.b or 0}, c {list(found.inner.c)}' if 'inner' in name else int(found.state)
        except Exception as error:
            seen = type(error).__name__
        print(package, '|', name, '|', seen)
WRITE = {'protobuf': lambda: Google(state=-1).SerializeToString(), 'pure-protobuf': lambda: bytes(Pure(state=State.BROKEN)),
         'betterproto2': lambda: bytes(Better(state=BetterState.BROKEN)), 'proto': lambda: proto.encode(Proto(state=State.BROKEN))}
for package, write in WRITE.items():
    try:
        seen = write().hex()
    except Exception as error:
        seen = type(error).__name__
    print(package, '| writes state -1 |', seen)
for package, write in {'protobuf': lambda: Google(inner={'a': 1}).SerializeToString(), 'pure-protobuf': lambda: bytes(Pure(inner=PureInner(a=1))),
                       'betterproto2': lambda: bytes(Better(inner=BetterInner(a=1))), 'proto': lambda: proto.encode(Proto(inner=ProtoInner(a=1)))}.items():
    print(package, '| writes inner {a: 1, c: []} |', write().hex())
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
protobuf | inner {a: 1}, inner {b: 2} | a 1, b 2, c []
pure-protobuf | inner {a: 1}, inner {b: 2} | a 0, b 2, c []
betterproto2 | inner {a: 1}, inner {b: 2} | a 0, b 2, c []
proto | inner {a: 1}, inner {b: 2} | a 0, b 2, c []
protobuf | inner {c: [1]}, inner {c: [2]} | a 0, b 0, c [1, 2]
pure-protobuf | inner {c: [1]}, inner {c: [2]} | a 0, b 0, c [1, 2]
betterproto2 | inner {c: [1]}, inner {c: [2]} | a 0, b 0, c [2]
proto | inner {c: [1]}, inner {c: [2]} | a 0, b 0, c [2]
protobuf | state 1 | 1
pure-protobuf | state 1 | 1
betterproto2 | state 1 | 1
proto | state 1 | 1
protobuf | state 7 | 7
pure-protobuf | state 7 | IncorrectValueError
betterproto2 | state 7 | 7
proto | state 7 | 7
protobuf | state -1 | -1
pure-protobuf | state -1 | IncorrectValueError
betterproto2 | state -1 | -1
proto | state -1 | -1
protobuf | writes state -1 | 10ffffffffffffffffff01
pure-protobuf | writes state -1 | ValueError
betterproto2 | writes state -1 | 10ffffffffffffffffff01
proto | writes state -1 | 10ffffffffffffffffff01
protobuf | writes inner {a: 1, c: []} | 0a020801
pure-protobuf | writes inner {a: 1, c: []} | 0a0408011a00
betterproto2 | writes inner {a: 1, c: []} | 0a020801
proto | writes inner {a: 1, c: []} | 0a020801
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "pure-protobuf 3.1.5, betterproto2 0.10.0, proto 0.1.0: as described"
