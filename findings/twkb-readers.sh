#!/usr/bin/env bash
# Readers and a writer of TWKB, a compact form of positions and tracks: npm twkb 0.2.2 and wkx 0.5.0 move Tokyo to another ocean at seven decimals, and wkx writes
# tracks that end 670 m from where they should. Beside PyPI wkbparse 0.2.2.
#
# Expected (TWKB Specification 0.23, "Type & Precision"): up to seven decimals. ("VarInt Encode", "ZigZag Encode") Integers are of any length, with a formula
#           for 64 bits. ("Convert to Integers", "Calculate Delta Values") Coordinates are multiplied and rounded to the nearest integer, and the deltas
#           are those of the integers. ("Extended Dimensions") The precisions of Z and M are unsigned. ("Metadata Header") Bit 5 stands for an empty
#           geometry. ("Bounding Box", "ID List") If there are identifiers, one for each geometry precedes the coordinates.
# Seen:     with seven decimals twkb and wkx wrap longitudes beyond 107.37 degrees: 139.7671 is read as -74.9812648, -122.3321 as 92.4162648. An empty point is
#           at 0, 0 for twkb, and its bounding boxes are not divided by the precision. wkx reads the precisions of Z and M as zigzag numbers, so that a
#           height of 3.5 is 350, and identifiers as coordinates. It writes truncated deltas of the unrounded numbers: 0.57 comes back as 0.56999, and
#           a track of 1000 points with seven decimals ends 0.0099 degrees, 670 m, short.
# So:       trackers in Japan, and in the west of America, appear in other countries, those in Europe do not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts twkb@0.2.2 wkx@0.5.0 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check wkbparse==0.2.2 >/dev/null 2>&1

cat >try.js <<'JS'
const { read } = require('twkb');
const { Geometry } = require('wkx');
const { execFileSync } = require('child_process');
const varint = (value) => (value > 127n ? [Number(value & 127n) | 128, ...varint(value >> 7n)] : [Number(value)]);
const zigzag = (...values) => values.flatMap((value) => varint(value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value)));
const CASES = {
  'Berlin, 7 decimals': [0xe1, 0, ...zigzag(134050000, 525200000)],
  'Tokyo, 5 decimals': [0xa1, 0, ...zigzag(13976710, 3568130)],
  'Tokyo, 7 decimals': [0xe1, 0, ...zigzag(1397671000, 356813000)],
  'Seattle, 7 decimals': [0xe1, 0, ...zigzag(-1223321000, 476062000)],
  'empty point': [0x01, 0x10],
  'Z 3.5 and M 4.5, one decimal': [0x01, 0x08, 0x27, ...zigzag(1, 2, 35, 45)],
  'line 1 3, 3 7 with box, one decimal': [0x22, 0x01, ...zigzag(10, 20, 30, 40), 2, ...zigzag(10, 30, 20, 40)],
  'points 1 2, 2 3 with identifiers 7, 9': [0x04, 0x04, 2, ...zigzag(7, 9, 1, 2, 1, 1)],
};
const attempt = (work) => { try { return work(); } catch (error) { return `throws ${error.constructor.name}`; } };
for (const [title, bytes] of Object.entries(CASES)) {
  const data = Buffer.from(bytes);
  console.log(title, '| twkb |', attempt(() => JSON.stringify(read(data)[0])));
  console.log(title, '| wkx |', attempt(() => Geometry.parseTwkb(data).toWkt()));
  console.log(title, '| wkbparse |', execFileSync('env/bin/python', ['-c', 'import sys, wkbparse; print(wkbparse.twkb_to_geojson(bytes.fromhex(sys.argv[1]))["coordinates"])', data.toString('hex')]).toString().trim());
}
const back = (text) => Geometry.parseTwkb(Geometry.parse(text).toTwkb());
for (const text of ['POINT(0.57 1.15)', 'POINT(-0.29 8.2)', 'POINT Z(1.5 2.5 3.75)']) console.log('written', text, '| wkx |', back(text).toWkt());
const longitudes = [...Array(1000).keys()].map((at) => (13.405 + at * 0.0000199).toFixed(7));
const track = back(`LINESTRING(${longitudes.map((longitude) => `${longitude} 52.52`).join(',')})`);
console.log('written track of 1000 points that ends at', longitudes[999], '| wkx |', track.points[999].x.toFixed(7));
JS
node try.js | tee seen
cat >expected <<'TEXT'
Berlin, 7 decimals | twkb | {"type":1,"coordinates":[13.405,52.52]}
Berlin, 7 decimals | wkx | POINT(13.405 52.52)
Berlin, 7 decimals | wkbparse | [13.405, 52.52]
Tokyo, 5 decimals | twkb | {"type":1,"coordinates":[139.7671,35.6813]}
Tokyo, 5 decimals | wkx | POINT(139.7671 35.6813)
Tokyo, 5 decimals | wkbparse | [139.7671, 35.6813]
Tokyo, 7 decimals | twkb | {"type":1,"coordinates":[-74.9812648,35.6813]}
Tokyo, 7 decimals | wkx | POINT(-74.9812648 35.6813)
Tokyo, 7 decimals | wkbparse | [139.7671, 35.6813]
Seattle, 7 decimals | twkb | {"type":1,"coordinates":[92.4162648,47.6062]}
Seattle, 7 decimals | wkx | POINT(92.4162648 47.6062)
Seattle, 7 decimals | wkbparse | [-122.3321, 47.6062]
empty point | twkb | {"type":1,"coordinates":[0,0]}
empty point | wkx | POINT EMPTY
empty point | wkbparse | [nan, nan]
Z 3.5 and M 4.5, one decimal | twkb | {"type":1,"coordinates":[1,2,3.5,4.5]}
Z 3.5 and M 4.5, one decimal | wkx | POINT ZM (1 2 350 450)
Z 3.5 and M 4.5, one decimal | wkbparse | [1.0, 2.0, 3.5, 4.5]
line 1 3, 3 7 with box, one decimal | twkb | {"type":2,"bbox":[10,30,30,70],"coordinates":[1,3,3,7]}
line 1 3, 3 7 with box, one decimal | wkx | LINESTRING(1 3,3 7)
line 1 3, 3 7 with box, one decimal | wkbparse | [[1.0, 3.0], [3.0, 7.0]]
points 1 2, 2 3 with identifiers 7, 9 | twkb | {"type":4,"ids":[7,9],"geoms":[[1,2],[2,3]]}
points 1 2, 2 3 with identifiers 7, 9 | wkx | MULTIPOINT(7 9,8 11)
points 1 2, 2 3 with identifiers 7, 9 | wkbparse | [[1.0, 2.0], [2.0, 3.0]]
written POINT(0.57 1.15) | wkx | POINT(0.56999 1.14999)
written POINT(-0.29 8.2) | wkx | POINT(-0.28999 8.19999)
written POINT Z(1.5 2.5 3.75) | wkx | POINT Z (1.5 2.5 3)
written track of 1000 points that ends at 13.4248801 | wkx | 13.4149900
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
