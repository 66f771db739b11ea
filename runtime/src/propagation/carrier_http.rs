//! `http::HeaderMap` as a carrier.

use super::carrier::{Extract, Inject};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

impl Inject for HeaderMap {
    /// Replaces all values of the name. A name or value that HTTP does not allow is left out; none of ours is such.
    fn set(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            self.insert(name, value);
        }
    }

    fn reserve(&mut self, additional: usize) {
        // Refused beyond the map's own bound, which `insert` meets again only if it has to grow.
        let _ = self.try_reserve(additional);
    }
}

impl Extract for HeaderMap {
    /// Values that are not UTF-8 are passed over.
    fn for_each(&self, name: &str, f: &mut dyn FnMut(&str)) {
        for value in self.get_all(name) {
            if let Ok(value) = str::from_utf8(value.as_bytes()) {
                f(value);
            }
        }
    }

    fn for_each_of(&self, names: &[&str], f: &mut dyn FnMut(usize, &str)) {
        for (found, value) in self {
            let found = found.as_str();
            // Header names are lowercase in this map, and so are ours.
            let Some(position) = names.iter().position(|name| found == *name) else { continue };
            if let Ok(value) = str::from_utf8(value.as_bytes()) {
                f(position, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_map_gives_all_values_and_replaces_them() {
        let mut headers = HeaderMap::new();
        headers.append("Tracestate", HeaderValue::from_static("a=1"));
        headers.append("tracestate", HeaderValue::from_static("b=2"));
        headers.append("tracestate", HeaderValue::from_bytes(b"\xff").unwrap());
        let mut values = Vec::new();
        headers.for_each("TraceState", &mut |value| values.push(value.to_owned()));
        headers.for_each_of(&["traceparent", "tracestate"], &mut |position, value| {
            values.push(format!("{position}{value}"))
        });
        assert_eq!(values, ["a=1", "b=2", "1a=1", "1b=2"]);
        headers.set("tracestate", "dd=s:1");
        assert_eq!(headers.get_all("tracestate").iter().collect::<Vec<_>>(), ["dd=s:1"]);
    }

    #[test]
    fn hostile_text_is_left_out() {
        let mut headers = HeaderMap::new();
        headers.set("a b", "1");
        headers.set("a", "1\r\nb: 2");
        assert!(headers.is_empty());
    }
}
