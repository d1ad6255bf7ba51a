#!/usr/bin/env bash
# Three npm libraries with which programs find brokers, printers and controllers in the local network (mDNS, DNS-SD) misread valid packets:
# mdns-js-packet 0.2.0, node-dns-sd 1.0.1 and native-dns-packet 0.1.1, beside dns-packet 5.6.1.
#
# Expected (RFC 6763): a TXT record is strings of up to 255 octets (6.1); one without = is an attribute without a value (6.4), and of two with the
#           same key only the first counts (6.4). (RFC 6762): responses have no question (6), queries may have several (5.3). The bits TC in
#           responses, RD, RA, AD and CD are ignored on reception (18.5 to 18.10), and a query with TC has more answers that are known in the next
#           packet (7.2). (RFC 6891, 6.1.2) OPT may be empty. (RFC 1035, 4.1.4) A pointer has 14 bits.
# Seen:     mdns-js-packet takes a string of 192 octets or more for a pointer and throws; an empty string ends the record, and the rest of it is put
#           in front of the name of the next one. It writes version=1.2 as the strings version=1 and 2, and throws where a name is repeated that
#           stands behind octet 255, so that five services do not fit. node-dns-sd gives null for packets with an empty OPT record or one of these
#           bits, drops attributes without a value, and takes the last of two. native-dns-packet reads the first answer of a response as a question
#           and throws, or gives a record of type 0; it throws for two questions, too.
# So:       a broker is not found if it says much about itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts mdns-js-packet@0.2.0 node-dns-sd@1.0.1 native-dns-packet@0.1.1 dns-packet@5.6.1 >/dev/null 2>&1

cat >try.js <<'JS'
const reference = require('dns-packet');
const { DNSPacket, DNSRecord } = require('mdns-js-packet');
const discovery = require('node-dns-sd/lib/dns-sd-parser.js');
const NativePacket = require('native-dns-packet');
const short = (...numbers) => Buffer.concat(numbers.map((number) => Buffer.from([number >> 8, number & 255])));
const name = (text) => Buffer.concat([...text.split('.').filter(Boolean).flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0])]);
const record = (owner, type, data) => Buffer.concat([name(owner), short(type, type === 41 ? 1440 : 1, 0, type === 41 ? 0 : 120, data.length), data]);
const text = (...strings) => Buffer.concat(strings.flatMap((string) => [Buffer.from([string.length]), Buffer.from(string)]));
const packet = (flags, questions, answers) => Buffer.concat([short(0, flags, questions.length, answers.length, 0, 0), ...questions, ...answers]);
const OWNER = 'Hall._mqtt._tcp.local';
const port = record(OWNER, 33, Buffer.concat([short(0, 0, 1883), name('hall.local')]));
const shorten = (string) => (string.length > 40 ? `${string.length} octets` : string);

