#!/usr/bin/env bash
# Two npm readers of data URLs, in which dashboards and messages carry pictures and files, give other types and octets: parse-data-uri 0.2.0 and
# strong-data-uri 1.0.6.
#
# Expected (RFC 2397, 2 and 3): after "data:" comes the media type, which may have parameters, then ";base64" if the data are base64, then a comma and the data. The
#           type is application/json in data:application/json,1 and text/plain if there is none. Each %xx is an octet of the data, in whatever character
#           set, as in the example of a Greek text (4). (RFC 3986, 2.1) Any character may be written as %xx, so %3D is the = of base64.
# Seen:     parse-data-uri gives the type "data:" for each URL without parameters, and an empty one for ;base64 only. strong-data-uri throws
#           "URI malformed" for octets that are no UTF-8, and adds an octet to base64 that ends with %3D, as 7 for the hexadecimal D. The other data are right.
# So:       a JSON value in a message has no usable type, and a file from a URL that was escaped once has one octet more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts parse-data-uri@0.2.0 strong-data-uri@1.0.6 >/dev/null 2>&1

cat >try.js <<'JS'
const parse = require('parse-data-uri');
const { decode } = require('strong-data-uri');
for (const url of ['data:application/json;base64,eyJhIjoxfQ==', 'data:application/json;v=1,%7B%22a%22:1%7D', 'data:application/json,%7B%22a%22:1%7D', 'data:text/plain,a,b', 'data:,on',
  'data:;base64,b24=', 'data:text/plain;charset=iso-8859-7,%e1%e2', 'data:application/octet-stream;v=1,%00%ff', 'data:application/octet-stream;base64,b24%3D']) {
  const seen = [];
  try {
    const { mimeType, data } = parse(url);
    seen.push(`parse-data-uri ${mimeType} ${Buffer.from(data).toString('hex')}`);
  } catch (error) {
    seen.push(`parse-data-uri throws ${error.message}`);
  }
  try {
    const data = decode(url);
    seen.push(`strong-data-uri ${data.mimetype} ${data.toString('hex')}`);
  } catch (error) {
    seen.push(`strong-data-uri throws ${error.message}`);
  }
  console.log('%s', [url, ...seen].join(' | '));
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
data:application/json;base64,eyJhIjoxfQ== | parse-data-uri application/json 7b2261223a317d | strong-data-uri application/json 7b2261223a317d
data:application/json;v=1,%7B%22a%22:1%7D | parse-data-uri application/json 7b2261223a317d | strong-data-uri application/json 7b2261223a317d
data:application/json,%7B%22a%22:1%7D | parse-data-uri data: 7b2261223a317d | strong-data-uri application/json 7b2261223a317d
data:text/plain,a,b | parse-data-uri data: 612c62 | strong-data-uri text/plain 612c62
data:,on | parse-data-uri data: 6f6e | strong-data-uri text/plain 6f6e
data:;base64,b24= | parse-data-uri  6f6e | strong-data-uri text/plain 6f6e
data:text/plain;charset=iso-8859-7,%e1%e2 | parse-data-uri text/plain e1e2 | strong-data-uri throws URI malformed
data:application/octet-stream;v=1,%00%ff | parse-data-uri application/octet-stream 00ff | strong-data-uri throws URI malformed
data:application/octet-stream;base64,b24%3D | parse-data-uri application/octet-stream 6f6e | strong-data-uri application/octet-stream 6f6e37
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
