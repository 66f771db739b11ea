//! `dd_log!`: a call of `log!` that carries the ids of the active span.

mod call;
mod placeholders;

use proc_macro2::{Ident, Span, TokenStream};

use self::call::Call;
use self::placeholders::{Rewritten, argument, rewrite};
use crate::diagnostics::Diagnostics;
use crate::tokens::generated;

/// The expansion; on an error, the diagnostics in a block, which is an expression of type `()`.
pub(crate) fn dd_log(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let call = Call::parse(tokens, &mut diagnostics);
    let rewritten = call.as_ref().map(|call| rewrite(&call.format, &mut diagnostics));
    match (call, rewritten) {
        (Some(call), Some(rewritten)) if diagnostics.is_empty() => expand(&call, rewritten),
        _ => {
            let errors = diagnostics.into_tokens();
            generated!({ #errors })
        }
    }
}

/// ```text
/// dd_log!(warn, "{} left", n)
/// log!(Level::Warn, "{}{}", log_prefix(), format_args!("{} left", n))
///
/// dd_log!(warn, "{} left in {dd.trace_id}", n)
/// log!(Level::Warn, "{} left in {__dd_trace_id}", n, __dd_trace_id = correlation().trace_id())
/// ```
///
/// All of it stands inside `log!`, which evaluates nothing when the level is off.
fn expand(call: &Call, rewritten: Option<Rewritten>) -> TokenStream {
    let Call { target, level, key_values, format, arguments } = call;
    let head = generated!(#target #level, #key_values);
    let Some(Rewritten { literal, fields }) = rewritten else {
        return generated! {
            ::dd_traced::macro_support::log::log!(
                #head "{}{}",
                ::dd_traced::macro_support::log_prefix(),
                ::dd_traced::macro_support::format_args!(#format, #arguments)
            )
        };
    };
    let ids = fields.iter().map(|field| {
        let (argument, method) = (argument(field), Ident::new(field, Span::mixed_site()));
        generated!(#argument = ::dd_traced::macro_support::correlation().#method())
    });
    generated!(::dd_traced::macro_support::log::log!(#head #literal, #arguments #(#ids),*))
}
