#!/usr/bin/env bash
# Readers of Well-known text, in which positions and areas are written, give other shapes: npm wicket 1.3.8 and wkt 0.1.1 and PyPI geodaisy 0.1.1,
# beside PyPI pygeoconv 1.0.1.
#
# Expected (OGC 06-103r4, Simple feature access, part 1, 7.2): a number may have an exponent, such as 1e3. A polygon is a list of rings, and a ring is a list of points;
#           the other rings are holes. Z follows the name of a geometry with a third coordinate. A collection has any geometries, and any geometry may be
#           EMPTY, also inside of another one. No space is needed after a comma.
# Seen:     wicket reads 5e-05 as 5 and 5.15E1 as 5.15, without an error, leaves an empty part out, and throws for Z, EMPTY and collections. geodaisy needs a space
#           after each comma: without, a line of two points is one point of four numbers, a polygon with a hole is a ring of two points of eight numbers, and one
#           without a hole raises an error, as do Z, EMPTY and collections. wkt gives null for EMPTY, also for all polygons of which one is empty. pygeoconv
#           reads all but the empty part.
# So:       a sensor near the Greenwich meridian, at 5e-05 degrees, is drawn five degrees away, and an area with a hole is no area.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts wicket@1.3.8 wkt@0.1.1 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q geodaisy==0.1.1 pygeoconv==1.0.1

cat >shapes <<'TEXT'
POINT (5.5 51.5)
POINT (5e-05 5.15E1)
POINT Z (5.5 51.5 2)
POINT EMPTY
LINESTRING (1 2, 3 4)
LINESTRING (1 2,3 4)
POLYGON ((0 0, 4 0, 4 4, 0 0))
POLYGON ((0 0,4 0,4 4,0 0))
POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1))
MULTILINESTRING ((1 2,3 4),(5 6,7 8))
MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), EMPTY)
GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (1 2,3 4))
TEXT
cat >try.js <<'JS'
const { readFileSync } = require('fs');
const { Wkt } = require('wicket');
const { parse } = require('wkt');
const print = (...values) => process.stdout.write(`${values.join(' ')}\n`);
console.log = () => {};
console.error = () => {};
const LIBRARIES = { wicket: (text) => new Wkt(text).toJson(), wkt: parse };
for (const text of readFileSync('shapes', 'utf8').trimEnd().split('\n')) {
  for (const [name, read] of Object.entries(LIBRARIES)) {
    try {
      const found = read(text);
      print(text, '|', name, '|', JSON.stringify(found && (found.coordinates ?? found.geometries)));
    } catch (error) {
      print(text, '|', name, '| throws');
    }
  }
}
JS
cat >try.py <<'PY'
import json
from geodaisy.converters import wkt_to_geo_interface
from pygeoconv import wkt_to_geojson
for text in open('shapes'):
    for name, read in (('geodaisy', wkt_to_geo_interface), ('pygeoconv', wkt_to_geojson)):
        try:
            found = read(text.rstrip('\n'))
            print(text.rstrip('\n'), '|', name, '|', json.dumps(found.get('coordinates', found.get('geometries')), separators=(',', ':')))
        except Exception as error:
            print(text.rstrip('\n'), '|', name, '| raises', type(error).__name__)
PY
{ node try.js; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
POINT (5.5 51.5) | wicket | [5.5,51.5]
POINT (5.5 51.5) | wkt | [5.5,51.5]
POINT (5e-05 5.15E1) | wicket | [5,5.15]
POINT (5e-05 5.15E1) | wkt | [0.00005,51.5]
POINT Z (5.5 51.5 2) | wicket | throws
POINT Z (5.5 51.5 2) | wkt | [5.5,51.5,2]
POINT EMPTY | wicket | throws
POINT EMPTY | wkt | null
LINESTRING (1 2, 3 4) | wicket | [[1,2],[3,4]]
LINESTRING (1 2, 3 4) | wkt | [[1,2],[3,4]]
LINESTRING (1 2,3 4) | wicket | [[1,2],[3,4]]
LINESTRING (1 2,3 4) | wkt | [[1,2],[3,4]]
POLYGON ((0 0, 4 0, 4 4, 0 0)) | wicket | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0, 4 0, 4 4, 0 0)) | wkt | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0,4 0,4 4,0 0)) | wicket | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0,4 0,4 4,0 0)) | wkt | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1)) | wicket | [[[0,0],[4,0],[4,4],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]
POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1)) | wkt | [[[0,0],[4,0],[4,4],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]
MULTILINESTRING ((1 2,3 4),(5 6,7 8)) | wicket | [[[1,2],[3,4]],[[5,6],[7,8]]]
MULTILINESTRING ((1 2,3 4),(5 6,7 8)) | wkt | [[[1,2],[3,4]],[[5,6],[7,8]]]
MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), EMPTY) | wicket | [[[[0,0],[4,0],[4,4],[0,0]]]]
MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), EMPTY) | wkt | null
GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (1 2,3 4)) | wicket | throws
GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (1 2,3 4)) | wkt | [{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2],[3,4]]}]
POINT (5.5 51.5) | geodaisy | [5.5,51.5]
POINT (5.5 51.5) | pygeoconv | [5.5,51.5]
POINT (5e-05 5.15E1) | geodaisy | [5e-05,51.5]
POINT (5e-05 5.15E1) | pygeoconv | [5e-05,51.5]
POINT Z (5.5 51.5 2) | geodaisy | raises ValueError
POINT Z (5.5 51.5 2) | pygeoconv | [5.5,51.5,2]
POINT EMPTY | geodaisy | raises ValueError
POINT EMPTY | pygeoconv | []
LINESTRING (1 2, 3 4) | geodaisy | [[1,2],[3,4]]
LINESTRING (1 2, 3 4) | pygeoconv | [[1,2],[3,4]]
LINESTRING (1 2,3 4) | geodaisy | [1,2,3,4]
LINESTRING (1 2,3 4) | pygeoconv | [[1,2],[3,4]]
POLYGON ((0 0, 4 0, 4 4, 0 0)) | geodaisy | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0, 4 0, 4 4, 0 0)) | pygeoconv | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0,4 0,4 4,0 0)) | geodaisy | raises ValueError
POLYGON ((0 0,4 0,4 4,0 0)) | pygeoconv | [[[0,0],[4,0],[4,4],[0,0]]]
POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1)) | geodaisy | [[[0,0,4,0,4,4,0,0],[2,1,3,1,3,2,2,1]]]
POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1)) | pygeoconv | [[[0,0],[4,0],[4,4],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]
MULTILINESTRING ((1 2,3 4),(5 6,7 8)) | geodaisy | [[1,2,3,4],[5,6,7,8]]
MULTILINESTRING ((1 2,3 4),(5 6,7 8)) | pygeoconv | [[[1,2],[3,4]],[[5,6],[7,8]]]
MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), EMPTY) | geodaisy | raises ValueError
MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), EMPTY) | pygeoconv | raises WktParserError
GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (1 2,3 4)) | geodaisy | raises ValueError
GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (1 2,3 4)) | pygeoconv | [{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2],[3,4]]}]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
