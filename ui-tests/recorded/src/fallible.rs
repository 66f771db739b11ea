//! Synchronous functions whose errors are seen: the body is a closure.

use dd_traced::traced;

use crate::error::{OrderError, Outcome};

/// Without arguments.
#[traced]
pub fn load(id: u64) -> Result<String, OrderError> {
    let order = id.checked_sub(1).ok_or(OrderError)?;
    Ok(order.to_string())
}

/// Tags.
#[traced(tags(id, %name))]
pub fn tags(id: u64, name: &str) -> Result<String, OrderError> {
    if id == 0 {
        return Err(OrderError);
    }
    Ok(name.to_owned())
}

/// A type that cannot be named.
#[traced]
pub fn hidden(orders: &[u64]) -> Result<impl Iterator<Item = &u64> + '_, Box<dyn std::error::Error>> {
    if orders.is_empty() {
        return Err(Box::new(OrderError));
    }
    Ok(orders.iter())
}

/// No look at errors.
#[traced(err = false)]
pub fn silent(id: u64) -> Result<u64, OrderError> {
    id.checked_sub(1).ok_or(OrderError)
}

/// Errors by their text, under a name that does not end in `Result`.
#[traced(err = "display")]
pub fn display(id: u64) -> Outcome<u64> {
    id.checked_sub(1).ok_or(OrderError)
}

/// Errors by their debug text.
#[traced(err = "debug")]
pub fn debug(id: u64) -> Outcome<u64> {
    id.checked_sub(1).ok_or(OrderError)
}

/// Errors that a function finds.
#[traced(err(|status| (*status >= 500).then_some("server error")))]
pub fn mapped(path: &str) -> u16 {
    if path.is_empty() { 500 } else { 200 }
}

/// The value, and errors.
#[traced(ret = "debug")]
pub fn shown(id: u64) -> Result<u64, OrderError> {
    id.checked_sub(1).ok_or(OrderError)
}
