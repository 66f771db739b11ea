//! The values: service, env and version of the tracer, and the ids of a span.

use std::fmt::{self, Display, Write};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::config::Identity;
use crate::diagnostics::is_hostile;
use crate::model::ids::{Decimal, decimal, hex};
use crate::model::{SpanId, TraceId};
use crate::trace::{Home, LineOwner, WrittenIdentity, active_identity};

/// What correlates a log line with a trace: service, env and version of the tracer, and the ids of the active span.
///
/// ```
/// let span = dd_traced::span("web.request").start();
/// let _active = span.activate();
/// println!("[{}] sending the mail", dd_traced::correlation());
/// // [dd.service=shop dd.env=prod dd.trace_id=6a5c1f40000000003a7b9c1d2e4f6081 dd.span_id=8875836681422449212] sending the mail
/// ```
pub fn correlation() -> Correlation {
    let (owner, ids) = active_identity();
    Correlation { owner, ids }
}

/// See [`correlation`]. `Display` gives `dd.service=… dd.env=… dd.version=… dd.trace_id=… dd.span_id=…`, and [`Correlation::fields`] the same
/// one by one. With the feature `serde` it serializes as a map of these fields.
///
/// Making, showing and reading it allocates nothing.
#[derive(Debug, Clone)]
pub struct Correlation {
    owner: Option<LineOwner>,
    ids: Option<(u128, u64)>,
}

/// It is only read, and a tracer recovers from a panic under its locks: loggers may keep it where such types are asked for.
impl UnwindSafe for Correlation {}
impl RefUnwindSafe for Correlation {}

impl Correlation {
    pub(crate) fn new(core: Option<Arc<Home>>, ids: Option<(u128, u64)>) -> Self {
        Self { owner: LineOwner::of(core), ids }
    }

    /// Of a span, whoever is active.
    #[cfg(feature = "tracing")]
    pub(super) fn of(span: &crate::trace::Span) -> Self {
        let (core, ids, _) = span.identity();
        Self::new(core, ids)
    }

    #[cfg(feature = "tracing")]
    pub(super) fn without_span(self) -> Self {
        Self { ids: None, ..self }
    }

    /// The tracer's service: of the one that runs, else of the latest one of the process, also where it is switched off; empty before the first.
    /// As a line says it, which it can not end: see [`fields`](Self::fields).
    pub fn service(&self) -> &str {
        self.field(IDENTITY[0])
    }

    /// The tracer's environment, as a line says it; empty where unset.
    pub fn env(&self) -> &str {
        self.field(IDENTITY[1])
    }

    /// The tracer's version, as a line says it; empty where unset.
    pub fn version(&self) -> &str {
        self.field(IDENTITY[2])
    }

    /// The trace id as log pipelines expect it, `0` without an active span.
    pub fn trace_id(&self) -> CorrelationId {
        let is_wide = self.owner.as_ref().is_none_or(|owner| owner.settings.logs_128_bit_ids);
        CorrelationId(match self.ids {
            Some((trace_id, _)) if is_wide => Id::Trace(TraceId::new(trace_id)),
            Some((trace_id, _)) => Id::Trace(TraceId::new(u128::from(trace_id as u64))),
            None => Id::Span(SpanId::new(0)),
        })
    }

    /// The span id, decimal, `0` without an active span.
    pub fn span_id(&self) -> CorrelationId {
        CorrelationId(Id::Span(SpanId::new(self.ids.map_or(0, |(_, span_id)| span_id))))
    }

    /// The fields of a structured line: `dd.service`, `dd.env` and `dd.version` where they are set, `dd.trace_id` and `dd.span_id` where there
    /// is a span. In the settings, characters that could end a field or a line are replaced by `_`.
    ///
    /// ```
    /// for (key, value) in dd_traced::correlation().fields().iter() {
    ///     println!("{key}: {value}");
    /// }
    /// ```
    pub fn fields(&self) -> CorrelationFields<'_> {
        let ids = self.ids.map(|_| [self.trace_id().text(), self.span_id().text()]);
        CorrelationFields { identity: self.written(), ids }
    }

    /// `dd.service=… dd.env=… dd.version=… ` with what is set.
    pub(super) fn identity(&self) -> &str {
        self.written().map_or("", |written| &written.text)
    }

    fn field(&self, key: &str) -> &str {
        let mut fields = self.written().map_or(&[][..], |written| &written.fields).iter();
        fields.find(|(found, _)| *found == key).map_or("", |(_, value)| value)
    }

    fn written(&self) -> Option<&WrittenIdentity> {
        let owner = self.owner.as_ref()?;
        Some(owner.written.get_or_init(|| Box::new(write(&owner.settings.identity))))
    }
}

