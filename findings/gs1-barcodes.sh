#!/usr/bin/env bash
# Three readers of GS1 barcodes, whose contents scanners at conveyor belts and gates publish over MQTT: npm gs1js 0.0.2 cuts most identifiers short, bark-js
# 1.2.1 adds the currency to the price, gs1-barcode-parser-mod2 1.0.6 rejects barcodes with the number of a location.
#
# Expected (GS1 General Specifications, release 24, section 3, list of Application Identifiers): identifiers have two to four digits. 3103 is a net weight in
#           kilograms with three decimals, 3922 an amount with two, 3932 one after the three digits of an ISO currency code, 414 the number of a physical
#           location, 417 that of a party, 7007 harvest dates. A day 00 in a date such as 17 stands for the last day of the month.
# Seen:     gs1js has the identifiers 31, 39, 41, 70 and 80, with the remaining digits in the value. bark-js reads 12.99 in currency 978 (euros) as
#           97812.99, and the last day of November 2026 as 2026-11-00. gs1-barcode-parser-mod2 raises an error for 414, 417 and 7007, and so
#           loses all other elements of these barcodes; weights, amounts and days are right.
# So:       12.99 euros are nearly a hundred thousand, and a label with a location cannot be read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts gs1js@0.0.2 bark-js@1.2.1 gs1-barcode-parser-mod2@1.0.6 >/dev/null 2>&1

cat >try.js <<'JS'
const bark = require('bark-js');
const { parseBarcode } = require('gs1-barcode-parser-mod2');
const { GS1Reader } = require('gs1js');
const SEPARATOR = '\x1d';
const READERS = {
  gs1js: (text) => new GS1Reader(text).getApplicationIdentifiers().map(({ identifier, value }) => `${identifier}=${value}`),
  'bark-js': (text) => bark(text, { fnc: SEPARATOR }).elements.map(({ ai, value }) => `${ai}=${value}`),
  'gs1-barcode-parser-mod2': (text) => parseBarcode(text).parsedCodeItems.map(({ ai, data, unit }) =>
    `${ai}=${data instanceof Date ? `${data.getFullYear()}-${data.getMonth() + 1}-${data.getDate()}` : data}${unit ? ` ${unit}` : ''}`),
};
const CASES = [['article and batch', '018061414112345810LOT7'], ['net weight 1.234 kg', '01806141411234583103001234'], ['amount 1.99', `3922199${SEPARATOR}10LOT7`],
  ['amount 12.99 in currency 978', `39329781299${SEPARATOR}10LOT7`], ['last day of November 2026', '1726110010LOT7'], ['location and batch', '414061414112345210LOT7'],
  ['party and batch', '417061414112345210LOT7'], ['harvest on 1 November 2026', `7007261101${SEPARATOR}10LOT7`]];
for (const [name, text] of CASES) {
  for (const [library, read] of Object.entries(READERS)) {
    let found;
    try {
      found = read(text).join(' ');
    } catch (error) {
      found = 'raises an error';
    }
    console.log(name, '|', text.replaceAll(SEPARATOR, '<FNC1>'), '|', library, '|', found);
  }
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
article and batch | 018061414112345810LOT7 | gs1js | 01=80614141123458 10=LOT7
article and batch | 018061414112345810LOT7 | bark-js | 01=80614141123458 10=LOT7
article and batch | 018061414112345810LOT7 | gs1-barcode-parser-mod2 | 01=80614141123458 10=LOT7
net weight 1.234 kg | 01806141411234583103001234 | gs1js | 01=80614141123458 31=03001234
net weight 1.234 kg | 01806141411234583103001234 | bark-js | 01=80614141123458 3103=001.234
net weight 1.234 kg | 01806141411234583103001234 | gs1-barcode-parser-mod2 | 01=80614141123458 3103=1.234 KGM
amount 1.99 | 3922199<FNC1>10LOT7 | gs1js | 39=22199 10=LOT7
amount 1.99 | 3922199<FNC1>10LOT7 | bark-js | 3922=1.99 10=LOT7
amount 1.99 | 3922199<FNC1>10LOT7 | gs1-barcode-parser-mod2 | 3922=1.99 10=LOT7
amount 12.99 in currency 978 | 39329781299<FNC1>10LOT7 | gs1js | 39=329781299 10=LOT7
amount 12.99 in currency 978 | 39329781299<FNC1>10LOT7 | bark-js | 3932=97812.99 10=LOT7
amount 12.99 in currency 978 | 39329781299<FNC1>10LOT7 | gs1-barcode-parser-mod2 | 3932=12.99 978 10=LOT7
last day of November 2026 | 1726110010LOT7 | gs1js | 17=261100 10=LOT7
last day of November 2026 | 1726110010LOT7 | bark-js | 17=2026-11-00 10=LOT7
last day of November 2026 | 1726110010LOT7 | gs1-barcode-parser-mod2 | 17=2026-11-30 10=LOT7
location and batch | 414061414112345210LOT7 | gs1js | 41=40614141123452 10=LOT7
location and batch | 414061414112345210LOT7 | bark-js | 414=0614141123452 10=LOT7
location and batch | 414061414112345210LOT7 | gs1-barcode-parser-mod2 | raises an error
party and batch | 417061414112345210LOT7 | gs1js | 41=70614141123452 10=LOT7
party and batch | 417061414112345210LOT7 | bark-js | 417=0614141123452 10=LOT7
party and batch | 417061414112345210LOT7 | gs1-barcode-parser-mod2 | raises an error
harvest on 1 November 2026 | 7007261101<FNC1>10LOT7 | gs1js | 70=07261101 10=LOT7
harvest on 1 November 2026 | 7007261101<FNC1>10LOT7 | bark-js | 7007=2026-11-01 10=LOT7
harvest on 1 November 2026 | 7007261101<FNC1>10LOT7 | gs1-barcode-parser-mod2 | raises an error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
