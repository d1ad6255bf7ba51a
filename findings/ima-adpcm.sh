#!/usr/bin/env bash
# npm imaadpcm 5.0.0, which converts sounds of intercoms and sensors to and from IMA ADPCM, returns silence for the last block, one sample too many for the
# others, and loses two samples of each block that it writes.
#
# Expected (Microsoft, New Multimedia Data Types and Data Techniques, revision 3.0, IMA ADPCM Wave Type): a block begins with its first sample, as 16 bits in two's
#           complement, the step index and a reserved octet; each further octet has two samples. So a block of 256 octets has 505 samples.
# Seen:     the first sample is returned twice, so that a block has 506 samples. decode returns only zeros for one block, and zeros for the last of several.
#           -32768 as the first sample is continued at 32767. encodeBlock skips the second and third sample and writes 255 octets, so that all others
#           are two samples early; encode leaves the last block, up to 505 samples, empty, and its output has no whole number of blocks.
# So:       a short alarm sound comes out as silence.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts imaadpcm@5.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { encode, decode, encodeBlock, decodeBlock } = require('imaadpcm');
const INDEXES = [-1, -1, -1, -1, 2, 4, 6, 8];
const STEPS = [7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279,
  307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358,
  5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767];
const clamp = (value, least, most) => Math.max(least, Math.min(most, value));
// A decoder after the specification.
function reference(block) {
  let sample = block.readInt16LE(0);
  let index = block[2];
  const samples = [sample];
  for (const octet of block.subarray(4)) {
    for (const code of [octet & 15, octet >> 4]) {
      const step = STEPS[index];
      const difference = (step >> 3) + (code & 4 ? step : 0) + (code & 2 ? step >> 1 : 0) + (code & 1 ? step >> 2 : 0);
      sample = clamp(code & 8 ? sample - difference : sample + difference, -32768, 32767);
      index = clamp(index + INDEXES[code & 7], 0, 88);
      samples.push(sample);
    }
  }
  return samples;
}
function block(first) {
  const octets = Buffer.from(Array.from({ length: 256 }, (_, at) => (at * 37) & 255));
  octets.writeInt16LE(first, 0);
  octets.writeUInt16LE(20, 2);
  return octets;
}
for (const first of [1000, -32768]) {
  const right = reference(block(first));
  const found = decodeBlock([...block(first)]);
  console.log('block from', first, '| specification |', right.length, 'samples:', right.slice(0, 6).join(' '), '| decodeBlock |', found.length, 'samples:', found.slice(0, 6).join(' '));
}
for (const count of [1, 2, 3]) {
  const samples = decode(new Uint8Array(Buffer.concat(Array(count).fill(block(1000)))));
  console.log(count, 'blocks | specification |', count * 505, 'samples | decode |', samples.length, 'samples, the last that is not 0 is', samples.findLastIndex((sample) => sample !== 0));
}
const tone = Int16Array.from({ length: 2020 }, (_, at) => Math.round(8000 * Math.sin(at / 20)));
const written = encodeBlock([...tone.subarray(0, 505)]);
const heard = reference(Buffer.from(written));
const errors = [0, 1, 2, 3].map((shift) => heard.slice(100, 400).reduce((sum, sample, at) => sum + Math.abs(sample - tone[100 + at + shift]), 0));
console.log('encodeBlock |', written.length, 'octets, closest to the tone if', errors.indexOf(Math.min(...errors)), 'samples are skipped');
const four = encode(tone);
console.log('encode of four times 505 samples | specification | 1024 octets | encode |', four.length, 'octets, the last that is not 0 is', four.findLastIndex((octet) => octet !== 0));
JS
node try.js | tee seen
cat >expected <<'TEXT'
block from 1000 | specification | 505 samples: 1000 1056 1034 1015 972 900 | decodeBlock | 506 samples: 1000 1000 1056 1034 1015 972
block from -32768 | specification | 505 samples: -32768 -32712 -32734 -32753 -32768 -32768 | decodeBlock | 506 samples: 32768 32768 32767 32745 32726 32683
1 blocks | specification | 505 samples | decode | 512 samples, the last that is not 0 is -1
2 blocks | specification | 1010 samples | decode | 1024 samples, the last that is not 0 is 505
3 blocks | specification | 1515 samples | decode | 1536 samples, the last that is not 0 is 1011
encodeBlock | 255 octets, closest to the tone if 2 samples are skipped
encode of four times 505 samples | specification | 1024 octets | encode | 1534 octets, the last that is not 0 is 766
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
