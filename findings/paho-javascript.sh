#!/usr/bin/env bash
# npm paho-mqtt 1.1.0, the Eclipse Paho client for browsers, gives the 65,536th message the identifier 0, and resends messages empty, without DUP, or from another client.
#
# Expected (MQTT 3.1.1): a packet identifier is not 0 (2.3.1, [MQTT-2.3.1-1]). A client that comes back with Clean Session 0 resends its own unacknowledged
#           PUBLISH packets (4.4, [MQTT-4.4.0-1]), as they were but for DUP, which is 1 (3.3.1.1, [MQTT-3.3.1-1]). SUBACK has a return code for each filter, and 0x80 is a failure (3.9.3).
#           The description of Paho.Message names String and ArrayBuffer for payloads.
# Seen:     a broker that acknowledges each QoS 1 message when it has the next one gets message 65536 under the identifier 0. After "reconnect", an unacknowledged
#           message comes again without DUP. The client keeps such messages in localStorage for the time after the page is loaded again. Then a text comes
#           with DUP; a message with an ArrayBuffer comes with DUP and an empty payload. The client "panel" also sends the messages that "panel:2"
#           has stored, and does so again at each load, though they were acknowledged. subscribe() of two filters calls onSuccess if only the second one is rejected.
# So:       a page that sends without a pause is disconnected after 65,535 messages, and again after each reconnect, since the message is stored. An empty retained
#           message deletes the value that it should set. Of two pages of one origin, one repeats the other one's commands.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts paho-mqtt@1.1.0 ws@8.18.3 >/dev/null 2>&1

cat >try.js <<'JS'
const {WebSocketServer, WebSocket} = require('ws');
// What a browser has. The stored items are the enumerable properties, as in the Web Storage API.
class Storage {
  setItem(name, value) { this[name] = String(value); }
  getItem(name) { return this[name] ?? null; }
  removeItem(name) { delete this[name]; }
}
global.WebSocket = WebSocket;
global.localStorage = new Storage();
const Paho = require('paho-mqtt');

// Plays a broker: hands each PUBLISH and SUBSCRIBE to `receive`.
const server = new WebSocketServer({host: '127.0.0.1', port: 0});
let receive = () => {};
server.on('connection', (socket) => {
  let buffer = Buffer.alloc(0);
  socket.on('message', (data) => {
    buffer = Buffer.concat([buffer, data]);
    while (buffer.length > 1 && buffer.length >= 2 + buffer[1]) {
      const packet = buffer.subarray(0, 2 + buffer[1]);
      buffer = buffer.subarray(2 + buffer[1]);
      if (packet[0] >> 4 === 1) socket.send(Buffer.from([0x20, 2, 0, 0]));
      else if ([3, 8].includes(packet[0] >> 4)) receive(packet, socket);
    }
  });
});
const identifierAt = (packet) => 4 + packet.readUInt16BE(2);
const identifierOf = (packet) => packet.readUInt16BE(identifierAt(packet));
const acknowledge = (socket, identifier) => socket.send(Buffer.from([0x40, 2, identifier >> 8, identifier & 255]));
const show = (packet) => {
  const at = identifierAt(packet);
  return `"${packet.subarray(at + 2)}" on ${packet.subarray(4, at)} under ${identifierOf(packet)}${packet[0] & 8 ? ', DUP' : ''}${packet[0] & 1 ? ', RETAIN' : ''}`;
};
const message = (topic, payload, retained = false) => Object.assign(new Paho.Message(payload), {destinationName: topic, qos: 1, retained});
const connect = (name, options = {}) => new Promise((resolve, reject) => {
  const client = new Paho.Client('127.0.0.1', server.address().port, '/mqtt', name);
  client.connect({cleanSession: false, mqttVersion: 4, onSuccess: () => resolve(client), onFailure: reject, ...options});
});
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const bytes = (text) => new TextEncoder().encode(text).buffer;

async function main() {
  let client = await connect('many');
  let count = 0, last = null;
  await new Promise((resolve) => {
    receive = (packet, socket) => {
      count += 1;
      if ([1, 2, 65535, 65536, 65537].includes(count)) console.log(`message ${count}: ${show(packet)}`);
      if (last !== null) acknowledge(socket, last);
      last = identifierOf(packet);
      if (count === 65537) resolve();
      else client.send(message('t', 'x'));
    };
    client.send(message('t', 'x'));
  });
  client.disconnect();

  let first = true;
  await new Promise((resolve) => {
    receive = (packet, socket) => {
      console.log(`${first ? 'sent' : 'after the reconnect'}: ${show(packet)}`);
      if (first) socket.terminate();
      else { acknowledge(socket, identifierOf(packet)); resolve(); }
      first = false;
    };
    connect('again', {reconnect: true}).then((it) => { client = it; client.send(message('t', 'text')); });
  });
  await pause(200);
  client.disconnect();

  // Two pages send messages, and are closed before the acknowledgements arrive.
  let expected = 0;
  for (const [name, messages] of [['load', [message('a', 'text'), message('b', bytes('octets'), true)]], ['panel:2', [message('door', 'open')]]]) {
    client = await connect(name);
    await new Promise((resolve) => {
      expected = messages.length;
      receive = (packet, socket) => {
        console.log(`${name} sent: ${show(packet)}`);
        if (--expected === 0) { client.onConnectionLost = resolve; socket.terminate(); }
      };
      messages.forEach((it) => client.send(it));
    });
  }
  for (const name of ['load', 'panel', 'panel', 'panel:2', 'panel:2']) {
    const seen = [];
    receive = (packet, socket) => {
      seen.push(show(packet));
      acknowledge(socket, identifierOf(packet));
    };
    client = await connect(name);
    await pause(500);
    client.disconnect();
    console.log(`${name} after loading: ${seen.join('; ') || 'nothing'}`);
  }

  receive = (packet, socket) => socket.send(Buffer.from([0x90, 4, packet[2], packet[3], 0, 0x80]));
  client = await connect('filters');
  client.subscribe(['a', 'b'], {
    onSuccess: () => { console.log('return codes 0x00 and 0x80: onSuccess'); process.exit(); },
    onFailure: () => { console.log('return codes 0x00 and 0x80: onFailure'); process.exit(); },
  });
}
server.on('listening', main);
JS
timeout 300 node try.js | tee seen
cat >expected <<'TEXT'
message 1: "x" on t under 1
message 2: "x" on t under 2
message 65535: "x" on t under 65535
message 65536: "x" on t under 0
message 65537: "x" on t under 1
sent: "text" on t under 1
after the reconnect: "text" on t under 1
load sent: "text" on a under 1
load sent: "octets" on b under 2, RETAIN
panel:2 sent: "open" on door under 1
load after loading: "text" on a under 1, DUP; "" on b under 2, DUP, RETAIN
panel after loading: "open" on door under 1, DUP
panel after loading: "open" on door under 1, DUP
panel:2 after loading: "open" on door under 1, DUP
panel:2 after loading: nothing
return codes 0x00 and 0x80: onSuccess
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "paho-mqtt 1.1.0: as described"
