//! Who this process is: service, environment, version and the tags of all spans.

use super::otel;
use super::reader::{Reader, Row, row};
use super::report::Origin;
use super::secret::{Mask, shown_tags, without_credentials};
use super::{process, tags};
use std::path::Path;

type Tags = Vec<(String, String)>;

/// What the spans of this process say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Never empty. `DD_SERVICE`, else the tag `service` of `DD_TAGS`, else the file name of the program, else
    /// `unnamed-rust-service`.
    pub(crate) service: Box<str>,
    /// `DD_ENV`, else the tag `env` of `DD_TAGS`.
    pub(crate) env: Option<Box<str>>,
    /// `DD_VERSION`, else the tag `version` of `DD_TAGS`.
    pub(crate) version: Option<Box<str>>,
    /// Tags of every span, from `DD_TAGS` and from code; a value may be empty.
    pub(crate) tags: Vec<(Box<str>, Box<str>)>,
    /// Where the source of the program is kept, without credentials: `DD_GIT_REPOSITORY_URL`, else `git.repository_url`
    /// of `DD_TAGS`. The tag `_dd.git.repository_url` of the first span of a chunk.
    pub(crate) git_repository_url: Option<Box<str>>,
    /// `DD_GIT_COMMIT_SHA`, else `git.commit.sha` of `DD_TAGS`. The tag `_dd.git.commit.sha` of the same span.
    pub(crate) git_commit_sha: Option<Box<str>>,
    /// How the program was started, `key:value` separated by commas. The tag `_dd.tags.process` of the same span.
    pub(crate) process_tags: Option<Box<str>>,
    /// The host, where it is to be told. The tag `_dd.hostname` of the local root.
    pub(crate) hostname: Option<Box<str>>,
}

impl Identity {
    pub(super) fn resolve(read: &mut Reader<'_>) -> Self {
        let legacy = &["DD_TRACE_TAGS", "DD_TRACE_GLOBAL_TAGS"];
        let row_of_tags = row(TAGS).aliases(legacy).otel(otel::RESOURCE_ATTRIBUTES).mask(Mask::Tags);
        let mut tags =
            read.parsed(row_of_tags, "a list of tags", |text| Some(tags::parse(text))).unwrap_or_default();
        let service = named(read, row("DD_SERVICE").otel(otel::SERVICE_NAME), &mut tags, "service");
        let env = named(read, row("DD_ENV"), &mut tags, "env");
        let version = named(read, row("DD_VERSION"), &mut tags, "version");
        let repository = row("DD_GIT_REPOSITORY_URL").mask(Mask::Address);
        let git_repository_url = named(read, repository, &mut tags, "git.repository_url");
        let git_commit_sha = named(read, row("DD_GIT_COMMIT_SHA"), &mut tags, "git.commit.sha");
        tags::take(&mut tags, "go_path");
        let has_git = read.flag("DD_TRACE_GIT_METADATA_ENABLED", true);
        add_tags_of_code(read, &mut tags);
        leave_out_excess(read, &mut tags);
        let is_service_given = service.is_some();
        let service = service.unwrap_or_else(|| {
            let name = program_name(read.source().executable.as_deref());
            read.follows("DD_SERVICE", &name, None);
            name
        });
        Self {
            process_tags: process::tags(read, &service, is_service_given),
            hostname: process::hostname(read),
            service,
            env,
            version,
            tags: tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            git_repository_url: git_repository_url
                .filter(|_| has_git)
                .map(|url| without_credentials(&url).into_owned().into()),
            git_commit_sha: git_commit_sha.filter(|_| has_git),
        }
    }
}

const TAGS: &str = "DD_TAGS";

/// A fact with a variable of its own, else the tag of the same meaning. That is taken out in any case, and no tag of spans.
fn named(read: &mut Reader<'_>, row: Row, tags: &mut Tags, tag: &str) -> Option<Box<str>> {
    let (name, mask) = (row.name, row.mask);
    let from_tags = tags::take(tags, tag);
    let value = read.text(row).or_else(|| {
        let value = from_tags?;
        read.follows(name, &mask.apply(&value), Some(TAGS));
        Some(value)
    });
    value.map(String::into_boxed_str)
}

/// Those of code are laid over the others, but for those of remote configuration.
fn add_tags_of_code(read: &mut Reader<'_>, tags: &mut Tags) {
    let code = &read.code().tags;
    if code.is_empty() {
        return;
    }
    let is_remote = read.origin_of(TAGS) == Origin::Remote;
    for (key, value) in code {
        if !is_remote || tags.iter().all(|(taken, _)| taken != key) {
            tags::set(tags, key.clone(), value.clone());
        }
    }
    read.adds_up(TAGS, shown_tags(tags));
}

