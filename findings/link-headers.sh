#!/usr/bin/env bash
# Four readers of Link headers, by which things and gateways point to their descriptions, lose links and parameters: npm linkheader-parser 0.1.2,
# @hugoalh/http-header-link 1.0.3 and @web3-storage/parse-link-header 3.1.0 and PyPI httplink 0.2.0, beside npm http-link-header 1.1.4.
#
# Expected (RFC 8288): names of parameters are without regard to case, and spaces may be around ; and = (3). A value may be in quotes and then have ; and =, and a
#           parameter may have no value (3). One value of rel may be several relations (3.3). The parameter title* has a language and encoded characters
#           (3.4.1; RFC 8187, 3.2), and hreflang may be several times (3.4.1). An address may be empty and then is the context's (RFC 3986, 4.4).
# Seen:     linkheader-parser throws for title* with a language and gives no link for REL. @hugoalh gives title* of all but the last link as "", two relations as one name,
#           one of two hreflang, and throws for an empty address. @web3-storage cuts a title at ; and at an escaped quote, gives a title with = another name, no link
#           with spaces around = or for REL, and one of two links with the same relation. httplink raises for a parameter without a value. http-link-header reads them all.
# So:       the second page of a list is missing, or the description of one thing stands for that of another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts linkheader-parser@0.1.2 @hugoalh/http-header-link@1.0.3 @web3-storage/parse-link-header@3.1.0 \
  http-link-header@1.1.4 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q httplink==0.2.0

cat >headers <<'TEXT'
</a>; rel="next"; title="room"
</a>; REL="next"
</a>; rel = "next"
</a>; rel="next"; title="room; door"
</a>; rel="next"; title="state=open"
</a>; rel="next"; title="the \"blue\" room"
</a>; rel="prev"; title*=UTF-8'de'T%c3%bcr, </b>; rel="next"; title*=UTF-8'de'Tor
</a>; rel="start index"
</a>; rel="item", </b>; rel="item"
</a>; rel="next"; hreflang=en; hreflang=de
</a>; rel="next"; templated
<>; rel="self"
TEXT
cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { readFileSync } from 'fs';
import { HTTPHeaderLink } from '@hugoalh/http-header-link';
import { parseLinkHeader } from '@web3-storage/parse-link-header';
const require = createRequire(import.meta.url);
const LIBRARIES = {
  'http-link-header': (text) => require('http-link-header').parse(text).refs,
  'linkheader-parser': (text) => require('linkheader-parser').parse(text),
  '@hugoalh': (text) => new HTTPHeaderLink(text).entries(),
  '@web3-storage': parseLinkHeader,
};
for (const header of readFileSync('headers', 'utf8').trimEnd().split('\n')) {
  console.log(header);
  for (const [name, read] of Object.entries(LIBRARIES)) {
    try {
      console.log(` ${name} |`, JSON.stringify(read(header)));
    } catch (error) {
      console.log(` ${name} | throws`);
    }
  }
}
JS
cat >try.py <<'PY'
import httplink
for header in open('headers'):
    try:
        links = httplink.parse_link_header(header.rstrip('\n')).links
        print(header.rstrip('\n'), '| httplink |', [(link.target, sorted(link.rel), list(link.attributes)) for link in links])
    except ValueError:
        print(header.rstrip('\n'), '| httplink | raises ValueError')
PY
{ node try.mjs; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
</a>; rel="next"; title="room"
 http-link-header | [{"uri":"/a","rel":"next","title":"room"}]
 linkheader-parser | {"next":{"title":"room","href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","title":"room"}]]
 @web3-storage | {"next":{"rel":"next","title":"room","url":"/a"}}
</a>; REL="next"
 http-link-header | [{"uri":"/a","rel":"next"}]
 linkheader-parser | {}
 @hugoalh | [["/a",{"rel":"next"}]]
 @web3-storage | {}
</a>; rel = "next"
 http-link-header | [{"uri":"/a","rel":"next"}]
 linkheader-parser | {"next":{"href":"/a"}}
 @hugoalh | [["/a",{"rel":"next"}]]
 @web3-storage | {}
</a>; rel="next"; title="room; door"
 http-link-header | [{"uri":"/a","rel":"next","title":"room; door"}]
 linkheader-parser | {"next":{"title":"room; door","href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","title":"room; door"}]]
 @web3-storage | {"next":{"rel":"next","title":"room","url":"/a"}}
</a>; rel="next"; title="state=open"
 http-link-header | [{"uri":"/a","rel":"next","title":"state=open"}]
 linkheader-parser | {"next":{"title":"state=open","href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","title":"state=open"}]]
 @web3-storage | {"next":{"rel":"next","title=\"state":"open","url":"/a"}}
