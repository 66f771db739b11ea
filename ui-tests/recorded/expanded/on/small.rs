//! A function whose machine code is compared with and without the attribute.
/// The feature `bare` leaves the attribute away.
#[inline(never)]
pub fn digest(bytes: &[u8]) -> Result<u32, u8> {
    let span = ::dd_traced::macro_support::span(const {
            &::dd_traced::macro_support::CallSite::named("digest")
        })
        .tags(|tags| tags.tag("len", bytes.len()))
        .enter();
    let ret = ::dd_traced::macro_support::in_scope(|| -> Result<u32, u8> {
        let mut digest = 0_u32;
        for byte in bytes {
            if *byte == b'\n' {
                return Err(*byte);
            }
            digest = digest.rotate_left(5) ^ u32::from(*byte);
        }
        Ok(digest)
    });
    span.found(
        ::dd_traced::macro_support::probe(&ret, span.is_recorded()).__dd_describe(),
    );
    return ret;
}
