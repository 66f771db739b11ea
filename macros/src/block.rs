//! An `impl` block or a trait: taken apart into its items, each of which is looked at on its own.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;

use crate::body::{braces_like, inner_attributes_len};
use crate::item::Header;
use crate::tokens::{Angles, generics_len, is_group, is_ident, is_punct, last_segment, mentions, visible};

/// An `impl` block or a trait with its braces.
pub(crate) struct Block {
    head: TokenStream,
    body: Group,
    /// The name of the type or trait, for the default names of the spans.
    pub(crate) owner: Option<String>,
    /// `impl` or `trait`.
    pub(crate) keyword: String,
}

/// What a function in the block says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OwnAttribute {
    None,
    Traced,
    Skip,
}

impl Block {
    /// Finds the parts of `tokens`, whose keyword `header` has found.
    pub(crate) fn find(tokens: &[TokenTree], header: &Header) -> Option<Self> {
        let (last, head) = tokens.split_last()?;
        let TokenTree::Group(body) = last else { return None };
        if body.delimiter() != Delimiter::Brace {
            return None;
        }
        let keyword = head.get(header.keyword)?.to_string();
        let behind = head.get(header.keyword + 1..)?;
        let owner = if keyword == "trait" { behind.first().and_then(word) } else { self_type(behind) };
        Some(Self { head: head.iter().cloned().collect(), body: body.clone(), owner, keyword })
    }

    /// The block with each item that has no `#[traced]` of its own changed by `change`, where that gives something.
    pub(crate) fn map_items(
        &self,
        mut change: impl FnMut(TokenStream) -> Option<TokenStream>,
    ) -> TokenStream {
        let content: Vec<TokenTree> = self.body.stream().into_iter().collect();
        let (inner_attributes, items) = content.split_at(inner_attributes_len(&content));
        let mut body: TokenStream = inner_attributes.iter().cloned().collect();
        for item in split_items(items) {
            let (own, item) = own_attribute(visible(item.into_iter().collect()));
            let item: TokenStream = item.into_iter().collect();
            let changed = if own == OwnAttribute::None { change(item.clone()) } else { None };
            body.extend(changed.unwrap_or(item));
        }
        let mut tokens = self.head.clone();
        braces_like(&self.body, body).to_tokens(&mut tokens);
        tokens
    }
}

/// The name of the type in `impl<..> Type`, or in `impl<..> Trait for Type`.
fn self_type(behind_impl: &[TokenTree]) -> Option<String> {
    let rest = behind_impl.get(generics_len(behind_impl)..)?;
    let end = rest.iter().position(|token| is_ident(token, "where")).unwrap_or(rest.len());
    let mut start = 0;
    for (index, token) in rest[..end].iter().enumerate() {
        let binds_lifetimes = rest.get(index + 1).is_some_and(|next| is_punct(next, '<'));
        if is_ident(token, "for") && !binds_lifetimes {
            start = index + 1;
        }
    }
    type_name(&rest[start..end])
}

/// The last segment of a path; of `dyn A + B`, that of `A`.
fn type_name(tokens: &[TokenTree]) -> Option<String> {
    if let [TokenTree::Group(group)] = tokens {
        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
        let is_one_type = group.delimiter() == Delimiter::None
            || group.delimiter() == Delimiter::Parenthesis
                && !inside.iter().any(|token| is_punct(token, ','));
        return if is_one_type { type_name(&inside) } else { None };
    }
    let mut angles = Angles::default();
    let ends = |token: &TokenTree| {
        angles.step(token);
        is_punct(token, '+') && angles.is_outside()
    };
    let end = tokens.iter().position(ends).unwrap_or(tokens.len());
    last_segment(&tokens[..end])
}

fn word(token: &TokenTree) -> Option<String> {
    last_segment(std::slice::from_ref(token))
}

/// The items between the braces, each with its attributes.
fn split_items(body: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    let mut items = Vec::new();
    let mut item: Vec<TokenTree> = Vec::new();
    let mut angles = Angles::default();
    for token in body {
        angles.step(token);
        item.push(token.clone());
        if ends_item(&item, &angles) {
            items.push(std::mem::take(&mut item));
            angles = Angles::default();
        }
    }
    items.push(item);
    items
}

/// Whether the last token ends the item: a semicolon, or braces that are not the value of a constant. Either may end a fragment
/// of `macro_rules`: a `$body:block`, or an `$item:item` as a whole.
fn ends_item(item: &[TokenTree], angles: &Angles) -> bool {
    let Some(last) = item.last().and_then(visible_end) else { return false };
    if is_punct(&last, ';') {
        return true;
    }
    let has_value =
        item.iter().any(|token| is_punct(token, '=')) && !item.iter().any(|token| is_ident(token, "fn"));
    is_group(&last, Delimiter::Brace) && angles.is_outside() && !has_value
}

/// The token, or the last one of the invisible group that it is.
fn visible_end(token: &TokenTree) -> Option<TokenTree> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            visible(group.stream()).last().and_then(visible_end)
        }
        token => Some(token.clone()),
    }
}

