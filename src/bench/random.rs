//! Random numbers that can be repeated: each follows from a seed, a publisher and a count, without a state.

/// The number with this index of a publisher.
pub(super) fn random(seed: u64, publisher: u32, index: u64) -> u64 {
    mix(mix(seed ^ (u64::from(publisher) << 32)) ^ index)
}

/// A number below `end`; 0 if that is 0.
pub(super) fn below(random: u64, end: u64) -> u64 {
    let scaled = (u128::from(random) * u128::from(end)) >> u64::BITS;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// A number in which each bit depends on every bit of `number`: the step and the finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly() {
        let mut counts = [0_u32; 10];
        for number in 0..10_000 {
            let index = below(random(7, number % 100, u64::from(number / 100)), 10);
            counts[index as usize] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 150), "{counts:?}");
        assert_eq!([below(u64::MAX, 10), below(0, 10), below(u64::MAX, 0)], [9, 0, 0]);
    }
}
