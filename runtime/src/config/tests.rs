use super::testing::{environment, notices_of, overrides};
use super::*;
use crate::worker::settings::LocalView;
use proptest::prelude::*;
use std::time::Duration;

fn resolved(variables: &[(&str, &str)], overrides: &Overrides) -> (Settings, Vec<String>) {
    let (settings, notices) = Settings::resolve(overrides, &environment(variables)).unwrap();
    (settings, notices_of(notices))
}

#[test]
fn nothing_said_gives_the_defaults_without_notices() {
    let (settings, notices) = resolved(&[], &Overrides::default());
    assert!(notices.is_empty());
    assert_eq!(settings.agent, AgentSettings::default());
    assert_eq!(settings.writer, WriterSettings::default());
    assert_eq!(settings.partial_flush, PartialFlush::At(300));
    assert!(
        settings.is_enabled && settings.has_startup_line && settings.correlates_logs && !settings.is_debug
    );
    assert!(settings.generates_128_bit_ids && settings.logs_128_bit_ids);
}

#[test]
fn environment_sets_the_writer() {
    let variables = [
        ("DD_TRACE_WRITER_INTERVAL_SECONDS", "0.25"),
        ("DD_TRACE_WRITER_BUFFER_SIZE_BYTES", "4096"),
        ("DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES", "1024"),
        ("DD_TRACE_LOCAL_VIEW", "Waterfall"),
        ("DD_LOGGING_RATE", "0"),
    ];
    let (settings, notices) = resolved(&variables, &Overrides::default());
    let expected = WriterSettings {
        abandoned_after: None,
        interval: Duration::from_millis(250),
        buffer_bytes: 4096,
        max_payload_bytes: 1024,
        flush_from_bytes: 1024,
        local_view: LocalView::Waterfall,
        has_colours: true,
        report_period: Duration::ZERO,
    };
    assert_eq!((settings.writer, notices), (expected, vec![]));
}

#[test]
fn colours_can_be_refused() {
    for (variables, expected) in [
        (&[("NO_COLOR", ""), ("TERM", "xterm-256color")][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("NO_COLOR", "0")], false),
        (&[("NO_COLOR", " ")], false),
        (&[("TERM", "dumb")], false),
        (&[("TERM", "")], true),
    ] {
        let (settings, notices) = resolved(variables, &Overrides::default());
        assert_eq!((settings.writer.has_colours, notices), (expected, vec![]), "{variables:?}");
    }
}

#[test]
fn code_wins_over_the_environment() {
    let variables =
        [("DD_TRACE_ENABLED", "false"), ("DD_TRACE_DEBUG", "1"), ("DD_TRACE_LOCAL_VIEW", "waterfall")];
    let overrides = overrides(&[
        ("DD_TRACE_ENABLED", "true"),
        ("DD_TRACE_DEBUG", "false"),
        ("DD_TRACE_LOCAL_VIEW", "off"),
    ]);
    let (settings, _) = resolved(&variables, &overrides);
    assert!(settings.is_enabled && !settings.is_debug);
    assert_eq!(settings.writer.local_view, LocalView::Off);
}

#[test]
fn unusable_value_keeps_the_default_with_one_notice() {
    let names = [
        "DD_TRACE_ENABLED",
        "DD_TRACE_DEBUG",
        "DD_TRACE_STARTUP_LOGS",
        "DD_TRACE_PARTIAL_FLUSH_ENABLED",
        "DD_TRACE_PARTIAL_FLUSH_MIN_SPANS",
        "DD_TRACE_128_BIT_TRACEID_GENERATION_ENABLED",
        "DD_TRACE_128_BIT_TRACEID_LOGGING_ENABLED",
        "DD_LOGS_INJECTION",
        "DD_TRACE_LOCAL_VIEW",
        "DD_TRACE_WRITER_INTERVAL_SECONDS",
        "DD_TRACE_WRITER_BUFFER_SIZE_BYTES",
        "DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES",
        "DD_TRACE_AGENT_TIMEOUT",
        "DD_TRACE_AGENT_PORT",
        "DD_TRACE_PROPAGATION_STYLE",
    ];
    let (default, _) = resolved(&[], &Overrides::default());
    for name in names {
        let (mut settings, notices) = resolved(&[(name, "yes")], &Overrides::default());
        let setting = settings.table.get(name).unwrap();
        assert!(setting.origin() == Origin::Default && !setting.shadowed()[0].is_valid(), "{name}");
        settings.table = default.table.clone();
        assert_eq!((&settings, notices.len()), (&default, 1), "{name}: {notices:?}");
        assert!(notices[0].starts_with(name));
    }
}

