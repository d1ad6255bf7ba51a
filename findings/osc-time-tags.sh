#!/usr/bin/env bash
# npm osc-js 2.4.1, which bridges use for Open Sound Control, the messages of stage, light and sensor programs, rounds times to seconds, moves messages into
# another bundle and sends large numbers as negative ones, beside npm osc 2.4.5.
#
# Expected (OpenSound Control Specification 1.0): a time tag is seconds since 1900 and a fraction in units of 1/2^32 seconds (OSC Time Tag Semantics).
#           Each element of a bundle begins with its size, also a bundle inside (OSC Bundles). The type i is a signed integer of 32 bits (OSC Message
#           Arguments). In an address pattern, ? * [] and {} are special, and other characters match themselves (OSC Message Dispatching and Pattern Matching).
# Seen:     a time of 0.499 s is read as 0 and one of 0.5 s as 1 s, also from bundles that the library wrote. A message after an inner bundle becomes a part of
#           that bundle. 2147483648 is sent as -2147483648 and 10000000000 as 1410065408, without an error. The pattern /a/b+ is for /a/bb and not for /a/b+.
# So:       cues that are 100 ms apart come at once, and messages come at the time of another bundle.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts osc-js@2.4.1 osc@2.4.5 >/dev/null 2>&1

cat >try.js <<'JS'
const Osc = require('osc-js');
const osc = require('osc');
const START = Date.UTC(2026, 10, 30, 12);
const int = (number) => { const octets = Buffer.alloc(4); octets.writeInt32BE(number); return octets; };
const text = (value) => { const octets = Buffer.from(`${value}\0`); return Buffer.concat([octets, Buffer.alloc((4 - octets.length % 4) % 4)]); };
const message = (address, number) => Buffer.concat([text(address), text(',i'), int(number)]);
const bundle = (milliseconds, ...elements) => {
  const time = Buffer.alloc(8);
  time.writeUInt32BE(START / 1000 + 2208988800 + Math.floor(milliseconds / 1000), 0);
  time.writeUInt32BE(Math.floor(milliseconds % 1000 / 1000 * 2 ** 32), 4);
  return Buffer.concat([text('#bundle'), time, ...elements.flatMap((element) => [int(element.length), element])]);
};
const view = (octets) => new DataView(octets.buffer.slice(octets.byteOffset, octets.byteOffset + octets.length));
const read = (octets) => { const found = new Osc.Bundle(); found.unpack(view(octets)); return found; };
const readOther = (octets) => osc.readBundle(view(octets), { metadata: true });

for (const milliseconds of [0, 100, 499, 500, 900]) {
  const octets = bundle(milliseconds, message('/cue', 1));
  const own = Buffer.from(new Osc.Bundle([new Osc.Message('/cue', 1)], START + milliseconds).pack());
  console.log('time', milliseconds, 'ms | osc-js', read(octets).timetag.value.timestamp() - START, '| osc-js, its own', read(own).timetag.value.timestamp() - START,
    '| osc', readOther(octets).timeTag.native - START, readOther(own).timeTag.native - START);
}
const show = (element) => element.bundleElements ? `[${element.bundleElements.map(show).join(' ')}]` : element.address;
const showOther = (element) => element.packets ? `[${element.packets.map(showOther).join(' ')}]` : element.address;
const nested = bundle(0, message('/first', 1), bundle(500, message('/inner', 2)), message('/last', 3));
console.log('bundle [/first [/inner] /last] | osc-js', show(read(nested)), '| osc', showOther(readOther(nested)));
for (const number of [2147483647, 2147483648, 10000000000]) {
  console.log('number', number, '| osc-js sends', osc.readMessage(Buffer.from(new Osc.Message('/a', number).pack()), { metadata: false }).args[0]);
}
for (const [pattern, address] of [['/a/*', '/a/bb'], ['/a/b+', '/a/b+'], ['/a/b+', '/a/bb']]) {
  const receiver = new Osc();
  let count = 0;
  receiver.on(address, () => { count += 1; });
  receiver.eventHandler.notify(new Osc.Message(pattern, 1));
  console.log('pattern', pattern, 'address', address, '| osc-js', count ? 'calls the handler' : 'does not call the handler');
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
time 0 ms | osc-js 0 | osc-js, its own 0 | osc 0 0
time 100 ms | osc-js 0 | osc-js, its own 0 | osc 100 100
time 499 ms | osc-js 0 | osc-js, its own 0 | osc 499 499
time 500 ms | osc-js 1000 | osc-js, its own 1000 | osc 500 500
time 900 ms | osc-js 1000 | osc-js, its own 1000 | osc 900 900
bundle [/first [/inner] /last] | osc-js [/first [/inner /last]] | osc [/first [/inner] /last]
number 2147483647 | osc-js sends 2147483647
number 2147483648 | osc-js sends -2147483648
number 10000000000 | osc-js sends 1410065408
pattern /a/* address /a/bb | osc-js calls the handler
pattern /a/b+ address /a/b+ | osc-js does not call the handler
pattern /a/b+ address /a/bb | osc-js calls the handler
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "osc-js 2.4.1: as described"
