//! The memory of a payload: written bytes, and behind them room that is initialised already.
//!
//! A span is written into the room at once and counts only when it is whole. So no field looks whether the memory has to
//! grow: where the room ends, the span is written again into more of it.

use crate::model::copy_ends;
use std::ops::Range;

/// Bytes of a payload.
#[derive(Debug)]
pub(super) struct Bytes {
    memory: Vec<u8>,
    used: usize,
}

/// There is too little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// By how much the room grows at least: as much as a processor keeps close until it is written.
const STEP: usize = 16 << 10;

impl Bytes {
    /// No bytes, in memory whose content is forgotten.
    pub(super) fn reusing(memory: Vec<u8>) -> Self {
        Self { memory, used: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.used
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.used = self.used.min(len);
    }

    /// The room behind what is written.
    #[inline]
    pub(super) fn room(&mut self) -> Result<&mut [u8], Full> {
        self.memory.get_mut(self.used..).ok_or(Full)
    }

    /// Makes the first bytes of the room part of what is written.
    #[inline]
    pub(super) fn add(&mut self, len: usize) {
        self.used += len;
    }

    /// Makes the room twice as large, but small at first.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self) {
        let room = self.memory.len() - self.used;
        self.memory.resize(self.used + STEP.max(2 * room), 0);
    }

    /// Appends bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        while self.memory.len() - self.used < bytes.len() {
            self.grow();
        }
        self.replace(self.used, bytes);
        self.used += bytes.len();
    }

    /// Replaces as many bytes as there are in `bytes`.
    pub(super) fn replace(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.memory.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// Raises the byte at `at`.
    pub(super) fn raise(&mut self, at: usize, by: u8) {
        if let Some(byte) = self.memory.get_mut(at) {
            *byte = byte.wrapping_add(by);
        }
    }

    /// Takes bytes out; what follows them moves up.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        if range.start <= range.end && range.end <= self.used && self.used <= self.memory.len() {
            self.memory.copy_within(range.end..self.used, range.start);
            self.used -= range.len();
        }
    }

    pub(super) fn into_vec(mut self) -> Vec<u8> {
        self.memory.truncate(self.used);
        self.memory
    }
}

/// Room becoming smaller as it is filled.
#[derive(Debug)]
pub(super) struct Room<'a>(pub(super) &'a mut [u8]);

impl<'a> Room<'a> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.take(bytes.len()).map(|into| into.copy_from_slice(bytes))
    }

    /// Like [`Room::put`], for some tens of bytes: a call of `memcpy` costs more than the copy.
    #[inline]
    pub(super) fn put_short(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.take(bytes.len()).map(|into| copy_short(into, bytes))
    }

    /// Leaves out bytes that are written already, or will be.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a mut [u8], Full> {
        let (taken, rest) = std::mem::take(&mut self.0).split_at_mut_checked(len).ok_or(Full)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Copies between slices of the same length.
#[inline]
fn copy_short(into: &mut [u8], from: &[u8]) {
    let is_done = match from.len() {
        0..=32 => copy_ends::<16>(into, from) || copy_ends::<8>(into, from),
        33..=64 => copy_ends::<32>(into, from),
        _ => false,
    };
    if !is_done {
        into.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_until_it_is_enough() {
        let mut bytes = Bytes::reusing(vec![7; 3]);
        let texts = [0, 3, 7, 8, 15, 16, 31, 32, 63, 64, 65, 100_000].map(|len| "x".repeat(len));
        for text in &texts {
            while Room(bytes.room().unwrap()).put_short(text.as_bytes()).is_err() {
                bytes.grow();
            }
            bytes.add(text.len());
            bytes.put(b"..");
            bytes.remove(bytes.len() - 1..bytes.len());
        }
        bytes.replace(0, b",");
        bytes.put(b"end");
        bytes.truncate(bytes.len() - 1);
        let expected: String = texts.iter().flat_map(|text| [text, "."]).collect();
        assert_eq!(String::from_utf8(bytes.into_vec()).unwrap(), format!(",{}en", &expected[1..]));
    }
}
