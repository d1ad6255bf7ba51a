//! Numbers as JSON: floats, of which JSON lacks infinities and NaN, and integers of any size.

use crate::json::Writer;

/// The longest bignum in bytes that is written in digits; the conversion takes quadratic time.
const MAX_BIGNUM: usize = 1024;

/// Nine decimal digits are converted at a time.
const LIMB: u64 = 1_000_000_000;

/// A number of double precision.
pub(super) fn float(value: f64, json: &mut Writer<'_>) {
    if value.is_finite() { json.literal(format_args!("{value:?}")) } else { json.string(&value.to_string()) }
}

/// A number of single precision. Integral values are written exactly, since the shortest digits that identify the float
/// (123456790.0) differ from its value (123456792.0); other values have the shortest digits.
pub(super) fn single(value: f32, json: &mut Writer<'_>) {
    if !value.is_finite() {
        return json.string(&value.to_string());
    }
    if value.fract() != 0.0 || value == 0.0 {
        return json.literal(format_args!("{value:?}"));
    }
    // Every integral float is below 2^128.
    let sign = if value < 0.0 { "-" } else { "" };
    json.literal(format_args!("{sign}{}.0", value.abs() as u128));
}

/// The digits of a big-endian unsigned integer plus `addend`; `None` if it is too long.
pub(super) fn bignum(bytes: &[u8], addend: u8) -> Option<String> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = bytes.get(start..).filter(|bytes| bytes.len() <= MAX_BIGNUM)?;
    // The lowest limb comes first.
    let mut limbs = vec![0];
    for byte in bytes {
        multiply_add(&mut limbs, 256, (*byte).into());
    }
    multiply_add(&mut limbs, 1, addend.into());
    let (highest, rest) = limbs.split_last()?;
    let rest = rest.iter().rev().map(|limb| format!("{limb:09}"));
    Some(std::iter::once(highest.to_string()).chain(rest).collect())
}

fn multiply_add(limbs: &mut Vec<u64>, factor: u64, addend: u64) {
    let mut carry = addend;
    for limb in limbs.iter_mut() {
        let value = *limb * factor + carry;
        (*limb, carry) = (value % LIMB, value / LIMB);
    }
    if carry > 0 {
        limbs.push(carry);
    }
}
