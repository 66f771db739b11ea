//! `Send`, `Sync` and the rest stay as they are without the attribute.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Mutex;

use dd_traced::traced;

use crate::support::{Failed, pause};

#[traced]
async fn plain(text: String) -> usize {
    pause().await;
    text.len()
}

#[traced(tags(text))]
async fn fallible(text: &str) -> Result<usize, Failed> {
    pause().await;
    Ok(text.len())
}

/// `Cell` is `Send` and not `Sync`: a future that borrowed its argument would be neither.
#[traced]
async fn argument_that_is_not_sync(cell: Cell<u8>) -> Result<u8, Failed> {
    pause().await;
    Ok(cell.get())
}

#[traced]
async fn generic<T: Send>(value: T) -> T {
    pause().await;
    value
}

#[traced]
async fn shared(mutex: &Mutex<u8>) -> u8 {
    pause().await;
    mutex.lock().map_or(0, |value| *value)
}

#[traced]
async fn neither(value: Rc<u8>) -> u8 {
    pause().await;
    *value
}

#[traced]
fn iterator(values: &[u8]) -> impl Iterator<Item = &u8> + Send + '_ {
    values.iter()
}

#[traced]
fn fallible_iterator(values: Vec<u8>) -> Result<impl Iterator<Item = u8> + Send + Sync, Failed> {
    Ok(values.into_iter())
}

fn is_send<T: Send>(_: &T) {}
fn is_sync<T: Sync>(_: &T) {}
fn is_static<T: 'static>(_: &T) {}

/// Deep below others, where the compiler has to look through all of them.
fn nested() -> impl Future<Output = usize> + Send {
    #[traced]
    async fn first() -> usize {
        second().await
    }
    #[traced]
    async fn second() -> usize {
        third().await
    }
    #[traced]
    async fn third() -> usize {
        plain(String::new()).await
    }
    first()
}

#[test]
fn futures_are_send_and_sync() {
    is_send(&plain(String::new()));
    is_sync(&plain(String::new()));
    is_static(&plain(String::new()));
    is_send(&fallible(""));
    is_sync(&fallible(""));
    is_send(&argument_that_is_not_sync(Cell::new(1)));
    is_send(&generic(Cell::new(1)));
    is_send(&shared(&Mutex::new(1)));
    is_static(&neither(Rc::new(1)));
    is_send(&iterator(&[]));
    is_sync(&fallible_iterator(vec![]));
    is_send(&nested());
}
