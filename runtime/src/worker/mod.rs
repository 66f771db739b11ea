pub(crate) mod settings;
pub(crate) fn is_worker_thread() -> bool {
    false
}
