#!/usr/bin/env bash
# npm sacn 4.6.2, which bridges use to send and receive the channels of stage and building lights (Streaming ACN), moves the header if the name of the
# source has an umlaut, and sends the lowest priority as the usual one.
#
# Expected (ANSI E1.31-2018): the source name is UTF-8 and ends with a zero within 64 octets (6.2.2), so a packet with 512 channels has 638 octets, with the
#           priority at octet 108, the universe at 113 and the channels from 126 (4, table 4-1). The priority is 0 to 200 (6.2.3).
# Seen:     a packet of the source "Bühne" has 639 octets; a reader with the positions of the table finds the priority 0 instead of 100 and the universe 0
#           instead of 1, and the library cannot read it itself. "Bühne" from another program is read as "BC<hne". Priority 0 is sent as 100.
# So:       one umlaut in the name of the desk darkens the stage, and a source that should give way to all others does not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sacn@4.6.2 >/dev/null 2>&1

cat >try.js <<'JS'
const { Packet } = require('sacn');
const make = (options) => new Packet({ universe: 1, sequence: 7, payload: { 1: 100, 2: 50 }, useRawDmxValues: true, ...options }).buffer;
const attempt = (work) => { try { return work(); } catch (error) { return 'raises an error'; } };
for (const sourceName of ['Stage', 'Bühne']) {
  const sent = make({ sourceName, priority: 100 });
  console.log('source', sourceName, '|', sent.length, 'octets, by the table: priority', sent[108], 'universe', sent.readUInt16BE(113), 'channels', sent[126], sent[127],
    '| the library reads', attempt(() => { const { priority, universe, sourceName: name } = new Packet(sent); return `priority ${priority}, universe ${universe}, source ${JSON.stringify(name)}`; }));
}
const other = make({ sourceName: 'x'.repeat(10) });
other.fill(0, 44, 108);
other.write('Bühne', 44);
console.log('another program, source Bühne | the library reads', JSON.stringify(new Packet(other).sourceName));
for (const priority of [0, 1, 100, 200]) console.log('priority', priority, '| sent', make({ priority })[108]);
JS
node try.js | tee seen
cat >expected <<'TEXT'
source Stage | 638 octets, by the table: priority 100 universe 1 channels 100 50 | the library reads priority 100, universe 1, source "Stage"
source Bühne | 639 octets, by the table: priority 0 universe 0 channels 100 50 | the library reads raises an error
another program, source Bühne | the library reads "BC<hne"
priority 0 | sent 100
priority 1 | sent 1
priority 100 | sent 100
priority 200 | sent 200
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "sacn 4.6.2: as described"
