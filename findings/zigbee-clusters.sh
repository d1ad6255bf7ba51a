#!/usr/bin/env bash
# npm zigbee-clusters 3.0.2, which programs use to read Zigbee devices, drops a whole report if one attribute has a type that it does not know, and
# gives "unknown" as a measurement.
#
# Expected (Zigbee Cluster Library, revision 8): a report is a list of attributes, each with its type (2.5.11), so a receiver can skip those that it
#           does not use. Types are also 16-bit enumerations, bitmaps, 64-bit integers, half-precision floats, long strings, arrays, structures, times
#           and dates (2.6.2); int16 8000, uint16 FFFF, uint8 FF and uint48 FFFFFFFFFFFF stand for an invalid value (2.6.2, table of data types). The
#           thermostat (6.3.2.2) has the local temperature, 0000, and the running state, 0029, a 16-bit bitmap; the time cluster (3.12.2.2) the time,
#           0000, a UTCTime.
# Seen:     a report of 21.5 degrees alone gives localTemperature 2150, with the running state it gives nothing, and the device is answered with the
#           status FAILURE. So are a temperature with a manufacturer's bitmap, half-precision float, array or time, and the report of the time
#           cluster. An unknown temperature is -32768, a humidity 65535, a battery 255, a meter 281474976710655, while an invalid boolean is null.
# So:       temperatures of some thermostats never arrive, and a sensor without a measurement has -327.68 degrees.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts zigbee-clusters@3.0.2 >/dev/null 2>&1

cat >try.js <<'JS'
const { CLUSTER, ZCLNode } = require('zigbee-clusters');
const inputClusters = Object.values(CLUSTER).map((cluster) => cluster.ID);
const answers = [];
const node = new ZCLNode({ endpointDescriptors: [{ endpointId: 1, inputClusters, outputClusters: [] }], handleFrame: null,
  sendFrame: async (endpoint, cluster, frame) => { answers.push(frame.toString('hex')); } });
const CASES = [
  ['thermostat, 21.5 degrees', 0x0201, '0000 29 6608'],
  ['thermostat, with the running state', 0x0201, '0000 29 6608 2900 19 0100'],
  ['temperature, 21.5 degrees', 0x0402, '0000 29 6608'],
  ['temperature, with an unknown uint8', 0x0402, '0000 29 6608 0040 20 05'],
  ['temperature, with an unknown bitmap', 0x0402, '0000 29 6608 0040 18 05'],
  ['temperature, with an unknown half-precision float', 0x0402, '0000 29 6608 0040 38 003c'],
  ['temperature, with an unknown array', 0x0402, '0000 29 6608 0040 48 20 0200 0102'],
  ['temperature, with an unknown time', 0x0402, '0000 29 6608 0040 e2 00e1f52f'],
  ['time', 0x000a, '0000 e2 00e1f52f'],
  ['temperature, invalid', 0x0402, '0000 29 0080'],
  ['humidity, invalid', 0x0405, '0000 21 ffff'],
  ['battery, invalid', 0x0001, '2100 20 ff'],
  ['meter, invalid', 0x0702, '0000 25 ffffffffffff'],
  ['switch, invalid', 0x0006, '0000 10 ff'],
];
(async () => {
  for (const [name, id, data] of CASES) {
    const cluster = Object.values(node.endpoints[1].clusters).find((item) => item.constructor.ID === id);
    const seen = [];
    cluster.emit = (event, value) => { seen.push(`${event.replace('attr.', '')} ${value}`); return true; };
    answers.length = 0;
    await node.handleFrame(1, id, Buffer.from(`08010a${data.replaceAll(' ', '')}`, 'hex'), {});
    console.log(name, '|', seen.join(', ') || 'nothing', '|', answers.length ? `default response, status ${answers[0].slice(-2)}` : 'no answer');
  }
})();
JS
node try.js | tee seen
cat >expected <<'TEXT'
thermostat, 21.5 degrees | localTemperature 2150 | default response, status 00
thermostat, with the running state | nothing | default response, status 01
temperature, 21.5 degrees | measuredValue 2150 | default response, status 00
temperature, with an unknown uint8 | measuredValue 2150, undefined 5 | default response, status 00
temperature, with an unknown bitmap | nothing | default response, status 01
temperature, with an unknown half-precision float | nothing | default response, status 01
temperature, with an unknown array | nothing | default response, status 01
temperature, with an unknown time | nothing | default response, status 01
time | nothing | default response, status 01
temperature, invalid | measuredValue -32768 | default response, status 00
humidity, invalid | measuredValue 65535 | default response, status 00
battery, invalid | batteryPercentageRemaining 255 | default response, status 00
meter, invalid | currentSummationDelivered 281474976710655 | default response, status 00
switch, invalid | onOff null | default response, status 00
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "zigbee-clusters 3.0.2: as described"