/// Service, env and version as lines say them.
fn write(identity: &Identity) -> WrittenIdentity {
    let Identity { service, env, version, .. } = identity;
    let values = [service, env.as_deref().unwrap_or_default(), version.as_deref().unwrap_or_default()];
    let set = IDENTITY.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
    let fields: Box<[_]> =
        set.map(|(key, value)| (key, Escaped(value).to_string().into_boxed_str())).collect();
    // Of what JSON escapes, settings have nothing left but backslashes.
    #[cfg(feature = "tracing")]
    let member = |(key, value): &(_, Box<str>)| format!(r#""{key}":"{}","#, value.replace('\\', r"\\"));
    WrittenIdentity {
        text: fields.iter().map(|(key, value)| format!("{key}={value} ")).collect(),
        #[cfg(feature = "tracing")]
        members: fields.iter().map(member).collect(),
        fields,
    }
}

impl Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The digits as they are: a width of the placeholder is not that of each id.
        f.write_str(self.identity())?;
        f.write_str("dd.trace_id=")?;
        f.write_str(self.trace_id().text().as_str())?;
        f.write_str(" dd.span_id=")?;
        f.write_str(self.span_id().text().as_str())
    }
}

const IDENTITY: [&str; 3] = ["dd.service", "dd.env", "dd.version"];
const IDS: [&str; 2] = ["dd.trace_id", "dd.span_id"];

/// The fields of a structured line; see [`Correlation::fields`].
#[derive(Debug, Clone)]
pub struct CorrelationFields<'a> {
    identity: Option<&'a WrittenIdentity>,
    ids: Option<[IdText; 2]>,
}

impl CorrelationFields<'_> {
    /// Key and value of each field. All values are strings, ids too: a consumer that reads numbers as floats would round them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let identity = self.identity.into_iter().flat_map(|written| &written.fields);
        let ids = self.ids.iter().flat_map(|ids| IDS.into_iter().zip(ids.iter().map(IdText::as_str)));
        identity.map(|(key, value)| (*key, &**value)).chain(ids)
    }

    #[cfg(feature = "tracing")]
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_none() && self.identity.is_none_or(|written| written.fields.is_empty())
    }

    /// Appends the fields as members of a JSON object, with a comma between them and none behind the last.
    #[cfg(feature = "tracing")]
    pub(super) fn push_members(&self, object: &mut String) {
        let identity = self.identity.map_or("", |written| &written.members);
        let Some([trace_id, span_id]) = &self.ids else {
            return object.push_str(identity.strip_suffix(',').unwrap_or_default());
        };
        for part in
            [identity, r#""dd.trace_id":""#, trace_id.as_str(), r#"","dd.span_id":""#, span_id.as_str(), "\""]
        {
            object.push_str(part);
        }
    }
}

/// Whether a structured line may have a field of this name from here alone.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with("dd.") && (IDENTITY.contains(&key) || IDS.contains(&key))
}

#[cfg(feature = "serde")]
impl serde::Serialize for Correlation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields().iter())
    }
}

/// An id as it stands in a log line: a trace id with an upper half as 32 hexadecimal digits, everything else in decimal. Obeys
/// width, fill and alignment. `Debug` gives the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CorrelationId(Id);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Trace(TraceId),
    Span(SpanId),
}

impl CorrelationId {
    fn text(self) -> IdText {
        match self.0 {
            Id::Trace(id) if id.high_u64() != 0 => {
                IdText::Hex(Halves([hex(id.high_u64()), hex(id.low_u64())]))
            }
            Id::Trace(id) => IdText::Decimal(decimal(id.low_u64())),
            Id::Span(id) => IdText::Decimal(decimal(id.as_u64())),
        }
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Trace(id) => id.fmt(f),
            Id::Span(id) => id.fmt(f),
        }
    }
}

/// The digits of an id, on the stack.
#[derive(Clone, Copy)]
enum IdText {
    Hex(Halves),
    Decimal(Decimal),
}

/// Aligned, because the check for UTF-8 goes byte by byte before the first whole word.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Halves([[u8; 16]; 2]);

impl IdText {
    fn as_str(&self) -> &str {
        match self {
            IdText::Hex(Halves(halves)) => std::str::from_utf8(halves.as_flattened()).unwrap_or_default(),
            IdText::Decimal(digits) => digits.as_str(),
        }
    }
}

impl fmt::Debug for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A setting inside of a line: blanks, brackets and control characters would end the field or forge another one.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            let is_unsafe = character.is_whitespace()
                || is_hostile(character)
                || matches!(character, '[' | ']' | '=' | '"');
            f.write_char(if is_unsafe { '_' } else { character })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_strings_of_the_form_that_pipelines_expect() {
        let text = |trace_id| CorrelationId(Id::Trace(TraceId::new(trace_id))).text().as_str().to_owned();
        assert_eq!(text(1 << 64 | 255), "000000000000000100000000000000ff");
        assert_eq!(text(255), "255");
        assert_eq!(text(u128::from(u64::MAX)), "18446744073709551615");
        assert_eq!(CorrelationId(Id::Span(SpanId::new(0))).text().as_str(), "0");
    }

    /// Each id used to be filled up to the width, which parses as an id no more.
    #[test]
    fn a_width_does_not_tear_the_fields_apart() {
        let correlation = Correlation::new(None, Some((255, 7)));
        assert_eq!(format!("{correlation:>30}"), correlation.to_string());
    }

    proptest! {
        #[test]
        fn a_setting_is_one_field_of_one_line(value: String) {
            let escaped = Escaped(&value).to_string();
            prop_assert_eq!(escaped.chars().count(), value.chars().count());
            prop_assert!(!escaped.contains([' ', '[', ']', '=', '"']));
            prop_assert!(!escaped.contains(char::is_whitespace) && !escaped.contains(is_hostile));
        }
    }
}
