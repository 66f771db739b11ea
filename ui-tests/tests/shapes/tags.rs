//! Tags and computed texts: borrowed from the arguments, which the body still has.

use dd_traced::testing::ScopedTracer;
use dd_traced::{TagValue, traced};

use crate::support::{Failed, pause, ready, spans_of};

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

#[traced(tags(text, ?list, list.len = list.len()))]
fn fallible_not_moved(text: String, mut list: Vec<u8>) -> Result<(String, Vec<u8>), Failed> {
    list.push(u8::try_from(text.len()).map_err(|_| Failed("long"))?);
    Ok((text, list))
}

#[traced(tags(text, ?list))]
async fn async_not_moved(text: String, mut list: Vec<u8>) -> Result<(String, Vec<u8>), Failed> {
    pause().await;
    list.push(1);
    Ok((text, list))
}

#[traced(tags(list.len = list.len(), last = ?list.last()))]
fn mutable_reference(list: &mut Vec<u8>) -> Result<&mut u8, Failed> {
    list.push(7);
    list.last_mut().ok_or(Failed("empty"))
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
    pause().await;
    method.len() + path.len() + kind.len()
}

#[traced(tags(number, float, flag, letter = %letter, text, optional = ?optional, bytes = bytes.len()))]
fn of_each_type(
    number: i64,
    float: f64,
    flag: bool,
    letter: char,
    text: &str,
    optional: Option<u8>,
    bytes: &[u8],
) -> bool {
    number > 0
        && float > 0.0
        && flag
        && letter == 'x'
        && text == "y"
        && optional.is_some()
        && bytes.is_empty()
}

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

    #[traced(resource = self.name.as_str(), tags(self.shard, %extra))]
    async fn into_items(self, extra: String) -> Vec<String> {
        let mut items = self.items;
        pause().await;
        items.push(extra);
        items
    }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(constants(), 1);
        assert_eq!(associated(3), 3);
        let order = Order { id: Id(1), count: 2 };
        assert_eq!(destructured(order, Id(3), (4, (5,)), &mut vec![]), 15);
        assert_eq!(borrowed_not_moved("a".to_owned()), "a");
        assert_eq!(fallible_not_moved("a".to_owned(), vec![]), Ok(("a".to_owned(), vec![1])));
        assert_eq!(ready(async_not_moved("a".to_owned(), vec![])), Ok(("a".to_owned(), vec![1])));
        assert_eq!(mutable_reference(&mut vec![]), Ok(&mut 7));
        assert_eq!(raw("abc"), 3);
        assert_eq!(conditional(1), 1);
        assert_eq!(ready(computed("GET", "/".to_owned(), "web")), 7);
        assert!(of_each_type(1, 1.0, true, 'x', "y", Some(1), &[]));
        let mut shop = Shop { shard: 1, name: "shop".to_owned(), items: vec!["a".to_owned()] };
        shop.first().unwrap().push('b');
        assert_eq!(ready(shop.into_items("c".to_owned())), ["ab", "c"]);
    });
    assert_eq!(spans, 13);
}

#[traced(tags(value, copy = value.clone()))]
fn of_any_type<T: TagValue + Clone>(value: &mut T) -> T {
    value.clone()
}

#[test]
fn tags_hold_what_the_arguments_were() {
    let tracer = ScopedTracer::new();
    assert_eq!(mutable_reference(&mut vec![1]), Ok(&mut 7));
    of_each_type(1, 1.5, true, 'x', "y", Some(1), &[2]);
    assert_eq!(of_any_type(&mut "z".to_owned()), "z");
    let spans = tracer.finished();
    assert_eq!([&*spans[2].meta["value"], &*spans[2].meta["copy"]], ["z", "z"]);
    assert_eq!((spans[0].metrics["list.len"], &*spans[0].meta["last"]), (1.0, "Some(1)"));
    assert_eq!((spans[1].metrics["number"], spans[1].metrics["float"]), (1.0, 1.5));
    let texts = ["flag", "letter", "text", "optional"].map(|key| &*spans[1].meta[key]);
    assert_eq!(texts, ["true", "x", "y", "Some(1)"]);
}
