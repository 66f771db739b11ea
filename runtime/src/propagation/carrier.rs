//! What headers are written to and read from.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// Takes the headers of an outgoing call: a `HashMap` or `BTreeMap` of `String`s, a `Vec` of pairs of them, an `http::HeaderMap` (feature `http`), or a
/// carrier of your own.
///
/// ```
/// use dd_traced::Inject;
///
/// struct Lines(String);
///
/// impl Inject for Lines {
///     fn set(&mut self, name: &str, value: &str) {
///         self.0.push_str(&format!("{name}: {value}\r\n"));
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "headers cannot be written to `{Self}`",
    label = "not a carrier of headers",
    note = "for `http::HeaderMap`, switch on the feature `http` of dd-traced; for a type of your own, implement `dd_traced::Inject`"
)]
pub trait Inject {
    /// Sets a header that is not there since [`begin`](Inject::begin). Names are lowercase; values are visible ASCII and spaces.
    fn set(&mut self, name: &str, value: &str);

    /// Told before the first [`set`](Inject::set) which headers may follow: a carrier drops what it holds under these names,
    /// in any spelling, so that nothing of an earlier call is left, and may make room. Carriers around another one pass it on.
    ///
    /// Does nothing by default.
    fn begin(&mut self, names: &[&str]) {
        let _ = names;
    }
}

/// Gives the headers of an incoming call: those types that [`Inject`] takes them with, or a carrier of your own.
///
/// ```
/// use dd_traced::Extract;
///
/// struct Lines(Vec<&'static str>);
///
/// impl Extract for Lines {
///     fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
///         for line in &self.0 {
///             match line.split_once(": ") {
///                 Some((found, value)) if found.eq_ignore_ascii_case(name) => f(value),
///                 _ => {}
///             }
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "headers cannot be read from `{Self}`",
    label = "not a carrier of headers",
    note = "for `http::HeaderMap`, switch on the feature `http` of dd-traced; for a type of your own, implement `dd_traced::Extract`"
)]
pub trait Extract {
    /// Calls `f` with each value of the header `name`, in order. Names are compared without regard to ASCII case.
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str));

    /// Calls `f` with each value of each of the headers `names`, and the position of its name in that list. The values of
    /// one name come in order.
    ///
    /// By default asks for one name after the other; to be overridden where one walk over the carrier is cheaper.
    fn for_each_of(&self, names: &[&str], f: &mut dyn FnMut(usize, &str)) {
        for (position, name) in names.iter().enumerate() {
            self.for_each(name, &mut |value| f(position, value));
        }
    }

    /// Calls `f` with each header whose name begins with `prefix`: the rest of the name, and the value.
    ///
    /// Gives nothing by default. Only legacy baggage is looked for so, and only where
    /// `DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED` is on.
    fn for_each_with_prefix(&self, prefix: &str, f: &mut dyn FnMut(&str, &str)) {
        let _ = (prefix, f);
    }
}

impl<T: Inject + ?Sized> Inject for &mut T {
    fn set(&mut self, name: &str, value: &str) {
        (**self).set(name, value);
    }

    fn begin(&mut self, names: &[&str]) {
        (**self).begin(names);
    }
}

impl<T: Extract + ?Sized> Extract for &T {
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        (**self).for_each(name, f);
    }

    fn for_each_of(&self, names: &[&str], f: &mut dyn FnMut(usize, &str)) {
        (**self).for_each_of(names, f);
    }

    fn for_each_with_prefix(&self, prefix: &str, f: &mut dyn FnMut(&str, &str)) {
        (**self).for_each_with_prefix(prefix, f);
    }
}

/// Whether a header that is there has one of these names.
fn is_one_of(names: &[&str], found: &str) -> bool {
    names.iter().any(|name| is_same(found, name))
}

impl<S: BuildHasher> Inject for HashMap<String, String, S> {
    fn set(&mut self, name: &str, value: &str) {
        self.insert(name.to_owned(), value.to_owned());
    }

    fn begin(&mut self, names: &[&str]) {
        if !self.is_empty() {
            self.retain(|found, _| !is_one_of(names, found));
        }
        self.reserve(names.len());
    }
}

impl Inject for BTreeMap<String, String> {
    fn set(&mut self, name: &str, value: &str) {
        self.insert(name.to_owned(), value.to_owned());
    }

    fn begin(&mut self, names: &[&str]) {
        self.retain(|found, _| !is_one_of(names, found));
    }
}

