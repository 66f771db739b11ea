//! What decides which traces are kept, and which spans of those that are not.

use super::otel;
use super::reader::{Reader, Remarks, row};
use super::secret::Mask;
use crate::sampling::SamplingSettings;
use crate::sampling::json::{self, Parsed};
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) fn resolve(read: &mut Reader<'_>) -> SamplingSettings {
    let default = SamplingSettings::default();
    SamplingSettings {
        rules: rules(read, "DD_TRACE_SAMPLING_RULES", "DD_TRACE_SAMPLING_RULES_FILE", json::trace_rules),
        rate: read.parsed(
            row("DD_TRACE_SAMPLE_RATE").otel(otel::TRACES_SAMPLER),
            "a number from 0 to 1",
            |text| number(text).filter(|rate| *rate <= 1.0),
        ),
        limit: read.or(
            "DD_TRACE_RATE_LIMIT",
            default.limit,
            "a number of traces a second, 0 or more",
            number,
        ),
        span_rules: rules(read, "DD_SPAN_SAMPLING_RULES", "DD_SPAN_SAMPLING_RULES_FILE", json::span_rules),
    }
}

/// A decimal number, 0 or more.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Rules of a text, else of the file that another setting names. A text beats the file also where it is none of rules.
///
/// Source: `ddtrace/tracer/rules_sampler.go` of DataDog/dd-trace-go for the files.
fn rules<R>(
    read: &mut Reader<'_>,
    text: &'static str,
    file: &'static str,
    parse: fn(&str) -> Result<Parsed<R>, String>,
) -> Vec<R> {
    let given = read.remarked(row(text).mask(Mask::Json), |json, remarks| usable(parse(json), remarks));
    if given.is_some() || read.is_said(text) {
        if read.text(file).is_some() {
            read.warn(format!("{file} is ignored because {text} is set"));
        }
        return given.unwrap_or_default();
    }
    let in_file = read
        .remarked(row(file), |path, remarks| usable(content(path).and_then(|json| parse(&json)), remarks));
    in_file.unwrap_or_default()
}

/// The rules that can be used; what is wrong with others is remarked.
fn usable<R>(parsed: Result<Parsed<R>, String>, remarks: &mut Remarks) -> Option<Vec<R>> {
    match parsed {
        Ok(Parsed { rules, faults }) => {
            remarks.extend(faults);
            Some(rules)
        }
        Err(fault) => {
            remarks.push(fault);
            None
        }
    }
}

/// Bytes of the largest file that is read.
const MAX_FILE: u64 = 1 << 20;

