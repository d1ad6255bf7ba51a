#!/usr/bin/env bash
# npm @echogarden/wave-codec 0.4.0 does not read WAVE files with an odd chunk before the samples.
#
# Expected (IBM and Microsoft, Multimedia Programming Interface and Data Specifications 1.0, chapter 2, "Chunks"): chunks begin at even offsets; behind a chunk
#           with an odd number of octets stands one octet that the length does not count. Programs skip chunks that they do not know.
# Seen:     the package goes on right behind the last octet and does not find the chunks behind it: it throws an error for a file with an iXML or bext chunk of
#           odd length; with one more octet in it, the file is read. What it writes for an odd number of octets has no such octet either.
# So:       whether a recording is read depends on the number of letters of its description.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @echogarden/wave-codec@0.4.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { decodeWaveToFloat32Channels, encodeWaveFromBuffer, SampleFormat } from '@echogarden/wave-codec';
const length = (value) => Buffer.from(Uint32Array.of(value).buffer);
const chunk = (name, data) => Buffer.concat([Buffer.from(name), length(data.length), data, Buffer.alloc(data.length % 2)]);
const file = (...chunks) => chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));
const format = chunk('fmt ', Buffer.from('01000100401f0000803e000002001000', 'hex'));
const samples = chunk('data', Buffer.from(Int16Array.of(8192, -8192).buffer));
const description = (note) => chunk('iXML', Buffer.from(`<BWFXML><NOTE>${note}</NOTE></BWFXML>`));
const FILES = {
  'no other chunk': file(format, samples),
  'iXML of 34 octets before the samples': file(format, description('Pump'), samples),
  'iXML of 35 octets before the samples': file(format, description('Pumps'), samples),
  'iXML of 35 octets behind the samples': file(format, samples, description('Pumps')),
  'bext of 602 octets before the format': file(chunk('bext', Buffer.alloc(602)), format, samples),
  'bext of 603 octets before the format': file(chunk('bext', Buffer.alloc(603)), format, samples),
};
for (const [name, data] of Object.entries(FILES)) {
  let seen;
  try { seen = decodeWaveToFloat32Channels(new Uint8Array(data)).audioChannels.map((channel) => channel.join(' ')).join(); } catch (error) { seen = `throws: ${error.message}`; }
  console.log(name, '|', seen);
}
const written = Buffer.from(encodeWaveFromBuffer(new Uint8Array([128, 255, 0]), 8000, 1, 8, SampleFormat.PCM));
console.log('written 3 samples of 8 bits |', written.length, 'octets, length in the header', written.readUInt32LE(4));
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
no other chunk | 0.25 -0.25
iXML of 34 octets before the samples | 0.25 -0.25
iXML of 35 octets before the samples | throws: No data subchunks were found in the wave file
iXML of 35 octets behind the samples | 0.25 -0.25
bext of 602 octets before the format | 0.25 -0.25
bext of 603 octets before the format | throws: No format subchunk was found in the wave file
written 3 samples of 8 bits | 47 octets, length in the header 39
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
