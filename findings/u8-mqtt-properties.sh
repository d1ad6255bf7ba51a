#!/usr/bin/env bash
# npm u8-mqtt 0.6.7, a client for browsers and Node.js, loses properties of MQTT 5.0 and reads large numbers of them as negative, beside npm mqtt-packet 9.0.2.
#
# Expected (MQTT 5.0): a four byte integer has no sign (1.5.3), and a message expiry or a session expiry may be up to 4,294,967,295 s, which is "does not
#           expire" for the latter (3.1.2.11.2, 3.3.2.3.3). A PUBLISH has a subscription identifier for each matching subscription that has one
#           (3.3.2.3.8, 3.3.4). A name may occur more than once among the user properties, whose order is kept (3.3.2.3.7). A client that sets Topic
#           Alias Maximum receives messages with an alias and an empty topic, and maps them to the topic (3.3.2.3.4).
# Seen:     expiries of 4,294,967,295 s are -1, those of 3,000,000,000 s are -1294967296. Of two subscription identifiers, and of two user properties with
#           one name, the last is left. A message with an alias and an empty topic does not reach the handler of its topic, though CONNECT had Topic Alias
#           Maximum 5. The other properties are right. mqtt-packet reads all of them.
# So:       a message that is to be kept for years looks as if it had expired, and the second message on a topic is lost with a broker that saves octets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts u8-mqtt@0.6.7 mqtt-packet@9.0.2 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createServer } from 'net';
import packets from 'mqtt-packet';
import { mqtt_v5 } from 'u8-mqtt';
const print = console.log;
console.log = console.debug = console.info = () => {};
const string = (text) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
const packet = (head, body) => Buffer.concat([Buffer.from([head, body.length]), body]);
const publish = (topic, properties, payload) => {
  const bytes = Buffer.from(properties.replace(/ /g, ''), 'hex');
  return packet(0x30, Buffer.concat([string(topic), Buffer.from([bytes.length]), bytes, Buffer.from(payload)]));
};
const connack = packet(0x20, Buffer.from('0000 08 11ffffffff 210005'.replace(/ /g, ''), 'hex'));
const messages = [
  publish('t', '01 01  02 ffffffff  03 0001 63  08 0001 72  09 0002 ff00', 'first'),
  publish('t', '02 b2d05e00  0b 05  0b c801', 'second'),
  publish('t', '26 0001 61 0001 31  26 0001 61 0001 32', 'third'),
  publish('t', '23 0001', 'alias with its topic'),
  publish('', '23 0001', 'alias without topic'),
];
const show = (properties) => JSON.stringify(properties, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value));

const parser = packets.parser({ protocolVersion: 5 });
parser.on('packet', (found) => print('mqtt-packet |', found.cmd, found.payload?.toString() ?? '', show(found.properties)));
for (const message of [connack, ...messages]) parser.parse(message);

const server = createServer((connection) => {
  connection.on('data', (bytes) => {
    if (bytes[0] >> 4 === 1) {
      print('CONNECT of u8-mqtt has Topic Alias Maximum 5:', bytes.includes(Buffer.from('220005', 'hex')));
      connection.write(connack);
    }
    if (bytes[0] >> 4 === 8) {
      connection.write(packet(0x90, Buffer.concat([bytes.subarray(2, 4), Buffer.from([0, 0])])));
      messages.forEach((message, number) => setTimeout(() => connection.write(message), 300 * (number + 1)));
      setTimeout(() => process.exit(), 300 * (messages.length + 3));
    }
  });
});
server.listen(0, '127.0.0.1', async () => {
  const client = mqtt_v5().with_tcp(`tcp://127.0.0.1:${server.address().port}`);
  const [found] = await client.connect({ client_id: ['c'], props: { topic_alias_maximum: 5 } });
  print('u8-mqtt | connack ', show(found.props));
  client.subscribe_topic('t', (message) => print('u8-mqtt | publish', message.text(), show(message.props)));
});
JS
timeout 60 node try.mjs 2>/dev/null | tee seen
cat >expected <<'TEXT'
mqtt-packet | connack  {"sessionExpiryInterval":4294967295,"receiveMaximum":5}
mqtt-packet | publish first {"payloadFormatIndicator":true,"messageExpiryInterval":4294967295,"contentType":"c","responseTopic":"r","correlationData":"ff00"}
mqtt-packet | publish second {"messageExpiryInterval":3000000000,"subscriptionIdentifier":[5,200]}
mqtt-packet | publish third {"userProperties":{"a":["1","2"]}}
mqtt-packet | publish alias with its topic {"topicAlias":1}
mqtt-packet | publish alias without topic {"topicAlias":1}
CONNECT of u8-mqtt has Topic Alias Maximum 5: true
u8-mqtt | connack  {"session_expiry_interval":-1,"receive_maximum":5}
u8-mqtt | publish first {"payload_format_indicator":1,"message_expiry_interval":-1,"content_type":"c","response_topic":"r","correlation_data":"ff00"}
u8-mqtt | publish second {"message_expiry_interval":-1294967296,"subscription_identifier":200}
u8-mqtt | publish third {"user_properties":{"a":"2"}}
u8-mqtt | publish alias with its topic {"topic_alias":1}
TEXT
diff expected seen
echo "as described"
