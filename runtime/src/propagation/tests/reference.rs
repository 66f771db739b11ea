//! The two parsers that are written for speed, beside ones that are written to be read.

use super::super::tags::decode;
use super::super::tracestate::{Own, Tracestate};
use proptest::prelude::*;

/// Tags, upper half, error.
type Decoded = (Vec<(String, String)>, u64, Option<String>);

/// `x-datadog-tags`, as it is described.
fn plain_tags(text: &str, max_bytes: usize) -> Decoded {
    let refused = |error: &str| (vec![], 0, Some(error.to_owned()));
    if text.is_empty() {
        return (vec![], 0, None);
    }
    if max_bytes == 0 {
        return refused("disabled");
    }
    if text.len() > max_bytes {
        return refused("extract_max_size");
    }
    let (mut tags, mut high, mut error): (Vec<(String, String)>, u64, Option<String>) = (vec![], 0, None);
    let mut malformed_high = None;
    for pair in text.split(',') {
        let Some((key, value)) = pair.split_once('=') else { return refused("decoding_error") };
        let value = value.trim_matches([' ', '\t']);
        let is_key = !key.is_empty() && key.chars().all(|c| ('!'..='~').contains(&c));
        let is_value = !value.is_empty() && pair.chars().all(|c| (' '..='~').contains(&c));
        if !is_key || !is_value {
            return refused("decoding_error");
        }
        let Some(name) = key.strip_prefix("_dd.p.") else { continue };
        if name.is_empty() || name == "upstream_services" {
            continue;
        }
        if name == "tid" {
            let is_half =
                value.len() == 16 && value.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
            if is_half {
                high = u64::from_str_radix(value, 16).unwrap();
            } else {
                malformed_high = Some(format!("malformed_tid {value}"));
            }
            continue;
        }
        if name == "dm" {
            let number = value
                .rsplit_once('-')
                .map(|(hash, number)| (hash.chars().all(|c| c.is_ascii_alphanumeric()), number));
            let is_maker = number.is_some_and(|(is_hash, number)| {
                is_hash
                    && !number.is_empty()
                    && number.chars().all(|c| c.is_ascii_digit())
                    && number.parse::<u32>().is_ok_and(|n| n < 256)
            });
            if !is_maker {
                error = Some("decoding_error".to_owned());
                continue;
            }
        }
        tags.retain(|(found, _)| found != key);
        tags.push((key.to_owned(), value.to_owned()));
    }
    (tags, high, malformed_high.or(error))
}

/// Priority, origin, last parent, tags of our member; the members of others; OpenTelemetry's.
type State = (Option<i32>, Option<String>, Option<String>, Vec<(String, String)>, String, Option<String>);

/// `tracestate`, as it is described.
fn plain_state(lines: &[String]) -> State {
    let (mut state, mut has_own): (State, bool) = (State::default(), false);
    let mut members = 1;
    for member in lines.join(",").split(',') {
        let member = member.trim_matches([' ', '\t']);
        let Some((key, value)) = member.split_once('=') else { continue };
        if key.is_empty() || !member.chars().all(|c| (' '..='~').contains(&c)) {
            continue;
        }
        if key == "dd" {
            if !has_own && member.len() <= 256 {
                own(value, &mut state);
            }
            has_own = true;
            continue;
        }
        let fits = members < 32 && member.len() <= 512;
        if key == "ot" {
            let hex = |text: &str| text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
            let kept: Vec<&str> = value
                .split(';')
                .filter(|pair| match pair.split_once(':') {
                    Some(("rv", number)) => number.len() == 14 && hex(number),
                    Some(("th", number)) => (1..=14).contains(&number.len()) && hex(number),
                    other => other.is_some(),
                })
                .collect();
            if state.5.is_none() && fits && !kept.is_empty() {
                members += 1;
                state.5 = Some(kept.join(";"));
            }
        } else if fits && state.4.len() + member.len() < 4096 {
            members += 1;
            state.4 = if state.4.is_empty() { member.to_owned() } else { format!("{},{member}", state.4) };
        }
    }
    state
}

fn own(value: &str, state: &mut State) {
    for pair in value.split(';') {
        let Some((key, value)) = pair.split_once(':') else { continue };
        let decoded = value.replace('~', "=");
        match key {
            "s" => state.0 = if value.starts_with('+') { None } else { value.parse().ok() },
            "o" if !value.is_empty() => state.1 = Some(decoded),
            "p" if !value.is_empty() => state.2 = Some(value.to_owned()),
            _ => {
                let Some(name) = key.strip_prefix("t.") else { continue };
                let is_usable =
                    !name.is_empty() && !name.contains([' ', '=']) && !value.trim_matches(' ').is_empty();
                let is_maker = plain_tags(&format!("_dd.p.dm={value}"), 512).2.is_none();
                if !is_usable || ["tid", "upstream_services"].contains(&name) || name == "dm" && !is_maker {
                    continue;
                }
                let key = format!("_dd.p.{name}");
                state.3.retain(|(found, _)| *found != key);
                state.3.push((key, decoded));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn tags_are_read_as_described(
        text in prop_oneof![
            "((_dd\\.p\\.)?(tid|dm|a|b|upstream_services|)(=| =|)[ -~]{0,3}(,|))(_dd\\.p\\.(tid|dm|a|b|ab)=[a-f0-9-]{1,17},?){0,5}",
            "_dd\\.p\\.tid=[0-9a-fA-F]{15,17}(,_dd\\.p\\.dm=[a-z]{0,2}-?[0-9]{0,4})?",
            "(_dd\\.p\\.[a-z]{1,9}=[!-+--~]{1,30},){0,20}_dd\\.p\\.z=é?1",
        ],
        max_bytes in prop_oneof![Just(512_usize), 0_usize..64],
    ) {
        let found = decode(&text, max_bytes);
        let tags: Vec<(String, String)> = found.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let error = found.error.map(|error| error.tag_value().into_owned());
        prop_assert_eq!((tags, found.trace_id_high, error), plain_tags(&text, max_bytes), "{}", text);
    }

    #[test]
    fn tracestate_is_read_as_described(
        lines in prop::collection::vec(
            prop_oneof![
                "((dd|ot|a|b|dd[0-9])=((s|o|p|t\\.dm|t\\.[a-z]|t\\.tid|rv|th|x):?[ -+--~]{0,4};?){0,4}[ \t]?,[ \t]?){0,6}",
                "(ot|a)=(rv:[0-9a-f]{13,15};?)?(th:[0-9a-g]{0,15})?",
                "([a-z]{1,3}=[ -+--~é]{0,200},){0,40}",
                "dd=s:-?[0-9]{1,3};p:[0-9a-z]{0,16};t.dm:-[0-9]{1,3};o:[a-z~=]{0,5};t.a:[a-z~: ]{0,250}",
            ],
            0..4,
        ),
    ) {
        let mut found = Tracestate::new(Own::All);
        for line in &lines {
            found.push_line(line);
        }
        let text = |text: Option<Box<str>>| text.map(String::from);
        let tags = found.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let state = (found.priority, text(found.origin), text(found.last_parent_id), tags, found.foreign, text(found.probability));
        prop_assert_eq!(state, plain_state(&lines), "{:?}", lines);
    }
}
