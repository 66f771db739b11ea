//! `impl` blocks and traits: each function with a body.

use std::future::ready;

use dd_traced::traced;

use crate::error::OrderError;

/// A place where orders are kept.
#[derive(Debug)]
pub struct Shelf {
    orders: Vec<u64>,
}

#[traced(service = "shelf", tags(self.orders.len = self.orders.len()))]
impl Shelf {
    /// A constant is passed over.
    pub const EMPTY: Self = Self { orders: Vec::new() };

    /// A constant function is passed over.
    pub const fn shelves(&self) -> usize {
        1
    }

    /// A method.
    pub fn put(&mut self, order: u64) {
        self.orders.push(order);
    }

    /// A method with an attribute of its own.
    #[traced("shelf.first")]
    pub fn first(&mut self) -> Result<&mut u64, OrderError> {
        self.orders.first_mut().ok_or(OrderError)
    }

    /// A method that waits.
    pub async fn take(self) -> Vec<u64> {
        ready(self.orders).await
    }

    /// A method that is left alone.
    #[traced(skip)]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}

/// Knows a name.
#[traced]
pub trait Named {
    /// A method without a body is passed over.
    fn name(&self) -> String;

    /// A default method.
    fn greeting(&self) -> String {
        format!("hello {}", self.name())
    }
}

#[traced]
impl Named for Shelf {
    fn name(&self) -> String {
        "shelf".to_owned()
    }
}
