//! Shapes of functions: each compiles without a warning and gives what it gives without the attribute.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![expect(clippy::panic, reason = "functions of type `!` have to end somehow")]

use std::fmt::{Debug, Display};
use std::future::Future;
use std::num::ParseIntError;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dd_traced::traced;

/// Runs a future that never waits.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

#[derive(Debug, PartialEq)]
struct Failed(&'static str);

impl Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Failed {}

impl From<ParseIntError> for Failed {
    fn from(_: ParseIntError) -> Self {
        Self("not a number")
    }
}

type Outcome<T> = Result<T, Failed>;

mod plain {
    use super::*;

    #[traced]
    fn unit() {}

    #[traced]
    fn area(w: u32, h: u32) -> u32 {
        w * h
    }

    #[traced]
    fn with_items(x: u8) -> u8 {
        const FACTOR: u8 = 2;
        fn twice(x: u8) -> u8 {
            x * FACTOR
        }
        twice(x)
    }

    #[traced]
    fn inner_attribute() -> u8 {
        //! An inner doc comment.
        #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
        1 + 0
    }

    #[traced]
    fn never() -> ! {
        panic!("never")
    }

    #[traced]
    extern "C" fn foreign_abi(x: i32) -> i32 {
        x
    }

    #[traced]
    fn patterns((a, _): (u8, u8), [c, ..]: [u8; 3], _: u8) -> u8 {
        a + c
    }

    #[traced]
    fn r#match(r#type: &str) -> usize {
        r#type.len()
    }

    #[traced]
    fn generic<T: Debug, U>(t: T, u: U) -> (T, U)
    where
        U: Display + Clone,
    {
        (t, u)
    }

    #[traced]
    fn arrows<F: Fn(u8) -> u8>(f: F) -> impl Fn(u8) -> u8 {
        move |x| f(x)
    }

    #[test]
    fn values_are_unchanged() {
        unit();
        assert_eq!(area(2, 3), 6);
        assert_eq!(with_items(2), 4);
        assert_eq!(inner_attribute(), 1);
        assert_eq!(foreign_abi(3), 3);
        assert_eq!(patterns((1, 2), [3, 4, 5], 6), 4);
        assert_eq!(r#match("abc"), 3);
        assert_eq!(generic(1, 'x'), (1, 'x'));
        assert_eq!(arrows(|x| x + 1)(1), 2);
    }

    #[test]
    fn the_payload_of_a_panic_is_unchanged() {
        let payload = std::panic::catch_unwind(|| never()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"never"));
    }
}

mod fallible {
    use super::*;

    #[traced]
    fn question_mark(text: &str) -> Result<u8, Failed> {
        let number: u8 = text.parse()?;
        if number == 0 {
            return Err(Failed("zero"));
        }
        Ok(number)
    }

    #[traced]
    fn early_returns_coerce(early: bool) -> Result<Box<dyn Display>, Box<dyn std::error::Error>> {
        if early {
            return Ok(Box::new(1));
        }
        let number: i32 = "x".parse()?;
        Ok(Box::new(number))
    }

    #[traced]
    fn reborrow(values: &mut Vec<u8>) -> Result<&mut u8, Failed> {
        values.push(1);
        values.last_mut().ok_or(Failed("empty"))
    }

    #[traced]
    fn mutable(mut own: Vec<u8>, other: &mut Vec<u8>) -> Outcome<usize> {
        own.push(question_mark("1")?);
        other.push(2);
        Ok(own.len() + other.len())
    }

