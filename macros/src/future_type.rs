//! Return types that are futures, told by their tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::function::Output;
use crate::tokens::{Segment, generated, is_ident, is_punct, split_at, visible};

/// A return type whose place the wrapper of a future can take.
pub(crate) struct FutureType {
    /// Whether it is a pinned box with a future.
    pub(crate) is_boxed: bool,
    /// What the future gives.
    pub(crate) output: Output,
}

/// Traits that the wrapper has whenever the future inside has them.
const KEPT: [&str; 3] = ["Send", "Sync", "Unpin"];

impl FutureType {
    /// From `impl Future<..>`, `Pin<Box<dyn Future<..>>>` or `BoxFuture<..>`; `None` for everything else, also for a future
    /// that promises a trait its wrapper does not have.
    pub(crate) fn find(written: &[TokenTree]) -> Option<Self> {
        if let [keyword, bounds @ ..] = written {
            if is_ident(keyword, "impl") {
                return Some(Self { is_boxed: false, output: output_among(bounds)? });
            }
        }
        let path = Segment::last_of(written)?;
        let output = match path.name.as_str() {
            "BoxFuture" | "LocalBoxFuture" => match path.types() {
                [] => return None,
                [output] => Output::of(output.iter().cloned().collect()),
                // An alias of somebody's own.
                _ => unknown(),
            },
            "Pin" => {
                let boxed = Segment::last_of(path.types().first()?)?;
                boxed_output(boxed.types().first().filter(|_| boxed.name == "Box")?)?
            }
            _ => return None,
        };
        Some(Self { is_boxed: true, output })
    }
}

/// From `dyn Future<..>` or `impl Future<..>`, perhaps in parentheses.
fn boxed_output(written: &[TokenTree]) -> Option<Output> {
    match &visible(written.iter().cloned().collect())[..] {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            boxed_output(&visible(group.stream()))
        }
        [keyword, bounds @ ..] if is_ident(keyword, "dyn") || is_ident(keyword, "impl") => {
            output_among(bounds)
        }
        _ => None,
    }
}

/// What the future among `A + B + 'c` gives; `None` where there is none, or a bound that the wrapper does not keep.
fn output_among(bounds: &[TokenTree]) -> Option<Output> {
    let mut output = None;
    for bound in split_at('+', bounds.iter().cloned().collect()) {
        if bound.first().is_some_and(|first| is_punct(first, '\'') || is_ident(first, "use")) {
            continue;
        }
        let path = Segment::last_of(&bound)?;
        if path.name == "Future" {
            output = Some(match &path.arguments[..] {
                [] => unknown(),
                arguments => Output::of(arguments.iter().find_map(|argument| assigned(argument))?),
            });
        } else if !KEPT.contains(&path.name.as_str()) {
            return None;
        }
    }
    output
}

/// A type that is not written; it is left to inference.
fn unknown() -> Output {
    Output::Value(generated!(_))
}

/// `R` of `Output = R`.
fn assigned(argument: &[TokenTree]) -> Option<TokenStream> {
    match argument {
        [name, equals, rest @ ..] if is_ident(name, "Output") && is_punct(equals, '=') => {
            Some(rest.iter().cloned().collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(source: &str) -> Option<(bool, String)> {
        let future = FutureType::find(&visible(source.parse().unwrap()))?;
        let output = match future.output {
            Output::Unit => "()".to_owned(),
            Output::Never => "!".to_owned(),
            Output::Value(written) => written.to_string().replace(' ', ""),
        };
        Some((future.is_boxed, output))
    }

    #[test]
    fn futures_are_known_by_what_is_written() {
        for (source, is_boxed, expected) in [
            ("impl Future<Output = Result<u8, E>> + Send + 'a + use<'a, T>", false, "Result<u8,E>"),
            ("impl Send + ::core::future::Future<Output = ()>", false, "()"),
            ("impl Future<Output = !>", false, "!"),
            ("impl Future + Unpin", false, "_"),
            ("Pin<Box<dyn Future<Output = Vec<Vec<u8>>> + Send + 'static>>", true, "Vec<Vec<u8>>"),
            ("::core::pin::Pin<::std::boxed::Box<(dyn Future<Output = A> + Sync)>>", true, "A"),
            ("Pin<Box<impl Future<Output = fn() -> A>>>", true, "fn()->A"),
            ("BoxFuture<'_, Result<A, B>>", true, "Result<A,B>"),
            ("futures::future::LocalBoxFuture<'static, ()>", true, "()"),
            ("BoxFuture<A, B>", true, "_"),
        ] {
            assert_eq!(output(source), Some((is_boxed, expected.to_owned())), "{source}");
        }
    }

    #[test]
    fn what_the_wrapper_cannot_stand_for_is_no_future() {
        for source in [
            "u8",
            "Ready<u8>",
            "(impl Future<Output = A>, B)",
            "Option<impl Future<Output = A>>",
            "Box<dyn Future<Output = A> + Unpin>",
            "Pin<Box<dyn Stream<Item = A>>>",
            "Pin<&mut dyn Future<Output = A>>",
            "Pin<Arc<dyn Future<Output = A>>>",
            "impl Future<Output = A> + Clone",
            "impl Fn() -> A",
            "&'a dyn Future<Output = A>",
            "BoxFuture",
            "impl Future<Item = A, Error = B>",
        ] {
            assert_eq!(output(source), None, "{source}");
        }
    }
}
