//! Contexts that were possibly lost: in debug mode, traces that a future began in a task of Tokio, by its function.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use crate::diagnostics;
use crate::model::{CallSite, SiteName, SourceLine};

/// Functions that are told apart; roots of others are counted together.
const FUNCTIONS: usize = 64;

/// By its name too: the methods of an annotated block have one line.
type Function = (SiteName, SourceLine);

/// Roots by the function that began them, in the order of their first.
#[derive(Debug, Default)]
pub(crate) struct LostContexts(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    functions: Vec<(Function, u64)>,
    others: u64,
}

impl LostContexts {
    /// Counts a root that a future of this call site began without being told to, where this is a task of Tokio.
    pub(super) fn root_began(&self, site: &CallSite) {
        if is_in_task() {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .count((site.name, SourceLine::of_site(site)));
        }
    }

    /// Tells of them in one line; the next time, of those that came since.
    pub(crate) fn tell(&self) {
        let table = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(line) = table.line() {
            diagnostics::debug(format_args!("{line}"));
        }
    }
}

/// Whether a task of Tokio is polled here, whatever its runtime calls its threads. What `block_on` polls itself is none.
#[cfg(feature = "enable")]
fn is_in_task() -> bool {
    tokio::task::try_id().is_some()
}

#[cfg(not(feature = "enable"))]
fn is_in_task() -> bool {
    false
}

impl Table {
    fn count(&mut self, function: Function) {
        match self.functions.iter().position(|(known, _)| *known == function) {
            Some(known) => self.functions[known].1 += 1,
            None if self.functions.len() < FUNCTIONS => self.functions.push((function, 1)),
            None => self.others += 1,
        }
    }

    fn line(&self) -> Option<String> {
        if self.functions.is_empty() {
            return None;
        }
        let mut line =
            "possibly lost context: traces that began in a task of Tokio, without a parent: ".to_owned();
        for ((name, at), roots) in &self.functions {
            let _ = write!(line, "{} at {at} ({roots}), ", name.text());
        }
        if self.others > 0 {
            let _ = write!(line, "elsewhere ({}), ", self.others);
        }
        line.truncate(line.len() - 2);
        line.push_str("; `tokio::spawn(future.carried())` takes the context along, `#[traced(root)]` says that none is meant");
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted_and_bounded() {
        let mut table = Table::default();
        assert_eq!(table.line(), None);
        let of = |site: CallSite| (site.name, SourceLine::of_site(&site));
        let at = |line| SourceLine { file: "src/orders.rs", line };
        let methods = ["pack", "send"].map(|name| (CallSite::named(name).name, at(41)));
        (0..3).for_each(|_| table.count(methods[0]));
        table.count(methods[1]);
        let told = ": pack at src/orders.rs:41 (3), send at src/orders.rs:41 (1); ";
        assert!(table.line().unwrap().contains(told), "{table:?}");

        table.functions = vec![(methods[0], 1); FUNCTIONS];
        table.count(of(CallSite::named("one more")));
        assert_eq!((table.functions.len(), table.others), (FUNCTIONS, 1));
        assert!(table.line().unwrap().contains("(1), elsewhere (1); "));
    }
}
