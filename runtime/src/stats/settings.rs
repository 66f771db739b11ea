//! What statistics need to know.

/// Whether statistics are computed, and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatsSettings {
    /// Whether they are computed where the agent lets tracers do it. Defaults to true.
    pub(crate) is_enabled: bool,
    pub(crate) limits: Cardinality,
}

impl Default for StatsSettings {
    fn default() -> Self {
        Self { is_enabled: true, limits: Cardinality::default() }
    }
}

/// How many different values 10 s of statistics keep apart; what is beyond is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cardinality {
    /// Groups of spans. Defaults to 2048.
    pub(crate) groups: usize,
    /// Resources. Defaults to 1024.
    pub(crate) resources: usize,
    /// Endpoints of HTTP. Defaults to 512.
    pub(crate) endpoints: usize,
    /// Sets of tags of peers. Defaults to 512.
    pub(crate) peers: usize,
}

impl Default for Cardinality {
    fn default() -> Self {
        Self { groups: 2_048, resources: 1_024, endpoints: 512, peers: 512 }
    }
}
