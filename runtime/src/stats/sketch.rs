//! The distribution of durations, good to one percent: a `DDSketch` of logarithmic bins.
//!
//! Source: `ddsketch/` of DataDog/sketches-go for bins and protobuf fields; `ddtrace/tracer/stats.go` of
//! DataDog/dd-trace-go for the accuracy.

/// Counts of durations in bins whose borders grow by [`GAMMA`].
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    /// The index of the first bin.
    first: i32,
    /// The bins from there on, without a gap.
    counts: Vec<u32>,
    /// Durations of 0, which has no logarithm.
    zeros: u32,
}

/// `1.01 / 0.99`: the middle of a bin is at most 1 % off.
const GAMMA: f64 = 1.01 / 0.99;
/// One divided by the logarithm of [`GAMMA`].
const BINS_PER_E: f64 = 49.998_333_288_886_78;
/// More bins than this are not kept: the lowest become one.
const MAX_BINS: usize = 2_048;
/// Durations are known to so many binary places before they are counted.
const PRECISION: u32 = 10;

impl Sketch {
    /// Counts a duration in nanoseconds. Where memory is short, one outside of the bins there are is counted in the nearest.
    pub(super) fn add(&mut self, duration_ns: u64, may_grow: bool) {
        let Some(index) = index(duration_ns) else {
            self.zeros = self.zeros.saturating_add(1);
            return;
        };
        let place = i64::from(index) - i64::from(self.first);
        let place = match usize::try_from(place) {
            Ok(place) if place < self.counts.len() => place,
            _ => self.place_beyond(index, may_grow),
        };
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }

    /// Bytes of memory held.
    pub(super) fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u32>()
    }

    /// The place of a bin that is not there yet, made if it may be.
    #[cold]
    fn place_beyond(&mut self, index: i32, may_grow: bool) -> usize {
        let (first, len) = (self.first, self.counts.len());
        if len == 0 {
            (self.first, self.counts) = (index, vec![0]);
            return 0;
        }
        let last = first + len as i32 - 1;
        if !may_grow {
            return if index < first { 0 } else { len - 1 };
        }
        if index < first {
            let lowest = index.max(last - (MAX_BINS as i32 - 1)).min(first);
            self.counts.splice(..0, std::iter::repeat_n(0, (first - lowest) as usize));
            self.first = lowest;
            return 0;
        }
        let lowest = first.max(index - (MAX_BINS as i32 - 1));
        let collapsed = ((lowest - first) as usize).min(len);
        let below = self.counts.drain(..collapsed).fold(0_u32, u32::saturating_add);
        self.counts.resize((index - lowest) as usize + 1, 0);
        self.first = lowest;
        if let Some(count) = self.counts.first_mut() {
            *count = count.saturating_add(below);
        }
        (index - lowest) as usize
    }

    /// The sketch as protobuf: `{1: mapping {1: gamma}, 2: positive {2: counts, 3: first}, 3: negative {}, 4: zeros}`.
    pub(super) fn to_protobuf(&self) -> Vec<u8> {
        let mut out = vec![0x0a, 9, 0x09];
        out.extend(GAMMA.to_le_bytes());
        let mut store = Vec::new();
        if !self.counts.is_empty() {
            store.push(0x12);
            put_varint(&mut store, 8 * self.counts.len() as u64);
            store.extend(self.counts.iter().flat_map(|count| f64::from(*count).to_le_bytes()));
            if self.first != 0 {
                store.push(0x18);
                put_varint(&mut store, u64::from((self.first << 1 ^ self.first >> 31) as u32));
            }
        }
        out.push(0x12);
        put_varint(&mut out, store.len() as u64);
        out.extend(store);
        out.extend([0x1a, 0]);
        if self.zeros > 0 {
            out.push(0x21);
            out.extend(f64::from(self.zeros).to_le_bytes());
        }
        out
    }
}

/// The bin of a duration in nanoseconds; none for 0.
fn index(duration_ns: u64) -> Option<i32> {
    let beyond = (u64::BITS - duration_ns.leading_zeros()).saturating_sub(PRECISION);
    let known = duration_ns >> beyond << beyond;
    // Whole numbers from 1 on have a logarithm from 0 on, so that cutting is rounding down.
    (known > 0).then(|| ((known as f64).ln() * BINS_PER_E) as i32)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sketch(durations: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        for duration in durations {
            sketch.add(*duration, true);
        }
        sketch
    }

    fn hex(sketch: &Sketch) -> String {
        let bytes = sketch.to_protobuf();
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    #[test]
    fn protobuf_is_that_of_the_known_vectors() {
        assert_eq!(hex(&sketch(&[])), "0a0909fd4a815abf52f03f12001a00");
        let one = "0a0909fd4a815abf52f03f120d1208000000000000f03f18e40a1a00";
        assert_eq!(hex(&sketch(&[1_000_000])), one);
        assert_eq!(hex(&sketch(&[0])), "0a0909fd4a815abf52f03f12001a0021000000000000f03f");
    }

    #[test]
    fn bins_are_those_of_the_accuracy() {
        assert!((1.0 / GAMMA.ln() - BINS_PER_E).abs() < 1e-9);
        let bins = [1, 2, 1_000, 1_000_000, u64::MAX].map(|duration| index(duration).unwrap());
        assert_eq!((bins, index(0)), ([0, 34, 345, 690, 2_217], None));
        // Ten binary places: the eleventh says nothing.
        assert_eq!(index(1_000_000), index(999_424));
    }

    #[test]
    fn lowest_bins_become_one_where_there_are_too_many() {
        for durations in [[1, 1, 3, u64::MAX], [u64::MAX, 3, 1, 1], [1, u64::MAX, 3, 1]] {
            let sketch = sketch(&durations);
            assert_eq!((sketch.counts.len(), sketch.first), (MAX_BINS, 2_217 - 2_047), "{durations:?}");
            assert_eq!((sketch.counts[0], sketch.counts[MAX_BINS - 1]), (3, 1), "{durations:?}");
        }
    }

    #[test]
    fn without_memory_the_nearest_bin_counts() {
        let mut sketch = Sketch::default();
        for duration in [1_000, 1, 1_000_000, 1_000] {
            sketch.add(duration, false);
        }
        assert_eq!((sketch.first, &*sketch.counts), (345, &[4][..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_duration_is_counted_once_and_near_itself(durations: Vec<u64>) {
            let sketch = sketch(&durations);
            let counted: u64 = sketch.counts.iter().map(|count| u64::from(*count)).sum();
            prop_assert_eq!(counted + u64::from(sketch.zeros), durations.len() as u64);
            prop_assert!(sketch.counts.len() <= MAX_BINS);
            for duration in durations.into_iter().filter(|duration| *duration > 0) {
                let low = GAMMA.powi(index(duration).unwrap());
                prop_assert!(low <= duration as f64 * 1.000_001 && (duration as f64) < low * GAMMA * 1.002);
            }
        }
    }
}
