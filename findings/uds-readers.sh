#!/usr/bin/env bash
# Two libraries for UDS, the diagnosis of vehicles: PyPI socketcan-uds 1.0.1 takes fields of fault reports for others, carbus-lib 0.1.9 reads no answer
# longer than a frame. Beside PyPI udsoncan 1.26.1.
#
# Expected (ISO 14229-1:2020, service ReadDTCInformation) A request by severity has two masks, that of the severity and that of the status. Its answer and
#           that of 09 begin with the availability mask, before the first severity. Answers to 16 and 1A begin with the number of the record,
#           not with a count. In the answer to 18, the status follows the DTC, before the number of the snapshot. (Annex C, scaling) Bytes of
#           scaling follow one another, as formula and unit; formulas 6 to 8 have one constant. (RequestDownload) Address and size have as many octets as
#           the format identifier says. (ISO 15765-2:2016, 9.6) Lengths up to 4095 are in 12 bits; longer ones in 32 bits after 10 00. Flow status 1 is wait.
# Seen:     socketcan-uds sends the request without the mask of the severity, and rejects answers with severities as violations. Of two DTCs with
#           record 01 it gives one, with record 90 an error. A snapshot has the number 2F, which is the status, and other identifiers. Of a formula and a unit
#           it keeps the unit; a formula with one constant takes the unit for the second. A download of 256 or 2748 octets raises
#           OverflowError. carbus-lib raises NameError for each answer of several frames, stops at "wait", and announces 5000 octets as 904.
# So:       with socketcan-uds, faults with a severity cannot be read at all; with carbus-lib, no identification number of a vehicle.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q socketcan-uds==1.0.1 carbus-lib==0.1.9 udsoncan==1.26.1

cat >try.py <<'PY'
import asyncio
from carbus_async.messages import CanMessage
from isotp_async.transport import IsoTpChannel
from socketcan_uds.common import (DtcReportType, DtcSeverety, DtcStatus, concat_read_dtc_information_request, concat_request_download_request, parse_response)
from uds_async.client import UdsClient
from udsoncan import Response
from udsoncan.services import ReadDTCInformation

def show(name, task):
    try:
        found = task()
    except Exception as error:
        found = f'{type(error).__name__} {error}'.replace('\n', ' ')
    print(f'{name} | {found}')

def dtcs(found):
    return {f'{number:06x}': (f'{int(value):02x}' if not isinstance(value, dict) else {key: (f'{int(one):02x}' if isinstance(one, int) else one.hex() if isinstance(one, bytes) else one) for key, one in value.items()}) for number, value in found['records'].items()}

def reference(text, function, **options):
    found = ReadDTCInformation.interpret_response(Response.from_payload(bytes.fromhex(text)), function, **options).service_data
    return {f'{one.id:06x}': f'{one.status.get_byte_as_int():02x}' for one in found.dtcs}

show('udsoncan, request, DTCs by severity 40 and status ff', lambda: ReadDTCInformation.make_request(8, status_mask=0xff, severity_mask=0x40).get_payload().hex())
show('udsoncan, severity of one DTC', lambda: reference('5909ff4033123456 2f', 9))
show('udsoncan, severity of DTCs, two', lambda: reference('5908ff 40331234562f 2010abcdef08', 8))
show('udsoncan, extended data 01 of DTCs, one octet each', lambda: reference('591601 1234562f07 abcdef0809', 0x16, extended_data_size=1))
show('request, DTCs by severity 40 and status ff', lambda: concat_read_dtc_information_request(DtcReportType.ReportDtcBySeverityMaskRecord, status_filter=0xff).hex())
show('severity of one DTC', lambda: dtcs(parse_response(bytes.fromhex('5909ff 4033123456 2f'))))
show('severity of DTCs, two', lambda: dtcs(parse_response(bytes.fromhex('5908ff 40331234562f 2010abcdef08'))))
show('supported extended data 01, DTCs 123456 and abcdef', lambda: dtcs(parse_response(bytes.fromhex('591aff01 1234562f abcdef08'))))
show('supported extended data 90, the same', lambda: dtcs(parse_response(bytes.fromhex('591aff90 1234562f abcdef08'))))
show('extended data 01 of DTCs, one octet each', lambda: dtcs(parse_response(bytes.fromhex('591601 1234562f07 abcdef0809'))))
show('user memory, snapshot 1 of DTC 123456 with one identifier', lambda: parse_response(bytes.fromhex('591810 1234562f 01 01 f190 aabb'))['records'])
for size in 0xff, 0x100, 0x1000, 0xabc, 0x12345:
    show(f'request, download of {size:#x} octets to 0x8000', lambda: concat_request_download_request(0x8000, size).hex())
