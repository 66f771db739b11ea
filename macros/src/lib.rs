//! The macros of `dd-traced`: [`macro@traced`], [`dd_log!`] and [`dd_format!`]. Use them through that crate, which re-exports them.
//!
//! An attribute goes through three steps, each of them a module: its arguments are parsed (`args`), the function is
//! looked at as token trees and given a shape (`item`, `function`, `classify`), and the shape is written (`expand`).
//! The body of a function is never parsed: new syntax works on the day the compiler has it, and half a statement comes
//! out as it went in.
#![forbid(unsafe_code)]

mod args;
mod block;
mod body;
mod classify;
mod dd_log;
mod diagnostics;
mod expand;
mod function;
mod future_type;
mod item;
mod parameters;
mod return_type;
mod span;
mod spelling;
mod tokens;
mod traced;

use proc_macro::TokenStream;

/// Makes each call of a function a span.
///
/// ```
/// use dd_traced::traced;
///
/// #[traced]
/// fn area(w: u32, h: u32) -> u32 {
///     w * h
/// }
///
/// #[traced("order.place", service = "shop", tags(order.items = items.len(), %user))]
/// async fn place_order(items: &[u32], user: String) -> Result<u32, std::fmt::Error> {
///     items.iter().copied().max().ok_or(std::fmt::Error)
/// }
/// # area(2, 3);
/// # drop(place_order(&[1], String::new()));
/// ```
///
/// The function stays as it is written: signature, attributes, errors and lints. A panic marks its span as failed, and so
/// does an `Err`, in the words of its `Display`, else of its `Debug`, else by its type alone; the type needs neither.
/// Nothing else is recorded unless it is asked for. Where tracing is compiled out, the arguments are checked
/// and the function is left alone: a constant, an import or an argument of the function that only the attribute uses is then unused,
/// and the compiler warns of it. A library that is built both ways gives it a second use, such as `let _ = id;`.
///
/// A few lints cannot see through the generated code: `unused_async` and `manual_async_fn` stay silent on an annotated function, and, where
/// it can fail or is a future, so do `needless_return`, `unnecessary_wraps` and `unconditional_recursion`.
///
/// # Futures
///
/// The span of an `async fn` starts at the first poll, is active during each poll, and ends when the future is ready or dropped;
/// a future that is never polled has none. The same holds for a function that returns a future in one of these forms:
///
/// - `impl Future<Output = R>`, also with `Send`, `Sync`, `Unpin` and lifetimes,
/// - `Pin<Box<dyn Future<Output = R>>>`, with the same,
/// - `BoxFuture<'_, R>` and `LocalBoxFuture<'_, R>`.
///
/// What such a function does before it returns runs at once, outside of the span; with tags, those are taken then. Any other type with a future in it, such as a pair
/// or a type with a name, gets a span around the call. With `#[async_trait]`, `#[traced]` may stand on either side, or
/// inside on the method.
///
/// ```
/// # use dd_traced::traced;
/// # use std::future::Future;
/// #[traced(tags(id))]
/// fn load(id: u64) -> impl Future<Output = Result<String, std::fmt::Error>> + Send {
///     let key = format!("user:{id}");
///     async move { Ok(key) }
/// }
/// # drop(load(1));
/// ```
///
/// Each function adds types to the future of whoever awaits it: beyond thirteen annotated functions that await one another, with no `Box` or task in between, the
/// compiler asks for `#![recursion_limit = "256"]` in the crate, as it does beyond some thirty plain ones.
///
/// # Arguments
///
/// ```text
/// #[traced]   #[traced("name")]   #[traced(ARG, ...)]
///
/// ARG   = name = EXPR | service = EXPR | resource = EXPR | span_type = EXPR | type = EXPR
///       | kind = "internal" | "server" | "client" | "producer" | "consumer"
///       | measured [= BOOL] | root [= BOOL] | parent = EXPR | links(EXPR, ...)
///       | tags(TAG, ...)
///       | err = BOOL | err = "display" | err = "debug" | err(FUNCTION)
///       | ret | ret = "debug"
///       | crate = PATH
/// TAG   = PLACE | ?PLACE | %PLACE | KEY = EXPR | KEY = ?EXPR | KEY = %EXPR
/// PLACE = an argument, or a field of one or of `self`: user.id, self.shard
/// KEY   = dotted words: http.method, or a string: "http.status_code"
/// ```
///
/// | argument | meaning | without it |
/// |---|---|---|
/// | `name` | operation name: a literal or a constant; may stand first without `name =` | module path and function, `crate.module.function` |
/// | `service` | service | the parent's, else the tracer's |
/// | `resource` | resource | the name |
/// | `span_type`, `type` | `web`, `sql`, `cache`, `worker`, ...: free text | none |
/// | `kind` | the tag `span.kind` | none |
/// | `measured` | gives the span trace metrics of its own | off |
/// | `root` | begins a new trace; not beside `parent` | off |
/// | `parent` | the parent: a `SpanContext` or a `Span`, perhaps in an `Option` | the active span |
/// | `links` | other spans this one is linked to, each named like a parent | none |
/// | `tags` | tags from arguments and expressions | none |
/// | `err` | how an `Err` is described; `false` leaves it out; `true` looks for it whatever the type is called; a function maps `&Ret` to an `Option` of an error, which it may borrow | by type |
/// | `ret` | records the returned value as the tag `return`, by its `Display` or `Debug` text; of a `Result` the `Ok` | off |
/// | `crate` | path of the runtime crate, for re-exports | `::dd_traced` |
///
/// Expressions see the arguments and `self`. They run before the body, and only when the span is recorded; places are
/// borrowed, so the body still has them. Numbers become metrics; `str`, `String`, `char`, `bool`, `Cow<str>` and a `str` in a `Box`, `Rc`
/// or `Arc` become tags; so do references to any of these, and an `Option` of one that is not `None`. A list of them becomes a tag for each value,
/// `key.0`, `key.1`, and so on. Of everything else `?` takes the `Debug` text and `%` the `Display` text. A key without quotes that is a known misspelling of a common one, such as `http.status`, is an error;
/// in quotes every key is taken as it is written. Keys that say more than a tag, such as `error` and `http.status_code`, are read as `Span::set_tag` reads them. Text in quotes is never interpolated: `resource = "GET /users/{id}"` is a
/// route, as it should be.
///
/// ```
/// # use dd_traced::traced;
/// # struct Shop { shard: u8 }
/// impl Shop {
///     #[traced(
///         resource = format!("{method} {path}"),
///         type = "web",
///         kind = "server",
///         tags(self.shard, http.method = method, "http.status_code" = 200),
///         err(|status| (*status >= 500).then_some("server error")),
///     )]
///     fn answer(&self, method: &str, path: &str) -> u16 {
///         503
///     }
/// }
/// # Shop { shard: 1 }.answer("GET", "/");
/// ```
///
/// A parent is for work that is handed over, to another thread or through a queue:
///
/// ```
/// # use dd_traced::{SpanContext, traced};
/// #[traced(parent = submitted_by)]
/// fn work(submitted_by: SpanContext) {}
///
/// #[traced(root, links(first, last))]
/// fn run_batch(first: &SpanContext, last: Option<&SpanContext>) {}
///
/// let submitter = dd_traced::span("job.submit").start();
/// let context = submitter.context();
/// std::thread::spawn(move || work(context));
/// # run_batch(&submitter.context(), None);
/// ```
///
/// A crate that passes the attribute on to its own users names the path at which they find the runtime:
///
/// ```
/// mod facade {
///     pub use dd_traced;
/// }
///
/// #[dd_traced::traced(crate = facade::dd_traced)]
/// fn area(w: u32, h: u32) -> u32 {
///     w * h
/// }
/// # area(2, 3);
/// ```
///
/// # Which errors are seen
///
/// The tags of an error are `error.type`, the name of its type; `error.message`, its text; and `error.stack`, the chain of its
/// sources, which a `Box<dyn Error>` has too, or its `Debug` text where that has several lines.
///
/// Of a panic no more is known than that it was one. A panic hook knows the words, and what it writes stays:
///
/// ```no_run
/// let hook = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |panic| {
///     dd_traced::active_span().set_tag("error.message", panic.to_string());
///     hook(panic);
/// }));
/// ```
///
/// An `Err` is looked for when the name of the return type, or that of the future's output, ends in `Result`, or when `err` is
/// written: an alias such as `Outcome<T>` needs `err = true`, or a description such as `err = "display"`. Under `#[track_caller]` no `Err` of a function that is
/// not `async` is looked for, because the body would then have another caller.
///
/// Arguments that a fallible or asynchronous body takes by value are dropped before the others; everything else is dropped
/// in the order it has without the attribute.
///
/// # Blocks and traits
///
/// On an `impl` block or a trait, the arguments go to each function with a body; `name` and `resource`, which all would share, are
/// refused there. `ret` and `err` are for those that return a value; one of these that is `#[track_caller]` needs a `#[traced]` of its own. A `const fn` is passed over, so is a
/// function with `#[traced(skip)]`; one with a `#[traced]` of its own has only that, also where a `cfg_attr` holds it, whether or
/// not its condition does. The default name gains the type:
/// `crate.module.Type.function`.
///
/// ```
/// # use dd_traced::traced;
/// # struct Cache;
/// #[traced(service = "cache")]
/// impl Cache {
///     fn read(&self) {}
///
///     #[traced(skip)]
///     fn len(&self) -> usize {
///         0
///     }
/// }
/// # Cache.read(); Cache.len();
/// ```
#[proc_macro_attribute]
pub fn traced(args: TokenStream, item: TokenStream) -> TokenStream {
    traced::traced(args.into(), item.into(), cfg!(feature = "enable")).into()
}

