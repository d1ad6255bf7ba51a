#!/usr/bin/env bash
# npm stomp-broker-js 1.3.0, a broker of STOMP 1.1 for browsers and flows, changes texts with an empty line, counts their length wrong, and gives
# messages to those who subscribed to something else.
#
# Expected (STOMP 1.1): a body is everything between the first empty line and NUL, or as many octets as content-length says (STOMP Frames, Header
#           content-length). A destination is an opaque string (the package documents * and ** for parts between dots). Messages on a destination go
#           to those that subscribed to it, the sender too (SUBSCRIBE). Of repeated headers, the first one counts (Repeated Header Entries). Each
#           frame but CONNECT may ask for a receipt (Header receipt).
# Seen:     the text "one", empty line, "two" arrives as one,two. content-length counts characters: 5 for 6 octets. A client that subscribed to
#           /plant.line1.temperature has the messages to /plant.line1 and /plant, too; room/lamp and hall/lamp are the same destination. A sender does
#           not get its own message, the second of two headers counts, and SEND and SUBSCRIBE that ask for a receipt get none, nor an ERROR.
# So:       a JSON text with an empty line between its parts is none any more, and the lamp of the hall goes on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts stomp-broker-js@1.3.0 ws@5.2.8 >/dev/null 2>&1

cat >try.js <<'JS'
process.removeAllListeners('warning');
const http = require('http');
const Broker = require('stomp-broker-js');
const WebSocket = require('ws');
const server = http.createServer();
new Broker({ server, path: '/stomp' });
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const client = async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}/stomp`);
  const frames = [];
  socket.on('message', (data) => frames.push(data));
  await new Promise((done) => socket.on('open', done));
  const send = (lines, body = '') => socket.send(`${lines.join('\n')}\n\n${body}\0`);
  const take = async () => {
    for (let i = 0; i < 60 && !frames.length; i++) await wait(50);
    if (!frames.length) return null;
    const text = frames.shift();
    const split = text.indexOf('\n\n');
    const [command, ...headers] = text.slice(0, split).split('\n');
    return { command, headers: Object.fromEntries(headers.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)])), body: text.slice(split + 2, -1) };
  };
  send(['CONNECT', 'accept-version:1.1', 'host:x']);
  if ((await take()).command !== 'CONNECTED') throw new Error('not connected');
  return { send, take, close: () => socket.close() };
};
const show = (what, expected, found) => console.log(`${what} | expected ${expected} | stomp-broker-js ${found}`);
server.listen(0, '127.0.0.1', async () => {
  const message = async (subscription, destination, body, own, headers = []) => {
    const [subscriber, other] = [await client(), await client()];
    subscriber.send(['SUBSCRIBE', 'id:1', `destination:${subscription}`]);
    await wait(200);
    (own ? subscriber : other).send(['SEND', `destination:${destination}`, ...headers], body);
    const found = await subscriber.take();
    subscriber.close();
    other.close();
    return found;
  };
  for (const body of ['one\ntwo', 'one\n\ntwo', '{"a":1,\n\n"b":2}']) show(`the body ${JSON.stringify(body)}`, JSON.stringify(body), JSON.stringify((await message('/a', '/a', body)).body));
  for (const body of ['20.5 C', '20,5\u00b0']) show(`content-length of ${body}`, Buffer.byteLength(body), (await message('/a', '/a', body)).headers['content-length']);
  for (const [subscription, destination, right] of [['/plant.line1', '/plant.line1', 'MESSAGE'], ['/plant.line1', '/plant.line2', 'nothing'], ['/plant.line1', '/plant.line1.temperature', 'nothing'],
    ['/plant.line1.temperature', '/plant.line1', 'nothing'], ['/plant.line1.temperature', '/plant', 'nothing'], ['room/lamp', 'hall/lamp', 'nothing'], ['/room/lamp', '/hall/lamp', 'nothing']]) {
    show(`subscribed to ${subscription}, sent to ${destination}`, right, (await message(subscription, destination, 'x'))?.command ?? 'nothing');
  }
  show('subscribed to /a, sent to /a by the same client', 'MESSAGE', (await message('/a', '/a', 'x', true))?.command ?? 'nothing');
  show('the headers unit:C and unit:F', 'C', (await message('/a', '/a', 'x', false, ['unit:C', 'unit:F'])).headers.unit);
  for (const lines of [['SEND', 'destination:/a'], ['SUBSCRIBE', 'id:1', 'destination:/a']]) {
    const connection = await client();
    connection.send([...lines, 'receipt:r']);
    show(`${lines[0]} with a receipt`, 'RECEIPT', (await connection.take())?.command ?? 'nothing');
    connection.close();
  }
  process.exit(0);
});
JS
node --no-deprecation try.js | tee seen
cat >expected <<'TEXT'
the body "one\ntwo" | expected "one\ntwo" | stomp-broker-js "one\ntwo"
the body "one\n\ntwo" | expected "one\n\ntwo" | stomp-broker-js "one,two"
the body "{\"a\":1,\n\n\"b\":2}" | expected "{\"a\":1,\n\n\"b\":2}" | stomp-broker-js "{\"a\":1,,\"b\":2}"
content-length of 20.5 C | expected 6 | stomp-broker-js 6
content-length of 20,5° | expected 6 | stomp-broker-js 5
subscribed to /plant.line1, sent to /plant.line1 | expected MESSAGE | stomp-broker-js MESSAGE
subscribed to /plant.line1, sent to /plant.line2 | expected nothing | stomp-broker-js nothing
subscribed to /plant.line1, sent to /plant.line1.temperature | expected nothing | stomp-broker-js nothing
subscribed to /plant.line1.temperature, sent to /plant.line1 | expected nothing | stomp-broker-js MESSAGE
subscribed to /plant.line1.temperature, sent to /plant | expected nothing | stomp-broker-js MESSAGE
subscribed to room/lamp, sent to hall/lamp | expected nothing | stomp-broker-js MESSAGE
subscribed to /room/lamp, sent to /hall/lamp | expected nothing | stomp-broker-js nothing
subscribed to /a, sent to /a by the same client | expected MESSAGE | stomp-broker-js nothing
the headers unit:C and unit:F | expected C | stomp-broker-js F
SEND with a receipt | expected RECEIPT | stomp-broker-js nothing
SUBSCRIBE with a receipt | expected RECEIPT | stomp-broker-js nothing
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
