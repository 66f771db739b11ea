//! Variables that are no settings, and nearly called like one.

use super::nearest::nearest;
use super::report::{Setting, SettingsTable};

/// Names that are nearly those of settings here, and that other programs of Datadog read.
///
/// Source: `ddtrace/internal/settings/_supported_configurations.py` of DataDog/dd-trace-py, `pkg/config/setup` of DataDog/datadog-agent, and
/// `dd-trace-api/…/config` of DataDog/dd-trace-java. A service `dd-agent` of Kubernetes gives each pod a `DD_AGENT_PORT` too.
const OF_OTHERS: [&str; 10] = [
    "DD_AGENT_PORT",
    "DD_APP_KEY",
    "DD_HTTP_CLIENT_ERROR_STATUSES",
    "DD_HTTP_CLIENT_TAG_QUERY_STRING",
    "DD_LOG_FILE",
    "DD_PROPAGATION_STYLE_EXTRACT",
    "DD_PROPAGATION_STYLE_INJECT",
    "DD_TRACE_AGENT_HOST",
    "DD_TRACE_LOGS_INJECTION",
    "DD_TRACE_SERVICE_MAPPING",
];

/// Changes that make a variable another name, and not a misspelt one.
const TOO_MANY_CHANGES: usize = 3;
/// Bytes that no misspelt name has: twice those of the longest setting.
const TOO_MANY_BYTES: usize = 120;
/// Variables told of.
const MAX_TOLD: usize = 10;
/// Variables looked at, so that the time is bounded whatever the environment holds.
const MAX_EXAMINED: usize = 500;

/// What a program is told without having asked: a line for each misspelt variable, at most 10. None of a name that other programs of Datadog
/// read, and no value.
pub(crate) fn remarks(table: &SettingsTable) -> impl Iterator<Item = String> {
    let own = misspelt(table).filter(|(name, _)| !OF_OTHERS.contains(name));
    own.take(MAX_TOLD).map(|(name, meant)| format!("{name} is not known; did you mean {meant}?"))
}

/// Variables that are no settings, and the setting that each is nearly called; of the first 500 that are none.
pub(crate) fn misspelt(table: &SettingsTable) -> impl Iterator<Item = (&str, &'static str)> {
    let known: Vec<&'static str> = table.iter().flat_map(Setting::names).collect();
    let unknown = table.unknown.iter().map(String::as_str).take(MAX_EXAMINED);
    let plausible = unknown.filter(|name| name.len() < TOO_MANY_BYTES);
    plausible.filter_map(move |name| Some((name, meant(name, &known)?)))
}

