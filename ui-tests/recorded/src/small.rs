//! A function whose machine code is compared with and without the attribute.

/// The feature `bare` leaves the attribute away.
#[cfg_attr(not(feature = "bare"), dd_traced::traced("digest", tags(len = bytes.len())))]
#[inline(never)]
pub fn digest(bytes: &[u8]) -> Result<u32, u8> {
    let mut digest = 0_u32;
    for byte in bytes {
        if *byte == b'\n' {
            return Err(*byte);
        }
        digest = digest.rotate_left(5) ^ u32::from(*byte);
    }
    Ok(digest)
}
