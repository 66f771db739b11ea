//! What the other tracers of Datadog make of the same settings.

use super::testing::{environment, file, notices_of, overrides};
use super::*;
use crate::propagation::Style::{Datadog, TraceContext};

fn resolved(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
    resolved_from(&environment(variables))
}

fn resolved_from(source: &Source) -> (Settings, Vec<String>) {
    let (settings, notices) = Settings::resolve(&Overrides::default(), source).unwrap();
    (settings, notices_of(notices))
}

/// Value and origin of a setting.
fn said<'a>(settings: &'a Settings, name: &str) -> (&'a str, Origin) {
    let setting = settings.table.get(name).unwrap();
    (setting.value(), setting.origin())
}

fn tags(settings: &Settings) -> Vec<(&str, &str)> {
    settings.identity.tags.iter().map(|(key, value)| (&**key, &**value)).collect()
}

const MIN_SPANS: &str = "DD_TRACE_PARTIAL_FLUSH_MIN_SPANS";

#[test]
fn fleet_wins_over_environment_and_environment_over_local() {
    let of = |spans: u32| file(&format!("apm_configuration_default: {{{MIN_SPANS}: {spans}}}"));
    let mut source = Source { local: of(10), fleet: of(30), ..environment(&[(MIN_SPANS, "20")]) };
    let (settings, notices) = resolved_from(&source);
    assert_eq!((settings.partial_flush, notices.len()), (PartialFlush::At(30), 0));
    assert_eq!(said(&settings, MIN_SPANS), ("30", Origin::FleetFile));
    let setting = settings.table.get(MIN_SPANS).unwrap();
    let shadowed: Vec<_> = setting.shadowed().iter().map(|said| (said.value(), said.origin())).collect();
    assert_eq!(shadowed, [("20", Origin::Environment), ("10", Origin::LocalFile)]);

    source.fleet = file("");
    assert_eq!(resolved_from(&source).0.partial_flush, PartialFlush::At(20));
    source.environment.clear();
    assert_eq!(resolved_from(&source).0.partial_flush, PartialFlush::At(10));
    source.local = file("");
    assert_eq!(resolved_from(&source).0.partial_flush, PartialFlush::At(300));
}

#[test]
fn files_are_resolved_key_by_key() {
    let source = Source {
        local: file("apm_configuration_default: {DD_RUNTIME_METRICS_ENABLED: true, DD_ENV: dev}"),
        fleet: file("config_id: abc123\napm_configuration_default: {DD_ENV: prod}"),
        ..environment(&[("DD_VERSION", "9")])
    };
    let (settings, _) = resolved_from(&source);
    assert_eq!(said(&settings, "DD_RUNTIME_METRICS_ENABLED"), ("true", Origin::LocalFile));
    assert_eq!(said(&settings, "DD_ENV"), ("prod", Origin::FleetFile));
    assert_eq!(said(&settings, "DD_VERSION"), ("9", Origin::Environment));
    assert_eq!(settings.table.fleet_config_id(), Some("abc123"));
    assert_eq!(
        (settings.identity.env.as_deref(), settings.identity.version.as_deref()),
        (Some("prod"), Some("9"))
    );
}

#[test]
fn remote_wins_over_code_and_code_over_the_fleet() {
    let fleet = file("apm_configuration_default: {DD_ENV: fleet, DD_TRACE_DEBUG: true}");
    let mut source = Source { fleet, ..environment(&[("DD_ENV", "environment")]) };
    let code = overrides(&[("DD_ENV", "code")]);
    let (settings, _) = Settings::resolve(&code, &source).unwrap();
    assert_eq!(said(&settings, "DD_ENV"), ("code", Origin::Code));
    source.remote.insert("DD_ENV".to_owned(), "remote".to_owned());
    let (settings, _) = Settings::resolve(&code, &source).unwrap();
    assert_eq!(said(&settings, "DD_ENV"), ("remote", Origin::Remote));
    assert_eq!((settings.identity.env.as_deref(), settings.is_debug), (Some("remote"), true));
}

