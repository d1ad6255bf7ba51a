#!/usr/bin/env bash
# PyPI csvwlib 0.3.2, which turns tables of measurements with a description (CSV on the Web) into JSON, exchanges days and months, takes 5 % for 0.5,
# cuts times, and does not know missing values.
#
# Expected (W3C, Model for Tabular Data and Metadata on the Web): a date is read with the format of its datatype (6.4.4, Formats for dates and times).
#           A number may end with % or per mille, which divides it by 100 or 1000, and E and e begin an exponent (6.4.2, Formats for numeric types).
#           (W3C, Metadata Vocabulary for Tabular Data, 5.7) null is a property of columns, too.
# Seen:     03/04/2026 with dd/MM/yyyy is 4 March, 13/04/2026 is 13 April. 5% is 0.5, 5.5% is 5.5; only numbers of two digits before the point are
#           right. A time with the format yyyy-MM-ddTHH:mm:ss.S loses the zeros at its end: 10:20:00.0 is 10:20: and 10:20:30 is 10:20:3. 1e3 is a
#           text, 1E3 a number. In a column with "-" as null, - is a text.
# So:       half of the days of a year are in another month.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check csvwlib==0.3.2 language-tags==1.3.2 python-dateutil==4.0.0 rdflib==7.6.0 rdflib-jsonld==0.6.2 requests==2.34.2 uritemplate==4.2.0 >/dev/null 2>&1

cat >try.py <<'PY'
import contextlib
import functools
import http.server
import io
import json
import os
import threading

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

os.makedirs('tables', exist_ok=True)
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory='tables'))
threading.Thread(target=server.serve_forever, daemon=True).start()
from csvwlib import CSVWConverter

def values(cells, column):
    with open('tables/t.csv', 'w') as file:
        file.write('x,n\n' + ''.join(f'{cell},{number}\n' for number, cell in enumerate(cells)))
    with open('tables/t.json', 'w') as file:
        json.dump({'@context': 'http://www.w3.org/ns/csvw', 'url': 't.csv', 'tableSchema': {'columns': [{'name': 'x', 'titles': 'x', **column}, {'name': 'n', 'titles': 'n'}]}}, file)
    base = f'http://127.0.0.1:{server.server_port}/'
    with contextlib.redirect_stdout(io.StringIO()):
        return [row.get('x') for row in CSVWConverter.to_json(base + 't.csv', base + 't.json', 'minimal')]

for title, cells, column, right in (
    ('date, dd/MM/yyyy', ['03/04/2026', '13/04/2026'], {'datatype': {'base': 'date', 'format': 'dd/MM/yyyy'}}, ['2026-04-03', '2026-04-13']),
    ('date, dd.MM.yyyy', ['03.04.2026', '12.11.2026'], {'datatype': {'base': 'date', 'format': 'dd.MM.yyyy'}}, ['2026-04-03', '2026-11-12']),
    ('dateTime, yyyy-MM-ddTHH:mm:ss.S', ['2026-11-30T10:20:30.5', '2026-11-30T10:20:00.0', '2026-11-30T10:20:30'], {'datatype': {'base': 'dateTime', 'format': 'yyyy-MM-ddTHH:mm:ss.S'}},
     ['2026-11-30T10:20:30.5', '2026-11-30T10:20:00', '2026-11-30T10:20:30']),
    ('decimal', ['50%', '5%', '5.5%', '12.5%', '5‰'], {'datatype': 'decimal'}, [0.5, 0.05, 0.055, 0.125, 0.005]),
    ('double', ['1E3', '1e3', '1.5e-3'], {'datatype': 'double'}, [1000.0, 1000.0, 0.0015]),
    ('double, null -', ['1.5', '-', '2.5'], {'datatype': 'double', 'null': '-'}, [1.5, None, 2.5]),
):
    print(title, cells, '| expected', right, '| seen', values(cells, column))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
date, dd/MM/yyyy ['03/04/2026', '13/04/2026'] | expected ['2026-04-03', '2026-04-13'] | seen ['2026-03-04', '2026-04-13']
date, dd.MM.yyyy ['03.04.2026', '12.11.2026'] | expected ['2026-04-03', '2026-11-12'] | seen ['2026-03-04', '2026-12-11']
dateTime, yyyy-MM-ddTHH:mm:ss.S ['2026-11-30T10:20:30.5', '2026-11-30T10:20:00.0', '2026-11-30T10:20:30'] | expected ['2026-11-30T10:20:30.5', '2026-11-30T10:20:00', '2026-11-30T10:20:30'] | seen ['2026-11-30T10:20:30.5', '2026-11-30T10:20:', '2026-11-30T10:20:3']
decimal ['50%', '5%', '5.5%', '12.5%', '5‰'] | expected [0.5, 0.05, 0.055, 0.125, 0.005] | seen [0.5, 0.5, 5.5, 0.125, 0.5]
double ['1E3', '1e3', '1.5e-3'] | expected [1000.0, 1000.0, 0.0015] | seen [1000.0, '1e3', '1.5e-3']
double, null - ['1.5', '-', '2.5'] | expected [1.5, None, 2.5] | seen [1.5, '-', 2.5]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