def scaling(text):
    found = parse_response(bytes.fromhex(text))['scaling']
    return f"{found['type'].name} " + ', '.join(f'{one["formula"](100):g} for 100' if 'formula' in one else one['unit'][0].name for one in found['records'])
show('scaling, y = 0.75 x + 30', lambda: scaling('640105 9500e04b001e'))
show('scaling, one octet, y = 0.75 x + 30, km/h', lambda: scaling('640105 01 9500e04b001e a130'))
show('scaling, y = 16 x', lambda: scaling('640105 93060010'))
show('scaling, y = x + 16, km/h', lambda: scaling('640105 93080010 a130'))

class Bus:
    def __init__(self, *frames):
        self.frames, self.sent = [bytes.fromhex(frame) for frame in frames], []

    async def send(self, message):
        self.sent.append(message.data.hex())

    async def recv(self, timeout):
        return CanMessage(can_id=0x7e8, data=self.frames.pop(0)) if self.frames else None

async def client(task, *frames):
    bus = Bus(*frames)
    return await task(UdsClient(IsoTpChannel(bus, 0x7e0, 0x7e8))), bus.sent

show('carbus-lib, identifier F190, 3 octets in one frame', lambda: asyncio.run(client(lambda one: one.read_data_by_identifier(0xf190), '0662f190414243'))[0])
show('carbus-lib, identifier F190, 17 octets in three frames', lambda: asyncio.run(client(lambda one: one.read_data_by_identifier(0xf190), '101462f190574155', '215a5a5a305a5a5a', '225a303030303030'))[0])
show('carbus-lib, 17 octets written, the other asks to wait once', lambda: asyncio.run(client(lambda one: one.write_data_by_identifier(0xf190, b'WAUZZZ0ZZZZ000000'), '310000', '300000', '036ef190'))[0])
async def channel(size):
    bus = Bus('300000')
    one = IsoTpChannel(bus, 0x7e0, 0x7e8)
    one.tx_gap_s = 0
    await one.send_pdu(bytes(size))
    return f'{bus.sent[0]}, {len(bus.sent)} frames'
for size in 4095, 4096, 5000:
    show(f'carbus-lib, {size} octets', lambda: asyncio.run(channel(size)))
PY
env/bin/python try.py 2>/dev/null | tee seen
cat >expected <<'TEXT'
udsoncan, request, DTCs by severity 40 and status ff | 190840ff
udsoncan, severity of one DTC | {'123456': '2f'}
udsoncan, severity of DTCs, two | {'123456': '2f', 'abcdef': '08'}
udsoncan, extended data 01 of DTCs, one octet each | {'123456': '2f', 'abcdef': '08'}
request, DTCs by severity 40 and status ff | 1908ff
severity of one DTC | UdsProtocolViolation Check response for protocol violation 5909ff40331234562f
severity of DTCs, two | UdsProtocolViolation Check response for protocol violation 5908ff40331234562f2010abcdef08
supported extended data 01, DTCs 123456 and abcdef | {'123456': '2f'}
supported extended data 90, the same | UdsProtocolViolation Check response for protocol violation 591aff901234562fabcdef08
extended data 01 of DTCs, one octet each | {'123456': {'dtc_status': '2f', 'ext_data': '07abcdef0809'}}
user memory, snapshot 1 of DTC 123456 with one identifier | OrderedDict([(47, {497: b'\x90\xaa\xbb'})])
request, download of 0xff octets to 0x8000 | 3400128000ff
request, download of 0x100 octets to 0x8000 | OverflowError int too big to convert
request, download of 0x1000 octets to 0x8000 | 34002280001000
request, download of 0xabc octets to 0x8000 | OverflowError int too big to convert
request, download of 0x12345 octets to 0x8000 | OverflowError int too big to convert
scaling, y = 0.75 x + 30 | Formula 105 for 100
scaling, one octet, y = 0.75 x + 30, km/h | Unit KilometerPerHour
scaling, y = 16 x | UdsProtocolViolation Check response for protocol violation 64010593060010
scaling, y = x + 16, km/h | Formula 116 for 100
carbus-lib, identifier F190, 3 octets in one frame | b'ABC'
carbus-lib, identifier F190, 17 octets in three frames | NameError name 'tx_gap_s' is not defined
carbus-lib, 17 octets written, the other asks to wait once | RuntimeError ISO-TP: unsupported FlowStatus=0x01
carbus-lib, 4095 octets | 1fff000000000000, 586 frames
carbus-lib, 4096 octets | 1000000000000000, 586 frames
carbus-lib, 5000 octets | 1388000000000000, 715 frames
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "socketcan-uds 1.0.1, carbus-lib 0.1.9: as described"
