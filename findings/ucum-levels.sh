#!/usr/bin/env bash
# npm @atomic-ehr/ucum 0.2.5, which converts units of measurements in UCUM, reads decibels with a reference as other powers of ten: the sound level of
# a road, 94 dB, is 1e41 Pa.
#
# Expected (The Unified Code for Units of Measure, version 2.2, section 22): the scale factor of a special unit, also that of a prefix such as d, is applied to
#           the number before the function is inverted, and to its result the other way. (Section 46, table 20) B[W] is the decadic logarithm of a ratio to
#           1 W, B[V] two times that of a ratio to 1 V, B[SPL] that of a ratio to 2*10^-5 Pa, B[10.nV] to 10 nV. [degR] is 5/9 K. The codes of the
#           second of an angle and of an are are '' and ar, and ar takes prefixes.
# Seen:     dB without a reference and B with one are right, but 30 dB[W] is 1e29 W instead of 1000, 94 dB[SPL] is 1e41 Pa instead of 1, and 0 dB[W] 0.1 W;
#           1000 W are 4 dB[W] instead of 30, and 100 is 30 dB instead of 20. B[SPL] and B[10.nV] ignore the 2 and the 10 of their references. 0 Cel is
#           273.15 [degR] instead of 491.67, 1 K right. '' and dar (a tenth of an are) are called invalid units.
# So:       the received power of a radio, -120 dB[W], is off by 109 decades.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @atomic-ehr/ucum@0.2.5 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { ucum } from '@atomic-ehr/ucum';
const CASES = [[20, 'dB', '1', 100], [100, '1', 'dB', 20], [3, 'B[W]', 'W', 1000], [30, 'dB[W]', 'W', 1000], [0, 'dB[W]', 'W', 1], [-120, 'dB[W]', 'W', 1e-12],
  [1000, 'W', 'B[W]', 3], [1000, 'W', 'dB[W]', 30], [2, 'B[V]', 'V', 10], [20, 'dB[V]', 'V', 10], [9.4, 'B[SPL]', 'Pa', 2e-5 * 10 ** 4.7], [94, 'dB[SPL]', 'Pa', 2e-5 * 10 ** 4.7],
  [2, 'B[10.nV]', 'nV', 100], [7, '[pH]', 'mol/l', 1e-7], [100, 'Cel', '[degF]', 212], [36600, 'mCel', 'Cel', 36.6], [1, 'K', '[degR]', 1.8], [0, 'Cel', '[degR]', 491.67],
  [1, 'har', 'm2', 10000], [1, 'dar', 'm2', 10], [1, "'", 'deg', 1 / 60], [1, "''", 'deg', 1 / 3600]];
for (const [value, from, to, right] of CASES) {
  let seen;
  try { seen = ucum.convert(value, from, to).toPrecision(6); } catch (error) { seen = `throws ${error.constructor.name}`; }
  console.log(value, from, 'in', to, '| UCUM', right.toPrecision(6), '| @atomic-ehr/ucum', seen);
}
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
20 dB in 1 | UCUM 100.000 | @atomic-ehr/ucum 100.000
100 1 in dB | UCUM 20.0000 | @atomic-ehr/ucum 30.0000
3 B[W] in W | UCUM 1000.00 | @atomic-ehr/ucum 1000.00
30 dB[W] in W | UCUM 1000.00 | @atomic-ehr/ucum 1.00000e+29
0 dB[W] in W | UCUM 1.00000 | @atomic-ehr/ucum 0.100000
-120 dB[W] in W | UCUM 1.00000e-12 | @atomic-ehr/ucum 1.00000e-121
1000 W in B[W] | UCUM 3.00000 | @atomic-ehr/ucum 3.00000
1000 W in dB[W] | UCUM 30.0000 | @atomic-ehr/ucum 4.00000
2 B[V] in V | UCUM 10.0000 | @atomic-ehr/ucum 10.0000
20 dB[V] in V | UCUM 10.0000 | @atomic-ehr/ucum 1.00000e+9
9.4 B[SPL] in Pa | UCUM 1.00237 | @atomic-ehr/ucum 0.501187
94 dB[SPL] in Pa | UCUM 1.00237 | @atomic-ehr/ucum 1.00000e+41
2 B[10.nV] in nV | UCUM 100.000 | @atomic-ehr/ucum 10.0000
7 [pH] in mol/l | UCUM 1.00000e-7 | @atomic-ehr/ucum 1.00000e-7
100 Cel in [degF] | UCUM 212.000 | @atomic-ehr/ucum 212.000
36600 mCel in Cel | UCUM 36.6000 | @atomic-ehr/ucum 36.6000
1 K in [degR] | UCUM 1.80000 | @atomic-ehr/ucum 1.80000
0 Cel in [degR] | UCUM 491.670 | @atomic-ehr/ucum 273.150
1 har in m2 | UCUM 10000.0 | @atomic-ehr/ucum 10000.0
1 dar in m2 | UCUM 10.0000 | @atomic-ehr/ucum throws ConversionError
1 ' in deg | UCUM 0.0166667 | @atomic-ehr/ucum 0.0166667
1 '' in deg | UCUM 0.000277778 | @atomic-ehr/ucum throws ConversionError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
