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
/// each `name=value` whose name is that of a secret. Takes linear time.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut scheme = None;
    for word in text.split_inclusive(is_space) {
        let (bare, space) = word.split_at(word.trim_end_matches(is_space).len());
        if scheme.is_some_and(|scheme: Scheme| scheme.takes(bare)) {
            shown.push_str(REDACTED);
        } else {
            push_word(&mut shown, bare);
        }
        if !bare.is_empty() {
            scheme = Scheme::of(bare);
        }
        shown.push_str(space);
    }
    shown
}

fn is_space(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

/// The scheme of an `Authorization` header: credentials follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Basic,
}

impl Scheme {
    fn of(word: &str) -> Option<Self> {
        let word = word.trim_start_matches(|character: char| !character.is_alphanumeric());
        if word.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer)
        } else {
            word.eq_ignore_ascii_case("basic").then_some(Self::Basic)
        }
    }

    /// Whether a word after it is its credentials. That after `basic` has to look like Base64, since it is a common word too.
    fn takes(self, word: &str) -> bool {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_,;\"'".contains(&byte);
        let is_odd = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'=';
        match self {
            Self::Bearer => !word.is_empty(),
            Self::Basic => word.bytes().all(is_base64) && word.bytes().skip(1).any(is_odd),
        }
    }
}

/// Appends what is between two spaces.
fn push_word(shown: &mut String, word: &str) {
    let word = if word.contains("://") { without_credentials(word) } else { word.into() };
    for part in word.split_inclusive(['?', '&', ';', '#', ',']) {
        let part_end = part.len() - usize::from(part.ends_with(['?', '&', ';', '#', ',']));
        let (pair, separator) = part.split_at(part_end);
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && names_secret(name) => {
                shown.extend([name, "=", REDACTED]);
            }
            _ => shown.push_str(pair),
        }
        shown.push_str(separator);
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

        #[test]
        fn any_text_can_be_shown(text: String) {
            let _ = without_secrets(&text);
        }
    }
}
