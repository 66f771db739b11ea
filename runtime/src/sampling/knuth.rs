//! The hash all Datadog libraries agree on, so that every process keeps the same traces at the same rate.

/// Source: `knuthFactor` in `ddtrace/tracer/sampler.go` of DataDog/dd-trace-go.
const FACTOR: u64 = 1_111_111_111_111_111_111;

/// Whether an id is kept at a rate of 0.0 to 1.0: the low half of a trace id, or a span id for single spans.
///
/// A rate of 1 or above keeps all; 0, below, or not a number rejects all.
pub(crate) fn is_kept(id: u64, rate: f64) -> bool {
    if rate >= 1.0 {
        return true;
    }
    // The conversion saturates, and takes what is not a number as zero.
    rate > 0.0 && hash(id) <= (rate * u64::MAX as f64) as u64
}

const fn hash(id: u64) -> u64 {
    id.wrapping_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_gives_the_known_vectors() {
        // id, hash, kept at 0.1, 0.25, 0.5, 0.75
        let vectors: [(u64, u64, [bool; 4]); 12] = [
            (1, 1_111_111_111_111_111_111, [true, true, true, true]),
            (2, 2_222_222_222_222_222_222, [false, true, true, true]),
            (7, 7_777_777_777_777_777_777, [false, false, true, true]),
            (10, 11_111_111_111_111_111_110, [false, false, false, true]),
            (100, 430_646_668_853_801_404, [true, true, true, true]),
            (1000, 4_306_466_688_538_014_040, [false, true, true, true]),
            (12_345, 10_735_819_900_469_814_607, [false, false, false, true]),
            (123_456_789, 15_210_246_968_391_938_131, [false, false, false, false]),
            (3_735_928_559, 1_966_054_012_198_513_353, [false, true, true, true]),
            (1 << 63, 9_223_372_036_854_775_808, [false, false, true, true]),
            ((1 << 63) - 1, 8_112_260_925_743_664_697, [false, false, true, true]),
            (u64::MAX, 17_335_632_962_598_440_505, [false, false, false, false]),
        ];
        for (id, expected, kept) in vectors {
            assert_eq!(hash(id), expected, "{id}");
            assert_eq!([0.1, 0.25, 0.5, 0.75].map(|rate| is_kept(id, rate)), kept, "{id}");
        }
        assert!(is_kept(u64::MAX, 0.99));
    }

    #[test]
    fn rates_at_and_beyond_the_ends_keep_all_or_nothing() {
        for id in [0, 1, u64::MAX, 16_140_901_064_495_857_665] {
            assert!(is_kept(id, 1.0) && is_kept(id, 7.0));
            assert!(!is_kept(id, 0.0) && !is_kept(id, -1.0) && !is_kept(id, f64::NAN));
        }
    }
}
