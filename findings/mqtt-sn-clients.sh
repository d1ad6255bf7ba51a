#!/usr/bin/env bash
# Two Python libraries for MQTT-SN 1.2 leave out or lengthen messages.
#
# Expected (MQTT-SN 1.2): a client answers a PUBLISH of QoS 1 with PUBACK and one of QoS 2 with PUBREC (sections 5.4.12 to 5.4.14, 6.6). A topic
#           id has 16 bits without a sign (5.3.11). The radius of SEARCHGW and the return code of WILLTOPICRESP have one octet (5.3.9, 5.3.10).
# Seen:     PyPI mqtt-sn-12 1.0.9: the client hands a PUBLISH of QoS 1 or 2 to the application and answers nothing; each repetition is handed over
#           again, with DUP or not. A REGISTER of the gateway with topic id 32767 is answered with REGACK, one with 32768 raises an error.
#           PyPI mqttsn 0.0.4: SEARCHGW has 4 octets, with a radius of two; reading a WILLTOPICRESP as the specification has it (3 octets)
#           raises an error, one of 4 octets is read.
# So:       a gateway that repeats what is not acknowledged delivers each message N_retry + 1 times to the first, and then takes it for lost.
#           A strict gateway ignores the second's search.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv one
python3 -m venv two
one/bin/pip install -q mqtt-sn-12==1.0.9
two/bin/pip install -q mqttsn==0.0.4

cat >client.py <<'PY'
"""A client of a gateway that this script plays itself, on another socket."""
import logging, socket, struct, threading
from mqttsn12.client.MqttSnClient import MqttSnClient, MqttSnListener

logging.disable(logging.CRITICAL)
gateway = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
gateway.bind(('127.0.0.1', 0))
gateway.settimeout(10)

class Application(MqttSnListener):
    received = 0
    def message_arrived(self, message):
        self.received += 1

def answer(reply):
    """Answers the next message."""
    def run():
        data, address = gateway.recvfrom(2000)
        gateway.connect(address)
        gateway.send(reply(data))
    thread = threading.Thread(target=run)
    thread.start()
    return thread

client, application = MqttSnClient(), Application()
client.set_client_id('sensor')
client.set_keep_alive(60)
client.set_timeout(5)
client.open('127.0.0.1', gateway.getsockname()[1])
thread = answer(lambda data: bytes.fromhex('030500'))
client.send_connect()
thread.join()
# SUBACK: QoS 2, topic id 1, the MsgId of the SUBSCRIBE, accepted.
thread = answer(lambda data: bytes.fromhex('0813400001') + data[3:5] + b'\0')
client.send_subscribe('site/a', 2, application)
thread.join()

def offer(message):
    """Sends a message to the client, and returns the types of its answers."""
    gateway.send(message)
    try:
        client.polling()
    except Exception as error:
        return type(error).__name__
    # PINGREQ is what the client sends next, by request: everything before it is an answer.
    thread = threading.Thread(target=client.send_ping_req)
    thread.start()
    types = []
    while not types or types[-1] != '16':
        types.append(gateway.recv(2000)[1:2].hex())
    gateway.send(bytes.fromhex('0217'))
    thread.join()
    return ' '.join(types[:-1]) or 'nothing'

for flags, name in ((0x20, 'QoS 1'), (0xa0, 'QoS 1, DUP'), (0x40, 'QoS 2'), (0xc0, 'QoS 2, DUP')):
    message = bytes([0, 0x0c, flags]) + struct.pack('>HH', 1, 7) + b'on'
    answers = offer(bytes([len(message)]) + message[1:])
    print(f'PUBLISH {name}: answered with {answers}; messages at the application: {application.received}')
for topic_id in (32767, 32768):
    message = struct.pack('>BBHH', 12, 0x0a, topic_id, 8) + b'site/b'
    print(f'REGISTER {topic_id}: answered with {offer(message)}')
PY
cat >codec.py <<'PY'
from mqttsn.lib.gw import SearchGWs
from mqttsn.lib.will import WillTopicResps
search = SearchGWs()
search.radius = 1
print('SEARCHGW', search.pack().hex())
for octets in ('031b00', '041b0000'):
    try:
        print('WILLTOPICRESP', octets, 'code', WillTopicResps(bytes.fromhex(octets)).return_code)
    except Exception as error:
        print('WILLTOPICRESP', octets, type(error).__name__)
PY
one/bin/python client.py >seen
two/bin/python codec.py >>seen
cat seen
diff seen - <<'TXT'
PUBLISH QoS 1: answered with nothing; messages at the application: 1
PUBLISH QoS 1, DUP: answered with nothing; messages at the application: 2
PUBLISH QoS 2: answered with nothing; messages at the application: 3
PUBLISH QoS 2, DUP: answered with nothing; messages at the application: 4
REGISTER 32767: answered with 0b
REGISTER 32768: answered with MqttSnClientException
SEARCHGW 04010001
WILLTOPICRESP 031b00 IndexError
WILLTOPICRESP 041b0000 code 0
TXT
