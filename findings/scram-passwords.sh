#!/usr/bin/env bash
# Libraries for SCRAM, one of the authentication methods of MQTT 5.0, that fail for valid passwords and nonces: npm sasl-scram-sha-1 1.4.0, PyPI
# pyxmpp2-scram 2.0.2 and pg-scram-sha256 1.0.1, beside PyPI scramp 1.5.0.
#
# Expected (RFC 5802): a nonce is printable ASCII but for commas, so it may contain a quote (section 5.1, attribute r; section 7, "printable"). The password
#           is prepared with SASLprep (2.2, Normalize; 3): U+2168 is IX, U+00AA is a, U+00AD is nothing, U+00A0 a space (RFC 4013, sections 2 and 3).
# Seen:     if the nonce of the server has a quote, sasl-scram-sha-1 answers with r=undefined. sasl-scram-sha-1 and pyxmpp2-scram do not prepare the
#           password, so a server that does, such as scramp, rejects their proofs, and pg-scram-sha256 says that the password does not match the verifier.
#           The client of scramp is accepted in all cases, the other two are for a user name with a comma and an equals sign.
# So:       somebody whose keyboard makes another space or an ordinal sign can log in with one client and not with another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sasl-scram-sha-1@1.4.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q pyxmpp2-scram==2.0.2 pg-scram-sha256==1.0.1 scramp==1.5.0

cat >client.js <<'JS'
const Mechanism = require('sasl-scram-sha-1');
const [username, password] = JSON.parse(process.argv[2]);
const lines = require('readline').createInterface({ input: process.stdin });
const mechanism = new Mechanism({ genNonce: () => 'client' });
(async () => {
  console.log(await mechanism.response({ username, password }));
  lines.once('line', async (line) => {
    console.log(await mechanism.challenge(line).response({ username, password }));
    process.exit();
  });
})();
JS
cat >try.py <<'PY'
import json, subprocess
from pg_scram_sha256.__main__ import scram_sha256, verify_scram_sha256
from pyxmpp2_scram.scram import SCRAMClientAuthenticator
from scramp import ScramClient, ScramMechanism

def scramp(name, password):
    client = ScramClient(['SCRAM-SHA-1'], name, password, c_nonce='client')
    challenge = yield client.get_client_first()
    client.set_server_first(challenge)
    yield client.get_client_final()

def pyxmpp2_scram(name, password):
    client = SCRAMClientAuthenticator('SHA-1', False)
    challenge = yield client.start({'username': name, 'password': password, 'nonce_factory': lambda: b'client'}).decode()
    yield client.challenge(challenge.encode()).decode()

def sasl_scram_sha_1(name, password):
    process = subprocess.Popen(['node', 'client.js', json.dumps([name, password])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    challenge = yield process.stdout.readline().rstrip('\n')
    yield process.communicate(challenge + '\n')[0].rstrip('\n')

def log_in(client, name, password, registered, nonce):
    """What a server that has the password as registered says to the client."""
    mechanism = ScramMechanism('SCRAM-SHA-1')
    names = []
    record = mechanism.make_auth_info(registered)
    server = mechanism.make_server(lambda name: names.append(name) or record, s_nonce=nonce)
    steps = client(name, password)
    answer = ''
    try:
        server.set_client_first(next(steps))
        answer = steps.send(server.get_server_first())
        server.set_client_final(answer)
    except Exception as error:
        nonce_lost = ' (r=undefined)' if 'r=undefined' in answer else ''
        return f'rejected: {str(error).split(":")[-1].strip()}'[:60] + nonce_lost
    return f'accepted as {names[0]}'

cases = [
    ('user', 'pencil', 'pencil', 'server'),
    ('user', 'pencil', 'pencil', 'ser"ver'),
    ('user', '\u2168', 'IX', 'server'),
    ('user', '\u00aa', 'a', 'server'),
    ('user', 'I\u00adX', 'IX', 'server'),
    ('user', 'a\u00a0b', 'a b', 'server'),
    ('u,=r', 'pencil', 'pencil', 'server'),
]
for name, password, registered, nonce in cases:
    for client in scramp, pyxmpp2_scram, sasl_scram_sha_1:
        print(f'{ascii(password)}, nonce {nonce} | {client.__name__} as {name} |', log_in(client, name, password, registered, nonce))
salt = bytes(16)
for password, prepared in ('pencil', 'pencil'), ('\u2168', 'IX'), ('a\u00a0b', 'a b'):
    matches = verify_scram_sha256(password, scram_sha256(prepared.encode(), 4096, salt))
    print(f'pg-scram-sha256 | {ascii(password)} matches the verifier of {prepared}: {matches}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
'pencil', nonce server | scramp as user | accepted as user
'pencil', nonce server | pyxmpp2_scram as user | accepted as user
'pencil', nonce server | sasl_scram_sha_1 as user | accepted as user
'pencil', nonce ser"ver | scramp as user | accepted as user
'pencil', nonce ser"ver | pyxmpp2_scram as user | accepted as user
'pencil', nonce ser"ver | sasl_scram_sha_1 as user | rejected: other-error (r=undefined)
'\u2168', nonce server | scramp as user | accepted as user
'\u2168', nonce server | pyxmpp2_scram as user | rejected: invalid-proof
'\u2168', nonce server | sasl_scram_sha_1 as user | rejected: invalid-proof
'\xaa', nonce server | scramp as user | accepted as user
'\xaa', nonce server | pyxmpp2_scram as user | rejected: invalid-proof
'\xaa', nonce server | sasl_scram_sha_1 as user | rejected: invalid-proof
'I\xadX', nonce server | scramp as user | accepted as user
'I\xadX', nonce server | pyxmpp2_scram as user | rejected: invalid-proof
'I\xadX', nonce server | sasl_scram_sha_1 as user | rejected: invalid-proof
'a\xa0b', nonce server | scramp as user | accepted as user
'a\xa0b', nonce server | pyxmpp2_scram as user | rejected: invalid-proof
'a\xa0b', nonce server | sasl_scram_sha_1 as user | rejected: invalid-proof
'pencil', nonce server | scramp as u,=r | accepted as u,=r
'pencil', nonce server | pyxmpp2_scram as u,=r | accepted as u,=r
'pencil', nonce server | sasl_scram_sha_1 as u,=r | accepted as u,=r
pg-scram-sha256 | 'pencil' matches the verifier of pencil: True
pg-scram-sha256 | '\u2168' matches the verifier of IX: False
pg-scram-sha256 | 'a\xa0b' matches the verifier of a b: False
TEXT
diff expected seen
echo "as described"
