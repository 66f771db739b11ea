//! stub
#[derive(Debug, Default)]
pub(crate) struct Settings(crate::propagation::PropagationSettings);
impl Settings {
    pub(crate) fn partial_flush_spans(&self) -> Option<u32> {
        Some(300)
    }
    pub(crate) fn service(&self) -> &str {
        "svc"
    }
    pub(crate) fn for_tests() -> Self {
        Self::default()
    }
    pub(crate) fn version(&self) -> Option<&str> {
        None
    }
    pub(crate) fn logs_128_bit_ids(&self) -> bool {
        true
    }
    pub(crate) fn injects_into_logs(&self) -> bool {
        true
    }
    pub(crate) fn propagation(&self) -> &crate::propagation::PropagationSettings {
        &self.0
    }
    pub(crate) fn env(&self) -> Option<&str> {
        None
    }
    pub(crate) fn generates_128_bit_ids(&self) -> bool {
        true
    }
}
