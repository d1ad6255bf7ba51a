#!/usr/bin/env bash
# Two readers of TCX, the files of sports watches and their sensors: PyPI python-tcxparser 2.4.0 counts minutes in the wrong heart rate zone, ends an
# activity at its first pause and takes averages for measurements; neither it nor tcxreader 0.4.11 reads a triathlon.
#
# Expected (Garmin, Training Center Database XML schema, version 2): a lap may have several tracks (ActivityLap_t), one after each pause. The heart
#           rate of a point of a track is optional (Trackpoint_t). Cadence is an element of a point, and, as the average, of a lap (ActivityLap_t). An
#           activity may be in a MultiSportSession, as the first sport or a next one (ActivityList_t, MultiSportSession_t).
# Seen:     python-tcxparser assigns the heart rates, in their order, to the durations of all points from the first one on: a minute at 160 after a
#           minute without a strap counts as none. completed_at is the end of the first track of the last lap, cadence_values begin with the average
#           of the lap, and cadence_avg is that of the last lap only. A session of several sports raises AttributeError; tcxreader returns no laps, no
#           points and 0 m for it.
# So:       the summary of a training is that of another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check python-tcxparser==2.4.0 tcxreader==0.4.11 >/dev/null 2>&1

cat >try.py <<'PY'
from tcxparser import TCXParser
from tcxreader.tcxreader import TCXReader

def point(minute, distance, rate=None, cadence=None):
    heart = f'<HeartRateBpm><Value>{rate}</Value></HeartRateBpm>' if rate else ''
    turns = f'<Cadence>{cadence}</Cadence>' if cadence else ''
    return f'<Trackpoint><Time>2026-11-30T08:{minute:02}:00Z</Time><DistanceMeters>{distance}</DistanceMeters>{heart}{turns}</Trackpoint>'

def lap(minute, seconds, distance, tracks, cadence=None):
    turns = f'<Cadence>{cadence}</Cadence>' if cadence else ''
    return (f'<Lap StartTime="2026-11-30T08:{minute:02}:00Z"><TotalTimeSeconds>{seconds}</TotalTimeSeconds><DistanceMeters>{distance}</DistanceMeters><Calories>10</Calories>'
            f'<Intensity>Active</Intensity>{turns}<TriggerMethod>Manual</TriggerMethod>' + ''.join(f'<Track>{"".join(track)}</Track>' for track in tracks) + '</Lap>')

def activity(laps, sport='Running'):
    return f'<Activity Sport="{sport}"><Id>2026-11-30T08:00:00Z</Id>{"".join(laps)}</Activity>'

def write(content):
    with open('a.tcx', 'w') as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?><TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">'
                   f'<Activities>{content}</Activities></TrainingCenterDatabase>')

ZONES = {'low': (0, 139), 'high': (140, 250)}
def zones():
    return ', '.join(f'{name} {int(time.total_seconds())} s' for name, time in TCXParser('a.tcx').hr_time_in_zones(ZONES).items())

write(activity([lap(0, 240, 800, [[point(0, 0, 120), point(1, 200, 120), point(2, 400, 120), point(3, 600, 160), point(4, 800, 160)]])]))
print('heart rate at each point | expected low 150 s, high 90 s | python-tcxparser', zones())
write(activity([lap(0, 600, 800, [[point(0, 0), point(4, 200), point(8, 400, 120), point(9, 600, 160), point(10, 800, 160)]])]))
print('no heart rate for 8 minutes | expected low 150 s, high 90 s | python-tcxparser', zones())
write(activity([lap(0, 120, 400, [[point(0, 0, cadence=80), point(2, 400, cadence=82)]], cadence=81), lap(2, 120, 400, [[point(2, 400, cadence=90), point(3, 600, cadence=90)], [point(20, 600, cadence=94), point(21, 800, cadence=94)]], cadence=92)]))
parser = TCXParser('a.tcx')
print('pause in the last lap | expected 2026-11-30T08:21:00Z | python-tcxparser completed_at', parser.completed_at)
print('cadence | expected 80, 82, 90, 90, 94, 94 | python-tcxparser cadence_values', ', '.join(map(str, parser.cadence_values())), '| cadence_avg', parser.cadence_avg)
for title, content in (('one sport', activity([lap(0, 120, 400, [[point(0, 0), point(2, 400)]])])),
                       ('two sports', '<MultiSportSession><Id>2026-11-30T08:00:00Z</Id><FirstSport>' + activity([lap(0, 120, 400, [[point(0, 0), point(2, 400)]])], 'Biking')
                        + '</FirstSport><NextSport>' + activity([lap(2, 120, 300, [[point(2, 0), point(4, 300)]])]) + '</NextSport></MultiSportSession>')):
    write(content)
    read = TCXReader().read('a.tcx', only_gps=False)
    try:
        found = f'{TCXParser("a.tcx").duration} s'
    except AttributeError:
        found = 'raises AttributeError'
    print(title, '| tcxreader', len(read.laps), 'laps,', len(read.trackpoints), 'points,', read.distance, 'm | python-tcxparser', found)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
heart rate at each point | expected low 150 s, high 90 s | python-tcxparser low 150 s, high 90 s
no heart rate for 8 minutes | expected low 150 s, high 90 s | python-tcxparser low 120 s, high 390 s
pause in the last lap | expected 2026-11-30T08:21:00Z | python-tcxparser completed_at 2026-11-30T08:03:00Z
cadence | expected 80, 82, 90, 90, 94, 94 | python-tcxparser cadence_values 81, 80, 82, 92, 90, 90, 94, 94 | cadence_avg 92
one sport | tcxreader 1 laps, 2 points, 400.0 m | python-tcxparser 120 s
two sports | tcxreader 0 laps, 0 points, 0 m | python-tcxparser raises AttributeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
