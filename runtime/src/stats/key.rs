//! What spans have to have in common to be counted together, as bytes: found without building anything, and read back
//! where the statistics are written.
//!
//! ```text
//! | status: u32 | root: u8 | synthetic: u8 | nine texts, each length: u16 and bytes | tags of peers, likewise |
//! ```

/// Texts of a key, by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Service,
    Name,
    Resource,
    Type,
    Kind,
    Grpc,
    Method,
    Endpoint,
    ServiceSource,
}

/// How many there are.
pub(super) const TEXTS: usize = Text::ServiceSource as usize + 1;
const HEADER: usize = 6;

/// What stands for values that are too many to be kept apart.
///
/// Source: `pkg/trace/stats` of DataDog/datadog-agent and the cross-language conformance suite.
pub(super) const BLOCKED: &str = "tracer_blocked_value";

/// A key in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The status of HTTP, 0 without one.
    pub(super) status: u32,
    /// Whether the span has no parent anywhere.
    pub(super) is_root: bool,
    /// Whether the trace comes from a synthetic test.
    pub(super) is_synthetic: bool,
    pub(super) texts: [&'a [u8]; TEXTS],
    /// Tags of peers, `key:value` behind their lengths.
    pub(super) peers: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The key of spans that are not kept apart any more.
    pub(super) fn blocked() -> Self {
        let mut parts = Self::default();
        for text in [Text::Service, Text::Name, Text::Resource, Text::Type, Text::Kind] {
            parts.set(text, BLOCKED.as_bytes());
        }
        parts
    }

    pub(super) fn text(&self, text: Text) -> &'a [u8] {
        self.texts[text as usize]
    }

    pub(super) fn set(&mut self, text: Text, value: &'a [u8]) {
        self.texts[text as usize] = value;
    }

    /// Replaces what `out` holds by the key.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(&[u8::from(self.is_root), u8::from(self.is_synthetic)]);
        for text in self.texts {
            put(out, text);
        }
        out.extend_from_slice(self.peers);
    }

    /// Reads what was [written](Self::write).
    pub(super) fn read(key: &'a [u8]) -> Option<Self> {
        let (&[a, b, c, d, is_root, is_synthetic], mut rest) = key.split_first_chunk::<HEADER>()?;
        let mut parts = Self {
            status: u32::from_le_bytes([a, b, c, d]),
            is_root: is_root != 0,
            is_synthetic: is_synthetic != 0,
            ..Self::default()
        };
        for text in &mut parts.texts {
            *text = take(&mut rest)?;
        }
        parts.peers = rest;
        Some(parts)
    }

    /// The tags of peers one by one.
    pub(super) fn each_peer(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.peers;
        std::iter::from_fn(move || take(&mut rest))
    }
}

/// Appends a text behind its length.
pub(super) fn put(out: &mut Vec<u8>, text: &[u8]) {
    let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk::<2>()?;
    let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_as_it_was_written() {
        let mut peers = Vec::new();
        put(&mut peers, b"db.name:shop");
        put(&mut peers, b"out.host:db");
        let mut parts = Parts { status: 404, is_root: true, peers: &peers, ..Parts::default() };
        parts.set(Text::Service, b"shop");
        parts.set(Text::ServiceSource, b"m");
        let mut key = vec![7; 3];
        parts.write(&mut key);
        assert_eq!(Parts::read(&key), Some(parts));
        assert_eq!(parts.each_peer().collect::<Vec<_>>(), [&b"db.name:shop"[..], b"out.host:db"]);
        assert_eq!(Parts::read(&key[..10]), None);
    }
}
