#!/usr/bin/env bash
# npm icalendar 0.7.1, with which programs read the calendars of buildings and heating, has other days for many recurrence rules, beside npm rrule
# 2.8.1.
#
# Expected (RFC 5545, 3.3.10, Recurrence Rule): BYMONTH limits a DAILY rule and expands a YEARLY one. Negative days count from the end of a month.
#           BYDAY without a number is each such day of a month. Invalid dates, such as 29 February, are ignored. With an INTERVAL, all days of BYDAY
#           in a week that counts, which begins on Monday, belong to it. (3.3.11) \\ is a backslash. (3.3.6) A duration has either weeks or days.
# Seen:     DAILY;BYMONTH=1 goes on in February; YEARLY;BYMONTH=1,7 has no July. BYMONTHDAY=-1 is 27 February, 1 March, 30 March; BYDAY=-1FR leaves
#           out February, 5MO has the Mondays of the next month, and MONTHLY;BYDAY=MO the first Monday only. A yearly event of 29 February is on 1
#           March. Every second week on Monday and Thursday is on the wrong Mondays. FR;13 has days that are not Fridays or not the 13th. The text
#           C:\\new is C: and a line "ew". Nine days are written as P1W2D.
# So:       the heating of a hall is on at days when nobody is there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts icalendar@0.7.1 rrule@2.8.1 >/dev/null 2>&1

cat >try.js <<'JS'
const icalendar = require('icalendar');
const { RRule } = require('rrule');
const days = (dates) => dates.map((date) => date.toISOString().slice(0, 10)).join(' ');
const RULES = [['FREQ=DAILY', '2026-01-30'], ['FREQ=DAILY;BYMONTH=1', '2026-01-30'], ['FREQ=WEEKLY;BYDAY=MO,TH', '2026-01-01'], ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH', '2026-01-01'],
  ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-01-31'], ['FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31'], ['FREQ=MONTHLY;BYDAY=1MO', '2026-01-05'], ['FREQ=MONTHLY;BYDAY=-1FR', '2026-01-30'],
  ['FREQ=MONTHLY;BYDAY=5MO', '2026-03-30'], ['FREQ=MONTHLY;BYDAY=MO', '2026-01-05'], ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '2026-02-13'], ['FREQ=YEARLY', '2024-02-29'],
  ['FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU', '2026-03-29'], ['FREQ=YEARLY;BYMONTH=1,7', '2026-01-10']];
for (const [rule, start] of RULES) {
  const begin = new Date(`${start}T00:00:00Z`);
  const right = days(new RRule({ ...RRule.parseString(rule), dtstart: begin, count: 5 }).all());
  console.log(`${rule} from ${start} | rrule ${right} | icalendar ${days(new icalendar.RRule(rule, { DTSTART: begin }).nextOccurences(5))}`);
}
const calendar = icalendar.parse_calendar(['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'BEGIN:VEVENT', 'UID:1', 'DTSTAMP:20260101T000000Z', 'DTSTART:20260101T000000Z', 'SUMMARY:C:\\\\new\\, D\\nE',
  'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'));
console.log('SUMMARY:C:\\\\new\\, D\\nE | expected', JSON.stringify('C:\\new, D\nE'), '| icalendar', JSON.stringify(calendar.events()[0].getPropertyValue('SUMMARY')));
const event = new icalendar.VEvent('1');
for (const [seconds, right] of [[604800, 'P1W'], [777600, 'P9D'], [691200 + 3600, 'P8DT1H']]) {
  event.setProperty('DURATION', seconds);
  console.log(`duration of ${seconds} s | expected ${right} | icalendar ${/DURATION:(\S+)/.exec(event.toString())[1]}`);
}
JS
export TZ=UTC
node try.js | tee seen
cat >expected <<'TEXT'
FREQ=DAILY from 2026-01-30 | rrule 2026-01-30 2026-01-31 2026-02-01 2026-02-02 2026-02-03 | icalendar 2026-01-30 2026-01-31 2026-02-01 2026-02-02 2026-02-03
FREQ=DAILY;BYMONTH=1 from 2026-01-30 | rrule 2026-01-30 2026-01-31 2027-01-01 2027-01-02 2027-01-03 | icalendar 2026-01-30 2026-01-31 2026-02-01 2026-02-02 2026-02-03
FREQ=WEEKLY;BYDAY=MO,TH from 2026-01-01 | rrule 2026-01-01 2026-01-05 2026-01-08 2026-01-12 2026-01-15 | icalendar 2026-01-01 2026-01-05 2026-01-08 2026-01-12 2026-01-15
FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH from 2026-01-01 | rrule 2026-01-01 2026-01-12 2026-01-15 2026-01-26 2026-01-29 | icalendar 2026-01-01 2026-01-05 2026-01-08 2026-01-15 2026-01-19
FREQ=MONTHLY;BYMONTHDAY=31 from 2026-01-31 | rrule 2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31 | icalendar 2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31
FREQ=MONTHLY;BYMONTHDAY=-1 from 2026-01-31 | rrule 2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 | icalendar 2026-02-27 2026-03-01 2026-03-30 2026-04-01 2026-04-29
FREQ=MONTHLY;BYDAY=1MO from 2026-01-05 | rrule 2026-01-05 2026-02-02 2026-03-02 2026-04-06 2026-05-04 | icalendar 2026-01-05 2026-02-02 2026-03-02 2026-04-06 2026-05-04
FREQ=MONTHLY;BYDAY=-1FR from 2026-01-30 | rrule 2026-01-30 2026-02-27 2026-03-27 2026-04-24 2026-05-29 | icalendar 2026-01-30 2026-03-27 2026-04-24 2026-05-29 2026-06-26
FREQ=MONTHLY;BYDAY=5MO from 2026-03-30 | rrule 2026-03-30 2026-06-29 2026-08-31 2026-11-30 2027-03-29 | icalendar 2026-03-30 2026-05-04 2026-06-01 2026-06-29 2026-08-03
FREQ=MONTHLY;BYDAY=MO from 2026-01-05 | rrule 2026-01-05 2026-01-12 2026-01-19 2026-01-26 2026-02-02 | icalendar 2026-01-05 2026-02-02 2026-03-02 2026-04-06 2026-05-04
FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13 from 2026-02-13 | rrule 2026-02-13 2026-03-13 2026-11-13 2027-08-13 2028-10-13 | icalendar 2026-02-13 2026-03-13 2026-04-13 2026-04-17 2026-05-13
FREQ=YEARLY from 2024-02-29 | rrule 2024-02-29 2028-02-29 2032-02-29 2036-02-29 2040-02-29 | icalendar 2024-02-29 2025-03-01 2026-03-01 2027-03-01 2028-02-29
FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU from 2026-03-29 | rrule 2026-03-29 2027-03-28 2028-03-26 2029-03-25 2030-03-31 | icalendar 2026-03-29 2027-03-28 2028-03-26 2029-03-25 2030-03-31
FREQ=YEARLY;BYMONTH=1,7 from 2026-01-10 | rrule 2026-01-10 2026-07-10 2027-01-10 2027-07-10 2028-01-10 | icalendar 2026-01-10 2027-01-10 2028-01-10 2029-01-10 2030-01-10
SUMMARY:C:\\new\, D\nE | expected "C:\\new, D\nE" | icalendar "C:\new, D\nE"
duration of 604800 s | expected P1W | icalendar P1W
duration of 777600 s | expected P9D | icalendar P1W2D
duration of 694800 s | expected P8DT1H | icalendar P1W1DT1H
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
