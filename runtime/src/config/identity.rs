//! Who this process is: service, environment, version and the tags of all spans.

use super::source::Reader;
use super::{Overrides, tags};
use std::path::Path;

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
}

impl Identity {
    pub(super) fn resolve(overrides: &Overrides, reader: &mut Reader<'_>) -> Self {
        let mut tags = reader.text("DD_TAGS").map(|text| tags::parse(&text)).unwrap_or_default();
        // Taken out of the tags in any case: the variable of its own wins, and neither is a tag of spans then.
        let mut resolve = |name: &str, tag: &str, code: Option<&String>| {
            let from_tags = tags::take(&mut tags, tag);
            let code = code.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            code.or_else(|| reader.text(name)).or(from_tags).map(String::into_boxed_str)
        };
        let service = resolve("DD_SERVICE", "service", overrides.service.as_ref());
        let env = resolve("DD_ENV", "env", overrides.env.as_ref());
        let version = resolve("DD_VERSION", "version", overrides.version.as_ref());
        let git_repository_url = resolve("DD_GIT_REPOSITORY_URL", "git.repository_url", None);
        let git_commit_sha = resolve("DD_GIT_COMMIT_SHA", "git.commit.sha", None);
        tags::take(&mut tags, "go_path");
        let has_git = reader.flag("DD_TRACE_GIT_METADATA_ENABLED", true);
        for (key, value) in &overrides.tags {
            tags::set(&mut tags, key.clone(), value.clone());
        }
        Self {
            service: service.unwrap_or_else(|| program_name(reader.source().executable.as_deref())),
            env,
            version,
            tags: tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            git_repository_url: git_repository_url.filter(|_| has_git).map(|url| without_credentials(&url)),
            git_commit_sha: git_commit_sha.filter(|_| has_git),
        }
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

fn without_credentials(url: &str) -> Box<str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    // A password may hold a slash that was not escaped: whatever stands before the last `@` goes.
    let host_and_path = rest.rsplit_once('@').map_or(rest, |(_, behind)| behind);
    format!("{scheme}://{host_and_path}").into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::with_source;
    use super::*;

    fn identity(variables: &[(&str, &str)], overrides: &Overrides) -> Identity {
        with_source(variables, |source| Identity::resolve(overrides, &mut Reader::new(source)))
    }

    fn pairs(identity: &Identity) -> Vec<(&str, &str)> {
        identity.tags.iter().map(|(key, value)| (&**key, &**value)).collect()
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
        let overrides = Overrides {
            service: Some("code".into()),
            env: Some(String::new()),
            tags: vec![("team".into(), "a".into()), ("tier".into(), "1".into())],
            ..Overrides::default()
        };
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
