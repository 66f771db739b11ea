//! Headers with a corner each.

/// Headers, and the styles that they are read by.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) styles: String,
    pub(crate) headers: Vec<[String; 2]>,
}

pub(crate) fn all() -> Vec<Case> {
    let groups = [
        ("datadog", DATADOG, "datadog"),
        ("datadog tags", DATADOG_TAGS, "datadog"),
        ("tracecontext", TRACEPARENT, "tracecontext"),
        ("tracestate", TRACESTATE, "tracecontext"),
        ("b3", B3, "b3"),
        ("b3multi", B3_MULTI, "b3multi"),
        ("baggage", BAGGAGE, "baggage"),
        ("several", SEVERAL, "datadog,tracecontext,baggage"),
        ("reversed", SEVERAL, "tracecontext,datadog,baggage"),
    ];
    let cases =
        groups.iter().flat_map(|(group, cases, styles)| cases.iter().map(move |case| (group, case, styles)));
    let read = |(group, (name, text), styles): (&&str, &(&str, &str), &&str)| Case {
        name: format!("{group}: {name}"),
        styles: (*styles).to_owned(),
        headers: headers(group, text),
    };
    cases.map(read).chain(long()).collect()
}

/// Whole headers, a line each; of some groups the last value alone.
fn headers(group: &str, text: &str) -> Vec<[String; 2]> {
    let line = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        [name.trim().to_owned(), value.trim().to_owned()]
    };
    let beside = match group {
        "datadog tags" => {
            "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: 1\nx-datadog-tags"
        }
        "tracestate" => "traceparent: 00-66b0c2da00000000000000000000004d-1020304050607080-01\ntracestate",
        "tracecontext" => "traceparent",
        "b3" => "b3",
        "baggage" => "baggage",
        _ => return text.lines().map(line).collect(),
    };
    let mut headers: Vec<_> = beside.lines().map(line).collect();
    if let Some(last) = headers.last_mut() {
        text.clone_into(&mut last[1]);
    }
    headers
}

const DATADOG: &[(&str, &str)] = &[
    (
        "whole",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: 2\nx-datadog-origin: rum",
    ),
    ("any case", "X-DATADOG-Trace-Id: 77\nX-Datadog-PARENT-ID: 88"),
    ("largest ids", "x-datadog-trace-id: 18446744073709551615\nx-datadog-parent-id: 18446744073709551615"),
    (
        "trace id 0",
        "x-datadog-trace-id: 0\nx-datadog-parent-id: 0\nx-datadog-sampling-priority: 2\nx-datadog-tags: _dd.p.dm=-4",
    ),
    ("trace id below 0", "x-datadog-trace-id: -1\nx-datadog-parent-id: 88"),
    ("trace id too large", "x-datadog-trace-id: 18446744073709551616\nx-datadog-parent-id: 88"),
    ("trace id in words", "x-datadog-trace-id: abc\nx-datadog-parent-id: 88"),
    ("trace id empty", "x-datadog-trace-id:\nx-datadog-parent-id: 88"),
    ("no trace id", "x-datadog-parent-id: 88\nx-datadog-sampling-priority: 2"),
    ("no parent", "x-datadog-trace-id: 77\nx-datadog-sampling-priority: 1"),
    (
        "parent 0 of synthetics",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 0\nx-datadog-sampling-priority: 1\nx-datadog-origin: synthetics-browser",
    ),
    ("parent in words", "x-datadog-trace-id: 77\nx-datadog-parent-id: abc"),
    ("no priority", "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-origin: rum"),
    (
        "no priority, but a maker",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-tags: _dd.p.dm=-3",
    ),
    ("priority -2", "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: -2"),
    ("priority 5", "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: 5"),
    ("priority in words", "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: x"),
    (
        "separators in the origin",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 88\nx-datadog-sampling-priority: 1\nx-datadog-origin: a=b;c~d",
    ),
];

const DATADOG_TAGS: &[(&str, &str)] = &[
    ("128 bits", "_dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000"),
    ("tid too short", "_dd.p.tid=66b0c2d9000000"),
    ("tid too long", "_dd.p.tid=66b0c2d9000000001"),
    ("tid with another letter", "_dd.p.tid=66b0c2d90000000z"),
    ("tid in capitals", "_dd.p.tid=66B0C2D900000000"),
    ("tid with a sign", "_dd.p.tid=+6b0c2d900000000"),
    ("tid of zeros", "_dd.p.tid=0000000000000000"),
    ("no value", "_dd.p.a"),
    ("empty value", "_dd.p.a="),
    ("empty key", "=b"),
    ("comma at the end", "_dd.p.a=1,"),
    ("others", "foo=bar,_dd.p.a=1"),
    ("value with equals", "_dd.p.a=x=y=="),
    ("maker without hyphen", "_dd.p.dm=3"),
    ("maker in words", "_dd.p.dm=-x"),
    ("maker 13", "_dd.p.dm=-13"),
    ("upstream services", "_dd.p.upstream_services=bW|1,_dd.p.a=1"),
    ("rate as it came", "_dd.p.ksr=0.50"),
];

