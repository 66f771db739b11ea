//! Headers as they come along in practice, by chance: whole, in all styles or some, of one trace or of several.

use std::collections::BTreeMap;

use dd_traced_tests::Dice;

use crate::cases::Case;

/// The lists of styles that are read.
pub(crate) const STYLES: &[&str] = &[
    "datadog",
    "tracecontext",
    "b3",
    "b3multi",
    "baggage",
    "datadog,tracecontext,baggage",
    "tracecontext,datadog,b3multi,b3,baggage",
    "b3,tracecontext",
];

/// What a sender knows of its trace.
struct Sender {
    trace_id: u128,
    span_id: u64,
    priority: Option<i64>,
}

pub(crate) fn case(number: u32, dice: &mut Dice) -> Case {
    let styles = one_of(STYLES, dice);
    let sender = sender(dice);
    let mut headers = Vec::new();
    let mut add = |name: &str, value: String| headers.push([name.to_owned(), value]);
    for style in styles.split(',') {
        // Others are in between now and then, with a span of their own; or a sender mixes up two traces.
        let sender = match dice.below(6) {
            0 => continue,
            1 => Sender { span_id: dice.next_u64().max(1), ..sender },
            2 if style != "b3multi" => self::sender(dice),
            _ => Sender { ..sender },
        };
        match style {
            "datadog" => datadog(&sender, dice, &mut add),
            "tracecontext" => tracecontext(&sender, dice, &mut add),
            "b3" => b3(&sender, dice, &mut add),
            "b3multi" => b3multi(&sender, dice, &mut add),
            _ => {
                let items = baggage(dice);
                let items: Vec<_> = items
                    .iter()
                    .map(|(key, value)| [key, "=", &value.replace(' ', "%20")].concat())
                    .collect();
                if !items.is_empty() {
                    add("baggage", items.join(","));
                }
            }
        }
    }
    Case { name: format!("random {number}"), styles: styles.to_owned(), headers }
}

fn sender(dice: &mut Dice) -> Sender {
    let high = if dice.below(3) == 0 { 0 } else { u128::from(dice.next_u64() >> 32) << 96 };
    Sender {
        trace_id: high | u128::from(dice.next_u64().max(1)),
        span_id: dice.next_u64().max(1),
        priority: [None, Some(-1), Some(0), Some(1), Some(2)][dice.below(5) as usize],
    }
}

fn datadog(sender: &Sender, dice: &mut Dice, add: &mut impl FnMut(&str, String)) {
    add("x-datadog-trace-id", (sender.trace_id as u64).to_string());
    add("X-Datadog-Parent-Id", sender.span_id.to_string());
    if let Some(priority) = sender.priority {
        add("x-datadog-sampling-priority", priority.to_string());
    }
    if dice.below(3) == 0 {
        add("x-datadog-origin", one_of(ORIGINS, dice).to_owned());
    }
    let mut tags = tags(sender, dice);
    if sender.trace_id >> 64 != 0 {
        tags.push(format!("_dd.p.tid={:016x}", (sender.trace_id >> 64) as u64));
    }
    if !tags.is_empty() {
        add("x-datadog-tags", tags.join(","));
    }
}

fn tracecontext(sender: &Sender, dice: &mut Dice, add: &mut impl FnMut(&str, String)) {
    let Sender { trace_id, span_id, priority } = sender;
    let is_kept = priority.map_or(dice.below(2) == 1, |priority| priority > 0);
    add("TraceParent", format!("00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(is_kept)));
    let mut own: Vec<String> = priority.iter().map(|priority| format!("s:{priority}")).collect();
    if dice.below(3) == 0 {
        own.push(format!("o:{}", one_of(ORIGINS, dice).replace('=', "~")));
    }
    if dice.below(2) == 0 {
        own.push(format!("p:{:016x}", dice.next_u64()));
    }
    own.extend(tags(sender, dice).iter().map(|tag| {
        let (key, value) = tag.split_once('=').unwrap_or_default();
        ["t.", &key["_dd.p.".len()..], ":", &value.replace('=', "~")].concat()
    }));
    let mut members: Vec<String> =
        VENDORS[..dice.below(4) as usize].iter().map(|member| (*member).to_owned()).collect();
    if !own.is_empty() {
        let place = dice.below(members.len() as u64 + 1) as usize;
        members.insert(place, ["dd=", &own.join(";")].concat());
    }
    if !members.is_empty() {
        add("tracestate", members.join(one_of(&[",", ", ", "\t,"], dice)));
    }
}

fn b3(sender: &Sender, dice: &mut Dice, add: &mut impl FnMut(&str, String)) {
    let mut value = format!("{}-{:016x}", b3_id(sender.trace_id), sender.span_id);
    value += match sender.priority {
        None => "",
        Some(..=0) => "-0",
        Some(1) => "-1",
        Some(_) => "-d",
    };
    if sender.priority.is_some() && dice.below(3) == 0 {
        value += "-00f067aa0ba902b7";
    }
    add("b3", value);
}

fn b3multi(sender: &Sender, dice: &mut Dice, add: &mut impl FnMut(&str, String)) {
    add("X-B3-TraceId", b3_id(sender.trace_id));
    add("X-B3-SpanId", format!("{:016x}", sender.span_id));
    match sender.priority {
        None => {}
        Some(2) => add("X-B3-Flags", "1".to_owned()),
        Some(priority) => add("X-B3-Sampled", u8::from(priority > 0).to_string()),
    }
    if dice.below(3) == 0 {
        add("X-B3-ParentSpanId", "00f067aa0ba902b7".to_owned());
    }
}

fn b3_id(id: u128) -> String {
    if id >> 64 == 0 { format!("{id:016x}") } else { format!("{id:032x}") }
}

fn tags(sender: &Sender, dice: &mut Dice) -> Vec<String> {
    let mut tags: Vec<String> =
        TAGS[..dice.below(TAGS.len() as u64) as usize].iter().map(|tag| (*tag).to_owned()).collect();
    // Who did not decide has no decision maker.
    if sender.priority.is_some() && dice.below(2) == 0 {
        tags.push(format!("_dd.p.dm=-{}", dice.below(14)));
    }
    tags
}

/// Some items, of keys and values that both sides write in the same letters.
pub(crate) fn baggage(dice: &mut Dice) -> BTreeMap<String, String> {
    ITEMS[..dice.below(ITEMS.len() as u64 + 1) as usize]
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn one_of<'a>(texts: &[&'a str], dice: &mut Dice) -> &'a str {
    texts[dice.below(texts.len() as u64) as usize]
}

const ORIGINS: &[&str] = &["synthetics", "synthetics-browser", "lambda", "a=b"];
const TAGS: &[&str] = &["_dd.p.usr.id=YmF6", "_dd.p.team=x=y z", "_dd.p.ksr=0.25", "_dd.p.ts=02"];
const VENDORS: &[&str] = &["acme=k1", "rojo@acme=00f067aa0ba902b7", "congo=t61rcWkgMzE"];
const ITEMS: &[(&str, &str)] = &[
    ("user.id", "u 1"),
    ("tier", "gold"),
    ("session.id", "7"),
    ("path", "/a?b"),
    ("k!#$&'*+-.^_`|~", "<(v)>@[x]{y}|~"),
];
