//! Statistics of spans.

use super::reader::{Reader, row};
use crate::stats::settings::{Cardinality, StatsSettings};

const ENABLED: &str = "DD_TRACE_STATS_COMPUTATION_ENABLED";
/// The most values that may be kept apart: what they take in memory is bounded besides.
const MOST: usize = 1 << 16;

pub(super) fn resolve(read: &mut Reader<'_>) -> StatsSettings {
    let Cardinality { groups, resources, endpoints, peers } = Cardinality::default();
    let mut limit = |name, default| read.integer(name, 1..=MOST, default);
    let limits = Cardinality {
        groups: limit("DD_TRACE_STATS_CARDINALITY_LIMIT", groups),
        resources: limit("DD_TRACE_STATS_RESOURCE_CARDINALITY_LIMIT", resources),
        endpoints: limit("DD_TRACE_STATS_HTTP_ENDPOINT_CARDINALITY_LIMIT", endpoints),
        peers: limit("DD_TRACE_STATS_PEER_TAGS_CARDINALITY_LIMIT", peers),
    };
    StatsSettings { is_enabled: read.flag(row(ENABLED).aliases(&["DD_TRACE_COMPUTE_STATS"]), true), limits }
}

#[cfg(test)]
mod tests {
    use super::super::testing::environment;
    use super::super::{Overrides, Settings};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> StatsSettings {
        Settings::resolve(&Overrides::default(), &environment(variables)).unwrap().0.statistics
    }

    #[test]
    fn statistics_can_be_turned_off_and_made_coarser() {
        assert_eq!(resolved(&[]), StatsSettings::default());
        assert!(!resolved(&[("DD_TRACE_STATS_COMPUTATION_ENABLED", "0")]).is_enabled);
        let limits = resolved(&[
            ("DD_TRACE_STATS_CARDINALITY_LIMIT", "10"),
            ("DD_TRACE_STATS_RESOURCE_CARDINALITY_LIMIT", "9"),
            ("DD_TRACE_STATS_HTTP_ENDPOINT_CARDINALITY_LIMIT", "8"),
            ("DD_TRACE_STATS_PEER_TAGS_CARDINALITY_LIMIT", "0"),
        ]);
        assert_eq!(limits.limits, Cardinality { groups: 10, resources: 9, endpoints: 8, peers: 512 });
    }
}
