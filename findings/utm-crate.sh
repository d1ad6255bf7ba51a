#!/usr/bin/env bash
# The crate utm 0.1.6, with which Rust programs draw positions on maps, gives angles between map north and true north of another place in the southern
# half of the world, has the equator in both halves, a zone 61, and moves positions when it converts them back.
#
# Expected (NGA.SIG.0012_2.0.0_UTMUPS, UTM) There are zones 1 to 60, where 180 degrees east is the edge of zone 1. 10,000,000 is added to northings of the southern half
#           only; band N begins at the equator. (ICSM, Geocentric Datum of Australia Technical Manual, worked example) Flinders Peak, 37 57 03.7203 S 144 25 29.5244 E,
#           is 273741.297 E 5796489.777 N in zone 55, with a grid convergence of -1 35 03.65. Points as far north and south of the equator have the
#           same convergence with the other sign: the map is a mirror image.
# Seen:     positions are right to a millimetre. The convergence is computed from the northing with the 10,000,000 in it, as that of a place in the northern
#           half: that of Flinders Peak is 2.6241 degrees, and a degree south of the equator it is 38 degrees, in place of a hundredth of one. On the equator,
#           to_utm gives the northing 10,000,000 and lat_to_zone_letter gives N, which the way back takes for no place on Earth. 180 degrees is in zone 61,
#           which the way back refuses. On the way back, a place near the edge of its zone at the equator is off by nearly a metre.
# So:       turn by this angle in the north only, and elsewhere compute with the mirrored latitude and change the sign.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "map"
version = "1.0.0"
edition = "2021"
[dependencies]
utm = "=0.1.6"
TOML
cat >src/main.rs <<'RUST'
use utm::*;

fn degrees(degrees: f64, minutes: f64, seconds: f64) -> f64 {
    degrees + minutes / 60.0 + seconds / 3600.0
}

fn show(name: &str, latitude: f64, longitude: f64) {
    let zone = lat_lon_to_zone_number(latitude, longitude);
    let letter = lat_to_zone_letter(latitude).unwrap();
    let (northing, easting, convergence) = to_utm_wgs84(latitude, longitude, zone);
    println!("{name}");
    let convergence = if convergence.abs() < 2.0 { format!("{:.4} degrees", convergence.to_degrees()) } else { "more than a right angle".into() };
    println!("  {zone}{letter} {easting:.3} E {northing:.3} N, convergence {convergence}");
    match wsg84_utm_to_lat_lon(easting, northing, zone, letter) {
        Ok((back, along)) if back.abs() > 90.0 || along.abs() > 200.0 => println!("  and back no place on Earth"),
        Ok((back, along)) => {
            let north = (back - latitude) * 111_000.0;
            let east = (along - longitude) * 111_000.0 * latitude.to_radians().cos();
            println!("  and back {back:.6} {along:.6}, off by {:.1} m", north.hypot(east));
        }
        Err(error) => println!("  and back {error:?}"),
    }
}

fn main() {
    let (latitude, longitude) = (degrees(37.0, 57.0, 3.7203), degrees(144.0, 25.0, 29.5244));
    show("Flinders Peak", -latitude, longitude);
    println!("  by the manual: 273741.297 E 5796489.777 N, convergence {:.4} degrees", -degrees(1.0, 35.0, 3.65));
    show("as far north of the equator", latitude, longitude);
    show("a degree south of the equator", -1.0, 34.0);
    show("a degree north of the equator", 1.0, 34.0);
    show("on the equator", 0.0, 34.0);
    show("180 degrees east", -17.0, 180.0);
    show("180 degrees west", -17.0, -180.0);
    show("on the edge of zone 36", 0.5, 30.001);
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
Flinders Peak
  55H 273741.297 E 5796489.777 N, convergence 2.6241 degrees
  and back -37.951033 144.424866, off by 0.1 m
  by the manual: 273741.297 E 5796489.777 N, convergence -1.5843 degrees
as far north of the equator
  55S 273741.297 E 4203510.223 N, convergence 1.5843 degrees
  and back 37.951033 144.424866, off by 0.1 m
a degree south of the equator
  36M 611263.812 E 9889452.894 N, convergence -38.1544 degrees
  and back -1.000000 34.000000, off by 0.0 m
a degree north of the equator
  36N 611263.812 E 110547.106 N, convergence -0.0175 degrees
  and back 1.000000 34.000000, off by 0.0 m
on the equator
  36N 611280.651 E 10000000.000 N, convergence more than a right angle
  and back no place on Earth
180 degrees east
  61K 180548.447 E 8117998.191 N, convergence 9.3602 degrees
  and back ZoneNumOutOfRange
180 degrees west
  1K 180548.447 E 8117998.191 N, convergence 9.3602 degrees
  and back -17.000000 -180.000006, off by 0.6 m
on the edge of zone 36
  36N 166145.523 E 55341.337 N, convergence 0.0262 degrees
  and back 0.500000 30.000993, off by 0.8 m
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "utm 0.1.6: as described"