#[test]
fn partial_flush_can_be_turned_off_and_moved() {
    let flush = |variables: &[(&str, &str)]| resolved(variables, &Overrides::default()).0.partial_flush;
    assert_eq!(flush(&[("DD_TRACE_PARTIAL_FLUSH_ENABLED", "false")]), PartialFlush::Off);
    for (text, expected) in
        [("1", 1), ("20", 20), ("99999", 99_999), ("0", 300), ("-5", 300), ("100000", 300)]
    {
        assert_eq!(
            flush(&[("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", text)]),
            PartialFlush::At(expected),
            "{text}"
        );
    }
}

#[test]
fn settings_of_this_process_can_be_read() {
    let (settings, _) = Settings::of_process(&Overrides::default()).unwrap();
    assert!(!settings.identity.service.is_empty());
}

/// A page that leaves out a setting, or gives it another default, is worse than none.
#[test]
fn each_setting_has_its_line_on_the_page() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (page, lists) = page.split_at(page.find("## Who the process is").unwrap());
    let (built, unbuilt) = lists.split_once("## Without effect").unwrap();
    let (settings, _) = Settings::resolve(&Overrides::default(), &Source::default()).unwrap();
    let cell = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let mut expected = Vec::new();
    for setting in settings.table.iter() {
        let aliases: Vec<String> = setting.aliases().iter().map(|alias| format!(", `{alias}`")).collect();
        let otel = cell(setting.otel_variable().unwrap_or_default());
        let names = format!("`{}`{}", setting.name(), aliases.concat());
        let beginning = format!("| {names} | {} | {otel} | ", cell(setting.default()));
        expected.push((beginning, if setting.has_effect() { built } else { unbuilt }));
    }
    let has = |part: &str, beginning: &str| part.lines().any(|line| line.starts_with(beginning.trim_end()));
    let missing: Vec<_> = expected
        .iter()
        .filter(|(beginning, part)| !has(part, beginning))
        .map(|(beginning, _)| beginning)
        .collect();
    assert!(missing.is_empty(), "docs/configuration.md has no lines that begin with\n{missing:#?}");
    let is_setting = |line: &&str| line.starts_with("| `DD_") || line.starts_with("| `OTEL_");
    let lines = lists.lines().filter(is_setting).count();
    assert_eq!(lines, expected.len(), "docs/configuration.md has lines of settings that are none");
    for variable in settings.table.iter().filter_map(Setting::otel_variable) {
        assert!(page.contains(&format!("\n| `{variable}` | ")), "{variable} is not explained");
    }
}

/// Each notice is short, but for the one that names settings.
fn are_bounded(notices: &[Notice]) -> bool {
    let is_list = |text: &str| text.ends_with(": not supported yet, without effect") && text.len() < 5000;
    notices.iter().all(|notice| notice.text.len() < 1000 || is_list(&notice.text))
}

proptest! {
    // Each case resolves everything.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_of_any_variable_starts_the_program(value: String) {
        let (known, _) = resolved(&[], &Overrides::default());
        let names = known.table.iter().flat_map(|setting| {
            [setting.name()].into_iter().chain(setting.aliases().iter().copied()).chain(setting.otel_variable())
        });
        let environment = names.map(|name| (name.to_owned(), value.clone())).collect();
        let source = Source { environment, ..Source::default() };
        let (settings, notices) = Settings::resolve(&Overrides::default(), &source).unwrap();
        prop_assert!(!settings.identity.service.is_empty());
        prop_assert!(are_bounded(&notices));
    }

    #[test]
    fn any_bytes_as_either_file_start_the_program(local: Vec<u8>, fleet: Vec<u8>) {
        let file = |bytes: &[u8]| {
            let environment = std::collections::BTreeMap::new();
            let facts = stable::Facts { environment: &environment, arguments: &[] };
            stable::StableFile::parse("file", bytes, facts)
        };
        let source = Source { local: file(&local), fleet: file(&fleet), ..Source::default() };
        let (_, notices) = Settings::resolve(&Overrides::default(), &source).unwrap();
        prop_assert!(notices.len() <= 6);
    }

    #[test]
    fn any_text_of_any_setting_in_a_file_starts_the_program(value: String) {
        let (known, _) = resolved(&[], &Overrides::default());
        let value = serde_json::json!(value);
        let lines: Vec<String> = known.table.iter().map(|setting| format!("  {}: {value}\n", setting.name())).collect();
        let text = format!("apm_configuration_default:\n{}", lines.concat());
        let source = Source { fleet: testing::file(&text), ..Source::default() };
        prop_assert!(source.fleet.notices.is_empty());
        let (settings, notices) = Settings::resolve(&Overrides::default(), &source).unwrap();
        prop_assert!(!settings.identity.service.is_empty());
        prop_assert!(are_bounded(&notices));
    }
}
