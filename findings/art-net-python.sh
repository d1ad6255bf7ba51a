#!/usr/bin/env bash
# Two libraries for Art-Net, which controls stage lights: PyPI aioartnet 0.2.1 fails at the polls of Art-Net 4 controllers, libmonty-artnet 0.2.0 writes
# the bits of the flags as octets.
#
# Expected (Art-Net 4 Protocol Release V1.4, ArtPoll packet definition): after the version come one octet of flags, one of priority, and the target
#           addresses and codes of the manufacturer, which were added later: a packet of 14 octets or more is valid, and missing fields are zero.
#           Flags: bit 1 for replies when something changes, bits 2 and 3 for diagnostics, bit 4 for VLC, bit 5 for targeted mode. (ArtPollReply)
#           The version and the code of the product have the high octet first.
# Seen:     aioartnet raises struct.error for polls of 18 and 22 octets and does not answer; a poll of 14 it answers with the code d32c for 2cd3 and
#           version 256 for 1. libmonty-artnet sends 25 octets, with seven octets of 0 or 1 more than there are, so that a node reads flags
#           and priority 0, and bits of the flags as target addresses.
# So:       a controller of Art-Net 4 does not find the node, and a node that is asked to reply on changes does not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q aioartnet==0.2.1 libmonty-artnet==0.2.0

cat >try.py <<'PY'
import logging, struct
from aioartnet.client import ArtNetClient, ArtNetClientProtocol
from libmonty_artnet.packets.art_poll import ArtPollPacket, DiagnosticsMethod
logging.disable(logging.CRITICAL)

class Transport:
    def __init__(self):
        self.sent = []

    def sendto(self, data, addr):
        self.sent.append(data)

client = ArtNetClient()
client.unicast_ip, client.broadcast_ip = '127.0.0.1', '127.255.255.255'
protocol = ArtNetClientProtocol(client)
protocol.transport = Transport()
POLL = b'Art-Net\0' + struct.pack('<HBBBB', 0x2000, 0, 14, 0b10, 0x10)
TARGETS = struct.pack('>HHHH', 0x7fff, 0, 0x414c, 0x2828)
for name, packet in ('14 octets, Art-Net 3', POLL), ('18 octets, Art-Net 4 with target addresses', POLL + TARGETS[:4]), ('22 octets, Art-Net 4 with manufacturer', POLL + TARGETS):
    protocol.transport.sent.clear()
    try:
        protocol.datagram_received(packet, ('127.0.0.1', 6454))
        print(f'aioartnet, ArtPoll of {name} | {len(protocol.transport.sent)} reply')
    except struct.error:
        print(f'aioartnet, ArtPoll of {name} | struct.error')
protocol.datagram_received(POLL, ('127.0.0.1', 6454))
reply = protocol.transport.sent[-1]
print('aioartnet, ArtPollReply, version 1, code 2cd3 | version', int.from_bytes(reply[16:18], 'big'), 'code', reply[20:22].hex())

for name, options in ('as it is', {}), ('reply on changes, diagnostics unicast', dict(reply_on_cond_change=True, send_diagnostics=True, diagnostics_method=DiagnosticsMethod.UNICAST)), ('targeted', dict(targeted_mode=True, target_port_bottom=0x0102, target_port_top=0x0304)):
    packet = ArtPollPacket(**options).compose()
    print(f'libmonty-artnet, ArtPoll, {name} | {len(packet)} octets, flags {packet[12]:08b} priority {packet[13]:02x} targets {packet[14:18].hex()}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
aioartnet, ArtPoll of 14 octets, Art-Net 3 | 1 reply
aioartnet, ArtPoll of 18 octets, Art-Net 4 with target addresses | struct.error
aioartnet, ArtPoll of 22 octets, Art-Net 4 with manufacturer | struct.error
aioartnet, ArtPollReply, version 1, code 2cd3 | version 256 code d32c
libmonty-artnet, ArtPoll, as it is | 25 octets, flags 00000000 priority 00 targets 00010000
libmonty-artnet, ArtPoll, reply on changes, diagnostics unicast | 25 octets, flags 00000000 priority 00 targets 00010101
libmonty-artnet, ArtPoll, targeted | 25 octets, flags 00000000 priority 00 targets 01010000
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "aioartnet 0.2.1, libmonty-artnet 0.2.0: as described"
