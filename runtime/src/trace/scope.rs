//! A tracer of one thread's own.

use std::sync::Arc;

use super::process::{Core, announce_scope};
use super::stack::with_stack;

/// Makes a tracer the one of this thread until it is dropped. Scopes may end in any order; the latest that is left holds.
#[derive(Debug)]
pub(crate) struct Scope {
    core: Arc<Core>,
}

impl Scope {
    pub(crate) fn enter(core: Arc<Core>) -> Self {
        announce_scope(true);
        with_stack(|stack| stack.enter_scope(Arc::clone(&core)));
        Self { core }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        with_stack(|stack| stack.leave_scope(&self.core));
        announce_scope(false);
    }
}
