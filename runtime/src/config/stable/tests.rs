use super::*;
use proptest::prelude::*;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const ARGUMENTS: [&str; 3] = ["-Dname=cart", "--verbose", "-Dempty="];

fn parsed(text: &str) -> StableFile {
    let environment = values(&[("MY_VAR", "yes"), ("REGION", "eu-west")]);
    let arguments = ARGUMENTS.map(str::to_owned);
    StableFile::parse("file", text.as_bytes(), Facts { environment: &environment, arguments: &arguments })
}

/// The values as `NAME=value` lines, and the number of notices.
fn read(text: &str) -> (String, usize) {
    let file = parsed(text);
    let lines: Vec<String> = file.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (lines.join(" "), file.notices.len())
}

/// Whether a rule with this selector is laid over.
fn holds(selector: &str) -> bool {
    let text = format!(
        "tags:\n  team: core\nrules:\n- selectors:\n  - {{{selector}}}\n  configuration:\n    X: 1\n"
    );
    let file = parsed(&text);
    assert!(file.notices.is_empty(), "{selector}: {:?}", file.notices);
    file.values.contains_key("X")
}

#[test]
fn scalars_are_texts_and_anything_else_is_left_out() {
    let text = "config_id: \"abc123\"\nother: {a: b}\napm_configuration_default:\n  DD_RUNTIME_METRICS_ENABLED: true\n  \
                DD_TAGS: \"team:core,tier:1\"\n  N: 5\n  F: 0.5\n  L: [1]\n  M: {a: 1}\n  E:\n";
    assert_eq!(
        read(text),
        ("DD_RUNTIME_METRICS_ENABLED=true DD_TAGS=team:core,tier:1 F=0.5 N=5".to_owned(), 1)
    );
    assert_eq!(parsed(text).config_id.as_deref(), Some("abc123"));
}

#[test]
fn first_rule_that_holds_is_laid_over_the_defaults() {
    let text = |key: &str| {
        format!(
            "apm_configuration_default: {{A: default, B: default}}\n{key}:\n\
             - selectors:\n  - {{origin: language, operator: equals, matches: [java]}}\n  configuration: {{A: java}}\n\
             - selectors:\n  - {{origin: language, operator: equals, matches: [java, rust]}}\n  \
             - {{origin: environment_variables, key: MY_VAR, operator: exists}}\n  configuration: {{A: first}}\n\
             - selectors: []\n  configuration: {{A: second, B: second}}\n"
        )
    };
    for key in ["apm_configuration_rules", "rules"] {
        assert_eq!(read(&text(key)), ("A=first B=default".to_owned(), 0), "{key}");
    }
    // Neither is all that hold laid over, nor is one of several selectors enough.
    let without = text("rules").replace("MY_VAR", "OTHER_VAR");
    assert_eq!(read(&without), ("A=second B=second".to_owned(), 0));
}

#[test]
fn selectors_look_where_they_say() {
    for (selector, expected) in [
        ("origin: environment_variables, key: MY_VAR, operator: equals, matches: [no, \"yes\"]", true),
        ("origin: environment_variables, key: MY_VAR, operator: equals, matches: [no]", false),
        ("origin: environment_variables, key: MY_VAR, operator: equals", false),
        ("origin: environment_variables, key: REGION, operator: prefix_matches, matches: [eu-]", true),
        ("origin: environment_variables, key: REGION, operator: suffix_matches, matches: [-west]", true),
        ("origin: environment_variables, key: REGION, operator: suffix_matches, matches: [eu]", false),
        ("origin: environment_variables, key: NONE, operator: exists", false),
        ("origin: environment_variables, operator: equals, matches: [MY_VAR=yes]", true),
        ("origin: environment_variables, operator: equals, matches: [\"yes\"]", false),
        ("origin: process_arguments, key: -Dname, operator: equals, matches: [cart]", true),
        ("origin: process_arguments, key: --verbose, operator: exists", true),
        ("origin: process_arguments, key: name, operator: exists", false),
        ("origin: process_arguments, operator: equals, matches: [-Dname=cart]", true),
        ("origin: process_arguments, operator: suffix_matches, matches: [cart]", true),
        ("origin: process_arguments, operator: equals, matches: [cart]", false),
        ("origin: language, operator: equals, matches: [rust]", true),
        ("origin: language, operator: equals, matches: [go]", false),
        ("origin: tags, key: team, operator: equals, matches: [core]", true),
        ("origin: tags, key: tier, operator: exists", false),
    ] {
        assert_eq!(holds(selector), expected, "{selector}");
    }
}

#[test]
fn templates_are_filled_in() {
    let filled = |value: &str| {
        let value = serde_json::json!(value);
        let text = format!("tags: {{t: T}}\nrules:\n- configuration:\n    X: {value}\n");
        let file = parsed(&text);
        (file.values.get("X").cloned(), file.notices.len())
    };
    for (value, expected) in [
        ("{{process_arguments['-Dname']}}-svc", "cart-svc"),
        ("{{ environment_variables[ \"REGION\" ] }}/{{tags['t']}}", "eu-west/T"),
        ("{{environment_variables[MY_VAR]}}{{language}}", "yesrust"),
        ("{{environment_variables['NONE']}}", "UNDEFINED"),
        ("{{nonsense}}-{{tags['x']}}", "UNDEFINED-UNDEFINED"),
        ("{{process_arguments['-Dempty']}}", ""),
        ("}} plain }}", "}} plain }}"),
    ] {
        assert_eq!(filled(value), (Some(expected.to_owned()), 0), "{value}");
    }
    assert_eq!(filled("{{language"), (None, 1));
}

