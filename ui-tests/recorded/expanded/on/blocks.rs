//! `impl` blocks and traits: each function with a body.
use std::future::ready;
use dd_traced::traced;
use crate::error::OrderError;
/// A place where orders are kept.
pub struct Shelf {
    orders: Vec<u64>,
}
#[automatically_derived]
impl ::core::fmt::Debug for Shelf {
    #[inline]
    fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
        ::core::fmt::Formatter::debug_struct_field1_finish(
            f,
            "Shelf",
            "orders",
            &&self.orders,
        )
    }
}
impl Shelf {
    /// A constant is passed over.
    pub const EMPTY: Self = Self { orders: Vec::new() };
    /// A constant function is passed over.
    pub const fn shelves(&self) -> usize {
        1
    }
    /// A method.
    pub fn put(&mut self, order: u64) {
        let _span = ::dd_traced::macro_support::span(const {
                &::dd_traced::macro_support::CallSite::function(
                        "shop::blocks",
                        "Shelf.put",
                    )
                    .service("shelf")
            })
            .tags(|tags| tags.tag("self.orders.len", self.orders.len()))
            .enter();
        self.orders.push(order);
    }
    /// A method with an attribute of its own.
    pub fn first(&mut self) -> Result<&mut u64, OrderError> {
        let span = ::dd_traced::macro_support::span(const {
                &::dd_traced::macro_support::CallSite::named("shelf.first")
            })
            .enter();
        let ret = ::dd_traced::macro_support::in_scope(|| -> Result<
            &mut u64,
            OrderError,
        > { self.orders.first_mut().ok_or(OrderError) });
        span.found(
            ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
        );
        return ret;
    }
    /// A method that waits.
    pub async fn take(self) -> Vec<u64> {
        return ::dd_traced::macro_support::async_span(const {
                &::dd_traced::macro_support::CallSite::function(
                        "shop::blocks",
                        "Shelf.take",
                    )
                    .service("shelf")
            })
            .tags(|tags| tags.tag("self.orders.len", self.orders.len()))
            .run(async move {
                if false {
                    return ::dd_traced::macro_support::returns::<Vec<u64>>();
                }
                ready(self.orders).await
            })
            .await;
    }
    /// A method that is left alone.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}
/// Knows a name.
pub trait Named {
    /// A method without a body is passed over.
    fn name(&self) -> String;
    /// A default method.
    fn greeting(&self) -> String {
        let _span = ::dd_traced::macro_support::span(const {
                &::dd_traced::macro_support::CallSite::function(
                    "shop::blocks",
                    "Named.greeting",
                )
            })
            .enter();
        ::alloc::__export::must_use({
            ::alloc::fmt::format(format_args!("hello {0}", self.name()))
        })
    }
}
impl Named for Shelf {
    fn name(&self) -> String {
        let _span = ::dd_traced::macro_support::span(const {
                &::dd_traced::macro_support::CallSite::function(
                    "shop::blocks",
                    "Shelf.name",
                )
            })
            .enter();
        "shelf".to_owned()
    }
}
