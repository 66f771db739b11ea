//! `tracing` with nothing but the registry of `tracing-subscriber`: spans have ids and parents, nobody keeps them.

use tracing_subscriber::layer::SubscriberExt;

use super::tracing_spans;
use crate::peer::Peer;

pub(crate) const PEER: Peer = Peer {
    name: "tracing + registry",
    start: |_| start(),
    // Nothing to switch: without a subscriber nobody listens.
    start_off: Some(|_| ()),
    children: Some(tracing_spans::children),
    tagged_children: Some(tracing_spans::tagged_children),
    lone_root: Some(tracing_spans::lone_root),
    async_calls: Some(tracing_spans::async_calls),
    calls: Some(tracing_spans::calls),
    ..Peer::ABSENT
};

fn start() {
    let subscriber = tracing_subscriber::registry().with(Discard);
    tracing::subscriber::set_global_default(subscriber).expect("a child starts its tracer once");
}

/// A layer that does nothing, as the registry alone is no use to anybody.
struct Discard;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Discard {}
