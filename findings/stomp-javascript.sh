#!/usr/bin/env bash
# Four npm clients of STOMP, the text protocol that brokers offer beside MQTT, leave headers escaped, cut bodies, and lose messages that arrive in
# pieces: stompjs 2.3.3, webstomp-client 1.2.6, stomp-client 0.9.0 and stompit 1.0.0.
#
# Expected (STOMP 1.1 and 1.2): in headers of SEND and MESSAGE, \c, \n and \\ stand for colon, line feed and backslash, and spaces are never trimmed
#           (Value Encoding). content-length counts the octets of a body, which may have NUL (Header content-length). Of repeated headers, the first
#           one counts (Repeated Header Entries). In 1.2 a line may end with CR LF (STOMP Frames, Augmented BNF). Frames come in a stream, so that a
#           network may cut them anywhere (STOMP Frames).
# Seen:     stompjs, webstomp-client and stomp-client give and send C\c\\new and C:\new as they are. The first two trim spaces and end a body at NUL
#           in spite of its length; webstomp-client finds no frame at all in one with CR LF. stomp-client takes the last of two headers. If the frame
#           comes in pieces, stomp-client ends the body at NUL, too, loses each message with a length and a degree sign, also the one behind it, and
#           makes two replacement characters of the sign in a header, as stompit does, which then fails with an error at CR LF, too.
# So:       on a slow line, temperatures with their unit do not arrive, and every test on one computer is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts stompjs@2.3.3 webstomp-client@1.2.6 stomp-client@0.9.0 stompit@1.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const net = require('net');
const { StompClient } = require('stomp-client');
const stompit = require('stompit');
const { Stomp } = require('stompjs/lib/stomp.js');
const webstomp = require('webstomp-client');
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const MESSAGE = 'MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/a\n';
const CONNECTED = (version) => `CONNECTED\nversion:${version}\nsession:s\nheart-beat:0,0\n\n\0`;
const HIDDEN = ['subscription', 'message-id', 'destination', 'content-length'];

