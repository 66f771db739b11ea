//! Asynchronous functions that await one another, down a long chain: each layer of types between two of them counts against the compiler's
//! `recursion_limit` of 128, which a chain of plain ones reaches at about 30, and of those that `tracing` instruments at 12.

use dd_traced::traced;

use crate::support::{Failed, pause, ready, tree_of};

/// Functions of which each awaits the next; the last one fails.
macro_rules! chain {
    ($last:ident) => {
        #[traced]
        async fn $last(n: u8) -> Result<u8, Failed> {
            pause().await;
            n.checked_sub(200).ok_or(Failed("the last"))
        }
    };
    ($first:ident $next:ident $($rest:ident)*) => {
        #[traced]
        async fn $first(n: u8) -> Result<u8, Failed> {
            Ok($next(n).await? + 1)
        }
        chain!($next $($rest)*);
    };
}

chain!(f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13);

fn sent<T: Send>(future: T) -> T {
    future
}

#[test]
fn thirteen_functions_await_one_another_within_the_compilers_limit() {
    let tree = tree_of(|| assert_eq!(ready(sent(f1(1))), Err(Failed("the last"))));
    let names: Vec<_> = tree.lines().map(str::trim_start).collect();
    assert_eq!(names, (1..=13).map(|n| format!("depth.f{n} !")).collect::<Vec<_>>());
    assert!(
        tree.lines().enumerate().all(|(depth, line)| line.len() - line.trim_start().len() == 2 * depth),
        "{tree}"
    );
}
