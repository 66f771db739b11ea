//! What is constant about a span as bytes, put together when its call site is met first.
//!
//! ```text
//! | map header | service | name resource type | ids and times, their values left open | meta header | tags of site and tracer |
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::block::{Pair, TagBlock, key_of, put_str};
use super::fields::NUMBERS;
use crate::model::{CallSite, TagLog};

/// The shapes of all sites met so far.
#[derive(Debug)]
pub(super) struct Shapes {
    bytes: Vec<u8>,
    by_key: HashMap<usize, Shape, BuildHasherDefault<AddressHasher>>,
    /// The latest of the shapes whose keys fall into the same place.
    latest: [(usize, Shape); LATEST],
    /// The tags of sites that have some, with those of the tracer.
    blocks: Vec<TagBlock>,
}

const LATEST: usize = 32;

/// Where the bytes of one shape are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    start: u32,
    site_at: u32,
    numbers_at: u32,
    end: u32,
    pub(super) has_type: bool,
    /// Place among the blocks plus one; 0 for a site without tags.
    block: u32,
}

impl Shape {
    /// All of it: from the map's header to the tracer's own `meta`.
    pub(super) fn whole(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Name, resource and type.
    pub(super) fn site(self) -> Range<usize> {
        self.site_at as usize..self.numbers_at as usize
    }

    /// Whether the site has tags of its own.
    #[inline]
    pub(super) fn has_tags(self) -> bool {
        self.block != 0
    }

    /// The distance from the start to the ids and times.
    pub(super) fn numbers_at(self) -> usize {
        (self.numbers_at - self.start) as usize
    }
}

impl Shapes {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            by_key: HashMap::default(),
            latest: [(0, Shape::default()); LATEST],
            blocks: Vec::new(),
        }
    }

    /// The shape for spans of `site` that carry `constants`, which is the `variant`th (0 to 7) of the tracer.
    #[inline]
    pub(super) fn shape(
        &mut self,
        site: &'static CallSite,
        variant: usize,
        service: &str,
        constants: &TagBlock,
    ) -> Shape {
        // The address of a static is its identity; it is never read through. Statics of words leave the low bits free.
        let key = std::ptr::from_ref(site) as usize | variant;
        let place = (key as u64).wrapping_mul(SPREAD) as usize >> (usize::BITS - LATEST.trailing_zeros());
        let place = place % LATEST;
        if self.latest[place].0 != key {
            self.latest[place] = (key, self.find(key, site, service, constants));
        }
        self.latest[place].1
    }

    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The tags that are constant about spans of this shape, which the tracer knows as `constants`.
    #[inline]
    pub(super) fn constants<'a>(&'a self, shape: Shape, constants: &'a TagBlock) -> &'a TagBlock {
        if shape.has_tags() {
            self.blocks.get(shape.block as usize - 1).unwrap_or(constants)
        } else {
            constants
        }
    }

    #[inline(never)]
    fn find(&mut self, key: usize, site: &CallSite, service: &str, constants: &TagBlock) -> Shape {
        match self.by_key.get(&key) {
            Some(shape) => *shape,
            None => self.add(key, site, service, constants),
        }
    }

    #[cold]
    fn add(&mut self, key: usize, site: &CallSite, service: &str, constants: &TagBlock) -> Shape {
        let mut name = String::new();
        site.name.write_to(&mut name);
        let span_type = site.span_type.filter(|span_type| !span_type.is_empty());
        let resource = site.resource.filter(|resource| !resource.is_empty()).unwrap_or(&name);
        let out = &mut self.bytes;
        let start = out.len() as u32;
        // The map's header, which is known last.
        out.push(0);
        for text in ["service", service] {
            put_str(out, text);
        }
        let site_at = out.len() as u32;
        for text in ["name", &name, "resource", resource] {
            put_str(out, text);
        }
        for text in span_type.into_iter().flat_map(|span_type| ["type", span_type]) {
            put_str(out, text);
        }
        let numbers_at = out.len() as u32;
        out.extend_from_slice(NUMBERS);
        let mut block = 0;
        if site.tags.is_empty() {
            out.extend_from_slice(&constants.meta);
        } else {
            let tags = with_site_tags(site, constants);
            out.extend_from_slice(&tags.meta);
            self.blocks.push(tags);
            block = self.blocks.len() as u32;
        }
        let end = out.len() as u32;
        let shape = Shape { start, site_at, numbers_at, end, has_type: span_type.is_some(), block };
        self.by_key.insert(key, shape);
        shape
    }
}

/// Tags a site may have; the agent takes no more of a span.
const MAX_TAGS: usize = 1_000;

/// The tags of a site, the later of a key, and those of the tracer that they leave.
fn with_site_tags(site: &CallSite, constants: &TagBlock) -> TagBlock {
    let mut log = TagLog::new();
    let tags = site.tags.iter().take(MAX_TAGS);
    // As a span's own tags are cut, so are these.
    let anchor = tags.fold(0, |anchor, (key, value)| log.meta(anchor, key, value));
    let own = log.entries(anchor).map(|entry| Pair { bytes: entry.payload, is_number: false });
    let mut block = TagBlock::default();
    for pair in own.chain(constants.pairs()) {
        if !block.has(key_of(pair.bytes)) {
            block.add(pair);
        }
    }
    block
}

/// An odd constant near 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Addresses of statics are far apart and not chosen by an attacker.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, value: usize) {
        self.0 = (self.0.rotate_left(5) ^ value as u64).wrapping_mul(SPREAD).rotate_left(26);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_keeps_its_own_shape() {
        static PLAIN: CallSite = CallSite::function("shop::cart", "add");
        static TYPED: CallSite = CallSite::named("db").resource("SELECT 1").span_type("sql");
        let (mut shapes, constants) = (Shapes::new(), TagBlock::default());
        for _ in 0..2 {
            let plain = shapes.shape(&PLAIN, 0, "shop", &constants);
            let text = String::from_utf8_lossy(shapes.bytes(plain.whole())).into_owned();
            assert_eq!(text.matches("shop.cart.add").count(), 2, "name and resource: {text}");
            let typed = shapes.shape(&TYPED, 3, "shop", &constants);
            let text = String::from_utf8_lossy(shapes.bytes(typed.site())).into_owned();
            assert!(text.contains("SELECT 1") && text.contains("sql") && !text.contains("shop"), "{text}");
            assert!(typed.has_type && !plain.has_type);
        }
        assert_eq!(shapes.by_key.len(), 2);
    }
}
