//! OpenTelemetry variables, in the words of the `DD_*` variables that say the same.
//!
//! Source: the conversion tables of DataDog/dd-trace-go (`ddtrace/tracer/otel_dd_mappings.go`) and the OpenTelemetry specification of environment
//! variables.

/// An OpenTelemetry variable, and what it says in the words of the setting it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Otel {
    pub(super) variable: &'static str,
    /// Its text, trimmed and not empty, and a look-up of the other variables.
    pub(super) map: fn(&str, Lookup<'_>) -> Mapped,
    /// Whether the local file wins over it too; its rank is above that otherwise.
    pub(super) is_lowest: bool,
}

impl Otel {
    const fn new(variable: &'static str, map: fn(&str, Lookup<'_>) -> Mapped) -> Self {
        Self { variable, map, is_lowest: false }
    }
}

pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// What an OpenTelemetry variable says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// The text of the `DD_*` variable.
    To(String),
    /// The same, with what is not quite so.
    Nearly(String, String),
    /// Something this library does in any case.
    Nothing,
    /// Something this library does not do.
    Unsupported,
}

pub(super) const SERVICE_NAME: Otel = Otel::new("OTEL_SERVICE_NAME", |text, _| Mapped::To(text.to_owned()));

/// Levels that say nothing about debugging are those of the other setting.
pub(super) const DEBUG: Otel =
    Otel::new("OTEL_LOG_LEVEL", |text, _| match text.to_ascii_lowercase().as_str() {
        "debug" => Mapped::To("true".to_owned()),
        "none" | "error" | "warn" | "info" => Mapped::Nothing,
        _ => Mapped::Unsupported,
    });

/// What means nothing is told by the other setting.
pub(super) const LOG_LEVEL: Otel =
    Otel::new("OTEL_LOG_LEVEL", |text, _| match text.to_ascii_lowercase().as_str() {
        level @ ("none" | "error" | "warn" | "info") => Mapped::To(level.to_owned()),
        _ => Mapped::Nothing,
    });

/// Without exporters there is no tracing; who names any other one asks for what this library does not have.
pub(super) const TRACES_EXPORTER: Otel =
    Otel::new("OTEL_TRACES_EXPORTER", |text, _| match text.to_ascii_lowercase().as_str() {
        "none" => Mapped::To("false".to_owned()),
        _ => Mapped::Unsupported,
    });

pub(super) const METRICS_EXPORTER: Otel =
    Otel::new("OTEL_METRICS_EXPORTER", |text, _| match text.to_ascii_lowercase().as_str() {
        "none" => Mapped::To("false".to_owned()),
        "otlp" => Mapped::Nothing,
        _ => Mapped::Unsupported,
    });

pub(super) const SDK_DISABLED: Otel =
    Otel::new("OTEL_SDK_DISABLED", |text, _| match text.to_ascii_lowercase().as_str() {
        "true" => Mapped::To("false".to_owned()),
        "false" => Mapped::To("true".to_owned()),
        _ => Mapped::Unsupported,
    });

/// The text goes on as it is: the list of styles is read by `propagation`, which knows these names too.
/// Any source that names styles wins over it.
pub(super) const PROPAGATORS: Otel =
    Otel { is_lowest: true, ..Otel::new("OTEL_PROPAGATORS", |text, _| Mapped::To(text.to_owned())) };

pub(super) const TRACES_SAMPLER: Otel = Otel::new("OTEL_TRACES_SAMPLER", sampler);

/// `always_off` is a rate of 0, not tracing switched off.
fn sampler(text: &str, lookup: Lookup<'_>) -> Mapped {
    let name = text.to_ascii_lowercase();
    let (is_parent_based, kind) = match name.strip_prefix("parentbased_") {
        Some(kind) => (true, kind),
        None => (false, name.as_str()),
    };
    let rate = match kind {
        "always_on" => "1.0",
        "always_off" => "0.0",
        "traceidratio" => lookup("OTEL_TRACES_SAMPLER_ARG").unwrap_or("1.0"),
        _ => return Mapped::Unsupported,
    };
    if is_parent_based {
        Mapped::To(rate.to_owned())
    } else {
        Mapped::Nearly(
            rate.to_owned(),
            format!("parentbased_{kind} is what holds: the parent's decision counts"),
        )
    }
}

/// Attributes that say who the process is, and what they are called in `DD_TAGS`.
const IDENTITY: [(&str, &str); 3] =
    [("service.name", "service"), ("deployment.environment", "env"), ("service.version", "version")];

