#!/usr/bin/env bash
# npm h5.linkformat 0.0.0, which reads and writes the lists of resources of CoAP devices (CoRE Link Format), does not find resources with two types,
# writes sizes as texts, and cannot read some titles.
#
# Expected (RFC 6690): rt, if and rel may have several values, separated by spaces, and a filter such as rt=light-lux finds a resource that has it as one of
#           them (4.1, example in 5). The value of sz is a number without quotation marks (2). In a quoted string, a backslash stands before the character
#           that is meant, any one, as in HTTP (2; RFC 2616, 2.2).
# Seen:     the resource of the example, with rt="light-lux core.sen-light", is found neither as light-lux nor as core.sen-light. sz=262144 is written as
#           sz="262144". A title with \n has a line feed instead of n, and one with \o raises an error, for the whole list.
# So:       a gateway that looks for sensors of a type misses those that have another one as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts h5.linkformat@0.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { parse } = require('h5.linkformat');
const links = parse('</sensors/temp>;rt="temperature-c";if="sensor",</sensors/light>;rt="light-lux core.sen-light";if="sensor"');
for (const [name, value] of [['rt', 'temperature-c'], ['rt', 'light-lux'], ['rt', 'core.sen-light'], ['rt', 'light*'], ['if', 'sensor']]) {
  console.log(`filter ${name}=${value} |`, links.filter(name, value).map((link) => link.href).join(' ') || 'nothing');
}
for (const text of ['</firmware>;rt="firmware";sz=262144', String.raw`</a>;title="C:\\new"`, String.raw`</a>;title="a \"b\" c"`, String.raw`</a>;title="\new"`, String.raw`</a>;title="\old",</b>`]) {
  try {
    const found = parse(text);
    console.log('read', text, '|', JSON.stringify(found), '| written', JSON.stringify(found.toString()));
  } catch (error) {
    console.log('read', text, '| raises an error');
  }
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
filter rt=temperature-c | /sensors/temp
filter rt=light-lux | nothing
filter rt=core.sen-light | nothing
filter rt=light* | /sensors/light
filter if=sensor | /sensors/temp /sensors/light
read </firmware>;rt="firmware";sz=262144 | [{"href":"/firmware","rt":"firmware","sz":"262144"}] | written "</firmware>;rt=\"firmware\";sz=\"262144\""
read </a>;title="C:\\new" | [{"href":"/a","title":"C:\\new"}] | written "</a>;title=\"C:\\\\new\""
read </a>;title="a \"b\" c" | [{"href":"/a","title":"a \"b\" c"}] | written "</a>;title=\"a \\\"b\\\" c\""
read </a>;title="\new" | [{"href":"/a","title":"\new"}] | written "</a>;title=\"\\new\""
read </a>;title="\old",</b> | raises an error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "h5.linkformat 0.0.0: as described"
