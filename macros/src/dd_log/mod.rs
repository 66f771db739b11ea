//! `dd_log!` and `dd_format!`: a call of `log!` or `format!` that carries the ids of the active span.

mod call;
mod placeholders;

use proc_macro2::{Ident, Span, TokenStream};

use self::call::{Call, Message};
use self::placeholders::{Rewritten, argument, rewrite};
use crate::diagnostics::Diagnostics;
use crate::tokens::generated;

/// The expansion; on an error, the diagnostics in a block, which is an expression of type `()`.
///
/// ```text
/// dd_log!(warn, "{} left", n)
/// log!(Level::Warn, "{}{}", log_prefix(), format_args!("{} left", n))
///
/// dd_log!(warn, "{} left in {dd.trace_id}", n)
/// log!(Level::Warn, "{} left in {__dd_trace_id}", n, __dd_trace_id = correlation().trace_id())
/// ```
///
/// All of it stands inside `log!`, which evaluates nothing when the level is off. Where tracing is compiled out, there is no prefix.
pub(crate) fn dd_log(tokens: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let call = Call::parse(tokens, &mut diagnostics);
    let text = call.as_ref().map(|call| text(&call.message, enabled, &mut diagnostics));
    match (call, text) {
        (Some(Call { target, level, key_values, .. }), Some(text)) if diagnostics.is_empty() => {
            generated!(::dd_traced::macro_support::log::log!(#target #level, #key_values #text))
        }
        _ => {
            let errors = diagnostics.into_tokens();
            generated!({ #errors })
        }
    }
}

/// The expansion; on an error, the diagnostics in a block of any type.
///
/// ```text
/// dd_format!("{} left", n)
/// format!("{}{}", log_prefix(), format_args!("{} left", n))
/// ```
pub(crate) fn dd_format(tokens: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let message = Message::parse(tokens, &mut diagnostics);
    let text = message.map(|message| text(&message, enabled, &mut diagnostics));
    match text {
        Some(text) if diagnostics.is_empty() => generated!(::dd_traced::macro_support::format!(#text)),
        _ => {
            let errors = diagnostics.into_tokens();
            generated!({
                #errors
                ::dd_traced::macro_support::returns()
            })
        }
    }
}

/// Format string and arguments, with the ids.
fn text(message: &Message, enabled: bool, diagnostics: &mut Diagnostics) -> TokenStream {
    let Message { format, arguments } = message;
    if let Some(Rewritten { literal, fields }) = rewrite(format, diagnostics) {
        let ids = fields.iter().map(|field| {
            let (argument, method) = (argument(field), Ident::new(field, Span::mixed_site()));
            generated!(#argument = ::dd_traced::macro_support::correlation().#method())
        });
        return generated!(#literal, #arguments #(#ids),*);
    }
    if !enabled {
        return generated!(#format, #arguments);
    }
    generated! {
        "{}{}",
        ::dd_traced::macro_support::log_prefix(),
        ::dd_traced::macro_support::format_args!(#format, #arguments)
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn compact(tokens: &TokenStream) -> String {
        tokens.to_string().replace(char::is_whitespace, "").replace("::dd_traced::macro_support::", "")
    }

    #[test]
    fn a_line_and_a_text_are_made_alike() {
        let line = dd_log(quote!(warn, target: "t", a = 1; "{}", n), true);
        assert_eq!(
            compact(&line),
            r#"log::log!(target:"t",log::Level::Warn,a=1;"{}{}",log_prefix(),format_args!("{}",n,))"#
        );
        let text = dd_format(quote!("{}", n), true);
        assert_eq!(compact(&text), r#"format!("{}{}",log_prefix(),format_args!("{}",n,))"#);
        let text = dd_format(quote!("{n} {dd.span_id:>4}"), true);
        assert_eq!(compact(&text), r#"format!("{n}{__dd_span_id:>4}",__dd_span_id=correlation().span_id())"#);
    }

    #[test]
    fn compiled_out_they_are_plain_calls() {
        assert_eq!(compact(&dd_log(quote!("{}", n), false)), r#"log::log!(log::Level::Info,"{}",n,)"#);
        assert_eq!(compact(&dd_format(quote!("{}", n), false)), r#"format!("{}",n,)"#);
        let placed = dd_format(quote!("{dd.span_id}"), false);
        assert!(compact(&placed).contains("__dd_span_id=correlation().span_id()"));
    }
}