</a>; rel="next"; title="the \"blue\" room"
 http-link-header | [{"uri":"/a","rel":"next","title":"the \"blue\" room"}]
 linkheader-parser | {"next":{"title":"the \"blue\" room","href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","title":"the \"blue\" room"}]]
 @web3-storage | {"next":{"rel":"next","title":"the \\","url":"/a"}}
</a>; rel="prev"; title*=UTF-8'de'T%c3%bcr, </b>; rel="next"; title*=UTF-8'de'Tor
 http-link-header | [{"uri":"/a","rel":"prev","title*":{"language":"de","encoding":null,"value":"Tür"}},{"uri":"/b","rel":"next","title*":{"language":"de","encoding":null,"value":"Tor"}}]
 linkheader-parser | throws
 @hugoalh | [["/a",{"rel":"prev","title*":""}],["/b",{"rel":"next","title*":"UTF-8'de'Tor"}]]
 @web3-storage | {"prev":{"rel":"prev","title*":"UTF-8'de'T%c3%bcr","url":"/a"},"next":{"rel":"next","title*":"UTF-8'de'Tor","url":"/b"}}
</a>; rel="start index"
 http-link-header | [{"uri":"/a","rel":"start"},{"uri":"/a","rel":"index"}]
 linkheader-parser | {"start":{"href":"/a"},"index":{"href":"/a"}}
 @hugoalh | [["/a",{"rel":"start index"}]]
 @web3-storage | {"start":{"rel":"start","url":"/a"},"index":{"rel":"index","url":"/a"}}
</a>; rel="item", </b>; rel="item"
 http-link-header | [{"uri":"/a","rel":"item"},{"uri":"/b","rel":"item"}]
 linkheader-parser | {"item":[{"href":"/a"},{"href":"/b"}]}
 @hugoalh | [["/a",{"rel":"item"}],["/b",{"rel":"item"}]]
 @web3-storage | {"item":{"rel":"item","url":"/b"}}
</a>; rel="next"; hreflang=en; hreflang=de
 http-link-header | [{"uri":"/a","rel":"next","hreflang":["en","de"]}]
 linkheader-parser | {"next":{"hreflang":["en","de"],"href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","hreflang":"de"}]]
 @web3-storage | {"next":{"rel":"next","hreflang":"de","url":"/a"}}
</a>; rel="next"; templated
 http-link-header | [{"uri":"/a","rel":"next","templated":""}]
 linkheader-parser | {"next":{"templated":null,"href":"/a"}}
 @hugoalh | [["/a",{"rel":"next","templated":""}]]
 @web3-storage | {"next":{"rel":"next","url":"/a"}}
<>; rel="self"
 http-link-header | [{"uri":"","rel":"self"}]
 linkheader-parser | {"self":{"href":""}}
 @hugoalh | throws
 @web3-storage | {"self":{"rel":"self","url":""}}
</a>; rel="next"; title="room" | httplink | [('/a', ['next'], [('rel', 'next'), ('title', 'room')])]
</a>; REL="next" | httplink | [('/a', ['next'], [('REL', 'next')])]
</a>; rel = "next" | httplink | [('/a', ['next'], [('rel', 'next')])]
</a>; rel="next"; title="room; door" | httplink | [('/a', ['next'], [('rel', 'next'), ('title', 'room; door')])]
</a>; rel="next"; title="state=open" | httplink | [('/a', ['next'], [('rel', 'next'), ('title', 'state=open')])]
</a>; rel="next"; title="the \"blue\" room" | httplink | [('/a', ['next'], [('rel', 'next'), ('title', 'the "blue" room')])]
</a>; rel="prev"; title*=UTF-8'de'T%c3%bcr, </b>; rel="next"; title*=UTF-8'de'Tor | httplink | [('/a', ['prev'], [('rel', 'prev'), ('title*', "UTF-8'de'T%c3%bcr")]), ('/b', ['next'], [('rel', 'next'), ('title*', "UTF-8'de'Tor")])]
</a>; rel="start index" | httplink | [('/a', ['index', 'start'], [('rel', 'start index')])]
</a>; rel="item", </b>; rel="item" | httplink | [('/a', ['item'], [('rel', 'item')]), ('/b', ['item'], [('rel', 'item')])]
</a>; rel="next"; hreflang=en; hreflang=de | httplink | [('/a', ['next'], [('rel', 'next'), ('hreflang', 'en'), ('hreflang', 'de')])]
</a>; rel="next"; templated | httplink | raises ValueError
<>; rel="self" | httplink | [('', ['self'], [('rel', 'self')])]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