/// The item's own `#[traced]`, if it has one; `#[traced(skip)]` is taken away.
fn own_attribute(mut item: Vec<TokenTree>) -> (OwnAttribute, Vec<TokenTree>) {
    let mut at = 0;
    while let [hash, TokenTree::Group(attribute), ..] = &item[at..] {
        if !is_punct(hash, '#') {
            break;
        }
        let inside = visible(attribute.stream());
        let path_len = inside.iter().take_while(|token| !matches!(token, TokenTree::Group(_))).count();
        let name = last_segment(&inside[..path_len]);
        if name.as_deref() == Some("cfg_attr") && mentions(attribute.stream(), "traced") {
            return (OwnAttribute::Traced, item);
        }
        if name.as_deref() == Some("traced") {
            if matches!(inside.get(path_len), Some(TokenTree::Group(arguments)) if is_skip(arguments)) {
                item.drain(at..at + 2);
                return (OwnAttribute::Skip, item);
            }
            return (OwnAttribute::Traced, item);
        }
        at += 2;
    }
    (OwnAttribute::None, item)
}

/// `skip`, perhaps with a comma.
fn is_skip(arguments: &Group) -> bool {
    let arguments: Vec<TokenTree> = arguments.stream().into_iter().collect();
    match &arguments[..] {
        [skip] => is_ident(skip, "skip"),
        [skip, comma] => is_ident(skip, "skip") && is_punct(comma, ','),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;

    fn block(source: &str) -> Block {
        match Item::find(source.parse().unwrap()) {
            Item::Block(block) => block,
            _ => panic!("not a block: {source}"),
        }
    }

    #[test]
    fn the_owner_is_the_type_that_is_implemented() {
        let owner = |source| block(source).owner;
        assert_eq!(owner("impl Shop {}").as_deref(), Some("Shop"));
        assert_eq!(
            owner("unsafe impl<T: Fn(u8) -> u8> a::Trait<T> for &'a mut b::Shop<T> where T: X {}").as_deref(),
            Some("Shop")
        );
        assert_eq!(owner("impl<F> Trait for F where for<'a> F: Fn(&'a u8) {}").as_deref(), Some("F"));
        assert_eq!(owner("pub trait Repository<T>: Send {}").as_deref(), Some("Repository"));
        assert_eq!(owner("impl Trait for [u8] {}"), None);
        assert_eq!(owner("impl Trait for (A, B) {}"), None);
        assert_eq!(owner("impl r#Type {}").as_deref(), Some("Type"));
        assert_eq!(owner("trait r#Trait {}").as_deref(), Some("Trait"));
        assert_eq!(owner("impl T for dyn a::A<dyn B + C> + Send + 'static {}").as_deref(), Some("A"));
        assert_eq!(owner("impl T for (dyn A + Send) {}").as_deref(), Some("A"));
    }

    #[test]
    fn inner_attributes_stay_at_the_start_and_are_no_part_of_an_item() {
        let mut seen = Vec::new();
        let block =
            block("impl S { #![doc = \"a\"] #![allow(dead_code)] #[traced(skip)] fn f() {} fn g() {} }");
        let mapped = block.map_items(|item| {
            seen.push(item.to_string());
            None
        });
        assert!(matches!(&seen[..], [only, ..] if only.starts_with("fn g")), "{seen:?}");
        let text = mapped.to_string().replace(' ', "");
        assert_eq!(text, r#"implS{#![doc="a"]#![allow(dead_code)]fnf(){}fng(){}}"#);
    }

    #[test]
    fn an_attribute_of_its_own_is_found() {
        let own = |source: &str| own_attribute(visible(source.parse().unwrap())).0;
        assert_eq!(own("#[inline] #[traced(skip,)] fn f() {}"), OwnAttribute::Skip);
        assert_eq!(own("#[dd_traced::traced(skip)] fn f() {}"), OwnAttribute::Skip);
        assert_eq!(own("#[traced(tags(skip))] fn f() {}"), OwnAttribute::Traced);
        assert_eq!(own("#[cfg_attr(unix, traced(ret))] fn f() {}"), OwnAttribute::Traced);
        assert_eq!(own("#[cfg_attr(unix, inline)] fn f() {}"), OwnAttribute::None);
    }

    #[test]
    fn fragments_of_macro_rules_end_items() {
        let fragment = |source: &str| Group::new(Delimiter::None, source.parse().unwrap());
        let (vis, body) = (fragment("pub"), fragment("{ 1 }"));
        let (first, second) = (fragment("#[traced] fn c() {}"), fragment("type D = u8;"));
        let content: Vec<TokenTree> =
            quote::quote!(#vis fn a() #body #vis fn b() #body #first #second fn e() {}).into_iter().collect();
        let items: Vec<OwnAttribute> = split_items(&content)
            .into_iter()
            .filter(|item| !item.is_empty())
            .map(|item| own_attribute(visible(item.into_iter().collect())).0)
            .collect();
        let (own, plain) = (OwnAttribute::Traced, OwnAttribute::None);
        assert_eq!(items, [plain, plain, own, plain, plain]);
    }

    #[test]
    fn items_end_where_the_compiler_ends_them() {
        let source = "impl S { const A: B<{ 1 }> = { 2 }; fn f() -> C<{ 3 }> where D: E { 4 } m! { 5 } type G = H; \
                      #[a] pub async fn g(); m!(6); fn h(x: fn() -> u8) {} }";
        let content: Vec<TokenTree> = block(source).body.stream().into_iter().collect();
        let items: Vec<String> = split_items(&content)
            .into_iter()
            .map(|item| item.into_iter().collect::<TokenStream>().to_string())
            .collect();
        assert_eq!(items.len(), 8, "{items:#?}");
        assert!(items[1].ends_with("{ 4 }") && items[2].ends_with("{ 5 }"), "{items:#?}");
    }
}
