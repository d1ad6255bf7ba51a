#!/usr/bin/env bash
# Three npm readers of Server-Sent Events, with which flows read what hubs and ntfy send: fetch-event-stream 0.1.6 loses spaces and lines,
# @azure/core-sse 2.4.0 gives an event the type of another one, and event-stream-parser 1.0.2 cuts events between CR and LF.
#
# Expected (WHATWG HTML Standard, Server-sent events, Parsing an event stream, and Interpreting an event stream): one space behind the colon is
#           removed. Each data field adds its value and LF, also an empty one, and one LF is removed at the end. A line may end with CR LF. An empty
#           line resets type and data; an event without data is not dispatched. The last id is that of the next events, too.
# Seen:     fetch-event-stream removes all spaces behind the colon, loses empty lines, dispatches a type without data, and leaves out an event with
#           empty data, whose line has no colon. @azure/core-sse loses empty lines and such an event, too, and keeps the type of an event without data
#           for the next one. Both have no id for the event after the one that has it. event-stream-parser, if a chunk ends between CR and LF, takes
#           them for two ends of line and makes two events of one.
# So:       YAML that comes this way has lost its structure, and a state is taken for an alarm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts fetch-event-stream@0.1.6 event-stream-parser@1.0.2 @azure/core-sse@2.4.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { events } from 'fetch-event-stream';
import { parse } from 'event-stream-parser';
import { createSseStream } from '@azure/core-sse';
const ascii = (value) => JSON.stringify(value).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
const END = 'data: end\n\n';
const CASES = [
  ['data: 20.5\n\n', [['message', '20.5', '']]], ['data:  a\ndata:   b\n\n', [['message', ' a\n  b', '']]], ['data:{"a":1}\n\n', [['message', '{"a":1}', '']]],
  ['data: a\u2028b\u00a0\n\n', [['message', 'a\u2028b\u00a0', '']]], ['data\n\n', [['message', '', '']]], ['data:\ndata: a\n\n', [['message', '\na', '']]], ['data: a\ndata\ndata: b\n\n', [['message', 'a\n\nb', '']]], ['data: a\ndata:\n\n', [['message', 'a\n', '']]],
  ['event: x\n\ndata: 1\n\n', [['message', '1', '']]], ['event: x\ndata: 1\n\ndata: 2\n\n', [['x', '1', ''], ['message', '2', '']]], ['event: a:b\ndata: 1\n\n', [['a:b', '1', '']]],
  [': comment\n\ndata: 1\n\n', [['message', '1', '']]], ['data: 1\n: comment\ndata: 2\n\n', [['message', '1\n2', '']]], ['id: 7\ndata: 1\n\ndata: 2\n\n', [['message', '1', '7'], ['message', '2', '7']]],
  ['id: 7\ndata: 1\n\nid\ndata: 2\n\n', [['message', '1', '7'], ['message', '2', '']]],
  ['\ufeffdata: 1\n\n', [['message', '1', '']]], ['data: 1\r\rdata: 2\r\r', [['message', '1', ''], ['message', '2', '']]], ['data: 1\r\n\r\ndata: 2\r\n\r\n', [['message', '1', ''], ['message', '2', '']]],
  ['data: 1\r\ndata: 2\r\n\r\n', [['message', '1\n2', '']]], ['data: 20 \u00b0C\n\n', [['message', '20 \u00b0C', '']]],
];
const body = (text, pieces) => new ReadableStream({
  start(controller) {
    const octets = new TextEncoder().encode(text);
    if (pieces) for (const octet of octets) controller.enqueue(new Uint8Array([octet])); else controller.enqueue(octets);
    controller.close();
  },
});
const LIBRARIES = {
  'fetch-event-stream': async (stream, add) => { for await (const event of events(new Response(stream))) add(event.event, event.data, event.id); },
  'event-stream-parser': async (stream, add) => { for await (const event of await parse(stream)) add(event.type, event.data, event.lastEventId); },
  '@azure/core-sse': async (stream, add) => { for await (const event of createSseStream(stream)) add(event.event, event.data, event.id); },
};
for (const [text, right] of CASES) {
  console.log(`${ascii(text)} | expected ${ascii(right)}`);
  for (const [library, run] of Object.entries(LIBRARIES)) for (const pieces of [false, true]) {
    const found = [];
    await run(body(text + END, pieces), (type, data, id) => { if (data !== 'end') found.push([type || 'message', data ?? null, `${id ?? ''}`]); });
    const same = JSON.stringify(found) === JSON.stringify(right);
    if (!pieces || !same) console.log(`   ${library}${pieces ? ', octet by octet' : ''} | ${same ? 'as expected' : ascii(found)}`);
  }
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
"data: 20.5\n\n" | expected [["message","20.5",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data:  a\ndata:   b\n\n" | expected [["message"," a\n  b",""]]
   fetch-event-stream | [["message","a\nb",""]]
   fetch-event-stream, octet by octet | [["message","a\nb",""]]
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data:{\"a\":1}\n\n" | expected [["message","{\"a\":1}",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data: a\u2028b\u00a0\n\n" | expected [["message","a\u2028b\u00a0",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data\n\n" | expected [["message","",""]]
   fetch-event-stream | []
   fetch-event-stream, octet by octet | []
   event-stream-parser | as expected
   @azure/core-sse | []
   @azure/core-sse, octet by octet | []
"data:\ndata: a\n\n" | expected [["message","\na",""]]
   fetch-event-stream | [["message","a",""]]
   fetch-event-stream, octet by octet | [["message","a",""]]
   event-stream-parser | as expected
   @azure/core-sse | [["message","a",""]]
   @azure/core-sse, octet by octet | [["message","a",""]]
"data: a\ndata\ndata: b\n\n" | expected [["message","a\n\nb",""]]
   fetch-event-stream | [["message","a\nb",""]]
   fetch-event-stream, octet by octet | [["message","a\nb",""]]
   event-stream-parser | as expected
   @azure/core-sse | [["message","a\nb",""]]
   @azure/core-sse, octet by octet | [["message","a\nb",""]]
"data: a\ndata:\n\n" | expected [["message","a\n",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"event: x\n\ndata: 1\n\n" | expected [["message","1",""]]
   fetch-event-stream | [["x",null,""],["message","1",""]]
   fetch-event-stream, octet by octet | [["x",null,""],["message","1",""]]
   event-stream-parser | as expected
   @azure/core-sse | [["x","1",""]]
   @azure/core-sse, octet by octet | [["x","1",""]]
"event: x\ndata: 1\n\ndata: 2\n\n" | expected [["x","1",""],["message","2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"event: a:b\ndata: 1\n\n" | expected [["a:b","1",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
": comment\n\ndata: 1\n\n" | expected [["message","1",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data: 1\n: comment\ndata: 2\n\n" | expected [["message","1\n2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"id: 7\ndata: 1\n\ndata: 2\n\n" | expected [["message","1","7"],["message","2","7"]]
   fetch-event-stream | [["message","1","7"],["message","2",""]]
   fetch-event-stream, octet by octet | [["message","1","7"],["message","2",""]]
   event-stream-parser | as expected
   @azure/core-sse | [["message","1","7"],["message","2",""]]
   @azure/core-sse, octet by octet | [["message","1","7"],["message","2",""]]
"id: 7\ndata: 1\n\nid\ndata: 2\n\n" | expected [["message","1","7"],["message","2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"\ufeffdata: 1\n\n" | expected [["message","1",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data: 1\r\rdata: 2\r\r" | expected [["message","1",""],["message","2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data: 1\r\n\r\ndata: 2\r\n\r\n" | expected [["message","1",""],["message","2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
"data: 1\r\ndata: 2\r\n\r\n" | expected [["message","1\n2",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   event-stream-parser, octet by octet | [["message","1",""],["message","2",""]]
   @azure/core-sse | as expected
"data: 20 \u00b0C\n\n" | expected [["message","20 \u00b0C",""]]
   fetch-event-stream | as expected
   event-stream-parser | as expected
   @azure/core-sse | as expected
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
