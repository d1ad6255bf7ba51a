#!/usr/bin/env bash
# Five npm clients of HTTP Digest, which cameras, meters and switches ask for, answer valid challenges wrong: @mhoc/axios-digest-auth 0.8.0,
# digest-fetch 3.1.1, digest-header 1.1.0, www-authenticate 0.6.3 and @mreal/digest-auth 1.1.3.
#
# Expected (RFC 7616): the realm, the nonce and opaque are returned unchanged, uri is the target of the request with its query, qop is one of the
#           offered values, algorithm is that of the challenge; qop, nc and algorithm have no quotes (3.4). A password may have a colon (3.4.2).
#           Several challenges are allowed, and a client takes the first one it supports (3.7). (RFC 9110) A value in quotes may have commas and
#           apostrophes (5.6.4). The name of a scheme is case-insensitive (11.1), and other schemes may be offered in the same header (11.6.1).
# Seen:     axios-digest-auth leaves out the query, the "==" at the end of a nonce, and opaque, and quotes qop, nc and algorithm. It and digest-header
#           and @mreal/digest-auth cut a realm at a comma, digest-header also at an apostrophe, and a password at its colon, and answers with
#           auth-int, but no hash of the body, if that is offered first, where www-authenticate raises TypeError. All but digest-fetch, which has an
#           option, answer SHA-256 with MD5, and digest-fetch answers with the scheme Basic if Basic is offered first. Of SHA-256 and MD5,
#           axios-digest-auth, digest-fetch and @mreal/digest-auth take the nonce of SHA-256 and answer with MD5. www-authenticate quotes the
#           algorithm, and it and @mreal/digest-auth raise an error for digest in lower case.
# So:       the camera "hall, left" cannot be read, nor any snapshot with ?channel=1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @mhoc/axios-digest-auth@0.8.0 digest-fetch@3.1.1 digest-header@1.1.0 www-authenticate@0.6.3 @mreal/digest-auth@1.1.3 >/dev/null 2>&1

cat >try.js <<'JS'
const crypto = require('crypto');
const http = require('http');
const AxiosDigestAuth = require('@mhoc/axios-digest-auth').default;
const digestHeader = require('digest-header');
const wwwAuthenticate = require('www-authenticate');
const { ClientDigestAuth } = require('@mreal/digest-auth');
const NONCE = 'dGhlIG5vbmNlIG9mIGEgY2FtZXJhIQ==';
const BASE = { path: '/a', password: 'secret', realm: 'camera', nonce: '5ccc069c403ebaf9f0171e9517f40e41', challenge: 'qop="auth"' };
const CASES = {
  'the plain case': {}, 'a query': { path: '/a?channel=1' }, 'a nonce in base64': { nonce: NONCE }, 'an opaque': { challenge: 'qop="auth", opaque="f0f1"' }, 'qop="auth,auth-int"': { challenge: 'qop="auth,auth-int"' },
  'qop="auth-int,auth"': { challenge: 'qop="auth-int,auth"' }, 'a realm with a comma': { realm: 'camera, hall' }, 'a realm with an apostrophe': { realm: "Bob's camera" }, 'a password with a colon': { password: 'sec:ret' },
  'algorithm=SHA-256': { challenge: 'qop="auth", algorithm=SHA-256' }, 'algorithm=MD5': { challenge: 'qop="auth", algorithm=MD5' }, 'Basic offered as well, before': { before: 'Basic realm="camera", ' }, 'SHA-256 before MD5': { before: 'Digest realm="camera", nonce="0a0b", qop="auth", algorithm=SHA-256, ', challenge: 'qop="auth", algorithm=MD5' },
  'the scheme in lower case': { scheme: 'digest' },
};
const hash = (algorithm, text) => crypto.createHash(algorithm).update(text).digest('hex');
const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;
// what is wrong with an Authorization header (RFC 7616, 3.4)
const check = (test, header, method, target) => {
  if (!/^digest /i.test(header)) return [`scheme ${header.split(' ')[0]}`];
  const [found, raw] = [{}, {}];
  for (const [, name, value] of header.slice(7).matchAll(/([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]*)/g)) {
    raw[name] = value;
    found[name] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  }
  const algorithm = /algorithm=([\w-]+)/.exec(test.challenge)?.[1];
  const wrong = [];
  if (found.realm !== test.realm && !(test.before && found.nonce === '0a0b')) wrong.push(`realm ${raw.realm}`);
  if (found.nonce !== test.nonce && !(test.before && found.nonce === '0a0b')) wrong.push(`nonce ${raw.nonce}`);
  if (found.uri !== target) wrong.push(`uri ${raw.uri}`);
  if (/opaque/.test(test.challenge) && found.opaque !== 'f0f1') wrong.push('no opaque');
  if (found.qop !== 'auth') wrong.push(`qop ${raw.qop}`);
  const wanted = found.nonce === '0a0b' ? 'SHA-256' : algorithm ?? 'MD5';
  if ((found.algorithm ?? 'MD5') !== wanted) wrong.push(`algorithm ${raw.algorithm ?? 'missing'}, not ${wanted}`);
  const type = wanted === 'SHA-256' ? 'sha256' : 'md5';
  const right = hash(type, `${hash(type, `admin:${test.realm}:${test.password}`)}:${found.nonce}:${found.nc}:${found.cnonce}:auth:${hash(type, `${method}:${target}`)}`);
  if (found.response !== right) wrong.push('response');
  for (const name of ['qop', 'nc', 'algorithm']) if (raw[name]?.startsWith('"')) wrong.push(`${name} in quotes`);
  return wrong;
};
let test;
let result;
const server = http.createServer((request, response) => {
  if (!request.headers.authorization) {
    response.writeHead(401, { 'WWW-Authenticate': `${test.before ?? ''}${test.scheme ?? 'Digest'} realm=${quoted(test.realm)}, nonce="${test.nonce}", ${test.challenge}` });
    return response.end();
  }
  result = check(test, request.headers.authorization, request.method, request.url);
  response.writeHead(200);
  response.end();
});
const challengeOf = async (url) => (await fetch(url)).headers.get('www-authenticate');
const withHeader = async (url, authorization) => { result = null; if (authorization) await fetch(url, { headers: { authorization } }); };
(async () => {
  const { default: DigestClient } = await import('digest-fetch');
  const CLIENTS = {
    'axios-digest-auth': (url) => new AxiosDigestAuth({ username: 'admin', password: test.password }).request({ url, method: 'GET' }),
    'digest-fetch': (url) => new DigestClient('admin', test.password).fetch(url),
    'digest-header': async (url) => withHeader(url, digestHeader('GET', test.path, await challengeOf(url), `admin:${test.password}`)),
    'www-authenticate': async (url) => { const one = wwwAuthenticate('admin', test.password)(await challengeOf(url)); if (one.err) throw new Error(one.err); await withHeader(url, one.authorize('GET', test.path)); },
    '@mreal/digest-auth': async (url) => withHeader(url, ClientDigestAuth.generateProtectionAuth(ClientDigestAuth.analyze(await challengeOf(url)), 'admin', test.password, { method: 'GET', uri: test.path, counter: 1 }).raw),
  };
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  for (const [name, changes] of Object.entries(CASES)) {
    test = { ...BASE, ...changes };
    console.log(`${name} | ${test.before ?? ''}${test.scheme ?? 'Digest'} realm=${quoted(test.realm)}, nonce="${test.nonce}", ${test.challenge}`);
    for (const [library, run] of Object.entries(CLIENTS)) {
      if (name === 'algorithm=SHA-256' && library === 'digest-fetch' || /^Basic/.test(name) && library === 'www-authenticate') continue; // it has an option for it, it may choose Basic
      result = null;
      let error = '';
      try { await run(`http://127.0.0.1:${server.address().port}${test.path}`); } catch (problem) { error = problem.name; }
      console.log(`   ${library} | ${result ? result.length ? `wrong: ${result.join(', ')}` : 'right' : error ? `raises ${error}` : 'no Authorization'}`);
    }
  }
  process.exit(0);
})();
JS
node --no-deprecation try.js | tee seen
cat >expected <<'TEXT'
the plain case | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | right
   @mreal/digest-auth | right
