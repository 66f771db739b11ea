//! Asynchronous functions: the body is a future within the function's own.

use std::future::ready;

use dd_traced::traced;

use crate::error::OrderError;

/// Without a value.
#[traced]
pub async fn unit(name: &str) {
    if name.is_empty() {
        return;
    }
    ready(()).await;
}

/// With a value.
#[traced]
pub async fn value(id: u64) -> u64 {
    ready(id).await
}

/// With errors.
#[traced]
pub async fn load(id: u64) -> Result<u64, OrderError> {
    ready(id).await.checked_sub(1).ok_or(OrderError)
}

/// With errors and tags.
#[traced(tags(id, %name))]
pub async fn tags(id: u64, name: String) -> Result<String, OrderError> {
    if id == 0 {
        return Err(OrderError);
    }
    Ok(ready(name).await)
}

/// No look at errors.
#[traced(err = false)]
pub async fn silent(id: u64) -> Result<u64, OrderError> {
    ready(id).await.checked_sub(1).ok_or(OrderError)
}

/// Items in the body.
#[traced]
pub async fn items(id: u64) -> u64 {
    use std::cmp::max;
    max(ready(id).await, 1)
}

/// Never comes back.
#[traced]
pub async fn never() -> ! {
    ready(()).await;
    std::process::exit(1)
}