const TRACEPARENT: &[(&str, &str)] = &[
    ("whole", "00-66b0c2da00000000000000000000004d-1020304050607080-01"),
    ("64 bits", "00-0000000000000000000000000000004d-1020304050607080-01"),
    ("flags 03", "00-66b0c2da00000000000000000000004d-1020304050607080-03"),
    ("flags fe", "00-66b0c2da00000000000000000000004d-1020304050607080-fe"),
    ("later version", "01-66b0c2da00000000000000000000004d-1020304050607080-01-what"),
    ("later version, no hyphen", "01-66b0c2da00000000000000000000004d-1020304050607080-01.what"),
    ("version ff", "ff-66b0c2da00000000000000000000004d-1020304050607080-01"),
    ("more in version 00", "00-66b0c2da00000000000000000000004d-1020304050607080-01-what"),
    ("capitals", "00-66B0C2DA00000000000000000000004D-1020304050607080-01"),
    ("trace id 0", "00-00000000000000000000000000000000-1020304050607080-01"),
    ("parent id 0", "00-66b0c2da00000000000000000000004d-0000000000000000-01"),
    ("trace id too short", "00-66b0c2da0000000000000000000004d-1020304050607080-01"),
    ("not hexadecimal", "00-66b0c2da0000000000000000000000xy-1020304050607080-01"),
    ("no flags", "00-66b0c2da00000000000000000000004d-1020304050607080"),
    ("spaces around", " \t00-66b0c2da00000000000000000000004d-1020304050607080-01 "),
];

const TRACESTATE: &[(&str, &str)] = &[
    ("empty", ""),
    ("others alone", "acme=k1,rojo=00f067"),
    ("ours in the middle", "acme=k1,dd=s:2;o:rum;p:00f067aa0ba902b7;t.dm:-4,rojo=00f067"),
    ("colons in a value", "dd=s:1;t.x:a:b:c"),
    ("tilde", "dd=s:1;o:a~b;t.x:c~d"),
    ("flag against our number", "dd=s:-1;t.dm:-4"),
    ("our number in words", "dd=s:foo;t.dm:-4"),
    ("our member empty", "dd=,acme=k1"),
    ("unknown keys", "dd=s:1;z:9;p:00f067aa0ba902b7"),
    ("last parent that is no id", "dd=s:1;p:zz9"),
    ("empty members", "acme=k1,,, rojo=1"),
    ("semicolons", ";;;"),
    ("pair without colon", "dd=s:2;x"),
    ("letters of other alphabets", "acme=é,dd=s:2"),
    ("probability of others", "ot=rv:d1bd9efe7cb2aa;th:c,acme=k1"),
    ("rum without our number", "dd=o:rum"),
];

const B3: &[(&str, &str)] = &[
    ("whole", "66b0c2da00000000000000000000004d-1020304050607080-1"),
    ("64 bits", "000000000000004d-1020304050607080-0"),
    ("debug, with a parent", "000000000000004d-1020304050607080-d-00f067aa0ba902b7"),
    ("no state", "000000000000004d-1020304050607080"),
    ("other state", "000000000000004d-1020304050607080-x"),
    ("state alone", "0"),
    ("zeros", "0-0-1"),
    ("zeros before", "0000000000000000000000000000004d-1020304050607080-1"),
    ("short", "4d-1020-1"),
    ("capitals", "66B0C2DA00000000000000000000004D-102030405060708A-1"),
    ("not hexadecimal", "xy-1020304050607080-1"),
    ("span id not hexadecimal", "4d-xy-1"),
    ("span id 0", "000000000000004d-0000000000000000-1"),
    ("empty", ""),
];

const B3_MULTI: &[(&str, &str)] = &[
    (
        "whole",
        "X-B3-TraceId: 66b0c2da00000000000000000000004d\nX-B3-SpanId: 1020304050607080\nX-B3-Sampled: 1",
    ),
    ("rejected", "x-b3-traceid: 000000000000004d\nx-b3-spanid: 1020304050607080\nx-b3-sampled: 0"),
    (
        "debug over sampled",
        "x-b3-traceid: 000000000000004d\nx-b3-spanid: 1020304050607080\nx-b3-sampled: 0\nx-b3-flags: 1",
    ),
    ("sampled in words", "x-b3-traceid: 000000000000004d\nx-b3-spanid: 1020304050607080\nx-b3-sampled: true"),
    ("undecided", "x-b3-traceid: 000000000000004d\nx-b3-spanid: 1020304050607080"),
    ("no span id", "x-b3-traceid: 000000000000004d\nx-b3-sampled: 1"),
    ("no trace id", "x-b3-spanid: 1020304050607080\nx-b3-sampled: 1"),
    ("trace id 0", "x-b3-traceid: 0000000000000000\nx-b3-spanid: 1020304050607080\nx-b3-sampled: 1"),
    (
        "capitals",
        "x-b3-traceid: 66B0C2DA00000000000000000000004D\nx-b3-spanid: 102030405060708A\nx-b3-sampled: 1",
    ),
    ("not hexadecimal", "x-b3-traceid: xyz\nx-b3-spanid: 1020304050607080\nx-b3-sampled: 1"),
];