// a WebSocket whose other end answers CONNECT and SUBSCRIBE
const socket = (frame, sent, version) => ({
  readyState: 0, OPEN: 1, protocol: 'v12.stomp', close() {},
  send(data) {
    sent.push(data);
    const answer = data.startsWith('CONNECT') ? CONNECTED(version) : data.startsWith('SUBSCRIBE') ? frame : null;
    if (answer) setImmediate(() => this.onmessage({ data: answer }));
  },
});
// cuts inside the degree sign, behind CR and behind NUL
const sendInPieces = async (connection, piece) => {
  const octets = Buffer.from(piece);
  const cut = piece.endsWith('\u00b0') ? octets.length - 1 : octets.length;
  for (const part of [octets.subarray(0, cut), octets.subarray(cut)]) if (part.length) { connection.write(part); await wait(100); }
};
// a TCP server that does, whole or in pieces
const server = (frame, sent, version, pieces) => net.createServer((connection) => {
  connection.setNoDelay(true);
  connection.on('error', () => {});
  connection.on('data', async (data) => {
    for (const part of data.toString().split('\0')) {
      const text = part.trimStart();
      if (text) sent.push(`${text}\0`);
      if (/^(CONNECT|STOMP)\n/.test(text)) connection.write(CONNECTED(version));
      if (text.startsWith('SUBSCRIBE')) {
        if (!pieces) connection.write(frame);
        else for (const piece of frame.replace(/[\u00b0\r\0]/g, '$&|').split('|')) await sendInPieces(connection, piece);
      }
    }
  });
});
const overSocket = (make, send, version) => (frame, headers) => new Promise((done) => {
  const [sent, found] = [[], []];
  const ws = socket(frame, sent, version);
  const client = make(ws);
  client.heartbeat = { outgoing: 0, incoming: 0 };
  client.debug = () => {};
  client.connect({}, () => {
    client.subscribe('/a', (message) => found.push([message.headers, message.body]), { id: '1' });
    send(client, headers);
    setTimeout(() => done([found, sent]), 1000);
  }, () => {});
  ws.onopen();
});
const overTcp = (run, version, pieces) => (frame, headers) => new Promise((done) => {
  const [sent, found] = [[], []];
  const listener = server(frame, sent, version, pieces).listen(0, '127.0.0.1', () => {
    run(listener.address().port, headers, found);
    setTimeout(() => { listener.close(); done([found, sent]); }, 3000);
  });
});
const withStompClient = (port, headers, found) => {
  const client = new StompClient({ address: '127.0.0.1', port, protocolVersion: '1.1', vhost: 'x' });
  client.on('error', (error) => found.push(`error: ${error.message}`));
  client.connect(() => {
    client.subscribe('/a', (body, fields) => found.push([fields, body]));
    client.publish('/a', 'x', headers);
  });
};
const withStompit = (port, headers, found) => stompit.connect({ host: '127.0.0.1', port, connectHeaders: { host: '/', 'heart-beat': '0,0' } }, (error, client) => {
  if (error) return found.push(`error: ${error.message}`);
  client.on('error', (problem) => found.push(`error: ${problem.message}`));
  client.subscribe({ destination: '/a', ack: 'auto' }, (problem, message) => {
    if (problem) return;
    message.readString('utf8', (_, body) => found.push([message.headers, body]));
  });
  client.sendString({ destination: '/a', ...headers }, 'x', () => {});
});
const CLIENTS = {
  stompjs: overSocket((ws) => Stomp.over(ws), (client, headers) => client.send('/a', headers, 'x'), '1.1'), 
  'webstomp-client': overSocket((ws) => webstomp.over(ws, { debug: false }), (client, headers) => client.send('/a', 'x', headers), '1.2'),
  'stomp-client': overTcp(withStompClient, '1.1'), 'stomp-client, in pieces': overTcp(withStompClient, '1.1', true),
  stompit: overTcp(withStompit, '1.2'), 'stompit, in pieces': overTcp(withStompit, '1.2', true),
};
const FRAMES = [
  ['unit:C\n\n20.5\0', [[{ unit: 'C' }, '20.5']]], ['unit: C\n\n20.5\0', [[{ unit: ' C' }, '20.5']]], ['unit:C\nunit:F\n\n20.5\0', [[{ unit: 'C' }, '20.5']]],
  ['place:C\\c\\\\new\n\nx\0', [[{ place: 'C:\\new' }, 'x']]], ['content-length:3\n\na\0b\0', [[{}, 'a\0b']]], ['content-length:7\n\n20,5 \u00b0\0', [[{}, '20,5 \u00b0']]],
  [`content-length:2\n\n\u00b0\0\n${MESSAGE}\nb\0\n`, [[{}, '\u00b0'], [{}, 'b']]],
  ['unit:\u00b0C\n\nx\0', [[{ unit: '\u00b0C' }, 'x']]],
  ['unit:C\r\n\r\nx\0', [[{ unit: 'C' }, 'x']]],
];
(async () => {
  for (const [after, right] of FRAMES) {
    console.log(`MESSAGE ... ${JSON.stringify(after)} | expected ${JSON.stringify(right)}`);
    const lines = after.includes('\r') ? MESSAGE.replaceAll('\n', '\r\n') + after : MESSAGE + after;
    const clients = Object.entries(CLIENTS).filter(([name]) => !after.includes('\r') || !/^stomp(js|-client)/.test(name)); // those speak 1.1
    await Promise.all(clients.map(async ([library, run]) => {
      const [found] = await run(lines, {});
      const kept = found.map((one) => typeof one === 'string' ? one : [Object.fromEntries(Object.entries(one[0]).filter(([name]) => !HIDDEN.includes(name))), one[1]]);
      return `   ${library} | ${JSON.stringify(kept) === JSON.stringify(right) ? 'as expected' : JSON.stringify(kept)}`;
    })).then((texts) => texts.forEach((text) => console.log(text)));
  }
  console.log(`SEND of x to /a, with the place C:\\new | expected ${JSON.stringify('place:C\\c\\\\new')}`);
  for (const [library, run] of Object.entries(CLIENTS)) {
    if (library.includes(',')) continue;
    const [, sent] = await run(`${MESSAGE}\nx\0`, { place: 'C:\\new' });
    console.log(`   ${library} | ${JSON.stringify(sent.find((frame) => frame.startsWith('SEND')).split('\n').find((line) => line.startsWith('place')))}`);
  }
  process.exit(0);
})();
JS
node --no-deprecation try.js | tee seen
cat >expected <<'TEXT'
MESSAGE ... "unit:C\n\n20.5\u0000" | expected [[{"unit":"C"},"20.5"]]
   stompjs | as expected
   webstomp-client | as expected
   stomp-client | as expected
   stomp-client, in pieces | as expected
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "unit: C\n\n20.5\u0000" | expected [[{"unit":" C"},"20.5"]]
   stompjs | [[{"unit":"C"},"20.5"]]
   webstomp-client | [[{"unit":"C"},"20.5"]]
   stomp-client | as expected
   stomp-client, in pieces | as expected
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "unit:C\nunit:F\n\n20.5\u0000" | expected [[{"unit":"C"},"20.5"]]
   stompjs | as expected
   webstomp-client | as expected
   stomp-client | [[{"unit":"F"},"20.5"]]
   stomp-client, in pieces | [[{"unit":"F"},"20.5"]]
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "place:C\\c\\\\new\n\nx\u0000" | expected [[{"place":"C:\\new"},"x"]]
   stompjs | [[{"place":"C\\c\\\\new"},"x"]]
   webstomp-client | [[{"place":"C\\c\\\\new"},"x"]]
   stomp-client | [[{"place":"C\\c\\\\new"},"x"]]
   stomp-client, in pieces | [[{"place":"C\\c\\\\new"},"x"]]
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "content-length:3\n\na\u0000b\u0000" | expected [[{},"a\u0000b"]]
   stompjs | [[{},"a"]]
   webstomp-client | [[{},"a"]]
   stomp-client | as expected
   stomp-client, in pieces | [[{},"a"]]
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "content-length:7\n\n20,5 °\u0000" | expected [[{},"20,5 °"]]
   stompjs | as expected
   webstomp-client | as expected
   stomp-client | as expected
   stomp-client, in pieces | []
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "content-length:2\n\n°\u0000\nMESSAGE\nsubscription:1\nmessage-id:1\ndestination:/a\n\nb\u0000\n" | expected [[{},"°"],[{},"b"]]
   stompjs | as expected
   webstomp-client | as expected
   stomp-client | as expected
   stomp-client, in pieces | []
   stompit | as expected
   stompit, in pieces | as expected
MESSAGE ... "unit:°C\n\nx\u0000" | expected [[{"unit":"°C"},"x"]]
   stompjs | as expected
   webstomp-client | as expected
   stomp-client | as expected
   stomp-client, in pieces | [[{"unit":"��C"},"x"]]
   stompit | as expected
   stompit, in pieces | [[{"unit":"��C"},"x"]]
MESSAGE ... "unit:C\r\n\r\nx\u0000" | expected [[{"unit":"C"},"x"]]
   webstomp-client | []
   stompit | as expected
   stompit, in pieces | ["error: header parse error"]
SEND of x to /a, with the place C:\new | expected "place:C\\c\\\\new"
   stompjs | "place:C:\\new"
   webstomp-client | "place:C:\\new"
   stomp-client | "place:C:\\new"
   stompit | "place:C\\c\\\\new"
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
