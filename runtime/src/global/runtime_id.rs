//! The name of the process.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The version 4 UUID that names this process to Datadog, made at its first start.
pub(super) fn runtime_id() -> Arc<str> {
    static RUNTIME_ID: Mutex<Option<(u32, Arc<str>)>> = Mutex::new(None);
    let mut known = RUNTIME_ID.lock().unwrap_or_else(PoisonError::into_inner);
    let process_id = std::process::id();
    // A forked child has a copy of its parent's.
    if let Some((_, id)) = known.as_ref().filter(|(of, _)| *of == process_id) {
        return Arc::clone(id);
    }
    let id = Arc::from(new_runtime_id());
    *known = Some((process_id, Arc::clone(&id)));
    id
}

fn new_runtime_id() -> String {
    // The random keys of the standard library are drawn once for a thread, so that all children forked from it would agree.
    let random = || RandomState::new().hash_one((std::process::id(), SystemTime::now()));
    let (high, low) = (random(), random());
    let version = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (low >> 2) | (1 << 63);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_id_is_a_random_uuid() {
        assert_ne!(new_runtime_id(), new_runtime_id());
        let id = runtime_id();
        let groups: Vec<&str> = id.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(
            groups[2].starts_with('4') && matches!(groups[3].as_bytes()[0], b'8' | b'9' | b'a' | b'b'),
            "{id}"
        );
        assert_eq!(id, runtime_id());
    }
}
