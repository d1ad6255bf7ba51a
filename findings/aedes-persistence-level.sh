#!/usr/bin/env bash
# npm aedes-persistence-level 9.2.0, which keeps the sessions of aedes 1.2.0 on disk, forgets subscriptions when another one overlaps, so clients are disconnected and messages lost,
# and loses or reorders what waits over restarts, beside the persistence in memory of aedes.
#
# Expected (MQTT 3.1.1): a SUBSCRIBE replaces a subscription with the identical filter only (3.8.4, [MQTT-3.8.4-3]); a session keeps the QoS 1 and QoS 2 messages for
#           a client that is away (3.1.2.4). For each topic, messages of one QoS are sent in the order in which they were received (4.6, [MQTT-4.6.0-6]).
# Seen:     a client with o/# at QoS 1 subscribes to o/a at QoS 2 or 0, or subscribes to o/a at QoS 1 as well and unsubscribes from o/#. On a message of QoS 1 that the client should get, aedes reports "no such
#           packet" and closes the connection of the subscriber. Messages for it while it is away are lost, but those for o/a in the first case. In memory, all arrive.
#           The broker is started twelve times and gets a message for a waiting client each time. With the default identifier, a new one at each start, they are delivered in the order of these
#           identifiers. With the option id, as each start counts from one, each message overwrites the one before: only the last one arrives.
# So:       a second filter for one topic of a plant ends the recording of the others, and the queue on disk, which is for the time after a restart, is a game of chance.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts aedes@1.2.0 aedes-persistence-level@9.2.0 level@10.0.0 mqtt@5.16.0 >/dev/null 2>&1

cat >try.js <<'JS'
const {Aedes} = require('aedes'), {Level} = require('level'), persistence = require('aedes-persistence-level');
const fs = require('fs'), mqtt = require('mqtt'), net = require('net');
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
let errors = [];

async function start(directory, options = {}) {
  const store = directory && new Level(directory);
  if (store) {
    await store.open();
    options = {...options, persistence: persistence(store)};
  }
  const broker = await Aedes.createBroker(options), server = net.createServer(broker.handle);
  broker.on('clientError', (client, error) => errors.push(error.message));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    id: broker.id, port: server.address().port,
    async stop() {
      await pause(300);
      await new Promise((resolve) => { server.close(); broker.close(resolve); });
      if (store) { await pause(100); await store.close(); }
    },
  };
}
const connect = (port, clientId, clean) => mqtt.connectAsync({host: '127.0.0.1', port, clientId, clean, reconnectPeriod: 0});
const receive = async (port) => {
  const messages = [], client = mqtt.connect({host: '127.0.0.1', port, clientId: 'subscriber', clean: false, reconnectPeriod: 0});
  client.on('message', (topic, payload) => messages.push(`${payload}`));
  await pause(2000);
  await client.endAsync(true);
  return messages;
};
let directories = 0;
const directory = () => `store${directories++}`;

async function overlap(name, kept, steps) {
  const broker = await start(kept && directory());
  const subscriber = await connect(broker.port, 'subscriber', false), connected = [];
  subscriber.on('message', (topic, payload) => connected.push(`${payload}`));
  for (const [step, filter, qos] of steps) await (step === 'subscribe' ? subscriber.subscribeAsync(filter, {qos}) : subscriber.unsubscribeAsync(filter));
  errors = [];
  const publisher = await connect(broker.port, 'publisher', true);
  await publisher.publishAsync('o/b', 'b1', {qos: 1});
  await publisher.publishAsync('o/a', 'a1', {qos: 1});
  await pause(1000);
  const open = subscriber.connected ? 'open' : 'closed', reported = errors.includes('no such packet');
  await subscriber.endAsync();
  await pause(300);
  await publisher.publishAsync('o/b', 'b2', {qos: 1});
  await publisher.publishAsync('o/a', 'a2', {qos: 1});
  await pause(300);
  const later = [...new Set(await receive(broker.port))].filter((payload) => payload.endsWith('2')).sort();
  console.log(`${kept ? 'level' : 'memory'} | ${name}: ${connected.sort().join(' ') || 'nothing'}, ${open}${reported ? ', no such packet' : ''}; from the time away: ${later.join(' ') || 'nothing'}`);
  await publisher.endAsync(true);
  await broker.stop();
}

async function restarts(name, options) {
  const where = directory(), identifiers = [];
  let broker = await start(where, options);
  const subscriber = await connect(broker.port, 'subscriber', false);
  await subscriber.subscribeAsync('queue', {qos: 1});
  await subscriber.endAsync();
  await broker.stop();
  for (let number = 1; number <= 12; number++) {
    broker = await start(where, options);
    identifiers.push([broker.id, number]);
    const publisher = await connect(broker.port, 'publisher', true);
    await publisher.publishAsync('queue', `${number}`, {qos: 1});
    await publisher.endAsync();
    await broker.stop();
  }
  broker = await start(where, options);
  const found = (await receive(broker.port)).join(' ');
  const sorted = identifiers.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, number]) => number).join(' ');
  console.log(`level | twelve starts, ${name}: ${found === sorted ? 'all, in the order of the identifiers' : found}`);
  await broker.stop();
}

(async () => {
  const first = ['subscribe', 'o/#', 1];
  for (const [name, steps] of [
    ['o/# QoS 1', [first]],
    ['o/# QoS 1, o/a QoS 2', [first, ['subscribe', 'o/a', 2]]],
    ['o/# QoS 1, o/a QoS 0', [first, ['subscribe', 'o/a', 0]]],
    ['o/# and o/a QoS 1, without o/# again', [first, ['subscribe', 'o/a', 1], ['unsubscribe', 'o/#']]],
  ]) for (const kept of [false, true]) await overlap(name, kept, steps);
  await restarts('new identifiers', {});
  await restarts('id "main"', {id: 'main'});
  process.exit();
})();
JS
timeout 300 node try.js 2>/dev/null | tee seen
cat >expected <<'TEXT'
memory | o/# QoS 1: a1 b1, open; from the time away: a2 b2
level | o/# QoS 1: a1 b1, open; from the time away: a2 b2
memory | o/# QoS 1, o/a QoS 2: a1 b1, open; from the time away: a2 b2
level | o/# QoS 1, o/a QoS 2: nothing, closed, no such packet; from the time away: a2
memory | o/# QoS 1, o/a QoS 0: a1 b1, open; from the time away: a2 b2
level | o/# QoS 1, o/a QoS 0: nothing, closed, no such packet; from the time away: nothing
memory | o/# and o/a QoS 1, without o/# again: a1, open; from the time away: a2
level | o/# and o/a QoS 1, without o/# again: nothing, closed, no such packet; from the time away: nothing
level | twelve starts, new identifiers: all, in the order of the identifiers
level | twelve starts, id "main": 12
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "aedes-persistence-level 9.2.0: as described"
