//! What statistics take from a call site and from the tracer: looked up when the site is met first.

use std::collections::HashMap;

use super::tags::{SINGLE, Wanted};
use crate::model::{CallSite, cut};

/// The constant part of a site's spans.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) name: Box<str>,
    pub(super) resource: Box<str>,
    /// Empty without one.
    pub(super) span_type: Box<str>,
    /// Values of single tags, by their places.
    pub(super) single: [Option<Box<str>>; SINGLE],
    /// Values of peers' tags.
    pub(super) peers: Vec<(usize, Box<str>)>,
    /// Whether its kind alone gives its spans statistics.
    pub(super) is_counted: bool,
    /// Where its spans without anything of their own were counted last: by whether they are roots and synthetic.
    pub(super) places: [Place; 4],
}

/// A group in a bucket. Buckets are counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: u32,
    pub(super) group: u32,
}

/// The profiles of all sites met so far.
#[derive(Debug)]
pub(super) struct Profiles {
    /// Tags of every span.
    tags: Vec<(Box<str>, Box<str>)>,
    all: Vec<Profile>,
    by_address: HashMap<usize, u32>,
    /// The latest of the sites whose addresses fall into the same place.
    latest: [(usize, u32); LATEST],
}

const LATEST: usize = 128;
/// Longest name and type, and longest resource, in bytes: the agent cuts what is longer.
const MAX_NAME: usize = 100;
const MAX_RESOURCE: usize = 5_000;

impl Profiles {
    /// Of a tracer whose spans all have these tags.
    pub(super) fn new(tags: Vec<(Box<str>, Box<str>)>) -> Self {
        Self { tags, all: Vec::new(), by_address: HashMap::new(), latest: [(0, 0); LATEST] }
    }

    /// Forgets what was looked up: other tags are wanted.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.by_address.clear();
        self.latest = [(0, 0); LATEST];
    }

    /// The profile of a site.
    #[inline]
    pub(super) fn of(
        &mut self,
        site: &'static CallSite,
        wanted: &Wanted,
        is_counted: impl Fn(&str) -> bool,
    ) -> Option<&mut Profile> {
        // The address of a static is its identity; it is never read through.
        let address = std::ptr::from_ref(site) as usize;
        let place = (address >> 3 ^ address >> 10) % LATEST;
        if self.latest[place].0 != address {
            self.latest[place] = (address, self.find(address, site, wanted, is_counted));
        }
        self.all.get_mut(self.latest[place].1 as usize)
    }

    #[inline(never)]
    fn find(
        &mut self,
        address: usize,
        site: &CallSite,
        wanted: &Wanted,
        is_counted: impl Fn(&str) -> bool,
    ) -> u32 {
        let Self { tags, all, by_address, .. } = self;
        *by_address.entry(address).or_insert_with(|| {
            all.push(Profile::new(site, tags, wanted, is_counted));
            all.len() as u32 - 1
        })
    }
}

impl Profile {
    #[cold]
    fn new(
        site: &CallSite,
        tags: &[(Box<str>, Box<str>)],
        wanted: &Wanted,
        is_counted: impl Fn(&str) -> bool,
    ) -> Self {
        let mut name = String::new();
        site.name.write_to(&mut name);
        let resource = site.resource.filter(|resource| !resource.is_empty()).unwrap_or(&name);
        let mut single: [Option<Box<str>>; SINGLE] = [const { None }; SINGLE];
        let mut peers: Vec<(usize, Box<str>)> = Vec::new();
        // The site's tags come before the tracer's, of equal keys the last counts.
        let own = site.tags.iter().rev().copied();
        for (key, value) in own.chain(tags.iter().rev().map(|(key, value)| (&**key, &**value))) {
            let Some(slot) = wanted.slot_of(key) else { continue };
            match single.get_mut(slot) {
                Some(place) => {
                    place.get_or_insert_with(|| value.into());
                }
                None if peers.iter().all(|(known, _)| *known != slot) => peers.push((slot, value.into())),
                None => {}
            }
        }
        let kind = single.first().and_then(Option::as_deref);
        Self {
            is_counted: kind.is_some_and(is_counted),
            resource: cut(resource, MAX_RESOURCE).into(),
            name: cut(&name, MAX_NAME).into(),
            span_type: cut(site.span_type.unwrap_or_default(), MAX_NAME).into(),
            single,
            peers,
            places: [Place::default(); 4],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tags::Slot;
    use super::*;

    static SITE: CallSite = CallSite::function("shop", "pay").span_type("web").tags(&[
        ("span.kind", "server"),
        ("out.host", "db"),
        ("http.method", "GET"),
        ("http.method", "PUT"),
    ]);

    #[test]
    fn tags_of_the_site_come_before_those_of_the_tracer() {
        let tags = [("http.method", "POST"), ("http.route", "/"), ("out.host", "x"), ("db.name", "shop")];
        let tags = tags.map(|(key, value)| (key.into(), value.into())).to_vec();
        let wanted = Wanted::new(&["db.name".into(), "out.host".into()]);
        let mut profiles = Profiles::new(tags);
        for _ in 0..2 {
            let profile = profiles.of(&SITE, &wanted, |kind| kind == "server").unwrap();
            assert_eq!(
                (&*profile.name, &*profile.resource, &*profile.span_type),
                ("shop.pay", "shop.pay", "web")
            );
            let single = |slot| profile.single[slot as usize].as_deref();
            assert_eq!((single(Slot::Method), single(Slot::Route)), (Some("PUT"), Some("/")));
            assert!(profile.is_counted);
            let peers: Vec<_> = profile.peers.iter().map(|(slot, value)| (slot - SINGLE, &**value)).collect();
            assert_eq!(peers, [(1, "db"), (0, "shop")]);
        }
        assert_eq!(profiles.all.len(), 1);
    }
}
