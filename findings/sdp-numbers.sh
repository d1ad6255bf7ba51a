#!/usr/bin/env bash
# PyPI sdp-transform 1.1.0, a reader and writer of SDP, with which cameras and intercoms announce their streams, takes names, profiles and passwords
# that look like a number for one and writes others: of the H.264 profile 42e028 it makes 4.2e+29. Beside npm sdp-transform 3.0.0, from which it was
# ported.
#
# Expected (RFC 8866, 5.3 and 5.13; RFC 5888, 4): session names, tags and the values of attributes are text. (RFC 6184, 8.1) profile-level-id is six
#           hexadecimal digits, (RFC 3640, 4.1) config is hexadecimal, too. (RFC 8839, 5.4) ice-ufrag and ice-pwd are letters, digits, + and /, from
#           which the credentials of the connectivity checks are formed (RFC 8445, 7.2.2).
# Seen:     whatever Python's int or float read is a number: leading zeros are lost (ice-ufrag 0042 is 42, config 0012 is 12, mid 01 is 1), e is an
#           exponent (ice-ufrag 12E4 is 120000.0, profile-level-id 42e028 is 4.2e+29), and nan, Infinity and inf are numbers, too. write puts these
#           into the new description. The library for JavaScript keeps all of them.
# So:       the connection of a camera fails for some of its random passwords only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts sdp-transform@3.0.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check sdp-transform==1.1.0 >/dev/null 2>&1

cat >camera.sdp <<'TEXT'
v=0
o=- 20518 0 IN IP4 203.0.113.1
s=007
t=0 0
a=group:BUNDLE 01 inf
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 203.0.113.1
a=mid:01
a=ice-ufrag:0042
a=ice-pwd:123456789012345678901E10
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42e028
a=rtpmap:97 H264/90000
a=fmtp:97 packetization-mode=1;profile-level-id=42e01f
m=audio 9 UDP/TLS/RTP/SAVPF 98
a=mid:inf
a=ice-ufrag:12E4
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=rtpmap:98 MPEG4-GENERIC/8000/1
a=fmtp:98 mode=AAC-hbr;config=0012
TEXT
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import transform from 'sdp-transform';
const text = readFileSync('camera.sdp', 'utf8');
const session = transform.parse(text);
console.log('JavaScript | profiles', session.media[0].fmtp.map((one) => transform.parseParams(one.config)['profile-level-id']).join(', '), '| config', transform.parseParams(session.media[1].fmtp[0].config).config);
const written = transform.write(session).split('\r\n');
console.log('JavaScript | lines of the description that are not written again:', text.trim().split('\n').filter((line) => !written.includes(line)).join(', ') || 'none');
JS
node try.mjs | tee seen
cat >try.py <<'PY'
import sdp_transform as transform
text = open('camera.sdp').read()
session = transform.parse(text)
print('Python | profiles', ', '.join(str(transform.parseParams(one['config'])['profile-level-id']) for one in session['media'][0]['fmtp']), '| config', transform.parseParams(session['media'][1]['fmtp'][0]['config'])['config'])
written = transform.write(session).split('\r\n')
print('Python | lines of the description that are not written again:', ', '.join(line for line in text.splitlines() if line not in written))
print('Python | lines written instead:', ', '.join(line for line in written if line and line not in text.splitlines()))
PY
env/bin/python try.py | tee -a seen
cat >expected <<'TEXT'
JavaScript | profiles 42e028, 42e01f | config 0012
JavaScript | lines of the description that are not written again: none
Python | profiles 4.2e+29, 42e01f | config 12
Python | lines of the description that are not written again: s=007, a=mid:01, a=ice-ufrag:0042, a=ice-pwd:123456789012345678901E10, a=ice-ufrag:12E4
Python | lines written instead: s=7, a=ice-ufrag:42, a=ice-pwd:1.2345678901234568e+30, a=mid:1, a=ice-ufrag:120000.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
