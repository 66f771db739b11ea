//! What is not for everybody: values under names of secrets, user info of URLs, credentials within a text.

use std::borrow::Cow;

/// Stands for what is not shown.
pub(crate) const REDACTED: &str = "<redacted>";

/// Whether values under such a name are not for everybody.
pub(crate) fn names_secret(name: &str) -> bool {
    const WORDS: [&str; 11] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "appkey",
        "privatekey",
        "credential",
        "authorization",
        "cookie",
    ];
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    letters == "pwd" || WORDS.into_iter().any(|word| letters.contains(word))
}

/// A URL, or what stands for one, without user name and password.
///
/// A password may hold a slash that was not escaped: whatever stands before the last `@` goes.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    match rest.rsplit_once('@') {
        None => text.into(),
        Some((_, host_and_path)) if scheme.is_empty() => host_and_path.into(),
        Some((_, host_and_path)) => format!("{scheme}://{host_and_path}").into(),
    }
}

/// A text that may hold credentials among other words, without them: the user info of URLs, what follows `Bearer` and `Basic`, and the value of
/// each `name=value`, `name: value` and `"name":"value"` whose name is that of a secret. Takes linear time.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut next = Next::Plain;
    for word in text.split_inclusive(is_space) {
        let (bare, space) = word.split_at(word.trim_end_matches(is_space).len());
        if !bare.is_empty() {
            next = next.push(&mut shown, bare);
        }
        shown.push_str(space);
    }
    shown
}

fn is_space(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// What the next word of a text is, as far as those before it tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Plain,
    /// The value of a name that is that of a secret, perhaps after a scheme.
    Value,
    /// The credentials of any scheme.
    Credentials,
    /// Those of the scheme `Basic`, or another word.
    Base64,
    /// More of a quoted value.
    Within(Quote),
}

impl Next {
    /// Appends a word, or what stands for it.
    fn push(self, shown: &mut String, word: &str) -> Self {
        match self {
            // Of a text that was looked at before, the mark behind it stays.
            Self::Credentials | Self::Base64 if is_redacted(word) => {
                shown.push_str(word);
                Self::Plain
            }
            Self::Within(quote) => {
                shown.push_str(REDACTED);
                if quote.ends_in(word) { Self::Plain } else { self }
            }
            Self::Value if scheme(word).is_some() => {
                shown.push_str(word);
                Self::Credentials
            }
            Self::Value => push_value(shown, word),
            Self::Credentials => {
                shown.push_str(REDACTED);
                Self::Plain
            }
            Self::Base64 if is_base64(word) => {
                shown.push_str(REDACTED);
                Self::Plain
            }
            Self::Plain | Self::Base64 => push_word(shown, word),
        }
    }
}

fn is_redacted(word: &str) -> bool {
    word.strip_prefix(REDACTED).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_punctuation()))
}

/// What begins a quoted text: a quote after so many backslashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quote {
    mark: char,
    backslashes: usize,
}

impl Quote {
    fn of(value: &str) -> Option<Self> {
        let bare = value.trim_start_matches('\\');
        let mark = bare.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
        Some(Self { mark, backslashes: value.len() - bare.len() })
    }

    /// Whether a text has its end: one within it would have more backslashes.
    fn ends_in(self, text: &str) -> bool {
        let mut backslashes = 0;
        text.chars().any(|character| {
            if character == self.mark && backslashes <= self.backslashes {
                return true;
            }
            backslashes = if character == '\\' { backslashes + 1 } else { 0 };
            false
        })
    }
}

/// What follows the scheme of an `Authorization` header.
fn scheme(word: &str) -> Option<Next> {
    let word = word.trim_start_matches(|character: char| !character.is_alphanumeric());
    if word.eq_ignore_ascii_case("bearer") {
        Some(Next::Credentials)
    } else {
        word.eq_ignore_ascii_case("basic").then_some(Next::Base64)
    }
}

/// Whether a word looks like Base64: `basic` is a common word too.
fn is_base64(word: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_,;\"'".contains(&byte);
    let is_odd = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'=';
    word.bytes().all(is_base64) && word.bytes().skip(1).any(is_odd)
}

const SEPARATORS: [char; 5] = ['?', '&', ';', '#', ','];

