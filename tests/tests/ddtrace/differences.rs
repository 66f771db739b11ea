//! Where the two tracers differ on purpose.

/// A case, why it differs, and the facts that do: what each is in Python's tracer and in ours, as JSON.
struct Row {
    case: &'static str,
    reason: &'static str,
    facts: &'static [(&'static str, &'static str, &'static str)],
}

const TABLE: &[Row] = &[
    Row {
        case: "datadog: no priority, but a maker",
        reason: "Who decides says who did: a maker that came without a decision is replaced. Python keeps it.",
        facts: &[
            ("sent dd", r#"["s:1","t.dm:-3"]"#, r#"["s:1","t.dm:-0"]"#),
            ("sent tags", r#"["_dd.p.dm=-3"]"#, r#"["_dd.p.dm=-0"]"#),
        ],
    },
    Row {
        case: "datadog: priority in words",
        reason: "A trace is not given up for a priority that is no number; Python refuses the whole context.",
        facts: &[
            ("baggage", "null", "{}"),
            ("span_id", "null", r#""88""#),
            ("trace_id", "null", r#""0000000000000000000000000000004d""#),
        ],
    },
    Row {
        case: "datadog tags: tid with a sign",
        reason: "A sign is no hexadecimal digit; Python takes what its `int` takes.",
        facts: &[
            ("error", "null", r#""malformed_tid +6b0c2d900000000""#),
            ("sent tid", "true", "false"),
            ("trace_id", r#""06b0c2d900000000000000000000004d""#, r#""0000000000000000000000000000004d""#),
        ],
    },
    Row {
        case: "datadog tags: tid of zeros",
        reason: "It says what is so without it; Python calls it an error. The trace id is the same.",
        facts: &[("error", r#""malformed_tid 0000000000000000""#, "null")],
    },
    Row {
        case: "datadog tags: comma at the end",
        reason: "A pair without key and value is malformed, and then no tag is taken; Python passes over it.",
        facts: &[
            ("error", "null", r#""decoding_error""#),
            ("sent dd", r#"["s:1","t.a:1"]"#, r#"["s:1"]"#),
            ("sent tags", r#"["_dd.p.a=1"]"#, "[]"),
        ],
    },
    Row {
        case: "tracecontext: flags 03",
        reason: "Only the flag that is known is sent on; Python sends those on that it does not know.",
        facts: &[("sent flags", r#""03""#, r#""01""#)],
    },
    Row {
        case: "tracecontext: flags fe",
        reason: "As above.",
        facts: &[("sent flags", r#""02""#, r#""00""#)],
    },
    Row {
        case: "tracestate: flag against our number",
        reason: "The flag decided, so the maker is nobody known; Python leaves the old one.",
        facts: &[
            ("sent dd", r#"["s:1","t.dm:-4"]"#, r#"["s:1","t.dm:-0"]"#),
            ("sent tags", r#"["_dd.p.dm=-4"]"#, r#"["_dd.p.dm=-0"]"#),
        ],
    },
    Row {
        case: "tracestate: our number in words",
        reason: "What cannot be read is passed over alone; Python gives up our whole member.",
        facts: &[
            ("sent dd", r#"["s:1"]"#, r#"["s:1","t.dm:-4"]"#),
            ("sent tags", "[]", r#"["_dd.p.dm=-4"]"#),
        ],
    },
    Row {
        case: "tracestate: semicolons",
        reason: "What is no member is not sent on.",
        facts: &[("sent vendors", r#"[";;;"]"#, "[]")],
    },
    Row {
        case: "tracestate: pair without colon",
        reason: "What cannot be read is passed over alone; Python gives up our whole member.",
        facts: &[
            ("priority", "1", "2"),
            ("sent b3", r#""-1""#, r#""-d""#),
            ("sent dd", r#"["s:1"]"#, r#"["s:2"]"#),
            ("sent debug", "null", r#""1""#),
            ("sent priority", r#""1""#, r#""2""#),
            ("sent sampled", r#""1""#, "null"),
        ],
    },
    Row {
        case: "tracestate: letters of other alphabets",
        reason: "The member that cannot be sent is passed over alone; Python gives up the whole header.",
        facts: &[
            ("priority", "1", "2"),
            ("sent b3", r#""-1""#, r#""-d""#),
            ("sent dd", r#"["s:1"]"#, r#"["s:2"]"#),
            ("sent debug", "null", r#""1""#),
            ("sent priority", r#""1""#, r#""2""#),
            ("sent sampled", r#""1""#, "null"),
        ],
    },
    Row {
        case: "tracestate: rum without our number",
        reason: "The flag decides; Python decides anew where a browser says nothing.",
        facts: &[
            ("priority", "null", "1"),
            ("sent dd", r#"["o:rum","s:1","t.dm:-0"]"#, r#"["o:rum","s:1"]"#),
            ("sent tags", r#"["_dd.p.dm=-0"]"#, "[]"),
        ],
    },
    Row {
        case: "b3: state alone",
        reason: "Without ids there is no context, and so no decision either; Python takes the decision over into a new trace.",
        facts: &[
            ("sent b3", r#""-0""#, r#""-1""#),
            ("sent dd", r#"["s:0"]"#, r#"["s:1","t.dm:-0"]"#),
            ("sent flags", r#""00""#, r#""01""#),
            ("sent priority", r#""0""#, r#""1""#),
            ("sent sampled", r#""0""#, r#""1""#),
            ("sent tags", "[]", r#"["_dd.p.dm=-0"]"#),
        ],
    },
    Row {
        case: "b3: zeros",
        reason: "As above.",
        facts: &[
            ("sent dd", r#"["s:1"]"#, r#"["s:1","t.dm:-0"]"#),
            ("sent tags", "[]", r#"["_dd.p.dm=-0"]"#),
        ],
    },
    Row {
        case: "b3multi: trace id 0",
        reason: "As above.",
        facts: &[
            ("sent dd", r#"["s:1"]"#, r#"["s:1","t.dm:-0"]"#),
            ("sent tags", "[]", r#"["_dd.p.dm=-0"]"#),
        ],
    },
    Row {
        case: "baggage: broken codes",
        reason: "A bare `%` would be read as the beginning of a code.",
        facts: &[("sent baggage", r#""a=%zz%4""#, r#""a=%25zz%254""#)],
    },
    Row {
        case: "baggage: percent",
        reason: "As above.",
        facts: &[("sent baggage", r#""a=100%""#, r#""a=100%25""#)],
    },
];

/// A difference: the case, the fact, what it is in Python's tracer and in ours.
pub(crate) type Difference = (String, &'static str, String, String);

/// Fails unless the differences found are those of the table.
///
/// # Panics
/// With the rows that are missing, and those that are too many.
pub(crate) fn expect(found: &[Difference]) {
    assert!(TABLE.iter().all(|row| !row.reason.is_empty()));
    let rows: Vec<_> = TABLE
        .iter()
        .flat_map(|row| row.facts.iter().map(|(fact, python, ours)| (row.case, *fact, *python, *ours)))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(case, fact, python, ours)| (case.as_str(), *fact, python.as_str(), ours.as_str()))
        .collect();
    let unknown: Vec<_> = found.iter().filter(|found| !rows.contains(found)).collect();
    let gone: Vec<_> = rows.iter().filter(|row| !found.contains(row)).collect();
    assert!(unknown.is_empty() && gone.is_empty(), "not in the table: {unknown:#?}\nnot found: {gone:#?}");
}
