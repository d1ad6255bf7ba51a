#!/usr/bin/env bash
# PyPI ocpp-lens 0.2.0, which reads the OCPP 1.6 logs of charging stations for cars, takes the whole meter for one session, loses sessions to requests
# of the other side, and fails for logs that begin while a car is charging.
#
# Expected (OCPP-J 1.6, 4.1.4, The message ID): an identifier is unique among the requests of its sender; those of the central system may be the same
#           as those of the charge point. (OCPP 1.6, StopTransaction.req and StartTransaction.req) meterStart and meterStop are readings of the meter,
#           so that the energy of a session is their difference. (Time notations) Times are of ISO 8601, where an offset from UTC is allowed and UTC
#           only recommended.
# Seen:     if the start is not in the log, the session has all energy that the meter ever counted: 8214.3 kWh. A StartTransaction whose identifier a
#           later request of the central system has, or whose result's identifier comes again, is lost with its result, and its session has this
#           energy, too, without a start. Times with an offset are ignored, so that a session has no duration. With one such session and another one
#           with a start, analyze raises TypeError.
# So:       the energy of a site is ten times what it delivered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check ocpp-lens==0.2.0 >/dev/null 2>&1

cat >try.py <<'PY'
import json
from ocpp_lens import OCPPAnalyzer, OCPPLogParser

def started(identifier, number, meter, time='2026-11-30T08:00:00Z'):
    return [[2, identifier, 'StartTransaction', {'connectorId': 1, 'idTag': 'A1', 'meterStart': meter, 'timestamp': time}],
            [3, identifier, {'transactionId': number, 'idTagInfo': {'status': 'Accepted'}}]]

def stopped(identifier, number, meter, time='2026-11-30T09:00:00Z'):
    return [[2, identifier, 'StopTransaction', {'transactionId': number, 'meterStop': meter, 'timestamp': time}], [3, identifier, {}]]

LIMIT = [[2, '1', 'RemoteStopTransaction', {'transactionId': 7}], [3, '1', {'status': 'Accepted'}]]
LOGS = (
    ('start and stop', started('1', 7, 8200000) + stopped('2', 7, 8214300), '14.3 kWh in 60 min'),
    ('stop only', stopped('2', 7, 8214300), 'unknown'),
    ('request of the central system with the same identifier', started('1', 7, 8200000) + LIMIT + stopped('2', 7, 8214300), '14.3 kWh in 60 min'),
    ('times with an offset', started('1', 7, 8200000, '2026-11-30T09:00:00+01:00') + stopped('2', 7, 8214300, '2026-11-30T10:00:00+01:00'), '14.3 kWh in 60 min'),
    ('start and stop in two offsets', started('1', 7, 8200000, '2026-11-30T09:00:00+01:00') + stopped('2', 7, 8214300), '14.3 kWh in 60 min'),
    ('stop only, then a whole session', stopped('1', 6, 8200000) + started('2', 7, 8200000) + stopped('3', 7, 8214300), 'unknown and 14.3 kWh in 60 min'),
)
for title, log, right in LOGS:
    try:
        result = OCPPAnalyzer().analyze(OCPPLogParser().parse_string('\n'.join(json.dumps(message) for message in log)))
        found = ', '.join(f'{session.energy_kwh} kWh in {session.duration_minutes} min' for session in result.sessions) + f', in total {result.total_energy_kwh} kWh'
    except TypeError:
        found = 'raises TypeError'
    print(title, '| expected', right, '| seen', found)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
start and stop | expected 14.3 kWh in 60 min | seen 14.3 kWh in 60.0 min, in total 14.3 kWh
stop only | expected unknown | seen 8214.3 kWh in None min, in total 8214.3 kWh
request of the central system with the same identifier | expected 14.3 kWh in 60 min | seen 8214.3 kWh in None min, in total 8214.3 kWh
times with an offset | expected 14.3 kWh in 60 min | seen 14.3 kWh in None min, in total 14.3 kWh
start and stop in two offsets | expected 14.3 kWh in 60 min | seen 14.3 kWh in None min, in total 14.3 kWh
stop only, then a whole session | expected unknown and 14.3 kWh in 60 min | seen raises TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
