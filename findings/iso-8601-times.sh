#!/usr/bin/env bash
# Two libraries for ISO 8601: PyPI isochron 0.1.0 puts the end of a day at its beginning, npm date-duration 2.0.0 drops seconds with a fraction. Beside npm
# @0dep/piso 5.1.2.
#
# Expected (ISO 8601-1:2019/Amd 1:2022, section 4.3.8; ISO 8601:2004, section 4.2.3): 24:00:00 is the end of a calendar day, the same instant as 00:00:00 of the
#           next. (ISO 8601:2004, sections 4.2.2.4 and 4.4.3.2) The smallest unit of a time or a duration may have a decimal fraction, with a comma
#           or a point. (Section 4.4.4.5) Behind the solidus, elements that the start has may be left out. (Section 4.2.2) A leap second is 23:59:60.
# Seen:     isochron returns midnight at the start of the same day for 24:00:00, a day early, also for basic and week dates. It raises an error for fractions of
#           hours and minutes, for durations of 1.5 hours, half a day and 1.5 weeks, and for shortened ends. date-duration reads PT1H1.5S as PT1H, and
#           adds an hour only; PT1.5S alone throws. @0dep/piso has the end of the day, but throws for fractions of hours and minutes, and for a leap second.
# So:       a tariff that is valid until the end of the year ends a day early.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts date-duration@2.0.0 @0dep/piso@5.1.2 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check isochron==0.1.0 >/dev/null 2>&1

cat >try.py <<'PY'
import isochron


def attempt(work, text):
    try:
        return work(text)
    except Exception as error:
        return f'raises {type(error).__name__}'


for text in ('2026-12-31T00:00:00', '2026-12-31T24:00:00', '20261231T2400Z', '2026-W53-4T24:00:00', '2026-12-31T12:30,5', '2026-12-31T12.5Z', '2016-12-31T23:59:60Z'):
    print(text, '| isochron |', attempt(isochron.parse_datetime, text))
for text in ('PT36H', 'PT0.5S', 'PT1.5H', 'PT0,5M', 'P0.5D', 'P1.5W', 'PT1H1.5S'):
    print(text, '| isochron |', attempt(isochron.parse_duration, text))
for text in ('2026-12-31T08:00/2026-12-31T17:00', '2026-12-31T08:00/17:00', '2026-11-30/12-02', '2026-12-31T00:00/2026-12-31T24:00'):
    found = attempt(isochron.parse_interval, text)
    print(text, '| isochron |', found if isinstance(found, str) else f'{found.start} to {found.end}')
PY
env/bin/python try.py | tee seen
cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { getDate } from '@0dep/piso';
const require = createRequire(import.meta.url);
const module_ = require('date-duration');
const DateDuration = module_.default ?? module_;
const attempt = (work) => { try { return work(); } catch (error) { return `throws ${error.constructor.name}`; } };
for (const text of ['2026-12-31T24:00:00Z', '2026-12-31T12:30,5Z', '2026-12-31T12.5Z', '2016-12-31T23:59:60Z']) console.log(text, '| @0dep/piso |', attempt(() => getDate(text).toISOString()));
for (const text of ['PT1H1S', 'PT1H1.5S', 'P1DT12H0.25S', 'PT1.5S', 'PT90M']) {
  console.log(text, '| date-duration |', attempt(() => { const duration = new DateDuration(text); return `${duration} from noon ${duration.addTo(new Date('2026-12-31T12:00:00Z')).toISOString()}`; }));
}
JS
TZ=UTC node try.mjs | tee -a seen
cat >expected <<'TEXT'
2026-12-31T00:00:00 | isochron | 2026-12-31 00:00:00
2026-12-31T24:00:00 | isochron | 2026-12-31 00:00:00
20261231T2400Z | isochron | 2026-12-31 00:00:00+00:00
2026-W53-4T24:00:00 | isochron | 2026-12-31 00:00:00
2026-12-31T12:30,5 | isochron | raises ParseError
2026-12-31T12.5Z | isochron | raises ParseError
2016-12-31T23:59:60Z | isochron | 2016-12-31 23:59:59.999999+00:00
PT36H | isochron | 1 day, 12:00:00
PT0.5S | isochron | 0:00:00.500000
PT1.5H | isochron | raises ParseError
PT0,5M | isochron | raises ParseError
P0.5D | isochron | raises ParseError
P1.5W | isochron | raises ParseError
PT1H1.5S | isochron | 1:00:01.500000
2026-12-31T08:00/2026-12-31T17:00 | isochron | 2026-12-31 08:00:00 to 2026-12-31 17:00:00
2026-12-31T08:00/17:00 | isochron | raises ParseError
2026-11-30/12-02 | isochron | raises ParseError
2026-12-31T00:00/2026-12-31T24:00 | isochron | 2026-12-31 00:00:00 to 2026-12-31 00:00:00
2026-12-31T24:00:00Z | @0dep/piso | 2027-01-01T00:00:00.000Z
2026-12-31T12:30,5Z | @0dep/piso | throws RangeError
2026-12-31T12.5Z | @0dep/piso | throws RangeError
2016-12-31T23:59:60Z | @0dep/piso | throws RangeError
PT1H1S | date-duration | PT1H1S from noon 2026-12-31T13:00:01.000Z
PT1H1.5S | date-duration | PT1H from noon 2026-12-31T13:00:00.000Z
P1DT12H0.25S | date-duration | P1DT12H from noon 2027-01-02T00:00:00.000Z
PT1.5S | date-duration | throws Error
PT90M | date-duration | PT90M from noon 2026-12-31T13:30:00.000Z
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
