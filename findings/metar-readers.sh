#!/usr/bin/env bash
# Four readers of METAR, the weather reports of airports: PyPI weather-decoder 1.1.4 invents what the station did not measure, pymetaf 1.1.1 and
# metar-decoder 1.0.2 read other visibilities, pressures, clouds and temperatures, aviconv-met 0.4.0 drops the rest of a report. Beside PyPI
# metar-taf-parser-mivek 1.13.1.
#
# Expected (WMO-No. 306, Manual on Codes, volume I.1, FM 15): solidi stand for a value that an automatic station does not have. P99KT is a wind of 100
#           knots or more (15.5). A second visibility with a direction, 1200NW, may follow the first (15.6). In R08/0350D, the visual range of runway
#           08 is 350 m and falls (15.7). FEW030 are clouds at 3000 ft (914 m), //////CB a cloud of unknown amount and height (15.9). 12/08 are the
#           temperature and the dew point (15.11), Q1013 is the pressure in hPa (15.12). Groups after TEMPO are a forecast (15.14). (Federal
#           Meteorological Handbook 1, 12.6) 1 1/2SM is one and a half statute miles (2414 m), M1/4SM less than a quarter of one, 3000V6000FT a range
#           in feet, A2998 29.98 inches of mercury (1015 hPa).
# Seen:     weather-decoder reads a report without measurements as calm, 10 km, 0 degrees and 29.92 inches, and P99KT as calm. pymetaf reads 1 1/2SM
#           as 3218 m and M1/4SM as 6437 m, A2998 as 101523 with the unit hPa, 030 as 600 m, and TCU (towering cumulus) as altocumulus. metar-decoder
#           reads M1/4SM as 4 miles, the dew point 3 and the temperature 8 out of R08/0350D, and the storm of the forecast as weather of now.
#           aviconv-met reads M1/4SM as -0.25 miles, and feet of visual range as metres; after ////, 1200NW, //////CB or P99KT it has neither clouds
#           nor temperature nor pressure.
# So:       a station whose sensors fail reports a plausible calm day of 0 degrees, and fog with less than 400 m is published as 6 km.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q weather-decoder==1.1.4 pymetaf==1.1.1 metar-decoder==1.0.2 aviconv-met==0.4.0 metar-taf-parser-mivek==1.13.1

cat >try.py <<'PY'
from aviconv_met.parser_metar import parse_metar
from metar_decoder.decoder import MetarDecoder as Decoder
from metar_taf_parser.parser.parser import MetarParser
from pymetaf.parser import parse_text
from weather_decoder.core.metar_decoder import MetarDecoder

def wind(speed, unit, gust=None):
    return None if speed is None else f'{speed}{"" if gust is None else f" to {gust}"} {unit}'

def mivek(report):
    found = MetarParser().parse(report.split(' ', 1)[1])
    return {'wind': found.wind and wind(found.wind.speed, found.wind.unit, found.wind.gust),
            'visibility': found.visibility and f'{found.visibility.distance} {found.visibility.unit}',
            'clouds': ' '.join(f'{cloud.quantity.name} {cloud.height} {cloud.unit} {cloud.type.name if cloud.type else ""}'.strip() for cloud in found.clouds),
            'temperature': (found.temperature, found.dew_point), 'pressure': found.altimeter,
            'runway': [(run.min_range, run.max_range, run.unit) for run in found.runways_info]}

def weather_decoder(report):
    found = MetarDecoder().decode(report)
    return {'wind': wind(found.wind['speed'], found.wind['unit'], found.wind.get('gust')),
            'visibility': f'{found.visibility["value"]} {found.visibility["unit"]}',
            'clouds': ' '.join(f'{cloud["type"]} {cloud["height"]}' for cloud in found.sky_conditions),
            'temperature': (found.temperature, found.dewpoint), 'pressure': f'{found.altimeter["value"]} {found.altimeter["unit"]}',
            'runway': []}

def pymetaf(report):
    found = parse_text(report, 2026, 11)
    return {'wind': wind(found['wind_speed'], found['wind_speed_units'], found['gust']),
            'visibility': f'{found["visibility"]} {found["visibility_units"]}',
            'clouds': ' '.join(f'{cloud["cloud_height"]} {cloud["cloud_height_units"]} {cloud["cloud_type"]}' for cloud in found['cloud'] or []),
            'temperature': (found['temperature'], found['dew_temperature']), 'pressure': f'{found["qnh"]} {found["qnh_units"]}', 'runway': []}

def metar_decoder(report):
    found = Decoder(report).fields
    return {'wind': wind(found['wind']['speed'], found['wind']['units'], found['wind']['gust']),
            'visibility': f'{found["visibility"]["meters"]} m',
            'clouds': ' '.join(f'{cloud["cover"]} {cloud["height_ft"]}' for cloud in found['clouds']['layers']),
            'temperature': (found['temperature']['air'], found['temperature']['dew_point']), 'pressure': found['pressure']['qnh_hpa'], 'runway': []}

def aviconv_met(report):
    found = parse_metar(report)
    return {'wind': found.wind and wind(found.wind.speed, found.wind.unit, found.wind.gust),
            'visibility': found.visibility and f'{found.visibility.distance} {found.visibility.unit}',
            'clouds': ' '.join(f'{cloud.amount} {cloud.base_ft}' for cloud in found.clouds),
            'temperature': found.temperature and (found.temperature.air_c, found.temperature.dewpoint_c),
            'pressure': found.pressure and f'{found.pressure.value} {found.pressure.unit}',
            'runway': [(run.value, run.value_max, run.unit) for run in found.rvr]}

