//! Functions that `macro_rules` write: fragments arrive in invisible groups.

use dd_traced::traced;

use crate::support::{Failed, pause, ready, spans_of};

macro_rules! method {
    ($vis:vis $name:ident($this:ident $(, $arg:ident: $type:ty)*) -> $ret:ty $body:block) => {
        #[traced(tags($($arg),*))]
        $vis fn $name(&$this $(, $arg: $type)*) -> $ret $body
    };
}

macro_rules! async_method {
    ($name:ident($this:ident, $arg:ident: $type:ty) -> $ret:ty $body:block) => {
        #[traced(tags($arg, $this.0))]
        async fn $name($this, $arg: $type) -> $ret $body
    };
}

macro_rules! function {
    ($title:literal, $value:expr, $item:item) => {
        #[traced($title, service = $value, tags("value" = $value))]
        $item
    };
}

macro_rules! plain {
    ($(#[$attribute:meta])* $name:ident, $ret:ty, $value:expr) => {
        $(#[$attribute])*
        #[traced]
        fn $name() -> $ret {
            $value
        }
    };
}

macro_rules! typed {
    ($name:ident, $argument:pat, $type:ty, $lifetime:lifetime, $path:path, $value:expr) => {
        #[traced]
        fn $name<$lifetime>($argument: &$lifetime $type) -> Result<&$lifetime $type, $path> {
            if false {
                return Err($path("never"));
            }
            Ok($value)
        }
    };
}

macro_rules! body_of {
    ($name:ident, $x:ident, $body:block) => {
        #[traced]
        fn $name($x: u8) -> u8 $body
    };
}

macro_rules! fallible_body_of {
    ($name:ident, $x:ident, $error:ty, $body:block) => {
        #[traced]
        fn $name($x: u8) -> Result<u8, $error> $body
    };
}

macro_rules! async_body_of {
    ($name:ident, $x:ident, $ret:ty, $body:block) => {
        #[traced]
        async fn $name($x: u8) -> $ret $body
    };
}

macro_rules! qualified {
    ($($token:tt)*) => {
        #[traced]
        $($token)*
    };
}

macro_rules! nested {
    ($name:ident => $($rest:tt)*) => {
        qualified! { fn $name() -> u8 { $($rest)* } }
    };
}

macro_rules! in_impl {
    ($owner:ty => $($item:item)*) => {
        #[traced]
        impl $owner {
            $($item)*
        }
    };
}

macro_rules! statements {
    ($name:ident, $ret:ty, [$($statement:stmt;)*] $last:expr) => {
        #[traced]
        fn $name() -> $ret {
            $($statement;)*
            $last
        }
    };
}

struct Generated(u8);

impl Generated {
    method!(pub(super) add(self, a: u8, b: u8) -> Result<u8, Failed> { Ok(self.0 + a.checked_add(b).ok_or(Failed("sum"))?) });
    method!(get(self) -> u8 { self.0 });
    async_method!(later(self, a: u8) -> Result<u8, Failed> {
        pause().await;
        self.0.checked_sub(a).ok_or(Failed("difference"))
    });
}

in_impl! {
    Generated =>
    fn own(&self) -> u8 {
        self.0
    }
    fn fallible(&self) -> Result<u8, Failed> {
        self.0.checked_sub(9).ok_or(Failed("small"))
    }
}

function!(
    "title",
    "service",
    fn titled() -> u8 {
        1
    }
);
plain!(
    /// Documented.
    #[inline]
    plain_value,
    u8,
    1
);
plain!(result_type, Result<u8, Failed>, Ok(1));
plain!(unit_type, (), ());
plain!(tuple_type, (u8, &'static str), (1, "a"));
typed!(with_type, value, u8, 'a, Failed, value);
body_of!(block_body, x, { x + 1 });
body_of!(block_with_items, x, {
    const ONE: u8 = 1;
    x + ONE
});
fallible_body_of!(fallible_block, x, Failed, { x.checked_sub(1).ok_or(Failed("zero")) });
async_body_of!(async_block, x, u8, {
    pause().await;
    x
});
async_body_of!(async_fallible_block, x, Result<u8, Failed>, {
    pause().await;
    if x == 0 {
        return Err(Failed("zero"));
    }
    Ok(x)
});
async_body_of!(async_unit_block, _x, (), { pause().await });
nested!(through_another => block_body(1));
qualified!(
    pub(crate) extern "C" fn foreign_abi(x: i32) -> i32 {
        x
    }
);
statements!(from_statements, u8, [let x = 1; let y = x + 1;] x + y);

macro_rules! number {
    ($type:ty) => {
        $type
    };
}
macro_rules! of_this_crate {
    ($name:ident) => {
        #[traced]
        fn $name<'a>(x: &'a [u8]) -> Result<&'a u8, $crate::support::Failed> {
            x.first().ok_or(Failed("none"))
        }
    };
}
of_this_crate!(first);

#[traced]
fn type_macro<const N: usize>(x: [number!(u8); N]) -> Result<[number!(u8); N], number!(Failed)> {
    if x.is_empty() { Err(Failed("none")) } else { Ok(x) }
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        assert_eq!(Generated(1).add(2, 3), Ok(6));
        assert_eq!(Generated(1).get(), 1);
        assert_eq!(ready(Generated(1).later(2)), Err(Failed("difference")));
        assert_eq!((Generated(1).own(), Generated(1).fallible()), (1, Err(Failed("small"))));
        assert_eq!(titled(), 1);
        assert_eq!((plain_value(), result_type(), tuple_type()), (1, Ok(1), (1, "a")));
        unit_type();
        assert_eq!(with_type(&1), Ok(&1));
        assert_eq!((block_body(1), block_with_items(1)), (2, 2));
        assert_eq!(fallible_block(0), Err(Failed("zero")));
        assert_eq!(ready(async_block(1)), 1);
        assert_eq!(ready(async_fallible_block(0)), Err(Failed("zero")));
        ready(async_unit_block(1));
        assert_eq!(through_another(), 2);
        assert_eq!(foreign_abi(1), 1);
        assert_eq!(from_statements(), 3);
        assert_eq!((first(&[1]), type_macro([1, 2])), (Ok(&1), Ok([1, 2])));
    });
    assert_eq!(spans, 23);
}
