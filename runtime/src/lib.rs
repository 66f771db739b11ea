//! dd-traced

#[cfg(feature = "enable")]
mod config;
mod diagnostics;
mod export {
    pub(crate) mod settings;
}
mod model {
    pub(crate) mod ids;
    pub(crate) mod priority;
    pub(crate) mod upstream;
}
mod propagation;
#[cfg(feature = "enable")]
mod sampling;
mod worker {
    pub(crate) mod settings;
}

pub use model::ids::{SpanId, TraceId};
pub use propagation::{Extract, Inject};
pub use worker::settings::LocalView;
