#!/usr/bin/env bash
# PyPI coilmq 1.1.0, a broker of STOMP, the text protocol that brokers offer beside MQTT, hears nothing after a heart-beat, loses what nobody
# acknowledged in two of three cases, and rejects valid frames.
#
# Expected (STOMP 1.1 and 1.2): ends of line may follow the NUL of a frame, and heart-beats are such (Augmented BNF, Heart-beating). Headers of
#           CONNECT are not escaped (Value Encoding). Each subscription has its own ack, and client-individual is like client, except that an ACK is
#           for one message (SUBSCRIBE). UNSUBSCRIBE needs only its id, and NACK is the opposite of ACK. A MESSAGE that has to be acknowledged has the
#           header ack, whose value is the only header that ACK needs (1.2, MESSAGE, ACK). After ERROR, the server must close the connection (ERROR).
# Seen:     after one end of line between two frames, no frame is answered any more. A message without ACK goes to the next client with ack:client,
#           but with client-individual it is gone, and with client, too, once another subscription of the connection is auto. UNSUBSCRIBE with an id,
#           NACK, and ACK of 1.2 give ERROR, and the connection stays open. No MESSAGE has the header ack. A passcode with a colon ends the connection
#           without CONNECTED or ERROR.
# So:       a client that keeps its connection alive is the one that gets no answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check coilmq==1.1.0 >/dev/null 2>&1

cat >try.py <<'PY'
import logging
import os
import socket
import socketserver
import threading

from coilmq.queue import QueueManager
from coilmq.server.socket_server import ThreadedStompServer
from coilmq.store.memory import MemoryQueue
from coilmq.topic import TopicManager

logging.disable(logging.CRITICAL)
socketserver.BaseServer.handle_error = lambda *arguments: None
server = ThreadedStompServer(('127.0.0.1', 0), timeout=1.0, queue_manager=QueueManager(store=MemoryQueue()), topic_manager=TopicManager())
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()


class Client:
    def __init__(self, version, *headers, wait=True):
        self.connection = socket.create_connection(server.server_address)
        self.connection.settimeout(8)
        self.data = b''
        self.send('CONNECT', f'accept-version:{version}', f'host:{socket.getfqdn()}', *headers)
        if wait:
            assert self.frame()[0] == 'CONNECTED'

    def send(self, *lines, body='', end='\0'):
        self.connection.sendall(('\n'.join(lines) + '\n\n' + body + end).encode())

    def frame(self):
        while b'\0' not in self.data:
            try:
                part = self.connection.recv(4096)
            except TimeoutError:
                return ('nothing', {})
            if not part:
                return ('closed', {})
            self.data += part
        text, self.data = self.data.split(b'\0', 1)
        command, *lines = text.decode().lstrip('\n').split('\n\n')[0].split('\n')
        return command, dict(line.split(':', 1) for line in lines)

    def receipt(self, *lines, **options):
        self.send(*lines, 'receipt:r', **options)
        found = self.frame()
        return found[0] + (f' ({found[1]["message"]})' if found[0] == 'ERROR' else '')


def show(what, expected, found):
    print(what, '| expected', expected, '| coilmq', found, flush=True)


client = Client('1.1')
show('SEND with a receipt', 'RECEIPT', client.receipt('SEND', 'destination:/topic/a', body='x'))
show('the next SEND', 'RECEIPT', client.receipt('SEND', 'destination:/topic/a', body='x'))
client.connection.sendall(b'\n')
show('SEND after a heart-beat', 'RECEIPT', client.receipt('SEND', 'destination:/topic/a', body='x'))
client = Client('1.1')
client.receipt('SEND', 'destination:/topic/a', body='x', end='\0\n')
show('SEND after a frame that ends with NUL and LF', 'RECEIPT', client.receipt('SEND', 'destination:/topic/a', body='x'))

for name, subscriptions in (('client', ['client']), ('client-individual', ['client-individual']), ('client, then auto for /queue/other', ['client', 'auto'])):
    queue = '/queue/' + name.split()[0].strip(',') + str(len(subscriptions))
    first = Client('1.1')
    for number, ack in enumerate(subscriptions):
        first.receipt('SUBSCRIBE', f'id:{number}', f'destination:{"/queue/other" if number else queue}', f'ack:{ack}')
    sender = Client('1.1')
    sender.receipt('SEND', f'destination:{queue}', body='x')
    assert first.frame()[0] == 'MESSAGE'
    first.receipt('DISCONNECT')
    second = Client('1.1')
    second.send('SUBSCRIBE', 'id:0', f'destination:{queue}', 'ack:auto')
    show(f'not acknowledged, ack:{name}, the next subscriber gets', 'MESSAGE', second.frame()[0])

client = Client('1.1')
client.receipt('SUBSCRIBE', 'id:7', 'destination:/topic/a')
show('UNSUBSCRIBE with id:7', 'RECEIPT', client.receipt('UNSUBSCRIBE', 'id:7'))
show('after ERROR', 'closed', client.receipt('SEND', 'destination:/topic/b', body='x'))
for version in ('1.1', '1.2'):
    client = Client(version)
    client.receipt('SUBSCRIBE', 'id:7', f'destination:/queue/{version}', 'ack:client')
    Client('1.1').receipt('SEND', f'destination:/queue/{version}', body='x')
    command, headers = client.frame()
    if version == '1.2':
        show('1.2, the header ack of a MESSAGE', 'present', 'present' if 'ack' in headers else 'missing')
        show('1.2, ACK with an id', 'RECEIPT', client.receipt('ACK', f'id:{headers.get("ack", headers["message-id"])}'))
    else:
        show('1.1, NACK', 'RECEIPT', client.receipt('NACK', 'subscription:7', f'message-id:{headers["message-id"]}'))
for passcode in ('secret', 'sec:ret'):
    client = Client('1.1', 'login:a', f'passcode:{passcode}', wait=False)
    show(f'CONNECT with the passcode {passcode}', 'CONNECTED', client.frame()[0])
os._exit(0)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
SEND with a receipt | expected RECEIPT | coilmq RECEIPT
the next SEND | expected RECEIPT | coilmq RECEIPT
SEND after a heart-beat | expected RECEIPT | coilmq nothing
SEND after a frame that ends with NUL and LF | expected RECEIPT | coilmq nothing
not acknowledged, ack:client, the next subscriber gets | expected MESSAGE | coilmq MESSAGE
not acknowledged, ack:client-individual, the next subscriber gets | expected MESSAGE | coilmq nothing
not acknowledged, ack:client, then auto for /queue/other, the next subscriber gets | expected MESSAGE | coilmq nothing
UNSUBSCRIBE with id:7 | expected RECEIPT | coilmq ERROR (Missing destination for UNSUBSCRIBE command.)
after ERROR | expected closed | coilmq RECEIPT
1.1, NACK | expected RECEIPT | coilmq ERROR (Nack implementation incomplete)
1.2, the header ack of a MESSAGE | expected present | coilmq missing
1.2, ACK with an id | expected RECEIPT | coilmq ERROR (No message-id specified for ACK command.)
CONNECT with the passcode secret | expected CONNECTED | coilmq CONNECTED
CONNECT with the passcode sec:ret | expected CONNECTED | coilmq closed
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