/// Logs a line, through the `log` crate, that carries the ids of the active span.
///
/// ```
/// # use dd_traced::dd_log;
/// # let (items, user) = (3, "ada");
/// dd_log!("placing an order");
/// dd_log!(warn, "{items} items are a lot");
/// dd_log!(error, target: "orders", user = user; "cannot place {}", items);
/// dd_log!(debug, "trace {dd.trace_id}, span {dd.span_id:>20}, user {user}");
/// ```
///
/// ```text
/// dd_log!([LEVEL,] [target: EXPR,] [KEY_VALUE, ... ;] FORMAT [, ARGUMENTS])
///
/// LEVEL     = error | warn | info | debug | trace | an expression of type log::Level     without it: info
/// KEY_VALUE = key = value | key:? = value | key:% = value | "quoted.key" = value          as in the log crate
/// FORMAT    = a string literal, or a macro that gives one
/// ```
///
/// The line starts with `[dd.service=... dd.env=... dd.version=... dd.trace_id=... dd.span_id=...] `, without what is unset,
/// and with `0` for both ids where no span is active. A format with a placeholder has no such start:
/// `{dd.trace_id}`, `{dd.span_id}`, `{dd.service}`, `{dd.env}` and `{dd.version}` stand where they are written, with the usual
/// specs behind a colon. They are found in a literal alone, not in what `concat!` gives. Everything else in the format is that of
/// [`format_args!`].
///
/// The start is left out where `DD_LOGS_INJECTION` is off, and by a logger that brings the ids itself (`CorrelatedLogger`,
/// `CorrelatedFormat`, `CorrelatedDrain`). Where tracing is compiled out, this is a plain call of `log!`, and
/// placeholders give what they give without a span.
///
/// The macro names the runtime as `::dd_traced`; it has no counterpart to the `crate = PATH` of [`macro@traced`].
///
/// When the level is off, nothing is evaluated. File, line and module are the caller's. A single word that is nearly one of the five
/// levels, or what another logger calls its own, is taken for a misspelling: a variable of such a name goes into parentheses,
/// `(warning)`.
#[proc_macro]
pub fn dd_log(tokens: TokenStream) -> TokenStream {
    dd_log::dd_log(tokens.into(), cfg!(feature = "enable")).into()
}

/// Formats a text that carries the ids of the active span: what [`dd_log!`] logs, as a `String`, for those who log by other
/// means.
///
/// ```
/// # use dd_traced::dd_format;
/// # let user = "ada";
/// let line = dd_format!("no order of {user}");
/// assert_eq!(line, "[dd.trace_id=0 dd.span_id=0] no order of ada");
/// let line = dd_format!("span {dd.span_id:>4}: no order of {}", user);
/// assert_eq!(line, "span    0: no order of ada");
/// ```
///
/// ```text
/// dd_format!(FORMAT [, ARGUMENTS])
/// ```
///
/// Placeholders, and the start of a text that has none, are those of [`dd_log!`]. Where tracing is compiled out, this is
/// [`format!`], and placeholders give what they give without a span.
#[proc_macro]
pub fn dd_format(tokens: TokenStream) -> TokenStream {
    dd_log::dd_format(tokens.into(), cfg!(feature = "enable")).into()
}
