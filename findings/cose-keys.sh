#!/usr/bin/env bash
# Two npm converters between COSE keys, with which devices and security keys sign, and JSON Web Keys: cose-to-jwk 1.1.0 cannot read most kinds of keys
# and writes values that no JWK has, parse-cosekey 1.0.2 loses symmetric keys and changes key identifiers. Beside cose-kit 1.7.1.
#
# Expected (RFC 9053, 7.1 and 7.2; RFC 9052, 7.1) kty 1 (OKP) is for Ed25519 and X25519, 2 (EC2) for elliptic curves, 4 for symmetric keys; y may be
#           the sign bit of the point instead of the coordinate; key_ops is an array of numbers, 1 to sign and 2 to verify. (RFC 7517, 4.3 and 4.5) In
#           a JWK, key_ops is an array of words, and kid a string of any characters. (RFC 7518, 6.2.1 and 6.4.1) x, y and k are base64url without
#           padding; 3.1: alg is ES256. (RFC 8037, 2) kty is OKP for Ed25519.
# Seen:     cose-to-jwk raises TypeError for keys of kty 1 and 4, writes x and y as base64 with + and / and =, alg as ECDSA_w_SHA256 and key_ops as
#           "1,2". parse-cosekey leaves key_ops as numbers and gives no kty for a symmetric key; on the way to COSE, it loses k, decodes a kid such as
#           m1 as base64, and leaves key_ops as words. Both give y: false for a sign bit.
# So:       the key of a device is rejected by the other side, or found under another name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts cose-to-jwk@1.1.0 parse-cosekey@1.0.2 cose-kit@1.7.1 cbor@4.3.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import cbor from 'cbor';
import coseToJwk from 'cose-to-jwk';
import parseCoseKey from 'parse-cosekey';
import { COSEKeyToJWK } from 'cose-kit';
const { KeyParser } = parseCoseKey;
const X = Buffer.from('65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d', 'hex');
const Y = Buffer.from('1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c', 'hex');
const D = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
const text = (key) => JSON.stringify(key instanceof Map ? [...key].map(([label, value]) => [label, value instanceof Uint8Array ? `h'${Buffer.from(value).toString('hex')}'` : value]) : key);
const tried = (convert) => { try { return text(convert()); } catch (error) { return `throws ${error.name}`; } };
const KEYS = {
  'EC2, P-256, sign and verify': new Map([[1, 2], [3, -7], [4, [1, 2]], [-1, 1], [-2, X], [-3, Y]]),
  'EC2, sign bit': new Map([[1, 2], [3, -7], [-1, 1], [-2, X], [-3, false]]),
  'OKP, Ed25519': new Map([[1, 1], [3, -8], [-1, 6], [-2, D]]),
  'OKP, X25519': new Map([[1, 1], [-1, 4], [-2, D]]),
  'symmetric, HMAC 256': new Map([[1, 4], [3, 5], [-1, D]]),
};
for (const [title, key] of Object.entries(KEYS)) {
  console.log(title, '| cose-kit |', tried(() => COSEKeyToJWK(key)));
  console.log(title, '| cose-to-jwk |', tried(() => coseToJwk(cbor.encode(key))));
  console.log(title, '| parse-cosekey |', tried(() => KeyParser.cose2jwk(key)));
}
const WEB = {
  'kid m1, to verify': { kty: 'EC', crv: 'P-256', x: X.toString('base64url'), y: Y.toString('base64url'), kid: 'm1', key_ops: ['verify'] },
  'symmetric, k 0 to 3': { kty: 'oct', k: 'AAECAw' },
};
for (const [title, key] of Object.entries(WEB)) {
  console.log(title, '| parse-cosekey |', tried(() => KeyParser.jwk2cose(key)));
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
EC2, P-256, sign and verify | cose-kit | {"kty":"EC","alg":"ES256","key_ops":["sign","verify"],"crv":"P-256","x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0","y":"HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw"}
EC2, P-256, sign and verify | cose-to-jwk | {"kty":"EC","alg":"ECDSA_w_SHA256","key_ops":"1,2","crv":"P-256","x":"Ze2loSV3wrroKUN/4zhwGhCqo3Xhu1td4QjeQ5wIVR0=","y":"HlLtdXARY/f55A3fnzQbPcm6hgr34Mp8p+nuzQCE0Zw="}
EC2, P-256, sign and verify | parse-cosekey | {"kty":"EC","alg":"ES256","key_ops":[1,2],"crv":"P-256","x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0","y":"HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw"}
EC2, sign bit | cose-kit | throws TypeError
EC2, sign bit | cose-to-jwk | {"kty":"EC","alg":"ECDSA_w_SHA256","crv":"P-256","x":"Ze2loSV3wrroKUN/4zhwGhCqo3Xhu1td4QjeQ5wIVR0=","y":false}
EC2, sign bit | parse-cosekey | {"kty":"EC","alg":"ES256","crv":"P-256","x":"Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0","y":false}
OKP, Ed25519 | cose-kit | {"kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
OKP, Ed25519 | cose-to-jwk | throws TypeError
OKP, Ed25519 | parse-cosekey | {"kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
OKP, X25519 | cose-kit | {"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
OKP, X25519 | cose-to-jwk | throws TypeError
OKP, X25519 | parse-cosekey | {"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
symmetric, HMAC 256 | cose-kit | {"kty":"oct","k":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
symmetric, HMAC 256 | cose-to-jwk | throws TypeError
symmetric, HMAC 256 | parse-cosekey | {"alg":"HMAC 256/256","k":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
kid m1, to verify | parse-cosekey | [[1,2],[-1,1],[-2,"h'65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d'"],[-3,"h'1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c'"],[2,"h'9b'"],[4,["verify"]]]
symmetric, k 0 to 3 | parse-cosekey | [[1,"oct"]]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
