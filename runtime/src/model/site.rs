//! What is known of an annotated function at compile time.

use std::borrow::Cow;
use std::panic::Location;

/// The constant part of a span: made once for each annotated function, pointed to by every record of it.
///
/// Built by generated code in a `const`; not for use by hand.
///
/// Aligned so that its address leaves three bits free.
#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
pub struct CallSite {
    pub(crate) name: SiteName,
    pub(crate) service: Option<&'static str>,
    pub(crate) resource: Option<&'static str>,
    pub(crate) span_type: Option<&'static str>,
    pub(crate) measured: bool,
    /// String tags that each span of the site has from its start.
    pub(crate) tags: &'static [(&'static str, &'static str)],
    /// Where the attribute stands.
    pub(crate) location: &'static Location<'static>,
}

/// The operation name of a call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteName {
    /// As written.
    Given(&'static str),
    /// Module path and function, shown as `crate.module.function`.
    Function { module: &'static str, function: &'static str },
}

impl CallSite {
    /// A site whose name is its module path and function, `crate.module.function`.
    #[track_caller]
    pub const fn function(module: &'static str, function: &'static str) -> Self {
        Self::with_name(SiteName::Function { module, function })
    }

    /// A site with an operation name of its own.
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self::with_name(SiteName::Given(name))
    }

    /// The service of its spans, instead of the parent's.
    #[must_use]
    pub const fn service(mut self, service: &'static str) -> Self {
        self.service = Some(service);
        self
    }

    /// The resource of its spans, instead of the name.
    #[must_use]
    pub const fn resource(mut self, resource: &'static str) -> Self {
        self.resource = Some(resource);
        self
    }

    /// The span type, such as `web`, `sql`, `worker`.
    #[must_use]
    pub const fn span_type(mut self, span_type: &'static str) -> Self {
        self.span_type = Some(span_type);
        self
    }

    /// Whether its spans get trace metrics of their own.
    #[must_use]
    pub const fn measured(mut self, measured: bool) -> Self {
        self.measured = measured;
        self
    }

    /// The tags whose values are the same at each call, as keys and values. They cost a span nothing: the worker adds them.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [(&'static str, &'static str)]) -> Self {
        self.tags = tags;
        self
    }

    #[track_caller]
    const fn with_name(name: SiteName) -> Self {
        let location = Location::caller();
        Self { name, service: None, resource: None, span_type: None, measured: false, tags: &[], location }
    }
}

/// The name of a span that nobody named: the one that the agent gives it.
///
/// Source: `DefaultSpanName` in `pkg/trace/traceutil/normalize` of DataDog/datadog-agent.
const UNNAMED: &str = "unnamed_operation";

impl SiteName {
    /// Whether its spans are named one by one.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self, SiteName::Given(""))
    }

    /// The name as it is sent.
    pub(crate) fn text(self) -> Cow<'static, str> {
        match self {
            SiteName::Given("") => Cow::Borrowed(UNNAMED),
            SiteName::Given(name) => Cow::Borrowed(name),
            SiteName::Function { .. } => {
                let mut text = String::new();
                self.write_to(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// Appends the name as it is sent.
    pub(crate) fn write_to(self, out: &mut String) {
        match self {
            SiteName::Given(_) => out.push_str(&self.text()),
            SiteName::Function { module, function } => {
                let mut parts = module.split("::");
                out.push_str(parts.next().unwrap_or_default());
                for part in parts.chain([function]) {
                    out.push('.');
                    // A raw identifier is a spelling, not a name.
                    out.push_str(part.strip_prefix("r#").unwrap_or(part));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_dotted_path() {
        let mut name = String::new();
        CallSite::function("shop::cart", "r#move").name.write_to(&mut name);
        assert_eq!(name, "shop.cart.move");
    }
}
