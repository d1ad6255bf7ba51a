#!/usr/bin/env bash
# PyPI sfvparse 0.1.0, a reader of HTTP structured fields, in which gateways and brokers get caching and priority rules, rejects fields of RFC 8941 and
# leaves bytes encoded, beside PyPI http-sfv 0.9.9.
#
# Expected (RFC 8941): a member of a dictionary without = is true (3.2), also with parameters. Of parameters with the same key, the last one counts, at the
#           place of the first (3.1.2). A byte sequence is the decoded base64 (3.3.5, 4.2.7).
#           (RFC 9218, 4) The field Priority is such a dictionary, for example u=5, i.
# Seen:     sfvparse raises an error for a member without = and for a parameter that is there twice. It gives b'aGVsbG8=' for :aGVsbG8=:,
#           which is b'hello'. http-sfv reads all of it.
# So:       the priority that browsers send cannot be read, and a digest has other octets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q sfvparse==0.1.0 http-sfv==0.9.9

cat >try.py <<'PY'
import http_sfv, sfvparse

def reference(kind, text):
    found = {'item': http_sfv.Item, 'list': http_sfv.List, 'dictionary': http_sfv.Dictionary}[kind]()
    found.parse(text.encode())
    if kind == 'item':
        return found.value, dict(found.params)
    if kind == 'list':
        return [(member.value, dict(member.params)) for member in found]
    return [(key, member.value, dict(member.params)) for key, member in found.items()]

def own(kind, text):
    found = {'item': sfvparse.parse_item, 'list': sfvparse.parse_list, 'dictionary': sfvparse.parse_dict}[kind](text)
    if kind == 'item':
        return found['value'], dict(found.get('params') or {})
    members = found.values() if isinstance(found, dict) else found
    if kind == 'list':
        return [(member['value'], dict(member.get('params') or {})) for member in members]
    return [(member['key'], member['value'], dict(member.get('params') or {})) for member in members]

for kind, text in (('dictionary', 'u=2, max-age=5'), ('dictionary', 'u=5, i'), ('dictionary', 'i;q=1, u=2'), ('item', '5;a=1;b=2'), ('item', '5;a=1;b=2;a=3'),
                   ('item', ':aGVsbG8=:'), ('list', '1, 2')):
    for name, read in (('http-sfv', reference), ('sfvparse', own)):
        try:
            print(f'{kind} {text!r} | {name} |', read(kind, text))
        except ValueError as error:
            print(f'{kind} {text!r} | {name} | raises {type(error).__name__}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
dictionary 'u=2, max-age=5' | http-sfv | [('u', 2, {}), ('max-age', 5, {})]
dictionary 'u=2, max-age=5' | sfvparse | [('u', 2, {}), ('max-age', 5, {})]
dictionary 'u=5, i' | http-sfv | [('u', 5, {}), ('i', True, {})]
dictionary 'u=5, i' | sfvparse | raises ValueError
dictionary 'i;q=1, u=2' | http-sfv | [('i', True, {'q': 1}), ('u', 2, {})]
dictionary 'i;q=1, u=2' | sfvparse | raises ValueError
item '5;a=1;b=2' | http-sfv | (5, {'a': 1, 'b': 2})
item '5;a=1;b=2' | sfvparse | (5, {'a': 1, 'b': 2})
item '5;a=1;b=2;a=3' | http-sfv | (5, {'a': 3, 'b': 2})
item '5;a=1;b=2;a=3' | sfvparse | raises ValueError
item ':aGVsbG8=:' | http-sfv | (b'hello', {})
item ':aGVsbG8=:' | sfvparse | (b'aGVsbG8=', {})
list '1, 2' | http-sfv | [(1, {}), (2, {})]
list '1, 2' | sfvparse | [(1, {}), (2, {})]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
