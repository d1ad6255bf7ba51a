#!/usr/bin/env bash
# PyPI tahutils 0.1.11 gives the same aliases to the metrics of a Sparkplug node and of its devices.
#
# Expected (Sparkplug 3.0): an alias is unique among all metrics of a node, also those of its devices (tck-id-payloads-alias-uniqueness); the metric
#           Node Control/Rebirth has no alias (tck-id-operational-behavior-data-commands-rebirth-name-aliases); data have the alias without the name
#           (tck-id-payloads-alias-data-cmd-requirement).
# Seen:     SpbModel with use_aliases=True numbers the metrics of each model from 0, so node and device both have the aliases 0 and 1;
#           Node Control/Rebirth has an alias; data have name and alias.
# So:       a host that keeps the aliases of a node in one table attributes values of the device to the node, unless it goes by the name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q tahutils==0.1.11

cat >try.py <<'PY'
from tahutils import MetricDataType, SpbModel
node = SpbModel({'a': MetricDataType.Int32}, use_aliases=True, auto_serialize=False)
device = SpbModel({'b': MetricDataType.Int32, 'c': MetricDataType.Int32}, use_aliases=True, auto_serialize=False, is_device=True)
node.getDeathPayload()
birth = node.getBirthPayload({'a': 1})
births = {'NBIRTH': birth, 'DBIRTH': device.getBirthPayload({'b': 1, 'c': 1})}
for kind, payload in births.items():
    print(kind, 'aliases', sorted(metric.alias for metric in payload.metrics if metric.HasField('alias')))
print('Node Control/Rebirth has an alias:', [m.HasField('alias') for m in birth.metrics if m.name == 'Node Control/Rebirth'])
data = node.getDataPayload({'a': 2}).metrics[0]
print('NDATA has name and alias:', data.HasField('name') and data.HasField('alias'))
PY
venv/bin/python try.py | tee seen
cat >expected <<'TEXT'
NBIRTH aliases [0, 1, 2, 3]
DBIRTH aliases [0, 1]
Node Control/Rebirth has an alias: [True]
NDATA has name and alias: True
TEXT
diff expected seen
echo "tahutils 0.1.11: as described"
