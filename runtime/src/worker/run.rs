//! The worker's loop: wait, drain, show, deliver, reply.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::abandoned::{Abandoned, Occasion};
use super::backlog::Backlog;
use super::counting::Counting;
use super::delivery::Delivery;
use super::enquiry::Enquiry;
use super::handle::WorkerParts;
use super::introduction::{AgentCheck, Introduction};
use super::metrics::Metrics;
use super::prepare::Preparation;
use super::report;
use super::restarts::Restarts;
use super::signal::{Order, OrderKind, Signal};
use super::tally::{Cause, Tally};
use super::view::{Viewer, view};
use crate::clock::{Anchor, Clock, Timeline};
use crate::diagnostics;
use crate::export::counters::DropReason;
use crate::export::queue::Queue;
use crate::export::resolve::Resolver;
use crate::export::v04::{Encoder, SpanDefaults};
use crate::model::ToldStarts;
use crate::sampling::Sampler;

/// A worker on its thread.
pub(super) struct Worker {
    pub(super) signal: Arc<Signal>,
    pub(super) queue: Arc<Queue>,
    pub(super) sampler: Arc<Sampler>,
    pub(super) encoder: Encoder,
    pub(super) backlog: Backlog,
    pub(super) delivery: Delivery,
    pub(super) enquiry: Enquiry,
    pub(super) counting: Counting,
    pub(super) abandoned: Option<Abandoned>,
    pub(super) told_starts: Option<Arc<ToldStarts>>,
    pub(super) introduction: Introduction,
    pub(super) tally: Tally,
    /// Where they are asked for.
    pub(super) metrics: Option<Metrics>,
    pub(super) started: Instant,
    times: Times,
    viewer: Option<Box<dyn Viewer>>,
    parts: Kept,
    /// Who waits for what is being delivered.
    flushes: Vec<Order>,
    /// Whether somebody rang since the last drain: what waits then is not left until the interval is over.
    is_called: bool,
    /// Set once the worker is to end.
    pub(super) ending: Option<Ending>,
}

/// Parts that the loop needs as they are.
struct Kept {
    interval: Duration,
    defaults: SpanDefaults,
    /// Whether chunks go to the agent at all.
    is_sending: bool,
}

/// The shutdown in progress.
#[derive(Debug)]
pub(super) struct Ending {
    /// When what is left is dropped.
    pub(super) deadline: Instant,
    orders: Vec<Order>,
}

/// How often the local view looks for finished traces.
const VIEW_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// Runs the worker on the present thread until it is shut down.
pub(super) fn run(worker: &mut Worker) {
    super::mark_thread();
    worker.signal.attach();
    let mut restarts = Restarts::default();
    loop {
        if catch_unwind(AssertUnwindSafe(|| worker.work())).is_ok() {
            return;
        }
        catch_unwind(AssertUnwindSafe(|| worker.recover())).unwrap_or_default();
        if !restarts.may_restart(Instant::now()) {
            break;
        }
        diagnostics::error(format_args!("the worker failed and starts again"));
    }
    diagnostics::error(format_args!("the worker failed too often and is given up: spans are lost"));
    worker.queue.close(DropReason::NoThread);
    worker.queue.give_up(DropReason::NoThread);
    worker.end();
}

