//! Decides which shape a function's expansion takes, and checks the arguments against the function.

use proc_macro2::TokenStream;

use crate::args::{Args, Argument, ErrMode};
use crate::block::Block;
use crate::diagnostics::Diagnostics;
use crate::function::{Function, Output};
use crate::parameters;
use crate::return_type::{is_result, nameable};
use crate::spelling::list;

/// How the span is put around the body.
pub(crate) enum Shape {
    /// A guard in front of the statements.
    Guard,
    /// A closure, from around which the returned value is seen.
    InScope { output: TokenStream },
    /// A future around the body of an `async fn`.
    Future { sees_return: bool },
}

/// The shape for `function`.
pub(crate) fn classify(function: &Function, args: &Args) -> Shape {
    let sees_return = sees_return(function, args);
    if function.is_async {
        return Shape::Future { sees_return };
    }
    match &function.output {
        // A closure would change what `Location::caller()` gives.
        Output::Value(written) if sees_return && !function.is_track_caller => {
            Shape::InScope { output: nameable(written.clone()) }
        }
        _ => Shape::Guard,
    }
}

fn sees_return(function: &Function, args: &Args) -> bool {
    match &function.output {
        _ if matches!(args.err, Some(ErrMode::Off)) => false,
        Output::Value(written) => args.errors_wanted_at().is_some() || is_result(written),
        Output::Unit | Output::Never => false,
    }
}

/// Reports arguments that do not fit the function.
pub(crate) fn check(function: &Function, args: &Args, diagnostics: &mut Diagnostics) {
    let Some(place) = args.errors_wanted_at() else { return };
    if !matches!(function.output, Output::Value(_)) {
        diagnostics.error(place, "`err` needs a function that returns a value");
    } else if function.is_track_caller && !function.is_async {
        let message = "`err` cannot be combined with `#[track_caller]`: it would change what `Location::caller()` gives";
        diagnostics.error(place, message);
    }
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
    for tag in &mut args.tags {
        let Some(root) = &tag.root else { continue };
        if let Some(parameter) = known.iter().find(|parameter| root == &parameter.name) {
            tag.cfg = parameter.cfg.clone();
        } else {
            let message = format!("no argument named `{root}`; this function has {names}");
            diagnostics.error(root.span(), message);
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
