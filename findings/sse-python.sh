#!/usr/bin/env bash
# Five clients of Server-Sent Events for Python, with which gateways read what hubs and ntfy send, cut texts, lose their spaces and invent events:
# sseclient 0.0.27, sseclient-py 1.9.0, requests-sse 0.5.3, aiosseclient 0.1.8 and aiohttp-sse-client2 0.3.0.
#
# Expected (WHATWG HTML Standard, Server-sent events, Parsing an event stream, and Interpreting an event stream): lines end with CR LF, LF or CR only.
#           One space behind the colon is removed. Each data field adds its value and LF, and one LF is removed at the end. An event without data is
#           not dispatched; with an empty type it is a message. The last id is that of the next events, too. One BOM at the begin of the stream is
#           removed.
# Seen:     sseclient and aiosseclient end a line at U+2028 and U+0085, which JSON may have: what follows is lost. requests-sse and
#           aiohttp-sse-client2 remove all spaces behind the colon, and all line feeds at the end; sseclient and aiosseclient an empty first line.
#           sseclient gives an empty message for each comment that keeps the connection alive, and, like aiosseclient, for a type without data.
#           sseclient, requests-sse and aiosseclient keep an empty type. The id is missing in the next event in sseclient, sseclient-py and
#           aiosseclient; with a BOM, the first event is lost in all or an empty one; and aiosseclient makes one event of all if lines end with CR.
# So:       YAML that comes this way has lost its structure, and an empty state is set every few seconds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check aiohttp==3.13.2 requests==2.32.5 six==1.17.0 aiohttp-sse-client2==0.3.0 aiosseclient==0.1.8 sseclient-py==1.9.0 requests-sse==0.5.3 >/dev/null 2>&1
env/bin/pip install -q --disable-pip-version-check --no-deps --target other sseclient==0.0.27 >/dev/null 2>&1

cat >try.py <<'PY'
import asyncio
import http.server
import logging
import os
import sys
import threading

logging.disable(logging.CRITICAL)
END = 'data: end\n\n'
CASES = [
    ('data: 20.5\n\n', [('message', '20.5', '')]),
    ('data:  a\ndata:   b\n\n', [('message', ' a\n  b', '')]),
    ('data: a\u2028b\n\n', [('message', 'a\u2028b', '')]),
    ('data: a\u0085b\n\n', [('message', 'a\u0085b', '')]),
    ('data\n\n', [('message', '', '')]),
    ('data: a\ndata:\n\n', [('message', 'a\n', '')]),
    ('data:\ndata: a\n\n', [('message', '\na', '')]),
    ('event: x\n\ndata: 1\n\n', [('message', '1', '')]),
    (': comment\n\ndata: 1\n\n', [('message', '1', '')]),
    ('event:\ndata: 1\n\n', [('message', '1', '')]),
    ('id: 7\ndata: 1\n\ndata: 2\n\n', [('message', '1', '7'), ('message', '2', '7')]),
    ('id: 7\ndata: 1\n\nid\ndata: 2\n\n', [('message', '1', '7'), ('message', '2', '')]),
    ('\ufeffdata: 1\n\n', [('message', '1', '')]),
    ('data: 1\r\rdata: 2\r\r', [('message', '1', ''), ('message', '2', '')]),
    ('data: 1\r\n\r\ndata: 2\n\n', [('message', '1', ''), ('message', '2', '')]),
]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (CASES[int(self.path[1:])][0] + END).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()


def collect(found, event, data, last):
    if data == 'end' or len(found) > 5:
        return True
    found.append(('message' if event is None else event, data, last or ''))
    return False


def with_sseclient(url):
    import sseclient
    found = []
    for event in sseclient.SSEClient(url):
        if collect(found, event.event, event.data, event.id):
            return found


def with_sseclient_py(url):
    import requests
    import sseclient
    found = []
    for event in sseclient.SSEClient(requests.get(url, stream=True)).events():
        if collect(found, event.event, event.data, event.id):
            break
    return found


def with_requests_sse(url):
    from requests_sse import EventSource
    found = []
    with EventSource(url) as source:
        for event in source:
            if collect(found, event.type, event.data, event.last_event_id):
                return found


def with_aiosseclient(url):
    from aiosseclient import aiosseclient

    async def run():
        found = []
        async for event in aiosseclient(url):
            if collect(found, event.event, event.data, event.id):
                break
        return found
    return asyncio.run(run())


def with_aiohttp_sse_client2(url):
    from aiohttp_sse_client2.client import EventSource

    async def run():
        found = []
        async with EventSource(url) as source:
            async for event in source:
                if collect(found, event.type, event.data, event.last_event_id):
                    break
        return found
    return asyncio.run(run())


if sys.argv[1:] == ['other']:
    sys.path.insert(0, 'other')
    CLIENTS = {'sseclient': with_sseclient}
else:
    CLIENTS = {'sseclient-py': with_sseclient_py, 'requests-sse': with_requests_sse, 'aiosseclient': with_aiosseclient, 'aiohttp-sse-client2': with_aiohttp_sse_client2}
