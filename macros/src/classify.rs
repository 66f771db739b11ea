//! Decides which shape a function's expansion takes, and checks the arguments against the function.

use proc_macro2::Span;

use crate::args::{Args, Argument, ErrMode};
use crate::block::Block;
use crate::body::SoleFuture;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, Output};
use crate::parameters;
use crate::return_type::is_result;
use crate::spelling::list;

/// How the span is put around the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// A guard in front of the statements.
    Guard,
    /// A closure, from around which the returned value is seen.
    InScope,
    /// A future around the body of an `async fn`.
    Async,
    /// A future around the one that the function returns.
    Returned { is_boxed: bool },
}

/// The shape for `function`.
pub(crate) fn classify(function: &Function, args: &Args) -> Shape {
    if function.is_async {
        return Shape::Async;
    }
    match &function.future {
        Some(future) if !keeps_caller(function) => Shape::Returned { is_boxed: future.is_boxed },
        None if !keeps_caller(function) && looks(function, args) => Shape::InScope,
        _ => Shape::Guard,
    }
}

/// Whether the returned value is looked at.
pub(crate) fn looks(function: &Function, args: &Args) -> bool {
    sees_errors(function, args) || sees_value(function, args)
}

/// Whether the body must stay where it is: a closure would change what `Location::caller()` gives. An `async` block is
/// no part of the function anyway.
fn keeps_caller(function: &Function) -> bool {
    let is_async =
        function.is_async || function.future.is_some() && SoleFuture::find(&function.body).is_some();
    function.is_track_caller && !is_async
}

/// Whether the returned value is recorded.
pub(crate) fn sees_value(function: &Function, args: &Args) -> bool {
    args.ret.is_some() && matches!(function.result(), Output::Value(_))
}

/// Whether an error is looked for in the returned value.
pub(crate) fn sees_errors(function: &Function, args: &Args) -> bool {
    match function.result() {
        _ if matches!(args.err, Some(ErrMode::Off)) => false,
        Output::Value(written) => args.errors_wanted_at().is_some() || is_result(written),
        Output::Unit | Output::Never => false,
    }
}

/// Reports arguments that do not fit the function.
pub(crate) fn check(function: &Function, args: &Args, diagnostics: &mut Diagnostics) {
    for (place, name) in wanted(args) {
        if !matches!(function.result(), Output::Value(_)) {
            diagnostics.error(place, format!("`{name}` needs a function that returns a value"));
        } else if keeps_caller(function) {
            diagnostics.error(place, moves_caller(name));
        }
    }
}

/// Reports arguments of a block that do not fit one of its functions. Those that return nothing are passed over.
pub(crate) fn check_member(function: &Function, args: &Args, diagnostics: &mut Diagnostics) {
    if !matches!(function.result(), Output::Value(_)) || !keeps_caller(function) {
        return;
    }
    for (_, name) in wanted(args) {
        let message = format!("{}; `{}` needs a `#[traced]` of its own", moves_caller(name), function.name);
        diagnostics.error(function.name.span(), message);
    }
}

/// The arguments that look at the returned value, and where they are written.
fn wanted(args: &Args) -> impl Iterator<Item = (Span, &'static str)> {
    let (err, ret) = (args.errors_wanted_at(), args.written_at(Argument::Ret));
    err.map(|place| (place, "err")).into_iter().chain(ret.map(|place| (place, "ret")))
}

fn moves_caller(name: &str) -> String {
    format!(
        "`{name}` cannot be combined with `#[track_caller]`: it would change what `Location::caller()` gives"
    )
}

/// Reports tags of arguments that the function does not have, and gives each other one the `cfg` of its argument.
pub(crate) fn bind_tags(function: &Function, args: &mut Args, diagnostics: &mut Diagnostics) {
    if args.tags.iter().all(|tag| tag.root.is_none()) {
        return;
    }
    let known = parameters::names(&function.parameters);
    let names = match &known[..] {
        [] => "no arguments".to_owned(),
        known => list(known.iter().map(|parameter| parameter.name.as_str())),
    };
    let whose =
        if function.owner.is_some() { format!("`{}`", function.name) } else { "this function".to_owned() };
    for tag in &mut args.tags {
        let Some(root) = &tag.root else { continue };
        if let Some(parameter) = known.iter().find(|parameter| root == &parameter.name) {
            tag.cfg = parameter.cfg.clone();
        } else {
            let message = format!("no argument named `{root}`; {whose} has {names}");
            diagnostics.error(root.span(), message);
            // Said once, also on a block of many functions.
            tag.root = None;
        }
    }
}

/// Reports arguments that would be the same for every function of a block.
pub(crate) fn check_block(block: &Block, args: &Args, diagnostics: &mut Diagnostics) {
    for (argument, spelling) in [(Argument::Name, "name"), (Argument::Resource, "resource")] {
        if let Some(place) = args.written_at(argument) {
            let what = if block.keyword == "impl" { "an `impl` block" } else { "a trait" };
            let message =
                format!("`{spelling}` cannot be used on {what}: all functions would share it; annotate each");
            diagnostics.error(place, message);
        }
    }
}
