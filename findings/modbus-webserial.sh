#!/usr/bin/env bash
# npm modbus-webserial 0.10.1, a Modbus master for serial ports in browsers, offers functions whose answers it cannot receive, and returns coils that
# nobody asked for.
#
# Expected (Modbus Application Protocol Specification V1.1b3): the answer to Mask Write Register is 8 octets (6.16), so a frame on a serial line has 10 with
#           address and CRC (Modbus over Serial Line V1.02, 2.5.1). The answers to Read/Write Multiple Registers (6.17), Read and Write File Record (6.14, 6.15)
#           and Read FIFO Queue (6.18) have lengths of their own. Unused bits of the last octet of coils are filled with zeros (6.1).
# Seen:     the library takes the first 8 octets of each of these answers for the frame and raises a CRC error, although the device has executed the command.
#           Three coils are read as eight, three discrete inputs as three.
# So:       a program repeats a write that the device has already done, and gets five coils that are off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts modbus-webserial@0.10.1 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { ModbusRTU, crc16 } from 'modbus-webserial';
const frame = (...octets) => { const crc = crc16(Uint8Array.from(octets)); return Uint8Array.from([...octets, crc & 255, crc >> 8]); };
// a serial port whose device answers each frame with the one prepared
let answer, controller;
const port = {
  open: async () => {},
  readable: new ReadableStream({ start(value) { controller = value; } }),
  writable: new WritableStream({ write() { controller.enqueue(answer); } }),
};
Object.defineProperty(globalThis, 'navigator', { value: { serial: { requestPort: async () => port } }, configurable: true });
const attempt = async (name, octets, work) => {
  // a client of its own, without octets left over
  port.readable = new ReadableStream({ start(value) { controller = value; } });
  port.writable = new WritableStream({ write() { controller.enqueue(answer); } });
  const client = await ModbusRTU.openWebSerial({ timeout: 300 });
  answer = frame(...octets);
  try {
    const { data, address, state, value } = await work(client);
    console.log(name, `(${answer.length} octets) |`, JSON.stringify(data ?? { address, state, value }));
  } catch (error) {
    console.log(name, `(${answer.length} octets) | raises ${error.constructor.name}`);
  }
};
await attempt('read 2 holding registers', [1, 3, 4, 0, 7, 0, 8], (client) => client.readHoldingRegisters(0, 2));
await attempt('read 3 coils', [1, 1, 1, 5], (client) => client.readCoils(0, 3));
await attempt('read 3 discrete inputs', [1, 2, 1, 5], (client) => client.readDiscreteInputs(0, 3));
await attempt('mask write register', [1, 22, 0, 4, 0, 0xf2, 0, 0x25], (client) => client.maskWriteRegister(4, 0xf2, 0x25));
await attempt('read/write registers, 2 read', [1, 23, 4, 0, 7, 0, 8], (client) => client.readWriteRegisters(3, 2, 14, [255]));
await attempt('read file record, 2 registers', [1, 20, 6, 5, 6, 0x0d, 0xfe, 0, 0x20], (client) => client.readFileRecord(4, 1, 2));
await attempt('write file record, 1 register', [1, 21, 9, 6, 0, 4, 0, 7, 0, 1, 6, 0xaf], (client) => client.writeFileRecord(4, 7, [0x6af]));
await attempt('read FIFO queue, 2 registers', [1, 24, 0, 6, 0, 2, 1, 0xb8, 0x12, 0x84], (client) => client.readFifoQueue(1246));
process.exit(0);
JS
node try.mjs | tee seen
cat >expected <<'TEXT'
read 2 holding registers (9 octets) | [7,8]
read 3 coils (6 octets) | [true,false,true,false,false,false,false,false]
read 3 discrete inputs (6 octets) | [true,false,true]
mask write register (10 octets) | raises CrcError
read/write registers, 2 read (9 octets) | raises CrcError
read file record, 2 registers (11 octets) | raises CrcError
write file record, 1 register (14 octets) | raises CrcError
read FIFO queue, 2 registers (12 octets) | raises CrcError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "modbus-webserial 0.10.1: as described"
