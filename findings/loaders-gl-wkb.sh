#!/usr/bin/env bash
# npm @loaders.gl/wkt 4.5.2, with which maps read positions and areas from brokers and databases, returns other types than it reads, rejects collections that it
# wrote, and takes measures for heights.
#
# Expected (OGC 06-103r4, Simple Feature Access 1, section 8.2.3): types 4 to 6 are multi geometries of any number of parts, 7 a collection, 2001 a point with a
#           measure. (Section 7.2.2) WKT has EMPTY, Z, M and ZM, and numbers such as 1. and .5. (RFC 7946, section 3.1.1) The third number
#           of a position is its height. (TWKB Specification 0.23, "VarInt Encode") Integers have any length; seven decimals are allowed.
# Seen:     a MultiPolygon, MultiLineString or MultiPoint of one part becomes a Polygon, LineString or Point, and an empty MultiPolygon an empty Polygon; with
#           two parts the type stays. WKBLoader throws for a GeometryCollection, which WKBWriter writes. The measure 9 is the height of the point.
#           WKTLoader returns null for EMPTY, M, ZM and .5. TWKBLoader has 139.7671 degrees as -74.9812648; TWKBWriter throws RangeError for all.
# So:       an area that loses its second part changes its type, and programs that expect its coordinates one level deeper fail.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @loaders.gl/wkt@4.5.2 @loaders.gl/core@4.5.2 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { TWKBLoader, TWKBWriter, WKBLoader, WKBWriter, WKTLoader } from '@loaders.gl/wkt';
const attempt = (work) => { try { return JSON.stringify(work()); } catch (error) { return `throws ${error.constructor.name}`; } };
const count = (value) => Buffer.from(Uint32Array.of(value).buffer);
const numbers = (...values) => Buffer.from(Float64Array.from(values).buffer);
const geometry = (type, ...parts) => Buffer.concat([Buffer.of(1), count(type), ...parts]);
const line = (...values) => [count(values.length / 2), numbers(...values)];
const polygon = (x) => geometry(3, count(1), ...line(x, 0, x + 4, 0, x, 4, x, 0));
const WKB = {
  'MultiPoint of 1': geometry(4, count(1), geometry(1, numbers(1, 2))),
  'MultiPoint of 2': geometry(4, count(2), geometry(1, numbers(1, 2)), geometry(1, numbers(3, 4))),
  'MultiLineString of 1': geometry(5, count(1), geometry(2, ...line(1, 2, 3, 4))),
  'MultiPolygon of 1': geometry(6, count(1), polygon(0)),
  'MultiPolygon of 2': geometry(6, count(2), polygon(0), polygon(10)),
  'MultiPolygon of 0': geometry(6, count(0)),
  'Point with Z 3': geometry(1001, numbers(1, 2, 3)),
  'Point with M 9': geometry(2001, numbers(1, 2, 9)),
};
const read = (loader, data) => loader.parseSync(new Uint8Array(data).buffer, { wkb: { shape: 'geojson-geometry' } });
for (const [title, data] of Object.entries(WKB)) console.log('WKB', title, '|', attempt(() => read(WKBLoader, data)));
const collection = { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2] }] };
console.log('WKB of a collection, written |', Buffer.from(WKBWriter.encodeSync(collection)).toString('hex'), '| read again |', attempt(() => read(WKBLoader, WKBWriter.encodeSync(collection))));
for (const text of ['POINT (1 2)', 'POINT Z (1 2 3)', 'POINT M (1 2 9)', 'POINT ZM (1 2 3 9)', 'POINT EMPTY', 'LINESTRING EMPTY', 'MULTIPOINT EMPTY', 'POINT (0.5 1)', 'POINT (.5 1.)']) {
  console.log('WKT', text, '|', attempt(() => WKTLoader.parseTextSync(text, { wkt: { shape: 'geojson-geometry' } })));
}
const varint = (value) => (value > 127n ? [Number(value & 127n) | 128, ...varint(value >> 7n)] : [Number(value)]);
const zigzag = (...values) => values.flatMap((value) => varint(value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value)));
console.log('TWKB Berlin, 7 decimals |', attempt(() => read(TWKBLoader, [0xe1, 0, ...zigzag(134050000, 525200000)])));
console.log('TWKB Tokyo, 7 decimals |', attempt(() => read(TWKBLoader, [0xe1, 0, ...zigzag(1397671000, 356813000)])));
console.log('TWKB of a point, written |', attempt(() => Buffer.from(TWKBWriter.encodeSync({ type: 'Point', coordinates: [1, 2] })).toString('hex')));
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
WKB MultiPoint of 1 | {"type":"Point","coordinates":[1,2]}
WKB MultiPoint of 2 | {"type":"MultiPoint","coordinates":[[1,2],[3,4]]}
WKB MultiLineString of 1 | {"type":"LineString","coordinates":[[1,2],[3,4]]}
WKB MultiPolygon of 1 | {"type":"Polygon","coordinates":[[[0,0],[4,0],[0,4],[0,0]]]}
WKB MultiPolygon of 2 | {"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[0,4],[0,0]]],[[[10,0],[14,0],[10,4],[10,0]]]]}
WKB MultiPolygon of 0 | {"type":"Polygon","coordinates":[]}
WKB Point with Z 3 | {"type":"Point","coordinates":[1,2,3]}
WKB Point with M 9 | {"type":"Point","coordinates":[1,2,9]}
WKB of a collection, written | 0107000000010000000101000000000000000000f03f0000000000000040 | read again | throws Error
WKT POINT (1 2) | {"type":"Point","coordinates":[1,2]}
WKT POINT Z (1 2 3) | {"type":"Point","coordinates":[1,2,3]}
WKT POINT M (1 2 9) | null
WKT POINT ZM (1 2 3 9) | null
WKT POINT EMPTY | null
WKT LINESTRING EMPTY | null
WKT MULTIPOINT EMPTY | null
WKT POINT (0.5 1) | {"type":"Point","coordinates":[0.5,1]}
WKT POINT (.5 1.) | null
TWKB Berlin, 7 decimals | {"type":"Point","coordinates":[13.405,52.52]}
TWKB Tokyo, 7 decimals | {"type":"Point","coordinates":[-74.9812648,35.6813]}
TWKB of a point, written | throws RangeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
