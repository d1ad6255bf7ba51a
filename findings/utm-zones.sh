#!/usr/bin/env bash
# Two libraries for JavaScript that convert positions of trackers to UTM coordinates: npm utm-converter 0.1.1 does not know the wider zones of Norway and
# Svalbard, utm-latlng 1.0.8 has a zone 61.
#
# Expected (NGA.SIG.0012_2.0.0_UTMUPS, The Universal Grids, UTM zones and their exceptions): there are 60 zones of six degrees. South-western Norway, from 56 to 64
#           degrees north and 3 to 12 degrees east, is in zone 32; on Svalbard, from 72 degrees north, zones 31, 33, 35 and 37 are wider and there are
#           no zones 32, 34 and 36. 180 degrees is the meridian where zone 60 ends and zone 1 begins.
# Seen:     utm-converter has Bergen in zone 31, and places on Svalbard in 32 and 34; utm-latlng is right there. For 180 degrees utm-latlng gives zone 61,
#           with the easting of zone 1.
# So:       two programs draw one boat in Bergen 330 km apart if they leave the zone of the map to the other.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts utm-converter@0.1.1 utm-latlng@1.0.8 >/dev/null 2>&1

cat >try.js <<'JS'
const Converter = require('utm-converter');
const LatLng = require('utm-latlng');
const PLACES = [['Berlin', 52.5, 13.4, 33], ['Bergen', 60.39, 5.32, 32], ['Longyearbyen', 78.22, 15.65, 33], ['Ny-Ålesund', 78.92, 11.93, 33], ['Nordaustlandet', 79.5, 22.5, 35],
  ['Fiji, 180 degrees', -17, 180, 1], ['Fiji, -180 degrees', -17, -180, 1]];
for (const [name, latitude, longitude, zone] of PLACES) {
  const found = new LatLng('WGS 84').convertLatLngToUtm(latitude, longitude, 0);
  let other;
  try {
    const { zone: number, coord: { x, y } } = new Converter().toUtm({ coord: [longitude, latitude] });
    other = `${number} ${x.toFixed(0)} ${y.toFixed(0)}`;
  } catch (error) {
    other = 'raises an error';
  }
  console.log(name, '| zone', zone, '| utm-latlng', found.ZoneNumber, found.Easting, found.Northing, '| utm-converter', other);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
Berlin | zone 33 | utm-latlng 33 391391 5817855 | utm-converter 33 391391 5817855
Bergen | zone 32 | utm-latlng 32 297230 6700510 | utm-converter 31 627860 6697097
Longyearbyen | zone 33 | utm-latlng 33 514814 8683004 | utm-converter 33 514814 8683004
Ny-Ålesund | zone 33 | utm-latlng 33 434165 8762777 | utm-converter 32 562835 8762622
Nordaustlandet | zone 35 | utm-latlng 35 408539 8829312 | utm-converter 34 530513 8826172
Fiji, 180 degrees | zone 1 | utm-latlng 61 180548 8117998 | utm-converter raises an error
Fiji, -180 degrees | zone 1 | utm-latlng 1 180548 8117998 | utm-converter 1 180548 8117998
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
