//! dd-traced

mod diagnostics;
mod model {
    pub(crate) mod ids;
    pub(crate) mod priority;
    pub(crate) mod upstream;
}

pub use model::ids::{SpanId, TraceId};
