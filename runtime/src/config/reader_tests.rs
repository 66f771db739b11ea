use super::super::testing::{environment, notices_of};
use super::*;

fn read<R>(variables: &[(&str, &str)], f: impl FnOnce(&mut Reader<'_>) -> R) -> (R, Vec<String>) {
    let (source, code) = (environment(variables), Overrides::default());
    let mut reader = Reader::new(&source, &code);
    let value = f(&mut reader);
    (value, notices_of(reader.finish().1))
}

#[test]
fn flag_is_read_in_any_case_and_a_bad_one_is_reported() {
    for (text, expected) in
        [("TRUE", true), (" 1 ", true), ("t", true), ("False", false), ("0", false), ("F", false)]
    {
        assert_eq!(read(&[("X", text)], |reader| reader.flag("X", !expected)), (expected, vec![]));
    }
    let (values, notices) =
        read(&[("X", "yes")], |reader| (reader.flag("X", true), reader.flag("UNSET", false)));
    assert_eq!(values, (true, false));
    assert_eq!(notices, ["X: \"yes\" is not a boolean; it is ignored"]);
}

#[test]
fn hostile_value_is_shown_short_and_on_one_line() {
    let value = format!("a\nb\u{1b}{}", "x".repeat(1000));
    let (_, notices) = read(&[("X", &value)], |reader| reader.flag("X", true));
    assert!(notices[0].starts_with(r#"X: "a\nb\u{1b}xxx"#) && notices[0].len() < 200, "{notices:?}");
}

#[test]
fn main_name_wins_over_its_alias_with_a_notice() {
    let text = |variables: &[(&str, &str)]| {
        read(variables, |reader| reader.integer(row("MAIN").aliases(&["ALIAS"]), 0..=9, 0))
    };
    let notice = |text: &str| vec![text.to_owned()];
    assert_eq!(text(&[("MAIN", "1"), ("ALIAS", "2")]), (1, notice("ALIAS is ignored because MAIN is set")));
    assert_eq!(text(&[("MAIN", " "), ("ALIAS", "2")]), (2, vec![]));
    let unusable = notice("MAIN: \"x\" is not an integer from 0 to 9; it is ignored");
    assert_eq!(text(&[("MAIN", "x"), ("ALIAS", "2")]), (2, unusable));
}

#[test]
fn integer_holds_at_the_ends_of_its_range() {
    for (text, expected) in
        [("0", 7), ("1", 1), ("9", 9), ("10", 7), ("-1", 7), ("x", 7), ("99999999999999999999", 7)]
    {
        assert_eq!(read(&[("X", text)], |reader| reader.integer("X", 1..=9, 7)).0, expected);
    }
}

#[test]
fn an_empty_text_is_a_value_only_where_the_row_says_so() {
    let empty = [("X", "")];
    assert_eq!(read(&empty, |reader| reader.text("X")).0, None);
    assert_eq!(read(&empty, |reader| reader.text(row("X").keeps_empty())).0.as_deref(), Some(""));
}

#[test]
fn sources_are_asked_by_rank_and_each_is_remembered() {
    let mut source = environment(&[("X", "2"), ("ALIAS", "6")]);
    let mut code = Overrides::default();
    let mut resolved = |prepare: &dyn Fn(&mut Source, &mut Overrides)| {
        prepare(&mut source, &mut code);
        let mut reader = Reader::new(&source, &code);
        let value = reader.integer(row("X").aliases(&["ALIAS"]), 0..=9, 7);
        let (table, notices) = reader.finish();
        let setting = table.get("X").cloned().unwrap();
        assert_eq!(setting.value(), value.to_string());
        let shadowed: Vec<_> = setting.shadowed().iter().map(|other| other.value().to_owned()).collect();
        (value, setting.origin(), shadowed.join(" "), notices.len())
    };
    assert_eq!(resolved(&|_, _| ()), (2, Origin::Environment, "6".to_owned(), 1));
    let code_wins = resolved(&|_, code| code.set("X", 3));
    assert_eq!(code_wins, (3, Origin::Code, "2 6".to_owned(), 0));
    let remote_wins = resolved(&|source, _| {
        source.remote.insert("X".to_owned(), "4".to_owned());
    });
    assert_eq!(remote_wins, (4, Origin::Remote, "3 2 6".to_owned(), 0));
    let next_is_tried = resolved(&|source, _| {
        source.remote.insert("X".to_owned(), "many".to_owned());
    });
    assert_eq!(next_is_tried, (3, Origin::Code, "many 2 6".to_owned(), 1));
}

#[test]
fn settings_without_effect_are_named_in_one_notice() {
    let ((), notices) = read(&[("W", "F"), ("X", "1"), ("Z", "1")], |reader| {
        for name in ["W", "X", "Y", "Z"] {
            reader.flag(row(name).without_effect("false"), true);
        }
    });
    assert_eq!(notices, ["X, Z: not supported yet, without effect"], "W asks for what holds");
}
