//! Log lines.
use dd_traced::dd_log;
/// A line that starts with the ids.
pub fn prefix(items: usize) {
    {
        {
            let lvl = ::dd_traced::macro_support::log::Level::Warn;
            if lvl <= ::log::STATIC_MAX_LEVEL && lvl <= ::log::max_level() {
                ::log::__private_api::log(
                    { ::log::__private_api::GlobalLogger },
                    format_args!("{1} items are a lot, {0} would do", items / 2, items,),
                    lvl,
                    &("shop::lines", "shop::lines", ::log::__private_api::loc()),
                    (),
                );
            }
        }
    };
}
/// A line with the ids where they are wanted.
pub fn placeholders(items: usize) {
    {
        {
            let lvl = ::dd_traced::macro_support::log::Level::Info;
            if lvl <= ::log::STATIC_MAX_LEVEL && lvl <= ::log::max_level() {
                ::log::__private_api::log(
                    { ::log::__private_api::GlobalLogger },
                    format_args!(
                        "{2} items in {0}, span {1:>20}",
                        ::dd_traced::macro_support::correlation().trace_id(),
                        ::dd_traced::macro_support::correlation().span_id(), items,
                    ),
                    lvl,
                    &("shop::lines", "shop::lines", ::log::__private_api::loc()),
                    (),
                );
            }
        }
    };
}
/// Target and key-values.
pub fn structured(user: &str) {
    {
        {
            let lvl = ::dd_traced::macro_support::log::Level::Error;
            if lvl <= ::log::STATIC_MAX_LEVEL && lvl <= ::log::max_level() {
                ::log::__private_api::log(
                    { ::log::__private_api::GlobalLogger },
                    format_args!("no order"),
                    lvl,
                    &("orders", "shop::lines", ::log::__private_api::loc()),
                    &[
                        (
                            ::log::__private_api::Key::from_str_static("user"),
                            ::log::__private_api::capture_to_value(&&user),
                        ),
                    ] as &[_],
                );
            }
        }
    };
}
