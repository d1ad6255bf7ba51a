#!/usr/bin/env bash
# Three libraries that send syslog, as gateways and bridges do, write other times and headers than RFC 5424 and RFC 3164: npm syslog-pro 1.0.0, PyPI syslog-py 0.2.5
# and syslog-rfc5424-formatter 1.2.3.
#
# Expected: (RFC 5424) the time has hours from 00 to 23 and an offset with a colon, or Z for UTC (6.2.3). The message follows the structured data, or a hyphen (6, 6.3).
#           The values of its parameters are in quotes (6.3.3). A UTF-8 message begins with the octets EF BB BF (6.4). (RFC 3164, 4.1.2) A day below 10 has a
#           space in front, and the hour is from 00 to 23. (RFC 6587, 3.4.1) The number in front of a message over TCP counts its octets.
#           (Common Event Format) A pipe in the header is escaped with a backslash, and so is an equals sign in the extension.
# Seen:     syslog-pro writes the hours of a clock with twelve: 15:30 is 03:30 and midnight is 12, in both formats. It writes the three letters BOM before each
#           message, its structured data have no quotes, and CEF no escaping. syslog-py writes no structured data and no hyphen. It reads the clock twice for the
#           offset: if a microsecond passes in between, UTC is +2300 and +02:00 is +0100. West of Greenwich -02:00 is +2200, minutes are lost, and there is never
#           a colon. Its day is 05, and the number in front counts characters, and removed ones too, so it is wrong after an umlaut.
#           syslog-rfc5424-formatter writes summer time as UTC if the zone has no offset in winter: London and Lisbon are an hour late.
# So:       the alarms of the afternoon are sorted into the night, and after one umlaut a receiver finds no message any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q syslog-py==0.2.5 syslog-rfc5424-formatter==1.2.3
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts syslog-pro@1.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { CEF, RFC3164, RFC5424 } = require('syslog-pro');
const RealDate = Date;
(async () => {
  for (const now of ['2026-07-05T00:30:00Z', '2026-07-05T09:30:00Z', '2026-07-05T15:30:00Z']) {
    globalThis.Date = class extends RealDate {
      constructor(...values) { super(...(values.length ? values : [now])); }
      static now() { return RealDate.parse(now); }
    };
    const options = { hostname: 'gateway', applacationName: 'app', applicationName: 'app' };
    const messages = [await new RFC5424(options).buildMessage('door open', { pid: 12, msgId: 'ID1' }),
      await new RFC5424({ ...options, encludeStructuredData: true, utf8BOM: false }).buildMessage('door open', { pid: 12, msgId: 'ID1' }),
      await new RFC3164(options).buildMessage('door open', {})];
    for (const message of messages) {
      console.log(`${now} | syslog-pro | ${JSON.stringify(message)}`);
    }
  }
  const event = new CEF({ deviceVendor: 'a|b', deviceProduct: 'gateway', deviceVersion: '1', deviceEventClassId: '7', name: 'door', severity: 5, extensions: { msg: 'limit=30' } });
  console.log('CEF | syslog-pro |', JSON.stringify(await event.buildMessage()));
})();
JS
cat >try.py <<'PY'
import logging, os, time
from datetime import datetime, timedelta, timezone
import pysyslogclient
from syslog_rfc5424_formatter import RFC5424Formatter

class Collector:
    def sendall(self, octets):
        self.octets = octets

def with_syslog_py(client, message, **options):
    sender = client('localhost', 514, proto='tcp')
    sender.socket = Collector()
    sender.log(message, timestamp=datetime(2026, 7, 5, 15, 30), hostname='gateway', program='app', **options)
    octets = sender.socket.octets
    return f'{octets.decode()!r} has {len(octets.split(b" ", 1)[1])} octets'

class Clock(datetime):
    """The time of day in a zone, and in UTC a moment later."""
    @classmethod
    def now(cls):
        return cls(2026, 7, 5, 15, 30) + cls.offset

    @classmethod
    def utcnow(cls):
        return cls(2026, 7, 5, 15, 30) + cls.between

for hours in 0, -2, 2, 5.5:
    for microseconds in 0, 1:
        Clock.offset, Clock.between = timedelta(hours=hours), timedelta(microseconds=microseconds)
        pysyslogclient.datetime = Clock
        line = with_syslog_py(pysyslogclient.SyslogClientRFC5424, 'door open')
        print(f'zone {hours:+} h, {microseconds} microseconds between the readings | syslog-py | {line}')
