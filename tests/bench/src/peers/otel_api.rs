//! The API of OpenTelemetry is that of two peers, in two versions.

/// Defines the acts of a peer in the words of the crate `$api`, with `tracer()` giving its tracer and `propagator()` a
/// call that lends its propagator.
macro_rules! otel_api {
    ($api:ident) => {
        #[inline(never)]
        pub(in crate::peers) fn call(value: u64) -> u64 {
            tracer().in_span("call", |_| body(value))
        }

        #[inline(never)]
        fn tagged_call(items: u64) -> u64 {
            let tags =
                [KeyValue::new("shop.city", "Berlin"), KeyValue::new("order.items", items.cast_signed())];
            tracer().in_span_with_builder(tracer().span_builder("tagged_call").with_attributes(tags), |_| {
                body(items)
            })
        }

        async fn async_call(value: u64) -> u64 {
            let context = Context::current_with_span(tracer().start("async_call"));
            poll::three_awaits(value).with_context(context).await
        }

        pub(in crate::peers) fn calls(count: u32) {
            for value in 0..count {
                call(u64::from(value));
            }
        }

        pub(in crate::peers) fn children(count: u32) {
            tracer().in_span("root", |_| calls(count));
        }

        pub(in crate::peers) fn tagged_children(count: u32) {
            tracer().in_span("root", |_| {
                for value in 0..count {
                    tagged_call(u64::from(value));
                }
            });
        }

        pub(in crate::peers) fn lone_root() {
            tracer().in_span("root", |_| body(1));
        }

        pub(in crate::peers) fn async_calls(count: u32) {
            let root = Context::current_with_span(tracer().start("root"));
            let calls = async {
                for value in 0..count {
                    async_call(u64::from(value)).await;
                }
            };
            poll::block_on(calls.with_context(root));
        }

        pub(in crate::peers) fn inject(count: u32) {
            let parent = propagator(|propagator| propagator.extract(&incoming()));
            let span = tracer().start_with_context("root", &parent);
            let _active = parent.with_span(span).attach();
            for _ in 0..count {
                let mut headers = std::collections::HashMap::<String, String>::with_capacity(8);
                propagator(|propagator| propagator.inject(&mut headers));
                std::hint::black_box(headers);
            }
        }

        pub(in crate::peers) fn extract(count: u32) {
            let headers = incoming();
            for _ in 0..count {
                std::hint::black_box(propagator(|propagator| {
                    propagator.extract(std::hint::black_box(&headers))
                }));
            }
        }

        pub(in crate::peers) fn lines(count: u32) {
            tracer().in_span("root", |_| {
                for value in 0..count {
                    line::write(&active_ids(), u64::from(value));
                }
            });
        }

        pub(in crate::peers) fn constant_lines(count: u32) {
            tracer().in_span("root", |_| {
                let ids = Ids::constant();
                for value in 0..count {
                    line::write(&ids, u64::from(value));
                }
            });
        }

        fn active_ids() -> Ids {
            Context::map_current(|context| {
                let span = context.span();
                let context = span.span_context();
                Ids {
                    trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
                    span_id: u64::from_be_bytes(context.span_id().to_bytes()),
                }
            })
        }

        use $api::context::FutureExt;
        use $api::propagation::TextMapPropagator;
        use $api::trace::{TraceContextExt, Tracer};
        use $api::{Context, KeyValue};

        use crate::line::{self, Ids};
        use crate::peer::{body, incoming};
        use crate::poll;
    };
}

pub(super) use otel_api;
