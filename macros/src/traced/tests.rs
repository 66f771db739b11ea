//! The attribute as a function from tokens to tokens.

mod refusals;

use proc_macro2::{Delimiter, Group, TokenTree};
use quote::quote;

use super::*;

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap()
}

/// The expansion without white space and without the path that all generated names share.
fn expansion(args: &str, item: &str) -> String {
    let expanded = traced(tokens(args), tokens(item), true).to_string();
    compact(&expanded).replace("::dd_traced::macro_support::", "").replace("&CallSite", "CallSite")
}

fn compact(tokens: &str) -> String {
    tokens.split_whitespace().collect()
}

#[test]
fn a_plain_function_gains_one_line() {
    let expanded = traced(tokens(""), tokens("fn area(w: u32) -> u32 { w * w }"), true).to_string();
    let expected = r#"fn area(w: u32) -> u32 {
        let _span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::function(
                ::dd_traced::macro_support::module_path!(), "area"
            )
        }).enter();
        w * w
    }"#;
    assert_eq!(compact(&expanded), compact(expected));
}

#[test]
fn texts_are_call_site_data_and_the_rest_is_computed_in_a_closure() {
    let args = r#""op", service = "shop", type = "web", measured, resource = path.to_owned(),
        kind = "server", tags(id, team = "cart", ?self.shard, "k v" = %a + b, "x" = %"text")"#;
    let expected = r#"fn f(&self, id: u8) {
        let _span = span(const {
            CallSite::named("op").service("shop").span_type("web").measured(true)
                .tags(&[("span.kind", "server"), ("team", "cart")])
        })
            .tags(|tags| tags
                .resource(path.to_owned())
                .tag("id", &id)
                .debug("self.shard", &self.shard)
                .display("k v", &(a + b))
                .display("x", &"text"))
            .enter();
    }"#;
    assert_eq!(expansion(args, "fn f(&self, id: u8) {}"), compact(expected));
}

#[test]
fn a_span_with_a_place_of_its_own_is_an_owned_one() {
    let plain = expansion(r#""op", root, links(a, b.context())"#, "fn f(a: &SpanContext, b: Span) {}");
    let chain =
        r#"owned_span(const{CallSite::named("op")}).tags(|tags|tags.link(&a).link(b.context()).root())"#;
    assert!(plain.contains(&format!("{chain}.enter();")), "{plain}");
    let fallible = expansion("parent = self.context", "fn f(&self) -> Result<u8, E> { go() }");
    assert!(
        fallible.contains(".tags(|tags|tags.parent(&self.context)).enter();letret=in_scope(||"),
        "{fallible}"
    );
    let later = expansion("parent = parent", "async fn f(parent: SpanContext) {}");
    assert!(later.contains("owned_span(") && later.contains(".parent(&parent)).run(asyncmove{"), "{later}");
    let linked = expansion("links(a), root = false", "fn f(a: SpanContext) {}");
    assert!(linked.contains("let_span=span(const"), "{linked}");
}

#[test]
fn a_result_is_seen_from_around_a_closure() {
    let item = "pub fn load(id: u8) -> io::Result<impl Iterator<Item = u8> + '_> { #![allow(x)] go(id)? }";
    let expected = "pub fn load(id: u8) -> io::Result<impl Iterator<Item = u8> + '_> {
        #![allow(x)]
        let span = span(const { CallSite::named(NAME) }).enter();
        let ret = in_scope(|| -> io::Result<_> { go(id)? });
        span.found(probe(&ret, span.is_recorded()).__dd_describe());
        return ret;
    }";
    assert_eq!(expansion("name = NAME", item), compact(expected));
}

#[test]
fn tags_are_taken_before_the_closure_takes_the_arguments() {
    let expanded = expansion("tags(n = v.len())", "fn f(v: &mut Vec<u8>) -> Result<u8, E> { go(v) }");
    let call = r#".tags(|tags|tags.tag("n",v.len())).enter();letret=in_scope(||->Result<u8,E>{go(v)});"#;
    assert!(expanded.contains(call), "{expanded}");
}

#[test]
fn an_async_function_awaits_one_wrapped_block() {
    let expected = r#"async fn load(id: u8) -> Result<u8, E> {
        return async_span(const { CallSite::named("op") })
            .run(async move { if false { return returns::<Result<u8, E>>(); } get(id).await })
            .on_return(|ret| probe(ret, true).__dd_describe())
            .await;
    }"#;
    let load = expansion(r#""op""#, "async fn load(id: u8) -> Result<u8, E> { get(id).await }");
    assert_eq!(load, compact(expected));
    let unit = expansion("", "async fn tick() { go().await; }");
    assert!(unit.contains(".run(asyncmove{iffalse{return;}go().await;}).await;}"), "{unit}");
    let never = expansion("", "async fn serve() -> ! { loop {} }");
    assert!(never.contains(".run(asyncmove{loop{}}).await;never()}"), "{never}");
}