impl Worker {
    pub(super) fn new(parts: WorkerParts, signal: Arc<Signal>) -> Self {
        let WorkerParts {
            writer,
            agent,
            defaults,
            rules,
            clock,
            first_anchor,
            queue,
            sampler,
            agent_info,
            statistics,
            abandoned,
            told_starts,
            introduce,
            remark,
            metrics,
            viewer,
        } = parts;
        let now = Instant::now();
        let preparation = Preparation { service: defaults.service.clone(), rules };
        let is_sending = viewer.is_none() || agent.is_explicit;
        // Somebody is looking at the terminal.
        let interval = if viewer.is_some() { writer.interval.min(VIEW_INTERVAL) } else { writer.interval };
        Self {
            signal,
            queue,
            sampler,
            encoder: Encoder::new(&defaults),
            backlog: Backlog::new(preparation),
            delivery: Delivery::new(agent, &writer),
            enquiry: Enquiry::new(agent_info, now),
            counting: Counting::new(statistics, &defaults, now),
            tally: Tally::default(),
            metrics: Metrics::new(metrics, &defaults, Resolver::system(), writer.report_period, now),
            introduction: Introduction::new(introduce, remark),
            started: now,
            times: Times { clock, first: first_anchor },
            abandoned,
            told_starts,
            viewer,
            parts: Kept { interval, defaults, is_sending },
            flushes: Vec::new(),
            is_called: false,
            ending: None,
        }
    }

    /// The loop; returns when the worker was shut down.
    fn work(&mut self) {
        self.listen();
        self.is_called = false;
        let mut is_rung = self.pause();
        loop {
            self.listen();
            let is_ending = self.ending.is_some();
            if is_ending {
                self.queue.close(DropReason::AfterShutdown);
                self.tell_abandoned(Occasion::Shutdown);
            }
            // Orders taken after this are about spans that the drain may not have met.
            let served = std::mem::take(&mut self.flushes);
            let until = served
                .iter()
                .map(|flush| flush.deadline)
                .chain(self.ending.iter().map(|ending| ending.deadline));
            let until = until.max();
            self.delivery.set_waiting(until);
            self.is_called = false;
            self.tally.most_waiting = self.tally.most_waiting.max(self.queue.reserved());
            let drained = self.backlog.drain(&self.queue);
            if drained == 0 {
                self.delivery.memory = Vec::new();
            }
            self.tally.taken_chunks += self.backlog.latest_chunks(drained) as u64;
            self.tally.began(Cause::of(is_ending, !served.is_empty(), is_rung, drained));
            self.tell(drained);
            self.show(drained, !served.is_empty() || is_ending);
            if self.parts.is_sending {
                self.count(drained);
                self.deliver();
                self.send_statistics(until);
            } else {
                self.acknowledge_all();
            }
            self.answer(served);
            self.report();
            self.tell_metrics();
            if is_ending {
                self.queue.ledger().lose_statistics(self.counting.left());
                self.delivery.report_rest(&self.queue);
                return self.end();
            }
            is_rung = self.pause();
        }
    }

    /// Does what nobody waits for, and then waits until there is something to do; true where somebody rang.
    fn pause(&mut self) -> bool {
        self.introduction.remark();
        self.look_for_abandoned();
        self.enquire();
        // Who is not asked, or is in no hurry to answer, does not hold up the introduction.
        self.introduce(AgentCheck::Unknown);
        if self.is_awaited() || self.is_called {
            return true;
        }
        let now = Instant::now();
        let round = now + self.parts.interval;
        // What is late waits for the agent to recover.
        let metrics = self.metrics.as_ref().map(Metrics::next);
        let moments = [Some(self.enquiry.next()), self.counting.next(), self.next_look(), metrics];
        let moment = moments.into_iter().flatten().filter(|moment| *moment > now).min();
        self.signal.wait(moment.map_or(round, |moment| round.min(moment)))
    }

    /// Whether somebody waits for an order.
    pub(super) fn is_awaited(&self) -> bool {
        !self.flushes.is_empty() || self.ending.is_some()
    }

    /// Whether chunks go to the agent at all.
    pub(super) fn sends(&self) -> bool {
        self.parts.is_sending
    }

    /// Takes new orders.
    pub(super) fn listen(&mut self) {
        self.is_called = true;
        for order in self.signal.orders() {
            let deadline = order.deadline;
            self.delivery.set_waiting(Some(deadline));
            match order.kind {
                OrderKind::Flush => self.flushes.push(order),
                OrderKind::Shutdown => {
                    let ending = self.ending.get_or_insert_with(|| Ending { deadline, orders: Vec::new() });
                    ending.deadline = ending.deadline.min(deadline);
                    ending.orders.push(order);
                }
            }
        }
    }

