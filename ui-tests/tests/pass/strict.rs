//! A crate that forbids what others deny: nothing in the generated code may ask for an exception.
#![forbid(
    unsafe_code,
    warnings,
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    unused_results,
    let_underscore_drop,
    single_use_lifetimes,
    trivial_casts,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::panic,
    clippy::semicolon_outside_block,
    clippy::shadow_unrelated,
    clippy::unwrap_used,
    clippy::used_underscore_binding,
    clippy::wildcard_enum_match_arm
)]

use std::future::{Future, ready};
use std::num::ParseIntError;
use std::pin::pin;
use std::process::exit;
use std::task::{Context, Poll, Waker};

use dd_traced::{dd_log, traced};

#[traced(tags(text), resource = text)]
fn plain(text: &str) -> usize {
    text.len()
}

#[traced(tags(text, length = text.len(), debug = ?text))]
fn fallible(text: &str) -> Result<u8, ParseIntError> {
    let number = text.parse::<u8>()?;
    dd_log!(debug, "{number} in {dd.trace_id}");
    Ok(number)
}

#[traced(tags(%text))]
async fn asynchronous(text: &str) -> Result<u8, ParseIntError> {
    dd_log!("{text}");
    ready(text).await.parse()
}

#[traced]
async fn unit(text: &str) {
    drop(ready(text.to_owned()).await);
}

#[traced]
async fn never(text: &str) -> ! {
    drop(ready(text.to_owned()).await);
    exit(0)
}

/// A number.
struct Number(u8);

#[traced]
impl Number {
    fn method(&self) -> Result<u8, ParseIntError> {
        "1".parse::<u8>().map(|one| self.0 + one)
    }
}

/// Its method names the type, so an implementation may, too, and `use_self` has nothing to say.
trait Successor {
    /// The next number.
    fn next(&self) -> Result<Number, ParseIntError>;
}

impl Successor for Number {
    #[traced]
    fn next(&self) -> Result<Number, ParseIntError> {
        self.method().map(Self)
    }
}

fn main() {
    assert_eq!(plain("a"), 1);
    assert_eq!(fallible("7"), Ok(7));
    assert_eq!(Number(1).method(), Ok(2));
    assert_eq!(Number(1).next().map(|next| next.0), Ok(2));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(pin!(asynchronous("7")).poll(&mut context), Poll::Ready(Ok(7)));
    assert_eq!(pin!(unit("7")).poll(&mut context), Poll::Ready(()));
    drop(never("7"));
}
