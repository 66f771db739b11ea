//! A guard belongs to its thread; what is carried is the context.

use dd_traced::{carry, span};

fn main() {
    let job = span("job").start();
    let active = job.activate();
    std::thread::spawn(carry(move || drop(active)));
}