    #[traced]
    fn hidden_type(values: &[u8]) -> Result<impl Iterator<Item = &u8> + '_, Failed> {
        if values.is_empty() {
            return Err(Failed("empty"));
        }
        Ok(values.iter())
    }

    #[traced]
    fn generic<T: std::str::FromStr + Copy, const N: usize>(text: &str) -> Result<[T; N], T::Err> {
        Ok([text.parse()?; N])
    }

    #[traced]
    fn with_items(x: u8) -> Result<u8, Failed> {
        const LIMIT: u8 = 2;
        if x > LIMIT { Err(Failed("limit")) } else { Ok(x) }
    }

    #[traced]
    #[track_caller]
    fn caller(fail: bool) -> Result<u32, Failed> {
        if fail { Err(Failed("asked to")) } else { Ok(Location::caller().line()) }
    }

    #[traced(err(|found: &Option<u8>| found.is_none().then_some("nothing found")))]
    fn option(value: Option<u8>) -> Option<u8> {
        value
    }

    #[traced(err(|status| status.checked_sub(399)))]
    fn status(code: u16) -> u16 {
        code
    }

    #[traced(err = "debug")]
    fn alias() -> Outcome<u8> {
        Err(Failed("debug"))
    }

    #[traced(err = "display")]
    async fn async_alias() -> Outcome<u8> {
        Err(Failed("display"))
    }

    #[traced(err = false)]
    fn silent() -> Result<u8, Failed> {
        Err(Failed("silent"))
    }

    struct NoTraits;

    #[traced]
    fn undescribed(fail: bool) -> Result<NoTraits, NoTraits> {
        if fail { Err(NoTraits) } else { Ok(NoTraits) }
    }

    #[test]
    fn values_are_unchanged() {
        assert_eq!(question_mark("7"), Ok(7));
        assert_eq!(question_mark("0"), Err(Failed("zero")));
        assert_eq!(question_mark("x"), Err(Failed("not a number")));
        assert_eq!(early_returns_coerce(true).unwrap().to_string(), "1");
        assert!(early_returns_coerce(false).is_err());
        assert_eq!(reborrow(&mut vec![]), Ok(&mut 1));
        assert_eq!(mutable(vec![], &mut vec![]), Ok(2));
        assert_eq!(hidden_type(&[1, 2]).unwrap().count(), 2);
        assert!(hidden_type(&[]).is_err());
        assert_eq!(generic::<u8, 3>("4"), Ok([4, 4, 4]));
        assert_eq!(with_items(3), Err(Failed("limit")));
        assert_eq!(option(None), None);
        assert_eq!(status(404), 404);
        assert_eq!(alias(), Err(Failed("debug")));
        assert_eq!(ready(async_alias()), Err(Failed("display")));
        assert_eq!(silent(), Err(Failed("silent")));
        assert!(undescribed(true).is_err() && undescribed(false).is_ok());
    }

    #[test]
    fn the_caller_is_still_the_caller() {
        assert_eq!(caller(false), Ok(line!()));
        assert!(caller(true).is_err());
    }
}

mod asynchronous {
    use super::*;

    #[traced]
    async fn unit(text: &str) {
        if text.is_empty() {
            return;
        }
        std::future::ready(()).await;
    }

    #[traced(tags(id))]
    async fn early_returns_coerce(id: String) -> Result<String, Box<dyn std::error::Error + Send>> {
        if id.is_empty() {
            return Err(Box::new(Failed("empty")));
        }
        Ok(std::future::ready(id).await)
    }

    #[traced]
    async fn reborrow(values: &mut [u8]) -> Option<&mut u8> {
        std::future::ready(()).await;
        values.last_mut()
    }

    #[traced]
    async fn hidden_type(values: &[u8]) -> Result<impl Iterator<Item = &u8> + '_, Failed> {
        let first = values.first().ok_or(Failed("empty"))?;
        Ok(std::iter::once(std::future::ready(first).await))
    }

    #[traced]
    async fn with_items(x: u8) -> u8 {
        use std::cmp::max;
        max(std::future::ready(x).await, 3)
    }

    #[traced]
    async fn inner_attribute() -> u8 {
        #![expect(clippy::identity_op, reason = "shows that inner attributes stay in front")]
        std::future::ready(1 + 0).await
    }

    #[traced]
    async fn never(cell: std::cell::Cell<u8>) -> ! {
        std::future::pending::<()>().await;
        panic!("{cell:?}")
    }

    #[traced]
    async fn recursive(depth: u8) -> u8 {
        if depth == 0 { 0 } else { 1 + Box::pin(recursive(depth - 1)).await }
    }

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    #[test]
    fn values_are_unchanged() {
        ready(unit(""));
        ready(unit("x"));
        assert_eq!(ready(is_send(early_returns_coerce("a".to_owned()))).unwrap(), "a");
        assert!(ready(early_returns_coerce(String::new())).is_err());
        assert_eq!(ready(is_send(reborrow(&mut [1]))), Some(&mut 1));
        assert_eq!(ready(hidden_type(&[5])).unwrap().count(), 1);
        assert_eq!(ready(with_items(1)), 3);
        assert_eq!(ready(inner_attribute()), 1);
        assert_eq!(ready(recursive(3)), 3);
        drop(never(std::cell::Cell::new(1)));
    }
}

mod methods {
    use super::*;

    struct Shop {
        shard: u8,
        name: String,
        items: Vec<String>,
    }

    impl Shop {
        #[traced(tags(self.shard, self.name, count = self.items.len()))]
        fn first(&mut self) -> Result<&mut String, Failed> {
            let count = self.items.len();
            if count == 0 { Err(Failed("empty")) } else { Ok(&mut self.items[count - 1]) }
        }

        #[traced(resource = self.name.as_str())]
        async fn into_items(self, extra: String) -> Vec<String> {
            let mut items = self.items;
            items.push(std::future::ready(extra).await);
            items
        }

        #[traced]
        fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a String> + 'a {
            self.items.iter().filter(move |item| item.starts_with(prefix))
        }

