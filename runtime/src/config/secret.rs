//! What of a value may be shown.

use super::tags;
pub(super) use crate::diagnostics::without_credentials;
use crate::diagnostics::{REDACTED, names_secret, without_secrets};
use std::borrow::Cow;

/// How a value is written into messages and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// As it is, without what is secret in it: a URL has no user info, and a name of a secret no value.
    Plain,
    /// A URL or a host: without user info and query.
    Address,
    /// A list of tags: without the values of keys that name secrets.
    Tags,
    /// JSON: without the values of members that name secrets.
    Json,
    /// Not at all.
    Secret,
}

impl Mask {
    pub(super) fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Plain if !is_url(text) => without_secrets(text).into(),
            Self::Plain => without_secrets(&without_credentials(text)).into(),
            Self::Address => {
                let address = without_credentials(text);
                let end = address.find(['?', '#']).unwrap_or(address.len());
                without_secrets(address.get(..end).unwrap_or_default()).into()
            }
            Self::Tags => shown_tags(&tags::parse(text)).into(),
            Self::Json => without_secrets(text).into(),
            Self::Secret => REDACTED.into(),
        }
    }
}

/// Tags as `key:value,key:value`, without secrets.
pub(super) fn shown_tags(tags: &[(String, String)]) -> String {
    let shown: Vec<String> =
        tags.iter().map(|(key, value)| format!("{key}:{}", shown_tag(key, value))).collect();
    shown.join(",")
}

/// The value of a tag as it may be shown: not at all under a key that names a secret, else without credentials in it.
pub(crate) fn shown_tag<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    if names_secret(key) && !value.is_empty() { REDACTED.into() } else { without_secrets(value).into() }
}

fn is_url(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_is_never_shown() {
        for (mask, text, expected) in [
            (Mask::Address, "http://me:s3cret@agent:1/p", "http://agent:1/p"),
            (Mask::Address, "http://me:s3/c?r#et@agent", "http://agent"),
            (Mask::Address, "http://agent/?key=s3cret", "http://agent/"),
            (Mask::Address, "me:s3cret@agent", "agent"),
            (Mask::Address, "unix:///var/run/a.socket", "unix:///var/run/a.socket"),
            (Mask::Plain, "https://me:s3cret@git/r.git", "https://git/r.git"),
            (Mask::Plain, "me@example", "me@example"),
            (Mask::Plain, "prod,token=s3cret", "prod,token=<redacted>"),
            (Mask::Plain, "https://me:s3cret@git/r.git?token=s3cret", "https://git/r.git?token=<redacted>"),
            (Mask::Address, "http://agent/token=s3cret", "http://agent/token=<redacted>"),
            (
                Mask::Json,
                r#"[{"tags":{"password":"s3cret","plan":"gold"},"sample_rate":0}]"#,
                r#"[{"tags":{"password":"<redacted>","plan":"gold"},"sample_rate":0}]"#,
            ),
            (Mask::Secret, "s3cret", "<redacted>"),
            (Mask::Secret, "", "<redacted>"),
        ] {
            assert_eq!(mask.apply(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_under_names_of_secrets_are_not_shown() {
        let text = "team:core,db_Password:a,API-KEY:b,auth.token:c,empty_secret:,url:http://me:d@h/p,header:Bearer d,monkey:e";
        let expected = "team:core,db_Password:<redacted>,API-KEY:<redacted>,auth.token:<redacted>,empty_secret:,\
                        url:http://h/p,header:Bearer <redacted>,monkey:e";
        assert_eq!(Mask::Tags.apply(text), expected);
    }
}
