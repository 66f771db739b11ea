//! The word that was meant, perhaps.

/// Characters of a word that are looked at.
const MAX_CHARS: usize = 80;

/// The word of `known` that takes the fewest changes to get to, and how many: characters added, left out or replaced. Case does not count.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    known.map(|known| (known, changes(word, known))).min_by_key(|(_, changes)| *changes)
}

/// The distance of Levenshtein.
fn changes(one: &str, other: &str) -> usize {
    let letters = |word: &str| -> Vec<char> {
        word.chars().take(MAX_CHARS).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let (one, other) = (letters(one), letters(other));
    // The row of the table for no letter of `one`, then for one more each time.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (pair, wanted) in row.windows(2).zip(&other) {
            let &[diagonal, above] = pair else { continue };
            left = (left + 1).min(above + 1).min(diagonal + usize::from(letter != wanted));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn changes_are_counted() {
        for (one, other, expected) in [
            ("", "", 0),
            ("agent", "agent", 0),
            ("AGENT", "agent", 0),
            ("agnet", "agent", 2),
            ("setings", "settings", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((changes(one, other), changes(other, one)), (expected, expected), "{one} {other}");
        }
        assert_eq!(nearest("simple", ["settings", "agent", "sample"].into_iter()), Some(("sample", 1)));
        assert_eq!(nearest("x", std::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn any_words_are_compared(one: String, other: String) {
            let longest = one.chars().count().max(other.chars().count()).min(MAX_CHARS);
            prop_assert!(changes(&one, &other) <= longest);
        }
    }
}
