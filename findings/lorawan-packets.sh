#!/usr/bin/env bash
# npm lora-packet 0.9.3 builds LoRaWAN frames without payload with a placeholder for the MIC, misreads a counter, and changes its arguments.
#
# Expected (LoRaWAN 1.1): a data frame may have neither FPort nor FRMPayload (4.3.2), for example an acknowledgement, and has a MIC like any other
#           (4.4). A rejoin-request of type 1 has RejoinType, JoinEUI, DevEUI and RJcount1 in this order (6.2.4.2). The MIC of an uplink with ACK
#           depends on the counter of the downlink that it acknowledges (4.4.2), so a frame and a counter have one MIC.
# Seen:     fromFields returns a packet without frame if it is given no payload, and a frame that ends with eeeeeeee if the payload is empty, also
#           with MAC commands in FOpts; verifyMIC rejects these. RJCount1 is two octets of the DevEUI. calculateMIC and verifyMIC swap or clear the
#           counter in the caller's buffer: the second check of a right MIC fails, and a check after another uplink has counter 0.
# So:       devices drop the acknowledgements of a network server on lora-packet and repeat their uplinks. A server that checks a frame twice
#           rejects it the second time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts lora-packet@0.9.3 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q cryptography==50.0.2

cat >try.js <<'JS'
const lora = require('lora-packet');
const hex = (text) => Buffer.from(text, 'hex');
const appKey = hex('000102030405060708090a0b0c0d0e0f'), networkKey = hex('101112131415161718191a1b1c1d1e1f');
const show = (name, fields) => {
  const packet = lora.fromFields({MType: 'Unconfirmed Data Down', DevAddr: hex('01020304'), FCnt: 5, FCtrl: {ACK: true}, ...fields}, appKey, networkKey);
  console.log(name, packet.PHYPayload ? `${packet.PHYPayload.toString('hex')} MIC accepted: ${lora.verifyMIC(packet, networkKey)}` : 'no frame');
};
show('payload', {FPort: 1, payload: 'hi'});
show('no payload', {});
show('empty payload', {payload: ''});
show('MAC command in FOpts', {FOpts: '06', payload: ''});

const rejoin = lora.fromWire(hex('c0' + '01' + '0102030405060708' + '1112131415161718' + '3412' + '00000000'));
console.log('rejoin JoinEUI', rejoin.JoinEUI.toString('hex'), 'DevEUI', rejoin.DevEUI.toString('hex'), 'RJcount1', rejoin.RJCount1.toString('hex'));

const uplink = lora.fromFields({MType: 'Unconfirmed Data Up', DevAddr: hex('01020304'), FCnt: 5, FCtrl: {ACK: true}, FPort: 1, payload: 'hi'}, appKey, networkKey);
const counterRateChannel = hex('00070503');
uplink.MIC = lora.calculateMIC(uplink, appKey, networkKey, undefined, Buffer.from(counterRateChannel));
for (const time of ['first', 'second', 'third']) {
  const before = counterRateChannel.toString('hex');
  console.log(time, 'time, with', before, lora.verifyMIC(uplink, appKey, networkKey, undefined, counterRateChannel));
}
const plain = lora.fromFields({MType: 'Unconfirmed Data Up', DevAddr: hex('01020304'), FCnt: 6, FPort: 1, payload: 'hi'}, appKey, networkKey);
const other = hex('00070503');
lora.calculateMIC(plain, appKey, networkKey, undefined, other);
console.log('after an uplink without acknowledgement', other.toString('hex'));
JS
cat >try.py <<'PY'
"""The MIC of the three downlinks by LoRaWAN 1.0 (4.4): the first four octets of the AES-CMAC of B0 and the frame."""
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
key = bytes.fromhex('101112131415161718191a1b1c1d1e1f')
for name, frame in ('payload', '600403020120050001c09d'), ('no payload', '6004030201200500'), ('MAC command in FOpts', '600403020121050006'):
    message = bytes.fromhex(frame)
    block = bytes.fromhex('49000000000104030201050000000000')[:15] + bytes([len(message)])
    cmac = CMAC(AES(key))
    cmac.update(block + message)
    print('MIC should be', name, cmac.finalize()[:4].hex())
PY
{ node try.js; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
payload 600403020120050001c09d617be98f MIC accepted: true
no payload no frame
empty payload 6004030201200500eeeeeeee MIC accepted: false
MAC command in FOpts 600403020121050006eeeeeeee MIC accepted: false
rejoin JoinEUI 0807060504030201 DevEUI 1817161514131211 RJcount1 1514
first time, with 00070503 true
second time, with 07000503 false
third time, with 00070503 true
after an uplink without acknowledgement 00000503
MIC should be payload 617be98f
MIC should be no payload 34ce4809
MIC should be MAC command in FOpts db48b3ff
TEXT
diff expected seen
echo "as described"
