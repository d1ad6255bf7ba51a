#!/usr/bin/env bash
# Two npm libraries for JSON Patch, in which device twins and dashboards send changes, apply valid patches wrongly: json-patch 0.7.0 and
# immutable-json-patch 6.0.3, beside jsonpatch 3.1.0.
#
# Expected (RFC 6902): two objects are equal if they have the same members, in any order, so such a test succeeds (4.6). The operation copy adds the value at
#           another place (4.5), and an operation changes the target location only (4.1 to 4.3). The path "" is the whole document (RFC 6901, 5), and
#           adding there replaces it (4.1).
# Seen:     immutable-json-patch throws for a test whose value has its members in another order. json-patch makes the copy and the original one
#           object: a later operation on either changes both. With add and the path "", it puts the value into an array instead of replacing the array.
#           jsonpatch does all of it as the RFC says.
# So:       a patch whose test was written by another serializer is rejected, and a changed copy of a configuration changes the one in use.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts json-patch@0.7.0 immutable-json-patch@6.0.3 jsonpatch@3.1.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { immutableJSONPatch } from 'immutable-json-patch';
const require = createRequire(import.meta.url);
const jsonPatch = require('json-patch');
const { apply_patch: applyPatch } = require('jsonpatch');
const LIBRARIES = { jsonpatch: applyPatch, 'json-patch': jsonPatch.apply, 'immutable-json-patch': immutableJSONPatch };
for (const [title, document, patch] of [
  ['test, same order', { door: { open: true, count: 2 } }, [{ op: 'test', path: '/door', value: { open: true, count: 2 } }, { op: 'add', path: '/ok', value: 1 }]],
  ['test, other order', { door: { open: true, count: 2 } }, [{ op: 'test', path: '/door', value: { count: 2, open: true } }, { op: 'add', path: '/ok', value: 1 }]],
  ['test, other order in an array', { rooms: [{ a: 1, b: 2 }] }, [{ op: 'test', path: '/rooms', value: [{ b: 2, a: 1 }] }, { op: 'add', path: '/ok', value: 1 }]],
  ['change of the copy', { active: { limit: { high: 30 } } }, [{ op: 'copy', from: '/active', path: '/draft' }, { op: 'replace', path: '/draft/limit/high', value: 90 }]],
  ['change of the original', { active: { limit: { high: 30 } } }, [{ op: 'copy', from: '/active', path: '/saved' }, { op: 'remove', path: '/active/limit/high' }]],
  ['add, whole document', [1, 2], [{ op: 'add', path: '', value: { a: 1 } }]],
  ['replace, whole document', [1, 2], [{ op: 'replace', path: '', value: { a: 1 } }]],
]) {
  for (const [name, apply] of Object.entries(LIBRARIES)) {
    try {
      console.log(title, '|', name, '|', JSON.stringify(apply(structuredClone(document), structuredClone(patch))));
    } catch (error) {
      console.log(title, '|', name, '| throws');
    }
  }
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
test, same order | jsonpatch | {"door":{"open":true,"count":2},"ok":1}
test, same order | json-patch | {"door":{"open":true,"count":2},"ok":1}
test, same order | immutable-json-patch | {"door":{"open":true,"count":2},"ok":1}
test, other order | jsonpatch | {"door":{"open":true,"count":2},"ok":1}
test, other order | json-patch | {"door":{"open":true,"count":2},"ok":1}
test, other order | immutable-json-patch | throws
test, other order in an array | jsonpatch | {"rooms":[{"a":1,"b":2}],"ok":1}
test, other order in an array | json-patch | {"rooms":[{"a":1,"b":2}],"ok":1}
test, other order in an array | immutable-json-patch | throws
change of the copy | jsonpatch | {"active":{"limit":{"high":30}},"draft":{"limit":{"high":90}}}
change of the copy | json-patch | {"active":{"limit":{"high":90}},"draft":{"limit":{"high":90}}}
change of the copy | immutable-json-patch | {"active":{"limit":{"high":30}},"draft":{"limit":{"high":90}}}
change of the original | jsonpatch | {"active":{"limit":{}},"saved":{"limit":{"high":30}}}
change of the original | json-patch | {"active":{"limit":{}},"saved":{"limit":{}}}
change of the original | immutable-json-patch | {"active":{"limit":{}},"saved":{"limit":{"high":30}}}
add, whole document | jsonpatch | {"a":1}
add, whole document | json-patch | [{"a":1},1,2]
add, whole document | immutable-json-patch | {"a":1}
replace, whole document | jsonpatch | {"a":1}
replace, whole document | json-patch | {"a":1}
replace, whole document | immutable-json-patch | {"a":1}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