/// Every span carries them: as many as one may have of its own.
const MAX_TAGS: usize = 1_000;

fn leave_out_excess(read: &mut Reader<'_>, tags: &mut Tags) {
    let excess = tags.len().saturating_sub(MAX_TAGS);
    if excess > 0 {
        tags.truncate(MAX_TAGS);
        read.warn(format!("{TAGS}: {excess} tags beyond {MAX_TAGS} are left out"));
    }
}

fn program_name(executable: Option<&Path>) -> Box<str> {
    let name = executable.and_then(Path::file_name).map(|name| name.to_string_lossy());
    let name = name.as_deref().unwrap_or_default();
    // Linux says so of a program whose file was replaced while it runs.
    match name.strip_suffix(" (deleted)").unwrap_or(name).trim() {
        "" => "unnamed-rust-service".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Overrides;
    use super::super::testing::{environment, overrides};
    use super::*;

    fn identity(variables: &[(&str, &str)], code: &Overrides) -> Identity {
        Identity::resolve(&mut Reader::new(&environment(variables), code))
    }

    fn pairs(identity: &Identity) -> Vec<(&str, &str)> {
        identity.tags.iter().map(|(key, value)| (&**key, &**value)).collect()
    }

    /// 65 536 of them would not fit into the count of a span's tags.
    #[test]
    fn tags_beyond_a_thousand_are_left_out_with_a_warning() {
        for (given, left_out) in [(999, 0), (1_000, 0), (1_001, 1), (70_000, 69_000)] {
            let all: Vec<String> = (0..given).map(|number| format!("key{number}:v")).collect();
            let text = all.join(",");
            let (source, code) = (environment(&[("DD_TAGS", &text)]), Overrides::default());
            let mut read = Reader::new(&source, &code);
            let identity = Identity::resolve(&mut read);
            let last = identity.tags.last().map(|(key, _)| key.to_string());
            let expected = format!("key{}", given - left_out - 1);
            assert_eq!((identity.tags.len(), last), (given - left_out, Some(expected)));
            let told: Vec<String> = read.finish().1.into_iter().map(|notice| notice.text).collect();
            let expected = format!("DD_TAGS: {left_out} tags beyond 1000 are left out");
            assert_eq!(told, if left_out > 0 { vec![expected] } else { Vec::new() });
        }
    }

    #[test]
    fn variables_win_over_tags_of_the_same_meaning() {
        let tags = ("DD_TAGS", "service:t,env:t,version:t,team:core,go_path:x");
        let named = identity(&[("DD_SERVICE", " shop "), ("DD_ENV", "prod"), tags], &Overrides::default());
        assert_eq!(
            (&*named.service, named.env.as_deref(), named.version.as_deref()),
            ("shop", Some("prod"), Some("t"))
        );
        assert_eq!(pairs(&named), [("team", "core")]);
        assert_eq!(&*identity(&[tags], &Overrides::default()).service, "t");
    }

    #[test]
    fn code_wins_over_variables() {
        let mut overrides = overrides(&[("DD_SERVICE", "code"), ("DD_ENV", "")]);
        overrides.tag("team".into(), "a".into());
        overrides.tag("tier".into(), "1".into());
        let named =
            identity(&[("DD_SERVICE", "shop"), ("DD_ENV", "prod"), ("DD_TAGS", "team:core")], &overrides);
        assert_eq!((&*named.service, named.env.as_deref()), ("code", Some("prod")));
        assert_eq!(pairs(&named), [("team", "a"), ("tier", "1")]);
    }

    #[test]
    fn program_gives_its_name_to_the_service() {
        assert_eq!(&*identity(&[("DD_SERVICE", "")], &Overrides::default()).service, "program");
        for (path, expected) in [("/a/b (deleted)", "b"), ("/a/b.d", "b.d"), ("/", "unnamed-rust-service")] {
            assert_eq!(&*program_name(Some(Path::new(path))), expected);
        }
        assert_eq!(&*program_name(None), "unnamed-rust-service");
    }

    #[test]
    fn git_metadata_is_no_tag_and_shows_no_credentials() {
        let variables =
            [("DD_TAGS", "git.repository_url:https://me:p/w@git.example/r.git,git.commit.sha:ab12")];
        let named = identity(&variables, &Overrides::default());
        assert_eq!(named.git_repository_url.as_deref(), Some("https://git.example/r.git"));
        assert_eq!((named.git_commit_sha.as_deref(), named.tags.len()), (Some("ab12"), 0));
        let off = [variables[0], ("DD_TRACE_GIT_METADATA_ENABLED", "0")];
        assert_eq!(identity(&off, &Overrides::default()).git_commit_sha, None);
    }
}
