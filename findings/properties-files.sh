#!/usr/bin/env bash
# Three npm readers of Java properties, the configuration files of many gateways and brokers, read other names and values than Java: promisified-properties 3.0.0,
# properties-to-json 0.2.1 and properties 1.2.1, beside dot-properties 1.1.2.
#
# Expected (Java SE 17 API, java.util.Properties, load(Reader)): a line ends with \n, \r or \r\n. A line that ends with an odd number of backslashes goes on
#           with the next one without its leading white space, but a comment does not go on. A name ends at the first =, : or white space that is not
#           escaped, and white space around the = is skipped, but not at the end of the value. \uxxxx is a character, \t, \n, \r and \f are control
#           characters, and of other escapes only the backslash is dropped, so \  is a space. A name without more has the empty value.
# Seen:     promisified-properties throws for a name that ends at a blank and for escaped blanks in names, keeps the white space of the next line, strips tabs
#           and spaces that are escaped or at the end, and takes the line after a comment with a backslash as a part of it, and \# for a comment. properties-to-json
#           leaves \u and other escapes of values as they are, strips spaces at the end, joins lines after an even number of backslashes and after comments, and
#           gives names that end at a blank no name. properties and properties-to-json do not know \r as an end. dot-properties reads all of it.
# So:       a name that begins or ends with a space, or a path with backslashes, is another one, and a setting after a comment is missing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts promisified-properties@3.0.0 properties-to-json@0.2.1 properties@1.2.1 dot-properties@1.1.2 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { parse } from 'dot-properties';
const require = createRequire(import.meta.url);
const promisified = require('promisified-properties');
const LIBRARIES = {
  'dot-properties': parse,
  'promisified-properties': async (text) => {
    const found = await (promisified.default ?? promisified).parse(text);
    return Object.fromEntries([...found].filter((entry) => entry.key !== undefined).map(({ key, value }) => [key, value]));
  },
  'properties-to-json': (text) => {
    const found = require('properties-to-json')(text);
    return typeof found === 'string' ? JSON.parse(found) : found;
  },
  properties: (text) => require('properties').parse(text),
};
for (const text of ['name=on', 'name on', 'a\\ b=on', 'name=on ', 'name=\\ on', 'name=\\ton', 'name=on\\\n   off', 'name=\\u00e9x', 'path=C:\\\\new',
  'path=C:\\\\\nname=on', '# C:\\\nname=on', '\\#name=on', 'name=on\rother=off', 'name: =on']) {
  console.log(JSON.stringify(text));
  for (const [name, read] of Object.entries(LIBRARIES)) {
    try {
      console.log(`  ${name} |`, JSON.stringify(await read(text)));
    } catch (error) {
      console.log(`  ${name} | throws`);
    }
  }
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
"name=on"
  dot-properties | {"name":"on"}
  promisified-properties | {"name":"on"}
  properties-to-json | {"name":"on"}
  properties | {"name":"on"}
"name on"
  dot-properties | {"name":"on"}
  promisified-properties | throws
  properties-to-json | {"":"name on"}
  properties | {"name":"on"}
"a\\ b=on"
  dot-properties | {"a b":"on"}
  promisified-properties | throws
  properties-to-json | {"a b":"on"}
  properties | {"a b":"on"}
"name=on "
  dot-properties | {"name":"on "}
  promisified-properties | {"name":"on"}
  properties-to-json | {"name":"on"}
  properties | {"name":"on "}
"name=\\ on"
  dot-properties | {"name":" on"}
  promisified-properties | {"name":"on"}
  properties-to-json | {"name":"\\ on"}
  properties | {"name":" on"}
"name=\\ton"
  dot-properties | {"name":"\ton"}
  promisified-properties | {"name":"on"}
  properties-to-json | {"name":"\\ton"}
  properties | {"name":"\ton"}
"name=on\\\n   off"
  dot-properties | {"name":"onoff"}
  promisified-properties | {"name":"on   off"}
  properties-to-json | {"name":"onoff"}
  properties | {"name":"onoff"}
"name=\\u00e9x"
  dot-properties | {"name":"éx"}
  promisified-properties | {"name":"éx"}
  properties-to-json | {"name":"\\u00e9x"}
  properties | {"name":"éx"}
"path=C:\\\\new"
  dot-properties | {"path":"C:\\new"}
  promisified-properties | {"path":"C:\\new"}
  properties-to-json | {"path":"C:\\\\new"}
  properties | {"path":"C:\\new"}
"path=C:\\\\\nname=on"
  dot-properties | {"path":"C:\\","name":"on"}
  promisified-properties | {"path":"C:\\","name":"on"}
  properties-to-json | {"path":"C:\\name=on"}
  properties | {"path":"C:\\","name":"on"}
"# C:\\\nname=on"
  dot-properties | {"name":"on"}
  promisified-properties | {}
  properties-to-json | {}
  properties | {"name":"on"}
"\\#name=on"
  dot-properties | {"#name":"on"}
  promisified-properties | {}
  properties-to-json | {"#name":"on"}
  properties | {"#name":"on"}
"name=on\rother=off"
  dot-properties | {"name":"on","other":"off"}
  promisified-properties | {"name":"on","other":"off"}
  properties-to-json | {"name":"on\rother=off"}
  properties | {"name":"onother=off"}
"name: =on"
  dot-properties | {"name":"=on"}
  promisified-properties | {"name":"=on"}
  properties-to-json | {"name":":on"}
  properties | {"name":"=on"}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
