//! A debug log without what differs from run to run, from machine to machine, and from release to release.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use regex::{Captures, Regex};

/// What differs, and what is recorded in its place. Within an object of JSON the quotes of a message are escaped.
const DIFFERING: [(&str, &str); 12] = [
    (r#"("pid":)\d+"#, "$1<id>"),
    (r#"(\\?"date\\?":\\?")[^"\\]+"#, "$1<date>"),
    // The version is that of the library in the startup line, and of the fake agent elsewhere.
    (r#"(\\?"(?:architecture|lang_version|os_name|os_version|runtime_id|version)\\?":\\?")[^"\\]+"#, "$1<…>"),
    (r#"(\\?"feature_flags\\?":\[)[^\]]*"#, "$1<…>"),
    (r"(start_ns|duration_ns)=\d+", "$1=<ns>"),
    // A small number takes fewer bytes of a payload than a large one.
    (r"(size: |\bbytes=|most_bytes_waiting=)[1-9]\d*", "$1<bytes>"),
    (r"\b(in|after) \d[\d.]* ?(?:ns|µs|ms|s)\b", "$1 <time>"),
    (r"(worker_cpu_ms=)[\d.]+", "$1<time>"),
    (r"(os error )\d+", "$1<number>"),
    (r"(requests=)\d+", "$1<requests>"),
    (r"(requests=<requests> errors=)[1-9]\d*", "$1<requests>"),
    (r"(traces: )\d+|\b\d+( traces, )", "$1<traces>$2"),
];

/// What a program said that reports to the agent at this address, as it is recorded. Lines of the program itself are left out.
pub(crate) fn recording(log: &str, agent: &str) -> String {
    let ours = log.lines().filter(|line| line.starts_with("dd-traced ") || line.starts_with("{\"date\":"));
    let lines: Vec<String> = ours.map(|line| line.replace(agent, "<agent>")).collect();
    let names = Names::of(&lines);
    let plain = DIFFERING.map(|(differing, plain)| (Regex::new(differing).unwrap(), plain));
    let mut story = Story::default();
    for line in &lines {
        let line = names.replace(line);
        let replace = |line: String, (differing, plain): &(Regex, &str)| {
            differing.replace_all(&line, *plain).into_owned()
        };
        story.add(plain.iter().fold(line, replace));
    }
    assert_eq!(story.chunk, Chunk::default(), "each chunk ends with its counts");
    story.lines().map(|line| line + "\n").collect()
}

/// Numbers for traces and spans, by the order in which they started.
struct Names {
    /// Of each id, the number of the trace, and that of the span in it.
    numbers: HashMap<String, (usize, usize)>,
    id: Regex,
}

impl Names {
    fn of(lines: &[String]) -> Self {
        let started = Regex::new(r"span started: .* trace_id=([0-9a-f]{32}) span_id=(\d+)").unwrap();
        let mut numbers = HashMap::new();
        let mut spans = Vec::<usize>::new();
        for found in lines.iter().filter_map(|line| started.captures(line)) {
            let trace = *numbers.entry(found[1].to_owned()).or_insert_with(|| {
                spans.push(0);
                (spans.len(), 0)
            });
            spans[trace.0 - 1] += 1;
            let before = numbers.insert(found[2].to_owned(), (trace.0, spans[trace.0 - 1]));
            assert_eq!(before, None, "started once");
        }
        Self { numbers, id: Regex::new(r"\b([0-9a-f]{32}|\d{6,20})\b").unwrap() }
    }

    fn replace(&self, line: &str) -> String {
        let name = |found: &Captures<'_>| match self.numbers.get(&found[0]) {
            Some((trace, 0)) => format!("<trace {trace}>"),
            Some((trace, span)) => format!("<span {trace}.{span}>"),
            None => found[0].to_owned(),
        };
        self.id.replace_all(line, name).into_owned()
    }
}

/// The lines in the order of the recording, which is theirs but for what happens at the same time.
///
/// - The agent answers the first question while the shop is open. So spans that start come after what is said of the agent.
/// - A parcel is shipped while the next order comes in. So starts are grouped by trace.
/// - Each thread hands over its traces by itself. So they are in the order in which they began, and the spans of one too.
/// - A parcel is shipped while its order ends or after that: it is handed over with it, or as a chunk of its own. So the chunks of a trace that
///   were decided alike are one, and its counts are sums.
#[derive(Default)]
struct Story {
    first: Vec<String>,
    starts: BTreeMap<(usize, usize), String>,
    /// The one that is being told.
    chunk: Chunk,
    /// By their decisions, which name the traces.
    chunks: BTreeMap<String, Chunk>,
    rest: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Chunk {
    decision: String,
    /// By the numbers of the span.
    spans: BTreeMap<(usize, usize), String>,
    counts: String,
}

impl Story {
    fn add(&mut self, line: String) {
        let before_message = if line.starts_with('{') { "\"message\":\"" } else { ": " };
        let (_, message) = line.split_once(before_message).unwrap();
        let is = |start| message.starts_with(start);
        if is("span started: ") {
            let before = self.starts.insert(span(message), line);
            assert_eq!(before, None, "started once");
        } else if is("trace handed over: ") {
            let mut chunk = Chunk { counts: line, ..std::mem::take(&mut self.chunk) };
            assert!(chunk.counts.contains(&format!(" spans={} ", chunk.spans.len())), "{chunk:#?}");
            match self.chunks.entry(chunk.decision.clone()) {
                Entry::Vacant(place) => {
                    place.insert(chunk);
                }
                Entry::Occupied(mut place) => {
                    let earlier = place.get_mut();
                    earlier.spans.append(&mut chunk.spans);
                    earlier.counts = sums(&earlier.counts, &chunk.counts);
                }
            }
        } else if is("span finished: ") {
            self.chunk.spans.insert(span(message), line);
        } else if is("trace ") {
            self.chunk.decision = line;
        } else if is("the agent did not describe itself: ") {
            // It is asked again where the shop is open for half a second or more.
        } else if self.chunks.is_empty() {
            self.first.push(line);
        } else {
            self.rest.push(line);
        }
    }

    fn lines(self) -> impl Iterator<Item = String> {
        let Self { first, starts, chunks, rest, .. } = self;
        let told = |chunk: Chunk| {
            [chunk.decision].into_iter().chain(chunk.spans.into_values()).chain([chunk.counts])
        };
        let chunks = chunks.into_values().flat_map(told);
        first.into_iter().chain(starts.into_values()).chain(chunks).chain(rest)
    }
}

/// The numbers of the span that a message is about.
fn span(message: &str) -> (usize, usize) {
    let (_, name) = message.split_once(" span_id=<span ").unwrap();
    let (trace, span) = name.split_once('>').unwrap().0.split_once('.').unwrap();
    (trace.parse().unwrap(), span.parse().unwrap())
}

/// A line with the counts of two.
fn sums(one: &str, other: &str) -> String {
    let count = Regex::new(r"(spans|errors)=(\d+)").unwrap();
    let mut others = count.captures_iter(other).map(|count| count[2].parse::<usize>().unwrap());
    let sum = |found: &Captures<'_>| {
        let sum = found[2].parse::<usize>().unwrap() + others.next().unwrap();
        format!("{}={sum}", &found[1])
    };
    count.replace_all(one, sum).into_owned()
}