#[test]
fn rules_that_are_not_understood_leave_the_defaults() {
    for rules in [
        "- selectors:\n  - {origin: moon, operator: exists}\n  configuration: {A: rule}",
        "- selectors:\n  - {origin: language, operator: resembles}\n  configuration: {A: rule}",
        "- selectors:\n  - {origin: tags, operator: exists}\n  configuration: {A: rule}",
        "- selectors: all\n  configuration: {A: rule}",
        "- configuration: {A: \"{{language\"}",
        "- configuration: {A: rule}\n- text",
        "  everything",
    ] {
        let text = format!("apm_configuration_default: {{A: default}}\nrules:\n{rules}\n");
        assert_eq!(read(&text), ("A=default".to_owned(), 1), "{rules}");
    }
}

#[test]
fn unusable_file_is_as_if_it_were_not_there() {
    for text in ["a: b: c", "- list", "text", "a: \u{fffd}\0\tb:\n\t"] {
        assert_eq!(read(text), (String::new(), 1), "{text}");
    }
    assert_eq!(read(""), (String::new(), 0));
    let padded = |bytes: usize| format!("apm_configuration_default: {{A: 1}}\n#{}", "x".repeat(bytes - 35));
    assert_eq!(padded(100).len(), 100);
    assert_eq!(read(&padded(MAX_FILE_BYTES)), ("A=1".to_owned(), 0));
    assert_eq!(read(&padded(MAX_FILE_BYTES + 1)), (String::new(), 1));
}

/// A small file could otherwise ask for gigabytes.
#[test]
fn what_templates_fill_in_is_limited() {
    let environment = values(&[("BIG", &"x".repeat(100_000))]);
    let value = "{{environment_variables[BIG]}}".repeat(10);
    let file = |lines: usize| {
        let lines: Vec<String> = (0..lines).map(|line| format!("    K{line}: \"{value}\"\n")).collect();
        let text = format!("rules:\n- configuration:\n{}", lines.concat());
        StableFile::parse("file", text.as_bytes(), Facts { environment: &environment, arguments: &[] })
    };
    assert_eq!((file(1).values.len(), file(1).notices.len()), (1, 0));
    assert_eq!((file(2).values.len(), file(2).notices.len()), (0, 1));
}

#[test]
fn files_are_read_from_their_place() {
    let empty = Values::new();
    let facts = Facts { environment: &empty, arguments: &[] };
    let directory = std::env::temp_dir().join(format!("dd-traced-stable-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("application_monitoring.yaml");
    let absent = StableFile::read(&path, facts);
    assert!(absent.values.is_empty() && absent.notices.is_empty());
    std::fs::write(&path, "apm_configuration_default: {DD_ENV: prod}").unwrap();
    assert_eq!(StableFile::read(&path, facts).values, values(&[("DD_ENV", "prod")]));
    assert!(StableFile::read(&path.join("below-a-file"), facts).notices.is_empty());
    std::fs::write(&path, vec![b'#'; MAX_FILE_BYTES + 1]).unwrap();
    assert_eq!(StableFile::read(&path, facts).notices.len(), 1);
    // A directory stands for all that is no file.
    assert_eq!(StableFile::read(&directory, facts).notices.len(), 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_example_on_the_page_does_what_the_page_says() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (example, _) = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap();
    let environment = Values::new();
    let read = |argument: &str| {
        let arguments = [argument.to_owned()];
        let facts = Facts { environment: &environment, arguments: &arguments };
        let file = StableFile::parse("page", example.as_bytes(), facts);
        assert!(file.notices.is_empty(), "{:?}", file.notices);
        file.values
    };
    let defaults = [("DD_ENV", "prod"), ("DD_LOGS_INJECTION", "false")];
    let [env, injection] = defaults;
    assert_eq!(read("--shop=berlin"), values(&[env, injection, ("DD_SERVICE", "shop-berlin")]));
    assert_eq!(read("--shop=rome"), values(&defaults));
}

proptest! {
    #[test]
    fn any_bytes_are_a_file_with_few_notices(bytes: Vec<u8>) {
        let environment = Values::new();
        let file = StableFile::parse("file", &bytes, Facts { environment: &environment, arguments: &[] });
        prop_assert!(file.notices.len() <= 3);
    }

    #[test]
    fn any_template_is_filled_in_or_refused(text in "[{}\\[\\]'a-z_ ]{0,60}") {
        let environment = Values::new();
        let facts = Facts { environment: &environment, arguments: &[] };
        let _ = template::expand(&text, &template::Scope { facts, tags: &environment }, 100);
    }
}