        #[traced]
        async fn add<'s>(&'s mut self, item: &str) -> &'s [String] {
            self.items.push(std::future::ready(item.to_owned()).await);
            &self.items
        }
    }

    trait Load {
        fn load(&self) -> Result<u8, Failed>;

        #[traced]
        fn load_twice(&self) -> Result<u8, Failed> {
            Ok(self.load()? + self.load()?)
        }

        fn later(&self) -> impl Future<Output = u8> + Send;
    }

    impl Load for u8 {
        #[traced("load")]
        fn load(&self) -> Result<u8, Failed> {
            self.checked_add(1).ok_or(Failed("full"))
        }

        #[traced]
        async fn later(&self) -> u8 {
            std::future::ready(*self).await
        }
    }

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

        async fn later(self) -> Result<u8, Failed> {
            std::future::ready(self.0.checked_sub(1)).await.ok_or(Failed("empty"))
        }
    }

    #[traced]
    trait Named {
        fn name(&self) -> String;

        fn greeting(&self) -> String {
            format!("hello {}", self.name())
        }
    }

    impl Named for Counter {
        fn name(&self) -> String {
            self.0.to_string()
        }
    }

    #[test]
    fn values_are_unchanged() {
        let mut shop = Shop { shard: 1, name: "shop".to_owned(), items: vec!["a".to_owned()] };
        shop.first().unwrap().push('b');
        assert_eq!(shop.starting_with("a").count(), 1);
        assert_eq!(ready(shop.add("c")), ["ab", "c"]);
        assert_eq!(ready(shop.into_items("d".to_owned())).len(), 3);
        assert_eq!(1.load_twice(), Ok(4));
        assert_eq!(ready(5.later()), 5);
        let counter = Counter::new();
        assert_eq!(counter.skipped() + counter.own() + counter.constant(), 3);
        assert_eq!(counter.greeting(), "hello 1");
        assert_eq!(ready(counter.later()), Ok(0));
    }
}

mod arguments {
    use super::*;

    const NAME: &str = "constant.name";

    #[traced(name = NAME, service = NAME, kind = "client", measured = false)]
    fn constants() -> u8 {
        1
    }

    trait HasName {
        const NAME: &'static str;
    }

    impl HasName for u8 {
        const NAME: &'static str = "u8";
    }

    #[traced(name = T::NAME)]
    fn associated<T: HasName>(value: T) -> T {
        value
    }

    struct Id(u8);
    struct Order {
        id: Id,
        count: u8,
    }

    #[traced("order", tags(id, count, n, pair.0, pair.1.0, ?list))]
    fn destructured(
        Order { id: Id(id), count }: Order,
        Id(n): Id,
        pair: (u8, (u8,)),
        list: &mut Vec<u8>,
    ) -> usize {
        usize::from(id + count + n + pair.0 + pair.1.0) + list.len()
    }

    #[traced(tags(text, copy = text, "quoted key" = %text, len = text.len() as u64 + 1, on = true))]
    fn borrowed_not_moved(text: String) -> String {
        text
    }

    #[traced(tags(r#type, r#type.len = r#type.len(), with.closure = Some(1).map_or(0, |x| x + 1)))]
    fn raw(r#type: &str) -> usize {
        r#type.len()
    }

    #[traced(tags(on, off))]
    fn conditional(#[cfg(test)] on: u8, #[cfg(not(test))] off: u8) -> u8 {
        on
    }

    #[traced(resource = format!("{method} {path}"), type = kind)]
    async fn computed(method: &str, path: String, kind: &str) -> usize {
        std::future::ready(method.len() + path.len() + kind.len()).await
    }

    #[test]
    fn values_are_unchanged() {
        assert_eq!(constants(), 1);
        assert_eq!(associated(3), 3);
        let order = Order { id: Id(1), count: 2 };
        assert_eq!(destructured(order, Id(3), (4, (5,)), &mut vec![]), 15);
        assert_eq!(borrowed_not_moved("a".to_owned()), "a");
        assert_eq!(raw("abc"), 3);
        assert_eq!(conditional(1), 1);
        assert_eq!(ready(computed("GET", "/".to_owned(), "web")), 7);
    }
}

mod generated {
    use super::*;

    macro_rules! method {
        ($vis:vis $name:ident($this:ident $(, $arg:ident: $type:ty)*) -> $ret:ty $body:block) => {
            #[traced(tags($($arg),*))]
            $vis fn $name(&$this $(, $arg: $type)*) -> $ret $body
        };
    }

    macro_rules! function {
        ($title:literal, $value:expr, $item:item) => {
            #[traced($title, service = $value, tags("value" = $value))]
            $item
        };
    }

    struct Generated(u8);

    impl Generated {
        method!(pub(super) add(self, a: u8, b: u8) -> Result<u8, Failed> { Ok(self.0 + a.checked_add(b).ok_or(Failed("sum"))?) });
    }

    function!(
        "title",
        "service",
        fn titled() -> u8 {
            1
        }
    );

    #[test]
    fn values_are_unchanged() {
        assert_eq!(Generated(1).add(2, 3), Ok(6));
        assert_eq!(titled(), 1);
    }
}
