//! The generated crates: the same functions, annotated by each subject in its way.

/// Who annotates.
pub(super) struct Subject {
    pub(super) name: &'static str,
    dependency: &'static str,
    /// Without arguments.
    attribute: &'static str,
    /// With the argument `id` as a tag.
    tag: &'static str,
}

pub(super) const NONE: &str = "none";
pub(super) const DD_TRACED: &str = "dd-traced";
pub(super) const FASTRACE: &str = "fastrace";
pub(super) const TRACING: &str = "tracing";

pub(super) const SUBJECTS: &[Subject] = &[
    Subject { name: NONE, dependency: "", attribute: "", tag: "" },
    Subject {
        name: DD_TRACED,
        dependency: concat!("dd-traced = { path = \"", env!("CARGO_MANIFEST_DIR"), "/../../runtime\" }"),
        attribute: "#[dd_traced::traced]",
        tag: "#[dd_traced::traced(tags(id))]",
    },
    Subject {
        name: FASTRACE,
        dependency: "fastrace = { version = \"0.7\", features = [\"enable\"] }",
        attribute: "#[fastrace::trace]",
        tag: "#[fastrace::trace(properties = { \"id\": \"{id}\" })]",
    },
    Subject {
        name: TRACING,
        dependency: "tracing = \"0.1\"",
        attribute: "#[tracing::instrument(skip_all)]",
        tag: "#[tracing::instrument(skip_all, fields(id))]",
    },
];

impl Subject {
    /// The name of the generated package.
    pub(super) fn package(&self) -> String {
        format!("functions-{}", self.name)
    }

    pub(super) fn manifest(&self) -> String {
        let (package, dependency) = (self.package(), self.dependency);
        format!("[package]\nname = \"{package}\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n")
    }

    /// So many functions, of ten that differ.
    pub(super) fn source(&self, functions: usize) -> String {
        let head = "#![allow(unused_variables)]\nuse std::future::{Future, ready};\nuse std::num::ParseIntError;\n\
                    use std::pin::pin;\nuse std::task::{Context, Poll};\n\n";
        let functions: String = (0..functions).map(|index| self.function(index)).collect();
        format!("{head}{functions}")
    }

    /// Four plain ones, two that can fail, two asynchronous ones with the call that makes the compiler generate their code, a method,
    /// and one with a tag.
    fn function(&self, index: usize) -> String {
        let template = match index % 10 {
            0..=3 => PLAIN,
            4 | 5 => FALLIBLE,
            6 => ASYNC,
            7 => ASYNC_FALLIBLE,
            8 => METHOD,
            _ => TAG,
        };
        let annotated = template.replace("WITH_TAG", self.tag).replace("ATTRIBUTE", self.attribute);
        annotated.replace("INDEX", &index.to_string())
    }
}

const PLAIN: &str = "
ATTRIBUTE
pub fn plain_INDEX(left: u64, right: u64) -> u64 {
    let mut sum = left.wrapping_mul(INDEX) ^ right;
    for step in 0..right.min(8) {
        sum = sum.rotate_left(5) ^ step;
    }
    if sum % 3 == 0 { sum / 3 } else { sum + left }
}
";
const FALLIBLE: &str = "
ATTRIBUTE
pub fn fallible_INDEX(text: &str) -> Result<u64, ParseIntError> {
    let number: u64 = text.trim().parse()?;
    if number == INDEX {
        return Ok(0);
    }
    Ok(number.wrapping_add(INDEX))
}
";
const ASYNC: &str = "
ATTRIBUTE
pub async fn later_INDEX(id: u64, list: Vec<u64>) -> u64 {
    let mut sum = id;
    for item in &list {
        sum += ready(*item).await;
    }
    sum + INDEX
}

pub fn call_later_INDEX(id: u64, list: Vec<u64>, context: &mut Context<'_>) -> Poll<u64> {
    pin!(later_INDEX(id, list)).poll(context)
}
";
const ASYNC_FALLIBLE: &str = "
ATTRIBUTE
pub async fn load_INDEX(text: &str) -> Result<u64, ParseIntError> {
    let number: u64 = ready(text).await.parse()?;
    if number == INDEX {
        return Ok(0);
    }
    Ok(number.wrapping_add(ready(INDEX).await))
}

pub fn call_load_INDEX(text: &str, context: &mut Context<'_>) -> Poll<Result<u64, ParseIntError>> {
    pin!(load_INDEX(text)).poll(context)
}
";
const METHOD: &str = "
pub struct OwnerINDEX {
    pub items: Vec<u64>,
}

impl OwnerINDEX {
    ATTRIBUTE
    pub fn longest(&self, limit: u64) -> Option<&u64> {
        let mut found = None;
        for item in &self.items {
            if *item < limit && found.is_none_or(|found| item > found) {
                found = Some(item);
            }
        }
        found
    }
}
";
const TAG: &str = "
WITH_TAG
pub fn tag_INDEX(id: u64, name: &str) -> String {
    let mut text = name.to_owned();
    if id > INDEX {
        text.push_str(\"more\");
    }
    text
}
";
