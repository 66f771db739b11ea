//! Synchronous functions whose value is not looked at.

use std::panic::catch_unwind;

use dd_traced::traced;

use crate::support::spans_of;

#[traced]
fn unit() {}

#[traced]
#[expect(clippy::unused_unit, reason = "shows that the type stays as written")]
fn written_unit() -> () {}

#[traced]
fn statement(list: &mut Vec<u8>) {
    list.push(1);
}

#[traced]
fn area(w: u32, h: u32) -> u32 {
    w * h
}

#[traced]
fn early_return(x: u8) -> u8 {
    if x > 3 {
        return 3;
    }
    x
}

#[traced]
fn branches(x: Option<u8>) -> u8 {
    match x {
        Some(x) if x > 1 => x,
        Some(_) => 1,
        None => 0,
    }
}

#[traced]
fn let_else(x: Option<u8>) -> u8 {
    let Some(x) = x else { return 0 };
    x
}

#[traced]
fn question_mark(text: &str) -> Option<u8> {
    let first = text.chars().next()?;
    u8::try_from(first).ok()
}

#[traced]
fn labelled(limit: u32) -> u32 {
    let mut sum = 0;
    'outer: for x in 0.. {
        for y in 0..x {
            sum += y;
            if sum > limit {
                break 'outer;
            }
        }
    }
    sum
}

#[traced]
fn block_value(x: u8) -> u8 {
    {
        let twice = x * 2;
        twice + 1
    }
}

#[traced]
#[rustfmt::skip]
fn word_of_an_item(union: u8) -> u8 { union }

#[traced]
#[rustfmt::skip]
fn constant_block() -> u8 { const { 1 + 2 } }

#[traced]
fn never() -> ! {
    panic!("never")
}

#[traced]
fn panics(now: bool) -> u8 {
    assert!(!now, "now");
    1
}

#[traced]
extern "C" fn foreign_abi(x: i32) -> i32 {
    x
}

#[traced]
extern "C" fn default_foreign_abi(x: i32, y: i32) -> i32 {
    x - y
}

#[traced]
fn closure(x: u8) -> impl Fn(u8) -> u8 {
    move |y| x + y
}

#[traced]
fn boxed_closure(x: u8) -> Box<dyn Fn(u8) -> u8> {
    Box::new(move |y| x * y)
}

#[traced]
fn function_pointer() -> fn(u32, u32) -> u32 {
    area
}

#[traced]
fn tuple(x: u8) -> (u8, [u8; 2]) {
    (x, [x; 2])
}

#[traced]
fn coerced(early: bool) -> Box<dyn std::fmt::Display> {
    if early {
        return Box::new(1);
    }
    Box::new("two")
}

#[traced]
fn unsized_slice(values: &[u8; 3]) -> &[u8] {
    values
}

#[test]
fn values_are_unchanged() {
    let spans = spans_of(|| {
        unit();
        written_unit();
        let mut list = vec![];
        statement(&mut list);
        assert_eq!(list, [1]);
        assert_eq!(area(2, 3), 6);
        assert_eq!((early_return(9), early_return(2)), (3, 2));
        assert_eq!((branches(Some(3)), branches(Some(0)), branches(None)), (3, 1, 0));
        assert_eq!((let_else(Some(2)), let_else(None)), (2, 0));
        assert_eq!((question_mark("a"), question_mark("")), (Some(97), None));
        assert_eq!(labelled(5), 7);
        assert_eq!(block_value(2), 5);
        assert_eq!((word_of_an_item(1), constant_block()), (1, 3));
        assert_eq!(foreign_abi(3), 3);
        assert_eq!(default_foreign_abi(3, 1), 2);
        assert_eq!(closure(1)(2), 3);
        assert_eq!(boxed_closure(2)(3), 6);
        assert_eq!(function_pointer()(2, 2), 4);
        assert_eq!(tuple(1), (1, [1, 1]));
        assert_eq!(coerced(true).to_string() + &coerced(false).to_string(), "1two");
        assert_eq!(unsized_slice(&[1, 2, 3]), [1, 2, 3]);
    });
    assert_eq!(spans, 27);
}

#[test]
fn the_payload_of_a_panic_is_unchanged() {
    let spans = spans_of(|| {
        let payload = catch_unwind(|| never()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"never"));
        assert!(catch_unwind(|| panics(true)).is_err());
        assert_eq!(panics(false), 1);
    });
    assert_eq!(spans, 3);
}
