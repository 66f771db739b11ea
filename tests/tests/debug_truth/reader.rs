//! Lines of the debug log, read back strictly.

use std::collections::BTreeMap;

/// What is left of a line.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn expect(&mut self, text: &str) {
        self.0 = self.0.strip_prefix(text).unwrap_or_else(|| panic!("no {text:?} before {:?}", self.0));
    }

    fn word(&mut self) -> &'a str {
        let end = self.0.find([' ', ',', '}']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        let word = self.word();
        word.parse().unwrap_or_else(|error| panic!("{word}: {error:?}"))
    }

    /// A text in quotes.
    fn quoted(&mut self) -> String {
        self.expect("\"");
        let mut text = String::new();
        let mut characters = self.0.char_indices();
        loop {
            let (at, character) = characters.next().unwrap();
            match character {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return text;
                }
                '\\' => match characters.next().unwrap().1 {
                    'n' => text.push('\n'),
                    'u' => {
                        let hex: String = characters
                            .by_ref()
                            .map(|(_, digit)| digit)
                            .skip(1)
                            .take_while(|digit| *digit != '}')
                            .collect();
                        text.push(char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap());
                    }
                    escaped @ ('"' | '\\') => text.push(escaped),
                    other => panic!("an escape {other:?}"),
                },
                other => text.push(other),
            }
        }
    }

    fn pairs<T>(&mut self, value: impl Fn(&mut Self) -> T) -> BTreeMap<String, T> {
        let mut pairs = BTreeMap::new();
        while !self.0.starts_with('}') {
            if !pairs.is_empty() {
                self.expect(", ");
            }
            let key = if self.0.starts_with('"') {
                self.quoted()
            } else {
                let (key, rest) = self.0.split_once('=').unwrap();
                self.0 = &self.0[key.len()..];
                assert_eq!(&self.0[1..], rest);
                key.to_owned()
            };
            self.expect("=");
            let value = value(self);
            assert!(pairs.insert(key.clone(), value).is_none(), "{key} twice");
        }
        self.expect("}");
        pairs
    }
}

/// What a span is called, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) trace_id: u128,
    pub(crate) parent_id: u64,
    pub(crate) service: String,
    pub(crate) resource: String,
    pub(crate) span_type: String,
    pub(crate) start: i64,
}

/// What is told of a span that has finished.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) identity: Identity,
    pub(crate) duration: i64,
    pub(crate) error: i32,
    pub(crate) meta: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// Reads a line about a start, behind `span started: `, with the span's id.
pub(crate) fn started(text: &str) -> (u64, Identity) {
    let mut reader = Reader(text);
    let started = identity(&mut reader);
    assert_eq!(reader.0, "");
    started
}

fn identity(reader: &mut Reader<'_>) -> (u64, Identity) {
    reader.expect("name=");
    let name = reader.quoted();
    reader.expect(" trace_id=");
    let trace_id = u128::from_str_radix(reader.word(), 16).unwrap();
    reader.expect(" span_id=");
    let span_id = reader.number();
    reader.expect(" parent_id=");
    let parent_id = reader.number();
    reader.expect(" service=");
    let service = reader.quoted();
    reader.expect(" resource=");
    let resource = reader.quoted();
    reader.expect(" type=");
    let span_type = reader.quoted();
    reader.expect(" start_ns=");
    (span_id, Identity { name, trace_id, parent_id, service, resource, span_type, start: reader.number() })
}

/// Reads a line about an end, behind `span finished: `, with the span's id.
pub(crate) fn finished(text: &str) -> (u64, Finished) {
    let mut reader = Reader(text);
    let (span_id, identity) = identity(&mut reader);
    reader.expect(" duration_ns=");
    let duration = reader.number();
    reader.expect(" error=");
    let error = reader.number();
    reader.expect(" tags={");
    let meta = reader.pairs(Reader::quoted);
    reader.expect(" metrics={");
    let metrics = reader.pairs(Reader::number);
    assert_eq!(reader.0, "");
    (span_id, Finished { identity, duration, error, meta, metrics })
}
