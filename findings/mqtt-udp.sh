#!/usr/bin/env bash
# PyPI mqttudp2 0.5.post0, MQTT/UDP for Python (packets of MQTT that are broadcast, without a broker), misreads its own messages of 128 bytes and more, and matches topics wrongly.
#
# Expected (MQTT 3.1.1, of which MQTT/UDP takes PUBLISH, SUBSCRIBE, PUBACK and the pings): the lowest seven bits of the length come first (2.2.3), the length of a topic has
#           two bytes (1.5.3), QoS is a number of its own (3.3.1.2). The filter a/# matches a (4.7.1.2), a/ is a topic like others (4.7.3), # does not match $SYS/a
#           ([MQTT-4.7.2-1]). MQTT/UDP has tail records behind this length, such as n, the number of the packet, and s, its signature.
# Seen:     make_publish_packet writes the length right, parse_packet takes the highest bits first. With a length of 128 it loses the value; with 130 and 300 number and
#           signature become a part of the value, which then often is no UTF-8. 44 of the 300 bytes of a topic are left. set_qos keeps the bits that were
#           set: 1 after 2 is 3. send_puback ignores its QoS. A filter that ends with / raises IndexError.
# So:       a thermostat whose report grows by a few letters is no longer heard.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check mqttudp2==0.5.post0 >/dev/null 2>&1

cat >try.py <<'PY'
from mqttudp import engine

def outcome(run):
    try:
        return run()
    except Exception as error:
        return type(error).__name__

def short(text):
    return text if len(text) < 24 else f'{len(text)} characters'

def read(packet):
    found = outcome(lambda: engine.parse_packet(packet))
    return found if isinstance(found, str) else f'topic {short(found.topic)}, value {short(found.value)}, number {found.pkt_id}, signed {found.signed}'

engine.set_signature('key')
for size in 20, 127, 128, 130, 300:
    plain = engine.make_publish_packet('t/1', 'x' * (size - 5))
    print(f'length {size} ({plain[1:3].hex()}) |', read(engine.add_integer_ttr(plain, b'n', 7)), '|', read(engine.sign_and_ttr(plain)))
print('topic of 300 bytes |', read(engine.make_publish_packet('t' * 300, 'x')))
for first, second in (0, 1), (2, 1), (1, 0):
    packet = engine.Packet()
    packet.set_qos(first)
    packet.set_qos(second)
    print(f'set_qos({first}), set_qos({second}) |', packet.get_qos())

class Sent:
    def sendto(self, data, address):
        print(f'send_puback(7, {qos}) | {data[:1].hex()}')
engine.__dict__['__SEND_SOCKET'] = Sent()
for qos in 0, 1, 2:
    engine.send_puback(7, qos)
for topic_filter, topic in ('a/+', 'a/b'), ('a/#', 'a/b'), ('a/#', 'a'), ('+/#', 'a'), ('a/', 'a/'), ('+/', 'a/'), ('/', '/'), ('#', '$SYS/a'), ('+/a', '$SYS/a'):
    print(f'match({topic_filter}, {topic}) |', outcome(lambda: engine.match(topic_filter, topic)))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
length 20 (1400) | topic t/1, value xxxxxxxxxxxxxxx, number 7, signed False | topic t/1, value xxxxxxxxxxxxxxx, number 0, signed True
length 127 (7f00) | topic t/1, value 122 characters, number 7, signed False | topic t/1, value 122 characters, number 0, signed True
length 128 (8001) | topic t/1, value , number 0, signed False | topic t/1, value , number 0, signed False
length 130 (8201) | topic t/1, value 131 characters, number 0, signed False | UnicodeDecodeError
length 300 (ac02) | topic t/1, value 301 characters, number 0, signed False | UnicodeDecodeError
topic of 300 bytes | topic 44 characters, value 257 characters, number 0, signed False
set_qos(0), set_qos(1) | 1
set_qos(2), set_qos(1) | 3
set_qos(1), set_qos(0) | 1
send_puback(7, 0) | 40
send_puback(7, 1) | 40
send_puback(7, 2) | 40
match(a/+, a/b) | True
match(a/#, a/b) | True
match(a/#, a) | False
match(+/#, a) | False
match(a/, a/) | IndexError
match(+/, a/) | IndexError
match(/, /) | IndexError
match(#, $SYS/a) | True
match(+/a, $SYS/a) | True
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
