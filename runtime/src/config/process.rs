//! What the process is, as the machine tells it: the tags that name it, and its host.

use super::reader::Reader;
use super::source::Source;

/// The tag `_dd.tags.process`: how the program was started, in one text, unless that is switched off.
///
/// Source: `internal/processtags` of DataDog/dd-trace-go for keys and form.
pub(super) fn tags(read: &mut Reader<'_>, service: &str, is_service_given: bool) -> Option<Box<str>> {
    if !read.flag("DD_EXPERIMENTAL_PROPAGATE_PROCESS_TAGS_ENABLED", true) {
        return None;
    }
    let Source { executable, working_directory, .. } = read.source();
    let name = |path: Option<&std::path::Path>| {
        path.and_then(std::path::Path::file_name).map(|name| normalized(&name.to_string_lossy()))
    };
    let service = if is_service_given {
        ("svc.user", Some("true".to_owned()))
    } else {
        ("svc.auto", Some(normalized(service)))
    };
    let tags = [
        ("entrypoint.basedir", name(executable.as_deref().and_then(std::path::Path::parent))),
        ("entrypoint.name", name(executable.as_deref())),
        ("entrypoint.type", Some("executable".to_owned())),
        ("entrypoint.workdir", name(working_directory.as_deref())),
        service,
    ];
    let known = tags.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let tags: Vec<String> =
        known.filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}:{value}")).collect();
    Some(tags.join(",").into())
}

/// The tag `_dd.hostname`, where somebody asked for it: `DD_TRACE_SOURCE_HOSTNAME`, else, with `DD_TRACE_REPORT_HOSTNAME`, `DD_HOSTNAME` or
/// the name that the system has.
pub(super) fn hostname(read: &mut Reader<'_>) -> Option<Box<str>> {
    let is_reported = read.flag("DD_TRACE_REPORT_HOSTNAME", false);
    let given = read.text("DD_TRACE_SOURCE_HOSTNAME");
    let own = read.text("DD_HOSTNAME").or_else(|| read.source().hostname.clone());
    given.or_else(|| own.filter(|_| is_reported)).map(String::into_boxed_str)
}

/// Characters of the longest value.
const MAX_CHARACTERS: usize = 200;

/// In lower case, with `_` for a run of what is no letter, digit, `.`, `-` or `/`, and none at the ends.
fn normalized(value: &str) -> String {
    let mut out = String::new();
    for character in value.to_lowercase().chars() {
        if character.is_alphanumeric() || matches!(character, '.' | '-' | '/') {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let cut: String = out.chars().take(MAX_CHARACTERS).collect();
    cut.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::source::Overrides;
    use super::super::testing::environment;
    use super::*;
    use proptest::prelude::*;

    fn with<R>(variables: &[(&str, &str)], f: impl FnOnce(&mut Reader<'_>) -> R) -> R {
        let source = Source {
            executable: Some("/opt/Shop App/bin/Shop,Web".into()),
            working_directory: Some("/srv/shop".into()),
            hostname: Some("web-1".into()),
            ..environment(variables)
        };
        f(&mut Reader::new(&source, &Overrides::default()))
    }

    #[test]
    fn process_is_named_by_its_program_and_service() {
        let said = with(&[], |read| tags(read, "shop", true)).unwrap();
        let expected = "entrypoint.basedir:bin,entrypoint.name:shop_web,entrypoint.type:executable,entrypoint.workdir:shop,svc.user:true";
        assert_eq!(&*said, expected);
        let found = with(&[], |read| tags(read, "Shop,Web", false)).unwrap();
        assert!(found.ends_with(",svc.auto:shop_web"), "{found}");
        let off = [("DD_EXPERIMENTAL_PROPAGATE_PROCESS_TAGS_ENABLED", "false")];
        assert_eq!(with(&off, |read| tags(read, "shop", true)), None);
    }

    #[test]
    fn hostname_is_told_where_asked_for() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("DD_HOSTNAME", "h")], None),
            (&[("DD_TRACE_REPORT_HOSTNAME", "true")], Some("web-1")),
            (&[("DD_TRACE_REPORT_HOSTNAME", "true"), ("DD_HOSTNAME", "h")], Some("h")),
            (&[("DD_TRACE_SOURCE_HOSTNAME", "s")], Some("s")),
            (
                &[("DD_TRACE_SOURCE_HOSTNAME", "s"), ("DD_HOSTNAME", "h"), ("DD_TRACE_REPORT_HOSTNAME", "1")],
                Some("s"),
            ),
        ] {
            assert_eq!(with(variables, hostname).as_deref(), expected, "{variables:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_value_of_the_list(name: String) {
            let value = normalized(&name);
            prop_assert!(!value.contains([',', ':', ' ', '\n']));
            prop_assert!(!value.starts_with('_') && !value.ends_with('_') && !value.contains("__"));
            prop_assert!(value.chars().count() <= MAX_CHARACTERS);
            prop_assert_eq!(normalized(&value), value);
        }
    }
}