/// The setting with the same words but for `TRACE`, which some have and others not; else the one that is nearly spelt so.
fn meant(name: &str, known: &[&'static str]) -> Option<&'static str> {
    fn words(name: &str) -> impl Iterator<Item = &str> {
        name.split('_').filter(|word| *word != "TRACE")
    }
    let same = known.iter().copied().find(|known| words(known).eq(words(name)));
    same.or_else(|| {
        let alike = known.iter().copied().filter(|known| {
            known.len().abs_diff(name.len()) < TOO_MANY_CHANGES && is_spelt_like(name, known)
        });
        let (meant, changes) = nearest(name, alike)?;
        (changes < TOO_MANY_CHANGES).then_some(meant)
    })
}

/// Whether no word of the one is quite another in the other: `PORT` is not `HOST`.
fn is_spelt_like(name: &str, known: &str) -> bool {
    let is_like = |(one, other): (&str, &str)| {
        nearest(one, std::iter::once(other)).is_some_and(|(_, changes)| 2 * changes < one.len().max(2))
    };
    name.split('_').count() != known.split('_').count() || name.split('_').zip(known.split('_')).all(is_like)
}

#[cfg(test)]
mod tests {
    use super::super::testing::environment;
    use super::super::{Overrides, Settings};
    use super::*;
    use proptest::prelude::*;

    /// The settings where these variables are set.
    fn settings(variables: &[&str]) -> Settings {
        let variables: Vec<(&str, &str)> = variables.iter().map(|name| (*name, "s3cret")).collect();
        Settings::resolve(&Overrides::default(), &environment(&variables)).unwrap().0
    }

    fn remarks_on(variables: &[&str]) -> Vec<String> {
        remarks(&settings(variables).table).collect()
    }

    #[test]
    fn only_what_is_nearly_a_setting_is_misspelt() {
        let settings = settings(&[
            "DD_SERVICE",
            "DD_SERVCE",
            "DD_service",
            "DD_TRACE_AGENT_URLS",
            "DD_PROFILING_ENABLED",
            "DD_TRACE_API_VERSION",
            "SERVICE",
            "DD_AGENT_PORT",
            "DD_TRACE_AGENT_HOST",
            "DD_AGENT_URL",
            "DD_TRACE_SERVICE",
            "DD_TRACE_AGENT_POST",
            "DD_TRACE_AGENT_SORT",
            "DD_TRACESAMPLE_RATE",
            "DD_LOGS_INJECTON",
        ]);
        let mut found: Vec<_> = misspelt(&settings.table).collect();
        let mut expected = [
            ("DD_SERVCE", "DD_SERVICE"),
            ("DD_service", "DD_SERVICE"),
            ("DD_TRACE_AGENT_URLS", "DD_TRACE_AGENT_URL"),
            ("DD_AGENT_PORT", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACE_AGENT_HOST", "DD_AGENT_HOST"),
            ("DD_AGENT_URL", "DD_TRACE_AGENT_URL"),
            ("DD_TRACE_SERVICE", "DD_SERVICE"),
            ("DD_TRACE_AGENT_POST", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACE_AGENT_SORT", "DD_TRACE_AGENT_PORT"),
            ("DD_TRACESAMPLE_RATE", "DD_TRACE_SAMPLE_RATE"),
            ("DD_LOGS_INJECTON", "DD_LOGS_INJECTION"),
        ];
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_misspelt_variable_is_one_remark_without_its_value() {
        let expected = ["DD_TRACE_SAMPEL_RATE is not known; did you mean DD_TRACE_SAMPLE_RATE?"];
        assert_eq!(remarks_on(&["DD_TRACE_SAMPEL_RATE", "DD_SERVICE", "PATH"]), expected);
    }

    /// Agent, serverless, profiler and the tracers of other languages share the environment with this one.
    #[test]
    fn a_name_of_other_programs_is_not_remarked_on() {
        let others = "DD_API_KEY DD_APP_KEY DD_SITE DD_URL DD_DD_URL DD_HOSTNAME_FILE DD_BIND_HOST DD_CMD_PORT DD_LOG_FILE \
            DD_LOG_FILE_MAX_SIZE DD_LOGS_ENABLED DD_LOGS_CONFIG_CONTAINER_COLLECT_ALL DD_LOGS_DD_URL DD_APM_ENABLED DD_APM_DD_URL \
            DD_APM_ENV DD_APM_NON_LOCAL_TRAFFIC DD_APM_RECEIVER_PORT DD_APM_RECEIVER_SOCKET DD_APM_IGNORE_RESOURCES DD_APM_FEATURES \
            DD_APM_INSTRUMENTATION_ENABLED DD_DOGSTATSD_SOCKET DD_DOGSTATSD_TAGS DD_DOGSTATSD_NON_LOCAL_TRAFFIC DD_PROXY_HTTP \
            DD_PROCESS_AGENT_ENABLED DD_CLUSTER_AGENT_URL DD_KUBERNETES_POD_LABELS_AS_TAGS DD_CLUSTER_NAME DD_HEALTH_PORT \
            DD_SECRET_BACKEND_COMMAND DD_EXTRA_TAGS DD_AGENT_PORT DD_AGENT_PORT_8126_TCP DD_AGENT_SERVICE_HOST \
            DD_AGENT_SERVICE_PORT DD_PROFILING_ENABLED DD_PROFILING_UPLOAD_PERIOD DD_PROFILING_TAGS DD_RUST_TRACER DD_APPSEC_ENABLED \
            DD_APPSEC_TRACE_RATE_LIMIT DD_IAST_ENABLED DD_DYNAMIC_INSTRUMENTATION_ENABLED DD_CIVISIBILITY_AGENTLESS_ENABLED \
            DD_DATA_STREAMS_ENABLED DD_LLMOBS_ENABLED DD_LAMBDA_HANDLER DD_FLUSH_TO_LOG DD_SERVERLESS_LOGS_ENABLED \
            DD_TRACE_AGENT_HOST DD_TRACE_LOGS_INJECTION DD_TRACE_SERVICE_MAPPING DD_PROPAGATION_STYLE_INJECT \
            DD_PROPAGATION_STYLE_EXTRACT DD_SERVICE_NAME DD_TRACE_ANALYTICS_ENABLED DD_TRACE_METHODS DD_TRACE_ANNOTATIONS \
            DD_TRACE_SAMPLING_RULES_FORMAT DD_TRACE_CONFIG DD_TRACE_CLI_ENABLED DD_TRACE_SPANS_LIMIT DD_TRACE_REDIS_ENABLED \
            DD_TRACE_HTTP_ENABLED DD_TRACE_PG_ENABLED DD_TRACE_GRPC_TAGS DD_DISTRIBUTED_TRACING DD_HTTP_CLIENT_ERROR_STATUSES \
            DD_HTTP_CLIENT_TAG_QUERY_STRING DD_HTTP_SERVER_RAW_QUERY_STRING DD_JMXFETCH_ENABLED DD_INTEGRATIONS_ENABLED \
            DD_DIAGNOSTICS_ENABLED DD_DOTNET_TRACER_HOME DD_TRACE_PIPE_NAME DD_TRACE_BAGGAGE_MAX_ITEMS DD_TRACE_BAGGAGE_MAX_BYTES \
            DD_RUNTIME_METRICS_RUNTIME_ID_ENABLED DD_INSTRUMENTATION_TELEMETRY_AGENTLESS_ENABLED DD_GIT_BRANCH DD_GIT_TAG \
            DD_TEST_SESSION_NAME DD_INJECTION_ENABLED DD_INJECT_FORCE DD_REMOTE_CONFIGURATION_REFRESH_INTERVAL \
            DD_CODE_ORIGIN_FOR_SPANS_ENABLED DD_EXCEPTION_REPLAY_ENABLED DD_SYMBOL_DATABASE_UPLOAD_ENABLED DD_TRACE_SAFE_INSTRUMENTATION_ENABLED";
        let others: Vec<&str> = others.split_whitespace().collect();
        assert_eq!(remarks_on(&others), [""; 0]);
    }

    #[test]
    fn remarks_are_at_most_ten() {
        for count in [9, 10, 11, 600] {
            let names: Vec<String> =
                (0..count).map(|index| format!("DD_TRACE_SAMPLING_RULE{index}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // Numbers of three digits are more than a slip.
            assert_eq!(remarks_on(&names).len(), count.min(MAX_TOLD), "{count}");
        }
    }

    #[test]
    fn a_name_too_long_for_a_setting_is_no_slip_and_no_setting_is_that_long() {
        let known: Vec<&str> = settings(&[]).table.iter().flat_map(Setting::names).collect();
        assert!(known.iter().all(|name| 2 * name.len() < TOO_MANY_BYTES), "{known:?}");
        for (words, expected) in [(18, 1), (19, 0), (100_000, 0)] {
            let padded = format!("DD_SERVICE{}", "_TRACE".repeat(words));
            assert_eq!(remarks_on(&[&padded]).len(), expected, "{}", padded.len());
        }
    }

    proptest! {
        #[test]
        fn any_names_are_looked_at(names in proptest::collection::vec("(DD_)?\\PC{0,40}|DD_[A-Z_]{0,60}", 0..20)) {
            let told = remarks_on(&names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(told.len() <= MAX_TOLD);
            prop_assert!(!told.iter().any(|text| text.contains("s3cret")));
        }

        /// A letter more, another one, or one less in a word long enough to be known again; and what it was is no slip itself.
        #[test]
        fn one_slip_in_a_long_word_is_found(index: prop::sample::Index, at: prop::sample::Index, slip in 0..3, letter in b'A'..=b'Z') {
            let known: Vec<&str> =
                settings(&[]).table.iter().flat_map(Setting::names).filter(|name| name.starts_with("DD_")).collect();
            let name = known[index.index(known.len())];
            // Behind `DD_`, and in a word of four letters or more.
            let places: Vec<usize> = (3..name.len())
                .filter(|at| {
                    let word = name[..*at].rfind('_').map_or(0, |from| from + 1);
                    let end = name[*at..].find('_').map_or(name.len(), |to| at + to);
                    end - word >= 4 && &name[word..end] != "TRACE" && name.as_bytes()[*at] != b'_'
                })
                .collect();
            prop_assume!(!places.is_empty());
            let at = places[at.index(places.len())];
            let mut wrong = name.as_bytes().to_vec();
            match slip {
                0 => wrong.insert(at, letter),
                1 => wrong[at] = letter,
                _ => drop(wrong.remove(at)),
            }
            let wrong = String::from_utf8(wrong).unwrap();
            let settings = settings(&[name, &wrong]);
            let found: Vec<_> = misspelt(&settings.table).collect();
            let expected = usize::from(!known.contains(&wrong.as_str()));
            prop_assert_eq!(found.len(), expected, "{} {:?}", name, found);
            prop_assert!(found.iter().all(|(found, meant)| *found == wrong && known.contains(meant)));
        }
    }
}
