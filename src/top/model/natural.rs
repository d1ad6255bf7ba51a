//! The order of names: numbers in them count as numbers, so that `room9` comes before `room10`.

use std::cmp::Ordering;

/// Compares two names. Names that differ only in leading zeros have an order as well, so that equal means identical.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.as_bytes(), other.as_bytes());
    loop {
        let shared = left.iter().zip(right).take_while(|(a, b)| a == b && !a.is_ascii_digit()).count();
        left = left.get(shared..).unwrap_or_default();
        right = right.get(shared..).unwrap_or_default();
        let (Some(a), Some(b)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len()).then_with(|| one.cmp(other));
        };
        if !(a.is_ascii_digit() && b.is_ascii_digit()) {
            return a.cmp(b);
        }
        let (number, after) = split_number(left);
        let (other_number, other_after) = split_number(right);
        let order = number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (after, other_after);
    }
}

/// The digits at the start without leading zeros, and the text after them.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), after)
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let mut names =
            ["b", "a10", "a9", "a", "a09", "10", "9", "a9b2", "a9b10", "", "99999999999999999999999", "é"];
        names.sort_by(|one, other| compare(one, other));
        assert_eq!(
            names,
            ["", "9", "10", "99999999999999999999999", "a", "a09", "a9", "a9b2", "a9b10", "a10", "b", "é"]
        );
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_total(one in "[a0-9]{0,6}", two in "[a0-9]{0,6}", three in "[a0-9]{0,6}") {
            let order = |a: &str, b: &str| compare(a, b);
            proptest::prop_assert_eq!(order(&one, &two), order(&two, &one).reverse());
            proptest::prop_assert_eq!(order(&one, &two).is_eq(), one == two);
            if order(&one, &two).is_lt() && order(&two, &three).is_lt() {
                proptest::prop_assert!(order(&one, &three).is_lt());
            }
        }
    }
}
