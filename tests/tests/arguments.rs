//! What the arguments of `#[traced]` put on the span.

use dd_traced::testing::FinishedSpan;
use dd_traced::traced;
use dd_traced_tests::{ready, span_of};

/// The tags of a span as `key=text` and `key:number`.
fn tags(span: &FinishedSpan) -> Vec<String> {
    let texts = span.meta.iter().map(|(key, value)| format!("{key}={value}"));
    texts.chain(span.metrics.iter().map(|(key, value)| format!("{key}:{value}"))).collect()
}

#[derive(Debug)]
struct Order {
    id: u64,
    place: (u8, String),
}

struct Shop {
    shard: u8,
}

impl Shop {
    #[traced(tags(self.shard, order.id, order.place.1, ?order.place, gift, user, ratio))]
    fn places(&self, order: &Order, gift: bool, user: &str, ratio: f32) {}

    #[traced]
    fn method() {}
}

#[test]
fn places_are_tags_of_their_own_kind() {
    let order = Order { id: 7, place: (1, "shelf".to_owned()) };
    let span = span_of(|| Shop { shard: 3 }.places(&order, true, "ada", 0.5));
    let expected = [
        "gift=true",
        "order.place=(1, \"shelf\")",
        "order.place.1=shelf",
        "user=ada",
        "order.id:7",
        "ratio:0.5",
        "self.shard:3",
    ];
    assert_eq!(tags(&span), expected);
}

#[traced(tags(
    http.method = method, "http.status_code" = 200, len = method.len(), upper = %method.to_uppercase(), both = ?(method.len(), 1),
    literal = "text", char = 'x', "quoted key" = -1.5, r#type = !method.is_empty(),
))]
fn assigned(method: String) -> String {
    method
}

#[test]
fn expressions_are_tags_under_a_key() {
    let expected = [
        "both=(3, 1)",
        "char=x",
        "http.method=GET",
        "http.status_code=200",
        "literal=text",
        "type=true",
        "upper=GET",
        "len:3",
        "quoted key:-1.5",
    ];
    assert_eq!(tags(&span_of(|| assigned("GET".to_owned()))), expected);
}

#[traced(tags(user, page, gift, depth = Some(2), of = user.filter(|user| user.len() > 9), nested = &Some(Some("x"))))]
fn optional(user: Option<&str>, page: Option<u64>, gift: Option<&String>) {}

#[test]
fn nothing_is_no_tag() {
    let span = span_of(|| optional(Some("ada"), None, None));
    assert_eq!(tags(&span), ["nested=x", "user=ada", "depth:2"]);
    let span = span_of(|| optional(None, Some(3), Some(&"book".to_owned())));
    assert_eq!(tags(&span), ["gift=book", "nested=x", "depth:2", "page:3"]);
}

#[traced("given", service = "shop", resource = "GET /orders/{id}", type = "web", kind = "server", measured)]
fn constants() {}

#[traced(name = NAME, service = service, resource = format!("{method} /"), span_type = kind)]
async fn computed(service: &str, method: String, kind: &str) {
    drop(method);
}

const NAME: &str = "constant";

#[traced]
fn nothing() {}

#[test]
fn texts_are_fields_of_the_span() {
    let span = span_of(constants);
    assert_eq!((span.name.as_str(), span.service.as_deref()), ("given", Some("shop")));
    assert_eq!((span.resource.as_deref(), span.span_type.as_str()), (Some("GET /orders/{id}"), "web"));
    assert_eq!((tags(&span), span.is_measured), (vec!["span.kind=server".to_owned()], true));

    let span = span_of(|| ready(computed("bank", "POST".to_owned(), "http")));
    assert_eq!((span.name.as_str(), span.service.as_deref()), ("constant", Some("bank")));
    assert_eq!((span.resource.as_deref(), span.span_type.as_str()), (Some("POST /"), "http"));

    let span = span_of(nothing);
    assert_eq!((span.name.as_str(), span.service, span.resource), ("arguments.nothing", None, None));
    assert_eq!((tags(&span_of(nothing)), span.span_type.as_str(), span.is_measured), (vec![], "", false));
    assert_eq!(span_of(Shop::method).name, "arguments.method");
}

struct Cache;

#[traced(service = "cache", tags(shard = 1), err = "debug", ret = "debug")]
impl Cache {
    fn read(key: &str) -> Result<u8, String> {
        key.parse().map_err(|_| "no number".to_owned())
    }

    fn clear() {}

    #[traced(skip)]
    fn len() -> usize {
        1
    }

    #[traced("own")]
    fn own() {}
}

#[test]
fn a_block_gives_its_arguments_to_each_function() {
    let span = span_of(|| Cache::read("5"));
    assert_eq!((span.name.as_str(), span.service.as_deref()), ("arguments.Cache.read", Some("cache")));
    assert_eq!(tags(&span), ["return=5", "shard:1"]);
    let span = span_of(|| Cache::read("x"));
    assert_eq!(span.meta["error.message"], "\"no number\"");
    let span = span_of(Cache::clear);
    assert_eq!((span.name.as_str(), tags(&span)), ("arguments.Cache.clear", vec!["shard:1".to_owned()]));
    let span = span_of(Cache::own);
    assert_eq!((span.name.as_str(), span.service, Cache::len()), ("own", None, 1));
}