a query | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: uri "/a", response, qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | right
   @mreal/digest-auth | right
a nonce in base64 | Digest realm="camera", nonce="dGhlIG5vbmNlIG9mIGEgY2FtZXJhIQ==", qop="auth"
   axios-digest-auth | wrong: nonce "dGhlIG5vbmNlIG9mIGEgY2FtZXJhIQ", qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | right
   @mreal/digest-auth | right
an opaque | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth", opaque="f0f1"
   axios-digest-auth | wrong: no opaque, qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | right
   @mreal/digest-auth | right
qop="auth,auth-int" | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth,auth-int"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | right
   @mreal/digest-auth | right
qop="auth-int,auth" | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth-int,auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | wrong: qop auth-int, response
   www-authenticate | raises TypeError
   @mreal/digest-auth | right
a realm with a comma | Digest realm="camera, hall", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: realm "camera", response, qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | wrong: realm "camera", response
   www-authenticate | right
   @mreal/digest-auth | wrong: realm "camera", response
a realm with an apostrophe | Digest realm="Bob's camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | wrong: realm "Bob", response
   www-authenticate | right
   @mreal/digest-auth | right
a password with a colon | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | wrong: response
   www-authenticate | right
   @mreal/digest-auth | right
algorithm=SHA-256 | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth", algorithm=SHA-256
   axios-digest-auth | wrong: algorithm "MD5", not SHA-256, response, qop in quotes, nc in quotes, algorithm in quotes
   digest-header | wrong: algorithm missing, not SHA-256, response
   www-authenticate | wrong: response, algorithm in quotes
   @mreal/digest-auth | wrong: response
algorithm=MD5 | Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth", algorithm=MD5
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | wrong: algorithm in quotes
   @mreal/digest-auth | right
Basic offered as well, before | Basic realm="camera", Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | wrong: scheme Basic
   digest-header | right
   @mreal/digest-auth | right
SHA-256 before MD5 | Digest realm="camera", nonce="0a0b", qop="auth", algorithm=SHA-256, Digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth", algorithm=MD5
   axios-digest-auth | wrong: algorithm "MD5", not SHA-256, response, qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | wrong: algorithm MD5, not SHA-256, response
   digest-header | right
   www-authenticate | wrong: algorithm in quotes
   @mreal/digest-auth | wrong: response
the scheme in lower case | digest realm="camera", nonce="5ccc069c403ebaf9f0171e9517f40e41", qop="auth"
   axios-digest-auth | wrong: qop in quotes, nc in quotes, algorithm in quotes
   digest-fetch | right
   digest-header | right
   www-authenticate | raises TypeError
   @mreal/digest-auth | raises Error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
