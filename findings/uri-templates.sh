#!/usr/bin/env bash
# Eight npm libraries for URI templates, in which things and gateways describe the addresses of their properties, encode encoded characters a second time, or
# write an empty list: uri-template-lite 23.4.0, uri-template.js 0.1.2, rfc6570-expand 0.2.0, uritemplate 0.3.4, uri-templates 0.2.0, uri-template 2.0.0,
# @contentgrid/uri-template 0.4.2 and @opendoc/uri-template 1.5.4, beside rfc6570-uri-template 1.1.0.
#
# Expected (RFC 6570): with + and #, a triplet such as %2F in a value is copied, and a % that begins none is encoded (1.5, 3.2.3 and 3.2.4), also in lists and in
#           associative arrays. A name may have triplets, which are copied (2.3). An empty list or associative array is undefined (2.3), so its
#           expression gives nothing (3.2.1). A literal character that is not allowed in a URI is encoded (3.1).
# Seen:     all but rfc6570-uri-template and @opendoc write %252F for %2F in strings, lists and associative arrays. @opendoc copies a % that begins no triplet
#           and encodes the triplets of names. uritemplate and @opendoc write ?none= for an empty list. All but these two copy a literal é, the only
#           mistake of rfc6570-uri-template.
# So:       a topic or path that was encoded once names another resource, and a query for no sensor is one for the sensor without a name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts uri-template-lite@23.4.0 uri-template.js@0.1.2 rfc6570-expand@0.2.0 uritemplate@0.3.4 uri-templates@0.2.0 \
  uri-template@2.0.0 @contentgrid/uri-template@0.4.2 @opendoc/uri-template@1.5.4 rfc6570-uri-template@1.1.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { init } from 'rfc6570-expand';
import { parse } from 'rfc6570-uri-template';
import uriTemplate from 'uri-template';
const require = createRequire(import.meta.url);
const contentgrid = require('@contentgrid/uri-template');
const { UriTemplate } = require('@opendoc/uri-template');
const LIBRARIES = {
  'rfc6570-uri-template': (template, values) => parse(template).expand(values),
  'uri-template-lite': (template, values) => require('uri-template-lite').expand(template, values),
  'uri-template.js': (template, values) => require('uri-template.js').expand(template, values),
  'rfc6570-expand': (template, values) => init(template).expand(values),
  uritemplate: (template, values) => require('uritemplate').parse(template).expand(values),
  'uri-templates': (template, values) => require('uri-templates')(template).fill(values),
  'uri-template': (template, values) => uriTemplate.parse(template).expand(values),
  '@contentgrid': (template, values) => new (contentgrid.default ?? contentgrid)(template).expand(values),
  '@opendoc': (template, values) => new UriTemplate(template).expand(values),
};
const values = { id: 'hall%2Fdoor', list: ['a%2Fb', 'c'], keys: { k: 'a%2Fb' }, share: '%foo', none: [], empty: {}, 'caf%C3%A9': 'x' };
for (const [template, expected] of [
  ['{id}', 'hall%252Fdoor'], ['/{+id}', '/hall%2Fdoor'], ['{#id}', '#hall%2Fdoor'], ['{+list}', 'a%2Fb,c'], ['{+keys}', 'k,a%2Fb'], ['{+share}', '%25foo'],
  ['{?caf%C3%A9}', '?caf%C3%A9=x'], ['/s{?none}', '/s'], ['/s{?empty}', '/s'], ['café/{id}', 'caf%C3%A9/hall%252Fdoor'],
]) {
  const seen = {};
  for (const [name, expand] of Object.entries(LIBRARIES)) {
    let result;
    try {
      result = expand(template, structuredClone(values));
    } catch (error) {
      result = 'throws';
    }
    (seen[result] ??= []).push(name);
  }
  console.log(template, '| expected', expected);
  for (const [result, names] of Object.entries(seen)) {
    console.log(' ', result, '|', names.length === Object.keys(LIBRARIES).length ? 'all' : names.join(', '));
  }
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
{id} | expected hall%252Fdoor
  hall%252Fdoor | all
/{+id} | expected /hall%2Fdoor
  /hall%2Fdoor | rfc6570-uri-template, @opendoc
  /hall%252Fdoor | uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
{#id} | expected #hall%2Fdoor
  #hall%2Fdoor | rfc6570-uri-template, @opendoc
  #hall%252Fdoor | uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
{+list} | expected a%2Fb,c
  a%2Fb,c | rfc6570-uri-template, @opendoc
  a%252Fb,c | uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
{+keys} | expected k,a%2Fb
  k,a%2Fb | rfc6570-uri-template, @opendoc
  k,a%252Fb | uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
{+share} | expected %25foo
  %25foo | rfc6570-uri-template, uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
  %foo | @opendoc
{?caf%C3%A9} | expected ?caf%C3%A9=x
  ?caf%C3%A9=x | rfc6570-uri-template, uri-template-lite, uri-template.js, rfc6570-expand, uritemplate, uri-templates, uri-template, @contentgrid
  ?caf%25C3%25A9=x | @opendoc
/s{?none} | expected /s
  /s | rfc6570-uri-template, uri-template-lite, uri-template.js, rfc6570-expand, uri-templates, uri-template, @contentgrid
  /s?none= | uritemplate, @opendoc
/s{?empty} | expected /s
  /s | rfc6570-uri-template, uri-template-lite, uri-template.js, rfc6570-expand, uri-templates, uri-template, @contentgrid
  /s?empty= | uritemplate, @opendoc
café/{id} | expected caf%C3%A9/hall%252Fdoor
  café/hall%252Fdoor | rfc6570-uri-template, uri-template-lite, uri-template.js, rfc6570-expand, uri-templates, uri-template, @contentgrid
  caf%C3%A9/hall%252Fdoor | uritemplate, @opendoc
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
