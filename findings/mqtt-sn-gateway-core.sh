#!/usr/bin/env bash
# A gateway library for MQTT-SN publishes with topic ids that the client never accepted, and drops messages of a sleeping client.
#
# Expected (MQTT-SN 1.2): the gateway may use a topic id after the client accepted it with REGACK (section 6.10). A repeated PUBLISH has DUP set
#           (5.3.4). Messages for a sleeping client are kept and sent when it wakes up (6.14).
# Seen:     npm mqttsngw-core 1.2.0: after three REGISTERs without an answer, the message fails; the next message on that topic goes out as PUBLISH
#           with that id. A repeated PUBLISH is equal to the first. A message of QoS 2 for a sleeping client is reported to the broker's side as
#           delivered, and is not sent when the client wakes up; PINGRESP says that nothing is left.
# So:       a client that lost a REGISTER receives an id that it does not know, from the second message on. The first is how Paho's MQTT-SN gateway
#           behaves, too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund mqttsngw-core@1.2.0 eventemitter2@5.0.1 >/dev/null 2>&1

cat >gateway.js <<'JS'
const { EventEmitter2 } = require('eventemitter2')
const bus = new EventEmitter2({ wildcard: true })
const nothing = () => {}
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
require('mqttsngw-core')({ log })(bus)()

// The time limits of 6 s pass at once when no message is on its way.
const due = []
global.setTimeout = (action) => { due.push(action); return action }
global.clearTimeout = (action) => { if (due.includes(action)) due.splice(due.indexOf(action), 1) }
const passTime = () => due.splice(0).forEach((action) => action())

const out = (...words) => console.log('  ', ...words)
bus.on(['snUnicastOutgress', '*', '*'], (message) => {
  const { cmd, topicId, msgId, qos, dup } = message
  if (['register', 'publish', 'pingresp'].includes(cmd)) out(JSON.stringify({ cmd, topicId, msgId, qos, dup }))
})
bus.on(['brokerPublishToClient', '*', 'res'], ({ msgId, error }) => out(`broker's side: message ${msgId}`, error || 'delivered'))
bus.on(['brokerConnect', '*', 'req'], ({ clientKey }) =>
  setImmediate(() => bus.emit(['brokerConnect', clientKey, 'res'], { error: null })))

const received = (clientKey, cmd, fields) => bus.emit(['snUnicastIngress', clientKey, cmd], { clientKey, cmd, ...fields })
const message = (clientKey, msgId, topic, qos) =>
  bus.emit(['brokerPublishToClient', clientKey, 'req'], { clientKey, msgId, topic, qos, payload: Buffer.from('on') })
const connect = (clientKey) => received(clientKey, 'connect', { clientId: clientKey, duration: 60, will: false })
const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))))

;(async () => {
  console.log('REGISTER without an answer')
  connect('a'); await settle()
  due.length = 0 // the keep alive
  message('a', 1, 'site/a', 0); await settle()
  for (let n = 0; n < 3; n++) { passTime(); await settle() }
  console.log('the next message on that topic')
  message('a', 2, 'site/a', 0); await settle()

  console.log('PUBLISH of QoS 1 without an answer')
  connect('b'); await settle()
  due.length = 0
  message('b', 3, 'xy', 1); await settle()
  passTime(); await settle()

  console.log('a message of QoS 2 for a sleeping client, and its PINGREQ')
  connect('c'); await settle()
  received('c', 'disconnect', { duration: 60 }); await settle()
  message('c', 4, 'xy', 2); await settle()
  received('c', 'pingreq', { clientId: 'c' }); await settle()
  process.exit(0)
})()
JS
timeout 60 node gateway.js | tee seen
diff seen - <<'TXT'
REGISTER without an answer
   {"cmd":"register","topicId":1,"msgId":1}
   {"cmd":"register","topicId":1,"msgId":1}
   {"cmd":"register","topicId":1,"msgId":1}
   broker's side: message 1 Client has not answered register topic requests
the next message on that topic
   {"cmd":"publish","topicId":1,"msgId":2,"qos":0}
   broker's side: message 2 delivered
PUBLISH of QoS 1 without an answer
   {"cmd":"publish","topicId":"xy","msgId":3,"qos":1}
   {"cmd":"publish","topicId":"xy","msgId":3,"qos":1}
a message of QoS 2 for a sleeping client, and its PINGREQ
   broker's side: message 4 delivered
   {"cmd":"pingresp"}
TXT
