use dd_traced::{SpanContext, traced};

#[traced(root, parent = context)]
fn both(context: SpanContext) {}

#[traced(parent = context, measured, root = true)]
fn the_other_way_round(context: SpanContext) {}

fn main() {
    both(dd_traced::span("a").start().context());
    the_other_way_round(dd_traced::span("a").start().context());
}