#[test]
fn value_that_does_not_parse_gives_way_to_the_next_source() {
    let source = Source {
        local: file(&format!("apm_configuration_default: {{{MIN_SPANS}: 10}}")),
        fleet: file(&format!("apm_configuration_default: {{{MIN_SPANS}: few}}")),
        ..environment(&[(MIN_SPANS, "-1")])
    };
    let (settings, notices) = resolved_from(&source);
    assert_eq!(settings.partial_flush, PartialFlush::At(10));
    let expected = [
        format!("{MIN_SPANS} of the fleet's file: \"few\" is not an integer from 1 to 99999; it is ignored"),
        format!("{MIN_SPANS}: \"-1\" is not an integer from 1 to 99999; it is ignored"),
    ];
    assert_eq!(notices, expected);
}

#[test]
fn resource_attributes_say_who_the_process_is_and_the_rest_are_tags() {
    let attributes = (
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=cart,deployment.environment=qa,service.version=3.4,host=h9",
    );
    let (settings, notices) = resolved(&[attributes]);
    let identity = &settings.identity;
    assert_eq!(
        (&*identity.service, identity.env.as_deref(), identity.version.as_deref()),
        ("cart", Some("qa"), Some("3.4"))
    );
    assert_eq!((tags(&settings), notices.len()), (vec![("host", "h9")], 0));
    assert_eq!(said(&settings, "DD_SERVICE"), ("cart", Origin::Calculated));

    let name = ("OTEL_SERVICE_NAME", "basket");
    let (settings, notices) = resolved(&[attributes, name]);
    assert_eq!((said(&settings, "DD_SERVICE"), notices.len()), (("basket", Origin::Environment), 0));
    assert_eq!(settings.table.get("DD_SERVICE").unwrap().variable(), "OTEL_SERVICE_NAME");

    let (settings, notices) = resolved(&[attributes, name, ("DD_SERVICE", "shop")]);
    assert_eq!(&*settings.identity.service, "shop");
    assert_eq!(notices, ["OTEL_SERVICE_NAME is ignored because DD_SERVICE is set"]);
    let setting = settings.table.get("DD_SERVICE").unwrap();
    assert_eq!(setting.shadowed()[0].variable(), "OTEL_SERVICE_NAME");
}

#[test]
fn beaten_and_invalid_opentelemetry_variables_are_told_apart() {
    let counts = |source: &Source, code: &Overrides, name| {
        let (settings, _) = Settings::resolve(code, source).unwrap();
        let setting = settings.table.get(name).unwrap();
        (setting.hides_otel(), setting.has_invalid_otel())
    };
    let (nobody, both) =
        (Overrides::default(), [("OTEL_TRACES_EXPORTER", "none"), ("DD_TRACE_ENABLED", "1")]);
    let name = "DD_TRACE_ENABLED";
    assert_eq!(counts(&environment(&both), &nobody, name), (true, false));
    assert_eq!(counts(&environment(&both[..1]), &nobody, name), (false, false));
    assert_eq!(counts(&environment(&both), &overrides(&[(name, "true")]), name), (false, false));
    let odd = [("OTEL_TRACES_EXPORTER", "zipkin"), both[1]];
    assert_eq!(counts(&environment(&odd), &nobody, name), (true, false), "what is beaten is not looked at");
    assert_eq!(counts(&environment(&odd[..1]), &nobody, name), (false, true));
    let local = file("apm_configuration_default: {DD_TRACE_ENABLED: true, DD_TRACE_PROPAGATION_STYLE: b3}");
    let source = Source { local, ..environment(&[odd[0], ("OTEL_PROPAGATORS", "datadog")]) };
    assert_eq!(counts(&source, &nobody, name), (false, true));
    assert_eq!(counts(&source, &nobody, "DD_TRACE_PROPAGATION_STYLE"), (true, false));
    assert_eq!(counts(&source, &nobody, "DD_ENV"), (false, false));
}

#[test]
fn more_than_ten_attributes_are_left_out_with_a_notice() {
    let attributes: Vec<String> = (0..12).map(|number| format!("k{number}=v")).collect();
    let (settings, notices) = resolved(&[("OTEL_RESOURCE_ATTRIBUTES", &attributes.join(","))]);
    assert_eq!((tags(&settings).len(), notices.len()), (10, 1));
}

#[test]
fn an_attribute_with_blanks_stays_one_tag() {
    let (settings, _) = resolved(&[("OTEL_RESOURCE_ATTRIBUTES", "os=Debian GNU/Linux")]);
    assert_eq!(tags(&settings), [("os", "Debian GNU/Linux")]);
}

