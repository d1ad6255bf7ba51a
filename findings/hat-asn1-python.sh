#!/usr/bin/env bash
# PyPI hat-asn1 0.7.1, with which gateways of power plants read and write ASN.1 (BER), loses which alternative of a choice is meant, beside PyPI asn1tools
# 0.169.0.
#
# Expected (X.680, 31.2.7): a tag before an untagged CHOICE is explicit also in a module with IMPLICIT or AUTOMATIC TAGS, since the tag of the alternative
#           says which one it is. (X.690, 8.3.2) The first nine bits of an integer are not all the same. (8.23.8) BMPString has two octets a character.
# Seen:     [1] Reading, where Reading is a choice, is written with the tag 81 alone, and the number 5 is read as the text with the code 5, also in messages
#           of others, which say which it is. -128 is written FF80. The text "ab" as BMPString is 6162, so that others read one other character.
# So:       a gateway reports a text where the device has a number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check hat-asn1==0.7.1 asn1tools==0.169.0 >/dev/null 2>&1

cat >try.py <<'PY'
import asn1tools
from hat import asn1

TEXT = '''Plant DEFINITIONS %s TAGS ::= BEGIN
Reading ::= CHOICE { number [0] INTEGER, label [1] UTF8String }
Record ::= SEQUENCE { id [0] INTEGER, reading [1] Reading }
Loose ::= SEQUENCE { id INTEGER, reading Reading }
Name ::= BMPString
Level ::= INTEGER
END'''

def show(tags, name, value):
    text = TEXT % tags
    repository = asn1.create_repository(text)
    encoder, kind = asn1.ber.BerEncoder(repository), asn1.TypeRef('Plant', name)
    other = asn1tools.compile_string(text, 'ber')

    def read(data):
        try:
            return encoder.decode_value(kind, encoder.decode_entity(memoryview(data))[0])
        except Exception as error:
            return type(error).__name__

    def read_other(data):
        try:
            return other.decode(name, data)
        except Exception as error:
            return type(error).__name__

    expected = bytes(other.encode(name, value))
    written = bytes(encoder.encode_entity(encoder.encode_value(kind, value)))
    print(f'{tags} {name} {value}')
    print(f'  asn1tools writes {expected.hex()}, hat-asn1 reads it as {read(expected)!r}')
    print(f'  hat-asn1 writes {written.hex()}, itself reads it as {read(written)!r}, asn1tools as {read_other(written)!r}')

show('EXPLICIT', 'Record', {'id': 7, 'reading': ('number', 5)})
show('IMPLICIT', 'Record', {'id': 7, 'reading': ('number', 5)})
show('IMPLICIT', 'Record', {'id': 7, 'reading': ('label', 'ab')})
show('IMPLICIT', 'Loose', {'id': 7, 'reading': ('number', 5)})
for value in -127, -128, -129, -32768:
    show('IMPLICIT', 'Level', value)
show('IMPLICIT', 'Name', 'ab')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
EXPLICIT Record {'id': 7, 'reading': ('number', 5)}
  asn1tools writes 300ca003020107a105a003020105, hat-asn1 reads it as {'id': 7, 'reading': ('number', 5)}
  hat-asn1 writes 300ca003020107a105a003020105, itself reads it as {'id': 7, 'reading': ('number', 5)}, asn1tools as {'id': 7, 'reading': ('number', 5)}
IMPLICIT Record {'id': 7, 'reading': ('number', 5)}
  asn1tools writes 3008800107a103800105, hat-asn1 reads it as {'id': 7, 'reading': ('label', '\x05')}
  hat-asn1 writes 3006800107810105, itself reads it as {'id': 7, 'reading': ('label', '\x05')}, asn1tools as 'DecodeTagError'
IMPLICIT Record {'id': 7, 'reading': ('label', 'ab')}
  asn1tools writes 3009800107a10481026162, hat-asn1 reads it as {'id': 7, 'reading': ('label', 'ab')}
  hat-asn1 writes 300780010781026162, itself reads it as {'id': 7, 'reading': ('label', 'ab')}, asn1tools as 'DecodeTagError'
IMPLICIT Loose {'id': 7, 'reading': ('number', 5)}
  asn1tools writes 3006020107800105, hat-asn1 reads it as {'id': 7, 'reading': ('number', 5)}
  hat-asn1 writes 3006020107800105, itself reads it as {'id': 7, 'reading': ('number', 5)}, asn1tools as {'id': 7, 'reading': ('number', 5)}
IMPLICIT Level -127
  asn1tools writes 020181, hat-asn1 reads it as -127
  hat-asn1 writes 020181, itself reads it as -127, asn1tools as -127
IMPLICIT Level -128
  asn1tools writes 020180, hat-asn1 reads it as -128
  hat-asn1 writes 0202ff80, itself reads it as -128, asn1tools as -128
IMPLICIT Level -129
  asn1tools writes 0202ff7f, hat-asn1 reads it as -129
  hat-asn1 writes 0202ff7f, itself reads it as -129, asn1tools as -129
IMPLICIT Level -32768
  asn1tools writes 02028000, hat-asn1 reads it as -32768
  hat-asn1 writes 0203ff8000, itself reads it as -32768, asn1tools as -32768
IMPLICIT Name ab
  asn1tools writes 1e0400610062, hat-asn1 reads it as '\x00a\x00b'
  hat-asn1 writes 1e026162, itself reads it as 'ab', asn1tools as '慢'
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
