#!/usr/bin/env bash
# Two readers of METAR, the weather reports of airports, for JavaScript: npm metar-decoder 1.0.3 stops at frost, gusts, automatic stations and showers
# nearby, metar-parser 1.0.1 loses whole miles and takes the forecast for the weather of now, beside npm metar-taf-parser 9.1.3.
#
# Expected (WMO-No. 306, Manual on Codes, volume I.1, FM 15): AUTO may follow the time. 25008G18KT is a wind of 8 knots with gusts of 18, and 200V290
#           may follow it (15.5). VCSH are showers in the vicinity (15.8). M precedes a temperature below zero (15.11). Groups after TEMPO are a
#           forecast (15.14). (Federal Meteorological Handbook 1, 12.6) 1 1/2SM is one and a half statute miles (2414 m), -RASN light rain and snow.
# Seen:     metar-decoder gives neither temperature nor pressure if one of the temperatures is below zero. It reads the wind of an automatic station
#           as "AUT" without a speed, and no visibility; a gust as NaN and the unit as "8K", and gives nothing of what follows VCSH or 1 1/2SM, which
#           it reads as 1. metar-parser reads 1 1/2SM as 805 m, -RASN as rain, and clouds and thunderstorm of TEMPO as present.
# So:       a station publishes no temperature from the first frost on, and fog of 2.4 km as one of 800 m.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export TZ=UTC
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts metar-decoder@1.0.3 metar-parser@1.0.1 metar-taf-parser@9.1.3 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'node:module';
import { parseMetar } from 'metar-taf-parser';
const require = createRequire(import.meta.url);
const { decode } = require('metar-decoder');
const parse = require('metar-parser');

const CASES = [
  'EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013',
  'EDDF 121220Z 25008KT 8000 FEW030 02/M01 Q1013',
  'EDDF 121220Z 25008G18KT 8000 FEW030 12/08 Q1013',
  'EDDF 121220Z AUTO 25008KT 8000 FEW030 12/08 Q1013',
  'EDDF 121220Z 25008KT 8000 VCSH FEW030 12/08 Q1013',
  'EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013 TEMPO 1200 TSRA BKN005CB',
  'KJFK 121251Z 22010KT 1 1/2SM -RASN OVC020 02/01 A2998',
];
const show = (...values) => values.map((value) => (value === undefined || value === null || value === '' ? 'none' : value)).join(' | ');
for (const report of CASES) {
  console.log(report);
  const first = parseMetar(report);
  console.log('  metar-taf-parser |', show(`${first.wind.speed} ${first.wind.unit}`, first.wind.gust, `${first.visibility.value} ${first.visibility.unit}`,
    first.weatherConditions.flatMap((item) => [item.descriptive ?? [], item.phenomenons].flat()).join(' '), first.clouds.map((cloud) => cloud.quantity).join(' '),
    first.temperature, first.dewPoint, first.altimeter?.value));
  const second = decode(report);
  console.log('  metar-decoder |', show(`${second.wind.speed} ${second.wind.unit}`, second.wind.guest ?? second.wind.gust, second.visibility,
    second.weather.map((item) => item.abbreviation).join(' '), second.clouds.map((cloud) => cloud.code).join(' '), second.temperature, second.dewpoint, second.qnh));
  const third = parse(`METAR ${report}`);
  console.log('  metar-parser |', show(`${third.wind.speedKt} KT`, third.wind.gust || null, `${third.visibility.meters} m`,
    third.weather.flatMap((item) => item.codes).join(' '), third.clouds.map((cloud) => cloud.code).join(' '),
    third.temperature.celsius, third.dewpoint?.celsius, third.altimeter.millibars));
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013
  metar-taf-parser | 8 KT | none | 8000 m | none | FEW | 12 | 8 | 1013
  metar-decoder | 8 KT | none | 8000 | none | FEW | 12 | 8 | 1013
  metar-parser | 8 KT | none | 8000 m | none | FEW | 12 | 8 | 1013
EDDF 121220Z 25008KT 8000 FEW030 02/M01 Q1013
  metar-taf-parser | 8 KT | none | 8000 m | none | FEW | 2 | -1 | 1013
  metar-decoder | 8 KT | none | 8000 | none | FEW | none | none | none
  metar-parser | 8 KT | none | 8000 m | none | FEW | 2 | -1 | 1013
EDDF 121220Z 25008G18KT 8000 FEW030 12/08 Q1013
  metar-taf-parser | 8 KT | 18 | 8000 m | none | FEW | 12 | 8 | 1013
  metar-decoder | 8 8K | NaN | 8000 | none | FEW | 12 | 8 | 1013
  metar-parser | 8 KT | 18 | 8000 m | none | FEW | 12 | 8 | 1013
EDDF 121220Z AUTO 25008KT 8000 FEW030 12/08 Q1013
  metar-taf-parser | 8 KT | none | 8000 m | none | FEW | 12 | 8 | 1013
  metar-decoder | NaN  | none | NaN | none | FEW | 12 | 8 | 1013
  metar-parser | 8 KT | none | 8000 m | none | FEW | 12 | 8 | 1013
EDDF 121220Z 25008KT 8000 VCSH FEW030 12/08 Q1013
  metar-taf-parser | 8 KT | none | 8000 m | SH | FEW | 12 | 8 | 1013
  metar-decoder | 8 KT | none | 8000 | none | none | none | none | none
  metar-parser | 8 KT | none | 8000 m | SH | FEW | 12 | 8 | 1013
EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013 TEMPO 1200 TSRA BKN005CB
  metar-taf-parser | 8 KT | none | 8000 m | none | FEW | 12 | 8 | 1013
  metar-decoder | 8 KT | none | 8000 | none | FEW | 12 | 8 | 1013
  metar-parser | 8 KT | none | 8000 m | TS RA | FEW BKN | 12 | 8 | 1013
KJFK 121251Z 22010KT 1 1/2SM -RASN OVC020 02/01 A2998
  metar-taf-parser | 10 KT | none | 1.5 SM | RA SN | OVC | 2 | 1 | 29.98
  metar-decoder | 10 KT | none | 1 | none | none | none | none | none
  metar-parser | 10 KT | none | 805 m | RA | OVC | 2 | 1 | 1015
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
