//! What all spans of a tracer have in common, and its encoded form.

use super::block::TagBlock;
use crate::model::Flags;

/// What all spans of a tracer have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SpanDefaults {
    /// The tracer's own service.
    pub(crate) service: Box<str>,
    pub(crate) env: Option<Box<str>>,
    /// The version of the service; only its own spans carry it.
    pub(crate) version: Option<Box<str>>,
    /// Tags of every span; `env` and `version` among them give way to the fields above. Each key once.
    /// Keys that the tracer itself writes are left out.
    pub(crate) tags: Vec<(Box<str>, Box<str>)>,
    /// A version 4 UUID of this process.
    pub(crate) runtime_id: Box<str>,
    pub(crate) process_id: u32,
    /// Where the source of the program is kept, and which state of it was built; without credentials.
    pub(crate) git_repository_url: Option<Box<str>>,
    pub(crate) git_commit_sha: Option<Box<str>>,
    /// How the program was started.
    pub(crate) process_tags: Option<Box<str>>,
    /// The host, where it is to be told.
    pub(crate) hostname: Option<Box<str>>,
}

/// The defaults as bytes.
#[derive(Debug)]
pub(super) struct Constants {
    pub(super) service: Box<str>,
    /// For spans of the own service, by [variant](Self::variant).
    own: [TagBlock; 4],
    /// For spans of another service, by [variant](Self::variant).
    other: [TagBlock; 4],
    /// On the first span of each chunk.
    first: TagBlock,
    /// On the first span of a chunk that is the local root.
    root: TagBlock,
}

impl Constants {
    pub(super) fn new(defaults: &SpanDefaults) -> Self {
        let variants = |is_own| [0, 1, 2, 3].map(|variant| span_block(defaults, is_own, variant));
        let mut first = TagBlock::default();
        // `language` and `runtime-id`: `ddtrace/tracer/tracer.go` of DataDog/dd-trace-go.
        first.meta("language", "rust");
        first.meta("runtime-id", &defaults.runtime_id);
        first.metric("process_id", f64::from(defaults.process_id));
        // Source: `ddtrace/tracer/spancontext.go` of DataDog/dd-trace-go (`setTraceTags`).
        for (key, value) in [
            ("_dd.git.repository_url", &defaults.git_repository_url),
            ("_dd.git.commit.sha", &defaults.git_commit_sha),
            ("_dd.tags.process", &defaults.process_tags),
        ] {
            if let Some(value) = value {
                first.meta(key, value);
            }
        }
        let mut root = first.clone();
        if let Some(hostname) = &defaults.hostname {
            root.meta("_dd.hostname", hostname);
        }
        Self { service: defaults.service.clone(), own: variants(true), other: variants(false), first, root }
    }

    /// The tags of a span that follow from its service and flags.
    #[inline]
    pub(super) fn of(&self, is_own_service: bool, flags: Flags) -> &TagBlock {
        let blocks = if is_own_service { &self.own } else { &self.other };
        &blocks[Self::variant(flags)]
    }

    /// The tags of the first span of a chunk beside those that each span has.
    pub(super) fn first(&self, is_local_root: bool) -> &TagBlock {
        if is_local_root { &self.root } else { &self.first }
    }

    /// Which of the four variants a span has by its flags.
    #[inline]
    pub(super) fn variant(flags: Flags) -> usize {
        usize::from(flags.has(Flags::TOP_LEVEL)) | usize::from(flags.has(Flags::MEASURED)) << 1
    }

    /// Which of all eight blocks [`Constants::of`] gives.
    #[inline]
    pub(super) fn place(is_own_service: bool, flags: Flags) -> usize {
        Self::variant(flags) | usize::from(!is_own_service) << 2
    }
}

fn span_block(defaults: &SpanDefaults, is_own: bool, variant: usize) -> TagBlock {
    let mut block = TagBlock::default();
    if let Some(env) = &defaults.env {
        block.meta("env", env);
    }
    if let Some(version) = defaults.version.as_ref().filter(|_| is_own) {
        block.meta("version", version);
    }
    for (key, value) in &defaults.tags {
        let is_replaced = match &**key {
            "env" => defaults.env.is_some(),
            "version" => defaults.version.is_some(),
            "language" | "runtime-id" | "process_id" | "_sampling_priority_v1" => true,
            key => key.starts_with("_dd."),
        };
        if !is_replaced {
            block.meta(key, value);
        }
    }
    if !is_own {
        // `_dd.base_service`: `ddtrace/tracer/span.go`; `_dd.svc_src` with `m` for "set in code":
        // `internal/ext` of DataDog/dd-trace-go.
        block.meta("_dd.base_service", &defaults.service);
        block.meta("_dd.svc_src", "m");
    }
    if variant & 1 != 0 {
        block.metric("_dd.top_level", 1.0);
    }
    if variant & 2 != 0 {
        block.metric("_dd.measured", 1.0);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(block: &TagBlock) -> String {
        String::from_utf8_lossy(&block.meta).into_owned()
    }

    #[test]
    fn version_is_only_on_spans_of_the_own_service() {
        let defaults =
            SpanDefaults { service: "shop".into(), version: Some("1.2".into()), ..Default::default() };
        let constants = Constants::new(&defaults);
        assert!(texts(constants.of(true, Flags::none())).contains("version"));
        let other = texts(constants.of(false, Flags::none()));
        assert!(!other.contains("version") && other.contains("_dd.base_service"));
    }

    #[test]
    fn no_key_is_written_twice() {
        let tags = [("env", "x"), ("team", "b")].map(|(key, value)| (key.into(), value.into())).to_vec();
        let defaults = SpanDefaults { env: Some("prod".into()), tags, ..Default::default() };
        let block = span_block(&defaults, true, 0);
        assert_eq!(
            (block.metas, texts(&block)),
            (2, "\u{fffd}env\u{fffd}prod\u{fffd}team\u{fffd}b".to_owned())
        );
    }
}
