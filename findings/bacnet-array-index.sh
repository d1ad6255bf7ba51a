#!/usr/bin/env bash
# Three BACnet libraries, which gateways from buildings to MQTT use, send array indices where there are none and none where there is one: npm node-bacnet
# 0.2.4, bacstack 0.0.1-beta.14 and @bacnet-js/client 3.3.2.
#
# Expected (ASHRAE 135, 21, BACnetPropertyValue) A change of value has the property [0], an array index [1] if the property is an array and one element
#           changed, the value [2], and a priority [3] from 1 to 16 if there is one. (15.5 and 15.7, ReadProperty and ReadPropertyMultiple) The array
#           index 0 asks for the number of elements; without an index, all elements are meant.
# Seen:     all three write notifications of a whole property with the index FFFFFFFF and, without a priority, with the priority 0, which does not exist.
#           With an element or a priority they leave it out. In ReadPropertyMultiple they leave out the index 0, so the whole array is asked for; in
#           ReadProperty, bacstack sends FFFFFFFF for it, and the other two 0.
# So:       a change of the present value is one of element 4294967295 to its subscriber, and who asks for a size gets the array.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-bacnet@0.2.4 bacstack@0.0.1-beta.14 @bacnet-js/client@3.3.2 >/dev/null 2>&1

cat >try.js <<'JS'
const ALL = 0xffffffff;
const ANALOG = 2;
const PRIORITY = 87;
const libraries = {
  bacstack: require('bacstack/lib/services'),
  'node-bacnet': require('node-bacnet/lib/services'),
  '@bacnet-js/client': require('@bacnet-js/client/dist/lib/services'),
};
const write = (task) => {
  const buffer = { buffer: Buffer.alloc(1472), offset: 0 };
  task(buffer);
  return buffer.buffer.subarray(0, buffer.offset).toString('hex').replace(/(..)/g, '$1 ').trim();
};
for (const [name, services] of Object.entries(libraries)) {
  const single = services.readProperty || services.ReadProperty;
  const multiple = services.readPropertyMultiple || services.ReadPropertyMultiple;
  const notify = services.covNotify || services.CovNotify;
  for (const [what, index] of [['whole array', ALL], ['element 3', 3], ['size, index 0', 0]]) {
    console.log(`${name}, ReadProperty, ${what} |`, write((buffer) => single.encode(buffer, ANALOG, 1, PRIORITY, index)));
    console.log(`${name}, ReadPropertyMultiple, ${what} |`, write((buffer) => multiple.encode(buffer, [{ objectId: { type: ANALOG, instance: 1 }, properties: [{ id: PRIORITY, index }] }])));
  }
  for (const [what, index, priority] of [['whole property', ALL, 0], ['whole property, priority 8', ALL, 8], ['element 3', 3, 0]]) {
    console.log(`${name}, CovNotification, ${what} |`, write((buffer) => notify.encode(buffer, 7, 1, { type: ANALOG, instance: 1 }, 60, [{ property: { id: 85, index }, value: [{ type: 4, value: 21.5 }], priority }])));
  }
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
bacstack, ReadProperty, whole array | 0c 00 80 00 01 19 57
bacstack, ReadPropertyMultiple, whole array | 0c 00 80 00 01 1e 09 57 1f
bacstack, ReadProperty, element 3 | 0c 00 80 00 01 19 57 29 03
bacstack, ReadPropertyMultiple, element 3 | 0c 00 80 00 01 1e 09 57 19 03 1f
bacstack, ReadProperty, size, index 0 | 0c 00 80 00 01 19 57 2c ff ff ff ff
bacstack, ReadPropertyMultiple, size, index 0 | 0c 00 80 00 01 1e 09 57 1f
bacstack, CovNotification, whole property | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 39 00 4f
bacstack, CovNotification, whole property, priority 8 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 4f
bacstack, CovNotification, element 3 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 2e 44 41 ac 00 00 2f 39 00 4f
node-bacnet, ReadProperty, whole array | 0c 00 80 00 01 19 57
node-bacnet, ReadPropertyMultiple, whole array | 0c 00 80 00 01 1e 09 57 1f
node-bacnet, ReadProperty, element 3 | 0c 00 80 00 01 19 57 29 03
node-bacnet, ReadPropertyMultiple, element 3 | 0c 00 80 00 01 1e 09 57 19 03 1f
node-bacnet, ReadProperty, size, index 0 | 0c 00 80 00 01 19 57 29 00
node-bacnet, ReadPropertyMultiple, size, index 0 | 0c 00 80 00 01 1e 09 57 1f
node-bacnet, CovNotification, whole property | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 39 00 4f
node-bacnet, CovNotification, whole property, priority 8 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 4f
node-bacnet, CovNotification, element 3 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 2e 44 41 ac 00 00 2f 39 00 4f
@bacnet-js/client, ReadProperty, whole array | 0c 00 80 00 01 19 57
@bacnet-js/client, ReadPropertyMultiple, whole array | 0c 00 80 00 01 1e 09 57 1f
@bacnet-js/client, ReadProperty, element 3 | 0c 00 80 00 01 19 57 29 03
@bacnet-js/client, ReadPropertyMultiple, element 3 | 0c 00 80 00 01 1e 09 57 19 03 1f
@bacnet-js/client, ReadProperty, size, index 0 | 0c 00 80 00 01 19 57 29 00
@bacnet-js/client, ReadPropertyMultiple, size, index 0 | 0c 00 80 00 01 1e 09 57 1f
@bacnet-js/client, CovNotification, whole property | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 39 00 4f
@bacnet-js/client, CovNotification, whole property, priority 8 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 1c ff ff ff ff 2e 44 41 ac 00 00 2f 4f
@bacnet-js/client, CovNotification, element 3 | 09 07 1c 02 00 00 01 2c 00 80 00 01 39 3c 4e 09 55 2e 44 41 ac 00 00 2f 39 00 4f
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "bacstack 0.0.1-beta.14, node-bacnet 0.2.4, @bacnet-js/client 3.3.2: as described"
