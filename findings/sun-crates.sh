#!/usr/bin/env bash
# Two crates that tell automations when the sun rises and sets, sun 0.3.1 and suncalc 0.4.0, say that the night of a summer in London began on
# 1 January 1970.
#
# Expected (U.S. Naval Observatory, "Rise, Set, and Twilight Definitions") Astronomical twilight ends when the sun is 18 degrees below the horizon, nautical twilight at
#           12 degrees. In high latitudes, there are days on which the sun does not rise or set, and nights in which it is not as low, so that these
#           times do not exist. (suncalc for JavaScript, of which both are ports) Such times are invalid dates.
# Seen:     both compute with not-a-number and cast it to an integer, which is 0 in Rust: the time 0 ms is returned, with nothing to tell it from a time. In London,
#           this is so for the beginning and end of the night in June, in Tromsoe for sunrise and sunset in December, and for these and twilight in June. The
#           crates have no other result for it, neither None nor an error.
# So:       a rule "after the end of twilight" is true for the whole of such a day, and one that waits for the time never begins, or begins at once. Take 0 for "not
#           today", and look at the altitude of the sun instead.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "blinds"
version = "1.0.0"
edition = "2021"
[dependencies]
sun = "=0.3.1"
suncalc = "=0.4.0"
TOML
cat >src/main.rs <<'RUST'
use sun::SunPhase;

/// The hour and minute of the time on its day, or the date 0.
fn time(millis: i64) -> String {
    match millis {
        0 => "1970-01-01".into(),
        _ => format!("{:02}:{:02}", millis.div_euclid(3_600_000) % 24, millis.div_euclid(60_000) % 60),
    }
}

fn main() {
    let (december, march, june) = (1_797_854_400_000, 1_774_008_000_000, 1_782_043_200_000);
    for (day, noon) in [("2026-12-21", december), ("2026-03-20", march), ("2026-06-21", june)] {
        for (place, latitude, longitude) in [("London", 51.5, -0.13), ("Tromsoe", 69.65, 18.96)] {
            println!("{place}, {day}");
            let at = |phase| time(sun::time_at_phase(noon, phase, latitude, longitude, 0.0));
            println!(
                "  sun      sunrise {}, sunset {}, nautical dusk {}, night {} to {}",
                at(SunPhase::Sunrise),
                at(SunPhase::Sunset),
                at(SunPhase::NauticalDusk),
                at(SunPhase::Night),
                at(SunPhase::NightEnd)
            );
            let found = suncalc::get_times(suncalc::Timestamp(noon), latitude, longitude, None);
            println!(
                "  suncalc  sunrise {}, sunset {}, nautical dusk {}, night {} to {}, noon {}",
                time(found.sunrise.0),
                time(found.sunset.0),
                time(found.nautical_dusk.0),
                time(found.night.0),
                time(found.night_end.0),
                time(found.solar_noon.0)
            );
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
London, 2026-12-21
  sun      sunrise 08:04, sunset 15:54, nautical dusk 17:18, night 17:58 to 06:00
  suncalc  sunrise 08:04, sunset 15:54, nautical dusk 17:18, night 17:58 to 06:00, noon 11:59
Tromsoe, 2026-12-21
  sun      sunrise 1970-01-01, sunset 1970-01-01, nautical dusk 14:38, night 15:57 to 05:29
  suncalc  sunrise 1970-01-01, sunset 1970-01-01, nautical dusk 14:38, night 15:57 to 05:29, noon 10:43
London, 2026-03-20
  sun      sunrise 06:05, sunset 18:13, nautical dusk 19:26, night 20:07 to 04:11
  suncalc  sunrise 06:05, sunset 18:13, nautical dusk 19:26, night 20:07 to 04:11, noon 12:09
Tromsoe, 2026-03-20
  sun      sunrise 04:46, sunset 17:00, nautical dusk 19:16, night 20:58 to 00:47
  suncalc  sunrise 04:46, sunset 17:00, nautical dusk 19:16, night 20:58 to 00:47, noon 10:53
London, 2026-06-21
  sun      sunrise 03:44, sunset 20:22, nautical dusk 22:25, night 1970-01-01 to 1970-01-01
  suncalc  sunrise 03:44, sunset 20:22, nautical dusk 22:25, night 1970-01-01 to 1970-01-01, noon 12:03
Tromsoe, 2026-06-21
  sun      sunrise 1970-01-01, sunset 1970-01-01, nautical dusk 1970-01-01, night 1970-01-01 to 1970-01-01
  suncalc  sunrise 1970-01-01, sunset 1970-01-01, nautical dusk 1970-01-01, night 1970-01-01 to 1970-01-01, noon 10:47
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "sun 0.3.1 and suncalc 0.4.0: as described"
