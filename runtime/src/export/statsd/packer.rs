//! Metrics into datagrams: a line each, as many of them in one datagram as fit.

use std::fmt::{self, Write};

use super::tags::Tags;

/// What a metric says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric<'a> {
    /// Of letters, digits, `.` and `_`.
    pub(crate) name: &'static str,
    pub(crate) number: Number,
    pub(crate) kind: Kind,
    /// Beside those that all metrics have.
    pub(crate) tags: &'a Tags,
    /// Of how many such numbers this one stands for all: 1 for itself.
    pub(crate) one_of: u32,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
}

/// The types of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// How often since the last time.
    Count,
    /// How much at present.
    Gauge,
    /// Of many numbers one, of which percentiles are computed for all hosts together.
    Distribution,
    /// Of many durations one, in milliseconds.
    Timing,
}

impl Kind {
    const fn letters(self) -> &'static str {
        match self {
            Self::Count => "c",
            Self::Gauge => "g",
            Self::Distribution => "d",
            Self::Timing => "ms",
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
        }
    }
}

/// Writes metrics into datagrams, which `send` gets as they are full.
pub(crate) struct Packer<'a, S: FnMut(&[u8])> {
    /// What each line ends with: the tags that all have, and the container.
    constant: &'a Constant,
    max_bytes: usize,
    datagram: String,
    line: String,
    send: S,
}

/// What all metrics of a tracer say, written once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Constant {
    tags: Tags,
    /// `|c:ci-…`, or nothing.
    container: String,
}

impl Constant {
    /// The tags of all metrics, and the container as the agent names it: `ci-` and an id, or `in-` and an inode.
    ///
    /// Source: the fields of version 1.2 and later of the datagram format.
    pub(crate) fn new(tags: Tags, entity_id: Option<&str>) -> Self {
        let is_usable =
            |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        Self { tags, container: entity_id.filter(is_usable).map(|id| format!("|c:{id}")).unwrap_or_default() }
    }
}

impl<'a, S: FnMut(&[u8])> Packer<'a, S> {
    /// Datagrams of at most so many bytes.
    pub(crate) fn new(constant: &'a Constant, max_bytes: usize, send: S) -> Self {
        Self { constant, max_bytes, datagram: String::with_capacity(max_bytes), line: String::new(), send }
    }

    /// Adds a metric. False for one that is no number, or too long for a datagram: it is left out.
    pub(crate) fn add(&mut self, metric: &Metric<'_>) -> bool {
        self.write_line(metric);
        let is_number = !matches!(metric.number, Number::Real(number) if !number.is_finite());
        if !is_number || self.line.len() > self.max_bytes {
            return false;
        }
        if !self.datagram.is_empty() && self.datagram.len() + 1 + self.line.len() > self.max_bytes {
            self.finish();
        }
        if !self.datagram.is_empty() {
            self.datagram.push('\n');
        }
        self.datagram.push_str(&self.line);
        true
    }

    /// Sends what is written.
    pub(crate) fn finish(&mut self) {
        if !self.datagram.is_empty() {
            (self.send)(self.datagram.as_bytes());
            self.datagram.clear();
        }
    }