#[test]
fn a_returned_future_is_wrapped() {
    let site = r#"owned_span(const{CallSite::named("op")})"#;
    let body = |item: &str| {
        let expanded = expansion(r#""op", tags(id)"#, item);
        expanded.split_once(site).map(|(before, behind)| format!("{before}~{behind}")).unwrap()
    };
    assert_eq!(
        body("fn f(id: u8) -> impl Future<Output = u8> { async move { id } }"),
        r#"fnf(id:u8)->implFuture<Output=u8>{return~.tags(|tags|tags.tag("id",&id)).run(asyncmove{id});}"#
    );
    assert_eq!(
        body("fn f(id: u8) -> impl Future<Output = u8> + Send { go(id) }"),
        r#"fnf(id:u8)->implFuture<Output=u8>+Send{return~.tags(|tags|tags.tag("id",&id)).run_fn(||{go(id)});}"#
    );
    assert_eq!(
        body("fn f(id: u8) -> Pin<Box<dyn Future<Output = R>>> { std::boxed::Box::pin(async { id },) }"),
        r#"fnf(id:u8)->Pin<Box<dynFuture<Output=R>>>{returnstd::boxed::Box::pin(~.tags(|tags|tags.tag("id",&id)).run(async{id}));}"#
    );
    assert_eq!(
        body("fn f(id: u8) -> BoxFuture<'_, Result<u8, E>> { if id == 0 { return no() } yes() }"),
        "fnf(id:u8)->BoxFuture<'_,Result<u8,E>>{returnboxed(~.tags(|tags|tags.tag(\"id\",&id))\
         .run_fn(||->BoxFuture<'_,Result<u8,E>>{ifid==0{returnno()}yes()})\
         .on_return(|ret:&Result<u8,E>|probe(ret,true).__dd_describe()));}"
    );
}

#[test]
fn under_track_caller_a_returned_future_is_wrapped_only_without_a_closure() {
    let wrapped = expansion("", "#[track_caller] fn f() -> impl Future<Output = u8> { async { 1 } }");
    assert!(wrapped.contains("owned_span"), "{wrapped}");
    let guarded = expansion("", "#[track_caller] fn f() -> impl Future<Output = u8> { go() }");
    assert!(guarded.contains(".enter();go()}"), "{guarded}");
}

#[test]
fn items_in_the_body_stay_in_a_block_of_their_own() {
    let expanded = expansion("", "fn f() -> u8 { const N: u8 = 1; N }");
    assert!(expanded.ends_with(".enter();{constN:u8=1;N}}"), "{expanded}");
}

#[test]
fn err_decides_how_an_error_is_described() {
    let outcome = "fn f() -> Outcome<u8> { go() }";
    assert!(expansion("", outcome).contains("enter()"));
    let probe = "span.found(worded(&ret,span.is_recorded())";
    assert!(expansion("err = \"display\"", outcome).contains(&format!("{probe}.__dd_display()")));
    assert!(expansion("err = \"debug\"", outcome).contains(&format!("{probe}.__dd_debug()")));
    let mapped = expansion("err(|ret| ret.problem())", outcome);
    assert!(
        mapped.contains(
            "found(probe(&mapped(&ret,span.is_recorded(),|ret|ret.problem()),true).__dd_describe())"
        ),
        "{mapped}"
    );
    assert!(expansion("err = false", "fn f() -> Result<u8, E> { go() }").contains("enter()"));
    assert!(expansion("", "#[track_caller] fn f() -> Result<u8, E> { go() }").contains("enter()"));
}

#[test]
fn ret_records_the_returned_value() {
    let plain = expansion("ret", "fn f() -> u8 { 1 }");
    assert!(
        plain.contains(
            "in_scope(||->u8{1});span.found(shown(&ret,span.is_recorded()).__dd_display());returnret;"
        ),
        "{plain}"
    );
    let fallible = expansion("ret = \"debug\"", "fn f() -> Result<u8, E> { go() }");
    assert!(
        fallible.contains(
            "((probe(&ret,span.is_recorded()).__dd_describe(),shown(&ret,span.is_recorded()).__dd_debug()))"
        ),
        "{fallible}"
    );
    let silent = expansion("ret, err = false", "async fn f() -> Result<u8, E> { go() }");
    assert!(silent.contains(".on_return(|ret|shown(ret,true).__dd_display()).await"), "{silent}");
    let block = expansion("ret", "impl S { fn f() {} fn g() -> u8 { 1 } }");
    assert!(
        block.contains("fnf(){let_span=") && block.contains("shown(&ret,span.is_recorded()).__dd_display()"),
        "{block}"
    );
}

#[test]
fn a_tag_shares_the_cfg_of_its_argument() {
    let expanded = expansion("tags(a, b)", "fn f(#[cfg(x)] a: u8, b: u8) {}");
    let closure = r#"|tags|{#[cfg(x)]lettags=tags.tag("a",&a);lettags=tags.tag("b",&b);tags}"#;
    assert!(expanded.contains(closure), "{expanded}");
}

#[test]
fn the_runtime_may_go_by_another_path() {
    let expanded = expansion("crate = crate::deps::tracer", "fn f() {}");
    assert!(expanded.contains("crate::deps::tracer::macro_support::span(const{"), "{expanded}");
}

#[test]
fn fragments_of_macro_rules_are_looked_into() {
    let hide = |tokens: TokenStream| TokenTree::from(Group::new(Delimiter::None, tokens));
    let (vis, ret, body) = (hide(quote!(pub)), hide(quote!(Result<u8, E>)), hide(quote!({ go() })));
    let item = hide(quote!(#vis fn f() -> #ret #body));
    let expanded = compact(&traced(hide(quote!("op")).into(), item.into(), true).to_string());
    assert!(expanded.contains("letret=::dd_traced::macro_support::in_scope(||->"), "{expanded}");
    assert!(expanded.contains("{go()}"), "{expanded}");
}

#[test]
fn attributes_may_come_from_macro_rules_too() {
    let hide = |tokens: &str| TokenTree::from(Group::new(Delimiter::None, self::tokens(tokens)));
    let (skip, own, cfg) = (hide("traced(skip)"), hide("dd_traced::traced"), hide("cfg(x)"));
    let block = quote!(impl S { #[#skip] fn a() {} #[#own] fn b() {} fn c() {} });
    let expanded = compact(&traced(tokens(""), block, true).to_string());
    assert!(expanded.contains("fna(){}") && expanded.contains("fnb(){}"), "{expanded}");
    assert!(expanded.contains("fnc(){let_span"), "{expanded}");
    let function = quote!(fn f(#[#cfg] a: u8) {});
    let expanded = compact(&traced(tokens("tags(a)"), function, true).to_string());
    assert!(expanded.contains("#[cfg(x)]lettags=tags.tag"), "{expanded}");
}

#[test]
fn a_block_gives_its_arguments_to_its_functions() {
    let item = "impl Trait for Shop<u8> { const A: u8 = 1; fn a(&self) {} #[traced(skip)] fn b() {} \
                #[dd_traced::traced(\"own\")] fn c() {} const fn d() {} pub(crate) async fn e() {} }";
    let expected = r#"impl Trait for Shop<u8> {
        const A: u8 = 1;
        fn a(&self) {
            let _span = span(const { CallSite::function(module_path!(), "Shop.a").service("s") }).enter();
        }
        fn b() {}
        #[dd_traced::traced("own")] fn c() {}
        const fn d() {}
        pub(crate) async fn e() {
            return async_span(const { CallSite::function(module_path!(), "Shop.e").service("s") })
                .run(async move { if false { return; } }).await;
        }
    }"#;
    assert_eq!(expansion(r#"service = "s""#, item), compact(expected));
    let declared = expansion("err = \"display\"", "trait T { fn a(); fn b() {} fn c() -> Outcome { d() } }");
    assert!(declared.starts_with("traitT{fna();fnb(){let_span="), "{declared}");
    assert!(declared.contains("worded(&ret,span.is_recorded()).__dd_display()"), "{declared}");
}

#[test]
fn skipping_works_when_compiled_out() {
    let block = tokens("impl S { #[traced(skip)] fn f() {} fn g() {} }");
    assert_eq!(
        traced(tokens(""), block, false).to_string(),
        tokens("impl S { fn f() {} fn g() {} }").to_string()
    );
}

#[test]
fn compiled_out_the_item_is_untouched_and_the_arguments_are_checked() {
    let item = tokens("fn f(id: u8) -> Result<u8, E> { go(id) }");
    assert_eq!(traced(tokens("tags(id)"), item.clone(), false).to_string(), item.to_string());
    assert!(traced(tokens("tags(qty)"), item, false).to_string().contains("no argument named `qty`"));
}
