#!/usr/bin/env bash
# Two npm packages for GPX, the tracks of vehicles and loggers: gpx-parse 0.10.4 moves points on the equator and the prime meridian by a degree and has no sea
# level, gpx-parser-builder 1.2.0 fails for a route of one point.
#
# Expected (GPX 1.1 Schema, wptType, rteType, trksegType): lat and lon are decimal degrees, 0 among them; ele is optional and may be 0; rte has a name and any
#           number of rtept, trkseg any number of trkpt, also none. (Namespaces in XML 1.0, section 4) The prefix of a namespace has no meaning.
# Seen:     gpx-parse returns -1 for each 0 in lat, lon and ele, as it does for a missing ele, so that 51.4769, 0 is -1 degree west; names of routes are
#           empty texts, and a file with an empty trkseg throws, as does one with prefixes. gpx-parser-builder throws for a rte with one rtept, with
#           two it is right, and for prefixes.
# So:       a boat at the coast of Ghana is drawn 110 km west, and each beach is a metre under water.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts gpx-parse@0.10.4 gpx-parser-builder@1.2.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { parseGpx } = require('gpx-parse');
const module_ = require('gpx-parser-builder');
const builder = module_.default ?? module_;
const file = (content, prefix = '') => `<${prefix}gpx xmlns${prefix && ':'}${prefix.slice(0, -1)}="http://www.topografix.com/GPX/1/1" version="1.1" creator="logger">${content}</${prefix}gpx>`;
const FILES = {
  'Berlin, 34 m': file('<wpt lat="52.5" lon="13.4"><ele>34</ele></wpt>'),
  'Greenwich, 0 m': file('<wpt lat="51.4769" lon="0"><ele>0</ele></wpt>'),
  'equator, without height': file('<wpt lat="0" lon="9.5"/>'),
  'Accra, track': file('<trk><trkseg><trkpt lat="5.55" lon="-0.2"><ele>0</ele></trkpt><trkpt lat="5.55" lon="0.0"><ele>0.5</ele></trkpt></trkseg></trk>'),
  'track with an empty segment': file('<trk><trkseg/><trkseg><trkpt lat="1" lon="2"/></trkseg></trk>'),
  'route of one point': file('<rte><name>home</name><rtept lat="1" lon="2"/></rte>'),
  'route of two points': file('<rte><name>home</name><rtept lat="1" lon="2"/><rtept lat="3" lon="4"/></rte>'),
  'with a prefix': file('<g:wpt lat="1" lon="2"/>', 'g:'),
};
const point = ({ lat, lon, elevation }) => `${lat} ${lon} height ${elevation}`;
const describe = (data) => [...data.waypoints.map(point), ...data.tracks.map((track) => `track ${track.segments.map((segment) => segment.map(point).join(', ')).join('; ')}`),
  ...data.routes.map((route) => `route ${JSON.stringify(route.name)} ${route.points.map(point).join(', ')}`)].join(' ');
(async () => {
  for (const [title, text] of Object.entries(FILES)) {
    const seen = await new Promise((resolve) => {
      try { parseGpx(text, (error, data) => resolve(error ? `throws: ${error.message}` : describe(data))); } catch (error) { resolve(`throws: ${error.message}`); }
    });
    console.log(title, '| gpx-parse |', seen);
    let built;
    try {
      const data = builder.parse(text);
      built = JSON.stringify({ wpt: data.wpt, trk: data.trk, rte: data.rte });
    } catch (error) {
      built = `throws ${error.constructor.name}`;
    }
    console.log(title, '| gpx-parser-builder |', built);
  }
})();
JS
node --no-deprecation try.js | tee seen
cat >expected <<'TEXT'
Berlin, 34 m | gpx-parse | 52.5 13.4 height 34
Berlin, 34 m | gpx-parser-builder | {"wpt":[{"$":{"lat":"52.5","lon":"13.4"},"ele":34}]}
Greenwich, 0 m | gpx-parse | 51.4769 -1 height -1
Greenwich, 0 m | gpx-parser-builder | {"wpt":[{"$":{"lat":"51.4769","lon":"0"},"ele":0}]}
equator, without height | gpx-parse | -1 9.5 height -1
equator, without height | gpx-parser-builder | {"wpt":[{"$":{"lat":"0","lon":"9.5"}}]}
Accra, track | gpx-parse | track 5.55 -0.2 height -1, 5.55 -1 height 0.5
Accra, track | gpx-parser-builder | {"trk":[{"trkseg":[{"trkpt":[{"$":{"lat":"5.55","lon":"-0.2"},"ele":0},{"$":{"lat":"5.55","lon":"0.0"},"ele":0.5}]}]}]}
track with an empty segment | gpx-parse | throws: Cannot read properties of undefined (reading 'forEach')
track with an empty segment | gpx-parser-builder | {"trk":[{"trkseg":[{},{"trkpt":[{"$":{"lat":"1","lon":"2"}}]}]}]}
route of one point | gpx-parse | route "" 1 2 height -1
route of one point | gpx-parser-builder | throws TypeError
route of two points | gpx-parse | route "" 1 2 height -1, 3 4 height -1
route of two points | gpx-parser-builder | {"rte":[{"name":"home","rtept":[{"$":{"lat":"1","lon":"2"}},{"$":{"lat":"3","lon":"4"}}]}]}
with a prefix | gpx-parse | throws: version not specified
with a prefix | gpx-parser-builder | throws TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