    fn write_line(&mut self, metric: &Metric<'_>) {
        let Metric { name, number, kind, tags, one_of } = *metric;
        self.line.clear();
        // Writing to a string does not fail.
        let _ = write!(self.line, "{name}:{number}|{}", kind.letters());
        if one_of > 1 {
            let _ = write!(self.line, "|@{}", 1.0 / f64::from(one_of));
        }
        let mut mark = "|#";
        for tags in [tags, &self.constant.tags].map(Tags::as_str) {
            if !tags.is_empty() {
                self.line.push_str(mark);
                self.line.push_str(tags);
                mark = ",";
            }
        }
        self.line.push_str(&self.constant.container);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(constant: &Constant, max_bytes: usize, metrics: &[Metric<'_>]) -> Vec<String> {
        let mut datagrams = Vec::new();
        let mut packer = Packer::new(constant, max_bytes, |bytes| {
            datagrams.push(String::from_utf8(bytes.into()).unwrap());
        });
        for metric in metrics {
            packer.add(metric);
        }
        packer.finish();
        datagrams
    }

    fn count<'a>(name: &'static str, number: u64, tags: &'a Tags) -> Metric<'a> {
        Metric { name, number: Number::Whole(number), kind: Kind::Count, tags, one_of: 1 }
    }

    #[test]
    fn lines_are_written_as_the_format_says() {
        let constant =
            Constant::new(Tags::none().with("service", "shop").with("lang", "rust"), Some("ci-abc"));
        let own = Tags::none().with("reason", "net");
        let none = Tags::none();
        let metrics = [
            count("a.b", 7, &own),
            Metric { kind: Kind::Gauge, number: Number::Real(0.5), ..count("g", 0, &none) },
            Metric { kind: Kind::Timing, one_of: 4, number: Number::Real(1.25), ..count("t", 0, &none) },
            Metric { kind: Kind::Distribution, ..count("d", 3, &none) },
        ];
        let expected = "a.b:7|c|#reason:net,service:shop,lang:rust|c:ci-abc\ng:0.5|g|#service:shop,lang:rust|c:ci-abc\n\
                        t:1.25|ms|@0.25|#service:shop,lang:rust|c:ci-abc\nd:3|d|#service:shop,lang:rust|c:ci-abc";
        assert_eq!(packed(&constant, 1432, &metrics), [expected]);
        assert_eq!(packed(&Constant::default(), 1432, &[count("a", 1, &none)]), ["a:1|c"]);
    }

    #[test]
    fn datagram_is_never_longer_than_it_may_be() {
        let (none, constant) = (Tags::none(), Constant::default());
        // Three lines of five bytes and two ends of lines are 17.
        let three = [count("a", 1, &none), count("b", 1, &none), count("c", 1, &none)];
        assert_eq!(packed(&constant, 17, &three), ["a:1|c\nb:1|c\nc:1|c"]);
        assert_eq!(packed(&constant, 16, &three), ["a:1|c\nb:1|c", "c:1|c"]);
        assert_eq!(packed(&constant, 5, &three).len(), 3);
        assert!(packed(&constant, 4, &three).is_empty(), "a line that fits into none is left out");
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let (none, constant) = (Tags::none(), Constant::default());
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let metric = Metric { number: Number::Real(number), ..count("a", 1, &none) };
            assert!(packed(&constant, 100, &[metric, count("b", 2, &none)]) == ["b:2|c"]);
        }
    }

    #[test]
    fn a_container_that_could_end_the_line_is_left_out() {
        assert_eq!(Constant::new(Tags::none(), Some("ci-a\nb:1|c")), Constant::default());
    }

    proptest! {
        /// A text from outside neither forges a metric nor loses one.
        #[test]
        fn no_value_ends_its_tag(values in proptest::collection::vec(".*|[|#,@:\n\r\u{2028}a]{0,300}", 1..5), max in 0usize..2000) {
            let mut tags = Tags::none();
            for value in &values {
                tags = tags.with("key", value);
            }
            let constant = Constant::new(tags.clone(), None);
            for datagram in packed(&constant, max, &[count("a", 1, &tags), count("b", 2, &tags)]) {
                prop_assert!(datagram.len() <= max);
                for line in datagram.lines() {
                    let sections: Vec<&str> = line.split('|').collect();
                    prop_assert!(matches!(sections[0], "a:1" | "b:2") && sections[1] == "c" && sections.len() <= 3);
                    let tags = sections.get(2).map(|tags| tags.strip_prefix('#').unwrap());
                    let tags: Vec<&str> = tags.iter().flat_map(|tags| tags.split(',')).collect();
                    prop_assert_eq!(tags.len(), 2 * values.iter().filter(|value| !value.is_empty()).count());
                    prop_assert!(tags.iter().all(|tag| tag.starts_with("key:")));
                }
            }
        }
    }
}
