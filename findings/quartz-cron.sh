#!/usr/bin/env bash
# Two libraries that foretell the runs of Quartz cron expressions, with which gateways and building controls are scheduled: npm quartzcron 0.1.2 runs
# on days of the next month or never, PyPI cron-schedule-triggers 0.0.11 on other days and at other hours.
#
# Expected (Quartz Scheduler 2.3, API documentation of CronExpression): W is the weekday that is nearest to the given day, in the same month. L is the
#           last day of the month, L-3 the third-to-last, and in the day-of-week field L is 7 or SAT. A range may have the larger number first: 22-2,
#           NOV-FEB. "/" gives increments in the range of the field: 2/2 in the day-of-week field is 2,4,6. "," lists values and ranges; names may be
#           in lower case.
# Seen:     quartzcron: 31W runs on 1 May, too, 30W on 3 March; 2/2 as day of the week is every other day from the first Monday on, Sundays among
#           them; 22-2, NOV-FEB, 1-3,10, */10 as day and mon never run; L as day of the week, 0-5,10-12 and jan throw. cron-schedule-triggers takes
#           15W for the 15th weekday (21 January), L as day of the week for the last day of the month, over and over, 31 and 29 February for 31
#           January and 29 January over and over; a list or range of minutes with an hour runs at other hours or loses all minutes but the first; L-3,
#           22-2, NOV-FEB, FRI-MON, 2/2, */20 and 0-5,10-12 raise errors. Its first run is often at the start date, not at a date of the rule.
# So:       a meter reading planned for the working day nearest to the 15th is foretold for the 21st.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts quartzcron@0.1.2 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check cron-schedule-triggers==0.0.11 >/dev/null 2>&1

cat >cases <<'TEXT'
0 0 12 31W * ?|no run on 03-03 or 05-01
0 0 12 30W * ?|no run on 03-03
0 0 12 15W * ?|01-15 12:00, 02-14 12:00, 03-14 12:00
0 0 12 L-3 * ?|01-28 12:00, 02-25 12:00, 03-28 12:00
0 0 12 31 * ?|01-31 12:00, 03-31 12:00, 05-31 12:00
0 0 12 ? * L|01-04 12:00, 01-11 12:00, 01-18 12:00
0 0 12 ? * 6L|01-31 12:00, 02-28 12:00, 03-28 12:00
0 0 12 ? * 2/2|01-01 12:00, 01-03 12:00, 01-06 12:00
0 0 12 ? * FRI-MON|01-03 12:00, 01-04 12:00, 01-05 12:00
0 0 22-2 1 * ?|01-01 00:00, 01-01 01:00, 01-01 02:00
0 0 12 1 NOV-FEB ?|01-01 12:00, 02-01 12:00, 11-01 12:00
0 0 8 1-3,10 * ?|01-01 08:00, 01-02 08:00, 01-03 08:00
0 0 8 */10 * ?|01-01 08:00, 01-11 08:00, 01-21 08:00
0 0 8 ? * mon|01-06 08:00, 01-13 08:00, 01-20 08:00
0 0 8 1 jan ?|01-01 08:00, 01-01 08:00, 01-01 08:00
0 0-5,10-12 12 1 * ?|01-01 12:00, 01-01 12:01, 01-01 12:02
0 10-12 8 * * ?|01-01 08:10, 01-01 08:11, 01-01 08:12
0 0,30 8 * * ?|01-01 08:00, 01-01 08:30, 01-02 08:00
0 */20 * * * ?|01-01 00:20, 01-01 00:40, 01-01 01:00
0 0/20 * * * ?|01-01 00:20, 01-01 00:40, 01-01 01:00
TEXT
cat >try.js <<'JS'
const Quartzcron = require('quartzcron');
for (const line of require('fs').readFileSync('cases', 'utf8').trim().split('\n')) {
  const [expression, right] = line.split('|');
  let found;
  try {
    const runs = new Quartzcron(`${expression} *`).next({ date: new Date('2025-01-01T00:00:00Z'), n: 4 }).map((run) => run.toISOString().slice(5, 16).replace('T', ' '));
    found = runs.join(', ') || 'never';
  } catch { found = 'throws an error'; }
  console.log(`quartzcron | ${expression} | expected ${right} | ${found}`);
}
JS
node try.js | tee seen
cat >try.py <<'PY'
from cstriggers.core.trigger import QuartzCron
for line in open('cases').read().splitlines():
    expression, right = line.split('|')
    try:
        found = ', '.join(run[5:16].replace('T', ' ') for run in QuartzCron(expression, '2025-01-01T00:00:00', '2030-01-01T00:00:00').next_triggers(4, isoformat=True)) or 'never'
    except Exception:
        found = 'raises an error'
    print(f'cron-schedule-triggers | {expression} | expected {right} | {found}')
