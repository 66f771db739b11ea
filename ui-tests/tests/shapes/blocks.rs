//! `impl` blocks and traits as a whole.

use dd_traced::traced;

use crate::support::{Failed, pause, ready, tree_of};

struct Counter(u8);

#[traced(service = "counter", measured)]
impl Counter {
    const START: u8 = 1;

    fn new() -> Self {
        Self(Self::START)
    }

    #[traced(skip)]
    fn skipped(&self) -> u8 {
        self.0
    }

    #[traced("own")]
    fn own(&self) -> u8 {
        self.0
    }

    const fn constant(&self) -> u8 {
        self.0
    }

    /// Documented.
    #[must_use]
    pub(crate) fn documented(&self) -> u8 {
        self.0
    }

    async fn later(self) -> Result<u8, Failed> {
        pause().await;
        self.0.checked_sub(2).ok_or(Failed("empty"))
    }
}

struct Pair<T, const N: usize>([T; N]);

#[traced]
impl<T: Clone, const N: usize> Pair<T, N>
where
    T: PartialEq,
{
    fn first(&self) -> Option<&T> {
        self.0.first()
    }

    fn with<U>(&self, other: U) -> (T, U) {
        (self.0[0].clone(), other)
    }
}

#[traced]
trait Named<'a, T: 'a = u8> {
    const NAME: &'static str;
    type Output;

    fn output(&'a self) -> Self::Output;

    fn name(&self) -> &'static str {
        Self::NAME
    }
}

#[traced(tags(self.0.len = self.0.len()))]
impl<'a> Named<'a> for Pair<u8, 2> {
    const NAME: &'static str = { "pair" };
    type Output = &'a u8;

    fn output(&'a self) -> &'a u8 {
        &self.0[1]
    }
}

#[test]
fn each_function_with_a_body_is_a_span() {
    let tree = tree_of(|| {
        let counter = Counter::new();
        assert_eq!(counter.skipped() + counter.own() + counter.constant() + counter.documented(), 4);
        assert_eq!(ready(counter.later()), Err(Failed("empty")));
        let pair = Pair([1, 2]);
        assert_eq!(pair.first(), Some(&1));
        assert_eq!(pair.with('x'), (1, 'x'));
        assert_eq!(pair.name(), "pair");
        assert_eq!(pair.output(), &2);
    });
    assert_eq!(
        tree,
        "blocks.Counter.new
own
blocks.Counter.documented
blocks.Counter.later !
blocks.Pair.first
blocks.Pair.with
blocks.Named.name
blocks.Pair.output
"
    );
}
