//! Rust sources read as text, for the tests that hold rules about them.

use std::path::{Path, PathBuf};

/// The top of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there")
}

/// All `.rs` files below `directory`, sorted.
pub fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{} can not be listed: {error}", directory.display()));
        for path in entries.map(|entry| entry.expect("an entry of a directory").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The words and marks of a source text: comments are gone, a literal of text is one token, and so is `::`.
pub fn tokens(text: &str) -> Vec<String> {
    let mut rest = text;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            tokens.push(rest[..length].to_owned());
            length
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of the text or character literal at the start, if there is one.
fn literal(text: &str) -> Option<usize> {
    let bare = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - bare.len();
    if prefix > 1 {
        return None;
    }
    if bare.starts_with('"') {
        return Some(prefix + quoted(bare, '"'));
    }
    if let Some(raw) = bare.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if !raw[hashes..].starts_with('"') {
            return None;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let body = prefix + 1 + hashes + 1;
        return Some(text[body..].find(&end).map_or(text.len(), |length| body + length + end.len()));
    }
    // A lifetime has no closing quote after its first character.
    let mut inside = bare.strip_prefix('\'')?.chars();
    let is_character = inside.next()? == '\\' || inside.next()? == '\'';
    is_character.then(|| prefix + quoted(bare, '\''))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_tokens_and_literals_are_one() {
        let text = r##"use a::b; // crate::x
            /* crate /* nested */ */ let s = "crate::y\""; let r = r#"crate"z"#; let c = '"'; fn f<'a>() {} '\''"##;
        let tokens = tokens(text);
        let texts: Vec<_> = tokens.iter().filter(|token| token.contains(['"', '\\'])).collect();
        assert_eq!(texts, [r#""crate::y\"""#, r##"r#"crate"z"#"##, "'\"'", r"'\''"]);
        assert_eq!(tokens[..5].join(" "), "use a :: b ;");
        assert!(!tokens.iter().any(|token| token == "crate" || token == "nested"));
    }
}