/// The text of a file; none of what is no plain file, which might never end.
fn content(path: &str) -> Result<String, String> {
    let told = |error: std::io::Error| format!("{path} cannot be read: {error}; there are no rules");
    let about = Path::new(path).metadata().map_err(told)?;
    if !about.is_file() || about.len() > MAX_FILE {
        return Err(format!("{path} is not a file of at most {MAX_FILE} bytes; there are no rules"));
    }
    let mut text = String::new();
    // It may grow meanwhile.
    File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text)).map_err(told)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{environment, notices_of, overrides};
    use super::super::{Overrides, Settings};
    use super::*;

    fn resolved(variables: &[(&str, &str)]) -> (SamplingSettings, Vec<String>) {
        let (settings, notices) = Settings::resolve(&Overrides::default(), &environment(variables)).unwrap();
        (settings.sampling, notices_of(notices))
    }

    #[test]
    fn rules_rate_and_limit_are_read() {
        let (sampling, notices) = resolved(&[
            ("DD_TRACE_SAMPLING_RULES", r#"[{"service":"web","sample_rate":0.5}, {"sample_rate":1}]"#),
            ("DD_TRACE_SAMPLE_RATE", " 0.25 "),
            ("DD_TRACE_RATE_LIMIT", "2.5"),
            ("DD_SPAN_SAMPLING_RULES", r#"[{"name":"db.*","max_per_second":7}]"#),
        ]);
        assert!(notices.is_empty(), "{notices:?}");
        assert_eq!((sampling.rules.len(), sampling.rate, sampling.limit), (2, Some(0.25), 2.5));
        assert_eq!(sampling.span_rules[0].max_per_second, Some(7.0));
    }

    #[test]
    fn unusable_numbers_are_told_and_ignored() {
        for text in ["1.1", "-0.1", "often", "NaN", "inf", "0,5", "1e400"] {
            let (sampling, notices) = resolved(&[("DD_TRACE_SAMPLE_RATE", text)]);
            assert_eq!((sampling.rate, notices.len()), (None, 1), "{text}: {notices:?}");
        }
        for text in ["-1", "many", "NaN", "inf"] {
            let (sampling, notices) = resolved(&[("DD_TRACE_RATE_LIMIT", text)]);
            assert_eq!((sampling, notices.len()), (SamplingSettings::default(), 1), "{text}: {notices:?}");
        }
        for (text, rate) in [("0", 0.0), ("1", 1.0), ("0.00002", 0.000_02)] {
            assert_eq!(resolved(&[("DD_TRACE_SAMPLE_RATE", text)]).0.rate, Some(rate));
        }
    }

    #[test]
    fn unusable_rules_are_told_and_tracing_goes_on() {
        let (sampling, notices) =
            resolved(&[("DD_TRACE_SAMPLING_RULES", "{"), ("DD_SPAN_SAMPLING_RULES", "7")]);
        assert_eq!(sampling, SamplingSettings::default());
        assert!(notices[0].starts_with("DD_TRACE_SAMPLING_RULES: it is not JSON"), "{notices:?}");
        assert_eq!(notices[1..], ["DD_SPAN_SAMPLING_RULES: it is not a list of rules; there are none"]);
        let rules = r#"[{"sample_rate":2},{"sample_rate":0.5}]"#;
        let (sampling, notices) = resolved(&[("DD_TRACE_SAMPLING_RULES", rules)]);
        assert_eq!(sampling.rules.len(), 1);
        assert_eq!(notices, ["DD_TRACE_SAMPLING_RULES: rule 1 is left out: sample_rate is not from 0 to 1"]);
        let many = format!("[{}]", vec!["{}"; 10_000].join(","));
        let (_, notices) = resolved(&[("DD_TRACE_SAMPLING_RULES", &many)]);
        assert_eq!(notices.last().unwrap(), "DD_TRACE_SAMPLING_RULES: 9993 more rules are left out");
    }

    #[test]
    fn rules_come_from_a_file_where_no_text_is_given() {
        let path = std::env::temp_dir().join(format!("dd-traced-rules-{}.json", std::process::id()));
        let name = path.to_str().unwrap();
        std::fs::write(&path, r#"[{"sample_rate":0.5,"name":"a"},{"name":"b","sample_rate":0.75}]"#).unwrap();
        let files = [("DD_TRACE_SAMPLING_RULES_FILE", name), ("DD_SPAN_SAMPLING_RULES_FILE", name)];
        let (sampling, notices) = resolved(&files);
        assert_eq!((sampling.rules.len(), sampling.span_rules.len(), notices), (2, 2, vec![]));
        let texts = [("DD_TRACE_SAMPLING_RULES", "[]"), ("DD_SPAN_SAMPLING_RULES", "[{}]")];
        let (sampling, notices) = resolved(&[files, texts].concat());
        assert_eq!((sampling.rules.len(), sampling.span_rules.len()), (0, 1));
        assert_eq!(
            notices,
            [
                "DD_TRACE_SAMPLING_RULES_FILE is ignored because DD_TRACE_SAMPLING_RULES is set",
                "DD_SPAN_SAMPLING_RULES_FILE is ignored because DD_SPAN_SAMPLING_RULES is set"
            ]
        );
        // What is malformed used to be passed over for the file.
        let texts = [("DD_TRACE_SAMPLING_RULES", "[{"), ("DD_SPAN_SAMPLING_RULES", "{}")];
        let (sampling, notices) = resolved(&[files, texts].concat());
        assert_eq!(
            (sampling.rules.len(), sampling.span_rules.len(), notices.len()),
            (0, 0, 4),
            "{notices:?}"
        );
        std::fs::write(&path, vec![b' '; MAX_FILE as usize + 1]).unwrap();
        for path in [name, "/no/such/file", "/", "/dev/zero"] {
            let (sampling, notices) = resolved(&[("DD_SPAN_SAMPLING_RULES_FILE", path)]);
            assert_eq!((sampling, notices.len()), (SamplingSettings::default(), 1), "{path}: {notices:?}");
        }
        std::fs::write(&path, b"[{\"name\":\"\xff\"}]").unwrap();
        assert_eq!(resolved(&[("DD_SPAN_SAMPLING_RULES_FILE", name)]).1.len(), 1, "it is not UTF-8");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn code_wins_over_the_environment() {
        let code = overrides(&[("DD_TRACE_SAMPLE_RATE", "0.75"), ("DD_TRACE_SAMPLING_RULES", "[]")]);
        let variables =
            [("DD_TRACE_SAMPLE_RATE", "0.25"), ("DD_TRACE_SAMPLING_RULES", r#"[{"sample_rate":0}]"#)];
        let (settings, _) = Settings::resolve(&code, &environment(&variables)).unwrap();
        assert_eq!((settings.sampling.rate, settings.sampling.rules.len()), (Some(0.75), 0));
    }

    /// `always_off` is a rate of 0, which is not the same as no tracing.
    #[test]
    fn sampler_of_opentelemetry_is_the_global_rate() {
        for (variables, expected) in [
            (&[("OTEL_TRACES_SAMPLER", "parentbased_always_off")][..], Some(0.0)),
            (
                &[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.35")],
                Some(0.35),
            ),
            (&[("OTEL_TRACES_SAMPLER", "parentbased_always_on"), ("DD_TRACE_SAMPLE_RATE", "0.5")], Some(0.5)),
        ] {
            assert_eq!(resolved(variables).0.rate, expected, "{variables:?}");
        }
    }
}