const READERS = {
  'dns-packet': (octets) => {
    const found = reference.decode(octets);
    return [...found.questions.map((one) => `question ${one.name}`), ...found.answers.map((one) => (one.type === 'TXT' ? `TXT ${one.data.map((string) => shorten(string.toString())).join(', ')}` : one.type === 'SRV' ? `port ${one.data.port} of ${one.name}` : one.type))];
  },
  'mdns-js-packet': (octets) => {
    const found = [DNSPacket.parse(octets)].flat()[0];
    return [...found.question.map((one) => `question ${one.name}`), ...found.answer.map((one) => (one.typeName === 'TXT' ? `TXT ${one.data.map(shorten).join(', ')}` : one.typeName === 'SRV' ? `port ${one.port} of ${one.name}` : one.typeName))];
  },
  'node-dns-sd': (octets) => {
    const found = discovery.parse(octets);
    return found ? [...found.questions.map((one) => `question ${one.name}`), ...found.answers.map((one) => (one.type === 'TXT' ? `TXT ${Object.entries(one.rdata).map((pair) => shorten(pair.join('='))).join(', ')}` : one.type === 'SRV' ? `port ${one.rdata.port} of ${one.name}` : one.type || 'other'))] : ['null'];
  },
  'native-dns-packet': (octets) => {
    const found = NativePacket.parse(octets);
    return [...found.question.map((one) => `question ${one.name}`), ...found.answer.map((one) => (one.type === 16 ? `TXT ${one.data.map(shorten).join(', ')}` : one.type === 33 ? `port ${one.port} of ${one.name}` : `type ${one.type}`))];
  },
};
const question = (owner) => Buffer.concat([name(owner), short(12, 1)]);
const PACKETS = {
  'TXT and SRV': packet(0x8400, [], [record(OWNER, 16, text('path=/mqtt', 'v=1.2')), port]),
  'TXT with 200 octets, SRV': packet(0x8400, [], [record(OWNER, 16, text(`note=${'x'.repeat(195)}`, 'v=2')), port]),
  'TXT with an empty string, SRV': packet(0x8400, [], [record(OWNER, 16, text('', 'v=2')), port]),
  'TXT with an attribute, twice v': packet(0x8400, [], [record(OWNER, 16, text('tls', 'v=1', 'v=2'))]),
  'SRV and an empty OPT': packet(0x8400, [], [port, record('', 41, Buffer.alloc(0))]),
  'response with TC': packet(0x8600, [], [port]),
  'response with RD': packet(0x8500, [], [port]),
  'two questions': packet(0, [question('_mqtt._tcp.local'), question('_http._tcp.local')], []),
};
for (const [title, octets] of Object.entries(PACKETS)) {
  for (const [library, read] of Object.entries(READERS)) {
    let found;
    try { found = read(octets).join('; '); } catch { found = 'throws an error'; }
    console.log(`${title} | ${library} | ${found}`);
  }
}
const written = (count) => {
  const made = new DNSPacket(0x8400);
  for (let number = 1; number <= count; number += 1) {
    const one = new DNSRecord(`Sensor in room ${number}._mqtt._tcp.local`, 16, 1, 120);
    one.data = { version: '1.2' };
    made.answer.push(one);
    const place = new DNSRecord(`Sensor in room ${number}._mqtt._tcp.local`, 33, 1, 120);
    Object.assign(place, { priority: 0, weight: 0, port: 1883, target: `room-${number}.local` });
    made.answer.push(place);
  }
  return DNSPacket.toBuffer(made);
};
console.log('version=1.2 | written by mdns-js-packet, read by dns-packet |', reference.decode(written(1)).answers[0].data.map(String).join(', '));
for (const count of [2, 4, 5, 6]) {
  let found;
  try { found = `${reference.decode(written(count)).answers.length} records`; } catch (error) { found = `throws ${error.name}`; }
  console.log(`${count} services | written by mdns-js-packet, read by dns-packet | ${found}`);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
TXT and SRV | dns-packet | TXT path=/mqtt, v=1.2; port 1883 of Hall._mqtt._tcp.local
TXT and SRV | mdns-js-packet | TXT path=/mqtt, v=1.2; port 1883 of Hall._mqtt._tcp.local
TXT and SRV | node-dns-sd | TXT path=/mqtt, v=1.2; port 1883 of Hall._mqtt._tcp.local
TXT and SRV | native-dns-packet | throws an error
TXT with 200 octets, SRV | dns-packet | TXT 200 octets, v=2; port 1883 of Hall._mqtt._tcp.local
TXT with 200 octets, SRV | mdns-js-packet | throws an error
TXT with 200 octets, SRV | node-dns-sd | TXT 200 octets, v=2; port 1883 of Hall._mqtt._tcp.local
TXT with 200 octets, SRV | native-dns-packet | throws an error
TXT with an empty string, SRV | dns-packet | TXT , v=2; port 1883 of Hall._mqtt._tcp.local
TXT with an empty string, SRV | mdns-js-packet | TXT ; port 1883 of v=2.Hall._mqtt._tcp.local
TXT with an empty string, SRV | node-dns-sd | TXT v=2; port 1883 of Hall._mqtt._tcp.local
TXT with an empty string, SRV | native-dns-packet | throws an error
TXT with an attribute, twice v | dns-packet | TXT tls, v=1, v=2
TXT with an attribute, twice v | mdns-js-packet | TXT tls, v=1, v=2
TXT with an attribute, twice v | node-dns-sd | TXT v=2
TXT with an attribute, twice v | native-dns-packet | throws an error
SRV and an empty OPT | dns-packet | port 1883 of Hall._mqtt._tcp.local; OPT
SRV and an empty OPT | mdns-js-packet | port 1883 of Hall._mqtt._tcp.local; OPT
SRV and an empty OPT | node-dns-sd | null
SRV and an empty OPT | native-dns-packet | throws an error
response with TC | dns-packet | port 1883 of Hall._mqtt._tcp.local
response with TC | mdns-js-packet | port 1883 of Hall._mqtt._tcp.local
response with TC | node-dns-sd | null
response with TC | native-dns-packet | question Hall._mqtt._tcp.local; type 0
response with RD | dns-packet | port 1883 of Hall._mqtt._tcp.local
response with RD | mdns-js-packet | port 1883 of Hall._mqtt._tcp.local
response with RD | node-dns-sd | null
response with RD | native-dns-packet | question Hall._mqtt._tcp.local; type 0
two questions | dns-packet | question _mqtt._tcp.local; question _http._tcp.local
two questions | mdns-js-packet | question _mqtt._tcp.local; question _http._tcp.local
two questions | node-dns-sd | question _mqtt._tcp.local; question _http._tcp.local
two questions | native-dns-packet | throws an error
version=1.2 | written by mdns-js-packet, read by dns-packet | version=1, 2
2 services | written by mdns-js-packet, read by dns-packet | 4 records
4 services | written by mdns-js-packet, read by dns-packet | 8 records
5 services | written by mdns-js-packet, read by dns-packet | throws RangeError
6 services | written by mdns-js-packet, read by dns-packet | throws RangeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
