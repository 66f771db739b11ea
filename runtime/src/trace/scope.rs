//! A tracer of one thread's own.

use std::sync::Arc;

use super::process::{Core, announce_scope};
use super::stack::with_stack;

/// Makes a tracer the one of this thread until it is dropped; scopes nest.
#[derive(Debug)]
pub(crate) struct Scope {
    outer: Option<Arc<Core>>,
}

impl Scope {
    pub(crate) fn enter(core: Arc<Core>) -> Self {
        announce_scope(true);
        Self { outer: with_stack(|stack| stack.set_scope(Some(core))).flatten() }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let outer = self.outer.take();
        with_stack(|stack| stack.set_scope(outer));
        announce_scope(false);
    }
}