for number, (text, right) in enumerate(CASES):
    print(f'{ascii(text)} | expected {ascii(right)}')
    for library, read in CLIENTS.items():
        if text.count('\r') > 2 and library.startswith('aiohttp'):
            continue
        found = read(f'http://127.0.0.1:{server.server_port}/{number}')
        print(f'   {library} | {"as expected" if found == right else ascii(found)}', flush=True)
os._exit(0)
PY
env/bin/python try.py | tee seen
env/bin/python try.py other | tee -a seen
cat >expected <<'TEXT'
'data: 20.5\n\n' | expected [('message', '20.5', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | as expected
   aiohttp-sse-client2 | as expected
'data:  a\ndata:   b\n\n' | expected [('message', ' a\n  b', '')]
   sseclient-py | as expected
   requests-sse | [('message', 'a\nb', '')]
   aiosseclient | as expected
   aiohttp-sse-client2 | [('message', 'a\nb', '')]
'data: a\u2028b\n\n' | expected [('message', 'a\u2028b', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | [('message', 'a', '')]
   aiohttp-sse-client2 | as expected
'data: a\x85b\n\n' | expected [('message', 'a\x85b', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | [('message', 'a', '')]
   aiohttp-sse-client2 | as expected
'data\n\n' | expected [('message', '', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | as expected
   aiohttp-sse-client2 | as expected
'data: a\ndata:\n\n' | expected [('message', 'a\n', '')]
   sseclient-py | as expected
   requests-sse | [('message', 'a', '')]
   aiosseclient | as expected
   aiohttp-sse-client2 | [('message', 'a', '')]
'data:\ndata: a\n\n' | expected [('message', '\na', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | [('message', 'a', '')]
   aiohttp-sse-client2 | as expected
'event: x\n\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | [('x', '', ''), ('message', '1', '')]
   aiohttp-sse-client2 | as expected
': comment\n\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | as expected
   aiohttp-sse-client2 | as expected
'event:\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient-py | as expected
   requests-sse | [('', '1', '')]
   aiosseclient | [('', '1', '')]
   aiohttp-sse-client2 | as expected
'id: 7\ndata: 1\n\ndata: 2\n\n' | expected [('message', '1', '7'), ('message', '2', '7')]
   sseclient-py | [('message', '1', '7'), ('message', '2', '')]
   requests-sse | as expected
   aiosseclient | [('message', '1', '7'), ('message', '2', '')]
   aiohttp-sse-client2 | as expected
'id: 7\ndata: 1\n\nid\ndata: 2\n\n' | expected [('message', '1', '7'), ('message', '2', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | as expected
   aiohttp-sse-client2 | as expected
'\ufeffdata: 1\n\n' | expected [('message', '1', '')]
   sseclient-py | []
   requests-sse | []
   aiosseclient | [('message', '', '')]
   aiohttp-sse-client2 | []
'data: 1\r\rdata: 2\r\r' | expected [('message', '1', ''), ('message', '2', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | [('message', '1\n2\nend', '')]
'data: 1\r\n\r\ndata: 2\n\n' | expected [('message', '1', ''), ('message', '2', '')]
   sseclient-py | as expected
   requests-sse | as expected
   aiosseclient | as expected
   aiohttp-sse-client2 | as expected
'data: 20.5\n\n' | expected [('message', '20.5', '')]
   sseclient | as expected
'data:  a\ndata:   b\n\n' | expected [('message', ' a\n  b', '')]
   sseclient | as expected
'data: a\u2028b\n\n' | expected [('message', 'a\u2028b', '')]
   sseclient | [('message', 'a', '')]
'data: a\x85b\n\n' | expected [('message', 'a\x85b', '')]
   sseclient | [('message', 'a', '')]
'data\n\n' | expected [('message', '', '')]
   sseclient | as expected
'data: a\ndata:\n\n' | expected [('message', 'a\n', '')]
   sseclient | as expected
'data:\ndata: a\n\n' | expected [('message', '\na', '')]
   sseclient | [('message', 'a', '')]
'event: x\n\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient | [('x', '', ''), ('message', '1', '')]
': comment\n\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient | [('message', '', ''), ('message', '1', '')]
'event:\ndata: 1\n\n' | expected [('message', '1', '')]
   sseclient | [('', '1', '')]
'id: 7\ndata: 1\n\ndata: 2\n\n' | expected [('message', '1', '7'), ('message', '2', '7')]
   sseclient | [('message', '1', '7'), ('message', '2', '')]
'id: 7\ndata: 1\n\nid\ndata: 2\n\n' | expected [('message', '1', '7'), ('message', '2', '')]
   sseclient | as expected
'\ufeffdata: 1\n\n' | expected [('message', '1', '')]
   sseclient | [('message', '', '')]
'data: 1\r\rdata: 2\r\r' | expected [('message', '1', ''), ('message', '2', '')]
   sseclient | as expected
'data: 1\r\n\r\ndata: 2\n\n' | expected [('message', '1', ''), ('message', '2', '')]
   sseclient | as expected
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
