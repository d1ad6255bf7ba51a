#!/usr/bin/env bash
# The crate vcard4 0.7.3, which reads and writes address books (vCard 4), moves the parts of addresses and names, and makes birthdays without a year ones of the
# year 0.
#
# Expected (RFC 6350): in a list or a structure, a comma or a semicolon that belongs to the text is escaped with a backslash (3.4, 4.1); so the value is divided first, and
#           then escapes are removed. A date may leave out the year, --0412 is 12 April, or the year and the month, ---12, or have a year or a year and a month only,
#           1985 and 1985-04 (4.3.1). What is missing is not known: 1985-04 is not the first of April.
# Seen:     the escapes are removed first: ADR:;;Haus 3\; 2. Stock;Stadt;;12345;Land has " 2. Stock" as the city, the city as the region and Land lost in "12345;Land"; ORG:Doe\;
#           Sons;Sales has three units, CATEGORIES:a\,b,c three categories, and N of "Doe\; Jr;John" a first name " Jr". --0412 is 0000-04-12, ---12 is 0000-01-12, and 1985-04 is
#           1985-04-01, 1985 is 1985-01-01, and they are written as such. Without such characters, and with whole dates, all is right.
# So:       each address book that passes through the program has other streets and cities, and everyone who hides the year is two thousand years old.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "addresses"
version = "1.0.0"
edition = "2021"
[dependencies]
vcard4 = { version = "=0.7.3", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use vcard4::Vcard;

fn card(line: &str) -> Vcard {
    let text = format!("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Test\r\n{line}\r\nEND:VCARD\r\n");
    vcard4::parse(&text).unwrap().remove(0)
}

fn main() {
    for line in [
        r"ADR:;;Haus 3;Stadt;;12345;Land",
        r"ADR:;;Haus 3\; 2. Stock;Stadt;;12345;Land",
        r"ORG:Doe and Sons;Sales",
        r"ORG:Doe\; Sons;Sales",
        r"CATEGORIES:a,b,c",
        r"CATEGORIES:a\,b,c",
        r"N:Doe;John;;;",
        r"N:Doe\; Jr;John;;;",
        r"NOTE:one\; two\, three",
        "BDAY:19850412",
        "BDAY:--0412",
        "BDAY:---12",
        "BDAY:1985-04",
        "BDAY:1985",
    ] {
        let found = card(line);
        let parts = if let Some(address) = found.address.first() {
            format!("street {:?} locality {:?} region {:?} code {:?} country {:?}", address.value.street_address.as_deref().unwrap_or(""), address.value.locality.as_deref().unwrap_or(""), address.value.region.as_deref().unwrap_or(""), address.value.postal_code.as_deref().unwrap_or(""), address.value.country_name.as_deref().unwrap_or(""))
        } else if let Some(name) = &found.name {
            format!("{:?}", name.value)
        } else if let Some(list) = found.org.first().or(found.categories.first()) {
            format!("{:?}", list.value)
        } else {
            String::new()
        };
        let written = found.to_string();
        let written = written.lines().find(|text| text.split(':').next() == line.split(':').next()).unwrap_or("nothing");
        println!("{line} | {parts} | {written}");
    }
}
RUST
cargo run -q 2>cargo.log | tee seen || { cat cargo.log; exit 1; }
cat >expected <<'TEXT'
ADR:;;Haus 3;Stadt;;12345;Land | street "Haus 3" locality "Stadt" region "" code "12345" country "Land" | ADR:;;Haus 3;Stadt;;12345;Land
ADR:;;Haus 3\; 2. Stock;Stadt;;12345;Land | street "Haus 3" locality " 2. Stock" region "Stadt" code "" country "12345;Land" | ADR:;;Haus 3; 2. Stock;Stadt;;12345\;Land
ORG:Doe and Sons;Sales | ["Doe and Sons", "Sales"] | ORG:Doe and Sons;Sales
ORG:Doe\; Sons;Sales | ["Doe", " Sons", "Sales"] | ORG:Doe; Sons;Sales
CATEGORIES:a,b,c | ["a", "b", "c"] | CATEGORIES:a,b,c
CATEGORIES:a\,b,c | ["a", "b", "c"] | CATEGORIES:a,b,c
N:Doe;John;;; | ["Doe", "John", "", "", ""] | N:Doe;John;;;
N:Doe\; Jr;John;;; | ["Doe", " Jr", "John", "", "", ""] | N:Doe; Jr;John;;;
NOTE:one\; two\, three |  | NOTE:one; two\, three
BDAY:19850412 |  | BDAY:19850412
BDAY:--0412 |  | BDAY:00000412
BDAY:---12 |  | BDAY:00000112
BDAY:1985-04 |  | BDAY:19850401
BDAY:1985 |  | BDAY:19850101
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "vcard4 0.7.3: as described"