FIELDS = ('wind', 'visibility', 'clouds', 'temperature', 'pressure')
CASES = [
    ('METAR EDDF 121220Z 25008G18KT 8000 FEW030 12/M02 Q1013', FIELDS, (weather_decoder, metar_decoder, aviconv_met)),
    ('METAR EDDF 121220Z AUTO /////KT //// // ////// ///// Q////', FIELDS, (weather_decoder,)),
    ('METAR EDDF 121220Z 250P99KT 8000 FEW030 12/08 Q0998', FIELDS, (weather_decoder, aviconv_met)),
    ('METAR EDDF 121220Z AUTO 25008KT //// FEW030 12/08 Q1013', FIELDS, (aviconv_met,)),
    ('METAR EDDF 121220Z 25008KT 2000 1200NW BKN010 12/08 Q1013', FIELDS, (aviconv_met,)),
    ('METAR EDDF 121220Z AUTO 25008KT 8000 //////CB 12/08 Q1013', ('temperature', 'pressure'), (aviconv_met,)),
    ('METAR KJFK 121251Z 22010KT 1 1/2SM OVC020 01/M01 A2998', ('visibility', 'clouds', 'pressure'), (pymetaf,)),
    ('METAR KJFK 121251Z 00000KT M1/4SM FG VV001 01/01 A2998', ('visibility',), (pymetaf, metar_decoder, aviconv_met)),
    ('METAR EDDF 121220Z 25008KT 8000 FEW030TCU 12/08 Q1013', ('clouds', 'pressure'), (pymetaf,)),
    ('METAR EDDF 121220Z 00000KT 0350 R08/0350D FG VV001 01/M00 Q1027', ('temperature', 'runway'), (metar_decoder,)),
    ('METAR EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013 TEMPO 1200 TSRA BKN005CB', ('clouds',), (metar_decoder,)),
    ('METAR KJFK 121251Z 22010KT 2SM R04R/3000V6000FT BR OVC020 01/M01 A2998', ('runway',), (aviconv_met,)),
]
for report, fields, readers in CASES:
    print(report)
    for reader in (mivek,) + readers:
        found = reader(report)
        print(' ', reader.__name__, '|', ' | '.join(str(found[field]) for field in fields))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
METAR EDDF 121220Z 25008G18KT 8000 FEW030 12/M02 Q1013
  mivek | 8 to 18 KT | 8000 M | FEW 3000 FT | (12, -2) | 1013
  weather_decoder | 8 to 18 KT | 8000 M | FEW 3000 | (12, -2) | 1013 hPa
  metar_decoder | 8 to 18 KT | 8000 m | FEW 3000 | (12 °C, -2 °C) | 1013
  aviconv_met | 8 to 18 KT | 8000.0 M | FEW 3000 | (12, -2) | 1013.0 hPa
METAR EDDF 121220Z AUTO /////KT //// // ////// ///// Q////
  mivek | None | None |  | (None, None) | None
  weather_decoder | 0 KT | 9999 M | /// None | (0.0, None) | 29.92 inHg
METAR EDDF 121220Z 250P99KT 8000 FEW030 12/08 Q0998
  mivek | None | 8000 M | FEW 3000 FT | (12, 8) | 998
  weather_decoder | 0 KT | 8000 M | FEW 3000 | (12, 8) | 998 hPa
  aviconv_met | None | None |  | None | None
METAR EDDF 121220Z AUTO 25008KT //// FEW030 12/08 Q1013
  mivek | 8 KT | None | FEW 3000 FT | (12, 8) | 1013
  aviconv_met | 8 KT | None |  | None | None
METAR EDDF 121220Z 25008KT 2000 1200NW BKN010 12/08 Q1013
  mivek | 8 KT | 2000 M | BKN 1000 FT | (12, 8) | 1013
  aviconv_met | 8 KT | 2000.0 M |  | None | None
METAR EDDF 121220Z AUTO 25008KT 8000 //////CB 12/08 Q1013
  mivek | (12, 8) | 1013
  aviconv_met | None | None
METAR KJFK 121251Z 22010KT 1 1/2SM OVC020 01/M01 A2998
  mivek | 1 1/2 SM | OVC 2000 FT | 1015
  pymetaf | 3218 m | 400 m None | 101523 hPa
METAR KJFK 121251Z 00000KT M1/4SM FG VV001 01/01 A2998
  mivek | M1/4 SM
  pymetaf | 6437 m
  metar_decoder | 6437 m
  aviconv_met | -0.25 SM
METAR EDDF 121220Z 25008KT 8000 FEW030TCU 12/08 Q1013
  mivek | FEW 3000 FT TCU | 1013
  pymetaf | 600 m altocumulus | 1013 hPa
METAR EDDF 121220Z 00000KT 0350 R08/0350D FG VV001 01/M00 Q1027
  mivek | (1, 0) | [(350, None, M)]
  metar_decoder | (8 °C, 3 °C) | []
METAR EDDF 121220Z 25008KT 8000 FEW030 12/08 Q1013 TEMPO 1200 TSRA BKN005CB
  mivek | FEW 3000 FT
  metar_decoder | FEW 3000 BKN 500
METAR KJFK 121251Z 22010KT 2SM R04R/3000V6000FT BR OVC020 01/M01 A2998
  mivek | [(3000, 6000, FT)]
  aviconv_met | [(3000, 6000, 'M')]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
