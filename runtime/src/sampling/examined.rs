//! A span as sampling rules see it.

use std::borrow::Cow;

use crate::model::{EntryKind, Flags, Mapping, Record, TagLog};

/// A span with everything that a rule may ask for; each is looked up when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examined<'a> {
    pub(crate) service: &'a str,
    /// Its record and the log of its tags. `None` where only its service is known: then it has no name, resource or tag of its
    /// own.
    pub(crate) span: Option<(&'a Record, &'a TagLog)>,
    pub(crate) own: &'a OwnTags,
}

/// What spans have from the tracer.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnTags {
    pub(crate) service: Box<str>,
    /// Empty when unset.
    pub(crate) env: Box<str>,
    /// Of spans of the tracer's own service. Empty when unset.
    pub(crate) version: Box<str>,
    /// Further tags; of equal keys the last counts.
    pub(crate) tags: Vec<(Box<str>, Box<str>)>,
    /// Services that are sent under another name, by which they are decided about.
    pub(crate) service_mapping: Mapping,
}

impl OwnTags {
    /// The service of a span that was given one, perhaps: an empty one, and the tracer's own in another case, are the tracer's.
    pub(crate) fn service_of<'a>(&'a self, given: Option<&'a str>) -> &'a str {
        let own = &*self.service;
        given.filter(|given| !given.is_empty() && !given.eq_ignore_ascii_case(own)).unwrap_or(own)
    }

    /// The same under the name by which it will be sent.
    pub(crate) fn mapped_service_of<'a>(&'a self, given: Option<&'a str>) -> &'a str {
        let service = self.service_of(given);
        self.service_mapping.get(service).unwrap_or(service)
    }
}

/// The value of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TagRef<'a> {
    Text(&'a str),
    Number(f64),
}

impl<'a> Examined<'a> {
    /// The operation name.
    pub(crate) fn name(&self) -> Cow<'a, str> {
        let Some((record, log)) = self.span else { return Cow::Borrowed("") };
        field(record, log, EntryKind::Name).map_or_else(|| record.site.name.text(), Cow::Borrowed)
    }

    /// The resource; the name where it has none.
    pub(crate) fn resource(&self) -> Cow<'a, str> {
        let given = self.span.and_then(|(record, log)| {
            let given = field(record, log, EntryKind::Resource);
            // A resource that is only the site's name does not outlive a new name.
            let of_site = record.site.resource.filter(|resource| !resource.is_empty());
            given.or_else(|| of_site.filter(|resource| *resource != record.site.name.text()))
        });
        given.map_or_else(|| self.name(), Cow::Borrowed)
    }

    /// The environment it is sent with, empty without one.
    pub(crate) fn env(&self) -> &'a str {
        match self.tag("env") {
            Some(TagRef::Text(env)) => env,
            _ => "",
        }
    }

    /// A tag: the span's own latest, else that of its call site, else the tracer's.
    pub(crate) fn tag(&self, key: &str) -> Option<TagRef<'a>> {
        if let Some((record, log)) = self.span {
            for entry in log.entries(record.tags) {
                match entry.kind {
                    EntryKind::Meta if entry.key() == key => return entry.text().map(TagRef::Text),
                    EntryKind::Metric if entry.key() == key => return entry.number().map(TagRef::Number),
                    EntryKind::Unset if entry.key() == key => return None,
                    _ => {}
                }
            }
            if let Some((_, text)) = record.site.tags.iter().rev().find(|(found, _)| *found == key) {
                return Some(TagRef::Text(text));
            }
        }
        let own = self.own;
        let text = match key {
            "env" if !own.env.is_empty() => Some(&own.env),
            "version" if !own.version.is_empty() && self.service == &*own.service => Some(&own.version),
            _ => own.tags.iter().rev().find(|(found, _)| **found == *key).map(|(_, text)| text),
        };
        text.map(|text| TagRef::Text(text))
    }
}

/// The latest text of a field, unless that is empty, as the encoder has it.
fn field<'a>(record: &Record, log: &'a TagLog, kind: EntryKind) -> Option<&'a str> {
    if !record.flags.has(Flags::FIELDS) {
        return None;
    }
    let latest = log.entries(record.tags).find(|entry| entry.kind == kind)?;
    Some(latest.field()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallSite;

    static SITE: CallSite =
        CallSite::function("shop", "pay").resource("POST /pay").tags(&[("team", "cart"), ("shared", "site")]);
    static PLAIN: CallSite = CallSite::function("shop", "pay");

    fn own() -> OwnTags {
        OwnTags {
            service: "shop".into(),
            env: "prod".into(),
            version: "1.2".into(),
            tags: vec![
                ("region".into(), "eu".into()),
                ("region".into(), "us".into()),
                ("shared".into(), "own".into()),
            ],
            ..OwnTags::default()
        }
    }

    #[test]
    fn latest_tag_counts_before_those_of_site_and_tracer() {
        let (own, mut log, mut record) = (own(), TagLog::new(), Record::open(&SITE, 1, 0, 0));
        record.tags = log.meta(record.tags, "plan", "free");
        record.tags = log.meta(record.tags, "plan", "gold");
        record.tags = log.metric(record.tags, "items", 4.0);
        record.tags = log.meta(record.tags, "gone", "x");
        record.tags = log.unset(record.tags, "gone");
        record.tags = log.unset(record.tags, "region");
        let span = Examined { service: "shop", span: Some((&record, &log)), own: &own };
        let text = |text| Some(TagRef::Text(text));
        assert_eq!((span.tag("plan"), span.tag("items")), (text("gold"), Some(TagRef::Number(4.0))));
        assert_eq!((span.tag("gone"), span.tag("region"), span.tag("Plan")), (None, None, None));
        assert_eq!((span.tag("team"), span.tag("shared")), (text("cart"), text("site")));
        assert_eq!((span.tag("env"), span.tag("version")), (text("prod"), text("1.2")));
        let other = Examined { service: "bank", span: None, own: &own };
        assert_eq!((other.tag("version"), other.tag("region"), other.tag("team")), (None, text("us"), None));
    }

    #[test]
    fn service_is_the_one_that_is_sent() {
        let own = own();
        for (given, expected) in
            [(None, "shop"), (Some(""), "shop"), (Some("SHOP"), "shop"), (Some("bank"), "bank")]
        {
            assert_eq!(own.service_of(given), expected);
        }
    }

    #[test]
    fn name_and_resource_are_what_is_sent() {
        let own = own();
        for (site, names, resources, expected) in [
            (&SITE, &[][..], &[][..], ("shop.pay", "POST /pay")),
            (&PLAIN, &[], &[], ("shop.pay", "shop.pay")),
            (&PLAIN, &["charge"], &[], ("charge", "charge")),
            (&SITE, &["charge"], &["GET /", ""], ("charge", "POST /pay")),
            (&SITE, &["charge", ""], &["", "GET /"], ("shop.pay", "GET /")),
        ] {
            let (mut log, mut record) = (TagLog::new(), Record::open(site, 1, 0, 0));
            record.flags = record.flags.with(Flags::FIELDS);
            for name in names {
                record.tags = log.field(record.tags, EntryKind::Name, name);
            }
            for resource in resources {
                record.tags = log.field(record.tags, EntryKind::Resource, resource);
            }
            let span = Examined { service: "shop", span: Some((&record, &log)), own: &own };
            assert_eq!((&*span.name(), &*span.resource()), expected, "{names:?} {resources:?}");
        }
    }
}
