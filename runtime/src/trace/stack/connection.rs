//! Which tracer the spans of this thread belong to.

use std::sync::Arc;

use super::Stack;
use crate::trace::frame::Port;
use crate::trace::process::{self, Home};

impl Stack {
    pub(super) fn set_port(&mut self, port: Option<Port>) -> Option<Port> {
        self.has_short_way = port.as_ref().is_some_and(Port::is_short) && !self.limit.is_full;
        self.is_visiting = port.as_ref().is_some_and(|port| port.outbox.is_none());
        self.partial_flush_spans = port.as_ref().map_or(u32::MAX, |port| port.partial_flush_spans);
        std::mem::replace(&mut self.port, port)
    }

    /// The tracer that spans started now belong to.
    pub(crate) fn core(&mut self) -> Option<Arc<Home>> {
        self.attach_or_connected().map(|port| Arc::clone(&port.core))
    }

    /// Gives this thread a tracer of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn enter_scope(&mut self, core: Arc<process::Core>) {
        self.generation = 0;
        self.scopes.push(core);
    }

    /// Takes a tracer of this thread's own away, wherever it stands.
    #[cfg(feature = "testing")]
    pub(crate) fn leave_scope(&mut self, core: &Arc<process::Core>) {
        self.generation = 0;
        self.scopes.retain(|scope| !Arc::ptr_eq(scope, core));
    }

    /// The connection for a trace that begins here: to the thread's own tracer, else to the process's.
    #[inline]
    pub(super) fn attach(&mut self) -> Option<&Port> {
        let generation = process::generation();
        if generation != self.generation || self.port.is_none() {
            self.reattach(generation);
        }
        self.port.as_ref()
    }

    pub(super) fn attach_or_connected(&mut self) -> Option<&Port> {
        if self.frames.is_empty() { self.attach() } else { self.port.as_ref() }
    }

    #[cold]
    pub(super) fn reattach(&mut self, generation: usize) {
        self.abandon_outbox();
        self.generation = generation;
        if crate::worker::is_worker_thread() {
            // What sends spans is not traced itself.
            return;
        }
        let core = self.scopes.last().cloned().or_else(process::running);
        self.set_port(core.map(|core| {
            let outbox = core.queue.outbox();
            Port::new(Home::new(core), Some(outbox))
        }));
    }

    /// Makes `core` the tracer of what is pushed next. Gives the connection to come back to, where there was another.
    #[inline]
    pub(super) fn connect(&mut self, core: &Arc<Home>) -> Option<Box<Port>> {
        if self.frames.is_empty() {
            self.attach();
        }
        match &self.port {
            Some(port) if port.core.is_same(core) => None,
            _ => self.connect_other(core),
        }
    }

    #[cold]
    pub(super) fn connect_other(&mut self, core: &Arc<Home>) -> Option<Box<Port>> {
        let mut port = Port::new(Arc::clone(core), None);
        // Spans of the tracer below may finish meanwhile.
        port.is_watched |= self.port.as_ref().is_some_and(|below| below.is_watched);
        self.set_port(Some(port)).map(Box::new)
    }

    pub(super) fn abandon_outbox(&mut self) {
        self.tell_open();
        if let Some(Port { core, outbox: Some(outbox), .. }) = self.set_port(None) {
            core.queue.retire(&outbox);
        }
    }
}