/// Attributes kept.
const MAX_ATTRIBUTES: usize = 10;

pub(super) const RESOURCE_ATTRIBUTES: Otel =
    Otel::new("OTEL_RESOURCE_ATTRIBUTES", |text, _| resource_attributes(text));

/// Those that say who the process is come first, so that they are among the ones kept.
fn resource_attributes(text: &str) -> Mapped {
    let mut tags = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        // A colon ends the key of a tag, so that such a key would become another one.
        if key.is_empty() || key.contains(':') {
            continue;
        }
        match IDENTITY.iter().position(|(attribute, _)| *attribute == key) {
            Some(rank) => tags.push((rank, IDENTITY.get(rank).map_or(key, |(_, tag)| tag), value)),
            None => tags.push((IDENTITY.len(), key, value)),
        }
    }
    if tags.is_empty() {
        return Mapped::Unsupported;
    }
    tags.sort_by_key(|(rank, ..)| *rank);
    let dropped = tags.len().saturating_sub(MAX_ATTRIBUTES);
    tags.truncate(MAX_ATTRIBUTES);
    // A comma makes commas the separators, also of a single tag whose value has blanks.
    let tags: Vec<String> = tags.iter().map(|(_, key, value)| format!("{key}:{value},")).collect();
    let text = tags.concat();
    match dropped {
        0 => Mapped::To(text),
        _ => Mapped::Nearly(
            text,
            format!("only {MAX_ATTRIBUTES} attributes are kept; the last {dropped} are left out"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(otel: Otel, text: &str) -> Option<String> {
        match (otel.map)(text, &|_| None) {
            Mapped::To(text) | Mapped::Nearly(text, _) => Some(text),
            Mapped::Nothing | Mapped::Unsupported => None,
        }
    }

    #[test]
    fn samplers_are_rates() {
        for (text, expected) in [
            ("parentbased_always_on", Some("1.0")),
            ("ParentBased_Always_Off", Some("0.0")),
            ("always_off", Some("0.0")),
            ("traceidratio", Some("1.0")),
            ("jaeger_remote", None),
            ("parentbased_", None),
        ] {
            assert_eq!(map(TRACES_SAMPLER, text).as_deref(), expected, "{text}");
        }
        let lookup: Lookup<'_> = &|name| (name == "OTEL_TRACES_SAMPLER_ARG").then_some("0.35");
        assert_eq!(sampler("parentbased_traceidratio", lookup), Mapped::To("0.35".to_owned()));
        assert!(matches!(sampler("traceidratio", lookup), Mapped::Nearly(rate, _) if rate == "0.35"));
    }

    #[test]
    fn only_what_has_a_counterpart_is_mapped() {
        assert_eq!(map(DEBUG, "DEBUG").as_deref(), Some("true"));
        assert_eq!((map(DEBUG, "info"), map(DEBUG, "error")), (None, None));
        assert_eq!(map(LOG_LEVEL, "Warn").as_deref(), Some("warn"));
        assert_eq!(map(TRACES_EXPORTER, "none").as_deref(), Some("false"));
        assert_eq!((map(TRACES_EXPORTER, "otlp"), map(TRACES_EXPORTER, "zipkin")), (None, None));
        assert_eq!((METRICS_EXPORTER.map)("otlp", &|_| None), Mapped::Nothing);
        assert_eq!(map(SDK_DISABLED, "True").as_deref(), Some("false"));
        assert_eq!(map(SDK_DISABLED, "1"), None);
    }

    #[test]
    fn attributes_become_tags_identity_first_and_ten_at_most() {
        let text = "host=h9, deployment.environment=qa,service.version=3.4,service.name=cart,bad,=x,a:b=c";
        assert_eq!(
            map(RESOURCE_ATTRIBUTES, text).as_deref(),
            Some("service:cart,env:qa,version:3.4,host:h9,")
        );
        let many: Vec<String> = (0..10).map(|number| format!("k{number}={number}")).collect();
        let many = format!("{},service.name=cart", many.join(","));
        let Mapped::Nearly(tags, remark) = resource_attributes(&many) else { panic!("none is left out") };
        assert!(tags.starts_with("service:cart,k0:0,") && tags.ends_with("k8:8,"), "{tags}");
        assert!(remark.contains("last 1 "), "{remark}");
        assert_eq!(map(RESOURCE_ATTRIBUTES, "nonsense"), None);
    }
}
