#!/usr/bin/env bash
# npm grib-js 1.0.0, which reads forecasts in GRIB2, places a map of southern Africa at 2114 degrees south and gives scale factors of -32758, in the example
# files that it brings along.
#
# Expected (WMO Manual on Codes, FM 92 GRIB, regulation 92.1.5): a negative value has its first bit set, and the other bits are its amount; so La1 in template
#           3.20 (octets 39 to 42), LaD (48 to 51) and the binary scale factor of section 5 (octets 16 and 17). (Code table 4.2) The number of the parameter
#           is an octet without a sign; from 192 on it is for local use.
# Seen:     two's complement is read: -33.184501 degrees are -2114.299147, -60 are -2087.483648, -10 is -32758, the parameter 192 is -64. Only the positions of
#           template 3.0 are read with their sign.
# So:       values multiplied by 2^-32758 are all the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts grib-js@1.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const fs = require('fs');
const grib = require('grib-js');
function sections(data) {
  const found = {};
  for (let at = data.indexOf('GRIB') + 16; data.toString('latin1', at, at + 4) !== '7777'; at += data.readUInt32BE(at)) found[data[at + 4]] ??= data.subarray(at, at + data.readUInt32BE(at));
  return found;
}
const amount = (part, octet, width) => { const raw = part.readUIntBE(octet - 1, width); const sign = 2 ** (8 * width - 1); return raw >= sign ? sign - raw : raw; };
for (const name of ['safrica', 'regular_latlon_surface', 'eta']) {
  const file = ['.grib2', '.grb'].map((end) => `node_modules/grib-js/samples/${name}${end}`).find((path) => fs.existsSync(path));
  const data = fs.readFileSync(file);
  const part = sections(data);
  grib.readData(data, (error, messages) => {
    if (error) throw error;
    const { grid, product, representation } = messages[0].fields[0];
    console.log(`${name}, grid template 3.${grid.templateNumber}`);
    if (grid.templateNumber === 20) {
      console.log(`  La1 | expected ${amount(part[3], 39, 4) / 1e6} | ${grid.definition.la1.toFixed(6)}`);
      console.log(`  LaD | expected ${amount(part[3], 48, 4) / 1e6} | ${grid.definition.lad.toFixed(6)}`);
    }
    console.log(`  parameter | expected ${part[4][10]} | ${product.details.parameter.value}`);
    if (representation.details) console.log(`  binary scale factor | expected ${amount(part[5], 16, 2)} | ${representation.details.binaryScaleFactor}`);
  });
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
safrica, grid template 3.20
  La1 | expected -33.184501 | -2114.299147
  LaD | expected -60 | -2087.483648
  parameter | expected 3 | 3
regular_latlon_surface, grid template 3.0
  parameter | expected 0 | 0
  binary scale factor | expected -10 | -32758
eta, grid template 3.30
  parameter | expected 192 | -64
  binary scale factor | expected 0 | 0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
