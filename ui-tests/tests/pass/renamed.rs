//! The runtime under another path.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

mod deps {
    pub(crate) use dd_traced as tracer;
}

#[deps::tracer::traced(crate = crate::deps::tracer, tags(id))]
fn plain(id: u8) -> Result<u8, String> {
    Ok(id)
}

#[deps::tracer::traced(crate = deps::tracer)]
async fn asynchronous() {}

macro_rules! exported {
    ($name:ident) => {
        #[$crate::deps::tracer::traced(crate = $crate::deps::tracer, ret)]
        fn $name() -> u8 {
            1
        }
    };
}
exported!(made);

fn main() {
    made();
    let _ = plain(1);
    drop(asynchronous());
}
