#!/usr/bin/env bash
# npm node-opcua-json 2.186.4, the JSON encoding that OPC UA publishers send over MQTT, writes "not a number" and infinity as null, and reads 0 and
# false as no value.
#
# Expected (OPC UA Part 6, OPC 10000-6, 5.4.2.4): a Float or Double that is not a number or infinite is one of the JSON strings "NaN", "Infinity" and
#           "-Infinity". (5.4.1, 5.4.2.17, 5.4.2.18) The compact encoding leaves out a field with the default value of its type, so {"UaType":6} is the
#           Int32 0 and {"UaType":1} is false. A DataValue has the fields of its Variant, so {"UaType":6,"Value":0} is 0 as well.
# Seen:     NaN and infinity are null in all encodings, although the library reads the strings. An array [1, NaN] comes back as [1, 0]. Of a DataValue,
#           0 and false are read as a Null without type, in the compact and in the verbose encoding. As Variants, 0 and false raise an error in
#           the compact encoding that the library wrote itself.
# So:       a sensor that reports a fault as NaN seems to report nothing, and a switch that turns off or a counter at 0 has no value.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-opcua-json@2.186.4 >/dev/null 2>&1

cat >try.js <<'JS'
const { DataType, Variant, VariantArrayType } = require('node-opcua-variant');
const { DataValue } = require('node-opcua-data-value');
const json = require('node-opcua-json');
const { Verbose, Compact, DeprecatedReversible } = json.JsonEncodingScheme;
const attempt = (work) => { try { return work(); } catch (error) { return 'raises an error'; } };
const show = ({ dataType, value }) => `${DataType[dataType]} ${ArrayBuffer.isView(value) ? `[${[...value]}]` : value}`;
const readVariant = (text) => attempt(() => show(json.opcuaJsonDecodeVariant(JSON.parse(text), {}, [])));
const readDataValue = (text) => attempt(() => show(json.opcuaJsonDecodeDataValue(JSON.parse(text), {}, []).value));

const VALUES = [['Double', NaN], ['Float', -Infinity], ['Double', new Float64Array([1, NaN])], ['Int32', 0], ['Boolean', false], ['Int32', 7]];
for (const [name, scheme] of Object.entries({ Verbose, Compact, DeprecatedReversible })) {
  for (const [type, value] of VALUES) {
    const arrayType = ArrayBuffer.isView(value) ? VariantArrayType.Array : VariantArrayType.Scalar;
    const variant = new Variant({ dataType: DataType[type], arrayType, value });
    const one = JSON.stringify(json.opcuaJsonEncodeVariant(variant, scheme, []));
    const two = JSON.stringify(json.opcuaJsonEncodeDataValue(new DataValue({ value: variant }), scheme, []));
    console.log(name, show(variant), '| Variant', one, readVariant(one), '| DataValue', two, readDataValue(two));
  }
}
for (const text of ['{"UaType":11,"Value":"NaN"}', '{"UaType":10,"Value":"-Infinity"}']) console.log('read', text, '|', readVariant(text));
JS
node try.js | tee seen
cat >expected <<'TEXT'
Verbose Double NaN | Variant {"UaType":11,"Value":null} Double null | DataValue {"UaType":11,"Value":null} Null null
Verbose Float -Infinity | Variant {"UaType":10,"Value":null} Float null | DataValue {"UaType":10,"Value":null} Null null
Verbose Double [1,NaN] | Variant {"UaType":11,"Value":[1,null]} Double [1,0] | DataValue {"UaType":11,"Value":[1,null]} Double [1,0]
Verbose Int32 0 | Variant {"UaType":6,"Value":0} Int32 0 | DataValue {"UaType":6,"Value":0} Null null
Verbose Boolean false | Variant {"UaType":1,"Value":false} Boolean false | DataValue {"UaType":1,"Value":false} Null null
Verbose Int32 7 | Variant {"UaType":6,"Value":7} Int32 7 | DataValue {"UaType":6,"Value":7} Int32 7
Compact Double NaN | Variant {"UaType":11,"Value":null} Double null | DataValue {"UaType":11,"Value":null} Null null
Compact Float -Infinity | Variant {"UaType":10,"Value":null} Float null | DataValue {"UaType":10,"Value":null} Null null
Compact Double [1,NaN] | Variant {"UaType":11,"Value":[1,null]} Double [1,0] | DataValue {"UaType":11,"Value":[1,null]} Double [1,0]
Compact Int32 0 | Variant {"UaType":6} raises an error | DataValue {"UaType":6} Null null
Compact Boolean false | Variant {"UaType":1} raises an error | DataValue {"UaType":1} Null null
Compact Int32 7 | Variant {"UaType":6,"Value":7} Int32 7 | DataValue {"UaType":6,"Value":7} Int32 7
DeprecatedReversible Double NaN | Variant {"Type":11,"Body":null} Double null | DataValue {"Value":{"Type":11,"Body":null}} Double null
DeprecatedReversible Float -Infinity | Variant {"Type":10,"Body":null} Float null | DataValue {"Value":{"Type":10,"Body":null}} Float null
DeprecatedReversible Double [1,NaN] | Variant {"Type":11,"Body":[1,null]} Double [1,0] | DataValue {"Value":{"Type":11,"Body":[1,null]}} Double [1,0]
DeprecatedReversible Int32 0 | Variant {"Type":6,"Body":0} Int32 0 | DataValue {"Value":{"Type":6,"Body":0}} Int32 0
DeprecatedReversible Boolean false | Variant {"Type":1,"Body":false} Boolean false | DataValue {"Value":{"Type":1,"Body":false}} Boolean false
DeprecatedReversible Int32 7 | Variant {"Type":6,"Body":7} Int32 7 | DataValue {"Value":{"Type":6,"Body":7}} Int32 7
read {"UaType":11,"Value":"NaN"} | Double NaN
read {"UaType":10,"Value":"-Infinity"} | Float -Infinity
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "node-opcua-json 2.186.4: as described"
