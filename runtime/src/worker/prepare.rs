//! What is done to finished spans before anything looks at them.

use crate::export::queue::Queue;
use crate::model::{ChunkBatch, Flags, LeftOut};

/// Prepares a batch that was taken from the queue.
pub(super) fn prepare(batch: &mut ChunkBatch, queue: &Queue) {
    let mut left_out = LeftOut::default();
    batch.each_chunk(|_, records, tags| {
        for record in records.iter().filter(|record| record.flags.has(Flags::LEFT_OUT)) {
            left_out = left_out + tags.all_left_out(record.tags);
        }
    });
    if left_out != LeftOut::default() {
        queue.ledger().leave_out(left_out);
    }
}
