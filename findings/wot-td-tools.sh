#!/usr/bin/env bash
# npm @node-wot/td-tools 0.9.0, the parser and serializer of Thing Descriptions of the W3C Web of Things (which describe MQTT devices, too), cannot write a Thing
# Description without links, and says that texts of unknown language are English.
#
# Expected (W3C, Web of Things Thing Description 1.1, 5.3.1.1 Thing): the members links, properties, actions and events are optional, so a Thing Description
#           without them is valid. The default language is the @language of @context, if there is one.
# Seen:     serializeTD(parseTD(text)) throws TypeError, "Cannot read properties of undefined (reading 'length')", for each description without links, however
#           small; with an empty list or a link it gives the description, without the empty list. If @context is a list without @language, it has
#           "@language": "en" afterwards, also for a German title.
# So:       a gateway that reads the descriptions of devices and publishes them again has an error for most of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @node-wot/td-tools@0.9.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { parseTD, serializeTD } = require('@node-wot/td-tools');
const context = 'https://www.w3.org/2022/wot/td/v1.1';
const thing = { '@context': context, title: 'Lampe', securityDefinitions: { none: { scheme: 'nosec' } }, security: 'none' };
const properties = { on: { type: 'boolean', forms: [{ href: 'mqtt://broker:1883/lamp/on', op: 'readproperty' }] } };
const things = {
  'no links': thing,
  'a property, no links': { ...thing, properties },
  'empty list of links': { ...thing, links: [] },
  'a property and a link': { ...thing, properties, links: [{ href: 'https://example.org/manual', rel: 'help' }] },
  'list of contexts': { ...thing, '@context': [context, { saref: 'https://w3id.org/saref#' }], links: [] },
};
for (const [title, given] of Object.entries(things)) {
  let found;
  try {
    const { '@context': contexts, links, properties: written } = JSON.parse(serializeTD(parseTD(JSON.stringify(given))));
    found = `${JSON.stringify(contexts)}, links ${JSON.stringify(links)}, properties ${Object.keys(written ?? {})}`;
  } catch (error) {
    found = `throws ${error.constructor.name}: ${error.message}`;
  }
  console.log(`${title} | ${found}`);
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
no links | throws TypeError: Cannot read properties of undefined (reading 'length')
a property, no links | throws TypeError: Cannot read properties of undefined (reading 'length')
empty list of links | "https://www.w3.org/2022/wot/td/v1.1", links undefined, properties 
a property and a link | "https://www.w3.org/2022/wot/td/v1.1", links [{"href":"https://example.org/manual","rel":"help"}], properties on
list of contexts | ["https://www.w3.org/2022/wot/td/v1.1",{"saref":"https://w3id.org/saref#"},{"@language":"en"}], links undefined, properties 
TEXT
diff expected seen
echo "as described"