impl Inject for Vec<(String, String)> {
    fn set(&mut self, name: &str, value: &str) {
        self.push((name.to_owned(), value.to_owned()));
    }

    fn begin(&mut self, names: &[&str]) {
        self.retain(|(found, _)| !is_one_of(names, found));
        self.reserve(names.len());
    }
}

/// Nearly always the spelling is ours, and comparing bytes much cheaper than folding their case.
fn is_same(found: &str, name: &str) -> bool {
    found == name || found.eq_ignore_ascii_case(name)
}

/// The rest of a name that begins so, in any case.
pub(super) fn after_prefix<'a>(found: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = found.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The lengths of some names, one bit each, to pass over most other headers by one comparison.
#[derive(Clone, Copy)]
pub(super) struct Lengths(u64);

impl Lengths {
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().fold(0, |lengths, name| lengths | Self::bit(name)))
    }

    pub(super) fn contains(self, name: &str) -> bool {
        self.0 & Self::bit(name) != 0
    }

    /// Lengths from 63 share one bit.
    fn bit(name: &str) -> u64 {
        1_u64.wrapping_shl(name.len().min(63) as u32)
    }
}

/// The methods of [`Extract`] by one walk over pairs of texts.
macro_rules! extract_by_walking {
    () => {
        fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
            for (found, value) in self {
                if is_same(found, name) {
                    f(value);
                }
            }
        }

        fn for_each_of(&self, names: &[&str], f: &mut dyn FnMut(usize, &str)) {
            let lengths = Lengths::of(names);
            for (found, value) in self {
                if !lengths.contains(found) {
                    continue;
                }
                if let Some(position) = names.iter().position(|name| is_same(found, name)) {
                    f(position, value);
                }
            }
        }

        fn for_each_with_prefix(&self, prefix: &str, f: &mut dyn FnMut(&str, &str)) {
            for (found, value) in self {
                if let Some(rest) = after_prefix(found, prefix) {
                    f(rest, value);
                }
            }
        }
    };
}

impl<S: BuildHasher> Extract for HashMap<String, String, S> {
    extract_by_walking!();
}

impl Extract for BTreeMap<String, String> {
    extract_by_walking!();
}

impl Extract for Vec<(String, String)> {
    extract_by_walking!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(carrier: &dyn Extract, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        carrier.for_each(name, &mut |value| values.push(value.to_owned()));
        let mut again = Vec::new();
        carrier.for_each_of(&["other", name], &mut |position, value| {
            assert_eq!(position, 1);
            again.push(value.to_owned());
        });
        assert_eq!(values, again);
        let mut by_prefix = Vec::new();
        carrier.for_each_with_prefix(&name[..1], &mut |rest, value| {
            if rest.eq_ignore_ascii_case(&name[1..]) {
                by_prefix.push(value.to_owned());
            }
        });
        assert_eq!(values, by_prefix);
        values
    }

    fn pairs() -> Vec<(String, String)> {
        let pairs = [("TraceParent", "one"), ("x", "2"), ("traceparent", "three")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    #[test]
    fn names_are_found_in_any_case_and_all_values_in_order() {
        assert_eq!(values(&pairs(), "traceparent"), ["one", "three"]);
        assert_eq!(values(&pairs().into_iter().collect::<BTreeMap<_, _>>(), "traceparent"), ["one", "three"]);
        assert_eq!(values(&pairs().into_iter().collect::<HashMap<_, _>>(), "X"), ["2"]);
        assert!(values(&pairs(), "trace-parent").is_empty());
    }

    #[test]
    fn nothing_of_an_earlier_call_is_left_in_any_spelling() {
        let names = ["traceparent", "tracestate"];
        let mut list = pairs();
        list.begin(&names);
        list.set("traceparent", "new");
        assert_eq!(list, [("x".into(), "2".into()), ("traceparent".into(), "new".into())]);
        let mut map: HashMap<String, String> =
            [("TraceParent".into(), "one".into()), ("tracestate".into(), "old".into())].into();
        map.begin(&names);
        map.set("traceparent", "new");
        assert_eq!(map, [("traceparent".to_owned(), "new".to_owned())].into());
        let mut tree: BTreeMap<_, _> = [("TRACEPARENT".to_owned(), "one".to_owned())].into();
        tree.begin(&names);
        tree.set("traceparent", "newer");
        assert_eq!(tree, [("traceparent".to_owned(), "newer".to_owned())].into());
    }
}
