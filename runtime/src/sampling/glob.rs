//! Patterns of sampling rules: `*` stands for any run of characters, `?` for one, everything else for itself.

use std::str::Chars;

/// A pattern that whole texts are compared with, whatever their case.
///
/// Two characters are the same where their lowercase forms are, each by itself: `É` and `é` are, `ß` and `SS` are not. A
/// character whose lowercase form has several characters stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Box<[Piece]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// Any characters, or none.
    Run,
    /// Any one character.
    One,
    /// This character, in lower case.
    Char(char),
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces: Vec<Piece> = text
            .chars()
            .map(|char| match char {
                '*' => Piece::Run,
                '?' => Piece::One,
                other => Piece::Char(lower(other)),
            })
            .collect();
        pieces.dedup_by(|next, piece| (*next, *piece) == (Piece::Run, Piece::Run));
        Self(pieces.into())
    }

    /// Whether every text matches: `*`, `**` and so on.
    pub(crate) fn is_any(&self) -> bool {
        matches!(*self.0, [Piece::Run])
    }

    /// Whether the whole text matches. Takes at most as many steps as the product of both lengths.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (mut at, mut rest) = (0, text.chars());
        // The pieces behind the latest run, and where in the text they are tried.
        let mut latest: Option<(usize, Chars<'_>)> = None;
        loop {
            let piece = self.0.get(at);
            if piece == Some(&Piece::Run) {
                at += 1;
                latest = Some((at, rest.clone()));
                if at == self.0.len() {
                    return true;
                }
                continue;
            }
            let fits = match (piece, rest.next()) {
                (None, None) => return true,
                // Tried later in the text, there would be even less of it.
                (Some(_), None) => return false,
                (None, Some(_)) => false,
                (Some(Piece::Char(wanted)), Some(char)) => *wanted == lower(char),
                (Some(_), Some(_)) => true,
            };
            if fits {
                at += 1;
                continue;
            }
            let Some((behind, from)) = &mut latest else { return false };
            from.next();
            (at, rest) = (*behind, from.clone());
        }
    }

    /// Whether a number matches: an integer by its digits, any other only a pattern that every text matches.
    pub(crate) fn matches_number(&self, number: f64) -> bool {
        if self.is_any() {
            return true;
        }
        // Without the sign of a negative zero.
        number.is_finite() && number.fract() == 0.0 && self.matches(&format!("{:.0}", number + 0.0))
    }
}

fn lower(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).matches(text)
    }

    #[test]
    fn stars_and_question_marks_are_all_that_is_special() {
        for (pattern, text) in [
            ("*", ""),
            ("***", "anything"),
            ("?", "é"),
            ("a?c", "a😀c"),
            ("web*", "web"),
            ("*.request", "http.request"),
            ("*ab*ab", "abxabyab"),
            ("", ""),
            ("[a-c]", "[a-c]"),
            ("^a.b$", "^a.b$"),
            ("{x}\\d+(y|z)", "{x}\\d+(y|z)"),
        ] {
            assert!(matches(pattern, text), "{pattern} and {text}");
        }
        for (pattern, text) in [
            ("?", ""),
            ("?", "ab"),
            ("", "a"),
            ("web", "webs"),
            ("web", "a web"),
            ("web*", "a web"),
            ("*.request", "http.requests"),
            ("[a-c]", "b"),
            ("a.c", "abc"),
            (".*", "abc"),
            ("a|b", "a"),
            ("*ab*ab", "ab"),
        ] {
            assert!(!matches(pattern, text), "{pattern} and {text}");
        }
    }

    #[test]
    fn case_does_not_count() {
        for (pattern, text) in
            [("web*", "WebServer"), ("WEB", "web"), ("É?", "é!"), ("σ", "Σ"), ("k", "\u{212a}"), ("İ", "İ")]
        {
            assert!(matches(pattern, text), "{pattern} and {text}");
        }
        for (pattern, text) in [("ß", "SS"), ("i\u{307}", "İ"), ("e", "é")] {
            assert!(!matches(pattern, text), "{pattern} and {text}");
        }
    }

    #[test]
    fn integers_match_by_their_digits_and_other_numbers_only_anything() {
        for (pattern, number) in [
            ("404", 404.0),
            ("4*", 42.0),
            ("4?", 42.0),
            ("-7", -7.0),
            ("0", 0.0),
            ("0", -0.0),
            ("1*0", 1e20),
            ("*", 3.5),
            ("**", -2.5),
            ("*", f64::NAN),
            ("*", -7.0),
            ("*", 0.0),
        ] {
            assert!(Pattern::new(pattern).matches_number(number), "{pattern} and {number}");
        }
        for (pattern, number) in [
            ("404", 404.5),
            ("404.0", 404.0),
            ("4*", 42.5),
            ("3*", 3.5),
            ("3.?", 3.5),
            ("3.5", 3.5),
            ("?*", 3.5),
            ("inf*", f64::INFINITY),
            ("n*", f64::NAN),
        ] {
            assert!(!Pattern::new(pattern).matches_number(number), "{pattern} and {number}");
        }
    }

    #[test]
    fn pattern_of_many_runs_takes_no_exponential_time() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!matches(&pattern, &"a".repeat(5_000)));
    }

    /// By the definition of a pattern, in exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', behind @ ..], _) => {
                naive(behind, text) || text.split_first().is_some_and(|(_, rest)| naive(pattern, rest))
            }
            (['?', behind @ ..], [_, rest @ ..]) => naive(behind, rest),
            ([wanted, behind @ ..], [char, rest @ ..]) => {
                lower(*wanted) == lower(*char) && naive(behind, rest)
            }
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn matches_as_defined(pattern in "[abB*?é]{0,8}", text in "[aAbBéÉ]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), naive(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn text_without_special_characters_matches_itself(text in "[^*?]{0,40}") {
            prop_assert!(matches(&text, &text));
            let (longer, one_more) = (format!("{text}*"), format!("{text}?"));
            prop_assert!(matches(&longer, &text) && !matches(&one_more, &text));
        }
    }
}
