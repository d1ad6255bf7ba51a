#!/usr/bin/env bash
# Four npm readers of syslog, which gateways receive and forward over MQTT, misread valid messages: nsyslog-parser 0.10.1, syslogd 1.1.2,
# simple-syslog-server 1.0.0 and syslog-parse 2.0.0.
#
# Expected: (RFC 5424) the host name may be an IPv6 address (6.2.4), the application name has any printable ASCII (6.2.5), an element of the structured data may be
#           without parameters (6.3.1), in values the characters ", \ and ] are escaped with a backslash (6.3.3), and what follows the structured data is
#           the message (6.4). (RFC 3164) the priority is the facility times eight plus the severity, also below 10 (4.1.1), the time is a month, a day and a
#           time without a year (4.1.2), and text without a tag is a message with a priority (4.1.3 and 5.4, example 2).
# Seen:     nsyslog-parser: with an IPv6 address or an @ in the application name, the rest of the header becomes message, and the names are missing. It keeps
#           the backslashes of values, gives no structured data at an escaped quote with a blank in the value or an element without parameters, and takes
#           brackets in the message, with what follows, out of it. syslogd: the severity as the facility and the reverse, NaN below 8. syslogd and simple-syslog-server: on 29
#           February, messages are of 1 March; without ": ", simple-syslog-server and syslog-parse give no priority. syslog-parse: on the last days of a month, messages
#           of a shorter month are dated a month later.
# So:       a critical message is shown as one of a daemon, and alarms are sorted into the wrong day or month.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts nsyslog-parser@0.10.1 syslogd@1.1.2 simple-syslog-server@1.0.0 syslog-parse@2.0.0 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { createRequire } from 'module';
const require = createRequire(import.meta.url);
process.env.TZ = 'UTC';
const RealDate = Date;
const setClock = (now) => {
  globalThis.Date = class extends RealDate {
    constructor(...values) { super(...(values.length ? values : [now])); }
    static now() { return RealDate.parse(now); }
  };
};
const nsyslog = require('nsyslog-parser');
const { parser: syslogd } = require('syslogd');
const simple = require('simple-syslog-server/src/parser.js');
const { default: syslogParse } = await import('syslog-parse');

const START = '<11>1 2026-11-30T12:00:00Z';
for (const line of [
  `${START} gateway app 12 ID1 [a@1 state="open" door="2"] text`,
  `${START} 2001:db8::1 app 12 ID1 - text`,
  `${START} gateway app@2 12 ID1 - text`,
  `${START} gateway app 12 ID1 [a@1 path="C:\\\\new\\]"] text`,
  `${START} gateway app 12 ID1 [a@1 name="the \\"blue\\" room"] text`,
  `${START} gateway app 12 ID1 [a@1] text`,
  `${START} gateway app 12 ID1 - room [door state="open"] closed`,
]) {
  const { err, host, appName, pid, messageid, structuredData, message } = nsyslog(line);
  console.log(line.slice(START.length + 1), '| nsyslog-parser |', err ? 'error' : JSON.stringify([host, appName, pid, messageid, structuredData, message]));
}
const show = (read) => {
  try {
    const found = read();
    if (!found) return 'nothing';
    const time = found.time ?? found.timestamp;
    return [found.facilityCode ?? found.facility, found.severityCode ?? found.severity, found.tag ?? found.process, time.toISOString().slice(5, 19), found.message ?? found.msg].join(' ');
  } catch (error) {
    return `throws ${error.constructor.name}`;
  }
};
for (const [now, line] of [
  ['2026-11-10T12:00:00Z', '<34>Nov 10 12:00:00 gateway su: failed'],
  ['2026-11-10T12:00:00Z', '<3>Nov 10 12:00:00 gateway kernel: failed'],
  ['2026-11-10T12:00:00Z', '<13>Nov 10 12:00:00 gateway Use the door!'],
  ['2028-02-29T12:00:00Z', '<34>Feb 29 12:00:00 gateway su: failed'],
  ['2027-03-30T12:00:00Z', '<34>Feb 28 12:00:00 gateway su: failed'],
  ['2027-05-31T12:00:00Z', '<34>Apr 30 12:00:00 gateway su: failed'],
]) {
  setClock(now);
  console.log(now.slice(0, 10), line, '| syslogd |', show(() => syslogd(line, {})), '| simple-syslog-server |', show(() => simple(line, {})), '| syslog-parse |', show(() => syslogParse(line)));
}
JS
TZ=UTC node try.mjs | tee seen
cat >expected <<'TEXT'
gateway app 12 ID1 [a@1 state="open" door="2"] text | nsyslog-parser | ["gateway","app","12","ID1",[{"$id":"a@1","state":"open","door":"2"}],"text"]
2001:db8::1 app 12 ID1 - text | nsyslog-parser | ["",null,null,null,[],"2001:db8::1 app 12 ID1 - text"]
gateway app@2 12 ID1 - text | nsyslog-parser | ["gateway",null,null,null,[],"app@2 12 ID1 - text"]
gateway app 12 ID1 [a@1 path="C:\\new\]"] text | nsyslog-parser | ["gateway","app","12","ID1",[{"$id":"a@1","path":"C:\\\\new\\]"}],"text"]
gateway app 12 ID1 [a@1 name="the \"blue\" room"] text | nsyslog-parser | ["gateway","app","12","ID1",[],"[a@1 name=\"the \\\"blue\\\" room\"] text"]
gateway app 12 ID1 [a@1] text | nsyslog-parser | ["gateway","app","12","ID1",[],"[a@1] text"]
gateway app 12 ID1 - room [door state="open"] closed | nsyslog-parser | ["gateway","app","12","ID1",[{"$id":"door","state":"open"}],"room"]
2026-11-10 <34>Nov 10 12:00:00 gateway su: failed | syslogd | 2 4 su 11-10T12:00:00 failed | simple-syslog-server | 4 2 su 11-10T12:00:00 failed | syslog-parse | 4 2 su 11-10T12:00:00 failed
2026-11-10 <3>Nov 10 12:00:00 gateway kernel: failed | syslogd | 1 NaN kernel 11-10T12:00:00 failed | simple-syslog-server | 0 3 kernel 11-10T12:00:00 failed | syslog-parse | 0 3 kernel 11-10T12:00:00 failed
2026-11-10 <13>Nov 10 12:00:00 gateway Use the door! | syslogd | 0 NaN  01-01T00:00:00 13>Nov 10 12:00:00 gateway Use the door! | simple-syslog-server |    11-10T12:00:00 <13>Nov 10 12:00:00 gateway Use the door! | syslog-parse | nothing
2028-02-29 <34>Feb 29 12:00:00 gateway su: failed | syslogd | 2 4 su 03-01T12:00:00 failed | simple-syslog-server | 4 2 su 03-01T12:00:00 failed | syslog-parse | 4 2 su 02-29T12:00:00 failed
2027-03-30 <34>Feb 28 12:00:00 gateway su: failed | syslogd | 2 4 su 02-28T12:00:00 failed | simple-syslog-server | 4 2 su 02-28T12:00:00 failed | syslog-parse | 4 2 su 03-28T12:00:00 failed
2027-05-31 <34>Apr 30 12:00:00 gateway su: failed | syslogd | 2 4 su 04-30T12:00:00 failed | simple-syslog-server | 4 2 su 04-30T12:00:00 failed | syslog-parse | 4 2 su 05-30T12:00:00 failed
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