pysyslogclient.datetime = datetime
for client in pysyslogclient.SyslogClientRFC5424, pysyslogclient.SyslogClientRFC3164:
    print(client.__name__, '| syslog-py |', with_syslog_py(client, 'T\u00fcr offen', is_utc=True))
for zone in 'UTC', 'Europe/London', 'Europe/Lisbon':
    os.environ['TZ'] = zone
    time.tzset()
    for month in 1, 7:
        record = logging.LogRecord('app', logging.INFO, '', 1, 'door open', None, None)
        record.created = datetime(2026, month, 5, 15, 30, tzinfo=timezone.utc).timestamp()
        record.args = {}
        print(f'2026-{month:02}-05T15:30:00Z in {zone} | syslog-rfc5424-formatter |', RFC5424Formatter(procid='12').format(record).split()[1])
PY
TZ=UTC node try.js | tee seen
env/bin/python try.py | tee -a seen
cat >expected <<'TEXT'
2026-07-05T00:30:00Z | syslog-pro | "<190>1 2026-07-05T12:30:00+00:00 gateway app 12 - - BOMdoor open\n"
2026-07-05T00:30:00Z | syslog-pro | "<190>1 2026-07-05T12:30:00+00:00 gateway app 12 - [timeQuality tzKnown=1] door open\n"
2026-07-05T00:30:00Z | syslog-pro | "<190>Jul  5 12:30:00 gateway app door open\n"
2026-07-05T09:30:00Z | syslog-pro | "<190>1 2026-07-05T09:30:00+00:00 gateway app 12 - - BOMdoor open\n"
2026-07-05T09:30:00Z | syslog-pro | "<190>1 2026-07-05T09:30:00+00:00 gateway app 12 - [timeQuality tzKnown=1] door open\n"
2026-07-05T09:30:00Z | syslog-pro | "<190>Jul  5 09:30:00 gateway app door open\n"
2026-07-05T15:30:00Z | syslog-pro | "<190>1 2026-07-05T03:30:00+00:00 gateway app 12 - - BOMdoor open\n"
2026-07-05T15:30:00Z | syslog-pro | "<190>1 2026-07-05T03:30:00+00:00 gateway app 12 - [timeQuality tzKnown=1] door open\n"
2026-07-05T15:30:00Z | syslog-pro | "<190>Jul  5 03:30:00 gateway app door open\n"
CEF | syslog-pro | "CEF:0|a|b|gateway|1|7|door|5|msg=limit=30 "
zone +0 h, 0 microseconds between the readings | syslog-py | '59 <14>1 2026-07-05T15:30:00.000000Z gateway app - - door open' has 59 octets
zone +0 h, 1 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+2300 gateway app - - door open' has 63 octets
zone -2 h, 0 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+2200 gateway app - - door open' has 63 octets
zone -2 h, 1 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+2100 gateway app - - door open' has 63 octets
zone +2 h, 0 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+0200 gateway app - - door open' has 63 octets
zone +2 h, 1 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+0100 gateway app - - door open' has 63 octets
zone +5.5 h, 0 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+0500 gateway app - - door open' has 63 octets
zone +5.5 h, 1 microseconds between the readings | syslog-py | '63 <14>1 2026-07-05T15:30:00.000000+0500 gateway app - - door open' has 63 octets
SyslogClientRFC5424 | syslog-py | '52 <14>1 2026-07-05T15:30:00Z gateway app - - Tür offen' has 53 octets
SyslogClientRFC3164 | syslog-py | '42 <14>Jul 05 15:30:00 gateway app: Tr offen' has 41 octets
2026-01-05T15:30:00Z in UTC | syslog-rfc5424-formatter | 2026-01-05T15:30:00Z
2026-07-05T15:30:00Z in UTC | syslog-rfc5424-formatter | 2026-07-05T15:30:00Z
2026-01-05T15:30:00Z in Europe/London | syslog-rfc5424-formatter | 2026-01-05T15:30:00Z
2026-07-05T15:30:00Z in Europe/London | syslog-rfc5424-formatter | 2026-07-05T16:30:00Z
2026-01-05T15:30:00Z in Europe/Lisbon | syslog-rfc5424-formatter | 2026-01-05T15:30:00Z
2026-07-05T15:30:00Z in Europe/Lisbon | syslog-rfc5424-formatter | 2026-07-05T16:30:00Z
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
