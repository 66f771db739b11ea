//! `#[track_caller]`: the caller stays the caller.

use std::panic::Location;

use dd_traced::traced;

use crate::support::{Failed, spans_of};

#[traced]
#[track_caller]
fn plain() -> u32 {
    Location::caller().line()
}

#[track_caller]
#[traced]
fn before() -> u32 {
    plain_line()
}

#[track_caller]
fn plain_line() -> u32 {
    Location::caller().line()
}

#[traced]
#[track_caller]
fn fallible(fail: bool) -> Result<u32, Failed> {
    if fail {
        return Err(Failed("asked to"));
    }
    Ok(Location::caller().line())
}

struct Shop(u32);

#[traced]
impl Shop {
    #[track_caller]
    fn method(&self) -> Result<u32, Failed> {
        Location::caller().line().checked_sub(self.0).ok_or(Failed("early"))
    }
}

#[traced(tags(x))]
#[track_caller]
fn with_tags(x: u8) -> (u8, u32) {
    (x, Location::caller().line())
}

#[test]
fn the_caller_is_still_the_caller() {
    let spans = spans_of(|| {
        assert_eq!(plain(), line!());
        assert_eq!(before(), line!());
        assert_eq!(fallible(false), Ok(line!()));
        assert!(fallible(true).is_err());
        assert_eq!(Shop(0).method(), Ok(line!()));
        assert_eq!(with_tags(1), (1, line!()));
    });
    assert_eq!(spans, 6);
}
