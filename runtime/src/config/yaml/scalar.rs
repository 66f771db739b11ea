//! Scalars, as one line.

use super::Node;

/// Why a scalar is not read.
pub(super) type Reason = &'static str;

/// A plain scalar: nothing, or a text as it was written.
pub(super) fn plain(text: &str) -> Result<Node, Reason> {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Node::Null);
    }
    let is_indicator =
        text.starts_with(['&', '*', '!', '|', '>', '%', '@', '`', '"', '\'', ',', '[', ']', '{', '}']);
    if is_indicator || is_mark(text, '?') || is_mark(text, '-') {
        return Err("anchors, aliases, tags and other special forms are not read");
    }
    if text.contains(": ") || text.ends_with(':') {
        return Err("a mapping can not begin here");
    }
    Ok(Node::Scalar(text.to_owned()))
}

/// Whether a text is an indicator by itself or followed by a blank.
pub(super) fn is_mark(text: &str, mark: char) -> bool {
    text.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The text without a comment: from a `#` at its start or behind a blank. Not for quoted text.
pub(super) fn without_comment(text: &str) -> &str {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if character == '#' && matches!(before, ' ' | '\t') {
            return text.get(..at).unwrap_or_default().trim_end();
        }
        before = character;
    }
    text.trim_end()
}

/// A quoted scalar at the start of a text, and what follows it.
pub(super) fn quoted(text: &str) -> Result<(String, &str), Reason> {
    let mut characters = text.char_indices();
    let mut value = String::new();
    match characters.next() {
        Some((_, '\'')) => {
            let mut characters = characters.peekable();
            while let Some((at, character)) = characters.next() {
                if character != '\'' {
                    value.push(character);
                } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
                    value.push('\'');
                } else {
                    return Ok((value, text.get(at + 1..).unwrap_or_default()));
                }
            }
        }
        Some((_, '"')) => {
            while let Some((at, character)) = characters.next() {
                match character {
                    '"' => return Ok((value, text.get(at + 1..).unwrap_or_default())),
                    '\\' => value.push(escape(&mut characters)?),
                    _ => value.push(character),
                }
            }
        }
        _ => return Err("a quoted text was expected"),
    }
    Err("a quoted text does not end in its line")
}

fn escape(characters: &mut std::str::CharIndices<'_>) -> Result<char, Reason> {
    const REASON: Reason = "an escape means nothing";
    let (_, character) = characters.next().ok_or(REASON)?;
    Ok(match character {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' => character,
        'x' => char::from_u32(hex(characters, 2).ok_or(REASON)?).ok_or(REASON)?,
        'U' => char::from_u32(hex(characters, 8).ok_or(REASON)?).ok_or(REASON)?,
        'u' => {
            let first = hex(characters, 4).ok_or(REASON)?;
            let code = match first {
                // JSON writes characters outside of the basic plane as a pair.
                0xd800..=0xdbff => {
                    let rest = characters.as_str().strip_prefix("\\u").ok_or(REASON)?;
                    *characters = rest_of(characters, rest);
                    let second =
                        hex(characters, 4).filter(|low| (0xdc00..0xe000).contains(low)).ok_or(REASON)?;
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                }
                code => code,
            };
            char::from_u32(code).ok_or(REASON)?
        }
        _ => return Err(REASON),
    })
}

/// The same characters from where `rest` begins.
fn rest_of<'a>(characters: &std::str::CharIndices<'a>, rest: &str) -> std::str::CharIndices<'a> {
    let mut after = characters.clone();
    while after.as_str().len() > rest.len() {
        after.next();
    }
    after
}

fn hex(characters: &mut std::str::CharIndices<'_>, digits: usize) -> Option<u32> {
    let mut code = 0;
    for _ in 0..digits {
        code = code << 4 | characters.next()?.1.to_digit(16)?;
    }
    Some(code)
}
