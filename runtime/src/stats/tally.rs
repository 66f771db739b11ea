//! How much was counted, for the tracer's metrics about itself.

use super::bucket::Bucket;
use super::key::{BLOCKED, Parts, Text, put};

/// Sums over all buckets that were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatsTally {
    /// Spans in statistics.
    pub(crate) spans: u64,
    /// Buckets of ten seconds.
    pub(crate) buckets: u64,
    collapsed: [u64; Collapsed::ALL.len()],
}

/// Of what there were too many values, so that spans are counted together which differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collapsed {
    Resource,
    HttpEndpoint,
    PeerTags,
    WholeKey,
}

impl Collapsed {
    pub(crate) const ALL: [Self; 4] = [Self::Resource, Self::HttpEndpoint, Self::PeerTags, Self::WholeKey];

    /// As the settings of their limits call them.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::HttpEndpoint => "http_endpoint",
            Self::PeerTags => "peer_tags",
            Self::WholeKey => "whole_key",
        }
    }
}

impl StatsTally {
    /// Spans that were counted together with others because of this.
    pub(crate) fn collapsed(&self, of: Collapsed) -> u64 {
        self.collapsed[of as usize]
    }

    /// Adds a bucket that is over.
    pub(super) fn add(&mut self, bucket: &Bucket) {
        let mut blocked_peers = Vec::new();
        put(&mut blocked_peers, BLOCKED.as_bytes());
        self.buckets += 1;
        for (key, group) in bucket.groups() {
            self.spans += group.hits;
            let Some(parts) = Parts::read(key) else { continue };
            let is_blocked = |text| parts.text(text) == BLOCKED.as_bytes();
            if is_blocked(Text::Service) {
                self.collapsed[Collapsed::WholeKey as usize] += group.hits;
                continue;
            }
            for (of, is_collapsed) in [
                (Collapsed::Resource, is_blocked(Text::Resource)),
                (Collapsed::HttpEndpoint, is_blocked(Text::Endpoint)),
                (Collapsed::PeerTags, parts.peers == blocked_peers),
            ] {
                if is_collapsed {
                    self.collapsed[of as usize] += group.hits;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Hit;
    use super::super::settings::Cardinality;
    use super::*;

    #[test]
    fn spans_are_summed_by_what_was_collapsed() {
        let (mut bucket, mut tally) = (Bucket::new(0, 1), StatsTally::default());
        let limits = Cardinality { groups: 4, resources: 2, endpoints: 1, peers: 1 };
        let mut count = |service: &str, resource: &str, endpoint: &str, peer: &str| {
            let mut parts = Parts::default();
            parts.set(Text::Service, service.as_bytes());
            parts.set(Text::Resource, resource.as_bytes());
            parts.set(Text::Endpoint, endpoint.as_bytes());
            let mut peers = Vec::new();
            put(&mut peers, peer.as_bytes());
            parts.peers = &peers;
            let place = bucket.place(&parts, &mut Vec::new(), &limits);
            bucket.count(place, Hit { duration: 5, is_error: false, is_top_level: true });
        };
        count("a", "r", "e", "p");
        count("a", "s", "other", "p");
        for _ in 0..3 {
            count("a", "t", "e", "other");
        }
        count("b", "r", "e", "p");
        count("c", "r", "e", "p");
        count("d", "r", "e", "p");
        tally.add(&bucket);
        assert_eq!((tally.spans, tally.buckets), (8, 1));
        assert_eq!(Collapsed::ALL.map(|of| tally.collapsed(of)), [3, 1, 3, 2]);
    }
}