/// Appends what is between two spaces, without what is secret in it.
fn push_word(shown: &mut String, word: &str) -> Next {
    let bare = if word.contains("://") { without_credentials(word) } else { word.into() };
    let mut next = Next::Plain;
    for part in bare.split_inclusive(SEPARATORS) {
        let pair = part.strip_suffix(SEPARATORS).unwrap_or(part);
        next = match (next, secret_value(pair)) {
            (Next::Within(_), _) => next.push(shown, pair),
            (_, Some(at)) => {
                let (name, value) = pair.split_at(at);
                shown.push_str(name);
                if value.is_empty() && name.ends_with(':') && pair.len() == part.len() {
                    Next::Value
                } else if scheme(value).is_some() {
                    shown.push_str(value);
                    Next::Credentials
                } else {
                    push_value(shown, value)
                }
            }
            (_, None) => {
                shown.push_str(pair);
                Next::Plain
            }
        };
        shown.push_str(part.get(pair.len()..).unwrap_or_default());
    }
    if next == Next::Plain { scheme(word).unwrap_or(next) } else { next }
}

/// Where the value of the first name begins that is that of a secret.
fn secret_value(pair: &str) -> Option<usize> {
    let mut name_from = 0;
    for (at, separator) in pair.match_indices(['=', ':']) {
        let after = pair.get(at + 1..).unwrap_or_default();
        let is_path = separator == ":"
            && (after.starts_with(':') || after.starts_with("//") || pair.get(..at)?.ends_with(':'));
        if is_path {
            continue;
        }
        if names_secret(pair.get(name_from..at)?) {
            return Some(at + 1);
        }
        name_from = at + 1;
    }
    None
}

/// Appends what stands for the value of a secret, between the marks around it.
fn push_value(shown: &mut String, value: &str) -> Next {
    let is_mark = |character: char| "{}[]()\"'\\,;".contains(character);
    let inside = value.trim_start_matches(is_mark);
    let (before, core) =
        (value.get(..value.len() - inside.len()).unwrap_or_default(), inside.trim_end_matches(is_mark));
    shown.push_str(before);
    if !core.is_empty() {
        shown.push_str(REDACTED);
    }
    shown.push_str(inside.get(core.len()..).unwrap_or_default());
    match Quote::of(value) {
        Some(quote) if !quote.ends_in(value.trim_start_matches('\\').get(1..).unwrap_or_default()) => {
            Next::Within(quote)
        }
        _ => Next::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credentials_within_a_text_are_not_shown() {
        for (text, expected) in [
            (
                "GET /items?page=2&access_token=s3cret&x=1#top",
                "GET /items?page=2&access_token=<redacted>&x=1#top",
            ),
            ("connect to postgres://me:s3/cret@db/shop failed", "connect to postgres://db/shop failed"),
            ("Authorization: Bearer s3cret, retried", "Authorization: Bearer <redacted> retried"),
            ("Authorization:Bearer s3cret", "Authorization:Bearer <redacted>"),
            ("\"Bearer <redacted>\", retried", "\"Bearer <redacted>\", retried"),
            ("Bearer <redacted>s3cret", "Bearer <redacted>"),
            ("DD-API-KEY: s3cret, is wrong", "DD-API-KEY: <redacted>, is wrong"),
            (r#"{"api_key":"s3cret","site":"eu"}"#, r#"{"api_key":"<redacted>","site":"eu"}"#),
            (
                r#"{"tags": {"password": "s3 cret", "a": 1}}"#,
                r#"{"tags": {"password": "<redacted> <redacted> "a": 1}}"#,
            ),
            ("shop::token::check at 10:30", "shop::token::check at 10:30"),
            ("https://shop/token", "https://shop/token"),
            ("proxy said basic  bWU6czNjcmV0", "proxy said basic  <redacted>"),
            ("a basic plan", "a basic plan"),
            ("login password=s3cret;user=me", "login password=<redacted>;user=me"),
            ("SELECT * FROM items WHERE id = ?", "SELECT * FROM items WHERE id = ?"),
            ("mail me@example", "mail me@example"),
        ] {
            assert_eq!(without_secrets(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_text_without_credentials_stays(text in "[a-z0-9 /.:-]{0,200}") {
            prop_assume!(!text.contains("bearer") && !text.contains("basic"));
            prop_assert_eq!(without_secrets(&text), text.as_str());
        }

        #[cfg(feature = "enable")]
        #[test]
        fn a_secret_within_json_is_not_shown(
            secret in "s3cret[a-z \"\\\\,;&?#=:{}-]{0,12}s3cret",
            key in "(api_key|DB-Password|token)",
            is_pretty: bool,
        ) {
            let value = serde_json::json!({ "a": [1, { key: secret }], "b": "kept" });
            let once = if is_pretty { format!("{value:#}") } else { value.to_string() };
            let twice = serde_json::json!({ "message": once }).to_string();
            for text in [once, twice] {
                let shown = without_secrets(&text);
                prop_assert!(!shown.contains("s3cret"), "{}", shown);
            }
        }

        #[test]
        fn any_text_can_be_shown(text: String) {
            let _ = without_secrets(&text);
        }
    }
}