const BAGGAGE: &[(&str, &str)] = &[
    ("whole", "user.id=u%201,tier=gold"),
    ("other alphabets", "name=Zo%C3%AB"),
    ("plus", "name=two+words"),
    ("properties", "a=1;prop=2,b=2"),
    ("spaces around", " a = 1 , b = 2 "),
    ("the later one", "a=1,a=2"),
    ("two equals", "a=b=c"),
    ("key in codes", "a%20b%40%28x%29=1"),
    ("broken codes", "a=%zz%4"),
    ("no value", "colour,size=9"),
    ("no key", "size=9,=blue"),
    ("equals alone", "="),
    ("empty value", "size="),
    ("commas", "size=9,,"),
    ("percent", "a=100%25"),
    ("quotes and brackets", "a=x%3By%2C%20%22z%22%20%C3%A9%5C"),
];

const SEVERAL: &[(&str, &str)] = &[
    (
        "of one trace",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 500\nx-datadog-sampling-priority: 1\ntraceparent: 00-0000000000000000000000000000004d-00000000000001f4-01\ntracestate: dd=s:1;p:00000000000001f4,acme=k1",
    ),
    (
        "with another parent",
        "x-datadog-trace-id: 4214133525480169601\nx-datadog-parent-id: 8875836681422449212\nx-datadog-sampling-priority: 1\nx-datadog-tags: _dd.p.dm=-1,_dd.p.tid=6a5c1f4000000000\ntraceparent: 00-6a5c1f40000000003a7b9c1d2e4f6081-00f067aa0ba902b7-01\ntracestate: acme=k1,dd=s:1;p:7b2d4e6f80912a3c;t.dm:-1",
    ),
    (
        "with another parent, unsaid",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 500\nx-datadog-sampling-priority: 1\ntraceparent: 00-0000000000000000000000000000004d-00f067aa0ba902b7-01\ntracestate: acme=k1",
    ),
    (
        "of two traces",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 500\nx-datadog-sampling-priority: 1\nx-datadog-tags: _dd.p.tid=66b0c2d900000000\ntraceparent: 00-66b0c2da00000000000000000000004d-1020304050607080-01\ntracestate: dd=s:2,acme=k1",
    ),
    (
        "of two traces, one rejected",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 500\nx-datadog-sampling-priority: 0\ntraceparent: 00-66b0c2da000000000000000000000099-1020304050607080-00",
    ),
    ("baggage alone", "baggage: user.id=7,tier=gold"),
    ("baggage beside nonsense", "x-datadog-trace-id: 0\ntraceparent: 00\nbaggage: user.id=7"),
    (
        "broken baggage",
        "x-datadog-trace-id: 77\nx-datadog-parent-id: 500\nx-datadog-sampling-priority: 1\nbaggage: user.id",
    ),
    ("nothing", ""),
];

/// What is at a limit, or over it.
fn long() -> Vec<Case> {
    let tags = |bytes: usize| ["_dd.p.a=", &"x".repeat(bytes - 8)].concat();
    let members =
        |count: usize| (0..count).map(|number| format!("v{number}=1")).collect::<Vec<_>>().join(",");
    let items = |count: usize| (0..count).map(|number| format!("k{number}=1")).collect::<Vec<_>>().join(",");
    [
        ("512 bytes of tags", "datadog tags", "datadog", tags(512)),
        ("513 bytes of tags", "datadog tags", "datadog", tags(513)),
        ("31 members", "tracestate", "tracecontext", members(31)),
        ("32 members", "tracestate", "tracecontext", members(32)),
        ("64 items", "baggage", "baggage", items(64)),
        ("65 items", "baggage", "baggage", items(65)),
        ("8193 bytes of baggage", "baggage", "baggage", ["a=1,b=", &"x".repeat(8186), ",c=1"].concat()),
    ]
    .into_iter()
    .map(|(name, group, styles, text)| Case {
        name: name.to_owned(),
        styles: styles.to_owned(),
        headers: headers(group, &text),
    })
    .collect()
}