#[test]
fn sampler_is_a_rate_and_never_switches_tracing_off() {
    let rate = "DD_TRACE_SAMPLE_RATE";
    let ratio = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.35")];
    let (settings, notices) = resolved(&ratio);
    assert_eq!(settings.table.get(rate).unwrap().variable(), "OTEL_TRACES_SAMPLER");
    assert!(
        notices[0].starts_with("OTEL_TRACES_SAMPLER: ") && notices[0].contains("parentbased_"),
        "{notices:?}"
    );
    let (settings, _) = resolved(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    assert!(settings.is_enabled && settings.table.get(rate).unwrap().origin() == Origin::Environment);
}

#[test]
fn exporter_none_switches_tracing_off_and_others_are_told() {
    assert!(!resolved(&[("OTEL_TRACES_EXPORTER", "None")]).0.is_enabled);
    let (settings, notices) = resolved(&[("OTEL_TRACES_EXPORTER", "zipkin")]);
    assert!(settings.is_enabled);
    assert_eq!(notices, ["OTEL_TRACES_EXPORTER: \"zipkin\" is not supported; it is ignored"]);
    let (settings, notices) = resolved(&[("OTEL_TRACES_EXPORTER", "none"), ("DD_TRACE_ENABLED", "true")]);
    assert!(settings.is_enabled && notices.len() == 1, "{notices:?}");
}

#[test]
fn only_debug_maps_to_debug() {
    assert!(resolved(&[("OTEL_LOG_LEVEL", "debug")]).0.is_debug);
    assert!(!resolved(&[("OTEL_LOG_LEVEL", "info")]).0.is_debug);
    assert!(!resolved(&[("OTEL_LOG_LEVEL", "debug"), ("DD_TRACE_DEBUG", "0")]).0.is_debug);
}

#[test]
fn any_style_variable_wins_over_that_of_opentelemetry() {
    let otel = ("OTEL_PROPAGATORS", "tracecontext");
    let styles = |source: &Source| {
        let propagation = resolved_from(source).0.propagation;
        (propagation.inject, propagation.extract)
    };
    let only = vec![TraceContext];
    assert_eq!(styles(&environment(&[otel])), (only.clone(), only.clone()));
    // Of a direction of its own, the other one is left to it.
    let one_way = environment(&[otel, ("DD_TRACE_PROPAGATION_STYLE_EXTRACT", "datadog")]);
    assert_eq!(styles(&one_way), (only, vec![Datadog]));
    let local = file("apm_configuration_default: {DD_TRACE_PROPAGATION_STYLE: datadog}");
    let lowest = Source { local, ..environment(&[otel]) };
    assert_eq!(styles(&lowest), (vec![Datadog], vec![Datadog]));
}

/// Only a direction that nobody spoke of follows the setting of both.
#[test]
fn direction_says_where_its_styles_came_from() {
    let (settings, _) = resolved(&[
        ("DD_TRACE_PROPAGATION_STYLE", "datadog"),
        ("DD_TRACE_PROPAGATION_STYLE_INJECT", "tracecontext"),
    ]);
    let inject = settings.table.get("DD_TRACE_PROPAGATION_STYLE_INJECT").unwrap();
    let extract = settings.table.get("DD_TRACE_PROPAGATION_STYLE_EXTRACT").unwrap();
    assert_eq!((inject.value(), inject.origin()), ("tracecontext", Origin::Environment));
    assert_eq!((extract.value(), extract.origin()), ("datadog", Origin::Calculated));
    assert_eq!(extract.variable(), "DD_TRACE_PROPAGATION_STYLE");
    let (settings, _) = resolved(&[("DD_TRACE_PROPAGATION_STYLE", "none")]);
    assert_eq!(said(&settings, "DD_TRACE_PROPAGATION_STYLE_EXTRACT"), ("none", Origin::Calculated));
    assert_eq!(said(&resolved(&[]).0, "DD_TRACE_PROPAGATION_STYLE_EXTRACT").1, Origin::Default);
}

#[test]
fn opentelemetry_wins_over_the_local_file() {
    let local = file("apm_configuration_default: {DD_SERVICE: file}");
    let (settings, _) = resolved_from(&Source { local, ..environment(&[("OTEL_SERVICE_NAME", "basket")]) });
    assert_eq!(&*settings.identity.service, "basket");
}

#[test]
fn malformed_boolean_does_not_switch_tracing_off() {
    let (settings, notices) = resolved(&[("DD_TRACE_ENABLED", "yes")]);
    assert!(settings.is_enabled && notices.len() == 1);
}

/// Not 1: that would keep every trace, whatever the agent asks for.
#[test]
fn rate_is_unset_by_default() {
    let (settings, _) = resolved(&[]);
    assert_eq!(
        (settings.sampling.rate, said(&settings, "DD_TRACE_SAMPLE_RATE")),
        (None, ("", Origin::Default))
    );
    assert_eq!(said(&settings, "DD_TRACE_RATE_LIMIT"), ("100", Origin::Default));
}

/// Whoever reports settings tells each source, the highest rank first, and the default last.
#[test]
fn all_that_sources_hold_is_kept_with_its_rank() {
    let source = Source {
        local: file("apm_configuration_default: {DD_TRACE_DEBUG: false}"),
        fleet: file("apm_configuration_default: {DD_TRACE_DEBUG: 1}"),
        ..environment(&[("DD_TRACE_DEBUG", "perhaps"), ("OTEL_LOG_LEVEL", "debug")])
    };
    let (settings, _) = Settings::resolve(&overrides(&[("DD_TRACE_DEBUG", "t")]), &source).unwrap();
    let setting = settings.table.get("DD_TRACE_DEBUG").unwrap();
    let all: Vec<_> = std::iter::once((setting.value(), setting.origin().to_string()))
        .chain(setting.shadowed().iter().map(|said| (said.value(), said.origin().to_string())))
        .collect();
    let expected = [
        ("t", "code"),
        ("1", "fleet_stable_config"),
        ("perhaps", "env_var"),
        ("debug", "env_var"),
        ("false", "local_stable_config"),
    ];
    assert_eq!(all, expected.map(|(value, origin)| (value, origin.to_owned())));
    assert_eq!(setting.default(), "false");
    let valid: Vec<bool> = setting.shadowed().iter().map(SettingValue::is_valid).collect();
    assert_eq!(valid, [true, false, true, true]);
}

#[test]
fn secrets_are_in_neither_table_nor_notices() {
    let variables = [
        ("DD_API_KEY", "s3cret"),
        ("DD_TRACE_AGENT_URL", "http://me:s3cret@agent:1/?key=s3cret"),
        ("DD_AGENT_HOST", "me:s3cret@agent"),
        ("DD_TAGS", "db.password:s3cret,mirror:https://me:s3cret@h/"),
        ("DD_GIT_REPOSITORY_URL", "https://me:s3cret@git.example/r.git"),
        ("DD_DOGSTATSD_URL", "udp://me:s3cret@h:1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "api.token=s3cret"),
    ];
    let local =
        file("apm_configuration_default: {DD_TRACE_AGENT_URL: \"ftp://me:s3cret@h\", DD_APP_KEY: s3cret}");
    let source = Source { local, ..environment(&variables) };
    let (settings, notices) = resolved_from(&source);
    let shown = format!("{}{:?}{notices:?}{source:?}", settings.table, settings.table);
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(tags(&settings)[0], ("db.password", "s3cret"), "spans have it");
}

#[test]
fn table_is_aligned_and_escaped() {
    let source =
        environment(&[("DD_ENV", "a\n\u{1b}[31mé"), ("DD_TRACE_DEBUG", "loud"), ("DD_TRACE_TAGS", "a:b")]);
    let (settings, _) = Settings::resolve(&overrides(&[("DD_VERSION", "7")]), &source).unwrap();
    let table = settings.table.to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 1 + settings.table.iter().count());
    let column = lines[0].find("origin").unwrap();
    let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    let origin = |name: &str| line(name).chars().skip(column).collect::<String>();
    assert!(line("DD_ENV ").contains(r"a\n\u{1b}[31mé"), "{table}");
    assert_eq!((origin("DD_ENV ").as_str(), origin("DD_VERSION ").as_str()), ("env_var", "code"));
    assert_eq!(origin("DD_TAGS "), "env_var DD_TRACE_TAGS");
    assert!(origin("DD_TRACE_DEBUG ").ends_with("env_var=loud (not usable)"), "{table}");
    assert!(line("DD_RUNTIME_METRICS_ENABLED").contains("no effect yet"));
}
