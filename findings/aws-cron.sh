#!/usr/bin/env bash
# npm aws-cron-parser 1.1.12, which foretells the runs of rules of Amazon EventBridge, has runs on days that months do not have,
# and none for some valid expressions. Beside PyPI aws-croniter 2.1.1.
#
# Expected (Amazon EventBridge User Guide, "Cron expressions reference"): a rule runs if its fields match: day of month 1 to 31. The comma adds values. L in
#           the day of month or the day of week is the last day of the month or week; W in the day of month the weekday closest to a day of the
#           month. Fields: minutes, hours, day of month, month, day of week, year.
# Seen:     for the 31st, aws-cron-parser returns 1 December, 3 March and 1 May, for the 29 February 1 March of each year that has none; prev stays at that day
#           for ever. 1,15,L is one day only, the last but one of each month. 29W, 30W and 31W throw an error as soon as a month has no
#           such day; so do L in the day of week, LW and ranges across the end of the week, FRI-SUN (which aws-croniter knows). aws-croniter returns
#           None for L in the day of week and raises an error for 1,15,L.
# So:       a page that shows the next irrigation names a day on which none takes place.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts aws-cron-parser@1.1.12 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check aws-croniter==2.1.1 >/dev/null 2>&1

cat >try.js <<'JS'
const module_ = require('aws-cron-parser');
const { parse, next, prev } = module_.default ?? module_;
const walk = (step, expression) => {
  const days = [];
  try {
    const cron = parse(expression);
    for (let day = new Date('2026-11-30T12:30:00Z'); days.length < 5;) {
      day = step(cron, day);
      days.push(day.toISOString().slice(0, 10));
    }
  } catch (error) {
    days.push(`throws ${error.constructor.name}`);
  }
  return days.join(' ');
};
for (const expression of process.argv.slice(2)) {
  console.log(expression, '| aws-cron-parser | next', walk(next, expression), '| prev', walk(prev, expression));
}
JS
cat >try.py <<'PY'
import datetime
import sys
from aws_croniter import AwsCroniter

START = datetime.datetime(2026, 11, 30, 12, 30, tzinfo=datetime.timezone.utc)
for expression in sys.argv[1:]:
    try:
        days = ' '.join(str(day)[:10] for day in AwsCroniter(expression).get_next(START, n=5))
    except Exception as error:
        days = f'raises {type(error).__name__}'
    print(expression, '| aws-croniter | next', days)
PY
expressions=('0 12 15 * ? *' '0 12 31 * ? *' '0 12 29 2 ? *' '0 12 L * ? *' '0 12 1,15 * ? *' '0 12 1,15,L * ? *' '0 12 1W * ? *' '0 12 29W * ? *' '0 12 31W * ? *' '0 12 ? * 7L *'
  '0 12 ? * L *' '0 12 ? * FRI-SUN *')
{
  TZ=UTC node try.js "${expressions[@]}"
  env/bin/python try.py "${expressions[@]}"
} | LC_ALL=C sort -s -t'|' -k1,1 | tee seen
cat >expected <<'TEXT'
0 12 1,15 * ? * | aws-cron-parser | next 2026-12-01 2026-12-15 2027-01-01 2027-01-15 2027-02-01 | prev 2026-11-15 2026-11-01 2026-10-15 2026-10-01 2026-09-15
0 12 1,15 * ? * | aws-croniter | next 2026-12-01 2026-12-15 2027-01-01 2027-01-15 2027-02-01
0 12 1,15,L * ? * | aws-cron-parser | next 2026-12-30 2027-01-30 2027-02-27 2027-03-30 2027-04-29 | prev 2026-11-29 2026-10-30 2026-09-29 2026-08-30 2026-07-30
0 12 1,15,L * ? * | aws-croniter | next raises AwsCroniterExpressionDayOfMonthError
0 12 15 * ? * | aws-cron-parser | next 2026-12-15 2027-01-15 2027-02-15 2027-03-15 2027-04-15 | prev 2026-11-15 2026-10-15 2026-09-15 2026-08-15 2026-07-15
0 12 15 * ? * | aws-croniter | next 2026-12-15 2027-01-15 2027-02-15 2027-03-15 2027-04-15
0 12 1W * ? * | aws-cron-parser | next 2026-12-01 2027-01-01 2027-02-01 2027-03-01 2027-04-01 | prev 2026-11-02 2026-10-01 2026-09-01 2026-08-03 2026-07-01
0 12 1W * ? * | aws-croniter | next 2026-12-01 2027-01-01 2027-02-01 2027-03-01 2027-04-01
0 12 29 2 ? * | aws-cron-parser | next 2027-03-01 2028-02-29 2029-03-01 2030-03-01 2031-03-01 | prev 2026-03-01 2026-03-01 2026-03-01 2026-03-01 2026-03-01
0 12 29 2 ? * | aws-croniter | next 2028-02-29 2032-02-29 2036-02-29 2040-02-29 2044-02-29
0 12 29W * ? * | aws-cron-parser | next 2026-12-29 2027-01-29 throws Error | prev 2026-11-30 2026-10-29 2026-09-29 2026-08-28 2026-07-29
0 12 29W * ? * | aws-croniter | next 2026-12-29 2027-01-29 2027-03-29 2027-04-29 2027-05-28
0 12 31 * ? * | aws-cron-parser | next 2026-12-01 2026-12-31 2027-01-31 2027-03-03 2027-03-31 | prev 2026-10-31 2026-08-31 2026-07-31 2026-05-31 2026-03-31
0 12 31 * ? * | aws-croniter | next 2026-12-31 2027-01-31 2027-03-31 2027-05-31 2027-07-31
0 12 31W * ? * | aws-cron-parser | next 2026-12-31 2027-01-29 throws Error | prev 2026-11-30 2026-10-30 2026-09-30 2026-08-31 2026-07-31
0 12 31W * ? * | aws-croniter | next 2026-12-31 2027-01-29 2027-03-31 2027-05-31 2027-07-30
0 12 ? * 7L * | aws-cron-parser | next 2026-12-26 2027-01-30 2027-02-27 2027-03-27 2027-04-24 | prev 2026-11-28 2026-10-31 2026-09-26 2026-08-29 2026-07-25
0 12 ? * 7L * | aws-croniter | next 2026-12-26 2027-01-30 2027-02-27 2027-03-27 2027-04-24
0 12 ? * FRI-SUN * | aws-cron-parser | next throws Error | prev throws Error
0 12 ? * FRI-SUN * | aws-croniter | next 2026-12-04 2026-12-05 2026-12-06 2026-12-11 2026-12-12
0 12 ? * L * | aws-cron-parser | next throws Error | prev throws Error
0 12 ? * L * | aws-croniter | next None None None None None
0 12 L * ? * | aws-cron-parser | next 2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30 | prev 2026-11-30 2026-10-31 2026-09-30 2026-08-31 2026-07-31
0 12 L * ? * | aws-croniter | next 2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
