//! Shipping: a plain thread that takes parcels from a channel, each with the span context of the order it belongs to.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dd_traced::{SpanContext, dd_log, traced};

/// What travels from the shop to its shipping thread.
#[derive(Debug)]
pub struct Parcel {
    /// The order that is in it.
    pub order_id: u64,
    /// Where in which trace the order was placed; captured there, entered here.
    pub context: Option<SpanContext>,
}

/// Starts the thread. It ends when the last sender is gone and all parcels are shipped.
pub fn start() -> io::Result<(Sender<Parcel>, JoinHandle<()>)> {
    let (sender, parcels) = channel::<Parcel>();
    let thread = thread::Builder::new().name("shipping".to_owned()).spawn(move || {
        for parcel in parcels {
            let _active = parcel.context.as_ref().map(SpanContext::enter);
            ship(parcel.order_id);
        }
    })?;
    Ok((sender, thread))
}

#[traced(service = "shipping", span_type = "worker", tags(order_id))]
fn ship(order_id: u64) {
    pack();
    dd_log!(info, "order {order_id} left the house");
}

#[traced]
fn pack() {
    thread::sleep(Duration::from_millis(4));
}
