use super::*;
use proptest::prelude::*;

/// The document as JSON-like text, `!` and the line of the error where it is refused.
fn read(text: &str) -> String {
    parse(text.as_bytes()).map_or_else(|error| format!("!{}", error.line), |node| show(&node))
}

fn show(node: &Node) -> String {
    let join = |items: Vec<String>| items.join(",");
    match node {
        Node::Null => "~".to_owned(),
        Node::Scalar(text) => format!("{text:?}"),
        Node::List(items) => format!("[{}]", join(items.iter().map(show).collect())),
        Node::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}={}", show(value)));
            format!("{{{}}}", join(entries.collect()))
        }
    }
}

#[test]
fn scalars_keep_their_text() {
    let text = "a: true\nb: 0.50\nc: 'it''s # no: comment'\nd: \"a\\\"\\u00e9\\ud83e\\udd80\\n\" # comment\ne: ~\nf:\n\
                g: http://h:1/p#x\nh: a#b # c\n\"i j\": k\nl: -5\nm: null\nn: \"\"";
    let expected = r#"{a="true",b="0.50",c="it's # no: comment",d="a\"é🦀\n",e=~,f=~,g="http://h:1/p#x",h="a#b",i j="k",l="-5",m=~,n=""}"#;
    assert_eq!(read(text), expected);
}

#[test]
fn collections_nest_by_indentation() {
    let text = "# first\n---\na:\n  b:\n    c: 1\n  d: 2\nlist:\n  - x\n  - y: 1\n    z: 2\n  -\n    w: 3\n  - - p\n    - q\n\
                below:\n- m\n- n: 1\nlast: [a, \"b, c\", [d], {e: f}]\n...\nanything";
    let expected = concat!(
        r#"{a={b={c="1"},d="2"},list=["x",{y="1",z="2"},{w="3"},["p","q"]],"#,
        r#"below=["m",{n="1"}],last=["a","b, c",["d"],{e="f"}]}"#
    );
    assert_eq!(read(text), expected);
    assert_eq!(read(&text.replace('\n', "\r\n")), expected);
}

#[test]
fn json_is_read_over_several_lines() {
    let text = "{\"a\": [1, {\"b\":null,\n \"c\": \"x\"} ], # comment\n\n  \"d\":true,\n}\n# end";
    assert_eq!(read(text), r#"{a=["1",{b=~,c="x"}],d="true"}"#);
}

#[test]
fn blocks_of_text_are_literal_or_folded() {
    let text =
        "a: |\n  one\n   two\n\n  # three\n\nb: >-\n  one\n  two\n\n  three\nc: |+\n  x\n\nd: |-\n  y\n";
    let expected = r#"{a="one\n two\n\n# three\n",b="one two\nthree",c="x\n\n",d="y"}"#;
    assert_eq!(read(text), expected);
}

#[test]
fn texts_go_on_in_the_next_lines() {
    let text = "a: one\n  two # comment\nb: 'x\n  it''s\n\n  y' # comment\nc: \"k \\\n   l\n  m\\\\\n  n\"\nd:\n  - p\n    q\n\n    r\n\
                e:\n  f\n  g\nh: 'x\n  a: b\n'";
    let expected = r#"{a="one two",b="x it's\ny",c="k l m\\ n",d=["p q\nr"],e="f g",h="x a: b "}"#;
    assert_eq!(read(text), expected);
}

#[test]
fn what_is_not_understood_is_refused_as_a_whole() {
    for (text, expected) in [
        ("a: 1\na: 2", "!2"),
        ("a: &x 1", "!1"),
        ("a: *x", "!1"),
        ("a: !!str 1", "!1"),
        ("? a\n: b", "!1"),
        ("a: b: c", "!1"),
        ("a: 1\n  b: 2", "!2"),
        ("a:\n\tb: 1", "!2"),
        ("- a\nb: 1", "!2"),
        ("a: [1, 2", "!1"),
        ("a: [1,,2]", "!1"),
        ("a: {b}", "!1"),
        ("a: \"x", "!1"),
        ("a: \"\\q\"", "!1"),
        ("a: \"\\ud800\"", "!1"),
        ("a: \"x\" y", "!1"),
        ("a: [1] 2", "!1"),
        ("just text\nmore", "!2"),
        ("a: 1\n---\nb: 2", "!2"),
        ("a: |9x\n  b", "!1"),
        ("~: 1", "!1"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    assert_eq!(parse(b"a: 1\nb: \xff").unwrap_err(), YamlError { line: 2, reason: "not UTF-8" });
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| read(&format!("a: {}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(nested(MAX_DEPTH).starts_with('{') && nested(MAX_DEPTH + 1).starts_with('!'));
    assert!(read(&"- ".repeat(10_000)).starts_with('!'));
    assert!(read(&"[".repeat(100_000)).starts_with('!'));
    let deeper: Vec<String> = (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(read(&deeper.concat()).starts_with('!'));
}

#[test]
fn nothing_is_an_empty_document() {
    for text in ["", "\n\n", "# comment\n", "---\n", "\u{feff}"] {
        assert_eq!(read(text), "~", "{text:?}");
    }
}

/// A document that shows every value on a line of its own, quoted.
fn write(node: &Node, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let below = |node: &Node| write(node, indent + 2);
    match node {
        Node::Null => " ~\n".to_owned(),
        Node::Scalar(text) => format!(" {}\n", serde_json::json!(text)),
        Node::List(items) if items.is_empty() => " []\n".to_owned(),
        Node::Map(entries) if entries.is_empty() => " {}\n".to_owned(),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(|item| format!("{margin}-{}", below(item))).collect();
            format!("\n{}", items.concat())
        }
        Node::Map(entries) => {
            let entry = |(key, value): &(String, Node)| {
                format!("{margin}{}:{}", serde_json::json!(key), below(value))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("\n{}", entries.concat())
        }
    }
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![Just(Node::Null), any::<String>().prop_map(Node::Scalar)];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::List),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|entries| Node::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_text_of_its_alphabet_is_read_or_refused(text in "[-a: \\[\\]{},\"'|>#\\\\\n\t~]{0,80}") {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn what_is_written_in_blocks_is_read_back(node in node()) {
        let text = write(&node, 0);
        prop_assert_eq!(parse(text.as_bytes()), Ok(node), "{}", text);
    }

    #[test]
    fn json_is_read_as_it_is_written(keys in prop::collection::btree_map(any::<String>(), any::<Vec<String>>(), 0..5)) {
        let json = serde_json::json!(keys).to_string();
        let list = |items: Vec<String>| Node::List(items.into_iter().map(Node::Scalar).collect());
        let expected = keys.into_iter().map(|(key, items)| (key, list(items))).collect();
        prop_assert_eq!(parse(json.as_bytes()), Ok(Node::Map(expected)));
    }
}
