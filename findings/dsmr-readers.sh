#!/usr/bin/env bash
# Two readers of the telegrams of Dutch and Belgian electricity meters (P1 port, DSMR), which gateways forward over MQTT: PyPI smeterd 2.9.2 and
# iec62056 0.5.1 report water and heat as gas and lose the hour of the change of clocks; iec62056 accepts wrong checksums. Beside PyPI dsmr-parser
# 1.11.2.
#
# Expected (DSMR P1 Companion Standard 5.0.2): a time ends with S in summer and W in winter (6.4). The checksum after ! is a CRC16 over the telegram
#           (5.2). Meters of other media are on the channels 1 to 4, and 0-n:24.1.0 gives the medium of channel n, 003 for gas, 004 for heat, 007 for
#           water (6.12). The text message may be empty, 0-0:96.13.0(). Belgian meters (e-MUCS P1) also send 1-0:1.4.0, the average demand.
# Seen:     both read 2:30 S and 2:30 W of the night in which the clocks go back, which are an hour apart, as the same time. smeterd's gas total is
#           that of the water meter on channel 1, the gas meter on channel 2 is missing, and a house without gas has a total of 0. iec62056 calls 42.5
#           m3 of water and 12.345 GJ of heat gas_delivered, reads all times with the offset of the present day, so that summer or winter is an hour
#           off, reads an empty message as the text None, raises for 1-0:1.4.0, with NameError inside, and for an empty log of power failures, and
#           reads 923.456 kWh from a telegram whose checksum is wrong.
# So:       who has a water meter sees its litres as gas, and a disturbed line adds 800 kWh.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q smeterd==2.9.2 iec62056==0.5.1 dsmr-parser==1.11.2

cat >try.py <<'PY'
import logging, os, time
os.environ['TZ'] = 'CET-1CEST,M3.5.0,M10.5.0/3'
time.tzset()
from dsmr_parser import telegram_specifications
from dsmr_parser.parsers import TelegramParser
from iec62056.parser import Parser
from smeterd.meter import P1Packet, crc16

logging.disable(logging.CRITICAL)

def telegram(lines, clock='261130123015W'):
    body = '\r\n'.join(['/ISK5\\2M550E-1012', '', '1-3:0.2.8(50)', f'0-0:1.0.0({clock})', '1-0:1.8.1(000123.456*kWh)'] + lines + ['!'])
    return f'{body}{crc16(body.encode()):04X}\r\n'

def meter(channel, medium, value, unit):
    return [f'0-{channel}:24.1.0({medium})', f'0-{channel}:24.2.1(261130120000W)({value}*{unit})']

def attempt(action):
    try:
        return action()
    except Exception as error:
        return f'{type(error).__name__} {" ".join(str(error).split())}'.strip()

def reference(text):
    return TelegramParser(telegram_specifications.V5).parse(text, throw_ex=True)

def instants(text):
    return [attempt(lambda: int(reference(text).P1_MESSAGE_TIMESTAMP.value.timestamp())), attempt(lambda: P1Packet(text.encode())['timestamp']),
            attempt(lambda: int(Parser().parse(text)['timestamp'].value.timestamp()))]

NAMES = 'dsmr-parser', 'smeterd', 'iec62056'
first, second = instants(telegram([], '261025023000S')), instants(telegram([], '261025023000W'))
print('seconds from 2:30 S to 2:30 W |', *[f'{name} {after - before}' for name, before, after in zip(NAMES, first, second)])
first, second = instants(telegram([], '260115120000W')), instants(telegram([], '260715120000S'))
print('hours from noon on 15 January to noon on 15 July |', *[f'{name} {(after - before) / 3600:g}' for name, before, after in zip(NAMES, first, second)])

gas, water, heat = meter(1, '003', '12785.123', 'm3'), meter(1, '007', '00042.500', 'm3'), meter(1, '004', '00012.345', 'GJ')
for name, lines in ('gas', gas), ('no other meter', []), ('water', water), ('water, gas on channel 2', water + meter(2, '003', '12785.123', 'm3')), ('heat', heat):
    text = telegram(lines)
    print(name, '| smeterd gas total', P1Packet(text.encode())['gas']['total'], '| iec62056',
          attempt(lambda: ' '.join(f'{found.name} {found.value} {found.unit}' for found in Parser().parse(text).objects if found.name == 'gas_delivered')))
for name, lines in (('empty message', ['0-0:96.13.0()']), ('empty log', ['1-0:99.97.0()']), ('average demand', ['1-0:1.4.0(00.123*kW)'])):
    found = attempt(lambda: [(part.name, part.value) for part in Parser().parse(telegram(lines)).objects][3:])
    print(name, '| dsmr-parser', attempt(lambda: type(reference(telegram(lines))).__name__), '| smeterd', attempt(lambda: type(P1Packet(telegram(lines).encode())).__name__), '| iec62056', found)
wrong = telegram([]).replace('000123.456', '000923.456')
print('wrong checksum | dsmr-parser', attempt(lambda: reference(wrong)).split()[0], '| smeterd', attempt(lambda: P1Packet(wrong.encode())).split()[0],
      '| iec62056', attempt(lambda: Parser().parse(wrong)['electricity_used_tariff_1'].value))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
seconds from 2:30 S to 2:30 W | dsmr-parser 3600 smeterd 0 iec62056 0
hours from noon on 15 January to noon on 15 July | dsmr-parser 4343 smeterd 4343 iec62056 4344
gas | smeterd gas total 12785.123 | iec62056 gas_delivered 12785.123 m3
no other meter | smeterd gas total 0 | iec62056 
water | smeterd gas total 42.5 | iec62056 gas_delivered 42.5 m3
water, gas on channel 2 | smeterd gas total 42.5 | iec62056 gas_delivered 42.5 m3 gas_delivered 12785.123 m3
heat | smeterd gas total 0 | iec62056 gas_delivered 12.345 GJ
empty message | dsmr-parser Telegram | smeterd P1Packet | iec62056 [('text_message', 'None')]
empty log | dsmr-parser Telegram | smeterd P1Packet | iec62056 VisitError Error trying to process rule "register": 'NoneType' object is not callable
average demand | dsmr-parser Telegram | smeterd P1Packet | iec62056 VisitError Error trying to process rule "register": name 'eeference' is not defined
wrong checksum | dsmr-parser InvalidChecksumError | smeterd P1PacketError | iec62056 923.456
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