    /// Tells flushes whether all was delivered. A loss is told once: who orders after this hears of later ones.
    fn answer(&self, flushes: Vec<Order>) {
        if flushes.is_empty() {
            return;
        }
        let lost = self.lost_spans();
        // What is lost at the end is told to everybody who asks from there on.
        if self.ending.is_none() {
            self.signal.tell(lost);
        }
        for flush in flushes {
            flush.answer(lost);
        }
    }

    /// Spans lost so far; those that come after the shutdown are nothing that it could deliver.
    fn lost_spans(&self) -> u64 {
        let counters = self.queue.ledger().snapshot(0);
        counters.lost() - counters.dropped(DropReason::AfterShutdown)
    }

    /// Warns about losses if that is due; one who is about to end does it once, at its end.
    pub(super) fn report(&mut self) {
        if self.ending.is_none() {
            self.delivery.report(&self.queue);
        }
    }

    pub(super) fn timeline(&self) -> Timeline {
        self.times.timeline()
    }

    /// Shows the latest `count` batches to the local view, and what it holds back if somebody waits for it.
    fn show(&mut self, count: usize, is_awaited: bool) {
        let Some(viewer) = &mut self.viewer else { return };
        let timeline = self.times.timeline();
        let sampler = &self.sampler;
        for taken in self.backlog.latest(count) {
            let mut index = 0;
            while let Some(chunk) = taken.decided(index, sampler) {
                viewer.show(&view(&chunk, sampler.service(), &timeline));
                index += 1;
            }
        }
        if is_awaited { viewer.finish() } else { viewer.settle() }
    }

    /// Settles what was shown and goes nowhere else.
    fn acknowledge_all(&mut self) {
        let spans = self.backlog.clear(&self.queue);
        self.queue.acknowledge(spans);
    }

    /// Books spans as lost, and the chunks that they were of.
    pub(super) fn lose(&self, reason: DropReason, spans: usize, chunks: usize) {
        // What was given up is told of already.
        let is_news = spans > 0 && self.queue.lose(reason, spans, chunks);
        if is_news && diagnostics::is_shown(diagnostics::Level::Debug) {
            diagnostics::debug(format_args!("lost {}: {}", report::spans(spans as u64), reason.as_str()));
        }
    }

    /// Drops what was taken over and is not settled.
    pub(super) fn drop_backlog(&mut self, reason: DropReason) {
        let chunks = self.backlog.chunks();
        let spans = self.backlog.clear(&self.queue);
        self.lose(reason, spans, chunks);
    }

    /// After a panic: what was being written can not be, and what wrote it is made anew.
    fn recover(&mut self) {
        self.drop_backlog(DropReason::Encode);
        self.encoder = Encoder::new(&self.parts.defaults);
        self.delivery.disconnect();
        self.flushes.clear();
    }

    /// Ends all business and tells everybody who waits.
    fn end(&mut self) {
        self.introduce(AgentCheck::Unknown);
        self.delivery.disconnect();
        self.tell_last_metrics();
        self.bid_farewell();
        let mut orders = self.ending.take().map(|ending| ending.orders).unwrap_or_default();
        orders.append(&mut self.flushes);
        orders.append(&mut self.signal.end());
        let mut orders = orders.into_iter();
        if let Some(first) = orders.next() {
            first.answer(self.lost_spans());
        }
        // Whoever came after the first may mean spans that came after the queue was closed.
        let lost = self.queue.ledger().snapshot(0).lost();
        orders.for_each(|order| order.answer(lost));
    }
}

/// The translation of ticks.
struct Times {
    clock: Clock,
    first: Anchor,
}

impl Times {
    fn timeline(&self) -> Timeline {
        Timeline::new(&self.clock, self.first, self.clock.anchor())
    }
}
