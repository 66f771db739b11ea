//! What is refused, and what is handed on although nothing can be made of it.

use super::*;

/// The messages, after a check that the item comes out untouched.
fn errors(args: &str, item: &str) -> Vec<String> {
    let expanded = traced(tokens(args), tokens(item), true).to_string();
    assert!(expanded.ends_with(&tokens(item).to_string()), "{expanded}");
    let message = |rest: &str| {
        let text = rest.split(" }").next().unwrap_or_default();
        text.trim_matches('"').replace("\\\"", "\"")
    };
    expanded.split("compile_error ! { ").skip(1).map(message).collect()
}

#[test]
fn half_typed_items_come_out_again() {
    let items = [
        "fn",
        "fn f",
        "fn f(a: ) { let x = ; x. }",
        "fn f<T() { }",
        "pub async",
        "fn f() -> { if }",
        "fn f(x: u8) -> Result< { x.unwrap( ) ; foo.  }",
        "async fn f(x: u8) -> Result<u8, E> { match x { 1 => } foo.await. }",
        "#[a] fn f() where { match x { A => } }",
        "fn f() -> impl { async { x. } }",
        "fn f() -> impl Future< { Box::pin(async { x. }) }",
        "fn f() -> Pin<Box<dyn Future<Output = { Box::pin() }",
        "fn f() -> BoxFuture< { :: }",
        "#",
        "",
    ];
    for item in items {
        let expanded = compact(&traced(tokens("tags(a = 1)"), tokens(item), true).to_string());
        for piece in item.split(['{', '}']).map(compact) {
            assert!(expanded.contains(&piece), "{piece} is missing in {expanded}");
        }
    }
}

#[test]
fn tag_that_decides_takes_a_plain_value() {
    let message =
        |key: &str| format!("`{key}` decides about the trace and takes a plain value, without `?` or `%`");
    let expected = ["manual.keep", "sampling.priority"].map(message);
    assert_eq!(errors("tags(manual.keep = ?id, sampling.priority = %id)", "fn f(id: u8) {}"), expected);
    let expanded =
        expansion(r#"tags(manual.keep = "1", manual.drop = id, team = "cart")"#, "fn f(id: u8) {}");
    let steps = r#".tags(|tags|tags.decide("manual.keep","1").decide("manual.drop",&id))"#;
    assert!(expanded.contains(steps) && expanded.contains(r#".tags(&[("team","cart")])"#), "{expanded}");
}

#[test]
fn all_errors_of_one_attribute_are_reported_at_once() {
    let args =
        r#"measurd, name = 5, name = "", colour = "red", service "x", kind = "up", tags(qty, a = 1, a = 2)"#;
    let expected = [
        "unknown argument `measurd`; did you mean `measured`?",
        "`name` must be a string literal or a constant",
        "duplicate argument `name`",
        "`name` must not be empty",
        "unknown argument `colour`; expected one of `name`, `service`, `resource`, `span_type`, `type`, `kind`, \
         `measured`, `root`, `parent`, `links`, `tags`, `err`, `ret`, `crate`",
        "expected `=` after `service`",
        r#"unknown kind `"up"`; expected `"internal"`, `"server"`, `"client"`, `"producer"`, `"consumer"`"#,
        "duplicate tag `a`",
        "no argument named `qty`; this function has `id`, `path`",
    ];
    assert_eq!(errors(args, "fn f(id: u8, path: &str) {}"), expected);
}

#[test]
fn items_that_cannot_be_spans_are_refused() {
    let refused = |item| errors("", item).join("; ");
    assert!(refused("const fn f() {}").contains("cannot be used on a `const fn`"));
    assert!(refused("fn f();").contains("needs a function body"));
    assert!(refused("pub(crate) struct S;").ends_with("found `struct`"));
    assert!(refused("const C: u8 = 1;").ends_with("found `const`"));
    assert!(refused("mod m {}").ends_with("found `mod`; annotate the functions inside"));
    assert!(refused("extern \"C\" { fn f(); }").ends_with("found `extern`"));
}

#[test]
fn a_block_has_no_name_of_its_own() {
    assert_eq!(
        errors(r#""op", resource = "r", tags(qty)"#, "impl S { fn f(id: u8) {} }"),
        [
            "`name` cannot be used on an `impl` block: all functions would share it; annotate each",
            "`resource` cannot be used on an `impl` block: all functions would share it; annotate each",
            "no argument named `qty`; `f` has `id`",
        ]
    );
}
