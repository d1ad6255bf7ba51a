#!/usr/bin/env bash
# npm gcode-toolpath 3.0.0 with gcode-interpreter 3.0.0, which senders of G-code use to show and check the paths of milling machines, skips moves if a
# feed rate, a spindle speed or another code stands in front of them, and puts arcs of other planes elsewhere.
#
# Expected (The NIST RS274/NGC Interpreter, version 3, NISTIR 6556): the words of a line may be in any order without a change of meaning (Item Order).
#           A line with axis words and no motion code goes on with the last motion (Modal Groups). Feed, speed, units and distance mode of a line are
#           set before it moves (Order of Execution, table 8). G92 shifts the coordinates of all axes (Coordinate System Offsets), for arcs as for
#           lines.
# Seen:     each word behind a G, M or T word counts as its argument, and a line that begins with F or S has no motion: F200 X20, S1000 M3 X20, M8
#           X20, G90 X20 and G20 X1 do not move, and the next line begins at the old position. G1 G91 X5 goes nowhere, X5 G91 goes to 5 instead of 15.
#           X10 G1 is a rapid move. In planes G18 and G19 the offsets of X, Y and Z are added to the rotated coordinates, so that after G92 X100 an
#           arc begins 141 mm from where the line before it ended.
# So:       the picture, the length and the time of a job are those of another job.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts gcode-toolpath@3.0.0 gcode-interpreter@3.0.0 gcode-parser@2.2.0 >/dev/null 2>&1

cat >try.js <<'JS'
const Toolpath = require('gcode-toolpath');
const point = (at) => [at.x, at.y, at.z].map((value) => Number(value.toFixed(3))).join(' ');
function path(program) {
  const found = [];
  const toolpath = new Toolpath({
    addLine: (modal, from, to) => found.push(`${modal.motion} ${point(from)} to ${point(to)}`),
    addArcCurve: (modal, from, to, centre) => found.push(`${modal.motion} in ${modal.plane} ${point(from)} to ${point(to)} around ${point(centre)}`),
  });
  toolpath.loadFromStringSync(program);
  return found.slice(1).join(', ') || 'nothing';
}
// Each program begins with a move that is right; the last line should end where the third column says. The coordinates of arcs in G18 are Z X Y.
const PROGRAMS = [['X20 F200', 'G1 to 20 0 0'], ['F200 X20', 'G1 to 20 0 0'], ['X20 M3 S1000', 'G1 to 20 0 0'], ['S1000 M3 X20', 'G1 to 20 0 0'], ['X20 M8', 'G1 to 20 0 0'],
  ['M8 X20', 'G1 to 20 0 0'], ['G90 X20', 'G1 to 20 0 0'], ['G90 G1 X20', 'G1 to 20 0 0'], ['G20 X1', 'G1 to 25.4 0 0'], ['G91 G1 X5', 'G1 to 15 0 0'], ['G1 G91 X5', 'G1 to 15 0 0'],
  ['X5 G91', 'G1 to 15 0 0'], ['F200 X20\nY5', 'G1 to 20 5 0'], ['G0 X20\nX30 G1', 'G1 from 20 0 0 to 30 0 0'], ['G18 G2 X20 Z0 I5 K0', 'G2 in G18 0 10 0 to 0 20 0 around 0 15 0'],
  ['G92 X110\nG18 G2 X120 Z0 I5 K0', 'G2 in G18 0 10 0 to 0 20 0 around 0 15 0'], ['G92 X110\nG2 X120 Y0 I5 J0', 'G2 in G17 10 0 0 to 20 0 0 around 15 0 0']];
for (const [lines, right] of PROGRAMS) console.log(`G1 X10, ${lines.replace('\n', ', ')} | expected ${right} | seen ${path(`G1 X10 F100\n${lines}\n`)}`);
JS
node try.js | tee seen
cat >expected <<'TEXT'
G1 X10, X20 F200 | expected G1 to 20 0 0 | seen G1 10 0 0 to 20 0 0
G1 X10, F200 X20 | expected G1 to 20 0 0 | seen nothing
G1 X10, X20 M3 S1000 | expected G1 to 20 0 0 | seen G1 10 0 0 to 20 0 0
G1 X10, S1000 M3 X20 | expected G1 to 20 0 0 | seen nothing
G1 X10, X20 M8 | expected G1 to 20 0 0 | seen G1 10 0 0 to 20 0 0
G1 X10, M8 X20 | expected G1 to 20 0 0 | seen nothing
G1 X10, G90 X20 | expected G1 to 20 0 0 | seen nothing
G1 X10, G90 G1 X20 | expected G1 to 20 0 0 | seen G1 10 0 0 to 20 0 0
G1 X10, G20 X1 | expected G1 to 25.4 0 0 | seen nothing
G1 X10, G91 G1 X5 | expected G1 to 15 0 0 | seen G1 10 0 0 to 15 0 0
G1 X10, G1 G91 X5 | expected G1 to 15 0 0 | seen G1 10 0 0 to 10 0 0
G1 X10, X5 G91 | expected G1 to 15 0 0 | seen G1 10 0 0 to 5 0 0
G1 X10, F200 X20, Y5 | expected G1 to 20 5 0 | seen G1 10 0 0 to 10 5 0
G1 X10, G0 X20, X30 G1 | expected G1 from 20 0 0 to 30 0 0 | seen G0 10 0 0 to 20 0 0, G0 20 0 0 to 30 0 0, G1 30 0 0 to 30 0 0
G1 X10, G18 G2 X20 Z0 I5 K0 | expected G2 in G18 0 10 0 to 0 20 0 around 0 15 0 | seen G2 in G18 0 10 0 to 0 20 0 around 0 15 0
G1 X10, G92 X110, G18 G2 X120 Z0 I5 K0 | expected G2 in G18 0 10 0 to 0 20 0 around 0 15 0 | seen G2 in G18 -100 110 0 to -100 120 0 around -100 115 0
G1 X10, G92 X110, G2 X120 Y0 I5 J0 | expected G2 in G17 10 0 0 to 20 0 0 around 15 0 0 | seen G2 in G17 10 0 0 to 20 0 0 around 15 0 0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
