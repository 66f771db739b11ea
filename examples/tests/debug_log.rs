//! What the debug log of the shop says of its spans, in text and in JSON, held against a recording.
//!
//! Ids, times and ports are replaced, and lines are sorted: requests run at once. After a change of the shop or of the messages, read what
//! `DEBUG_LOG=overwrite cargo test -p dd-traced-examples --test debug_log` has changed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

/// Keys whose values are others in each run; a zero stays, since it says that there is none.
const KEYS: [&str; 8] = [
    "trace_id=",
    "span_id=",
    "parent_id=",
    "start_ns=",
    "duration_ns=",
    "127.0.0.1:",
    "\"date\":\"",
    "\"pid\":",
];

/// The debug log of one visit, with one of these settings more.
fn recorded(setting: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    let command = command.env_clear().env("DD_TRACE_DEBUG", "true").env("DD_LOG_FORMAT_JSON", setting);
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let is_ours = |line: &&str| line.starts_with("dd-traced DEBUG: ") || line.starts_with("{\"date\":");
    let is_of_span = |line: &&str| line.contains("span started: ") || line.contains("span finished: ");
    let ours = stderr.lines().filter(is_ours);
    let mut lines: Vec<String> = ours.clone().filter(is_of_span).map(plain).collect();
    // What ships an order may end after the request, and is handed over alone then.
    let counts = ours.filter_map(|line| line.split_once("trace handed over: ")?.1.split_once(" spans="));
    let spans = counts.map(|(_, count)| count.split_once(' ').unwrap().0.parse::<usize>().unwrap());
    assert_eq!(2 * spans.sum::<usize>(), lines.len(), "each span is in a trace, and was started");
    lines.sort();
    lines.concat()
}

/// A line without what is another one in each run.
fn plain(line: &str) -> String {
    let mut line = format!("{line}\n");
    for key in KEYS {
        let parts: Vec<String> = line.split(key).map(str::to_owned).collect();
        let cut = |part: &String| {
            let is_value = |character: char| character.is_ascii_hexdigit() || "-:.TZ".contains(character);
            let rest = part.trim_start_matches(is_value);
            if part.starts_with("0 ") { part.clone() } else { format!("*{rest}") }
        };
        line.clone_from(&parts[0]);
        for part in &parts[1..] {
            line.push_str(key);
            line.push_str(&cut(part));
        }
    }
    line
}

#[expect(clippy::disallowed_methods, reason = "a test may read its environment")]
fn hold(name: &str, setting: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/debug_log").join(name);
    let found = recorded(setting);
    if std::env::var_os("DEBUG_LOG").is_some_and(|wish| wish == "overwrite") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(expected.lines().count(), 48, "the spans are recorded");
    assert_eq!(found, expected, "{}", path.display());
}

#[test]
fn text_is_as_recorded() {
    hold("shop.txt", "false");
}

#[test]
fn json_is_as_recorded() {
    hold("shop.jsonl", "true");
}
