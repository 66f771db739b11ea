//! A message is sent and shared as its value is.

use dd_traced::{Carried, span};

fn main() {
    let job = span("job").start();
    let message = Carried::new(job.activate());
    std::thread::scope(|scope| {
        scope.spawn(|| message.value());
    });
}
