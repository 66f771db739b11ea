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

fn main() {
    let _ = plain(1);
    drop(asynchronous());
}
