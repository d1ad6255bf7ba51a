#!/usr/bin/env bash
# npm typed-ocpp 1.6.2, whose ChargingManager (experimental, as it says) combines the charging profiles of OCPP 1.6, forgets all profiles but the last
# one, cannot store the limit of a station, and has no limit at night.
#
# Expected (OCPP 1.6, edition 2): a new profile replaces one with the same identifier or the same stack level and purpose, otherwise it is added
#           (5.16, Set Charging Profile). Of several, the one with the highest stack level prevails as long as it is in force (3.13.2).
#           ChargePointMaxProfile is set at connector 0 (3.13.1). A daily profile starts again each day, at the time of startSchedule, for its
#           duration (7.8, ChargingProfile; 7.13, ChargingSchedule). The periods of a composite schedule count from its start (7.14,
#           ChargingSchedulePeriod).
# Seen:     setting a profile removes all others of its purpose, whatever their stack level is; so does clearing one stack level.
#           ChargePointMaxProfile at connector 0 throws. At 2 o'clock, the period of a daily profile from 22 to 6 o'clock is missing, and the default
#           of 6000 W is given. In the second period of a profile, getConnectorLimitsAtDate gives the limit of the first one. A composite schedule for
#           other hours has the present time as its start.
# So:       a house charges its cars at full power in the hours that are reserved.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts typed-ocpp@1.6.2 >/dev/null 2>&1

cat >try.mjs <<'JS'
import { OCPP16 } from 'typed-ocpp';
const model = { convert: (value) => value };
const at = (time) => new Date(`2026-11-30T${time}:00Z`);
let identifier = 0;
const profile = (stackLevel, periods, more = {}) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: identifier += 1, stackLevel, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute', ...more,
    chargingSchedule: { chargingRateUnit: 'W', startSchedule: '2026-11-30T08:00:00Z', chargingSchedulePeriod: periods.map(([startPeriod, limit]) => ({ startPeriod, limit, numberPhases: 1 })), ...more.chargingSchedule },
  },
});
function limits(profiles, ...times) {
  const manager = new OCPP16.ChargingManager();
  try {
    for (const one of profiles) typeof one === 'function' ? one(manager) : manager.setChargingProfile(one);
    return times.map((time) => `${time}: ${manager.getConnectorLimitsAtDate(at(time), 1, 'W', model, 3).charging.max} W`).join(', ');
  } catch (error) { return `throws ${error.name}: ${error.message}`; }
}
const HOUR = { chargingSchedule: { duration: 3600 } };
const NIGHT = { chargingProfileKind: 'Recurring', recurrencyKind: 'Daily', chargingSchedule: { startSchedule: '2026-11-01T22:00:00Z', duration: 28800 } };
const show = (title, right, found) => console.log(`${title} | expected ${right} | seen ${found}`);
show('one profile', '08:30: 3000 W', limits([profile(1, [[0, 3000]])], '08:30'));
show('level 1 all day, level 2 for an hour', '08:30: 1500 W, 09:30: 3000 W', limits([profile(1, [[0, 3000]]), profile(2, [[0, 1500]], HOUR)], '08:30', '09:30'));
show('level 2 for an hour, level 1 all day', '08:30: 1500 W, 09:30: 3000 W', limits([profile(2, [[0, 1500]], HOUR), profile(1, [[0, 3000]])], '08:30', '09:30'));
show('levels 1 and 2, 2 cleared', '08:30: 3000 W', limits([profile(1, [[0, 3000]]), profile(2, [[0, 1500]]), (manager) => manager.clearChargingProfile({ stackLevel: 2, chargingProfilePurpose: 'TxDefaultProfile' })], '08:30'));
show('level 1, level 2 cleared', '08:30: 3000 W', limits([profile(1, [[0, 3000]]), (manager) => manager.clearChargingProfile({ stackLevel: 2, chargingProfilePurpose: 'TxDefaultProfile' })], '08:30'));
show('two periods of an hour', '08:30: 3000 W, 09:30: 1500 W', limits([profile(1, [[0, 3000], [3600, 1500]])], '08:30', '09:30'));
show('daily from 22 to 6 o\'clock', '22:30: 1500 W, 02:00: 1500 W', limits([profile(1, [[0, 1500]], NIGHT)], '22:30', '02:00'));
show('limit of the station at connector 0', 'no error', limits([{ ...profile(0, [[0, 9000]], { chargingProfilePurpose: 'ChargePointMaxProfile' }), connectorId: 0 }], '08:30'));
const manager = new OCPP16.ChargingManager();
manager.setChargingProfile(profile(1, [[0, 3000], [3600, 1500]]));
const { chargingSchedule } = manager.getConnectorCompositeSchedule(at('08:00'), at('10:00'), 1, model, 3);
show('composite schedule from 08:00 to 10:00', 'start 2026-11-30T08:00:00.000Z, from second 0 on 3000 W, from second 3600 on 1500 W',
  `start ${Math.abs(Date.parse(chargingSchedule.startSchedule) - Date.now()) < 60000 ? 'now' : chargingSchedule.startSchedule}, ${chargingSchedule.chargingSchedulePeriod.map((one) => `from second ${one.startPeriod} on ${one.limit} W`).join(', ')}`);
JS
export TZ=UTC
node try.mjs | tee seen
cat >expected <<'TEXT'
one profile | expected 08:30: 3000 W | seen 08:30: 3000 W
level 1 all day, level 2 for an hour | expected 08:30: 1500 W, 09:30: 3000 W | seen 08:30: 1500 W, 09:30: 1500 W
level 2 for an hour, level 1 all day | expected 08:30: 1500 W, 09:30: 3000 W | seen 08:30: 3000 W, 09:30: 3000 W
levels 1 and 2, 2 cleared | expected 08:30: 3000 W | seen 08:30: 6000 W
level 1, level 2 cleared | expected 08:30: 3000 W | seen 08:30: 6000 W
two periods of an hour | expected 08:30: 3000 W, 09:30: 1500 W | seen 08:30: 3000 W, 09:30: 3000 W
daily from 22 to 6 o'clock | expected 22:30: 1500 W, 02:00: 1500 W | seen 22:30: 1500 W, 02:00: 6000 W
limit of the station at connector 0 | expected no error | seen throws Error: "ChargePointMaxProfile" profiles cannot be added for evseId other than "0"
composite schedule from 08:00 to 10:00 | expected start 2026-11-30T08:00:00.000Z, from second 0 on 3000 W, from second 3600 on 1500 W | seen start now, from second 0 on 3000 W, from second 3600 on 1500 W
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
