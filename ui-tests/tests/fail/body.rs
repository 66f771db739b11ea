//! Errors in a body are reported where they are, once, as without the attribute.
#![deny(unused_variables, unused_mut)]

use std::future::Future;
use std::pin::Pin;

use dd_traced::traced;

#[traced]
fn plain(unused: u8) -> u8 {
    let mut early = 1;
    if early == 1 {
        return "early";
    }
    "last"
}

#[traced]
fn fallible(unused: u8) -> Result<u8, std::num::ParseIntError> {
    if unused_name() {
        return Ok("early");
    }
    "x".parse::<f32>()?;
    Ok("last")
}

#[traced]
async fn asynchronous() -> Result<u8, std::num::ParseIntError> {
    let mut early = 1;
    if early == 1 {
        return Ok("early");
    }
    "x".parse::<f32>()?;
    Ok("last")
}

#[traced]
fn returned(early: u8) -> Pin<Box<dyn Future<Output = Result<u8, std::num::ParseIntError>>>> {
    if early == 1 {
        return "early";
    }
    Box::pin(async {
        "x".parse::<f32>()?;
        Ok(unused_name())
    })
}

#[traced]
async fn nothing_to_give() {
    5
}

#[traced]
fn borrowed(text: String) -> Result<&'static str, String> {
    Ok(text.as_str())
}

fn main() {}