PY
env/bin/python try.py | tee -a seen
cat >expected <<'TEXT'
quartzcron | 0 0 12 31W * ? | expected no run on 03-03 or 05-01 | 01-31 12:00, 03-03 12:00, 03-31 12:00, 05-01 12:00
quartzcron | 0 0 12 30W * ? | expected no run on 03-03 | 01-30 12:00, 03-03 12:00, 03-31 12:00, 04-30 12:00
quartzcron | 0 0 12 15W * ? | expected 01-15 12:00, 02-14 12:00, 03-14 12:00 | 01-15 12:00, 02-14 12:00, 03-14 12:00, 04-15 12:00
quartzcron | 0 0 12 L-3 * ? | expected 01-28 12:00, 02-25 12:00, 03-28 12:00 | 01-28 12:00, 02-25 12:00, 03-28 12:00, 04-27 12:00
quartzcron | 0 0 12 31 * ? | expected 01-31 12:00, 03-31 12:00, 05-31 12:00 | 01-31 12:00, 03-31 12:00, 05-31 12:00, 07-31 12:00
quartzcron | 0 0 12 ? * L | expected 01-04 12:00, 01-11 12:00, 01-18 12:00 | throws an error
quartzcron | 0 0 12 ? * 6L | expected 01-31 12:00, 02-28 12:00, 03-28 12:00 | 01-31 12:00, 02-28 12:00, 03-28 12:00, 04-25 12:00
quartzcron | 0 0 12 ? * 2/2 | expected 01-01 12:00, 01-03 12:00, 01-06 12:00 | 01-06 12:00, 01-08 12:00, 01-10 12:00, 01-12 12:00
quartzcron | 0 0 12 ? * FRI-MON | expected 01-03 12:00, 01-04 12:00, 01-05 12:00 | 01-03 12:00, 01-04 12:00, 01-05 12:00, 01-06 12:00
quartzcron | 0 0 22-2 1 * ? | expected 01-01 00:00, 01-01 01:00, 01-01 02:00 | never
quartzcron | 0 0 12 1 NOV-FEB ? | expected 01-01 12:00, 02-01 12:00, 11-01 12:00 | never
quartzcron | 0 0 8 1-3,10 * ? | expected 01-01 08:00, 01-02 08:00, 01-03 08:00 | never
quartzcron | 0 0 8 */10 * ? | expected 01-01 08:00, 01-11 08:00, 01-21 08:00 | never
quartzcron | 0 0 8 ? * mon | expected 01-06 08:00, 01-13 08:00, 01-20 08:00 | never
quartzcron | 0 0 8 1 jan ? | expected 01-01 08:00, 01-01 08:00, 01-01 08:00 | throws an error
quartzcron | 0 0-5,10-12 12 1 * ? | expected 01-01 12:00, 01-01 12:01, 01-01 12:02 | throws an error
quartzcron | 0 10-12 8 * * ? | expected 01-01 08:10, 01-01 08:11, 01-01 08:12 | 01-01 08:10, 01-01 08:11, 01-01 08:12, 01-02 08:10
quartzcron | 0 0,30 8 * * ? | expected 01-01 08:00, 01-01 08:30, 01-02 08:00 | 01-01 08:00, 01-01 08:30, 01-02 08:00, 01-02 08:30
quartzcron | 0 */20 * * * ? | expected 01-01 00:20, 01-01 00:40, 01-01 01:00 | 01-01 00:20, 01-01 00:40, 01-01 01:00, 01-01 01:20
quartzcron | 0 0/20 * * * ? | expected 01-01 00:20, 01-01 00:40, 01-01 01:00 | 01-01 00:20, 01-01 00:40, 01-01 01:00, 01-01 01:20
cron-schedule-triggers | 0 0 12 31W * ? | expected no run on 03-03 or 05-01 | raises an error
cron-schedule-triggers | 0 0 12 30W * ? | expected no run on 03-03 | raises an error
cron-schedule-triggers | 0 0 12 15W * ? | expected 01-15 12:00, 02-14 12:00, 03-14 12:00 | 01-01 12:00, 01-21 12:00, 02-21 12:00, 03-21 12:00
cron-schedule-triggers | 0 0 12 L-3 * ? | expected 01-28 12:00, 02-25 12:00, 03-28 12:00 | raises an error
cron-schedule-triggers | 0 0 12 31 * ? | expected 01-31 12:00, 03-31 12:00, 05-31 12:00 | 01-31 12:00, 01-31 12:00, 01-31 12:00, 01-31 12:00
cron-schedule-triggers | 0 0 12 ? * L | expected 01-04 12:00, 01-11 12:00, 01-18 12:00 | 01-01 12:00, 01-31 12:00, 01-31 12:00, 01-31 12:00
cron-schedule-triggers | 0 0 12 ? * 6L | expected 01-31 12:00, 02-28 12:00, 03-28 12:00 | 01-01 12:00, 01-31 12:00, 02-28 12:00, 03-28 12:00
cron-schedule-triggers | 0 0 12 ? * 2/2 | expected 01-01 12:00, 01-03 12:00, 01-06 12:00 | raises an error
cron-schedule-triggers | 0 0 12 ? * FRI-MON | expected 01-03 12:00, 01-04 12:00, 01-05 12:00 | raises an error
cron-schedule-triggers | 0 0 22-2 1 * ? | expected 01-01 00:00, 01-01 01:00, 01-01 02:00 | raises an error
cron-schedule-triggers | 0 0 12 1 NOV-FEB ? | expected 01-01 12:00, 02-01 12:00, 11-01 12:00 | raises an error
cron-schedule-triggers | 0 0 8 1-3,10 * ? | expected 01-01 08:00, 01-02 08:00, 01-03 08:00 | raises an error
cron-schedule-triggers | 0 0 8 */10 * ? | expected 01-01 08:00, 01-11 08:00, 01-21 08:00 | raises an error
cron-schedule-triggers | 0 0 8 ? * mon | expected 01-06 08:00, 01-13 08:00, 01-20 08:00 | 01-06 08:00, 01-13 08:00, 01-20 08:00, 01-27 08:00
cron-schedule-triggers | 0 0 8 1 jan ? | expected 01-01 08:00, 01-01 08:00, 01-01 08:00 | 01-01 08:00, 01-01 08:00, 01-01 08:00, 01-01 08:00
cron-schedule-triggers | 0 0-5,10-12 12 1 * ? | expected 01-01 12:00, 01-01 12:01, 01-01 12:02 | raises an error
cron-schedule-triggers | 0 10-12 8 * * ? | expected 01-01 08:10, 01-01 08:11, 01-01 08:12 | 01-01 00:10, 01-01 00:11, 01-01 00:12, 01-01 08:10
cron-schedule-triggers | 0 0,30 8 * * ? | expected 01-01 08:00, 01-01 08:30, 01-02 08:00 | 01-01 08:00, 01-02 08:00, 01-03 08:00, 01-04 08:00
cron-schedule-triggers | 0 */20 * * * ? | expected 01-01 00:20, 01-01 00:40, 01-01 01:00 | raises an error
cron-schedule-triggers | 0 0/20 * * * ? | expected 01-01 00:20, 01-01 00:40, 01-01 01:00 | 01-01 00:20, 01-01 00:40, 01-01 01:00, 01-01 01:20
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
