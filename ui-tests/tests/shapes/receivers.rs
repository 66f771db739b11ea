//! Every receiver, sync, fallible and async.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

#[derive(Clone, Debug, PartialEq)]
struct Shop {
    name: String,
    items: Vec<u8>,
}

impl Shop {
    #[traced]
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), items: vec![1] }
    }

    #[traced]
    fn by_value(self) -> String {
        self.name
    }

    #[traced]
    fn by_mutable_value(mut self) -> Self {
        self.items.push(2);
        self
    }

    #[traced]
    fn by_reference(&self) -> &str {
        &self.name
    }

    #[traced]
    fn by_mutable_reference(&mut self) -> &mut u8 {
        self.items.push(3);
        &mut self.items[0]
    }

    #[traced]
    fn with_lifetime<'a>(&'a self, other: &'a Self) -> [&'a str; 2] {
        [&self.name, &other.name]
    }

    #[traced]
    #[expect(clippy::needless_arbitrary_self_type, reason = "shows that the receiver stays as written")]
    fn typed(self: &Self) -> usize {
        self.items.len()
    }

    #[traced]
    #[expect(clippy::boxed_local, reason = "shows that the receiver stays as written")]
    fn in_a_box(self: Box<Self>) -> String {
        self.name
    }

    #[traced]
    fn in_an_rc(self: Rc<Self>) -> usize {
        Rc::strong_count(&self)
    }

    #[traced]
    fn in_an_arc(self: Arc<Self>) -> Arc<Self> {
        self
    }

    #[traced]
    fn behind_an_arc(self: &Arc<Self>) -> usize {
        Arc::strong_count(self)
    }

    #[traced]
    fn pinned(self: Pin<&mut Self>) -> usize {
        self.items.len()
    }

    #[traced]
    fn fallible_by_value(self) -> Result<String, Failed> {
        if self.items.is_empty() {
            return Err(Failed("empty"));
        }
        Ok(self.name)
    }

    #[traced]
    fn fallible_by_mutable_value(mut self) -> Result<Self, Failed> {
        self.items.pop().ok_or(Failed("empty"))?;
        Ok(self)
    }

    #[traced]
    fn fallible_by_reference(&self) -> Result<&u8, Failed> {
        self.items.first().ok_or(Failed("empty"))
    }

    #[traced]
    fn fallible_by_mutable_reference(&mut self) -> Result<&mut u8, Failed> {
        self.items.push(4);
        self.items.last_mut().ok_or(Failed("empty"))
    }

    #[traced]
    fn fallible_in_a_box(self: Box<Self>) -> Result<String, Failed> {
        if self.items.is_empty() { Err(Failed("empty")) } else { Ok(self.name) }
    }

    #[traced]
    fn fallible_in_an_rc(self: Rc<Self>) -> Result<usize, Failed> {
        self.items.len().checked_sub(1).ok_or(Failed("empty"))
    }

    #[traced]
    fn fallible_pinned(mut self: Pin<&mut Self>) -> Result<u8, Failed> {
        self.items.pop().ok_or(Failed("empty"))
    }

    #[traced]
    async fn async_by_value(self) -> String {
        pause().await;
        self.name
    }

    #[traced]
    async fn async_by_mutable_value(mut self) -> Self {
        pause().await;
        self.items.clear();
        self
    }

    #[traced]
    async fn async_by_reference(&self) -> &str {
        pause().await;
        &self.name
    }

    #[traced]
    async fn async_by_mutable_reference(&mut self, item: u8) -> &mut u8 {
        self.items.push(item);
        pause().await;
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    #[traced]
    async fn async_with_lifetime<'s>(&'s mut self, item: &u8) -> &'s [u8] {
        pause().await;
        self.items.push(*item);
        &self.items
    }

    #[traced]
    async fn async_in_an_arc(self: Arc<Self>) -> Result<usize, Failed> {
        pause().await;
        self.items.len().checked_sub(1).ok_or(Failed("empty"))
    }

    #[traced]
    async fn async_in_a_box(self: Box<Self>) -> String {
        pause().await;
        self.name
    }

    #[traced]
    async fn async_pinned(self: Pin<&mut Self>) -> usize {
        pause().await;
        self.items.len()
    }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        let shop = Shop::new("a");
        let own = || shop.clone();
        assert_eq!(own().by_value(), "a");
        assert_eq!(own().by_mutable_value().items, [1, 2]);
        assert_eq!(shop.by_reference(), "a");
        assert_eq!(own().by_mutable_reference(), &mut 1);
        assert_eq!(shop.with_lifetime(&own()), ["a", "a"]);
        assert_eq!(shop.typed(), 1);
        assert_eq!(Box::new(own()).in_a_box(), "a");
        assert_eq!(Rc::new(own()).in_an_rc(), 1);
        let shared = Arc::new(own());
        assert_eq!(Arc::clone(&shared).in_an_arc(), shared);
        assert_eq!(shared.behind_an_arc(), 1);
        assert_eq!(Pin::new(&mut own()).pinned(), 1);
        assert_eq!(own().fallible_by_value(), Ok("a".to_owned()));
        assert_eq!(own().fallible_by_mutable_value().map(|shop| shop.items.len()), Ok(0));
        assert_eq!(shop.fallible_by_reference(), Ok(&1));
        assert_eq!(own().fallible_by_mutable_reference(), Ok(&mut 4));
        assert_eq!(Box::new(own()).fallible_in_a_box(), Ok("a".to_owned()));
        assert_eq!(Rc::new(own()).fallible_in_an_rc(), Ok(0));
        assert_eq!(Pin::new(&mut own()).fallible_pinned(), Ok(1));
        assert_eq!(ready(own().async_by_value()), "a");
        assert!(ready(own().async_by_mutable_value()).items.is_empty());
        assert_eq!(ready(shop.async_by_reference()), "a");
        assert_eq!(ready(own().async_by_mutable_reference(7)), &mut 7);
        assert_eq!(ready(own().async_with_lifetime(&8)), [1, 8]);
        assert_eq!(ready(Arc::new(own()).async_in_an_arc()), Ok(0));
        assert_eq!(ready(Box::new(own()).async_in_a_box()), "a");
        assert_eq!(ready(Pin::new(&mut own()).async_pinned()), 1);
    });
    assert_eq!(spans, 27);
}
