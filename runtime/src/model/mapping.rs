//! Names that are sent as others.

/// Pairs of a name and what is sent instead; of equal names the last counts. Defaults to none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping(Vec<(Box<str>, Box<str>)>);

impl Mapping {
    pub(crate) fn new(pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        Self(pairs)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is sent instead of a name, where that is another one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, to) = self.0.iter().rev().find(|(from, _)| **from == *name)?;
        Some(&**to).filter(|to| *to != name)
    }
}
