#!/usr/bin/env bash
# Two CoAP libraries, which gateways between CoAP and MQTT can use, write or read options wrongly: PyPI piccata 2.0.3 and npm node-coap-client 2.1.0, beside
# npm coap-packet 1.1.1.
#
# Expected (RFC 7252 and 7959): block 0 of 16 bytes with no more blocks is the number 0, which has no bytes (RFC 7959, 2.2; RFC 7252, 3.2). A length of
#           269 or more is written in two bytes, minus 269 (RFC 7252, 3.1). Elective options that a receiver does not know are ignored (5.4.1);
#           their numbers are even: 16 is Hop-Limit (RFC 8768), 252 Echo (RFC 9175).
# Seen:     piccata announces one byte for the block 0/0/16 and writes none, so the payload marker is the value of the option, and the payload is options.
#           node-coap-client reads a Proxy-Uri of 300 characters well, and writes it with the length of 555. It raises TypeError for a response with Hop-Limit or Echo.
#           coap-packet reads and writes these.
# So:       an upload that ends within its first 16 bytes arrives as a malformed message, and a server that protects itself with Echo looks
#           like one that does not answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q piccata==2.0.3
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-coap-client@2.1.0 coap-packet@1.1.1 >/dev/null 2>&1

cat >piccata_write.py <<'PY'
import warnings
warnings.simplefilter('ignore')
from piccata.constants import CON
from piccata.message import Message

for name, block in (('0/0/16', (0, False, 0)), ('0/0/32', (0, False, 1)), ('0/1/16', (0, True, 0)), ('1/0/16', (1, False, 0)), ('16/0/16', (16, False, 0))):
    message = Message(mtype=CON, mid=1, code=3, payload=b'21.5')
    message.opt.block1 = block
    print(name, message.encode().hex())
PY
cat >try.js <<'JS'
const {readFileSync} = require('fs');
const packets = require('coap-packet');
const {Message} = require('node-coap-client/build/Message');

function attempt(action) {
  try {
    return action();
  } catch (error) {
    return error.name;
  }
}
const show = options => options.map(option => `${option.name} ${(option.rawValue || option.value).toString('hex') || 'empty'}`).join(', ');

for (const line of readFileSync('piccata.txt', 'utf8').trim().split('\n')) {
  const [name, hex] = line.split(' ');
  console.log('piccata | block', name, '|', hex.slice(8), '| coap-packet reads', attempt(() => {
    const {options, payload} = packets.parse(Buffer.from(hex, 'hex'));
    return `${show(options)}, payload ${payload}`;
  }));
}
const written = packets.generate({code: '0.03', messageId: 1, options: [{name: 'Block1', value: Buffer.alloc(0)}], payload: Buffer.from('21.5')});
console.log('coap-packet | block 0/0/16 |', written.toString('hex').slice(8));

for (const size of [20, 268, 300]) {
  const request = packets.generate({code: '0.01', messageId: 1, options: [{name: 'Proxy-Uri', value: Buffer.alloc(size, 'u')}]});
  const again = Message.parse(request).serialize();
  console.log('node-coap-client | Proxy-Uri of', size, 'bytes, read and written |', again.toString('hex').slice(8, 16), '| coap-packet', request.toString('hex').slice(8, 16));
}
for (const [name, number] of [['Max-Age', 14], ['Hop-Limit', 16], ['Echo', 252]]) {
  const response = packets.generate({code: '2.05', ack: true, messageId: 1, options: [{name: String(number), value: Buffer.from([7])}], payload: Buffer.from('x')});
  console.log('node-coap-client | response with', name, '|', attempt(() => show(Message.parse(response).options)),
    '| coap-packet', attempt(() => packets.parse(response).payload.toString()));
}
JS
env/bin/python piccata_write.py >piccata.txt 2>/dev/null
node try.js | tee seen
cat >expected <<'TEXT'
piccata | block 0/0/16 | d10eff32312e35 | coap-packet reads Block1 ff, 30 312e, 33 empty, payload 
piccata | block 0/0/32 | d10e01ff32312e35 | coap-packet reads Block1 01, payload 21.5
piccata | block 0/1/16 | d10e08ff32312e35 | coap-packet reads Block1 08, payload 21.5
piccata | block 1/0/16 | d10e10ff32312e35 | coap-packet reads Block1 10, payload 21.5
piccata | block 16/0/16 | d20e0100ff32312e35 | coap-packet reads Block1 0100, payload 21.5
coap-packet | block 0/0/16 | d00eff32312e35
node-coap-client | Proxy-Uri of 20 bytes, read and written | dd160775 | coap-packet dd160775
node-coap-client | Proxy-Uri of 268 bytes, read and written | dd16ff75 | coap-packet dd16ff75
node-coap-client | Proxy-Uri of 300 bytes, read and written | de16011e | coap-packet de16001f
node-coap-client | response with Max-Age | Max-Age 07 | coap-packet x
node-coap-client | response with Hop-Limit | TypeError | coap-packet x
node-coap-client | response with Echo | TypeError | coap-packet x
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "piccata 2.0.3, node-coap-client 2.1.0: as described"
